//! MariaDB as a destination: a chunk and its ledger line in one transaction.
//!
//! Making a table commits by itself; nothing else of a run does. Durability is `durable.rs`'s.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::Batch;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{self, LedgerEntry, MakeEntry, Referrer, RefusedRow, Removal, Scope, Sink};

use super::error::Side;
use super::load::{self, Chunk, Target};
use super::session::{Session, number, text};
use super::statement::{Statement, quoted};
use super::written::Written;
use super::{catalog, connect, constraints, ddl, durable, ledger, source, types, undo, unfilled};
use crate::columns::Columns;
use crate::sql;
use crate::url::Server;

/// The server is no MariaDB.
static NOT_MARIADB: Code = Code::refused("ECL-DST-207", "the destination is not a MariaDB that names itself");
/// A session that cannot be made strict.
static SETTINGS: Code =
    Code::refused("ECL-DST-232", "the MariaDB destination does not keep the settings that rows depend on");
/// `open` was not called.
static ORDER: Code = Code::usage("ECL-DST-240", "the MariaDB destination is not open");
/// A relation whose columns are not written.
static RELATION: Code =
    Code::refused("ECL-DST-241", "a relation's column is not written to the MariaDB destination");
/// Something else than one `CREATE TABLE`.
static NOT_A_TABLE: Code = Code::refused("ECL-DST-242", "only one CREATE TABLE is executed at a time");

/// What the writing session needs beyond the reading one's settings.
///
/// Strict, so that a value that does not fit is an error; 0 is a key like any other; foreign keys are
/// looked at by [`constraints`]; unique keys and CHECKs by the server, row by row.
const WRITING: [&str; 3] = [
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
     NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
    "SET SESSION foreign_key_checks = 0, unique_checks = 1, check_constraint_checks = 1, sql_safe_updates = 0, \
     sql_auto_is_null = 0, sql_notes = 1, sql_warnings = 0, max_error_count = 64, autocommit = 1, \
     completion_type = 'NO_CHAIN', innodb_lock_wait_timeout = 30",
    "SET SESSION TRANSACTION READ WRITE",
];

/// What must be read back after [`WRITING`].
const KEPT: &str = "SELECT @@sql_mode LIKE '%STRICT_ALL_TABLES%' AND @@sql_mode LIKE '%NO_AUTO_VALUE_ON_ZERO%' \
    AND @@sql_mode LIKE '%NO_ZERO_DATE%' AND @@foreign_key_checks = 0 AND @@unique_checks = 1 \
    AND @@check_constraint_checks = 1 AND @@time_zone = '+00:00' AND @@character_set_client = 'utf8mb4' \
    AND @@character_set_connection = 'utf8mb4', @@max_allowed_packet";

/// A MariaDB destination: one connection writes, one reads back.
pub struct Destination {
    server: Server,
    write: Session,
    back: Option<Session>,
    /// `@@max_allowed_packet`.
    packet: usize,
    open: Option<Open>,
    /// The run that is being undone.
    held: Option<String>,
}

/// A run that holds the destination.
struct Open {
    run: String,
    /// Chunks that are in the destination, by table and number.
    present: BTreeSet<(usize, u64)>,
    targets: BTreeMap<usize, Target>,
    /// The table written last: its statements are prepared.
    last: Option<usize>,
}

impl Destination {
    /// Connects; changes nothing yet.
    ///
    /// # Errors
    ///
    /// `ECL-DST-201` and on where the server cannot be reached or refuses the account;
    /// [`SETTINGS`] where its session does not become strict.
    pub fn connect(server: &Server) -> Result<Self> {
        let mut write = session(server)?;
        for setting in WRITING {
            write.run(setting, "session settings")?;
        }
        let kept = write.rows(KEPT, Vec::new(), "session settings")?;
        let kept = kept.first().map(|row| (number(row, 0), number(row, 1)));
        let Some((Some(1), Some(packet))) = kept else {
            return Err(SETTINGS
                .fault("")
                .help("Connect to the server itself, not through a proxy that changes sessions."));
        };
        let packet = usize::try_from(packet).unwrap_or(usize::MAX);
        Ok(Self { server: server.clone(), write, back: None, packet, open: None, held: None })
    }

    fn back(&mut self) -> Result<&mut Session> {
        if self.back.is_none() {
            let mut back = session(&self.server)?;
            back.run("SET SESSION TRANSACTION READ ONLY", "session settings")?;
            self.back = Some(back);
        }
        self.back.as_mut().ok_or_else(|| ORDER.fault("the connection to read back"))
    }
}

fn session(server: &Server) -> Result<Session> {
    Session::open(connect::options(server)?, server, Side::Destination)
}

