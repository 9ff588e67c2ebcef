//! The register of runs: one instruction gives a number of runs, and no more.
//!
//! One run is one run folder, its resumes and catch-ups included. The register lies in the
//! migration folder; whoever deletes it meets the ledger at the destination, which refuses
//! another run over the same tables. Beside the runs stands what was met of each instruction's
//! status, for good: a revocation is not undone by putting an older status in its place.

use std::path::Path;

use ecluse_adapters::folder::events;
use ecluse_core::count::number;
use ecluse_core::erasure::Side;
use ecluse_core::fault::{Code, Result};
use ecluse_core::status::Met;
use ecluse_flow::conclude::closed;
use ecluse_flow::event::Act;
use serde::{Deserialize, Serialize};

use super::Here;
use crate::folder::{self, Folder};
use crate::journal;
use crate::ready::Ready;

static GONE: Code = Code::refused("ECL-RUN-066", "the run's rows are erased at the source");
static SPENT: Code = Code::refused("ECL-RUN-031", "the instruction's runs are used up");
static MALFORMED: Code = Code::refused("ECL-RUN-032", "the register of runs cannot be read");

const FILE: &str = "runs.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    instruction: String,
    folder: String,
    opened: String,
    /// When it began to be undone: it counts for ever, and another run may take its folder's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    undone: String,
}

/// What was met of one instruction's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    instruction: String,
    version: u64,
    revoked: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    runs: Vec<Entry>,
    statuses: Vec<Status>,
}

/// Whether this run folder is one of the instruction's runs, or may become one; and, where the order demands
/// it, whether somebody else has seen its plan in the journal. Asked before the first row that moves.
///
/// # Errors
///
/// [`GONE`], [`SPENT`], [`MALFORMED`]; `ECL-LOG-043`, `ECL-LOG-044`.
pub(super) fn may_open(here: &Here, run: &Path, ready: &Ready) -> Result<()> {
    not_erased(run)?;
    journal::gate::passed(&here.folder, &ready.chain.instruction, here.now)?;
    room(here, &read(&here.folder)?, run, ready).map(|_known| ())
}

/// That the run's rows were not erased at the source, and that nobody announced it: a start over the run would
/// find none of them, take that for deletions since, and delete them at the destination. A file that the run's
/// events do not know is refused as such.
fn not_erased(run: &Path) -> Result<()> {
    let erasing = ecluse_adapters::folder::erasing(run)?;
    if erasing.is_none_or(|erasing| erasing.done.iter().all(|one| one.side == Side::Copy)) {
        return Ok(());
    }
    Err(GONE.fault(run.display().to_string()).help("ecluse next says what is left to do"))
}

/// Whether the register holds this run already; if not, there is room for it.
fn room(here: &Here, register: &Register, run: &Path, ready: &Ready) -> Result<bool> {
    let allowed = ready.chain.instruction.order().max_runs;
    let of_this = register.runs.iter().filter(|e| e.instruction == ready.chain.instruction.digest());
    let known = of_this.clone().any(|e| e.is(&here.folder, run) && e.undone.is_empty());
    let used = number(of_this.clone().count());
    if known || used < allowed {
        return Ok(known);
    }
    let there: Vec<_> = of_this.filter(|e| e.undone.is_empty()).map(|e| e.folder.as_str()).collect();
    let anew = "have a new version of the instruction signed";
    Err(SPENT.fault(format!("{used} of {allowed}")).help(match there.as_slice() {
        [] => anew.to_owned(),
        there => format!("go on with the run there is: --run {}; or {anew}", there.join(" or ")),
    }))
}

/// Writes the run down, once; whether there is room for it is asked again, as another process
/// may have opened one since.
///
/// # Errors
///
/// [`SPENT`], [`MALFORMED`], or where it cannot be written.
pub(super) fn opened(here: &Here, run: &Path, ready: &Ready) -> Result<()> {
    change(&here.folder, |register| {
        if room(here, register, run, ready)? {
            return Ok(false);
        }
        let instruction = ready.chain.instruction.digest().to_owned();
        register.runs.push(Entry {
            instruction,
            folder: name(&here.folder, run),
            opened: here.now.to_string(),
            undone: String::new(),
        });
        Ok(true)
    })
}

