//! One chunk into the destination, in one transaction with its ledger line.
//!
//! Prepared multi-row INSERTs: the server answers each with the rows it wrote and its warnings, and
//! both must be what was sent. `LOAD DATA LOCAL` is faster and drops rows that break a key in
//! silence; it is never used. Statements come in sizes of powers of two, each prepared once per table.

use ecluse_batch::Batch;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{MakeEntry, Refusal, RefusedRow};
use mysql_async::{Error, Statement, Value};

use super::encode::{Cells, Form, form};
use super::error::{Side, refusal};
use super::ledger;
use super::session::{Changed, Session};
use super::written::Written;

/// A column that would not give back what it was given.
static FORM: Code =
    Code::refused("ECL-DST-233", "a destination column is of a kind that écluse does not write exactly");
/// A row that the server does not take in one packet.
static TOO_LARGE: Code =
    Code::refused("ECL-DST-234", "a row is larger than what the MariaDB destination takes at once");
/// A batch that is not the plan's.
static BATCH: Code = Code::refused("ECL-DST-235", "rows to be written are not as the plan says");

/// Parameters of a statement at most: the protocol counts them in 16 bits.
const PARAMETERS: usize = 65_535;
/// Rows of a statement at most.
const ROWS: usize = 1 << 10;
/// Bytes of values after which a statement is sent; one row more may stand in it.
const BYTES: usize = 1 << 20;
/// What a packet holds beside its values.
const FRAME: usize = 1 << 10;

/// A table as it is written: its columns' forms, its prepared INSERTs.
pub(super) struct Target {
    pub(super) written: Written,
    forms: Vec<(Form, bool)>,
    /// Of 1, 2, 4, … rows, as they were needed.
    inserts: Vec<Option<Statement>>,
}

impl Target {
    /// # Errors
    ///
    /// [`FORM`] where a column would change values in silence.
    pub(super) fn new(table: &TablePlan, written: Written) -> Result<Self> {
        let of = |column: &ecluse_core::plan::WriteColumn| {
            let refuse = || {
                FORM.fault(format!("{}.{}, {}", table.destination(), column.name, column.sql_type))
                    .help("Change the column's type, or take it out of the mapping.")
            };
            form(&column.sql_type, column.ty).map(|form| (form, column.nullable)).ok_or_else(refuse)
        };
        let forms = table.write().iter().map(of).collect::<Result<Vec<_>>>()?;
        let most = (PARAMETERS / forms.len().max(1)).clamp(1, ROWS);
        let sizes = usize::try_from(most.ilog2()).unwrap_or_default() + 1;
        Ok(Self { written, forms, inserts: vec![None; sizes] })
    }

    /// Closes the prepared statements: another table's turn has come.
    pub(super) fn rest(&mut self, session: &mut Session, place: &str) -> Result<()> {
        self.inserts.iter_mut().filter_map(Option::take).try_for_each(|insert| session.forget(insert, place))
    }

    /// The largest prepared INSERT of at most so many rows, and how many those are.
    fn insert(&mut self, session: &mut Session, rows: usize, place: &str) -> Result<(Statement, usize)> {
        let fits = usize::try_from(rows.max(1).ilog2()).unwrap_or_default();
        let at = fits.min(self.inserts.len().saturating_sub(1));
        let rows = 1 << at;
        let sql = self.written.insert(rows);
        let slot = self.inserts.get_mut(at).ok_or_else(|| BATCH.fault(place))?;
        if let Some(insert) = slot {
            return Ok((insert.clone(), rows));
        }
        let insert = session.prepare(&sql, place)?;
        *slot = Some(insert.clone());
        Ok((insert, rows))
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
    /// `@@max_allowed_packet`.
    pub(super) packet: usize,
}

/// What stops a statement.
enum Stopped {
    /// One of its rows; the statement is taken back.
    Rows(Refusal),
    /// Ours, or the connection's.
    Fault(Fault),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Writes a chunk: all of it at once, and only where the server refuses a row by bisection.
pub(super) fn replace(
    session: &mut Session,
    target: &mut Target,
    chunk: &Chunk<'_>,
    entry: MakeEntry<'_>,
) -> Result<Vec<RefusedRow>> {
    let place = chunk.table.destination();
    let done = Work { session, target, chunk, careful: false, refused: Vec::new() }.replace(entry);
    if done.is_err() {
        // the transaction, if the connection still lives; the fault says the rest
        let _ = session.run("ROLLBACK", place);
    }
    done
}

struct Work<'a> {
    session: &'a mut Session,
    target: &'a mut Target,
    chunk: &'a Chunk<'a>,
    /// Whether each statement stands behind a savepoint of its own.
    careful: bool,
    refused: Vec<RefusedRow>,
}

/// Rows on their way: their indices in the chunk and, row by row, their values.
#[derive(Default)]
struct Pending {
    rows: Vec<usize>,
    values: Vec<Value>,
    bytes: usize,
}

impl<'a> Work<'a> {
    fn replace(&mut self, entry: MakeEntry<'_>) -> Result<Vec<RefusedRow>> {
        self.begin()?;
        match self.write() {
            Ok(()) => {}
            Err(Stopped::Fault(fault)) => return Err(fault),
            Err(Stopped::Rows(_)) => {
                // savepoints cost a round trip each: only a chunk that was refused pays for them
                self.session.run("ROLLBACK", self.place())?;
                self.refused.clear();
                self.careful = true;
                self.begin()?;
                self.write().map_err(|stopped| match stopped {
                    Stopped::Fault(fault) => fault,
                    Stopped::Rows(_) => BATCH.fault(self.place()),
                })?;
            }
        }
        let mut refused = std::mem::take(&mut self.refused);
        refused.sort_by_key(|r| r.row);
        refused.dedup_by_key(|r| r.row);
        ledger::put(self.session, self.chunk.run, &entry(&refused)?)?;
        failpoint::hit("mariadb.chunk.commit.before");
        self.session.run("COMMIT", self.place())?;
        failpoint::hit("mariadb.chunk.commit.after");
        Ok(refused)
    }

