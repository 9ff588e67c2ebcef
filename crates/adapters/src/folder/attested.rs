//! Files in clear that the journal vouches for by their digest: what was written by hand, or is
//! another hour's, is not taken for what the run wrote.
//!
//! The journal is not signed: whoever rewrites it with its digests is only noticed by a party that
//! holds its head of some hour (`docs/threats.md`).

use std::path::Path;

use ecluse_core::digest::of_bytes;
use ecluse_core::erasure::{ERASURE, Erasure, RESIDUE, Residue};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{Act, Leaf, Outcome, Verified};
use ecluse_flow::figures::Figures;
use ecluse_flow::sample::Sampled;
use ecluse_flow::undo::Undone;
use serde::de::DeserializeOwned;

use super::{EVENTS, FIGURES_FILE, RECONCILIATION, REHEARSALS, UNDONE, events, parsed, read};

static NOT_OURS: Code = Code::refused("ECL-RUN-207", "a file of the run folder is not what écluse wrote");

/// The figures that a run left, without taking the folder; `None` where it left none yet.
///
/// Between the moment at which a run takes the destination and the end of that start, whatever the
/// file says, the run is not whole and has not ended: its counts are not those of what stands there.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal holds another digest; `ECL-RUN-206` where the file is not figures.
pub fn figures(path: &Path) -> Result<Option<Figures>> {
    // a run that ends meanwhile replaces one file and then the other: the second look sees both
    figures_now(path).or_else(|fault| if is_foreign(&fault) { figures_now(path) } else { Err(fault) })
}

fn figures_now(path: &Path) -> Result<Option<Figures>> {
    let help = "run `ecluse migrate` again: it writes them anew";
    let file = path.join(FIGURES_FILE);
    if !path.join(EVENTS).exists() {
        return read(&file)?.map_or(Ok(None), |_| Err(foreign(&file)));
    }
    let journal = events(path)?;
    let Some(bytes) = read(&file)? else { return Ok(None) };
    let figures: Figures = parsed(&bytes, &file, help)?;
    match journal.paper(Act::Close) {
        Some((paper, since)) if !is_taken(since) => {
            if paper == of_bytes(&bytes) {
                Ok(Some(figures))
            } else {
                Err(foreign(&file))
            }
        }
        // a start is under way, or died: its close is not in the journal
        _ => {
            let sample = figures.sample.map(|sample| Sampled { through: false, ..sample });
            Ok(Some(Figures { whole: false, ended: String::new(), sample, ..figures }))
        }
    }
}

/// What a reconciliation left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciliation {
    /// Nothing, or it did not come to its end.
    Never,
    /// This file; the run has taken the destination since.
    Stale(Vec<u8>),
    /// This file; écluse has not changed the destination since.
    Last(Vec<u8>),
}

/// The last word on the destination, without taking the folder.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal does not hold the file's digest for its last reconciliation.
pub fn reconciliation(path: &Path) -> Result<Reconciliation> {
    // as in [`figures`]
    reconciliation_now(path)
        .or_else(|fault| if is_foreign(&fault) { reconciliation_now(path) } else { Err(fault) })
}

fn reconciliation_now(path: &Path) -> Result<Reconciliation> {
    let journal = events(path)?;
    let file = path.join(RECONCILIATION);
    let Some(bytes) = read(&file)? else { return Ok(Reconciliation::Never) };
    match journal.paper(Act::Reconcile) {
        Some((paper, since)) if paper == of_bytes(&bytes) => {
            Ok(if is_taken(since) { Reconciliation::Stale(bytes) } else { Reconciliation::Last(bytes) })
        }
        // killed between the file and the journal's line: nothing was compared
        _ if is_comparing(&journal) => Ok(Reconciliation::Never),
        _ => Err(foreign(&file)),
    }
}

/// How far a run was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Nobody has begun to.
    Never,
    /// It is under way, or did not come to its end: some rows may be gone.
    Begun,
    /// What it did.
    Ended(Box<Undone>),
}

