//! One chunk into the destination, in one transaction with its ledger line.

use std::future::Future;

use bytes::Bytes;
use ecluse_batch::Batch;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::plan::{TablePlan, WriteColumn};
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{LedgerEntry, MakeEntry, Refusal, RefusedRow};
use futures_util::SinkExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Statement};

use super::bound::Bound;
use super::connect::{Copy, Link};
use super::encode::{Encoder, HEADER, TRAILER};
use super::error::refusal;
use super::source::key_sides;
use super::text::{list, relation};
use super::types::Wire;
use crate::sql;

/// Bytes gathered before they are handed to the connection.
const PIECE: usize = 128 * 1024;

/// A table as it is written: its prepared COPY and its columns' wire formats.
pub(super) struct Target {
    copy: Statement,
    wires: Vec<Option<Wire>>,
}

impl Target {
    pub(super) fn prepare(link: &Link, table: &TablePlan) -> Result<Self> {
        let name = table.destination();
        let columns = || table.write().iter().map(|c: &WriteColumn| c.name.as_str());
        let wires = super::catalog::wires(link, &relation(name), columns())?;
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", relation(name), list(columns()));
        Ok(Self { copy: link.prepare(&sql, name)?, wires })
    }
}

/// A chunk to be written.
pub(super) struct Chunk<'a> {
    pub(super) run: &'a str,
    pub(super) table: &'a TablePlan,
    pub(super) range: &'a KeyRange,
    /// Whether rows of the range may be there already.
    pub(super) clear: bool,
    pub(super) rows: &'a [Batch],
}

/// What stops a COPY.
enum Stopped {
    /// The engine's error: one row's fault, or the statement's.
    Engine(Error),
    /// Ours.
    Fault(Fault),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes a chunk: all of it at once, and only where the engine refuses a row by bisection.
pub(super) fn replace(
    link: &Link,
    target: &Target,
    chunk: &Chunk<'_>,
    entry: MakeEntry<'_>,
) -> Result<Vec<RefusedRow>> {
    let work = Work { link, target, chunk };
    let done = link.run(work.replace(entry));
    if done.is_err() {
        // the transaction, if the connection still lives; the fault says the rest
        let _ = link.run(link.client().batch_execute("ROLLBACK"));
    }
    done
}

struct Work<'a> {
    link: &'a Link,
    target: &'a Target,
    chunk: &'a Chunk<'a>,
}

