//! `ecluse journal …`: the log of who did what, when; and whether it is the one that others saw.

mod agree;
mod cosign;
mod export;
mod join;
mod prove;
pub(super) mod prune;
mod serve;
mod tail;
mod verify;

use ecluse_adapters::log;
use ecluse_core::count::{count, plural};
use ecluse_core::fault::Result;
use ecluse_journal::Checkpoint;
use serde_json::json;

use super::Here;
use crate::cli::{CheckpointArgs, Journal};
use crate::{folder, journal, output};

pub(super) fn run(here: &Here, command: &Journal) -> Result<()> {
    match command {
        Journal::Checkpoint(args) => checkpoint(here, args),
        Journal::Verify(args) => verify::run(here, args),
        Journal::Prove(args) => prove::run(here, args),
        Journal::Tail(args) => tail::run(here, args),
        Journal::Export(args) => export::run(here, args),
        Journal::Prune(args) => prune::run(here, args),
        Journal::Cosign(args) => cosign::run(here, args),
        Journal::Serve(args) => serve::run(args),
        Journal::Join(args) => join::run(here, args),
    }
}

fn checkpoint(here: &Here, args: &CheckpointArgs) -> Result<()> {
    journal::keep(&here.folder)?;
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let signed = log.signed()?;
    if let Some(output) = &args.output {
        folder::create(output, signed.note().as_bytes())?;
    }
    told(signed.checkpoint());
    output::line(format!("  signed by {}", log.verifier()?));
    match &args.output {
        Some(output) => output::line(format!("  {}: give it to somebody who keeps it", output.display())),
        None => output::line(
            "  Whoever keeps it can tell later what was changed:  ecluse journal checkpoint -o FILE",
        ),
    }
    document(signed.checkpoint());
    output::document(&json!({ "key": log.verifier()?.to_string(), "made": args.output }));
    Ok(())
}

/// A tree in words.
fn told(tree: &Checkpoint) {
    output::line(format!(
        "journal {}   {}   root {}",
        tree.origin,
        plural(tree.size, "entry", "entries"),
        tree.root
    ));
}

fn document(tree: &Checkpoint) {
    output::document(&json!({ "origin": tree.origin, "size": tree.size, "root": tree.root.to_string() }));
}

/// So many entries, in words.
fn entries(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "entry" } else { "entries" })
}
