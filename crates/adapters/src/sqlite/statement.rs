//! Every SQL text over planned tables, and the values it binds.

use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange, Value};
use rusqlite::types::Value as Stored;

use super::{encode, quoted};
use crate::sql;

static NO_FORM: Code = Code::refused("ECL-SRC-310", "a key or literal has no exact form in SQLite");

/// A statement and its parameters.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Stored>,
}

/// A table's key: the columns' names and types, in the key's order.
pub(super) type KeyColumns<'a> = Vec<(&'a str, Type)>;

/// The source's key.
pub(super) fn read_key(table: &TablePlan) -> KeyColumns<'_> {
    table.key().iter().filter_map(|i| table.read().get(*i)).map(|c| (c.name.as_str(), c.ty)).collect()
}

/// The destination's key.
pub(super) fn write_key(table: &TablePlan) -> KeyColumns<'_> {
    table.write_key().iter().filter_map(|i| table.write().get(*i)).map(|c| (c.name.as_str(), c.ty)).collect()
}

/// Reads the planned columns of the rows asked for, in the key's order.
pub(super) fn select(table: &TablePlan, plan: &Plan, range: &KeyRange) -> Result<Statement> {
    let columns: Vec<&str> = table.read().iter().map(|c| c.name.as_str()).collect();
    let key = read_key(table);
    let (filter, literals) = filter(table, plan)?;
    let (range, bounds) = within(&key, range)?;
    // the key's own order without a sort: an index on a filtered column must not tempt
    let indexed = match key.as_slice() {
        [(name, Type::Int)] if is_row_number(table, name) => " NOT INDEXED",
        _ => "",
    };
    let sql = format!(
        "SELECT {} FROM main.{}{indexed}{}{}",
        names(&columns),
        quoted(table.source()),
        conditions(&[filter, range]),
        order(&key)
    );
    Ok(Statement { sql, parameters: bound(literals.into_iter().chain(bounds))? })
}

/// Counts every row of the source table.
pub(super) fn count_all(table: &TablePlan) -> String {
    format!("SELECT count(*) FROM main.{}", quoted(table.source()))
}

/// Counts the rows asked for.
pub(super) fn count_asked(table: &TablePlan, plan: &Plan) -> Result<Statement> {
    let (filter, literals) = filter(table, plan)?;
    let sql = format!("{}{}", count_all(table), conditions(&[filter]));
    Ok(Statement { sql, parameters: bound(literals.into_iter())? })
}

/// Reads the written columns of a range back.
pub(super) fn read_back(table: &TablePlan, range: &KeyRange, ordered: bool) -> Result<Statement> {
    back(table, range, ordered, "")
}

/// The same of those rows that one more condition chooses, in the key's order.
pub(super) fn read_back_where(table: &TablePlan, range: &KeyRange, condition: &str) -> Result<Statement> {
    back(table, range, true, &format!("({condition})"))
}

fn back(table: &TablePlan, range: &KeyRange, ordered: bool, condition: &str) -> Result<Statement> {
    let columns: Vec<&str> = table.write().iter().map(|c| c.name.as_str()).collect();
    let key = write_key(table);
    let (range, bounds) = within(&key, range)?;
    let order = if ordered { order(&key) } else { String::new() };
    let sql = format!(
        "SELECT {} FROM main.{}{}{order}",
        names(&columns),
        quoted(table.destination()),
        conditions(&[range, room(table, None)?, condition.to_owned()])
    );
    Ok(Statement { sql, parameters: bound(bounds.into_iter())? })
}

/// Reads the compared columns of others' rows.
pub(super) fn beside(known: &KnownPlan) -> Result<Statement> {
    let table = known.table();
    let columns: Vec<&str> = table.write().iter().map(|c| c.name.as_str()).collect();
    let rows = conditions(&[sql::beside(Engine::Sqlite, known)?]);
    let sql = format!("SELECT {} FROM main.{}{rows}", names(&columns), quoted(table.destination()));
    Ok(Statement { sql, parameters: Vec::new() })
}

/// One row of ours at the destination, if there is any.
pub(super) fn one(table: &TablePlan) -> Result<Statement> {
    let sql =
        format!("SELECT 1 FROM main.{}{}", quoted(table.destination()), conditions(&[room(table, None)?]));
    Ok(Statement { sql: format!("{sql} LIMIT 1"), parameters: Vec::new() })
}

/// This laboratory's rows of a destination table; empty where it is every row.
pub(super) fn room(table: &TablePlan, alias: Option<&str>) -> Result<String> {
    Ok(sql::room(Engine::Sqlite, table, alias)?.unwrap_or_default())
}

/// Deletes a range at the destination.
pub(super) fn delete(table: &TablePlan, range: &KeyRange) -> Result<Statement> {
    let (condition, parameters) = inside(table, range)?;
    Ok(Statement { sql: format!("DELETE FROM main.{}{condition}", quoted(table.destination())), parameters })
}

/// ` WHERE …` of the rows asked for of a range, at the source.
pub(super) fn at_source(table: &TablePlan, plan: &Plan, range: &KeyRange) -> Result<Statement> {
    let (filter, literals) = filter(table, plan)?;
    let (range, bounds) = within(&read_key(table), range)?;
    let sql = conditions(&[filter, range]);
    Ok(Statement { sql, parameters: bound(literals.into_iter().chain(bounds))? })
}

