//! The ledger: what is in the destination, written in the same transaction as the rows.
//!
//! | table | one line per | holds |
//! |---|---|---|
//! | `run` | run | its opaque id, its tables and which were empty when it first began |
//! | `chunk` | chunk | counts, opaque number, published tally; no key, no value |
//! | `ddl` | constraint or index that was dropped | the statement that puts it back |
//!
//! The schema is dropped at closing.

use std::collections::BTreeSet;

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan, apart};
use ecluse_core::types::Engine;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{LedgerEntry, Since};

use super::connect::Link;
use super::text::relation;
use crate::sql;

/// The ledger's schema in the destination.
pub(super) const SCHEMA: &str = "ecluse_ledger";

/// Another run's ledger stands over these tables.
pub(crate) static OTHER_RUN: Code =
    Code::refused("ECL-DST-520", "the destination holds the ledger of another run over these tables");
/// Another process works on this destination.
pub(crate) static BUSY: Code = Code::outside("ECL-DST-521", "another run works on this destination");
/// A ledger's line that this program did not write.
pub(crate) static LINE: Code = Code::refused("ECL-DST-522", "the destination's ledger is damaged");

/// Per database, any constant does; this one spells `ecluse` in ASCII.
const LOCK: i64 = 0x6563_6c75_7365;

const TABLES: &str = "\
    CREATE SCHEMA IF NOT EXISTS ecluse_ledger; \
    CREATE TABLE IF NOT EXISTS ecluse_ledger.run (run text PRIMARY KEY, tables text[] NOT NULL, \
        empty boolean[] NOT NULL, rooms text[] NOT NULL, finished boolean NOT NULL DEFAULT false); \
    CREATE TABLE IF NOT EXISTS ecluse_ledger.chunk (run text NOT NULL, tab int8 NOT NULL, chunk int8 NOT NULL, \
        rows int8 NOT NULL, refused int8 NOT NULL, tally bytea NOT NULL, catch_up int8 NOT NULL DEFAULT 0, \
        added int8 NOT NULL DEFAULT 0, changed int8 NOT NULL DEFAULT 0, deleted int8 NOT NULL DEFAULT 0, \
        PRIMARY KEY (run, tab, chunk)); \
    CREATE TABLE IF NOT EXISTS ecluse_ledger.ddl (run text NOT NULL, tab text NOT NULL, kind text NOT NULL, \
        name text NOT NULL, statement text NOT NULL, dropped boolean NOT NULL, PRIMARY KEY (run, tab, kind, name))";

/// Keeps a second run out for as long as the connection lives.
pub(super) fn lock(link: &Link) -> Result<()> {
    let got: bool = link.one("SELECT pg_try_advisory_lock($1)", &[&LOCK], "the lock of the run")?;
    if got {
        return Ok(());
    }
    Err(BUSY
        .fault("")
        .help("wait for it to end, or see who it is in pg_stat_activity (application_name = 'ecluse')"))
}

/// What an opened ledger says.
pub(super) struct Ledger {
    run: String,
    /// Destination tables that were empty when the run first began.
    pub(super) empty_at_first: BTreeSet<String>,
    /// Chunks that are in the destination, by table and number.
    pub(super) present: BTreeSet<(usize, u64)>,
    /// Whether the run had come to its end before: what it wrote was put in order then.
    pub(super) was_finished: bool,
}

