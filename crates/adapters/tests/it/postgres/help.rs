//! Connections and small loads.

use std::time::Duration;

use ecluse_adapters::postgres::{Destination, Source};
use ecluse_adapters::url::{Server, Url};
use ecluse_batch::Batch;
use ecluse_core::plan::Plan;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, RefusedRow, Scope, Source as _};
use ecluse_testkit::server::PostgresDatabase;

use crate::common::{every, line, planned, rows};

/// The database as superuser, by TCP and password.
pub(crate) fn at(database: &PostgresDatabase) -> Server {
    server(&format!("{}?password-file={}", database.url(), database.password_copy().display()))
}

/// The database as another role, by the socket, where the test server asks for no password.
pub(crate) fn at_as(database: &PostgresDatabase, role: &str) -> Server {
    let port: u16 = database.url().rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
    let socket = database.server().socket_folder().display().to_string();
    server(&format!("postgresql://{role}@/{}?socket={socket}&port={port}", database.name()))
}

pub(crate) fn server(url: &str) -> Server {
    match Url::parse(url).unwrap() {
        Url::Server(server) => server,
        _ => panic!("no server"),
    }
}

/// A source with its snapshot open over whole tables, and the plan that copies them.
pub(crate) fn opened(database: &PostgresDatabase, tables: &[&str]) -> (Source, Plan) {
    let mut source = Source::connect(&at(database)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let wanted: Vec<_> = tables.iter().map(|t| every(t, &[])).collect();
    let plan = planned(&catalog, &wanted);
    source.open(&plan, false).unwrap();
    (source, plan)
}

pub(crate) fn batches_of(source: &mut Source, plan: &Plan, number: usize, range: &KeyRange) -> Vec<Batch> {
    let mut batches = Vec::new();
    source
        .read(&plan.tables()[number], plan, range, &mut |batch| {
            batches.push(batch);
            Ok(())
        })
        .unwrap();
    batches
}

/// One chunk over the whole key space, first time.
pub(crate) fn load(
    destination: &mut Destination,
    plan: &Plan,
    table: usize,
    chunk: u64,
    batches: &[Batch],
) -> Vec<RefusedRow> {
    let n = rows(batches);
    destination
        .replace(&plan.tables()[table], chunk, &KeyRange::default(), false, batches, &mut |refused| {
            Ok(line(table, chunk, n, refused.len()))
        })
        .unwrap()
}

/// Waits for what the server does in its own time; gives up after two seconds.
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..100 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain");
}
