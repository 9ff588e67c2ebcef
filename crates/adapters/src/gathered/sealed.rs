//! Rows beyond the memory that was allowed, where the instruction names a staging: sealed in runs, each in
//! its key's order; at the end merged into one part per table, from which they are served.

use ecluse_batch::{Batch, Keys, Order, Place, pick, weight};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange};
use ecluse_flow::ports::Sink;

use super::twice;
use crate::staging::{Part, Store};

/// Blocks that lie open at once while a table's runs are merged, before they take more memory than was
/// allowed: as many as runs.
const OPEN: usize = 256;
/// Bytes of a block, at least and at most.
const LEAST: usize = 64 << 10;
const MOST: usize = 2 << 20;

/// What a table's rows are.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    pub(super) table: &'a str,
    pub(super) types: &'a [Type],
    pub(super) key: &'a [usize],
    /// Bytes of a block, give or take a row.
    pub(super) bytes: usize,
}

/// Bytes of a block where so many may be held in all.
pub(super) fn block(bound: usize) -> usize {
    (bound / OPEN).clamp(LEAST, MOST)
}

impl Shape<'_> {
    fn last(&self, batch: &Batch) -> Result<Option<Key>> {
        if self.key.is_empty() { Ok(None) } else { Ok(Keys::new(batch, self.types, self.key)?.last()) }
    }

    /// Seals these rows as one run.
    ///
    /// # Errors
    ///
    /// The store's; `ECL-SRC-613`.
    pub(super) fn run(&self, batches: &[Batch], store: &mut Store) -> Result<Part> {
        let places = match Order::of(batches, self.types, self.key)? {
            Order::Sorted(places) => places,
            Order::AsTheyCame => all(batches),
            Order::Twice => return Err(twice(self.table)),
        };
        let mut part = store.part()?;
        let mut rest = places.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|(batch, row)| {
                let before = bytes;
                bytes += batches.get(*batch).map_or(0, |batch| weight(batch, *row));
                before < self.bytes
            });
            let (block, behind) = rest.split_at_checked(fits.count()).unwrap_or((rest, &[]));
            let batch = pick(batches, self.types, block)?;
            store.write(&mut part, &batch, self.last(&batch)?)?;
            rest = behind;
        }
        part.end();
        Ok(part)
    }

    /// The rows of a key range out of a part, in its order.
    ///
    /// # Errors
    ///
    /// The store's, the sink's.
    pub(super) fn read(&self, part: &Part, range: &KeyRange, store: &Store, sink: Sink<'_>) -> Result<()> {
        let first = range.after.as_ref().map_or(0, |key| part.behind(key));
        for block in first.. {
            if range.upto.as_ref().is_some_and(|key| part.reached(block, key)) {
                break;
            }
            let Some(batch) = store.read(part, block, self.types)? else { break };
            let (mut from, mut end) = (0, batch.rows());
            if !self.key.is_empty() {
                let keys = Keys::new(&batch, self.types, self.key)?;
                from = range.after.as_ref().map_or(0, |key| keys.rows_upto(key));
                end = range.upto.as_ref().map_or(end, |key| keys.rows_upto(key));
            }
            if from < end {
                sink(batch.slice(from, end - from))?;
            }
        }
        Ok(())
    }
}

/// A part that grows: small batches wait for each other.
pub(super) struct Growing<'a> {
    shape: Shape<'a>,
    part: Part,
    waiting: Vec<Batch>,
    bytes: usize,
}

impl<'a> Growing<'a> {
    pub(super) fn new(shape: Shape<'a>, store: &mut Store) -> Result<Self> {
        Ok(Self { shape, part: store.part()?, waiting: Vec::new(), bytes: 0 })
    }

    /// Adds rows that come behind all those before.
    pub(super) fn push(&mut self, batch: Batch, store: &mut Store) -> Result<()> {
        self.bytes += (0..batch.rows()).map(|row| weight(&batch, row)).sum::<usize>();
        self.waiting.push(batch);
        if self.bytes >= self.shape.bytes { self.write(store) } else { Ok(()) }
    }

    pub(super) fn end(mut self, store: &mut Store) -> Result<Part> {
        self.write(store)?;
        self.part.end();
        Ok(self.part)
    }

    fn write(&mut self, store: &mut Store) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let batch = match waiting.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            several => pick(several, self.shape.types, &all(several))?,
        };
        if batch.rows() == 0 {
            return Ok(());
        }
        store.write(&mut self.part, &batch, self.shape.last(&batch)?)
    }
}

/// Every row, as it lies.
fn all(batches: &[Batch]) -> Vec<Place> {
    batches.iter().enumerate().flat_map(|(i, batch)| (0..batch.rows()).map(move |row| (i, row))).collect()
}
