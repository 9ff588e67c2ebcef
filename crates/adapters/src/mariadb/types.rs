//! MariaDB's types, and one value of each into a column.
//!
//! A type without an exact counterpart is refused in the catalogue; a value without one
//! (a zero date, a `BIGINT UNSIGNED` past 2^63) refuses its row by code. The table in
//! `docs/formats.md` ("Types: MariaDB") is this module's.

pub(crate) use ecluse_batch::from_latin1;
use ecluse_core::types::Type;
use mysql_async::Value;

use crate::civil;
use crate::columns::{Builder, Cell, NO_SUCH_TIME, NOT_EXACT, NOT_UTF8, WRONG_KIND, ZERO_DATE};

/// A column's type as `information_schema.columns` tells it.
pub(crate) struct Told<'a> {
    /// `DATA_TYPE`: `int`.
    pub(crate) data_type: &'a str,
    /// `COLUMN_TYPE`: `int(10) unsigned`.
    pub(crate) column_type: &'a str,
    /// `CHARACTER_SET_NAME`; empty for what is not text.
    pub(crate) charset: &'a str,
    /// `NUMERIC_PRECISION`.
    pub(crate) precision: Option<u64>,
    /// `NUMERIC_SCALE`.
    pub(crate) scale: Option<u64>,
}

/// The type on the way; `None` where écluse refuses it.
pub(crate) fn understood(told: &Told<'_>) -> Option<Type> {
    match told.data_type {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Some(Type::Int),
        "decimal" => {
            let (precision, scale) = (u8::try_from(told.precision?).ok()?, u8::try_from(told.scale?).ok()?);
            let carried = (1..=38).contains(&precision) && scale <= precision;
            // up to 65 digits: as the server's text, every one kept (decision 0022)
            Some(if carried { Type::Decimal { precision, scale } } else { Type::Text })
        }
        "year" => Some(Type::Int),
        "bit" => Some(if told.precision == Some(1) { Type::Bool } else { Type::Int }),
        "float" => Some(Type::Single),
        "double" => Some(Type::Float),
        // MariaDB's JSON is LONGTEXT with a check: text, exactly as it was written
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" => {
            matches!(told.charset, "utf8" | "utf8mb3" | "utf8mb4" | "ascii" | "latin1").then_some(Type::Text)
        }
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Some(Type::Bytes),
        "date" => Some(Type::Date),
        "datetime" => Some(Type::Timestamp),
        "timestamp" => Some(Type::Instant),
        "time" => Some(Type::Time),
        "uuid" => Some(Type::Uuid),
        "inet4" | "inet6" => Some(Type::Text),
        // geometry: never guessed
        _ => None,
    }
}

/// Whether a column of a destination can take the type: none whose value would have to be read out of a
/// print again.
pub(crate) fn writable(sql_type: &str, ty: Type) -> bool {
    let word = sql_type.split(['(', ' ']).next().unwrap_or_default();
    match word {
        "enum" | "set" | "year" | "bit" | "inet4" | "inet6" => false,
        "decimal" => ty != Type::Text,
        _ => true,
    }
}

/// The inclusive bounds of a whole-number type, as far as 64 signed bits go.
pub(crate) fn int_bounds(told: &Told<'_>) -> Option<(i64, i64)> {
    let bits = match told.data_type {
        "year" => return Some((0, 2155)),
        "bit" => {
            let bits = told.precision.and_then(|n| u32::try_from(n).ok())?;
            return Some((0, 1_i64.checked_shl(bits).filter(|_| bits < 63).map_or(i64::MAX, |n| n - 1)));
        }
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    let unsigned = told.column_type.contains("unsigned");
    Some(match (unsigned, bits) {
        (false, 64) => (i64::MIN, i64::MAX),
        (true, 64) => (0, i64::MAX),
        (false, bits) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        (true, bits) => (0, (1 << bits) - 1),
    })
}

/// Appends one value; `latin1` says how a text's bytes are meant.
pub(super) fn decode(builder: &mut Builder, value: &Value, latin1: bool) -> Cell {
    match (builder, value) {
        (_, Value::NULL) => return Ok(None),
        (Builder::Int(b), Value::Int(n)) => b.append_value(*n),
        (Builder::Int(b), Value::UInt(n)) => {
            b.append_value(i64::try_from(*n).map_err(|_past_2_63| &NOT_EXACT)?);
        }
        // a bit string, most significant byte first
        (Builder::Int(b), Value::Bytes(bits)) => b.append_value(bit(bits)?),
        (Builder::Bool(b), Value::Bytes(bits)) => b.append_value(bit(bits)? != 0),
        (Builder::Float(b), Value::Float(n)) => b.append_value(f64::from(*n)),
        (Builder::Float(b), Value::Double(n)) => b.append_value(*n),
        (Builder::Decimal { builder, precision, scale }, Value::Bytes(text)) => {
            builder.append_value(decimal(text, *precision, *scale).ok_or(&NOT_EXACT)?);
        }
        (Builder::Text(b) | Builder::Json(b), Value::Bytes(bytes)) => {
            if latin1 && !bytes.is_ascii() {
                let text: String = bytes.iter().map(|byte| from_latin1(*byte)).collect();
                b.append_value(&text);
            } else {
                b.append_value(std::str::from_utf8(bytes).map_err(|_position| &NOT_UTF8)?);
            }
            return Ok(Some(bytes.len()));
        }
        (Builder::Bytes(b), Value::Bytes(bytes)) => {
            b.append_value(bytes);
            return Ok(Some(bytes.len()));
        }
        (
            Builder::Date(_) | Builder::Timestamp(_) | Builder::Instant(_),
            Value::Date(0, 0, 0, 0, 0, 0, 0),
        ) => {
            return Err(&ZERO_DATE);
        }
        (Builder::Date(b), Value::Date(year, month, day, 0, 0, 0, 0)) => {
            b.append_value(days(*year, *month, *day)?);
        }
        (Builder::Timestamp(b) | Builder::Instant(b), Value::Date(year, month, day, h, m, s, micros)) => {
            let time = time_of_day(0, *h, *m, *s, *micros).ok_or(&NO_SUCH_TIME)?;
            b.append_value(i64::from(days(*year, *month, *day)?) * civil::DAY + time);
        }
        (Builder::Time(b), Value::Time(false, days, h, m, s, micros)) => {
            b.append_value(time_of_day(*days, *h, *m, *s, *micros).ok_or(&NO_SUCH_TIME)?);
        }
        // MariaDB's TIME is a duration of up to 838 hours, before or after; a time of day it need not be
        (Builder::Time(_), Value::Time(true, ..)) => return Err(&NO_SUCH_TIME),
        (Builder::Uuid(b), Value::Bytes(text)) => {
            let bytes = uuid(text).ok_or(&WRONG_KIND)?;
            b.append_value(bytes).map_err(|_text_may_quote| &WRONG_KIND)?;
        }
        _ => return Err(&WRONG_KIND),
    }
    Ok(Some(8))
}

fn bit(bytes: &[u8]) -> Result<i64, &'static ecluse_core::fault::Code> {
    let lead = 8_usize.checked_sub(bytes.len()).ok_or(&WRONG_KIND)?;
    let mut whole = [0; 8];
    whole.iter_mut().skip(lead).zip(bytes).for_each(|(to, from)| *to = *from);
    i64::try_from(u64::from_be_bytes(whole)).map_err(|_past_2_63| &NOT_EXACT)
}

