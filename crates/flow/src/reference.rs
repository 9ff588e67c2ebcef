//! The reference data of a run: what the order marks as such, moved before everything else, and whole.
//!
//! They stand at the destination after a start of them alone, and after a sample; whoever accepts them
//! looks at them there. Once the run goes on to the rest, what changes in them is a catch-up's.

use ecluse_batch::{Scope, Tally};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::reference::{OTHER, Table};
use ecluse_seal::{RunState, TableState};

use crate::figures::Figures;
use crate::orders::Orders;
use crate::ports::{Destination, Record};
use crate::run::ours;
use crate::start::Start;
use crate::{caught, checks, readback, state};

static NONE: Code = Code::refused("ECL-REF-006", "the order names no reference data");
static PAST: Code = Code::refused("ECL-REF-007", "the run is past its reference data");

/// What stands at the destination, read back: each reference table by its name there, with its rows and their
/// tally. `None` where the run has begun to move the rest: its acceptance was shown when it did. Nothing where
/// no run has begun.
///
/// # Errors
///
/// As [`crate::run::is_ours`]; the status's; the destination's.
pub fn standing(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
) -> Result<Option<Vec<Table>>> {
    let plan = orders.plan;
    let Some(state) = ours(orders, record)? else { return Ok(Some(Vec::new())) };
    if is_past(plan, &state) {
        return Ok(None);
    }
    if state.tables.iter().take(plan.reference()).any(|table| table.closed) {
        orders.standing()?;
        checks::destination(destination, plan, orders.destination)?;
    }
    read_back(plan, &state, destination).map(Some)
}

/// The reference tables as they stand there. One that the run has not read to its end may not be there yet,
/// and has no rows.
fn read_back(plan: &Plan, state: &RunState, destination: &mut dyn Destination) -> Result<Vec<Table>> {
    let key = state::tally_key(state);
    let one = |table: &TablePlan| {
        let tally = match state::table(state, table.number())?.closed {
            true => readback::whole(destination, table, &key)?,
            false => Tally::new(),
        };
        let published = tally.publish(&key, Scope::Table(table.number()));
        Ok(Table {
            name: table.destination().to_owned(),
            rows: tally.count(),
            tally: data_encoding::HEXLOWER.encode(&published),
        })
    };
    plan.tables().iter().take(plan.reference()).map(one).collect()
}

/// Keeps what there is to accept in the figures of a start that moved the reference data, and not the rest.
///
/// # Errors
///
/// The destination's.
pub(crate) fn figure(
    plan: &Plan,
    state: &RunState,
    destination: &mut dyn Destination,
    figures: &mut Figures,
) -> Result<()> {
    let stand = read_back(plan, state, destination)?;
    for (figures, table) in figures.tables.iter_mut().zip(stand) {
        figures.tally = table.tally;
    }
    Ok(())
}

/// Whether a start of all is the first to go beyond the reference data that were accepted. After a sample it
/// takes the sample's place, and goes on whatever ends it.
pub(crate) fn goes_beyond(plan: &Plan, state: &RunState, start: Start) -> bool {
    start.is_of_all() && plan.reference() > 0 && state.sample.is_none() && !is_past(plan, state)
}

/// Refuses to begin with the rest where this very start had to replace reference data: the source changed
/// after they were accepted.
///
/// # Errors
///
/// `ECL-REF-005`.
pub(crate) fn unchanged(plan: &Plan, figures: &Figures) -> Result<()> {
    let tables = figures.tables.iter().take(plan.reference());
    let changed: Vec<&str> =
        tables.filter(|table| table.replaced > 0).map(|table| table.destination.as_str()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(OTHER.fault(format!("the source changed them since: {}", changed.join(", "))).help(
        "they stand as the source has them now, and nothing else moved. Have these accepted: ecluse migrate --reference, mv reference.toml reference.old.toml, ecluse reference propose",
    ))
}

/// Reference data are named, and come first: once anything else may stand there, nothing is moved before
/// it, and the figures speak of all that stands.
pub(crate) fn may(plan: &Plan, known: Option<&RunState>) -> Result<()> {
    if plan.reference() == 0 {
        return Err(NONE.fault("").help("move everything: ecluse migrate; out of an archive: ecluse load"));
    }
    match known {
        Some(state) if is_past(plan, state) => Err(PAST
            .fault("")
            .help("go on, or catch up with the source: ecluse migrate; out of an archive: ecluse load")),
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
