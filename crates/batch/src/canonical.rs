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
        out.push(NULL);
        return;
    }
    match column {
        Column::Bool(a) => out.extend_from_slice(&[BOOL, u8::from(a.value(row))]),
        Column::Int(a) => fixed(INT, i128::from(a.value(row)).to_le_bytes(), out),
        Column::Decimal(a, scale) => {
            out.extend_from_slice(&[DECIMAL, *scale]);
            out.extend_from_slice(&a.value(row).to_le_bytes());
        }
        Column::Float(a) => {
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
