//! PostgreSQL as a source and as a destination, against a real private server.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use crate::common::{every, line, planned, read_all, rows};
use ecluse_adapters::postgres::{Destination, Source};
use ecluse_adapters::url::{Server, Url};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use ecluse_testkit::laboratory::{Laboratory, Size, Table};
use ecluse_testkit::server::{self, PostgresDatabase};

fn at(database: &PostgresDatabase) -> Server {
    at_as(database, "postgres")
}

fn at_as(database: &PostgresDatabase, role: &str) -> Server {
    // the server's own copy belongs to the server's account: we read a copy of ours
    let path = std::env::temp_dir().join(format!("ecluse-pw-{}-{}", std::process::id(), database.name()));
    let _ = std::fs::remove_file(&path);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(database.server().password().as_bytes()).unwrap();
    let url = format!("{}?password-file={}", database.url_as(role), path.display());
    match Url::parse(&url).unwrap() {
        Url::Server(server) => server,
        Url::Sqlite(_) => panic!("a file"),
    }
}

#[test]
fn a_laboratory_moves_whole() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("lab_from"), server.database("lab_to"));
    let tables = [Table::Patient, Table::Request, Table::Result];
    let lab = Laboratory::new(7, Size::of_patients(300));
    lab.write_postgres(&from, &tables);
    Laboratory::new(7, Size { patients: 0, requests: 0, results: 0 }).write_postgres(&to, &tables);

    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let plan = planned(&catalog, &[every("patient", &[]), every("request", &[]), every("result", &[])]);
    source.open(&plan, false).unwrap();
    let mut destination = Destination::connect(&at(&to)).unwrap();
    let before = destination.catalog(Scope::Everything).unwrap();
    destination.open(&plan, "run-1").unwrap();
    assert_ne!(
        before,
        destination.catalog(Scope::Everything).unwrap(),
        "constraints are dropped for the load"
    );
    for table in plan.tables() {
        let batches = read_all(&mut source, &plan, table.number());
        let n = rows(&batches);
        assert!(n > 0);
        let refused = destination
            .replace(table, 0, &KeyRange::default(), false, &batches, &mut |refused| {
                Ok(line(table.number(), 0, n, refused.len()))
            })
            .unwrap();
        assert!(refused.is_empty());
    }
    destination.finish(&plan).unwrap();
    destination.finish(&plan).unwrap();
    let mut after = destination.catalog(Scope::Everything).unwrap();
    for (table, was) in after.tables.iter_mut().zip(&before.tables) {
        table.estimated_rows = was.estimated_rows;
    }
    assert_eq!(before, after, "what was dropped is back");
    for table in ["patient", "request", "result"] {
        let text = format!("copy (select * from {table} order by id) to stdout");
        assert!(from.sql(&text) == to.sql(&text), "{table} differs");
    }
}
