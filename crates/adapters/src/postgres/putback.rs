//! What a load dropped, put back; sequences and statistics.
//!
//! 1. primary keys, one after the other (the server builds each with its own workers);
//! 2. foreign keys, not yet validated: nothing is read, no other session is held up;
//! 3. per table, largest first, over two connections ([`super::lanes`]): indexes, validation of its
//!    foreign keys (which the server does on one core), statistics.
//!
//! Each thing is marked as put back in the transaction that puts it back; a kill at any place
//! leaves a mark that says the truth, and the same function goes on from there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Type;
use ecluse_flow::failpoint;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connect::Link;
use super::lanes::{Lanes, Table};
use super::text::{ident, relation};

/// A key that cannot be put back.
pub(crate) static DUPLICATES: Code =
    Code::refused("ECL-DST-530", "the destination's key finds the same key twice");
/// A foreign key that cannot be put back.
pub(crate) static ORPHANS: Code =
    Code::refused("ECL-DST-531", "a foreign key finds rows without their parent");

/// A line of the ledger: a thing that was dropped.
struct Dropped {
    table: String,
    kind: String,
    name: String,
    statement: String,
}

/// What is done to one table: first the things that were dropped.
#[derive(Default)]
struct Work {
    bytes: i64,
    things: Vec<Dropped>,
    analyze: Option<String>,
}

/// One step of it.
enum Step {
    PutBack(Dropped),
    /// So that the first queries of the new system are planned on facts.
    Analyze(String),
}

/// Puts everything back, and takes statistics of the tables that `analyze` names. `second` opens
/// another connection where one helps.
pub(super) fn put_back(
    link: &Link,
    second: impl FnOnce() -> Result<Link>,
    run: &str,
    plan: &Plan,
    analyze: &dyn Fn(&TablePlan) -> bool,
) -> Result<()> {
    let things = dropped(link, run, None)?;
    for key in things.iter().filter(|t| t.kind == "key") {
        put_back_one(link, run, key)?;
    }
    for foreign_key in things.iter().filter(|t| t.kind == "fk") {
        declare(link, foreign_key)?;
    }
    let lanes = Lanes::new(by_table(link, things, plan, analyze)?);
    if !lanes.is_for_two() {
        return lanes.work(|step| one(link, run, step));
    }
    let second = second()?;
    let lanes = &lanes;
    std::thread::scope(|scope| {
        let other = scope.spawn(move || lanes.work(|step| one(&second, run, step)));
        let mine = lanes.work(|step| one(link, run, step));
        let theirs = other.join().unwrap_or_else(|_| Err(link.side().gone("the second connection")));
        mine.and(theirs)
    })
}

/// Puts a table's primary key back before rows of it are deleted, which would else read
/// the whole table for every chunk.
pub(super) fn put_back_key(link: &Link, run: &str, table: &str) -> Result<()> {
    dropped(link, run, Some(&relation(table)))?
        .iter()
        .filter(|t| t.kind == "key")
        .try_for_each(|key| put_back_one(link, run, key))
}

/// Whether anything that a load dropped still is to be put back.
pub(super) fn is_due(link: &Link, run: &str) -> Result<bool> {
    let stands: bool = link.one("SELECT to_regclass('ecluse_ledger.ddl') IS NOT NULL", &[], "the ledger")?;
    Ok(stands && !dropped(link, run, None)?.is_empty())
}

fn dropped(link: &Link, run: &str, table: Option<&str>) -> Result<Vec<Dropped>> {
    let rows = link.query(
        "SELECT tab, kind, name, statement FROM ecluse_ledger.ddl WHERE run = $1 AND dropped \
         AND ($2::text IS NULL OR to_regclass(tab) = to_regclass($2)) ORDER BY kind = 'fk', tab, name",
        &[&run, &table],
        "the ledger",
    )?;
    let read = |row: &tokio_postgres::Row| -> Result<Dropped, Error> {
        Ok(Dropped {
            table: row.try_get(0)?,
            kind: row.try_get(1)?,
            name: row.try_get(2)?,
            statement: row.try_get(3)?,
        })
    };
    rows.iter().map(|row| read(row).map_err(|e| link.side().fault(&e, "the ledger"))).collect()
}

/// What is left to do, per table, the largest first.
fn by_table(
    link: &Link,
    things: Vec<Dropped>,
    plan: &Plan,
    analyze: &dyn Fn(&TablePlan) -> bool,
) -> Result<Vec<Table<Step>>> {
    let place = "the end of the load";
    let of = |name: &str| -> Result<(Option<u32>, i64)> {
        let sql = "SELECT to_regclass($1)::oid, coalesce(pg_table_size(to_regclass($1)), 0)";
        let rows = link.query(sql, &[&name], place)?;
        let read = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.first()
            .map(read)
            .transpose()
            .map(Option::unwrap_or_default)
            .map_err(|e| link.side().fault(&e, place))
    };
    let mut work: BTreeMap<Option<u32>, Work> = BTreeMap::new();
    let written = plan.tables().iter().filter(|table| analyze(table));
    for table in written.map(TablePlan::destination).collect::<BTreeSet<_>>() {
        let (oid, bytes) = of(&relation(table))?;
        work.insert(oid, Work { bytes, things: Vec::new(), analyze: Some(table.to_owned()) });
    }
    for thing in things.into_iter().filter(|t| t.kind != "key") {
        let (oid, _) = of(&thing.table)?;
        work.entry(oid).or_default().things.push(thing);
    }
    let mut work: Vec<Work> = work.into_values().collect();
    work.sort_by_key(|w| std::cmp::Reverse(w.bytes));
    Ok(work.into_iter().map(steps).collect())
}

