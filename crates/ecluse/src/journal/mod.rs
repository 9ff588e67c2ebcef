//! The journal of a migration: what the run folders note, taken into one log.
//!
//! A run folder's `events.jsonl` is durable before the act that a line announces. The log takes these
//! lines in when a command ends, the next command those of one that died. So the log is never behind
//! for longer than until the next command, and `ecluse journal verify` says what it does not hold yet.
//!
//! | in the migration folder | is |
//! |---|---|
//! | `journal/` | the log ([`ecluse_adapters::log`]) |
//! | `acts/` | events of acts that belong to no run: readings of the journal |
//! | `journal/writer`, `journal/migration` | where the journal is kept by a process of another account ([`Remote`]): its socket and its key; by what it knows this migration |
//! | `journal.key` | the key that signs it (0600), made at first use; its name is `ecluse/` and 128 random bits |

pub(crate) mod begun;
pub(crate) mod fhir;
pub(crate) mod gate;
pub(crate) mod key;
pub(crate) mod reading;
pub(crate) mod refusals;
pub(crate) mod seen;
pub(crate) mod sessions;
pub(crate) mod statuses;
pub(crate) mod watched;
pub(crate) mod witnesses;

use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{EVENTS, events};
use ecluse_adapters::log::{self, CHANGED, Readers, Remote, Run, Taken, Writer, gather};
use ecluse_core::fault::{Fault, Result};
use ecluse_journal::Signed;

use crate::commands::runs;
use crate::folder::{self, Folder};

pub(crate) use log::FOLDER;

/// Takes in what the run folders hold and the log does not; the new checkpoint, or `None` where nothing was new.
/// A log that is not there yet is entered into the ledger of copies before it is begun, and once more when it was.
///
/// # Errors
///
/// `ECL-LOG` for the journal; `ECL-RUN-020` for a run folder whose lines were changed; the ledger's.
pub(crate) fn keep(folder: &Folder) -> Result<Option<Signed>> {
    let runs = noted(folder)?;
    if runs.is_empty() {
        return Ok(None);
    }
    // without the lock first: most commands note nothing
    let Some(log) = log::Folder::find(&path(folder)) else {
        // another account's writer begins its own
        if Remote::find(&path(folder))?.is_some() {
            return round(folder);
        }
        return match begun::may_begin(folder, &runs)? {
            true => begun::begin(folder).map(Some),
            false => Ok(None),
        };
    };
    let signed = log.signed()?;
    if !is_new(folder, &runs, &signed)? {
        return Ok(None);
    }
    // another account's writer knows its own, and nobody here takes it away
    if Remote::find(&path(folder))?.is_none() {
        begun::known(folder, signed.checkpoint())?;
    }
    taken_in(folder)
}

/// As [`keep`], of a log that is there; for whoever has the ledger of copies in hand.
///
/// # Errors
///
/// As [`keep`]; `ECL-LOG-005` where there is none.
pub(crate) fn taken_in(folder: &Folder) -> Result<Option<Signed>> {
    let signed = log::Folder::open(&path(folder))?.signed()?;
    if is_new(folder, &noted(folder)?, &signed)? { round(folder) } else { Ok(None) }
}

fn is_new(folder: &Folder, runs: &[Run], signed: &Signed) -> Result<bool> {
    let taken = Taken::read(&path(folder), signed.checkpoint())?;
    match gather(runs, &taken) {
        // another account's writer is to hear of it: a round refuses it, and shows it there
        Err(_) if Remote::find(&path(folder))?.is_some() => Ok(true),
        gathered => Ok(!gathered?.0.is_empty()),
    }
}

/// One round of the log, its first one too.
fn round(folder: &Folder) -> Result<Option<Signed>> {
    sessions::keep(folder, None)?;
    let runs = noted(folder)?;
    if let Some(remote) = Remote::find(&path(folder))? {
        let changed = |fault: &Fault| fault.code().id == CHANGED;
        return match remote.keep(&runs) {
            // another process may have passed lines on since they were read here
            Err(fault) if changed(&fault) => {
                let now = noted(folder)?;
                remote.keep(&now).map(Some).inspect_err(|fault| {
                    if changed(fault) {
                        let _it_is_refused_here_whatever_is_noted_there = remote.tell(&now);
                    }
                })
            }
            kept => kept.map(Some),
        };
    }
    let writer = Writer::open(&path(folder), key::signer(folder)?, Readers::Owner)?;
    let (entries, taken) = gather(&runs, writer.taken())?;
    if entries.is_empty() {
        return Ok(None);
    }
    writer.write(&entries, taken).map(|(_, signed)| Some(signed))
}

/// The events of every folder of this migration that holds some: those beside the papers and those that the
/// register of runs knows elsewhere.
///
/// # Errors
///
/// `ECL-RUN-020` with the line.
pub(crate) fn noted(folder: &Folder) -> Result<Vec<Run>> {
    let mut paths = runs::folders(folder)?;
    paths.extend(crate::folder::list(folder.root())?);
    let mut found: Vec<PathBuf> = paths
        .into_iter()
        .filter(|path| path.join(EVENTS).is_file())
        .map(|path| path.canonicalize().unwrap_or(path))
        .collect();
    found.sort();
    found.dedup();
    let root = folder.root().canonicalize().unwrap_or_else(|_| folder.root().to_owned());
    let run = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap_or(path).display().to_string();
        events(path).map(|events| Run { name, events })
    };
    found.iter().map(run).collect()
}

/// Where a folder's journal lies.
pub(crate) fn path(folder: &Folder) -> PathBuf {
    folder.path(None, FOLDER)
}

/// A checkpoint's file name as it is said.
pub(crate) fn said(path: &Path) -> String {
    path.display().to_string()
}

/// Keeps other processes from what lies beside the log, until the value is dropped.
fn alone(folder: &Folder) -> Result<std::fs::File> {
    folder::hold(&folder.path(None, "journal.lock"))
}
