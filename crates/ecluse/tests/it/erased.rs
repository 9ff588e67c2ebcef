//! What moved, erased at a SQLite source: after acceptance, only what moved; and what is then found of it.

use std::path::PathBuf;
use std::process::Output;

use ecluse_adapters::folder::{erasure, events, residue};
use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_flow::event::Act;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::papers::Papers;
use jiff::SignedDuration;

use crate::erased_servers::{notes, related};
use crate::{now, program};

const SCHEMA: &str = "create table patient (id integer primary key, name varchar(40), mother varchar(40));
    create table result (id integer primary key, patient integer references patient (id), value varchar(40));";
const ROWS: &str = "insert into patient values (1, 'QyIAAAAAAA-Un', 'x'), (2, 'QyIBBBBBBB-Deux', 'y');
    insert into result values (1, 1, 'QyICCCCCCC-a'), (2, 2, 'QyIDDDDDDD-b');";

struct Case {
    made: Migration,
    from: PathBuf,
    folder: tempfile::TempDir,
    /// Days by which the program's clock is ahead.
    ahead: i64,
}

impl Case {
    /// Moved, read back; the order has the source erased, and what stays of the patients `stays`.
    fn new(stays: &str) -> Self {
        Self::with(stays, "", |_, _| {})
    }

    /// The same with more at the source, under papers of which `edit` changed words.
    fn with(stays: &str, more: &str, edit: impl FnOnce(&mut Papers, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        let (from, to) = (here.join("old.db"), here.join("new.db"));
        // rows that nobody ordered, and that name a patient
        let visits = "create table visit (id integer primary key, patient integer references patient (id));";
        create_from(&from, &format!("{SCHEMA}{ROWS}{visits}{more}")).unwrap();
        create_from(&to, SCHEMA).unwrap();
        let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
        let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
        let ordered = |table, columns: &[&'static str]| Ordered {
            table,
            rows: "true",
            columns: columns.to_vec(),
            reasoned: vec![],
        };
        let order = [ordered("patient", &["id", "name"]), ordered("result", &["id", "patient", "value"])];
        let mut made = Migration::new(program(), &here.join("papers"), now(), &source, &destination, &order);
        let papers = made.papers();
        let day = papers.instruction.split("copies = ").nth(1).unwrap().get(..10).unwrap().to_owned();
        let fate = stays.replace("DAY", &day);
        papers.instruction = papers
            .instruction
            .replacen("[erasure]\n", &format!("[erasure]\nsource = {day}\n"), 1)
            .replace(&format!("fate = \"keep\", until = {day}"), &fate);
        edit(papers, &day);
        let at = here.join("papers");
        made.papers().write(&at);
        let case = Self { made, from, folder, ahead: 0 };
        case.done(&["migrate"]);
        case.done(&["reconcile"]);
        case
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.made.command(arguments);
        command.env("ECLUSE_CLOCK_AHEAD", (self.ahead * 86_400).to_string());
        command.env("TMPDIR", self.folder.path().join("papers")).output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], code: &str) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().last().unwrap_or_default().starts_with(code), "{code}: {said}");
        assert!(!said.contains("QyI"), "{said}");
        said
    }

    fn accepted(&mut self) {
        self.done(&["accept", "propose", "--lang", "en"]);
        let signatory = self.made.papers().signatory.short;
        self.done(&["accept", "sign", "--key", &self.key(signatory)]);
    }

    fn key(&self, of: &str) -> String {
        self.made.folder().join("keys").join(of).display().to_string()
    }

    /// Somebody answers for every place beyond reach.
    fn owned(&self) {
        let said = self.done(&["erase", "--source", "--dry-run", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let lines = said["beyond"].as_array().unwrap().iter().map(|one| {
            format!("[[place]]\nwhat = {}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n", one["what"])
        });
        std::fs::write(self.made.folder().join("places.toml"), lines.collect::<String>()).unwrap();
    }

    fn rows(&self) -> i64 {
        let both = "select (select count(*) from patient) + (select count(*) from result)";
        self.sql().query_row(both, [], |row| row.get(0)).unwrap()
    }

    /// Rows at the destination.
    fn moved(&self) -> i64 {
        let both = "select (select count(*) from patient) + (select count(*) from result)";
        let to = rusqlite::Connection::open(self.from.with_file_name("new.db")).unwrap();
        to.query_row(both, [], |row| row.get(0)).unwrap()
    }

    fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.from).unwrap()
    }
}

