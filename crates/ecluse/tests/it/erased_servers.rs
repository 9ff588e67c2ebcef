//! What moved, erased at a PostgreSQL and a MariaDB source: only what moved, and where the engine keeps it then.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use ecluse_adapters::folder::{erasure, residue};
use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::papers::Papers;
use ecluse_testkit::server::{self, Mariadb, MariadbDatabase, PostgresDatabase, Purpose, Servers};
use ecluse_testkit::tools::Tools;

use crate::{now, program};

/// Both engines read it.
const SCHEMA: &str = "create table patient (id integer primary key, name varchar(40), mother varchar(40));
    create table result (id integer primary key, patient integer not null references patient (id), value varchar(40));";
const ROWS: &str = "insert into patient values (1, 'QyIAAAAAAA-Un', 'x'), (2, 'QyIBBBBBBB-Deux', 'y'), (3, 'ZxOther-Trois', 'z');
    insert into result values (1, 1, 'QyICCCCCCC-a'), (2, 2, 'QyIDDDDDDD-b'), (3, 3, 'ZxOther-c');";
/// Rows that nobody ordered, and that name a patient.
const VISITS: &str = "create table visit (id integer primary key, patient integer references patient (id));";

const WIDE: [&str; 4] = ["--without-views", "a test", "--accept-wider-role", "a test"];

/// A database of a test's own, at either server.
enum At {
    Postgres(PostgresDatabase),
    Mariadb(MariadbDatabase),
}

impl At {
    fn sql(&self, script: &str) -> String {
        match self {
            Self::Postgres(database) => database.sql(script),
            Self::Mariadb(database) => database.sql(script),
        }
    }

    fn end(&self) -> End {
        match self {
            Self::Postgres(database) => End::postgres(database, "postgres"),
            Self::Mariadb(database) => End::mariadb(database),
        }
    }

    fn count(&self, of: &str) -> i64 {
        self.sql(&format!("select count(*) from {of}")).trim().parse().unwrap()
    }
}

struct Case {
    made: Migration,
    old: At,
    new: At,
    folder: tempfile::TempDir,
    /// The erasing account's URL; the source's own where it is empty.
    from: String,
}

/// Adds a relation to the dictionary that no foreign key declares, and has the order cite it.
pub(crate) fn related(papers: &mut Papers, table: &str, relation: &str) {
    let was = ecluse_core::digest::of_bytes(papers.dictionary.as_bytes());
    let at = papers.dictionary.find(&format!("\"{table}\"")).unwrap();
    let (before, of_table) = papers.dictionary.split_at(at);
    let of_table = of_table.replacen("relations = [\n", &format!("relations = [\n  {{ {relation} }},\n"), 1);
    papers.dictionary = format!("{before}{of_table}");
    let is = ecluse_core::digest::of_bytes(papers.dictionary.as_bytes());
    assert!(papers.instruction.contains(&was));
    papers.instruction = papers.instruction.replace(&was, &is);
}

/// `note.patient_id` names a patient, which the dictionary alone knows.
pub(crate) fn notes(papers: &mut Papers, _day: &str) {
    related(
        papers,
        "note",
        "column = \"patient_id\", table = \"patient\", to = \"id\", given = \"engineer\"",
    );
}

impl Case {
    /// Two of three patients moved and were read back; the order has the source erased, and what stays of them
    /// destroyed.
    fn new(old: At, new: At) -> Self {
        Self::with(old, new, "", |_, _| {})
    }

    /// The same with more at the source.
    fn with(old: At, new: At, more: &str, edit: impl FnOnce(&mut Papers, &str)) -> Self {
        Self::of(old, new, &format!("{SCHEMA}{more}"), edit)
    }

