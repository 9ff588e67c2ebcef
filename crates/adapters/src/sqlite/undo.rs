//! What a run wrote, taken away: a chunk in one transaction, the ledger after its last run.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{Referrer, Removal, Sink};
use rusqlite::{Connection, Transaction, params_from_iter};

use super::destination::{empty, written};
use super::{DESTINATION, fault, ledger, quoted, rebuild, source, statement, unfilled};
use crate::columns::Columns;

/// Takes one chunk away; see the port. The file is locked: nobody else writes.
#[expect(clippy::too_many_arguments, reason = "the port's, and the open transaction")]
pub(super) fn remove(
    transaction: Transaction<'_>,
    run: &str,
    table: &TablePlan,
    chunk: u64,
    range: &KeyRange,
    children: &[Referrer<'_>],
    sink: Sink<'_>,
    ours: &mut dyn FnMut() -> bool,
) -> Result<Removal> {
    let place = table.destination();
    let read = statement::read_back(table, range, false)?;
    let columns = table.write().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
    let mut shown = 0;
    source::deliver(
        &DESTINATION,
        &transaction,
        place,
        columns,
        Columns::written(table),
        &read,
        &mut |batch| {
            shown += batch.rows();
            sink(batch)
        },
    )?;
    // dropped, the transaction is rolled back
    if !ours() {
        return Ok(Removal::NotOurs);
    }
    if worked(&transaction, table, range)? {
        return Ok(Removal::Worked);
    }
    if let Some(by) = referred(&transaction, table, range, children)? {
        return Ok(Removal::Referred(by));
    }
    let delete = statement::delete(table, range)?;
    let deleted = transaction
        .execute(&delete.sql, params_from_iter(&delete.parameters))
        .map_err(|e| fault(&DESTINATION, &e, place))?;
    if deleted != shown {
        return Ok(Removal::Uneven);
    }
    ledger::strike(&transaction, run, table.number(), chunk)?;
    failpoint::hit("sqlite_remove.commit.before");
    transaction.commit().map_err(|e| fault(&DESTINATION, &e, place))?;
    failpoint::hit("sqlite_remove.commit.after");
    Ok(Removal::Gone(u64::try_from(deleted).unwrap_or(u64::MAX)))
}

/// Whether a column that no run fills holds something of somebody's.
fn worked(connection: &Connection, table: &TablePlan, range: &KeyRange) -> Result<bool> {
    let place = table.destination();
    let Some(worked) = unfilled::of(connection, table)?.any() else { return Ok(false) };
    let read = statement::read_back_where(table, range, &worked)?;
    let found = connection.prepare(&read.sql).and_then(|mut s| s.exists(params_from_iter(&read.parameters)));
    found.map_err(|e| fault(&DESTINATION, &e, place))
}

/// A table with rows that refer to rows of the range. The engine's own enforcement is off on this
/// connection, and what a foreign key would do (CASCADE, SET NULL) is not done: the chunk stays.
fn referred(
    connection: &Connection,
    table: &TablePlan,
    range: &KeyRange,
    children: &[Referrer<'_>],
) -> Result<Option<String>> {
    let place = table.destination();
    let (condition, bound) = statement::inside(table, range)?;
    let refers = |child: &str, from: &str, to: &str, beyond: &str| {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM main.{} WHERE ({from}) IN (SELECT {to} FROM main.{}{condition}){beyond})",
            quoted(child),
            quoted(place),
        );
        // the range is asked twice where the rows of the chunk itself are left out
        let twice = bound.iter().chain(bound.iter().filter(|_| beyond.contains('?')));
        connection
            .query_row(&sql, params_from_iter(twice), |row| row.get::<_, bool>(0))
            .map_err(|e| fault(&DESTINATION, &e, place))
    };
    for key in foreign_keys(connection, place)? {
        let own = key.child.eq_ignore_ascii_case(place);
        let beyond = match (own, condition.strip_prefix(" WHERE ")) {
            (true, Some(inside)) => format!(" AND NOT ({inside})"),
            (true, None) => continue,
            (false, _) => String::new(),
        };
        if refers(&key.child, &key.from, &key.to, &beyond)? {
            return Ok(Some(key.child));
        }
    }
    for Referrer { child, column, parent_column } in children {
        let (Ok(from), Ok(to)) = (written(child, *column), written(table, *parent_column)) else { continue };
        if refers(child.destination(), &from, &to, "")? {
            return Ok(Some(child.destination().to_owned()));
        }
    }
    Ok(None)
}

/// A foreign key to a table: the child, and both sides' columns, quoted and joined.
struct ForeignKey {
    child: String,
    from: String,
    to: String,
}

fn foreign_keys(connection: &Connection, table: &str) -> Result<Vec<ForeignKey>> {
    let work = || -> rusqlite::Result<Vec<ForeignKey>> {
        let mut statement = connection.prepare(
            "SELECT s.name, f.id, f.\"from\", coalesce(f.\"to\", (SELECT name FROM pragma_table_info(?1) WHERE pk = f.seq + 1)) \
             FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f \
             WHERE s.type = 'table' AND f.\"table\" = ?1 COLLATE NOCASE ORDER BY s.name, f.id, f.seq",
        )?;
        let rows = statement.query_map([table], |row| {
            let (child, id): (String, i64) = (row.get(0)?, row.get(1)?);
            let (from, to): (String, String) = (row.get(2)?, row.get(3)?);
            Ok((child, id, quoted(&from), quoted(&to)))
        })?;
        let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
        for row in rows {
            let (child, id, from, to) = row?;
            match keys.last_mut().filter(|(known, key)| *known == id && key.child == child) {
                Some((_, key)) => {
                    key.from.push_str(&format!(", {from}"));
                    key.to.push_str(&format!(", {to}"));
                }
                None => keys.push((id, ForeignKey { child, from, to })),
            }
        }
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    };
    work().map_err(|e| fault(&DESTINATION, &e, table))
}

/// Takes the run out of the ledger where no chunk of it is left; see the port.
pub(super) fn forget(transaction: Transaction<'_>, run: &str, made: &[String]) -> Result<Vec<String>> {
    let place = "the end of the undo";
    let mut dropped = Vec::new();
    if ledger::stands(&transaction)? {
        rebuild::put_back(&transaction, run)?;
    }
    if ledger::chunks(&transaction, run)?.is_empty() {
        for table in made.iter().rev() {
            if transaction.table_exists(Some("main"), table).map_err(|e| fault(&DESTINATION, &e, place))?
                && empty(&transaction, table)?
                && foreign_keys(&transaction, table)?.iter().all(|key| key.child.eq_ignore_ascii_case(table))
            {
                transaction
                    .execute_batch(&format!("DROP TABLE main.{}", quoted(table)))
                    .map_err(|e| fault(&DESTINATION, &e, table))?;
                dropped.push(table.clone());
            }
        }
        ledger::forget(&transaction, run)?;
    }
    failpoint::hit("sqlite_forget.commit.before");
    transaction.commit().map_err(|e| fault(&DESTINATION, &e, place))?;
    failpoint::hit("sqlite_forget.commit.after");
    Ok(dropped)
}
