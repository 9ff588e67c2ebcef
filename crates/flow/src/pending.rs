//! Rows that are not finished: how many the source has now, and a cut-over that waits for them.

use ecluse_batch::{ChosenSets, evaluate};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Pending;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;

use crate::excluded::Staying;
use crate::figures::Figures;
use crate::orders::Orders;
use crate::ports::Source;
use crate::world::World;

static STANDING: Code =
    Code::refused("ECL-RUN-064", "rows are not finished, and the cut-over waits for them");

/// Ordered rows of one table that are not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The table's number.
    pub table: usize,
    /// How many; `None` where they stay and only what moves can be read.
    pub rows: Option<u64>,
}

/// Counts them in the open snapshot, in the plan's first tables `upto` which this start reads. Where they stay, the database is asked how many they are; else the
/// rows are read and each is held against the order's words, as a view gives no other answer. A person who
/// is excluded moves at no cut-over: none waits for their rows, and they are not told as moved.
///
/// # Errors
///
/// The source's.
pub fn count(
    orders: &Orders<'_>,
    upto: usize,
    source: &mut dyn Source,
    world: &World<'_>,
) -> Result<Vec<Unfinished>> {
    let (plan, dump) = (orders.plan, orders.source.is_dump());
    let Some(pending) = plan.pending() else { return Ok(Vec::new()) };
    let mut tables = pending.tables().iter().filter(|(number, _)| *number < upto).peekable();
    let read = pending.rule() != Pending::Stay && tables.peek().is_some();
    let excluded = if read { Staying::of(orders, world.random()?)? } else { None };
    excluded.as_ref().map_or(Ok(()), |excluded| excluded.learn(source, orders))?;
    let mut found = Vec::new();
    for (number, filter) in tables {
        let Some(table) = plan.tables().get(*number) else { continue };
        let rows = if pending.rule() == Pending::Stay {
            // what is gathered in memory, or read from a folder, has let them go already
            let asked = !dump && source.engine() != Engine::Csv;
            let staying = table.staying(filter).filter(|_| asked);
            staying.map(|table| source.count(&table).map(|count| count.asked)).transpose()?
        } else {
            let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
            let (mut rows, none) = (0_u64, ChosenSets::new([0; 32]));
            source.read(table, plan, &KeyRange::default(), &mut |batch| {
                let batch = match &excluded {
                    Some(excluded) => excluded.others(table, &batch)?,
                    None => batch,
                };
                let of_them = evaluate(filter, &batch, &types, &none)?;
                rows += u64::try_from(of_them.count()).unwrap_or(u64::MAX);
                Ok(())
            })?;
            Some(rows)
        };
        found.push(Unfinished { table: *number, rows });
    }
    Ok(found)
}

/// Writes them into the figures of their tables.
pub(crate) fn figure(found: &[Unfinished], plan: &Plan, figures: &mut Figures) {
    let rule = plan.pending().map_or("", |pending| pending.rule().name());
    for one in found {
        if let Some(table) = figures.tables.get_mut(one.table) {
            rule.clone_into(&mut table.pending);
            table.unfinished = one.rows;
        }
    }
}

/// Nothing is frozen or cut over while a row is unfinished, where the order says that it waits.
///
/// # Errors
///
/// [`STANDING`].
pub(crate) fn waits(found: &[Unfinished], plan: &Plan) -> Result<()> {
    if plan.pending().is_none_or(|pending| pending.rule() != Pending::Wait) {
        return Ok(());
    }
    let name = |table: usize| plan.tables().get(table).map_or("", TablePlan::source);
    let standing: Vec<String> = found
        .iter()
        .filter_map(|one| {
            one.rows.filter(|rows| *rows > 0).map(|rows| format!("{rows} of {}", name(one.table)))
        })
        .collect();
    if standing.is_empty() {
        return Ok(());
    }
    Err(STANDING.fault(standing.join(", ")).help(
        "finish them in the old system, then give the same command again; or the controller signs another rule",
    ))
}
