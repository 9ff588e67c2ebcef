//! What stands in the ledger of copies is erased without anybody looking: so nothing that somebody else made comes into
//! it, and whatever écluse left of a copy goes with it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_core::copies::{Birth, Copy, FILE, Ledger, Store};
use ecluse_seal::Identity;
use ecluse_testkit::kill::VARIABLE;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};

use crate::carried::{bent, beside};
use crate::closed::{accept, certify, copied, copies, erase};
use crate::load::Machine;
use crate::reference::{killed, refused};
use crate::returned::Back;
use crate::sealed::Sealed;
use crate::{accept, ecluse, now, program, succeed};

/// The lines of copies that stand, none where no ledger was begun.
fn standing(lab: &Path) -> Vec<Copy> {
    let Ok(bytes) = fs::read(lab.join(FILE)) else { return Vec::new() };
    Ledger::read(&bytes).unwrap().copies.into_iter().filter(|copy| copy.ended.is_none()).collect()
}

fn places(lab: &Path, store: Store) -> Vec<String> {
    standing(lab).into_iter().filter(|copy| copy.store == store).map(|copy| copy.place).collect()
}

/// The id of the one archive that stands.
fn archive(lab: &Path) -> String {
    let mut all = standing(lab).into_iter().filter(|copy| copy.store == Store::Archive);
    let one = all.next().unwrap();
    assert!(all.next().is_none());
    one.id
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    all
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn is_in(place: &str, all: &[String]) -> bool {
    all.iter().any(|one| one.ends_with(place))
}

// proves: ERA-01
#[test]
fn somebody_elses_folder_under_a_refused_name_is_no_copy_of_ours() {
    let (sealed, back) = (Sealed::new(), Back::signed());
    let first = sealed.extract(&[]);
    assert!(first.status.success(), "{}", said(&first));
    for (lab, command) in [(sealed.lab(), "extract"), (back.lab(), "return")] {
        // an archive like ours, which the laboratory keeps for itself
        let own = lab.parent().unwrap().join("share/labs-own-copy");
        copied(&sealed.archive(), &own);
        let before = files(&own);
        let output = ecluse(&lab, &[command, "-o", "../share/labs-own-copy"]);
        assert!(said(&output).contains("ECL-ARC-001"), "{}", said(&output));
        assert!(!is_in("labs-own-copy", &places(&lab, Store::Archive)), "{command}");
        for taken in ["keys", "run"].into_iter().filter(|taken| lab.join(taken).exists()) {
            let output = ecluse(&lab, &[command, "-o", taken]);
            assert!(said(&output).contains("ECL-ARC-001"), "{taken}: {}", said(&output));
            assert!(!is_in(taken, &places(&lab, Store::Archive)), "{command} {taken}");
        }
        assert_eq!(files(&own), before);
    }
    // the same of a run folder, which would be written to and erased on the day
    let beside = tempfile::tempdir().unwrap();
    let another = accept::moved(beside.path());
    let before = files(&another);
    let taken = another.join("run").display().to_string();
    let lab = sealed.lab();
    for command in [&["extract", "-o", "../second"][..], &["plan"]] {
        let command = [command, &["--run", &taken]].concat();
        let output = ecluse(&lab, &command);
        let refused = ["ECL-CPY-009", "ECL-RUN-031"].iter().any(|code| said(&output).contains(code));
        assert!(!output.status.success() && refused, "{command:?}: {}", said(&output));
        assert!(!is_in("lab/run", &places(&lab, Store::Record)), "{command:?}");
        assert!(!is_in("second", &places(&lab, Store::Archive)), "{command:?}");
    }
    refused(&lab, &["plan", "--run", &taken], "ECL-CPY-009");
    assert_eq!(files(&another), before);
}

// proves: ERA-01
#[test]
fn an_archive_is_a_copy_before_its_first_byte_stands() {
    let back = Back::signed();
    // the run's folder first, which a start must hold before it may speak of an archive
    let died = back.run(&[(VARIABLE, "copies.entry.fsync.after")]);
    assert!(died.status.code().is_none(), "{}", said(&died));
    assert!(is_in("return", &places(&back.lab(), Store::Record)) && !back.lab().join("return").exists());
    assert!(places(&back.lab(), Store::Archive).is_empty());
    // then what stands by now, the state, and the archive
    let died = back.run(&[(VARIABLE, "copies.entry.fsync.after:3")]);
    assert!(died.status.code().is_none(), "{}", said(&died));
    assert!(is_in("return/state.age", &places(&back.lab(), Store::State)));
    assert!(is_in("archive", &places(&back.lab(), Store::Archive)));
    assert!(!back.here.path().join("archive.part").exists());
    let died = back.run(&[(VARIABLE, "archive.made.fsync.before")]);
    assert!(died.status.code().is_none(), "{}", said(&died));
    assert!(back.run(&[]).status.success());
}

// proves: ERA-01
#[test]
fn an_archive_that_was_refused_is_no_copy() {
    let (sealed, back) = (Sealed::new(), Back::signed());
    let first = sealed.extract(&[]);
    assert!(first.status.success(), "{}", said(&first));
    let died = back.run(&[(VARIABLE, "archive.rename.before")]);
    assert!(died.status.code().is_none(), "{}", said(&died));
    // while another process has the run
    for (lab, command, run) in [(sealed.lab(), "extract", "run"), (back.lab(), "return", "return")] {
        let listed = || [Store::Archive, Store::State, Store::Record].map(|store| places(&lab, store));
        let before = listed();
        let lock = File::open(lab.join(run).join("lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let output = ecluse(&lab, &[command, "-o", "../never"]);
        assert!(said(&output).contains("ECL-RUN-203"), "{command}: {}", said(&output));
        assert_eq!(listed(), before, "{command}");
        assert!(!lab.parent().unwrap().join("never.part").exists(), "{command}");
        drop(lock);
    }
    // of three at once, the one that took the run
    let sealed = Sealed::new();
    let all: Vec<_> = ["one", "two", "three"]
        .iter()
        .map(|name| {
            let mut command = std::process::Command::new(program());
            command.current_dir(sealed.lab()).args(["extract", "-o", &format!("../{name}")]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            (*name, command.spawn().unwrap())
        })
        .collect();
    let made =
        all.into_iter().filter_map(|(name, mut child)| child.wait().unwrap().success().then_some(name));
    let made: Vec<&str> = made.collect();
    let listed = places(&sealed.lab(), Store::Archive);
    assert!(!made.is_empty() && listed.len() == made.len(), "{made:?} {listed:?}");
    assert!(made.iter().all(|name| is_in(name, &listed)), "{made:?} {listed:?}");
}

// What is erased, checked or handed over as a whole holds no archive of its own.
#[test]
fn no_archive_lies_inside_another_or_a_run_or_the_journal() {
    let (sealed, back) = (Sealed::new(), Back::signed());
    assert!(sealed.extract(&[]).status.success() && back.run(&[]).status.success());
    for (lab, command, run) in [(sealed.lab(), "extract", "run"), (back.lab(), "return", "return")] {
        let before = (files(&lab.join("../archive")), files(&lab.join(run)));
        for inside in
            ["../archive/inner", "../archive/a/b", "journal/inner", &format!("{run}/inner"), "copies/inner"]
        {
            let output = ecluse(&lab, &[command, "-o", inside]);
            assert!(said(&output).contains("ECL-ARC-013"), "{inside}: {}", said(&output));
            assert!(!is_in(inside, &places(&lab, Store::Archive)), "{inside}");
        }
        assert!((files(&lab.join("../archive")), files(&lab.join(run))) == before, "{command}");
    }
}

// A line of a copy that came after the end would keep it open for ever.
// proves: ERA-01
#[test]
fn a_closed_migration_seals_and_lists_nothing_more() {
    let back = certified();
    let lab = back.lab();
    succeed(&lab, &["close"]);
    let (sealed_, sealed) = crate::sealed::received_at_the_sender();
    for step in [&["accept", "propose"][..], &["accept", "sign"]] {
        succeed(&sealed, step);
    }
    for step in [&["erase", "--copy", &archive(&sealed)][..], &["erase"], &["erase", "--look"]] {
        succeed(&sealed, step);
    }
    certify(&sealed);
    succeed(&sealed, &["close"]);
    for (lab, command, papers) in [
        (&lab, "return", &["return-receipt.toml"][..]),
        (&sealed, "extract", &["receipt.toml", "acceptance.toml"]),
    ] {
        let before = fs::read(lab.join(FILE)).unwrap();
        refused(lab, &[command, "-o", "../again"], "ECL-CLO-002");
        // and where what lies beside it says nothing of it
        papers.iter().for_each(|name| fs::rename(lab.join(name), lab.join(format!("{name}.aside"))).unwrap());
        refused(lab, &[command, "-o", "../again"], "ECL-CLO-002");
        papers.iter().for_each(|name| fs::rename(lab.join(format!("{name}.aside")), lab.join(name)).unwrap());
        assert!(fs::read(lab.join(FILE)).unwrap() == before, "{command}: {:?}", standing(lab));
        assert!(succeed(lab, &["close"]).contains("closed before"), "{command}");
    }
    drop(sealed_);
}

// proves: ERA-01
#[test]
fn a_load_takes_no_run_folder_but_its_own() {
    // another migration's
    let (machine, here) = (Machine::new(), tempfile::tempdir().unwrap());
    let sender = accept::moved(here.path());
    let (before, run) = (files(&sender), sender.join("run").display().to_string());
    refused(&machine.lab(), &machine.load(&["--run", &run]), "ECL-CPY-009");
    assert!(standing(&machine.lab()).is_empty() && files(&sender) == before);
    // the sender's, where both are one folder: sealed to the operator, or with lines of a dry run
    let sealed = Sealed::new();
    succeed(&sealed.lab(), &["plan", "--run", "dry"]);
    assert!(sealed.extract(&[]).status.success());
    let (lab, listed) = (sealed.lab(), standing(&sealed.lab()));
    for (run, code) in [("run", "ECL-SEA-"), ("dry", "ECL-RUN-013")] {
        let before = files(&lab.join(run));
        let load = ["load", "../archive", "--to", "sqlite:loaded.db", "--ddl", "--run", run];
        refused(&lab, &load, code);
        assert_eq!(files(&lab.join(run)), before, "{run}");
        assert_eq!(standing(&lab), listed, "{run}");
    }
}

// A ledger at a destination is listed when it is made.
#[test]
fn a_load_that_is_refused_before_a_row_lists_no_ledger() {
    let machine = Machine::new();
    let load = machine.load(&[]);
    let without: Vec<&str> = load.iter().copied().filter(|word| *word != "--ddl").collect();
    refused(&machine.lab(), &without, "ECL-PLN-008");
    assert_eq!(places(&machine.lab(), Store::Ledger), Vec::<String>::new());
    // and it is listed before it is made
    assert!(killed(&machine.lab(), &load, "sqlite_open.commit.before"));
    assert_eq!(places(&machine.lab(), Store::Ledger).len(), 1);
    succeed(&machine.lab(), &load);
    assert_eq!(places(&machine.lab(), Store::Ledger).len(), 1);
}

#[test]
fn an_extraction_from_another_source_speaks_of_no_destination() {
    let sealed = Sealed::new();
    let old = Connection::open(sealed.here.path().join("old.db")).unwrap();
    old.execute_batch("ALTER TABLE patient ADD COLUMN ville VARCHAR(40)").unwrap();
    let output = sealed.extract(&[]);
    let said = said(&output);
    assert!(!output.status.success() && said.contains("ECL-PLN-"), "{said}");
    assert!(!said.contains("ECL-PLN-008") && !said.contains("--ddl"), "{said}");
    assert!(standing(&sealed.lab()).is_empty(), "and nothing is listed");
}

/// A return that died with parts in `archive.part`, of a migration that was accepted.
fn died() -> Back {
    let back = Back::signed();
    succeed(&back.lab(), &["migrate", "--ddl"]);
    accept(&back.lab());
    let died = back.run(&[(VARIABLE, "archive.settle.fsync.after:3")]);
    assert!(died.status.code().is_none(), "{}", said(&died));
    let part = back.here.path().join("archive.part");
    assert!(part.join("000001.age").exists() && !back.archive().exists());
    back
}

// proves: ERA-02
#[test]
fn what_a_dead_return_left_goes_with_its_copy_and_refuses_the_certificate_until_then() {
    let back = died();
    let (lab, part) = (back.lab(), back.here.path().join("archive.part"));
    succeed(&lab, &["erase"]);
    let looked = refused(&lab, &["erase", "--look"], "ECL-ERA-023");
    assert!(looked.contains("1 place"), "{looked}");
    refused(&lab, &["certify", "propose"], "ECL-CRT-018");
    // a process that writes there is not disturbed
    let held = File::open(part.join(".ecluse-part")).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    let id = archive(&lab);
    let output = ecluse(&lab, &["erase", "--copy", &id]);
    assert!(said(&output).contains("ECL-ERA-001") && part.join("000001.age").exists(), "{}", said(&output));
    drop(held);
    let erased = succeed(&lab, &["erase", "--copy", &id]);
    assert!(erased.contains("every file overwritten"), "{erased}");
    assert!(!part.exists() && !is_in("archive", &places(&lab, Store::Archive)));
    succeed(&lab, &["erase", "--look"]);
}

// proves: ERA-02
#[test]
fn an_archive_that_died_with_its_mark_on_is_erased_like_any_other() {
    let back = Back::signed();
    let died = back.run(&[(VARIABLE, "archive.rename.after")]);
    assert!(died.status.code().is_none() && back.archive().join(".ecluse-part").exists());
    let (lab, id) = (back.lab(), archive(&back.lab()));
    let due = standing(&lab).into_iter().find(|copy| copy.id == id).unwrap().erase_by;
    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let ahead = (today.until(due).unwrap().get_days() * 86_400).to_string();
    let erase = || {
        let mut command = Command::new(program());
        command.current_dir(&lab).arg("erase").env("ECLUSE_CLOCK_AHEAD", &ahead).output().unwrap()
    };
    // what is not ours is not erased, and its name is not said: it can be a patient's
    let letter = back.archive().join("Helene Dupont.odt");
    fs::write(&letter, b"somebody's own").unwrap();
    let told = said(&erase());
    assert!(told.contains("-inum") && told.contains("ECL-ERA-002"), "{told}");
    assert!(!told.contains("Helene") && letter.exists(), "{told}");
    fs::remove_file(&letter).unwrap();
    let output = erase();
    assert!(output.status.success() && !back.archive().exists(), "{}", said(&output));
}

// A publisher's own program could put more under the laboratory's receipt than the order returns.
// proves: ERA-11
#[test]
fn files_that_no_order_returns_are_received_by_nobody() {
    let back = Back::signed();
    let made = back.run(&[]);
    assert!(made.status.success(), "{}", said(&made));
    let own = back.own();
    let text = fs::read_to_string(own.join("keys/controller-signatory.age")).unwrap();
    bent(&back.archive(), &Identity::parse(&text).unwrap(), &back.lab(), beside);
    succeed(&own, &["inspect", "../archive"]);
    for more in [&[][..], &["--receipt"]] {
        refused(&own, &[&["open", "../archive"], more].concat(), "ECL-LOA-037");
    }
    assert!(!own.join("return-receipt.toml").exists());
}

/// A migration with a return that was received, certified; the archive is erased.
fn certified() -> Back {
    let back = Back::signed();
    let lab = back.lab();
    succeed(&lab, &["migrate", "--ddl"]);
    let made = back.run(&[]);
    assert!(made.status.success(), "{}", said(&made));
    back.received();
    accept(&lab);
    succeed(&lab, &["erase", "--copy", &archive(&lab)]);
    erase(&lab, &[]);
    certify(&lab);
    back
}

// proves: EXT-07
#[test]
fn closing_destroys_what_the_return_kept_killed_anywhere() {
    let back = certified();
    let (lab, here) = (back.lab(), back.here.path().to_owned());
    let states = || ["run/state.age", "return/state.age"].map(|name| lab.join(name).exists());
    assert_eq!(states(), [true, true]);
    let id = standing(&lab).into_iter().find(|copy| copy.place == "return/state.age").unwrap().id;
    let hold =
        ["hold", &id, "--reason", "a complaint", "--approved-by", "Claire Fontaine", "--until", "2999-01-31"];
    succeed(&lab, &hold);
    let open = ecluse(&lab, &["close"]);
    assert!(said(&open).contains("return/state.age") && said(&open).contains("ECL-CLO-001"));
    succeed(&lab, &["hold", &id, "--release"]);
    let kept = here.join("kept");
    copied(&lab, &kept.join("lab"));
    fs::copy(here.join("new.db"), kept.join("new.db")).unwrap();
    for failpoint in [
        "folder.event.fsync.after",
        "folder.destroy.rename.after",
        "folder.destroy.entry.fsync.after",
        "folder.event.before:2",
        "papers.replace.rename.before",
        "folder.event.before:4",
        "folder.destroy.rename.after:2",
    ] {
        assert!(killed(&lab, &["close"], failpoint), "{failpoint}: it did not die");
        assert!(succeed(&lab, &["close"]).contains("closed"), "{failpoint}");
        assert_eq!(states(), [false, false], "{failpoint}");
        assert_eq!(places(&lab, Store::State), Vec::<String>::new(), "{failpoint}");
        succeed(&lab, &["journal", "verify"]);
        succeed(&lab, &["certify", "verify"]);
        fs::remove_dir_all(&lab).unwrap();
        copied(&kept.join("lab"), &lab);
        fs::copy(kept.join("new.db"), here.join("new.db")).unwrap();
    }
}

// proves: ERA-05
#[test]
fn the_state_of_another_run_folder_keeps_the_migration_open() {
    let here = tempfile::tempdir().unwrap();
    let lab = accept::moved(here.path());
    let (id, other) = ("4f".repeat(16), lab.join("second/state.age"));
    fs::create_dir(lab.join("second")).unwrap();
    fs::set_permissions(lab.join("second"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(lab.join("run/state.age"), &other).unwrap();
    let (store, place, marker) = (Store::State, "second/state.age".to_owned(), String::new());
    let erase_by = "2999-01-31".parse().unwrap();
    copies(&lab, |ledger| ledger.born(Birth { id: id.clone(), store, place, erase_by, marker }, now()));
    // nobody knows yet which run is the one
    refused(&lab, &["erase", "--copy", &id], "ECL-CPY-008");
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    let open = said(&ecluse(&lab, &["close"]));
    assert!(open.contains("second/state.age") && open.contains("ecluse erase --copy 4f4f4f4f"), "{open}");
    assert!(lab.join("run/state.age").exists());
    let own = standing(&lab).into_iter().find(|copy| copy.place == "run/state.age").unwrap().id;
    refused(&lab, &["erase", "--copy", &own], "ECL-CPY-008");
    succeed(&lab, &["erase", "--copy", "4f4f4f4f"]);
    assert!(!other.exists());
    // what was erased since is told by a certificate that comes after
    for name in ["certificate.toml", "certificate.toml.sigs"] {
        fs::rename(lab.join(name), lab.join(format!("{name}.old"))).unwrap();
    }
    erase(&lab, &[]);
    certify(&lab);
    succeed(&lab, &["close"]);
    assert_eq!(places(&lab, Store::State), Vec::<String>::new());
}
