//! A dump beyond the memory that was allowed, where the instruction names a staging: sealed there, moved,
//! destroyed; whatever happens in between.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::disk::Disk;
use ecluse_testkit::kill::{VARIABLE, drive, failpoints};
use ecluse_testkit::laboratory::Size;

use crate::base::Base;
use crate::dumps::{Dumped, arrives, dump, output, rows, signed, succeeded};
use crate::laboratory::{empty, run_folder};
use crate::pair::Answer;

/// One MiB allowed holds a part of it.
const SIZE: Size = Size { patients: 600, requests: 1_800, results: 10_000 };

const KNOWN: &str = "cannot_deny = true";

/// The laboratory, its instruction naming this staging, its source allowed one MiB.
fn staged(source: Base, folder: impl FnOnce(&Dumped) -> PathBuf) -> (Dumped, PathBuf) {
    with_staging(Dumped::new(source, SIZE), folder)
}

fn with_staging(mut lab: Dumped, folder: impl FnOnce(&Dumped) -> PathBuf) -> (Dumped, PathBuf) {
    let staging = folder(&lab);
    signed(&mut lab, KNOWN, &format!("{KNOWN}\nstaging = \"{}\"", staging.display()));
    let connections = lab.made.folder().join("connections.toml");
    let text = std::fs::read_to_string(&connections).unwrap();
    std::fs::write(&connections, text.replacen("?database", "?memory=1M&database", 1)).unwrap();
    (lab, staging)
}

fn stands(staging: &Path) -> usize {
    std::fs::read_dir(staging).map_or(0, Iterator::count)
}

/// How often the journal says that rows may be staged, and that they are destroyed.
fn journaled(lab: &Dumped) -> (usize, usize) {
    let journal = std::fs::read_to_string(lab.run.join("events.jsonl")).unwrap();
    let said = |outcome: &str| {
        journal.lines().filter(|l| l.contains("\"act\":\"stage\"") && l.contains(outcome)).count()
    };
    (said("\"outcome\":\"begun\""), said("\"outcome\":\"done\""))
}

// proves: EXT-01
#[test]
fn a_dump_beyond_memory_is_staged_sealed_moved_and_destroyed() {
    let Some(source) = Base::postgres("from") else { return };
    let (lab, staging) = staged(source, |lab| lab.world.folder.path().join("staging"));
    arrives(&lab);
    assert_eq!(stands(&staging), 0);
    assert_eq!(staging.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let (begun, done) = journaled(&lab);
    assert!(begun >= 1 && begun == done, "{begun} {done}");
    let figures = std::fs::read_to_string(lab.run.join("figures.json")).unwrap();
    assert!(figures.contains("parts in the staging folder that the instruction names"), "{figures}");
    // a damaged row is named with the source's word, out of the staging again
    lab.world.destination.sql("update result set unit = 'Autre' where id = (select max(id) from result)");
    let found = Answer::of(&lab.piped("reconcile"));
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.out.contains("column unit"), "{found:?}");
    assert_eq!(stands(&staging), 0);
    // somebody else's file is nobody's to destroy
    std::fs::write(staging.join("somebody's"), b"x").unwrap();
    Answer::of(&lab.piped("migrate")).is(1, "ECL-SRC-624");
    assert!(staging.join("somebody's").exists());
    std::fs::remove_file(staging.join("somebody's")).unwrap();
    succeeded(&lab.piped("migrate"));
    // whoever signs reads where sealed rows will stand
    let page = lab.made.folder().join("order.html");
    let order = lab.made.command(&["order", "-o", &page.display().to_string()]).output().unwrap();
    succeeded(&order);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&staging.display().to_string()) && page.contains("sur aucun disque"), "{page}");
}

/// The other program's dumps, and into both servers.
// proves: EXT-01
#[test]
fn a_staged_dump_arrives_at_either_server() {
    let mut ends = Vec::new();
    ends.extend(Base::mariadb("from").zip(Base::mariadb("to")));
    ends.extend(Base::postgres("from").zip(Base::postgres("to")));
    for (source, destination) in ends {
        let dumped = Dumped::between(source, destination, tempfile::tempdir().unwrap(), SIZE);
        let (lab, staging) = with_staging(dumped, |lab| lab.world.folder.path().join("staging"));
        succeeded(&lab.piped("migrate"));
        let (expected, moved) = lab.world.expected_and_moved();
        assert_eq!(expected, moved);
        assert_eq!((stands(&staging), journaled(&lab)), (0, (1, 1)));
        let figures = std::fs::read_to_string(lab.run.join("figures.json")).unwrap();
        assert!(figures.contains("parts in the staging folder that the instruction names"), "{figures}");
        succeeded(&lab.piped("reconcile"));
        assert_eq!((stands(&staging), lab.world.leaks(&lab.run)), (0, Vec::new()));
    }
}

#[test]
fn without_the_instructions_word_nothing_is_staged() {
    let Some(source) = Base::postgres("from") else { return };
    let (mut lab, staging) = staged(source, |lab| lab.world.folder.path().join("staging"));
    signed(&mut lab, &format!("{KNOWN}\nstaging = \"{}\"", staging.display()), KNOWN);
    let connections = lab.made.folder().join("connections.toml");
    assert!(std::fs::read_to_string(&connections).unwrap().contains("memory=1M"));
    Answer::of(&lab.piped("migrate")).is(1, "ECL-SRC-609");
    assert!(!staging.exists());
    // a source that could deny stages nothing, and a folder is named whole
    for (from, to) in [
        (KNOWN, "staging = \"/srv/staging\""),
        ("staging = \"/srv/staging\"", "cannot_deny = true\nstaging = \"srv\""),
    ] {
        signed(&mut lab, from, to);
        Answer::of(&lab.piped("migrate")).is(1, "ECL-INS-004");
    }
}