    fn place(&self) -> &'a str {
        self.chunk.table.destination()
    }

    fn begin(&mut self) -> Result<()> {
        let place = self.place();
        self.session.run("START TRANSACTION", place)?;
        if !self.chunk.clear {
            return Ok(());
        }
        let delete = self.target.written.delete(self.chunk.range)?;
        self.session.rows(&delete.sql, delete.parameters, place).map(drop)
    }

    /// Writes every row; rows that fail our own checks are left out and noted.
    fn write(&mut self) -> Result<(), Stopped> {
        let mut first = 0;
        let mut pending = Pending::default();
        let most = 1 << self.target.inserts.len().saturating_sub(1);
        for batch in self.chunk.rows {
            let cells: Option<Vec<Cells<'_>>> = self
                .target
                .forms
                .iter()
                .zip(batch.columns())
                .map(|((form, nullable), array)| Cells::new(*form, *nullable, array))
                .collect();
            let cells = cells
                .filter(|cells| cells.len() == self.target.forms.len())
                .ok_or_else(|| BATCH.fault(self.place()))?;
            for row in 0..batch.rows() {
                let before = pending.values.len();
                match cells.iter().try_for_each(|cell| cell.bind(row).map(|value| pending.values.push(value)))
                {
                    Ok(()) => {
                        let added = pending.values.get(before..).unwrap_or_default();
                        let size = added.iter().map(size).sum::<usize>() + FRAME;
                        if size > self.chunk.packet {
                            return Err(self.too_large(size).into());
                        }
                        if pending.bytes + size > self.chunk.packet {
                            // it does not fit behind the others: they go first
                            let values = pending.values.split_off(before);
                            self.send(std::mem::take(&mut pending))?;
                            pending.values = values;
                        }
                        pending.rows.push(first + row);
                        pending.bytes += size - FRAME;
                    }
                    Err(reason) => {
                        pending.values.truncate(before);
                        self.refused.push(RefusedRow { row: first + row, reason });
                    }
                }
                if pending.rows.len() >= most || pending.bytes >= BYTES {
                    self.send(std::mem::take(&mut pending))?;
                }
            }
            first += batch.rows();
        }
        self.send(pending)
    }

    fn too_large(&self, size: usize) -> Fault {
        let megabytes = |bytes: usize| bytes.div_ceil(1 << 20);
        TOO_LARGE
            .fault(format!(
                "{}: a row of {} MB, max_allowed_packet is {} MB",
                self.place(),
                megabytes(size),
                megabytes(self.chunk.packet)
            ))
            .help("Raise max_allowed_packet at the server (1 GB at most), then run the same command again.")
    }

    /// Sends rows in statements of sizes that are prepared.
    fn send(&mut self, mut pending: Pending) -> Result<(), Stopped> {
        let columns = self.target.forms.len();
        while !pending.rows.is_empty() {
            let place = self.place();
            let (insert, rows) = self.target.insert(self.session, pending.rows.len(), place)?;
            let rest = Pending {
                rows: pending.rows.split_off(rows),
                values: pending.values.split_off(rows * columns),
                bytes: 0,
            };
            self.statement(&insert, &pending.rows, pending.values)?;
            pending = rest;
        }
        Ok(())
    }

    /// One statement: all of its rows arrive as they were sent, or none.
    fn statement(&mut self, insert: &Statement, rows: &[usize], values: Vec<Value>) -> Result<(), Stopped> {
        if !self.careful {
            return self.change(insert, rows.len(), values);
        }
        let place = self.place();
        self.session.run("SAVEPOINT ecluse", place)?;
        let again = values.clone();
        let reason = match self.change(insert, rows.len(), values) {
            Ok(()) => return Ok(()),
            Err(Stopped::Rows(reason)) => reason,
            Err(stopped) => return Err(stopped),
        };
        self.session.run("ROLLBACK TO SAVEPOINT ecluse", place)?;
        if let [row] = rows {
            self.refused.push(RefusedRow { row: *row, reason });
            return Ok(());
        }
        let (here, there) = rows.split_at(rows.len() / 2);
        let mut values = again;
        let others = values.split_off(here.len() * self.target.forms.len());
        for (rows, values) in [(here, values), (there, others)] {
            self.send(Pending { rows: rows.to_vec(), values, bytes: 0 })?;
        }
        Ok(())
    }

    /// Rows written that were not sent, and any warning (a value cut, a default taken), count as
    /// a value that the column cannot hold.
    fn change(&mut self, insert: &Statement, rows: usize, values: Vec<Value>) -> Result<(), Stopped> {
        let sent = u64::try_from(rows).unwrap_or(u64::MAX);
        match self.session.change(insert, values) {
            Ok(changed) if changed == (Changed { rows: sent, warnings: 0 }) => Ok(()),
            Ok(_other) => Err(Stopped::Rows(Refusal::Value)),
            Err(error) => Err(match refusal(&error) {
                Some(reason) => Stopped::Rows(reason),
                None => Stopped::Fault(self.fault(&error)),
            }),
        }
    }

    fn fault(&self, error: &Error) -> Fault {
        Side::Destination.fault(error, self.place())
    }
}

/// Bytes of a value on the wire, its length and type included.
fn size(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len() + 11,
        _ => 16,
    }
}