    /// The same over another schema at the source, under papers of which `edit` changed words; it is given the order's
    /// last day.
    fn of(old: At, new: At, schema: &str, edit: impl FnOnce(&mut Papers, &str)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        old.sql(&format!("{schema}{ROWS}{VISITS}"));
        new.sql(SCHEMA);
        let ordered = |table, rows, columns: &[&'static str]| Ordered {
            table,
            rows,
            columns: columns.to_vec(),
            reasoned: vec![],
        };
        let order = [
            ordered("patient", "id < 3", &["id", "name"]),
            ordered("result", "patient in chosen.patient", &["id", "patient", "value"]),
        ];
        let mut made = Migration::new(program(), &here.join("papers"), now(), &old.end(), &new.end(), &order);
        let papers = made.papers();
        let day = papers.instruction.split("copies = ").nth(1).unwrap().get(..10).unwrap().to_owned();
        papers.instruction =
            papers.instruction.replacen("[erasure]\n", &format!("[erasure]\nsource = {day}\n"), 1).replace(
                &format!("fate = \"keep\", until = {day}"),
                &format!("fate = \"destroy\", reason = \"nobody needs it\", by = {day}"),
            );
        edit(papers, &day);
        let at = here.join("papers");
        made.papers().write(&at);
        let case = Self { made, old, new, folder, from: String::new() };
        for command in ["migrate", "reconcile"] {
            let frozen = if schema.contains("MyISAM") { vec!["--frozen"] } else { vec![] };
            case.done(&[&[command][..], &frozen, &WIDE].concat());
        }
        case.done(&["accept", "propose", "--lang", "en"]);
        let mut case = case;
        let key = case.made.folder().join("keys").join(case.made.papers().signatory.short);
        case.done(&["accept", "sign", "--key", &key.display().to_string()]);
        case
    }

    fn run(&self, arguments: &[&str], dies: &str) -> Output {
        let mut command = self.made.command(arguments);
        if !dies.is_empty() {
            command.env(VARIABLE, dies);
        }
        command.env("TMPDIR", self.folder.path().join("papers")).output().unwrap()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, "");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], code: &str) -> String {
        let output = self.run(arguments, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.lines().any(|line| line.starts_with(code)), "{code}: {said}");
        assert!(!said.contains("QyI"), "{said}");
        said
    }

    #[track_caller]
    fn dies(&self, arguments: &[&str], at: &str) {
        let output = self.run(arguments, at);
        assert!(output.status.code().is_none(), "{at}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// `erase --source`, as the account that erases.
    fn source<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let from = match self.from.as_str() {
            "" => WIDE[2..].to_vec(),
            from => vec!["--from", from],
        };
        [&["erase", "--source"], &from[..], more].concat()
    }

    /// Somebody answers for every place beyond reach.
    fn owned(&self) -> String {
        let said = self.done(&self.source(&["--dry-run", "--json"]));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let lines = said["beyond"].as_array().unwrap().iter().map(|one| {
            format!("[[place]]\nwhat = {}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n", one["what"])
        });
        let lines = lines.collect::<String>();
        std::fs::write(self.made.folder().join("places.toml"), &lines).unwrap();
        lines
    }

    /// Rows at the source of the tables that moved.
    fn rows(&self) -> i64 {
        self.old.count("patient") + self.old.count("result")
    }
}

