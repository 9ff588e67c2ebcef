//! The reference data of a run: what the order marks as such, moved before everything else, and whole.
//!
//! They stand at the destination after a start of them alone, and after a sample; whoever accepts them
//! looks at them there. Once the run goes on to the rest, what changes in them is a catch-up's.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;
use ecluse_seal::{RunState, TableState};

use crate::caught;
use crate::orders::Orders;
use crate::ports::{Destination, Record};
use crate::run::ours;

static NONE: Code = Code::refused("ECL-REF-006", "the order names no reference data");
static PAST: Code = Code::refused("ECL-REF-007", "the run is past its reference data");

/// What stands at the destination, by the run's ledger there: each reference table by its name at the
/// destination, with the run's rows. `None` where the run has begun to move the rest: its acceptance was
/// shown when it did. Nothing where no run has begun.
///
/// # Errors
///
/// As [`crate::run::is_ours`]; the destination's.
pub fn standing(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
) -> Result<Option<Vec<(String, u64)>>> {
    let plan = orders.plan;
    let Some(state) = ours(orders, record)? else { return Ok(Some(Vec::new())) };
    if is_past(plan, &state) {
        return Ok(None);
    }
    let ledger = destination.ledger(&state.run)?;
    let rows = |number| ledger.iter().filter(|line| line.table == number).map(|line| line.rows).sum();
    let tables = plan.tables().iter().take(plan.reference());
    Ok(Some(tables.map(|table| (table.destination().to_owned(), rows(table.number()))).collect()))
}

/// Reference data are named, and come first: once anything else may stand there, nothing is moved before
/// it, and the figures speak of all that stands.
pub(crate) fn may(plan: &Plan, known: Option<&RunState>) -> Result<()> {
    if plan.reference() == 0 {
        return Err(NONE.fault("").help("move everything: ecluse migrate"));
    }
    match known {
        Some(state) if is_past(plan, state) => {
            Err(PAST.fault("").help("go on, or catch up with the source: ecluse migrate"))
        }
        Some(state) if others(plan, state) => {
            Err(PAST.fault("a sample stands there, and the reference data with it").help(
                "have them accepted as they stand: ecluse reference propose; or move the sample once more",
            ))
        }
        _ => Ok(()),
    }
}

/// Whether the run has begun to move more than its reference data: another table was begun, or it went over
/// its end. A sample is no beginning of it: its rows are replaced when the rest moves.
pub(crate) fn is_past(plan: &Plan, state: &RunState) -> bool {
    state.sample.is_none() && (state.whole || caught::under_way(state).is_some() || others(plan, state))
}

/// Whether a table was begun that holds no reference data.
fn others(plan: &Plan, state: &RunState) -> bool {
    let begun = |table: &TableState| table.closed || !table.ends.is_empty();
    state.tables.iter().skip(plan.reference()).any(begun)
}
