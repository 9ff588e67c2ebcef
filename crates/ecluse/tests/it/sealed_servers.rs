//! The sealed way between servers: extracted from one engine, loaded into the other, and compared by SQL that the
//! engines' own clients run; and a disk that is full while an archive is written.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_testkit::disk::Disk;
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::End;
use ecluse_testkit::server;

use crate::sealed::{cited, recipients};
use crate::succeed;

/// Both engines read it but for `{bytes}`, the name of the type of bytes.
const OLD: &str = "
CREATE TABLE patient (id integer PRIMARY KEY, nom varchar(60) NOT NULL, naissance date, poids numeric(7,3), photo {bytes});
CREATE TABLE demande (id integer PRIMARY KEY, patient_id integer NOT NULL REFERENCES patient(id), recue timestamp NULL);
CREATE TABLE examen (id integer PRIMARY KEY, demande_id integer NOT NULL REFERENCES demande(id), code varchar(8), valeur varchar(40));
INSERT INTO patient SELECT i, concat('CanariPatient Élodie ', i), date '1960-01-01', i / 7.0, {photo} FROM ({numbers}) n WHERE i <= 40;
INSERT INTO demande SELECT i, 1 + i % 40, CASE WHEN i % 3 > 0 THEN timestamp '2024-02-29 23:59:59' END FROM ({numbers}) n;
INSERT INTO examen SELECT i, 1 + i % 90, CASE WHEN i % 4 > 0 THEN 'GLY' END, concat('CanariValeur <', i, '> µg') FROM ({numbers}) n;
";
const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90) SELECT i FROM n";

const POSTGRES: [&str; 3] = [
    "select concat_ws('|', id, upper(encode(convert_to(nom, 'UTF8'), 'hex')), naissance, poids, upper(encode(photo, 'hex')))
     from patient order by id",
    "select concat_ws('|', id, patient_id, coalesce(to_char(recue, 'YYYY-MM-DD HH24:MI:SS'), '-')) from demande order by id",
    "select concat_ws('|', id, demande_id, coalesce(code, '-'), upper(encode(convert_to(valeur, 'UTF8'), 'hex')))
     from examen order by id",
];
const MARIADB: [&str; 3] = [
    "select concat_ws('|', id, hex(nom), naissance, poids, hex(photo)) from patient order by id",
    "select concat_ws('|', id, patient_id, ifnull(date_format(recue, '%Y-%m-%d %H:%i:%s'), '-')) from demande order by id",
    "select concat_ws('|', id, demande_id, ifnull(code, '-'), hex(valeur)) from examen order by id",
];

/// A trial at the sender whose order is to a recipient, extracted into `archive` beside it.
fn extracted(here: &Path, from: &str, to: &str) -> PathBuf {
    let lab = cited(here, from, to, &["patient", "demande", "examen"]);
    let mut extract = Command::new(crate::program());
    extract.current_dir(&lab).args(["extract", "-o", "../archive"]).env(CHUNK_ROWS, "16");
    let output = extract.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("220 rows sealed"), "{output:?}");
    let canaries = Search::new(&["CanariPatient", "CanariValeur"]);
    for place in ["lab", "archive"] {
        assert_eq!(canaries.folder(&here.join(place)), [], "{place}");
    }
    lab
}

/// Loaded by whoever has the recipient's papers, received, and the receipt verified at the sender. The load dies at
/// each of this engine's commits of chunks and of its end, one after the other, and goes on each time.
fn loaded(here: &Path, lab: &Path, to: &str, engine: &str, rows: impl Fn(&str) -> String) {
    let theirs = here.join("theirs");
    recipients(lab, &theirs);
    let canaries = Search::new(&["CanariPatient", "CanariValeur"]);
    let load = |death: &str| {
        let mut command = Command::new(crate::program());
        command.current_dir(&theirs).args(["load", "../archive", "--to", to, "--ddl"]);
        command.env(CHUNK_ROWS, "16").env(VARIABLE, death).output().unwrap()
    };
    // patients, requests and results in parts of 16 rows: the fifth chunk is not the first table's
    let deaths = [
        ("chunk.commit.before", 1, 0),
        ("chunk.commit.after", 1, 1),
        ("chunk.commit.before", 4, 4),
        ("chunk.commit.after", 2, 6),
        ("finish.commit.before", 1, 15),
        ("finish.commit.after", 1, 15),
    ];
    for (place, nth, whole) in deaths {
        let death = format!("{engine}.{place}:{nth}");
        let died = load(&death);
        let said = String::from_utf8_lossy(&[&died.stdout[..], &died.stderr[..]].concat()).into_owned();
        assert_eq!(died.status.signal(), Some(9), "{death}: {said}");
        assert_eq!(canaries.folder(&theirs), [], "{death}");
        let chunks: usize = ["patient", "demande", "examen"]
            .iter()
            .map(|table| {
                rows(&format!("select count(*) from {table}")).trim().parse::<usize>().unwrap().div_ceil(16)
            })
            .sum();
        assert_eq!(chunks, whole, "{death}: chunks that stand");
    }
    let output = load("");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(canaries.folder(&theirs), []);
    std::fs::copy(theirs.join("receipt.toml"), lab.join("receipt.toml")).unwrap();
    std::fs::create_dir(lab.join("receipt.toml.sigs")).unwrap();
    for file in std::fs::read_dir(theirs.join("receipt.toml.sigs")).unwrap().flatten() {
        std::fs::copy(file.path(), lab.join("receipt.toml.sigs").join(file.file_name())).unwrap();
    }
    let verified = succeed(lab, &["receipt", "verify", "--archive", "../archive"]);
    assert!(verified.contains("40 rows") && verified.contains("90 rows"), "{verified}");
    closed(&theirs, to, engine, &rows);
}

