//! What a run remembers of its source, so that an undo needs none that answers: the instructed tables'
//! catalogue, which the signed digest binds, and whether they were read through views.

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_seal::{Identity, RunState, Seen};

use crate::ports::Record;
use crate::state;

/// What the run of this folder remembers; none where there is no run, or one that never reached its
/// destination.
///
/// # Errors
///
/// As [`crate::run::is_ours`].
pub fn recall(instruction: &str, identity: &Identity, record: &mut dyn Record) -> Result<Option<Seen>> {
    Ok(state::held(instruction, identity, record)?.and_then(|state| state.seen))
}

/// What is worth keeping of a catalogue that was compared with the signed one.
pub(crate) fn of(mut catalog: Catalog, plan: &Plan) -> Seen {
    for table in &mut catalog.tables {
        table.estimated_rows = None;
        table.columns.iter_mut().for_each(|column| column.comment.clear());
    }
    Seen { catalog, views: plan.tables().iter().any(|table| table.view().is_some()) }
}

/// Takes what this start saw into the state; whether that is new.
pub(crate) fn remember(state: &mut RunState, seen: Option<Seen>) -> bool {
    let new = seen.is_some() && state.seen != seen;
    if new {
        state.seen = seen;
    }
    new
}
