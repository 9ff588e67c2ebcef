//! Typed columns in memory: Arrow, kept out of `core`.
//!
//! | type on the way ([`ecluse_core::types::Type`]) | Arrow array |
//! |---|---|
//! | `Bool` | `BooleanArray` |
//! | `Int` | `Int64Array` |
//! | `Decimal { precision, scale }` | `Decimal128Array` with that precision and scale |
//! | `Float` | `Float64Array` |
//! | `Text`, `Json` | `StringArray` (i32 offsets) |
//! | `Bytes` | `BinaryArray` (i32 offsets) |
//! | `Date` | `Date32Array` |
//! | `Timestamp` | `TimestampMicrosecondArray` without zone |
//! | `Instant` | `TimestampMicrosecondArray` with zone `+00:00` |
//! | `Time` | `Time64MicrosecondArray` |
//! | `Uuid` | `FixedSizeBinaryArray` of 16 |
//!
//! No Arrow error text leaves this crate: it may quote a value.

mod batch;

pub use batch::{Batch, Unreadable, arrow_type};
