//! The evidence of a migration: one file that a stranger can check.
//!
//! [`pack`] makes it, [`verify`] judges it; both are functions over bytes, and need no disk, no clock, no
//! chance and no network: the program and the page that runs in a browser judge by the same code.
//!
//! What is checked, from the outside inwards: that the file is exactly what [`pack`] makes of what it holds
//! ([`mod@file`]); that every paper is signed by whom the contract in it names, on a day on which the keys
//! counted ([`moment`]); that each digest by which one paper cites another is that one's; that figures add up;
//! that the run's events follow one from another and vouch for the files they name. Whether the contract's keys
//! are the laboratory's cannot be told from inside: somebody has to bring a fingerprint from elsewhere.
//!
//! A file holds when its certificate says so, and everything is there that a certified migration has made
//! (`papers/demanded.rs`). One without a certificate can agree with itself and no more: whoever takes a paper
//! away leaves nothing that tells of it.

mod bench;
mod file;
mod log;
mod moment;
mod papers;
mod run;
#[cfg(test)]
mod tests;
mod verdict;

pub use file::{FORM, NAME, pack};
pub use verdict::{Line, NOT_CERTIFIED, NOT_ESTABLISHED, Outcome, REFUSED, State, Verdict, Words};

use std::collections::BTreeMap;

use bench::Bench;

/// The files of an evidence file by their paths in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The file's name in a migration folder.
pub const FILE: &str = "evidence.tar";

/// The first thing that would not hold, were these files closed by a certificate: asked before anybody signs
/// one. The certificate itself, and that it covers every file, is not looked at.
#[must_use]
pub fn objection(files: &Files) -> Option<Line> {
    let mut bench = Bench::new(files);
    bench.closing = true;
    let settled = papers::check(&mut bench, &[]);
    bench.verdict(settled).lines.into_iter().find(|line| line.state == State::Fails)
}

/// Judges an evidence file; `trust` holds the controller's fingerprints (`SHA256:…`), as somebody read them
/// elsewhere than in this file.
///
/// Total: whatever the bytes are, the answer is a verdict. Signatures are judged as of the days on which the
/// papers were made, not as of today (decision 0071).
#[must_use]
pub fn verify(bytes: &[u8], trust: &[String]) -> Verdict {
    let files = match file::open(bytes) {
        Ok(files) => files,
        Err(bent) => return Verdict::of_no_file(&bent),
    };
    let mut bench = Bench::new(&files);
    let settled = papers::check(&mut bench, trust);
    bench.verdict(settled)
}