// The certificate says who answers for a place, and until when: it is asked while there is something to keep.
#[test]
fn nothing_goes_while_nobody_can_be_held_to_a_place_beyond_reach() {
    let mut case = Case::new(DESTROY);
    case.accepted();
    case.owned();
    let places = case.made.folder().join("places.toml");
    let good = std::fs::read_to_string(&places).unwrap();
    let what = good.lines().find(|line| line.starts_with("what")).unwrap();
    for (was, is) in [
        ("2099-01-31", "0000-01-01"),
        ("2099-01-31", "2020-01-31"),
        ("Jean Roux", "x"),
        ("Jean Roux", "Service Technique"),
        ("Jean Roux", "Jean \\u202eRoux"),
        ("Jean Roux", "Jean\\nRoux"),
        (what, "what = \"a disk\\u001b[2J\""),
    ] {
        std::fs::write(&places, good.replacen(was, is, 1)).unwrap();
        case.refused(&["erase", "--source"], "ECL-ERA-041");
        assert_eq!(case.rows(), 4, "{is}: nothing went");
    }
    std::fs::write(&places, &good).unwrap();
    case.done(&["erase", "--source"]);
    assert_eq!(case.rows(), 0);
    // it was said in time, and is not asked anew
    std::fs::write(&places, good.replace("2099-01-31", "2020-01-31")).unwrap();
    assert!(case.done(&["erase", "--source"]).contains("Erased at the source already"));
}

const DESTROY: &str = "fate = \"destroy\", reason = \"nobody needs it\", by = DAY";

#[test]
fn the_source_is_erased_after_acceptance_and_only_while_it_is_what_moved() {
    let mut case = Case::new(DESTROY);
    case.refused(&["erase", "--source"], "ECL-ACC-011");
    case.accepted();
    case.refused(&["erase", "--source"], "ECL-ERA-019");
    case.owned();
    assert_eq!(case.rows(), 4);
    case.sql().execute_batch("update result set value = 'QyIchanged' where id = 2").unwrap();
    case.refused(&["erase", "--source"], "ECL-ERA-010");
    case.sql().execute_batch("update result set value = 'QyIDDDDDDD-b' where id = 2").unwrap();
    case.sql().execute_batch("insert into visit values (1, 2)").unwrap();
    case.refused(&["erase", "--source"], "ECL-ERA-012");
    case.sql().execute_batch("delete from visit").unwrap();
    // somebody lost a row where it had arrived: the source has the only one left
    let new = rusqlite::Connection::open(case.from.with_file_name("new.db")).unwrap();
    new.execute_batch("delete from result where id = 1").unwrap();
    case.refused(&["erase", "--source"], "ECL-ERA-030");
    new.execute_batch("insert into result values (1, 1, 'QyICCCCCCC-a')").unwrap();
    drop(new);
    assert_eq!(case.rows(), 4, "nothing went");
    case.done(&["erase", "--source"]);
    // a start that found the source empty would delete the same rows at the destination
    for start in [&["migrate"][..], &["migrate", "--repair"]] {
        case.refused(start, "ECL-RUN-066");
    }
    assert_eq!(case.moved(), 4);
    assert_eq!(case.rows(), 0);
    let bytes = std::fs::read(&case.from).unwrap();
    assert!(memchr::memmem::find(&bytes, b"QyI").is_none(), "the file holds what was deleted");
    let run = case.made.folder().join("run");
    let erased = erasure(&run).unwrap().unwrap();
    assert!(erased.covers_source("patient") && erased.covers_source("result"));
    assert!(erased.acceptance.starts_with("sha256:") && !erased.ended.is_empty());
    assert!(erased.out_of_reach.iter().all(|one| one.owner == "Jean Roux"));
}

#[test]
fn rows_that_name_erased_ones_by_the_papers_alone_stop_it_until_the_order_has_their_fate() {
    let more = "create table note (id integer primary key, patient_id integer, quoi varchar(40));
        insert into note values (1, 77, 'of nobody'), (2, 2, 'QyIBBBBBBB-Deux');";
    let mut case = Case::with(DESTROY, more, notes);
    case.accepted();
    case.owned();
    let said = case.refused(&["erase", "--source"], "ECL-ERA-012");
    assert!(said.contains("table note to patient: fewer than 5 rows"), "{said}");
    assert_eq!(case.rows(), 4);
    // the same under an order that has them go too
    let mut case = Case::with(DESTROY, more, |papers, day| {
        notes(papers, day);
        papers.instruction.push_str(&format!(
            "\n[[beside]]\ntable = \"note\"\ncolumn = \"patient_id\"\nof = \"patient\"\nto = \"id\"\n\
             fate = \"destroy\"\nreason = \"of who left\"\nby = {day}\n"
        ));
    });
    case.accepted();
    case.owned();
    case.done(&["erase", "--source"]);
    let left: String =
        case.sql().query_row("select group_concat(quoi) from note", [], |row| row.get(0)).unwrap();
    assert_eq!((case.rows(), left.as_str()), (0, "of nobody"));
    let bytes = std::fs::read(&case.from).unwrap();
    assert!(memchr::memmem::find(&bytes, b"QyI").is_none(), "the file holds what was deleted");
}

