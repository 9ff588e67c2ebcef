//! The catalogue: what `sqlite_schema` and the schema pragmas say; no row of any table.

use std::collections::BTreeMap;

use ecluse_core::catalog::{Catalog, Column, ForeignKey, Table};
use ecluse_core::fault::Result;
use ecluse_core::types::{Engine, Type};
use ecluse_flow::ports::Scope;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{Codes, SOURCE, fault, ledger, quoted, types};
use crate::choices;

/// Reads the catalogue; écluse's own ledger is left out.
pub(super) fn read(
    codes: &'static Codes,
    connection: &Connection,
    identity: String,
    scope: Scope<'_>,
) -> Result<Catalog> {
    let mut tables = tables(connection).map_err(|e| fault(codes, &e, "catalogue"))?;
    if let Scope::Tables(wanted) = scope {
        tables.retain(|table| wanted.contains(&table.name));
    }
    // read once: asked per table, SQLite would look through all of it each time
    let schema = Schema::of(connection).map_err(|e| fault(codes, &e, "catalogue"))?;
    for table in &mut tables {
        describe(connection, &schema, table).map_err(|e| fault(codes, &e, &table.name))?;
    }
    Ok(Catalog { engine: Engine::Sqlite, database: "main".to_owned(), identity, tables })
}

/// The source's identity: SHA-256 over its path and every table's, view's and trigger's
/// own statement, names in order, each part preceded by its length.
pub(super) fn identity(connection: &Connection, path: &str) -> Result<String> {
    let statements = || -> rusqlite::Result<Vec<[String; 3]>> {
        let mut statement = connection.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE type <> 'index' AND sql IS NOT NULL ORDER BY type, name",
        )?;
        let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        rows.collect()
    };
    let mut parts = vec!["ecluse/sqlite-source/1".to_owned(), path.to_owned()];
    for [kind, name, sql] in statements().map_err(|e| fault(&SOURCE, &e, "catalogue"))? {
        if !ledger::owns(&name) && !name.starts_with("sqlite_") {
            parts.extend([kind, name, sql]);
        }
    }
    Ok(format!("sqlite:{}", digest(&parts)))
}

/// The destination's identity: SHA-256 over its path. Its schema grows by the tables and
/// the ledger that a run makes there, and is bound apart from it.
pub(super) fn place(path: &str) -> String {
    format!("sqlite:{}", digest(&["ecluse/sqlite-destination/1".to_owned(), path.to_owned()]))
}

fn digest(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// Tables and views by name, their columns still unread.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement = connection.prepare("PRAGMA main.table_list")?;
    let mut rows = statement.query([])?;
    let mut tables = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, kind): (String, String) = (row.get("name")?, row.get("type")?);
        let (without_rowid, strict): (bool, bool) = (row.get("wr")?, row.get("strict")?);
        if name.starts_with("sqlite_") || ledger::owns(&name) {
            continue;
        }
        let storage = match (strict, without_rowid) {
            (true, true) => "strict without rowid",
            (true, false) => "strict",
            (false, true) => "without rowid",
            (false, false) => "rowid",
        };
        tables.push(Table {
            name,
            kind,
            oid: None,
            storage: storage.to_owned(),
            columns: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        });
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tables)
}

/// What `sqlite_schema` holds: the statement of each table and view, the triggers of each table.
struct Schema {
    statements: BTreeMap<String, String>,
    triggers: BTreeMap<String, Vec<String>>,
}

impl Schema {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut this = Self { statements: BTreeMap::new(), triggers: BTreeMap::new() };
        let mut statement = connection.prepare(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema \
             WHERE type IN ('table', 'view', 'trigger') ORDER BY name",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name, of): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let sql: String = row.get::<_, Option<String>>(3)?.unwrap_or_default();
            if kind == "trigger" {
                this.triggers.entry(of).or_default().push(format!("{name} sha256:{}", digest(&[sql])));
            } else {
                this.statements.insert(name, sql);
            }
        }
        Ok(this)
    }
}

fn describe(connection: &Connection, schema: &Schema, table: &mut Table) -> rusqlite::Result<()> {
    let sql = schema.statements.get(&table.name).cloned().unwrap_or_default();
    // SQLite tells collations, checks and generated expressions in the statement only
    table.definition = if table.kind == "view" {
        sql.clone()
    } else {
        format!("sha256:{}", digest(std::slice::from_ref(&sql)))
    };
    columns(connection, table, &sql)?;
    choices::of_sqlite(table, &sql);
    table.uniques = uniques(connection, &table.name)?;
    table.foreign_keys = foreign_keys(connection, &table.name, &schema.statements)?;
    table.triggers = schema.triggers.get(&table.name).cloned().unwrap_or_default();
    Ok(())
}

