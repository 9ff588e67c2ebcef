//! Who belongs to whom: children of refused rows are refused with them, children of rows
//! that a trial leaves out are left out with them.

use ecluse_batch::{Batch, ChosenSets, Mask};
use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Plan, Relation, TablePlan};
use ecluse_core::types::Type;

/// A row whose parent was refused.
pub(crate) static PARENT_REFUSED: Code = Code::refused("ECL-RUN-101", "the row's parent was refused");

/// A column that ties a table's rows to another planned table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tie {
    /// Index into this table's read columns.
    pub(crate) column: usize,
    /// The other table's number.
    pub(crate) parent: usize,
    /// Index into the other table's read columns.
    pub(crate) parent_column: usize,
}

/// A table's ties: its relations, and the columns that its filter demands to stand in rows
/// chosen of another table.
pub(crate) fn ties(table: &TablePlan) -> Vec<Tie> {
    let mut ties: Vec<Tie> = table
        .relations()
        .iter()
        .map(|Relation { column, parent, parent_column, declared: _ }| Tie {
            column: *column,
            parent: *parent,
            parent_column: *parent_column,
        })
        .collect();
    demanded(table.filter(), &mut ties);
    ties.sort_unstable();
    ties.dedup();
    ties
}

/// Ties to rows that are read no earlier than the row itself: within one table, in a circle of
/// tables, or to a parent that is chosen by its children. A parent that is refused may then be
/// met when its children have passed.
pub(crate) fn backward(plan: &Plan) -> Vec<Tie> {
    let tables = plan.tables().iter();
    tables.flat_map(|t| ties(t).into_iter().filter(|tie| tie.parent >= t.number())).collect()
}

/// Memberships without which the filter cannot hold.
fn demanded(filter: &Filter, ties: &mut Vec<Tie>) {
    match filter {
        Filter::Chosen { column, table, other } => {
            ties.push(Tie { column: *column, parent: *table, parent_column: *other });
        }
        Filter::And(all) => all.iter().for_each(|f| demanded(f, ties)),
        _ => {}
    }
}

/// The tables whose rows a filter looks up.
pub(crate) fn looked_up(filter: &Filter, out: &mut Vec<usize>) {
    match filter {
        Filter::Chosen { table, .. } => out.push(*table),
        Filter::And(fs) | Filter::Or(fs) => fs.iter().for_each(|f| looked_up(f, out)),
        Filter::Not(f) => looked_up(f, out),
        _ => {}
    }
}

/// Values of some rows (the refused, or the kept), in the columns that children refer to.
#[derive(Debug)]
pub(crate) struct Kin {
    sets: ChosenSets,
    any: Vec<bool>,
}

impl Kin {
    /// Nobody yet; `key`: random bytes of this process.
    ///
    /// # Errors
    ///
    /// The plan's columns are not its own.
    pub(crate) fn new(key: [u8; 32], plan: &Plan) -> Result<Self> {
        Ok(Self { sets: ChosenSets::for_plan(key, plan)?, any: vec![false; plan.tables().len()] })
    }

    /// How many parents that these ties can name are in.
    pub(crate) fn named_by(&self, ties: &[Tie]) -> u64 {
        ties.iter().map(|tie| self.sets.count(tie.parent, tie.parent_column)).sum()
    }

    /// Whether any row of the table is in.
    pub(crate) fn any(&self, table: usize) -> bool {
        self.any.get(table).copied().unwrap_or(false)
    }

    /// Takes the rows of the mask in.
    ///
    /// # Errors
    ///
    /// The batch is not that table's.
    pub(crate) fn add(&mut self, table: usize, read: &Batch, types: &[Type], rows: &Mask) -> Result<()> {
        if rows.count() > 0 {
            self.sets.collect(table, read, types, Some(rows))?;
            if let Some(any) = self.any.get_mut(table) {
                *any = true;
            }
        }
        Ok(())
    }

    /// For each row of a child's batch: whether the parent it names is in. A row that names
    /// nobody (NULL) is not.
    ///
    /// # Errors
    ///
    /// The batch is not that table's.
    pub(crate) fn names(&self, tie: Tie, read: &Batch, types: &[Type]) -> Result<Mask> {
        let Tie { column, parent, parent_column } = tie;
        match (read.columns().get(column), types.get(column)) {
            (Some(array), Some(ty)) => self.sets.members(parent, parent_column, array, *ty),
            _ => Err(ecluse_batch::MALFORMED.fault(format!("no read column {column}"))),
        }
    }
}
