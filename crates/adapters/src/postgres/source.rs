//! PostgreSQL as a source: one consistent, read-only snapshot.

use std::pin::pin;

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{self, Count, Excess, Marks, Opened, Scope, Sink};
use futures_util::StreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::bound::{Bound, Raw};
use super::catalog;
use super::connect::Link;
use super::counting::{self, Counting};
use super::decode::{Decoder, FORMAT, Shape};
use super::error::Side;
use super::marks;
use super::probe;
use super::text::{cast, ident, key, list, relation};
use super::views;
use crate::sql;
use crate::url::Server;

/// `open` was not called, or was called twice.
pub(crate) static ORDER: Code = Code::usage("ECL-SRC-520", "the snapshot is not open, or already open");

/// A planned table or view does not exist.
pub(crate) static ABSENT: Code = Code::refused("ECL-SRC-521", "a planned table or view is not in the source");

/// A PostgreSQL source: the connection that holds the snapshot, a second one that sees
/// the catalogue as it is now (inside the snapshot it would look as it did at its beginning), and
/// a third into the same snapshot while tables are read, which counts them.
pub struct Source {
    server: Server,
    snapshot: Link,
    now: Link,
    /// The plan whose snapshot is open.
    open: Option<Plan>,
    ahead: Option<Counting>,
}

impl Source {
    /// Connects; reads nothing yet.
    ///
    /// # Errors
    ///
    /// A coded fault where the server cannot be reached, does not prove itself or refuses the login.
    pub fn connect(server: &Server) -> Result<Self> {
        let (snapshot, now) = (reader(server)?, reader(server)?);
        Ok(Self { server: server.clone(), snapshot, now, open: None, ahead: None })
    }

    pub(super) const fn link(&self) -> &Link {
        &self.snapshot
    }

    /// An eraser's session may write.
    pub(super) fn writes(&self) -> Result<()> {
        self.snapshot.batch("SET default_transaction_read_only = off", "the session's settings")
    }

    /// An eraser's transaction stands in the place of the snapshot.
    pub(super) fn begun(&mut self, plan: &Plan) {
        self.open = Some(plan.clone());
    }

    /// It has ended.
    pub(super) fn ended(&mut self) {
        self.open = None;
    }

    /// No session of ours outlives the snapshot while the server answers.
    fn stop_counting(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.end(&self.now);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.stop_counting();
    }
}

/// A connection that can write nothing.
fn reader(server: &Server) -> Result<Link> {
    let link = Link::connect(server, Side::Source)?;
    link.batch("SET default_transaction_read_only = on", "the session's settings")?;
    Ok(link)
}

impl ports::Source for Source {
    fn engine(&self) -> Engine {
        Engine::Postgresql
    }

    fn identity(&mut self) -> Result<String> {
        catalog::identity(&self.now)
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        catalog::read(&self.now, scope)
    }

    fn excess(&mut self, plan: &Plan) -> Result<Vec<Excess>> {
        probe::excess(&self.now, plan)
    }

    fn has_views(&mut self, plan: &Plan) -> Result<bool> {
        views::exist(&self.now, plan)
    }

