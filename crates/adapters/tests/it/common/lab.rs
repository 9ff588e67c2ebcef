//! A small laboratory between two SQLite files, and the papers a test says it has.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{every, fields, related};
use ecluse_adapters::folder::{self, RunFolder};
use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Plan, assertion};
use ecluse_flow::figures::Figures;
use ecluse_flow::locate::{Located, locate};
use ecluse_flow::orders::{
    Bound, Orders,
    assertion::{self as asserted, Fields},
};
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use ecluse_flow::reconcile::{Kind, Reconciliation, reconcile};
use ecluse_flow::rehearse::rehearse;
use ecluse_flow::run::{Moved, Options, run};
use ecluse_flow::start::Start;
use ecluse_flow::world::World;
use ecluse_seal::Identity;
use rusqlite::Connection;

pub(crate) const SCHEMA: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY NOT NULL, name VARCHAR(40) NOT NULL, born DATE);
CREATE TABLE result (id INTEGER PRIMARY KEY NOT NULL, patient BIGINT NOT NULL, value VARCHAR(40), at TIMESTAMP);";
pub(crate) const STRICTER: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY NOT NULL, name VARCHAR(40) NOT NULL CHECK (name <> 'Refus'), born DATE);
CREATE TABLE result (id INTEGER PRIMARY KEY NOT NULL, patient BIGINT NOT NULL, value VARCHAR(40), at TIMESTAMP);";

/// Two databases, a plan over them, and the papers a test says it has.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) identity: Identity,
    pub(crate) chance: AtomicU64,
    pub(crate) stop: AtomicBool,
    /// The hour of the day that the clock shows.
    pub(crate) hour: AtomicU64,
    /// How many more times the instruction stands when it is asked.
    pub(crate) stands: AtomicU64,
    pub(crate) limit: Option<u64>,
    pub(crate) filter: Filter,
    /// Whether a result refers to another one too, by its `patient`.
    pub(crate) kin: bool,
}

static REVOKED: Code = Code::refused("ECL-TST-001", "revoked");

impl Lab {
    pub(crate) fn new(patients: usize, results: usize) -> Self {
        Self::with(patients, results, SCHEMA)
    }

