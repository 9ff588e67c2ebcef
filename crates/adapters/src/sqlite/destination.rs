//! SQLite as a destination: a chunk and its ledger line in one transaction.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ecluse_batch::Batch;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{LedgerEntry, MakeEntry, Referrer, Refusal, RefusedRow, Removal, Scope, Sink};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi, params_from_iter};

use super::encode::Cells;
use super::statement::Statement;
use super::{
    DESTINATION, catalog, connect, ddl, existing, fault, ledger, quoted, rebuild, source, statement, types,
    undo, unfilled,
};
use crate::columns::Columns;

static NOT_OPEN: Code = Code::refused("ECL-DST-310", "a write was asked for before the run was opened");
static UNKNOWN_TYPE: Code =
    Code::refused("ECL-DST-312", "a planned column has a type that écluse does not write");
static NOT_A_TABLE: Code = Code::refused("ECL-DST-313", "only one CREATE TABLE is executed at a time");
static NO_RELATION: Code =
    Code::refused("ECL-DST-314", "a relation's column is not written at the destination");
static EXISTS: Code =
    Code::refused("ECL-DST-315", "a new SQLite database would stand in another file's place");

/// A SQLite database that rows are written to.
///
/// From [`open`](ecluse_flow::ports::Destination::open) to
/// [`finish`](ecluse_flow::ports::Destination::finish) the file is locked for every other
/// program: the engine's own lock, which a killed process cannot leave behind.
pub struct Destination {
    pub(super) connection: Connection,
    path: PathBuf,
    run: Option<String>,
}

impl Destination {
    /// Opens a database that is there.
    ///
    /// # Errors
    ///
    /// As [`super::Source::open`].
    pub fn open(path: &Path) -> Result<Self> {
        let path = existing(&DESTINATION, path)?;
        let connection = connect(&DESTINATION, &path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // FULL: a committed chunk survives a power cut, in either journal mode.
        // secure_delete: a replaced chunk's old rows are overwritten, not only unlinked.
        // foreign keys are checked at the end (`rebuild`): a chunk's parents may come later.
        connection
            .execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; \
                 PRAGMA cache_size = -32768;",
            )
            .map_err(|e| fault(&DESTINATION, &e, &path.display().to_string()))?;
        Ok(Self { connection, path, run: None })
    }

    /// Makes a new, empty database that only its owner can read, and opens it.
    ///
    /// # Errors
    ///
    /// `ECL-DST-315` where a file is there already, or none can be made.
    pub fn create(path: &Path) -> Result<Self> {
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(
            |_os_text| {
                EXISTS
                    .fault(path.display().to_string())
                    .help("Name a file that does not exist, in a folder that does.")
            },
        )?;
        Self::open(path)
    }

    fn run(&self) -> Result<&str> {
        self.run.as_deref().ok_or_else(|| NOT_OPEN.fault(""))
    }

    /// From the next transaction on the file is locked for every other program.
    fn lock(&self) -> Result<()> {
        let lock = "PRAGMA locking_mode = EXCLUSIVE";
        self.connection.query_row(lock, [], |_mode| Ok(())).map_err(|e| fault(&DESTINATION, &e, "lock"))
    }

    fn unlock(&self) -> Result<()> {
        let unlock = "PRAGMA locking_mode = NORMAL";
        self.connection.query_row(unlock, [], |_mode| Ok(())).map_err(|e| fault(&DESTINATION, &e, "lock"))?;
        // the lock goes with the next read
        let read: Statement =
            Statement { sql: "SELECT count(*) FROM sqlite_schema".to_owned(), parameters: Vec::new() };
        self.connection.query_row(&read.sql, [], |_count| Ok(())).map_err(|e| fault(&DESTINATION, &e, "lock"))
    }

    /// A transaction that holds the write lock from its start; dropped, it is rolled back.
    fn begin(&self, behavior: TransactionBehavior, place: &str) -> Result<Transaction<'_>> {
        Transaction::new_unchecked(&self.connection, behavior).map_err(|e| fault(&DESTINATION, &e, place))
    }
}

impl ecluse_flow::ports::Destination for Destination {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn identity(&mut self) -> Result<String> {
        Ok(catalog::place(&self.path.to_string_lossy()))
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        let identity = catalog::place(&self.path.to_string_lossy());
        catalog::read(&DESTINATION, &self.connection, identity, scope)
    }

    fn is_empty(&mut self, table: &TablePlan) -> Result<bool> {
        free(&self.connection, table)
    }

    fn create(&mut self, table: &str, statement: &str) -> Result<()> {
        if !statement.trim_start().to_ascii_uppercase().starts_with("CREATE TABLE ") {
            return Err(NOT_A_TABLE.fault(table));
        }
        // `execute` refuses a second statement in the text
        self.connection
            .execute(statement, [])
            .map(|_none| ())
            .map_err(|e| fault(&DESTINATION, &e, &format!("the new table {table}")))
    }

    fn ddl(&self, table: &Table) -> String {
        ddl::create_table(table)
    }

