//! Typed values as MariaDB's binary protocol takes them, where the column gives them back unchanged.
//!
//! Strict mode refuses much, but not all: MariaDB cuts microseconds that a column has no room
//! for, pads `BINARY(n)`, forgets blanks at the end of `CHAR(n)` and rounds `DOUBLE(m,d)`, without a
//! word. Such a value is refused here; such a column, before a row is sent.

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_core::types::Type;
use ecluse_flow::ports::Refusal;
use mysql_async::Value;

use crate::{civil, spelling};

/// How a column holds its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `TINYINT` to `BIGINT`.
    Int,
    /// `DECIMAL`.
    Decimal,
    /// `DOUBLE`.
    Double,
    /// `FLOAT`: binary32.
    Single,
    /// `VARCHAR` and the `TEXT` family; `padded`: `CHAR`, which forgets blanks at the end.
    Text {
        /// Whether it is `CHAR`.
        padded: bool,
    },
    /// `VARBINARY` and the `BLOB` family; of `BINARY(n)`, exactly so many.
    Bytes(Option<usize>),
    /// `DATE`.
    Date,
    /// `DATETIME`: whole multiples of so many microseconds.
    Timestamp(i64),
    /// `TIMESTAMP`: the same, from 1970 on.
    Instant(i64),
    /// `TIME`: the same.
    Time(i64),
    /// `UUID`.
    Uuid,
}

/// The form of a column by the engine's own words; `None` where écluse does not write it exactly.
pub(super) fn form(sql_type: &str, ty: Type) -> Option<Form> {
    let (word, rest) = sql_type.split_at(sql_type.find(['(', ' ']).unwrap_or(sql_type.len()));
    let argument = || rest.strip_prefix('(')?.split(')').next()?.parse::<u32>().ok();
    let unit = || match argument() {
        None if rest.starts_with('(') => None,
        digits => Some(10_i64.pow(6_u32.checked_sub(digits.unwrap_or(0))?)),
    };
    match (word, ty) {
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", Type::Int) => Some(Form::Int),
        ("decimal", Type::Decimal { .. }) => Some(Form::Decimal),
        // DOUBLE(m,d) rounds to d digits
        ("double", Type::Float) if !rest.starts_with('(') => Some(Form::Double),
        ("float", Type::Float | Type::Single) if !rest.starts_with('(') => Some(Form::Single),
        ("char", Type::Text) => Some(Form::Text { padded: true }),
        ("varchar" | "tinytext" | "text" | "mediumtext" | "longtext", Type::Text) => {
            Some(Form::Text { padded: false })
        }
        ("binary", Type::Bytes) => Some(Form::Bytes(Some(usize::try_from(argument()?).ok()?))),
        ("varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", Type::Bytes) => {
            Some(Form::Bytes(None))
        }
        ("date", Type::Date) => Some(Form::Date),
        ("datetime", Type::Timestamp) => Some(Form::Timestamp(unit()?)),
        ("timestamp", Type::Instant) => Some(Form::Instant(unit()?)),
        ("time", Type::Time) => Some(Form::Time(unit()?)),
        ("uuid", Type::Uuid) => Some(Form::Uuid),
        _ => None,
    }
}

