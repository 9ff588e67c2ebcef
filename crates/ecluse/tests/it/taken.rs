//! A copy that somebody took: entered, open whatever its day, stated to be destroyed, told in the evidence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_core::copies::{Ledger, Store};
use ecluse_core::destruction::file;
use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::signatures;
use ecluse_flow::event::{self, Act, Leaf};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;
use serde_json::Value;

use crate::accept::{moved, ordered, refused};
use crate::closed::{accept, certify, erase};
use crate::evidence::fingerprint;
use crate::{ecluse, now, program, succeed};

/// The trial's operator, who has a key in its contract.
const HOLDER: &str = "Dorothée Essai-Reprise";
/// Somebody whom the contract does not list.
const STRANGER: &str = "Jeanne Colin";
const CANARY: &str = "Zorglub-4471";
const PLACE: &str = "USB disk 7, safe in Lyon";

fn read(lab: &Path) -> Ledger {
    Ledger::read(&fs::read(lab.join("copies.json")).unwrap()).unwrap()
}

/// The id of what moved rows leave in the run folder.
fn state(lab: &Path) -> String {
    read(lab).copies.iter().find(|copy| copy.store == Store::Record).unwrap().id.clone()
}

/// The lines of a folder's events.
fn lines(folder: &Path) -> Vec<Leaf> {
    event::verify(&fs::read(folder.join("events.jsonl")).unwrap()).unwrap().leaves
}

/// The command that enters that somebody took it just now.
fn entering(lab: &Path, holder: &str) -> Vec<String> {
    let of = state(lab);
    let at = now().to_string();
    let until = { read(lab) }.one(&of).unwrap().erase_by.to_string();
    let flags = [
        ("--holder", holder),
        ("--at", at.as_str()),
        ("--place", PLACE),
        ("--until", until.as_str()),
        ("--reason", "load rehearsal"),
    ];
    let mut command = ["copies", "taken", &of].map(str::to_owned).to_vec();
    command.extend(flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()]));
    command
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// Enters it; the line's id.
fn take(lab: &Path, holder: &str, more: &[&str]) -> String {
    let command = entering(lab, holder);
    let said = succeed(lab, &[&words(&command)[..], more, &["--json"]].concat());
    let said: Value = serde_json::from_str(&said).unwrap();
    said["id"].as_str().unwrap().to_owned()
}

/// The command that states that it was destroyed just now.
fn stating(id: &str, more: &[&str]) -> Vec<String> {
    let at = now().to_string();
    let how =
        ["copies", "state", id, "--method", "destroy", "--how", "disk shredded, seen by two", "--at", &at];
    how.iter().chain(&["--limits", "none known"]).chain(more).map(|word| (*word).to_owned()).collect()
}

fn state_it(lab: &Path, id: &str, more: &[&str]) {
    succeed(lab, &words(&stating(id, more)));
}

/// An accepted and erased migration of which nobody certified anything yet; each name that moved is a canary.
fn erased(here: &Path) -> PathBuf {
    let lab = ordered(here, |order| order);
    let old = Connection::open(here.join("old.db")).unwrap();
    old.execute("UPDATE patient SET nom = ?1 || id", [CANARY]).unwrap();
    drop(old);
    succeed(&lab, &["migrate", "--ddl"]);
    accept(&lab);
    erase(&lab, &[]);
    lab
}

fn certify_anew(lab: &Path) {
    for name in ["certificate.toml", "certificate.toml.sigs"] {
        let _ = fs::rename(lab.join(name), lab.join(format!("{name}.old")));
    }
    let _ = fs::remove_dir_all(lab.join("certificate.toml.sigs"));
    certify(lab);
}

