//! Tallies: what a chunk of rows comes to, in 32 bytes that tell nothing without the key.
//!
//! `docs/formats.md`, "Tallies". One keyed BLAKE3 per row, summed modulo 2^256: the order
//! of rows does not matter, chunks add up to tables, and a row can be taken out again.
//! The sum stays in memory; only [`Tally::publish`] is ever written or compared.
//!
//! It finds accidents and outsiders. With the key known, an additive hash can be collided
//! with freely chosen rows (Wagner, *A Generalized Birthday Problem*, 2002): it does not
//! convict the person who holds the key.
//!
//! Source: Clarke et al., *Incremental Multiset Hash Functions*, ASIACRYPT 2003 (MSet-Add-Hash).

use std::fmt;

use arrow_array::Array as _;
use ecluse_core::fault::Result;
use ecluse_core::types::Type;
use zeroize::Zeroize;

use crate::batch::{Batch, MALFORMED};
use crate::canonical;
use crate::column::Column;

const ROW: &[u8] = b"ecluse/tally/1";
const PUBLISH: &[u8] = b"ecluse/publish/1";

/// The migration's tally key: 32 random bytes, wiped from memory when dropped.
///
/// Never at the destination, in the ledger or in the evidence; kept for a resume sealed
/// to the operator, destroyed at acceptance.
pub struct TallyKey([u8; 32]);

impl TallyKey {
    /// The key made of these random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealing the run's state only.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for TallyKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for TallyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TallyKey(…)")
    }
}

/// One row's keyed hash. Equal rows of one table have equal hashes: silent `Debug`,
/// never written anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowHash([u64; 4]);

#[cfg(test)]
impl RowHash {
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|limb| limb.to_le_bytes()).collect()
    }
}

impl fmt::Debug for RowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowHash(…)")
    }
}

/// What rows come to: the sum of their hashes modulo 2^256, and how many they are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Little-endian limbs.
    sum: [u64; 4],
    count: u64,
}

impl Tally {
    /// The tally of no row.
    #[must_use]
    pub const fn new() -> Self {
        Self { sum: [0; 4], count: 0 }
    }

    /// Rows.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Counts one row in.
    pub fn add(&mut self, row: &RowHash) {
        self.sum = sum(self.sum, row.0);
        self.count = self.count.wrapping_add(1);
    }

    /// Counts rows in.
    pub fn extend(&mut self, rows: &[RowHash]) {
        for row in rows {
            self.add(row);
        }
    }

    /// Takes one row out that was counted in before.
    pub fn subtract(&mut self, row: &RowHash) {
        self.sum = difference(self.sum, row.0);
        self.count = self.count.wrapping_sub(1);
    }

    /// Adds another tally of the same table: a table's tally is the sum of its chunks'.
    pub fn merge(&mut self, other: &Self) {
        self.sum = sum(self.sum, other.sum);
        self.count = self.count.wrapping_add(other.count);
    }

    /// The published tally: the only thing written or compared.
    ///
    /// `BLAKE3_keyed(K, "ecluse/publish/1" | scope | sum as 32 bytes | count as 8 bytes)`,
    /// little-endian. Two chunks with the same rows publish different bytes.
    #[must_use]
    pub fn publish(&self, key: &TallyKey, scope: Scope) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&key.0);
        hasher.update(PUBLISH).update(&scope.bytes());
        for limb in self.sum {
            hasher.update(&limb.to_le_bytes());
        }
        hasher.update(&self.count.to_le_bytes());
        *hasher.finalize().as_bytes()
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tally({} rows)", self.count)
    }
}

/// What a published tally speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One chunk of a table, both by their opaque numbers: `01`, table and chunk as 8 bytes each.
    Chunk {
        /// [`ecluse_core::plan::TablePlan::number`].
        table: usize,
        /// The chunk's number within the table.
        chunk: u64,
    },
    /// A whole table: `02`, table as 8 bytes.
    Table(usize),
}

impl Scope {
    fn bytes(self) -> Vec<u8> {
        let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX).to_le_bytes();
        match self {
            Self::Chunk { table, chunk } => [&[1][..], &wide(table)[..], &chunk.to_le_bytes()[..]].concat(),
            Self::Table(table) => [&[2][..], &wide(table)[..]].concat(),
        }
    }
}

/// Hashes rows of one table: one keyed BLAKE3 per row over its canonical bytes.
///
/// `e = BLAKE3_keyed(K, "ecluse/tally/1" | len table | table | enc(column 1) | enc(column 2) | …)`
pub struct RowHasher {
    key: [u8; 32],
    types: Vec<Type>,
    /// Context and table name, then room for one row; wiped on drop.
    buffer: Vec<u8>,
    prefix: usize,
}

impl RowHasher {
    /// For rows of the destination table `table` whose written columns have these types,
    /// in the plan's order, key columns included.
    #[must_use]
    pub fn new(key: &TallyKey, table: &str, types: &[Type]) -> Self {
        let mut buffer = Vec::with_capacity(1024);
        buffer.extend_from_slice(ROW);
        canonical::name(table, &mut buffer);
        let prefix = buffer.len();
        Self { key: key.0, types: types.to_vec(), buffer, prefix }
    }

    /// Appends one hash per row of the batch, in its order.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the batch has other columns than the hasher was made for.
    pub fn hash_rows(&mut self, batch: &Batch, out: &mut Vec<RowHash>) -> Result<()> {
        if batch.columns().len() != self.types.len() {
            return Err(MALFORMED.fault("a batch to tally has another number of columns"));
        }
        let columns = batch
            .columns()
            .iter()
            .zip(&self.types)
            // most columns hold no NULL, and no row of theirs is asked for one
            .map(|(array, ty)| Ok((Column::new(array, *ty)?, array.nulls().filter(|n| n.null_count() > 0))))
            .collect::<Result<Vec<_>>>()?;
        out.reserve(batch.rows());
        for row in 0..batch.rows() {
            self.buffer.truncate(self.prefix);
            for (column, nulls) in &columns {
                if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                    canonical::null(&mut self.buffer);
                } else {
                    canonical::present(column, row, &mut self.buffer);
                }
            }
            out.push(RowHash(limbs(blake3::keyed_hash(&self.key, &self.buffer).as_bytes())));
        }
        Ok(())
    }
}

impl fmt::Debug for RowHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowHasher({} columns)", self.types.len())
    }
}

impl Drop for RowHasher {
    fn drop(&mut self) {
        self.key.zeroize();
        self.buffer.zeroize();
    }
}

/// 32 bytes as four little-endian limbs.
fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*chunk);
    }
    limbs
}

fn sum(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut out = [0u64; 4];
    let mut carry = false;
    for ((o, x), y) in out.iter_mut().zip(a).zip(b) {
        let (s, c1) = x.overflowing_add(y);
        let (s, c2) = s.overflowing_add(u64::from(carry));
        *o = s;
        carry = c1 | c2;
    }
    out
}

fn difference(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut out = [0u64; 4];
    let mut borrow = false;
    for ((o, x), y) in out.iter_mut().zip(a).zip(b) {
        let (s, b1) = x.overflowing_sub(y);
        let (s, b2) = s.overflowing_sub(u64::from(borrow));
        *o = s;
        borrow = b1 | b2;
    }
    out
}