impl Work<'_> {
    async fn replace(&self, entry: MakeEntry<'_>) -> Result<Vec<RefusedRow>> {
        let place = self.chunk.table.destination();
        let fault = |e: Error| self.link.side().fault(&e, place);
        let rows = self.rows();
        let mut refused = Vec::new();
        self.begin().await?;
        match self.copy(0, rows, &mut refused).await {
            Ok(()) => {}
            Err(Stopped::Fault(fault)) => return Err(fault),
            Err(Stopped::Engine(e)) if refusal(&e).is_some() => {
                // savepoints cost a subtransaction each: only a chunk that was refused pays for them
                self.link.client().batch_execute("ROLLBACK").await.map_err(fault)?;
                refused.clear();
                self.begin().await?;
                self.bisect(0, rows, &mut refused).await?;
            }
            Err(Stopped::Engine(e)) => return Err(fault(e)),
        }
        refused.sort_by_key(|r| r.row);
        refused.dedup_by_key(|r| r.row);
        self.commit(&entry(&refused)?).await.map_err(fault)?;
        Ok(refused)
    }

    fn rows(&self) -> usize {
        self.chunk.rows.iter().map(Batch::rows).sum()
    }

    async fn begin(&self) -> Result<()> {
        let client = self.link.client();
        let place = self.chunk.table.destination();
        let fault = |e: Error| self.link.side().fault(&e, place);
        client.batch_execute("BEGIN").await.map_err(fault)?;
        if !self.chunk.clear {
            return Ok(());
        }
        let table = self.chunk.table;
        let key: Vec<_> = table
            .write_key()
            .iter()
            .filter_map(|i| table.write().get(*i))
            .map(|c| (c.name.as_str(), c.ty))
            .collect();
        let room = sql::room(Engine::Postgresql, table, None)?;
        let mut sql = format!("DELETE FROM {} WHERE {}", relation(place), room.as_deref().unwrap_or("TRUE"));
        let mut bound: Vec<Bound<'_>> = Vec::new();
        for (edge, sign) in [(&self.chunk.range.after, ">"), (&self.chunk.range.upto, "<=")] {
            if let Some(edge) = edge {
                let (left, right) = key_sides(&key, bound.len());
                sql.push_str(&format!(" AND ({left}) {sign} ({right})"));
                bound.extend(edge.0.iter().map(Bound));
            }
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        client.execute(sql.as_str(), &parameters).await.map_err(fault)?;
        Ok(())
    }

    /// Copies the rows `from..to`; rows that fail our own checks are left out and noted.
    async fn copy(&self, from: usize, to: usize, refused: &mut Vec<RefusedRow>) -> Result<(), Stopped> {
        let mut sink: Copy = Box::pin(self.link.client().copy_in(&self.target.copy).await?);
        let mut out = Vec::with_capacity(PIECE + PIECE / 8);
        out.extend_from_slice(HEADER);
        let table = self.chunk.table;
        let mut first = 0;
        for batch in self.chunk.rows {
            let end = first + batch.rows();
            if end > from && first < to {
                let encoder = Encoder::new(table.destination(), table.write(), &self.target.wires, batch)?;
                for row in from.max(first)..to.min(end) {
                    if let Err(reason) = encoder.row(row - first, &mut out) {
                        refused.push(RefusedRow { row, reason });
                    }
                    if out.len() >= PIECE {
                        let piece = std::mem::replace(&mut out, Vec::with_capacity(PIECE + PIECE / 8));
                        sink.send(Bytes::from(piece)).await?;
                    }
                }
            }
            first = end;
        }
        out.extend_from_slice(TRAILER);
        sink.send(Bytes::from(out)).await?;
        sink.as_mut().finish().await?;
        Ok(())
    }

    /// Copies what can be copied of `from..to`, halving what is refused down to single rows.
    fn bisect<'b>(
        &'b self,
        from: usize,
        to: usize,
        refused: &'b mut Vec<RefusedRow>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<()>> + 'b>> {
        Box::pin(async move {
            let client = self.link.client();
            let fault = |e: Error| self.link.side().fault(&e, self.chunk.table.destination());
            client.batch_execute("SAVEPOINT ecluse_half").await.map_err(fault)?;
            let before = refused.len();
            let reason: Refusal = match self.copy(from, to, refused).await {
                Ok(()) => return client.batch_execute("RELEASE SAVEPOINT ecluse_half").await.map_err(fault),
                Err(Stopped::Fault(fault)) => return Err(fault),
                Err(Stopped::Engine(e)) => refusal(&e).ok_or_else(|| fault(e))?,
            };
            client
                .batch_execute("ROLLBACK TO SAVEPOINT ecluse_half; RELEASE SAVEPOINT ecluse_half")
                .await
                .map_err(fault)?;
            refused.truncate(before);
            if to - from <= 1 {
                refused.push(RefusedRow { row: from, reason });
                return Ok(());
            }
            let middle = from + (to - from) / 2;
            self.bisect(from, middle, refused).await?;
            self.bisect(middle, to, refused).await
        })
    }

    async fn commit(&self, entry: &LedgerEntry) -> Result<(), Error> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let table = i64::try_from(entry.table).unwrap_or(i64::MAX);
        let client = self.link.client();
        client
            .execute(
                "INSERT INTO ecluse_ledger.chunk \
                 (run, tab, chunk, rows, refused, tally, catch_up, added, changed, deleted) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (run, tab, chunk) DO UPDATE SET \
                 rows = $4, refused = $5, tally = $6, catch_up = $7, added = $8, changed = $9, deleted = $10",
                &[
                    &self.chunk.run,
                    &table,
                    &number(entry.chunk),
                    &number(entry.rows),
                    &number(entry.refused),
                    &entry.tally.as_slice(),
                    &number(entry.since.catch_up),
                    &number(entry.since.added),
                    &number(entry.since.changed),
                    &number(entry.since.deleted),
                ],
            )
            .await?;
        failpoint::hit("postgres.chunk.commit.before");
        client.batch_execute("COMMIT").await?;
        failpoint::hit("postgres.chunk.commit.after");
        Ok(())
    }
}