// proves: ERA-05
#[test]
fn a_copy_that_somebody_took_is_open_until_it_is_stated_that_it_was_destroyed() {
    let here = tempfile::tempdir().unwrap();
    let lab = erased(here.path());
    let before = fs::read(lab.join("copies.json")).unwrap();
    let command = entering(&lab, HOLDER);
    let dry = succeed(&lab, &[&words(&command)[..], &["--dry-run"]].concat());
    assert!(dry.contains("would be entered") && dry.contains(PLACE), "{dry}");
    assert_eq!(fs::read(lab.join("copies.json")).unwrap(), before, "a dry run enters nothing");
    let id = take(&lab, HOLDER, &[]);
    // announced like every change, and noted in the run's journal, which takes it into the log
    let noted = |folder: &Path, act: Act| {
        let digest = of_bytes(&fs::read(lab.join("copies.json")).unwrap());
        let done = |leaf: &Leaf| leaf.act == act && leaf.outcome == "done";
        lines(folder).iter().any(|leaf| done(leaf) && leaf.paper.as_deref() == Some(&digest))
    };
    assert!(noted(&lab.join("run"), Act::Taken) && noted(&lab.join("copies"), Act::Copies));
    succeed(&lab, &["journal", "verify"]);
    for command in [&["copies"][..], &["status"], &["next"]] {
        let said = succeed(&lab, command);
        assert!(said.contains(HOLDER) && said.contains(PLACE), "{command:?}: {said}");
    }
    succeed(&lab, &["report"]);
    assert!(succeed(&lab, &["next"]).contains("whoever took the copy"));
    let page = fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(
        page.contains("copie emportée par") && page.contains("sans déclaration de destruction"),
        "{page}"
    );
    // neither its day nor a hold ends it
    refused(&lab, &["certify", "propose"], "ECL-CPY-017");
    refused(&lab, &["copies", "verify"], "ECL-CPY-017");
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains(HOLDER));
    succeed(
        &lab,
        &["hold", &id, "--reason", "a dispute", "--approved-by", STRANGER, "--until", "2999-01-31"],
    );
    refused(&lab, &["certify", "propose"], "ECL-CRT-010");
    refused(&lab, &["copies", "verify"], "ECL-CPY-017");
    succeed(&lab, &["hold", &id, "--release"]);
    refused(&lab, &["erase", "--copy", &id], "ECL-CPY-008");
    // the statement, and nobody's but the holder's
    refused(&lab, &words(&stating(&id, &["--by", "Cyprien Essai-Éditeur"])), "ECL-DES-006");
    refused(&lab, &words(&stating(&id, &["--by", STRANGER])), "ECL-DES-006");
    state_it(&lab, &id, &[]);
    assert!(succeed(&lab, &["next"]).contains("copies sign"));
    refused(&lab, &["certify", "propose"], "ECL-CPY-017");
    for role in ["processor-signatory", "controller-signatory", "recipient"] {
        refused(&lab, &["copies", "sign", &id, "--key", &format!("keys/{role}")], "ECL-CLI-016");
    }
    let said = succeed(&lab, &["copies", "sign", &id, "--key", "keys/operator"]);
    assert!(said.contains("is taken in") && said.contains("no proof that no other copy exists"), "{said}");
    assert!(noted(&lab.join("run"), Act::Copies));
    assert!(succeed(&lab, &["copies", "sign", &id]).contains("taken in before"));
    refused(&lab, &words(&stating(&id, &[])), "ECL-CPY-005");
    assert!(!succeed(&lab, &["copies"]).contains(PLACE));
    assert!(succeed(&lab, &["copies", "--all"]).contains(PLACE));
    succeed(&lab, &["copies", "verify"]);
    certify(&lab);
    let trust = fingerprint(&lab);
    let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("disk shredded, seen by two") && said.contains(&file(&id)), "{said}");
    // one that is taken after the certificate is no part of what was certified
    let later = take(&lab, STRANGER, &["--answers", "controller"]);
    refused(&lab, &["certify", "verify"], "ECL-CPY-017");
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains(STRANGER));
    state_it(&lab, &later, &[]);
    refused(&lab, &["copies", "sign", &later, "--key", "keys/processor-signatory"], "ECL-CLI-016");
    succeed(&lab, &["copies", "sign", &later]);
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("does not tell of the copy"));
    certify_anew(&lab);
    succeed(&lab, &["verify", "evidence.tar", "--trust", &trust]);
    assert!(succeed(&lab, &["close"]).contains("the run's keys are destroyed"));
    let found = Search::new(&[CANARY]).folder(&lab);
    assert!(found.is_empty(), "no value of a patient's: {found:?}");
    // and the paper that was taken in stays what it rests on
    let paper = lab.join(file(&id));
    let text = fs::read_to_string(&paper).unwrap();
    let burnt = text.replacen("shredded", "burnt", 1);
    fs::write(&paper, &burnt).unwrap();
    for command in [&["copies"][..], &["copies", "verify"], &["status"]] {
        refused(&lab, command, "ECL-SGN-021");
    }
    // the holder's own, of later
    let key = fs::read(lab.join("keys/operator")).unwrap();
    let (signature, _) = signatures::sign(Kind::Destruction, burnt.as_bytes(), &key).unwrap();
    let signed = fs::read_dir(lab.join(format!("{}.sigs", file(&id)))).unwrap().next().unwrap().unwrap();
    fs::write(signed.path(), signature).unwrap();
    for command in [&["copies"][..], &["copies", "verify"], &["status"]] {
        refused(&lab, command, "ECL-CPY-018");
    }
    fs::remove_file(&paper).unwrap();
    assert_eq!(ecluse(&lab, &["copies"]).status.code(), Some(1), "a paper that is not there");
}

