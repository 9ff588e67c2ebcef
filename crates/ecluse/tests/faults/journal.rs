//! The journal when things go wrong around it: death at each of its failpoints, a full disk, one that is read only.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_flow::event::{Act, Head, Leaf};
use ecluse_testkit::disk::Disk;
use ecluse_testkit::kill::{VARIABLE, failpoints};
use rusqlite::Connection;

/// A trial whose order is signed; nothing was journaled yet.
fn ordered(here: &Path) -> PathBuf {
    let old = "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60)); INSERT INTO patient VALUES (1, 'Nom1')";
    Connection::open(here.join("old.db")).unwrap().execute_batch(old).unwrap();
    holds(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    holds(&lab, &["survey"]);
    holds(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    holds(&lab, &["instruction", "sign"]);
    lab
}

fn ecluse(folder: &Path, arguments: &[&str], failpoint: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
    command.current_dir(folder).args(arguments).env_remove(VARIABLE);
    if !failpoint.is_empty() {
        command.env(VARIABLE, failpoint);
    }
    command.output().unwrap()
}

#[track_caller]
fn holds(folder: &Path, arguments: &[&str]) -> String {
    let output = ecluse(folder, arguments, "");
    assert!(output.status.success(), "ecluse {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The journal holds every line of every folder that notes once: as many entries, and all of them there.
#[track_caller]
fn nothing_doubled_or_lost(lab: &Path) {
    holds(lab, &["journal", "checkpoint"]);
    let told: serde_json::Value =
        serde_json::from_str(&holds(lab, &["journal", "verify", "--json"])).unwrap();
    let events = std::fs::read_dir(lab).unwrap().map(|entry| entry.unwrap().path().join("events.jsonl"));
    let all: usize =
        events.filter_map(|path| std::fs::read_to_string(path).ok()).map(|text| text.lines().count()).sum();
    // the last reading is noted, and taken in by the next command
    assert_eq!((told["size"].as_u64(), told["late"].as_u64()), (Some(all as u64 - 1), Some(0)));
}

// proves: AUD-02
#[test]
fn killed_anywhere_while_it_takes_events_in_the_journal_doubles_none_and_loses_none() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let names: Vec<String> = failpoints().into_iter().filter(|name| name.starts_with("log.")).collect();
    assert!(names.len() >= 10, "{names:?}");
    let mut survived = std::collections::BTreeSet::new();
    for name in &names {
        // what is older than the journal is kept goes by another command: below
        if name.contains(".erase.") {
            continue;
        }
        // the key is made once: each of its deaths wants a journal that was never begun
        let fresh = tempfile::tempdir().unwrap();
        let lab = if name.contains(".key.") { ordered(fresh.path()) } else { lab.clone() };
        for nth in [1, 3] {
            let died = ecluse(&lab, &["plan"], &format!("{name}:{nth}"));
            if died.status.signal() != Some(9) {
                assert!(died.status.success(), "{name}:{nth}: {died:?}");
                break;
            }
            survived.insert(name.clone());
            nothing_doubled_or_lost(&lab);
        }
    }
    let never: Vec<_> =
        names.iter().filter(|name| !survived.contains(*name) && !name.contains(".erase.")).collect();
    assert_eq!(never, Vec::<&String>::new(), "failpoints that nothing passes");
}

// proves: AUD-05
#[test]
fn killed_while_it_erases_what_is_older_than_it_is_kept_the_same_command_ends_it() {
    let names: Vec<String> = failpoints().into_iter().filter(|name| name.starts_with("log.erase.")).collect();
    assert_eq!(names, ["log.erase.event.after", "log.erase.event.before"]);
    for name in names {
        let here = tempfile::tempdir().unwrap();
        let lab = ordered(here.path());
        let (mut head, mut lines) = (Head::default(), Vec::new());
        for at in 0..600 {
            let leaf = Leaf {
                v: 1,
                salt: format!("{at:032x}"),
                time: "2024-01-01T10:00:00Z".to_owned(),
                session: "0a".repeat(16),
                act: Act::Standing,
                object: "0b".repeat(16),
                outcome: "done".to_owned(),
                paper: None,
            };
            let (line, next) = head.next(leaf).unwrap();
            lines.extend(line);
            head = next;
        }
        std::fs::create_dir(lab.join("old")).unwrap();
        std::fs::write(lab.join("old/events.jsonl"), lines).unwrap();
        holds(&lab, &["plan"]);
        holds(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
        let died = ecluse(&lab, &["journal", "prune"], &name);
        assert_eq!(died.status.signal(), Some(9), "{name}: {died:?}");
        let bundles = ["000", "001"].map(|bundle| lab.join("journal/tile/entries").join(bundle));
        assert_eq!(bundles.iter().all(|bundle| bundle.exists()), name.ends_with("before"), "{name}");
        // what is kept verifies, whatever was left of the rest
        holds(&lab, &["journal", "verify"]);
        holds(&lab, &["journal", "prune"]);
        assert!(bundles.iter().all(|bundle| !bundle.exists()), "{name}: nothing that is due stays");
        let said = holds(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
        assert!(said.contains("from entry 512 on"), "{name}: {said}");
        holds(&lab, &["plan"]);
    }
}

#[test]
fn a_full_disk_and_one_that_is_read_only_are_told_and_nothing_is_lost() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    let Some(disk) = Disk::of(64) else { return };
    std::os::unix::fs::symlink(disk.path(), lab.join("journal")).unwrap();
    holds(&lab, &["plan"]);
    let mount = |options: &str| {
        let done = Command::new("mount").args(["-o", options]).arg(disk.path()).status().unwrap();
        assert!(done.success(), "mount -o {options}");
    };
    mount("remount,ro");
    let output = ecluse(&lab, &["plan"], "");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("ECL-LOG-001"), "{output:?}");
    // whoever only looks is not hindered
    holds(&lab, &["next"]);
    holds(&lab, &["journal", "verify"]);
    mount("remount,rw");
    std::fs::write(disk.path().join("large"), vec![0; 64 << 10]).unwrap_err();
    let output = ecluse(&lab, &["plan"], "");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("make room on the disk"), "{output:?}");
    std::fs::remove_file(disk.path().join("large")).unwrap();
    nothing_doubled_or_lost(&lab);
}
