//! The rows of the drawn dossiers: at the source by the dossiers' own rule, at the destination those with
//! the same keys and whatever belongs to them there.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::{Batch, Keys, Mask, Writer, cell};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Dossiers, Edge, Plan, TablePlan, Way};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_seal::RunState;

use crate::dossier::Gathered;
use crate::ports::Destination;
use crate::{readback, state};

/// Rows of one end, by table of the plan.
pub(super) struct Found {
    pub(super) tables: Vec<Rows>,
}

/// One table's rows.
#[derive(Default)]
pub(super) struct Rows {
    /// As they were read.
    pub(super) batches: Vec<Batch>,
    /// As the mapping makes them; of the source only. One per batch.
    pub(super) written: Vec<Batch>,
    pub(super) rows: Vec<Row>,
}

/// One row.
#[derive(Clone)]
pub(super) struct Row {
    /// `None` in a table without a key.
    pub(super) key: Option<Key>,
    pub(super) batch: usize,
    pub(super) row: usize,
    /// Its place in the written batch; `None` where the mapping refuses it, and at the destination.
    pub(super) written: Option<usize>,
    /// Whether the run refused it.
    pub(super) refused: bool,
    /// Its values in the columns that relations lead from and to, by read column; of the destination only.
    pub(super) ends: BTreeMap<usize, Value>,
}

impl Found {
    pub(super) fn rows(&self, table: usize) -> &[Row] {
        self.tables.get(table).map(|rows| rows.rows.as_slice()).unwrap_or_default()
    }

    /// The keys that stand here, by table.
    pub(super) fn keys(&self) -> Vec<BTreeSet<Key>> {
        self.tables.iter().map(|t| t.rows.iter().filter_map(|row| row.key.clone()).collect()).collect()
    }
}

/// The read columns' types.
pub(super) fn types(table: &TablePlan) -> Vec<Type> {
    table.read().iter().map(|c| c.ty).collect()
}

/// Rows gathered at the source, each with what the mapping makes of it for a destination of this engine.
///
/// # Errors
///
/// The plan's columns are not its own.
pub(super) fn made(plan: &Plan, gathered: &Gathered<'_>, state: &RunState, engine: Engine) -> Result<Found> {
    let mut tables = Vec::with_capacity(plan.tables().len());
    for (table, batches) in plan.tables().iter().zip(&gathered.tables) {
        let sealed = state::table(state, table.number())?;
        let writer = Writer::new(table, engine)?;
        let mut rows = Rows { batches: batches.clone(), ..Rows::default() };
        for (number, batch) in batches.iter().enumerate() {
            let keys = Keys::new(batch, writer.read_types(), table.key())?;
            let made = writer.write(batch)?;
            let mut places = vec![None; batch.rows()];
            for place in 0..made.batch.rows() {
                if let Some(origin) = places.get_mut(made.origin(place)) {
                    *origin = Some(place);
                }
            }
            for (row, written) in places.into_iter().enumerate() {
                let key = keys.get(row);
                let refused = key.as_ref().is_some_and(|key| sealed.refused.binary_search(key).is_ok());
                let unread = batch.unreadable().iter().any(|cell| cell.row == row);
                let written = written.filter(|_| !unread);
                let ends = BTreeMap::new();
                rows.rows.push(Row { key, batch: number, row, written, refused, ends });
            }
            rows.written.push(made.batch);
        }
        tables.push(rows);
    }
    Ok(Found { tables })
}

/// The rows of a source's batch that a run looked at: in a trial only those that it kept. Without `refused`
/// none that it refused.
///
/// # Errors
///
/// The batch is not that table's.
pub(super) fn met(
    plan: &Plan,
    table: &TablePlan,
    state: &RunState,
    batch: Batch,
    refused: bool,
) -> Result<Batch> {
    let sealed = state::table(state, table.number())?;
    if plan.row_limit().is_none() && (refused || sealed.refused.is_empty()) {
        return Ok(batch);
    }
    let keys = Keys::new(&batch, &types(table), table.key())?;
    let met = Mask::from_fn(batch.rows(), |row| {
        let Some(key) = keys.get(row) else { return true };
        let kept = plan.row_limit().is_none() || sealed.kept.binary_search(&key).is_ok();
        let out = sealed.refused.binary_search(&key).is_ok();
        (kept || out) && (refused || !out)
    });
    if met.all() { Ok(batch) } else { batch.keep(&met) }
}

