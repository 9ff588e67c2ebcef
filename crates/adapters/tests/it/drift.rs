//! Tables that change between the signature and the end of a run: on each engine, whoever alters
//! them either waits for our lock or is found out, under lock or at the end.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ecluse_adapters::folder::RunFolder;
use ecluse_adapters::sqlite;
use ecluse_core::catalog::Catalog;
use ecluse_core::digest;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::orders::assertion::{self, Fields};
use ecluse_flow::orders::{Bound, Orders};
use ecluse_flow::ports::{Count, Destination as _, Excess, Marks, Opened, Scope, Sink, Source};
use ecluse_flow::rehearse::rehearse;
use ecluse_flow::run::{Moved, Options, run};
use ecluse_flow::world::World;
use ecluse_seal::Identity;
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::common::{every, planned};
use crate::postgres::help;

/// A source that somebody alters before its snapshot is opened, and after its rows were read.
pub(crate) struct Meddled<'a> {
    inner: Box<dyn Source>,
    before_open: Box<dyn FnMut() + Send + 'a>,
    after_read: Box<dyn FnMut() + Send + 'a>,
}

impl<'a> Meddled<'a> {
    pub(crate) fn before_open(inner: impl Source + 'static, act: impl FnMut() + Send + 'a) -> Self {
        Self { inner: Box::new(inner), before_open: Box::new(act), after_read: Box::new(|| ()) }
    }

    pub(crate) fn after_read(inner: impl Source + 'static, act: impl FnMut() + Send + 'a) -> Self {
        Self { inner: Box::new(inner), before_open: Box::new(|| ()), after_read: Box::new(act) }
    }
}

impl Source for Meddled<'_> {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn identity(&mut self) -> Result<String> {
        self.inner.identity()
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        self.inner.catalog(scope)
    }

    fn excess(&mut self, _plan: &Plan) -> Result<Vec<Excess>> {
        Ok(Vec::new())
    }

    fn has_views(&mut self, plan: &Plan) -> Result<bool> {
        self.inner.has_views(plan)
    }

    fn open(&mut self, plan: &Plan, frozen: bool) -> Result<Opened> {
        (self.before_open)();
        self.inner.open(plan, frozen)
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        self.inner.count(table)
    }

    fn count_ahead(&mut self, upto: usize) -> Result<()> {
        self.inner.count_ahead(upto)
    }

    fn counted(&mut self, table: &TablePlan) -> Result<Count> {
        self.inner.counted(table)
    }

    fn read(&mut self, table: &TablePlan, plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        self.inner.read(table, plan, range, sink)?;
        (self.after_read)();
        Ok(())
    }

    fn statement(&self, table: &TablePlan, plan: &Plan) -> String {
        self.inner.statement(table, plan)
    }

    fn marks(&mut self, plan: &Plan) -> Result<Marks> {
        self.inner.marks(plan)
    }

    fn close(&mut self) -> Result<()> {
        self.inner.close()
    }
}

/// A run of the table `patient` into a fresh SQLite file, under orders that bind the source as it
/// is now; and how many rows arrived.
pub(crate) fn migrate(source: Meddled<'_>) -> (Result<Moved>, u64) {
    under_orders(source, |orders, world, source, destination, record| {
        run(orders, Options::default(), source, destination, record, world, &mut |_| {})
    })
}

/// A dry run of the same.
fn rehearsed(source: Meddled<'_>) -> Result<()> {
    let (found, rows) = under_orders(source, |orders, world, source, _, record| {
        let none = |_: &str, _: &str| false;
        let options = Options::default();
        rehearse(orders, options, source, Engine::Sqlite, &none, record, world, &mut |_| {}).map(drop)
    });
    assert_eq!(rows, 0);
    found
}

/// What is done with the orders, and with both ends.
pub(crate) type Work<T> =
    fn(Orders<'_>, World<'_>, &mut Meddled<'_>, &mut sqlite::Destination, &mut RunFolder) -> Result<T>;

pub(crate) fn under_orders<T>(mut source: Meddled<'_>, work: Work<T>) -> (Result<T>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let names = ["patient".to_owned()];
    let catalog = source.catalog(Scope::Tables(&names)).unwrap();
    let plan = planned(&catalog, &[every("patient", &[])]);
    let schema = digest::of_schema(&catalog, &names);
    let identity = source.identity().unwrap();
    let new = folder.path().join("new.db");
    let mut destination = sqlite::Destination::create(&new).unwrap();
    let ddl = destination.ddl(catalog.table("patient").unwrap());
    destination.create("patient", &ddl).unwrap();
    let there = destination.identity().unwrap();
    let operator = Identity::generate();
    let orders = assertion::orders(Fields {
        plan: &plan,
        instruction: "sha256:00",
        session: "session-1",
        source: Bound { identity: &identity, schema: &schema },
        destination: Bound { identity: &there, schema: "" },
        standing: &|| Ok(()),
        author: &operator,
        identity: &operator,
    });
    let (stop, drawn) = (AtomicBool::new(false), AtomicU64::new(1));
    let chance = |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = u8::try_from(drawn.fetch_add(1, Ordering::Relaxed) % 251).unwrap();
        }
        Ok(())
    };
    let clock = || "2026-11-22T05:00:00Z".parse().unwrap();
    let world = World { clock: &clock, chance: &chance, stop: &stop };
    let mut record = RunFolder::open(&folder.path().join("run"), &folder.path().join("journal")).unwrap();
    let moved = work(orders, world, &mut source, &mut destination, &mut record);
    // its lock would keep the count out
    drop(destination);
    (moved, rows(&new))
}