impl Ledger {
    /// Makes the ledger where it is absent, and begins or finds the run.
    pub(super) fn open(link: &Link, plan: &Plan, run: &str) -> Result<Self> {
        let place = "the ledger";
        // a schema that stands is not touched: a role without CREATE can still resume
        let stands: bool = link.one("SELECT to_regclass('ecluse_ledger.ddl') IS NOT NULL", &[], place)?;
        if !stands {
            failpoint::hit("postgres.ledger.commit.before");
            link.batch(&format!("BEGIN; {TABLES}; COMMIT"), place)?;
            failpoint::hit("postgres.ledger.commit.after");
        }
        let tables: Vec<&str> = plan.tables().iter().map(TablePlan::destination).collect();
        let rooms: Vec<String> = plan.tables().iter().map(TablePlan::room_words).collect();
        if let Some(table) = shared(link, plan, run)? {
            return Err(OTHER_RUN
                .fault(format!("table {table}"))
                .help("go on with that run's folder, or close it first (its ledger is dropped at closing)"));
        }
        let known: bool =
            link.one("SELECT EXISTS (SELECT 1 FROM ecluse_ledger.run WHERE run = $1)", &[&run], place)?;
        if !known {
            let mut empty = Vec::with_capacity(tables.len());
            for table in plan.tables() {
                empty.push(is_free(link, table)?);
            }
            failpoint::hit("postgres.begin.commit.before");
            link.execute(
                "INSERT INTO ecluse_ledger.run (run, tables, empty, rooms) VALUES ($1, $2, $3, $4)",
                &[&run, &tables, &empty, &rooms],
                place,
            )?;
            failpoint::hit("postgres.begin.commit.after");
        }
        let fault = |e: tokio_postgres::Error| link.side().fault(&e, place);
        let mut empty_at_first = BTreeSet::new();
        for row in link.query(
            "SELECT t FROM ecluse_ledger.run, unnest(tables, empty) u(t, e) WHERE run = $1 AND e",
            &[&run],
            place,
        )? {
            empty_at_first.insert(row.try_get(0).map_err(fault)?);
        }
        let finished = "SELECT finished FROM ecluse_ledger.run WHERE run = $1";
        Ok(Self {
            run: run.to_owned(),
            empty_at_first,
            present: entries(link, run)?.iter().map(|e| (e.table, e.chunk)).collect(),
            was_finished: link.one(finished, &[&run], place)?,
        })
    }

    pub(super) fn run(&self) -> &str {
        &self.run
    }
}

/// A table that another run's ledger covers too, where the two rooms in it are not apart.
fn shared<'p>(link: &Link, plan: &'p Plan, run: &str) -> Result<Option<&'p str>> {
    let place = "the ledger";
    let sql = "SELECT o.t, o.room FROM ecluse_ledger.run, unnest(tables, rooms) o(t, room) WHERE run <> $1";
    for row in link.query(sql, &[&run], place)? {
        let get = |i: usize| row.try_get::<_, String>(i).map_err(|e| link.side().fault(&e, place));
        let (table, room) = (get(0)?, get(1)?);
        let meets = |t: &&TablePlan| t.destination() == table && !apart(&t.room_words(), &room);
        if let Some(table) = plan.tables().iter().find(meets) {
            return Ok(Some(table.destination()));
        }
    }
    Ok(None)
}

/// The lines of a run; none where there is no ledger.
pub(super) fn entries(link: &Link, run: &str) -> Result<Vec<LedgerEntry>> {
    let place = "the ledger";
    let stands: bool = link.one("SELECT to_regclass('ecluse_ledger.chunk') IS NOT NULL", &[], place)?;
    if !stands {
        return Ok(Vec::new());
    }
    let rows = link.query(
        "SELECT tab, chunk, rows, refused, tally, catch_up, added, changed, deleted FROM ecluse_ledger.chunk \
         WHERE run = $1 ORDER BY tab, chunk",
        &[&run],
        place,
    )?;
    let damaged =
        || LINE.fault("a line of the table chunk").help("restore the destination, or begin a new run");
    rows.iter()
        .map(|row| {
            let number = |i: usize| {
                row.try_get::<_, i64>(i).ok().and_then(|n| u64::try_from(n).ok()).ok_or_else(damaged)
            };
            let tally: Vec<u8> = row.try_get(4).map_err(|_may_quote| damaged())?;
            Ok(LedgerEntry {
                table: usize::try_from(number(0)?).map_err(|_| damaged())?,
                chunk: number(1)?,
                rows: number(2)?,
                refused: number(3)?,
                tally: tally.try_into().map_err(|_| damaged())?,
                since: Since {
                    catch_up: number(5)?,
                    added: number(6)?,
                    changed: number(7)?,
                    deleted: number(8)?,
                },
            })
        })
        .collect()
}

/// Whether a table, or this laboratory's room in it, holds no row.
pub(super) fn is_free(link: &Link, table: &TablePlan) -> Result<bool> {
    let name = table.destination();
    let room = sql::room(Engine::Postgresql, table, None)?;
    let room = room.as_deref().unwrap_or("TRUE");
    link.one(&format!("SELECT NOT EXISTS (SELECT 1 FROM {} WHERE {room})", relation(name)), &[], name)
}

/// Whether a table holds no row.
pub(super) fn is_empty(link: &Link, table: &str) -> Result<bool> {
    link.one(&format!("SELECT NOT EXISTS (SELECT 1 FROM {})", relation(table)), &[], table)
}