/// Whether and how far the run of this folder was undone, without taking the folder.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal does not hold the file's digest for its last undo that ended.
pub fn undo(path: &Path) -> Result<Undo> {
    undo_now(path).or_else(|fault| if is_foreign(&fault) { undo_now(path) } else { Err(fault) })
}

fn undo_now(path: &Path) -> Result<Undo> {
    if !path.join(EVENTS).exists() {
        return Ok(Undo::Never);
    }
    let journal = events(path)?;
    // a dry run of it takes nothing away
    let taken = journal.leaves.iter().rposition(|leaf| leaf.act == Act::Remove || is_undone(leaf));
    let Some(last) = taken else { return Ok(Undo::Never) };
    if !journal.leaves.get(last).is_some_and(is_undone) {
        return Ok(Undo::Begun);
    }
    let file = path.join(UNDONE);
    let bytes = read(&file)?.ok_or_else(|| foreign(&file))?;
    match journal.paper(Act::Undo) {
        Some((paper, _)) if paper == of_bytes(&bytes) => {
            parsed(&bytes, &file, "ecluse undo").map(|undone| Undo::Ended(Box::new(undone)))
        }
        _ => Err(foreign(&file)),
    }
}

/// What was erased, without taking the folder; `None` where nothing was, or an erasure has begun and not ended.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal does not hold the file's digest for its last erasure.
pub fn erasure(path: &Path) -> Result<Option<Erasure>> {
    let attested = |path: &Path| ended(path, Act::Erase, ERASURE, "ecluse erase");
    attested(path).or_else(|fault| if is_foreign(&fault) { attested(path) } else { Err(fault) })
}

/// What an erasure left, or announced before it died; without taking the folder. `None` where none did either.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal knows no such file, or knows one that is not there.
pub fn erasing(path: &Path) -> Result<Option<Erasure>> {
    announced(path, Act::Erase, ERASURE, "put it back from a copy of the folder")
}

/// What the dry runs in this folder counted, in their order; without taking the folder. None where the file is
/// not there: the next dry run begins it anew.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal knows no such file; `ECL-RUN-206` where it is not theirs.
pub fn rehearsals(path: &Path) -> Result<Vec<Figures>> {
    if !path.join(REHEARSALS).exists() {
        return Ok(Vec::new());
    }
    Ok(announced(path, Act::Plan, REHEARSALS, "ecluse plan")?.unwrap_or_default())
}

/// A file whose digest the journal holds since before it was written.
fn announced<T: DeserializeOwned>(path: &Path, act: Act, name: &str, help: &str) -> Result<Option<T>> {
    let look = || announced_now(path, act, name, help);
    look().or_else(|fault| if is_foreign(&fault) { look() } else { Err(fault) })
}

fn announced_now<T: DeserializeOwned>(path: &Path, act: Act, name: &str, help: &str) -> Result<Option<T>> {
    let file = path.join(name);
    let bytes = read(&file)?;
    let digest = bytes.as_deref().map(of_bytes);
    let known = match path.join(EVENTS).exists() {
        true => events(path)?.vouched(act).contains(&digest.as_deref()),
        false => digest.is_none(),
    };
    if !known {
        return Err(foreign(&file));
    }
    bytes.map(|bytes| parsed(&bytes, &file, help)).transpose()
}

/// What was looked for after the last erasure and the last change of the destination, without taking the
/// folder; `None` where nobody has looked since.
///
/// # Errors
///
/// [`NOT_OURS`] where the journal does not hold the file's digest for its last look.
pub fn residue(path: &Path) -> Result<Option<Residue>> {
    let attested = |path: &Path| ended(path, Act::Look, RESIDUE, "ecluse erase");
    attested(path).or_else(|fault| if is_foreign(&fault) { attested(path) } else { Err(fault) })
}

