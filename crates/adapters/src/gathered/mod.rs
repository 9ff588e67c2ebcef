//! Rows of a source that can only give everything at once: filtered as they pass, held in memory,
//! then served like any other source's.
//!
//! ```text
//! a row passes   planned columns only → typed → the filter's own part → held, or let go
//! at the end     memberships (`chosen.X`), parents first → the order of the key
//! afterwards     count, read by key range, as often as asked
//! ```
//!
//! What is held is bounded: past the bound the read stops by code, before anything was written.
//! Nothing of it touches a disk.

mod filter;
mod held;
pub(crate) mod url;

use ecluse_batch::{Batch, ChosenSets, Order};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Type;

pub(crate) use held::Gathered;
use held::Table;

use crate::columns::{Builder, Cell, Columns};

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
}

/// One planned table while its rows pass.
struct Passing {
    types: Vec<Type>,
    columns: Columns,
    batches: Vec<Batch>,
    available: u64,
}

impl Gathering {
    /// Nothing gathered yet; at most `bound` bytes will be held. `key`: 32 random bytes of this
    /// process, for the sets of chosen values.
    pub(crate) fn new(plan: &Plan, bound: usize, key: [u8; 32]) -> Self {
        let passing = |table: &TablePlan| {
            let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
            let columns = Columns::planned(table);
            Passing { types, columns, batches: Vec::new(), available: 0 }
        };
        let tables = plan.tables().iter().map(passing).collect();
        Self { plan: plan.clone(), key, tables, bound, held: 0 }
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
        self.held = self.held.saturating_add(kept.bytes());
        passing.batches.push(kept);
        if self.held <= self.bound {
            return Ok(());
        }
        Err(FULL.fault(format!("at table {}, {} MiB allowed", table.source(), self.bound >> 20)).help(
            "allow more: &memory=4G at the end of the source's URL, or order fewer rows; nothing was written",
        ))
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
        for (passing, table) in self.tables.into_iter().zip(self.plan.tables()) {
            let Passing { types, batches, available, .. } = passing;
            let mut kept = Vec::with_capacity(batches.len());
            for batch in batches {
                let batch = filter::granted(table.filter(), &batch, &types, &chosen)?;
                chosen.collect(table.number(), &batch, &types, None)?;
                if batch.rows() > 0 {
                    kept.push(batch);
                }
            }
            let order = Order::of(&kept, &types, table.key())?;
            if order == Order::Twice {
                return Err(TWICE
                    .fault(format!("table {}", table.source()))
                    .help("name a key whose values stand once each"));
            }
            tables.push(Table { types, key: table.key().to_vec(), batches: kept, order, available });
        }
        Ok(Gathered::new(tables))
    }
}