/// Refused while anything is not as it was, or would be left; killed around the commit; through.
fn only_what_moved_goes(case: &Case, dies: [&str; 2]) {
    let old = &case.old;
    case.refused(&case.source(&[]), "ECL-ERA-019");
    case.owned();
    old.sql("update result set value = 'QyIchanged' where id = 2");
    case.refused(&case.source(&[]), "ECL-ERA-010");
    old.sql("update result set value = 'QyIDDDDDDD-b' where id = 2");
    old.sql("insert into visit values (1, 2)");
    case.refused(&case.source(&[]), "ECL-ERA-012");
    old.sql("delete from visit");
    // the new system is in use: who changes a row there keeps nothing from going, who lost one does
    case.new.sql("update result set value = 'QyIcorrected' where id = 1");
    case.new.sql("delete from result where id = 2");
    let said = case.refused(&case.source(&[]), "ECL-ERA-030");
    assert!(said.contains("table result: 1 row"), "{said}");
    case.new.sql("insert into result values (2, 2, 'QyIDDDDDDD-b')");
    assert_eq!(case.rows(), 6, "nothing went");
    let run = case.made.folder().join("run");
    case.dies(&case.source(&[]), dies[0]);
    assert_eq!(case.rows(), 6, "{}", dies[0]);
    assert!(erasure(&run).unwrap().is_none());
    case.dies(&case.source(&[]), dies[1]);
    assert_eq!(case.rows(), 2, "{}", dies[1]);
    assert!(erasure(&run).unwrap().is_none());
    case.done(&case.source(&[]));
    assert_eq!(old.sql("select name from patient").trim(), "ZxOther-Trois");
    assert_eq!(old.sql("select value from result").trim(), "ZxOther-c");
    assert_eq!(case.new.count("patient") + case.new.count("result"), 4);
    let erased = erasure(&run).unwrap().unwrap();
    assert!(erased.covers_source("patient") && erased.covers_source("result"));
    assert!(erased.acceptance.starts_with("sha256:") && !erased.ended.is_empty());
    assert!(erased.out_of_reach.iter().all(|one| one.owner == "Jean Roux"));
    assert!(case.done(&case.source(&[])).contains("Erased at the source already"));
    closed(case);
}

/// Looked for, certified, closed: the ledger leaves the destination, killed on the way too, and what moved stays.
fn closed(case: &Case) {
    let keys = case.made.folder().join("keys");
    let key = |name: &str| keys.join(name).display().to_string();
    case.done(&["erase"]);
    // a shadow table that the application wrote by itself: found by what stands in it
    case.old.sql(
        "create table ombre (id integer, quoi text); insert into ombre values (1, 'was QyIBBBBBBB-Deux;')",
    );
    case.refused(&["erase", "--look"], "ECL-ERA-023");
    let run = case.made.folder().join("run");
    let found = residue(&run).unwrap().unwrap();
    assert!(found.survivors.iter().all(|one| one.what == "table ombre"), "{:?}", found.survivors);
    case.refused(&["certify", "propose"], "ECL-CRT-012");
    case.old.sql("drop table ombre");
    // of these tables only some rows were ordered: a row that moved is told by its key, though its patient is gone too
    case.old.sql("insert into patient values (2, 'QyIBBBBBBB-Deux', 'y')");
    case.refused(&["erase", "--look"], "ECL-ERA-023");
    let found = residue(&run).unwrap().unwrap();
    assert!(found.survivors.iter().all(|one| one.what == "table patient"), "{:?}", found.survivors);
    assert!(!found.survivors.is_empty());
    case.refused(&["certify", "propose"], "ECL-CRT-012");
    case.old.sql("delete from patient where id = 2");
    // who stays may have said the same
    case.old.sql("update patient set mother = 'QyIBBBBBBB-Deux' where id = 3");
    case.done(&["erase", "--look"]);
    case.done(&["certify", "propose"]);
    case.done(&["certify", "sign", "--key", &key("serrano")]);
    let here = match &case.new {
        At::Postgres(_) => "information_schema.tables where table_schema = 'ecluse_ledger'",
        At::Mariadb(_) => {
            "information_schema.tables where table_name like 'ecluse_ledger%' and table_schema = database()"
        }
    };
    assert!(case.new.count(here) > 0);
    let engine = if matches!(case.new, At::Postgres(_)) { "postgres" } else { "mariadb" };
    for step in ["before", "after"] {
        case.dies(&["close"], &format!("{engine}.conclude.commit.{step}"));
    }
    assert!(case.done(&["close"]).contains("the run's keys are destroyed"));
    assert_eq!(case.new.count(here), 0);
    assert_eq!(case.new.count("patient") + case.new.count("result"), 4, "what moved stays");
    case.refused(&["freeze"], "ECL-CLO-002");
}

