//! What differs between engines when a filter is said in SQL.

use std::borrow::Cow;

use ecluse_core::fault::Result;
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;

use super::select::Named;
use super::{NO_SQL, mariadb, postgres, sqlite};

/// One engine's way. A table of functions rather than a trait object: the engines are three
/// and known.
pub(super) trait Dialect {
    /// A condition that is always true.
    fn always(&self) -> &'static str;
    /// The column as it is compared: text by bytes.
    fn operand(&self, column: &Named, ty: Type) -> Result<String>;
    /// True where the column holds a value of its type.
    fn present(&self, column: &Named, ty: Type) -> String;
    /// A text operand begins with a prefix of `characters` characters.
    fn starts_with(&self, operand: &str, value: &str, characters: usize) -> String;
    /// The value in the form in which it is bound or written as a literal.
    fn bindable(&self, value: &Value, ty: Type) -> Value;
    /// A bound parameter's place.
    fn parameter(&self, number: usize, ty: Type, value: &Value) -> String;
}

impl Dialect for Engine {
    fn always(&self) -> &'static str {
        match self {
            Self::Postgresql => "TRUE",
            Self::Mariadb | Self::Sqlite | Self::Csv => "(1 = 1)",
        }
    }

    fn operand(&self, column: &Named, ty: Type) -> Result<String> {
        let operand = match (self, ty) {
            // a number that is approximate, or a document, has no equality engines share
            (_, Type::Float | Type::Single | Type::Json) => None,
            (Self::Postgresql, _) => Some(postgres::operand(column, ty)),
            (Self::Mariadb, _) => mariadb::operand(column, ty),
            (Self::Sqlite, _) => Some(sqlite::operand(column, ty)),
            // files are asked nothing
            (Self::Csv, _) => None,
        };
        operand.ok_or_else(|| NO_SQL.fault(format!("{} is {ty} on {self}", column.place)))
    }

    fn present(&self, column: &Named, ty: Type) -> String {
        match self {
            Self::Postgresql | Self::Mariadb | Self::Csv => format!("{} IS NOT NULL", column.sql),
            Self::Sqlite => sqlite::present(column, ty),
        }
    }

    fn starts_with(&self, operand: &str, value: &str, characters: usize) -> String {
        match self {
            Self::Postgresql => format!("starts_with({operand}, {value})"),
            Self::Mariadb => mariadb::starts_with(operand, value, characters),
            Self::Sqlite | Self::Csv => sqlite::starts_with(operand, value, characters),
        }
    }

    fn bindable(&self, value: &Value, ty: Type) -> Value {
        match self {
            Self::Mariadb => mariadb::bindable(value, ty),
            Self::Postgresql | Self::Sqlite | Self::Csv => value.clone(),
        }
    }

    fn parameter(&self, number: usize, ty: Type, value: &Value) -> String {
        match self {
            Self::Postgresql => format!("${number}::{}", postgres::cast(ty)),
            Self::Mariadb => mariadb::parameter(value).into_owned(),
            Self::Sqlite | Self::Csv => Cow::Borrowed("?").into_owned(),
        }
    }
}
