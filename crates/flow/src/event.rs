//! The journal's lines: one leaf per act (`docs/formats.md`, "Events").
//!
//! A line is the RFC 8785 form of `{"before": …, "leaf": {…}}`, where `before` is the
//! digest of the line before (without its newline). The leaf's own RFC 8785 bytes are
//! what a transparency log hashes later. No line holds a name of a patient, a value, a
//! row key or a count of rows; an object is a random id whose meaning is sealed.

use std::fmt;

use ecluse_core::fault::{Code, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::world::World;

/// The journal was changed, or cut, behind our back.
pub static BENT: Code = Code::refused("ECL-RUN-020", "the run's journal was changed");

/// What was done. Every act of the path is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A run was begun, resumed or caught up under verified papers.
    Open,
    /// The status of the instruction was asked for.
    Standing,
    /// The rights of the source's role were probed.
    Probe,
    /// Advice was overruled: a wider role was accepted, or the tables themselves are read where
    /// there are no views. The reason stands in `figures.json`, for every start of the run.
    Override,
    /// The source's snapshot was opened.
    Snapshot,
    /// From `begun` on sealed parts may stand in the staging folder under the object's name; with `done`
    /// they are destroyed.
    Stage,
    /// The destination was taken for this run.
    Destination,
    /// A table's rows are read from here on.
    Table,
    /// A chunk is replaced at the destination.
    Chunk,
    /// Constraints, indexes and sequences are put back.
    Finish,
    /// A sealed archive is made; with `done` it stands, and the paper is its manifest.
    Extract,
    /// Rows are sealed as a part of the archive.
    SealPart,
    /// The run ended.
    Close,
    /// A dry run: every planned row is read, none is moved. The object is the dry run's own id, which
    /// `rehearsals.json` explains.
    Plan,
    /// The operator states that the source is frozen; the hour is this line's.
    Freeze,
    /// What the run wrote is taken away again.
    Undo,
    /// A chunk is about to be taken away, if it still is what the run wrote.
    Remove,
    /// The destination was read back and compared.
    Reconcile,
    /// A sealed archive is opened by its recipient; the object is the archive's id.
    Unseal,
    /// The identity that opened an archive is destroyed; the object is the archive's id.
    Destroy,
    /// A row token was resolved to a row key.
    Locate,
    /// The persons who arrived were compared with those who stood at the destination.
    Known,
    /// The list of persons who exist at the destination already was shown, with their rows' keys.
    KnownShown,
    /// Drawn dossiers were read at both ends, for a person of the laboratory to compare on a terminal.
    Compare,
    /// What the order has erased goes from here on, at the source or of the copies; ends with `erasure.json`.
    Erase,
    /// The ledger of copies was changed by somebody's word: a hold, a statement of destruction; ends with its digest.
    Copies,
    /// Somebody took a copy out of our reach; the object is the line's id in the ledger, which ends it with its digest.
    Taken,
    /// A timer looked for copies whose day has come; with a code where it came too late, its clock was far ahead, or the
    /// source stands beyond its day. A person's look is one where it says what day it is after long.
    Beat,
    /// What should be gone was looked for; ends with `residue.json`.
    Look,
    /// The certificate of erasure is about to be written.
    Certify,
    /// The migration is closed: the run's keys go from here on.
    Conclude,
    /// The journal was read or exported; the object is the log's origin.
    JournalRead,
    /// Entries of the journal whose retention ended are erased from its front; the object is the first entry kept.
    JournalErased,
    /// The journal's writer, an account of its own, was asked for what it does not take: by another account, or
    /// lines that do not follow from those it has.
    Alert,
    /// A command that reads, moves or shows rows, or ends the migration, was refused before it noted anything else; the
    /// outcome is the code.
    Refuse,
    /// A torn last line was set aside.
    Recover,
    /// The sealed state was replaced: always the first line after the head that it remembers.
    Seal,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is about to be done: the line is durable before the act.
    Begun,
    /// Done.
    Done,
    /// Stopped at the operator's wish.
    Stopped,
    /// Refused or failed, with this code.
    Code(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Code(code) => code,
        })
    }
}

