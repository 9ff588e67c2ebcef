//! Whole dossiers of a source: which rows belong to those that were drawn or named.
//!
//! What belongs together is the plan's to say ([`Dossiers`]); here it is followed through the rows. A
//! database is read table by table, forwards, as a run reads it; nothing is looked up row by row. A table
//! is read again as long as what belongs to the dossiers grew through another: down from the request to
//! its results, up from these to validators, and once more where a row leads back.

mod draw;
mod gather;

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::{Batch, ChosenSets, Keys, MALFORMED, Mask, evaluate};
use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Dossiers, Plan, TablePlan, Way};
use ecluse_core::types::Type;
use ecluse_core::value::Key;

pub use draw::{Drawn, KindDrawn, draw};
pub use gather::{Gathered, gather};

use crate::ports::Sink;

static NONE: Code = Code::refused("ECL-RUN-060", "the instruction does not say what a dossier is");
static TOGETHER: Code = Code::refused("ECL-RUN-061", "the dossiers lead to too many others");

/// Reads every row that the plan grants of one table, in batches; called once per table and pass.
pub type Read<'a> = &'a mut dyn FnMut(&TablePlan, Sink<'_>) -> Result<()>;

/// What the order says a dossier is.
///
/// # Errors
///
/// `ECL-RUN-060` where it says nothing.
pub fn of(plan: &Plan) -> Result<&Dossiers> {
    let help = "the controller names the table of its requests: [dossier] table = \"…\"; then a new version is signed";
    plan.dossiers().ok_or_else(|| NONE.fault("").help(help))
}

/// All rows that belong to some dossiers, as a rule that each row can be held against: it keeps the
/// values by which rows refer to each other (numbers in bitmaps, others as keyed hashes), no row.
#[derive(Debug)]
pub struct Selection<'p> {
    plan: &'p Plan,
    dossiers: &'p Dossiers,
    /// Asked for, by key.
    named: BTreeSet<Key>,
    kept: ChosenSets,
    /// Rows of the dossier's table when it was last read.
    whole: u64,
}

/// Follows the dossiers with these keys (of the dossier's table) through every table, until nothing more
/// belongs to them. `chance`: random bytes of this process, never stored.
///
/// # Errors
///
/// `ECL-RUN-060`; `ECL-RUN-061` where they lead to more than `most` dossiers in all; the reader's.
pub fn follow<'p>(
    plan: &'p Plan,
    named: impl IntoIterator<Item = Key>,
    chance: [u8; 32],
    most: u64,
    read: Read<'_>,
) -> Result<Selection<'p>> {
    let dossiers = of(plan)?;
    let mut kept = ChosenSets::new(chance);
    for edge in dossiers.edges() {
        want(&mut kept, plan, edge.parent, edge.parent_column)?;
        want(&mut kept, plan, edge.child, edge.column)?;
    }
    let named = named.into_iter().collect();
    let mut selection = Selection { plan, dossiers, named, kept, whole: 0 };
    let mut again = Again { dossiers, tables: BTreeSet::new() };
    again.add(dossiers.table());
    // what others refer to is known even where nothing leads to it
    let beside = dossiers.edges().iter().map(|e| e.parent).filter(|t| dossiers.way(*t) == Way::Beside);
    beside.for_each(|table| again.add(table));
    while let Some(table) = again.next() {
        let grown = selection.pass(table, most, read)?;
        again.after(&grown);
    }
    Ok(selection)
}

