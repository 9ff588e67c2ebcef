//! Values that the mapping makes and the source does not hold: a boolean turned round, a constant in a result's
//! place, a sign before a number. Each is shown as what it does, and moves under a biologist's signature.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::reference::refused;
use crate::succeed;

const SCHEMA: &str = "
    CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(40) NOT NULL);
    CREATE TABLE resultat (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id),
        valeur VARCHAR(20), lu CHAR(3), valide BOOLEAN);
    INSERT INTO patient VALUES (1, 'Canari');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
    INSERT INTO resultat SELECT i, 1, '5.4', CASE WHEN i <= 7 THEN 'POS' WHEN i <= 57 THEN 'NEG' ELSE '?' END, 1
    FROM n;";

/// A trial whose order is signed; in its mapping these lines of `resultat` stand for those of their columns.
fn folder(here: &Path, made: &[(&str, &str)]) -> PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(SCHEMA).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let tables = ["--table", "patient", "--table", "resultat", "--grant-proposed"];
    succeed(&lab, &[&["instruction", "new"], &tables[..]].concat());
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    std::fs::write(
        lab.join("instruction.toml"),
        order.replace("tolerance      = 0 ", "tolerance      = 10 "),
    )
    .unwrap();
    mapped(&lab, made);
    lab
}

fn mapped(lab: &Path, made: &[(&str, &str)]) {
    let mut mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    for (column, line) in made {
        let plain = format!("{column} = \"{column}\"\n");
        assert!(mapping.contains(&plain), "{mapping}");
        mapping = mapping.replace(&plain, &format!("{line}\n"));
    }
    std::fs::write(lab.join("mapping.toml"), mapping).unwrap();
    succeed(lab, &["instruction", "sign"]);
}

const TURNED: (&str, &str) =
    ("lu", "lu = { column = \"lu\", boolean = { true = [\"NEG\"], false = [\"POS\"] } }");

fn count(here: &Path, sql: &str) -> i64 {
    Connection::open(here.join("new.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Nothing is planned, moved or sampled, and nothing is made at the destination.
#[track_caller]
fn waits(here: &Path, lab: &Path) {
    for command in [&["plan"][..], &["migrate", "--ddl"], &["migrate", "--sample", "1", "--ddl"]] {
        let said = refused(lab, command, "ECL-SGN-020");
        assert!(said.contains("ecluse mapping sign"), "{said}");
    }
    assert_eq!(count(here, "SELECT count(*) FROM sqlite_master"), 0);
    let next = succeed(lab, &["next"]);
    assert!(
        next.contains("the mapping waits for a biologist") && next.contains("ecluse mapping sign"),
        "{next}"
    );
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(path).unwrap()
}

// proves: INS-10, REC-05
// fails with the guard off: every reading stands there turned round, and no biologist was asked
#[test]
fn a_boolean_turned_round_moves_only_where_a_biologist_signed_the_mapping() {
    let here = tempfile::tempdir().unwrap();
    let lab = folder(here.path(), &[TURNED]);
    waits(here.path(), &lab);
    // shown as what it does, with its rows, before anybody signs
    let answer: Value =
        serde_json::from_str(&succeed(&lab, &["--json", "reference", "print", "--lang", "en"])).unwrap();
    let made = json!([{
        "column": "resultat.lu", "from": ["resultat.lu"], "instead_of": null, "judged": true,
        "values": [
            { "from": "NEG", "to": "true", "rows": "50", "does": "turns NEG into true" },
            { "from": "POS", "to": "false", "rows": "7", "does": "turns POS into false" },
        ],
        "unmapped": [{ "code": "?", "rows": "<5" }],
    }]);
    assert_eq!(answer["values"], made);
    let page = read(lab.join("reference.html"));
    assert!(page.contains("<strong>turns NEG into true"), "{page}");
    assert!(page.contains("a biologist accepts them by signing") && !page.contains("Canari"), "{page}");
    succeed(&lab, &["order", "--lang", "en"]);
    let order = read(lab.join("order.html"));
    assert!(
        order.contains("resultat.lu: of lu, NEG becomes true, POS becomes false; a biologist signs it"),
        "{order}"
    );
    let said = succeed(&lab, &["mapping", "print"]);
    assert!(said.contains("NEG becomes true") && said.contains("ecluse mapping sign"), "{said}");
    // by a biologist, and by nobody else
    assert!(
        !crate::ecluse(&lab, &["mapping", "sign", "--key", "keys/controller-signatory"]).status.success()
    );
    waits(here.path(), &lab);
    succeed(&lab, &["mapping", "sign", "--key", "keys/controller-biologist"]);
    succeed(&lab, &["reference", "print", "--lang", "en"]);
    assert!(read(lab.join("reference.html")).contains("A biologist has signed it."));
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(count(here.path(), "SELECT count(*) FROM resultat WHERE lu = 1"), 50);
    // what was signed is these bytes: another mapping waits again
    let mapping = read(lab.join("mapping.toml"));
    std::fs::write(lab.join("mapping.toml"), format!("{mapping}# altered\n")).unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    succeed(&lab, &["instruction", "check", "--fill"]);
    succeed(&lab, &["instruction", "sign"]);
    refused(&lab, &["plan"], "ECL-SGN-021");
}

// proves: INS-10, REC-05
#[test]
fn a_constant_or_a_sign_in_a_results_place_is_a_biologists_and_where_a_row_comes_from_is_not() {
    let here = tempfile::tempdir().unwrap();
    let values = [
        ("valeur", "valeur = { constant = \"0.1\" }\nbrut = \"valeur\""),
        ("valide", "valide = { constant = true }\nrelu = \"valide\""),
        ("lu", "lu = { concat = [\"-\", { column = \"lu\" }] }\norigin = { constant = \"Tilleuls\" }"),
    ];
    let lab = folder(here.path(), &values);
    waits(here.path(), &lab);
    let answer: Value =
        serde_json::from_str(&succeed(&lab, &["--json", "reference", "print", "--lang", "en"])).unwrap();
    let told: Vec<String> = answer["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|made| {
            let value = &made["values"][0];
            let words =
                [&made["column"], &value["to"], &value["rows"], &value["does"]].map(|v| v.as_str().unwrap());
            format!("{}|{}", words.join("|"), made["judged"])
        })
        .collect();
    assert_eq!(
        told,
        [
            "resultat.valeur|0.1|60|instead of valeur|true",
            "resultat.lu|-{lu}|60||true",
            "resultat.origin|Tilleuls|60||false",
            "resultat.valide|true|60|instead of valide|true",
        ]
    );
    succeed(&lab, &["order", "--lang", "fr"]);
    let order = read(lab.join("order.html"));
    assert!(order.contains("0.1 dans chaque ligne, à la place de valeur"), "{order}");
    succeed(&lab, &["mapping", "sign"]);
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(count(here.path(), "SELECT count(*) FROM resultat WHERE valeur = '0.1' AND brut = '5.4'"), 60);

    // alone, it asks nobody
    let here = tempfile::tempdir().unwrap();
    let lab = folder(here.path(), &[("lu", "lu = \"lu\"\norigin = { constant = \"Tilleuls\" }")]);
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(count(here.path(), "SELECT count(*) FROM resultat WHERE origin = 'Tilleuls'"), 60);
}
