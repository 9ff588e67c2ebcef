//! SQLite as a source: one read transaction over a file opened read-only.

use std::path::{Path, PathBuf};

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};
use ecluse_flow::ports::{Count, Excess, Marks, Opened, Scope, Sink};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::guard::Allowed;
use super::statement::{self, Statement};
use super::{Codes, SOURCE, catalog, connect, existing, fault, honest, marks, types};
use crate::columns::{Columns, NOT_OPEN};

static UNKNOWN_TYPE: Code =
    Code::refused("ECL-SRC-007", "a planned column has a type that écluse does not read");

/// A SQLite database that rows are read from.
///
/// Every statement passes the authorizer: before [`open`](ecluse_flow::ports::Source::open)
/// only the catalogue can be read, after it only the plan's columns.
pub struct Source {
    connection: Connection,
    path: PathBuf,
    /// Whether the file is in WAL mode, where others may commit beside an open snapshot.
    log: bool,
    plan: Option<Plan>,
    /// The views of the file, as of the open snapshot.
    views: Vec<String>,
}

impl Source {
    /// Opens the file read-only; one that is not there is never created.
    ///
    /// A database in WAL mode is read with its log. Its `-shm` index beside it may be
    /// made by SQLite: it holds page numbers, no row.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-301` where there is no such file, or it cannot be read; `ECL-SRC-305` where
    /// it is not a database; `ECL-SRC-307` where its text is in UTF-16.
    pub fn open(path: &Path) -> Result<Self> {
        let path = existing(&SOURCE, path)?;
        let connection = connect(&SOURCE, &path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Self::over(connection, path)
    }

    /// Over a connection that is there: an eraser reads on its own.
    pub(super) fn over(connection: Connection, path: PathBuf) -> Result<Self> {
        let mode: String = connection
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .map_err(|e| fault(&SOURCE, &e, "journal mode"))?;
        let mut source = Self { connection, path, log: mode == "wal", plan: None, views: Vec::new() };
        source.permit(Allowed::catalogue())?;
        Ok(source)
    }

    /// The file as it is now, where that may be otherwise than inside the open snapshot. Without a
    /// log it cannot: nobody commits while the snapshot is read, and a second reader would wait for
    /// a writer who waits for the first.
    fn now(&self) -> Result<Option<Self>> {
        if self.log && self.plan.is_some() { Self::open(&self.path).map(Some) } else { Ok(None) }
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Takes the authorizer away: only the eraser's own statements follow.
    pub(super) fn free(&mut self) -> Result<()> {
        let none = None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>;
        self.connection.authorizer(none).map_err(|e| fault(&SOURCE, &e, "authorizer"))
    }

    /// The eraser's transaction stands in the place of the snapshot.
    pub(super) fn begun(&mut self, plan: &Plan) -> Result<()> {
        self.plan = Some(plan.clone());
        honest::check(&self.connection, plan)
    }

    fn permit(&mut self, allowed: Allowed) -> Result<()> {
        self.connection
            .authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| allowed.authorize(&context)))
            .map_err(|e| fault(&SOURCE, &e, "authorizer"))
    }

    fn permit_plan(&mut self) -> Result<()> {
        let allowed = self.plan.as_ref().map_or_else(Allowed::catalogue, planned);
        self.permit(allowed.through(&self.views))
    }