/// One act, as the journal holds it for ever.
///
/// The fields stand in the order of their names, in which [`canonical`] writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// What.
    pub act: Act,
    /// On which object: a random id of the sealed run state.
    pub object: String,
    /// How it went: `begun`, `done`, `stopped`, or an error code.
    pub outcome: String,
    /// The digest of the file that the act left: `figures.json` at a close, `reconciliation.json`
    /// at a reconciliation, `erasure.json` at an erasure, `residue.json` when residue was looked for. The file
    /// was durable before this line. At an unsealing it is the archive's manifest, where an identity was
    /// destroyed the receipt. Where a load is closed it is what says which run and database, then the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<String>,
    /// 128 random bits, hexadecimal: without it the hash of an erased entry would confirm a guess.
    pub salt: String,
    /// The session under which it was done: the session statement's id.
    pub session: String,
    /// When, UTC, RFC 3339.
    pub time: String,
    /// Version of this layout: 1.
    pub v: u8,
}

impl Leaf {
    /// A leaf of this act, now.
    ///
    /// # Errors
    ///
    /// The random generator's.
    pub fn new(world: &World<'_>, session: &str, act: Act, object: &str, outcome: &Outcome) -> Result<Self> {
        let time: Timestamp = world.now();
        Ok(Self {
            v: 1,
            salt: world.id()?,
            time: time.to_string(),
            session: session.to_owned(),
            act,
            object: object.to_owned(),
            outcome: outcome.to_string(),
            paper: None,
        })
    }

    /// The leaf's RFC 8785 bytes: what a transparency log takes in and hashes.
    ///
    /// # Errors
    ///
    /// [`BENT`] where the leaf has no canonical form (it always has one).
    pub fn bytes(&self) -> Result<Vec<u8>> {
        canonical(self).ok_or_else(|| BENT.fault("a leaf has no canonical form"))
    }

    /// Whether it announces an act, and does not say how it went.
    fn is_begun(&self) -> bool {
        self.outcome == "begun"
    }

    /// Reads what [`Self::bytes`] gave; `None` for anything else.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let leaf: Self = serde_json::from_slice(bytes).ok()?;
        (leaf.bytes().ok()? == bytes).then_some(leaf)
    }
}

/// One line, without its newline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    before: String,
    leaf: Leaf,
}

/// Where the chain stands: how many lines, and the digest of the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Lines so far.
    pub lines: u64,
    /// Digest of the last line; of nothing where there is none yet.
    pub digest: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { lines: 0, digest: digest(b"") }
    }
}

impl Head {
    /// The line that comes next, with its newline, and the head after it.
    ///
    /// # Errors
    ///
    /// [`BENT`] where the leaf has no canonical form (it always has one).
    pub fn next(&self, leaf: Leaf) -> Result<(Vec<u8>, Self)> {
        let line = Line { before: self.digest.clone(), leaf };
        let mut bytes = canonical(&line).ok_or_else(|| BENT.fault("a line has no canonical form"))?;
        let head = Self { lines: self.lines + 1, digest: digest(&bytes) };
        bytes.push(b'\n');
        Ok((bytes, head))
    }
}

/// A journal that was read and whose chain holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Where it stands.
    pub head: Head,
    /// The digest of each line, in order.
    pub digests: Vec<String>,
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// Length in bytes of the whole lines; what comes after is a line torn by a crash.
    pub whole: usize,
}

impl Verified {
    /// Takes in the line that was appended, with the head after it.
    pub fn push(&mut self, leaf: Leaf, head: Head) {
        self.digests.push(head.digest.clone());
        self.leaves.push(leaf);
        self.head = head;
    }

    /// The objects on which this act was begun and not done, in their order.
    #[must_use]
    pub fn unended(&self, act: Act) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        for leaf in self.leaves.iter().filter(|leaf| leaf.act == act) {
            open.retain(|object| *object != leaf.object);
            if leaf.outcome != Outcome::Done.to_string() {
                open.push(leaf.object.clone());
            }
        }
        open
    }

    /// The digest of the file that the last act of this kind left, and the leaves since; `None` where
    /// none left any.
    #[must_use]
    pub fn paper(&self, act: Act) -> Option<(&str, &[Leaf])> {
        let last = self.leaves.iter().rposition(|leaf| leaf.act == act && leaf.paper.is_some())?;
        let paper = self.leaves.get(last)?.paper.as_deref()?;
        Some((paper, self.leaves.get(last.saturating_add(1)..)?))
    }

    /// As [`Self::paper`], where the file is announced by a line of its own before it is written: what was
    /// announced is not what the act left.
    #[must_use]
    pub fn left(&self, act: Act) -> Option<(&str, &[Leaf])> {
        let is = |leaf: &Leaf| leaf.act == act && leaf.paper.is_some() && !leaf.is_begun();
        let last = self.leaves.iter().rposition(is)?;
        let paper = self.leaves.get(last)?.paper.as_deref()?;
        Some((paper, self.leaves.get(last.saturating_add(1)..)?))
    }

    /// The digests that the file of this act may have, where each is announced before it is written: what the act
    /// left last, and what was announced since, by starts that may have died; `None` stands for no file yet.
    #[must_use]
    pub fn vouched(&self, act: Act) -> Vec<Option<&str>> {
        let mut may = Vec::new();
        for leaf in self.leaves.iter().rev().filter(|leaf| leaf.act == act && leaf.paper.is_some()) {
            may.push(leaf.paper.as_deref());
            if !leaf.is_begun() {
                return may;
            }
        }
        may.push(None);
        may
    }

    /// The leaves after a head at which this journal once stood; `None` where it never did.
    #[must_use]
    pub fn since(&self, head: &Head) -> Option<&[Leaf]> {
        let lines = usize::try_from(head.lines).ok()?;
        let stood = match lines.checked_sub(1) {
            Some(last) => self.digests.get(last) == Some(&head.digest),
            None => *head == Head::default(),
        };
        if stood { self.leaves.get(lines..) } else { None }
    }
}

