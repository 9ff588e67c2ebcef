//! Rows of one table that refer to each other: whoever descends from a refused row is refused
//! with it, in whatever order they are read.

use std::path::Path;

use ecluse_flow::figures::Figures;
use ecluse_testkit::migration::{Migration, Ordered};

use crate::base::Base;
use crate::laboratory::now;

/// More than one chunk of persons.
const PERSONS: u32 = 140_000;

/// A name that the destination's CHECK refuses, a day that is none, and their kin.
const SOURCE: &str = "
CREATE TABLE person (id INTEGER PRIMARY KEY, belongs_to INTEGER REFERENCES person (id), name VARCHAR(20) NOT NULL,
  born DATE);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES person (id));
INSERT INTO person (id, belongs_to, name)
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140000) SELECT i, NULL, 'P' FROM n;
INSERT INTO visit (id, person) SELECT id, id FROM person WHERE id < 200 OR id > 138900;
UPDATE person SET name = 'Refus' WHERE id = 139000;
UPDATE person SET born = 'infinity' WHERE id = 7;
UPDATE person SET belongs_to = 139000 WHERE id IN (5, 138999, 139001);
UPDATE person SET belongs_to = 5 WHERE id IN (4, 100000);
UPDATE person SET belongs_to = 100000 WHERE id IN (3, 120000);
UPDATE person SET belongs_to = 7 WHERE id IN (6, 8);
UPDATE person SET belongs_to = 8 WHERE id = 9;
UPDATE person SET belongs_to = 9 WHERE id IN (2, 10, 90000);
UPDATE person SET belongs_to = 50 WHERE id = 50;
UPDATE person SET belongs_to = 61 WHERE id = 60;
UPDATE person SET belongs_to = 60 WHERE id = 61;
";

const DESTINATION: &str = "
CREATE TABLE person (id INTEGER PRIMARY KEY, belongs_to INTEGER REFERENCES person (id),
  name VARCHAR(20) NOT NULL CHECK (name <> 'Refus'), born DATE);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES person (id));
";

/// The rows that must stay, as this test says it in SQL of its own.
const GONE: &str = "WITH RECURSIVE gone(id) AS (SELECT id FROM person WHERE name = 'Refus' OR born = 'infinity' \
    UNION SELECT p.id FROM person p JOIN gone g ON p.belongs_to = g.id)";

fn order() -> Vec<Ordered> {
    let every = |table, columns| Ordered { table, rows: "true", columns, reasoned: vec![] };
    vec![every("person", vec!["id", "belongs_to", "name", "born"]), every("visit", vec!["id", "person"])]
}

fn kin_go_together(source: &Base, destination: &Base, folder: &Path) {
    source.sql(SOURCE);
    destination.sql(DESTINATION);
    let (from, to) = (source.as_source(), destination.as_destination());
    let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let made = Migration::new(program, folder, now(), &from, &to, &order());
    let run = folder.join("run").display().to_string();
    let flags = ["--run", &run, "--without-views", "a test", "--accept-wider-role", "a test"];
    let figures = || -> Figures {
        serde_json::from_slice(&std::fs::read(Path::new(&run).join("figures.json")).unwrap()).unwrap()
    };
    let number = |base: &Base, sql: &str| base.sql(sql).trim().parse::<u64>().unwrap();

    let gone = source.sql(&format!("{GONE} SELECT id FROM gone ORDER BY id"));
    let gone = gone.split_whitespace().collect::<Vec<_>>().join(", ");
    assert_eq!(gone, "2, 3, 4, 5, 6, 7, 8, 9, 10, 90000, 100000, 120000, 138999, 139000, 139001");
    let visits = number(source, &format!("SELECT count(*) FROM visit WHERE person IN ({gone})"));
    // again, because a run that goes on reads its earlier chunks with the same care
    for _again in 0..2 {
        let output = made.run(&[&["migrate"], flags.as_slice()].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("ECL-RUN-012"), "{said}");
        assert_eq!(number(destination, "SELECT count(*) FROM person"), u64::from(PERSONS) - 15);
        let there = |table: &str, column: &str| {
            number(destination, &format!("SELECT count(*) FROM {table} WHERE {column} IN ({gone})"))
        };
        assert_eq!(
            (there("person", "id"), there("person", "belongs_to"), there("visit", "person")),
            (0, 0, 0)
        );
        let tables = figures().tables;
        assert_eq!((tables[0].refused_rows(), tables[1].refused_rows()), (15, visits), "{tables:?}");
        assert_eq!(tables[0].refused["ECL-RUN-101 person.belongs_to"], 13, "{tables:?}");
        let compared = made.run(&["reconcile", &run]);
        let said = String::from_utf8(compared.stderr).unwrap();
        assert!(said.contains("ECL-REC-014") && figures().is_beyond_tolerance(), "{said}");
    }
    // the dry run knows of the day that is none, not of the destination's CHECK
    let plan = made.run(&[&["plan", "--json"], flags.as_slice()].concat());
    let plan = String::from_utf8(plan.stdout).unwrap();
    let plan: serde_json::Value = serde_json::from_str(plan.lines().last().unwrap()).unwrap();
    assert_eq!(plan["figures"]["tables"][0]["moved"], u64::from(PERSONS) - 7, "{plan}");
}

// proves: REC-01
#[test]
fn descendants_of_a_refused_row_are_refused_with_it_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (source, destination) =
        (Base::sqlite(folder.path(), "old.db"), Base::sqlite(folder.path(), "new.db"));
    kin_go_together(&source, &destination, folder.path());
}

// proves: REC-01
#[test]
fn descendants_of_a_refused_row_are_refused_with_it_in_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(source), Some(destination)) = (Base::postgres("kin"), Base::postgres("kin")) else { return };
    kin_go_together(&source, &destination, folder.path());
}
