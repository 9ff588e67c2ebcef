//! Sources that can only dump everything: real dumps of real servers, moved; spoiled ones, refused.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use ecluse_testkit::canary::Side;
use ecluse_testkit::laboratory::{Size, Table};
use ecluse_testkit::leak::{Found, Search};
use ecluse_testkit::migration::{End, Migration};

use crate::base::Base;
use crate::laboratory::{TABLES, World, run_folder};
use crate::pair::Answer;

const SIZE: Size = Size { patients: 400, requests: 1_200, results: 4_000 };

/// A laboratory that only dumps, and papers that know it.
pub(crate) struct Dumped {
    pub(crate) world: World,
    pub(crate) made: Migration,
    pub(crate) run: PathBuf,
}

/// The server's own program for dumps.
pub(crate) fn dump(source: &Base, more: &[&str]) -> Command {
    match source {
        Base::Postgres(database) => database.server().dump(database.name(), more),
        Base::Mariadb(database) => database.server().dump(database.name(), more),
        Base::Sqlite(_) => panic!("a file is no dump"),
    }
}

fn engine(source: &Base) -> (&'static str, &str, [&'static str; 1]) {
    match source {
        Base::Postgres(database) => ("postgresql", database.name(), ["--schema-only"]),
        Base::Mariadb(database) => ("mariadb", database.name(), ["--no-data"]),
        Base::Sqlite(_) => panic!("a file is no dump"),
    }
}

pub(crate) fn output(mut command: Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Dumped {
    pub(crate) fn new(source: Base, size: Size) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let destination = Base::sqlite(folder.path(), "new.db");
        Self::between(source, destination, folder, size)
    }

    pub(crate) fn between(source: Base, destination: Base, folder: tempfile::TempDir, size: Size) -> Self {
        let world = World::between(source, destination, folder, size);
        let (engine, database, only) = engine(&world.source);
        let schema = world.folder.path().join("schema.sql");
        std::fs::write(&schema, output(dump(&world.source, &only))).unwrap();
        let from = End::dump(engine, database, "-", &schema);
        let made = world.migration(&from, &world.destination.as_destination());
        let run = run_folder(&world, "run");
        Self { world, made, run }
    }

    /// The command, a new dump on its standard input.
    pub(crate) fn piped(&self, step: &str) -> Output {
        let mut command = dump(&self.world.source, &[]);
        let mut dumping = command.stdout(Stdio::piped()).spawn().unwrap();
        let dumped = dumping.stdout.take().unwrap();
        let output = self.command(step).stdin(dumped).output().unwrap();
        dumping.wait().unwrap();
        output
    }

    /// The command, these bytes on its standard input.
    pub(crate) fn given(&self, step: &str, bytes: &[u8]) -> Answer {
        let mut child = self
            .command(step)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        // a program that refuses early closes the pipe
        let writer = std::thread::spawn(move || drop(std::io::Write::write_all(&mut pipe, &bytes)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Answer::of(&output)
    }

    pub(crate) fn command(&self, step: &str) -> Command {
        let run = self.run.display().to_string();
        match step {
            "migrate" => self.made.command(&["migrate", "--run", &run]),
            "plan" => self.made.command(&["plan", "--run", &run]),
            step => self.made.command(&[step, &run]),
        }
    }
}

pub(crate) fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Moved from a pipe, reconciled, and of what was not ordered nothing left anywhere: not in the
/// run's folder, in temporary files, in what the process held open, in what it said, at the destination.
pub(crate) fn arrives(lab: &Dumped) {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = dump(&lab.world.source, &[]);
    let mut dumping = command.stdout(Stdio::piped()).spawn().unwrap();
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut child = lab
        .command("migrate")
        .env("TMPDIR", scratch.path())
        .stdin(dumping.stdout.take().unwrap())
        .stdout(said.reopen().unwrap())
        .stderr(said.reopen().unwrap())
        .spawn()
        .unwrap();
    let (mut held, mut looks) = (Vec::new(), 0);
    while child.try_wait().unwrap().is_none() {
        held.extend(lab.world.search(Side::Outside).process(child.id()));
        held.extend(lab.world.search(Side::Inside).process(child.id()));
        looks += 1;
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    dumping.wait().unwrap();
    let status = child.wait().unwrap();
    let said = std::fs::read(said.path()).unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&said));
    // the destination is open too, and holds what was ordered: only that
    held.retain(|found| !found.place.contains("new.db"));
    assert_eq!((held, looks > 1), (Vec::new(), true));
    let (expected, moved) = lab.world.expected_and_moved();
    assert_eq!(expected, moved);
    let ended = lab.piped("reconcile");
    succeeded(&ended);
    succeeded(&lab.piped("report"));
    let outside = lab.world.search(Side::Outside);
    assert_eq!(outside.folder(lab.world.folder.path()), [], "the whole folder, the destination with it");
    assert_eq!(lab.world.leaks(&lab.run), []);
    assert_eq!(lab.world.leaks(scratch.path()), []);
    assert_eq!(lab.world.said(&ended), []);
    assert_eq!(outside.bytes("migrate", &said), []);
    // the searches can find: the dump holds what was not ordered, the destination what was
    assert_ne!(outside.bytes("dump", &output(dump(&lab.world.source, &[]))), []);
    assert_ne!(lab.world.search(Side::Inside).folder(lab.world.folder.path()), []);
    let figures = std::fs::read_to_string(lab.run.join("figures.json")).unwrap();
    assert!(figures.contains("a dump can deny nothing"), "{figures}");
}

// proves: EXT-01, EXT-03
#[test]
fn a_dump_of_postgres_arrives_and_nothing_else_of_it_does() {
    let Some(source) = Base::postgres("from") else { return };
    let lab = Dumped::new(source, SIZE);
    arrives(&lab);
    // a second dump of the same rows changes no chunk
    succeeded(&lab.piped("migrate"));
    // a damaged row is named, with the source's word: the same dump again
    lab.world
        .destination
        .sql("update patient set family_name = 'Autre' where id = (select min(id) from patient)");
    let found = Answer::of(&lab.piped("reconcile"));
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.out.contains("column family_name"), "{found:?}");
}