    fn open(&mut self, plan: &Plan, _frozen: bool) -> Result<Opened> {
        if self.open.is_some() {
            return Err(ORDER.fault("opened twice"));
        }
        // the lock comes before the snapshot, which the first query takes: what the snapshot
        // shows then has the structure that the lock holds
        self.snapshot.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "the snapshot")?;
        self.open = Some(plan.clone());
        let mut limits = Vec::new();
        for table in plan.tables() {
            if !lock(&self.snapshot, table)? {
                limits.push(format!(
                    "{} was locked by reading no row of it: the role may read columns of it only",
                    table.source()
                ));
            }
        }
        limits.extend(views::compare(&self.now, plan)?);
        self.snapshot.batch("SELECT 1", "the snapshot")?;
        let bare: Vec<&str> =
            plan.tables().iter().filter(|t| t.view().is_none()).map(TablePlan::source).collect();
        let barrier = if bare.is_empty() {
            "PostgreSQL: a role that reads one security_barrier view per instructed table".to_owned()
        } else {
            format!("écluse's own SQL, without a view, for {}", bare.join(", "))
        };
        let elsewhere = probe::elsewhere(&self.now)?;
        if elsewhere > 0 {
            limits.push(format!(
                "the role may connect to {elsewhere} other database(s) of the instance; what it could read there was not probed"
            ));
        }
        Ok(Opened { barrier, limits })
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        let plan = self.open.as_ref().ok_or_else(|| ORDER.fault("counted before open"))?;
        counting::count(&self.snapshot, table, plan)
    }

    fn count_ahead(&mut self, upto: usize) -> Result<()> {
        self.stop_counting();
        let plan = self.open.as_ref().ok_or_else(|| ORDER.fault("counted before open"))?;
        // where the role may have no further connection, each is counted when its turn comes
        if let Ok(link) = reader(&self.server) {
            self.ahead = Counting::begin(&self.snapshot, link, plan, upto)?;
        }
        Ok(())
    }

    fn counted(&mut self, table: &TablePlan) -> Result<Count> {
        match self.ahead.as_ref().and_then(|ahead| ahead.next(table.number())) {
            Some(Ok(counted)) => return Ok(counted),
            // a session that only saves time ends no run: what is wrong with more than it shows here
            Some(Err(_)) => self.stop_counting(),
            None => {}
        }
        self.count(table)
    }

    fn read(&mut self, table: &TablePlan, plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        if self.open.is_none() {
            return Err(ORDER.fault("read before open"));
        }
        let name = table.view().unwrap_or(table.source());
        let columns = table.read().iter().map(|c| (c.name.as_str(), c.ty));
        let decoder = decoder(&self.snapshot, name, table.source(), columns, table.key())?;
        // a sink may stop the read (a trial's limit): the rest is cancelled inside a savepoint,
        // so that the snapshot outlives it
        self.snapshot.batch("SAVEPOINT ecluse_read", name)?;
        let done = run(&self.snapshot, select(table, plan)?, range, decoder, sink);
        if done.is_err() {
            self.snapshot.cancel();
            self.snapshot
                .batch("ROLLBACK TO SAVEPOINT ecluse_read", name)
                .or_else(|_cancelled_too| self.snapshot.batch("ROLLBACK TO SAVEPOINT ecluse_read", name))?;
        }
        done.and_then(|()| self.snapshot.batch("RELEASE SAVEPOINT ecluse_read", name))
    }

    fn at_keys(&mut self, table: &TablePlan, keys: &[Key], sink: Sink<'_>) -> Result<bool> {
        let Some(plan) = self.open.as_ref() else { return Err(ORDER.fault("read before open")) };
        let name = table.view().unwrap_or(table.source());
        let columns = table.read().iter().map(|c| (c.name.as_str(), c.ty));
        let decoder = decoder(&self.snapshot, name, table.source(), columns, table.key())?;
        let mut select = Select { ordered: false, ..select(table, plan)? };
        (select.conditions, select.parameters) = (Vec::new(), Vec::new());
        let mut alternatives = Vec::with_capacity(keys.len());
        for Key(values) in keys {
            let (left, right) = key_sides(&select.key, select.parameters.len());
            alternatives.push(format!("({left}) = ({right})"));
            select.parameters.extend(values.iter().cloned());
        }
        select.conditions.push(alternatives.join(" OR "));
        run(&self.snapshot, select, &KeyRange::default(), decoder, sink)?;
        Ok(true)
    }

    fn statement(&self, table: &TablePlan, plan: &Plan) -> String {
        // the same text that `read` runs; a filter without SQL stops both
        select(table, plan).map_or_else(|fault| fault.to_string(), |select| select.statement())
    }

    fn marks(&mut self, plan: &Plan) -> Result<Marks> {
        marks::marks(&self.now, plan)
    }

    fn granted(&mut self, role: &str, _host: &str) -> Result<Option<Vec<String>>> {
        super::grants::granted(&self.now, role)
    }

    fn has_schema(&mut self, schema: &str) -> Result<bool> {
        let stands = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)";
        self.now.one(stands, &[&schema], "the views' schema")
    }

    fn close(&mut self) -> Result<()> {
        self.stop_counting();
        if self.open.take().is_some() {
            // no failpoint: the end of a read-only snapshot leaves nothing behind
            self.snapshot.batch("COMMIT", "the end of the snapshot")?;
        }
        Ok(())
    }
}

