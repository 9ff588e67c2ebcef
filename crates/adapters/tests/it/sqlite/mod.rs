//! SQLite in process: what is read is what is stored, or a code; nothing unplanned can be named.

mod destination;
mod source;

use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_core::plan::Plan;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, Source as _};
use rusqlite::Connection;

use crate::common::{line, read_all, rows};

/// A database made by a script.
struct Base {
    folder: tempfile::TempDir,
}

impl Base {
    fn new(script: &str) -> Self {
        let base = Self { folder: tempfile::tempdir().unwrap() };
        base.connection().execute_batch(script).unwrap();
        base
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("lab.db")
    }

    fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn source(&self) -> Source {
        Source::open(&self.path()).unwrap()
    }

    fn destination(&self) -> Destination {
        Destination::open(&self.path()).unwrap()
    }
}

fn copy(from: &Path, to: &mut Destination, plan: &Plan) -> Vec<Vec<ecluse_flow::ports::RefusedRow>> {
    let mut source = Source::open(from).unwrap();
    source.open(plan, false).unwrap();
    to.open(plan, "run-1").unwrap();
    let mut refusals = Vec::new();
    for (number, table) in plan.tables().iter().enumerate() {
        let batches = read_all(&mut source, plan, number);
        let all = rows(&batches);
        let refused = to
            .replace(table, 0, &KeyRange::default(), false, &batches, &mut |refused| {
                Ok(line(number, 0, all, refused.len()))
            })
            .unwrap();
        refusals.push(refused);
    }
    to.finish(plan).unwrap();
    refusals
}

const EVERY_TYPE: &str = "
CREATE TABLE v (
    id INTEGER PRIMARY KEY, n BIGINT, b BOOLEAN, r REAL, d DECIMAL(10,2), dd DECIMAL_TEXT(38,3), t VARCHAR(40),
    x BLOB, day DATE, at TIMESTAMP, since TIMESTAMPTZ, hour TIME, u UUID, j JSON_TEXT);";

const TARGET: &str = "
CREATE TABLE pat (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, code TEXT UNIQUE ON CONFLICT REPLACE,
    age INTEGER CHECK (age < 150));
CREATE INDEX pat_name ON pat (name);
CREATE TABLE res (id INTEGER PRIMARY KEY, pat INTEGER REFERENCES pat (id) ON DELETE CASCADE, v TEXT);
CREATE INDEX res_pat ON res (pat);
CREATE TRIGGER alter_it AFTER INSERT ON pat BEGIN UPDATE pat SET name = 'changed' WHERE id = new.id; END;";

fn laboratory(patients: usize) -> Base {
    let base = Base::new(
        "CREATE TABLE pat (id INTEGER PRIMARY KEY, name TEXT, code TEXT, age INTEGER);
         CREATE TABLE res (id INTEGER PRIMARY KEY, pat INTEGER, v TEXT);",
    );
    base.connection()
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {patients})
             INSERT INTO pat SELECT i, 'N' || i, 'C' || i, i % 100 FROM n;
             INSERT INTO res SELECT id, id, 'v' || id FROM pat;"
        ))
        .unwrap();
    base
}
