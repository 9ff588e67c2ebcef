//! Canonical bytes are injective: two rows have one tally only where they are one row.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray};
use ecluse_batch::{Batch, RowHash, RowHasher, TallyKey};
use ecluse_core::types::Type;

/// Two rows, as [`row`] reads them.
///
/// # Panics
///
/// Where two rows that differ have one tally.
pub fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0xff);
    let (a, b) = (row(parts.next()), row(parts.next()));
    // the number of columns is the plan's: the same for every row of a table
    let width = a.len().max(b.len());
    let padded = |mut row: Vec<Option<Vec<u8>>>| {
        row.resize(width, None);
        row
    };
    let (a, b) = (padded(a), padded(b));
    assert_eq!(a == b, hash(&a) == hash(&b));
}

/// Values one behind the other: a length and as many bytes, or 254 for none.
fn row(bytes: Option<&[u8]>) -> Vec<Option<Vec<u8>>> {
    let mut rest = bytes.unwrap_or_default();
    let mut row = Vec::new();
    while let Some((length, behind)) = rest.split_first() {
        let (value, behind) = match length {
            0xfe => (None, behind),
            n => {
                let (value, behind) = behind.split_at(behind.len().min(usize::from(*n)));
                (Some(value.to_vec()), behind)
            }
        };
        row.push(value);
        rest = behind;
    }
    row
}

fn hash(row: &[Option<Vec<u8>>]) -> RowHash {
    let types = vec![Type::Bytes; row.len()];
    let columns = row.iter().map(|v| Arc::new(BinaryArray::from_iter([v.as_deref()])) as ArrayRef).collect();
    let batch = Batch::new(&types, columns, 1).expect("bytes");
    let mut out = Vec::new();
    RowHasher::new(&TallyKey::new([0; 32]), "t", &types).hash_rows(&batch, &mut out).expect("bytes");
    *out.first().expect("one row")
}
