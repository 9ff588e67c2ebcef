//! One value of a dump into a column, by the rules of the live engine's text.
//!
//! | type | PostgreSQL (`COPY`) | MariaDB (`INSERT`) |
//! |---|---|---|
//! | bytes | `\x` and hexadecimal digits | a quoted text's bytes, or `0x…` |
//! | instant | with its offset | in UTC: the dump must say `TIME_ZONE='+00:00'` |
//! | `float`, `real` | the shortest text of a binary32 | as the server printed it, which may be less than it holds |
//! | text, json | in the dump's encoding | the same |
//!
//! Years before 1 or after 9999, infinities of dates and times of 24:00 have no exact counterpart
//! here and refuse their row by code.

use ecluse_core::types::Engine;

use crate::civil;
use crate::columns::{Builder, Cell, NO_SUCH_TIME, NOT_EXACT, NOT_UTF8, WRONG_KIND, dated};
use crate::mariadb::types::{decimal, from_latin1, uuid};

/// One value as it stood in the dump; its bytes are used again for the next row.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) form: Form,
    pub(super) bytes: Vec<u8>,
}

/// How a value stood there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Null,
    /// A `COPY` field, or in quotes.
    Text,
    /// A number without quotes.
    Bare,
    /// `0x` and hexadecimal digits, without the `0x`.
    Hex,
}

/// The encoding that the dump declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// Windows-1252, which MariaDB calls latin1.
    Windows1252,
}

/// What decides how a column's values are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) engine: Engine,
    pub(super) encoding: Encoding,
    /// `char(n)`: trailing blanks carry no meaning.
    pub(super) padded: bool,
    /// A binary32.
    pub(super) single: bool,
}

impl Shape {
    /// Of a column whose type the catalogue writes so.
    pub(super) fn of(engine: Engine, encoding: Encoding, sql_type: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|w| sql_type.starts_with(w));
        Self {
            engine,
            encoding,
            padded: engine == Engine::Postgresql
                && (begins(&["character(", "char(", "bpchar"]) || matches!(sql_type, "character" | "char")),
            // MariaDB's REAL is a DOUBLE
            single: begins(if engine == Engine::Mariadb { &["float"] } else { &["real"] }),
        }
    }
}

/// Appends one value.
pub(super) fn decode(shape: Shape, builder: &mut Builder, raw: &Raw) -> Cell {
    if raw.form == Form::Null {
        return Ok(None);
    }
    let bytes = raw.bytes.as_slice();
    if let Builder::Bytes(b) = builder {
        let value = match (shape.engine, raw.form) {
            (Engine::Postgresql, Form::Text) => hex(bytes.strip_prefix(b"\\x").ok_or(&WRONG_KIND)?)?,
            (_, Form::Hex) => hex(bytes)?,
            (_, Form::Text) => bytes.to_vec(),
            (_, _) => return Err(&WRONG_KIND),
        };
        b.append_value(&value);
        return Ok(Some(value.len()));
    }
    if let Builder::Text(b) | Builder::Json(b) = builder {
        if raw.form != Form::Text {
            return Err(&WRONG_KIND);
        }
        let bytes = if shape.padded { bytes.trim_suffix_blanks() } else { bytes };
        match shape.encoding {
            Encoding::Utf8 => b.append_value(std::str::from_utf8(bytes).map_err(|_position| &NOT_UTF8)?),
            _ if bytes.is_ascii() => {
                b.append_value(std::str::from_utf8(bytes).map_err(|_position| &NOT_UTF8)?);
            }
            Encoding::Latin1 => b.append_value(bytes.iter().copied().map(char::from).collect::<String>()),
            Encoding::Windows1252 => {
                b.append_value(bytes.iter().copied().map(from_latin1).collect::<String>());
            }
        }
        return Ok(Some(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_position| &WRONG_KIND)?;
    let number = shape.engine == Engine::Postgresql || raw.form == Form::Bare;
    match builder {
        Builder::Bool(b) => b.append_value(match (shape.engine, text) {
            (Engine::Postgresql, "t") => true,
            (Engine::Postgresql, "f") => false,
            _ => return Err(&WRONG_KIND),
        }),
        Builder::Int(b) if number => b.append_value(text.parse().map_err(|_quotes| &NOT_EXACT)?),
        Builder::Decimal { builder, precision, scale } if number => {
            builder.append_value(decimal(bytes, *precision, *scale).ok_or(&NOT_EXACT)?);
        }
        Builder::Float(b) if number && shape.single => {
            b.append_value(f64::from(text.parse::<f32>().map_err(|_quotes| &NOT_EXACT)?));
        }
        Builder::Float(b) if number => b.append_value(text.parse().map_err(|_quotes| &NOT_EXACT)?),
        Builder::Date(b) => b.append_value(civil::parse_date(dated(text)?).ok_or(&NO_SUCH_TIME)?),
        Builder::Timestamp(b) => b.append_value(civil::parse_timestamp(dated(text)?).ok_or(&NO_SUCH_TIME)?),
        Builder::Instant(b) if shape.engine == Engine::Postgresql => {
            b.append_value(instant(text).ok_or(&NO_SUCH_TIME)?);
        }
        Builder::Instant(b) => b.append_value(civil::parse_timestamp(dated(text)?).ok_or(&NO_SUCH_TIME)?),
        Builder::Time(b) => b.append_value(civil::parse_time(text).ok_or(&NO_SUCH_TIME)?),
        Builder::Uuid(b) => {
            let value = uuid(bytes).ok_or(&WRONG_KIND)?;
            b.append_value(value).map_err(|_text_may_quote| &WRONG_KIND)?;
        }
        _ => return Err(&WRONG_KIND),
    }
    Ok(Some(8))
}

fn hex(digits: &[u8]) -> Result<Vec<u8>, &'static ecluse_core::fault::Code> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits).map_err(|_position| &WRONG_KIND)
}

/// `2024-01-31 12:00:00.5+02`, `…-03:30`, `…+00:09:21`: local time, then how far it is ahead of UTC.
fn instant(text: &str) -> Option<i64> {
    // the date has hyphens of its own
    let sign = text.char_indices().skip(11).find(|(_, c)| matches!(c, '+' | '-'))?;
    let (local, offset) = text.split_at_checked(sign.0)?;
    let mut units = offset.get(1..)?.split(':').map(|part| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())
            .flatten()
    });
    let hours = units.next()??;
    let minutes = units.next().map_or(Some(0), |m| m)?;
    let seconds = units.next().map_or(Some(0), |s| s)?;
    if units.next().is_some() || minutes > 59 || seconds > 59 {
        return None;
    }
    let ahead = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000;
    civil::parse_timestamp(local)?.checked_sub(if sign.1 == '-' { -ahead } else { ahead })
}

trait TrimBlanks {
    fn trim_suffix_blanks(&self) -> &Self;
}

impl TrimBlanks for [u8] {
    fn trim_suffix_blanks(&self) -> &Self {
        let end = self.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
        self.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_brought_to_utc() {
        let utc = instant("2024-03-31 12:00:00.25+00").unwrap();
        for same in
            ["2024-03-31 14:00:00.25+02", "2024-03-31 08:30:00.25-03:30", "2024-03-31 12:09:21.25+00:09:21"]
        {
            assert_eq!(instant(same), Some(utc), "{same}");
        }
        for bad in [
            "2024-03-31 12:00:00",
            "2024-03-31 12:00:00+2",
            "2024-03-31 12:00:00+02:60",
            "infinity",
            "2024-03-31 12:00:00+02:00:00:00",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