impl ports::Destination for Destination {
    fn engine(&self) -> Engine {
        Engine::Mariadb
    }

    fn identity(&mut self) -> Result<String> {
        source::identity(&mut self.write, &self.server.database).ok_or_else(|| {
            NOT_MARIADB.fault("").help("MariaDB 10.6 and later have @@server_uid; MySQL is not written yet.")
        })
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        let identity = ports::Destination::identity(self)?;
        let mut found = catalog::read(&mut self.write, identity, &self.server.database, scope)?;
        found.tables.retain(|table| !ledger::owns(&table.name));
        for column in found.tables.iter_mut().flat_map(|table| &mut table.columns) {
            column.ty = column.ty.filter(|ty| types::writable(&column.sql_type, *ty));
        }
        triggers(&mut self.write, &mut found)?;
        Ok(found)
    }

    fn is_empty(&mut self, table: &TablePlan) -> Result<bool> {
        ledger::is_free(&mut self.write, table)
    }

    fn create(&mut self, table: &str, statement: &str) -> Result<()> {
        if !statement.starts_with("CREATE TABLE ") {
            return Err(NOT_A_TABLE.fault(table));
        }
        // without it the first TIMESTAMP of a table follows the clock
        self.write.run("SET SESSION explicit_defaults_for_timestamp = 1", "session settings")?;
        failpoint::hit("mariadb.create.commit.before");
        // commits by itself, whole or not at all
        self.write.run(statement, &format!("the new table {table}"))?;
        failpoint::hit("mariadb.create.commit.after");
        Ok(())
    }

    fn ddl(&self, table: &Table) -> String {
        ddl::create_table(table)
    }

    fn supposed(&self, table: &Table) -> Table {
        ddl::supposed(table)
    }

    fn open(&mut self, plan: &Plan, run: &str) -> Result<()> {
        ledger::lock(&mut self.write, &self.server.database)?;
        constraints::engines(&mut self.write, plan)?;
        let mut targets = BTreeMap::new();
        for table in plan.tables() {
            let written = written(&mut self.write, table)?;
            targets.insert(table.number(), Target::new(table, written)?);
        }
        let present = ledger::enter(&mut self.write, plan, run)?;
        self.open = Some(Open { run: run.to_owned(), present, targets, last: None });
        Ok(())
    }

    fn ledger(&mut self, run: &str) -> Result<Vec<LedgerEntry>> {
        ledger::entries(&mut self.write, run)
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
        let Self { write, open, packet, .. } = self;
        let open = open.as_mut().ok_or_else(|| ORDER.fault(place))?;
        let number = table.number();
        if let Some(last) = open.last.replace(number).filter(|last| *last != number)
            && let Some(target) = open.targets.get_mut(&last)
        {
            target.rest(write, place)?;
        }
        let target = open.targets.get_mut(&number).ok_or_else(|| ORDER.fault(place))?;
        let clear = clear || open.present.contains(&(number, chunk));
        let work = Chunk { run: &open.run, table, range, clear, rows, packet: *packet };
        let refused = load::replace(write, target, &work, entry)?;
        open.present.insert((number, chunk));
        Ok(refused)
    }

    fn read(&mut self, table: &TablePlan, range: &KeyRange, ordered: bool, sink: Sink<'_>) -> Result<()> {
        let name = table.destination();
        let back = self.back()?;
        let statement = written(back, table)?.read_back(range, ordered)?;
        back.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", name)?;
        let names = table.write().iter().map(|c| c.name.as_str());
        let batch = Columns::written(table);
        let done = source::deliver(back, name, names, batch, statement, sink);
        // no failpoint: the end of a snapshot that only read
        back.run("ROLLBACK", name)?;
        done
    }

    fn beside(&mut self, known: &KnownPlan, sink: Sink<'_>) -> Result<()> {
        let table = known.table();
        let name = table.destination();
        let columns: Vec<String> = table.write().iter().map(|c| quoted(&c.name)).collect();
        let rows = sql::beside(Engine::Mariadb, known)?;
        let sql = format!("SELECT {} FROM {} WHERE {rows}", columns.join(", "), quoted(name));
        let back = self.back()?;
        back.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", name)?;
        let names = table.write().iter().map(|c| c.name.as_str());
        // no key: others' rows stop nothing, whatever stands in them
        let batch = Columns::new(table.write().iter().map(|c| c.ty).collect(), &[]);
        let statement = Statement { sql, parameters: Vec::new() };
        let done = source::deliver(back, name, names, batch, statement, sink);
        // no failpoint: the end of a snapshot that only read
        back.run("ROLLBACK", name)?;
        done
    }

