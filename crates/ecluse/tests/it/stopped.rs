//! An order that was stopped: who asks learns it everywhere, and what comes next can be typed.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use crate::{ecluse, succeed};

/// A trial with two tables, its order signed.
fn ordered(here: &Path) -> std::path::PathBuf {
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60)); INSERT INTO patient VALUES (1, 'Nom1');
             CREATE TABLE pays (id INTEGER PRIMARY KEY, code VARCHAR(2))",
        )
        .unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    lab
}

fn errors(lab: &Path, arguments: &[&str]) -> String {
    let output = ecluse(lab, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The advice of the step that is missing.
fn advice(lab: &Path) -> Vec<String> {
    let next: serde_json::Value = serde_json::from_str(&succeed(lab, &["next", "--json"])).unwrap();
    let missing = next["steps"].as_array().unwrap().iter().find(|s| s["state"] == "missing").unwrap().clone();
    missing["advice"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().trim().to_owned()).collect()
}

// fails where `verify` looks at signatures alone
#[test]
fn verify_and_the_report_say_who_stopped_an_order_when_and_why() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["instruction", "verify"]);
    succeed(&lab, &["instruction", "suspend", "--reason", "a question is open"]);
    let said = errors(&lab, &["instruction", "verify"]);
    for wanted in ["ECL-STA-010", "Alix Essai-Signature", "a question is open", "20"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    succeed(&lab, &["instruction", "status", "--key", "keys/controller-signatory"]);
    succeed(&lab, &["instruction", "verify"]);
    succeed(&lab, &["report", "--lang", "en"]);
    let page = || std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(!page().contains("Since then"));
    succeed(&lab, &["instruction", "revoke", "--reason", "wrong laboratory"]);
    assert!(errors(&lab, &["instruction", "verify"]).contains("ECL-STA-011"));
    succeed(&lab, &["report", "--lang", "en"]);
    assert!(page().contains("Since then the controller has revoked") && page().contains("wrong laboratory"));
    // the status taken away: what was met stays met
    let _unseen = ecluse(&lab, &["plan"]);
    std::fs::remove_file(lab.join("status.toml")).unwrap();
    assert!(errors(&lab, &["instruction", "verify"]).contains("ECL-STA-011"));
}

#[test]
fn after_a_revocation_what_next_says_leads_to_a_new_order() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    succeed(&lab, &["instruction", "revoke", "--reason", "wrong tables"]);
    let aside = advice(&lab).into_iter().find(|line| line.starts_with("mkdir ")).unwrap();
    let again = errors(&lab, &["instruction", "status", "--key", "keys/controller-signatory"]);
    assert!(again.contains(&aside), "{again}");
    assert!(Command::new("sh").current_dir(&lab).args(["-c", &aside]).status().unwrap().success());
    assert!(advice(&lab).iter().any(|line| line.starts_with("ecluse instruction new")));
    succeed(&lab, &["instruction", "new", "--table", "pays", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    assert!(advice(&lab).iter().any(|line| line.contains("ecluse migrate")), "{:?}", advice(&lab));
}

#[test]
fn a_draft_over_an_older_mapping_says_that_the_mapping_is_made_anew() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    std::fs::rename(lab.join("instruction.toml"), lab.join("before.toml")).unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    let said = succeed(&lab, &["instruction", "new", "--table", "pays", "--grant-proposed"]);
    assert!(said.contains("mv mapping.toml mapping.old.toml") && !said.contains("Take the #"), "{said}");
    let line = advice(&lab).into_iter().find(|line| line.starts_with("mv mapping.toml")).unwrap();
    let line = line.split("   (").next().unwrap().replace("ecluse", env!("CARGO_BIN_EXE_ecluse"));
    assert!(Command::new("sh").current_dir(&lab).args(["-c", &line]).status().unwrap().success());
    succeed(&lab, &["instruction", "check"]);
}

// fails where the last lines repeat what was drawn at its place
#[test]
fn a_refused_paper_is_told_once() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let path = lab.join("mapping.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("from = \"patient\"", "from = \"pateint\"");
    std::fs::write(&path, text).unwrap();
    let said = errors(&lab, &["mapping", "check"]);
    assert_eq!(said.matches("error[ECL-MAP-012]").count(), 1, "{said}");
    assert!(said.trim_end().lines().last().unwrap().starts_with("ECL-MAP-"), "{said}");
}
