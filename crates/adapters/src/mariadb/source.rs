//! MariaDB as a source: one consistent snapshot over one connection.

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};
use ecluse_flow::ports::{Count, Excess, Marks, Opened, Scope, Sink};

use super::error::Side;
use super::session::{Session, number, text};
use super::statement::Statement;
use super::{catalog, connect, marks, probe, statement, types, views};
use crate::columns::{Columns, NOT_OPEN};
use crate::url::Server;

static NOT_MARIADB: Code = Code::refused("ECL-SRC-207", "the server is not a MariaDB that names itself");
static NO_TRANSACTIONS: Code = Code::refused("ECL-SRC-208", "a table's storage engine has no transactions");

/// A MariaDB database that rows are read from.
pub struct Source {
    session: Session,
    database: String,
    plan: Option<Plan>,
}

impl Source {
    /// Connects; the password is read from where the URL says.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-201` where the server cannot be reached, `ECL-SRC-202` where it refuses the
    /// account, and what [`crate::secret`] and [`crate::tls`] refuse.
    pub fn connect(server: &Server) -> Result<Self> {
        let session = Session::open(connect::options(server)?, server, Side::Source)?;
        Ok(Self { session, database: server.database.clone(), plan: None })
    }

    /// The database's name.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// An eraser's transaction stands in the place of the snapshot.
    pub(super) fn begun(&mut self, plan: &Plan) {
        self.plan = Some(plan.clone());
    }

    /// It has ended.
    pub(super) fn ended(&mut self) {
        self.plan = None;
    }

    fn one(&mut self, sql: &str, place: &str) -> Result<Option<u64>> {
        let rows = self.session.rows(sql, Vec::new(), place)?;
        Ok(rows.first().and_then(|row| number(row, 0)))
    }

    /// Refuses engines without transactions unless nobody writes; says what stays unseen.
    fn engines(&mut self, plan: &Plan, frozen: bool, limits: &mut Vec<String>) -> Result<()> {
        let names: Vec<String> = plan.tables().iter().map(|t| t.source().to_owned()).collect();
        let found = catalog::read(&mut self.session, String::new(), &self.database, Scope::Tables(&names))?;
        for table in plan.tables() {
            let name = table.source();
            match found.table(name).map(|t| t.storage.as_str()) {
                Some("InnoDB") => {}
                Some("") | None => limits.push(format!("{name}: its storage engine cannot be seen with this account")),
                Some(engine) if frozen => limits.push(format!(
                    "{name}: {engine} has no transactions; that nobody wrote is the operator's word (--frozen)"
                )),
                Some(engine) => {
                    return Err(NO_TRANSACTIONS
                        .fault(format!("{name}, {engine}"))
                        .help("Stop whoever writes to it, then say so with --frozen."));
                }
            }
        }
        Ok(())
    }
}

impl ecluse_flow::ports::Source for Source {
    fn engine(&self) -> Engine {
        Engine::Mariadb
    }

    /// `@@server_uid`, a slash, the database: readable by every account.
    fn identity(&mut self) -> Result<String> {
        identity(&mut self.session, &self.database).ok_or_else(|| {
            NOT_MARIADB.fault("").help("MariaDB 10.6 and later have @@server_uid; MySQL is not read yet.")
        })
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        let identity = ecluse_flow::ports::Source::identity(self)?;
        catalog::read(&mut self.session, identity, &self.database, scope)
    }

    fn excess(&mut self, plan: &Plan) -> Result<Vec<Excess>> {
        probe::excess(&mut self.session, plan, &self.database)
    }

    fn has_views(&mut self, plan: &Plan) -> Result<bool> {
        views::exist(&mut self.session, plan)
    }