/// Checks a journal from its first line to its last whole one.
///
/// A last line without a newline was torn by a crash while it was written: its act had
/// not begun. It is told by `whole`, and is no fault.
///
/// # Errors
///
/// [`BENT`] names the first line (from 1) that is not the canonical form of a leaf, or
/// whose `before` is not the digest of the line before.
pub fn verify(journal: &[u8]) -> Result<Verified> {
    verify_after(&Head::default(), journal)
}

/// The digest after which these lines say that they come; `None` where the first one is no event.
#[must_use]
pub fn after(journal: &[u8]) -> Option<String> {
    let line = journal.split(|b| *b == b'\n').next()?;
    serde_json::from_slice::<Line>(line).ok().map(|line| line.before)
}

/// As [`verify`], of the lines that come after this head; `digests` and `leaves` are theirs alone.
///
/// # Errors
///
/// As there.
pub fn verify_after(head: &Head, journal: &[u8]) -> Result<Verified> {
    let mut head = head.clone();
    let mut leaves = Vec::new();
    let mut digests = Vec::new();
    let mut whole = 0;
    for bytes in journal.split_inclusive(|b| *b == b'\n') {
        let Some(bytes) = bytes.strip_suffix(b"\n") else { break };
        let number = head.lines + 1;
        let bent = |what: &str| BENT.fault(format!("line {number}: {what}"));
        let line: Line = serde_json::from_slice(bytes).map_err(|_| bent("not an event"))?;
        if line.before != head.digest {
            return Err(bent("does not follow from the line before"));
        }
        if canonical(&line).as_deref() != Some(bytes) {
            return Err(bent("not in canonical form"));
        }
        head = Head { lines: number, digest: digest(bytes) };
        digests.push(head.digest.clone());
        leaves.push(line.leaf);
        whole += bytes.len() + 1;
    }
    Ok(Verified { head, digests, leaves, whole })
}

/// The RFC 8785 form of what has its fields in the order of their names, and in them texts and small whole
/// numbers alone: just that is what `serde_json` writes of it, and nothing is sorted anew: a million
/// entries are looked at in one go.
fn canonical<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    serde_json::to_vec(value).ok()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::{Act, Head, Leaf, Line, canonical};

    fn leaf(text: &str, paper: Option<&str>) -> Leaf {
        Leaf {
            act: Act::JournalErased,
            object: "o".to_owned(),
            outcome: text.to_owned(),
            paper: paper.map(str::to_owned),
            salt: "s".to_owned(),
            session: String::new(),
            time: "t".to_owned(),
            v: u8::MAX,
        }
    }

    #[test]
    fn lines_and_leaves_are_as_rfc_8785_has_them_whatever_their_texts_hold() {
        let every: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
        for some in every.chunks(4096) {
            let text: String = some.iter().collect();
            for leaf in [leaf(&text, None), leaf("x", text.get(..text.floor_char_boundary(9)))] {
                let wanted = serde_json_canonicalizer::to_vec(&leaf).unwrap();
                assert!(leaf.bytes().unwrap() == wanted, "from {:?} on", some.first());
                let line = Line { before: "b".to_owned(), leaf };
                assert!(canonical(&line) == serde_json_canonicalizer::to_vec(&line).ok());
            }
        }
        let (line, head) = Head::default().next(leaf("a", None)).unwrap();
        assert_eq!(super::verify(&line).unwrap().head, head);
    }
}