// proves: ERA-09
#[test]
fn at_a_mariadb_source_only_what_moved_goes() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let old = At::Mariadb(mariadb.database("erased"));
    let case = Case::new(old, At::Postgres(postgres.database("erased")));
    case.old.sql("create table history (id integer, name varchar(40)) engine = InnoDB");
    case.old.sql("create trigger keep after update on patient for each row insert into history values (old.id, old.name)");
    let said = case.refused(&case.source(&["--dry-run"]), "ECL-ERA-026");
    assert!(said.contains("keep of patient writes to history"), "{said}");
    case.old.sql("drop trigger keep");
    case.old.sql("create procedure p(i integer, n varchar(40)) insert into history values (i, n)");
    case.old.sql("create trigger keep before delete on result for each row call p(old.id, old.value)");
    case.refused(&case.source(&["--dry-run"]), "ECL-ERA-027");
    case.old.sql("drop trigger keep; drop procedure p; drop table history");
    only_what_moved_goes(&case, ["mariadb.erase.commit.before", "mariadb.erase.commit.after"]);
    // the table was made anew: the file that holds it has nothing of the deleted rows in its free pages
    let At::Mariadb(database) = &case.old else { panic!("a case of MariaDB") };
    for table in ["patient", "result"] {
        let file = mariadb.data_folder().join(database.name()).join(format!("{table}.ibd"));
        assert!(memchr::memmem::find(&std::fs::read(&file).unwrap(), b"QyI").is_none(), "{}", file.display());
    }
}

// proves: ERA-09
#[test]
fn at_a_postgresql_source_only_what_moved_goes() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let old = At::Postgres(postgres.database("erased"));
    let mut case = Case::new(old, At::Mariadb(mariadb.database("erased")));
    // by the role of the script, which owns no table
    let At::Postgres(database) = &case.old else { panic!("a case of PostgreSQL") };
    let role = format!("eraser_of_{}", database.name());
    database.sql(&case.done(&["grants", "--erasing", "--role", &role]));
    // an administrator's account could do anything; so could one that was given more than the script gives
    let said = case.refused(&["erase", "--source", "--dry-run"], "ECL-ERA-051");
    assert!(said.contains("has SUPERUSER"), "{said}");
    case.from = End::postgres(database, &role).url().to_owned();
    case.old.sql(&format!("grant select (mother), update (name) on patient to {role}"));
    let said = case.refused(&case.source(&["--dry-run"]), "ECL-ERA-051");
    assert!(said.contains("not planned: mother") && said.contains("(UPDATE)"), "{said}");
    case.old.sql(&format!("revoke select (mother), update (name) on patient from {role}"));
    let said = case.done(&case.source(&["--dry-run"]));
    assert!(said.contains("dead rows in the files of patient, result"), "{said}");
    // so that no trigger fires and no foreign key acts: what refers is counted
    case.old.sql(&format!("grant set on parameter session_replication_role to {role}"));
    let taken = case.done(&["grants", "--erasing", "--role", &role, "--remove"]);
    only_what_moved_goes(&case, ["postgres.erase.commit.before", "postgres.erase.commit.after"]);
    case.old.sql(&format!("revoke set on parameter session_replication_role from {role}"));
    case.old.sql(&taken);
    assert_eq!(case.old.count(&format!("pg_roles where rolname = '{role}'")), 0);
}

const NOTES: &str = "create table note (id integer primary key, patient_id integer, quoi varchar(40));
    insert into note values (1, 3, 'of who stays'), (2, 99, 'of nobody'), (3, null, 'of none');";

