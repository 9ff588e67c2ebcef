//! What is said once the run has gone on: over itself, after a freeze, after an undo.

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::migration::{End, Migration, Ordered};
use serde_json::Value;

use crate::{now, program};

/// As a laboratory without an administrator's views gives it.
const WIDE: [&str; 4] = ["--without-views", "a test", "--accept-wider-role", "a test"];

struct Lab {
    migration: Migration,
    _folder: tempfile::TempDir,
}

/// A laboratory of three patients whose run is through, read back and reported.
fn reported() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let table = "create table patient (id integer primary key, nom varchar(40) not null);";
    create_from(&from, &format!("{table} insert into patient values (1, 'A'), (2, 'B'), (3, 'C');")).unwrap();
    create_from(&to, table).unwrap();
    let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
    let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
    let order = [Ordered { table: "patient", rows: "true", columns: vec!["id", "nom"], reasoned: vec![] }];
    let lab = folder.path().join("lab");
    std::fs::create_dir(&lab).unwrap();
    let mut migration = Migration::new(program(), &lab, now(), &source, &destination, &order);
    let papers = migration.papers();
    papers.instruction = papers.instruction.replace("max_runs = 1000", "max_runs = 1");
    papers.write(&lab);
    let lab = Lab { migration, _folder: folder };
    lab.wide(&["migrate"]);
    lab.wide(&["reconcile"]);
    lab.says(&["report"]);
    lab
}

impl Lab {
    fn says(&self, arguments: &[&str]) -> String {
        self.migration.succeed(arguments)
    }

    fn wide(&self, arguments: &[&str]) -> String {
        self.says(&[arguments, &WIDE].concat())
    }

    /// A step of the board.
    fn step(&self, name: &str) -> Value {
        let board: Value = serde_json::from_str(&self.says(&["next", "--json"])).unwrap();
        board["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap().clone()
    }
}

#[test]
fn a_later_start_says_that_the_report_no_longer_describes_what_stands() {
    const GONE: &str = "no longer describes what stands";
    let lab = reported();
    assert!(!lab.says(&["status"]).contains(GONE));
    for start in [&["migrate"][..], &["migrate", "--repair"], &["reconcile"]] {
        lab.says(&["report"]);
        let said = lab.wide(start);
        assert!(said.contains(GONE) && said.contains("ecluse report"), "{start:?}: {said}");
    }
    assert!(lab.says(&["status"]).contains(GONE));
    let words = lab.step("report")["words"].as_str().unwrap().to_owned();
    assert!(words.starts_with("the report of 20") && words.ends_with(GONE), "{words}");
    lab.says(&["report"]);
    assert!(!lab.says(&["status"]).contains(GONE));
    assert_eq!(lab.step("report")["state"], "done");
}

#[test]
fn a_repair_that_found_nothing_to_mend_says_that_it_moved_nothing() {
    let lab = reported();
    let said = lab.wide(&["migrate", "--repair"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "Repair 1: 0 added, 0 changed, 0 deleted; 0 of 1 chunk replaced.");
    assert_eq!(lines[1], "3 rows of the run stand there, 0 refused. Read them back:  ecluse reconcile");
    assert!(!said.contains("rows moved"), "{said}");
}

#[test]
fn one_hour_of_a_freeze_is_told_everywhere_and_an_undo_leaves_none_on_the_board() {
    let lab = reported();
    let said = lab.wide(&["freeze"]);
    let hour = said.split_once("Frozen since ").unwrap().1.split_once(',').unwrap().0;
    assert_eq!((hour.len(), hour.ends_with(" UTC")), ("2026-11-22 04:00 UTC".len(), true), "{hour}");
    assert!(lab.step("freeze")["words"].as_str().unwrap().ends_with(hour));
    let caught = lab.wide(&["migrate", "--catch-up"]);
    assert!(caught.contains(&format!("source frozen since {hour}")), "{caught}");
    lab.wide(&["reconcile"]);
    lab.says(&["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.migration.folder().join("run/report.html")).unwrap();
    assert!(page.contains(&format!("frozen since {hour}")));
    let figures = std::fs::read_to_string(lab.migration.folder().join("run/figures.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let journal = std::fs::read_to_string(lab.migration.folder().join("run/events.jsonl")).unwrap();
    let kept = figures["catch_ups"][0]["frozen"].as_str().unwrap();
    assert!(journal.contains(kept), "the hour is a line of the journal's");
    assert_eq!(lab.step("catch-up")["state"], "done");

    lab.wide(&["undo"]);
    for step in ["reconciliation", "freeze", "catch-up"] {
        let step = lab.step(step);
        assert_eq!((&step["state"], &step["words"]), (&"later".into(), &"".into()), "{step}");
    }
    let run = lab.step("run");
    let advice = run["advice"].to_string();
    assert_eq!(run["state"], "missing");
    assert!(advice.contains("used up (1 of 1") && advice.contains("ecluse instruction new"), "{advice}");
    assert!(advice.contains("mv instruction.toml ") && !advice.contains("it begins anew"), "{advice}");
}