fn columns(connection: &Connection, table: &mut Table, sql: &str) -> rusqlite::Result<()> {
    let mut key: Vec<(i64, String)> = Vec::new();
    let mut statement = connection.prepare(&format!("PRAGMA main.table_xinfo({})", quoted(&table.name)))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, sql_type): (String, String) = (row.get("name")?, row.get("type")?);
        let (not_null, place, hidden): (bool, i64, i64) =
            (row.get("notnull")?, row.get("pk")?, row.get("hidden")?);
        let default: Option<String> = row.get("dflt_value")?;
        let ordinary = matches!(table.kind.as_str(), "table" | "view");
        let declared = types::declared(&sql_type).filter(|_| ordinary && hidden != 1);
        let generated = match hidden {
            2 => format!("virtual sha256:{}", digest(&[sql.to_owned()])),
            3 => format!("stored sha256:{}", digest(&[sql.to_owned()])),
            _ => String::new(),
        };
        if place > 0 {
            key.push((place, name.clone()));
        }
        table.columns.push(Column {
            name,
            int_bounds: declared.filter(|d| d.ty == Type::Int).map(|_| (i64::MIN, i64::MAX)),
            ty: declared.map(|d| d.ty),
            max_length: declared.and_then(|d| d.max_length),
            nullable: !not_null,
            has_default: default.is_some(),
            identity: false,
            generated,
            sql_type,
            collation: String::new(),
            choice: false,
            labels: Vec::new(),
            comment: String::new(),
        });
    }
    key.sort();
    table.key = key.into_iter().map(|(_, name)| name).collect();
    settle_key(table);
    Ok(())
}

/// The row's number under a name of its own fills itself and is never NULL; so are the key
/// columns of a table without row numbers (SQLite's other keys may hold NULL, by an old fault).
fn settle_key(table: &mut Table) {
    let alone = table.key.len() == 1;
    let numbered = !table.storage.ends_with("without rowid");
    for column in &mut table.columns {
        if !table.key.contains(&column.name) {
            continue;
        }
        let row_number = alone && numbered && column.sql_type.eq_ignore_ascii_case("integer");
        if row_number {
            (column.identity, column.has_default) = (true, true);
        }
        if row_number || !numbered {
            column.nullable = false;
        }
    }
}

/// Unique constraints and indexes over plain columns and every row.
fn uniques(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.index_list({})", quoted(table)))?;
    let indexes = statement.query_map([], |row| {
        let (unique, partial): (bool, bool) = (row.get("unique")?, row.get("partial")?);
        let origin: String = row.get("origin")?;
        Ok((row.get::<_, String>("name")?, unique && !partial && origin != "pk"))
    })?;
    let mut uniques = Vec::new();
    for index in indexes {
        let (name, counts) = index?;
        if !counts {
            continue;
        }
        let mut statement = connection.prepare(&format!("PRAGMA main.index_xinfo({})", quoted(&name)))?;
        let columns = statement
            .query_map([], |row| Ok((row.get::<_, bool>("key")?, row.get::<_, Option<String>>("name")?)))?;
        let columns: Vec<_> = columns.collect::<rusqlite::Result<_>>()?;
        let keys: Option<Vec<String>> =
            columns.into_iter().filter(|(key, _)| *key).map(|(_, name)| name).collect();
        uniques.extend(keys);
    }
    uniques.sort();
    Ok(uniques)
}

fn foreign_keys(
    connection: &Connection,
    table: &str,
    tables: &BTreeMap<String, String>,
) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.foreign_key_list({})", quoted(table)))?;
    let mut rows = statement.query([])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get("id")?;
        let (here, there): (String, Option<String>) = (row.get("from")?, row.get("to")?);
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let references = row.get("table")?;
            let key =
                ForeignKey { name: String::new(), columns: Vec::new(), references, referenced: Vec::new() };
            keys.push((id, key));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(here);
            key.referenced.extend(there);
        }
    }
    let mut keys: Vec<ForeignKey> = keys.into_iter().rev().map(|(_, key)| key).collect();
    for key in &mut keys {
        key.references = spelled(&key.references, tables.keys());
        if key.referenced.is_empty() {
            key.referenced = primary_key(connection, &key.references)?;
            continue;
        }
        let there = column_names(connection, &key.references)?;
        key.referenced = key.referenced.iter().map(|name| spelled(name, there.iter())).collect();
    }
    let here = column_names(connection, table)?;
    for name in keys.iter_mut().flat_map(|key| &mut key.columns) {
        *name = spelled(name, here.iter());
    }
    Ok(keys)
}

/// The name as it was made: a reference may spell it in another case.
fn spelled<'a>(name: &str, mut known: impl Iterator<Item = &'a String>) -> String {
    known.find(|k| k.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

fn column_names(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.table_xinfo({})", quoted(table)))?;
    statement.query_map([], |row| row.get("name"))?.collect()
}

/// What a foreign key without columns refers to.
fn primary_key(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA main.table_xinfo({})", quoted(table)))?;
    let columns =
        statement.query_map([], |row| Ok((row.get::<_, i64>("pk")?, row.get::<_, String>("name")?)))?;
    let mut key: Vec<(i64, String)> = columns.collect::<rusqlite::Result<_>>()?;
    key.retain(|(place, _)| *place > 0);
    key.sort();
    Ok(key.into_iter().map(|(_, name)| name).collect())
}
