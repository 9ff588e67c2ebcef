//! Servers that are not there, prove nothing, go away, run full; nothing is lost, nothing is quoted.

use ecluse_adapters::postgres::{Destination, Source};
use ecluse_core::fault::Exit;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::server::{self, PostgresDatabase};

use super::help::{at, at_as, load, opened, server as place, until};
use crate::common::{line, read_all, rows};

fn kill_connections(database: &PostgresDatabase) {
    database.server().sql(
        "postgres",
        &format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' \
                  and application_name = 'ecluse'",
            database.name()
        ),
    );
}

#[test]
fn a_server_that_is_not_there_is_an_outside_fault() {
    for url in ["postgresql://anne@127.0.0.1:9/lab", "postgresql://anne@/lab?socket=/nowhere"] {
        let fault = Source::connect(&place(url)).err().unwrap();
        assert_eq!((fault.code().id, fault.code().exit), ("ECL-SRC-507", Exit::Outside));
        let fault = Destination::connect(&place(url)).err().unwrap();
        assert_eq!((fault.code().id, fault.code().exit), ("ECL-DST-507", Exit::Outside));
    }
}

/// Fails with the guard off: whoever takes the connection and says nothing is waited for without end.
#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = ecluse_adapters::url::Server {
        patience: std::time::Duration::from_millis(300),
        ..place(&format!("postgresql://anne@127.0.0.1:{port}/lab"))
    };
    let fault = Source::connect(&server).err().unwrap();
    assert_eq!((fault.code().id, fault.code().exit), ("ECL-SRC-507", Exit::Outside));
    assert!(fault.detail().contains("no answer"), "{fault}");
    assert_eq!(Destination::connect(&server).err().unwrap().code().id, "ECL-DST-507");
}

#[test]
fn a_wrong_password_and_an_unknown_database_are_refused() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("login");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pw");
    std::fs::write(&path, "not-the-Passw0rd").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let fault = Source::connect(&place(&format!("{}?password-file={}", database.url(), path.display())))
        .err()
        .unwrap();
    assert_eq!(fault.code().id, "ECL-SRC-506");
    assert!(fault.advice().contains(&path.display().to_string()), "which file: {}", fault.advice());
    // asked for a password and given none: no outage either
    let fault = Source::connect(&place(&database.url())).err().unwrap();
    assert_eq!(fault.code().id, "ECL-SRC-506");
    assert!(fault.advice().contains("password-file"), "{}", fault.advice());
    assert!(!format!("{fault}{fault:?}").contains("Passw0rd"));
    let unknown = ecluse_adapters::url::Server { database: "nowhere".into(), ..at(&database) };
    assert_eq!(Source::connect(&unknown).err().unwrap().code().id, "ECL-SRC-506");
}

/// Fails with the guard off: without verification (or with a verifier that says yes) the
/// last three connect.
#[test]
fn a_server_is_verified_by_its_authority_or_its_pinned_key() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("tls");
    if !server.authority().exists() {
        ecluse_testkit::not_checked("the server speaks no TLS");
        return;
    }
    let url = |more: &str| {
        format!("{}?password-file={}&{more}", database.url(), database.password_copy().display())
    };
    let connected = |more: &str| Source::connect(&place(&url(more)));
    connected(&format!("ca={}", server.authority().display())).unwrap();
    assert!(database.sql("select count(*) from pg_stat_ssl where ssl").trim() != "");
    let certificate = server.authority().with_file_name("server.pem");
    let spki = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64",
            certificate.display()
        ))
        .output()
        .unwrap();
    let spki = String::from_utf8(spki.stdout).unwrap().trim().to_owned();
    assert_eq!(spki.len(), 64);
    connected(&format!("spki=sha256:{spki}")).unwrap();
    let wrong: String = spki.chars().rev().collect();
    for refused in [
        format!("spki=sha256:{wrong}"),
        // another authority's certificate, and the right one for another name
        format!("ca={}", certificate.display()),
    ] {
        assert_eq!(connected(&refused).err().unwrap().code().id, "ECL-SRC-508", "{refused}");
    }
    let other_name = url(&format!("ca={}", server.authority().display())).replace("127.0.0.1", "127.0.0.2");
    assert_eq!(Source::connect(&place(&other_name)).err().unwrap().code().id, "ECL-SRC-507");
}

