//! Whether there is a run: asked first by every command that speaks of one, before a paper is judged or a
//! database connected to. Whoever forgot to move is told so, and not what else is missing.

use std::path::Path;

use ecluse_adapters::folder::{self, RunFolder};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::conclude::closed;
use ecluse_flow::event::{Act, Verified};
use ecluse_flow::figures::Figures;
use jiff::Timestamp;

static NOT_BEGUN: Code = Code::refused("ECL-CLI-025", "there is no run in this folder yet");

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

fn none(run: &Path) -> Fault {
    NOT_BEGUN
        .fault(run.display().to_string())
        .help("one begins with: ecluse migrate; what is still missing before it: ecluse next")
}
