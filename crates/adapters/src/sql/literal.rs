//! One value as a literal of a script, typed, in a spelling that no server setting changes.

use ecluse_core::fault::Result;
use ecluse_core::types::Engine;
use ecluse_core::value::Value;
use jiff::Span;
use jiff::civil::Date;

use super::NO_SQL;

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
    };
    text.ok_or_else(|| NO_SQL.fault(format!("a literal of type {} on {engine}", value.kind())))
}

fn postgres(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => if *b { "TRUE" } else { "FALSE" }.to_owned(),
        Value::Int(i) => format!("'{i}'::int8"),
        Value::Decimal { unscaled, scale } => format!("'{}'::numeric", decimal(*unscaled, *scale)),
        Value::Text(t) => {
            let escaped = without_nul(t)?.replace('\\', "\\\\").replace('\'', "''");
            format!("E'{escaped}'::text")
        }
        Value::Bytes(b) => format!("E'\\\\x{}'::bytea", hex(b)),
        Value::Date(d) => format!("'{}'::date", date(*d)?),
        Value::Timestamp(t) => format!("'{}'::timestamp", moment(*t)?),
        Value::Instant(t) => format!("'{}+00'::timestamptz", moment(*t)?),
        Value::Time(t) => format!("'{}'::time", clock(*t)?),
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
        Value::Decimal { unscaled, scale } => decimal(*unscaled, *scale),
        Value::Text(t) => {
            let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'\'' && b != b'\\';
            if without_nul(t)?.bytes().all(plain) {
                format!("_utf8mb4'{t}'")
            } else {
                format!("_utf8mb4 x'{}'", hex(t.as_bytes()))
            }
        }
        Value::Bytes(b) => format!("x'{}'", hex(b)),
        Value::Date(d) => format!("DATE'{}'", date(*d)?),
        Value::Timestamp(t) => format!("TIMESTAMP'{}'", moment(*t)?),
        // compared as seconds since 1970, which the dialect has made of it already
        Value::Instant(_) => return None,
        Value::Time(t) => format!("TIME'{}'", clock(*t)?),
        Value::Uuid(u) => format!("'{}'", hyphened(u)),
    })
}

fn sqlite(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => if *b { "1" } else { "0" }.to_owned(),
        // the smallest one has no positive counterpart to negate
        Value::Int(i64::MIN) => "(-9223372036854775807 - 1)".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Decimal { unscaled, scale } => decimal(*unscaled, *scale),
        Value::Text(t) => format!("'{}'", without_nul(t)?.replace('\'', "''")),
        Value::Bytes(b) => format!("x'{}'", hex(b)),
        Value::Date(d) => format!("'{}'", date(*d)?),
        Value::Timestamp(t) => format!("'{}'", moment(*t)?),
        Value::Instant(t) => format!("'{}+00:00'", moment(*t)?),
        Value::Time(t) => format!("'{}'", clock(*t)?),
        Value::Uuid(u) => format!("'{}'", hyphened(u)),
    })
}

fn without_nul(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn hyphened(uuid: &[u8; 16]) -> String {
    let mut text = hex(uuid);
    for place in [20, 16, 12, 8] {
        text.insert(place, '-');
    }
    text
}

fn decimal(unscaled: i128, scale: u8) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    match digits.split_at_checked(digits.len() - scale) {
        Some((whole, fraction)) if scale > 0 => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
    }
}

fn date(days: i32) -> Option<String> {
    let date = Date::constant(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()?;
    (1..=9999).contains(&date.year()).then(|| date.to_string())
}

fn moment(micros: i64) -> Option<String> {
    const DAY: i64 = 86_400_000_000;
    let day = date(i32::try_from(micros.div_euclid(DAY)).ok()?)?;
    Some(format!("{day} {}", clock(micros.rem_euclid(DAY))?))
}

fn clock(micros: i64) -> Option<String> {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    if !(0..86_400).contains(&seconds) {
        return None;
    }
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!("{fraction:06}");
    let fraction = fraction.trim_end_matches('0');
    // trimmed: SQLite's stored form has one text per moment
    Some(if fraction.is_empty() { clock } else { format!("{clock}.{fraction}") })
}