// proves: ERA-05
#[test]
fn what_cannot_be_entered_or_stated_is_refused_by_its_code() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    let before = fs::read(lab.join("copies.json")).unwrap();
    let command = entering(&lab, HOLDER);
    let with = |flag: &str, value: &str| -> Vec<String> {
        let at = command.iter().position(|word| word == flag).unwrap();
        let mut changed = command.clone();
        changed[at + 1] = value.to_owned();
        changed
    };
    let usage = |command: &[String], code: &str| {
        let output = ecluse(&lab, &words(command));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(code) && output.status.code() != Some(0), "{command:?}: {said}");
    };
    for (flag, value, code) in [
        ("--holder", "support", "ECL-CPY-012"),
        ("--holder", STRANGER, "ECL-CPY-016"),
        ("--at", "2999-01-01T00:00:00Z", "ECL-CPY-013"),
        ("--at", "2020-01-01T00:00:00Z", "ECL-CPY-013"),
        ("--until", "2999-01-01", "ECL-CPY-014"),
        ("--place", " ", "ECL-CPY-015"),
        ("--reason", "the dossier of 2 79 03 51 215 189 89", "ECL-CPY-015"),
    ] {
        usage(&with(flag, value), code);
    }
    usage(&[&command[..], &["--answers".to_owned(), "controller".to_owned()]].concat(), "ECL-CPY-016");
    assert_eq!(fs::read(lab.join("copies.json")).unwrap(), before);
    // one of ours is not stated away
    usage(&stating(&state(&lab), &[]), "ECL-CPY-006");
    let id = take(&lab, HOLDER, &[]);
    let late = |at: &str| {
        let mut command = stating(&id, &[]);
        let place = command.iter().position(|word| word == "--at").unwrap();
        command[place + 1] = at.to_owned();
        usage(&command, "ECL-DES-007");
    };
    late("2999-01-01T00:00:00Z");
    late("2020-01-01T00:00:00Z");
    let mut patient = stating(&id, &[]);
    let place = patient.iter().position(|word| word == "--how").unwrap();
    patient[place + 1] = "with the paper of 279035121518989".to_owned();
    usage(&patient, "ECL-DES-004");
    assert!(!lab.join("destroyed").exists(), "nothing is written that would not count");
    // changed before it was signed, it is not what was entered
    state_it(&lab, &id, &[]);
    let paper = lab.join(file(&id));
    let text = fs::read_to_string(&paper).unwrap();
    for (from, to, code) in [
        (PLACE, "USB disk 8", "ECL-DES-005"),
        (id.as_str(), &"0c".repeat(16), "ECL-DES-005"),
        ("by       = \"Dorothée", "by       = \"Cyprien", "ECL-DES-006"),
        ("method   = \"destroy\"", "method   = \"delete\"", "ECL-DES-004"),
        ("It is their word and no proof", "It is proven", "ECL-DES-004"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        fs::write(&paper, forged).unwrap();
        refused(&lab, &["copies", "sign", &id, "--key", "keys/operator"], code);
    }
    fs::write(&paper, &text).unwrap();
    // a signature over other words, put there by hand
    succeed(&lab, &["copies", "sign", &id, "--key", "keys/operator"]);
    // another migration's: the ledger there has no such line, and its own line no such statement
    let there = tempfile::tempdir().unwrap();
    let other = moved(there.path());
    let theirs = take(&other, HOLDER, &[]);
    usage_at(&other, &["copies", "sign", &id], "ECL-CPY-002");
    fs::create_dir_all(other.join("destroyed")).unwrap();
    fs::copy(&paper, other.join(file(&theirs))).unwrap();
    fs::create_dir_all(other.join(format!("{}.sigs", file(&theirs)))).unwrap();
    for entry in fs::read_dir(lab.join(format!("{}.sigs", file(&id)))).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), other.join(format!("{}.sigs", file(&theirs))).join(entry.file_name()))
            .unwrap();
    }
    refused(&other, &["copies", "sign", &theirs], "ECL-DES-005");
    refused(&other, &["copies", "verify"], "ECL-SGN");
}