/// LabBook declares no foreign key: what the dictionary alone knows is counted too, and told with its numbers.
fn what_the_papers_alone_know_is_counted(old: At, new: At) {
    let case = Case::with(old, new, NOTES, notes);
    case.owned();
    for id in 10..17 {
        case.old.sql(&format!("insert into note values ({id}, 1, 'x')"));
    }
    let said = case.refused(&case.source(&[]), "ECL-ERA-012");
    assert!(said.contains("table note to patient: 7 rows"), "{said}");
    case.old.sql("delete from note where id > 12");
    let said = case.refused(&case.source(&[]), "ECL-ERA-012");
    assert!(said.contains("table note to patient: fewer than 5 rows") && !said.contains("3 rows"), "{said}");
    assert_eq!(case.rows(), 6, "nothing went");
    case.old.sql("delete from note where id >= 10");
    case.done(&case.source(&[]));
    assert_eq!((case.rows(), case.old.count("note")), (2, 3));
}

#[test]
fn rows_that_name_erased_ones_by_the_dictionary_alone_are_counted_on_mariadb() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Mariadb(mariadb.database("named")), At::Postgres(postgres.database("named")));
    what_the_papers_alone_know_is_counted(old, new);
}

#[test]
fn rows_that_name_erased_ones_by_the_dictionary_alone_are_counted_on_postgresql() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Postgres(postgres.database("named")), At::Mariadb(mariadb.database("named")));
    what_the_papers_alone_know_is_counted(old, new);
}

/// A history that a trigger fills goes with the rows it names; notes stay without theirs. What names the history,
/// `remark.trail_id`, the dictionary alone knows.
fn fates(papers: &mut Papers, day: &str) {
    notes(papers, day);
    let named = "column = \"trail_id\", table = \"trail\", to = \"id\", given = \"engineer\"";
    related(papers, "remark", named);
    papers.instruction.push_str(&format!(
        "\n[[beside]]\ntable = \"trail\"\ncolumn = \"patient\"\nof = \"patient\"\nto = \"id\"\n\
         fate = \"destroy\"\nreason = \"the history of who left\"\nby = {day}\n\
         \n[[beside]]\ntable = \"note\"\ncolumn = \"patient_id\"\nof = \"patient\"\nto = \"id\"\n\
         fate = \"keep\"\nuntil = {day}\n"
    ));
}

const TRAIL: &str = "create table trail (id integer primary key, patient integer, quoi varchar(40));
    insert into trail values (1, 1, 'QyITrail-of-1'), (2, 3, 'ZxTrail-of-3'), (3, 2, 'QyIBBBBBBB-Deux');
    insert into note values (10, 2, 'QyIBBBBBBB-Deux');
    create table remark (id integer primary key, trail_id integer);
    insert into remark values (1, 2), (2, 99);";

fn rows_beside_the_order_go_and_stay_as_it_says(case: &Case, dies: &str) {
    let asked = case.owned();
    assert!(
        asked.contains("rows of note whose patient_id names rows of patient: the order keeps them until"),
        "{asked}"
    );
    case.old.sql("insert into remark values (3, 1)");
    let said = case.refused(&case.source(&[]), "ECL-ERA-012");
    assert!(said.contains("table remark to trail: fewer than 5 rows"), "{said}");
    assert_eq!((case.rows(), case.old.count("trail")), (6, 3), "nothing went");
    case.old.sql("delete from remark where id = 3");
    case.dies(&case.source(&[]), dies);
    let said = case.done(&case.source(&[]));
    assert!(said.contains("trail   2 rows beside the order erased with what they name"), "{said}");
    assert_eq!(case.rows(), 2);
    assert_eq!(case.old.sql("select quoi from trail").trim(), "ZxTrail-of-3");
    assert_eq!(case.old.count("note"), 4);
    let erased = erasure(&case.made.folder().join("run")).unwrap().unwrap();
    assert!(erased.covers_source("trail") && !erased.covers_source("note"));
    assert!(
        erased
            .out_of_reach
            .iter()
            .any(|one| one.what.starts_with("rows of note") && one.owner == "Jean Roux")
    );
    assert!(erased.wider_role == "a test" && !erased.excess.is_empty());
    // what a note says of who went stays by the order; what the history says of them does not
    case.done(&["erase"]);
    case.done(&["erase", "--look"]);
    case.old.sql("insert into trail values (9, 2, 'QyIBBBBBBB-Deux')");
    case.refused(&["erase", "--look"], "ECL-ERA-023");
    case.old.sql("delete from trail where id = 9");
    case.done(&["erase", "--look"]);
    case.done(&["certify", "propose"]);
}

