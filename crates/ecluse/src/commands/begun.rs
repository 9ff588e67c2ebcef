//! Whether there is a run: asked first by every command that speaks of one, before a paper is judged or a
//! database connected to. Whoever forgot to move is told so, and not what else is missing.

use std::path::Path;

use ecluse_adapters::folder::{self, RunFolder};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::figures::Figures;

static NOT_BEGUN: Code = Code::refused("ECL-CLI-025", "there is no run in this folder yet");

/// That a run has begun in this folder, however far it came.
///
/// # Errors
///
/// [`NOT_BEGUN`]; the folder's own.
pub(crate) fn begun(run: &Path) -> Result<()> {
    RunFolder::sealed_state(run)?.map_or_else(|| Err(none(run)), |_sealed| Ok(()))
}

/// What the run in this folder counted.
///
/// # Errors
///
/// [`NOT_BEGUN`]; the folder's own.
pub(crate) fn figures(run: &Path) -> Result<Figures> {
    folder::figures(run)?.ok_or_else(|| none(run))
}

fn none(run: &Path) -> Fault {
    NOT_BEGUN
        .fault(run.display().to_string())
        .help("one begins with: ecluse migrate; what is still missing before it: ecluse next")
}