    fn open(&mut self, plan: &Plan, frozen: bool) -> Result<Opened> {
        let mut limits = Vec::new();
        self.engines(plan, frozen, &mut limits)?;
        self.session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", "snapshot")?;
        self.plan = Some(plan.clone());
        for table in plan.tables() {
            // LOCK TABLES would need a right on the whole database; a first use within the
            // transaction holds the structure just as well until it ends
            self.session.rows(&statement::lock(table), Vec::new(), table.source())?;
            if statement::sorts(table) {
                limits.push(format!(
                    "{}: sorted by the server, whose index does not follow bytes",
                    table.source()
                ));
            }
        }
        views::compare(&mut self.session, plan, &self.database)?;
        let without: Vec<&str> =
            plan.tables().iter().filter(|t| t.view().is_none()).map(TablePlan::source).collect();
        let barrier = if without.is_empty() {
            "one view per instructed table, and an account that reads nothing else: the server returns no other \
             column and no other row; its errors and timing can still tell of an excluded row"
                .to_owned()
        } else {
            format!("écluse's own statements only, for {}: no view stands in front", without.join(", "))
        };
        Ok(Opened { barrier, limits })
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        let plan = self.plan.as_ref().ok_or_else(|| NOT_OPEN.fault(table.source()))?;
        let asked = statement::count_asked(table, plan)?;
        let rows = self.session.rows(&asked.sql, asked.parameters, table.source())?;
        let asked = rows.first().and_then(|row| number(row, 0)).unwrap_or(0);
        let available = match statement::count_all(table) {
            Some(sql) => self.one(&sql, table.source())?,
            None => None,
        };
        Ok(Count { available, asked })
    }

    fn read(&mut self, table: &TablePlan, plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        if self.plan.is_none() {
            return Err(NOT_OPEN.fault(table.source()));
        }
        let statement = statement::select(table, plan, range)?;
        let names = table.read().iter().map(|c| c.name.as_str());
        deliver(&mut self.session, table.source(), names, Columns::planned(table), statement, sink)
    }

    fn at_keys(&mut self, table: &TablePlan, keys: &[Key], sink: Sink<'_>) -> Result<bool> {
        if self.plan.is_none() {
            return Err(NOT_OPEN.fault(table.source()));
        }
        let statement = statement::select_keys(table, keys)?;
        let names = table.read().iter().map(|c| c.name.as_str());
        deliver(&mut self.session, table.source(), names, Columns::planned(table), statement, sink)?;
        Ok(true)
    }

    fn statement(&self, table: &TablePlan, plan: &Plan) -> String {
        statement::select(table, plan, &KeyRange::default()).map_or_else(|fault| fault.to_string(), |s| s.sql)
    }

    fn marks(&mut self, plan: &Plan) -> Result<Marks> {
        marks::marks(&mut self.session, plan)
    }

    fn granted(&mut self, role: &str, host: &str) -> Result<Option<Vec<String>>> {
        super::grants::granted(&mut self.session, role, host)
    }

    fn has_schema(&mut self, schema: &str) -> Result<bool> {
        let stands = "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?";
        Ok(!self.session.rows(stands, vec![schema.into()], "the views' database")?.is_empty())
    }

    fn close(&mut self) -> Result<()> {
        self.plan = None;
        self.session.run("ROLLBACK", "snapshot")
    }
}

/// `@@server_uid`, a slash, the database; `None` where the server has none.
pub(super) fn identity(session: &mut Session, database: &str) -> Option<String> {
    let rows = session.rows("SELECT @@server_uid", Vec::new(), "identity").ok()?;
    let uid = rows.first().map(|row| text(row, 0)).filter(|uid| !uid.is_empty())?;
    Some(format!("{uid}/{database}"))
}

/// Sends a statement and delivers its rows in batches; `names` are what it selects, in order, as in `batch`.
pub(super) fn deliver<'c>(
    session: &mut Session,
    table: &str,
    names: impl Iterator<Item = &'c str>,
    mut batch: Columns,
    statement: Statement,
    sink: Sink<'_>,
) -> Result<()> {
    let names: Vec<&str> = names.collect();
    let place = |column: usize| format!("{table}.{}", names.get(column).copied().unwrap_or_default());
    session.stream(&statement.sql, statement.parameters, table, &mut |row, latin1| {
        batch.row(
            &mut |column, builder| {
                let value = row.as_ref(column).ok_or(&crate::columns::WRONG_KIND)?;
                types::decode(builder, value, latin1.get(column).copied().unwrap_or(false))
            },
            &place,
        )?;
        if batch.full() { sink(batch.finish()?) } else { Ok(()) }
    })?;
    if batch.is_empty() { Ok(()) } else { sink(batch.finish()?) }
}
