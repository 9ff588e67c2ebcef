//! `cargo xtask walls`: every wall refuses what is planted behind it.
//!
//! In a copy of the tree, everything that must not be is done once, and the tool that holds the
//! wall has to say so: clippy and the compiler ([`lints`]), `cargo xtask check` for our own crates
//! and cargo-deny for those from outside ([`imports`]). Values that only a check can make are held by
//! `compile_fail` examples beside them, which run with the tests ([`examples`]).

mod examples;
mod imports;
mod lints;
mod manifest;

use crate::{Outcome, args, copy, say};

/// Plants, asks, and fails where something was not refused.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    args::finished(arguments)?;
    let mut fallen = Vec::new();
    for hold in [lints::hold, imports::ours, imports::outside, examples::hold] {
        let (standing, more) = hold(&copy::tree("walls")?)?;
        standing.iter().for_each(|wall| say(&format!("refused  {wall}")));
        fallen.extend(more);
    }
    fallen.iter().for_each(|wall| say(&format!("NOT REFUSED  {wall}")));
    if fallen.is_empty() { Ok(()) } else { Err(format!("{} plants were not refused", fallen.len())) }
}