    fn supposed(&self, table: &Table) -> Table {
        ddl::supposed(table)
    }

    fn open(&mut self, plan: &Plan, run: &str) -> Result<()> {
        self.lock()?;
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Exclusive);
        let transaction =
            transaction.map_err(|e| fault(&DESTINATION, &e, &self.path.display().to_string()))?;
        let fresh = ledger::enter(&transaction, plan, run)?;
        rebuild::take_away(&transaction, &fresh, run)?;
        failpoint::hit("sqlite_open.commit.before");
        transaction.commit().map_err(|e| fault(&DESTINATION, &e, "ledger"))?;
        failpoint::hit("sqlite_open.commit.after");
        self.run = Some(run.to_owned());
        Ok(())
    }

    fn ledger(&mut self, run: &str) -> Result<Vec<LedgerEntry>> {
        ledger::chunks(&self.connection, run)
    }

    fn replace(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        clear: bool,
        rows: &[Batch],
        entry: MakeEntry<'_>,
    ) -> Result<Vec<RefusedRow>> {
        let place = table.destination();
        let run = self.run()?;
        let transaction = self.begin(TransactionBehavior::Immediate, place)?;
        if clear || ledger::has(&transaction, run, table.number(), chunk)? {
            let delete = statement::delete(table, range)?;
            transaction
                .execute(&delete.sql, params_from_iter(&delete.parameters))
                .map_err(|e| fault(&DESTINATION, &e, place))?;
        }
        let refused = insert(&transaction, table, rows)?;
        ledger::put(&transaction, run, &entry(&refused)?)?;
        failpoint::hit("sqlite_chunk.commit.before");
        transaction.commit().map_err(|e| fault(&DESTINATION, &e, place))?;
        failpoint::hit("sqlite_chunk.commit.after");
        Ok(refused)
    }

    fn read(&mut self, table: &TablePlan, range: &KeyRange, ordered: bool, sink: Sink<'_>) -> Result<()> {
        let place = table.destination();
        let statement = statement::read_back(table, range, ordered)?;
        let columns = table.write().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
        // one snapshot for the whole read; dropped, it ends
        let transaction = self.begin(TransactionBehavior::Deferred, place)?;
        let batch = Columns::written(table);
        source::deliver(&DESTINATION, &transaction, place, columns, batch, &statement, sink)
    }

    fn beside(&mut self, known: &KnownPlan, sink: Sink<'_>) -> Result<()> {
        let table = known.table();
        let place = table.destination();
        let statement = statement::beside(known)?;
        let columns = table.write().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
        // no key: others' rows stop nothing, whatever stands in them
        let batch = Columns::new(table.write().iter().map(|c| c.ty).collect(), &[]);
        let transaction = self.begin(TransactionBehavior::Deferred, place)?;
        source::deliver(&DESTINATION, &transaction, place, columns, batch, &statement, sink)
    }

    fn orphans(&mut self, child: &TablePlan, relation: usize, parent: &TablePlan) -> Result<u64> {
        let relation =
            child.relations().get(relation).ok_or_else(|| NO_RELATION.fault(child.destination()))?;
        let here = written(child, relation.column)?;
        let there = written(parent, relation.parent_column)?;
        let found = [format!("p.{there} = c.{here} COLLATE BINARY"), statement::room(parent, Some("p"))?];
        let found = format!(
            "SELECT 1 FROM main.{} AS p{}",
            quoted(parent.destination()),
            statement::conditions(&found)
        );
        let lost = [
            format!("c.{here} IS NOT NULL"),
            format!("NOT EXISTS ({found})"),
            statement::room(child, Some("c"))?,
        ];
        let sql = format!(
            "SELECT count(*) FROM main.{} AS c{}",
            quoted(child.destination()),
            statement::conditions(&lost)
        );
        let count: i64 = self
            .connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(|e| fault(&DESTINATION, &e, child.destination()))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn finish(&mut self, plan: &Plan) -> Result<()> {
        let run = self.run()?;
        let transaction = self.begin(TransactionBehavior::Immediate, "indexes")?;
        rebuild::put_back(&transaction, run)?;
        failpoint::hit("sqlite_finish.commit.before");
        transaction.commit().map_err(|e| fault(&DESTINATION, &e, "indexes"))?;
        failpoint::hit("sqlite_finish.commit.after");
        // sequences need nothing: SQLite itself keeps sqlite_sequence past the largest key it was given
        rebuild::check_foreign_keys(&self.connection, plan)?;
        self.unlock()
    }

    fn hold(&mut self, run: &str) -> Result<()> {
        self.lock()?;
        let exclusive = self.begin(TransactionBehavior::Exclusive, &self.path.display().to_string())?;
        // the lock stays with the connection
        exclusive.rollback().map_err(|e| fault(&DESTINATION, &e, "lock"))?;
        self.run = Some(run.to_owned());
        Ok(())
    }

    fn remove(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        children: &[Referrer<'_>],
        sink: Sink<'_>,
        ours: &mut dyn FnMut() -> bool,
    ) -> Result<Removal> {
        let transaction = self.begin(TransactionBehavior::Immediate, table.destination())?;
        undo::remove(transaction, self.run()?, table, chunk, range, children, sink, ours)
    }

    fn unseen(&mut self, table: &TablePlan) -> Result<Vec<String>> {
        let transaction = self.begin(TransactionBehavior::Deferred, table.destination())?;
        Ok(unfilled::of(&transaction, table)?.unseen)
    }

    fn worked(
        &mut self,
        table: &TablePlan,
        range: &KeyRange,
        sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
    ) -> Result<()> {
        let transaction = self.begin(TransactionBehavior::Deferred, table.destination())?;
        unfilled::worked(&transaction, table, range, sink)
    }

    fn forget(&mut self, _plan: &Plan, made: &[String]) -> Result<Vec<String>> {
        let transaction = self.begin(TransactionBehavior::Immediate, "the end of the undo")?;
        let dropped = undo::forget(transaction, self.run()?, made)?;
        self.unlock()?;
        Ok(dropped)
    }

    fn conclude(&mut self, run: &str) -> Result<()> {
        let transaction = self.begin(TransactionBehavior::Immediate, "the ledger")?;
        ledger::forget(&transaction, run)?;
        failpoint::hit("sqlite_conclude.commit.before");
        transaction.commit().map_err(|e| fault(&DESTINATION, &e, "the ledger"))?;
        failpoint::hit("sqlite_conclude.commit.after");
        self.unlock()
    }
}

/// Whether a table, or this laboratory's room in it, holds no row.
fn free(connection: &Connection, table: &TablePlan) -> Result<bool> {
    let place = table.destination();
    let one = statement::one(table)?;
    let mut statement = connection.prepare(&one.sql).map_err(|e| fault(&DESTINATION, &e, place))?;
    let any = statement.exists(params_from_iter(&one.parameters));
    any.map(|any| !any).map_err(|e| fault(&DESTINATION, &e, place))
}

/// Whether a table holds no row.
pub(super) fn empty(connection: &Connection, table: &str) -> Result<bool> {
    let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM main.{})", quoted(table));
    connection.query_row(&sql, [], |row| row.get(0)).map_err(|e| fault(&DESTINATION, &e, table))
}

