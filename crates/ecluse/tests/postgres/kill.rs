//! Killed before and after every commit, fsync, rename and event; resumed by the same command.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use ecluse_testkit::kill::{drive, failpoints};
use ecluse_testkit::laboratory::Size;
use ecluse_testkit::migration::End;
use ecluse_testkit::server;

use crate::laboratory::{World, empty, run_folder};

/// Failpoints that this path does not pass: another engine's, another command's.
fn elsewhere(name: &str) -> bool {
    ["sqlite_", "mariadb"].iter().any(|engine| name.starts_with(engine))
}

// proves: REC-01
#[test]
fn killed_anywhere_the_same_command_goes_on_and_nothing_is_lost_doubled_or_leaked() {
    let Some(server) = server::postgres() else { return };
    // more than one chunk of results
    let world = World::new(&server, Size { patients: 300, requests: 900, results: 100_000 });
    let made = world
        .migration(&End::postgres(&world.source, "postgres"), &End::postgres(&world.destination, "postgres"));
    let (expected, _) = world.expected_and_moved();
    let names: Vec<String> = failpoints().into_iter().filter(|name| !elsewhere(name)).collect();
    assert!(names.len() > 10, "{names:?}");
    let scratch = world.folder.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();

    let migrate = |run: &PathBuf| {
        let run = run.display().to_string();
        let mut command =
            made.command(&["migrate", "--ddl", "--run", &run, "--without-views", "a test of deaths"]);
        command.args(["--accept-wider-role", "a test of deaths"]).env("TMPDIR", &scratch);
        command
    };

    let drive = drive(
        names.iter().map(String::as_str),
        &[1, 2],
        |death| {
            empty(&world.destination);
            let run = run_folder(&world, &format!("run-{}-{}", death.failpoint, death.nth));
            if death.failpoint.contains(".create.") {
                world.destination.sql("drop table result, request, patient;");
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
    );
    assert!(drive.survived.len() >= 10, "{drive:?}");
    assert_eq!(drive.never(), BTreeSet::new(), "failpoints that no run passes");
}
