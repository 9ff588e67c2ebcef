//! Exact conversions. A value that would lose or gain anything refuses its row.
//!
//! | from | to | refused |
//! |---|---|---|
//! | int | decimal, float, single, text | more digits than the column; beyond 2^53; beyond 2^24 |
//! | int | bool | other than 0 and 1 |
//! | bool | int, text (`true`, `false`) | – |
//! | decimal | decimal, int, text | digits that would be lost, too many digits |
//! | float | int, decimal | a fraction; more than 15 digits; not a number |
//! | float | single | what a binary32 does not hold |
//! | single | float | – |
//! | single | int, decimal | a fraction; whole numbers beyond 2^24; not a number |
//! | float, single | text (`-12.5`, `Infinity`, `-Infinity`, `NaN`) | – |
//! | text | int, decimal, float, single | other than `-12.50`: no sign `+`, space, comma, exponent |
//! | text | bool | other than `true`, `false`, `1`, `0` |
//! | text | date, timestamp, time | other than `2019-01-31`, `2019-01-31 12:34:56.789`, `12:34:56` |
//! | text | uuid | other than 32 hexadecimal digits in groups 8-4-4-4-12 |
//! | text | bytes | – (UTF-8) |
//! | bytes | text | not UTF-8 |
//! | date | timestamp (midnight), text | – |
//! | timestamp | date, text | a time of day other than midnight |
//! | instant, time, uuid, json | text | – |
//!
//! The same list stands as [`Type::casts_to`], which the plan's compiler asks.
//!
//! A timestamp never becomes an instant here, nor the other way: that takes a time zone, which the
//! mapping names ([`crate::local`]).

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, StringArray};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::MALFORMED;
use crate::build::primitive;
use crate::column::Column;
use crate::text;
use crate::write::Reason;

const DAY: i64 = 86_400_000_000;
/// Whole numbers up to here are exact in binary64.
const EXACT: u64 = 1 << 53;
/// Whole numbers up to here are exact in binary32.
const EXACT_SINGLE: u64 = 1 << 24;

