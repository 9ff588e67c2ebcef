//! Canonical bytes: one value, one spelling, whatever database it came from.
//!
//! The layout is fixed in `docs/formats.md`, "Tallies": it cannot change once a tally
//! has been published. One tag byte, then a fixed width or a length of 8 bytes; all
//! numbers little-endian two's complement. Injective: a concatenation of encoded values
//! is read back in one way only.
//!
//! | value | tag | bytes after it |
//! |---|---|---|
//! | NULL | `00` | none |
//! | bool | `01` | 1: `00` or `01` |
//! | int | `02` | 16: i128 |
//! | decimal | `03` | 1: scale; 16: unscaled i128. `1.0` is not `1.00` |
//! | float | `04` | 8: IEEE 754 binary64 bits; every NaN is `7ff8000000000000`; `-0.0` is not `0.0` |
//! | text | `05` | 8: length in bytes; UTF-8, never normalised |
//! | bytes | `06` | 8: length; the bytes |
//! | date | `07` | 4: i32 days since 1970-01-01 |
//! | local timestamp | `08` | 8: i64 µs since 1970-01-01 00:00 |
//! | instant | `09` | 8: i64 µs since 1970-01-01 00:00 UTC |
//! | time | `0a` | 8: i64 µs since midnight |
//! | uuid | `0b` | 16 |
//! | json | `0c` | 8: length; the exact bytes |
//!
//! `0d` is kept for arrays, of which no column is made today.

use ecluse_core::value::Value;

use crate::column::Column;

const NULL: u8 = 0x00;
const BOOL: u8 = 0x01;
const INT: u8 = 0x02;
const DECIMAL: u8 = 0x03;
const FLOAT: u8 = 0x04;
const TEXT: u8 = 0x05;
const BYTES: u8 = 0x06;
const DATE: u8 = 0x07;
const TIMESTAMP: u8 = 0x08;
const INSTANT: u8 = 0x09;
const TIME: u8 = 0x0a;
const UUID: u8 = 0x0b;
const JSON: u8 = 0x0c;

/// The one NaN: quiet, positive, no payload.
const NAN: u64 = 0x7ff8_0000_0000_0000;

/// Appends the canonical bytes of one row's value. `row` is below the column's length.
#[inline]
pub(crate) fn encode(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        null(out);
    } else {
        present(column, row, out);
    }
}

/// Appends the canonical bytes of NULL.
#[inline]
pub(crate) fn null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// As [`encode`], of a row that is known to hold a value here.
#[inline]
pub(crate) fn present(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    match column {
        Column::Bool(a) => out.extend_from_slice(&[BOOL, u8::from(a.value(row))]),
        Column::Int(a) => fixed(INT, i128::from(a.value(row)).to_le_bytes(), out),
        Column::Decimal(a, scale) => {
            out.extend_from_slice(&[DECIMAL, *scale]);
            out.extend_from_slice(&a.value(row).to_le_bytes());
        }
        Column::Float(a) | Column::Single(a) => {
            let value = a.value(row);
            let bits = if value.is_nan() { NAN } else { value.to_bits() };
            fixed(FLOAT, bits.to_le_bytes(), out);
        }
        Column::Text(a) => counted(TEXT, a.value(row).as_bytes(), out),
        Column::Bytes(a) => counted(BYTES, a.value(row), out),
        Column::Date(a) => fixed(DATE, a.value(row).to_le_bytes(), out),
        Column::Timestamp(a) => fixed(TIMESTAMP, a.value(row).to_le_bytes(), out),
        Column::Instant(a) => fixed(INSTANT, a.value(row).to_le_bytes(), out),
        Column::Time(a) => fixed(TIME, a.value(row).to_le_bytes(), out),
        Column::Uuid(a) => {
            out.push(UUID);
            out.extend_from_slice(a.value(row));
        }
        Column::Json(a) => counted(JSON, a.value(row).as_bytes(), out),
    }
}

/// Appends the canonical bytes of a single value, the same as [`encode`] gives for it in a column.
pub(crate) fn encode_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(b) => out.extend_from_slice(&[BOOL, u8::from(*b)]),
        Value::Int(i) => fixed(INT, i128::from(*i).to_le_bytes(), out),
        Value::Decimal { unscaled, scale } => {
            out.extend_from_slice(&[DECIMAL, *scale]);
            out.extend_from_slice(&unscaled.to_le_bytes());
        }
        Value::Text(t) => counted(TEXT, t.as_bytes(), out),
        Value::Bytes(b) => counted(BYTES, b, out),
        Value::Date(d) => fixed(DATE, d.to_le_bytes(), out),
        Value::Timestamp(t) => fixed(TIMESTAMP, t.to_le_bytes(), out),
        Value::Instant(t) => fixed(INSTANT, t.to_le_bytes(), out),
        Value::Time(t) => fixed(TIME, t.to_le_bytes(), out),
        Value::Uuid(u) => fixed(UUID, *u, out),
    }
}

