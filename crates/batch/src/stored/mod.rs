//! Rows at rest, inside a seal: one Apache Parquet file per chunk, that pandas and DuckDB read as it is.
//!
//! Written: one row group, zstd level 1, whole numbers, dates and times as differences
//! (`DELTA_BINARY_PACKED`), dictionaries where a column repeats itself, no statistics (they would quote the
//! smallest and the largest value), page format 2.
//!
//! Read: whoever sealed a file may have sealed a bomb. What it takes in memory is bounded by what was said
//! of it beforehand ([`Said`]) and by [`MOST`], whatever its own headers claim: nothing is unpacked but
//! here, page by page, from a known budget; an encoding that makes much out of little is refused.
//!
//! Format: Apache Parquet 2.x (<https://parquet.apache.org/docs/file-format/>), crate `parquet`.

mod decode;
mod encode;
mod pad;
mod pages;
#[cfg(test)]
mod tests;
mod thrift;

pub use decode::Stored;
pub use encode::{Encoded, Room, encode};
pub use pad::class;

use arrow_schema::{Field, Fields};
use ecluse_core::fault::{Code, Fault};
use ecluse_core::types::Type;

use crate::batch::arrow_type;

/// Bytes of unpacked pages at most: the largest value that PostgreSQL stores, and room for its row.
pub const MOST: u64 = (1 << 30) + (64 << 20);

/// Not the Parquet that this module writes for these columns.
pub static UNFIT: Code = Code::refused("ECL-BAT-020", "sealed rows are not the Parquet that was expected");
/// It would take more memory than was said of it, or than anything may.
pub static BOMB: Code =
    Code::refused("ECL-BAT-021", "sealed rows would take more memory than was said of them");
/// Rows could not be written as Parquet.
pub static UNWRITTEN: Code = Code::refused("ECL-BAT-022", "rows could not be packed to be sealed");

/// A column of the file, by name and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Its name, as a stranger reads it.
    pub name: &'a str,
    /// Its type on the way.
    pub ty: Type,
}

/// What is known of a file before it is read, from somebody who may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Rows.
    pub rows: u64,
    /// Bytes of its pages, unpacked ([`Encoded::unpacked`]).
    pub unpacked: u64,
}

/// The Arrow fields of these columns.
fn fields(columns: &[Column<'_>]) -> Fields {
    columns.iter().map(|c| Field::new(c.name, arrow_type(c.ty), true)).collect()
}

fn unfit(what: &str) -> Fault {
    UNFIT.fault(what)
}

fn bomb(what: &str) -> Fault {
    BOMB.fault(what).help("keep the archive as it is, and ask its sender")
}