    fn orphans(&mut self, child: &TablePlan, relation: usize, parent: &TablePlan) -> Result<u64> {
        let missing = || RELATION.fault(format!("{} to {}", child.destination(), parent.destination()));
        let link = child.relations().get(relation).ok_or_else(missing)?;
        let (here, ty) = carrier(child, link.column).ok_or_else(missing)?;
        let (there, _) = carrier(parent, link.parent_column).ok_or_else(missing)?;
        // a parent by another case or without its blanks is another parent; its own index finds it first
        let bytes = match ty {
            Type::Text => format!(
                " AND BINARY CONVERT(p.{there} USING utf8mb4) = BINARY CONVERT(c.{here} USING utf8mb4)"
            ),
            _ => String::new(),
        };
        let sql = format!(
            "SELECT COUNT(*) FROM {} AS c WHERE c.{here} IS NOT NULL{} \
             AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE p.{there} = c.{here}{bytes}{})",
            quoted(child.destination()),
            constraints::and_room(child, "c")?,
            quoted(parent.destination()),
            constraints::and_room(parent, "p")?,
        );
        let rows = self.back()?.rows(&sql, Vec::new(), child.destination())?;
        rows.first().and_then(|row| number(row, 0)).ok_or_else(missing)
    }

    fn finish(&mut self, plan: &Plan) -> Result<()> {
        let place = "the end of the load";
        let run = self.open.as_ref().ok_or_else(|| ORDER.fault(place))?.run.clone();
        let link = &mut self.write;
        constraints::foreign_keys(link, plan)?;
        // AUTO_INCREMENT needs nothing: InnoDB itself keeps it past the largest key it was given
        link.run("START TRANSACTION", place)?;
        ledger::finished(link, &run)?;
        failpoint::hit("mariadb.finish.commit.before");
        link.run("COMMIT", place)?;
        failpoint::hit("mariadb.finish.commit.after");
        durable::wait(link)
    }

    fn hold(&mut self, run: &str) -> Result<()> {
        ledger::lock(&mut self.write, &self.server.database)?;
        self.held = Some(run.to_owned());
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
        let run = self.held.clone().ok_or_else(|| ORDER.fault("the undo"))?;
        let written = written(&mut self.write, table)?;
        let chunk = undo::Chunk { run: &run, table, number: chunk, range, children };
        undo::remove(&mut self.write, &written, &chunk, sink, ours)
    }

    fn unseen(&mut self, table: &TablePlan) -> Result<Vec<String>> {
        Ok(unfilled::of(self.back()?, table)?.unseen)
    }

    fn worked(
        &mut self,
        table: &TablePlan,
        range: &KeyRange,
        sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
    ) -> Result<()> {
        let back = self.back()?;
        let written = written(back, table)?;
        unfilled::worked(back, &written, table, range, sink)
    }

    fn forget(&mut self, _plan: &Plan, made: &[String]) -> Result<Vec<String>> {
        let run = self.held.clone().ok_or_else(|| ORDER.fault("the undo"))?;
        undo::forget(&mut self.write, &run, made)
    }

    fn conclude(&mut self, run: &str) -> Result<()> {
        ledger::conclude(&mut self.write, run)?;
        durable::wait(&mut self.write)
    }
}

/// The table's statements; asks which of the key's texts the column itself compares by bytes.
fn written(session: &mut Session, table: &TablePlan) -> Result<Written> {
    let name = table.destination();
    let sql = "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() \
               AND table_name = ? AND collation_name = 'utf8mb4_nopad_bin'";
    let rows = session.rows(sql, vec![name.into()], name)?;
    let in_bytes: BTreeSet<String> = rows.iter().map(|row| text(row, 0)).collect();
    Written::new(table, |column| in_bytes.contains(column))
}

/// The destination column that carries a read column, quoted, and its type.
pub(super) fn carrier(table: &TablePlan, read: usize) -> Option<(String, Type)> {
    table.write().iter().find(|c| c.from.carries(read)).map(|c| (quoted(&c.name), c.ty))
}

/// The triggers that this account sees; they fire for every row that is written.
fn triggers(session: &mut Session, found: &mut Catalog) -> Result<()> {
    let sql = "SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_statement \
               FROM information_schema.triggers WHERE event_object_schema = DATABASE() ORDER BY 1, 2";
    for row in session.rows(sql, Vec::new(), "catalogue")? {
        if let Some(table) = found.tables.iter_mut().find(|t| t.name == text(&row, 0)) {
            let said = [text(&row, 2), text(&row, 3), text(&row, 4)].join(" ");
            table.triggers.push(format!("{} {}", text(&row, 1), digest::of_bytes(said.as_bytes())));
        }
    }
    Ok(())
}
