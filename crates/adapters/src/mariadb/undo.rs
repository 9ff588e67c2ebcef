//! What a run wrote, taken away: a chunk in one transaction, the ledger after its last run.
//!
//! A foreign key of a table that the account does not see is not known here: rows that refer through it
//! are neither found nor touched.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{Referrer, Removal, Sink};
use mysql_async::Value;

use super::destination::carrier;
use super::error::Side;
use super::session::{Session, number, text};
use super::statement::{Statement, quoted};
use super::written::Written;
use super::{durable, ledger, source, unfilled};
use crate::columns::Columns;

/// One chunk that is to be taken away.
pub(super) struct Chunk<'a> {
    pub(super) run: &'a str,
    pub(super) table: &'a TablePlan,
    pub(super) number: u64,
    pub(super) range: &'a KeyRange,
    pub(super) children: &'a [Referrer<'a>],
}

/// Takes it away; see the port. Reads lock what they read and the gaps between: what was shown stands
/// until the end, and nothing joins it.
pub(super) fn remove(
    session: &mut Session,
    written: &Written,
    chunk: &Chunk<'_>,
    sink: Sink<'_>,
    ours: &mut dyn FnMut() -> bool,
) -> Result<Removal> {
    let place = chunk.table.destination();
    session.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", place)?;
    session.run("START TRANSACTION", place)?;
    let done = inside(session, written, chunk, sink, ours);
    if !matches!(done, Ok(Removal::Gone(_))) {
        session.run("ROLLBACK", place)?;
        return done;
    }
    failpoint::hit("mariadb.remove.commit.before");
    session.run("COMMIT", place)?;
    failpoint::hit("mariadb.remove.commit.after");
    done
}

fn inside(
    session: &mut Session,
    written: &Written,
    chunk: &Chunk<'_>,
    sink: Sink<'_>,
    ours: &mut dyn FnMut() -> bool,
) -> Result<Removal> {
    let (table, range) = (chunk.table, chunk.range);
    let place = table.destination();
    let names = table.write().iter().map(|c| c.name.as_str());
    let mut shown = 0u64;
    let read = written.read_back(range, false)?;
    source::deliver(session, place, names, Columns::written(table), read, &mut |batch| {
        shown += u64::try_from(batch.rows()).unwrap_or(u64::MAX);
        sink(batch)
    })?;
    if !ours() {
        return Ok(Removal::NotOurs);
    }
    if worked(session, written, chunk)? {
        return Ok(Removal::Worked);
    }
    if let Some(by) = referred(session, written, chunk)? {
        return Ok(Removal::Referred(by));
    }
    let Statement { sql, parameters } = written.delete(range)?;
    let statement = session.prepare(&sql, place)?;
    let deleted = session.change(&statement, parameters).map_err(|e| Side::Destination.fault(&e, place));
    session.forget(statement, place)?;
    let deleted = deleted?.rows;
    if deleted != shown {
        return Ok(Removal::Uneven);
    }
    ledger::strike(session, chunk.run, table.number(), chunk.number)?;
    Ok(Removal::Gone(deleted))
}

/// Whether a column that no run fills holds something of somebody's.
fn worked(session: &mut Session, written: &Written, chunk: &Chunk<'_>) -> Result<bool> {
    let place = chunk.table.destination();
    let Some(worked) = unfilled::of(session, chunk.table)?.any() else { return Ok(false) };
    let (condition, bound) = written.within(chunk.range)?;
    let and = if condition.is_empty() { "WHERE" } else { "AND" };
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {}{condition} {and} {worked})", quoted(place));
    Ok(session.rows(&sql, bound, place)?.first().and_then(|row| number(row, 0)) == Some(1))
}

