//! A code table over the results of a laboratory system that this project has never seen: OpenEMR's
//! `procedure_result` (its `sql/database.sql`), where the results stand in tables called procedures.

use std::path::Path;

use rusqlite::Connection;

use crate::{ecluse, succeed};

const SCHEMA: &str = "
    CREATE TABLE procedure_report (procedure_report_id INTEGER PRIMARY KEY, procedure_order_id INTEGER NOT NULL,
        date_report TEXT, specimen_num VARCHAR(63) NOT NULL, report_status VARCHAR(31) NOT NULL);
    CREATE TABLE procedure_result (procedure_result_id INTEGER PRIMARY KEY,
        procedure_report_id INTEGER NOT NULL, procedure_type_id INTEGER NOT NULL,
        units VARCHAR(31) NOT NULL, result VARCHAR(40) NOT NULL, abnormal VARCHAR(31) NOT NULL,
        document_id INTEGER NOT NULL, result_status VARCHAR(31) NOT NULL);
    INSERT INTO procedure_result VALUES (1, 1, 1, '', 'positive', 'yes', 0, 'final'),
        (2, 1, 2, '', 'positive', 'yes', 0, 'final');";

/// What the signatory alone might have let pass.
const REVERSING: &str = "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"Readings\"\nchanges_result = false\n\n\
    [[code]]\nfrom = \"positive\"\nto = \"negative\"\n";

fn folder(here: &Path) -> std::path::PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(SCHEMA).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "procedure_result", "--grant-proposed"]);
    std::fs::create_dir(lab.join("codes")).unwrap();
    std::fs::write(lab.join("codes/readings.toml"), REVERSING).unwrap();
    let mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    let plain = mapping.lines().find(|line| line.trim_start().starts_with("result ")).unwrap().to_owned();
    let digest = ecluse_core::digest::of_bytes(REVERSING.as_bytes());
    let cited = format!(
        "[[code_table]]\nname = \"readings\"\nfile = \"codes/readings.toml\"\ndigest = \"{digest}\"\n\n[[table]]"
    );
    let mapping = mapping.replace(&plain, "result = { code = \"result\", table = \"readings\" }").replacen(
        "[[table]]",
        &cited,
        1,
    );
    std::fs::write(lab.join("mapping.toml"), mapping).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

// proves: INS-10, REC-05
// fails with the guard off: a positive stands there as a negative, and no biologist was asked
#[test]
fn a_positive_becomes_a_negative_only_where_a_biologist_signed_whatever_the_survey_guessed() {
    let here = tempfile::tempdir().unwrap();
    let lab = folder(here.path());
    let said = |arguments: &[&str]| {
        let output = ecluse(&lab, arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    // neither as surveyed, nor under a class that no result has
    let surveyed = std::fs::read_to_string(lab.join("dictionary.toml")).unwrap();
    assert!(
        surveyed.contains("name = \"result\", type = \"VARCHAR(40)\", as = \"text\", class = \"result\"")
    );
    for class in ["result", "quality", "identity", "technical"] {
        let given = surveyed.replace("class = \"result\"", &format!("class = \"{class}\""));
        std::fs::write(lab.join("dictionary.toml"), given).unwrap();
        for command in [&["plan"][..], &["migrate", "--ddl"], &["migrate", "--sample", "1", "--ddl"]] {
            assert!(said(command).contains("ECL-SGN-020"), "{class} {command:?}");
        }
    }
    std::fs::write(lab.join("dictionary.toml"), surveyed).unwrap();
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let count = |sql: &str| new.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM sqlite_master"), 0, "nothing was made");
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("ecluse codes sign codes/readings.toml"), "{next}");
    succeed(&lab, &["codes", "sign", "codes/readings.toml"]);
    succeed(&lab, &["migrate", "--ddl"]);
    let read = count("SELECT count(*) FROM procedure_result WHERE result = 'negative'");
    assert_eq!(read, 2, "accepted by a biologist, it is done");
}