// proves: EXT-01, EXT-03
#[test]
fn a_dump_of_mariadb_arrives_and_nothing_else_of_it_does() {
    let Some(source) = Base::mariadb("from") else { return };
    arrives(&Dumped::new(source, SIZE));
}

/// Killed in the middle of a dump: nothing of it stays, and a whole one afterwards arrives.
// proves: EXT-01
#[test]
fn a_kill_in_the_middle_of_a_dump_leaves_nothing_of_it() {
    let Some(source) = Base::postgres("from") else { return };
    let lab = Dumped::new(source, SIZE);
    let whole = output(dump(&lab.world.source, &[]));
    let last = memchr::memmem::rfind(&whole, b"\\.\n").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut child = lab
        .command("migrate")
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::piped())
        .stdout(said.reopen().unwrap())
        .stderr(said.reopen().unwrap())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, &whole[..last]).unwrap();
    // it has read all rows but the last table's end, and waits
    std::thread::sleep(std::time::Duration::from_millis(300));
    let both = |place: &dyn Fn(&Search) -> Vec<Found>| {
        [Side::Inside, Side::Outside]
            .iter()
            .flat_map(|side| place(&lab.world.search(*side)))
            .collect::<Vec<_>>()
    };
    assert_eq!(both(&|search| search.process(child.id())), []);
    child.kill().unwrap();
    child.wait().unwrap();
    for place in [lab.world.folder.path(), scratch.path(), said.path()] {
        assert_eq!(both(&|search| search.folder(place)), [], "{}", place.display());
    }
    assert_eq!(rows(&lab), "000");
    lab.given("migrate", &whole).holds();
    let (expected, moved) = lab.world.expected_and_moved();
    assert_eq!(expected, moved);
}

pub(crate) fn rows(lab: &Dumped) -> String {
    TABLES
        .iter()
        .map(|t: &Table| lab.world.destination.sql(&format!("select count(*) from {}", t.name())))
        .collect()
}

/// Each spoiled dump is refused by its code, and nothing was written.
fn refused(lab: &Dumped, spoiled: &[(&str, Vec<u8>, &str)]) {
    for (what, bytes, code) in spoiled {
        let answer = lab.given("migrate", bytes);
        assert_eq!(answer.last(), *code, "{what}: {answer:?}");
        assert_eq!(answer.code, Some(1), "{what}");
        assert_eq!(rows(lab), "000", "{what}");
        assert_eq!(
            lab.world.said(&Output {
                status: std::process::ExitStatus::default(),
                stdout: answer.said().into(),
                stderr: Vec::new()
            }),
            [],
            "{what}"
        );
    }
}

fn replaced(dump: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = memchr::memmem::find(dump, from.as_bytes()).unwrap_or_else(|| panic!("no {from}"));
    [&dump[..at], to.as_bytes(), &dump[at + from.len()..]].concat()
}

fn cut_behind(dump: &[u8], text: &str) -> Vec<u8> {
    let at = memchr::memmem::find(dump, text.as_bytes()).unwrap_or_else(|| panic!("no {text}"));
    dump[..at + text.len()].to_vec()
}

