//! The ledger of copies counts as écluse wrote it, whoever else may write in the folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::copies::{Birth, Ledger, Store};
use ecluse_core::digest::of_bytes;
use ecluse_flow::event::{self, Act, Leaf};
use ecluse_flow::ports::Record as _;

use crate::accept::{moved, refused};
use crate::{now, program, succeed};

const PAGE: &str = "<!doctype html><p>somebody's own page";

fn read(lab: &Path) -> Ledger {
    Ledger::read(&fs::read(lab.join("copies.json")).unwrap()).unwrap()
}

fn lines(folder: &Path) -> Vec<Leaf> {
    event::verify(&fs::read(folder.join("events.jsonl")).unwrap()).unwrap().leaves
}

/// A report whose day has come.
fn planted(place: &str) -> Birth {
    let (id, marker) = ("4f".repeat(16), String::new());
    Birth {
        id,
        store: Store::Report,
        place: place.to_owned(),
        erase_by: "2026-01-31".parse().unwrap(),
        marker,
    }
}

/// Dies at a failpoint.
fn dies(lab: &Path, arguments: &[&str], at: &str) {
    let died = Command::new(program()).current_dir(lab).args(arguments).env("ECLUSE_FAILPOINT", at).output();
    assert_eq!(died.unwrap().status.code(), None, "{at}: it did not die");
}

// proves: ERA-01
#[test]
fn a_line_put_in_taken_out_or_put_back_by_hand_erases_nothing() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    let (file, theirs) = (lab.join("copies.json"), lab.join("page.html"));
    let before = fs::read(&file).unwrap();
    fs::write(&theirs, PAGE).unwrap();
    let mut ledger = read(&lab);
    ledger.born(planted("page.html"), now());
    fs::write(&file, ledger.bytes().unwrap()).unwrap();
    for command in
        [&["erase"][..], &["erase", "--timer"], &["copies"], &["migrate"], &["hold", "4f4f", "--release"]]
    {
        refused(&lab, command, "ECL-CPY-007");
    }
    assert_eq!(fs::read_to_string(&theirs).unwrap(), PAGE);
    let mut ledger = Ledger::read(&before).unwrap();
    ledger.copies.remove(0);
    fs::write(&file, ledger.bytes().unwrap()).unwrap();
    refused(&lab, &["erase"], "ECL-CPY-007");
    fs::remove_file(&file).unwrap();
    refused(&lab, &["erase"], "ECL-CPY-007");
    fs::write(&file, &before).unwrap();
    succeed(&lab, &["erase"]);
    // an older one of its own
    let id = read(&lab).copies[0].id.clone();
    let hold =
        ["hold", &id, "--reason", "a complaint", "--approved-by", "Claire Fontaine", "--until", "2999-01-31"];
    succeed(&lab, &hold);
    fs::write(&file, &before).unwrap();
    refused(&lab, &["erase"], "ECL-CPY-007");
}

#[test]
fn a_command_that_dies_between_the_announcement_and_the_ledger_holds_nothing_up() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    let id = read(&lab).copies[0].id.clone();
    for (at, held) in [
        ("folder.event.fsync.after:2", false),
        ("papers.replace.rename.before", false),
        ("papers.replace.rename.after", true),
        ("copies.entry.fsync.after", true),
    ] {
        dies(
            &lab,
            &["hold", &id, "--reason", "why", "--approved-by", "Claire Fontaine", "--until", "2999-01-31"],
            at,
        );
        assert_eq!(read(&lab).one(&id).unwrap().hold.is_some(), held, "{at}");
        succeed(&lab, &["copies"]);
        succeed(&lab, &["hold", &id, "--release"]);
        assert!(read(&lab).one(&id).unwrap().hold.is_none(), "{at}");
        succeed(&lab, &["journal", "verify"]);
    }
}

#[test]
fn what_nobody_announced_of_an_erasure_is_neither_believed_nor_gone_on_with() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    succeed(&lab, &["erase"]);
    let file = lab.join("run/erasure.json");
    let text = fs::read_to_string(&file).unwrap();
    let forged = text.replacen("\"done\": []", "\"done\": [{\"side\": \"source\", \"place\": \"old.db\", \"what\": \"patient\", \"method\": \"deleted\", \"rows\": 40, \"at\": \"2026-11-22T09:00:00Z\"}]", 1);
    assert_ne!(forged, text);
    fs::write(&file, forged).unwrap();
    for command in ["erase", "migrate"] {
        refused(&lab, &[command], "ECL-RUN-207");
    }
    // gone, it would say that nothing went at the source
    fs::remove_file(&file).unwrap();
    for command in ["erase", "migrate"] {
        refused(&lab, &[command], "ECL-RUN-207");
    }
    fs::write(&file, text).unwrap();
    dies(&lab, &["erase"], "folder.replace.rename.before");
    succeed(&lab, &["erase"]);
    succeed(&lab, &["migrate"]);
}

