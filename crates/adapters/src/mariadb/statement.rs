//! Every SQL text over planned tables, and the values it binds.
//!
//! A table is read through its view where it has one: the view holds the filter, so none is
//! sent. Order and ranges are those of [`ecluse_core::value::Key`]: text and UUIDs by bytes,
//! whatever the column's collation.

use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange, Value};
use mysql_async::Value as Bound;

use crate::{civil, spelling, sql};

static NO_FORM: Code = Code::refused("ECL-SRC-213", "a key or literal has no exact form in MariaDB");

/// A statement and its parameters.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Bound>,
}

/// Reads the planned columns of the rows asked for, in the key's order.
pub(super) fn select(table: &TablePlan, plan: &Plan, range: &KeyRange) -> Result<Statement> {
    let columns: Vec<String> = table.read().iter().map(|c| quoted(&c.name)).collect();
    let (filter, mut values) = filter(table, plan)?;
    let key = key(table);
    let mut parts = filter;
    for (bound, side) in [(&range.after, Edge::After), (&range.upto, Edge::UpTo)] {
        if let Some(Key(bound)) = bound {
            parts.push(beyond(&key, bound, side, &mut values)?);
        }
    }
    let sql =
        format!("SELECT {} FROM {}{}{}", columns.join(", "), from(table), conditions(&parts), order(&key));
    Ok(Statement { sql, parameters: bind(&values)? })
}

/// ` WHERE …` of the rows asked for of a range, at the source.
pub(super) fn at_source(table: &TablePlan, plan: &Plan, range: &KeyRange) -> Result<Statement> {
    let (mut parts, mut values) = filter(table, plan)?;
    let key = key(table);
    for (bound, side) in [(&range.after, Edge::After), (&range.upto, Edge::UpTo)] {
        if let Some(Key(bound)) = bound {
            parts.push(beyond(&key, bound, side, &mut values)?);
        }
    }
    Ok(Statement { sql: conditions(&parts), parameters: bind(&values)? })
}

/// Deletes these rows, at the source.
pub(super) fn delete_at_source(table: &TablePlan, rows: Statement) -> Statement {
    let sql = format!("DELETE FROM {}{}", from(table), rows.sql);
    Statement { sql, ..rows }
}

/// Deletes rows of another table that name these.
pub(super) fn delete_beside(along: &Referring, table: &TablePlan, rows: Statement) -> Statement {
    let ty = table.read().iter().find(|column| column.name == along.to).map_or(Type::Text, |c| c.ty);
    let sql = format!(
        "DELETE FROM {} WHERE {} IN (SELECT {} FROM {}{})",
        sql::relation(Engine::Mariadb, &along.table, None),
        keyed(&along.column, ty),
        keyed(&along.to, ty),
        from(table),
        rows.sql
    );
    Statement { sql, ..rows }
}

/// ` WHERE …` of the row of this key, at the source.
pub(super) fn at_key(table: &TablePlan, row: &Key) -> Result<Statement> {
    let key = key(table);
    let Key(values) = row;
    if key.len() != values.len() || key.is_empty() {
        return Err(NO_FORM.fault("a key does not fit its table's"));
    }
    let parts: Vec<String> = key
        .iter()
        .zip(values)
        .map(|((column, _), value)| format!("{column} = {}", parameter(value)))
        .collect();
    Ok(Statement { sql: conditions(&parts), parameters: bind(values)? })
}

/// Reads the planned columns of the rows of these keys.
pub(super) fn select_keys(table: &TablePlan, keys: &[Key]) -> Result<Statement> {
    let (mut alternatives, mut parameters) = (Vec::with_capacity(keys.len()), Vec::new());
    for key in keys {
        let one = at_key(table, key)?;
        alternatives.push(format!("({})", one.sql.trim_start_matches(" WHERE ")));
        parameters.extend(one.parameters);
    }
    let columns: Vec<String> = table.read().iter().map(|c| quoted(&c.name)).collect();
    let sql =
        format!("SELECT {} FROM {} WHERE {}", columns.join(", "), from(table), alternatives.join(" OR "));
    Ok(Statement { sql, parameters })
}

/// Counts the rows asked for.
pub(super) fn count_asked(table: &TablePlan, plan: &Plan) -> Result<Statement> {
    let (filter, values) = filter(table, plan)?;
    let sql = format!("SELECT COUNT(*) FROM {}{}", from(table), conditions(&filter));
    Ok(Statement { sql, parameters: bind(&values)? })
}

/// Counts every row; `None` where only the view can be read.
pub(super) fn count_all(table: &TablePlan) -> Option<String> {
    table.view().is_none().then(|| format!("SELECT COUNT(*) FROM {}", from(table)))
}

/// Reads nothing, and so locks the relation's structure until the transaction ends.
pub(super) fn lock(table: &TablePlan) -> String {
    format!("SELECT 1 FROM {} LIMIT 0", from(table))
}

/// Whether the server has to sort the rows: no index is ordered by a text's bytes.
pub(super) fn sorts(table: &TablePlan) -> bool {
    key(table).iter().any(|(_, ty)| matches!(ty, Type::Text | Type::Uuid))
}