/// Closed at the recipient, killed before and after the ledger goes: then nothing of ours stands there but the rows.
fn closed(theirs: &Path, to: &str, engine: &str, rows: &impl Fn(&str) -> String) {
    let ledger = || {
        let ours = match engine {
            "postgres" => "table_schema = 'ecluse_ledger'",
            _ => "table_schema = database() and table_name like 'ecluse_ledger%'",
        };
        rows(&format!("select count(*) from information_schema.tables where {ours}"))
            .trim()
            .parse::<usize>()
            .unwrap()
    };
    assert!(ledger() >= 2);
    for (place, left) in [("before", true), ("after", false)] {
        let mut command = Command::new(crate::program());
        let death = format!("{engine}.conclude.commit.{place}");
        let died = command.current_dir(theirs).args(["close", "--to", to]).env(VARIABLE, &death).output();
        let died = died.unwrap();
        assert_eq!(died.status.signal(), Some(9), "{death}: {died:?}");
        assert_eq!(ledger() > 0, left, "{death}");
        assert!(theirs.join("load/state.age").exists(), "{death}");
    }
    succeed(theirs, &["close", "--to", to]);
    assert!(ledger() == 0 && !theirs.join("load/state.age").exists());
    assert_eq!(rows("select count(*) from examen").trim(), "90");
    assert!(succeed(theirs, &["close", "--to", to]).contains("closed before"));
}

fn script(bytes: &str, photo: &str) -> String {
    OLD.replace("{bytes}", bytes).replace("{photo}", photo).replace("{numbers}", NUMBERS)
}

#[track_caller]
fn same(old: impl Fn(&str) -> String, new: impl Fn(&str) -> String, queries: [[&str; 3]; 2]) {
    for (there, here) in queries[0].iter().zip(queries[1]) {
        let (was, is) = (old(there), new(here));
        assert!(was.lines().count() >= 40, "{there}: {was}");
        assert_eq!(was, is, "{here}");
    }
}

// proves: SEA-01
#[test]
fn from_mariadb_over_an_archive_to_postgresql_every_value_arrives() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (mariadb.database("sealed"), postgres.database("sealed"));
    old.sql(&script("blob", "unhex(lpad(hex(i), 8, '0'))"));
    let here = tempfile::tempdir().unwrap();
    let to = End::postgres(&new, "postgres").url().to_owned();
    let lab = extracted(here.path(), End::mariadb(&old).url(), &to);
    loaded(here.path(), &lab, &to, "postgres", |sql| new.sql(sql));
    same(|sql| old.sql(sql), |sql| new.sql(sql), [MARIADB, POSTGRES]);
}

// proves: SEA-01
#[test]
fn from_postgresql_over_an_archive_to_mariadb_every_value_arrives() {
    let (Some(mariadb), Some(postgres)) = (server::mariadb(), server::postgres()) else { return };
    let (old, new) = (postgres.database("sealed"), mariadb.database("sealed"));
    old.sql(&script("bytea", "int4send(i)"));
    let here = tempfile::tempdir().unwrap();
    let to = End::mariadb(&new).url().to_owned();
    let lab = extracted(here.path(), End::postgres(&old, "postgres").url(), &to);
    loaded(here.path(), &lab, &to, "mariadb", |sql| new.sql(sql));
    same(|sql| old.sql(sql), |sql| new.sql(sql), [POSTGRES, MARIADB]);
}

/// Room for the first parts, and not for all.
#[test]
fn a_disk_that_is_full_while_an_archive_is_written_holds_nothing_in_clear_and_no_archive() {
    let Some(disk) = Disk::of(48) else { return };
    let here = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!(
        "CREATE TABLE patient (id integer PRIMARY KEY, nom varchar(900));
         INSERT INTO patient SELECT i, 'CanariPatient' || hex(randomblob(400)) FROM ({NUMBERS})"
    ))
    .unwrap();
    let lab = cited(here.path(), "sqlite:old.db", "sqlite:new.db", &["patient"]);
    let search = Search::new(&["CanariPatient"]);
    let archive = disk.path().join("archive");
    let extract = |limit: &str| -> Output {
        let mut command = Command::new(crate::program());
        command.current_dir(&lab).args(["extract", "-o", &archive.display().to_string()]);
        command.env(CHUNK_ROWS, limit).output().unwrap()
    };
    let full = extract("8");
    let said = String::from_utf8_lossy(&full.stderr).into_owned();
    assert_eq!(full.status.code(), Some(3), "{said}");
    assert!(said.lines().last().unwrap().starts_with("ECL-ARC-"), "{said}");
    assert!(!archive.exists(), "an archive that is not whole has no name");
    assert_eq!(search.folder(disk.path()), []);
    assert_eq!(search.folder(&lab), []);
    disk.grow(4 << 10);
    let whole = extract("8");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    assert!(archive.join("manifest.toml").exists() && !disk.path().join("archive.part").exists());
}
