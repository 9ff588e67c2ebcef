//! Indexes taken away while an empty table is filled, and put back.
//!
//! Only indexes that constrain nothing: a unique one stays, so that the row it refuses
//! is known at once and alone. SQLite cannot drop a foreign key: its enforcement is off
//! on écluse's connection, and every planned table is checked at the end.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;
use ecluse_core::types::Engine;
use rusqlite::Connection;

use super::{DESTINATION, fault, quoted};
use crate::sql;

static ORPHANED: Code = Code::refused("ECL-DST-303", "rows refer to rows that the destination does not hold");

/// Records the tables' indexes in the ledger, then drops them.
pub(super) fn take_away(connection: &Connection, tables: &[String], run: &str) -> Result<()> {
    for table in tables {
        let work = || -> rusqlite::Result<()> {
            for (name, statement) in plain_indexes(connection, table)? {
                connection.execute(
                    "INSERT INTO ecluse_ledger_ddl (run, place, statement) \
                     SELECT ?1, count(*), ?2 FROM ecluse_ledger_ddl WHERE run = ?1",
                    [run, &statement],
                )?;
                connection.execute_batch(&format!("DROP INDEX main.{}", quoted(&name)))?;
            }
            Ok(())
        };
        work().map_err(|e| fault(&DESTINATION, &e, table))?;
    }
    Ok(())
}

/// Makes every recorded index again and forgets the records.
pub(super) fn put_back(connection: &Connection, run: &str) -> Result<()> {
    let work = || -> rusqlite::Result<()> {
        let mut recorded =
            connection.prepare("SELECT statement FROM ecluse_ledger_ddl WHERE run = ?1 ORDER BY place")?;
        let statements: Vec<String> =
            recorded.query_map([run], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for statement in statements {
            connection.execute(&statement, [])?;
        }
        connection.execute("DELETE FROM ecluse_ledger_ddl WHERE run = ?1", [run])?;
        Ok(())
    };
    work().map_err(|e| fault(&DESTINATION, &e, "indexes"))
}

/// Checks every declared foreign key of the planned tables.
///
/// # Errors
///
/// [`ORPHANED`], with the count per table and parent.
pub(super) fn check_foreign_keys(connection: &Connection, plan: &Plan) -> Result<()> {
    let mut broken = Vec::new();
    for table in plan.tables() {
        let name = table.destination();
        // a neighbour's orphans are the neighbour's; a table without row numbers names none
        let ours = sql::room(Engine::Sqlite, table, Some("t"))?.map_or_else(String::new, |room| {
            format!(
                " LEFT JOIN main.{} AS t ON t._rowid_ = f.rowid WHERE f.rowid IS NULL OR {room}",
                quoted(name)
            )
        });
        let sql = format!(
            "SELECT f.parent, count(*) FROM pragma_foreign_key_check(?1) AS f{ours} GROUP BY 1 ORDER BY 1"
        );
        let count = || -> rusqlite::Result<Vec<(String, i64)>> {
            // as a table-valued function the pragma can be counted inside the engine
            let mut statement = connection.prepare(&sql)?;
            statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        for (parent, rows) in count().map_err(|e| fault(&DESTINATION, &e, name))? {
            broken.push(format!("{name} → {parent}: {rows} rows"));
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(ORPHANED
        .fault(broken.join(", "))
        .help("Instruct the parents too, or choose the rows by `column in chosen.PARENT`."))
}

/// Indexes that somebody made with a statement and that are not unique.
fn plain_indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(
        "SELECT s.name, s.sql FROM pragma_index_list(?1) AS l JOIN sqlite_schema AS s ON s.name = l.name \
         WHERE s.type = 'index' AND s.sql IS NOT NULL AND l.\"unique\" = 0 ORDER BY s.name",
    )?;
    statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
