//! Files that part with their rows: erased at the source with what moved, and only those.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_adapters::folder::erasure;
use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_core::erasure::{Erased, Side};
use ecluse_core::status::State;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_seal::Identity;
use ecluse_testkit::kill::{CLOCK_AHEAD, VARIABLE};
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::papers::{IDENTITY, Paper, Papers};
use ecluse_testkit::server;
use jiff::SignedDuration;
use rusqlite::Connection;

use crate::{now, program};

/// Rows 1 to 5 move, 6 and 7 stay; 5 and 6 name one file, 7 another that it alone names; of 3 there is none.
const SOURCE: &str = "
    create table report (id integer not null primary key, patient varchar(40), path varchar(60), done integer);
    insert into report values
        (1, 'QyIAAAAAAA-Un', '2024/QyIone.pdf', 1), (2, 'QyIBBBBBBB-Deux', 'QyIMarie/2024/two.PDF', 1),
        (3, 'QyICCCCCCC-Trois', 'missing.pdf', 1), (4, 'QyIDDDDDDD-Quatre', '2023/four', 1),
        (5, 'QyIEEEEEEE-Cinq', '2023/both.pdf', 1), (6, 'ZxOther-Six', '2023/both.pdf', 0),
        (7, 'ZxOther-Sept', '2023/other.pdf', 0);
";
const DESTINATION: &str =
    "create table report (id integer not null primary key, patient varchar(40), path varchar(120));";
const FILES: [(&str, &[u8]); 6] = [
    ("2024/QyIone.pdf", b"%PDF QyIfirst"),
    ("QyIMarie/2024/two.PDF", b"%PDF QyIsecond"),
    ("2023/four", b""),
    ("2023/both.pdf", b"%PDF QyIEEEEEEE, ZxOther"),
    ("2023/other.pdf", b"%PDF ZxOther"),
    ("2020/ZxOnobody.pdf", b"ZxOnobody"),
];
/// Long enough to stand in no signature by chance.
const CANARIES: [&str; 6] = ["QyIone", "QyIMarie", "QyIfirst", "QyIsecond", "QyIAAAA", "two.PDF"];
const STAY: [&str; 3] = ["2020/ZxOnobody.pdf", "2023/both.pdf", "2023/other.pdf"];
const WIDE: [&str; 4] = ["--without-views", "a test", "--accept-wider-role", "a test"];

struct Case {
    made: Migration,
    old: PathBuf,
    new: PathBuf,
    folder: tempfile::TempDir,
    /// Days by which the clock is set ahead.
    ahead: i64,
}

impl Case {
    /// Between two SQLite files.
    fn local() -> Self {
        Self::local_with(|_| {})
    }

