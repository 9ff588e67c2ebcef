//! MariaDB as a destination: what is refused and by name, what would change in silence, what is looked at
//! before and after.

use std::path::Path;

use arrow_array::StringArray;
use ecluse_adapters::mariadb::Destination;
use ecluse_adapters::sqlite;
use ecluse_adapters::url::Url;
use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, assertion};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Destination as _, Refusal, RefusedRow, Scope, Source};
use ecluse_testkit::server::{MariadbDatabase, mariadb};

use super::connect;
use crate::common::{every, fields, line, read_all, related, rows};

/// As `ecluse`, who may do everything.
pub(crate) fn destination(database: &MariadbDatabase) -> Destination {
    let url = format!("{}?password-file={}", database.url(), database.server().password_file().display());
    let Url::Server(server) = Url::parse(&url).unwrap() else { panic!("not a server") };
    Destination::connect(&server).unwrap()
}

/// A plan that moves these tables, a relation by column number from each but the first to the first.
fn plan_between(from: &mut dyn Source, to: &MariadbDatabase, tables: &[(&str, Option<usize>)]) -> Plan {
    let from = from.catalog(Scope::Everything).unwrap();
    let to = destination(to).catalog(Scope::Everything).unwrap();
    let planned = tables.iter().enumerate().map(|(number, (name, relation))| {
        let mut plan = fields(number, from.table(name).unwrap(), &every(name, &[]));
        let written = fields(number, to.table(name).unwrap(), &every(name, &[]));
        (plan.write, plan.write_key) = (written.write, written.write_key);
        assertion::table(relation.map_or(plan.clone(), |column| related(plan, column, 0, 0)))
    });
    assertion::plan(planned.collect())
}

/// Every table in one chunk each; what was refused of each.
fn copy(from: &mut dyn Source, to: &mut Destination, plan: &Plan) -> Result<Vec<Vec<RefusedRow>>> {
    from.open(plan, true)?;
    to.open(plan, "run-1")?;
    let mut refusals = Vec::new();
    for (number, table) in plan.tables().iter().enumerate() {
        let batches = read_all(from, plan, number);
        let all = rows(&batches);
        refusals.push(to.replace(table, 0, &KeyRange::default(), false, &batches, &mut |refused| {
            Ok(line(number, 0, all, refused.len()))
        })?);
    }
    to.finish(plan)?;
    Ok(refusals)
}

fn reasons(refused: &[RefusedRow]) -> Vec<(usize, Refusal)> {
    refused.iter().map(|r| (r.row, r.reason)).collect()
}

fn sqlite_with(folder: &Path, script: &str) -> sqlite::Source {
    let path = folder.join("old.db");
    sqlite::create_from(&path, script).unwrap();
    sqlite::Source::open(&path).unwrap()
}

const PATIENTS: &str = "
create table pat (id bigint primary key auto_increment, name varchar(40) not null, code varchar(40) unique,
    age int check (age < 150)) engine = InnoDB;
create table res (id bigint primary key, pat bigint, v varchar(40),
    constraint of_patient foreign key (pat) references pat (id) on delete cascade) engine = InnoDB;
delimiter $$
create trigger no_ghosts before insert on pat for each row
begin
    if new.name = 'Fantôme' then signal sqlstate '45000' set message_text = 'no'; end if;
end$$
";

