//! OpenELIS's shipped dictionary, on its own version and on another.

use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::server;

use crate::laboratory::{file, migration, openelis};
use crate::moves::end;

/// What a command said, whatever its end.
fn said(m: &Migration, arguments: &[&str]) -> (Option<i32>, String) {
    let output = m.run(arguments);
    let words =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), words)
}

#[test]
fn the_shipped_dictionary_is_used_on_its_version_and_told_apart_from_another() {
    let Some(source) = server::postgres().and_then(|server| openelis(&server)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    rusqlite::Connection::open(&path).unwrap().execute_batch("create table other (id INTEGER)").unwrap();
    let m = migration(folder.path(), &End::postgres(&source, "postgres"), &end(&path));
    let surveyed = || std::fs::read_to_string(m.folder().join("dictionary.toml")).unwrap();

    // under a signed order the dictionary stays as it is
    let before = surveyed();
    let (code, words) = said(&m, &["dictionary", "use", "openelis-3.5"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("ECL-DIC-017"), "{words}");
    assert_eq!(surveyed(), before);
    std::fs::rename(m.folder().join("instruction.toml"), m.folder().join("older.toml")).unwrap();

    let again = |m: &Migration| {
        std::fs::remove_file(m.folder().join("dictionary.toml")).unwrap();
        m.succeed(&["survey"])
    };
    assert!(again(&m).contains("ecluse dictionary use openelis-3.5"));
    let used = m.succeed(&["dictionary", "use", "openelis-3.5"]);
    assert!(used.contains("483 columns of 43 tables"), "{used}");
    assert!(surveyed().contains("class = \"national identifier\", reason = \"OpenELIS Global 3.5\""));
    // the worked papers hold under its classes too
    let order = m.folder().join("instruction.toml");
    std::fs::copy(m.folder().join("older.toml"), &order).unwrap();
    std::fs::remove_dir_all(m.folder().join("instruction.toml.sigs")).unwrap();
    m.succeed(&["instruction", "check", "--fill"]);
    std::fs::remove_file(order).unwrap();
    assert!(m.succeed(&["dictionary", "list"]).contains("this survey's"));
    let (code, words) = said(&m, &["dictionary", "use", "labbook-3.5"]);
    assert_eq!((code, words.contains("ECL-DIC-014")), (Some(1), true), "{words}");

    // another version: a column more, one renamed, one of another type, a table less
    source.sql(
        "set search_path = clinlims; alter table patient add column kin_name varchar(80), alter column chart_number type text;
         alter table result rename column value to outcome; alter table patient_photo rename to patient_picture",
    );
    assert!(again(&m).contains("another version than 3.5"));
    let before = surveyed();
    let (code, words) = said(&m, &["dictionary", "use", "openelis-3.5"]);
    assert_eq!(code, Some(1), "{words}");
    for wanted in ["ECL-DIC-010", "ECL-DIC-011", "ECL-DIC-012", "ECL-DIC-013", "clinlims.patient.kin_name"] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
    assert_eq!(surveyed(), before, "nothing is written in silence");
    let used = m.succeed(&["dictionary", "use", "openelis-3.5", "--agreeing"]);
    assert!(used.contains("3 columns of these tables are in no class yet"), "{used}");
    // what is new is granted by nobody but a person
    m.succeed(&[
        "instruction",
        "new",
        "--table",
        "clinlims.patient",
        "--table",
        "clinlims.result",
        "--grant-proposed",
    ]);
    let order = std::fs::read_to_string(m.folder().join("instruction.toml")).unwrap();
    assert!(order.contains("\n    \"birth_date\","), "{order}");
    for column in ["kin_name", "chart_number", "outcome"] {
        assert!(!order.contains(&format!("\n    \"{column}\"")), "{column} is granted");
        assert!(order.contains(&format!("#   {{ name = \"{column}\", reason = \"…\" }}")), "{column}");
    }
}
