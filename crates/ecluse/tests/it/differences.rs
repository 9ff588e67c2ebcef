//! Differences that are right as they are: proposed by the processor, accepted by the laboratory alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::{ecluse, succeed};

/// A trial that moved forty patients, two of whom were changed in the new system since.
pub(crate) fn changed(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, ville VARCHAR(40));
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
             INSERT INTO patient SELECT i, 'Nom' || i, 'Dijon' FROM n",
        )
        .unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    for step in [
        &["survey"][..],
        &["instruction", "new", "--table", "patient", "--grant-proposed"],
        &["instruction", "sign"],
        &["migrate", "--ddl"],
    ] {
        succeed(&lab, step);
    }
    change(here, "UPDATE patient SET nom = 'Corrige' WHERE id IN (3, 4)");
    refused(&lab, &["reconcile"], "ECL-REC-004");
    lab
}

fn change(here: &Path, sql: &str) {
    Connection::open(here.join("new.db")).unwrap().execute_batch(sql).unwrap();
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], code: &str) -> String {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(code), "{arguments:?}: {said}");
    said
}

/// The reconciliation's step on the board.
fn step(lab: &Path) -> Value {
    let next: Value = serde_json::from_str(&succeed(lab, &["next", "--json"])).unwrap();
    next["steps"].as_array().unwrap().iter().find(|s| s["step"] == "reconciliation").unwrap().clone()
}

pub(crate) const PROPOSE: [&str; 6] =
    ["differences", "propose", "--by", "Dorothée Essai-Reprise", "--reason", "corrected on the 12th"];

fn set_aside(lab: &Path) {
    fs::remove_file(lab.join("differences.toml")).unwrap();
    let _ = fs::remove_dir_all(lab.join("differences.toml.sigs"));
}

// proves: REC-05
#[test]
fn only_the_controllers_signatory_accepts_a_difference() {
    let here = tempfile::tempdir().unwrap();
    let lab = changed(here.path());
    succeed(&lab, &PROPOSE);
    assert_eq!(
        (step(&lab)["state"].as_str(), step(&lab)["waits_for"].as_str()),
        (Some("missing"), Some("the laboratory"))
    );
    refused(&lab, &["reconcile"], "ECL-REC-004");
    for role in ["processor-signatory", "operator", "controller-biologist"] {
        let key = format!("keys/{role}");
        refused(&lab, &["differences", "sign", "--key", &key], "ECL-CLI-016");
        // and signed past écluse it does not count either
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-Y", "sign", "-n", "ecluse-differences-v1", "-f", &key, "differences.toml"])
            .current_dir(&lab)
            .status()
            .unwrap();
        assert!(signed.success());
        fs::create_dir_all(lab.join("differences.toml.sigs")).unwrap();
        fs::rename(lab.join("differences.toml.sig"), lab.join("differences.toml.sigs/x.sig")).unwrap();
        refused(&lab, &["reconcile"], "ECL-SGN-023");
        refused(&lab, &["status"], "ECL-SGN-023");
        assert_eq!(step(&lab)["state"], "missing");
        fs::remove_dir_all(lab.join("differences.toml.sigs")).unwrap();
    }
    succeed(&lab, &["differences", "sign", "--key", "keys/controller-signatory"]);
    succeed(&lab, &["differences", "verify"]);
    let said = succeed(&lab, &["reconcile"]);
    assert!(said.contains("2 differences, 2 accepted by Alix Essai-Signature"), "{said}");
    assert!(succeed(&lab, &["status"]).contains("2 accepted by Alix Essai-Signature"));
    assert_eq!(step(&lab)["state"], "done");
    succeed(&lab, &["report", "--lang", "en"]);
    let page = fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(page.contains("2 accepted by Alix Essai-Signature") && page.contains("accepted differences"));
    assert!(!page.contains("Corrige") && !page.contains("Nom3"));
}

/// The list is what was signed, for what was found: nothing more, nothing less, nothing later.
#[test]
fn an_acceptance_is_of_these_differences_and_no_others() {
    let here = tempfile::tempdir().unwrap();
    let lab = changed(here.path());
    succeed(&lab, &PROPOSE);
    let list = fs::read_to_string(lab.join("differences.toml")).unwrap();
    assert_eq!(list.matches("[[difference]]").count(), 2);
    assert!(!list.contains("Corrige") && !list.contains("Nom3"), "tokens, never a value: {list}");
    let sign = ["differences", "sign", "--key", "keys/controller-signatory"];

    // fewer, others, another run: not signed, and not counted
    let (first, second) = list.split_at(list.rfind("\n[[difference]]").unwrap());
    let file = lab.join("differences.toml");
    for (forged, code) in [
        (first.to_owned() + "\n", "ECL-REC-025"),
        (list.replacen("column = \"nom\"", "column = \"ville\"", 1), "ECL-REC-025"),
        (list.clone() + &second.replacen("row    = \"", "row    = \"7", 1), "ECL-REC-026"),
        (list.replacen("run            = \"", "run            = \"0", 1), "ECL-REC-024"),
        (list.replacen("corrected on the 12th", "…", 1), "ECL-REC-023"),
    ] {
        fs::write(&file, forged).unwrap();
        refused(&lab, &sign, code);
    }
    fs::write(&file, &list).unwrap();
    succeed(&lab, &sign);
    succeed(&lab, &["reconcile"]);
    // a changed byte of what was signed
    fs::write(&file, list.replacen("12th", "13th", 1)).unwrap();
    refused(&lab, &["reconcile"], "ECL-SGN-021");
    fs::write(&file, &list).unwrap();
    succeed(&lab, &["reconcile"]);

    // the same cell once more: the token is the same, what stands there is not
    change(here.path(), "UPDATE patient SET nom = 'Autrement' WHERE id = 3");
    refused(&lab, &["reconcile"], "ECL-REC-025");
    change(here.path(), "UPDATE patient SET nom = 'Corrige' WHERE id = 3");
    succeed(&lab, &["reconcile"]);
    // one more row
    change(here.path(), "DELETE FROM patient WHERE id = 9");
    refused(&lab, &["reconcile"], "ECL-REC-025");
    assert_eq!(step(&lab)["state"], "missing");
    set_aside(&lab);
    succeed(&lab, &PROPOSE);
    succeed(&lab, &sign);
    succeed(&lab, &["reconcile"]);
    // where it was put right, nothing is left to accept
    succeed(&lab, &["migrate", "--repair"]);
    assert!(succeed(&lab, &["reconcile"]).contains("every one is as the order"));
    set_aside(&lab);
    refused(&lab, &PROPOSE, "ECL-REC-027");
}
