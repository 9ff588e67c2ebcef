//! A cell as a person reads it, on the laboratory's own screen and nowhere else.
//!
//! Nothing is hidden by shortening: what is too long to be read carries the beginning of its BLAKE3, so
//! that two long values which differ in one place are not shown alike.

use ecluse_core::fault::Result;
use ecluse_core::personal::Personal;
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;
use crate::text;

/// Characters of a text that are shown.
const CHARACTERS: usize = 2_000;
/// Bytes of a binary value that are shown.
const BYTES: usize = 16;

/// One value for a person's eyes; `None` is NULL. Characters are the value's own: whoever draws them on
/// a terminal makes control characters harmless first.
pub type Shown = Personal<Option<String>>;

/// The cell of a batch whose columns have `types`, in the spelling of `cast` to text.
///
/// # Errors
///
/// [`MALFORMED`] where the cell is not the batch's.
pub fn shown(batch: &Batch, types: &[Type], column: usize, row: usize) -> Result<Shown> {
    let (Some(array), Some(ty)) = (batch.columns().get(column), types.get(column)) else {
        return Err(MALFORMED.fault(format!("column {column}")));
    };
    if row >= batch.rows() {
        return Err(MALFORMED.fault("no such row"));
    }
    let cell = Column::new(array, *ty)?;
    Ok(Personal::new(if cell.is_null(row) { None } else { Some(words(&cell, row)) }))
}

fn words(cell: &Column<'_>, row: usize) -> String {
    // a number of days or microseconds outside what a calendar has is shown as that number
    match cell {
        Column::Bool(a) => a.value(row).to_string(),
        Column::Int(a) => a.value(row).to_string(),
        Column::Decimal(a, scale) => text::decimal(a.value(row), *scale),
        Column::Float(a) => text::float(a.value(row)),
        Column::Single(a) => text::single(a.value(row)),
        Column::Text(a) | Column::Json(a) => long(a.value(row)),
        Column::Bytes(a) => binary(a.value(row)),
        Column::Date(a) => text::date(a.value(row)).unwrap_or_else(|| a.value(row).to_string()),
        Column::Timestamp(a) => text::timestamp(a.value(row)).unwrap_or_else(|| a.value(row).to_string()),
        Column::Instant(a) => text::timestamp(a.value(row))
            .map_or_else(|| a.value(row).to_string(), |moment| format!("{moment} UTC")),
        Column::Time(a) => text::time(a.value(row)).unwrap_or_else(|| a.value(row).to_string()),
        Column::Uuid(a) => text::uuid(a.value(row)),
    }
}

fn long(value: &str) -> String {
    match value.char_indices().nth(CHARACTERS) {
        None => value.to_owned(),
        Some((end, _)) => {
            let begins = value.get(..end).unwrap_or_default();
            format!("{begins}… ({} bytes, BLAKE3 {})", value.len(), fingerprint(value.as_bytes()))
        }
    }
}

fn binary(value: &[u8]) -> String {
    let begins: String = value.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect();
    if value.len() <= BYTES {
        return begins;
    }
    format!("{begins}… ({} bytes, BLAKE3 {})", value.len(), fingerprint(value))
}

fn fingerprint(value: &[u8]) -> String {
    blake3::hash(value).to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, Float64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn one(ty: Type, array: ArrayRef) -> Option<String> {
        let batch = Batch::new(&[ty], vec![array], 1).unwrap();
        shown(&batch, &[ty], 0, 0).unwrap().into_inner()
    }

    #[test]
    fn a_value_is_shown_as_people_write_it_and_null_is_no_text() {
        assert_eq!(one(Type::Float, Arc::new(Float64Array::from(vec![0.1]))).unwrap(), "0.1");
        let moment = TimestampMicrosecondArray::from(vec![1_000_000]).with_timezone("+00:00");
        assert_eq!(one(Type::Instant, Arc::new(moment)).unwrap(), "1970-01-01 00:00:01 UTC");
        assert_eq!(one(Type::Text, Arc::new(StringArray::from(vec![None::<&str>]))), None);
        assert_eq!(one(Type::Text, Arc::new(StringArray::from(vec![""]))).unwrap(), "");
    }

    #[test]
    fn two_long_values_that_differ_at_their_end_are_not_shown_alike() {
        let text = |end: char| {
            let value = "x".repeat(CHARACTERS) + &end.to_string();
            one(Type::Text, Arc::new(StringArray::from(vec![value]))).unwrap()
        };
        assert_ne!(text('a'), text('b'));
        let bytes = |end: u8| {
            let value = [vec![7; 1 << 20], vec![end]].concat();
            one(Type::Bytes, Arc::new(BinaryArray::from_vec(vec![value.as_slice()]))).unwrap()
        };
        assert_ne!(bytes(1), bytes(2));
        assert!(bytes(1).len() < 100);
    }
}
