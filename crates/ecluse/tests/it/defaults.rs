//! What the destination fills by a default of its own is told by the plan, by name.

use std::path::Path;

use ecluse_testkit::migration::End;
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::succeed;

/// A column of each kind that nothing fills: only the first has a default that every row will have.
const NEW: &str = "CREATE TABLE resultat (id INTEGER PRIMARY KEY, valeur VARCHAR(40),
    statut VARCHAR(10) NOT NULL DEFAULT 'pending', note VARCHAR(10) DEFAULT 'none'";

#[track_caller]
fn told(here: &Path, to: &str, shown: &str, stands: &dyn Fn() -> String) {
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE resultat (id INTEGER PRIMARY KEY, valeur VARCHAR(40)); INSERT INTO resultat VALUES (1, 'NFS')",
        )
        .unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "resultat"]);
    let title = "the destination's own default will stand in every row";
    // once before anybody signs, once in the plan, each time of this column alone
    let checked = succeed(&lab, &["instruction", "check"]);
    succeed(&lab, &["instruction", "sign"]);
    for said in [checked, succeed(&lab, &["plan"])] {
        assert!(said.contains(&format!("{title}: {shown}")) && said.matches(title).count() == 1, "{said}");
    }
    succeed(&lab, &["migrate"]);
    assert_eq!(stands(), "pending");
    succeed(&lab, &["undo"]);
    // somebody chose: no word of it
    let mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    let chosen = "valeur = \"valeur\"\nstatut = { constant = \"final\" }";
    assert!(mapping.contains("valeur = \"valeur\""), "{mapping}");
    std::fs::write(lab.join("mapping.toml"), mapping.replace("valeur = \"valeur\"", chosen)).unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    std::fs::rename(lab.join("run"), lab.join("run.undone")).unwrap();
    succeed(&lab, &["instruction", "check", "--fill"]);
    // a constant in a result's table is a biologist's
    succeed(&lab, &["mapping", "sign"]);
    succeed(&lab, &["instruction", "sign"]);
    assert!(!succeed(&lab, &["plan"]).contains(title));
    succeed(&lab, &["migrate"]);
    assert_eq!(stands(), "final");
}

// fails with the guard off: every result is filed as pending, and nobody chose it
#[test]
fn a_default_that_every_row_will_have_is_told_of_a_sqlite_destination() {
    let here = tempfile::tempdir().unwrap();
    let new = Connection::open(here.path().join("new.db")).unwrap();
    new.execute_batch(&format!("{NEW})")).unwrap();
    let stands = || new.query_row("SELECT statut FROM resultat", [], |row| row.get(0)).unwrap();
    told(here.path(), "sqlite:new.db", "resultat.statut, `VARCHAR(10)`", &stands);
}

#[test]
fn a_default_that_every_row_will_have_is_told_of_a_postgresql_destination_and_a_number_of_its_own_is_not() {
    let Some(postgres) = server::postgres() else { return };
    let to = postgres.database("defaults");
    let numbers = ", rang SERIAL, autre INT NOT NULL GENERATED ALWAYS AS IDENTITY, \
                   calc INT NOT NULL GENERATED ALWAYS AS (1) STORED)";
    to.sql(&format!("{}{numbers}", NEW.replace("id INTEGER", "id BIGINT")));
    let here = tempfile::tempdir().unwrap();
    let url = End::postgres(&to, "postgres").url().to_owned();
    let stands = || to.sql("SELECT statut FROM resultat").trim().to_owned();
    told(here.path(), &url, "resultat.statut, `character varying(10)`", &stands);
}