    fn local_with(edit: impl FnOnce(&mut Papers)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("old.db"), folder.path().join("new.db"));
        create_from(&from, SOURCE).unwrap();
        create_from(&to, DESTINATION).unwrap();
        let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
        let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
        Self::with(folder, &source, &destination, edit)
    }

    /// Moved with its files, read back, accepted; somebody answers for what is beyond reach.
    fn of(folder: tempfile::TempDir, from: &End, to: &End) -> Self {
        Self::with(folder, from, to, |_| {})
    }

    fn with(folder: tempfile::TempDir, from: &End, to: &End, edit: impl FnOnce(&mut Papers)) -> Self {
        let here = folder.path().canonicalize().unwrap();
        let (old, new) = (here.join("old"), here.join("new"));
        for (name, bytes) in FILES {
            let path = old.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::create_dir(&new).unwrap();
        let columns = vec!["id", "patient", "path"];
        let order = [Ordered { table: "report", rows: "done == 1", columns, reasoned: Vec::new() }];
        let mut made = Migration::new(program(), &here.join("papers"), now(), from, to, &order);
        let papers = made.papers();
        let day = papers.instruction.split("copies = ").nth(1).unwrap().get(..10).unwrap().to_owned();
        let receives = format!("files = \"{}\"\n\n[erasure]\nsource = {day}\n", new.display());
        papers.instruction = papers.instruction.replacen("\n[erasure]\n", &receives, 1).replace(
            &format!("fate = \"keep\", until = {day}"),
            &format!("fate = \"destroy\", reason = \"nobody needs it\", by = {day}"),
        );
        papers.instruction +=
            &format!("\n[[table.files]]\ncolumn = \"path\"\nfolder = \"{}\"\n", old.display());
        edit(papers);
        papers.write(&here.join("papers"));
        let mut case = Self { made, old, new, folder, ahead: 0 };
        case.done(&[&["migrate"][..], &WIDE].concat());
        case.done(&[&["reconcile"][..], &WIDE].concat());
        case.done(&["accept", "propose", "--lang", "en"]);
        let key = case.made.folder().join("keys").join(case.made.papers().signatory.short);
        case.done(&["accept", "sign", "--key", &key.display().to_string()]);
        let said = case.done(&case.source(&["--dry-run", "--json"]));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["files"]["at_most"], 4, "{said}");
        let lines = said["beyond"].as_array().unwrap().iter().map(|one| {
            format!("[[place]]\nwhat = {}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n", one["what"])
        });
        let lines: String = lines.collect();
        assert!(lines.contains("backups and copies of the folder "), "{lines}");
        std::fs::write(case.made.folder().join("places.toml"), lines).unwrap();
        case
    }

    fn source<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&["erase", "--source"], &WIDE[2..], more].concat()
    }

    fn run(&self, arguments: &[&str], dies: &str) -> Output {
        let mut command = self.made.command(arguments);
        if !dies.is_empty() {
            command.env(VARIABLE, dies);
        }
        command.env(CLOCK_AHEAD, (self.ahead * 86_400).to_string());
        command.env("TMPDIR", self.folder.path()).output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(CANARIES.iter().all(|canary| !said.contains(canary)), "{said}");
        said
    }

    #[track_caller]
    fn refused(&self, code: &str) -> String {
        let output = self.run(&self.source(&[]), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().any(|line| line.starts_with(code)), "{code}: {said}");
        assert!(CANARIES.iter().all(|canary| !said.contains(canary)), "{said}");
        said
    }

    #[track_caller]
    fn dies(&self, at: &str) {
        let output = self.run(&self.source(&[]), at);
        assert!(output.status.code().is_none(), "{at}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn lying(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        below(&self.old, &self.old, &mut found);
        found
    }

    /// What is written down of the files.
    fn of_files(&self) -> Erased {
        let erased = erasure(&self.made.folder().join("run")).unwrap().unwrap();
        assert!(!erased.ended.is_empty() && erased.covers_source("report"));
        let mut of_files =
            erased.done.into_iter().filter(|one| one.side == Side::Source && one.rows.is_none());
        let one = of_files.next().unwrap();
        assert!(of_files.next().is_none());
        one
    }

    /// What moved is gone with its files, what stays stays, and the destination has its own.
    #[track_caller]
    fn stands_as_it_should(&self, at: &str) {
        assert_eq!(self.lying(), STAY.map(str::to_owned).into(), "{at}");
        for name in ["2024", "QyIMarie"] {
            assert!(!self.old.join(name).exists(), "{at}: an empty folder may be called as its patient was");
        }
        let mut new = BTreeSet::new();
        below(&self.new, &self.new, &mut new);
        assert_eq!(new.len(), 4, "{at}");
        let one = self.of_files();
        assert_eq!((one.files, one.place.as_str()), (Some(3), self.old.to_str().unwrap()), "{at}");
        assert!(one.method.contains("1 more stays, named by rows that stay"), "{at}: {}", one.method);
    }
}

impl Case {
    /// Another month: the order has ended, and the operator opens a session of that day.
    fn a_month_later(&mut self) {
        self.later(31);
    }

    fn later(&mut self, days: i64) {
        self.ahead = days;
        let then = now() + SignedDuration::from_hours(24 * self.ahead);
        let (from, until) = (then - SignedDuration::from_hours(1), then + SignedDuration::from_hours(8));
        let papers = self.made.folder().to_owned();
        self.made.papers().period(Paper::Session, from, until);
        self.made.papers().write(&papers);
    }
}

