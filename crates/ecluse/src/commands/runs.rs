//! The register of runs: one instruction gives a number of runs, and no more.
//!
//! One run is one run folder, its resumes and catch-ups included. The register lies in the
//! migration folder; whoever deletes it meets the ledger at the destination, which refuses
//! another run over the same tables.

use std::path::Path;

use ecluse_core::fault::{Code, Result};
use serde::{Deserialize, Serialize};

use super::Here;
use crate::folder;
use crate::ready::Ready;

static SPENT: Code = Code::refused("ECL-RUN-031", "the instruction's runs are used up");
static MALFORMED: Code = Code::refused("ECL-RUN-032", "the register of runs cannot be read");

const FILE: &str = "runs.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    instruction: String,
    folder: String,
    opened: String,
    /// The latest version of the instruction's status that was met: an earlier one is refused.
    #[serde(default)]
    status: u64,
}

/// Whether this run folder is one of the instruction's runs, or may become one.
///
/// # Errors
///
/// [`SPENT`], [`MALFORMED`].
pub(super) fn may_open(here: &Here, run: &Path, ready: &Ready) -> Result<()> {
    let allowed = ready.chain.instruction.order().max_runs;
    let entries = entries(here)?;
    let of_this = entries.iter().filter(|e| e.instruction == ready.chain.instruction.digest());
    let known = of_this.clone().any(|e| e.folder == name(run));
    let used = u64::try_from(of_this.count()).unwrap_or(u64::MAX);
    if known || used < allowed {
        return Ok(());
    }
    Err(SPENT
        .fault(format!("{used} of {allowed}"))
        .help("go on with the run there is, or have a new version of the instruction signed"))
}

/// Writes the run down, once.
///
/// # Errors
///
/// [`MALFORMED`], or where it cannot be written.
pub(super) fn opened(here: &Here, run: &Path, ready: &Ready) -> Result<()> {
    let mut entries = entries(here)?;
    let instruction = ready.chain.instruction.digest().to_owned();
    let status = ready.status_seen();
    match entries.iter_mut().find(|e| e.instruction == instruction && e.folder == name(run)) {
        Some(entry) if entry.status >= status => return Ok(()),
        Some(entry) => entry.status = status,
        None => entries.push(Entry { instruction, folder: name(run), opened: here.now.to_string(), status }),
    }
    let text = serde_json::to_vec_pretty(&entries).unwrap_or_default();
    folder::replace(&here.folder.path(None, FILE), &text)
}

/// The latest version of this instruction's status that any of its runs met.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn status_seen(here: &Here, instruction: &str) -> Result<u64> {
    Ok(entries(here)?.iter().filter(|e| e.instruction == instruction).map(|e| e.status).max().unwrap_or(0))
}

fn entries(here: &Here) -> Result<Vec<Entry>> {
    let path = here.folder.path(None, FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&folder::read(&path, "")?)
        .map_err(|_| MALFORMED.fault(path.display().to_string()).help("restore it from a copy of the folder"))
}

/// A run folder by its resolved path: two spellings are one folder.
fn name(run: &Path) -> String {
    run.canonicalize()
        .unwrap_or_else(|_| std::path::absolute(run).unwrap_or_else(|_| run.to_owned()))
        .display()
        .to_string()
}