/// Appends a length-prefixed name: the framing of every context string.
pub(crate) fn name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&length(name.len()));
    out.extend_from_slice(name.as_bytes());
}

#[inline]
fn fixed<const N: usize>(tag: u8, bytes: [u8; N], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

#[inline]
fn counted(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

/// A length as 8 bytes; a `usize` is never wider on the machines Rust runs on.
#[inline]
fn length(bytes: usize) -> [u8; 8] {
    u64::try_from(bytes).unwrap_or(u64::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
        Float64Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    };
    use ecluse_core::types::Type;
    use proptest::prelude::*;

    use super::*;

    /// One cell: its column's type and the value, NULL as `None`. Numbers stand for every type of
    /// a fixed width; `Float` holds bits.
    #[derive(Clone, Debug, PartialEq)]
    enum Cell {
        Bool(Option<bool>),
        Int(Option<i64>),
        Decimal(u8, Option<i128>),
        Float(Option<u64>),
        Text(Option<String>),
        Bytes(Option<Vec<u8>>),
        Date(Option<i32>),
        Timestamp(Option<i64>),
        Instant(Option<i64>),
        Time(Option<i64>),
        Uuid(Option<[u8; 16]>),
        Json(Option<String>),
    }

    impl Cell {
        fn bytes(&self, out: &mut Vec<u8>) {
            let (ty, array): (Type, ArrayRef) = match self.clone() {
                Self::Bool(v) => (Type::Bool, Arc::new(BooleanArray::from(vec![v]))),
                Self::Int(v) => (Type::Int, Arc::new(Int64Array::from(vec![v]))),
                Self::Decimal(scale, v) => {
                    let array = Decimal128Array::from(vec![v]);
                    let array = array.with_precision_and_scale(38, i8::try_from(scale).unwrap()).unwrap();
                    (Type::Decimal { precision: 38, scale }, Arc::new(array))
                }
                Self::Float(v) => (Type::Float, Arc::new(Float64Array::from(vec![v.map(f64::from_bits)]))),
                Self::Text(v) => (Type::Text, Arc::new(StringArray::from(vec![v]))),
                Self::Bytes(v) => (Type::Bytes, Arc::new(BinaryArray::from_iter([v]))),
                Self::Date(v) => (Type::Date, Arc::new(Date32Array::from(vec![v]))),
                Self::Timestamp(v) => (Type::Timestamp, Arc::new(TimestampMicrosecondArray::from(vec![v]))),
                Self::Instant(v) => (Type::Instant, Arc::new(TimestampMicrosecondArray::from(vec![v]))),
                Self::Time(v) => (Type::Time, Arc::new(Time64MicrosecondArray::from(vec![v]))),
                Self::Uuid(v) => {
                    let one = [v].into_iter();
                    (
                        Type::Uuid,
                        Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(one, 16).unwrap()),
                    )
                }
                Self::Json(v) => (Type::Json, Arc::new(StringArray::from(vec![v]))),
            };
            encode(&Column::new(&array, ty).unwrap(), 0, out);
        }

        /// Types apart from which NULL and NULL are one: a table's types are the plan's, not the row's.
        fn is_null(&self) -> bool {
            let mut bytes = Vec::new();
            self.bytes(&mut bytes);
            bytes == [NULL]
        }
    }

    fn cell() -> impl Strategy<Value = Cell> {
        // few and short, so that neighbours could run together: a text may hold any tag and any length
        let text = || proptest::option::of("[ab\u{0}\u{1}\u{2}\u{5}\u{6}\u{8}]{0,10}");
        let whole = || proptest::option::of(prop_oneof![Just(0i64), Just(1), Just(5), any::<i64>()]);
        prop_oneof![
            proptest::option::of(any::<bool>()).prop_map(Cell::Bool),
            whole().prop_map(Cell::Int),
            (0u8..3, proptest::option::of(-10i128..11)).prop_map(|(scale, v)| Cell::Decimal(scale, v)),
            // 0.0, -0.0, 1.0, and any number that is one
            proptest::option::of(prop_oneof![Just(0), Just(1 << 63), Just(0x3ff0 << 48), any::<u64>()])
                .prop_filter("one NaN, see below", |v| v.is_none_or(|v| !f64::from_bits(v).is_nan()))
                .prop_map(Cell::Float),
            text().prop_map(Cell::Text),
            text().prop_map(|v| Cell::Bytes(v.map(String::into_bytes))),
            proptest::option::of(-2i32..3).prop_map(Cell::Date),
            whole().prop_map(Cell::Timestamp),
            whole().prop_map(Cell::Instant),
            whole().prop_map(Cell::Time),
            proptest::option::of(any::<[u8; 16]>()).prop_map(Cell::Uuid),
            text().prop_map(Cell::Json),
        ]
    }

    /// Two rows whose bytes differ by the lengths alone: the tag between two cells stands in the one's text and
    /// parts its cells in the other.
    fn run_together() -> impl Strategy<Value = (Vec<Cell>, Vec<Cell>)> {
        let kinds = prop::sample::select(vec![TEXT, BYTES, JSON]);
        (kinds, "[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}").prop_map(|(tag, a, b, c)| {
            let cell = |text: String| match tag {
                TEXT => Cell::Text(Some(text)),
                BYTES => Cell::Bytes(Some(text.into_bytes())),
                _ => Cell::Json(Some(text)),
            };
            let joined = |one: &str, two: &str| cell(format!("{one}{}{two}", char::from(tag)));
            (vec![joined(&a, &b), cell(c.clone())], vec![cell(a), joined(&b, &c)])
        })
    }

    /// A row, and another: the same, or one cell exchanged, dropped or put in, or any.
    fn near() -> impl Strategy<Value = (Vec<Cell>, Vec<Cell>)> {
        let row = || proptest::collection::vec(cell(), 1..5);
        (row(), row(), cell(), any::<prop::sample::Index>(), 0..5u8).prop_map(
            |(row, other, cell, at, change)| {
                let mut near = row.clone();
                let at = at.index(near.len());
                match change {
                    0 => near[at] = cell,
                    1 => drop(near.remove(at)),
                    2 => near.insert(at, cell),
                    3 => near = other,
                    _ => {}
                }
                (row, near)
            },
        )
    }

    fn pair() -> impl Strategy<Value = (Vec<Cell>, Vec<Cell>)> {
        prop_oneof![4 => near(), 1 => run_together()]
    }

    fn row_bytes(row: &[Cell]) -> Vec<u8> {
        let mut bytes = Vec::new();
        row.iter().for_each(|cell| cell.bytes(&mut bytes));
        bytes
    }

    fn same(a: &[Cell], b: &[Cell]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a.is_null() && b.is_null()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        // Two patients' rows never come to the same bytes: what a tally cannot tell apart, a
        // reconciliation could not either.
        // proves: REC-02
        #[test]
        fn two_rows_have_the_same_bytes_only_where_they_are_one_row((a, b) in pair()) {
            prop_assert_eq!(same(&a, &b), row_bytes(&a) == row_bytes(&b));
        }

        /// A key's token and a row's tally speak of the same value.
        #[test]
        fn a_single_value_has_the_bytes_of_its_column(v in any::<i64>(), text in ".{0,9}", scale in 0u8..9) {
            for (value, cell) in [
                (Value::Int(v), Cell::Int(Some(v))),
                (Value::Timestamp(v), Cell::Timestamp(Some(v))),
                (Value::Instant(v), Cell::Instant(Some(v))),
                (Value::Time(v), Cell::Time(Some(v))),
                (Value::Decimal { unscaled: i128::from(v), scale }, Cell::Decimal(scale, Some(i128::from(v)))),
                (Value::Text(text.clone()), Cell::Text(Some(text.clone()))),
                (Value::Bytes(text.clone().into_bytes()), Cell::Bytes(Some(text.into_bytes()))),
                (Value::Null, Cell::Date(None)),
            ] {
                let mut bytes = Vec::new();
                encode_value(&value, &mut bytes);
                prop_assert_eq!(bytes, row_bytes(&[cell]));
            }
        }
    }

    #[test]
    fn every_nan_is_one() {
        let nan = |bits| row_bytes(&[Cell::Float(Some(bits))]);
        assert_eq!(nan(f64::NAN.to_bits()), nan(0xfff0_0000_0000_0001));
    }
}