/// A column converted; rows without an exact counterpart are refused and hold NULL.
pub(crate) fn cast(
    array: &ArrayRef,
    from: Type,
    to: Type,
    refuse: &mut dyn FnMut(usize, Reason),
) -> Result<ArrayRef> {
    let typed = Column::new(array, from)?;
    let rows = Rows { array, refuse };
    match (typed, to) {
        (Column::Int(a), Type::Bool) => rows.bools(|i| match a.value(i) {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }),
        (Column::Int(a), Type::Decimal { precision, scale }) => {
            rows.primitive::<Decimal128Type>(to, |i| rescale(i128::from(a.value(i)), 0, precision, scale))
        }
        (Column::Int(a), Type::Float) => rows.primitive::<Float64Type>(to, |i| float(a.value(i))),
        (Column::Int(a), Type::Single) => rows.primitive::<Float64Type>(to, |i| {
            float(a.value(i)).filter(|_| a.value(i).unsigned_abs() <= EXACT_SINGLE)
        }),
        (Column::Int(a), Type::Text) => rows.texts(|i| Some(a.value(i).to_string())),
        (Column::Bool(a), Type::Int) => rows.primitive::<Int64Type>(to, |i| Some(i64::from(a.value(i)))),
        (Column::Bool(a), Type::Text) => rows.texts(|i| Some(a.value(i).to_string())),
        (Column::Decimal(a, s), Type::Decimal { precision, scale }) => {
            rows.primitive::<Decimal128Type>(to, |i| rescale(a.value(i), s, precision, scale))
        }
        (Column::Decimal(a, s), Type::Int) => rows.primitive::<Int64Type>(to, |i| {
            rescale(a.value(i), s, 38, 0).and_then(|v| i64::try_from(v).ok())
        }),
        (Column::Decimal(a, s), Type::Text) => rows.texts(|i| Some(text::decimal(a.value(i), s))),
        (Column::Float(a), Type::Int) => rows.primitive::<Int64Type>(to, |i| whole(a.value(i))),
        (Column::Float(a), Type::Decimal { precision, scale }) => {
            rows.primitive::<Decimal128Type>(to, |i| shortest(a.value(i), precision, scale))
        }
        (Column::Float(a), Type::Text) => rows.texts(|i| Some(text::float(a.value(i)))),
        (Column::Float(a), Type::Single) => rows.primitive::<Float64Type>(to, |i| {
            let value = a.value(i);
            (value.is_nan() || f64::from(text::narrow(value)).to_bits() == value.to_bits()).then_some(value)
        }),
        (Column::Single(_), Type::Float) => Ok(Arc::clone(array)),
        (Column::Single(a), Type::Int) => {
            rows.primitive::<Int64Type>(to, |i| Some(a.value(i)).filter(|v| told(*v)).and_then(whole))
        }
        (Column::Single(a), Type::Decimal { precision, scale }) => {
            rows.primitive::<Decimal128Type>(to, |i| shortest_single(a.value(i), precision, scale))
        }
        (Column::Single(a), Type::Text) => rows.texts(|i| Some(text::single(a.value(i)))),
        (Column::Text(a), Type::Int) => rows.primitive::<Int64Type>(to, |i| int(a.value(i))),
        (Column::Text(a), Type::Decimal { precision, scale }) => rows.primitive::<Decimal128Type>(to, |i| {
            let (unscaled, s) = text::parse_decimal(a.value(i))?;
            rescale(unscaled, s, precision, scale)
        }),
        (Column::Text(a), Type::Float) => rows.primitive::<Float64Type>(to, |i| parse_float(a.value(i))),
        (Column::Text(a), Type::Single) => rows.primitive::<Float64Type>(to, |i| parse_single(a.value(i))),
        (Column::Text(a), Type::Bool) => rows.bools(|i| match a.value(i) {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }),
        (Column::Text(a), Type::Date) => rows.primitive::<Date32Type>(to, |i| text::parse_date(a.value(i))),
        (Column::Text(a), Type::Timestamp) => {
            rows.primitive::<TimestampMicrosecondType>(to, |i| text::parse_timestamp(a.value(i)))
        }
        (Column::Text(a), Type::Time) => {
            rows.primitive::<Time64MicrosecondType>(to, |i| text::parse_time(a.value(i)))
        }
        (Column::Text(a), Type::Uuid) => rows.uuids(|i| text::parse_uuid(a.value(i))),
        (Column::Text(a), Type::Bytes) => Ok(Arc::new(BinaryArray::from(a.clone()))),
        (Column::Bytes(a), Type::Text) => {
            rows.texts(|i| std::str::from_utf8(a.value(i)).ok().map(str::to_owned))
        }
        (Column::Date(a), Type::Timestamp) => {
            rows.primitive::<TimestampMicrosecondType>(to, |i| i64::from(a.value(i)).checked_mul(DAY))
        }
        (Column::Date(a), Type::Text) => rows.texts(|i| text::date(a.value(i))),
        (Column::Timestamp(a), Type::Date) => rows.primitive::<Date32Type>(to, |i| {
            let t = a.value(i);
            if t.rem_euclid(DAY) == 0 { i32::try_from(t.div_euclid(DAY)).ok() } else { None }
        }),
        (Column::Timestamp(a), Type::Text) => rows.texts(|i| text::timestamp(a.value(i))),
        (Column::Instant(a), Type::Text) => {
            rows.texts(|i| text::timestamp(a.value(i)).map(|t| format!("{t}Z").replace(' ', "T")))
        }
        (Column::Time(a), Type::Text) => rows.texts(|i| text::time(a.value(i))),
        (Column::Uuid(a), Type::Text) => rows.texts(|i| Some(text::uuid(a.value(i)))),
        (Column::Json(_), Type::Text) => Ok(Arc::clone(array)),
        _ => Err(MALFORMED.fault(format!("no conversion from {from} to {to}"))),
    }
}

/// The rows of one column, NULL passed through, a failed conversion refused.
struct Rows<'a> {
    array: &'a ArrayRef,
    refuse: &'a mut dyn FnMut(usize, Reason),
}