fn below(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            below(root, &entry.path(), found);
        } else {
            found.insert(entry.path().strip_prefix(root).unwrap().display().to_string());
        }
    }
}

/// Files whose names the run's sealed state holds.
fn kept(case: &Case) -> usize {
    let sealed = std::fs::read(case.made.folder().join("run/state.age")).unwrap();
    ecluse_seal::open(&sealed, &Identity::parse(IDENTITY).unwrap()).unwrap().parting.len()
}

/// Nothing of a file's name lies in clear in the migration folder.
fn nothing_in_clear(case: &Case) {
    let mut grep = std::process::Command::new("grep");
    let found = grep
        .args(["-raE", "QyI(one|Marie|first|second|[A-E]{7})|two\\.PDF"])
        .arg(case.made.folder())
        .output()
        .unwrap();
    assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
}

fn sql(case: &Case, script: &str) {
    let old = case.folder.path().join("old.db");
    rusqlite::Connection::open(old).unwrap().execute_batch(script).unwrap();
}

// proves: ERA-09
#[test]
fn files_go_with_the_rows_that_named_them_and_those_of_rows_that_stay_stay() {
    let case = Case::local();
    // the destination's copy is the last one, once the source's went
    let mut new = BTreeSet::new();
    below(&case.new, &case.new, &mut new);
    let copy = case.new.join(new.first().unwrap());
    let bytes = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, "something else").unwrap();
    let said = case.refused("ECL-ERA-036");
    assert!(said.contains("table report: 1 file"), "{said}");
    std::fs::write(&copy, bytes).unwrap();
    // what stands there is not what moved
    std::fs::write(case.old.join("2024/QyIone.pdf"), "QyI later").unwrap();
    case.refused("ECL-ERA-010");
    std::fs::write(case.old.join("2024/QyIone.pdf"), FILES[0].1).unwrap();
    assert_eq!(case.lying().len(), FILES.len(), "nothing went");
    let said = case.done(&case.source(&[]));
    assert!(
        said.contains("report.path   3 files erased at the source, 1 more stay: rows that stay name them"),
        "{said}"
    );
    case.stands_as_it_should("");
    assert_eq!(kept(&case), 0);
    nothing_in_clear(&case);
    case.done(&["erase", "--look"]);
}

/// A row that stays may have another name for the same file, or one that no run would take.
// proves: ERA-09
#[test]
fn a_file_that_a_row_which_stays_has_by_another_name_stays() {
    let case = Case::local();
    symlink("2023", case.old.join("current")).unwrap();
    sql(
        &case,
        "insert into report values (8, 'ZxOther-Huit', 'current/four', 0),
            (9, 'ZxOther-Neuf', './2024//QyIone.pdf', 0)",
    );
    case.done(&case.source(&[]));
    assert_eq!(case.of_files().files, Some(1));
    for name in ["2023/four", "2024/QyIone.pdf", "2023/both.pdf"] {
        assert!(case.lying().contains(name), "{name}");
    }

    // whose file it names cannot be told: nothing goes
    let case = Case::local();
    sql(&case, "insert into report values (8, 'ZxOther-Huit', cast('2023/four' as blob), 0)");
    case.refused("ECL-ERA-039");
    assert_eq!(case.lying().len(), FILES.len());
    // named by a row that came since the others went
    let case = Case::local();
    case.dies("sqlite_erase.commit.after");
    sql(
        &case,
        "insert into report values (8, 'ZxOther-Huit', '2023/four', 0); delete from report where id = 6",
    );
    case.done(&case.source(&[]));
    assert!(case.lying().contains("2023/four"));
    assert!(case.lying().contains("2023/both.pdf"), "a row named it when the others went");
}

