//! What is shown of a run is what écluse wrote, of this order's run, and of a run as it was ordered.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use crate::{ecluse, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO patient SELECT i, 'Nom' || i FROM n;
INSERT INTO examen SELECT id, id, '5,1' FROM patient;
";

fn database(here: &Path, name: &str) -> Connection {
    Connection::open(here.join(name)).unwrap()
}

/// An order of these tables, signed.
fn order(lab: &Path, tables: &[&str]) {
    let named = tables.iter().flat_map(|table| ["--table", table]);
    let arguments: Vec<_> =
        ["instruction", "new"].into_iter().chain(named).chain(["--grant-proposed"]).collect();
    succeed(lab, &arguments);
    succeed(lab, &["instruction", "sign"]);
}

/// A trial as far as its signed order, in `lab`.
fn ordered(here: &Path) -> PathBuf {
    database(here, "old.db").execute_batch(OLD).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    order(&lab, &["patient", "examen"]);
    lab
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], code: &str) -> String {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(code), "{arguments:?}: {said}");
    said
}

/// A step of the board: its state, and all that is said of it.
fn step(lab: &Path, name: &str) -> (String, String) {
    let next: Value = serde_json::from_str(&succeed(lab, &["next", "--json"])).unwrap();
    let step = next["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap().clone();
    (step["state"].as_str().unwrap().to_owned(), step.to_string())
}

/// The journal's acts of this name with outcome and paper, in their order.
fn told(lab: &Path, act: &str) -> Vec<(String, bool)> {
    let journal = fs::read_to_string(lab.join("run/events.jsonl")).unwrap();
    let leaves = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["leaf"].clone());
    let told = leaves.filter(|leaf| leaf["act"] == act);
    told.map(|leaf| (leaf["outcome"].as_str().unwrap().to_owned(), leaf["paper"].is_string())).collect()
}

// proves: REC-01
// fails with the guards off: an edited file gives a green board, and so does an older good one
#[test]
fn a_file_that_ecluse_did_not_write_is_nobodys_word() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    assert_eq!(told(&lab, "reconcile"), [("begun".to_owned(), false), ("done".to_owned(), true)]);
    let file = lab.join("run/reconciliation.json");
    let good = fs::read(&file).unwrap();
    succeed(&lab, &["report", "--lang", "en"]);
    assert_eq!(step(&lab, "reconciliation").0, "done");

    database(here.path(), "new.db").execute("UPDATE patient SET nom = 'autre' WHERE id = 3", []).unwrap();
    refused(&lab, &["reconcile"], "ECL-REC-004");
    assert_eq!(told(&lab, "reconcile").last().unwrap(), &("ECL-REC-004".to_owned(), true));
    let bad = fs::read_to_string(&file).unwrap();
    let mut edited: Value = serde_json::from_str(&bad).unwrap();
    (edited["holds"], edited["differences"], edited["list"]) = (true.into(), 0.into(), Value::Array(vec![]));
    for forged in [serde_json::to_vec_pretty(&edited).unwrap(), good] {
        fs::write(&file, forged).unwrap();
        refused(&lab, &["status"], "ECL-RUN-207");
        refused(&lab, &["report"], "ECL-RUN-207");
        let (state, words) = step(&lab, "reconciliation");
        assert!(state == "missing" && words.contains("ECL-RUN-207"), "{words}");
    }
    fs::write(&file, bad).unwrap();
    assert!(succeed(&lab, &["status"]).contains("1 difference"));
    assert_eq!(step(&lab, "reconciliation").0, "missing");

    let file = lab.join("run/figures.json");
    let figures = fs::read_to_string(&file).unwrap();
    fs::write(&file, figures.replace("\"moved\": 40", "\"moved\": 41")).unwrap();
    for command in [["status"], ["report"], ["reconcile"]] {
        refused(&lab, &command, "ECL-RUN-207");
    }
    assert!(step(&lab, "run").1.contains("ECL-RUN-207"));
    // the way out that is advised
    fs::remove_file(&file).unwrap();
    succeed(&lab, &["migrate", "--repair"]);
    succeed(&lab, &["reconcile"]);
    assert_eq!(step(&lab, "reconciliation").0, "done");
}