// fails with the guard off: the bisection would stop at the first row, or lose its neighbours
#[test]
fn refused_rows_are_found_one_by_one_and_nothing_else_is_lost() {
    let Some(server) = mariadb() else { return };
    let (to, folder) = (server.database("refused"), tempfile::tempdir().unwrap());
    to.sql(PATIENTS);
    let mut from = sqlite_with(
        folder.path(),
        "CREATE TABLE pat (id INTEGER PRIMARY KEY, name TEXT, code TEXT, age INTEGER);
         CREATE TABLE res (id INTEGER PRIMARY KEY, pat INTEGER, v TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO pat SELECT i, 'N' || i, 'C' || i, i % 100 FROM n;
         INSERT INTO res SELECT id, id, 'v' || id FROM pat WHERE id NOT IN (77, 9000, 10000, 12345, 19999);
         UPDATE pat SET name = NULL WHERE id = 77; UPDATE pat SET code = 'C1' WHERE id = 10000;
         UPDATE pat SET name = 'Fantôme' WHERE id = 9000; UPDATE pat SET name = replace(hex(zeroblob(41)), '00', 'x') WHERE id = 12345;
         UPDATE pat SET age = 150 WHERE id = 19999;",
    );
    let plan = plan_between(&mut from, &to, &[("pat", None), ("res", Some(1))]);
    let mut destination = destination(&to);
    let refused = copy(&mut from, &mut destination, &plan).unwrap();
    assert_eq!(
        reasons(&refused[0]),
        [
            (76, Refusal::NotNull),
            (8_999, Refusal::Other),
            (9_999, Refusal::Unique),
            (12_344, Refusal::Value),
            (19_998, Refusal::Check)
        ]
    );
    assert_eq!(reasons(&refused[1]), []);
    let sums = "select count(*), sum(id), sum(name = concat('N', id)) from pat; select count(*) from res";
    assert_eq!(to.sql(sums).trim(), "19995\t199958579\t19995\n19995");
    let ledger = destination.ledger("run-1").unwrap();
    assert_eq!(ledger, [line(0, 0, 20_000, 5), line(1, 0, 19_995, 0)]);
    // the engine's own numbers go on after the largest that was written
    to.sql("insert into pat (name) values ('next')");
    assert_eq!(to.sql("select max(id) from pat").trim(), "20001");
}

#[test]
fn a_chunk_is_replaced_within_its_range_and_found_again_by_whoever_resumes() {
    let Some(server) = mariadb() else { return };
    let (to, folder) = (server.database("range"), tempfile::tempdir().unwrap());
    to.sql("create table t (a int, b varchar(10) collate utf8mb4_nopad_bin, v int, primary key (a, b)) engine = InnoDB");
    let mut from = sqlite_with(
        folder.path(),
        "CREATE TABLE t (a INTEGER NOT NULL, b VARCHAR(10) NOT NULL, v INTEGER, PRIMARY KEY (a, b));
         INSERT INTO t VALUES (1, 'A', 1), (1, 'a', 2), (1, 'a ', 3), (1, 'é', 4), (2, '', 5), (2, 'Z', 6);",
    );
    let plan = plan_between(&mut from, &to, &[("t", None)]);
    let mut first = destination(&to);
    copy(&mut from, &mut first, &plan).unwrap();
    drop(first);
    let table = &plan.tables()[0];
    let key = |a: i64, b: &str| Some(Key(vec![Value::Int(a), Value::Text(b.to_owned())]));
    let range = KeyRange { after: key(1, "A"), upto: key(2, "") };
    let mut batches = Vec::new();
    from.read(table, &plan, &range, &mut |batch| {
        batches.push(batch);
        Ok(())
    })
    .unwrap();
    assert_eq!(rows(&batches), 4);
    to.sql("update t set v = 100");
    let mut again = destination(&to);
    again.open(&plan, "run-1").unwrap();
    // the ledger knows no chunk 5, and nobody said to clear: the rows are refused, not doubled
    let write = |to: &mut Destination, clear| {
        to.replace(table, 5, &range, clear, &batches, &mut |r| Ok(line(0, 5, 4, r.len()))).unwrap().len()
    };
    assert_eq!(write(&mut again, false), 4);
    assert_eq!(write(&mut again, false), 0, "now the ledger knows it");
    assert_eq!(to.sql("select group_concat(v order by a, b) from t").trim(), "100,2,3,4,5,100");
    drop(again);
    let mut again = destination(&to);
    again.open(&plan, "run-1").unwrap();
    assert_eq!(write(&mut again, false), 0, "a new process reads the ledger");
    let mut read = Vec::new();
    again
        .read(table, &range, true, &mut |batch| {
            let texts = batch.columns()[1].as_any().downcast_ref::<StringArray>().unwrap();
            read.extend(texts.iter().map(|t| t.unwrap().to_owned()));
            Ok(())
        })
        .unwrap();
    assert_eq!(read, ["a", "a ", "é", ""], "in the order of bytes, blanks included");
}

/// Keys that differ by case alone are one key there: the second row is refused, no row is merged,
/// and a range deletes what lies in it by bytes.
#[test]
fn a_collation_that_merges_keys_refuses_rows_and_ranges_go_by_bytes() {
    let Some(server) = mariadb() else { return };
    let (to, folder) = (server.database("collation"), tempfile::tempdir().unwrap());
    to.sql("create table t (k varchar(10) collate utf8mb4_general_ci primary key, v int) engine = InnoDB");
    let mut from = sqlite_with(
        folder.path(),
        "CREATE TABLE t (k VARCHAR(10) PRIMARY KEY NOT NULL, v INTEGER);
         INSERT INTO t VALUES ('A', 1), ('B', 2), ('a', 3), ('b ', 4), ('é', 5);",
    );
    let plan = plan_between(&mut from, &to, &[("t", None)]);
    let mut destination = destination(&to);
    let refused = copy(&mut from, &mut destination, &plan).unwrap();
    assert_eq!(reasons(&refused[0]), [(2, Refusal::Unique), (3, Refusal::Unique)]);
    let table = &plan.tables()[0];
    let range = KeyRange { after: Some(Key(vec![Value::Text("A".to_owned())])), upto: None };
    let none = destination.replace(table, 9, &range, true, &[], &mut |_| Ok(line(0, 9, 0, 0))).unwrap();
    assert_eq!(none.len(), 0);
    assert_eq!(to.sql("select group_concat(k) from t").trim(), "A", "'A' is not beyond itself, 'B' is");
}

/// Each of these MariaDB would take and change without an error.
#[test]
fn what_mariadb_would_change_in_silence_is_refused() {
    let Some(server) = mariadb() else { return };
    let (from, to) = (server.database("wide"), server.database("narrow"));
    from.sql(
        "create table v (id int primary key, c text, d datetime(6), b blob, f double, l text, t tinytext, n int) engine = InnoDB;
         insert into v values
            (1, 'abc', '2024-01-01 10:00:00.123', x'010203', 0.5, 'œuf', 'x', 1),
            (2, 'ab ', null, null, null, null, null, 1),
            (3, null, '2024-01-01 10:00:00.1234', null, null, null, null, 1),
            (4, null, null, x'0102', null, null, null, 1),
            (5, null, null, null, 0.1, null, null, 1),
            (6, null, null, null, null, 'Łódź', null, 1),
            (7, null, null, null, null, null, repeat('y', 255), 1),
            (8, null, null, null, null, null, null, -1),
            (9, 'abcde', null, null, null, null, null, 1)",
    );
    to.sql(
        "create table v (id int primary key, c char(4), d datetime(3), b binary(3), f float, l text character set latin1,
            t varchar(254), n int unsigned) engine = InnoDB",
    );
    let mut source = connect(&from);
    let plan = plan_between(&mut source, &to, &[("v", None)]);
    let refused = copy(&mut source, &mut destination(&to), &plan).unwrap();
    assert_eq!(reasons(&refused[0]), (1..9).map(|row| (row, Refusal::Value)).collect::<Vec<_>>());
    let row = "select id, c, d, hex(b), f, l, t, n from v";
    assert_eq!(to.sql(row).trim(), "1\tabc\t2024-01-01 10:00:00.123\t010203\t0.5\tœuf\tx\t1");
}