#[test]
fn rows_beside_the_order_have_the_fate_that_it_says_on_mariadb() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Mariadb(mariadb.database("beside")), At::Postgres(postgres.database("beside")));
    let more = format!("{NOTES}{TRAIL}");
    let case = Case::with(old, new, &more, fates);
    case.old.sql("create trigger keep after update on patient for each row insert into trail values (old.id + 100, old.id, old.name)");
    rows_beside_the_order_go_and_stay_as_it_says(&case, "mariadb.erase.commit.after");
}

#[test]
fn rows_beside_the_order_have_the_fate_that_it_says_on_postgresql() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Postgres(postgres.database("beside")), At::Mariadb(mariadb.database("beside")));
    let trigger = "create function keeps() returns trigger language plpgsql as
        $$ begin insert into trail values (old.id + 100, old.id, old.name); return new; end $$;
        create trigger keep after update on patient for each row execute function keeps();";
    let case = Case::with(old, new, &format!("{NOTES}{TRAIL}{trigger}"), fates);
    rows_beside_the_order_go_and_stay_as_it_says(&case, "postgres.erase.commit.after");
}

/// The binary log's files of a server.
fn logged(server: &Mariadb, what: &str) -> bool {
    let files = std::fs::read_dir(server.data_folder()).unwrap().flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("binary."));
    let finder = memchr::memmem::Finder::new(what);
    logs.into_iter().any(|file| finder.find(&std::fs::read(file.path()).unwrap()).is_some())
}

