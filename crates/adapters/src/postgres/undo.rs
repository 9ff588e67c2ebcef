//! What a run wrote, taken away: a chunk in one transaction, the ledger after its last run.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{Referrer, Removal, Sink};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::bound::Bound;
use super::connect::Link;
use super::destination::{ORDER, read_back, written};
use super::source::{decoder, key_sides, run};
use super::text::{list, relation};
use super::unfilled;
use crate::sql;

/// Foreign keys to a table that would change other rows by themselves: the child, its columns, the
/// columns they refer to.
const CASCADES: &str = "\
    SELECT k.conrelid::regclass::text, k.conrelid = k.confrelid, \
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i) \
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i), \
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i) \
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i) \
    FROM pg_constraint k \
    WHERE k.contype = 'f' AND k.confrelid = to_regclass($1) AND k.confdeltype IN ('c', 'n', 'd')";

/// One chunk that is to be taken away.
pub(super) struct Chunk<'a> {
    pub(super) run: &'a str,
    pub(super) table: &'a TablePlan,
    pub(super) number: u64,
    pub(super) range: &'a KeyRange,
    pub(super) children: &'a [Referrer<'a>],
}

/// Takes it away; see the port.
pub(super) fn remove(
    link: &Link,
    chunk: &Chunk<'_>,
    sink: Sink<'_>,
    ours: &mut dyn FnMut() -> bool,
) -> Result<Removal> {
    let place = chunk.table.destination();
    // the lock before the snapshot, which the first query takes: what is read stands until the end
    link.batch(
        &format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
            relation(place)
        ),
        place,
    )?;
    let done = Work { link, chunk }.remove(sink, ours);
    if !matches!(done, Ok(Removal::Gone(_))) {
        link.batch("ROLLBACK", place)?;
        return done;
    }
    failpoint::hit("postgres.remove.commit.before");
    let committed = link.run(link.client().batch_execute("COMMIT"));
    failpoint::hit("postgres.remove.commit.after");
    match committed {
        Ok(()) => done,
        // a foreign key that is checked at the end only; the engine has rolled back
        Err(e) if e.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => Ok(Removal::Referred(by(&e))),
        Err(e) => Err(link.side().fault(&e, place)),
    }
}

/// The table that the engine names: the child's, which holds no value.
fn by(error: &tokio_postgres::Error) -> String {
    error.as_db_error().and_then(|e| e.table()).unwrap_or_default().to_owned()
}

struct Work<'a> {
    link: &'a Link,
    chunk: &'a Chunk<'a>,
}

impl Work<'_> {
    fn remove(&self, sink: Sink<'_>, ours: &mut dyn FnMut() -> bool) -> Result<Removal> {
        let (link, chunk) = (self.link, self.chunk);
        let place = chunk.table.destination();
        let columns = self.chunk.table.write().iter().map(|c| (c.name.as_str(), c.ty));
        let decoder = decoder(link, place, place, columns, self.chunk.table.write_key())?;
        let mut shown = 0u64;
        run(link, read_back(self.chunk.table, false)?, self.chunk.range, decoder, &mut |batch| {
            shown += u64::try_from(batch.rows()).unwrap_or(u64::MAX);
            sink(batch)
        })?;
        if !ours() {
            return Ok(Removal::NotOurs);
        }
        if self.worked()? {
            return Ok(Removal::Worked);
        }
        if let Some(by) = self.referred()? {
            return Ok(Removal::Referred(by));
        }
        let (condition, bound) = self.within()?;
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let sql = format!("DELETE FROM {}{condition}", relation(place));
        let deleted = match link.run(link.client().execute(sql.as_str(), &parameters)) {
            Ok(deleted) => deleted,
            Err(e) if e.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                return Ok(Removal::Referred(by(&e)));
            }
            Err(e) => return Err(link.side().fault(&e, place)),
        };
        if deleted != shown {
            return Ok(Removal::Uneven);
        }
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let table = i64::try_from(self.chunk.table.number()).unwrap_or(i64::MAX);
        link.execute(
            "DELETE FROM ecluse_ledger.chunk WHERE run = $1 AND tab = $2 AND chunk = $3",
            &[&chunk.run, &table, &number(chunk.number)],
            "the ledger",
        )?;
        Ok(Removal::Gone(deleted))
    }

    /// Whether a column that no run fills holds something of somebody's.
    fn worked(&self) -> Result<bool> {
        let place = self.chunk.table.destination();
        let Some(worked) = unfilled::of(self.link, self.chunk.table)?.any() else { return Ok(false) };
        let (condition, bound) = self.within()?;
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let and = if condition.is_empty() { "WHERE" } else { "AND" };
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {}{condition} {and} {worked})", relation(place));
        self.link.one(&sql, &parameters, place)
    }

    /// ` WHERE (key) > … AND (key) <= …`, within the room, and what it binds.
    fn within(&self) -> Result<(String, Vec<Bound<'_>>)> {
        let Chunk { table, range, .. } = self.chunk;
        let columns = table.write_key().iter().filter_map(|i| table.write().get(*i));
        let key: Vec<_> = columns.map(|c| (c.name.as_str(), c.ty)).collect();
        let mut parts: Vec<String> = sql::room(Engine::Postgresql, table, None)?.into_iter().collect();
        let mut bound = Vec::new();
        for (edge, sign) in [(&range.after, ">"), (&range.upto, "<=")] {
            if let Some(edge) = edge {
                let (left, right) = key_sides(&key, bound.len());
                parts.push(format!("({left}) {sign} ({right})"));
                bound.extend(edge.0.iter().map(Bound));
            }
        }
        let parts: Vec<String> = parts.into_iter().map(|part| format!("({part})")).collect();
        let all = if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
        Ok((all, bound))
    }

    /// A table with rows that refer to the chunk and would lose it in silence: through a foreign key
    /// that cascades, or through a relation that none declares.
    fn referred(&self) -> Result<Option<String>> {
        let place = self.chunk.table.destination();
        let (condition, bound) = self.within()?;
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let refers = |child: &str, columns: &str, to: &str, beyond: &str| -> Result<bool> {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM {child} WHERE ({columns}) IN (SELECT {to} FROM {}{condition}){beyond})",
                relation(place)
            );
            self.link.one(&sql, &parameters, place)
        };
        for row in self.link.query(CASCADES, &[&relation(place)], place)? {
            let fault = |e: tokio_postgres::Error| self.link.side().fault(&e, place);
            let (child, own): (String, bool) =
                (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
            let from: Vec<String> = row.try_get(2).map_err(fault)?;
            let to: Vec<String> = row.try_get(3).map_err(fault)?;
            let names = |columns: &[String]| list(columns.iter().map(String::as_str));
            // rows of the chunk itself go with it
            let beyond = match (own, condition.strip_prefix(" WHERE ")) {
                (true, Some(inside)) => format!(" AND NOT ({inside})"),
                (true, None) => " AND false".to_owned(),
                (false, _) => String::new(),
            };
            if refers(&child, &names(&from), &names(&to), &beyond)? {
                return Ok(Some(child));
            }
        }
        for Referrer { child, column, parent_column } in self.chunk.children {
            let (Some(from), Some(to)) = (written(child, *column), written(self.chunk.table, *parent_column))
            else {
                continue;
            };
            if refers(&relation(child.destination()), &from, &to, "")? {
                return Ok(Some(child.destination().to_owned()));
            }
        }
        Ok(None)
    }
}

