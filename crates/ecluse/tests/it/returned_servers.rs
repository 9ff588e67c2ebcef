//! Before what moved is erased at its source, what is to be returned is at the laboratory: on each engine, from the
//! order to the closed migration.

use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_adapters::folder::erasure;
use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_core::copies::{Ledger, Store};
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::server;

use crate::evidence::fingerprint;
use crate::{now, program, succeed};

/// Every engine reads it. `remark` is a free text, and nobody orders it; nor a bill.
const SCHEMA: &str = "create table patient (id integer primary key, name varchar(40), remark varchar(200));
    create table result (id integer primary key, patient integer not null references patient (id), value varchar(40), comment varchar(200));";
const ROWS: &str = "insert into patient values (1, 'QyIAAAAAAA-Un', 'QyRemark-é-1'), (2, 'QyIBBBBBBB-Deux', null);
    insert into result values (1, 1, 'QyICCCCCCC-a', 'QyComment-1'), (2, 2, 'QyIDDDDDDD-b', 'QyComment-2'), (3, 2, 'QyIEEEEEEE-c', '');
    create table bill (id integer primary key, price decimal(9,2), comment varchar(200));
    insert into bill values (1, 12.50, 'QyComment-3');";
const WIDE: [&str; 4] = ["--without-views", "a test", "--accept-wider-role", "a test"];

struct Case<'a> {
    made: Migration,
    folder: tempfile::TempDir,
    sql: &'a dyn Fn(&str) -> String,
    wide: Vec<&'static str>,
}

