//! Cutting a table's rows, delivered in the order of their key, into chunks.
//!
//! A chunk is a key range; the ranges of consecutive chunks partition the key space, so
//! that every row, present or future, belongs to exactly one. Boundaries found by an
//! earlier start of the run are used again: only rows after the last of them open new chunks.

use ecluse_batch::Keys;
use ecluse_core::value::Key;

use crate::failpoint;

/// Rows of a chunk at most.
pub const ROWS: usize = 65_536;
/// Bytes of a chunk at which it ends (values as they lie in memory).
pub const BYTES: usize = 16 << 20;
/// Bytes that a chunk which cannot be cut may take: a table without a key, or a range that
/// has grown since it was cut. Beyond, the run refuses: memory stays bounded.
pub const LIMIT: usize = 96 << 20;

/// Cuts one table.
#[derive(Debug)]
pub struct Cutter {
    ends: Vec<Key>,
    chunk: usize,
    rows: usize,
    bytes: usize,
    largest: usize,
}

/// What to do with the next rows of a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many of them belong to the current chunk; may be 0.
    pub rows: usize,
    /// Whether the current chunk ends after them.
    pub ends: Option<End>,
}

/// How a chunk ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// At a boundary that was known.
    Known,
    /// At a new boundary: the last key of the chunk.
    New(Key),
}

impl Cutter {
    /// A cutter that keeps to these boundaries (ascending) and makes new ones after them.
    #[must_use]
    pub const fn new(ends: Vec<Key>) -> Self {
        Self { ends, chunk: 0, rows: 0, bytes: 0, largest: 0 }
    }

    /// The current chunk's number.
    #[must_use]
    pub const fn chunk(&self) -> usize {
        self.chunk
    }

    /// Bytes of the current chunk so far, its largest row apart: one value may be as large as
    /// its database lets it.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.saturating_sub(self.largest)
    }

    /// Cuts the batch whose keys these are, from row `from` on; `row_bytes` is what one of
    /// its rows takes on average. The caller asks again from `from + rows` until the batch is
    /// used up and no chunk ends.
    pub fn cut(&mut self, keys: &Keys<'_>, from: usize, total: usize, row_bytes: usize) -> Cut {
        let left = total.saturating_sub(from);
        if let Some(end) = self.ends.get(self.chunk) {
            let rows = keys.rows_upto(end).saturating_sub(from);
            self.take(rows, row_bytes);
            if rows < left {
                self.next();
                return Cut { rows, ends: Some(End::Known) };
            }
            return Cut { rows, ends: None };
        }
        let by_bytes = BYTES.saturating_sub(self.bytes) / row_bytes.max(1);
        let most = failpoint::chunk_rows(ROWS);
        let room = most.saturating_sub(self.rows).min(by_bytes).max(1);
        let rows = left.min(room);
        self.take(rows, row_bytes);
        let full = self.rows >= most || self.bytes.saturating_add(row_bytes) > BYTES;
        let last = from.checked_add(rows).and_then(|n| n.checked_sub(1)).and_then(|row| keys.get(row));
        match last {
            Some(end) if full && rows > 0 => {
                self.ends.push(end.clone());
                self.next();
                Cut { rows, ends: Some(End::New(end)) }
            }
            _ => Cut { rows, ends: None },
        }
    }

    /// Ends the current chunk at this key, if it is a new one and has rows.
    pub fn end_at(&mut self, key: &Key) -> bool {
        let new = self.chunk == self.ends.len() && self.rows > 0;
        if new {
            self.ends.push(key.clone());
            self.next();
        }
        new
    }

    /// Ends a known chunk once the source has no more rows, if there is one left: each is
    /// empty from here on, but must be compared with the ledger all the same.
    pub fn end(&mut self) -> bool {
        let more = self.chunk < self.ends.len();
        if more {
            self.next();
        }
        more
    }

    fn take(&mut self, rows: usize, row_bytes: usize) {
        self.rows = self.rows.saturating_add(rows);
        self.bytes = self.bytes.saturating_add(rows.saturating_mul(row_bytes));
        if rows > 0 {
            self.largest = self.largest.max(row_bytes);
        }
    }

    fn next(&mut self) {
        self.chunk += 1;
        self.rows = 0;
        self.bytes = 0;
        self.largest = 0;
    }
}
