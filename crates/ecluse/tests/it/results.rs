//! A result is neither a key that is moved aside nor a number of identity: papers that say so are refused
//! before anybody signs them.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::reference::refused;
use crate::succeed;

const SCHEMA: &str = "
    CREATE TABLE analyse (code TEXT PRIMARY KEY, nom VARCHAR(40));
    CREATE TABLE resultat (id INTEGER PRIMARY KEY, analyse VARCHAR(20) REFERENCES analyse(code),
        valeur VARCHAR(20), oid VARCHAR(30), lu CHAR(3));
    INSERT INTO analyse VALUES ('GLU', 'Glycémie'), ('5.4', 'Un leurre');
    INSERT INTO resultat VALUES (1, 'GLU', '5.4', '1.2', 'POS'), (2, 'GLU', 'positif', '1.2', 'NEG');";

/// A draft of both tables, every column granted; nobody signed it.
fn drafted(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(SCHEMA).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "analyse", "--table", "resultat", "--grant-proposed"]);
    lab
}

fn edit(path: PathBuf, was: &str, is: &str) {
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(was), "{was}: {text}");
    std::fs::write(path, text.replacen(was, is, 1)).unwrap();
}

fn aside(lab: &Path) {
    let room = "[append]\noffset = 1000000\nroom = 100000\nprefix = \"-\"\n\n[[table]]";
    edit(lab.join("mapping.toml"), "[[table]]", room);
    succeed(lab, &["instruction", "check", "--fill"]);
}

// proves: INS-10, REC-05
// fails with the guard off: the order is signed, and 5.4 arrives as -5.4
#[test]
fn a_result_is_not_moved_aside_as_a_reference() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    aside(&lab);
    succeed(&lab, &["instruction", "check"]);
    let relation =
        "name = \"resultat\"\nrelations = [{ column = \"valeur\", table = \"analyse\", to = \"code\" }]\n";
    edit(lab.join("instruction.toml"), "name = \"resultat\"\n", relation);
    for command in ["check", "sign"] {
        refused(&lab, &["instruction", command], "ECL-PLN-050");
    }
}

// proves: INS-10, REC-05
// fails with the guard off: every POS beside a value arrives as NEG
#[test]
fn a_result_is_no_number_of_identity() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    let mapping = lab.join("mapping.toml");
    for column in ["valeur", "oid", "lu"] {
        edit(mapping.clone(), &format!("{column} = \"{column}\"\n"), "");
    }
    let section = r#"
[table.national_identifier]
number    = "valeur"
authority = "oid"
status    = { column = "lu", provisional = "NEG" }
to        = { number = "ins", local = "valeur", status = "lu" }
"#;
    let text = std::fs::read_to_string(&mapping).unwrap();
    std::fs::write(&mapping, format!("{text}{section}")).unwrap();
    let said = refused(&lab, &["instruction", "check", "--fill"], "ECL-PLN-097");
    assert!(said.contains("resultat.valeur"), "{said}");
    refused(&lab, &["instruction", "sign"], "ECL-PLN-097");
}

// fails with the old reading: a length that nobody knows leaves no place beside the prefix (ECL-PLN-044)
#[test]
fn a_draft_is_not_refused_for_a_length_that_nobody_knows() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    aside(&lab);
    let connections = lab.join("connections.toml");
    edit(connections, "new.db", "nowhere/new.db");
    let said = succeed(&lab, &["instruction", "check"]);
    assert!(said.contains("the destination's own tables were not looked at"), "{said}");
}
