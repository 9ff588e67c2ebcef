//! Rows counted before they are read, beside the reads.
//!
//! A table's count stands before its first row is read, from the same snapshot: what is delivered is
//! compared with it. Taken on the connection that reads, it holds every table up. So the counts go
//! ahead on a connection of their own, which sees the same snapshot (PostgreSQL manual, "Snapshot
//! Synchronization Functions"), in the plan's order; a table waits for its own and for no other.

use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_flow::ports::Count;
use tokio_postgres::types::ToSql;

use super::bound::Bound;
use super::connect::{Canceller, Link};
use super::text::relation;
use crate::sql;

const PLACE: &str = "the snapshot";
/// Between two requests to stop.
const BETWEEN: Duration = Duration::from_millis(20);
/// How long it is asked to stop: a server that vanished answers nobody.
const UPTO: Duration = Duration::from_secs(20);

/// Counts that go ahead.
pub(super) struct Counting {
    counts: Receiver<(usize, Result<Count>)>,
    canceller: Canceller,
    thread: JoinHandle<()>,
}

impl Counting {
    /// Begins to count the plan's first `upto` tables over `link`, in the snapshot that `holder` holds open.
    ///
    /// `None` where it cannot be shared, or the link fails: then they are counted in turn.
    ///
    /// # Errors
    ///
    /// The holder's.
    pub(super) fn begin(holder: &Link, link: Link, plan: &Plan, upto: usize) -> Result<Option<Self>> {
        // asked elsewhere: a refusal would end the snapshot's own transaction
        let may = "SELECT coalesce(has_function_privilege(to_regprocedure('pg_export_snapshot()'), 'EXECUTE'), false)";
        if !link.one(may, &[], PLACE).unwrap_or(false) {
            return Ok(None);
        }
        let id: String = holder.one("SELECT pg_export_snapshot()", &[], PLACE)?;
        let id = id.replace('\'', "\'\'");
        // who waits to alter a table is before us at its lock, and behind the holder's: the holder counts it
        let join = format!(
            "SET lock_timeout = '2s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{id}'"
        );
        if link.batch(&join, PLACE).is_err() {
            return Ok(None);
        }
        let (sender, counts) = channel();
        let canceller = link.canceller();
        let plan = plan.clone();
        let thread = std::thread::Builder::new().name("counts".to_owned()).spawn(move || {
            for table in plan.tables().iter().take(upto) {
                let counted = count(&link, table, &plan);
                let broken = counted.is_err();
                // whoever reads has enough, or hears of the fault and asks for no more
                if sender.send((table.number(), counted)).is_err() || broken {
                    break;
                }
            }
        });
        Ok(thread.ok().map(|thread| Self { counts, canceller, thread }))
    }

    /// The count of this table, once it is there; `None` where it is not the next in the plan's order.
    pub(super) fn next(&self, table: usize) -> Option<Result<Count>> {
        let (number, count) = self.counts.recv().ok()?;
        (number == table).then_some(count)
    }

    /// Ends it and its session, whatever is still being counted; where the server no longer answers, both
    /// are left to themselves.
    pub(super) fn end(self, by: &Link) {
        let Self { counts, canceller, thread } = self;
        drop(counts);
        let began = Instant::now();
        while !thread.is_finished() {
            if began.elapsed() > UPTO {
                return;
            }
            // again where it came between two counts
            canceller.cancel(by);
            std::thread::sleep(BETWEEN);
        }
        // what it found and nobody asked for says nothing
        let _unasked = thread.join();
    }
}

/// Rows of a table, or of its view, available and asked for.
pub(super) fn count(link: &Link, table: &TablePlan, plan: &Plan) -> Result<Count> {
    let name = table.view().unwrap_or(table.source());
    let count = |condition: &str, parameters: &[&(dyn ToSql + Sync)]| -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {}{condition}", relation(name));
        let rows: i64 = link.one(&sql, parameters, name)?;
        Ok(u64::try_from(rows).unwrap_or_default())
    };
    let all = count("", &[])?;
    if table.view().is_some() {
        return Ok(Count { available: None, asked: all });
    }
    let asked = match sql::condition(Engine::Postgresql, table, plan, 1)? {
        None => all,
        Some(condition) => {
            let bound: Vec<Bound<'_>> = condition.parameters.iter().map(Bound).collect();
            let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
            count(&format!(" WHERE {}", condition.text), &parameters)?
        }
    };
    Ok(Count { available: Some(all), asked })
}