#[test]
fn a_table_that_is_not_safe_to_write_is_refused_before_a_row_is_sent() {
    let Some(server) = mariadb() else { return };
    for (columns, options, code) in [
        ("v int", "engine = MyISAM", "ECL-DST-230"),
        ("v int", "engine = InnoDB with system versioning", "ECL-DST-230"),
        ("v double(10,2)", "engine = InnoDB", "ECL-DST-233"),
    ] {
        let (from, to) = (server.database("from"), server.database("unsafe"));
        let wide = columns.replace("double(10,2)", "double");
        from.sql(&format!("create table t (id int primary key, {wide}); insert into t values (1, 1)"));
        to.sql(&format!("create table t (id int primary key, {columns}) {options}"));
        let mut source = connect(&from);
        let plan = plan_between(&mut source, &to, &[("t", None)]);
        let refused = copy(&mut source, &mut destination(&to), &plan).unwrap_err();
        assert_eq!(refused.code().id, code, "{columns} {options}");
        assert_eq!(to.sql("select count(*) from t").trim(), "0");
    }
}

// fails with the guard off: MariaDB itself never looks at these rows again
#[test]
fn a_foreign_key_that_does_not_hold_ends_the_run() {
    let Some(server) = mariadb() else { return };
    let (from, to) = (server.database("from"), server.database("orphan"));
    from.sql(
        "create table pat (id bigint primary key, name varchar(40), code varchar(40), age int);
         create table res (id bigint primary key, pat bigint, v varchar(40));
         insert into pat values (1, 'N', null, null); insert into res values (1, 1, null), (2, null, null), (3, 2, null)",
    );
    to.sql(PATIENTS);
    let mut source = connect(&from);
    let plan = plan_between(&mut source, &to, &[("pat", None), ("res", Some(1))]);
    let mut destination = destination(&to);
    let fault = copy(&mut source, &mut destination, &plan).unwrap_err();
    assert_eq!(fault.code().id, "ECL-DST-231");
    assert!(fault.to_string().contains("res, constraint of_patient: 1 rows"), "{fault}");
    assert_eq!(destination.orphans(&plan.tables()[1], 0, &plan.tables()[0]).unwrap(), 1);
    to.sql("insert into pat (id, name) values (2, 'later')");
    destination.finish(&plan).unwrap();
    assert_eq!(to.sql("select finished from ecluse_ledger_run").trim(), "1\n1");
}