    pub(crate) fn with(patients: usize, results: usize, destination: &str) -> Self {
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            identity: Identity::generate(),
            chance: AtomicU64::new(1),
            stop: AtomicBool::new(false),
            hour: AtomicU64::new(5),
            stands: AtomicU64::new(u64::MAX),
            limit: None,
            filter: Filter::Every,
            kin: false,
        };
        lab.old(&format!(
            "{SCHEMA}
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {patients})
             INSERT INTO patient SELECT i, 'Patient ' || i, '1950-01-01' FROM n;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {results})
             INSERT INTO result SELECT i * 2, 1 + i % {patients}, i || ' g/L', '2024-01-01 10:00:00' FROM n;"
        ));
        lab.new_(destination);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn old(&self, sql: &str) {
        Connection::open(self.path("old.db")).unwrap().execute_batch(sql).unwrap();
    }

    pub(crate) fn new_(&self, sql: &str) {
        Connection::open(self.path("new.db")).unwrap().execute_batch(sql).unwrap();
    }

    pub(crate) fn ask<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        Connection::open(self.path("new.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn plan(&self) -> Plan {
        let catalog = Destination::open(&self.path("new.db")).unwrap().catalog(Scope::Everything).unwrap();
        let wanted =
            |name| fields(usize::from(name == "result"), catalog.table(name).unwrap(), &every(name, &[]));
        let mut patient = wanted("patient");
        patient.filter = self.filter.clone();
        let mut result = related(wanted("result"), 1, 0, 0);
        result.relations[0].declared = false;
        result.write[1].relation = true;
        if self.kin {
            result = related(result, 1, 1, 0);
            result.relations[1].declared = false;
        }
        if self.filter != Filter::Every {
            result.filter = Filter::Chosen { column: 1, table: 0, other: 0 };
        }
        let tables = vec![assertion::table(patient), assertion::table(result)];
        match self.limit {
            Some(limit) => assertion::trial(tables, limit),
            None => assertion::plan(tables),
        }
    }

    pub(crate) fn go<T>(&self, work: impl FnOnce(Orders<'_>, World<'_>) -> Result<T>) -> Result<T> {
        self.go_with(|fields, world| work(asserted::orders(fields), world))
    }

    pub(crate) fn go_with<T>(&self, work: impl FnOnce(Fields<'_>, World<'_>) -> Result<T>) -> Result<T> {
        let plan = self.plan();
        let mut source = Source::open(&self.path("old.db"))?;
        let names = ["patient".to_owned(), "result".to_owned()];
        let schema = digest::of_schema(&source.catalog(Scope::Tables(&names))?, &names);
        let source_identity = source.identity()?;
        let destination_identity = Destination::open(&self.path("new.db"))?.identity()?;
        let standing = || {
            let left = self.stands.load(Ordering::Relaxed);
            if left == 0 {
                return Err(REVOKED.fault(""));
            }
            self.stands.store(left - 1, Ordering::Relaxed);
            Ok(())
        };
        let clock = || format!("2026-11-22T{:02}:00:00Z", self.hour.load(Ordering::Relaxed)).parse().unwrap();
        let chance = |bytes: &mut [u8]| {
            for chunk in bytes.chunks_mut(8) {
                let n = self.chance.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        };
        let orders = Fields {
            plan: &plan,
            instruction: "sha256:00",
            session: "session-1",
            source: Bound { identity: &source_identity, schema: &schema },
            destination: Bound { identity: &destination_identity, schema: "" },
            standing: &standing,
            author: &self.identity,
            identity: &self.identity,
        };
        work(orders, World { clock: &clock, chance: &chance, stop: &self.stop })
    }

    pub(crate) fn migrate(&self) -> Result<Moved> {
        self.migrate_with(Options::default())
    }

    pub(crate) fn repair(&self) -> Result<Moved> {
        self.migrate_with(Options { start: Start::Repair, ..Options::default() })
    }

    pub(crate) fn migrate_with(&self, options: Options<'_>) -> Result<Moved> {
        let stop_after: Cell<u64> = Cell::new(u64::MAX);
        self.migrate_watched(options, &stop_after)
    }

    pub(crate) fn migrate_watched(&self, options: Options<'_>, chunks: &Cell<u64>) -> Result<Moved> {
        self.go(|orders, world| {
            let mut source = Source::open(&self.path("old.db"))?;
            let mut destination = Destination::open(&self.path("new.db"))?;
            let mut record = RunFolder::open(&self.path("run"), &self.path("journal"))?;
            run(orders, options, &mut source, &mut destination, &mut record, world, &mut |progress| {
                if matches!(progress, ecluse_flow::run::Progress::Rows(..)) {
                    chunks.set(chunks.get() - 1);
                    if chunks.get() == 0 {
                        self.stop.store(true, Ordering::Relaxed);
                    }
                }
            })
        })
    }

    pub(crate) fn reconcile(&self) -> Result<Reconciliation> {
        self.go(|orders, world| {
            let mut destination = Destination::open(&self.path("new.db"))?;
            let mut record = RunFolder::existing(&self.path("run"), &self.path("journal"))?;
            let mut connect = || {
                let source: Box<dyn ecluse_flow::ports::Source> =
                    Box::new(Source::open(&self.path("old.db"))?);
                Ok(source)
            };
            let options = Options::default();
            reconcile(orders, options, &mut connect, &mut destination, &mut record, world, &mut |_| {})
        })
    }

    pub(crate) fn locate(&self, token: &str) -> Result<Located> {
        self.go(|orders, world| {
            let mut source = Source::open(&self.path("old.db"))?;
            let mut record = RunFolder::existing(&self.path("run"), &self.path("journal"))?;
            locate(token, orders, Options::default(), &mut source, &mut record, world)
        })
    }

    pub(crate) fn rehearse(&self) -> Result<Figures> {
        self.go(|orders, world| {
            let mut source = Source::open(&self.path("old.db"))?;
            let engine = ecluse_core::types::Engine::Sqlite;
            let tellable = |_: &str, _: &str| false;
            let mut record = RunFolder::open(&self.path("run"), &self.path("journal"))?;
            let options = Options::default();
            rehearse(orders, options, &mut source, engine, &tellable, &mut record, world, &mut |_| {})
                .map(|found| found.figures)
        })
    }

    /// Kinds found, with the number of rows.
    pub(crate) fn found(&self) -> Vec<(Kind, u64)> {
        let mut kinds = std::collections::BTreeMap::new();
        for one in self.reconcile().unwrap().differences {
            *kinds.entry(one.kind).or_insert(0) += one.rows;
        }
        kinds.into_iter().collect()
    }

    /// The figures that the run left.
    pub(crate) fn figures(&self) -> Figures {
        folder::figures(&self.path("run")).unwrap().unwrap()
    }

    pub(crate) fn code<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
        result.unwrap_err().code().id
    }
}