impl Selection<'_> {
    /// Which rows of a batch of this table belong to the dossiers; of reference data all do.
    ///
    /// # Errors
    ///
    /// The batch is not that table's.
    pub fn rows(&self, table: &TablePlan, batch: &Batch) -> Result<Mask> {
        let (number, rows) = (table.number(), batch.rows());
        let types = types(table);
        let mut any = Vec::new();
        let mut all = Vec::new();
        for edge in self.dossiers.edges() {
            if edge.parent == number && self.dossiers.is_up(edge) {
                any.push(self.members(edge.child, edge.column, batch, &types, edge.parent_column)?);
            }
            if edge.child != number {
                continue;
            }
            if self.dossiers.is_down(edge) {
                any.push(self.members(edge.parent, edge.parent_column, batch, &types, edge.column)?);
            }
            if self.dossiers.is_beside(edge) {
                let names = self.members(edge.parent, edge.parent_column, batch, &types, edge.column)?;
                let nobody = evaluate(&Filter::IsNull { column: edge.column }, batch, &types, &self.kept)?;
                all.push(Mask::from_fn(rows, |row| names.get(row) || nobody.get(row)));
            }
        }
        Ok(match self.dossiers.way(number) {
            Way::Reference => Mask::from_fn(rows, |_| true),
            Way::Beside => Mask::from_fn(rows, |row| all.iter().all(|mask| mask.get(row))),
            Way::Dossier => {
                let keys = Keys::new(batch, &types, table.key())?;
                let is_named = |row| keys.get(row).is_some_and(|key| self.named.contains(&key));
                Mask::from_fn(rows, |row| is_named(row) || any.iter().any(|mask| mask.get(row)))
            }
            Way::Descendant | Way::Ancestor => {
                Mask::from_fn(rows, |row| any.iter().any(|mask| mask.get(row)))
            }
        })
    }

    /// How many dossiers there are in all: those named that were found, and those they lead to.
    #[must_use]
    pub const fn dossiers(&self) -> u64 {
        self.whole
    }

    /// Reads one table; gives the columns whose values grew.
    fn pass(&mut self, number: usize, most: u64, read: Read<'_>) -> Result<BTreeSet<(usize, usize)>> {
        let plan = self.plan;
        let table = table(plan, number)?;
        let watched: BTreeSet<(usize, usize)> = self
            .dossiers
            .edges()
            .iter()
            .flat_map(|e| [(e.child, e.column), (e.parent, e.parent_column)])
            .filter(|(table, _)| *table == number)
            .collect();
        let count = |kept: &ChosenSets| -> BTreeMap<(usize, usize), u64> {
            watched.iter().map(|at| (*at, kept.count(at.0, at.1))).collect()
        };
        let before = count(&self.kept);
        let is_dossier = number == self.dossiers.table();
        let types = types(table);
        let mut found = 0_u64;
        read(table, &mut |batch| {
            let rows = self.rows(table, &batch)?;
            found += u64::try_from(rows.count()).unwrap_or(u64::MAX);
            if is_dossier && found > most {
                return Err(TOGETHER.fault(format!("more than {most}")).help(
                    "draw fewer; where every dossier leads to every other, a relation says more than belongs together",
                ));
            }
            self.kept.collect(number, &batch, &types, Some(&rows))
        })?;
        if is_dossier {
            self.whole = found;
        }
        let after = count(&self.kept);
        Ok(watched.into_iter().filter(|at| before.get(at) != after.get(at)).collect())
    }

    fn members(
        &self,
        table: usize,
        there: usize,
        batch: &Batch,
        types: &[Type],
        here: usize,
    ) -> Result<Mask> {
        members(&self.kept, (table, there), batch, types, here)
    }
}

/// The tables that have to be read (once more), the most telling first: the dossier's, what lies below
/// it with parents before children, what lies above it with children before parents, the rest.
struct Again<'p> {
    dossiers: &'p Dossiers,
    tables: BTreeSet<(Way, usize)>,
}

impl Again<'_> {
    /// Children of an ancestor have the higher number, mostly, and are read before it.
    fn add(&mut self, table: usize) {
        let way = self.dossiers.way(table);
        let place = if way == Way::Ancestor { usize::MAX - table } else { table };
        if way != Way::Reference {
            self.tables.insert((way, place));
        }
    }

    fn next(&mut self) -> Option<usize> {
        let (way, place) = self.tables.pop_first()?;
        Some(if way == Way::Ancestor { usize::MAX - place } else { place })
    }

    /// Whoever looks at a column that grew is read again.
    fn after(&mut self, grown: &BTreeSet<(usize, usize)>) {
        for edge in self.dossiers.edges() {
            if grown.contains(&(edge.child, edge.column)) && self.dossiers.is_up(edge) {
                self.add(edge.parent);
            }
            let looks = self.dossiers.is_down(edge) || self.dossiers.is_beside(edge);
            if grown.contains(&(edge.parent, edge.parent_column)) && looks {
                self.add(edge.child);
            }
        }
    }
}

fn want(sets: &mut ChosenSets, plan: &Plan, number: usize, column: usize) -> Result<()> {
    let ty = table(plan, number)?.read().get(column).map(|c| c.ty);
    sets.want(number, column, ty.ok_or_else(|| MALFORMED.fault(format!("no column {column}")))?);
    Ok(())
}

fn table(plan: &Plan, number: usize) -> Result<&TablePlan> {
    plan.tables().get(number).ok_or_else(|| MALFORMED.fault(format!("no table {number}")))
}

fn types(table: &TablePlan) -> Vec<Type> {
    table.read().iter().map(|c| c.ty).collect()
}

/// Which rows of a batch hold in column `here` a value of the set `there` (table, column).
fn members(
    sets: &ChosenSets,
    there: (usize, usize),
    batch: &Batch,
    types: &[Type],
    here: usize,
) -> Result<Mask> {
    match (batch.columns().get(here), types.get(here)) {
        (Some(array), Some(ty)) => sets.members(there.0, there.1, array, *ty),
        _ => Err(MALFORMED.fault(format!("no column {here}"))),
    }
}
