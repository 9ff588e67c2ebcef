//! The whole chain on OpenELIS, its figures and lists held against independent SQL.

use std::fmt::Write as _;

use ecluse_adapters::sqlite;
use ecluse_flow::ports::Destination as _;
use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::server::{self, MariadbDatabase, PostgresDatabase};

use crate::canaries::plant;
use crate::figures::{counts, lists};
use crate::laboratory::{file, killed_after, migration, openelis};

const SQLITE: &str = include_str!("../../../../docs/openelis/destination.sqlite.sql");
const MARIADB: &str = include_str!("../../../../docs/openelis/destination.mariadb.sql");

// proves: EXT-04, REC-02, REC-03
#[test]
fn openelis_moves_into_sqlite_under_its_worked_papers() {
    let Some(source) = server::postgres().and_then(|server| openelis(&server)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path());
    rusqlite::Connection::open(&path).unwrap().execute_batch(SQLITE).unwrap();
    let destination = end(&path);
    let query = |sql: &str| rows(&path, sql);
    moves(&source, &destination, &query);
}

// proves: EXT-04, REC-02, REC-03
#[test]
fn openelis_moves_into_mariadb_under_the_same_papers() {
    let (Some(source), Some(server)) = (server::postgres().and_then(|s| openelis(&s)), server::mariadb())
    else {
        return;
    };
    let database = server.database("openelis");
    database.sql(MARIADB);
    let declared = database.sql(
        "select count(*) from information_schema.referential_constraints where constraint_schema = database()",
    );
    assert_eq!(declared.trim(), SQLITE.matches(" references ").count().to_string(), "the same relations");
    moves(&source, &End::mariadb(&database), &|sql| lines(&database, sql));
    // the limits that OpenELIS leaves open are there, not lost with a number that the engine has not
    let open = lines(&database, "select count(*) from result where normal_high = 'Infinity'");
    assert_ne!(open.trim(), "0");
}

/// An SQLite file as a destination.
pub(crate) fn end(path: &std::path::Path) -> End {
    End::sqlite(path, sqlite::Destination::open(path).unwrap().identity().unwrap())
}

/// Plants, moves (killed twice on the way), reads back, reports; then nothing else may have arrived.
fn moves(source: &PostgresDatabase, destination: &End, query: &dyn Fn(&str) -> String) {
    let canaries = Canaries::new();
    let wanted = counts(source);
    plant(&canaries, source);
    assert_eq!(counts(source), wanted, "planting changed what the order chooses");
    let folder = tempfile::tempdir().unwrap();
    let m = migration(folder.path(), &End::postgres(source, "postgres"), destination);
    let wider = m.run(&["migrate"]);
    assert_eq!(wider.status.code(), Some(1), "the administrator's account reads more than was ordered");
    m.grant_reader(source);
    planned(&m, &wanted);
    killed_after(&m, 8);
    killed_after(&m, 8);
    let mut said = m.succeed(&["migrate"]);
    said += &m.succeed(&["reconcile"]);
    said += &m.succeed(&["report"]);
    for (table, wanted) in &wanted {
        assert_eq!(query(&format!("select count(*) from {table}")).trim(), wanted.to_string(), "{table}");
        assert_ne!(*wanted, 0, "{table}");
    }
    for (what, there, here) in lists() {
        let here = source.sql(&format!("set search_path = clinlims; {here}"));
        let there = query(&there);
        assert_eq!(there.lines().count(), here.lines().count(), "{what}");
        for (there, here) in there.lines().zip(here.lines()) {
            assert_eq!(there, here, "{what}");
        }
    }
    let search = Search::new(&canaries.needles(Side::Outside));
    assert_eq!(search.bytes("said", said.as_bytes()), []);
    assert_eq!(search.folder(folder.path()), []);
    let arrived: String = wanted.iter().map(|(t, _)| query(&format!("select * from {t}"))).collect();
    assert_eq!(search.bytes("destination", arrived.as_bytes()), []);
    let person = source.sql("select * from clinlims.person");
    assert_ne!(search.bytes("person", person.as_bytes()), [], "the search can find");
    a_swap_is_found(&m, query);
}

/// `ecluse plan` tells what will move before it does.
fn planned(m: &Migration, wanted: &[(&str, u64)]) {
    let said = m.succeed(&["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let tables = plan["figures"]["tables"].as_array().unwrap();
    assert_eq!(tables.len(), wanted.len());
    for (table, wanted) in wanted {
        let found = tables.iter().find(|t| t["destination"] == *table).unwrap();
        assert_eq!((&found["asked"], &found["moved"]), (&(*wanted).into(), &(*wanted).into()), "{table}");
    }
}

/// One result given to another analysis, behind the program's back.
fn a_swap_is_found(m: &Migration, query: &dyn Fn(&str) -> String) {
    query(
        "update result set analysis_id = (select max(id) from analysis) where id = (select min(id) from (select id from result) r)",
    );
    let found = m.run(&["reconcile"]);
    assert_eq!(found.status.code(), Some(1));
    let words = String::from_utf8_lossy(&found.stdout).into_owned() + &String::from_utf8_lossy(&found.stderr);
    assert!(words.contains("column analysis_id"), "{words}");
    m.succeed(&["migrate", "--repair"]);
    m.succeed(&["reconcile"]);
}

/// Rows as `psql` prints them: columns split by `|`, NULL as nothing.
fn rows(path: &std::path::Path, sql: &str) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut out = String::new();
    while let Some(row) = rows.next().unwrap() {
        let cells: Vec<String> = (0..width)
            .map(|i| match row.get_ref(i).unwrap() {
                rusqlite::types::ValueRef::Null => String::new(),
                rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                rusqlite::types::ValueRef::Real(x) => x.to_string().replace("inf", "Infinity"),
                rusqlite::types::ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
                rusqlite::types::ValueRef::Blob(b) => format!("{b:?}"),
            })
            .collect();
        writeln!(out, "{}", cells.join("|")).unwrap();
    }
    out
}

/// The same of MariaDB's client, which splits by tabs and writes NULL out.
fn lines(database: &MariadbDatabase, sql: &str) -> String {
    let mut out = String::new();
    for line in database.sql(sql).lines() {
        let cells: Vec<&str> = line.split('\t').map(|c| if c == "NULL" { "" } else { c }).collect();
        writeln!(out, "{}", cells.join("|")).unwrap();
    }
    out
}
