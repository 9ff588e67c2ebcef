//! Texts that look as though their column lied about its encoding: counted where they move as they read.

use std::collections::BTreeMap;

use ecluse_batch::{Batch, Misread};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Expression, TablePlan};
use ecluse_core::types::Type;
use serde::{Deserialize, Serialize};

/// Values of a source column that moves as its text reads; or, once read as UTF-8, where the mapping says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// Values with a character beyond ASCII.
    pub beyond_ascii: u64,
    /// Of these, values whose bytes in `latin1` are UTF-8 from end to end: they arrive as `HÃ©lÃ¨ne`.
    pub utf8: u64,
    /// Whether the mapping says that the bytes are UTF-8: both counts are of the texts after that reading, and
    /// `utf8` are those that were encoded wrongly twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// By source column.
pub(crate) type Encodings = BTreeMap<String, Encoding>;

/// The read columns that are counted: texts that move; and whether the mapping says that their bytes are UTF-8.
pub(crate) fn columns(table: &TablePlan) -> Vec<(usize, bool)> {
    let said = |at: usize| table.write().iter().any(|c| c.from == Expression::Utf8(at));
    let read = table.read().iter().enumerate();
    read.filter(|(_, c)| c.ty == Type::Text && c.moved).map(|(at, _)| (at, said(at))).collect()
}

/// Counts a piece's rows that move; a column that is ASCII through and through is not mentioned.
pub(crate) fn count(table: &TablePlan, columns: &[(usize, bool)], batch: &Batch) -> Result<Encodings> {
    let mut found = Encodings::new();
    for (at, again) in columns {
        let counted = if *again { batch.misread_again(*at)? } else { batch.misread(*at)? };
        let Misread { beyond_ascii, utf8 } = counted;
        if let Some(column) = table.read().get(*at).filter(|_| beyond_ascii > 0) {
            found.insert(column.name.clone(), Encoding { beyond_ascii, utf8, again: *again });
        }
    }
    Ok(found)
}

pub(crate) fn add(into: &mut Encodings, from: &Encodings) {
    for (column, counted) in from {
        let sum = into.entry(column.clone()).or_default();
        sum.beyond_ascii += counted.beyond_ascii;
        sum.utf8 += counted.utf8;
        sum.again |= counted.again;
    }
}

/// Whether there is nothing to tell: every text reads as its column says.
pub(crate) fn honest(encodings: &Encodings) -> bool {
    encodings.values().all(|counted| counted.utf8 == 0)
}
