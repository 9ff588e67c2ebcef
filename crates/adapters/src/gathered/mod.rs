//! Rows of a source that can only give everything at once: filtered as they pass, held in memory,
//! then served like any other source's.
//!
//! ```text
//! a row passes   planned columns only → typed → the filter's own part → held, or let go
//! at the end     memberships (`chosen.X`), parents first → the order of the key
//! afterwards     count, read by key range, as often as asked
//! ```
//!
//! What is held is bounded. Past the bound the read stops by code, before anything was written; or,
//! where the instruction names a staging, what is held is sealed there in runs, each in its key's order
//! ([`crate::staging`]), and merged at the end. Nothing else of it touches a disk.
//!
//! | file | holds |
//! |---|---|
//! | `filter.rs` | which rows are held |
//! | `held.rs` | what was gathered, served by key range |
//! | `sealed.rs`, `merge.rs` | what memory does not hold |

mod filter;
mod held;
mod merge;
mod sealed;
#[cfg(test)]
mod tests;
pub(crate) mod url;

use std::path::PathBuf;

use ecluse_batch::{Batch, ChosenSets, Order};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Type;

pub(crate) use held::Gathered;
use held::{Rows, Table};
use merge::Merge;
use sealed::{Growing, Shape};

use crate::columns::{Builder, Cell, Columns};
use crate::staging::{Part, Store};

static FULL: Code =
    Code::refused("ECL-SRC-609", "the ordered rows do not fit in the memory that was allowed");
static TWICE: Code = Code::refused("ECL-SRC-613", "a key stands twice in what the source gave");

/// Rows on their way into memory.
pub(crate) struct Gathering {
    plan: Plan,
    key: [u8; 32],
    tables: Vec<Passing>,
    bound: usize,
    held: usize,
    beyond: Beyond,
}

/// Where what memory does not hold may stand sealed.
struct Beyond {
    /// The staging folder, and the name that the journal knows.
    place: Option<(PathBuf, String)>,
    /// What was sealed so far.
    store: Option<Store>,
}

impl Beyond {
    /// The staging, begun where it was not.
    fn store(&mut self) -> Result<&mut Store> {
        match (self.store.take(), &self.place) {
            (Some(store), _) => Ok(self.store.insert(store)),
            (None, Some((folder, name))) => Ok(self.store.insert(Store::make(folder, name)?)),
            (None, None) => Err(FULL.fault("no staging is named")),
        }
    }
}

/// One planned table while its rows pass.
struct Passing {
    types: Vec<Type>,
    columns: Columns,
    batches: Vec<Batch>,
    /// Bytes that the batches take.
    bytes: usize,
    runs: Vec<Part>,
    available: u64,
}

impl Gathering {
    /// Nothing gathered yet; at most `bound` bytes will be held. `key`: 32 random bytes of this
    /// process, for the sets of chosen values. `staging`: where more may stand sealed.
    pub(crate) fn new(plan: &Plan, bound: usize, key: [u8; 32], staging: Option<(PathBuf, String)>) -> Self {
        let passing = |table: &TablePlan| {
            let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
            let columns = Columns::planned(table);
            Passing { types, columns, batches: Vec::new(), bytes: 0, runs: Vec::new(), available: 0 }
        };
        let tables = plan.tables().iter().map(passing).collect();
        let beyond = Beyond { place: staging, store: None };
        Self { plan: plan.clone(), key, tables, bound, held: 0, beyond }
    }

    /// The planned table of that name.
    pub(crate) fn table(&self, name: &str) -> Option<&TablePlan> {
        self.plan.tables().iter().find(|t| t.source() == name)
    }