/// The rows at the destination that have these keys, and those that belong there to what was found.
///
/// # Errors
///
/// The destination's.
pub(super) fn there(
    plan: &Plan,
    shape: &Dossiers,
    keys: &[BTreeSet<Key>],
    destination: &mut dyn Destination,
) -> Result<Found> {
    let nothing = || plan.tables().iter().map(|_| Rows::default()).collect();
    let mut found = Found { tables: nothing() };
    let mut asked: Vec<Wanted> = plan.tables().iter().map(|_| Wanted::default()).collect();
    loop {
        let mut grown = false;
        for table in order(plan, shape) {
            let number = table.number();
            let wanted = Wanted::of(shape, number, keys, &found);
            let Some(last) = asked.get_mut(number).filter(|last| **last != wanted) else { continue };
            let rows = read(table, shape, &wanted, destination)?;
            *last = wanted;
            if let Some(place) = found.tables.get_mut(number) {
                *place = rows;
            }
            grown = true;
        }
        // what is wanted only grows, and rows are finite
        if !grown {
            return Ok(found);
        }
    }
}

/// What lies below a dossier with parents before children, what lies above it with children before parents:
/// mostly each table is read once.
fn order<'p>(plan: &'p Plan, shape: &Dossiers) -> Vec<&'p TablePlan> {
    let of = |way: Way| plan.tables().iter().filter(move |t| shape.way(t.number()) == way);
    of(Way::Dossier)
        .chain(of(Way::Descendant))
        .chain(of(Way::Ancestor).rev())
        .chain(of(Way::Beside))
        .collect()
}

/// What is wanted of a table.
#[derive(Default, PartialEq, Eq)]
struct Wanted {
    keys: BTreeSet<Key>,
    /// By read column: a row with any of these values.
    any: BTreeMap<usize, BTreeSet<Value>>,
    /// By read column: a row all of whose values that are there are among these.
    all: BTreeMap<usize, BTreeSet<Value>>,
}

impl Wanted {
    fn of(shape: &Dossiers, number: usize, keys: &[BTreeSet<Key>], found: &Found) -> Self {
        let mut wanted = Self { keys: keys.get(number).cloned().unwrap_or_default(), ..Self::default() };
        let values = |table: usize, column: usize| {
            found.rows(table).iter().filter_map(move |row| row.ends.get(&column).cloned())
        };
        for edge in shape.edges() {
            let Edge { child, column, parent, parent_column } = *edge;
            if parent == number && shape.is_up(edge) {
                wanted.any.entry(parent_column).or_default().extend(values(child, column));
            }
            if child == number && shape.is_down(edge) {
                wanted.any.entry(column).or_default().extend(values(parent, parent_column));
            }
            if child == number && shape.is_beside(edge) {
                wanted.all.entry(column).or_default().extend(values(parent, parent_column));
            }
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        let none = |of: &BTreeMap<usize, BTreeSet<Value>>| of.values().all(BTreeSet::is_empty);
        self.keys.is_empty() && none(&self.any) && none(&self.all)
    }

    fn has(&self, key: Option<&Key>, ends: &BTreeMap<usize, Value>) -> bool {
        let among = |(column, values): (&usize, &BTreeSet<Value>)| Some(values.contains(ends.get(column)?));
        // a row that names nobody is nobody's
        let named: Vec<bool> = self.all.iter().filter_map(among).collect();
        key.is_some_and(|key| self.keys.contains(key))
            || self.any.iter().filter_map(among).any(|is| is)
            || (!named.is_empty() && named.into_iter().all(|is| is))
    }
}

fn read(
    table: &TablePlan,
    shape: &Dossiers,
    wanted: &Wanted,
    destination: &mut dyn Destination,
) -> Result<Rows> {
    let mut rows = Rows::default();
    if wanted.is_empty() {
        return Ok(rows);
    }
    let types = readback::types(table);
    let places = ends(table, shape);
    destination.read(table, &KeyRange::default(), false, &mut |batch| {
        let keys = Keys::new(&batch, &types, table.write_key())?;
        let (mut chosen, mut kept) = (vec![false; batch.rows()], 0);
        for (row, chosen) in chosen.iter_mut().enumerate() {
            let mut ends = BTreeMap::new();
            for (read, place) in &places {
                match cell(&batch, &types, *place, row)? {
                    Value::Null => {}
                    value => drop(ends.insert(*read, value)),
                }
            }
            let key = keys.get(row);
            *chosen = wanted.has(key.as_ref(), &ends);
            if *chosen {
                let batch = rows.batches.len();
                rows.rows.push(Row { key, batch, row: kept, written: None, refused: false, ends });
                kept += 1;
            }
        }
        if kept > 0 {
            let mask = Mask::from_fn(batch.rows(), |row| chosen.get(row).copied().unwrap_or(false));
            rows.batches.push(batch.keep(&mask)?);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// The read columns that relations lead from and to, with the written ones that carry them.
fn ends(table: &TablePlan, shape: &Dossiers) -> BTreeMap<usize, usize> {
    let number = table.number();
    let of = shape.edges().iter().flat_map(|edge| {
        let child = (edge.child == number).then_some(edge.column);
        let parent = (edge.parent == number).then_some(edge.parent_column);
        child.into_iter().chain(parent)
    });
    of.filter_map(|read| Some((read, table.write().iter().position(|c| c.from.carries(read))?))).collect()
}
