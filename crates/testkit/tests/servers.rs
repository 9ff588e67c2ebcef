//! The private servers and the invented laboratory, checked through the engines' own clients.

use ecluse_testkit::laboratory::{Laboratory, Size, Table};
use ecluse_testkit::server;

fn lab() -> Laboratory {
    Laboratory::new(7, Size::of_patients(300))
}

/// The same question in every engine.
const QUESTION: &str = "select count(*), sum(id), count(value_num), sum(value_num), count(comment), \
     sum(char_length(comment)), count(validated_at), max(validated_at) from result where comment is not null";

#[test]
fn the_laboratory_is_the_same_in_every_engine() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let lab = lab();
    let in_postgres = postgres.database("lab");
    lab.write_postgres(&in_postgres, &Table::ALL);
    let in_mariadb = mariadb.database("lab");
    lab.write_mariadb(&in_mariadb, &Table::ALL);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.sqlite");
    lab.write_sqlite(&path, &Table::ALL);
    let in_sqlite = rusqlite::Connection::open(&path).unwrap();

    for table in Table::ALL {
        let question = format!("select count(*) from {}", table.name());
        let expected = lab.count(table).to_string();
        assert_eq!(in_postgres.sql(&question), expected, "{}", table.name());
        assert_eq!(in_mariadb.sql(&question), expected, "{}", table.name());
        let count: u64 =
            in_sqlite.query_row(&question, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
        assert_eq!(count, lab.count(table));
    }
    let one = in_postgres.sql(QUESTION).replace("+00", "");
    let two = in_mariadb.sql(QUESTION).replace('\t', "|");
    assert_eq!(one, two);
    // what hurts encoders arrived as it left
    let hostile =
        "select count(*) from result where comment in ('\\N', 'NULL', '''); drop table result; --')";
    assert_ne!(in_postgres.sql(hostile), "0");
    assert_eq!(in_postgres.sql(hostile), in_mariadb.sql(&hostile.replace("\\N", "\\\\N")));
    in_postgres.sql("select md5(string_agg(content, ''::bytea order by id)) from document");
    for id in 1..=lab.count(Table::Document) {
        let ask = format!("select md5(content) from document where id = {id}");
        assert_eq!(in_postgres.sql(&ask), in_mariadb.sql(&ask));
    }
}

#[test]
fn the_statement_log_tells_one_database_from_another() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let (here, there) = (postgres.database("log"), postgres.database("log"));
    here.sql("create table a (b int);\nselect b,\n  b from a;");
    there.sql("select 2");
    let statements: Vec<String> = here.statements().into_iter().map(|s| s.text).collect();
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert!(statements[1].contains("b,\n  b from a"), "{statements:?}");

    let (here, there) = (mariadb.database("log"), mariadb.database("log"));
    here.sql("create table a (b int);\nselect b,\n  b from a;");
    there.sql("select 2");
    let statements: Vec<String> = here.statements().into_iter().map(|s| s.text).collect();
    assert!(statements.iter().any(|s| s.contains("b,\n  b from a")), "{statements:?}");
    assert!(!statements.iter().any(|s| s.contains("select 2")), "{statements:?}");
}

#[test]
fn a_database_is_dropped_with_its_value_and_errors_come_back() {
    let Some(postgres) = server::postgres() else { return };
    let name = {
        let database = postgres.database("gone");
        assert!(database.try_sql("select * from nothing_here").unwrap_err().contains("nothing_here"));
        database.name().to_owned()
    };
    assert_eq!(
        postgres.sql("postgres", &format!("select count(*) from pg_database where datname = '{name}'")),
        "0"
    );
}

#[test]
fn the_loopback_wants_a_password() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let mut client = postgres.psql("postgres", "postgres");
    client.args(["-h", "127.0.0.1", "-w", "-c", "select 1"]);
    assert!(!client.output().unwrap().status.success());
    let mut client = postgres.psql("postgres", "postgres");
    client.args(["-h", "127.0.0.1", "-w", "-c", "select 1"]).env("PGPASSWORD", postgres.password());
    assert!(client.output().unwrap().status.success());
    assert!(mariadb.sql_as("ecluse", "", "", "select 1").is_err());
    assert_eq!(mariadb.sql_as("ecluse", &mariadb.password(), "mysql", "select 1").unwrap(), "1");
}