/// Writes down that the run of this folder is being undone, once; it stays used up.
///
/// # Errors
///
/// [`MALFORMED`], or where it cannot be written.
pub(super) fn undone(here: &Here, run: &Path, ready: &Ready) -> Result<()> {
    change(&here.folder, |register| {
        let of_this = |e: &&mut Entry| {
            e.instruction == ready.chain.instruction.digest()
                && e.is(&here.folder, run)
                && e.undone.is_empty()
        };
        let Some(entry) = register.runs.iter_mut().find(of_this) else { return Ok(false) };
        entry.undone = here.now.to_string();
        Ok(true)
    })
}

/// Runs of this instruction so far, those that were undone among them.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn used(folder: &Folder, instruction: &str) -> Result<u64> {
    Ok(number(read(folder)?.runs.iter().filter(|run| run.instruction == instruction).count()))
}

/// The run folders that the register knows.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn folders(folder: &Folder) -> Result<Vec<std::path::PathBuf>> {
    Ok(read(folder)?.runs.iter().map(|run| folder.root().join(&run.folder)).collect())
}

/// That neither this run folder nor a run of this instruction was closed, or is being closed: what is made for a
/// migration after its end is closed by nothing.
///
/// # Errors
///
/// `ECL-CLO-002`; [`MALFORMED`]; a run folder's own.
pub(super) fn not_closed(folder: &Folder, instruction: &str, run: &Path) -> Result<()> {
    let register = read(folder)?;
    let of_this = register.runs.iter().filter(|entry| entry.instruction == instruction);
    let all = of_this.map(|entry| folder.root().join(&entry.folder)).chain([run.to_owned()]);
    for run in all.filter(|run| run.is_dir()) {
        if events(&run)?.leaves.iter().any(|leaf| leaf.act == Act::Conclude) {
            return Err(closed());
        }
    }
    Ok(())
}

/// What was met of this instruction's status so far.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn met(folder: &Folder, instruction: &str) -> Result<Met> {
    let register = read(folder)?;
    let known = register.statuses.iter().find(|s| s.instruction == instruction);
    Ok(known.map_or_else(Met::default, |s| Met { version: s.version, revoked: s.revoked }))
}

/// Keeps what was met of this instruction's status.
///
/// # Errors
///
/// [`MALFORMED`], or where it cannot be written.
pub(crate) fn meet(folder: &Folder, instruction: &str, met: Met) -> Result<()> {
    let Met { version, revoked } = met;
    change(folder, |register| {
        match register.statuses.iter_mut().find(|s| s.instruction == instruction) {
            // another process may have met more since: it never goes back
            Some(s) => (s.version, s.revoked) = (s.version.max(version), s.revoked || revoked),
            None => register.statuses.push(Status { instruction: instruction.to_owned(), version, revoked }),
        }
        Ok(true)
    })
}

/// Changes the register while no other process does: two runs at once lose no line of each
/// other's, and tear none.
fn change(folder: &Folder, change: impl FnOnce(&mut Register) -> Result<bool>) -> Result<()> {
    let path = folder.path(None, FILE);
    let _held = folder::hold(&path.with_extension("lock"))?;
    let mut register = read(folder)?;
    if change(&mut register)? {
        folder::replace(&path, &serde_json::to_vec_pretty(&register).unwrap_or_default())?;
    }
    Ok(())
}

fn read(folder: &Folder) -> Result<Register> {
    let path = folder.path(None, FILE);
    if !path.exists() {
        return Ok(Register::default());
    }
    serde_json::from_slice(&folder::read(&path, "")?)
        .map_err(|_| MALFORMED.fault(path.display().to_string()).help("restore it from a copy of the folder"))
}

impl Entry {
    /// Whether this is that run folder.
    fn is(&self, folder: &Folder, run: &Path) -> bool {
        self.folder == name(folder, run)
    }
}

/// A run folder by its resolved path, so that two spellings are one folder; from the migration
/// folder on where it lies inside, so that the whole may be moved.
pub(crate) fn name(folder: &Folder, run: &Path) -> String {
    let run = resolved(run);
    run.strip_prefix(resolved(folder.root())).unwrap_or(&run).display().to_string()
}

/// A path through no link, as far as it stands.
pub(crate) fn resolved(path: &Path) -> std::path::PathBuf {
    // what is about to be made has its parent's one path already
    let made_here = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().ok().or_else(made_here).unwrap_or_else(absolute)
}