/// A second name of a file, or another file under its name, while the migration goes on.
#[test]
fn of_a_row_that_was_refused_no_file_is_announced() {
    let case = Case::local();
    std::fs::hard_link(case.old.join("2024/QyIone.pdf"), case.old.join("second.pdf")).unwrap();
    case.refused("ECL-ERA-010");
    assert_eq!(case.lying().len(), FILES.len() + 1);
}

// proves: ERA-09
#[test]
fn killed_anywhere_the_same_command_ends_it() {
    let points = [
        "sqlite_erase.commit.after",
        "attached.erase.aside.rename.before",
        "attached.erase.aside.rename.after",
        "attached.erase.rename.before",
        "attached.erase.rename.after",
        "attached.erase.fsync.before",
        "attached.erase.fsync.after",
        "overwrite.fsync.before",
        "overwrite.fsync.after",
        "attached.erase.fsync.after:3",
        "attached.erase.sweep.fsync.before",
        "attached.erase.sweep.fsync.after",
        "attached.erase.folder.fsync.before",
        "attached.erase.folder.fsync.after:2",
        "erase.source.forget.before",
        "erase.source.forget.after",
    ];
    for at in points {
        let case = Case::local();
        case.dies(at);
        nothing_in_clear(&case);
        if at == "overwrite.fsync.after" {
            let lying = case.lying();
            let erasing = lying.iter().filter(|name| name.contains(".ecluse-erasing-"));
            let bytes: Vec<u8> =
                erasing.flat_map(|name| std::fs::read(case.old.join(name)).unwrap()).collect();
            assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0), "overwritten before it goes");
        }
        case.done(&case.source(&[]));
        case.stands_as_it_should(at);
        nothing_in_clear(&case);
        assert!(case.done(&case.source(&[])).contains("Erased at the source already"), "{at}");
    }
}

/// A start that finds another folder, or none that is mounted, takes no file that it does not see for gone.
// proves: ERA-09
#[test]
fn files_of_a_folder_that_is_not_there_are_not_gone() {
    let case = Case::local();
    case.dies("attached.erase.fsync.after");
    let aside = case.folder.path().join("unmounted");
    std::fs::rename(&case.old, &aside).unwrap();
    std::fs::create_dir(&case.old).unwrap();
    let said = case.refused("ECL-ERA-037");
    assert!(said.contains("report.path: 3 files (ECL-FIL-018)"), "{said}");
    assert!(erasure(&case.made.folder().join("run")).unwrap().is_none());
    std::fs::remove_dir(&case.old).unwrap();
    let said = case.run(&case.source(&[]), "");
    assert!(String::from_utf8_lossy(&said.stderr).contains("ECL-FIL-030"));
    std::fs::rename(&aside, &case.old).unwrap();
    case.done(&case.source(&[]));
    case.stands_as_it_should("mounted again");
}

/// The one copy that is left is at the destination: a later start looks at it once more.
// proves: ERA-09
#[test]
fn a_later_start_reads_the_destinations_files_before_it_goes_on() {
    let case = Case::local();
    case.dies("sqlite_erase.commit.after");
    let mut new = BTreeSet::new();
    below(&case.new, &case.new, &mut new);
    let copy = case.new.join(new.first().unwrap());
    let aside = case.folder.path().join("copy");
    std::fs::rename(&copy, &aside).unwrap();
    case.refused("ECL-ERA-036");
    assert_eq!(case.lying().len(), FILES.len());
    std::fs::rename(&aside, &copy).unwrap();
    case.done(&case.source(&[]));
    case.stands_as_it_should("brought back");
}