#[test]
fn a_source_that_goes_away_in_the_middle_is_an_outside_fault() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("gone_from");
    from.sql(
        "create table t (id int8 primary key, v text); \
              insert into t select i, repeat('x', 500) from generate_series(1, 100000) i",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    let mut first = true;
    let fault = source
        .read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |_| {
            if std::mem::take(&mut first) {
                kill_connections(&from);
            }
            Ok(())
        })
        .unwrap_err();
    assert_eq!((fault.code().id, fault.code().exit), ("ECL-SRC-501", Exit::Outside));
}

/// The connection ends between the rows and their commit: neither rows nor line are there,
/// and the same chunk is written by the next connection.
#[test]
fn rows_and_their_ledger_line_come_together_or_not_at_all() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("atomic_from"), server.database("atomic_to"));
    for database in [&from, &to] {
        database.sql("create table t (id int8 primary key)");
    }
    from.sql("insert into t select generate_series(1, 1000)");
    let (mut source, plan) = opened(&from, &["t"]);
    let batches = read_all(&mut source, &plan, 0);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let fault = destination
        .replace(&plan.tables()[0], 0, &KeyRange::default(), false, &batches, &mut |refused| {
            kill_connections(&to);
            Ok(line(0, 0, 1000, refused.len()))
        })
        .unwrap_err();
    assert_eq!((fault.code().id, fault.code().exit), ("ECL-DST-501", Exit::Outside));
    assert_eq!(
        to.sql("select (select count(*) from t), (select count(*) from ecluse_ledger.chunk)").trim(),
        "0|0"
    );
    drop(destination);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    until(|| destination.open(&plan, "run").is_ok());
    assert!(destination.ledger("run").unwrap().is_empty());
    load(&mut destination, &plan, 0, 0, &batches);
    destination.finish(&plan).unwrap();
    assert_eq!(
        to.sql("select (select count(*) from t), (select count(*) from ecluse_ledger.chunk)").trim(),
        "1000|1"
    );
}

/// The engine's SQLSTATE for a full disk, raised by a trigger in its place.
#[test]
fn a_full_disk_is_an_outside_fault_and_loses_nothing() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("full_from"), server.database("full_to"));
    from.sql("create table t (id int8 primary key); insert into t select generate_series(1, 10)");
    to.sql(
        "create table t (id int8 primary key); \
            create function fills() returns trigger language plpgsql as \
            $$ begin raise exception 'CANARY %', new.id using errcode = '53100'; end $$; \
            create trigger fills before insert on t for each row execute function fills()",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    let batches = read_all(&mut source, &plan, 0);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let fault = destination
        .replace(&plan.tables()[0], 0, &KeyRange::default(), false, &batches, &mut |_| Ok(line(0, 0, 10, 0)))
        .unwrap_err();
    assert_eq!((fault.code().id, fault.code().exit), ("ECL-DST-502", Exit::Outside));
    assert!(fault.detail().contains("53100") && !format!("{fault}{fault:?}").contains("CANARY"));
    to.sql("drop trigger fills on t");
    assert_eq!(rows(&batches), 10);
    assert!(load(&mut destination, &plan, 0, 0, &batches).is_empty(), "the connection is usable again");
}

/// A role that may write the tables but not make the ledger's schema.
#[test]
fn a_destination_role_without_rights_is_told_so() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("denied_from"), server.database("denied_to"));
    for database in [&from, &to] {
        database.sql("create table t (id int8 primary key)");
    }
    let (_source, plan) = opened(&from, &["t"]);
    let role = format!("w_{}", to.name());
    to.sql(&format!("create role {role} login; grant all on t to {role}"));
    let mut destination = Destination::connect(&at_as(&to, &role)).unwrap();
    let fault = destination.open(&plan, "run").unwrap_err();
    assert_eq!(fault.code().id, "ECL-DST-504");
    assert!(fault.detail().contains("42501"));
    drop(destination);
    to.sql(&format!("drop owned by {role}; drop role {role}"));
}
