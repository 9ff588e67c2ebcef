//! Single values: a filter's literals, a mapping's constants, a row's key.

use std::fmt;

/// One typed value. Units are those of [`crate::types::Type`].
///
/// `Debug` prints the kind only: a value may be a row key.
///
/// ```compile_fail,E0277
/// # use ecluse_core::value::Value;
/// fn print(value: &Value) -> String {
///     format!("{value}")
/// }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// `unscaled × 10^-scale`.
    Decimal {
        /// The digits as a whole number.
        unscaled: i128,
        /// Digits after the point.
        scale: u8,
    },
    /// UTF-8 text; compares by bytes.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Local microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// UTC microseconds since 1970-01-01 00:00.
    Instant(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// A UUID.
    Uuid([u8; 16]),
}

impl Value {
    /// The kind's name, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Decimal { .. } => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Timestamp(_) => "timestamp",
            Self::Instant(_) => "instant",
            Self::Time(_) => "time",
            Self::Uuid(_) => "uuid",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value::{}(…)", self.kind())
    }
}

/// A row's key: one value per key column, in the key's order. Personal data
/// (GDPR Art. 4(5)): silent `Debug`, no `Display`; outside the controller's
/// premises it appears only as a keyed token.
///
/// The order is the one in which sources deliver rows: numbers by value, text and
/// UUIDs by bytes, column by column. A key never holds a NULL.
///
/// ```compile_fail,E0277
/// # use ecluse_core::value::Key;
/// fn print(key: &Key) -> String {
///     format!("{key}")
/// }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Vec<Value>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A range of keys: after `after` (exclusive) up to `upto` (inclusive); `None` is unbounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The last key of the range before, exclusive.
    pub after: Option<Key>,
    /// The last key of this range, inclusive.
    pub upto: Option<Key>,
}
