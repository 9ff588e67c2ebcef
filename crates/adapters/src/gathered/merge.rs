//! Several runs of one table, each in its key's order, read as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ecluse_batch::{Batch, Keys, Place, pick, weight};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;
use ecluse_core::value::Key;

use super::sealed::Shape;
use super::twice;
use crate::staging::{Part, Store};

/// Rows of all runs in their key's order; of a table without a key, run by run as they came.
pub(super) struct Merge<'a> {
    table: &'a str,
    runs: &'a [Part],
    types: &'a [Type],
    key: &'a [usize],
    /// Bytes of a batch that is handed out, give or take a row.
    bytes: usize,
    heads: Vec<Head>,
    /// The next key of each run that is not through.
    next: BinaryHeap<Reverse<(Key, usize)>>,
    /// Blocks of which rows wait to be handed out, or come next.
    open: Vec<Batch>,
    places: Vec<Place>,
    weight: usize,
}

/// Where a run is read.
struct Head {
    /// The block that comes behind the open one.
    block: usize,
    /// The open block's place in `open` (none where the run is through, or not begun), and the row in
    /// it that comes next.
    slot: usize,
    row: usize,
}

impl<'a> Merge<'a> {
    pub(super) fn new(shape: &Shape<'a>, runs: &'a [Part], store: &Store) -> Result<Self> {
        let Shape { table, types, key, bytes } = *shape;
        let heads = runs.iter().map(|_| Head { block: 0, slot: usize::MAX, row: 0 }).collect();
        let (next, open, places) = (BinaryHeap::new(), Vec::new(), Vec::new());
        let mut merge = Self { table, runs, types, key, bytes, heads, next, open, places, weight: 0 };
        if !key.is_empty() {
            for run in 0..runs.len() {
                merge.advance(run, store)?;
            }
        }
        Ok(merge)
    }

    /// The rows that come next; `None` behind the last.
    ///
    /// # Errors
    ///
    /// The store's; `ECL-SRC-613` where a key stands in two runs.
    pub(super) fn next(&mut self, store: &Store) -> Result<Option<Batch>> {
        if self.key.is_empty() {
            return self.next_as_it_came(store);
        }
        while let Some(Reverse((_, run))) = self.next.pop() {
            if let Some(whole) = self.take(run, store)? {
                return Ok(Some(whole));
            }
            if self.weight >= self.bytes {
                return self.handed_out().map(Some);
            }
        }
        if self.places.is_empty() { Ok(None) } else { self.handed_out().map(Some) }
    }

    /// Takes the run's rows up to the next key of the others. A block of which all rows come next, and
    /// before which none wait, is given as it is.
    fn take(&mut self, run: usize, store: &Store) -> Result<Option<Batch>> {
        let Some(head) = self.heads.get(run) else { return Ok(None) };
        let (slot, from) = (head.slot, head.row);
        let Some(batch) = self.open.get(slot) else { return Ok(None) };
        let keys = Keys::new(batch, self.types, self.key)?;
        let end = match self.next.peek() {
            Some(Reverse((other, _))) => {
                let end = keys.rows_upto(other);
                if end.checked_sub(1).is_some_and(|last| keys.compare(last, other).is_eq()) {
                    return Err(twice(self.table));
                }
                end.max(from + 1)
            }
            None => batch.rows(),
        };
        if from == 0 && end == batch.rows() && self.places.is_empty() {
            let whole = batch.clone();
            self.advance(run, store)?;
            return Ok(Some(whole));
        }
        self.weight += (from..end).map(|row| weight(batch, row)).sum::<usize>();
        self.places.extend((from..end).map(|row| (slot, row)));
        if end == batch.rows() {
            self.advance(run, store)?;
        } else if let Some((key, head)) = keys.get(end).zip(self.heads.get_mut(run)) {
            head.row = end;
            self.next.push(Reverse((key, run)));
        }
        Ok(None)
    }

    /// Opens the run's next block, if there is one.
    fn advance(&mut self, run: usize, store: &Store) -> Result<()> {
        let Some((head, part)) = self.heads.get_mut(run).zip(self.runs.get(run)) else { return Ok(()) };
        let Some(batch) = store.read(part, head.block, self.types)? else {
            head.slot = usize::MAX;
            return Ok(());
        };
        let first = Keys::new(&batch, self.types, self.key)?.get(0);
        head.block += 1;
        head.row = 0;
        match self.open.get_mut(head.slot) {
            // no row of the block before is waited for
            Some(before) if self.places.is_empty() => *before = batch,
            _ => {
                head.slot = self.open.len();
                self.open.push(batch);
            }
        }
        self.next.extend(first.map(|key| Reverse((key, run))));
        Ok(())
    }

    /// The rows that wait, as one batch; the blocks that are through are let go.
    fn handed_out(&mut self) -> Result<Batch> {
        let batch = pick(&self.open, self.types, &self.places)?;
        self.places.clear();
        self.weight = 0;
        let before = std::mem::take(&mut self.open);
        for head in &mut self.heads {
            if let Some(batch) = before.get(head.slot) {
                head.slot = self.open.len();
                self.open.push(batch.clone());
            }
        }
        Ok(batch)
    }

    fn next_as_it_came(&mut self, store: &Store) -> Result<Option<Batch>> {
        for (head, part) in self.heads.iter_mut().zip(self.runs) {
            if let Some(batch) = store.read(part, head.block, self.types)? {
                head.block += 1;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}
