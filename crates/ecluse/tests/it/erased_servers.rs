//! What moved, erased at a PostgreSQL and a MariaDB source: only what moved, and where the engine keeps it then.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use ecluse_adapters::folder::{erasure, residue};
use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::{End, Migration, Ordered};
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

impl Case {
    /// Two of three patients moved and were read back; the order has the source erased, and what stays of them
    /// destroyed.
    fn new(old: At, new: At) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        old.sql(&format!("{SCHEMA}{ROWS}{VISITS}"));
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
        let at = here.join("papers");
        made.papers().write(&at);
        let case = Self { made, old, new, folder, from: String::new() };
        for command in ["migrate", "reconcile"] {
            case.done(&[&[command][..], &WIDE].concat());
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
        let from = if self.from.is_empty() { vec![] } else { vec!["--from", self.from.as_str()] };
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
    let found = residue(&case.made.folder().join("run")).unwrap().unwrap();
    assert!(found.survivors.iter().all(|one| one.what == "table ombre"), "{:?}", found.survivors);
    case.refused(&["certify", "propose"], "ECL-CRT-012");
    case.old.sql("drop table ombre");
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
    case.from = End::postgres(database, &role).url().to_owned();
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
    case.from = format!("{}?password-file={}", database.url_as("eraser"), password.display());
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
