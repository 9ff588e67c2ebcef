//! Ten thousand tables: surveyed, ordered in part, planned, in a time that grows with their number.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::succeed;

/// An SQLite base of so many tables, each referring to the one before, a row in the first.
fn base(path: &Path, tables: usize) {
    let mut script = String::from("BEGIN;\n");
    for i in 0..tables {
        let before = i.saturating_sub(1);
        let _ = writeln!(
            script,
            "CREATE TABLE t{i:05} (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t{before:05}(id), \
             nom VARCHAR(40), valeur VARCHAR(20));"
        );
    }
    script.push_str("INSERT INTO t00000 VALUES (1, 1, 'Inventé', '5.4');\nCOMMIT;");
    rusqlite::Connection::open(path).unwrap().execute_batch(&script).unwrap();
}

/// How long it takes from the survey to the plan of three tables.
fn planned(tables: usize) -> Duration {
    let here = tempfile::tempdir().unwrap();
    base(&here.path().join("old.db"), tables);
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    let began = Instant::now();
    let surveyed = succeed(&lab, &["survey"]);
    assert!(surveyed.contains("names and types only"), "{surveyed}");
    let three = ["--table", "t00000", "--table", "t00001", "--table", "t00002"];
    succeed(&lab, &[&["instruction", "new", "--grant-proposed"][..], &three].concat());
    succeed(&lab, &["instruction", "sign"]);
    let plan = succeed(&lab, &["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(plan.lines().next().unwrap()).unwrap();
    assert_eq!(plan["figures"]["tables"].as_array().unwrap().len(), 3);
    began.elapsed()
}

// fails where the catalogue is searched once per table: eight times the tables then take sixty times as long
#[test]
fn eight_times_the_tables_do_not_take_many_times_as_long_each() {
    let small = planned(500).min(planned(500));
    let large = planned(4_000);
    assert!(large < small * 30, "{small:?} for 500 tables, {large:?} for 4,000");
}
