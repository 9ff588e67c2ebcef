//! The types a column can have on its way from source to destination.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A column's type, as the plan knows it. An engine's type that has no exact
/// counterpart here is refused by code, never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// True or false.
    Bool,
    /// A signed whole number of up to 64 bits.
    Int,
    /// A decimal number with a declared precision (1..=38 digits) and scale (digits after the point).
    Decimal {
        /// Digits in all, 1..=38.
        precision: u8,
        /// Digits after the point, 0..=precision.
        scale: u8,
    },
    /// IEEE 754 binary64.
    Float,
    /// IEEE 754 binary32, carried as the binary64 that is the same number. Its digits are the fewest that read
    /// back as the same binary32.
    Single,
    /// UTF-8 text, never normalised.
    Text,
    /// Bytes.
    Bytes,
    /// A calendar date: days since 1970-01-01, proleptic Gregorian.
    Date,
    /// A local date and time without a zone: microseconds since 1970-01-01 00:00.
    Timestamp,
    /// A point in time: microseconds since 1970-01-01 00:00 UTC.
    Instant,
    /// A time of day: microseconds since midnight.
    Time,
    /// A UUID: 16 bytes.
    Uuid,
    /// JSON, the exact bytes.
    Json,
}

impl Type {
    /// Whether the write step has an exact conversion from this type (the same type included).
    /// `batch`'s cast module has the table with what each conversion refuses.
    #[must_use]
    pub const fn casts_to(self, to: Self) -> bool {
        use Type as T;
        match (self, to) {
            (T::Bool, T::Bool)
            | (T::Bytes, T::Bytes)
            | (T::Date, T::Date)
            | (T::Timestamp, T::Timestamp)
            | (T::Instant, T::Instant)
            | (T::Time, T::Time)
            | (T::Uuid, T::Uuid)
            | (T::Json, T::Json)
            | (T::Int, T::Int | T::Decimal { .. } | T::Float | T::Single | T::Text | T::Bool)
            | (T::Bool, T::Int | T::Text)
            | (T::Decimal { .. }, T::Decimal { .. } | T::Int | T::Text)
            | (T::Float | T::Single, T::Float | T::Single | T::Int | T::Decimal { .. } | T::Text)
            | (T::Bytes, T::Text)
            | (T::Date, T::Timestamp | T::Text)
            | (T::Timestamp, T::Date | T::Text)
            | (T::Instant | T::Time | T::Uuid | T::Json, T::Text) => true,
            (T::Text, to) => !matches!(to, T::Instant | T::Json),
            _ => false,
        }
    }

    /// Whether every value of this type is a value of the other, from which it can be told back: the
    /// same type, a binary32 as the same binary64, a decimal with the same scale and at least as many digits, a truth value as 0 or
    /// 1, a document as its text (for engines that have neither type).
    #[must_use]
    pub fn fits_in(self, to: Self) -> bool {
        match (self, to) {
            (Self::Decimal { precision: p, scale: s }, Self::Decimal { precision, scale }) => {
                s == scale && p <= precision
            }
            (Self::Bool, Self::Int) | (Self::Json, Self::Text) | (Self::Single, Self::Float) => true,
            _ => self == to,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Float => f.write_str("float"),
            Self::Single => f.write_str("single"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Instant => f.write_str("instant"),
            Self::Time => f.write_str("time"),
            Self::Uuid => f.write_str("uuid"),
            Self::Json => f.write_str("json"),
        }
    }
}

/// A database engine écluse knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgresql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
    /// A folder of CSV files: a source only.
    Csv,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Postgresql, Self::Mariadb, Self::Sqlite, Self::Csv];

    /// The name used in documents and URLs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mariadb => "mariadb",
            Self::Sqlite => "sqlite",
            Self::Csv => "csv",
        }
    }

    /// The engine of a name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "postgresql" => Some(Self::Postgresql),
            "mariadb" => Some(Self::Mariadb),
            "sqlite" => Some(Self::Sqlite),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
