//! A copy that is not where it was made was not erased: nothing says that it was, and nothing is certified over it.

use std::fs;
use std::path::Path;
use std::process::Command;

use ecluse_core::copies::{Copy, FILE, Ledger, Seen, Store};
use ecluse_core::keys::day;

use crate::reference::{killed, refused};
use crate::sealed::{Sealed, received_at_the_sender};
use crate::{ecluse, now, program, succeed};

fn of(lab: &Path, store: Store) -> Copy {
    let ledger = Ledger::read(&fs::read(lab.join(FILE)).unwrap()).unwrap();
    ledger.copies.into_iter().find(|copy| copy.store == store && copy.taken.is_none()).unwrap()
}

/// Not erased, by this code.
#[track_caller]
fn not_erased(lab: &Path, arguments: &[&str], code: &str) -> String {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(!output.status.success() && said.contains(code), "{said}");
    assert!(!said.contains("every file overwritten"), "{said}");
    said
}

// proves: ERA-02
#[test]
fn an_archive_that_was_moved_away_is_told_and_not_said_to_be_erased() {
    let (here, lab) = received_at_the_sender();
    let (archive, aside) = (lab.join("../archive"), lab.join("../unplugged"));
    let id = of(&lab, Store::Archive).id;
    assert_eq!(of(&lab, Store::Archive).seen, Some(Seen::Stood), "as it took its name");
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    fs::rename(&archive, &aside).unwrap();
    not_erased(&lab, &["erase", "--copy", &id], "ECL-ERA-034");
    let line = of(&lab, Store::Archive);
    assert!(line.ended.is_none() && line.failed.is_some_and(|failed| failed.code == "ECL-ERA-034"));
    assert!(aside.join("000001.age").exists());
    refused(&lab, &["copies"], "ECL-CPY-010");
    // put back, it goes
    fs::rename(&aside, &archive).unwrap();
    let erased = succeed(&lab, &["erase", "--copy", &id]);
    assert!(erased.contains("every file overwritten") && !archive.exists(), "{erased}");
    succeed(&lab, &["copies"]);
    drop(here);
}

// proves: ERA-02
#[test]
fn what_somebody_has_is_open_in_the_place_of_what_is_not_there() {
    let (here, lab) = received_at_the_sender();
    let id = of(&lab, Store::Archive).id;
    fs::rename(lab.join("../archive"), lab.join("../unplugged")).unwrap();
    not_erased(&lab, &["erase", "--copy", &id], "ECL-ERA-034");
    let until = of(&lab, Store::Archive).erase_by.to_string();
    let at = now().to_string();
    let taken =
        ["copies", "taken", &id, "--holder", "Jean Roux", "--at", &at, "--place", "a disk in his safe"];
    let why = ["--until", &until, "--reason", "unplugged by mistake", "--answers", "processor"];
    succeed(&lab, &[&taken[..], &why].concat());
    let erased = succeed(&lab, &["erase", "--copy", &id]);
    assert!(erased.contains("nothing lay there"), "{erased}");
    // the line that says who has it is open now
    let listed = succeed(&lab, &["copies"]);
    assert!(listed.contains("taken by Jean Roux"), "{listed}");
    refused(&lab, &["certify", "propose"], "ECL-");
    drop(here);
}

// What lies behind a link, or under a second name, would stay.
#[test]
fn an_archive_with_a_part_elsewhere_stays_whole() {
    let (here, lab) = received_at_the_sender();
    let id = of(&lab, Store::Archive).id;
    let (part, aside) = (lab.join("../archive/000001.age"), lab.join("../other-disk.age"));
    fs::rename(&part, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &part).unwrap();
    not_erased(&lab, &["erase", "--copy", &id], "ECL-ERA-002");
    assert!(lab.join("../archive/000000.age").exists() && fs::read(&aside).unwrap().len() > 100);
    fs::remove_file(&part).unwrap();
    fs::hard_link(&aside, &part).unwrap();
    not_erased(&lab, &["erase", "--copy", &id], "ECL-ERA-002");
    fs::remove_file(&aside).unwrap();
    succeed(&lab, &["erase", "--copy", &id]);
    assert!(!lab.join("../archive").exists());
    drop(here);
}

// proves: ERA-05
#[test]
fn an_archive_of_a_run_that_lies_elsewhere_waits_for_its_receipt_too() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    succeed(&lab, &["extract", "--run", "../outside", "-o", "../archive"]);
    let id = of(&lab, Store::Archive).id;
    refused(&lab, &["erase", "--copy", &id], "ECL-ERA-008");
    // nor does it go where nobody knows to whom it was sealed
    fs::rename(lab.join("../outside"), lab.join("../away")).unwrap();
    refused(&lab, &["erase", "--copy", &id], "ECL-ERA-008");
    assert!(sealed.archive().join("000001.age").exists());
}

// The folder of a run is one, by whatever name: taken under two, the second would wait for the first.
#[test]
fn on_its_last_day_an_archive_and_the_state_of_its_run_go_in_one_look() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    assert!(sealed.extract(&[]).status.success());
    let days = day(now()).until(of(&lab, Store::Archive).erase_by).unwrap().get_days();
    let erased = Command::new(program())
        .current_dir(&lab)
        .arg("erase")
        .env("ECLUSE_CLOCK_AHEAD", ((i64::from(days) + 1) * 86_400).to_string())
        .output()
        .unwrap();
    assert!(erased.status.success(), "{erased:?}");
    assert!(!sealed.archive().exists() && !lab.join("run/state.age").exists());
}

// A part without its index, and what somebody made of one: neither is the archive that the ledger knew.
// proves: ERA-02
#[test]
fn parts_of_an_archive_that_is_gone_are_found_sealed_and_opened() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    assert!(sealed.extract(&[]).status.success());
    let (kept, opened) = (lab.join("kept.bin"), lab.join("opened.bin"));
    fs::copy(sealed.archive().join("000002.age"), &kept).unwrap();
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(lab.join("keys/recipient.age")).arg("-o").arg(&opened);
    assert!(age.arg(sealed.archive().join("000001.age")).status().unwrap().success());
    sealed.received();
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    let id = of(&lab, Store::Archive).id;
    // killed after its first parts, and ended: what was taken of it before is still known
    assert!(killed(&lab, &["erase", "--copy", &id], "overwrite.fsync.after:4"));
    assert!(sealed.archive().exists());
    let known = of(&lab, Store::Archive).markers;
    succeed(&lab, &["erase", "--copy", &id]);
    assert!(known.len() > 4 && known == of(&lab, Store::Archive).markers, "{known:?}");
    succeed(&lab, &["erase"]);
    for (known, gone) in [(2, &kept), (1, &opened)] {
        let looked = ecluse(&lab, &["erase", "--look"]);
        let told = String::from_utf8_lossy(&looked.stdout).into_owned();
        let short = format!("copy {}", id.get(..8).unwrap());
        let of_it = |line: &&str| line.starts_with("FOUND") && line.contains(&short);
        assert_eq!((looked.status.code(), told.lines().filter(of_it).count()), (Some(1), known), "{told}");
        refused(&lab, &["certify", "propose"], "ECL-CRT-012");
        fs::remove_file(gone).unwrap();
    }
    succeed(&lab, &["erase", "--look"]);
}