/// One column of a batch, its Arrow type known.
enum Values<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Float(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Moment(&'a TimestampMicrosecondArray),
    Time(&'a Time64MicrosecondArray),
    Uuid(&'a FixedSizeBinaryArray),
}

/// One column of a batch and the column it goes to.
pub(super) struct Cells<'a> {
    array: &'a ArrayRef,
    values: Values<'a>,
    form: Form,
    nullable: bool,
}

impl<'a> Cells<'a> {
    /// The column as `form` holds it; `None` where its Arrow type is another.
    pub(super) fn new(form: Form, nullable: bool, array: &'a ArrayRef) -> Option<Self> {
        let any = array.as_any();
        let values = match form {
            Form::Int => match any.downcast_ref() {
                Some(ints) => Values::Int(ints),
                None => Values::Bool(any.downcast_ref()?),
            },
            Form::Decimal => {
                let decimals: &Decimal128Array = any.downcast_ref()?;
                Values::Decimal(decimals, u8::try_from(decimals.scale()).ok()?)
            }
            Form::Double | Form::Single => Values::Float(any.downcast_ref()?),
            Form::Text { .. } => Values::Text(any.downcast_ref()?),
            Form::Bytes(_) => Values::Bytes(any.downcast_ref()?),
            Form::Date => Values::Date(any.downcast_ref()?),
            Form::Timestamp(_) | Form::Instant(_) => Values::Moment(any.downcast_ref()?),
            Form::Time(_) => Values::Time(any.downcast_ref()?),
            Form::Uuid => Values::Uuid(any.downcast_ref()?),
        };
        Some(Self { array, values, form, nullable })
    }

    /// One value as it is bound.
    pub(super) fn bind(&self, row: usize) -> Result<Value, Refusal> {
        if self.array.is_null(row) {
            // a NULL would be a new number, or the hour of now, in columns that fill themselves
            return if self.nullable { Ok(Value::NULL) } else { Err(Refusal::NotNull) };
        }
        match &self.values {
            Values::Bool(a) => Some(Value::Int(i64::from(a.value(row)))),
            Values::Int(a) => Some(Value::Int(a.value(row))),
            Values::Decimal(a, scale) => {
                Some(Value::Bytes(spelling::decimal(a.value(row), *scale).into_bytes()))
            }
            Values::Float(a) => float(a.value(row), self.form),
            Values::Text(a) => text(a.value(row), self.form),
            Values::Bytes(a) => bytes(a.value(row), self.form),
            Values::Date(a) => moment(i64::from(a.value(row)).checked_mul(civil::DAY), 1),
            Values::Moment(a) => at(a.value(row), self.form),
            Values::Time(a) => time(a.value(row), self.form),
            Values::Uuid(a) => Some(Value::Bytes(spelling::uuid(a.value(row)).into_bytes())),
        }
        .ok_or(Refusal::Value)
    }
}

/// MariaDB has no NaN, no infinities and no negative zero; binary32 takes what it loses nothing of.
fn float(value: f64, form: Form) -> Option<Value> {
    if !value.is_finite() || (value == 0.0 && value.is_sign_negative()) {
        return None;
    }
    if form != Form::Single {
        return Some(Value::Double(value));
    }
    #[expect(clippy::cast_possible_truncation, reason = "compared with what went in, on the next line")]
    let narrow = value as f32;
    (f64::from(narrow).to_bits() == value.to_bits()).then_some(Value::Float(narrow))
}

fn text(value: &str, form: Form) -> Option<Value> {
    let loses = form == Form::Text { padded: true } && value.ends_with(' ');
    (!loses).then(|| Value::Bytes(value.as_bytes().to_vec()))
}

fn bytes(value: &[u8], form: Form) -> Option<Value> {
    let padded = matches!(form, Form::Bytes(Some(length)) if length != value.len());
    (!padded).then(|| Value::Bytes(value.to_vec()))
}

fn at(micros: i64, form: Form) -> Option<Value> {
    match form {
        Form::Timestamp(unit) => moment(Some(micros), unit),
        // the engine keeps second 0 for the zero date
        Form::Instant(unit) if micros >= 1_000_000 => moment(Some(micros), unit),
        _ => None,
    }
}

/// A date and time of the years 0001 to 9999, of whole units.
fn moment(micros: Option<i64>, unit: i64) -> Option<Value> {
    let micros = micros.filter(|micros| micros % unit == 0)?;
    let (year, month, day) = civil::date(i32::try_from(micros.div_euclid(civil::DAY)).ok()?)?;
    let (hour, minute, second, fraction) = parts(micros.rem_euclid(civil::DAY))?;
    let (year, month, day) = (u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    Some(Value::Date(year, month, day, hour, minute, second, fraction))
}

fn time(micros: i64, form: Form) -> Option<Value> {
    let Form::Time(unit) = form else { return None };
    if !(0..civil::DAY).contains(&micros) || micros % unit != 0 {
        return None;
    }
    let (hour, minute, second, fraction) = parts(micros)?;
    Some(Value::Time(false, 0, hour, minute, second, fraction))
}

/// Hours, minutes, seconds and microseconds of a time of day.
fn parts(micros: i64) -> Option<(u8, u8, u8, u32)> {
    let seconds = micros / 1_000_000;
    let small = |n: i64| u8::try_from(n).ok();
    let fraction = u32::try_from(micros % 1_000_000).ok()?;
    Some((small(seconds / 3600)?, small(seconds / 60 % 60)?, small(seconds % 60)?, fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_would_change_values_in_silence_has_no_form() {
        for (sql_type, ty, expected) in [
            ("int(10) unsigned", Type::Int, Some(Form::Int)),
            ("double", Type::Float, Some(Form::Double)),
            ("double unsigned", Type::Float, Some(Form::Double)),
            ("double(10,2)", Type::Float, None),
            ("float(7,3)", Type::Single, None),
            ("float unsigned", Type::Single, Some(Form::Single)),
            ("char(4)", Type::Text, Some(Form::Text { padded: true })),
            ("binary(3)", Type::Bytes, Some(Form::Bytes(Some(3)))),
            ("datetime", Type::Timestamp, Some(Form::Timestamp(1_000_000))),
            ("datetime(3)", Type::Timestamp, Some(Form::Timestamp(1_000))),
            ("timestamp(6)", Type::Instant, Some(Form::Instant(1))),
            ("enum('A','B')", Type::Text, None),
            ("bit(1)", Type::Bool, None),
            ("year(4)", Type::Int, None),
        ] {
            assert_eq!(form(sql_type, ty), expected, "{sql_type}");
        }
    }

    #[test]
    fn what_the_column_would_cut_is_refused() {
        assert_eq!(moment(Some(1_500), 1_000), None);
        assert_eq!(moment(Some(-1), 1), Some(Value::Date(1969, 12, 31, 23, 59, 59, 999_999)));
        assert_eq!(at(999_999, Form::Instant(1)), None);
        assert_eq!(at(1_000_000, Form::Instant(1)), Some(Value::Date(1970, 1, 1, 0, 0, 1, 0)));
        assert_eq!(time(civil::DAY, Form::Time(1)), None);
        assert_eq!(text("a ", Form::Text { padded: true }), None);
        assert_eq!(bytes(&[1, 2], Form::Bytes(Some(3))), None);
        assert_eq!(float(f64::INFINITY, Form::Double), None);
        assert_eq!(float(-0.0, Form::Double), None);
        assert_eq!(float(0.1, Form::Single), None);
        assert_eq!(float(0.5, Form::Single), Some(Value::Float(0.5)));
    }
}
