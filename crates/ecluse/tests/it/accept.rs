//! The acceptance: of what stands at the destination and was read back, by the controller's signatory alone.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::{ecluse, succeed};

/// A trial's signed order to move forty patients, after a change of its text.
pub(crate) fn ordered(here: &Path, change: impl Fn(String) -> String) -> PathBuf {
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
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    let order = lab.join("instruction.toml");
    let text = change(fs::read_to_string(&order).unwrap());
    fs::write(&order, text).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// A trial that moved forty patients.
pub(crate) fn moved(here: &Path) -> PathBuf {
    let lab = ordered(here, |order| order);
    succeed(&lab, &["migrate", "--ddl"]);
    lab
}

#[track_caller]
pub(crate) fn refused(lab: &Path, arguments: &[&str], code: &str) -> String {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(code), "{arguments:?}: {said}");
    said
}

fn set_aside(lab: &Path) {
    fs::remove_file(lab.join("acceptance.toml")).unwrap();
    let _ = fs::remove_dir_all(lab.join("acceptance.toml.sigs"));
}

const PROPOSE: [&str; 4] = ["accept", "propose", "--lang", "en"];

#[test]
fn an_acceptance_is_of_a_destination_that_was_read_back_and_holds() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    refused(&lab, &["accept", "verify"], "ECL-ACC-011");
    assert!(refused(&lab, &PROPOSE, "ECL-ACC-010").contains("ecluse reconcile"));
    let new = Connection::open(here.path().join("new.db")).unwrap();
    new.execute_batch("UPDATE patient SET nom = 'Corrige' WHERE id = 3").unwrap();
    refused(&lab, &["reconcile"], "ECL-REC-004");
    assert!(refused(&lab, &PROPOSE, "ECL-ACC-010").contains("ecluse differences propose"));
    // repaired: what was read back was another state of it
    succeed(&lab, &["migrate", "--repair"]);
    refused(&lab, &PROPOSE, "ECL-ACC-010");
    succeed(&lab, &["reconcile"]);
    assert!(succeed(&lab, &PROPOSE).contains("Of 40 rows that the order chose, 40 stand"));
    refused(&lab, &["accept", "verify"], "ECL-ACC-011");
    succeed(&lab, &["accept", "sign"]);
    assert!(succeed(&lab, &["accept", "verify"]).contains("Alix Essai-Signature"));
    assert!(refused(&lab, &["undo"], "ECL-UND-003").contains("acceptance.toml"));
    // read back once more, or moved once more: that is not what the laboratory was shown
    succeed(&lab, &["reconcile"]);
    refused(&lab, &["accept", "verify"], "ECL-ACC-005");
    succeed(&lab, &["migrate"]);
    refused(&lab, &["accept", "verify"], "ECL-ACC-010");
}

// proves: REC-04
#[test]
fn the_controllers_signatory_accepts_what_the_figures_say_and_nobody_else() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["accept", "propose", "--lang", "fr"]);
    let file = lab.join("acceptance.toml");
    let text = fs::read_to_string(&file).unwrap();
    for role in ["processor-signatory", "operator", "controller-biologist"] {
        refused(&lab, &["accept", "sign", "--key", &format!("keys/{role}")], "ECL-CLI-016");
    }
    let sign = ["accept", "sign", "--key", "keys/controller-signatory"];
    for (from, to, code) in [
        // the sentence that is read, the figure beside it, the file behind it
        ("40 lignes choisies", "4 lignes choisies", "ECL-ACC-006"),
        ("moved          = 40", "moved          = 39", "ECL-ACC-006"),
        ("reconciliation = \"sha256:", "reconciliation = \"sha256:00", "ECL-ACC-004"),
        ("run            = \"", "run            = \"0", "ECL-ACC-005"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        fs::write(&file, forged).unwrap();
        refused(&lab, &sign, code);
    }
    fs::write(&file, &text).unwrap();
    succeed(&lab, &["accept", "show", "-o", "acceptance.html"]);
    let page = fs::read_to_string(lab.join("acceptance.html")).unwrap();
    assert!(page.contains("aucune différence") && page.contains("Alix Essai-Signature"), "{page}");
    succeed(&lab, &sign);
    succeed(&lab, &["accept", "verify"]);
    // verified offline, by whoever has the papers: what was signed cannot be changed
    fs::write(&file, text.replacen("asked          = 40", "asked          =  40", 1)).unwrap();
    refused(&lab, &["accept", "verify"], "ECL-SGN-021");
    set_aside(&lab);
    refused(&lab, &["accept", "verify"], "ECL-ACC-011");
}
