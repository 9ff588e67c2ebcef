//! `CREATE TABLE` for a table that the destination lacks.
//!
//! Texts compare by bytes, blanks at the end included (`utf8mb4_nopad_bin`): no two keys of the source
//! become one, and the order of keys is that of the index.

use ecluse_core::catalog::{Column, Table};
use ecluse_core::types::Type;

use super::statement::quoted;

/// What one row may take in the columns that declare a length: the engine allows 65,535 in all.
const ROOM: u64 = 48_000;
/// Characters of four bytes that an index holds at most (InnoDB, 3,072 bytes).
const KEY_CHARACTERS: u32 = 768;
/// Bytes that an index holds at most.
const KEY_BYTES: u32 = 3_072;

/// The statement; relations are left to the destination's own schema. A column whose type écluse does
/// not know is left out, and the plan then refuses it by name.
pub(super) fn create_table(table: &Table) -> String {
    let mut lines: Vec<String> = typed(table)
        .map(|(column, sql_type)| {
            let null = if is_nullable(table, column) { "NULL" } else { "NOT NULL" };
            let collated = if is_text(column) { COLLATED } else { "" };
            format!("  {} {sql_type}{collated} {null}", quoted(&column.name))
        })
        .collect();
    if !table.key.is_empty() {
        let key: Vec<String> = table.key.iter().map(|name| quoted(name)).collect();
        lines.push(format!("  PRIMARY KEY ({})", key.join(", ")));
    }
    format!(
        "CREATE TABLE {} (\n{}\n) ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
        quoted(&table.name),
        lines.join(",\n")
    )
}

const COLLATED: &str = " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin";

/// What the catalogue says of a table that [`create_table`] made.
pub(super) fn supposed(table: &Table) -> Table {
    let columns = typed(table).map(|(column, sql_type)| Column {
        ty: column.ty.map(held),
        max_length: length(&sql_type),
        int_bounds: bounds(&sql_type),
        nullable: is_nullable(table, column),
        collation: if is_text(column) { "utf8mb4_nopad_bin".to_owned() } else { String::new() },
        sql_type,
        ..column.clone()
    });
    Table { columns: columns.collect(), storage: "InnoDB".to_owned(), ..table.clone() }
}

/// The type a value has once it is there: the engine has neither truth values nor documents of their own.
const fn held(ty: Type) -> Type {
    match ty {
        Type::Bool => Type::Int,
        Type::Json => Type::Text,
        other => other,
    }
}

const fn is_text(column: &Column) -> bool {
    matches!(column.ty, Some(Type::Text | Type::Json))
}

fn is_nullable(table: &Table, column: &Column) -> bool {
    column.nullable && !table.key.contains(&column.name)
}

/// The columns écluse knows, each with the engine's words for its type.
fn typed(table: &Table) -> impl Iterator<Item = (&Column, String)> {
    let mut room = ROOM;
    table.columns.iter().filter_map(move |column| {
        let in_key = table.key.contains(&column.name);
        Some((column, type_name(column.ty?, column, in_key, &mut room)))
    })
}

fn type_name(ty: Type, column: &Column, in_key: bool, room: &mut u64) -> String {
    let mut takes = |bytes: u64| {
        let fits = bytes <= *room;
        *room = if fits { *room - bytes } else { *room };
        fits
    };
    match ty {
        Type::Bool => "tinyint(1)".to_owned(),
        Type::Int => whole(column.int_bounds).to_owned(),
        Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Type::Float => "double".to_owned(),
        Type::Single => "float".to_owned(),
        Type::Text if in_key => {
            let length = column.max_length.unwrap_or(KEY_CHARACTERS).min(KEY_CHARACTERS);
            takes(u64::from(length) * 4);
            format!("varchar({length})")
        }
        Type::Text | Type::Json => match column.max_length {
            // where the row has no room for it, the value stands beside the row
            Some(length) if length > 0 && takes(u64::from(length) * 4 + 2) => format!("varchar({length})"),
            _ => "longtext".to_owned(),
        },
        Type::Bytes if in_key => {
            let length = column.max_length.unwrap_or(KEY_BYTES).min(KEY_BYTES);
            takes(u64::from(length));
            format!("varbinary({length})")
        }
        Type::Bytes => "longblob".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Timestamp => "datetime(6)".to_owned(),
        Type::Instant => "timestamp(6)".to_owned(),
        Type::Time => "time(6)".to_owned(),
        Type::Uuid => "uuid".to_owned(),
    }
}

const fn whole(bounds: Option<(i64, i64)>) -> &'static str {
    const SMALL: (i64, i64) = (-32_768, 32_767);
    const PLAIN: (i64, i64) = (-2_147_483_648, 2_147_483_647);
    match bounds {
        Some((low, high)) if low >= SMALL.0 && high <= SMALL.1 => "smallint(6)",
        Some((low, high)) if low >= PLAIN.0 && high <= PLAIN.1 => "int(11)",
        _ => "bigint(20)",
    }
}

fn bounds(sql_type: &str) -> Option<(i64, i64)> {
    match sql_type {
        "tinyint(1)" => Some((-128, 127)),
        "smallint(6)" => Some((-32_768, 32_767)),
        "int(11)" => Some((-2_147_483_648, 2_147_483_647)),
        "bigint(20)" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

fn length(sql_type: &str) -> Option<u32> {
    let inside = sql_type.strip_prefix("varchar(").or_else(|| sql_type.strip_prefix("varbinary("));
    inside?.strip_suffix(')')?.parse().ok()
}