fn steps(work: Work) -> Table<Step> {
    let (indexes, keys): (VecDeque<_>, VecDeque<_>) =
        work.things.into_iter().partition(|thing| thing.kind == "index");
    let alone = keys.into_iter().map(Step::PutBack).chain(work.analyze.map(Step::Analyze));
    Table { together: indexes.into_iter().map(Step::PutBack).collect(), alone: alone.collect() }
}

fn one(link: &Link, run: &str, step: Step) -> Result<()> {
    match step {
        Step::PutBack(thing) => put_back_one(link, run, &thing),
        Step::Analyze(table) => link.batch(&format!("ANALYZE {}", relation(&table)), &table),
    }
}

/// Declares a foreign key without reading a row. The engine cannot for a partitioned table;
/// there it is added whole, later.
fn declare(link: &Link, key: &Dropped) -> Result<()> {
    let partitioned: bool = link.one(
        "SELECT coalesce((SELECT relkind = 'p' FROM pg_catalog.pg_class WHERE oid = to_regclass($1)), false)",
        &[&key.table],
        &key.table,
    )?;
    if partitioned || stands(link, key)? {
        return Ok(());
    }
    let not_valid = if key.statement.ends_with("NOT VALID") { "" } else { " NOT VALID" };
    link.batch(&format!("{}{not_valid}", key.statement), &key.table)
}

fn stands(link: &Link, thing: &Dropped) -> Result<bool> {
    if thing.kind == "index" {
        return link.one("SELECT to_regclass($1) IS NOT NULL", &[&thing.name], &thing.table);
    }
    link.one(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2)",
        &[&thing.table, &thing.name],
        &thing.table,
    )
}

fn put_back_one(link: &Link, run: &str, thing: &Dropped) -> Result<()> {
    let Dropped { table, kind, name, statement } = thing;
    let work = match (stands(link, thing)?, kind.as_str()) {
        (false, _) => statement.clone(),
        (true, "fk") if !statement.ends_with("NOT VALID") => {
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", ident(name))
        }
        (true, _) => String::new(),
    };
    let done = link.run(async {
        let client = link.client();
        client.batch_execute(&format!("BEGIN; {work}")).await?;
        client
            .execute(
                "UPDATE ecluse_ledger.ddl SET dropped = false WHERE run = $1 AND tab = $2 AND kind = $3 AND name = $4",
                &[&run, table, kind, name],
            )
            .await?;
        failpoint::hit("postgres.putback.commit.before");
        client.batch_execute("COMMIT").await?;
        failpoint::hit("postgres.putback.commit.after");
        Ok(())
    });
    done.map_err(|e: Error| {
        let _ = link.batch("ROLLBACK", table);
        refused(link, &e, table, name)
    })
}

fn refused(link: &Link, error: &Error, table: &str, name: &str) -> Fault {
    match error.code() {
        Some(state) if *state == SqlState::UNIQUE_VIOLATION => DUPLICATES
            .fault(format!("{table}, constraint {name}"))
            .help("two source rows were given one key: correct the mapping, empty the table and run again"),
        Some(state) if *state == SqlState::FOREIGN_KEY_VIOLATION => ORPHANS
            .fault(format!("{table}, constraint {name}"))
            .help("instruct the parents too, or leave the children out; `ecluse reconcile` counts them"),
        _ => link.side().fault(error, table),
    }
}

/// Sets each sequence behind a written column past the largest value there.
pub(super) fn advance_sequences(link: &Link, table: &TablePlan) -> Result<()> {
    let name = table.destination();
    let qualified = relation(name);
    for column in table.write().iter().filter(|c| c.ty == Type::Int) {
        let sequence: Option<String> =
            link.one("SELECT pg_get_serial_sequence($1, $2)", &[&qualified, &column.name], name)?;
        let Some(sequence) = sequence else { continue };
        let column = ident(&column.name);
        // the value stays in the server; one that counts down is the application's own business
        link.batch(
            &format!(
                "SELECT setval(s.seqrelid::regclass, m.top) FROM (SELECT max({column}) AS top FROM {qualified}) m, \
                 pg_catalog.pg_sequence s, (SELECT last_value FROM {sequence}) l \
                 WHERE s.seqrelid = to_regclass('{}') AND s.seqincrement > 0 \
                 AND m.top BETWEEN greatest(l.last_value, s.seqmin) AND s.seqmax",
                sequence.replace('\'', "''")
            ),
            name,
        )?;
    }
    Ok(())
}
