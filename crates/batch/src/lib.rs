//! Typed columns in memory: Arrow, kept out of `core`.
//!
//! | type on the way ([`ecluse_core::types::Type`]) | Arrow array |
//! |---|---|
//! | `Bool` | `BooleanArray` |
//! | `Int` | `Int64Array` |
//! | `Decimal { precision, scale }` | `Decimal128Array` with that precision and scale |
//! | `Float`, `Single` | `Float64Array` |
//! | `Text`, `Json` | `StringArray` (i32 offsets) |
//! | `Bytes` | `BinaryArray` (i32 offsets) |
//! | `Date` | `Date32Array` |
//! | `Timestamp` | `TimestampMicrosecondArray` without zone |
//! | `Instant` | `TimestampMicrosecondArray` with zone `+00:00` |
//! | `Time` | `Time64MicrosecondArray` |
//! | `Uuid` | `FixedSizeBinaryArray` of 16 |
//!
//! No Arrow error text leaves this crate: it may quote a value.

mod aside;
mod batch;
mod build;
mod canonical;
mod cast;
mod check;
mod chosen;
mod column;
mod compare;
mod evaluate;
mod gather;
mod identifier;
mod keys;
mod local;
mod misread;
mod open;
mod pack;
pub mod pieces;
mod shown;
pub mod stored;
mod tally;
mod text;
mod texts;
mod token;
#[cfg(test)]
mod vectors;
mod write;

/// Batches for the tests of crates that may not know Arrow: the feature `assertions` is
/// named in dev-dependencies and nowhere else.
#[cfg(feature = "assertions")]
pub mod assertion {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use ecluse_core::fault::Result;
    use ecluse_core::types::Type;

    /// One column of whole numbers.
    ///
    /// # Errors
    ///
    /// None that these types allow; [`super::MALFORMED`] is what `Batch::new` has.
    pub fn ints(values: &[i64]) -> Result<super::Batch> {
        super::Batch::new(&[Type::Int], vec![Arc::new(Int64Array::from(values.to_vec()))], values.len())
    }
}

pub use aside::{here, there};
pub use batch::{Batch, MALFORMED, Unreadable, arrow_type};
pub use chosen::ChosenSets;
pub use compare::differing;
pub use evaluate::{MISTYPED, Mask, evaluate};
pub use gather::{Order, Place, pick, weight};
pub use keys::{Keys, NULL_KEY, OUT_OF_ORDER, cell};
pub use misread::{Misread, from_latin1};
pub use open::Open;
pub use pack::Packing;
pub use shown::{Shown, shown};
pub use tally::{RowHash, RowHasher, Scope, Tally, TallyKey};
pub use token::{Beginning, NOT_A_TOKEN, Token, TokenKey};
pub use write::{NO_CAST, Reason, Refused, Writer, Written};
