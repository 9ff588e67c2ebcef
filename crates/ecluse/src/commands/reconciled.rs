//! Whether the last reconciliation still is the last word on the destination.

use std::path::Path;

use ecluse_adapters::folder::{Reconciliation, reconciliation};
use ecluse_core::fault::{Code, Result};
use ecluse_flow::figures::Figures;

use super::reconcile::Recorded;

static UNREADABLE: Code = Code::refused("ECL-REC-013", "the reconciliation cannot be read");

/// What is known of a destination.
#[derive(Clone, Debug)]
pub(crate) enum Reconciled {
    /// Nobody has read it back.
    Never,
    /// It was read back, but another run was compared, or the run has taken the destination
    /// since: whatever was found then says nothing now. When.
    Stale(String),
    /// It was read back, and écluse has not changed it since.
    Done(Box<Recorded>),
}

impl Reconciled {
    /// What was found, where it still counts.
    pub(crate) fn found(&self) -> Option<&Recorded> {
        match self {
            Self::Done(found) => Some(found),
            Self::Never | Self::Stale(_) => None,
        }
    }
}

/// Judges what the run folder holds: the journal says whether it is what a reconciliation wrote,
/// and whether the destination was taken since; the figures, whether it is this run's.
///
/// # Errors
///
/// `ECL-RUN-207` where the file is not what écluse wrote, [`UNREADABLE`].
pub(crate) fn of(run: &Path, figures: &Figures) -> Result<Reconciled> {
    let read = |bytes: &[u8]| -> Result<Recorded> {
        serde_json::from_slice(bytes)
            .map_err(|_| UNREADABLE.fault("another version wrote it").help("ecluse reconcile"))
    };
    Ok(match reconciliation(run)? {
        Reconciliation::Never => Reconciled::Never,
        Reconciliation::Stale(bytes) => Reconciled::Stale(read(&bytes)?.at),
        Reconciliation::Last(bytes) => {
            let found = read(&bytes)?;
            let same_run = found.run == figures.run && found.instruction == figures.instruction;
            if figures.is_through() && same_run {
                Reconciled::Done(Box::new(found))
            } else {
                Reconciled::Stale(found.at)
            }
        }
    })
}