/// The file that the last act of this kind left, where nothing was changed since: no start took the
/// destination, no chunk of it was taken away, and nothing more was erased.
fn ended<T: DeserializeOwned>(path: &Path, act: Act, name: &str, help: &str) -> Result<Option<T>> {
    let file = path.join(name);
    let Some(bytes) = read(&file)? else { return Ok(None) };
    let journal = events(path)?;
    let digest = of_bytes(&bytes);
    let last = || journal.leaves.iter().rfind(|leaf| leaf.act == act);
    // on its way, or announced: it has not ended
    let begun =
        || last().is_some_and(|leaf| leaf.paper.is_none()) || journal.vouched(act).contains(&Some(&digest));
    match journal.left(act) {
        Some((paper, since)) if paper == digest => {
            let changed = |leaf: &Leaf| matches!(leaf.act, Act::Erase | Act::Remove);
            let stale = is_taken(since) || since.iter().any(changed);
            if stale { Ok(None) } else { parsed(&bytes, &file, help).map(Some) }
        }
        // killed before the line that says that it ended
        _ if begun() => Ok(None),
        _ => Err(foreign(&file)),
    }
}

/// The hour at which the source was last stated to be frozen, as the journal has it (UTC, RFC 3339); `None` where
/// nobody stated it. The journal holds the act, the sealed state the engine's marks.
///
/// # Errors
///
/// As [`events`].
pub fn frozen(path: &Path) -> Result<Option<String>> {
    if !path.join(EVENTS).exists() {
        return Ok(None);
    }
    let journal = events(path)?;
    let is = |leaf: &Leaf, how: Outcome| leaf.act == Act::Freeze && leaf.outcome == how.to_string();
    let done = journal.leaves.iter().rposition(|leaf| is(leaf, Outcome::Done));
    let until = done.map_or(&[][..], |at| journal.leaves.get(..at).unwrap_or_default());
    Ok(until.iter().rfind(|leaf| is(leaf, Outcome::Begun)).map(|leaf| leaf.time.clone()))
}

/// Whether the leaf ends an undo that left its file.
fn is_undone(leaf: &Leaf) -> bool {
    leaf.act == Act::Undo && leaf.paper.is_some()
}

/// Whether a start of the run has taken the destination: one that closed without leaving figures
/// was refused before it changed anything.
fn is_taken(since: &[Leaf]) -> bool {
    let (mut earlier, mut this) = (false, false);
    for leaf in since {
        match leaf.act {
            Act::Open => earlier |= this,
            Act::Destination => this = true,
            Act::Close if leaf.paper.is_none() => this = false,
            _ => {}
        }
    }
    earlier || this
}

/// Whether the journal's last word on a reconciliation is that it has begun.
fn is_comparing(journal: &Verified) -> bool {
    journal.leaves.iter().rfind(|leaf| leaf.act == Act::Reconcile).is_some_and(|leaf| leaf.outcome == "begun")
}

fn is_foreign(fault: &Fault) -> bool {
    *fault.code() == NOT_OURS
}

fn foreign(file: &Path) -> Fault {
    NOT_OURS.fault(file.display().to_string()).help(format!(
        "keep it for the controller: mv {0} {0}.old; then look again: ecluse migrate, ecluse reconcile",
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(act: Act, paper: Option<&str>) -> Leaf {
        let text = String::new;
        let paper = paper.map(str::to_owned);
        Leaf {
            v: 1,
            salt: text(),
            time: text(),
            session: text(),
            act,
            object: text(),
            outcome: text(),
            paper,
        }
    }

    #[test]
    fn a_file_counts_until_a_start_takes_the_destination() {
        let taken = |acts: &[(Act, Option<&str>)]| {
            is_taken(&acts.iter().map(|(act, paper)| leaf(*act, *paper)).collect::<Vec<_>>())
        };
        let (open, took, refused) = ((Act::Open, None), (Act::Destination, None), (Act::Close, None));
        // a row was looked up, a dry run, starts that were refused early and late
        assert!(!taken(&[(Act::Locate, None), (Act::Plan, None), open, refused]));
        assert!(!taken(&[open, took, refused, open, took, took, refused]));
        // a start under way, one that ended, one that died before a refused one
        assert!(taken(&[open, took]));
        assert!(taken(&[open, took, (Act::Close, Some("sha256:00"))]));
        assert!(taken(&[open, took, open, refused]));
    }
}
