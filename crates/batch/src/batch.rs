//! The batch: rows of typed columns that never print themselves.

use std::fmt;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Type;
use std::sync::Arc;

/// A batch whose columns do not have the same length or the promised types.
pub static MALFORMED: Code = Code::refused("ECL-BAT-001", "a batch of rows is not what the plan promised");

/// Up to some thousands of rows, columns in the plan's order.
///
/// `Debug` prints the shape, never a value.
#[derive(Clone)]
pub struct Batch {
    records: RecordBatch,
    unreadable: Vec<Unreadable>,
}

/// A value that its source could not give as the column's type: a zero date, text that
/// is not UTF-8, another storage class than the declared one.
///
/// The cell is NULL in the batch, so that the row's key is still known; the row must be
/// refused with `code`, and the process does not ask the filter about it. A key's own
/// value is never unreadable: there the source stops the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The row within the batch.
    pub row: usize,
    /// The column within the batch.
    pub column: usize,
    /// Why it could not be read.
    pub code: &'static Code,
}

impl Batch {
    /// A batch of these columns, one per `types` in that order.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where a column's Arrow type is not the one of the table above,
    /// or lengths differ from `rows`.
    pub fn new(types: &[Type], columns: Vec<ArrayRef>, rows: usize) -> Result<Self> {
        let fields: Vec<Field> =
            types.iter().enumerate().map(|(i, t)| Field::new(i.to_string(), arrow_type(*t), true)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map(|records| Self { records, unreadable: Vec::new() })
            .map_err(|_text_may_quote| MALFORMED.fault(format!("{} columns, {rows} rows", types.len())))
    }

    /// The same batch, some of whose rows have to be refused; in order of rows.
    #[must_use]
    pub fn with_unreadable(self, unreadable: Vec<Unreadable>) -> Self {
        Self { records: self.records, unreadable }
    }

    /// Values that could not be read: their rows have to be refused, in order of rows.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.records.num_rows()
    }

    /// The columns, in the plan's order.
    #[must_use]
    pub fn columns(&self) -> &[ArrayRef] {
        self.records.columns()
    }

    /// `rows` rows from `offset` on, clipped to the batch; shares its memory.
    #[must_use]
    pub fn slice(&self, offset: usize, rows: usize) -> Self {
        let offset = offset.min(self.rows());
        let rows = rows.min(self.rows() - offset);
        let unreadable = self
            .unreadable
            .iter()
            .filter(|u| (offset..offset + rows).contains(&u.row))
            .map(|u| Unreadable { row: u.row - offset, ..*u })
            .collect();
        Self { records: self.records.slice(offset, rows), unreadable }
    }

    /// The rows of the mask, in order; none of them is marked unreadable any more.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the mask is not as long as the batch.
    pub fn keep(&self, rows: &crate::Mask) -> Result<Self> {
        let mask = arrow_array::BooleanArray::new(rows.buffer().clone(), None);
        arrow_select::filter::filter_record_batch(&self.records, &mask)
            .map(|records| Self { records, unreadable: Vec::new() })
            .map_err(|_text_may_quote| MALFORMED.fault("rows could not be taken out"))
    }

    /// The rows of the mask, in order, those that are marked unreadable with their marks.
    ///
    /// # Errors
    ///
    /// As [`Self::keep`].
    pub fn only(&self, rows: &crate::Mask) -> Result<Self> {
        let mut marks = Vec::new();
        let mut next = 0;
        for (row, stays) in rows.iter().enumerate() {
            if stays {
                let here = self.unreadable.iter().filter(|u| u.row == row);
                marks.extend(here.map(|u| Unreadable { row: next, ..*u }));
                next += 1;
            }
        }
        Ok(self.keep(rows)?.with_unreadable(marks))
    }

    /// The Arrow schema.
    pub(crate) fn schema(&self) -> arrow_schema::SchemaRef {
        self.records.schema()
    }

    /// The Arrow records.
    pub(crate) const fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// A batch of these records, all of them readable.
    pub(crate) const fn of(records: RecordBatch) -> Self {
        Self { records, unreadable: Vec::new() }
    }

    /// Bytes the values take in memory, buffers counted once per array.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.records.get_array_memory_size()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} columns × {} rows)", self.records.num_columns(), self.records.num_rows())
    }
}

/// The Arrow type that carries a type on the way.
#[must_use]
pub fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
        }
        Type::Float | Type::Single => DataType::Float64,
        Type::Text | Type::Json => DataType::Utf8,
        Type::Bytes => DataType::Binary,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        Type::Time => DataType::Time64(TimeUnit::Microsecond),
        Type::Uuid => DataType::FixedSizeBinary(16),
    }
}