impl Rows<'_> {
    fn each<T>(self, mut f: impl FnMut(usize) -> Option<T>) -> impl Iterator<Item = Option<T>> {
        (0..self.array.len()).map(move |row| {
            if self.array.is_null(row) {
                return None;
            }
            let value = f(row);
            if value.is_none() {
                (self.refuse)(row, Reason::Cast);
            }
            value
        })
    }

    fn primitive<T: ArrowPrimitiveType>(
        self,
        to: Type,
        f: impl FnMut(usize) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        primitive::<T>(to, self.each(f).map(Ok))
    }

    fn bools(self, f: impl FnMut(usize) -> Option<bool>) -> Result<ArrayRef> {
        Ok(Arc::new(self.each(f).collect::<BooleanArray>()))
    }

    fn texts(self, f: impl FnMut(usize) -> Option<String>) -> Result<ArrayRef> {
        Ok(Arc::new(self.each(f).collect::<StringArray>()))
    }

    fn uuids(self, f: impl FnMut(usize) -> Option<[u8; 16]>) -> Result<ArrayRef> {
        FixedSizeBinaryArray::try_from_sparse_iter_with_size(self.each(f), 16)
            .map(|a| Arc::new(a) as ArrayRef)
            .map_err(|_text_may_quote| MALFORMED.fault("uuid"))
    }
}

/// Whether the unscaled value has at most this many digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    10u128.checked_pow(u32::from(precision)).is_none_or(|limit| unscaled.unsigned_abs() < limit)
}

/// Another scale without losing a digit, within the precision.
fn rescale(unscaled: i128, from: u8, precision: u8, to: u8) -> Option<i128> {
    let power = 10i128.checked_pow(u32::from(from.abs_diff(to)));
    let value = if to >= from {
        if unscaled == 0 { 0 } else { unscaled.checked_mul(power?)? }
    } else {
        match power {
            Some(power) if unscaled % power == 0 => unscaled / power,
            None if unscaled == 0 => 0,
            _ => return None,
        }
    };
    fits(value, precision).then_some(value)
}

/// `-?[0-9]+` within 64 bits.
pub(crate) fn int(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

#[expect(clippy::cast_precision_loss, reason = "guarded: up to 2^53 every whole number is exact")]
fn float(value: i64) -> Option<f64> {
    (value.unsigned_abs() <= EXACT).then_some(value as f64)
}

#[expect(clippy::cast_possible_truncation, reason = "guarded: whole and within ±2^53")]
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= LIMIT && !(value == 0.0 && value.is_sign_negative()))
        .then_some(value as i64)
}

/// The decimal of at most 15 digits whose nearest binary64 is this one: what the number's
/// writer meant, since 15 digits survive binary64 and back (IEEE 754).
fn shortest(value: f64, precision: u8, scale: u8) -> Option<i128> {
    if !value.is_finite() || (value == 0.0 && value.is_sign_negative()) {
        return None;
    }
    // Rust prints the shortest digits that read back as the same number, without exponent
    let (unscaled, digits) = text::parse_decimal(&value.to_string())?;
    if !fits(unscaled, 15) {
        return None;
    }
    rescale(unscaled, digits, precision, scale)
}

/// Whether a binary32 tells its whole numbers apart here.
fn told(value: f64) -> bool {
    value.abs() <= 16_777_216.0
}

/// The decimal of the fewest digits that read back as the same binary32: what the source itself prints.
fn shortest_single(value: f64, precision: u8, scale: u8) -> Option<i128> {
    if !told(value) || (value == 0.0 && value.is_sign_negative()) {
        return None;
    }
    let (unscaled, digits) = text::parse_decimal(&text::single(value))?;
    rescale(unscaled, digits, precision, scale)
}

/// A binary32 that is written with these digits and no others.
fn parse_single(written: &str) -> Option<f64> {
    let value = f64::from(written.parse::<f32>().ok()?);
    (plain(text::parse_decimal(written)?) == plain(text::parse_decimal(&text::single(value))?))
        .then_some(value)
}

/// A decimal without zeros at the end of its fraction.
fn plain((mut unscaled, mut scale): (i128, u8)) -> (i128, u8) {
    while scale > 0 && unscaled % 10 == 0 {
        (unscaled, scale) = (unscaled / 10, scale - 1);
    }
    (unscaled, scale)
}

fn parse_float(text: &str) -> Option<f64> {
    let (unscaled, _) = text::parse_decimal(text)?;
    if fits(unscaled, 15) { text.parse().ok() } else { None }
}