/// What was put aside when a start died is put back, or goes where its name is somebody's by now.
// proves: ERA-09
#[test]
fn what_lay_aside_when_a_start_died_is_not_left_there() {
    for (at, name) in [
        ("attached.erase.aside.rename.after:2", ".ecluse-aside-"),
        ("attached.erase.rename.after:2", ".ecluse-erasing-"),
    ] {
        let case = Case::local();
        case.dies(at);
        let aside: Vec<String> = case.lying().into_iter().filter(|one| one.contains(name)).collect();
        assert!(!aside.is_empty(), "{at}");
        let was =
            FILES.iter().find(|(name, _)| *name != "2023/four" && !case.old.join(name).exists()).unwrap().0;
        std::fs::write(case.old.join(was), "ZxOther, of a row that came since").unwrap();
        sql(&case, &format!("insert into report values (8, 'ZxOther-Huit', '{was}', 0)"));
        if at.contains("aside") {
            // and a start that dies as it puts back
            case.dies("attached.erase.back.rename.before");
        }
        case.done(&case.source(&[]));
        assert_eq!(std::fs::read(case.old.join(was)).unwrap(), b"ZxOther, of a row that came since", "{at}");
        assert!(case.lying().iter().all(|one| !one.contains(".ecluse-")), "{at}: {:?}", case.lying());
    }
}

#[test]
fn before_the_rows_are_gone_no_file_goes() {
    let case = Case::local();
    case.dies("sqlite_erase.commit.before");
    assert_eq!((case.lying().len(), kept(&case)), (FILES.len(), 4));
    // the order is thought over: the row is to stay with its file
    sql(&case, "update report set done = 0 where id = 4");
    case.refused("ECL-ERA-010");
    assert_eq!(case.lying().len(), FILES.len());
}

// proves: ERA-09
#[test]
fn a_file_that_is_not_what_moved_any_more_is_left_and_told_until_somebody_takes_it_away() {
    let case = Case::local();
    case.dies("sqlite_erase.commit.after");
    std::fs::write(case.old.join("2024/QyIone.pdf"), "QyI another one's").unwrap();
    std::fs::remove_file(case.old.join("2023/four")).unwrap();
    symlink("both.pdf", case.old.join("2023/four")).unwrap();
    let said = case.refused("ECL-ERA-037");
    assert!(said.contains("report.path: 1 file (ECL-FIL-012, inode "), "{said}");
    assert!(said.contains("report.path: 1 file (ECL-FIL-017, inode "), "{said}");
    assert!(erasure(&case.made.folder().join("run")).unwrap().is_none(), "it has not come to its end");
    // what was erased has an empty file in its place, so that it is told from what somebody took away
    let stand: BTreeSet<String> =
        ["2024/QyIone.pdf", "2023/four"].into_iter().chain(STAY).map(str::to_owned).collect();
    let lying: BTreeSet<String> =
        case.lying().into_iter().filter(|name| !name.contains("/.ecluse-erasing-")).collect();
    assert_eq!(lying, stand);
    std::fs::rename(case.old.join("2024/QyIone.pdf"), case.folder.path().join("kept")).unwrap();
    std::fs::remove_file(case.old.join("2023/four")).unwrap();
    let said = case.refused("ECL-ERA-037");
    assert!(said.contains("report.path: 2 files (ECL-FIL-018)"), "{said}");
    case.done(&case.source(&["--files-missing", "the laboratory has them"]));
    let one = case.of_files();
    assert_eq!(one.files, Some(1));
    let words = "2 more were not there, and not erased by écluse: the laboratory has them";
    assert!(one.method.contains(words), "{}", one.method);
}

// proves: ERA-09
#[test]
fn files_go_with_their_rows_at_servers_too() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (my, pg) = (mariadb.database("parted"), postgres.database("parted"));
    my.sql(SOURCE);
    pg.sql(DESTINATION);
    let folder = || tempfile::tempdir().unwrap();
    let case = Case::of(folder(), &End::mariadb(&my), &End::postgres(&pg, "postgres"));
    case.dies("mariadb.erase.commit.after");
    assert_eq!(case.lying().len(), FILES.len());
    case.done(&case.source(&[]));
    case.stands_as_it_should("from MariaDB");

    let (my, pg) = (mariadb.database("parted"), postgres.database("parted"));
    pg.sql(SOURCE);
    my.sql(DESTINATION);
    let case = Case::of(folder(), &End::postgres(&pg, "postgres"), &End::mariadb(&my));
    case.dies("postgres.erase.commit.after");
    case.done(&case.source(&[]));
    case.stands_as_it_should("from PostgreSQL");
}