pub(super) fn quoted(name: &str) -> String {
    sql::identifier(Engine::Mariadb, name)
}

fn from(table: &TablePlan) -> String {
    table.view().map_or_else(
        || sql::relation(Engine::Mariadb, table.source(), None),
        |view| sql::view(Engine::Mariadb, view),
    )
}

fn filter(table: &TablePlan, plan: &Plan) -> Result<(Vec<String>, Vec<Value>)> {
    if table.view().is_some() {
        return Ok(Default::default());
    }
    let condition = sql::condition(Engine::Mariadb, table, plan, 1)?;
    Ok(condition.map_or_else(Default::default, |c| (vec![c.text], c.parameters)))
}

pub(super) fn conditions(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) }
}

fn key(table: &TablePlan) -> Vec<(String, Type)> {
    table.key().iter().filter_map(|i| table.read().get(*i)).map(|c| (keyed(&c.name, c.ty), c.ty)).collect()
}

/// A key column in the order of keys.
pub(super) fn keyed(name: &str, ty: Type) -> String {
    let name = quoted(name);
    match ty {
        Type::Text => format!("CONVERT({name} USING utf8mb4) COLLATE utf8mb4_nopad_bin"),
        // MariaDB orders UUIDs by parts of them, not by their bytes
        Type::Uuid => format!("CAST({name} AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin"),
        _ => name,
    }
}

pub(super) fn order(key: &[(String, Type)]) -> String {
    if key.is_empty() {
        return String::new();
    }
    let columns: Vec<&str> = key.iter().map(|(column, _)| column.as_str()).collect();
    format!(" ORDER BY {}", columns.join(", "))
}

/// One end of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    After,
    UpTo,
}

/// `(a, b)` beyond a bound, written out so that the primary key's index is used (MariaDB
/// does not range over row comparisons): `a >= ? AND (a > ? OR (a = ? AND b > ?))`.
pub(super) fn beyond(
    key: &[(String, Type)],
    bound: &[Value],
    side: Edge,
    values: &mut Vec<Value>,
) -> Result<String> {
    if key.len() != bound.len() || key.is_empty() {
        return Err(NO_FORM.fault("a key range does not fit its table's key"));
    }
    let (strict, loose) = if side == Edge::After { (">", ">=") } else { ("<", "<=") };
    let mut alternatives = Vec::new();
    let mut leading = String::new();
    if let (true, Some((column, _)), Some(value)) = (key.len() > 1, key.first(), bound.first()) {
        values.push(value.clone());
        leading = format!("{column} {loose} {} AND ", parameter(value));
    }
    for last in 0..key.len() {
        let mut terms = Vec::new();
        for (place, ((column, _), value)) in key.iter().zip(bound).take(last + 1).enumerate() {
            let end = side == Edge::UpTo && last + 1 == key.len();
            let operator = match (place == last, end) {
                (false, _) => "=",
                (true, false) => strict,
                (true, true) => loose,
            };
            terms.push(format!("{column} {operator} {}", parameter(value)));
            values.push(value.clone());
        }
        alternatives.push(format!("({})", terms.join(" AND ")));
    }
    Ok(format!("({leading}({}))", alternatives.join(" OR ")))
}

/// The parameter's place, with the type that a text on the wire must be given.
fn parameter(value: &Value) -> String {
    match value {
        Value::Decimal { scale, .. } => format!("CAST(? AS DECIMAL(65,{scale}))"),
        Value::Date(_) => "CAST(? AS DATE)".to_owned(),
        Value::Timestamp(_) | Value::Instant(_) => "CAST(? AS DATETIME(6))".to_owned(),
        Value::Time(_) => "CAST(? AS TIME(6))".to_owned(),
        Value::Bytes(_) => "CAST(? AS BINARY)".to_owned(),
        _ => "?".to_owned(),
    }
}

pub(super) fn bind(values: &[Value]) -> Result<Vec<Bound>> {
    let bound: Option<Vec<Bound>> = values.iter().map(bound).collect();
    bound.ok_or_else(|| NO_FORM.fault("outside the years 0001 to 9999"))
}

fn bound(value: &Value) -> Option<Bound> {
    Some(match value {
        Value::Null => Bound::NULL,
        Value::Bool(b) => Bound::Int(i64::from(*b)),
        Value::Int(n) => Bound::Int(*n),
        Value::Decimal { unscaled, scale } => Bound::Bytes(spelling::decimal(*unscaled, *scale).into_bytes()),
        Value::Text(text) => Bound::Bytes(text.clone().into_bytes()),
        Value::Bytes(bytes) => Bound::Bytes(bytes.clone()),
        Value::Date(days) => Bound::Bytes(civil::format_date(*days)?.into_bytes()),
        Value::Timestamp(micros) | Value::Instant(micros) => {
            Bound::Bytes(civil::format_timestamp(*micros)?.into_bytes())
        }
        Value::Time(micros) => Bound::Bytes(civil::format_time(*micros)?.into_bytes()),
        Value::Uuid(bytes) => Bound::Bytes(spelling::uuid(bytes).into_bytes()),
    })
}