/// A table with rows that refer to the chunk's. Foreign keys sleep in this session, so nothing that
/// they would do (CASCADE, SET NULL) is done: the chunk stays.
fn referred(session: &mut Session, written: &Written, chunk: &Chunk<'_>) -> Result<Option<String>> {
    let place = chunk.table.destination();
    let (condition, bound) = written.within(chunk.range)?;
    let keys = foreign_keys(session, place)?;
    let mut refers = |child: &str, from: &str, to: &str, beyond: Option<&str>| -> Result<bool> {
        let besides = beyond.map_or(String::new(), |inside| format!(" AND NOT ({inside})"));
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {child} WHERE ({from}) IN (SELECT {to} FROM {}{condition}){besides})",
            quoted(place)
        );
        let twice = bound.iter().chain(bound.iter().filter(|_| beyond.is_some())).cloned().collect();
        Ok(session.rows(&sql, twice, place)?.first().and_then(|row| number(row, 0)) == Some(1))
    };
    for key in keys {
        // rows of the chunk itself go with it
        let beyond = match (key.own, condition.strip_prefix(" WHERE ")) {
            (true, None) => continue,
            (true, inside) => inside,
            (false, _) => None,
        };
        if refers(&key.child, &key.from, &key.to, beyond)? {
            return Ok(Some(key.name));
        }
    }
    for Referrer { child, column, parent_column } in chunk.children {
        let (Some((from, _)), Some((to, _))) =
            (carrier(child, *column), carrier(chunk.table, *parent_column))
        else {
            continue;
        };
        if refers(&quoted(child.destination()), &from, &to, None)? {
            return Ok(Some(child.destination().to_owned()));
        }
    }
    Ok(None)
}

/// A foreign key to a table: the child, as it is called and quoted, whether it is the table itself, and
/// both sides' columns, quoted and joined.
struct ForeignKey {
    constraint: String,
    name: String,
    child: String,
    own: bool,
    from: String,
    to: String,
}

fn foreign_keys(session: &mut Session, table: &str) -> Result<Vec<ForeignKey>> {
    let sql = "SELECT constraint_name, table_name, table_schema, table_schema = DATABASE() AND table_name = ?, \
               column_name, referenced_column_name FROM information_schema.key_column_usage \
               WHERE referenced_table_schema = DATABASE() AND referenced_table_name = ? \
               ORDER BY table_schema, table_name, constraint_name, ordinal_position";
    let mut keys: Vec<ForeignKey> = Vec::new();
    for row in session.rows(sql, vec![Value::from(table), Value::from(table)], table)? {
        let (constraint, name) = (text(&row, 0), text(&row, 1));
        let child = format!("{}.{}", quoted(&text(&row, 2)), quoted(&name));
        let (from, to) = (quoted(&text(&row, 4)), quoted(&text(&row, 5)));
        match keys.last_mut().filter(|key| key.constraint == constraint && key.child == child) {
            Some(key) => {
                key.from.push_str(&format!(", {from}"));
                key.to.push_str(&format!(", {to}"));
            }
            None => {
                let own = number(&row, 3) == Some(1);
                keys.push(ForeignKey { constraint, name, child, own, from, to });
            }
        }
    }
    Ok(keys)
}

/// Takes the run out of the ledger where no chunk of it is left; see the port. Dropping a table
/// commits by itself, so the lines go first where rows stand, and last where they are gone.
pub(super) fn forget(session: &mut Session, run: &str, made: &[String]) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    if ledger::entries(session, run)?.is_empty() {
        for table in made.iter().rev() {
            let stands = ledger::stands(session, table)? && is_empty(session, table)?;
            if stands && foreign_keys(session, table)?.iter().all(|key| key.own) {
                failpoint::hit("mariadb.drop_made.commit.before");
                session.run(&format!("DROP TABLE {}", quoted(table)), table)?;
                failpoint::hit("mariadb.drop_made.commit.after");
                dropped.push(table.clone());
            }
        }
        failpoint::hit("mariadb.forget.commit.before");
        ledger::forget(session, run)?;
        failpoint::hit("mariadb.forget.commit.after");
    }
    durable::wait(session)?;
    Ok(dropped)
}

/// Whether the table holds no row, whosesoever.
fn is_empty(session: &mut Session, table: &str) -> Result<bool> {
    let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {})", quoted(table));
    Ok(session.rows(&sql, Vec::new(), table)?.first().and_then(|row| number(row, 0)) == Some(1))
}
