//! One value of 100 MB among small ones: whole at the other end from each engine and in each, and in
//! memory that `docs/performance.md` bounds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecluse_testkit::migration::End;
use ecluse_testkit::server::{self, MariadbDatabase};
use rusqlite::Connection;

use crate::{program, succeed};

/// Bytes that neither a text, nor a quote, nor an escape lets through by chance.
const BYTES: [u8; 4] = [0x00, 0xff, 0x27, 0x5c];
const TIMES: usize = 26_214_400;
const SIZE: u64 = 104_857_600;

/// Memory of a run whose largest value has this size, at most.
pub(crate) const fn most(value: u64) -> u64 {
    5 * value + (64 << 20)
}

/// Runs it to its end, which is a good one; the greatest memory it had, in bytes.
pub(crate) fn peak(command: Command) -> u64 {
    let (most, well) = peak_of(command);
    assert!(well);
    most
}

/// The same, and whether it ended well.
pub(crate) fn peak_of(mut command: Command) -> (u64, bool) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: Option<u64> =
            line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok());
        most = most.max(kilobytes.unwrap_or_default() * 1024);
        if let Some(ended) = child.try_wait().unwrap() {
            return (most, ended.success());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A trial over these ends, moved and read back.
fn moved(here: &Path, from: &str, to: &str) {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "scan", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    for step in [&["migrate", "--ddl"][..], &["reconcile"]] {
        let mut command = Command::new(program());
        command.current_dir(&lab).args(step);
        let held = peak(command);
        assert!(held > SIZE && held <= most(SIZE), "{step:?}: {} MB", held >> 20);
    }
}

/// The same script for every engine; the second row is the large one.
fn scans(bytes: &str, large: &str) -> String {
    format!(
        "create table scan (id bigint not null primary key, image {bytes});
         insert into scan values (1, null), (2, {large}), (3, null)"
    )
}

const IN_POSTGRESQL: &str = "decode(repeat('00ff275c', 26214400), 'hex')";
const IN_MARIADB: &str = "repeat(x'00ff275c', 26214400)";

/// Room for such a row: a server's own setting, 16 MB unless it is raised. Nothing here needs less.
fn takes_large_rows(database: &MariadbDatabase) {
    database.sql("set global max_allowed_packet = 268435456");
}

#[test]
fn from_postgresql_to_sqlite() {
    let Some(server) = server::postgres() else { return };
    let (here, from) = (tempfile::tempdir().unwrap(), server.database("large"));
    from.sql(&scans("bytea", IN_POSTGRESQL));
    moved(here.path(), End::postgres(&from, "postgres").url(), "sqlite:new.db");
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let image: Vec<u8> = new.query_row("SELECT image FROM scan WHERE id = 2", [], |row| row.get(0)).unwrap();
    assert!(image == BYTES.repeat(TIMES));
}

#[test]
fn from_mariadb_to_postgresql() {
    let (Some(server), Some(there)) = (server::mariadb(), server::postgres()) else { return };
    let (here, from, to) = (tempfile::tempdir().unwrap(), server.database("large"), there.database("large"));
    takes_large_rows(&from);
    from.sql(&scans("longblob", IN_MARIADB));
    moved(here.path(), End::mariadb(&from).url(), End::postgres(&to, "postgres").url());
    assert_eq!(to.sql(&format!("select image = {IN_POSTGRESQL} from scan where id = 2")), "t");
}

#[test]
fn from_sqlite_to_mariadb() {
    let Some(server) = server::mariadb() else { return };
    let (here, to) = (tempfile::tempdir().unwrap(), server.database("large"));
    takes_large_rows(&to);
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch("CREATE TABLE scan (id INTEGER NOT NULL PRIMARY KEY, image BLOB)").unwrap();
    old.execute("INSERT INTO scan VALUES (1, NULL), (2, ?), (3, NULL)", [BYTES.repeat(TIMES)]).unwrap();
    drop(old);
    moved(here.path(), "sqlite:old.db", End::mariadb(&to).url());
    assert_eq!(to.sql(&format!("select image = {IN_MARIADB} from scan where id = 2")).trim(), "1");
}
