//! The sealed list of persons who stay: made on the laboratory's side, cited, opened, refused.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_core::value::Value;
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_seal::Identity;
use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::papers::IDENTITY;
use ecluse_testkit::terminal::Terminal;

use crate::compare::answer;
use crate::{now, program};

/// A key that the laboratory writes and no message may repeat.
const SECRET: &str = "ZxOSECRET";

struct Case {
    made: Migration,
    from: PathBuf,
    to: PathBuf,
    folder: tempfile::TempDir,
}

impl Case {
    fn new(schema: &str, rows: &str, order: &[Ordered]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        let (from, to) = (here.join("old.db"), here.join("new.db"));
        create_from(&from, &format!("{schema}{rows}")).unwrap();
        create_from(&to, schema).unwrap();
        let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
        let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
        let made = Migration::new(program(), &here.join("papers"), now(), &source, &destination, order);
        Self { made, from, to, folder }
    }

    /// Patients with a number, and their results.
    fn patients() -> Self {
        Self::new(
            PATIENTS,
            ROWS,
            &[ordered("patient", &["id", "name"]), ordered("result", &["id", "patient", "value"])],
        )
    }

    fn list(&self, text: &str) -> String {
        let path = self.folder.path().join("list.txt");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Seals a list; its digest.
    fn sealed(&self, text: &str, more: &[&str]) -> String {
        let _none = std::fs::remove_file(self.file());
        let list = self.list(text);
        let table: &[&str] = if more.contains(&"--table") { &[] } else { &["--table", "patient"] };
        let said = self.made.succeed(&[&["instruction", "exclude", &list, "--json"], table, more].concat());
        assert!(!said.contains(SECRET), "{said}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        said["digest"].as_str().unwrap().to_owned()
    }

    fn file(&self) -> PathBuf {
        self.made.folder().join("excluded.age")
    }

    fn cite(&mut self, digest: &str) {
        let folder = self.made.folder().to_owned();
        let papers = self.made.papers();
        let kept: Vec<_> =
            papers.instruction.lines().filter(|l| !l.starts_with("persons_excluded")).collect();
        let line = format!("tolerance = 0\npersons_excluded = \"{digest}\"\n");
        papers.instruction = format!("{}\n", kept.join("\n")).replacen("tolerance = 0\n", &line, 1);
        papers.write(&folder);
    }

    fn migrate(&self) -> Output {
        self.made.run(&["migrate", "--without-views", "a test", "--accept-wider-role", "a test"])
    }

    /// Refused by this code; nothing moved, nobody named.
    #[track_caller]
    fn refused(&self, code: &str) {
        let output = self.migrate();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.lines().last().unwrap_or_default().starts_with(code), "{code}: {said}");
        assert!(!said.contains(SECRET), "{said}");
        assert_eq!(count(&self.to, "select count(*) from patient"), 0);
    }
}

const PATIENTS: &str = "create table patient (id integer primary key, name varchar(20));
    create table result (id integer primary key, patient integer references patient (id), value varchar(20));";
const ROWS: &str = "insert into patient values (1, 'Un'), (2, 'Deux'), (3, 'Trois');
    insert into result values (1, 1, 'a'), (2, 2, 'b'), (3, 2, 'c'), (4, 3, 'd');";

fn ordered(table: &'static str, columns: &[&'static str]) -> Ordered {
    let reasoned = vec!["mother"];
    Ordered { table, rows: "true", columns: columns.to_vec(), reasoned }
}

