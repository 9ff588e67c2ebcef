//! The catalogue, as an account sees it that holds REFERENCES on the instructed tables.
//!
//! Triggers and view definitions are left out for every account: a least-privilege one does
//! not see them (measured, `docs/formats.md`), and a digest signed by one account must be the
//! digest that another computes.

use std::collections::BTreeMap;

use ecluse_core::catalog::{Catalog, Column, ForeignKey, Table};
use ecluse_core::fault::Result;
use ecluse_core::types::{Engine, Type};
use ecluse_flow::ports::Scope;
use mysql_async::Row;

use super::session::{Session, number, text};
use super::types::{self, Told};

/// Reads the catalogue of the connection's database.
pub(super) fn read(
    session: &mut Session,
    identity: String,
    database: &str,
    scope: Scope<'_>,
) -> Result<Catalog> {
    let mut tables = tables(session)?;
    if let Scope::Tables(wanted) = scope {
        tables.retain(|name, _| wanted.contains(name));
    }
    columns(session, &mut tables)?;
    indexes(session, &mut tables)?;
    foreign_keys(session, &mut tables)?;
    Ok(Catalog {
        engine: Engine::Mariadb,
        database: database.to_owned(),
        identity,
        tables: tables.into_values().collect(),
    })
}

fn tables(session: &mut Session) -> Result<BTreeMap<String, Table>> {
    let sql = "SELECT table_name, table_type, engine, table_rows FROM information_schema.tables \
               WHERE table_schema = DATABASE()";
    let table = |row: &Row| {
        let kind = match text(row, 1).as_str() {
            "BASE TABLE" | "SYSTEM VERSIONED" => "table".to_owned(),
            other => other.to_lowercase(),
        };
        Table {
            name: text(row, 0),
            kind,
            oid: None,
            storage: text(row, 2),
            columns: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: number(row, 3),
        }
    };
    let rows = session.rows(sql, Vec::new(), "catalogue")?;
    Ok(rows.iter().map(table).map(|t| (t.name.clone(), t)).collect())
}

fn columns(session: &mut Session, tables: &mut BTreeMap<String, Table>) -> Result<()> {
    let sql = "SELECT table_name, column_name, data_type, column_type, character_set_name, collation_name, \
               numeric_precision, numeric_scale, character_maximum_length, is_nullable, column_default, extra, \
               generation_expression, column_comment \
               FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";
    for row in session.rows(sql, Vec::new(), "catalogue")? {
        if let Some(table) = tables.get_mut(&text(&row, 0)) {
            table.columns.push(column(&row));
        }
    }
    Ok(())
}

fn column(row: &Row) -> Column {
    let (data_type, sql_type, charset) = (text(row, 2), text(row, 3), text(row, 4));
    let told = Told {
        data_type: &data_type,
        column_type: &sql_type,
        charset: &charset,
        precision: number(row, 6),
        scale: number(row, 7),
    };
    let ty = types::understood(&told);
    // TEXT and BLOB kinds count bytes and are as good as unbounded; CHAR and VARCHAR count characters
    let declared = matches!(data_type.as_str(), "char" | "varchar" | "binary" | "varbinary");
    let max_length = number(row, 8).filter(|_| declared).and_then(|n| u32::try_from(n).ok());
    let default = text(row, 10);
    let identity = text(row, 11).contains("auto_increment");
    Column {
        name: text(row, 1),
        int_bounds: types::int_bounds(&told).filter(|_| ty == Some(Type::Int)),
        ty,
        max_length,
        nullable: text(row, 9) == "YES",
        has_default: identity || !matches!(default.as_str(), "" | "NULL"),
        identity,
        generated: text(row, 12),
        collation: text(row, 5),
        choice: matches!(data_type.as_str(), "enum" | "set"),
        labels: Vec::new(),
        comment: text(row, 13),
        sql_type,
    }
}

/// The primary key, and unique indexes over whole columns.
fn indexes(session: &mut Session, tables: &mut BTreeMap<String, Table>) -> Result<()> {
    let sql = "SELECT table_name, index_name, column_name, sub_part FROM information_schema.statistics \
               WHERE table_schema = DATABASE() AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index";
    let mut found: BTreeMap<(String, String), Option<Vec<String>>> = BTreeMap::new();
    for row in session.rows(sql, Vec::new(), "catalogue")? {
        let index = found.entry((text(&row, 0), text(&row, 1))).or_insert_with(|| Some(Vec::new()));
        match (number(&row, 3), index.as_mut()) {
            // unique over a prefix says nothing of whole values
            (Some(_prefix), _) => *index = None,
            (None, Some(columns)) => columns.push(text(&row, 2)),
            (None, None) => {}
        }
    }
    for ((table, index), columns) in found {
        let (Some(table), Some(columns)) = (tables.get_mut(&table), columns) else { continue };
        if index == "PRIMARY" { table.key = columns } else { table.uniques.push(columns) }
    }
    Ok(())
}

fn foreign_keys(session: &mut Session, tables: &mut BTreeMap<String, Table>) -> Result<()> {
    let sql = "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name \
               FROM information_schema.key_column_usage \
               WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE() \
               ORDER BY table_name, constraint_name, ordinal_position";
    for row in session.rows(sql, Vec::new(), "catalogue")? {
        let Some(table) = tables.get_mut(&text(&row, 0)) else { continue };
        let name = text(&row, 1);
        if table.foreign_keys.last().is_none_or(|last| last.name != name) {
            let references = text(&row, 3);
            let (columns, referenced) = (Vec::new(), Vec::new());
            table.foreign_keys.push(ForeignKey { name, columns, references, referenced });
        }
        if let Some(key) = table.foreign_keys.last_mut() {
            key.columns.push(text(&row, 2));
            key.referenced.push(text(&row, 4));
        }
    }
    Ok(())
}
