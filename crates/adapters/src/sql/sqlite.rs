//! SQLite.

use ecluse_core::types::Type;

use super::select::Named;

/// Texts, and what is stored as text, by bytes whatever the column's collation (`NOCASE`, `RTRIM`).
pub(super) fn operand(column: &Named, ty: Type) -> String {
    match ty {
        Type::Text | Type::Date | Type::Timestamp | Type::Instant | Type::Time | Type::Uuid | Type::Json => {
            format!("{} COLLATE BINARY", column.sql)
        }
        Type::Bool | Type::Int | Type::Decimal { .. } | Type::Float | Type::Single | Type::Bytes => {
            column.sql.clone()
        }
    }
}

/// Any value can stand in any column, and every text is greater than every number:
/// `x > 5` alone selects `'abc'`.
pub(super) fn present(column: &Named, ty: Type) -> String {
    let sql = &column.sql;
    match ty {
        Type::Bool | Type::Int => format!("typeof({sql}) = 'integer'"),
        Type::Decimal { .. } => format!("typeof({sql}) IN ('integer', 'real')"),
        Type::Float | Type::Single => format!("typeof({sql}) = 'real'"),
        Type::Bytes => format!("typeof({sql}) = 'blob'"),
        Type::Text | Type::Date | Type::Timestamp | Type::Instant | Type::Time | Type::Uuid | Type::Json => {
            format!("typeof({sql}) = 'text'")
        }
    }
}

pub(super) fn starts_with(operand: &str, value: &str, characters: usize) -> String {
    // without LIKE and GLOB: no wildcard, no case folding, no pattern length limit
    let inner = operand.strip_suffix(" COLLATE BINARY").unwrap_or(operand);
    format!("substr({inner}, 1, {characters}) COLLATE BINARY = {value}")
}
