//! What was gathered, served by key range.

use ecluse_batch::{Batch, Keys, Order, Place, pick};
use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange};
use ecluse_flow::ports::{Count, Sink, Swept};

use super::sealed::Shape;
use crate::staging::{Part, Store};

/// Rows of a batch at most, and bytes, give or take one row.
const ROWS: usize = 8_192;
const BYTES: usize = 2 << 20;

static NO_TABLE: Code = Code::refused("ECL-SRC-620", "a table was asked for that was not gathered");

/// The ordered rows of every planned table.
pub(crate) struct Gathered {
    tables: Vec<Table>,
    /// Where those stand sealed that memory does not hold.
    store: Option<Store>,
}

/// One table's.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) types: Vec<Type>,
    pub(super) key: Vec<usize>,
    pub(super) rows: Rows,
    /// Rows that passed, ordered or not.
    pub(super) available: u64,
}

/// Where its rows are.
pub(super) enum Rows {
    /// In memory.
    Held { batches: Vec<Batch>, order: Order },
    /// Sealed, in the order of the key.
    Sealed(Part),
}

impl Gathered {
    pub(super) const fn new(tables: Vec<Table>, store: Option<Store>) -> Self {
        Self { tables, store }
    }

    fn table(&self, number: usize) -> Result<&Table> {
        self.tables.get(number).ok_or_else(|| NO_TABLE.fault(format!("number {number}")))
    }

    /// What was sealed into the staging, in words for the report; `None` where memory held everything.
    pub(crate) fn told(&self) -> Option<String> {
        let Swept { parts, bytes } = self.store.as_ref()?.written();
        Some(format!(
            "the rows did not fit in memory: {bytes} bytes of them were sealed in {parts} parts in the staging folder that the instruction names, with a key that this process alone had, and destroyed at its end"
        ))
    }

    /// Takes the staging away, durably.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) fn end(self) -> Result<()> {
        self.store.map_or(Ok(()), Store::destroy)
    }

    /// Rows that passed and rows that were chosen, of a table by its number in the plan.
    pub(crate) fn count(&self, number: usize) -> Result<Count> {
        let table = self.table(number)?;
        let asked = match &table.rows {
            Rows::Held { batches, .. } => batches.iter().map(Batch::rows).sum(),
            Rows::Sealed(part) => part.rows(),
        };
        Ok(Count { available: Some(table.available), asked: u64::try_from(asked).unwrap_or(u64::MAX) })
    }

    /// The rows of a key range, in the key's order.
    ///
    /// # Errors
    ///
    /// The sink's; the store's.
    pub(crate) fn read(&self, number: usize, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let table = self.table(number)?;
        match (&table.rows, &self.store) {
            (Rows::Held { batches, order: Order::Sorted(places) }, _) => {
                table.sorted(batches, places, range, sink)
            }
            (Rows::Held { batches, .. }, _) => table.as_they_came(batches, range, sink),
            (Rows::Sealed(part), Some(store)) => {
                let shape = Shape { table: &table.name, types: &table.types, key: &table.key, bytes: BYTES };
                shape.read(part, range, store, sink)
            }
            (Rows::Sealed(_), None) => Err(NO_TABLE.fault(format!("number {number}"))),
        }
    }
}

impl Table {
    fn keys<'a>(&self, batch: &'a Batch) -> Result<Keys<'a>> {
        Keys::new(batch, &self.types, &self.key)
    }

    fn as_they_came(&self, batches: &[Batch], range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let size = batches.iter().map(Batch::rows).sum();
        let rows = rows_of_a_batch(batches, size);
        for batch in batches {
            let (mut from, mut end) = (0, batch.rows());
            if !self.key.is_empty() {
                let keys = self.keys(batch)?;
                from = range.after.as_ref().map_or(0, |key| keys.rows_upto(key));
                end = range.upto.as_ref().map_or(end, |key| keys.rows_upto(key));
            }
            while from < end {
                let next = end.min(from + rows);
                sink(batch.slice(from, next - from))?;
                from = next;
            }
        }
        Ok(())
    }

    fn sorted(&self, batches: &[Batch], places: &[Place], range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let keys = batches.iter().map(|b| self.keys(b)).collect::<Result<Vec<_>>>()?;
        let upto = |wanted: &Key| {
            places.partition_point(|p| keys.get(p.0).is_some_and(|k| k.compare(p.1, wanted).is_le()))
        };
        let from = range.after.as_ref().map_or(0, upto);
        let end = range.upto.as_ref().map_or(places.len(), upto);
        let wanted = places.get(from..end).unwrap_or_default();
        for piece in wanted.chunks(rows_of_a_batch(batches, places.len())) {
            sink(pick(batches, &self.types, piece)?)?;
        }
        Ok(())
    }
}

fn rows_of_a_batch(batches: &[Batch], rows: usize) -> usize {
    let bytes: usize = batches.iter().map(Batch::bytes).sum();
    (BYTES / (bytes / rows.max(1)).max(1)).clamp(1, ROWS)
}