/// Deletes these rows, at the source.
pub(super) fn delete_at_source(table: &TablePlan, rows: Statement) -> Statement {
    let sql = format!("DELETE FROM main.{}{}", quoted(table.source()), rows.sql);
    Statement { sql, ..rows }
}

/// Deletes rows of another table that name these.
pub(super) fn delete_beside(along: &Referring, table: &TablePlan, rows: Statement) -> Statement {
    let ty = table.read().iter().find(|column| column.name == along.to).map_or(Type::Text, |c| c.ty);
    let sql = format!(
        "DELETE FROM main.{} WHERE {} IN (SELECT {} FROM main.{}{})",
        quoted(&along.table),
        keyed(&along.column, ty),
        quoted(&along.to),
        quoted(table.source()),
        rows.sql
    );
    Statement { sql, ..rows }
}

/// ` WHERE …` of the row of this key, at the source.
pub(super) fn at_key(table: &TablePlan, key: &Key) -> Result<Statement> {
    let columns = read_key(table);
    let Key(values) = key;
    if values.len() != columns.len() || columns.is_empty() {
        return Err(NO_FORM.fault("a key does not fit its table's"));
    }
    let parts: Vec<String> = columns.iter().map(|(name, ty)| format!("{} = ?", keyed(name, *ty))).collect();
    Ok(Statement { sql: conditions(&parts), parameters: bound(values.iter().cloned())? })
}

/// Reads the planned columns of the rows of these keys.
pub(super) fn select_keys(table: &TablePlan, keys: &[Key]) -> Result<Statement> {
    let (mut alternatives, mut parameters) = (Vec::with_capacity(keys.len()), Vec::new());
    for key in keys {
        let one = at_key(table, key)?;
        alternatives.push(format!("({})", one.sql.trim_start_matches(" WHERE ")));
        parameters.extend(one.parameters);
    }
    let columns: Vec<&str> = table.read().iter().map(|c| c.name.as_str()).collect();
    let sql = format!(
        "SELECT {} FROM main.{} WHERE {}",
        names(&columns),
        quoted(table.source()),
        alternatives.join(" OR ")
    );
    Ok(Statement { sql, parameters })
}

/// ` WHERE (key) > … AND (key) <= …` of a range at the destination, within the room; empty where it is
/// the whole table.
pub(super) fn inside(table: &TablePlan, range: &KeyRange) -> Result<(String, Vec<Stored>)> {
    let (range, bounds) = within(&write_key(table), range)?;
    Ok((conditions(&[range, room(table, None)?]), bound(bounds.into_iter())?))
}

/// Inserts one row; a constraint ends the statement, whatever the table's own
/// `ON CONFLICT` clause would have done in silence.
pub(super) fn insert(table: &TablePlan) -> String {
    let columns: Vec<&str> = table.write().iter().map(|c| c.name.as_str()).collect();
    let marks = vec!["?"; columns.len()].join(", ");
    format!(
        "INSERT OR ABORT INTO main.{} ({}) VALUES ({marks})",
        quoted(table.destination()),
        names(&columns)
    )
}

fn names(columns: &[&str]) -> String {
    columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ")
}

pub(super) fn conditions(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
}

fn is_row_number(table: &TablePlan, name: &str) -> bool {
    table.read().iter().any(|c| c.name == name && c.sql_type.eq_ignore_ascii_case("integer"))
}

/// A key column in the order of keys: text by bytes, whatever the column's collation.
fn keyed(name: &str, ty: Type) -> String {
    if ty == Type::Text { format!("{} COLLATE BINARY", quoted(name)) } else { quoted(name) }
}

fn order(key: &KeyColumns<'_>) -> String {
    if key.is_empty() {
        return String::new();
    }
    let columns: Vec<String> = key.iter().map(|(name, ty)| keyed(name, *ty)).collect();
    format!(" ORDER BY {}", columns.join(", "))
}

/// `(a, b) > (?, ?) AND (a, b) <= (?, ?)`.
fn within(key: &KeyColumns<'_>, range: &KeyRange) -> Result<(String, Vec<Value>)> {
    let left: Vec<String> = key.iter().map(|(name, ty)| keyed(name, *ty)).collect();
    let right = vec!["?"; key.len()].join(", ");
    let mut parts = Vec::new();
    let mut values = Vec::new();
    for (operator, bound) in [(">", &range.after), ("<=", &range.upto)] {
        let Some(Key(bound)) = bound else { continue };
        if bound.len() != key.len() || key.is_empty() {
            return Err(NO_FORM.fault("a key range does not fit its table's key"));
        }
        parts.push(format!("({}) {operator} ({right})", left.join(", ")));
        values.extend(bound.iter().cloned());
    }
    Ok((parts.join(" AND "), values))
}

fn bound(values: impl Iterator<Item = Value>) -> Result<Vec<Stored>> {
    let stored: Option<Vec<Stored>> = values.map(|v| encode::literal(&v)).collect();
    stored.ok_or_else(|| NO_FORM.fault("a literal or key has no exact form in SQLite"))
}

/// The rows asked for; empty where it is every row.
fn filter(table: &TablePlan, plan: &Plan) -> Result<(String, Vec<Value>)> {
    let condition = sql::condition(Engine::Sqlite, table, plan, 1)?;
    Ok(condition.map_or_else(Default::default, |c| (c.text, c.parameters)))
}
