//! The ledger in a SQLite destination: three tables, no value of any row.
//!
//! | table | one line is |
//! |---|---|
//! | `ecluse_ledger_run` | a table this run writes, and whether it was empty when the run first began |
//! | `ecluse_ledger_chunk` | a chunk that is in the destination: opaque numbers, counts, published tally |
//! | `ecluse_ledger_ddl` | an index taken away for the run, to be put back |

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, apart};
use ecluse_flow::ports::{LedgerEntry, Since};
use rusqlite::Connection;

use super::{DESTINATION, fault};

static FOREIGN_RUN: Code = Code::refused("ECL-DST-301", "the destination holds the ledger of another run");
static BROKEN: Code = Code::refused("ECL-DST-302", "the ledger in the destination is not what écluse wrote");

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS main.ecluse_ledger_run (
    run TEXT NOT NULL, number INTEGER NOT NULL, destination TEXT NOT NULL, was_empty INTEGER NOT NULL, room TEXT NOT NULL,
    PRIMARY KEY (run, number)) STRICT;
CREATE TABLE IF NOT EXISTS main.ecluse_ledger_chunk (
    run TEXT NOT NULL, number INTEGER NOT NULL, chunk INTEGER NOT NULL,
    rows INTEGER NOT NULL, refused INTEGER NOT NULL, tally BLOB NOT NULL,
    catch_up INTEGER NOT NULL DEFAULT 0, added INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, number, chunk)) STRICT;
CREATE TABLE IF NOT EXISTS main.ecluse_ledger_ddl (
    run TEXT NOT NULL, place INTEGER NOT NULL, statement TEXT NOT NULL,
    PRIMARY KEY (run, place)) STRICT;";

/// Whether a table is the ledger's own.
pub(super) fn owns(table: &str) -> bool {
    table.starts_with("ecluse_ledger_")
}

/// Makes the ledger where it is absent and enters the run's tables: the names of those
/// that this run sees for the first time and that are empty.
///
/// # Errors
///
/// [`FOREIGN_RUN`] where another run's ledger stands over one of the tables.
pub(super) fn enter(connection: &Connection, plan: &Plan, run: &str) -> Result<Vec<String>> {
    let place = "ledger";
    connection.execute_batch(SCHEMA).map_err(|e| fault(&DESTINATION, &e, place))?;
    let mut fresh = Vec::new();
    for table in plan.tables() {
        let name = table.destination();
        let room = table.room_words();
        if others(connection, name, run)?.iter().any(|other| !apart(other, &room)) {
            return Err(FOREIGN_RUN
                .fault(format!("table {name}"))
                .help("Go on with that run, or let it be accepted: closing drops its ledger."));
        }
        let number = signed(table.number())?;
        let known: bool = connection
            .query_row(
                "SELECT count(*) FROM ecluse_ledger_run WHERE run = ?1 AND number = ?2",
                rusqlite::params![run, number],
                |row| row.get(0),
            )
            .map_err(|e| fault(&DESTINATION, &e, place))?;
        if known {
            continue;
        }
        let empty = super::destination::empty(connection, name)?;
        connection
            .execute(
                "INSERT INTO ecluse_ledger_run (run, number, destination, was_empty, room) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                rusqlite::params![run, number, name, empty, room],
            )
            .map_err(|e| fault(&DESTINATION, &e, place))?;
        if empty {
            fresh.push(name.to_owned());
        }
    }
    Ok(fresh)
}

/// The rooms of the other runs over a table.
fn others(connection: &Connection, table: &str, run: &str) -> Result<Vec<String>> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement =
            connection.prepare("SELECT room FROM ecluse_ledger_run WHERE destination = ?1 AND run <> ?2")?;
        statement.query_map([table, run], |row| row.get(0))?.collect()
    };
    read().map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

/// Table, chunk, rows, refused, tally, as stored; then what the last catch-up did.
type Line = (i64, i64, i64, i64, Vec<u8>, [i64; 4]);