/// The rows are gone for the engine's readers; this frees their place, so that a later look at a child
/// table does not wade through them. A role that may not is only told so by the engine.
pub(super) fn sweep(link: &Link, table: &str) -> Result<()> {
    link.batch(&format!("VACUUM (ANALYZE) {}", relation(table)), table)
}

/// Takes the run out of the ledger where no chunk of it is left; see the port.
pub(super) fn forget(link: &Link, run: &str, made: &[String]) -> Result<Vec<String>> {
    let place = "the end of the undo";
    let stands: bool = link.one("SELECT to_regclass('ecluse_ledger.chunk') IS NOT NULL", &[], place)?;
    let left: i64 = if stands {
        link.one("SELECT count(*) FROM ecluse_ledger.chunk WHERE run = $1", &[&run], place)?
    } else {
        0
    };
    let mut dropped = Vec::new();
    if left == 0 {
        for table in made.iter().rev() {
            if drop_empty(link, table)? {
                dropped.push(table.clone());
            }
        }
    }
    // synchronous: it makes every commit before it durable
    link.batch("BEGIN; SET LOCAL synchronous_commit = on", place)?;
    if stands && left == 0 {
        take_out(link, run, place)?;
    } else if stands {
        link.execute("UPDATE ecluse_ledger.run SET finished = false WHERE run = $1", &[&run], place)?;
    }
    failpoint::hit("postgres.forget.commit.before");
    link.batch("COMMIT", place)?;
    failpoint::hit("postgres.forget.commit.after");
    Ok(dropped)
}

/// Takes a closed run out of the ledger, the lines of its chunks with it; see the port.
pub(super) fn conclude(link: &Link, run: &str) -> Result<()> {
    let place = "the ledger";
    if !link.one::<bool>("SELECT to_regclass('ecluse_ledger.chunk') IS NOT NULL", &[], place)? {
        return Ok(());
    }
    link.batch("BEGIN; SET LOCAL synchronous_commit = on", place)?;
    take_out(link, run, place)?;
    failpoint::hit("postgres.conclude.commit.before");
    link.batch("COMMIT", place)?;
    failpoint::hit("postgres.conclude.commit.after");
    Ok(())
}

/// A run's lines, and the ledger with its last run.
fn take_out(link: &Link, run: &str, place: &str) -> Result<()> {
    for table in ["chunk", "ddl", "run"] {
        link.execute(&format!("DELETE FROM ecluse_ledger.{table} WHERE run = $1"), &[&run], place)?;
    }
    let last: bool = link.one(
        "SELECT NOT EXISTS (SELECT 1 FROM ecluse_ledger.run) AND pg_has_role(nspowner, 'USAGE') \
         FROM pg_catalog.pg_namespace WHERE nspname = 'ecluse_ledger'",
        &[],
        place,
    )?;
    if last {
        link.batch(
            "DROP TABLE ecluse_ledger.run, ecluse_ledger.chunk, ecluse_ledger.ddl; DROP SCHEMA ecluse_ledger",
            place,
        )?;
    }
    Ok(())
}

/// Drops a table that the run made, where it is there, empty, and nothing else depends on it.
fn drop_empty(link: &Link, table: &str) -> Result<bool> {
    let name = relation(table);
    if !link.one::<bool>("SELECT to_regclass($1) IS NOT NULL", &[&name], table)? {
        return Ok(false);
    }
    link.batch(&format!("BEGIN; LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"), table)?;
    let empty = super::ledger::is_empty(link, table)?;
    let gone = empty && link.run(link.client().batch_execute(&format!("DROP TABLE {name}"))).is_ok();
    if !gone {
        link.batch("ROLLBACK", table)?;
        return Ok(false);
    }
    failpoint::hit("postgres.drop_made.commit.before");
    link.batch("COMMIT", table)?;
    failpoint::hit("postgres.drop_made.commit.after");
    Ok(true)
}

/// See [`ORDER`]: the run that is held.
pub(super) fn held(run: Option<&String>) -> Result<&str> {
    run.map(String::as_str).ok_or_else(|| ORDER.fault("the undo"))
}