/// The setting is the server's, so it is not the row's fault.
#[test]
fn a_row_beyond_the_servers_packet_ends_the_run_by_its_own_code() {
    let Some(server) = mariadb() else { return };
    let (to, folder) = (server.database("packet"), tempfile::tempdir().unwrap());
    // whatever a test of large rows has raised it to
    to.sql("set global max_allowed_packet = 67108864");
    to.sql("create table t (id int primary key, x longblob) engine = InnoDB");
    let mut from = sqlite_with(
        folder.path(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, x BLOB);
         INSERT INTO t VALUES (1, zeroblob(20000000)), (2, x'00'), (3, zeroblob(67108000));",
    );
    let plan = plan_between(&mut from, &to, &[("t", None)]);
    let fault = copy(&mut from, &mut destination(&to), &plan).unwrap_err();
    assert_eq!(fault.code().id, "ECL-DST-234");
    let fits = sqlite::Source::open(&folder.path().join("old.db"));
    let mut destination = destination(&to);
    destination.open(&plan, "run-1").unwrap();
    let mut fits = fits.unwrap();
    fits.open(&plan, false).unwrap();
    let mut first = Vec::new();
    let two = KeyRange { after: None, upto: Some(Key(vec![Value::Int(2)])) };
    fits.read(&plan.tables()[0], &plan, &two, &mut |batch| {
        first.push(batch);
        Ok(())
    })
    .unwrap();
    destination.replace(&plan.tables()[0], 0, &two, false, &first, &mut |_| Ok(line(0, 0, 2, 0))).unwrap();
    assert_eq!(to.sql("select sum(length(x)) from t").trim(), "20000001");
}

#[test]
fn another_runs_ledger_and_a_second_writer_are_kept_out() {
    let Some(server) = mariadb() else { return };
    let (from, to) = (server.database("from"), server.database("ledger"));
    for database in [&from, &to] {
        database.sql("create table t (id int primary key) engine = InnoDB");
    }
    let mut source = connect(&from);
    let plan = plan_between(&mut source, &to, &[("t", None)]);
    let mut first = destination(&to);
    first.open(&plan, "run-1").unwrap();
    let mut second = destination(&to);
    assert_eq!(second.open(&plan, "run-1").unwrap_err().code().id, "ECL-DST-221");
    drop(first);
    // the server lets go of the lock once it has seen the connection end
    let start = std::time::Instant::now();
    let other = loop {
        let refused = second.open(&plan, "run-2").unwrap_err();
        if refused.code().id != "ECL-DST-221" || start.elapsed().as_secs() > 10 {
            break refused;
        }
    };
    assert_eq!(other.code().id, "ECL-DST-220");
    second.open(&plan, "run-1").unwrap();
    assert_eq!(second.ledger("run-2").unwrap(), []);
    let shown = second.catalog(Scope::Everything).unwrap();
    assert_eq!(
        shown.tables.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
        ["t"],
        "the ledger does not show"
    );
}

/// Blanks that a `VARCHAR` has no room for are cut with no more than a note, strict or not.
// fails with the guard off: the row stands there without its blanks
#[test]
fn what_the_server_only_warns_of_is_taken_back() {
    let Some(server) = mariadb() else { return };
    let (from, to) = (server.database("from"), server.database("warned"));
    from.sql(
        "create table t (id int primary key, name text) engine = InnoDB;
         insert into t select seq, if(seq = 2500, 'abcdef   ', concat('N', seq)) from seq_1_to_3000",
    );
    to.sql("create table t (id int primary key, name varchar(6)) engine = InnoDB");
    let mut source = connect(&from);
    let plan = plan_between(&mut source, &to, &[("t", None)]);
    let mut destination = destination(&to);
    let refused = copy(&mut source, &mut destination, &plan).unwrap();
    assert_eq!(reasons(&refused[0]), [(2_499, Refusal::Value)]);
    assert_eq!(to.sql("select count(*), sum(name = concat('N', id)) from t").trim(), "2999\t2999");
}