/// Locks a planned relation against changes of its structure until the snapshot ends; on a view
/// the engine locks the tables beneath it too, with its owner's rights.
///
/// `false` where LOCK is denied, as it is to a role with rights on single columns: then a read of
/// no row takes the same lock, but after the snapshot. What was altered in between shows when
/// the catalogue is compared again.
fn lock(link: &Link, table: &TablePlan) -> Result<bool> {
    let name = table.view().unwrap_or(table.source());
    let run = |sql: &str| link.run(link.client().batch_execute(sql));
    link.batch("SAVEPOINT ecluse_lock", name)?;
    let locked = match run(&format!("LOCK TABLE {} IN ACCESS SHARE MODE", relation(name))) {
        Ok(()) => true,
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            link.batch("ROLLBACK TO SAVEPOINT ecluse_lock", name)?;
            let columns = list(table.read().iter().map(|c| c.name.as_str()));
            run(&format!("SELECT {columns} FROM {} LIMIT 0", relation(name)))
                .map_err(|e| absent(&e, name, table.view().is_some()))?;
            false
        }
        Err(e) => return Err(absent(&e, name, table.view().is_some())),
    };
    link.batch("RELEASE SAVEPOINT ecluse_lock", name)?;
    Ok(locked)
}

/// A planned relation that is not there, or that the role may not read.
fn absent(error: &tokio_postgres::Error, name: &str, view: bool) -> Fault {
    let missing =
        error.code().is_some_and(|s| *s == SqlState::UNDEFINED_TABLE || *s == SqlState::INVALID_SCHEMA_NAME);
    match (missing, view) {
        (true, true) => ABSENT
            .fault(format!("view {name}"))
            .help("have the controller's administrator run the script that `ecluse grants` prints"),
        (true, false) => ABSENT.fault(name).help("survey the database again and sign anew"),
        _ => Side::Source.fault(error, name),
    }
}

/// The read of a table: through its view, which holds the filter, or with the filter bound.
fn select<'a>(table: &'a TablePlan, plan: &Plan) -> Result<Select<'a>> {
    let condition = match table.view() {
        Some(_) => None,
        None => sql::condition(Engine::Postgresql, table, plan, 1)?,
    };
    let (conditions, parameters) = condition.map(|c| (vec![c.text], c.parameters)).unwrap_or_default();
    Ok(Select {
        columns: table.read().iter().map(|c| c.name.as_str()).collect(),
        printed: Vec::new(),
        from: table.view().unwrap_or(table.source()),
        conditions,
        parameters,
        key: table
            .key()
            .iter()
            .filter_map(|i| table.read().get(*i))
            .map(|c| (c.name.as_str(), c.ty))
            .collect(),
        ordered: true,
    })
}

/// A read of named columns.
pub(super) struct Select<'a> {
    pub(super) columns: Vec<&'a str>,
    /// Which of them are asked for as the engine's text; known where the read begins.
    pub(super) printed: Vec<bool>,
    pub(super) from: &'a str,
    /// Conditions with `$n`, joined by AND.
    pub(super) conditions: Vec<String>,
    pub(super) parameters: Vec<Value>,
    pub(super) key: Vec<(&'a str, ecluse_core::types::Type)>,
    pub(super) ordered: bool,
}

