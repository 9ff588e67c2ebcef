//! PostgreSQL.

use ecluse_core::types::Type;

use super::select::Named;

/// Text under `COLLATE "C"` compares by bytes (a nondeterministic collation would not).
///
/// `character(n)`: PostgreSQL drops the padding when it makes `text` of one, and ignores it
/// when it compares two. The value that is read carries it, and so does `bpcharout`.
pub(super) fn operand(column: &Named, ty: Type) -> String {
    let sql = &column.sql;
    match ty {
        Type::Text if is_padded(&column.declared) => format!("textin(bpcharout({sql})) COLLATE \"C\""),
        Type::Text => format!("{sql}::text COLLATE \"C\""),
        _ => sql.clone(),
    }
}

fn is_padded(declared: &str) -> bool {
    let base = declared.split('(').next().unwrap_or_default().trim();
    matches!(base, "character" | "char" | "bpchar")
}

/// The type under which a value is bound.
pub(super) fn cast(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int => "int8",
        Type::Decimal { .. } => "numeric",
        Type::Float => "float8",
        Type::Text | Type::Json => "text",
        Type::Bytes => "bytea",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::Instant => "timestamptz",
        Type::Time => "time",
        Type::Uuid => "uuid",
    }
}