// fails with the guards off: the old run's ticks under the new order; tables made, and the run used up, by
// a start that is refused
#[test]
fn a_new_order_is_not_shown_the_old_run_and_a_refused_start_leaves_nothing() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["report", "--lang", "en"]);
    for paper in ["instruction.toml", "instruction.toml.sigs", "mapping.toml"] {
        fs::rename(lab.join(paper), lab.join(format!("old.{paper}"))).unwrap();
    }
    order(&lab, &["patient"]);
    succeed(&lab, &["instruction", "status"]);
    refused(&lab, &["report"], "ECL-RUN-033");
    assert!(succeed(&lab, &["status"]).contains("not begun under this order"));
    let (state, words) = step(&lab, "run");
    assert!(state == "missing" && words.contains("not begun under this order"), "{words}");

    let new = database(here.path(), "new.db");
    new.execute_batch("ALTER TABLE patient RENAME TO aside").unwrap();
    let (runs, plan) = (lab.join("runs.json"), lab.join("run/plan.json"));
    let before =
        (fs::read_to_string(&plan).unwrap(), fs::read_to_string(&runs).unwrap().matches("opened").count());
    refused(&lab, &["migrate", "--ddl"], "ECL-RUN-013");
    let after =
        (fs::read_to_string(&plan).unwrap(), fs::read_to_string(&runs).unwrap().matches("opened").count());
    assert_eq!(before, after, "a refused start is no run, and changes nothing of the other's");
    assert!(!new.table_exists(None, "patient").unwrap(), "a table was made by a start that was refused");
    new.execute_batch("ALTER TABLE aside RENAME TO patient").unwrap();

    // the way out, as it is typed
    let advice = serde_json::from_str::<Value>(&words).unwrap()["advice"].clone();
    let typed = |begin: &str| {
        let lines = advice.as_array().unwrap().iter().map(|line| line.as_str().unwrap().trim());
        lines.into_iter().find(|line| line.starts_with(begin)).unwrap().to_owned()
    };
    let names: Vec<_> = typed("mv ").split(' ').skip(1).map(str::to_owned).collect();
    fs::rename(lab.join(&names[0]), lab.join(&names[1])).unwrap();
    new.execute_batch("DELETE FROM examen; DELETE FROM patient").unwrap();
    new.execute_batch(typed("DELETE ").split("   ").next().unwrap()).unwrap();
    succeed(&lab, &["migrate"]);
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["report", "--lang", "en"]);
    assert_eq!(step(&lab, "report").0, "done");
}

// fails with the guards off: a run that refused more than was tolerated ends green
#[test]
fn a_run_beyond_its_tolerance_is_not_the_one_that_was_ordered() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let new = database(here.path(), "new.db");
    new.execute_batch(
        "CREATE TABLE patient (id INTEGER PRIMARY KEY CHECK (id <> 7), nom VARCHAR(60) NOT NULL);
         CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL, valeur VARCHAR(20))",
    )
    .unwrap();
    refused(&lab, &["migrate"], "ECL-RUN-012");
    let said = refused(&lab, &["reconcile"], "ECL-REC-014");
    assert!(said.contains("78 rows read back"), "{said}");
    let (state, words) = step(&lab, "run");
    assert!(state == "missing" && words.contains("2 rows refused, 0 tolerated"), "{words}");
    let status = succeed(&lab, &["status"]);
    assert!(status.contains("too many rows were refused"), "{status}");
    assert!(
        status.contains("refused   patient   row ") && status.contains("refused   examen   row "),
        "{status}"
    );
    succeed(&lab, &["report", "--lang", "en"]);
    let page = fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(
        page.contains("more rows were refused than the order tolerates; what moved was found again"),
        "{page}"
    );
}

#[test]
fn a_row_that_differs_twice_is_one_and_each_kind_is_told_with_its_rows() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    let new = database(here.path(), "new.db");
    new.execute_batch(
        "UPDATE examen SET patient_id = 4, valeur = 'autre' WHERE id = 3;
         DELETE FROM examen WHERE id IN (5, 6); INSERT INTO examen VALUES (900, 1, 'x')",
    )
    .unwrap();
    let said = refused(&lab, &["reconcile"], "ECL-REC-001");
    assert!(said.contains("4 of 79 rows differ"), "{said}");
    assert!(said.contains(": 1 altered, 2 missing, 1 never moved"), "{said}");
    let repaired = succeed(&lab, &["migrate", "--repair"]);
    assert!(repaired.contains("1 chunk put right"), "{repaired}");
    succeed(&lab, &["reconcile"]);
}

// fails where `--full` looks only into chunks that differ: the destination agrees with the ledger
#[test]
fn a_full_reconciliation_tells_what_changed_at_the_source_since() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    assert!(!succeed(&lab, &["reconcile", "--full"]).contains("changed at the source"));
    let old = database(here.path(), "old.db");
    old.execute_batch("UPDATE patient SET nom = 'autre' WHERE id = 3; DELETE FROM examen WHERE id = 5")
        .unwrap();
    assert!(!succeed(&lab, &["reconcile"]).contains("changed at the source"));
    let said = succeed(&lab, &["reconcile", "--full"]);
    assert!(said.contains("2 rows have changed at the source since"), "{said}");
    assert_eq!(said.matches("rows changed at the source since the run").count(), 2, "{said}");
    assert_eq!(step(&lab, "reconciliation").0, "done", "no damage of the destination");
    succeed(&lab, &["migrate"]);
    assert!(!succeed(&lab, &["reconcile", "--full"]).contains("changed at the source"));
}

// fails with the guard off: the catalogue itself, or the ledger, is taken for a table to fill
#[test]
fn a_table_that_is_not_the_laboratorys_is_no_target() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let mapping = fs::read_to_string(lab.join("mapping.toml")).unwrap();
    for name in ["sqlite_master", "SQLITE_sequence", "ecluse_ledger_run", "main.patient", "../patient"] {
        fs::write(
            lab.join("mapping.toml"),
            mapping.replace("to   = \"patient\"", &format!("to   = \"{name}\"")),
        )
        .unwrap();
        refused(&lab, &["instruction", "check"], "ECL-MAP-015");
    }
}
