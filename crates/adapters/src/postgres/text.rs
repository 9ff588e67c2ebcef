//! SQL text: names only; values are always bound.

use ecluse_core::types::{Engine, Type};

use crate::sql;

/// A quoted identifier.
pub(super) fn ident(name: &str) -> String {
    sql::identifier(Engine::Postgresql, name)
}

/// A catalogue name (`table` or `schema.table`) or a view's as a qualified, quoted relation.
pub(super) fn relation(name: &str) -> String {
    sql::relation(Engine::Postgresql, name, None)
}

/// Quoted names joined by commas.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(ident).collect::<Vec<_>>().join(", ")
}

/// A key column as it is sorted and compared: text by bytes, whatever its collation.
pub(super) fn key(name: &str, ty: Type) -> String {
    match ty {
        // a number or an enum that travels as text is sorted as the text it is
        Type::Text => format!("{}::text COLLATE \"C\"", ident(name)),
        _ => ident(name),
    }
}

/// The type under which a key's value is bound.
pub(super) fn cast(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int => "int8",
        Type::Decimal { .. } => "numeric",
        Type::Float | Type::Single => "float8",
        Type::Text => "text",
        Type::Bytes => "bytea",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::Instant => "timestamptz",
        Type::Time => "time",
        Type::Uuid => "uuid",
        Type::Json => "jsonb",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_qualified() {
        assert_eq!(relation("patient"), "\"public\".\"patient\"");
        assert_eq!(relation("lab.a\"b"), "\"lab\".\"a\"\"b\"");
        assert_eq!(key("k", Type::Text), "\"k\"::text COLLATE \"C\"");
    }
}