fn days(year: u16, month: u8, day: u8) -> Result<i32, &'static ecluse_core::fault::Code> {
    civil::days(i32::from(year), u32::from(month), u32::from(day)).ok_or(&NO_SUCH_TIME)
}

fn time_of_day(days: u32, hours: u8, minutes: u8, seconds: u8, micros: u32) -> Option<i64> {
    let whole = (i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    let micros = whole * 1_000_000 + i64::from(micros);
    (days == 0 && micros < civil::DAY).then_some(micros)
}

/// `-12.30` as the server writes it, of exactly that scale.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|b| *b == b'.');
    let fraction = point.map_or(0, |at| digits.len() - at - 1);
    if fraction != usize::from(scale) {
        return None;
    }
    let unscaled = digits.iter().filter(|b| **b != b'.').try_fold(0_i128, |n, digit| {
        let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })?;
    let fits = unscaled.unsigned_abs() < 10_u128.pow(u32::from(precision));
    fits.then_some(if negative { -unscaled } else { unscaled })
}

/// Hexadecimal digits, hyphens between them or not.
pub(crate) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let hex: Vec<u8> = text.iter().copied().filter(|b| *b != b'-').collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(&hex).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(data_type: &'a str, column_type: &'a str, charset: &'a str) -> Told<'a> {
        Told { data_type, column_type, charset, precision: Some(10), scale: Some(2) }
    }

    #[test]
    fn types_are_understood_exactly_or_not_at_all() {
        assert_eq!(
            understood(&told("decimal", "decimal(10,2)", "")),
            Some(Type::Decimal { precision: 10, scale: 2 })
        );
        assert_eq!(understood(&told("varchar", "varchar(9)", "latin1")), Some(Type::Text));
        for (data_type, charset) in [("varchar", "ucs2"), ("text", "sjis"), ("enum", "ucs2"), ("point", "")] {
            assert_eq!(understood(&told(data_type, data_type, charset)), None, "{data_type}");
        }
        let wide = Told { precision: Some(65), ..told("decimal", "decimal(65,2)", "") };
        assert_eq!(understood(&wide), Some(Type::Text));
    }

    #[test]
    fn bit_strings_are_numbers_without_a_sign() {
        for (bytes, number) in
            [(&[1_u8][..], 1), (&[0x01, 0x00], 256), (&[0x7f, 255, 255, 255, 255, 255, 255, 255], i64::MAX)]
        {
            assert_eq!(bit(bytes), Ok(number));
        }
        assert_eq!(bit(&[0x80, 0, 0, 0, 0, 0, 0, 0]), Err(&NOT_EXACT));
        assert_eq!(bit(&[0; 9]), Err(&WRONG_KIND));
        for (bits, most) in [(1, 1), (8, 255), (62, (1 << 62) - 1), (63, i64::MAX), (64, i64::MAX)] {
            let told = Told { precision: Some(bits), ..told("bit", "bit", "") };
            assert_eq!(int_bounds(&told), Some((0, most)), "{bits}");
        }
    }

    #[test]
    fn bounds_are_the_types() {
        for (data_type, column_type, bounds) in [
            ("tinyint", "tinyint(1)", (-128, 127)),
            ("tinyint", "tinyint(3) unsigned", (0, 255)),
            ("mediumint", "mediumint(9)", (-8_388_608, 8_388_607)),
            ("int", "int(10) unsigned", (0, 4_294_967_295)),
            ("bigint", "bigint(20) unsigned", (0, i64::MAX)),
        ] {
            assert_eq!(int_bounds(&told(data_type, column_type, "")), Some(bounds));
        }
    }

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal(b"-12.30", 10, 2), Some(-1230));
        assert_eq!(decimal(b"0.05", 10, 2), Some(5));
        assert_eq!(decimal(b"7", 10, 0), Some(7));
        for text in ["12.3", "12", "1e2", "123456789.00", ""] {
            assert_eq!(decimal(text.as_bytes(), 10, 2).filter(|_| text != "123456789.00"), None, "{text}");
        }
    }
}
