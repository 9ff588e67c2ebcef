//! Killed before and after every commit, fsync, rename and event; resumed by the same command.
//!
//! Three paths together pass every failpoint of the sources; each fails on one of its own at
//! which it was never killed. What only an undo passes is in `undo.rs` and `steps.rs`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use ecluse_testkit::kill::{CHUNK_ROWS, Drive, drive, failpoints};
use ecluse_testkit::laboratory::Size;

use crate::base::Base;
use crate::laboratory::{World, empty, run_folder};

/// The failpoints that a migration can pass.
pub(crate) fn migrations() -> impl Iterator<Item = String> {
    let undo = ["remove.", "forget.", "drop_made.", "conclude.", "erase."];
    // and what other commands pass: `everywhere.rs` says which test dies there
    let elsewhere = [
        "archive.",
        "attached.",
        "compare.",
        "erase.",
        "evidence.",
        "exclude.",
        "folder.destroy.",
        "freeze.",
        "known.",
        "log.",
        "overwrite.",
        "papers.create.",
        "papers.sealed.",
        "recipient.",
        "staging.",
    ];
    let of_undo = move |name: &str| {
        elsewhere.iter().any(|own| name.starts_with(own))
            || undo.iter().any(|act| name.contains(&format!("{act}commit.")))
    };
    failpoints().into_iter().filter(move |name| !of_undo(name))
}

/// Kills a migration at each of these failpoints, at its first passings, and resumes it.
fn killed_and_resumed(world: &World, names: &[String], passings: &[u64]) -> Drive {
    let made = world.migration(&world.source.as_source(), &world.destination.as_destination());
    let (expected, _) = world.expected_and_moved();
    let scratch = world.folder.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();

    let migrate = |run: &PathBuf| {
        let run = run.display().to_string();
        let mut command =
            made.command(&["migrate", "--ddl", "--run", &run, "--without-views", "a test of deaths"]);
        command.args(["--accept-wider-role", "a test of deaths"]);
        // several chunks of results: a passing further on lies between two of them
        command.env("TMPDIR", &scratch).env(CHUNK_ROWS, "500");
        command
    };

    drive(
        names.iter().map(String::as_str),
        passings,
        |death| {
            empty(&world.source, &world.destination);
            let run = run_folder(world, &format!("run-{}-{}", death.failpoint, death.nth));
            if death.failpoint.contains(".create.") {
                world.destination.sql("drop table result; drop table request; drop table patient;");
            }
            if death.failpoint.contains(".torn.") {
                // a death in the middle of a line, which the next start has to mend
                assert!(migrate(&run).status().unwrap().success());
                let mut events =
                    std::fs::File::options().append(true).open(run.join("events.jsonl")).unwrap();
                events.write_all(b"{\"half\":").unwrap();
            }
            run
        },
        &migrate,
        |run, death, output| {
            assert_eq!(world.leaks(run), [], "dead at {death:?}");
            assert_eq!(world.leaks(&scratch), [], "dead at {death:?}");
            assert_eq!(world.said(output), [], "dead at {death:?}");
        },
        |run, death, output| {
            assert_eq!(world.said(output), [], "{death:?}");
            assert_eq!(world.expected_and_moved().1, expected, "{death:?}");
            let read_back = made.run(&["reconcile", &run.display().to_string()]);
            assert!(read_back.status.success(), "{death:?}: {}", String::from_utf8_lossy(&read_back.stderr));
            assert_eq!(world.leaks(run), [], "{death:?}");
        },
    )
}

/// Whether a failpoint is a destination's, and not of the engine that is written to.
fn into_another(name: &str, engine: &str) -> bool {
    let engines = ["postgres.", "mariadb.", "sqlite_"];
    engines.iter().any(|other| *other != engine && name.starts_with(other))
}

// proves: REC-01
#[test]
fn killed_anywhere_the_same_command_goes_on_and_nothing_is_lost_doubled_or_leaked() {
    let Some(world) = World::postgres(Size { patients: 300, requests: 900, results: 4_000 }) else {
        return;
    };
    let names: Vec<String> = migrations().filter(|name| !into_another(name, "postgres.")).collect();
    assert!(names.len() > 10, "{names:?}");
    let drive = killed_and_resumed(&world, &names, &[1, 2, 5]);
    // the fifth chunk is the third of the results
    assert!(drive.survived.iter().any(|d| d.failpoint == "postgres.chunk.commit.after" && d.nth == 5));
    assert!(drive.survived.len() >= 10, "{drive:?}");
    assert_eq!(drive.never(), BTreeSet::new(), "failpoints that no run passes");
}

#[test]
fn killed_anywhere_on_the_way_into_sqlite_the_same_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = Base::mariadb("from") else { return };
    let destination = Base::sqlite(folder.path(), "new.db");
    let world =
        World::between(source, destination, folder, Size { patients: 60, requests: 180, results: 2_400 });
    let names: Vec<String> = migrations().filter(|name| !into_another(name, "sqlite_")).collect();
    assert!(names.iter().any(|name| name.starts_with("sqlite_")), "{names:?}");
    let drive = killed_and_resumed(&world, &names, &[1, 2, 4]);
    assert!(drive.survived.iter().any(|d| d.failpoint == "sqlite_chunk.commit.after" && d.nth == 4));
    assert!(drive.survived.len() >= 10, "{drive:?}");
    assert_eq!(drive.never(), BTreeSet::new(), "failpoints that no run passes");
}

#[test]
fn killed_anywhere_on_the_way_into_mariadb_the_same_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(destination) = Base::mariadb("to") else { return };
    let source = Base::sqlite(folder.path(), "old.db");
    let world =
        World::between(source, destination, folder, Size { patients: 60, requests: 180, results: 2_400 });
    // what the others die at as well, and no engine has a part in, is theirs
    let names: Vec<String> = migrations().filter(|name| name.starts_with("mariadb.")).collect();
    assert!(names.len() >= 10, "{names:?}");
    let drive = killed_and_resumed(&world, &names, &[1, 4]);
    assert!(drive.survived.iter().any(|d| d.failpoint == "mariadb.chunk.commit.after" && d.nth == 4));
    assert!(drive.survived.len() >= 10, "{drive:?}");
    assert_eq!(drive.never(), BTreeSet::new(), "failpoints that no run passes");
}