impl Select<'_> {
    /// Keeps the rows of a key range; its bounds are bound, for row keys are personal data.
    pub(super) fn within(&mut self, range: &KeyRange) {
        for (bound, sign) in [(&range.after, ">"), (&range.upto, "<=")] {
            if let Some(Key(values)) = bound {
                let (left, right) = key_sides(&self.key, self.parameters.len());
                self.conditions.push(format!("({left}) {sign} ({right})"));
                self.parameters.extend(values.iter().cloned());
            }
        }
    }

    /// The statement as it is sent.
    pub(super) fn statement(&self) -> String {
        if self.parameters.is_empty() {
            format!("COPY ({}) TO STDOUT (FORMAT binary)", self.text())
        } else {
            self.text()
        }
    }

    fn text(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, name)| match self.printed.get(i) {
                Some(true) => format!("{}::text", ident(name)),
                _ => ident(name),
            })
            .collect();
        let mut sql = format!("SELECT {} FROM {}", columns.join(", "), relation(self.from));
        if !self.conditions.is_empty() {
            // each in brackets: a condition may hold OR
            let all: Vec<String> = self.conditions.iter().map(|c| format!("({c})")).collect();
            sql.push_str(" WHERE ");
            sql.push_str(&all.join(" AND "));
        }
        if self.ordered && !self.key.is_empty() {
            let keys: Vec<String> = self.key.iter().map(|(name, ty)| key(name, *ty)).collect();
            sql.push_str(" ORDER BY ");
            sql.push_str(&keys.join(", "));
        }
        sql
    }
}

/// Both sides of a comparison of whole keys: `"a", "b" COLLATE "C"` and `$1::int8, $2::text`.
pub(super) fn key_sides(columns: &[(&str, ecluse_core::types::Type)], bound: usize) -> (String, String) {
    let left: Vec<String> = columns.iter().map(|(name, ty)| key(name, *ty)).collect();
    let right: Vec<String> =
        columns.iter().enumerate().map(|(i, (_, ty))| format!("${}::{}", bound + i + 1, cast(*ty))).collect();
    (left.join(", "), right.join(", "))
}

/// The decoder of a read of these columns of a relation, which faults name `place`.
pub(super) fn decoder<'a>(
    link: &Link,
    name: &str,
    place: &str,
    columns: impl Iterator<Item = (&'a str, ecluse_core::types::Type)> + Clone,
    key: &[usize],
) -> Result<Decoder> {
    let wires = catalog::wires(link, &relation(name), columns.clone().map(|(name, _)| name))?;
    let shapes = columns.zip(wires).enumerate().map(|(i, ((name, ty), wire))| Shape {
        name: name.to_owned(),
        wire,
        ty,
        key: key.contains(&i),
    });
    Decoder::new(place, shapes.collect())
}

/// Runs a read and hands batches to the sink: by COPY where nothing is bound (the fastest the
/// engine has), else by a query in binary, since COPY takes no parameters.
pub(super) fn run(
    link: &Link,
    mut select: Select<'_>,
    range: &KeyRange,
    mut decoder: Decoder,
    sink: Sink<'_>,
) -> Result<()> {
    select.within(range);
    select.printed = decoder.printed();
    let place = select.from.to_owned();
    let fault = |e: tokio_postgres::Error| link.side().fault(&e, &place);
    let sql = select.statement();
    link.run(async {
        if select.parameters.is_empty() {
            let mut stream = pin!(link.client().copy_out(sql.as_str()).await.map_err(fault)?);
            while let Some(message) = stream.next().await {
                decoder.message(&message.map_err(fault)?)?;
                if decoder.is_full()
                    && let Some(batch) = decoder.take()?
                {
                    sink(batch)?;
                }
            }
        } else {
            let bound: Vec<Bound<'_>> = select.parameters.iter().map(Bound).collect();
            let parameters = bound.iter().map(|b| b as &(dyn ToSql + Sync));
            let mut rows = pin!(link.client().query_raw(sql.as_str(), parameters).await.map_err(fault)?);
            while let Some(row) = rows.next().await {
                let row = row.map_err(fault)?;
                decoder.row(|i| {
                    let cell: Option<Raw<'_>> =
                        row.try_get(i).map_err(|_may_quote| FORMAT.fault(place.clone()))?;
                    Ok(cell.map(|c| c.0))
                })?;
                if decoder.is_full()
                    && let Some(batch) = decoder.take()?
                {
                    sink(batch)?;
                }
            }
        }
        match decoder.take()? {
            Some(batch) => sink(batch),
            None => Ok(()),
        }
    })
}
