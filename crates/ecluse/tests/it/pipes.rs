//! A pipe, or a device, in the place of a paper: nobody waits for it, and nothing of it is read.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;

use crate::{program, succeed};

/// Every file of a migration folder that a command reads, with a command that does.
const PAPERS: [(&str, &[&str]); 14] = [
    ("contract.toml", &["contract", "check"]),
    ("contract.toml.sigs/late.sig", &["contract", "verify"]),
    ("fingerprints.txt", &["plan"]),
    ("connections.toml", &["plan"]),
    ("dictionary.toml", &["instruction", "check"]),
    ("instruction.toml", &["instruction", "check"]),
    ("mapping.toml", &["mapping", "check"]),
    ("status.toml", &["plan"]),
    ("session.toml", &["plan"]),
    ("runs.json", &["migrate"]),
    ("objections.jsonl", &["plan"]),
    ("run/figures.json", &["status"]),
    ("run/events.jsonl", &["status"]),
    ("run/state.age", &["reconcile"]),
];

/// The program's exit code; `None` where it did not end.
fn ended(lab: &Path, arguments: &[&str]) -> Option<i32> {
    let mut command = Command::new(program());
    let quiet = command.current_dir(lab).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet.stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..400 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

// fails with the guard off: a program that opens a pipe waits for whoever writes to it
#[test]
fn a_pipe_or_a_device_in_a_papers_place_holds_nothing_up() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY); INSERT INTO patient VALUES (1)")
        .unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["migrate", "--ddl"]);
    let kept = lab.join("kept");
    for (name, command) in PAPERS {
        let paper = lab.join(name);
        let there = paper.exists();
        // a trial's are written anew where they cannot be read
        let renewed = ["session.toml", "status.toml"].contains(&name);
        assert!(there || ["objections.jsonl", "contract.toml.sigs/late.sig"].contains(&name), "{name}");
        if there {
            fs::rename(&paper, &kept).unwrap();
        }
        assert!(Command::new("mkfifo").arg(&paper).status().unwrap().success());
        for command in [command, &["next"]] {
            let code = ended(&lab, command);
            assert!(code.is_some(), "{name}: {command:?} waits");
            assert!(
                code != Some(0) || command[0] == "next" || renewed,
                "{name}: {command:?} took it for a paper"
            );
        }
        fs::remove_file(&paper).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &paper).unwrap();
        let code = ended(&lab, command);
        assert!(code.is_some_and(|code| code != 0 || renewed), "{name}: {command:?} reads without end");
        fs::remove_file(&paper).unwrap();
        if there {
            fs::rename(&kept, &paper).unwrap();
        }
    }
    succeed(&lab, &["reconcile"]);
    let refused =
        Command::new(program()).current_dir(&lab).args(["plan", "--mapping", "/dev/zero"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("ECL-CLI-041"), "{said}");
}
