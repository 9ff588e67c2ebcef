//! Rows on their way into a batch: one builder per column, closed when it weighs enough.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder, Float64Builder,
    Int64Builder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use ecluse_batch::{Batch, Unreadable, arrow_type};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Type;

/// A key whose value cannot be read: without it the row can be neither ordered nor found again.
pub(crate) static KEY_UNREADABLE: Code =
    Code::refused("ECL-SRC-001", "a row's key holds a value that is NULL or not of its column's type");
/// A value of another kind than its column's type.
pub(crate) static WRONG_KIND: Code =
    Code::refused("ECL-SRC-002", "a value is not of its column's declared type");
/// Text that is not UTF-8.
pub(crate) static NOT_UTF8: Code =
    Code::refused("ECL-SRC-003", "a text is not valid in its declared encoding");
/// A date or time that does not exist, or is not written as one.
pub(crate) static NO_SUCH_TIME: Code =
    Code::refused("ECL-SRC-004", "a value is not a date or time that exists");
/// A number that its column's type cannot hold exactly.
pub(crate) static NOT_EXACT: Code =
    Code::refused("ECL-SRC-005", "a number has no exact form in its column's declared type");

/// A read before the snapshot stands.
pub(crate) static NOT_OPEN: Code =
    Code::refused("ECL-SRC-006", "a read was asked for before the snapshot was opened");

/// No date at all. The mapping may say that it means NULL.
pub(crate) static ZERO_DATE: Code =
    Code::refused("ECL-SRC-008", "a zero date: 0000-00-00, which says that there is none");

/// The text of a moment, unless it says that there is none.
pub(crate) fn dated(text: &str) -> Result<&str, &'static Code> {
    let zero = text.strip_suffix("+00:00").unwrap_or(text);
    let zero = zero
        .split_once('.')
        .map_or(zero, |(whole, fraction)| if fraction.bytes().all(|b| b == b'0') { whole } else { zero });
    if matches!(zero, "0000-00-00" | "0000-00-00 00:00:00" | "0000-00-00T00:00:00") {
        Err(&ZERO_DATE)
    } else {
        Ok(text)
    }
}

/// Rows of a batch at most.
const ROWS: usize = 8_192;
/// Bytes of values after which a batch is closed; one value more may stand in it.
const BYTES: usize = 2 << 20;

/// What decoding one cell says: the bytes it took (`None`: it is NULL and nothing was
/// appended), or why the value cannot be read.
pub(crate) type Cell = Result<Option<usize>, &'static Code>;

/// The builder of one column, by type on the way.
pub(crate) enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Decimal { builder: Decimal128Builder, precision: u8, scale: u8 },
    Float(Float64Builder),
    Text(StringBuilder),
    Json(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Instant(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
    Uuid(FixedSizeBinaryBuilder),
}

impl Builder {
    fn new(ty: Type) -> Self {
        let arrow = arrow_type(ty);
        match ty {
            Type::Bool => Self::Bool(BooleanBuilder::new()),
            Type::Int => Self::Int(Int64Builder::new()),
            Type::Decimal { precision, scale } => {
                Self::Decimal { builder: Decimal128Builder::new().with_data_type(arrow), precision, scale }
            }
            Type::Float | Type::Single => Self::Float(Float64Builder::new()),
            Type::Text => Self::Text(StringBuilder::new()),
            Type::Json => Self::Json(StringBuilder::new()),
            Type::Bytes => Self::Bytes(BinaryBuilder::new()),
            Type::Date => Self::Date(Date32Builder::new()),
            Type::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            Type::Instant => Self::Instant(TimestampMicrosecondBuilder::new().with_data_type(arrow)),
            Type::Time => Self::Time(Time64MicrosecondBuilder::new()),
            Type::Uuid => Self::Uuid(FixedSizeBinaryBuilder::new(16)),
        }
    }

    fn null(&mut self) {
        match self {
            Self::Bool(b) => b.append_null(),
            Self::Int(b) => b.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
            Self::Float(b) => b.append_null(),
            Self::Text(b) | Self::Json(b) => b.append_null(),
            Self::Bytes(b) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::Timestamp(b) | Self::Instant(b) => b.append_null(),
            Self::Time(b) => b.append_null(),
            Self::Uuid(b) => b.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::Int(b) => Arc::new(b.finish()),
            Self::Decimal { builder, .. } => Arc::new(builder.finish()),
            Self::Float(b) => Arc::new(b.finish()),
            Self::Text(b) | Self::Json(b) => Arc::new(b.finish()),
            Self::Bytes(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Timestamp(b) | Self::Instant(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Uuid(b) => Arc::new(b.finish()),
        }
    }
}

/// A batch in the making.
pub(crate) struct Columns {
    types: Vec<Type>,
    builders: Vec<Builder>,
    key: Vec<usize>,
    /// Columns whose zero dates are NULL.
    zero_null: Vec<usize>,
    unreadable: Vec<Unreadable>,
    rows: usize,
    bytes: usize,
}

impl Columns {
    /// Columns of these types; `key` are the indices of the key's columns.
    pub(crate) fn new(types: Vec<Type>, key: &[usize]) -> Self {
        let builders = types.iter().map(|t| Builder::new(*t)).collect();
        let (key, zero_null) = (key.to_vec(), Vec::new());
        Self { types, builders, key, zero_null, unreadable: Vec::new(), rows: 0, bytes: 0 }
    }

    /// The columns of a planned table as its source gives them.
    pub(crate) fn planned(table: &TablePlan) -> Self {
        let types = table.read().iter().map(|c| c.ty).collect();
        let zero_null = (0..table.read().len()).filter(|column| table.zero_as_null(*column)).collect();
        Self { zero_null, ..Self::new(types, table.key()) }
    }

    /// The written columns of a planned table, read back.
    pub(crate) fn written(table: &TablePlan) -> Self {
        Self::new(table.write().iter().map(|c| c.ty).collect(), table.write_key())
    }

    /// Adds one row: `decode(column, builder)` appends exactly one value to the builder, or
    /// appends nothing and says so. `name(column)` is for the error.
    ///
    /// # Errors
    ///
    /// [`KEY_UNREADABLE`] where the key holds NULL or a value that cannot be read.
    pub(crate) fn row(
        &mut self,
        decode: &mut dyn FnMut(usize, &mut Builder) -> Cell,
        name: &dyn Fn(usize) -> String,
    ) -> Result<()> {
        for (column, builder) in self.builders.iter_mut().enumerate() {
            match decode(column, builder) {
                Ok(Some(bytes)) => self.bytes += bytes,
                Ok(None) if self.key.contains(&column) => return Err(key_unreadable(&name(column), "NULL")),
                Ok(None) => builder.null(),
                Err(code) if *code == ZERO_DATE && self.zero_null.contains(&column) => builder.null(),
                Err(code) if self.key.contains(&column) => {
                    return Err(key_unreadable(&name(column), code.id));
                }
                Err(code) => {
                    builder.null();
                    self.unreadable.push(Unreadable { row: self.rows, column, code });
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether it is time to deliver.
    pub(crate) const fn full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// Whether there is nothing to deliver.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The batch; the next one begins.
    pub(crate) fn finish(&mut self) -> Result<Batch> {
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let unreadable = std::mem::take(&mut self.unreadable);
        Ok(Batch::new(&self.types, columns, rows)?.with_unreadable(unreadable))
    }
}

fn key_unreadable(place: &str, why: &str) -> Fault {
    KEY_UNREADABLE.fault(format!("{place} ({why})")).help(
        "Correct the key at the source: a row without a readable key can be neither ordered nor found again.",
    )
}