fn count(path: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn keys_of_every_form_are_listed() {
    let text = "create table patient (ipp char(8) primary key, name varchar(20));";
    let both = "create table patient (site integer not null, number varchar(8) not null, name varchar(20),
        primary key (site, number));";
    let cases: [(&str, &str, &[&'static str], &str, &str); 4] = [
        (
            text,
            "insert into patient values ('A1', 'x'), ('B2', 'y'), ('C3', 'z');",
            &["ipp", "name"],
            "\u{feff}B2\r\n\nB2 \nA1\n",
            "ipp = 'C3'",
        ),
        (
            "create table patient (ipp varchar(8) primary key, name varchar(20));",
            "insert into patient values (' A1', 'x'), ('A1', 'y'), ('B2', 'z');",
            &["ipp", "name"],
            " A1\nB2\n",
            "ipp = 'A1'",
        ),
        (
            both,
            "insert into patient values (1, 'A1', 'x'), (2, 'A1', 'y'), (2, '', 'z');",
            &["site", "number", "name"],
            "2\tA1\n2\t\n",
            "site = 1",
        ),
        (
            "create table patient (id integer primary key, name varchar(20));",
            "insert into patient values (-1, 'x'), (0, 'y'), (9223372036854775807, 'z');",
            &["id", "name"],
            "9223372036854775807\n0\n000\n",
            "id = -1",
        ),
    ];
    for (schema, rows, columns, list, left) in cases {
        let mut case = Case::new(schema, rows, &[ordered("patient", columns)]);
        let digest = case.sealed(list, &[]);
        case.cite(&digest);
        let output = case.migrate();
        assert!(output.status.success(), "{schema}: {}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("2 persons on the sealed list: 2 rows of theirs did not move"), "{said}");
        assert_eq!(count(&case.to, "select count(*) from patient"), 1);
        assert_eq!(count(&case.to, &format!("select count(*) from patient where {left}")), 1);
    }
}

#[test]
fn another_list_than_the_one_that_was_signed_for_is_refused() {
    let mut case = Case::patients();
    let first = case.sealed("1\n", &[]);
    case.cite(&first);
    // the same person sealed once more is another file: its digest says nothing of who is in it
    let again = case.sealed("1\n", &[]);
    assert_ne!(first, again);
    case.refused("ECL-RUN-041");
    std::fs::remove_file(case.file()).unwrap();
    case.refused("ECL-CLI-035");
    // a byte changed, whether or not the order was signed for the changed file
    case.cite(&again);
    let digest = case.sealed("1\n", &[]);
    case.cite(&digest);
    let mut bytes = std::fs::read(case.file()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(case.file(), &bytes).unwrap();
    case.refused("ECL-RUN-041");
    case.cite(&ecluse_core::digest::of_bytes(&bytes));
    case.refused("ECL-SEA-008");
    // sealed to somebody else; to both, each can open it
    let other = Identity::generate().recipient().to_string();
    let digest = case.sealed("1\n", &["--to", &other]);
    case.cite(&digest);
    case.refused("ECL-SEA-007");
    let operator = Identity::parse(IDENTITY).unwrap().recipient().to_string();
    let digest = case.sealed("1\n", &["--to", &other, "--to", &operator]);
    case.cite(&digest);
    assert!(case.migrate().status.success());
    assert_eq!(count(&case.to, "select count(*) from patient where id <> 1"), 2);
    assert_eq!(count(&case.to, "select count(*) from result"), 3);
    // a list of nobody's that the order does not cite changes nothing: the run stays what it was
    assert!(case.migrate().status.success());
}

#[test]
fn a_list_that_does_not_fit_the_order_is_refused() {
    // results are ordered, and nothing says whose they are
    let mut case = Case::new(
        PATIENTS,
        ROWS,
        &[ordered("patient", &["id", "name"]), ordered("result", &["id", "value"])],
    );
    let digest = case.sealed("1\n", &[]);
    case.cite(&digest);
    case.refused("ECL-RUN-043");
    // rows of a table that is not ordered
    let only = [ordered("patient", &["id", "name"])];
    let mut case = Case::new(PATIENTS, ROWS, &only);
    let digest = case.sealed("1\n", &["--table", "result"]);
    case.cite(&digest);
    case.refused("ECL-RUN-042");
}

#[test]
fn what_is_no_list_is_not_sealed() {
    let case = Case::patients();
    let wrong = |arguments: &[&str], exit: i32, code: &str| {
        let output = case.made.command(arguments).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains(code) && !said.contains(SECRET), "{code}: {said}");
        assert!(!case.file().exists());
    };
    // no table of this survey is marked as the patients
    wrong(&["instruction", "exclude"], 2, "ECL-CLI-036");
    wrong(&["instruction", "exclude", "--table", "patient"], 2, "ECL-CLI-038");
    for text in [format!("1\n{SECRET}\n"), format!("1\t{SECRET}\n"), "1.0\n".to_owned()] {
        wrong(&["instruction", "exclude", &case.list(&text), "--table", "patient"], 1, "ECL-CLI-037");
    }
    wrong(&["instruction", "exclude", &case.list("1\n"), "--table", "patients"], 2, "ECL-CLI-036");
    let to = ["--table", "patient", "--to", "age1nobody"];
    wrong(&[&["instruction", "exclude", &case.list("1\n")], to.as_slice()].concat(), 2, "ECL-SEA-001");
    // the list in clear is announced, and stays unless its erasure is asked for
    let list = case.list("2\n");
    let output = case.made.run(&["instruction", "exclude", &list, "--table", "patient"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("in clear") && Path::new(&list).exists(), "{said}");
    let again = case.made.run(&["instruction", "exclude", &list, "--table", "patient"]);
    assert_eq!(again.status.code(), Some(2), "a list that may be cited is not overwritten");
}

/// More than one chunk, and a relation that leads forward.
#[test]
fn a_hundred_thousand_persons_stay_and_no_chunk_ends_at_one() {
    let schema = "create table patient (id integer primary key, mother integer references patient (id), name varchar(20));";
    let rows = "insert into patient with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) \
        select i, null, 'P' from n; update patient set mother = 199998 where id = 1;";
    let mut case = Case::new(schema, rows, &[ordered("patient", &["id", "mother", "name"])]);
    let list: String = (1..=100_000).map(|i| format!("{}\n", 2 * i)).collect();
    let digest = case.sealed(&list, &[]);
    case.cite(&digest);
    let output = case.migrate();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(count(&case.to, "select count(*) from patient where id % 2 = 1 and id <> 1"), 99_999);
    assert_eq!(count(&case.to, "select count(*) from patient"), 99_999);
    let run = case.made.folder().join("run");
    let figures: Figures = serde_json::from_slice(&std::fs::read(run.join("figures.json")).unwrap()).unwrap();
    let [t] = figures.tables.as_slice() else { panic!("{figures:?}") };
    assert_eq!(
        [t.available, Some(t.asked), Some(t.moved), Some(t.excluded)],
        [Some(200_000), Some(200_000), Some(99_999), Some(100_001)]
    );
    assert_eq!((t.listed, figures.not_met()), (100_000, Some(0)));
    let state = ecluse_seal::open(
        &std::fs::read(run.join("state.age")).unwrap(),
        &Identity::parse(IDENTITY).unwrap(),
    )
    .unwrap();
    let ends = &state.tables[0].ends;
    assert!(!ends.is_empty());
    for end in ends {
        assert!(
            matches!(end.0.as_slice(), [Value::Int(id)] if id % 2 == 1),
            "a chunk ends at an excluded person"
        );
    }
    assert!(count(&case.from, "select count(*) from patient") == 200_000);
}

#[test]
fn who_stays_is_drawn_for_no_comparison() {
    let rows = "insert into patient values (1, 'Qanari-Serinus-Un'), (2, 'Qanari-Serinus-Deux'), (3, 'Qanari-Serinus-Trois');
        insert into result values (1, 1, 'a'), (2, 2, 'b'), (3, 2, 'c'), (4, 3, 'd');";
    let order = [ordered("patient", &["id", "name"]), ordered("result", &["id", "patient", "value"])];
    let mut case = Case::new(PATIENTS, rows, &order);
    case.made.papers().instruction.push_str("\n[dossier]\ntable = \"patient\"\n");
    let digest = case.sealed("1\n", &[]);
    case.cite(&digest);
    let output = case.migrate();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    case.made.succeed(&["reconcile"]);
    // of three patients one stays
    let arguments = ["compare", "--as", "Bruno Aubry", "--dossiers", "3"];
    let wide = ["--without-views", "a test", "--accept-wider-role", "a test"];
    let all = [arguments.as_slice(), wide.as_slice()].concat();
    let screens = answer(Terminal::start(program(), case.made.folder(), &all, (100, 40)), 2, |_| None);
    assert!(screens.iter().all(|screen| !screen.contains("Serinus-Un")), "{screens:?}");
}

/// The rows of who is excluded never move: no cut-over waits for them, and they are not told as moved.
#[test]
fn no_cut_over_waits_for_a_row_of_who_stays() {
    for rule in ["wait", "move"] {
        let mut case = Case::patients();
        let rule = format!("rule = \"{rule}\"\n\n[pending.where]\nresult = 'value == \"b\"'\n");
        let papers = case.made.papers();
        papers.instruction = papers.instruction.replacen("rule = \"stay\"\n", &rule, 1);
        let digest = case.sealed("2\n", &[]);
        case.cite(&digest);
        let output = case.migrate();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let figures = std::fs::read(case.made.folder().join("run/figures.json")).unwrap();
        let figures: Figures = serde_json::from_slice(&figures).unwrap();
        let result = figures.tables.iter().find(|table| table.source == "result").unwrap();
        assert_eq!(result.unfinished, Some(0), "{rule}");
        case.made.succeed(&["reconcile"]);
        let freeze = ["freeze", "--without-views", "a test", "--accept-wider-role", "a test"];
        case.made.succeed(&freeze);
        if rule.contains("wait") {
            // somebody else's is waited for
            let old = rusqlite::Connection::open(&case.from).unwrap();
            old.execute("update result set value = 'b' where id = 4", []).unwrap();
            let output = case.made.run(&freeze);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("ECL-RUN-064") && said.contains("1 of result"), "{said}");
        }
    }
}

/// Killed wherever it may be between sealing a list and erasing it, the same command comes to its end.
// proves: INS-12
#[test]
fn killed_while_a_list_is_sealed_and_erased_the_same_command_goes_on_and_no_key_is_left() {
    let places = [
        "papers.replace.fsync.before:1",
        "papers.replace.rename.after:1",
        "exclude.noting.before:1",
        "papers.replace.rename.after:2",
        "exclude.noting.after:1",
        "overwrite.fsync.before:1",
        "overwrite.fsync.after:1",
        "exclude.named.rename.before:1",
    ];
    let mut case = Case::patients();
    for place in places {
        let list = case.made.folder().join("persons.txt");
        std::fs::write(&list, "2\n".repeat(4_000)).unwrap();
        let command = ["instruction", "exclude", "--table", "patient", "--erase"];
        let exclude = || {
            let mut exclude = case.made.command(&command);
            exclude.arg(&list);
            exclude
        };
        assert!(exclude().env(VARIABLE, place).output().unwrap().status.code().is_none(), "{place}");
        // what is not through has not its name: no order can cite it
        assert!(!case.file().exists(), "{place}");
        let left = std::fs::read(&list).unwrap_or_default();
        let begun = left.iter().all(|byte| *byte == 0);
        if begun {
            // another list is not taken for the one that was sealed
            let other = case.list("3\n");
            let output = case.made.run(&[&command[..], &[&other]].concat());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("ECL-CLI-042") && said.contains("persons.txt"), "{place}: {said}");
        }
        let output = exclude().arg("--json").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!list.exists(), "{place}");
        let beside = std::fs::read_dir(case.made.folder()).unwrap().flatten();
        let beside: Vec<_> = beside.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(beside.iter().all(|name| !name.starts_with("excluded.age.")), "{place}: {beside:?}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["erased"], true, "{place}");
        assert_eq!(said["digest"], ecluse_core::digest::of_bytes(&std::fs::read(case.file()).unwrap()));
        std::fs::rename(case.file(), case.made.folder().join("last.age")).unwrap();
    }
    // what the last one ended with is the list that was written
    let list = case.list("2\n");
    let mut last = case.made.command(&["instruction", "exclude", "--table", "patient", "--erase", &list]);
    let died = last.env(VARIABLE, "exclude.named.rename.after:1").output().unwrap();
    assert!(died.status.code().is_none() && case.file().exists() && !Path::new(&list).exists());
    std::fs::remove_file(case.file()).unwrap();
    std::fs::rename(case.made.folder().join("last.age"), case.file()).unwrap();
    let digest = ecluse_core::digest::of_bytes(&std::fs::read(case.file()).unwrap());
    case.cite(&digest);
    assert!(case.migrate().status.success());
    assert_eq!(count(&case.to, "select count(*) from patient where id <> 2"), 2);
    assert_eq!(count(&case.to, "select count(*) from patient"), 2);
}

/// A list that was sealed and kept is not erased behind somebody's back; that it lies there is said.
#[test]
fn a_list_that_still_lies_in_clear_beside_its_sealed_one_is_told() {
    let case = Case::patients();
    case.sealed("1\n", &[]);
    let list = case.list("1\n");
    let output = case.made.run(&["instruction", "exclude", "--table", "patient", "--erase", &list]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ECL-CLI-039") && said.contains("still lies there"), "{said}");
    assert!(Path::new(&list).exists());
}