    fn count_of(&self, statement: &Statement, place: &str) -> Result<u64> {
        let count =
            self.connection
                .query_row(&statement.sql, params_from_iter(&statement.parameters), |row| row.get(0));
        let count: i64 = count.map_err(|e| fault(&SOURCE, &e, place))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

fn views(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'view'")?;
    names.query_map([], |row| row.get(0))?.collect()
}

/// The plan's columns and nothing else.
pub(super) fn planned(plan: &Plan) -> Allowed {
    Allowed::columns(
        plan.tables().iter().flat_map(|t| t.read().iter().map(move |c| (t.source(), c.name.as_str()))),
    )
}

impl ecluse_flow::ports::Source for Source {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn identity(&mut self) -> Result<String> {
        if let Some(mut now) = self.now()? {
            return ecluse_flow::ports::Source::identity(&mut now);
        }
        self.permit(Allowed::catalogue())?;
        let identity = catalog::identity(&self.connection, &self.path.to_string_lossy())?;
        self.permit_plan()?;
        Ok(identity)
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        if let Some(mut now) = self.now()? {
            return now.catalog(scope);
        }
        let identity = ecluse_flow::ports::Source::identity(self)?;
        self.permit(Allowed::catalogue())?;
        let catalog = catalog::read(&SOURCE, &self.connection, identity, scope)?;
        self.permit_plan()?;
        Ok(catalog)
    }

    /// SQLite has no roles, hence none that could do too much; the file's own rights are the host's.
    fn excess(&mut self, _plan: &Plan) -> Result<Vec<Excess>> {
        Ok(Vec::new())
    }

    fn has_views(&mut self, _plan: &Plan) -> Result<bool> {
        Ok(false)
    }

    fn open(&mut self, plan: &Plan, _frozen: bool) -> Result<Opened> {
        self.permit(Allowed::catalogue())?;
        // the transaction sees the database as of its first read
        let begun = self.connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;");
        begun.map_err(|e| fault(&SOURCE, &e, "snapshot"))?;
        self.views = views(&self.connection).map_err(|e| fault(&SOURCE, &e, "snapshot"))?;
        // off on every connection; on where the order itself names a view
        let named = plan.tables().iter().any(|table| self.views.iter().any(|view| view == table.source()));
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, named)
            .map_err(|e| fault(&SOURCE, &e, "views"))?;
        self.plan = Some(plan.clone());
        self.permit_plan()?;
        honest::check(&self.connection, plan)?;
        let mut limits = Vec::new();
        for table in plan.tables() {
            for column in table.read() {
                types::declared(&column.sql_type).filter(|d| d.ty == column.ty).ok_or_else(|| {
                    UNKNOWN_TYPE.fault(format!("{}.{}, {}", table.source(), column.name, column.sql_type))
                })?;
            }
            if sorts(&self.connection, table, plan)? {
                limits.push(format!(
                    "{}: no index gives the key's order; SQLite sorts it in memory",
                    table.source()
                ));
            }
        }
        Ok(Opened {
            barrier: "SQLite has no roles: the barrier is écluse's own authorizer inside the engine, which refuses \
                      every column that is not planned, over a file opened read-only"
                .to_owned(),
            limits,
        })
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        let plan = self.plan.as_ref().ok_or_else(|| NOT_OPEN.fault(table.source()))?;
        let all = Statement { sql: statement::count_all(table), parameters: Vec::new() };
        let asked = statement::count_asked(table, plan)?;
        Ok(Count {
            available: Some(self.count_of(&all, table.source())?),
            asked: self.count_of(&asked, table.source())?,
        })
    }

    fn read(&mut self, table: &TablePlan, plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        if self.plan.is_none() {
            return Err(NOT_OPEN.fault(table.source()));
        }
        let columns = table.read().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
        let statement = statement::select(table, plan, range)?;
        deliver(&SOURCE, &self.connection, table.source(), columns, Columns::planned(table), &statement, sink)
    }

    fn at_keys(&mut self, table: &TablePlan, keys: &[Key], sink: Sink<'_>) -> Result<bool> {
        if self.plan.is_none() {
            return Err(NOT_OPEN.fault(table.source()));
        }
        let columns = table.read().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
        let statement = statement::select_keys(table, keys)?;
        let batch = Columns::planned(table);
        deliver(&SOURCE, &self.connection, table.source(), columns, batch, &statement, sink)?;
        Ok(true)
    }

    fn statement(&self, table: &TablePlan, plan: &Plan) -> String {
        statement::select(table, plan, &KeyRange::default()).map_or_else(|fault| fault.to_string(), |s| s.sql)
    }

    fn marks(&mut self, plan: &Plan) -> Result<Marks> {
        let mark = marks::of(&self.path);
        let tables = vec![mark.clone(); plan.tables().len()];
        Ok(Marks { instance: mark, tables, ..Marks::default() })
    }

    fn close(&mut self) -> Result<()> {
        self.plan = None;
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(|e| fault(&SOURCE, &e, "snapshot"))?;
        }
        self.permit(Allowed::catalogue())
    }
}

/// Runs a statement and delivers its rows in batches: `columns` are its columns' names,
/// declarations and types, in order, as in `batch`.
pub(super) fn deliver<'a>(
    codes: &'static Codes,
    connection: &Connection,
    table: &str,
    columns: impl Iterator<Item = (&'a str, &'a str, ecluse_core::types::Type)>,
    mut batch: Columns,
    statement: &Statement,
    sink: Sink<'_>,
) -> Result<()> {
    let (mut names, mut forms) = (Vec::new(), Vec::new());
    for (name, sql_type, ty) in columns {
        let declared = types::declared(sql_type).filter(|d| d.ty == ty);
        let declared = declared.ok_or_else(|| UNKNOWN_TYPE.fault(format!("{table}.{name}, {sql_type}")))?;
        names.push(name);
        forms.push(declared.form);
    }
    let place = |column: usize| format!("{table}.{}", names.get(column).copied().unwrap_or_default());
    let mut prepared = connection.prepare(&statement.sql).map_err(|e| fault(codes, &e, table))?;
    let mut rows =
        prepared.query(params_from_iter(&statement.parameters)).map_err(|e| fault(codes, &e, table))?;
    while let Some(row) = rows.next().map_err(|e| fault(codes, &e, table))? {
        batch.row(
            &mut |column, builder| {
                let value = row.get_ref(column).map_err(|_text_may_quote| &crate::columns::WRONG_KIND)?;
                let form = forms.get(column).copied().ok_or(&crate::columns::WRONG_KIND)?;
                super::decode::decode(form, builder, value)
            },
            &place,
        )?;
        if batch.full() {
            sink(batch.finish()?)?;
        }
    }
    if batch.is_empty() { Ok(()) } else { sink(batch.finish()?) }
}

/// Whether SQLite would sort the table to read it in the key's order.
fn sorts(connection: &Connection, table: &TablePlan, plan: &Plan) -> Result<bool> {
    let statement = statement::select(table, plan, &KeyRange::default())?;
    let explain = || -> rusqlite::Result<bool> {
        let mut prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql))?;
        let mut rows = prepared.query(params_from_iter(&statement.parameters))?;
        while let Some(row) = rows.next()? {
            if row.get::<_, String>("detail")?.contains("TEMP B-TREE") {
                return Ok(true);
            }
        }
        Ok(false)
    };
    explain().map_err(|e| fault(&SOURCE, &e, table.source()))
}
