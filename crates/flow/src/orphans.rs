//! Rows of a dry run that would move without the parent they name.
//!
//! Counted along the order's relations, and along the foreign keys of the destination that no relation
//! answers ([`Demand`]), while every row passes anyway. The parents' values are held as a run holds them
//! for its filters; values whose parent may still come, as [`Open`] holds them. A run does none of this.

use ecluse_batch::{Batch, ChosenSets, MALFORMED, Open};
use ecluse_core::fault::{Exit, Result};
use ecluse_core::plan::demands::{Demand, Parent, compares_loosely};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;

use crate::ports::Destination;
use crate::readback;

/// A batch with the types of its columns.
type Typed<'a> = (&'a Batch, &'a [Type]);

/// What a dry run found, before and after the destination was looked into.
#[derive(Debug, Default)]
pub struct Orphans {
    found: Vec<(Way, Counted)>,
}

/// Rows of one column that name nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The table, by its source's name.
    pub table: String,
    /// The column that names the parent: the source's along a relation, else the destination's.
    pub column: String,
    /// The parent's table: the source's along a relation, else the destination's.
    pub parent: String,
    /// Why the destination will not take them; `None` where nothing there looks.
    pub refused_by: Option<String>,
    /// Whether the parent's rows are those that move with this order.
    pub moves: bool,
    /// Rows whose parent is nowhere.
    pub rows: u64,
    /// Rows of which that could not be told.
    pub unknown: u64,
}

/// Along what a parent is looked for; numbers are the plan's.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A table's relation.
    Relation(usize, usize),
    /// A foreign key of the destination.
    Demand(usize),
}

#[derive(Debug)]
struct Counted {
    /// Rows whose parent had passed before them, or never would.
    missing: u64,
    /// Rows whose parent may still come.
    open: Open,
}

