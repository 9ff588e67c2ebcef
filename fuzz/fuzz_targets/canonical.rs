//! Canonical bytes are injective: two rows have one tally only where they are one row.
#![no_main]

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray};
use ecluse_batch::{Batch, RowHash, RowHasher, TallyKey};
use ecluse_core::types::Type;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|rows: (Vec<Option<Vec<u8>>>, Vec<Option<Vec<u8>>>)| {
    let (a, b) = rows;
    // the number of columns is the plan's: the same for every row of a table
    let width = a.len().max(b.len());
    let padded = |mut row: Vec<Option<Vec<u8>>>| {
        row.resize(width, None);
        row
    };
    let (a, b) = (padded(a), padded(b));
    assert_eq!(a == b, hash(&a) == hash(&b));
});

fn hash(row: &[Option<Vec<u8>>]) -> RowHash {
    let types = vec![Type::Bytes; row.len()];
    let columns = row.iter().map(|v| Arc::new(BinaryArray::from_iter([v.as_deref()])) as ArrayRef).collect();
    let batch = Batch::new(&types, columns, 1).expect("bytes");
    let mut out = Vec::new();
    RowHasher::new(&TallyKey::new([0; 32]), "t", &types).hash_rows(&batch, &mut out).expect("bytes");
    *out.first().expect("one row")
}
