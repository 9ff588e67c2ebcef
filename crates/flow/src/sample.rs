//! The rehearsal on a sample: some whole dossiers moved, nothing else, and how long the whole would take.
//!
//! A sample is a start of the run like any other: the same snapshot, the same chunks and ledger. Each chunk
//! is written with the rows of the drawn dossiers alone, and each is replaced when the whole run comes to
//! it. The draw hangs on the run's own key: whoever goes on with a sample that was killed draws the same.

use std::time::Duration;

use ecluse_batch::Mask;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan, Way};
use ecluse_core::value::{Key, KeyRange};
use ecluse_seal::{RunState, TableState};
use serde::{Deserialize, Serialize};

use crate::dossier::{self, KindDrawn, Selection};
use crate::excluded::Staying;
use crate::family;
use crate::figures::Figures;
use crate::orders::Orders;
use crate::ports::{Sink, Source};
use crate::world::World;
use crate::{reference, state};

static OVER_WHOLE: Code = Code::refused("ECL-RUN-063", "a sample would take away what the run has moved");

/// Dossiers that a sample draws at most.
pub const MOST: u64 = 1_000;

/// Dossiers of a sample at most, those included that the drawn ones lead to.
const MOST_TOGETHER: u64 = 10 * MOST;

/// What a run that moved a sample says of it. Counts and names of kinds only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    /// Dossiers asked for.
    pub asked: u64,
    /// Drawn: as many, or all there are, or more where the kinds alone need more.
    pub drawn: u64,
    /// Moved, with those that the drawn ones lead to.
    pub dossiers: u64,
    /// Dossiers in the source.
    pub there: u64,
    /// Each kind that the order names: how many dossiers there are of it, how many were drawn.
    pub kinds: Vec<KindDrawn>,
    /// Whether the sample came to its end. The run never has: see [`Figures::whole`].
    pub through: bool,
    /// The time that the whole would take; absent where this start wrote too little to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// How long the whole run would take: an estimate, from what the sample measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Milliseconds for every table. Constraints that are put back at the end come on top.
    pub millis: u64,
    /// Milliseconds in which the sample went through the tables: it reads every ordered row.
    pub read_millis: u64,
    /// Rows that it wrote.
    pub written: u64,
    /// Microseconds in which it wrote them.
    pub write_micros: u64,
}

/// Whether a sample may be moved in this folder: over reference data, or another sample.
///
/// # Errors
///
/// `ECL-RUN-060`; [`OVER_WHOLE`] where the whole run has begun there.
pub(crate) fn may(plan: &Plan, known: Option<&RunState>) -> Result<()> {
    dossier::of(plan)?;
    match known {
        Some(state) if reference::is_past(plan, state) => Err(OVER_WHOLE.fault("").help(
            "go on with the run: ecluse migrate; a sample is moved first, or into another destination",
        )),
        _ => Ok(()),
    }
}

/// Draws the dossiers and finds all that belongs to them, in the snapshot that is open.
///
/// # Errors
///
/// As [`dossier::follow`]; the source's.
pub(crate) fn choose<'p>(
    orders: &Orders<'p>,
    asked: u64,
    state: &RunState,
    source: &mut dyn Source,
    world: &World<'_>,
) -> Result<(Selection<'p>, Sampled)> {
    let plan = orders.plan;
    // a dossier of somebody who stays is neither drawn nor counted
    let staying = Staying::of(orders, world.random()?)?;
    if let Some(staying) = &staying {
        staying.learn(source, orders)?;
    }
    let read = &mut |table: &TablePlan, sink: Sink<'_>| {
        let (ties, types) = (family::ties(table), table.read().iter().map(|c| c.ty).collect::<Vec<_>>());
        source.read(table, plan, &KeyRange::default(), &mut |batch| {
            let Some(staying) = &staying else { return sink(batch) };
            let (out, _) = staying.rows(table, &ties, &batch, &types)?;
            sink(batch.only(&Mask::from_fn(batch.rows(), |row| !out.get(row)))?)
        })
    };
    let drawn = dossier::draw(plan, asked, &state::token_key(state), world.random()?, read)?;
    let number = u64::try_from(drawn.keys.len()).unwrap_or(u64::MAX);
    let selection = dossier::follow(plan, drawn.keys, world.random()?, MOST_TOGETHER, read)?;
    let sampled = Sampled {
        asked,
        drawn: number,
        dossiers: selection.dossiers(),
        there: drawn.there,
        kinds: drawn.kinds,
        ..Sampled::default()
    };
    Ok((selection, sampled))
}

/// The time of the whole, table by table: what the sample took to go through it, and the rows it left out at
/// the rate at which it wrote there, or everywhere where it wrote none there. Reading and writing go side by
/// side in a run and are added here: it is rather too long than too short.
pub(crate) fn estimate(figures: &Figures) -> Option<Estimate> {
    let sum = |of: &dyn Fn(&crate::figures::TableFigures) -> u64| figures.tables.iter().map(of).sum::<u64>();
    let (written, write_micros) = (sum(&|t| t.written), sum(&|t| t.write_micros));
    if written == 0 {
        return None;
    }
    let read_millis = sum(&|t| t.millis);
    let left = figures.tables.iter().map(|t| {
        let (rows, micros) =
            if t.written > 0 { (t.written, t.write_micros) } else { (written, write_micros) };
        u128::from(t.left_out) * u128::from(micros) / u128::from(rows.max(1))
    });
    let left = u64::try_from(left.sum::<u128>() / 1_000).unwrap_or(u64::MAX);
    Some(Estimate { millis: read_millis.saturating_add(left), read_millis, written, write_micros })
}

impl Estimate {
    /// The whole.
    #[must_use]
    pub const fn whole(&self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

/// The keys of the only rows of a table that moved, where a trial or a sample left others out.
pub(crate) fn kept<'s>(
    state: &RunState,
    plan: &Plan,
    table: &TablePlan,
    sealed: &'s TableState,
) -> Option<&'s [Key]> {
    (plan.row_limit().is_some() || leaves_out(state, plan, table)).then_some(sealed.kept.as_slice())
}

/// Whether a sample leaves rows of this table out: reference data moves whole, what the order marks as such
/// and what is tied to no dossier.
pub(crate) fn leaves_out(state: &RunState, plan: &Plan, table: &TablePlan) -> bool {
    state.sample.is_some()
        && !plan.is_reference(table)
        && plan.dossiers().is_some_and(|d| d.way(table.number()) != Way::Reference)
}

#[cfg(test)]
mod tests {
    use super::estimate;
    use crate::figures::{Figures, TableFigures};

    fn table(millis: u64, left_out: u64, written: u64, write_micros: u64) -> TableFigures {
        TableFigures { millis, left_out, written, write_micros, ..TableFigures::default() }
    }

    #[test]
    fn what_was_left_out_takes_as_long_as_what_was_written() {
        // 100 rows in 10 ms: the 9,900 left out take 990 ms; where nothing was written, at the rate of all
        let tables = vec![table(500, 9_900, 100, 10_000), table(20, 1_000, 0, 0)];
        let found = estimate(&Figures { tables, ..Figures::default() }).unwrap();
        assert_eq!((found.millis, found.read_millis, found.written), (500 + 990 + 20 + 100, 520, 100));
        let none = Figures { tables: vec![table(500, 9_900, 0, 0)], ..Figures::default() };
        assert_eq!(estimate(&none), None, "nothing was written, nothing is said");
    }
}
