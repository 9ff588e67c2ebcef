//! Texts that look as though their column lied about its encoding: counted where they move as they read.

use std::collections::BTreeMap;

use ecluse_batch::{Batch, Misread};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Expression, TablePlan};
use ecluse_core::types::Type;
use serde::{Deserialize, Serialize};

/// Values of a source column that moves as its text reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// Values with a character beyond ASCII.
    pub beyond_ascii: u64,
    /// Of these, values whose bytes in `latin1` are UTF-8 from end to end: they arrive as `HÃ©lÃ¨ne`.
    pub utf8: u64,
}

/// By source column.
pub(crate) type Encodings = BTreeMap<String, Encoding>;

/// The read columns that are counted: texts that move, and of which the mapping does not say what their bytes are.
pub(crate) fn columns(table: &TablePlan) -> Vec<usize> {
    let said = |at: usize| table.write().iter().any(|c| c.from == Expression::Utf8(at));
    let read = table.read().iter().enumerate();
    read.filter(|(at, c)| c.ty == Type::Text && c.moved && !said(*at)).map(|(at, _)| at).collect()
}

/// Counts a piece's rows that move; a column that is ASCII through and through is not mentioned.
pub(crate) fn count(table: &TablePlan, columns: &[usize], batch: &Batch) -> Result<Encodings> {
    let mut found = Encodings::new();
    for at in columns {
        let Misread { beyond_ascii, utf8 } = batch.misread(*at)?;
        if let Some(column) = table.read().get(*at).filter(|_| beyond_ascii > 0) {
            found.insert(column.name.clone(), Encoding { beyond_ascii, utf8 });
        }
    }
    Ok(found)
}

pub(crate) fn add(into: &mut Encodings, from: &Encodings) {
    for (column, counted) in from {
        let sum = into.entry(column.clone()).or_default();
        sum.beyond_ascii += counted.beyond_ascii;
        sum.utf8 += counted.utf8;
    }
}

/// Whether there is nothing to tell: every text reads as its column says.
pub(crate) fn honest(encodings: &Encodings) -> bool {
    encodings.values().all(|counted| counted.utf8 == 0)
}