impl<'a> Case<'a> {
    /// Moved into SQLite, read back, accepted; the order has the source erased and free texts returned.
    fn new(
        folder: tempfile::TempDir,
        old: &End,
        sql: &'a dyn Fn(&str) -> String,
        wide: &[&'static str],
    ) -> Self {
        let here = folder.path().canonicalize().unwrap();
        let to = here.join("new.db");
        create_from(&to, "create table patient (id integer primary key, name varchar(40));
            create table result (id integer primary key, patient integer not null references patient (id), value varchar(40));").unwrap();
        let new = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
        let ordered = |table, columns: &[&'static str]| Ordered {
            table,
            rows: "true",
            columns: columns.to_vec(),
            reasoned: vec![],
        };
        let order = [ordered("patient", &["id", "name"]), ordered("result", &["id", "patient", "value"])];
        let papers = here.join("papers");
        let mut made = Migration::new(program(), &papers, now(), old, &new, &order);
        let own = here.join("own.age").display().to_string();
        made.succeed(&["recipient", "new", "--return", "--identity", &own, "--days", "366"]);
        let key = papers.join("keys").join(made.papers().signatory.short).display().to_string();
        made.succeed(&["recipient", "sign", "--return", "--key", &key]);
        let shown: serde_json::Value =
            serde_json::from_str(&made.succeed(&["recipient", "show", "--return", "--json"])).unwrap();
        let cited =
            format!("[return]\nage = {}\nstatement = {}\nalone = true\n", shown["age"], shown["digest"]);
        let text = &mut made.papers().instruction;
        let day = text.split("copies = ").nth(1).unwrap().get(..10).unwrap().to_owned();
        let kept = format!("fate = \"keep\", until = {day}");
        *text = text
            .replacen("[erasure]\n", &format!("{cited}\n[erasure]\nsource = {day}\n"), 1)
            .replacen(&format!("\"free text\" = {{ {kept} }}"), "\"free text\" = \"return\"", 1)
            .replace(&kept, &format!("fate = \"destroy\", reason = \"nobody needs it\", by = {day}"));
        assert!(text.contains("\"free text\" = \"return\""), "{text}");
        made.papers().write(&papers);
        let case = Self { made, folder, sql, wide: wide.to_vec() };
        case.done(&case.with(&["migrate"]));
        case.done(&case.with(&["reconcile"]));
        case.done(&["accept", "propose", "--lang", "en"]);
        case.done(&["accept", "sign", "--key", &key]);
        case
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    fn key(&self, name: &str) -> String {
        self.path(&format!("papers/keys/{name}"))
    }

    fn with<'s>(&'s self, arguments: &[&'s str]) -> Vec<&'s str> {
        [arguments, &self.wide].concat()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.made.command(arguments);
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
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(code), "{code}: {said}");
        assert!(!said.contains("Qy"), "{said}");
        said
    }

    /// Somebody answers for every place beyond reach.
    fn owned(&self) {
        let said = self.done(&self.with(&["erase", "--source", "--dry-run", "--json"]));
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let lines = said["beyond"].as_array().unwrap().iter().map(|one| {
            format!("[[place]]\nwhat = {}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n", one["what"])
        });
        std::fs::write(self.made.folder().join("places.toml"), lines.collect::<String>()).unwrap();
    }

    fn rows(&self) -> String {
        let both = "select (select count(*) from patient) + (select count(*) from result)";
        (self.sql)(both).trim().to_owned()
    }

    /// Nothing of a patient lies in the folder of papers, and nothing in the archive for who cannot open it.
    fn sealed(&self) {
        let sought = Search::new(&["QyIAAAAAAA", "QyIDDDDDDD", "QyRemark", "QyComment"]);
        assert_eq!(sought.folder(&self.at("papers")), Vec::new());
        assert_eq!(sought.folder(&self.at("back")), Vec::new());
    }

    /// The laboratory's secret key.
    fn secret(&self) -> String {
        let identity = std::fs::read_to_string(self.at("own.age")).unwrap();
        identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned()
    }
}

/// From the accepted run to the closed migration. `back` is how the return is read.
fn returned_before_it_is_erased(case: &Case<'_>, back: &[&str]) {
    let erase = case.with(&["erase", "--source"]);
    let status = case.done(&["status"]);
    assert!(status.contains("to be returned to the laboratory: free text: nothing was sealed"), "{status}");
    // nothing goes before, whatever else is ready
    case.refused(&erase, "ECL-RET-010");
    let archive = case.path("back");
    let petit = case.key("petit");
    let made = case.done(&[&["return", "-o", &archive, "--key", &petit][..], back].concat());
    assert!(made.contains("6 rows sealed"), "{made}");
    case.sealed();
    case.refused(&erase, "ECL-RET-010");
    let own = case.path("own.age");
    let opened = case.done(&["open", &archive, "--identity", &own, "--receipt"]);
    assert!(opened.contains("Every row was opened and added up"), "{opened}");
    // a receipt that nobody signed is none: neither for the source, nor for the archive that waits for it
    case.refused(&erase, "ECL-SGN-020");
    let ledger = Ledger::read(&std::fs::read(case.made.folder().join("copies.json")).unwrap()).unwrap();
    let copy = ledger.copies.iter().find(|copy| copy.store == Store::Archive).unwrap();
    let early = ["erase", "--copy", copy.id.get(..8).unwrap()];
    case.refused(&early, "ECL-ERA-008");
    // the publisher's own hand under it is none either
    case.refused_by_hand();
    case.done(&["receipt", "sign", "--return", "--key", &case.key("fontaine")]);
    case.done(&["receipt", "verify", "--return", "--archive", &archive]);
    let secret = case.secret();
    let lies = |needle: &str| !Search::new(&[needle]).opening(&[&secret]).folder(&case.at("back")).is_empty();
    assert!(lies("QyRemark-é-1") && lies("QyComment-1") && lies("QyComment-2") && lies("QyComment-3"));
    assert!(!lies("QyIAAAAAAA") && !lies("QyIDDDDDDD"), "other classes are not in it");

    case.owned();
    // the manifest of an archive that nobody received: nothing goes, and where it stands is told
    let manifest = case.made.folder().join("return-manifest.toml");
    let listed = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{listed}# another\n")).unwrap();
    case.refused(&erase, "ECL-RET-016");
    let status = case.done(&["status"]);
    assert!(status.contains("put back return-manifest.toml"), "{status}");
    std::fs::write(&manifest, &listed).unwrap();
    assert_eq!(case.rows(), "5");
    case.done(&erase);
    assert_eq!(case.rows(), "0");
    let run = case.made.folder().join("run");
    assert!(erasure(&run).unwrap().unwrap().covers_source("patient"));
    // a return of what is left would take the place of the one that is whole
    let (receipt, aside) = (case.made.folder().join("return-receipt.toml"), case.at("aside.toml"));
    let (another, petit) = (case.path("another"), case.key("petit"));
    let again = [&["return", "-o", &another, "--key", &petit][..], back].concat();
    case.refused(&again, "ECL-RET-014");
    std::fs::rename(&receipt, &aside).unwrap();
    case.refused(&again, "ECL-RET-015");
    std::fs::rename(&aside, &receipt).unwrap();
    assert!(!case.at("another").exists() && std::fs::read_to_string(&manifest).unwrap() == listed);
    // the publisher's copy of what the laboratory has
    let kept = case.at("kept");
    copied(&case.at("back"), &kept);
    case.done(&early);
    case.done(&case.with(&["erase", "--look"]));
    // no certificate closes an evidence that lacks the laboratory's word
    let receipt = case.made.folder().join("return-receipt.toml");
    let aside = receipt.with_extension("aside");
    std::fs::rename(&receipt, &aside).unwrap();
    case.refused(&["certify", "propose"], "ECL-CRT-017");
    std::fs::rename(&aside, &receipt).unwrap();
    case.done(&["certify", "propose"]);
    case.done(&["certify", "sign", "--key", &case.key("serrano")]);
    // without it nothing is closed
    std::fs::rename(&receipt, &aside).unwrap();
    case.refused(&["close"], "ECL-RET-010");
    std::fs::rename(&aside, &receipt).unwrap();
    case.done(&["close"]);
    // a stranger reads it in the evidence
    let trust = fingerprint(case.made.folder());
    let said = succeed(case.made.folder(), &["verify", "evidence.tar", "--trust", &trust]);
    assert!(
        said.contains("6 rows went back to the laboratory") && said.contains("The evidence holds."),
        "{said}"
    );
    // and the laboratory still opens it, from its own copy
    case.done(&["open", &kept.display().to_string(), "--identity", &own]);
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Case<'_> {
    /// Signed by the publisher's operator: the contract lists nobody of that side for it.
    fn refused_by_hand(&self) {
        let sigs = self.made.folder().join("return-receipt.toml.sigs");
        let output = self.run(&["receipt", "sign", "--return", "--key", &self.key("petit")]);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(!sigs.exists() || std::fs::read_dir(&sigs).unwrap().next().is_none());
    }
}

// proves: ERA-10, ERA-11
#[test]
fn at_a_sqlite_source_nothing_goes_before_the_laboratory_has_what_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().canonicalize().unwrap().join("old.db");
    create_from(&from, &format!("{SCHEMA}{ROWS}")).unwrap();
    let old = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
    let sql = |text: &str| {
        let count: i64 =
            rusqlite::Connection::open(&from).unwrap().query_row(text, [], |row| row.get(0)).unwrap();
        count.to_string()
    };
    let case = Case::new(folder, &old, &sql, &[]);
    returned_before_it_is_erased(&case, &[]);
}

#[test]
fn at_a_mariadb_source_nothing_goes_before_the_laboratory_has_what_is_its_own() {
    let Some(server) = server::mariadb() else { return };
    let database = server.database("returned");
    database.sql(&format!("{SCHEMA}{ROWS}"));
    let sql = |text: &str| database.sql(text);
    let case = Case::new(tempfile::tempdir().unwrap(), &End::mariadb(&database), &sql, &WIDE);
    returned_before_it_is_erased(&case, &WIDE);
}

// Read by a role that can read the views of the return and nothing else.
#[test]
fn at_a_postgresql_source_nothing_goes_before_the_laboratory_has_what_is_its_own() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("returned");
    database.sql(&format!("{SCHEMA}{ROWS}"));
    let sql = |text: &str| database.sql(text);
    let case = Case::new(tempfile::tempdir().unwrap(), &End::postgres(&database, "postgres"), &sql, &WIDE);
    let role = format!("returner_of_{}", database.name());
    database.sql(&case.done(&["grants", "--return", "--role", &role]));
    let narrow = End::postgres(&database, &role);
    returned_before_it_is_erased(&case, &["--from", narrow.url()]);
    database.sql(&case.done(&["grants", "--return", "--role", &role, "--remove"]));
}