#[test]
fn a_spoiled_dump_of_postgres_is_refused_before_a_row_is_written() {
    let Some(source) = Base::postgres("from") else { return };
    let lab = Dumped::new(source, Size { patients: 20, requests: 60, results: 200 });
    let whole = output(dump(&lab.world.source, &[]));
    let end = "-- PostgreSQL database dump complete";
    let last = memchr::memmem::rfind(&whole, b"\\.\n").unwrap();
    let copy = "COPY public.patient (";
    let change = |from: &str, to: &str| replaced(&whole, from, to);
    refused(
        &lab,
        &[
            ("cut in a row", cut_behind(&whole, "COPY public.result (")[..].to_vec(), "ECL-SRC-602"),
            ("cut behind the rows", whole[..last + 3].to_vec(), "ECL-SRC-621"),
            ("no end mark", change(end, "--"), "ECL-SRC-621"),
            ("a shell", change(copy, &format!("\\! touch /tmp/x\n{copy}")), "ECL-SRC-603"),
            ("an include", change(copy, &format!("\\i /etc/passwd\n{copy}")), "ECL-SRC-603"),
            ("a program", change(copy, &format!("COPY t (a) FROM PROGRAM 'id';\n{copy}")), "ECL-SRC-603"),
            ("a change", change(copy, &format!("DELETE FROM patient;\n{copy}")), "ECL-SRC-603"),
            ("a block", change(copy, &format!("DO $$ begin end $$;\n{copy}")), "ECL-SRC-603"),
            ("a quote never closed", change(copy, &format!("SELECT 'x;\n{copy}")), "ECL-SRC-602"),
            ("a NUL", change(copy, &format!("\0{copy}")), "ECL-SRC-611"),
            ("another encoding", change("'UTF8'", "'EUC_JP'"), "ECL-SRC-604"),
            (
                "escapes",
                change("standard_conforming_strings = on", "standard_conforming_strings = off"),
                "ECL-SRC-618",
            ),
            ("a field more", change("\t", "\t\t"), "ECL-SRC-606"),
            ("the rows twice", [&whole[..], &whole[..]].concat(), "ECL-SRC-617"),
            ("without an ordered table", change(copy, "COPY public.another ("), "ECL-SRC-607"),
            (
                "another shape",
                change(
                    "CREATE TABLE public.patient (\n    id bigint",
                    "CREATE TABLE public.patient (\n    id integer",
                ),
                "ECL-RUN-003",
            ),
            (
                "rows that may be skipped",
                output(dump(&lab.world.source, &["--inserts", "--on-conflict-do-nothing"])),
                "ECL-SRC-603",
            ),
            ("the schema alone", output(dump(&lab.world.source, &["--schema-only"])), "ECL-SRC-607"),
            ("another format", output(dump(&lab.world.source, &["-Fc"])), "ECL-SRC-611"),
            ("nothing", Vec::new(), "ECL-SRC-621"),
        ],
    );
    // and the whole one is not
    lab.given("migrate", &whole).holds();
}

#[test]
fn a_spoiled_dump_of_mariadb_is_refused_before_a_row_is_written() {
    let Some(source) = Base::mariadb("from") else { return };
    let lab = Dumped::new(source, Size { patients: 20, requests: 60, results: 200 });
    let whole = output(dump(&lab.world.source, &[]));
    let insert = "INSERT INTO `patient` VALUES";
    let change = |from: &str, to: &str| replaced(&whole, from, to);
    let before = |text: &str| change(insert, &format!("{text}\n{insert}"));
    refused(
        &lab,
        &[
            ("cut in a row", cut_behind(&whole, "INSERT INTO `result` VALUES"), "ECL-SRC-602"),
            ("no end mark", output(dump(&lab.world.source, &["--skip-comments"])), "ECL-SRC-603"),
            ("no end", change("-- Dump completed", "-- Dump"), "ECL-SRC-621"),
            ("a shell", before("\\! touch /tmp/x"), "ECL-SRC-603"),
            ("a file", before("SOURCE /etc/passwd;"), "ECL-SRC-603"),
            ("a load", before("LOAD DATA INFILE '/etc/passwd' INTO TABLE patient;"), "ECL-SRC-603"),
            ("a change", before("UPDATE patient SET id = 1;"), "ECL-SRC-603"),
            ("hidden rows", before("/*!50000 INSERT INTO patient VALUES (1) */;"), "ECL-SRC-603"),
            (
                "rows under a delimiter",
                before("DELIMITER ;;\nINSERT INTO patient VALUES (1);;"),
                "ECL-SRC-603",
            ),
            ("rows of a question", before("INSERT INTO `patient` (SELECT 1);"), "ECL-SRC-603"),
            ("a function", before("INSERT INTO `patient` VALUES (sleep(9));"), "ECL-SRC-606"),
            ("another database", before("USE `mysql`;"), "ECL-SRC-603"),
            ("another encoding", change("SET NAMES utf8mb4", "SET NAMES sjis"), "ECL-SRC-604"),
            ("another zone", change("TIME_ZONE='+00:00'", "TIME_ZONE='+02:00'"), "ECL-SRC-618"),
            ("other quotes", before("SET sql_mode='NO_BACKSLASH_ESCAPES';"), "ECL-SRC-618"),
            ("rows twice", [&whole[..], &whole[..]].concat(), "ECL-SRC-617"),
        ],
    );
    lab.given("migrate", &whole).holds();
}

