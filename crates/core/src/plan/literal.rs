//! Texts of a document as values of a column's type.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, Unit};

use crate::catalog::Column;
use crate::mapping::Constant;
use crate::types::Type;
use crate::value::Value;

/// A constant as a value of the destination's column; `None` where it does not fit exactly.
pub(super) fn constant(constant: &Constant, column: &Column, ty: Type) -> Option<Value> {
    let value = match (constant, ty) {
        (Constant::Text(text), _) => typed(text, ty),
        (Constant::Int(n), Type::Int) => Some(Value::Int(*n)),
        (Constant::Int(n), Type::Decimal { .. }) => typed(&n.to_string(), ty),
        (Constant::Bool(flag), Type::Bool) => Some(Value::Bool(*flag)),
        (Constant::Moment(text), Type::Date | Type::Timestamp | Type::Instant | Type::Time) => {
            typed(text, ty)
        }
        _ => None,
    }?;
    let fits = match &value {
        Value::Int(n) => column.int_bounds.is_none_or(|(low, high)| (low..=high).contains(n)),
        Value::Text(text) => {
            column.max_length.is_none_or(|most| u32::try_from(text.chars().count()).is_ok_and(|n| n <= most))
                && (column.labels.is_empty() || column.labels.contains(text))
        }
        _ => true,
    };
    fits.then_some(value)
}

/// A text as a value of a type: whole numbers, decimals (`12.50`), `true`, dates and times in
/// ISO 8601, UUIDs in groups. `None` where it is none, or where digits would be lost.
#[must_use]
pub fn typed(text: &str, ty: Type) -> Option<Value> {
    match ty {
        Type::Text => Some(Value::Text(text.to_owned())),
        Type::Int => text.parse().ok().map(Value::Int),
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::Decimal { precision, scale } => decimal(text, precision, scale),
        Type::Date => text.parse::<Date>().ok().and_then(days).map(Value::Date),
        Type::Timestamp => {
            let moment: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
            let midnight = i64::from(days(moment.date())?).checked_mul(86_400_000_000)?;
            midnight.checked_add(micros(moment.time())?).map(Value::Timestamp)
        }
        Type::Instant => text.parse::<Timestamp>().ok().map(|t| Value::Instant(t.as_microsecond())),
        Type::Time => text.parse::<Time>().ok().and_then(micros).map(Value::Time),
        Type::Uuid => uuid(text).map(Value::Uuid),
        Type::Float | Type::Single | Type::Bytes | Type::Json => None,
    }
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<Value> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !plain(digits) || !plain(fraction) || fraction.len() > usize::from(scale) {
        return None;
    }
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(scale));
    let unscaled: i128 = padded.parse().ok()?;
    let most = 10_u128.checked_pow(u32::from(precision))?;
    (unscaled.unsigned_abs() < most).then_some(Value::Decimal { unscaled, scale })
}

fn days(date: Date) -> Option<i32> {
    let epoch = Date::new(1970, 1, 1).ok()?;
    epoch.until((Unit::Day, date)).ok().map(|span| span.get_days())
}

fn micros(time: Time) -> Option<i64> {
    let midnight = Time::midnight();
    let span = midnight.until((Unit::Nanosecond, time)).ok()?;
    let nanos = span.get_nanoseconds();
    (nanos % 1_000 == 0).then_some(nanos / 1_000)
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return None;
    }
    let hex = text.replace('-', "").to_ascii_lowercase();
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_exact_values_or_nothing() {
        let d = Type::Decimal { precision: 5, scale: 2 };
        for (text, ty, want) in [
            ("12", Type::Int, Some(Value::Int(12))),
            ("12.0", Type::Int, None),
            ("1.5", d, Some(Value::Decimal { unscaled: 150, scale: 2 })),
            ("-0.05", d, Some(Value::Decimal { unscaled: -5, scale: 2 })),
            ("1.505", d, None),
            ("1000", d, None),
            ("+1", d, None),
            ("1970-01-02", Type::Date, Some(Value::Date(1))),
            ("1969-12-31", Type::Date, Some(Value::Date(-1))),
            ("1970-01-01 00:00:01", Type::Timestamp, Some(Value::Timestamp(1_000_000))),
            ("1969-12-31T23:59:59.5", Type::Timestamp, Some(Value::Timestamp(-500_000))),
            ("1970-01-01T01:00:00+01:00", Type::Instant, Some(Value::Instant(0))),
            ("00:00:01", Type::Time, Some(Value::Time(1_000_000))),
            (
                "00000000-0000-0000-0000-0000000000ff",
                Type::Uuid,
                Some(Value::Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255])),
            ),
            ("00000000000000000000000000000000000f", Type::Uuid, None),
            ("yes", Type::Bool, None),
        ] {
            assert!(typed(text, ty) == want, "{text} as {ty}");
        }
    }
}