// fails with the guard off: an order that ends between two starts is gone on with by nobody, and files stay whose rows
// are gone
// proves: ERA-09
#[test]
fn what_an_order_began_is_ended_after_its_day_and_nothing_else_is() {
    let mut case = Case::local();
    case.dies("erase.source.commit.after");
    assert_eq!(case.lying().len(), 6);
    case.a_month_later();
    // its copies' day has come too, and the names of its files are among them
    case.ahead = 100;
    let erased = case.run(&["erase"], "");
    case.ahead = 31;
    let said = String::from_utf8_lossy(&erased.stdout).into_owned();
    assert!(!erased.status.success() && said.contains("ECL-ERA-044"), "{said}");
    assert!(case.made.folder().join("run/state.age").exists());
    // the last word counts, by whom it was signed and after what was heard before
    let folder = case.made.folder().to_owned();
    let (word, signed) = (folder.join("status.toml"), folder.join("status.toml.sigs"));
    let first = std::fs::read_to_string(&word).unwrap();
    std::fs::write(&word, first.replace("\"in force\"", "\"suspended\"\nreason = \"a complaint\"")).unwrap();
    case.refused("ECL-SGN-021");
    std::fs::write(&word, &first).unwrap();
    let unsigned = case.folder.path().join("aside");
    std::fs::rename(&signed, &unsigned).unwrap();
    case.refused("ECL-SGN-020");
    std::fs::rename(&unsigned, &signed).unwrap();
    let at = now();
    case.made.papers().give_status(&folder, State::Suspended, at);
    case.refused("ECL-STA-010");
    let second = std::fs::read(&word).unwrap();
    std::fs::rename(&signed, &unsigned).unwrap();
    case.made.papers().status_version = 0;
    case.made.papers().give_status(&folder, State::InForce, at);
    case.refused("ECL-STA-014");
    assert_ne!(std::fs::read(&word).unwrap(), second);
    assert_eq!(case.lying().len(), 6);
    case.made.papers().status_version = 2;
    case.made.papers().give_status(&folder, State::InForce, at);
    case.done(&case.source(&[]));
    case.stands_as_it_should("after the order's day");
    assert!(case.done(&case.source(&[])).contains("Erased at the source already"));
    case.done(&["erase"]);

    // what still stands goes on no order that has ended
    let mut case = Case::local();
    case.dies("erase.source.commit.before");
    case.a_month_later();
    case.refused("ECL-ERA-043");
    let rows = Connection::open(case.folder.path().join("old.db")).unwrap();
    assert_eq!(rows.query_row("select count(*) from report", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    assert_eq!(case.lying().len(), 6);
}

// fails with the guard off: what nobody erased is said to be erased
// proves: ERA-09
#[test]
fn rows_that_the_order_does_not_choose_any_more_have_not_gone() {
    let case = Case::local();
    case.dies("erase.source.commit.before");
    sql(&case, "update report set done = 0");
    let said = case.refused("ECL-ERA-010");
    assert!(said.contains("under the keys of what moved"), "{said}");
    sql(&case, "update report set done = 1 where id <= 5");
    case.done(&case.source(&[]));
    case.stands_as_it_should("chosen again");
}

// fails with the guard off: a key that has ended does not stop an erasure that was announced, and rows go on its word
// proves: ERA-09
#[test]
fn papers_that_hold_no_more_for_another_reason_end_nothing() {
    let mut case = Case::local_with(|papers| {
        let text = papers.text(Paper::Contract);
        let (_, key) = text.split_once("person = \"Claire Fontaine\"").unwrap();
        let (block, rest) = key.split_once("\nuntil  = ").unwrap();
        let until = rest.lines().next().unwrap();
        let tomorrow = now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().unwrap();
        let [from, to] = [until, &tomorrow.to_string()].map(|day| format!("{block}\nuntil  = {day}"));
        papers.edit(Paper::Contract, &from, &to);
    });
    case.dies("erase.source.commit.after");
    case.later(3);
    case.refused("ECL-SGN-028");
    assert_eq!(case.lying().len(), 6);
}
