//! The run's events: evidence's own copy of its journal lines.
//!
//! Each line binds the one before (`docs/formats.md`, "Events"). Acts are read as words: a later version's are
//! no fault here.

use ecluse_core::digest;
use ecluse_journal::Hash;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bench::Bench;
use crate::verdict::Words;

/// The file.
pub(crate) const EVENTS: &str = "journal/events.jsonl";

/// Acts of which each reads or writes rows that move.
const MOVES: [&str; 4] = ["snapshot", "table", "chunk", "seal-part"];

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    before: String,
    leaf: Leaf,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaf {
    v: u8,
    salt: String,
    pub(crate) time: String,
    pub(crate) session: String,
    pub(crate) act: String,
    pub(crate) object: String,
    pub(crate) outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paper: Option<String>,
}

/// Events whose chain holds.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) leaves: Vec<Leaf>,
    /// The digest of each line, without its line feed.
    digests: Vec<String>,
    /// The hash of each leaf, as a transparency log has it (RFC 6962).
    pub(crate) hashes: Vec<Hash>,
}

impl Leaf {
    /// When, where it can be read.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.time.parse().ok()
    }

    /// Whether it says that this act is about to be done.
    pub(crate) fn begins(&self, act: &str) -> bool {
        self.act == act && self.outcome == "begun"
    }

    /// Whether it says that somebody took the copy that is its object.
    pub(crate) fn is_taken(&self) -> bool {
        self.act == "taken" && self.outcome == "done"
    }

    /// Whether rows move from here on; a dry run too begins with its snapshot.
    pub(crate) fn moves(&self) -> bool {
        MOVES.iter().any(|act| self.begins(act))
    }

    /// Whether it says that a dry run came to its end.
    pub(crate) fn ends_dry_run(&self) -> bool {
        self.act == "plan" && self.outcome == "done"
    }

    /// Whether this act left, or is about to leave, the file of this digest.
    pub(crate) fn cites(&self, act: &str, digest: &str) -> bool {
        self.act == act && self.paper.as_deref() == Some(digest)
    }

    /// Whether the certificate comes next.
    pub(crate) fn announces_certificate(&self) -> bool {
        self.begins("certify")
    }
}

impl Events {
    /// The digest of the file that the last act of this kind left.
    pub(crate) fn paper(&self, act: &str) -> Option<&str> {
        // with `begun` it is the one that is about to be written
        let left = |leaf: &&Leaf| leaf.act == act && leaf.paper.is_some() && !leaf.begins(act);
        self.leaves.iter().rev().find(left)?.paper.as_deref()
    }

    /// The digest of the line of this number, from 1; of nothing for none.
    pub(crate) fn head(&self, lines: u64) -> Option<String> {
        let Some(last) = lines.checked_sub(1) else { return Some(digest::of_bytes(b"")) };
        self.digests.get(usize::try_from(last).ok()?).cloned()
    }
}

/// Checks the chain, from the first line to the last.
pub(super) fn check(bench: &mut Bench<'_>) -> Option<Events> {
    let Some(bytes) = bench.bytes(EVENTS) else {
        let words = Words::new(
            "The run’s events are not in the file.",
            "Les événements du transfert ne sont pas dans le fichier.",
        );
        bench.absent(EVENTS, words);
        return None;
    };
    let words = |lines: usize| {
        Words::new(
            format!("{lines} events, each binding the one before."),
            format!("{lines} événements, chacun liant le précédent."),
        )
    };
    match read(bytes) {
        Ok(events) => {
            bench.holds(EVENTS, words(events.leaves.len()));
            clock(bench, &events);
            Some(events)
        }
        Err(finding) => {
            let words =
                Words::new("The run’s events were changed.", "Les événements du transfert ont été modifiés.");
            bench.fails(EVENTS, words, finding);
            None
        }
    }
}

/// Reads every line; or names the first, from 1, that is not what was written.
fn read(bytes: &[u8]) -> Result<Events, String> {
    let mut events = Events { leaves: Vec::new(), digests: Vec::new(), hashes: Vec::new() };
    let mut before = digest::of_bytes(b"");
    for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let bent = |what: &str| format!("line {}: {what}", index + 1);
        let line = line.strip_suffix(b"\n").ok_or_else(|| bent("it has no end"))?;
        let read: Line = serde_json::from_slice(line).map_err(|_| bent("not an event"))?;
        if read.before != before {
            return Err(bent("it does not follow from the line before"));
        }
        let leaf = serde_json_canonicalizer::to_vec(&read.leaf).map_err(|_| bent("not in canonical form"))?;
        if serde_json_canonicalizer::to_vec(&read).ok().as_deref() != Some(line) || read.leaf.v != 1 {
            return Err(bent("not in canonical form"));
        }
        before = digest::of_bytes(line);
        events.hashes.push(Hash::leaf(&leaf));
        events.digests.push(before.clone());
        events.leaves.push(read.leaf);
    }
    if events.leaves.is_empty() { Err("line 1: there is none".to_owned()) } else { Ok(events) }
}

/// Says where the clock went back: no proof of a forgery, and something to ask about.
fn clock(bench: &mut Bench<'_>, events: &Events) {
    let times: Vec<Option<Timestamp>> = events.leaves.iter().map(Leaf::at).collect();
    let back = times
        .windows(2)
        .position(|pair| matches!(pair, [Some(one), Some(next)] if next < one) || pair.contains(&None));
    if let Some(at) = back {
        let line = at + 2;
        let words = Words::new(
            format!("The clock went back at event {line}: ask the operator why."),
            format!("L’horloge a reculé à l’événement {line} : demandez pourquoi à l’opérateur."),
        );
        bench.holds(EVENTS, words);
    }
}
