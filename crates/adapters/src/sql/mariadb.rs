//! MariaDB.

use std::borrow::Cow;

use ecluse_core::types::Type;
use ecluse_core::value::Value;

use super::select::Named;

/// Every other collation of MariaDB ignores case, accents or trailing spaces (`utf8mb4_bin`
/// the last); this one compares code points, whose order is that of their UTF-8 bytes.
const BYTES: &str = "COLLATE utf8mb4_nopad_bin";

/// The column as it is compared; `None` where MariaDB has no exact way.
///
/// - text is brought to utf8mb4 first: `latin1` bytes are no UTF-8;
/// - `TIMESTAMP` as its inner number: a comparison with a date would go through the session's zone;
/// - booleans are numbers, of which only 0 is false.
pub(super) fn operand(column: &Named, ty: Type) -> Option<String> {
    let sql = &column.sql;
    match ty {
        Type::Text => Some(format!("CONVERT({sql} USING utf8mb4) {BYTES}")),
        Type::Instant => Some(format!("UNIX_TIMESTAMP({sql})")),
        Type::Bool => Some(format!("({sql} <> 0)")),
        Type::Int | Type::Decimal { .. } | Type::Bytes | Type::Date | Type::Timestamp | Type::Time => {
            Some(sql.clone())
        }
        Type::Uuid => Some(sql.clone()),
        Type::Float | Type::Single | Type::Json => None,
    }
}

pub(super) fn starts_with(operand: &str, value: &str, characters: usize) -> String {
    // the collation belongs to the comparison, so it is said again outside LEFT
    let inner = operand.strip_suffix(BYTES).unwrap_or(operand).trim_end();
    format!("LEFT({inner}, {characters}) {BYTES} = {value}")
}

/// An instant is compared as seconds since 1970 with six decimals.
pub(super) fn bindable(value: &Value, ty: Type) -> Value {
    match (value, ty) {
        (Value::Instant(micros), Type::Instant) => Value::Decimal { unscaled: i128::from(*micros), scale: 6 },
        _ => value.clone(),
    }
}

/// The parameter's place, with the type that a text on the wire must be given: MariaDB would
/// compare a decimal with a text as binary64.
pub(super) fn parameter(value: &Value) -> Cow<'static, str> {
    match value {
        Value::Decimal { scale, .. } => Cow::Owned(format!("CAST(? AS DECIMAL(65,{scale}))")),
        Value::Date(_) => Cow::Borrowed("CAST(? AS DATE)"),
        Value::Timestamp(_) | Value::Instant(_) => Cow::Borrowed("CAST(? AS DATETIME(6))"),
        Value::Time(_) => Cow::Borrowed("CAST(? AS TIME(6))"),
        Value::Bytes(_) => Cow::Borrowed("CAST(? AS BINARY)"),
        _ => Cow::Borrowed("?"),
    }
}
