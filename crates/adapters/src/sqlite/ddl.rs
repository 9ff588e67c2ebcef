//! `CREATE TABLE` for a table that the destination lacks.

use ecluse_core::catalog::{Column, Table};
use ecluse_core::types::Type;

use super::{quoted, types};

/// The statement; a column whose type écluse does not know is declared without a type,
/// which the catalogue then refuses by name.
pub(super) fn create_table(table: &Table) -> String {
    let number = row_number(table);
    let mut lines: Vec<String> =
        table.columns.iter().map(|c| column(c, number == Some(c.name.as_str()))).collect();
    if number.is_none() && !table.key.is_empty() {
        lines.push(format!("PRIMARY KEY ({})", names(&table.key)));
    }
    lines.extend(table.uniques.iter().map(|columns| format!("UNIQUE ({})", names(columns))));
    lines.extend(table.foreign_keys.iter().map(|key| {
        let (here, there) = (names(&key.columns), names(&key.referenced));
        format!("FOREIGN KEY ({here}) REFERENCES {} ({there})", quoted(&key.references))
    }));
    format!("CREATE TABLE {} (\n  {}\n)", quoted(&table.name), lines.join(",\n  "))
}

/// `INTEGER PRIMARY KEY` is the row's number itself: half the size, and the order of keys.
fn row_number(table: &Table) -> Option<&str> {
    match table.key.as_slice() {
        [key] => table.column(key).filter(|c| c.ty == Some(Type::Int)).map(|c| c.name.as_str()),
        _ => None,
    }
}

/// What the catalogue says of a table that [`create_table`] made.
pub(super) fn supposed(table: &Table) -> Table {
    let column = |column: &Column| {
        let sql_type = column.ty.map_or_else(String::new, |ty| types::declaration(ty, column.max_length));
        let declared = types::declared(&sql_type);
        Column {
            ty: declared.map(|d| d.ty),
            max_length: declared.and_then(|d| d.max_length),
            int_bounds: declared.filter(|d| d.ty == Type::Int).map(|_| (i64::MIN, i64::MAX)),
            nullable: column.nullable && row_number(table) != Some(column.name.as_str()),
            sql_type,
            ..column.clone()
        }
    };
    Table { columns: table.columns.iter().map(column).collect(), ..table.clone() }
}

fn column(column: &Column, number: bool) -> String {
    let ty = column.ty.map_or_else(String::new, |ty| types::declaration(ty, column.max_length));
    let name = quoted(&column.name);
    match (number, column.nullable) {
        (true, _) => format!("{name} {ty} PRIMARY KEY"),
        (false, true) => format!("{name} {ty}"),
        (false, false) => format!("{name} {ty} NOT NULL"),
    }
}

fn names(columns: &[String]) -> String {
    columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ")
}
