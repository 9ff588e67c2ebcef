//! The ledger in a MariaDB destination: tables of its own beside those it speaks of, no value of any row.
//!
//! | table | one line is |
//! |---|---|
//! | `ecluse_ledger_run` | a table this run writes, and whether it was empty when the run first began |
//! | `ecluse_ledger_chunk` | a chunk that is in the destination: opaque numbers, counts, published tally |
//!
//! Making a table commits whatever stands open, so the tables are made first, each whole or not at
//! all; everything after is lines, in transactions. Closing drops them.

use std::collections::BTreeSet;

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan, apart};
use ecluse_core::types::Engine;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{LedgerEntry, Since};
use mysql_async::{Row, Value};
use sha2::{Digest, Sha256};

use super::session::{Session, number, text};
use super::statement::quoted;
use crate::sql;

/// Another run's ledger stands over these tables.
static OTHER_RUN: Code =
    Code::refused("ECL-DST-220", "the destination holds the ledger of another run over these tables");
/// Another process works on this destination.
static BUSY: Code = Code::outside("ECL-DST-221", "another run works on this destination");
/// A ledger's line that this program did not write.
static LINE: Code = Code::refused("ECL-DST-222", "the destination's ledger is damaged");

const PLACE: &str = "the ledger";

/// Texts of the ledger are ASCII; compared by bytes.
const TABLES: [(&str, &str); 2] = [
    (
        "ecluse_ledger_run",
        "run VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, number BIGINT NOT NULL, \
         destination VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, was_empty TINYINT NOT NULL, \
         room TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL, finished TINYINT NOT NULL DEFAULT 0, PRIMARY KEY (run, number)",
    ),
    (
        "ecluse_ledger_chunk",
        "run VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, number BIGINT NOT NULL, chunk BIGINT NOT NULL, \
         row_count BIGINT NOT NULL, refused BIGINT NOT NULL, tally BINARY(32) NOT NULL, \
         catch_up BIGINT NOT NULL, added BIGINT NOT NULL, changed BIGINT NOT NULL, deleted BIGINT NOT NULL, \
         PRIMARY KEY (run, number, chunk)",
    ),
];

/// Whether a table is the ledger's own.
pub(super) fn owns(table: &str) -> bool {
    table.starts_with("ecluse_ledger_")
}

/// Keeps a second run out for as long as the connection lives: the server lets go of it when the
/// connection ends, however it ends.
pub(super) fn lock(session: &mut Session, database: &str) -> Result<()> {
    let name = lock_name(database);
    let rows =
        session.rows("SELECT GET_LOCK(?, 0)", vec![Value::from(name.as_str())], "the lock of the run")?;
    if rows.first().and_then(|row| number(row, 0)) == Some(1) {
        return Ok(());
    }
    Err(BUSY.fault("").help(format!("Wait for it to end, or see who it is: SELECT IS_USED_LOCK('{name}')")))
}

/// The server's locks are one for all databases and have names of 64 characters at most.
fn lock_name(database: &str) -> String {
    let hex = data_encoding::HEXLOWER.encode(&Sha256::digest(database));
    format!("ecluse {}", hex.get(..32).unwrap_or_default())
}

/// Makes the ledger where it is absent and enters the run's tables. Gives the chunks that stand.
///
/// # Errors
///
/// [`OTHER_RUN`] where another run's ledger stands over one of the tables.
pub(super) fn enter(session: &mut Session, plan: &Plan, run: &str) -> Result<BTreeSet<(usize, u64)>> {
    for (name, columns) in TABLES {
        if !stands(session, name)? {
            failpoint::hit("mariadb.ledger.commit.before");
            // commits by itself
            session.run(&format!("CREATE TABLE IF NOT EXISTS {name} ({columns}) ENGINE = InnoDB"), PLACE)?;
            failpoint::hit("mariadb.ledger.commit.after");
        }
    }
    session.run("START TRANSACTION", PLACE)?;
    let entered = enter_tables(session, plan, run);
    if entered.is_err() {
        let _ = session.run("ROLLBACK", PLACE);
        entered?;
    }
    failpoint::hit("mariadb.begin.commit.before");
    session.run("COMMIT", PLACE)?;
    failpoint::hit("mariadb.begin.commit.after");
    Ok(entries(session, run)?.iter().map(|line| (line.table, line.chunk)).collect())
}

fn enter_tables(session: &mut Session, plan: &Plan, run: &str) -> Result<()> {
    for table in plan.tables() {
        let name = table.destination();
        let room = table.room_words();
        let others = "SELECT room FROM ecluse_ledger_run WHERE destination = ? AND run <> ?";
        let others = session.rows(others, vec![Value::from(name), Value::from(run)], PLACE)?;
        if others.iter().any(|other| !apart(&text(other, 0), &room)) {
            return Err(OTHER_RUN
                .fault(format!("table {name}"))
                .help("Go on with that run's folder, or let it be accepted: closing drops its ledger."));
        }
        let line = vec![Value::from(run), signed(table.number())?];
        let known = "SELECT COUNT(*) FROM ecluse_ledger_run WHERE run = ? AND number = ?";
        if one(session, known, line.clone())? > 0 {
            continue;
        }
        let empty = is_free(session, table)?;
        let line =
            line.into_iter().chain([Value::from(name), Value::Int(i64::from(empty)), Value::from(room)]);
        let line = line.collect();
        let sql = "INSERT INTO ecluse_ledger_run (run, number, destination, was_empty, room) VALUES (?, ?, ?, ?, ?)";
        session.rows(sql, line, PLACE)?;
    }
    Ok(())
}