fn rows(path: &Path) -> u64 {
    let new = Connection::open(path).unwrap();
    new.query_row("select count(*) from patient", [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

fn refused(moved: Result<Moved>) -> Fault {
    moved.map(drop).unwrap_err()
}

const TABLE: &str = "create table patient (id bigint not null primary key, nom varchar(40));
     insert into patient values (1, 'Fontenelle'), (2, 'Sauvageot');";
const ALTER: &str = "alter table patient add column ajout varchar(10)";

#[test]
fn postgresql_finds_drift_under_lock_and_at_the_end_and_makes_an_alter_wait() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("drift");
    database.sql(TABLE);
    let connect = || ecluse_adapters::postgres::Source::connect(&help::at(&database)).unwrap();

    let (moved, rows) = migrate(Meddled::before_open(connect(), || drop(database.sql(ALTER))));
    let fault = refused(moved);
    assert_eq!((fault.code().id, rows), ("ECL-RUN-003", 0));
    assert!(fault.detail().contains("under lock"), "{fault}");
    database.sql("alter table patient drop column ajout");

    // what reading locks out waits
    let waited = AtomicBool::new(false);
    let (moved, rows) = migrate(Meddled::after_read(connect(), || {
        let altered = database.try_sql(&format!("set lock_timeout = '100ms'; {ALTER}"));
        waited.store(altered.unwrap_err().contains("lock timeout"), Ordering::Relaxed);
    }));
    assert!(moved.is_ok() && waited.into_inner());
    assert_eq!(rows, 2);

    // what it does not lock out (a trigger) is found at the end
    let trigger = "create function f() returns trigger language plpgsql as 'begin return new; end'; \
                   create trigger t before insert on patient for each row execute function f()";
    let (moved, _) = migrate(Meddled::after_read(connect(), || drop(database.sql(trigger))));
    let fault = refused(moved);
    assert_eq!(fault.code().id, "ECL-RUN-003");
    assert!(fault.detail().contains("at the end"), "{fault}");
}

#[test]
fn mariadb_finds_drift_under_lock_and_makes_every_alter_wait() {
    let Some(server) = server::mariadb() else { return };
    let database = server.database("drift");
    database.sql(TABLE);
    let connect = || crate::mariadb::connect(&database);

    let (moved, rows) = migrate(Meddled::before_open(connect(), || drop(database.sql(ALTER))));
    let fault = refused(moved);
    assert_eq!((fault.code().id, rows), ("ECL-RUN-003", 0));
    assert!(fault.detail().contains("under lock"), "{fault}");
    database.sql("alter table patient drop column ajout");

    let trigger = "create trigger t before insert on patient for each row set new.nom = 'x'";
    for change in [ALTER, trigger, "drop table patient", "rename table patient to ancien"] {
        let waited = AtomicBool::new(false);
        let (moved, rows) = migrate(Meddled::after_read(connect(), || {
            let altered = database.try_sql(&format!("set lock_wait_timeout = 1; {change}"));
            waited.store(altered.unwrap_err().contains("Lock wait timeout"), Ordering::Relaxed);
        }));
        assert!(moved.is_ok() && waited.into_inner(), "{change}");
        assert_eq!(rows, 2);
    }
}

#[test]
fn sqlite_finds_drift_under_lock_and_at_the_end_or_makes_an_alter_wait() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, log) in [("delete", false), ("wal", true)] {
        let path = folder.path().join(format!("{mode}.db"));
        let run = |sql: &str| {
            let connection = Connection::open(&path).unwrap();
            connection.busy_timeout(std::time::Duration::from_millis(50)).unwrap();
            connection.execute_batch(sql)
        };
        run(&format!("pragma journal_mode = {mode}; {TABLE}")).unwrap();
        let connect = || sqlite::Source::open(&path).unwrap();

        let (moved, rows) = migrate(Meddled::before_open(connect(), || run(ALTER).unwrap()));
        let fault = refused(moved);
        assert_eq!((fault.code().id, rows), ("ECL-RUN-003", 0), "{mode}");
        assert!(fault.detail().contains("under lock"), "{fault}");
        run("alter table patient drop column ajout").unwrap();

        let altered = AtomicBool::new(false);
        let (moved, _) = migrate(Meddled::after_read(connect(), || {
            altered.store(run(ALTER).is_ok(), Ordering::Relaxed);
        }));
        assert_eq!(altered.into_inner(), log, "without a log the writer waits for the reader");
        // the statements of its tables are a part of what names an SQLite source
        assert_eq!(
            moved.map(drop).map_err(|fault| fault.code().id),
            if log { Err("ECL-RUN-001") } else { Ok(()) }
        );
    }
}

// fails with the guard off: the figures of a dry run would be those of other tables
#[test]
fn a_dry_run_finds_drift_under_lock_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let run = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    run(&format!("pragma journal_mode = wal; {TABLE}"));
    let connect = || sqlite::Source::open(&path).unwrap();
    rehearsed(Meddled::after_read(connect(), || ())).unwrap();
    let fault = rehearsed(Meddled::before_open(connect(), || run(ALTER))).unwrap_err();
    assert!(fault.code().id == "ECL-RUN-003" && fault.detail().contains("under lock"), "{fault}");
    run("alter table patient drop column ajout");
    let fault = rehearsed(Meddled::after_read(connect(), || run(ALTER))).unwrap_err();
    assert_eq!(fault.code().id, "ECL-RUN-001", "an SQLite source is named by its tables too");
}
