//! SQLite's declared types, and how a value of each is stored.
//!
//! SQLite lets any value stand in any column. écluse reads a column only where its
//! declaration names a type below, and of that column only values stored as that
//! declaration says; everything else is refused by code, never cast and never guessed.
//! The table in `docs/formats.md` ("Types: SQLite") is this module's.

use ecluse_core::types::Type;

/// A declaration écluse understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// The type on the way.
    pub(super) ty: Type,
    /// Characters or bytes at most, where declared (SQLite itself does not hold to it).
    pub(super) max_length: Option<u32>,
    /// How values are stored.
    pub(super) form: Form,
}

/// How a column's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `INTEGER`.
    Integer,
    /// `INTEGER`, 0 or 1.
    Bit,
    /// `REAL`.
    Real,
    /// `INTEGER`, or a `REAL` that stands for one decimal only (at most 15 digits).
    Number,
    /// `TEXT`: a decimal with exactly the declared digits after the point.
    DecimalText,
    /// `TEXT`, UTF-8.
    Text,
    /// `BLOB`.
    Blob,
    /// `TEXT`: `YYYY-MM-DD`.
    Date,
    /// `TEXT`: `YYYY-MM-DD HH:MM:SS[.ffffff]`.
    Timestamp,
    /// The same with `+00:00` behind.
    Instant,
    /// `TEXT`: `HH:MM:SS[.ffffff]`.
    Time,
    /// `TEXT`: 36 characters, lower case.
    Uuid,
    /// `TEXT`: JSON.
    Json,
}

/// Reads a column's declaration; `None` where écluse refuses it.
pub(super) fn declared(sql_type: &str) -> Option<Declared> {
    let (name, arguments) = split(sql_type)?;
    let plain = |ty, form| arguments.is_empty().then_some(Declared { ty, max_length: None, form });
    // widths of integers and floats are displays only: `INT(11)`
    let wide = |ty, form| Some(Declared { ty, max_length: None, form });
    // SQLite gives it INTEGER's affinity, and knows no sign
    let plain_name = name.strip_suffix(" UNSIGNED").filter(|word| word.contains("INT"));
    match plain_name.unwrap_or(&name) {
        "INTEGER" | "INT" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "INT2" | "INT4" | "INT8" => {
            wide(Type::Int, Form::Integer)
        }
        "BOOLEAN" | "BOOL" => plain(Type::Bool, Form::Bit),
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" => wide(Type::Float, Form::Real),
        "DECIMAL" | "NUMERIC" => decimal(&arguments, Form::Number),
        "DECIMAL_TEXT" => decimal(&arguments, Form::DecimalText),
        "TEXT" | "CLOB" | "CHAR" | "VARCHAR" | "CHARACTER" | "NCHAR" | "NVARCHAR" | "CHARACTER VARYING" => {
            let max_length = match arguments.as_slice() {
                [] => None,
                [length] => Some(*length),
                _ => return None,
            };
            Some(Declared { ty: Type::Text, max_length, form: Form::Text })
        }
        "BLOB" => plain(Type::Bytes, Form::Blob),
        "DATE" => plain(Type::Date, Form::Date),
        "DATETIME" | "TIMESTAMP" => plain(Type::Timestamp, Form::Timestamp),
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => plain(Type::Instant, Form::Instant),
        "TIME" => plain(Type::Time, Form::Time),
        "UUID" => plain(Type::Uuid, Form::Uuid),
        "JSON" | "JSON_TEXT" => plain(Type::Json, Form::Json),
        _ => None,
    }
}

/// The declaration écluse writes for a type on the way: one that `declared` reads back.
pub(super) fn declaration(ty: Type, max_length: Option<u32>) -> String {
    match (ty, max_length) {
        (Type::Bool, _) => "BOOLEAN".to_owned(),
        (Type::Int, _) => "INTEGER".to_owned(),
        (Type::Decimal { precision, scale }, _) if precision <= 15 => format!("DECIMAL({precision},{scale})"),
        (Type::Decimal { precision, scale }, _) => format!("DECIMAL_TEXT({precision},{scale})"),
        (Type::Float | Type::Single, _) => "REAL".to_owned(),
        (Type::Text, Some(length)) => format!("VARCHAR({length})"),
        (Type::Text, None) => "TEXT".to_owned(),
        (Type::Bytes, _) => "BLOB".to_owned(),
        (Type::Date, _) => "DATE".to_owned(),
        (Type::Timestamp, _) => "TIMESTAMP".to_owned(),
        (Type::Instant, _) => "TIMESTAMPTZ".to_owned(),
        (Type::Time, _) => "TIME".to_owned(),
        (Type::Uuid, _) => "UUID".to_owned(),
        (Type::Json, _) => "JSON_TEXT".to_owned(),
    }
}

fn decimal(arguments: &[u32], form: Form) -> Option<Declared> {
    let (precision, scale) = match *arguments {
        [precision] => (precision, 0),
        [precision, scale] => (precision, scale),
        _ => return None,
    };
    let (precision, scale) = (u8::try_from(precision).ok()?, u8::try_from(scale).ok()?);
    let fits = (1..=38).contains(&precision) && scale <= precision;
    fits.then_some(Declared { ty: Type::Decimal { precision, scale }, max_length: None, form })
}

/// `varchar ( 40 )` as `VARCHAR` and 40: the name in capitals with single blanks.
fn split(sql_type: &str) -> Option<(String, Vec<u32>)> {
    let (name, arguments) = match sql_type.split_once('(') {
        None => (sql_type, Vec::new()),
        Some((name, rest)) => {
            let inside = rest.trim_end().strip_suffix(')')?;
            let numbers: Option<Vec<u32>> = inside.split(',').map(|n| n.trim().parse().ok()).collect();
            (name, numbers?)
        }
    };
    let words: Vec<String> = name.split_whitespace().map(str::to_ascii_uppercase).collect();
    Some((words.join(" "), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_strictly() {
        let decimal = Type::Decimal { precision: 10, scale: 2 };
        for (text, ty, length) in [
            ("integer", Type::Int, None),
            ("INT(11)", Type::Int, None),
            ("smallint unsigned", Type::Int, None),
            ("varchar ( 40 )", Type::Text, Some(40)),
            ("Character  Varying(7)", Type::Text, Some(7)),
            ("decimal(10, 2)", decimal, None),
            ("timestamp with time zone", Type::Instant, None),
        ] {
            let found = declared(text).unwrap();
            assert_eq!((found.ty, found.max_length), (ty, length), "{text}");
        }
        for text in [
            "",
            "ANY",
            "NUMERIC",
            "DECIMAL",
            "DECIMAL(39,2)",
            "DECIMAL(2,3)",
            "POINT",
            "POINT UNSIGNED",
            "TEXT UNSIGNED",
            "BLOB(3",
            "YEAR",
            "BIT(1)",
        ] {
            assert_eq!(declared(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_for_a_type_reads_back_as_that_type() {
        let decimals =
            [(15, 2), (16, 2), (38, 38)].map(|(precision, scale)| Type::Decimal { precision, scale });
        let others = [
            Type::Bool,
            Type::Int,
            Type::Float,
            Type::Text,
            Type::Bytes,
            Type::Date,
            Type::Timestamp,
            Type::Instant,
            Type::Time,
            Type::Uuid,
            Type::Json,
        ];
        for ty in decimals.into_iter().chain(others) {
            assert_eq!(declared(&declaration(ty, None)).unwrap().ty, ty);
        }
    }
}