impl Orphans {
    /// Looks for the parents that may stand at the destination, in tables which the order does not fill: of
    /// each, the one column that is referred to is read, nothing is kept and nothing is changed. Where the
    /// role may not, the rows are [`Orphan::unknown`].
    ///
    /// # Errors
    ///
    /// The destination's, where it cannot be reached.
    pub fn look_up(&mut self, plan: &Plan, destination: &mut dyn Destination) -> Result<()> {
        for (way, counted) in &mut self.found {
            let Way::Demand(at) = way else { continue };
            let Some(Demand { parent: Parent::There(there), .. }) = plan.demands().get(*at) else { continue };
            if counted.open.left() == 0 {
                continue;
            }
            let types = readback::types(there);
            let looked = destination
                .read(there, &KeyRange::default(), false, &mut |batch| strike(counted, (&batch, &types), 0));
            match looked {
                Err(fault) if fault.code().exit == Exit::Outside => return Err(fault),
                // a role needs no right to read what a foreign key reads for it
                Err(_) => counted.open.give_up(),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The columns with at least one such row, in the plan's order.
    #[must_use]
    pub fn list(&self, plan: &Plan, destination: Engine) -> Vec<Orphan> {
        let told = self.found.iter().filter_map(|(way, counted)| {
            let rows = counted.missing + counted.open.left();
            let orphan = match way {
                Way::Relation(table, relation) => of_relation(plan, *table, *relation, destination),
                Way::Demand(at) => of_demand(plan, *at),
            }?;
            Some(Orphan { rows, unknown: counted.open.beyond(), ..orphan })
        });
        told.filter(|orphan| orphan.rows > 0 || orphan.unknown > 0).collect()
    }
}

fn of_relation(plan: &Plan, table: usize, relation: usize, engine: Engine) -> Option<Orphan> {
    let child = plan.tables().get(table)?;
    let relation = child.relations().get(relation)?;
    let column = child.read().get(relation.column)?;
    let declared = relation.declared && !compares_loosely(engine, column.ty);
    Some(Orphan {
        table: child.source().to_owned(),
        column: column.name.clone(),
        parent: plan.tables().get(relation.parent)?.source().to_owned(),
        refused_by: declared.then(String::new),
        moves: true,
        rows: 0,
        unknown: 0,
    })
}

fn of_demand(plan: &Plan, at: usize) -> Option<Orphan> {
    let demand = plan.demands().get(at)?;
    let child = plan.tables().get(demand.table)?;
    Some(Orphan {
        table: child.destination().to_owned(),
        column: demand.named.clone(),
        parent: demand.references.clone(),
        refused_by: demand.enforced.then(|| demand.name.clone()),
        moves: matches!(demand.parent, Parent::Moved(..)),
        rows: 0,
        unknown: 0,
    })
}

/// One reading's count, while it is made.
pub(crate) struct Looking {
    /// What stands in the written columns that a foreign key refers to.
    written: ChosenSets,
    found: Vec<(Way, Counted)>,
}

impl Looking {
    /// Nobody yet; `key`: random bytes of this process.
    pub(crate) fn new(plan: &Plan, key: [u8; 32]) -> Self {
        let relations =
            plan.tables().iter().flat_map(|t| (0..t.relations().len()).map(|r| Way::Relation(t.number(), r)));
        let demands = (0..plan.demands().len()).map(Way::Demand);
        let none = |way| (way, Counted { missing: 0, open: Open::new(key) });
        let mut written = ChosenSets::new(key);
        for demand in plan.demands() {
            let Parent::Moved(table, column) = demand.parent else { continue };
            if let Some(write) = plan.tables().get(table).and_then(|t| t.write().get(column)) {
                written.want(table, column, write.ty);
            }
        }
        Self { written, found: relations.chain(demands).map(none).collect() }
    }

    /// Takes in rows that would be written, as they were read (where any relation is theirs) and as they
    /// would be written; `chosen` holds what was read of parents.
    pub(crate) fn look(
        &mut self,
        plan: &Plan,
        table: &TablePlan,
        read: Option<Typed<'_>>,
        written: Typed<'_>,
        chosen: &ChosenSets,
    ) -> Result<()> {
        let number = table.number();
        // a row may be its own parent, or its neighbour's
        self.written.collect(number, written.0, written.1, None)?;
        for (way, counted) in &mut self.found {
            match *way {
                Way::Relation(child, relation) => {
                    let link = plan.tables().get(child).and_then(|t| t.relations().get(relation));
                    let (Some(link), Some(read)) = (link, read) else { continue };
                    if link.parent == number {
                        strike(counted, read, link.parent_column)?;
                    }
                    if child == number {
                        let parent = (link.parent, link.parent_column);
                        counted.take(link.parent < number, read, link.column, parent, chosen)?;
                    }
                }
                Way::Demand(at) => {
                    let Some(demand) = plan.demands().get(at) else { continue };
                    let here = demand.table == number;
                    match demand.parent {
                        Parent::Moved(parent, column) => {
                            if parent == number {
                                strike(counted, written, column)?;
                            }
                            for child in demand.columns.iter().filter(|_| here) {
                                let passed = parent < number;
                                counted.take(passed, written, *child, (parent, column), &self.written)?;
                            }
                        }
                        Parent::There(_) if here => {
                            for child in &demand.columns {
                                counted.open.add(written.0, *child, ty(written, *child)?, None)?;
                            }
                        }
                        Parent::Untold if here => {
                            let columns = demand.columns.iter().map(|c| Ok((*c, ty(written, *c)?)));
                            counted.open.pass(written.0, &columns.collect::<Result<Vec<_>>>()?)?;
                        }
                        Parent::There(_) | Parent::Untold => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// What was found once every row has passed.
    pub(crate) fn ended(self) -> Orphans {
        Orphans { found: self.found }
    }
}

impl Counted {
    /// Rows of a child; `passed`: whether every parent has been met.
    fn take(
        &mut self,
        passed: bool,
        rows: Typed<'_>,
        column: usize,
        (parent, other): (usize, usize),
        sets: &ChosenSets,
    ) -> Result<()> {
        let of = ty(rows, column)?;
        let strangers = sets.strangers(parent, other, rows.0, column, of)?;
        if passed {
            self.missing += u64::try_from(strangers.count()).unwrap_or(u64::MAX);
            return Ok(());
        }
        self.open.add(rows.0, column, of, Some(&strangers))
    }
}

/// Parents that passed after their children.
fn strike(counted: &mut Counted, rows: Typed<'_>, column: usize) -> Result<()> {
    counted.open.strike(rows.0, column, ty(rows, column)?)
}

fn ty((_, types): Typed<'_>, column: usize) -> Result<Type> {
    types.get(column).copied().ok_or_else(|| MALFORMED.fault(format!("no column {column}")))
}
