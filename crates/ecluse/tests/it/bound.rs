//! The acceptance of reference data is of their values: what stands at the destination is read back before a
//! patient moves, under the run's key.

use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;

use crate::reference::{accepted, folder, killed, mapped, patients, refused};
use crate::succeed;

/// The acceptance once more, of what stands there now.
fn accept_again(lab: &Path) {
    std::fs::rename(lab.join("reference.toml"), lab.join("reference.old.toml")).unwrap();
    std::fs::remove_dir_all(lab.join("reference.toml.sigs")).unwrap();
    succeed(lab, &["reference", "propose"]);
    succeed(lab, &["reference", "sign"]);
}

/// Accepted as they stand: other values at the destination, or of a later `--reference`, are not what was
/// accepted; the same values are, whatever happened meanwhile.
#[track_caller]
fn bound(lab: &Path, old: &dyn Fn(&str), new: &dyn Fn(&str), moved: &dyn Fn() -> i64) {
    succeed(lab, &["codes", "sign", "codes/lecture.toml"]);
    succeed(lab, &["migrate", "--reference", "--ddl"]);
    succeed(lab, &["reference", "propose"]);
    succeed(lab, &["reference", "sign"]);
    // as many rows, another unit
    new("UPDATE unite SET nom = 'g/dL' WHERE id = 1");
    for command in [&["migrate"][..], &["migrate", "--repair"]] {
        let said = refused(lab, command, "ECL-REF-005");
        assert!(said.contains("other values stand in unite"), "{said}");
    }
    new("UPDATE unite SET nom = 'g/L' WHERE id = 1");
    // moved by a later start of them: the earlier word is not about these
    old("UPDATE unite SET nom = 'mg/L' WHERE id = 1");
    succeed(lab, &["migrate", "--reference"]);
    assert!(refused(lab, &["migrate"], "ECL-REF-005").contains("other values stand in unite"));
    refused(lab, &["reference", "sign"], "ECL-REF-005");
    accept_again(lab);
    // the source changed them after that: the rest does not begin over what nobody accepted
    old("UPDATE unite SET nom = 'ng/L' WHERE id = 1");
    assert!(refused(lab, &["migrate"], "ECL-REF-005").contains("the source changed them since: unite"));
    refused(lab, &["migrate"], "ECL-REF-005");
    assert_eq!(moved(), 0);
    succeed(lab, &["migrate", "--reference"]);
    accept_again(lab);
    // unchanged, the word stands, also over one more start of them and over a death
    succeed(lab, &["migrate", "--reference"]);
    assert!(killed(lab, &["migrate"], "folder.event.after:6"));
    assert_eq!(moved(), 0);
    succeed(lab, &["migrate"]);
    assert_eq!(moved(), 5);
    succeed(lab, &["reconcile"]);
    succeed(lab, &["report"]);
    // what changes later is a catch-up's
    old("UPDATE unite SET nom = 'pg/L' WHERE id = 1");
    succeed(lab, &["migrate"]);
}

// proves: INS-10, REC-05
// fails with the guard off: patients move beside units that no biologist has seen
#[test]
fn an_acceptance_is_of_the_values_that_stand_at_the_destination() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {} COMMIT;", mapped())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    let new = |sql: &str| Connection::open(here.path().join("new.db")).unwrap().execute_batch(sql).unwrap();
    bound(&lab, &|sql| old.execute_batch(sql).unwrap(), &new, &|| patients(here.path()));
}

#[test]
fn an_acceptance_is_of_the_values_that_stand_in_postgresql() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("bound_old"), postgres.database("bound_new"));
    old.sql(&mapped());
    let here = tempfile::tempdir().unwrap();
    let url = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let lab: PathBuf = folder(here.path(), &url(old.url()), &url(new.url()));
    let moved = || new.sql("SELECT count(*) FROM patient").trim().parse().unwrap();
    bound(&lab, &|sql| drop(old.sql(sql)), &|sql| drop(new.sql(sql)), &moved);
}

// fails with the guard off: whoever writes the paper states what stands there, and no value
#[test]
fn the_paper_names_a_keyed_tally_and_no_value() {
    let here = tempfile::tempdir().unwrap();
    let (_, lab) = accepted(here.path());
    let paper = std::fs::read_to_string(lab.join("reference.toml")).unwrap();
    assert!(!paper.contains("g/L") && paper.matches("tally = \"").count() == 1, "{paper}");
    let other = tempfile::tempdir().unwrap();
    let (_, other) = accepted(other.path());
    let tally = |text: &str| text.lines().find(|line| line.starts_with("tally")).unwrap().to_owned();
    let same = std::fs::read_to_string(other.join("reference.toml")).unwrap();
    assert_ne!(tally(&paper), tally(&same), "the same rows under another run's key");
    // a paper without it is none
    let bare: String =
        paper.lines().filter(|line| !line.starts_with("tally")).map(|l| format!("{l}\n")).collect();
    std::fs::write(lab.join("reference.toml"), bare).unwrap();
    refused(&lab, &["reference", "sign"], "ECL-REF-003");
}
