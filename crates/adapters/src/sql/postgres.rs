//! PostgreSQL.

use ecluse_core::types::Type;

use super::select::Named;

/// Text under `COLLATE "C"` compares by bytes (a nondeterministic collation would not).
///
/// As `text` a `character(n)` has no blanks at its end, as [`crate::postgres`] reads it.
pub(super) fn operand(column: &Named, ty: Type) -> String {
    match ty {
        Type::Text => format!("{}::text COLLATE \"C\"", column.sql),
        _ => column.sql.clone(),
    }
}

/// The type under which a value is bound.
pub(super) fn cast(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int => "int8",
        Type::Decimal { .. } => "numeric",
        Type::Float | Type::Single => "float8",
        Type::Text | Type::Json => "text",
        Type::Bytes => "bytea",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::Instant => "timestamptz",
        Type::Time => "time",
        Type::Uuid => "uuid",
    }
}
