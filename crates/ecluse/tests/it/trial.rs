//! A trial as a newcomer walks it: `new --trial`, then what `next` says.

use std::path::Path;

use ecluse_testkit::leak::Search;
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
        (
            "ecluse instruction new",
            &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"],
        ),
        ("ecluse instruction sign", &["instruction", "sign"]),
        ("ecluse migrate --ddl", &["migrate", "--ddl"]),
        ("ecluse reconcile", &["reconcile"]),
        ("ecluse report", &["report", "--lang", "en"]),
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
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
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
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
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
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"]);
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
    // nobody states by mistake that it stands again
    let again = ["instruction", "status", "--key", "keys/controller-signatory"];
    refused(&lab, &again, "ECL-STA-015");
    // a later word in force, made elsewhere, does not take a revocation back either
    std::fs::rename(lab.join("runs.json"), lab.join("runs.aside")).unwrap();
    succeed(&lab, &again);
    succeed(&lab, &again);
    std::fs::rename(lab.join("runs.aside"), lab.join("runs.json")).unwrap();
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

#[test]
fn every_step_of_a_walk_answers_with_one_json_document() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(OLD).unwrap();
    let said = |folder: &Path, arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = ecluse(folder, &[arguments, &["--json"]].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let new = ["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"];
    assert_eq!(said(here.path(), &new).len(), 1);
    let lab = here.path().join("lab");
    let walk: [&[&str]; 15] = [
        &["next"],
        &["survey"],
        &["instruction", "new", "--table", "patient", "--grant-proposed"],
        &["instruction", "sign"],
        &["instruction", "verify"],
        &["mapping", "check"],
        &["plan", "--ddl"],
        &["plan", "--statements"],
        &["plan", "--stays"],
        &["plan"],
        &["reconcile"],
        &["report"],
        &["locate", "7Q4M-KD2E"],
        &["completions", "bash"],
        &["explain", "ECL-RUN-006"],
    ];
    for arguments in walk {
        assert_eq!(said(&lab, arguments).len(), 1, "{arguments:?}");
    }
    // a run tells its events, and its end last
    let events = said(&lab, &["migrate", "--ddl"]);
    assert!(events.len() > 2 && events.iter().all(|e| e["event"].is_string()), "{events:?}");
    let end = events.last().unwrap();
    assert_eq!((&end["event"], &end["figures"]["tables"][0]["moved"]), (&"end".into(), &1_000.into()));
    Connection::open(here.path().join("new.db"))
        .unwrap()
        .execute("DELETE FROM patient WHERE id < 3", [])
        .unwrap();
    let differ = said(&lab, &["reconcile"]);
    assert_eq!((differ.len(), &differ[0]["differences"]), (1, &2.into()));
    assert!(differ[0]["code"].as_str().unwrap().starts_with("ECL-REC-"), "{differ:?}");
    let refused = said(&lab, &["migrate", "--run", "second"]);
    let end = refused.last().unwrap();
    assert_eq!(end["event"], "end");
    assert!(end["code"].as_str().unwrap().starts_with("ECL-RUN-"), "{end}");
}

