//! What was gathered, served by key range.

use ecluse_batch::{Batch, Keys, Order, Place, pick};
use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange};
use ecluse_flow::ports::{Count, Sink};

/// Rows of a batch at most, and bytes, give or take one row.
const ROWS: usize = 8_192;
const BYTES: usize = 2 << 20;

static NO_TABLE: Code = Code::refused("ECL-SRC-620", "a table was asked for that was not gathered");

/// The ordered rows of every planned table.
pub(crate) struct Gathered {
    tables: Vec<Table>,
}

/// One table's.
pub(super) struct Table {
    pub(super) types: Vec<Type>,
    pub(super) key: Vec<usize>,
    pub(super) batches: Vec<Batch>,
    pub(super) order: Order,
    /// Rows that passed, ordered or not.
    pub(super) available: u64,
}

impl Gathered {
    pub(super) const fn new(tables: Vec<Table>) -> Self {
        Self { tables }
    }

    fn table(&self, number: usize) -> Result<&Table> {
        self.tables.get(number).ok_or_else(|| NO_TABLE.fault(format!("number {number}")))
    }

    /// Rows that passed and rows that were chosen, of a table by its number in the plan.
    pub(crate) fn count(&self, number: usize) -> Result<Count> {
        let table = self.table(number)?;
        let asked = table.batches.iter().map(Batch::rows).sum::<usize>();
        Ok(Count { available: Some(table.available), asked: u64::try_from(asked).unwrap_or(u64::MAX) })
    }

    /// The rows of a key range, in the key's order.
    ///
    /// # Errors
    ///
    /// The sink's.
    pub(crate) fn read(&self, number: usize, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let table = self.table(number)?;
        match &table.order {
            Order::Sorted(places) => table.sorted(places, range, sink),
            Order::AsTheyCame | Order::Twice => table.as_they_came(range, sink),
        }
    }
}

impl Table {
    fn keys<'a>(&self, batch: &'a Batch) -> Result<Keys<'a>> {
        Keys::new(batch, &self.types, &self.key)
    }

    fn as_they_came(&self, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let size = self.batches.iter().map(Batch::rows).sum();
        let rows = self.rows_of_a_batch(size);
        for batch in &self.batches {
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

    fn sorted(&self, places: &[Place], range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        let keys = self.batches.iter().map(|b| self.keys(b)).collect::<Result<Vec<_>>>()?;
        let upto = |wanted: &Key| {
            places.partition_point(|p| keys.get(p.0).is_some_and(|k| k.compare(p.1, wanted).is_le()))
        };
        let from = range.after.as_ref().map_or(0, upto);
        let end = range.upto.as_ref().map_or(places.len(), upto);
        let wanted = places.get(from..end).unwrap_or_default();
        for piece in wanted.chunks(self.rows_of_a_batch(places.len())) {
            sink(pick(&self.batches, &self.types, piece)?)?;
        }
        Ok(())
    }

    fn rows_of_a_batch(&self, rows: usize) -> usize {
        let bytes: usize = self.batches.iter().map(Batch::bytes).sum();
        (BYTES / (bytes / rows.max(1)).max(1)).clamp(1, ROWS)
    }
}