#[test]
fn a_dump_is_taken_only_where_the_instruction_knows_what_it_is() {
    let Some(source) = Base::postgres("from") else { return };
    let mut lab = Dumped::new(source, Size { patients: 20, requests: 60, results: 200 });
    let whole = output(dump(&lab.world.source, &[]));
    // a file is a copy in clear
    let file = lab.world.folder.path().join("dump.sql");
    std::fs::write(&file, &whole).unwrap();
    let connections = lab.made.folder().join("connections.toml");
    let piped = std::fs::read_to_string(&connections).unwrap();
    std::fs::write(&connections, piped.replacen(":-?", &format!(":{}?", file.display()), 1)).unwrap();
    lab.given("migrate", b"").is(1, "ECL-SRC-623");
    lab.given("plan", b"").is(1, "ECL-SRC-623");
    // standard input that was opened on a file is one, too
    std::fs::write(&connections, &piped).unwrap();
    let from_file = lab.command("migrate").stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
    Answer::of(&from_file).is(1, "ECL-SRC-623");
    signed(&mut lab, "cannot_deny = true", "cannot_deny = true\nin_clear = true");
    let from_file = lab.command("migrate").stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
    Answer::of(&from_file).holds();
    let figures = std::fs::read_to_string(lab.run.join("figures.json")).unwrap();
    let digest = ecluse_core::digest::of_bytes(&whole);
    assert!(figures.contains(&digest), "the file is known by its digest");
    assert!(!figures.contains(&file.display().to_string()), "and not by its path");
    // what the controller was not told is not read
    signed(&mut lab, "cannot_deny = true\nin_clear = true", "cannot_deny = false");
    lab.given("migrate", &whole).is(1, "ECL-SRC-622");
}

pub(crate) fn signed(lab: &mut Dumped, from: &str, to: &str) {
    lab.made.papers().edits.clear();
    lab.made.papers().instruction = lab.made.papers().instruction.replace(from, to);
    let folder = lab.made.folder().to_owned();
    lab.made.papers().write(&folder);
    let _ = std::fs::remove_dir_all(&lab.run);
}

#[test]
fn a_program_is_started_without_a_shell_and_its_failure_is_seen() {
    let Some(source) = Base::postgres("from") else { return };
    let lab = Dumped::new(source, Size { patients: 20, requests: 60, results: 200 });
    let command = dump(&lab.world.source, &[]);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|w| format!("'{}'", w.to_string_lossy()))
        .collect();
    let url = |made: &Migration| {
        let text = std::fs::read_to_string(made.folder().join("connections.toml")).unwrap();
        text.lines().find_map(|l| l.strip_prefix("url = \"")?.strip_suffix('"')).unwrap().to_owned()
    };
    let from = url(&lab.made);
    let run = |program: &str| {
        let mut command = lab.command("migrate");
        command.args(["--from", &from, "--source-command", program]);
        Answer::of(&command.output().unwrap())
    };
    // whole, and then it fails: what it wrote is worth nothing
    let whole = lab.world.folder.path().join("copy.sql");
    std::fs::write(&whole, output(dump(&lab.world.source, &[]))).unwrap();
    run(&format!("sh -c 'cat {}; exit 3'", whole.display())).is(3, "ECL-SRC-614");
    run("no-such-program-4711").is(3, "ECL-SRC-614");
    // a shell's word is an argument like others
    run(&format!("cat {} ; true", whole.display())).is(3, "ECL-SRC-614");
    assert_eq!(rows(&lab), "000");
    run(&words.join(" ")).holds();
    let (expected, moved) = lab.world.expected_and_moved();
    assert_eq!(expected, moved);
}

#[test]
fn what_does_not_fit_in_the_memory_allowed_is_refused() {
    let Some(source) = Base::postgres("from") else { return };
    let lab = Dumped::new(source, Size { patients: 4_000, requests: 12_000, results: 40_000 });
    let connections = lab.made.folder().join("connections.toml");
    let text = std::fs::read_to_string(&connections).unwrap();
    std::fs::write(&connections, text.replacen("?database", "?memory=1M&database", 1)).unwrap();
    let answer = Answer::of(&lab.piped("migrate"));
    answer.is(1, "ECL-SRC-609");
    assert!(answer.errors.contains("memory=4G"), "{answer:?}");
    assert_eq!(rows(&lab), "000");
}