/// Inserts row by row through one prepared statement: a row that is refused fails alone.
fn insert(connection: &Connection, table: &TablePlan, batches: &[Batch]) -> Result<Vec<RefusedRow>> {
    let place = table.destination();
    let mut forms = Vec::new();
    for column in table.write() {
        let declared = types::declared(&column.sql_type).filter(|d| d.ty == column.ty);
        let refuse = || UNKNOWN_TYPE.fault(format!("{place}.{}, {}", column.name, column.sql_type));
        forms.push(declared.ok_or_else(refuse)?.form);
    }
    let mut statement =
        connection.prepare(&statement::insert(table)).map_err(|e| fault(&DESTINATION, &e, place))?;
    let mut refused = Vec::new();
    let mut before = 0;
    for batch in batches {
        let cells: Option<Vec<Cells<'_>>> =
            forms.iter().zip(batch.columns()).map(|(form, column)| Cells::new(*form, column)).collect();
        let cells = cells.filter(|c| c.len() == forms.len()).ok_or_else(|| UNKNOWN_TYPE.fault(place))?;
        for row in 0..batch.rows() {
            let values: Option<Vec<_>> = cells.iter().map(|cell| cell.bind(row)).collect();
            let outcome = match values {
                None => Err(Refusal::Value),
                Some(values) => match statement.execute(params_from_iter(values)) {
                    Ok(_one) => Ok(()),
                    Err(e) => Err(refusal(&e).ok_or_else(|| fault(&DESTINATION, &e, place))?),
                },
            };
            if let Err(reason) = outcome {
                refused.push(RefusedRow { row: before + row, reason });
            }
        }
        before += batch.rows();
    }
    Ok(refused)
}

/// Why a row was refused; `None` where the error is not the row's.
fn refusal(error: &rusqlite::Error) -> Option<Refusal> {
    let failure = error.sqlite_error()?;
    match failure.code {
        ErrorCode::TypeMismatch | ErrorCode::TooBig => Some(Refusal::Value),
        ErrorCode::ConstraintViolation => Some(match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => Refusal::Unique,
            ffi::SQLITE_CONSTRAINT_NOTNULL => Refusal::NotNull,
            ffi::SQLITE_CONSTRAINT_CHECK => Refusal::Check,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Refusal::ForeignKey,
            ffi::SQLITE_CONSTRAINT_DATATYPE => Refusal::Value,
            _ => Refusal::Other,
        }),
        _ => None,
    }
}

/// The written column that carries a read column over, in SQL.
pub(super) fn written(table: &TablePlan, read: usize) -> Result<String> {
    let column = table.write().iter().find(|c| c.from.carries(read));
    column.map(|c| quoted(&c.name)).ok_or_else(|| NO_RELATION.fault(table.destination()))
}