#[test]
fn rows_that_name_what_the_order_destroys_beside_itself_stop_it_too() {
    // two of the remarks name notes that stay, or nothing: these are nobody's matter
    let more = "create table note (id integer primary key, patient_id integer, quoi varchar(40));
        insert into note values (1, 77, 'of nobody'), (2, 2, 'QyIBBBBBBB-Deux');
        create table remark (id integer primary key, note_id integer);
        insert into remark values (1, 2), (2, 1), (3, 99);";
    let mut case = Case::with(DESTROY, more, |papers, day| {
        notes(papers, day);
        related(
            papers,
            "remark",
            "column = \"note_id\", table = \"note\", to = \"id\", given = \"engineer\"",
        );
        papers.instruction.push_str(&format!(
            "\n[[beside]]\ntable = \"note\"\ncolumn = \"patient_id\"\nof = \"patient\"\nto = \"id\"\n\
             fate = \"destroy\"\nreason = \"of who left\"\nby = {day}\n"
        ));
    });
    case.accepted();
    case.owned();
    let said = case.refused(&["erase", "--source"], "ECL-ERA-012");
    assert!(said.contains("table remark to note: fewer than 5 rows"), "{said}");
    let notes = || case.sql().query_row("select count(*) from note", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((case.rows(), notes()), (4, 2), "nothing went");
    case.sql().execute_batch("delete from remark where note_id = 2").unwrap();
    case.done(&["erase", "--source"]);
    assert_eq!((case.rows(), notes()), (0, 1));
}

#[test]
fn columns_that_stay_with_the_rows_are_not_destroyed_against_the_order() {
    let mut case = Case::new("fate = \"keep\", until = DAY");
    case.accepted();
    case.refused(&["erase", "--source"], "ECL-ERA-017");
    assert_eq!(case.rows(), 4);
}

#[test]
fn killed_around_the_commit_the_same_command_ends_it() {
    for (at, left) in [("sqlite_erase.commit.before", 4), ("sqlite_erase.commit.after", 0)] {
        let mut case = Case::new(DESTROY);
        case.accepted();
        case.owned();
        let killed = case.made.command(&["erase", "--source"]).env(VARIABLE, at).output().unwrap();
        assert!(killed.status.code().is_none(), "{at}: {}", String::from_utf8_lossy(&killed.stderr));
        assert_eq!(case.rows(), left, "{at}");
        assert!(erasure(&case.made.folder().join("run")).unwrap().is_none());
        case.done(&["erase", "--source"]);
        assert_eq!(case.rows(), 0);
        assert!(erasure(&case.made.folder().join("run")).unwrap().unwrap().covers_source("result"));
    }
}

// proves: ERA-02
#[test]
fn a_survivor_is_found_where_it_was_planted_and_nothing_is_found_once_it_is_gone() {
    let mut case = Case::new(DESTROY);
    case.accepted();
    case.refused(&["erase", "--look"], "ECL-ERA-022");
    case.owned();
    case.done(&["erase", "--source"]);
    case.done(&["erase", "--look"]);
    let run = case.made.folder().join("run");
    assert!(residue(&run).unwrap().unwrap().survivors.is_empty());
    // somebody kept an extract, base64 as a mail has it
    let kept = case.made.folder().join("notes.txt");
    let text = data_encoding::BASE64.encode(b"the patient QyIAAAAAAA-Un, and more");
    std::fs::write(&kept, text).unwrap();
    case.refused(&["erase", "--look"], "ECL-ERA-023");
    let found = residue(&run).unwrap().unwrap();
    // the temporary folder is this one too: it is told of both places
    assert!(!found.survivors.is_empty());
    let named = |path: &std::path::Path| {
        let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
        move |one: &ecluse_core::erasure::Survivor| one.what.ends_with(&format!("inode {inode}"))
    };
    assert!(found.survivors.iter().all(named(&kept)), "{:?}", found.survivors);
    let clear = std::fs::read_to_string(run.join("residue.json")).unwrap();
    // its name can be a person's
    assert!(!clear.contains("QyI") && !clear.contains("notes"), "{clear}");
    std::fs::remove_file(kept).unwrap();
    // what merely begins with a database's name is none
    let beside = case.from.with_file_name("old.db.csv");
    std::fs::write(&beside, "QyIAAAAAAA-Un").unwrap();
    let folder = case.from.parent().unwrap();
    let output = case.made.command(&["erase", "--look"]).env("TMPDIR", folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = residue(&run).unwrap().unwrap();
    assert!(found.survivors.iter().any(named(&beside)), "{:?}", found.survivors);
    std::fs::remove_file(beside).unwrap();
    // what could not be read was not looked at
    case.done(&["erase"]);
    let deep = case.made.folder().join("a/".repeat(14));
    std::fs::create_dir_all(&deep).unwrap();
    case.done(&["erase", "--look"]);
    case.refused(&["certify", "propose"], "ECL-CRT-011");
    std::fs::remove_dir_all(case.made.folder().join("a")).unwrap();
    case.done(&["erase", "--look"]);
    case.done(&["certify", "propose"]);
}

#[test]
fn a_copy_that_goes_after_the_orders_end_is_looked_for_certified_and_the_migration_closed() {
    let mut case = Case::new(DESTROY);
    case.accepted();
    case.owned();
    case.done(&["erase", "--source"]);
    // the order ended a month ago, and no word of the laboratory's is fresh; the copies' day is yesterday
    case.ahead = 61;
    case.refused(&["erase", "--source"], "ECL-SGN-007");
    case.done(&["session", "new", "--key", &case.key("petit")]);
    case.done(&["erase", "--look"]);
    let said = case.done(&["erase"]);
    assert!(said.contains("state.age") && !case.made.folder().join("run/state.age").exists(), "{said}");
    // the copy's going asks for a look after it
    case.refused(&["certify", "propose"], "ECL-CRT-011");
    case.done(&["erase", "--look"]);
    case.done(&["certify", "propose"]);
    case.done(&["certify", "sign", "--key", &case.key("serrano")]);
    let said = case.done(&["close"]);
    assert!(said.contains("The migration is closed"), "{said}");
}

/// The three commands that say how things stand.
const TOLD: [&str; 3] = ["status", "copies", "next"];

// proves: ERA-04
#[test]
fn a_source_that_stands_beyond_its_day_is_told_and_an_event() {
    let mut case = Case::with(DESTROY, "", |papers, day| {
        let earlier = (now() + SignedDuration::from_hours(24 * 20)).strftime("%Y-%m-%d").to_string();
        papers.instruction =
            papers.instruction.replacen(&format!("source = {day}"), &format!("source = {earlier}"), 1);
    });
    case.accepted();
    case.owned();
    case.ahead = 20;
    TOLD.iter().for_each(|told| drop(case.done(&[told])));
    case.ahead = 21;
    for told in TOLD {
        case.refused(&[told], "ECL-ERA-032");
    }
    case.done(&["erase", "--timer"]);
    let noted = events(&case.made.folder().join("run")).unwrap().leaves;
    let is_told = |act, outcome: &str| noted.iter().any(|leaf| leaf.act == act && leaf.outcome == outcome);
    assert!(is_told(Act::Beat, "ECL-ERA-032"));
    case.ahead = 0;
    case.done(&["erase", "--source"]);
    case.ahead = 21;
    case.done(&["erase", "--timer"]);
    TOLD.iter().for_each(|told| drop(case.done(&[told])));
}

// proves: ERA-04
#[test]
fn an_erasure_of_the_source_that_failed_is_told_until_it_is_made_good() {
    let mut case = Case::new(DESTROY);
    case.accepted();
    case.owned();
    TOLD.iter().for_each(|told| drop(case.done(&[told])));
    case.sql().execute_batch("insert into visit values (1, 2)").unwrap();
    case.refused(&["erase", "--source"], "ECL-ERA-012");
    for told in TOLD {
        let said = case.refused(&[told], "ECL-ERA-033");
        assert!(said.contains("ECL-ERA-012"), "{said}");
    }
    // a look at the copies is no erasure of the source
    case.done(&["erase"]);
    case.refused(&["status"], "ECL-ERA-033");
    case.sql().execute_batch("delete from visit").unwrap();
    case.done(&["erase", "--source"]);
    TOLD.iter().for_each(|told| drop(case.done(&[told])));
}