fn usage_at(lab: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(code) && output.status.code() == Some(2), "{arguments:?}: {said}");
}

// proves: ERA-05
#[test]
fn past_its_day_it_is_late_and_still_open() {
    let here = tempfile::tempdir().unwrap();
    let lab = erased(here.path());
    let command = entering(&lab, HOLDER);
    let at = command.iter().position(|word| word == "--until").unwrap();
    let mut late = command.clone();
    late[at + 1] = "2026-01-31".to_owned();
    succeed(&lab, &words(&late));
    for command in [&["copies"][..], &["status"], &["next"]] {
        assert!(refused(&lab, command, "ECL-CPY-010").contains("OUTSTANDING"), "{command:?}");
    }
    // an eraser of ours does not pass it by as gone
    succeed(&lab, &["erase"]);
    let id = read(&lab).outside().next().unwrap().0.id.clone();
    assert!(read(&lab).one(&id).unwrap().ended.is_none());
    assert_eq!(ecluse(&lab, &["certify", "propose"]).status.code(), Some(1));
    state_it(&lab, &id, &[]);
    succeed(&lab, &["copies", "sign", &id]);
    succeed(&lab, &["status"]);
}

/// Killed at each step of what is written, and ended by the same command.
// proves: ERA-05
#[test]
fn killed_anywhere_the_same_command_ends_it() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    let dies = |command: &[String], at: &str| {
        let died =
            Command::new(program()).current_dir(&lab).args(command).env("ECLUSE_FAILPOINT", at).output();
        assert_eq!(died.unwrap().status.code(), None, "{at}: it did not die");
    };
    let announced = [
        "folder.event.fsync.after",
        "folder.event.fsync.after:2",
        "papers.replace.rename.before",
        "papers.replace.rename.after",
        "copies.entry.fsync.before",
        "copies.entry.fsync.after",
        "folder.event.fsync.after:3",
        "folder.event.fsync.after:4",
    ];
    for (number, at) in announced.into_iter().enumerate() {
        let mut command = entering(&lab, HOLDER);
        let place = command.iter().position(|word| word == "--place").unwrap();
        command[place + 1] = format!("disk {number}");
        dies(&command, at);
        succeed(&lab, &["copies"]);
        succeed(&lab, &words(&command));
        succeed(&lab, &["journal", "verify"]);
        let there = read(&lab).outside().filter(|(copy, _)| copy.place == format!("disk {number}")).count();
        assert_eq!(there, 1, "{at}");
    }
    let ids: Vec<String> = read(&lab).outside().map(|(copy, _)| copy.id.clone()).collect();
    for at in ["papers.replace.fsync.before", "papers.replace.rename.before", "papers.replace.rename.after"] {
        dies(&stating(&ids[0], &[]), at);
        state_it(&lab, &ids[0], &[]);
    }
    // the signature is put first, then the ledger: two replacements
    let signing = [
        "papers.replace.rename.before",
        "papers.replace.rename.after",
        "folder.event.fsync.after",
        "folder.event.fsync.after:2",
        "papers.replace.rename.before:2",
        "papers.replace.rename.after:2",
        "copies.entry.fsync.after",
        "folder.event.fsync.after:4",
    ];
    for (id, at) in ids.iter().zip(signing) {
        state_it(&lab, id, &[]);
        dies(&["copies", "sign", id].map(str::to_owned), at);
        succeed(&lab, &["copies"]);
        succeed(&lab, &["copies", "sign", id]);
        assert!(read(&lab).one(id).unwrap().ended.is_some(), "{at}");
    }
    succeed(&lab, &["copies", "verify"]);
    succeed(&lab, &["journal", "verify"]);
}

/// What was entered before there was a run is noted beside the ledger, and the log has it.
// proves: ERA-05
#[test]
fn it_is_noted_where_there_is_no_run_yet() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    fs::rename(lab.join("run"), lab.join("run.away")).unwrap();
    let id = take(&lab, HOLDER, &[]);
    let done =
        lines(&lab.join("copies")).into_iter().filter(|leaf| leaf.act == Act::Taken).collect::<Vec<_>>();
    assert!(done.iter().all(|leaf| leaf.object == id) && done.len() == 2, "{done:?}");
    succeed(&lab, &["journal", "verify"]);
}
