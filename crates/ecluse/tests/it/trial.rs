//! A trial as a newcomer walks it: `new --trial`, then what `next` says.

use std::path::Path;

use rusqlite::Connection;

use crate::{ecluse, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, prenom VARCHAR(60), naissance DATE);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), code VARCHAR(8), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
INSERT INTO patient SELECT i, 'Nom' || i, 'Prénom' || i, '1960-01-01' FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO examen SELECT i, 1 + i % 1500, 'GLY', '5,1' FROM n;
";

/// The command that `next` advises last.
fn advised(folder: &Path) -> String {
    let next: serde_json::Value = serde_json::from_str(&succeed(folder, &["next", "--json"])).unwrap();
    let steps = next["steps"].as_array().unwrap();
    let missing = steps.iter().find(|s| s["state"] == "missing");
    missing.map_or(String::new(), |s| s["advice"].to_string())
}

#[test]
fn next_alone_leads_from_an_empty_folder_to_the_report() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    let walk: [(&str, &[&str]); 6] = [
        ("ecluse survey", &["survey"]),
        ("ecluse instruction new", &["instruction", "new", "--table", "patient", "--table", "examen"]),
        ("ecluse instruction sign", &["instruction", "sign"]),
        ("ecluse migrate --ddl", &["migrate", "--ddl"]),
        ("ecluse reconcile", &["reconcile"]),
        ("ecluse report", &["report"]),
    ];
    for (command, arguments) in walk {
        let advice = advised(&lab);
        assert!(advice.contains(command), "next says {advice}, not {command}");
        succeed(&lab, arguments);
    }
    assert_eq!(advised(&lab), "");
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let rows: i64 = new.query_row("SELECT count(*) FROM patient", [], |r| r.get(0)).unwrap();
    assert_eq!(rows, 1_000, "a trial moves at most 1,000 rows of a table");
    let orphans: i64 = new
        .query_row("SELECT count(*) FROM examen WHERE patient_id NOT IN (SELECT id FROM patient)", [], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(orphans, 0);
    assert!(std::fs::read_to_string(lab.join("run/report.html")).unwrap().contains("TRIAL."));
}

#[test]
fn a_mistake_in_the_order_is_shown_with_its_line() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient"]);
    let path = lab.join("instruction.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("    \"nom\"", "    \"nmo\"");
    std::fs::write(&path, text).unwrap();
    let output = ecluse(&lab, &["instruction", "check"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("ECL-INS-009") && err.contains("instruction.toml:") && err.contains("nom"), "{err}");
}

#[test]
fn a_destination_with_rows_of_others_is_not_called_ready() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient"]);
    succeed(&lab, &["instruction", "sign"]);
    let new = Connection::open(here.path().join("new.db")).unwrap();
    new.execute_batch(&succeed(&lab, &["plan", "--ddl"])).unwrap();
    new.execute("INSERT INTO patient (id, nom) VALUES (7, 'somebody else')", []).unwrap();
    let output = ecluse(&lab, &["plan"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}{complained}");
    assert!(!said.contains("Ready:") && said.contains("1,000"), "{said}");
    assert!(complained.contains("ECL-RUN-006") && complained.contains("empty the table"), "{complained}");
    new.execute("DELETE FROM patient", []).unwrap();
    assert!(succeed(&lab, &["plan", "--frozen"]).contains("Ready:"));
    succeed(&lab, &["migrate"]);
    assert!(succeed(&lab, &["plan"]).contains("Ready:"), "the rows of the run itself are no obstacle");
}

/// A trial as far as its signed order, in `lab`.
fn ordered(here: &Path) -> std::path::PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "examen"]);
    succeed(&lab, &["instruction", "sign"]);
    lab
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(lab, arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(code), "{err}");
}

// fails where only a status "in force" is remembered: the older one would let the rows move
#[test]
fn a_revocation_is_not_undone_by_putting_the_older_status_back() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let (status, signatures) = (lab.join("status.toml"), lab.join("status.toml.sigs"));
    let text = std::fs::read(&status).unwrap();
    let signed: Vec<_> = std::fs::read_dir(&signatures)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    succeed(&lab, &["instruction", "revoke", "--reason", "withdrawn"]);
    refused(&lab, &["migrate", "--ddl"], "ECL-STA-011");
    std::fs::remove_dir_all(&signatures).unwrap();
    std::fs::create_dir(&signatures).unwrap();
    std::fs::write(&status, text).unwrap();
    signed.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    refused(&lab, &["migrate", "--ddl"], "ECL-STA-014");
    refused(&lab, &["plan"], "ECL-STA-014");
    // a later word in force does not take a revocation back either
    succeed(&lab, &["instruction", "status"]);
    succeed(&lab, &["instruction", "status"]);
    refused(&lab, &["migrate", "--ddl"], "ECL-STA-011");
    assert!(
        !here.path().join("new.db").exists() || {
            let new = Connection::open(here.path().join("new.db")).unwrap();
            new.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'patient'", [], |r| {
                r.get::<_, i64>(0)
            })
            .unwrap()
                == 0
        }
    );
}
