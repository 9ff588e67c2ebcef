//! Tables of a thousand columns: through the whole path from each engine, and a clear word where
//! an engine cannot hold them.

use ecluse_adapters::{postgres, sqlite};
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::drift::{Meddled, migrate};
use crate::postgres::help;

/// `patient`, so many columns wide, of which the first and the last hold something.
fn wide(columns: usize) -> String {
    let list: Vec<String> = (1..columns).map(|i| format!("c{i} int")).collect();
    let last = columns - 1;
    format!(
        "create table patient (id bigint not null primary key, {}); \
         insert into patient (id, c1, c{last}) values (1, 7, 8), (2, null, -1);",
        list.join(", ")
    )
}

fn moves(source: impl ecluse_flow::ports::Source + 'static) {
    let (moved, rows) = migrate(Meddled::before_open(source, || ()));
    assert!(moved.is_ok(), "{moved:?}");
    assert_eq!(rows, 2);
}

#[test]
fn a_thousand_columns_move_from_each_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch(&wide(1_000)).unwrap();
    moves(sqlite::Source::open(&path).unwrap());
    if let Some(server) = server::postgres() {
        let database = server.database("wide");
        database.sql(&wide(1_000));
        moves(postgres::Source::connect(&help::at(&database)).unwrap());
    }
    if let Some(server) = server::mariadb() {
        let database = server.database("wide");
        database.sql(&wide(1_000));
        moves(crate::mariadb::connect(&database));
    }
}

#[test]
fn more_columns_than_postgresql_holds_are_refused_by_code() {
    let Some(server) = server::postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    Connection::open(&path).unwrap().execute_batch(&wide(1_700)).unwrap();
    let catalog = sqlite::Source::open(&path).unwrap().catalog(Scope::Everything).unwrap();
    let database = server.database("wide");
    let mut destination = postgres::Destination::connect(&help::at(&database)).unwrap();
    let ddl = destination.ddl(catalog.table("patient").unwrap());
    let fault = destination.create("patient", &ddl).unwrap_err();
    assert_eq!(fault.code().id, "ECL-DST-509");
    assert!(fault.advice().contains("1,600") && fault.detail().contains("patient"), "{fault}");
}