    /// The planned tables' names.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.plan.tables().iter().map(TablePlan::source)
    }

    /// One row of a planned table passes; `decode` gives its planned columns' values.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-001` where the key cannot be read; [`FULL`].
    pub(crate) fn row(
        &mut self,
        number: usize,
        decode: &mut dyn FnMut(usize, &mut Builder) -> Cell,
    ) -> Result<()> {
        let Some((passing, table)) = self.tables.get_mut(number).zip(self.plan.tables().get(number)) else {
            return Ok(());
        };
        passing.available += 1;
        let name = |column: usize| {
            let name = table.read().get(column).map_or("", |c| c.name.as_str());
            format!("{}.{name}", table.source())
        };
        passing.columns.row(decode, &name)?;
        if passing.columns.full() { self.keep(number) } else { Ok(()) }
    }

    /// What has passed of a table is filtered, and the rest of it held.
    fn keep(&mut self, number: usize) -> Result<()> {
        let Some((passing, table)) = self.tables.get_mut(number).zip(self.plan.tables().get(number)) else {
            return Ok(());
        };
        if passing.columns.is_empty() {
            return Ok(());
        }
        let batch = passing.columns.finish()?;
        let nobody = ChosenSets::new(self.key);
        let own = filter::own(table.filter());
        let kept = filter::granted(&own, &batch, &passing.types, &nobody)?;
        if kept.rows() == 0 {
            return Ok(());
        }
        let bytes = kept.bytes();
        self.held = self.held.saturating_add(bytes);
        passing.bytes = passing.bytes.saturating_add(bytes);
        passing.batches.push(kept);
        if self.held <= self.bound {
            return Ok(());
        }
        if self.beyond.place.is_none() {
            return Err(FULL
                .fault(format!("at table {}, {} MiB allowed", table.source(), self.bound >> 20))
                .help("allow more: &memory=4G at the end of the source's URL, or order fewer rows, or have the instruction name a staging; nothing was written"));
        }
        let heaviest = (0..self.tables.len()).max_by_key(|n| self.tables.get(*n).map_or(0, |t| t.bytes));
        self.seal(heaviest.unwrap_or(number))
    }

    /// Seals what is held of a table as one more run.
    fn seal(&mut self, number: usize) -> Result<()> {
        let Some((passing, table)) = self.tables.get_mut(number).zip(self.plan.tables().get(number)) else {
            return Ok(());
        };
        let batches = std::mem::take(&mut passing.batches);
        self.held = self.held.saturating_sub(std::mem::take(&mut passing.bytes));
        let run = shape(table, &passing.types, self.bound).run(&batches, self.beyond.store()?)?;
        passing.runs.push(run);
        Ok(())
    }

    /// Everything has passed: memberships are looked up, parents first, and each table is brought
    /// into its key's order.
    ///
    /// # Errors
    ///
    /// As [`Self::row`]; [`TWICE`].
    pub(crate) fn finish(mut self) -> Result<Gathered> {
        for number in 0..self.tables.len() {
            self.keep(number)?;
        }
        let mut chosen = ChosenSets::for_plan(self.key, &self.plan)?;
        let mut tables = Vec::with_capacity(self.tables.len());
        for number in 0..self.tables.len() {
            // what was sealed in part is sealed whole: its runs are read as one
            if self.tables.get(number).is_some_and(|t| !t.runs.is_empty() && !t.batches.is_empty()) {
                self.seal(number)?;
            }
        }
        let Beyond { mut store, .. } = self.beyond;
        for (passing, table) in self.tables.into_iter().zip(self.plan.tables()) {
            let Passing { types, batches, runs, available, .. } = passing;
            let mut granted = |batch: &Batch| {
                let batch = filter::granted(table.filter(), batch, &types, &chosen)?;
                chosen.collect(table.number(), &batch, &types, None)?;
                Ok(batch)
            };
            let rows = match &mut store {
                Some(store) if !runs.is_empty() => {
                    let shape = shape(table, &types, self.bound);
                    Rows::Sealed(merged(shape, &runs, store, &mut granted)?)
                }
                _ => in_memory(table, &types, &batches, &mut granted)?,
            };
            tables.push(Table {
                name: table.source().to_owned(),
                types,
                key: table.key().to_vec(),
                rows,
                available,
            });
        }
        Ok(Gathered::new(tables, store))
    }
}

/// The rows of a table that memory holds, in the order of its key.
fn in_memory(
    table: &TablePlan,
    types: &[Type],
    batches: &[Batch],
    granted: &mut dyn FnMut(&Batch) -> Result<Batch>,
) -> Result<Rows> {
    let mut kept = Vec::with_capacity(batches.len());
    for batch in batches {
        let batch = granted(batch)?;
        if batch.rows() > 0 {
            kept.push(batch);
        }
    }
    match Order::of(&kept, types, table.key())? {
        Order::Twice => Err(twice(table.source())),
        order => Ok(Rows::Held { batches: kept, order }),
    }
}

/// The runs of a table as one part, which holds what is granted and nothing else; they are gone.
fn merged(
    shape: Shape<'_>,
    runs: &[Part],
    store: &mut Store,
    granted: &mut dyn FnMut(&Batch) -> Result<Batch>,
) -> Result<Part> {
    let mut merge = Merge::new(&shape, runs, store)?;
    let mut whole = Growing::new(shape, store)?;
    while let Some(batch) = merge.next(store)? {
        whole.push(granted(&batch)?, store)?;
    }
    let whole = whole.end(store)?;
    runs.iter().try_for_each(|run| store.remove(run))?;
    Ok(whole)
}

fn shape<'a>(table: &'a TablePlan, types: &'a [Type], bound: usize) -> Shape<'a> {
    Shape { table: table.source(), types, key: table.key(), bytes: sealed::block(bound) }
}

fn twice(table: &str) -> Fault {
    TWICE.fault(format!("table {table}")).help("name a key whose values stand once each")
}
