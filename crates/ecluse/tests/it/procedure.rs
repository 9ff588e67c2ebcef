//! The dated sheet, and objections: an order that seems unlawful waits for the controller's answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::ToSpan as _;
use rusqlite::Connection;
use serde_json::Value;

use crate::{ecluse, now, succeed};

/// A trial as far as its drafted order.
fn drafted(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60));
             INSERT INTO patient VALUES (1, 'Nom1')",
        )
        .unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    lab
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(code), "{arguments:?}: {said}");
}

fn sheet(lab: &Path) -> Value {
    serde_json::from_str(&succeed(lab, &["procedure", "--json"])).unwrap()
}

fn line(sheet: &Value, step: &str) -> Value {
    sheet["steps"].as_array().unwrap().iter().find(|s| s["step"] == step).unwrap().clone()
}

const OBJECT: [&str; 5] =
    ["instruction", "object", "--by", "Cyprien Essai-Éditeur", "the spouses are nobody's purpose here"];

// proves: INS-06
#[test]
fn an_objection_stops_the_order_until_the_controller_has_answered() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &OBJECT);
    refused(&lab, &["plan"], "ECL-PRO-002");
    refused(&lab, &["migrate", "--ddl"], "ECL-PRO-002");
    assert!(!lab.join("run").exists(), "nothing was begun");
    let status = line(&sheet(&lab), "status");
    assert_eq!(
        (status["waits_for"].as_str(), status["since"]["file"].as_str()),
        (Some("the laboratory"), Some("objections.jsonl"))
    );

    // the processor does not answer itself
    let answer = |key: &str| {
        let key = format!("keys/{key}");
        let arguments = ["instruction", "answer", "1", "taken out of version 2", "--key", &key];
        ecluse(&lab, &arguments).status.code()
    };
    for key in ["processor-signatory", "operator", "controller-biologist"] {
        assert_eq!(answer(key), Some(1), "{key}");
        refused(&lab, &["plan"], "ECL-PRO-002");
    }
    assert_eq!(answer("controller-signatory"), Some(0));
    succeed(&lab, &["plan"]);
    let said = sheet(&lab);
    let one = &said["objections"][0];
    assert_eq!(
        (one["answer"]["by"].as_str(), one["answer"]["text"].as_str()),
        (Some("Alix Essai-Signature"), Some("taken out of version 2"))
    );

    // nor past écluse; and what was signed is what was said
    let (file, signatures) = (lab.join("answers/1.toml"), lab.join("answers/1.toml.sigs"));
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("version 2", "version 3")).unwrap();
    refused(&lab, &["plan"], "ECL-SGN-021");
    fs::write(&file, &good).unwrap();
    let kept = lab.join("answers/kept");
    fs::rename(&signatures, &kept).unwrap();
    refused(&lab, &["plan"], "ECL-PRO-002");
    let signed = Command::new("ssh-keygen")
        .args([
            "-q",
            "-Y",
            "sign",
            "-n",
            "ecluse-answer-v1",
            "-f",
            "keys/processor-signatory",
            "answers/1.toml",
        ])
        .current_dir(&lab)
        .status()
        .unwrap();
    assert!(signed.success());
    fs::create_dir(&signatures).unwrap();
    fs::rename(lab.join("answers/1.toml.sig"), signatures.join("x.sig")).unwrap();
    refused(&lab, &["plan"], "ECL-SGN-023");
    fs::remove_dir_all(&signatures).unwrap();
    fs::rename(&kept, &signatures).unwrap();
    succeed(&lab, &["plan"]);

    // a second objection is not answered by the first one's answer, and a line is not taken back
    succeed(&lab, &OBJECT);
    refused(&lab, &["plan"], "ECL-PRO-002");
    fs::copy(&file, lab.join("answers/2.toml")).unwrap();
    fs::create_dir(lab.join("answers/2.toml.sigs")).unwrap();
    for signature in fs::read_dir(&signatures).unwrap() {
        let signature = signature.unwrap();
        fs::copy(signature.path(), lab.join("answers/2.toml.sigs").join(signature.file_name())).unwrap();
    }
    refused(&lab, &["plan"], "ECL-PRO-008");
    let record = fs::read_to_string(lab.join("objections.jsonl")).unwrap();
    fs::write(lab.join("objections.jsonl"), record.replacen("the spouses", "the prices", 1)).unwrap();
    refused(&lab, &["plan"], "ECL-PRO-001");
}

/// Since when somebody is waited for has a source, or is unknown.
#[test]
fn the_sheet_says_who_is_waited_for_since_when_and_where_that_stands() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    let first = line(&sheet(&lab), "connections");
    assert_eq!((first["state"].as_str(), first["done"].is_null()), (Some("done"), true), "no file says when");
    let contract = line(&sheet(&lab), "contract");
    assert_eq!(
        (contract["done"]["file"].as_str(), contract["done"]["key"].as_str()),
        (Some("contract.toml"), Some("issued"))
    );

    let file = lab.join("instruction.toml");
    let draft = fs::read_to_string(&file).unwrap();
    let issued = draft.lines().find(|l| l.starts_with("issued")).unwrap();
    let then = now().checked_sub((24 * 12 + 1).hours()).unwrap();
    let day = then.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let then = jiff::Timestamp::from_second(then.as_second()).unwrap();
    fs::write(&file, draft.replacen(issued, &format!("issued     = {then}"), 1)).unwrap();
    let said = succeed(&lab, &["procedure"]);
    let wanted = format!("waiting for: the operator, 12 days (since {day}, instruction.toml: issued)");
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(line(&sheet(&lab), "order")["days"], 12);

    succeed(&lab, &["procedure", "-o", "fiche.html", "--lang", "fr"]);
    let page = fs::read_to_string(lab.join("fiche.html")).unwrap();
    for wanted in [
        "<html lang=\"fr\">",
        "en attente de : l’opérateur, 12 jours",
        "Échéances",
        "Alix Essai-Signature",
        "toute copie de données de patients faite par écluse est effacée",
        "ce qui rend compte de la migration",
        "ESSAI",
        "source et destination nommées",
        "catalogue seul",
        "pas encore signé",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    for never in ["<script", "http:", "https:", "waiting for", "both sides", "drafted", "TRIAL", "Nom1"] {
        assert!(!page.contains(never), "{never}");
    }
}

#[test]
fn what_no_file_says_is_unknown() {
    let here = tempfile::tempdir().unwrap();
    succeed(here.path(), &["new", "lab"]);
    let lab = here.path().join("lab");
    let first = line(&sheet(&lab), "connections");
    assert_eq!((first["state"].as_str(), first["since"].is_null()), (Some("missing"), true), "{first}");
    assert!(succeed(&lab, &["procedure"]).contains("since when is unknown"));
}