// proves: ERA-09
#[test]
fn the_account_of_the_script_suffices_and_the_binary_log_gets_no_row_where_it_may_stay_out() {
    let (Some(_), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let mut servers = Servers::new(&Tools::of_this_run(), Purpose::Logged);
    let mariadb = servers.start_mariadb();
    let old = At::Mariadb(mariadb.database("erased"));
    let mut case = Case::new(old, At::Postgres(postgres.database("erased")));
    mariadb.sql("", &case.done(&["grants", "--erasing", "--role", "eraser", "--host", "127.0.0.1"]));
    mariadb.sql("", "alter user eraser@'127.0.0.1' identified by 'only-for-this-test-e5' account unlock");
    let password = case.made.folder().join("eraser.password");
    std::fs::write(&password, "only-for-this-test-e5").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let At::Mariadb(database) = &case.old else { panic!("a case of MariaDB") };
    let said = case.refused(&["erase", "--source", "--dry-run"], "ECL-ERA-051");
    assert!(said.contains("beyond the order"), "{said}");
    case.from = format!("{}?password-file={}", database.url_as("eraser"), password.display());
    let more = format!("insert (name), select (mother) on {}.patient", database.name());
    mariadb.sql("", &format!("grant {more} to eraser@'127.0.0.1'"));
    let said = case.refused(&case.source(&["--dry-run"]), "ECL-ERA-051");
    assert!(said.contains("can read") && said.contains("can insert into"), "{said}");
    mariadb.sql("", &format!("revoke {more} from eraser@'127.0.0.1'"));
    let said = case.done(&case.source(&["--dry-run"]));
    assert!(said.contains("the binary log, which gets every row that is deleted"), "{said}");
    let stays_out = "grant binlog admin, process, replication master admin on *.* to eraser@'127.0.0.1'";
    mariadb.sql("", &format!("{stays_out}; reset master"));
    assert!(!case.owned().contains("which gets every row"));
    case.done(&case.source(&[]));
    assert_eq!(case.rows(), 2);
    assert!(!logged(&mariadb, "QyI"), "the deletion wrote what it deleted");
    // a DELETE that is logged does: the search sees what is there
    case.old.sql("delete from result; delete from patient");
    assert!(logged(&mariadb, "ZxOther-Trois"));
}

/// An account of a MariaDB server for one test, as the script makes it.
fn eraser(case: &mut Case, mariadb: &Mariadb, name: &str) {
    mariadb.sql("", &case.done(&["grants", "--erasing", "--role", name, "--host", "127.0.0.1"]));
    mariadb.sql(
        "",
        &format!("alter user {name}@'127.0.0.1' identified by 'only-for-this-test-e6' account unlock"),
    );
    let password = case.made.folder().join("eraser.password");
    std::fs::write(&password, "only-for-this-test-e6").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let At::Mariadb(database) = &case.old else { panic!("a case of MariaDB") };
    case.from = format!("{}?password-file={}", database.url_as(name), password.display());
}

#[test]
fn what_a_mariadb_server_keeps_or_does_not_show_stops_the_erasure_and_a_table_that_was_not_made_anew_is_told()
{
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Mariadb(mariadb.database("keeps")), At::Postgres(postgres.database("keeps")));
    let mut case = Case::with(old, new, NOTES, notes);
    let At::Mariadb(database) = &case.old else { panic!("a case of MariaDB") };
    let (name, place) = (format!("e_{}", database.name()), format!("{}.patient", database.name()));
    eraser(&mut case, &mariadb, &name);
    case.owned();
    // what names patients by the dictionary, and is not shown to this account
    let (note, account) = (place.replace(".patient", ".note"), format!("{name}@'127.0.0.1'"));
    let sight = format!("select (patient_id), references on {note}");
    case.old.sql(&format!("revoke {sight} from {account}"));
    let said = case.refused(&case.source(&["--dry-run"]), "ECL-ERA-050");
    assert!(said.contains("note.patient_id"), "{said}");
    case.old.sql(&format!("grant {sight} to {account}"));
    // deleted rows would stand in its history
    case.old.sql("alter table result add system versioning");
    let said = case.refused(&case.source(&[]), "ECL-ERA-028");
    assert!(said.contains("result: InnoDB, system versioned"), "{said}");
    case.old.sql("alter table result drop system versioning");
    case.old.sql(&format!("revoke trigger on {place} from {account}"));
    let said = case.refused(&case.source(&[]), "ECL-ERA-029");
    assert!(said.contains("table patient"), "{said}");
    case.old.sql(&format!("grant trigger on {place} to {account}"));
    assert_eq!(case.rows(), 6, "nothing went");
    // the server makes no table anew for an account without INSERT
    case.old.sql(&format!("revoke insert (id) on {place} from {account}"));
    let refused = case.run(&case.source(&[]), "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("ECL-ERA-031") && said.contains("table patient"), "{said}");
    assert_eq!(case.rows(), 2, "its rows are gone");
    assert!(erasure(&case.made.folder().join("run")).unwrap().is_none(), "and it is not said to have ended");
    case.old.sql(&format!("grant insert (id) on {place} to {account}"));
    case.done(&case.source(&[]));
    assert!(erasure(&case.made.folder().join("run")).unwrap().unwrap().covers_source("patient"));
    mariadb.sql("", &format!("drop user {account}"));
}

#[test]
fn rows_of_a_mariadb_table_without_transactions_are_not_deleted() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (At::Mariadb(mariadb.database("myisam")), At::Postgres(postgres.database("myisam")));
    let schema = SCHEMA
        .replace(" references patient (id)", "")
        .replace("value varchar(40));", "value varchar(40)) engine = MyISAM;");
    let case = Case::of(old, new, &schema, |_, _| {});
    let said = case.refused(&case.source(&["--dry-run"]), "ECL-ERA-028");
    assert!(said.contains("result: MyISAM, base table"), "{said}");
    assert_eq!(case.rows(), 6, "nothing went");
}
