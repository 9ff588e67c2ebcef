//! One stored value into a column: exactly the declared form, or a code.

use ecluse_core::fault::Code;
use rusqlite::types::ValueRef;

use super::types::Form;
use crate::civil;
use crate::columns::{Builder, Cell, NO_SUCH_TIME, NOT_EXACT, NOT_UTF8, WRONG_KIND, dated};

/// Appends one value stored as `form`.
pub(super) fn decode(form: Form, builder: &mut Builder, value: ValueRef<'_>) -> Cell {
    if matches!(value, ValueRef::Null) {
        return Ok(None);
    }
    match (form, builder) {
        (Form::Integer, Builder::Int(b)) => b.append_value(integer(value)?),
        (Form::Bit, Builder::Bool(b)) => match integer(value)? {
            0 => b.append_value(false),
            1 => b.append_value(true),
            _ => return Err(&WRONG_KIND),
        },
        (Form::Real, Builder::Float(b)) => match value {
            ValueRef::Real(real) => b.append_value(real),
            _ => return Err(&WRONG_KIND),
        },
        (Form::Number, Builder::Decimal { builder, precision, scale }) => {
            builder.append_value(number(value, *precision, *scale)?);
        }
        (Form::DecimalText, Builder::Decimal { builder, precision, scale }) => {
            builder.append_value(decimal(text(value)?, *precision, *scale).ok_or(&NOT_EXACT)?);
        }
        (Form::Text, Builder::Text(b)) | (Form::Json, Builder::Json(b)) => {
            let text = text(value)?;
            b.append_value(text);
            return Ok(Some(text.len()));
        }
        (Form::Blob, Builder::Bytes(b)) => match value {
            ValueRef::Blob(blob) => {
                b.append_value(blob);
                return Ok(Some(blob.len()));
            }
            _ => return Err(&WRONG_KIND),
        },
        (Form::Date, Builder::Date(b)) => {
            b.append_value(civil::parse_date(dated(text(value)?)?).ok_or(&NO_SUCH_TIME)?);
        }
        (Form::Timestamp, Builder::Timestamp(b)) => {
            b.append_value(civil::parse_timestamp(dated(text(value)?)?).ok_or(&NO_SUCH_TIME)?);
        }
        (Form::Instant, Builder::Instant(b)) => {
            let utc = dated(text(value)?)?.strip_suffix("+00:00").ok_or(&NO_SUCH_TIME)?;
            b.append_value(civil::parse_timestamp(utc).ok_or(&NO_SUCH_TIME)?);
        }
        (Form::Time, Builder::Time(b)) => {
            b.append_value(civil::parse_time(text(value)?).ok_or(&NO_SUCH_TIME)?);
        }
        (Form::Uuid, Builder::Uuid(b)) => {
            let uuid = uuid(text(value)?).ok_or(&WRONG_KIND)?;
            b.append_value(uuid).map_err(|_text_may_quote| &WRONG_KIND)?;
        }
        _ => return Err(&WRONG_KIND),
    }
    Ok(Some(8))
}

fn integer(value: ValueRef<'_>) -> Result<i64, &'static Code> {
    match value {
        ValueRef::Integer(integer) => Ok(integer),
        _ => Err(&WRONG_KIND),
    }
}

fn text(value: ValueRef<'_>) -> Result<&str, &'static Code> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|_position| &NOT_UTF8),
        _ => Err(&WRONG_KIND),
    }
}

