//! The commands beside `migrate`: each killed at every failpoint it passes, then given again.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};

use ecluse_testkit::kill::{PASSED, VARIABLE};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

/// A name that stands in every patient's row.
const NAME: &str = "QyIVauquelin";

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
INSERT INTO patient SELECT i, 'QyIVauquelin' || i FROM n;
INSERT INTO examen SELECT id, id, '5,1' FROM patient;
";

/// A migration from its first paper to its report, undone, and a revocation behind it. `migrate` is
/// killed in `kill.rs`.
const CHAIN: [&[&str]; 11] = [
    &["survey"],
    &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"],
    &["session", "new"],
    &["instruction", "check", "--fill"],
    &["instruction", "sign"],
    &["plan"],
    &["migrate", "--ddl"],
    &["reconcile"],
    &["report"],
    &["undo"],
    &["instruction", "revoke", "--reason", "withdrawn"],
];

/// What no other test dies at: an undo in SQLite.
pub(crate) const OWN: [&str; 2] = ["sqlite_forget.commit", "sqlite_remove.commit"];

/// How often one failpoint is passed before the test goes on to the next.
const PASSINGS: u64 = 2;

/// What is given after a death: the same command; where it drafts a paper, which is never
/// written over, the one that goes on with what stands.
fn after<'a>(arguments: &'a [&'a str]) -> &'a [&'a str] {
    if arguments.starts_with(&["instruction", "new"]) { &["instruction", "sign"] } else { arguments }
}

fn ecluse(lab: &Path, arguments: &[&str], failpoint: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
    command.current_dir(lab).args(arguments).env_remove(VARIABLE);
    if !failpoint.is_empty() {
        command.env(VARIABLE, failpoint);
    }
    command.output().unwrap()
}

#[track_caller]
fn succeeds(lab: &Path, arguments: &[&str], after: &str) {
    let output = ecluse(lab, arguments, "");
    assert!(output.status.success(), "ecluse {} after {after}: {output:?}", arguments.join(" "));
}

/// The failpoints that the command passes, each as often as it passes it.
fn passed(lab: &Path, arguments: &[&str], beside: &Path) -> BTreeMap<String, u64> {
    let file = beside.join("passed");
    std::fs::write(&file, "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
    command.current_dir(lab).args(arguments).env_remove(VARIABLE).env(PASSED, &file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "ecluse {arguments:?}: {output:?}");
    let mut passed = BTreeMap::new();
    for name in std::fs::read_to_string(&file).unwrap().lines() {
        *passed.entry(name.to_owned()).or_default() += 1;
    }
    passed
}

/// Every file of the folder, and the destination beside it, as they were.
fn put_back(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn every_command_that_writes_is_killed_wherever_it_can_be_and_given_again() {
    let here = tempfile::tempdir().unwrap();
    let work = here.path().join("work");
    std::fs::create_dir(&work).unwrap();
    Connection::open(work.join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeeds(
        &work,
        &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"],
        "nothing",
    );
    let (lab, before) = (work.join("lab"), here.path().join("before"));
    std::fs::create_dir(&before).unwrap();
    let search = Search::new(&[NAME]);
    let (mut deaths, mut died) = (0, BTreeSet::new());

    for arguments in CHAIN {
        put_back(&work, &before);
        let elsewhere = arguments.contains(&"migrate");
        // one whole run tells which failpoints it passes; the journal's own: `journal.rs`
        let places = if elsewhere { BTreeMap::new() } else { passed(&lab, arguments, here.path()) };
        put_back(&before, &work);
        for (name, often) in places.into_iter().filter(|(name, _)| !name.starts_with("log.")) {
            for nth in 1..=PASSINGS.min(often) {
                let failpoint = format!("{name}:{nth}");
                let first = ecluse(&lab, arguments, &failpoint);
                assert_eq!(first.status.signal(), Some(9), "ecluse {arguments:?} at {failpoint}: {first:?}");
                assert_eq!(search.folder(&lab), [], "ecluse {arguments:?} dead at {failpoint}");
                assert_eq!(search.bytes("said", &[first.stdout, first.stderr].concat()), []);
                succeeds(&lab, after(arguments), &failpoint);
                deaths += 1;
                died.insert(name.clone());
                assert_eq!(search.folder(&lab), [], "ecluse {arguments:?} after {failpoint}");
                put_back(&before, &work);
            }
        }
        succeeds(&lab, arguments, "the folder was put back");
    }
    assert!(deaths > 40, "{deaths} deaths");
    for stem in OWN {
        for side in ["before", "after"] {
            assert!(died.contains(&format!("{stem}.{side}")), "{stem}.{side}: {died:?}");
        }
    }
    // the databases alone hold a name
    assert_ne!(search.folder(&work), []);
}
