//! What a load leaves to the end, and what it asks of a table before it begins.
//!
//! | of a planned table | during the load | why |
//! |---|---|---|
//! | foreign keys from and to it | not looked at (`foreign_key_checks = 0`) | a chunk's parents may come later; a chunk can be replaced without its children |
//! | indexes, `CHECK`, `NOT NULL`, triggers | as they are | they refuse rows, which the bisection finds one by one |
//!
//! MariaDB never looks again at rows that were written while its foreign keys slept, so [`foreign_keys`]
//! does, every declared one that touches a planned table, before the run may call itself whole.

use std::collections::BTreeMap;

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use mysql_async::{Row, Value};

use super::session::{Session, number, text};
use super::statement::quoted;
use crate::sql;

/// A table that has no transactions, or more than the rows that stand in it.
static ENGINE: Code =
    Code::refused("ECL-DST-230", "a destination table is not one that écluse can write safely");
/// Children without a parent.
static ORPHANS: Code = Code::refused("ECL-DST-231", "a foreign key finds rows without their parent");

/// Refuses tables whose rows cannot be taken back: other storage engines than InnoDB have no
/// transactions, and a system-versioned table keeps what was deleted.
pub(super) fn engines(session: &mut Session, plan: &Plan) -> Result<()> {
    let sql = "SELECT engine, table_type FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name = ?";
    for table in plan.tables() {
        let name = table.destination();
        let rows = session.rows(sql, vec![Value::from(name)], name)?;
        let (engine, kind) = rows.first().map(|row| (text(row, 0), text(row, 1))).unwrap_or_default();
        if engine != "InnoDB" || kind != "BASE TABLE" {
            return Err(ENGINE
                .fault(format!("{name}: {engine}, {}", kind.to_lowercase()))
                .help("Make it an InnoDB table without system versioning: ALTER TABLE … ENGINE = InnoDB"));
        }
    }
    Ok(())
}

/// A declared foreign key: names, quoted.
struct ForeignKey {
    name: String,
    child: String,
    parent: String,
    /// Columns here and there.
    columns: Vec<(String, String)>,
    /// Whose rows of the child are ours, where it holds others'.
    room: Option<String>,
}

/// ` AND` the rows of one laboratory, under that alias; empty where every row is meant.
pub(super) fn and_room(table: &TablePlan, alias: &str) -> Result<String> {
    let room = sql::room(Engine::Mariadb, table, Some(alias))?;
    Ok(room.map_or_else(String::new, |room| format!(" AND {room}")))
}

/// Checks every declared foreign key from and to the planned tables, by the server's own comparison.
///
/// # Errors
///
/// [`ORPHANS`], with the count per foreign key.
pub(super) fn foreign_keys(session: &mut Session, plan: &Plan) -> Result<()> {
    let mut broken = Vec::new();
    for key in declared(session, plan)? {
        let ForeignKey { name, child, parent, columns, room } = key;
        let set: Vec<String> = columns.iter().map(|(here, _)| format!("c.{here} IS NOT NULL")).collect();
        let same: Vec<String> = columns.iter().map(|(here, there)| format!("p.{there} = c.{here}")).collect();
        let room = room.unwrap_or_default();
        let sql = format!(
            "SELECT COUNT(*) FROM {child} AS c WHERE {}{room} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {})",
            set.join(" AND "),
            same.join(" AND "),
        );
        let rows = session.rows(&sql, Vec::new(), &name)?;
        match rows.first().and_then(|row| number(row, 0)) {
            Some(0) => {}
            found => broken.push(format!("{name}: {} rows", found.unwrap_or_default())),
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(ORPHANS.fault(broken.join(", ")).help(
        "Instruct the parents too, or choose the rows by `column in chosen.PARENT`; `ecluse reconcile` counts them.",
    ))
}

fn declared(session: &mut Session, plan: &Plan) -> Result<Vec<ForeignKey>> {
    let sql = "SELECT constraint_schema, constraint_name, table_schema, table_name, column_name, \
               referenced_table_schema, referenced_table_name, referenced_column_name \
               FROM information_schema.key_column_usage WHERE referenced_table_name IS NOT NULL AND \
               ((table_schema = DATABASE() AND table_name = ?) OR \
                (referenced_table_schema = DATABASE() AND referenced_table_name = ?)) \
               ORDER BY constraint_schema, table_name, constraint_name, ordinal_position";
    let mut found: BTreeMap<(String, String, String), ForeignKey> = BTreeMap::new();
    for table in plan.tables() {
        let name = table.destination();
        let mut seen: BTreeMap<(String, String, String), ForeignKey> = BTreeMap::new();
        for row in session.rows(sql, vec![Value::from(name), Value::from(name)], name)? {
            let place = (text(&row, 0), text(&row, 3), text(&row, 1));
            let key = seen.entry(place).or_insert_with(|| begin(&row));
            key.columns.push((quoted(&text(&row, 4)), quoted(&text(&row, 7))));
            // a neighbour's orphans are the neighbour's, in whatever table
            let own = plan.tables().iter().find(|t| t.destination() == text(&row, 3));
            key.room = match own {
                Some(child) => Some(and_room(child, "c")?),
                None if table.room().is_empty() => None,
                None => Some(" AND FALSE".to_owned()),
            };
        }
        // between two planned tables it is found from both
        found.append(&mut seen);
    }
    Ok(found.into_values().collect())
}

fn begin(row: &Row) -> ForeignKey {
    let both =
        |schema: usize, table: usize| format!("{}.{}", quoted(&text(row, schema)), quoted(&text(row, table)));
    ForeignKey {
        name: format!("{}, constraint {}", text(row, 3), text(row, 1)),
        child: both(2, 3),
        parent: both(5, 6),
        columns: Vec::new(),
        room: None,
    }
}