/// A decimal from `INTEGER` or `REAL`.
///
/// A `REAL` is taken only where it is the double nearest to a decimal of the declared
/// scale with at most 15 digits: such decimals and their doubles correspond one to one
/// (IEEE 754 binary64 keeps 15 decimal digits), so the decimal is read, not guessed.
/// 0.1 + 0.2 in a `DECIMAL(10,2)` column is refused.
fn number(value: ValueRef<'_>, precision: u8, scale: u8) -> Result<i128, &'static Code> {
    let unscaled = match value {
        ValueRef::Integer(integer) => {
            i128::from(integer).checked_mul(10_i128.pow(u32::from(scale))).ok_or(&NOT_EXACT)?
        }
        ValueRef::Real(real) => from_real(real, scale).ok_or(&NOT_EXACT)?,
        _ => return Err(&WRONG_KIND),
    };
    (unscaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(unscaled).ok_or(&NOT_EXACT)
}

fn from_real(real: f64, scale: u8) -> Option<i128> {
    // the engine-neutral way to round a double to a number of decimals, correctly: its text
    let text = format!("{real:.0$}", usize::from(scale));
    let unscaled = decimal(&text, 38, scale)?;
    (unscaled.unsigned_abs() < 10_u128.pow(15) && to_real(unscaled, scale)? == real).then_some(unscaled)
}

/// The double nearest to `unscaled × 10^-scale`.
pub(super) fn to_real(unscaled: i128, scale: u8) -> Option<f64> {
    format!("{unscaled}e-{scale}").parse().ok()
}

/// `-12.30` with exactly `scale` digits after the point (and no point where that is 0),
/// as an unscaled number of at most `precision` digits. One text per number.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = match (scale, digits.split_once('.')) {
        (0, None) => (digits, ""),
        (0, Some(_)) | (_, None) => return None,
        (_, Some(parts)) => parts,
    };
    let one_form = whole == "0" || (!whole.is_empty() && !whole.starts_with('0'));
    if !one_form || fraction.len() != usize::from(scale) {
        return None;
    }
    let unscaled = whole.bytes().chain(fraction.bytes()).try_fold(0_i128, |n, digit| {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })?;
    (unscaled.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(sign * unscaled)
}

/// The 36 characters of a UUID in lower case, as its 16 bytes.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
    if lengths != [8, 4, 4, 4, 12] {
        return None;
    }
    data_encoding::HEXLOWER.decode(groups.concat().as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_is_a_decimal_only_where_one_decimal_has_that_double() {
        for (real, scale, unscaled) in
            [(1.1, 2, 110), (-0.07, 2, -7), (99_999_999.99, 2, 9_999_999_999), (5.0, 0, 5)]
        {
            assert_eq!(number(ValueRef::Real(real), 15, scale), Ok(unscaled));
        }
        assert_eq!(number(ValueRef::Integer(5), 10, 2), Ok(500), "the declared scale");
        for (real, scale) in
            [(0.1 + 0.2, 2), (1.005, 2), (1e15, 0), (f64::NAN, 2), (f64::INFINITY, 2), (1e300, 2)]
        {
            assert!(number(ValueRef::Real(real), 38, scale).is_err(), "{real}");
        }
        assert!(number(ValueRef::Integer(100), 4, 2).is_err(), "more digits than declared");
    }

    #[test]
    fn every_fifteen_digit_decimal_survives_its_double() {
        let mut unscaled = 1_i128;
        for step in 1..200_000_i128 {
            unscaled = (unscaled * 6_364_136_223_846_793_005 + step) % 1_000_000_000_000_000;
            for scale in [0, 2, 5, 15] {
                let real = to_real(unscaled, scale).unwrap();
                assert_eq!(from_real(real, scale), Some(unscaled), "scale {scale}");
            }
        }
    }

    #[test]
    fn a_decimal_has_one_text() {
        assert_eq!(decimal("-12.30", 4, 2), Some(-1230));
        assert_eq!(decimal("0.00", 4, 2), Some(0));
        for text in
            ["12.3", "12.300", "012.30", ".30", "12.", "+12.30", "1e2", "123.45", "12,30", "", "-", "--1.00"]
        {
            assert_eq!(decimal(text, 4, 2), None, "{text}");
        }
    }

    #[test]
    fn a_uuid_has_one_text() {
        assert!(uuid("00112233-4455-6677-8899-aabbccddeeff").is_some());
        for text in
            ["00112233-4455-6677-8899-AABBCCDDEEFF", "00112233445566778899aabbccddeeff", "{00112233-4455}"]
        {
            assert_eq!(uuid(text), None);
        }
    }
}
