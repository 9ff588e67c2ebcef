//! The types a column can have on its way from source to destination.

use std::fmt;

/// A column's type, as the plan knows it. An engine's type that has no exact
/// counterpart here is refused by code, never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// IEEE 754 binary64 (a binary32 is widened exactly).
    Float,
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

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Float => f.write_str("float"),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// PostgreSQL.
    Postgresql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Postgresql, Self::Mariadb, Self::Sqlite];

    /// The name used in documents and URLs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mariadb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }

    /// The engine of a name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "postgresql" => Some(Self::Postgresql),
            "mariadb" => Some(Self::Mariadb),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