/// Killed at each step of a staging: what is left can be read by nobody, and the same command destroys it,
/// says so, and goes on.
// proves: EXT-01, REC-01
#[test]
fn killed_anywhere_in_a_staging_the_same_command_destroys_it_and_goes_on() {
    let Some(source) = Base::postgres("from") else { return };
    let (lab, staging) = staged(source, |lab| lab.world.folder.path().join("staging"));
    let whole = lab.world.folder.path().with_extension("sql");
    std::fs::write(&whole, output(dump(&lab.world.source, &[]))).unwrap();
    let text = std::fs::read_to_string(lab.made.folder().join("connections.toml")).unwrap();
    let from = text.lines().find_map(|l| l.strip_prefix("url = \"")?.strip_suffix('"')).unwrap();
    let command = |step: &str, run: &Path| -> Command {
        let mut command = lab.made.command(&[step, "--run", &run.display().to_string()]);
        command.args(["--from", from, "--source-command", &format!("cat {}", whole.display())]);
        command
    };
    let names: Vec<String> = failpoints().into_iter().filter(|name| name.starts_with("staging.")).collect();
    assert!(names.len() >= 10, "{names:?}");
    let (expected, _) = lab.world.expected_and_moved();
    let mut left = 0;
    let drive = drive(
        names.iter().map(String::as_str),
        &[1, 5],
        |death| {
            empty(&lab.world.source, &lab.world.destination);
            run_folder(&lab.world, &format!("run-{}-{}", death.failpoint, death.nth))
        },
        |run| command("migrate", run),
        |run, death, output| {
            assert_eq!(lab.world.leaks(&staging), [], "dead at {death:?}");
            assert_eq!(lab.world.leaks(run), [], "dead at {death:?}");
            assert_eq!(lab.world.said(output), [], "dead at {death:?}");
            left += stands(&staging);
        },
        |run, death, output| {
            assert_eq!(stands(&staging), 0, "{death:?}");
            assert_eq!(lab.world.expected_and_moved().1, expected, "{death:?}");
            let swept = String::from_utf8_lossy(&output.stderr).contains("had left in the staging folder");
            let figures = std::fs::read_to_string(run.join("figures.json")).unwrap();
            assert_eq!(swept, figures.contains("they were destroyed by the next command"), "{death:?}");
        },
    );
    assert_eq!(drive.never(), BTreeSet::new(), "failpoints that no staging passes");
    assert!(drive.survived.len() > names.len(), "{drive:?}");
    assert!(left >= names.len() / 2, "deaths left {left} stagings only");
    std::fs::remove_file(&whole).unwrap();
}

#[test]
fn a_full_disk_under_the_staging_is_told_and_loses_nothing() {
    let Some(source) = Base::postgres("from") else { return };
    let Some(disk) = Disk::of(512) else { return };
    let (lab, staging) = staged(source, |_| disk.path().join("staging"));
    let whole = output(dump(&lab.world.source, &[]));
    let answer = lab.given("migrate", &whole);
    answer.is(3, "ECL-SRC-625");
    assert_eq!((stands(&staging), rows(&lab).as_str()), (0, "000"));
    disk.grow(64 << 10);
    lab.given("migrate", &whole).holds();
    let (expected, moved) = lab.world.expected_and_moved();
    assert_eq!((expected, stands(&staging)), (moved, 0));
}

/// The folder lies on a disk that is not there when the next command comes: what was left is neither swept nor
/// said to be, until the disk is back.
// proves: EXT-01
#[test]
fn a_staging_whose_disk_is_not_mounted_is_not_taken_for_empty() {
    let Some(source) = Base::postgres("from") else { return };
    let (lab, staging) = staged(source, |lab| lab.world.folder.path().join("disk/staging"));
    std::fs::create_dir(staging.parent().unwrap()).unwrap();
    let whole = output(dump(&lab.world.source, &[]));
    let file = lab.world.folder.path().join("whole.sql");
    std::fs::write(&file, &whole).unwrap();
    let text = std::fs::read_to_string(lab.made.folder().join("connections.toml")).unwrap();
    let from = text.lines().find_map(|l| l.strip_prefix("url = \"")?.strip_suffix('"')).unwrap();
    let mut command = lab.made.command(&["migrate", "--run", &lab.run.display().to_string()]);
    command.args(["--from", from, "--source-command", &format!("cat {}", file.display())]);
    command.env(VARIABLE, "staging.write.after:3");
    assert_eq!(command.output().unwrap().status.signal(), Some(9));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(stands(&staging), 2, "the mark and the parts");

    let (disk, away) = (staging.parent().unwrap(), lab.world.folder.path().join("away"));
    std::fs::rename(disk, &away).unwrap();
    std::fs::create_dir(disk).unwrap();
    let answer = lab.given("migrate", &whole);
    answer.is(3, "ECL-SRC-627");
    assert!(!answer.said().contains("destroyed"), "{answer:?}");
    assert_eq!(journaled(&lab), (1, 0));
    std::fs::remove_dir_all(disk).unwrap();
    std::fs::rename(&away, disk).unwrap();
    let answer = lab.given("migrate", &whole);
    answer.holds();
    assert!(answer.said().contains("had left in the staging folder"), "{answer:?}");
    assert_eq!((stands(&staging), journaled(&lab)), (0, (2, 2)));
}
