//! Whether there is a run: asked first by every command that speaks of one, before a paper is judged or a
//! database connected to. Whoever forgot to move is told so, and not what else is missing.

use std::path::Path;

use ecluse_adapters::folder::{self, RunFolder};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::conclude::closed;
use ecluse_flow::event::{Act, Verified};
use ecluse_flow::figures::Figures;
use jiff::Timestamp;

use crate::copies;
use crate::folder::Folder;

static NOT_BEGUN: Code = Code::refused("ECL-CLI-025", "there is no run in this folder yet");

static NO_RUN_FOLDER: Code = Code::usage("ECL-CLI-046", "this is no run folder of this migration");

/// That a run folder which is named is one, and one that this migration began: a command that goes through the whole
/// folder would otherwise act on where it stands, whatever was named.
///
/// # Errors
///
/// [`NO_RUN_FOLDER`]; the ledger of copies' own.
pub(crate) fn named(here: &Folder, dir: Option<&Path>) -> Result<()> {
    let Some(dir) = dir else { return Ok(()) };
    let refuse = || {
        NO_RUN_FOLDER
            .fault(dir.display().to_string())
            .help("name none, or one that ecluse copies lists; another migration's folder is named first: ecluse -C DIR …")
    };
    if !dir.join(folder::EVENTS).is_file() {
        return Err(refuse());
    }
    copies::begun_here(here, dir)
        .map_err(|fault| if fault.code().id == "ECL-CPY-009" { refuse() } else { fault })
}

/// That a run has begun in this folder, however far it came.
///
/// # Errors
///
/// [`NOT_BEGUN`], `ECL-CLO-002`; the folder's own.
pub(crate) fn begun(run: &Path) -> Result<()> {
    if RunFolder::sealed_state(run)?.is_some() {
        return Ok(());
    }
    let is_closed = |told: Verified| told.leaves.iter().any(|leaf| leaf.act == Act::Conclude);
    Err(if folder::events(run).is_ok_and(is_closed) { closed() } else { none(run) })
}

/// What the run in this folder counted.
///
/// # Errors
///
/// [`NOT_BEGUN`]; the folder's own.
pub(crate) fn figures(run: &Path) -> Result<Figures> {
    folder::figures(run)?.ok_or_else(|| none(run))
}

/// The moment at which a run began, as of which its papers are judged once it is through: its order may have ended.
pub(crate) fn then(figures: &Figures, now: Timestamp) -> Timestamp {
    figures.began.parse().unwrap_or(now)
}

/// That no archive was loaded here.
pub(crate) fn not_loaded(run: &Path) -> Fault {
    NOT_BEGUN
        .fault(run.display().to_string())
        .help("one begins with: ecluse load ARCHIVE --identity FILE --to URL; if it has a folder of its own, name that")
}

fn none(run: &Path) -> Fault {
    NOT_BEGUN
        .fault(run.display().to_string())
        .help("one begins with: ecluse migrate; what is still missing before it: ecluse next")
}