#[test]
fn an_order_that_was_stopped_is_called_stopped_and_by_whom() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let output = ecluse(&lab, &["instruction", "suspend"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ECL-CLI-029"));
    succeed(&lab, &["instruction", "suspend", "--reason", "a question is open"]);
    let advice = advised(&lab);
    for wanted in ["Alix Essai-Signature", "a question is open", "--key"] {
        assert!(advice.contains(wanted), "{wanted}: {advice}");
    }
    // asking how it stands does not put it in force again
    assert!(succeed(&lab, &["instruction", "status"]).contains("suspended"));
    refused(&lab, &["plan"], "ECL-STA-010");
    succeed(&lab, &["instruction", "status", "--key", "keys/controller-signatory"]);
    succeed(&lab, &["instruction", "revoke", "--reason", "wrong laboratory"]);
    let advice = advised(&lab);
    for wanted in ["Alix Essai-Signature", "wrong laboratory", "ecluse instruction new"] {
        assert!(advice.contains(wanted), "{wanted}: {advice}");
    }
    assert!(succeed(&lab, &["instruction", "status"]).contains("revoked"));
    refused(&lab, &["plan"], "ECL-STA-011");
}

#[test]
fn a_folder_that_was_moved_is_the_same_migration() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    let moved = here.path().join("elsewhere");
    std::fs::rename(&lab, &moved).unwrap();
    succeed(&moved, &["migrate"]);
    let output = ecluse(&moved, &["migrate", "--run", "second"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("ECL-RUN-031") && err.contains("--run run"), "{err}");
}

// proves: AUD-04
// fails with the guard off: the name and the number stand in the order's page and in the report
#[test]
fn what_a_filter_compares_a_person_with_stands_in_the_order_only() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(OLD).unwrap();
    old.execute_batch("UPDATE examen SET patient_id = 3 WHERE id IN (10, 11)").unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"]);
    let path = lab.join("instruction.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let rows = [
        "rows = 'id in [918273645, 918273646] || nom == \"Zerbinette\" || prenom.startsWith(\"Scaramouche\") || naissance < date(\"1871-03-18\") || id < 9'",
        "rows = 'patient_id in chosen.patient && patient_id != 564738291 && code == \"GLY\"'",
    ];
    let mut pieces = text.split("rows = 'true'");
    let mut text = pieces.next().unwrap().to_owned();
    for (row, piece) in rows.iter().zip(pieces.by_ref()) {
        text.push_str(row);
        text.push_str(piece);
    }
    for piece in pieces {
        text.push_str("rows = 'true'");
        text.push_str(piece);
    }
    std::fs::write(&path, text).unwrap();
    let mut said = String::new();
    let walk: [&[&str]; 10] = [
        &["instruction", "sign"],
        &["order"],
        &["next"],
        &["plan", "--ddl"],
        &["migrate", "--ddl", "--json"],
        &["plan"],
        &["plan", "--statements"],
        &["plan", "--json"],
        &["reconcile"],
        &["report", "--lang", "en"],
    ];
    for arguments in walk {
        let output = ecluse(&lab, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        said += &String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    }
    let literals =
        ["918273645", "918273646", "Zerbinette", "Scaramouche", "1871-03-18", "564738291"].map(str::to_owned);
    let search = Search::new(&literals);
    assert_eq!(search.bytes("what was said", said.as_bytes()), []);
    let found = search.folder(here.path());
    assert!(!found.is_empty(), "the order has them");
    let elsewhere: Vec<_> =
        found.iter().map(|f| format!("{f:?}")).filter(|f| !f.contains("instruction.toml")).collect();
    assert_eq!(elsewhere, Vec::<String>::new());
    // and the report says what was asked all the same
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    for wanted in [
        "id is one of 2 values written in the order",
        "nom is a value written in the order",
        "prenom begins with a text written in the order",
        "naissance is before a value written in the order",
        "code is “GLY”",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
}

// An SQLite source has no server whose log would tell: here a source that cannot be opened at all does.
// What needs the catalogue first (another mapping, another source) reads no row either: until the
// snapshot is open, the authorizer admits the catalogue and nothing else.
#[test]
fn papers_that_do_not_hold_are_refused_before_an_sqlite_source_is_opened() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    std::fs::remove_file(here.path().join("old.db")).unwrap();
    let output = ecluse(&lab, &["migrate", "--ddl"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("ECL-SRC-301"), "with papers that hold");
    for (paper, code) in [("instruction.toml", "ECL-SGN-021"), ("contract.toml", "ECL-SGN-021")] {
        let path = lab.join(paper);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n# altered\n")).unwrap();
        refused(&lab, &["migrate", "--ddl"], code);
        std::fs::write(&path, text).unwrap();
    }
    succeed(&lab, &["instruction", "revoke", "--reason", "withdrawn"]);
    refused(&lab, &["migrate", "--ddl"], "ECL-STA-011");
}
