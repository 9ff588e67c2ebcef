//! A destination that holds other laboratories, as the path sees it: this laboratory's rows alone,
//! with the keys they have at the source.
//!
//! Chunks, tallies, the sealed state and the ledger speak of rows as they are on the way; here, at
//! the port's edge, keys and what refers to them are moved aside on the way out and back on the
//! way in. That an adapter never touches a row outside the room does not hang on this: it asks
//! [`TablePlan::room`] itself, in each statement.

use ecluse_batch::{Batch, here, there};
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::Result;
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};

use crate::ports::{Destination, LedgerEntry, MakeEntry, Referrer, RefusedRow, Removal, Scope, Sink};

/// A destination whose rows stand in the plan's room; any other passes through as it is.
pub struct Aside(Box<dyn Destination>);

impl Aside {
    /// The destination, seen from the source.
    #[must_use]
    pub fn of(destination: Box<dyn Destination>) -> Self {
        Self(destination)
    }
}

impl Destination for Aside {
    fn engine(&self) -> Engine {
        self.0.engine()
    }

    fn identity(&mut self) -> Result<String> {
        self.0.identity()
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        self.0.catalog(scope)
    }

    fn is_empty(&mut self, table: &TablePlan) -> Result<bool> {
        self.0.is_empty(table)
    }

    fn create(&mut self, table: &str, statement: &str) -> Result<()> {
        self.0.create(table, statement)
    }

    fn ddl(&self, table: &Table) -> String {
        self.0.ddl(table)
    }

    fn supposed(&self, table: &Table) -> Table {
        self.0.supposed(table)
    }

    fn open(&mut self, plan: &Plan, run: &str) -> Result<()> {
        self.0.open(plan, run)
    }

    fn ledger(&mut self, run: &str) -> Result<Vec<LedgerEntry>> {
        self.0.ledger(run)
    }

    fn replace(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        clear: bool,
        rows: &[Batch],
        entry: MakeEntry<'_>,
    ) -> Result<Vec<RefusedRow>> {
        if table.shifts().is_empty() {
            return self.0.replace(table, chunk, range, clear, rows, entry);
        }
        let rows = rows.iter().map(|batch| there(table, batch)).collect::<Result<Vec<_>>>()?;
        self.0.replace(table, chunk, &ranged(table, range), clear, &rows, entry)
    }

    fn read(&mut self, table: &TablePlan, range: &KeyRange, ordered: bool, sink: Sink<'_>) -> Result<()> {
        if table.shifts().is_empty() {
            return self.0.read(table, range, ordered, sink);
        }
        self.0.read(table, &ranged(table, range), ordered, &mut |batch| sink(here(table, &batch)?))
    }

    fn beside(&mut self, known: &KnownPlan, sink: Sink<'_>) -> Result<()> {
        // others' keys are as they stand there
        self.0.beside(known, sink)
    }

    fn orphans(&mut self, child: &TablePlan, relation: usize, parent: &TablePlan) -> Result<u64> {
        self.0.orphans(child, relation, parent)
    }

    fn finish(&mut self, plan: &Plan) -> Result<()> {
        self.0.finish(plan)
    }

    fn hold(&mut self, run: &str) -> Result<()> {
        self.0.hold(run)
    }

    fn remove(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        children: &[Referrer<'_>],
        sink: Sink<'_>,
        ours: &mut dyn FnMut() -> bool,
    ) -> Result<Removal> {
        if table.shifts().is_empty() {
            return self.0.remove(table, chunk, range, children, sink, ours);
        }
        let mut sink = |batch: Batch| sink(here(table, &batch)?);
        self.0.remove(table, chunk, &ranged(table, range), children, &mut sink, ours)
    }

    fn unseen(&mut self, table: &TablePlan) -> Result<Vec<String>> {
        self.0.unseen(table)
    }

    fn worked(
        &mut self,
        table: &TablePlan,
        range: &KeyRange,
        sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
    ) -> Result<()> {
        if table.shifts().is_empty() {
            return self.0.worked(table, range, sink);
        }
        let mut sink = |column: &str, batch: Batch| sink(column, here(table, &batch)?);
        self.0.worked(table, &ranged(table, range), &mut sink)
    }

    fn conclude(&mut self, run: &str) -> Result<()> {
        self.0.conclude(run)
    }

    fn forget(&mut self, plan: &Plan, made: &[String]) -> Result<Vec<String>> {
        self.0.forget(plan, made)
    }
}

fn ranged(table: &TablePlan, range: &KeyRange) -> KeyRange {
    let moved = |key: &Option<Key>| key.as_ref().map(|key| table.key_there(key));
    KeyRange { after: moved(&range.after), upto: moved(&range.upto) }
}