/// Every chunk of the run; none where there is no ledger.
pub(super) fn chunks(connection: &Connection, run: &str) -> Result<Vec<LedgerEntry>> {
    let stands = connection
        .table_exists(Some("main"), "ecluse_ledger_chunk")
        .map_err(|e| fault(&DESTINATION, &e, "ledger"))?;
    if !stands {
        return Ok(Vec::new());
    }
    let read = || -> rusqlite::Result<Vec<Line>> {
        let mut statement = connection.prepare(
            "SELECT number, chunk, rows, refused, tally, catch_up, added, changed, deleted \
             FROM ecluse_ledger_chunk WHERE run = ?1 ORDER BY number, chunk",
        )?;
        let rows = statement.query_map([run], |row| {
            let since = [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?];
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, since))
        })?;
        rows.collect()
    };
    let lines = read().map_err(|e| fault(&DESTINATION, &e, "ledger"))?;
    let entry = |(number, chunk, rows, refused, tally, since): Line| {
        let [catch_up, added, changed, deleted] = since;
        Some(LedgerEntry {
            table: usize::try_from(number).ok()?,
            chunk: u64::try_from(chunk).ok()?,
            rows: u64::try_from(rows).ok()?,
            refused: u64::try_from(refused).ok()?,
            tally: tally.try_into().ok()?,
            since: Since {
                catch_up: u64::try_from(catch_up).ok()?,
                added: u64::try_from(added).ok()?,
                changed: u64::try_from(changed).ok()?,
                deleted: u64::try_from(deleted).ok()?,
            },
        })
    };
    lines.into_iter().map(|line| entry(line).ok_or_else(|| BROKEN.fault("ecluse_ledger_chunk"))).collect()
}

/// Whether the run has that chunk.
pub(super) fn has(connection: &Connection, run: &str, table: usize, chunk: u64) -> Result<bool> {
    connection
        .query_row(
            "SELECT count(*) FROM ecluse_ledger_chunk WHERE run = ?1 AND number = ?2 AND chunk = ?3",
            rusqlite::params![run, signed(table)?, signed(chunk)?],
            |row| row.get(0),
        )
        .map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

/// Takes a chunk's line out.
pub(super) fn strike(connection: &Connection, run: &str, table: usize, chunk: u64) -> Result<()> {
    connection
        .execute(
            "DELETE FROM ecluse_ledger_chunk WHERE run = ?1 AND number = ?2 AND chunk = ?3",
            rusqlite::params![run, signed(table)?, signed(chunk)?],
        )
        .map(|_one| ())
        .map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

/// Whether there is a ledger.
pub(super) fn stands(connection: &Connection) -> Result<bool> {
    connection.table_exists(Some("main"), "ecluse_ledger_ddl").map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

/// Takes a run out, and the ledger away with its last one.
pub(super) fn forget(connection: &Connection, run: &str) -> Result<()> {
    if !stands(connection)? {
        return Ok(());
    }
    let work = || -> rusqlite::Result<()> {
        for table in ["run", "chunk", "ddl"] {
            connection.execute(&format!("DELETE FROM ecluse_ledger_{table} WHERE run = ?1"), [run])?;
        }
        let last = "SELECT NOT EXISTS (SELECT 1 FROM ecluse_ledger_run)";
        if connection.query_row(last, [], |row| row.get(0))? {
            connection.execute_batch(
                "DROP TABLE ecluse_ledger_run; DROP TABLE ecluse_ledger_chunk; DROP TABLE ecluse_ledger_ddl",
            )?;
        }
        Ok(())
    };
    work().map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

/// Writes a chunk's line, in the place of an older one.
pub(super) fn put(connection: &Connection, run: &str, entry: &LedgerEntry) -> Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO ecluse_ledger_chunk \
             (run, number, chunk, rows, refused, tally, catch_up, added, changed, deleted) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            rusqlite::params![
                run,
                signed(entry.table)?,
                signed(entry.chunk)?,
                signed(entry.rows)?,
                signed(entry.refused)?,
                entry.tally.as_slice(),
                signed(entry.since.catch_up)?,
                signed(entry.since.added)?,
                signed(entry.since.changed)?,
                signed(entry.since.deleted)?
            ],
        )
        .map(|_one| ())
        .map_err(|e| fault(&DESTINATION, &e, "ledger"))
}

fn signed(count: impl TryInto<i64>) -> Result<i64> {
    count.try_into().map_err(|_too_large| BROKEN.fault("a number past 2^63"))
}
