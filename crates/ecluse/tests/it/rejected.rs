//! Rejected rows are named to the laboratory: by token and code, and with their keys on a terminal only.

use std::process::Command;

use ecluse_core::value::Value;
use ecluse_seal::Identity;
use ecluse_testkit::papers::IDENTITY;
use serde_json::json;

use crate::identifiers::{Moved, WIDE, patients, patients_of};
use crate::program;

fn list(moved: &Moved) -> serde_json::Value {
    let said = moved.migration.succeed(&["rejected", "--json"]);
    assert!(!said.contains("2790351215"), "{said}");
    serde_json::from_str(&said).unwrap()
}

fn codes(rows: &serde_json::Value) -> Vec<(String, String)> {
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let mut codes: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| (text(row, "code"), text(row, "place"))).collect();
    codes.sort();
    codes
}

fn wrong() -> Vec<(String, String)> {
    [("ECL-BAT-131", "patient.ins"), ("ECL-BAT-132", "patient.ins")]
        .map(|(c, p)| (c.to_owned(), p.to_owned()))
        .to_vec()
}

// proves: EXT-06
#[test]
fn rows_with_a_number_that_does_not_hold_are_listed_whatever_becomes_of_them() {
    for rule in ["local", "withhold"] {
        let moved = patients(rule);
        moved.migration.succeed(&WIDE);
        let list = list(&moved);
        assert_eq!((&list["refused"], &list["refused_beyond"]), (&json!([]), &json!(0)), "{list}");
        assert_eq!(codes(&list["identifiers"]), wrong());
        assert!(list["identifiers"].as_array().unwrap().iter().all(|row| row["became"] == rule), "{list}");
    }
    let moved = patients("refuse");
    assert_eq!(moved.migration.run(&WIDE).status.code(), Some(1));
    let list = list(&moved);
    assert_eq!(codes(&list["refused"]), wrong());
    assert_eq!(list["identifiers"], json!([]));
    // the same tokens as everywhere; and the file that keeps the rows is sealed
    let run = moved.migration.folder().join("run");
    let figures: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("figures.json")).unwrap()).unwrap();
    let tokens: Vec<_> = list["refused"].as_array().unwrap().iter().map(|row| row["row"].clone()).collect();
    assert_eq!(figures["tables"][0]["tokens"], json!(tokens));
    let sealed = std::fs::read(run.join("state.age")).unwrap();
    let state = ecluse_seal::open(&sealed, &Identity::parse(IDENTITY).unwrap()).unwrap();
    let keys: Vec<_> = state.tables[0].refused.iter().map(|key| key.0.clone()).collect();
    assert!(keys == [[Value::Int(2)], [Value::Int(3)]]);
    assert!(ecluse_seal::open(&sealed, &Identity::generate()).is_err());
}

#[test]
fn a_rejected_rows_key_is_shown_on_a_terminal_only_and_journaled() {
    let moved = patients("refuse");
    moved.migration.run(&WIDE);
    let journal = || std::fs::read_to_string(moved.migration.folder().join("run/events.jsonl")).unwrap();
    let before = journal();
    for arguments in [&["rejected", "--reveal"][..], &["rejected", "--reveal", "--json"]] {
        let output = moved.migration.run(arguments);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("ECL-LOC-010"), "{said}");
    }
    assert!(!moved.migration.succeed(&["rejected"]).contains("id = "));
    assert_eq!(journal(), before, "nobody was shown a key");
    let folder = moved.migration.folder().display().to_string();
    let command = format!("'{}' -C '{folder}' rejected --reveal", program().display());
    let shown = Command::new("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success() && said.contains("id = 2") && said.contains("id = 3"), "{said}");
    let after = journal();
    assert_eq!(after.lines().filter(|line| line.contains("\"act\":\"locate\"")).count(), 2, "{after}");
    // another person's identity lists nothing
    let other = moved.migration.folder().join("keys/other.age");
    std::fs::write(&other, Identity::generate().file().expose()).unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let refused = moved.migration.run(&["rejected", "--identity", &other.display().to_string()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ECL-SEA-002"));
}

#[test]
fn very_many_rejected_rows_are_counted_beyond_ten_thousand() {
    let many = "insert into patient with recursive n(i) as (select 10 union all select i + 1 from n where i < 10070)
        select i, '2 79 03 51 215', '1.2.250.1.213.1.4.10', 'INVENTEE', 'Une', '1979-03-03', 'F', null from n;";
    let moved = patients_of("refuse", many);
    moved.migration.run(&WIDE);
    let list = list(&moved);
    assert_eq!(list["refused"].as_array().unwrap().len(), 10_000);
    assert_eq!(list["refused_beyond"], 63);
}
