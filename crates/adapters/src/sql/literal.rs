//! One value as a literal of a script, typed, in a spelling that no server setting changes.

use ecluse_core::fault::Result;
use ecluse_core::types::Engine;
use ecluse_core::value::Value;

use super::NO_SQL;
use crate::{civil, spelling};

/// The value as SQL text of this engine.
///
/// | engine | text |
/// |---|---|
/// | PostgreSQL | `E'…'::text`, backslashes and quotes doubled: read alike under both settings of `standard_conforming_strings` |
/// | MariaDB | `_utf8mb4'…'` of printable ASCII without quote and backslash, else `_utf8mb4 x'…'`: read alike under `NO_BACKSLASH_ESCAPES` and any character set |
/// | SQLite | `'…'`, quotes doubled |
///
/// # Errors
///
/// [`NO_SQL`] for U+0000, and for dates outside the years 1 to 9999.
pub fn literal(engine: Engine, value: &Value) -> Result<String> {
    let text = match engine {
        Engine::Postgresql => postgres(value),
        Engine::Mariadb => mariadb(value),
        Engine::Sqlite => sqlite(value),
        // files are asked nothing
        Engine::Csv => None,
    };
    text.ok_or_else(|| NO_SQL.fault(format!("a literal of type {} on {engine}", value.kind())))
}

fn postgres(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => if *b { "TRUE" } else { "FALSE" }.to_owned(),
        Value::Int(i) => format!("'{i}'::int8"),
        Value::Decimal { unscaled, scale } => format!("'{}'::numeric", spelling::decimal(*unscaled, *scale)),
        Value::Text(t) => {
            let escaped = without_nul(t)?.replace('\\', "\\\\").replace('\'', "''");
            format!("E'{escaped}'::text")
        }
        Value::Bytes(b) => format!("E'\\\\x{}'::bytea", hex(b)),
        Value::Date(d) => format!("'{}'::date", civil::format_date(*d)?),
        Value::Timestamp(t) => format!("'{}'::timestamp", civil::format_timestamp(*t)?),
        Value::Instant(t) => format!("'{}+00'::timestamptz", civil::format_timestamp(*t)?),
        Value::Time(t) => format!("'{}'::time", civil::format_time(*t)?),
        Value::Uuid(u) => format!("'{}'::uuid", hex(u)),
    })
}

fn mariadb(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => if *b { "1" } else { "0" }.to_owned(),
        Value::Int(i) => i.to_string(),
        // a number with a point is an exact DECIMAL; without one it would be an integer of 64 bits at most
        Value::Decimal { unscaled, scale: 0 } => format!("{unscaled}."),
        Value::Decimal { unscaled, scale } => spelling::decimal(*unscaled, *scale),
        Value::Text(t) => {
            let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'\'' && b != b'\\';
            if without_nul(t)?.bytes().all(plain) {
                format!("_utf8mb4'{t}'")
            } else {
                format!("_utf8mb4 x'{}'", hex(t.as_bytes()))
            }
        }
        Value::Bytes(b) => format!("x'{}'", hex(b)),
        Value::Date(d) => format!("DATE'{}'", civil::format_date(*d)?),
        Value::Timestamp(t) => format!("TIMESTAMP'{}'", civil::format_timestamp(*t)?),
        // compared as seconds since 1970, which the dialect has made of it already
        Value::Instant(_) => return None,
        Value::Time(t) => format!("TIME'{}'", civil::format_time(*t)?),
        Value::Uuid(u) => format!("'{}'", spelling::uuid(u)),
    })
}

fn sqlite(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => if *b { "1" } else { "0" }.to_owned(),
        // the smallest one has no positive counterpart to negate
        Value::Int(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Decimal { unscaled, scale } => spelling::decimal(*unscaled, *scale),
        Value::Text(t) => format!("'{}'", without_nul(t)?.replace('\'', "''")),
        Value::Bytes(b) => format!("x'{}'", hex(b)),
        Value::Date(d) => format!("'{}'", civil::format_date(*d)?),
        Value::Timestamp(t) => format!("'{}'", civil::format_timestamp(*t)?),
        Value::Instant(t) => format!("'{}+00:00'", civil::format_timestamp(*t)?),
        Value::Time(t) => format!("'{}'", civil::format_time(*t)?),
        Value::Uuid(u) => format!("'{}'", spelling::uuid(u)),
    })
}

fn without_nul(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