#[test]
fn nothing_is_checked_signed_or_closed_while_another_process_has_the_run() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["accept", "propose"]);
    let lock = fs::File::open(lab.join("run/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    for command in [&["accept", "sign"][..], &["certify", "sign"], &["close"]] {
        let output = crate::ecluse(&lab, command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(3) && said.contains("ECL-RUN-203"), "{command:?}: {said}");
    }
    drop(lock);
    succeed(&lab, &["accept", "sign"]);
}

#[test]
fn of_which_order_a_plan_was_is_the_journals_word_and_not_the_files() {
    let here = tempfile::tempdir().unwrap();
    let witnessed = |order: String| order.replacen("max_runs ", "witnessed = true\nmax_runs ", 1);
    let lab = crate::accept::ordered(here.path(), witnessed);
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["plan"]);
    refused(&lab, &["migrate", "--ddl"], "ECL-LOG-044");
    let file = lab.join("run/rehearsals.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("sha256:", "sha256:0", 1)).unwrap();
    for command in [&["migrate", "--ddl"][..], &["plan"]] {
        refused(&lab, command, "ECL-RUN-207");
    }
    // killed on its way, the dry run is made again, and what the earlier ones counted stays
    fs::write(&file, &text).unwrap();
    for at in ["folder.replace.rename.before", "folder.replace.rename.after", "folder.event.fsync.after:3"] {
        dies(&lab, &["plan"], at);
        refused(&lab, &["migrate", "--ddl"], "ECL-LOG-044");
    }
    succeed(&lab, &["plan"]);
    assert!(fs::read_to_string(&file).unwrap().matches("\"instruction\"").count() >= 2);
    // moved away it is begun anew, and the plan's checkpoint has to be seen again
    fs::remove_file(&file).unwrap();
    refused(&lab, &["migrate", "--ddl"], "ECL-LOG-043");
    succeed(&lab, &["plan"]);
}

#[test]
fn a_runs_lines_are_in_the_journal_before_they_go_with_its_record() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    // its day has come
    let mut ledger = read(&lab);
    let day = "2026-01-31".parse().unwrap();
    ledger.copies.iter_mut().filter(|copy| copy.store == Store::Record).for_each(|copy| copy.erase_by = day);
    let bytes = ledger.bytes().unwrap();
    let model = lines(&lab.join("copies")).pop().unwrap();
    let told = Leaf { paper: Some(of_bytes(&bytes)), salt: "5a".repeat(16), ..model };
    RunFolder::existing(&lab.join("copies"), &lab.join("journal")).unwrap().append(told).unwrap();
    fs::write(lab.join("copies.json"), bytes).unwrap();
    // what a command that died noted, and nobody took in
    let run = lab.join("run");
    let model = lines(&run).pop().unwrap();
    let salt = "6b".repeat(16);
    RunFolder::existing(&run, &lab.join("journal"))
        .unwrap()
        .append(Leaf { salt: salt.clone(), ..model })
        .unwrap();
    dies(&lab, &["erase"], "erase.record.event.before");
    assert!(run.is_dir());
    dies(&lab, &["erase"], "erase.record.event.after");
    let said = succeed(&lab, &["journal", "export", "--json", "-o", "before.ndjson"]);
    assert!(!said.is_empty() && run.is_dir());
    // the state is of patients, and stays: the record's folder is not only the record's
    let state = fs::read(run.join("state.age")).unwrap();
    fs::remove_file(run.join("state.age")).unwrap();
    let noted = lines(&run);
    dies(&lab, &["erase"], "overwrite.fsync.after");
    succeed(&lab, &["erase"]);
    assert!(!run.exists() && !state.is_empty());
    let log = fs::read_dir(lab.join("journal/tile/entries/000.p")).unwrap().last().unwrap().unwrap().path();
    let log = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    assert!(log.contains(&salt), "the line of a command that died");
    assert!(noted.iter().all(|leaf| log.contains(&leaf.salt)), "every line");
    assert!(lines(&lab.join("copies")).iter().any(|leaf| leaf.act == Act::Erase && leaf.outcome == "done"));
    succeed(&lab, &["journal", "verify"]);
}
