//! Typed values as SQLite stores them: the inverse of `decode`.

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_core::value::Value;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use super::decode::to_real;
use super::types::Form;
use crate::{civil, spelling};

/// One column of a batch, its Arrow type known, and how its values are stored.
pub(super) enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8, Form),
    Float(&'a Float64Array),
    Text(&'a StringArray),
    Json(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Instant(&'a TimestampMicrosecondArray),
    Time(&'a Time64MicrosecondArray),
    Uuid(&'a FixedSizeBinaryArray),
}

impl<'a> Cells<'a> {
    /// The column as `form` stores it; `None` where its Arrow type is another.
    pub(super) fn new(form: Form, column: &'a ArrayRef) -> Option<Self> {
        let any = column.as_any();
        match form {
            Form::Bit => any.downcast_ref().map(Self::Bool),
            Form::Integer => any.downcast_ref().map(Self::Int),
            Form::Number | Form::DecimalText => {
                let array: &Decimal128Array = any.downcast_ref()?;
                Some(Self::Decimal(array, u8::try_from(array.scale()).ok()?, form))
            }
            Form::Real => any.downcast_ref().map(Self::Float),
            Form::Text => any.downcast_ref().map(Self::Text),
            Form::Json => any.downcast_ref().map(Self::Json),
            Form::Blob => any.downcast_ref().map(Self::Bytes),
            Form::Date => any.downcast_ref().map(Self::Date),
            Form::Timestamp => any.downcast_ref().map(Self::Timestamp),
            Form::Instant => any.downcast_ref().map(Self::Instant),
            Form::Time => any.downcast_ref().map(Self::Time),
            Form::Uuid => any.downcast_ref().map(Self::Uuid),
        }
    }

    /// One value as it is bound; `None` where SQLite could not give it back unchanged.
    pub(super) fn bind(&self, row: usize) -> Option<ToSqlOutput<'a>> {
        const NULL: ToSqlOutput<'static> = ToSqlOutput::Borrowed(ValueRef::Null);
        macro_rules! value {
            ($array:expr) => {{
                if $array.is_null(row) {
                    return Some(NULL);
                }
                $array.value(row)
            }};
        }
        let owned = match self {
            Self::Bool(a) => Stored::Integer(i64::from(value!(a))),
            Self::Int(a) => Stored::Integer(value!(a)),
            Self::Decimal(a, scale, Form::DecimalText) => Stored::Text(spelling::decimal(value!(a), *scale)),
            Self::Decimal(a, scale, _) => number(value!(a), *scale)?,
            Self::Float(a) => {
                let real = value!(a);
                // SQLite makes NULL of NaN, and +0 of -0
                if real.is_nan() || (real == 0.0 && real.is_sign_negative()) {
                    return None;
                }
                Stored::Real(real)
            }
            Self::Text(a) => return Some(ToSqlOutput::Borrowed(ValueRef::Text(value!(a).as_bytes()))),
            Self::Json(a) => {
                let json: &str = value!(a);
                // a bare number would be made a number by the column's affinity, its writing lost
                if json.trim_start().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                    return None;
                }
                return Some(ToSqlOutput::Borrowed(ValueRef::Text(json.as_bytes())));
            }
            Self::Bytes(a) => return Some(ToSqlOutput::Borrowed(ValueRef::Blob(value!(a)))),
            Self::Date(a) => Stored::Text(civil::format_date(value!(a))?),
            Self::Timestamp(a) => Stored::Text(civil::format_timestamp(value!(a))?),
            Self::Instant(a) => Stored::Text(instant(value!(a))?),
            Self::Time(a) => Stored::Text(civil::format_time(value!(a))?),
            Self::Uuid(a) => Stored::Text(spelling::uuid(value!(a))),
        };
        Some(ToSqlOutput::Owned(owned))
    }
}

/// A literal or a key's value as it is bound; `None` where SQLite could not hold it.
pub(super) fn literal(value: &Value) -> Option<Stored> {
    Some(match value {
        Value::Null => Stored::Null,
        Value::Bool(b) => Stored::Integer(i64::from(*b)),
        Value::Int(n) => Stored::Integer(*n),
        Value::Decimal { unscaled, scale } => number(*unscaled, *scale)?,
        Value::Text(text) => Stored::Text(text.clone()),
        Value::Bytes(bytes) => Stored::Blob(bytes.clone()),
        Value::Date(days) => Stored::Text(civil::format_date(*days)?),
        Value::Timestamp(micros) => Stored::Text(civil::format_timestamp(*micros)?),
        Value::Instant(micros) => Stored::Text(instant(*micros)?),
        Value::Time(micros) => Stored::Text(civil::format_time(*micros)?),
        Value::Uuid(bytes) => Stored::Text(spelling::uuid(bytes)),
    })
}

/// A decimal as a number: exact up to 15 digits ([`super::decode`]), else `None`.
fn number(unscaled: i128, scale: u8) -> Option<Stored> {
    if scale == 0 {
        return i64::try_from(unscaled).ok().map(Stored::Integer);
    }
    (unscaled.unsigned_abs() < 10_u128.pow(15)).then(|| to_real(unscaled, scale).map(Stored::Real))?
}

fn instant(micros: i64) -> Option<String> {
    Some(format!("{}+00:00", civil::format_timestamp(micros)?))
}