/// The lines of a run; none where there is no ledger.
pub(super) fn entries(session: &mut Session, run: &str) -> Result<Vec<LedgerEntry>> {
    if !stands(session, "ecluse_ledger_chunk")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT number, chunk, row_count, refused, tally, catch_up, added, changed, deleted \
               FROM ecluse_ledger_chunk WHERE run = ? ORDER BY number, chunk";
    let lines = session.rows(sql, vec![Value::from(run)], PLACE)?;
    let damaged = || LINE.fault("ecluse_ledger_chunk").help("Restore the destination, or begin a new run.");
    lines.iter().map(|line| read(line).ok_or_else(damaged)).collect()
}

fn read(line: &Row) -> Option<LedgerEntry> {
    let Some(Value::Bytes(tally)) = line.as_ref(4) else { return None };
    Some(LedgerEntry {
        table: usize::try_from(number(line, 0)?).ok()?,
        chunk: number(line, 1)?,
        rows: number(line, 2)?,
        refused: number(line, 3)?,
        tally: tally.as_slice().try_into().ok()?,
        since: Since {
            catch_up: number(line, 5)?,
            added: number(line, 6)?,
            changed: number(line, 7)?,
            deleted: number(line, 8)?,
        },
    })
}

/// Writes a chunk's line, in the place of an older one.
pub(super) fn put(session: &mut Session, run: &str, entry: &LedgerEntry) -> Result<()> {
    let line = vec![
        Value::from(run),
        signed(entry.table)?,
        signed(entry.chunk)?,
        signed(entry.rows)?,
        signed(entry.refused)?,
        Value::Bytes(entry.tally.to_vec()),
        signed(entry.since.catch_up)?,
        signed(entry.since.added)?,
        signed(entry.since.changed)?,
        signed(entry.since.deleted)?,
    ];
    // REPLACE deletes and inserts: no trigger stands on the ledger
    let sql = "REPLACE INTO ecluse_ledger_chunk \
               (run, number, chunk, row_count, refused, tally, catch_up, added, changed, deleted) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    session.rows(sql, line, PLACE).map(drop)
}

/// Takes a chunk's line out.
pub(super) fn strike(session: &mut Session, run: &str, table: usize, chunk: u64) -> Result<()> {
    let line = vec![Value::from(run), signed(table)?, signed(chunk)?];
    let sql = "DELETE FROM ecluse_ledger_chunk WHERE run = ? AND number = ? AND chunk = ?";
    session.rows(sql, line, PLACE).map(drop)
}

/// Takes a run out, and the ledger away with its last one; each statement commits by itself, and the
/// next call goes on from there.
pub(super) fn forget(session: &mut Session, run: &str) -> Result<()> {
    if !stands(session, "ecluse_ledger_run")? {
        return Ok(());
    }
    session.rows("DELETE FROM ecluse_ledger_run WHERE run = ?", vec![Value::from(run)], PLACE)?;
    if one(session, "SELECT COUNT(*) FROM ecluse_ledger_run", Vec::new())? == 0 {
        for (name, _) in TABLES.iter().rev() {
            session.run(&format!("DROP TABLE IF EXISTS {name}"), PLACE)?;
        }
    }
    Ok(())
}

/// Takes a closed run out of the ledger with every line of its chunks; see the port.
pub(super) fn conclude(session: &mut Session, run: &str) -> Result<()> {
    failpoint::hit("mariadb.conclude.commit.before");
    if stands(session, "ecluse_ledger_chunk")? {
        session.rows("DELETE FROM ecluse_ledger_chunk WHERE run = ?", vec![Value::from(run)], PLACE)?;
    }
    forget(session, run)?;
    failpoint::hit("mariadb.conclude.commit.after");
    Ok(())
}

/// Notes that the run came to its end.
pub(super) fn finished(session: &mut Session, run: &str) -> Result<()> {
    let sql = "UPDATE ecluse_ledger_run SET finished = 1 WHERE run = ?";
    session.rows(sql, vec![Value::from(run)], PLACE).map(drop)
}

/// Whether a table, or this laboratory's room in it, holds no row.
pub(super) fn is_free(session: &mut Session, table: &TablePlan) -> Result<bool> {
    let name = table.destination();
    let room =
        sql::room(Engine::Mariadb, table, None)?.map_or_else(String::new, |room| format!(" WHERE {room}"));
    let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {}{room})", quoted(name));
    let rows = session.rows(&sql, Vec::new(), name)?;
    Ok(rows.first().and_then(|row| number(row, 0)) == Some(1))
}

pub(super) fn stands(session: &mut Session, table: &str) -> Result<bool> {
    let sql =
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
    Ok(one(session, sql, vec![Value::from(table)])? > 0)
}

fn one(session: &mut Session, sql: &str, values: Vec<Value>) -> Result<u64> {
    let rows = session.rows(sql, values, PLACE)?;
    rows.first().and_then(|row| number(row, 0)).ok_or_else(|| LINE.fault(PLACE))
}

fn signed(count: impl TryInto<i64>) -> Result<Value> {
    count.try_into().map(Value::Int).map_err(|_too_large| LINE.fault("a number past 2^63"))
}
