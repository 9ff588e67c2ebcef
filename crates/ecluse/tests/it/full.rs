//! A sealed migration from its extraction to its closing, each command on a disk that is full at one write after another:
//! refused by a code, and ended by the same command once there is room.

use std::fs;
use std::path::Path;

use ecluse_core::copies::{FILE, Ledger, Store};
use ecluse_testkit::disk::Disk;
use ecluse_testkit::leak::Search;

use crate::ecluse;
use crate::load_faults::fill;
use crate::sealed::{Sealed, recipients};

/// Runs a command with one page of room after another until it goes through; how often it did not.
#[track_caller]
fn ended(disk: &Disk, folder: &Path, command: &[&str]) -> u64 {
    let ballast = disk.path().join("ballast");
    let mut last = String::new();
    for left in 0..400 {
        fill(&ballast, left);
        let output = ecluse(folder, command);
        fs::remove_file(&ballast).unwrap();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        // it is through, and its lines wait in the run's folder: the next command takes them into the log. Of what is
        // made over the log, nothing is made before
        let is_through = !command.contains(&"certify") && said.contains("error[ECL-LOG-001]");
        if output.status.success() || is_through {
            return left;
        }
        // nobody is told that all is well, and nothing ends in a panic
        assert!(matches!(output.status.code(), Some(1 | 3)), "{command:?}, {left} pages: {said}");
        assert!(said.contains("ECL-"), "{command:?}, {left} pages: {said}");
        last = said;
    }
    panic!("{command:?} never went through: {last}");
}

#[test]
fn each_command_of_the_sealed_way_outlives_a_disk_that_is_full_at_each_of_its_writes() {
    let Some(disk) = Disk::of(16_384) else { return };
    let sealed = Sealed::within(disk.path());
    let (lab, theirs) = (sealed.lab(), sealed.here.path().join("theirs"));
    let mut failed = Vec::new();
    let mut ends =
        |folder: &Path, command: &[&str]| failed.push((command[0].to_owned(), ended(&disk, folder, command)));
    ends(&lab, &["extract", "-o", "../archive"]);
    recipients(&lab, &theirs);
    ends(&theirs, &["open", "../archive"]);
    ends(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
    sealed.carried_back();
    ends(&lab, &["receipt", "verify", "--archive", "../archive"]);
    ends(&lab, &["accept", "propose"]);
    ends(&lab, &["accept", "sign"]);
    let ledger = Ledger::read(&fs::read(lab.join(FILE)).unwrap()).unwrap();
    let archive = ledger.copies.iter().find(|copy| copy.store == Store::Archive).unwrap();
    ends(&lab, &["erase", "--copy", &archive.id]);
    ends(&lab, &["erase"]);
    ends(&lab, &["erase", "--look"]);
    ends(&lab, &["certify", "propose"]);
    ends(&lab, &["certify", "sign"]);
    ends(&lab, &["close"]);
    ends(&theirs, &["close", "--to", "sqlite:loaded.db"]);
    eprintln!("commands that met the end of their disk: {failed:?}");
    assert!(failed.iter().filter(|(_, often)| *often > 0).count() > 8, "{failed:?}");
    // nothing that was begun and refused has left a row in clear
    let search = Search::new(&["CanariPatient", "CanariValeur"]);
    for folder in [&lab, &theirs.join("load"), &theirs.join("journal"), &theirs.join("copies")] {
        assert_eq!(search.folder(folder), [], "{}", folder.display());
    }
    assert!(!lab.join("run/state.age").exists() && !theirs.join("load/state.age").exists());
    let verdict = ecluse(&lab, &["verify", "evidence.tar"]);
    let said = String::from_utf8_lossy(&verdict.stderr).into_owned();
    assert!(said.contains("ECL-EVI-002") && verdict.status.code() == Some(1), "{said}");
}
