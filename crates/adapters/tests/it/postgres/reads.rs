//! Reads: order, ranges, filters, the snapshot, a read that is stopped.

use arrow_array::Array as _;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use ecluse_adapters::postgres::{Destination, Source};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Count, Destination as _, Scope, Source as _};
use ecluse_testkit::server;

use super::help::{at, batches_of, load, opened, until};
use crate::common::{Wanted, every, planned, read_all, rows};

fn texts(batches: &[ecluse_batch::Batch], column: usize) -> Vec<String> {
    batches
        .iter()
        .flat_map(|b| {
            b.columns()[column].as_string::<i32>().iter().map(|t| t.unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// A French collation sorts `a` before `B` and `é` beside `e`; keys go by bytes.
#[test]
fn keys_are_ordered_and_bounded_by_bytes_whatever_the_collation() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("bytes");
    from.sql(
        "create table t (code text collate \"und-x-icu\", n int, primary key (code, n)); \
         insert into t select c, n from unnest(array['a', 'B', 'é', 'e', 'z', 'Z', '', '~']) c, generate_series(1, 2) n",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    let all = texts(&read_all(&mut source, &plan, 0), 0);
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(all, sorted);
    let key = |c: &str, n| Some(Key(vec![Value::Text(c.into()), Value::Int(n)]));
    let range = KeyRange { after: key("Z", 1), upto: key("e", 1) };
    assert_eq!(texts(&batches_of(&mut source, &plan, 0, &range), 0), ["Z", "a", "a", "e"]);
    let logged = from.statements();
    assert!(
        logged.iter().filter(|s| s.application == "ecluse").all(|s| !s.text.contains("'Z'")),
        "keys are bound, not written"
    );
}

#[test]
fn a_filter_chooses_the_rows_and_its_values_are_bound() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("filter");
    from.sql(
        "create table t (id int8 primary key, status text, seen date); \
         insert into t select i, case i % 3 when 0 then 'VAL' when 1 then 'val' end, date '2020-01-01' + i \
         from generate_series(1, 300) i",
    );
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let filter = Filter::And(vec![
        Filter::Compare { column: 1, op: Comparison::Eq, value: Value::Text("VAL".into()) },
        Filter::Compare { column: 2, op: Comparison::Ge, value: Value::Date(18_262 + 100) },
    ]);
    let wanted = Wanted { table: "t", columns: &[], filter, view: None };
    let plan = planned(&catalog, &[wanted]);
    source.open(&plan, false).unwrap();
    let expected: u64 = from
        .sql("select count(*) from t where status = 'VAL' and seen >= date '2020-04-10'")
        .trim()
        .parse()
        .unwrap();
    assert_eq!(source.count(&plan.tables()[0]).unwrap(), Count { available: Some(300), asked: expected });
    let batches = read_all(&mut source, &plan, 0);
    assert_eq!(u64::try_from(rows(&batches)).unwrap(), expected);
    assert!(texts(&batches, 1).iter().all(|t| t == "VAL"));
    let statement = source.statement(&plan.tables()[0], &plan);
    assert!(statement.contains("$1") && !statement.contains("VAL"), "{statement}");
    let logged = from.statements();
    let ours = |s: &&ecluse_testkit::server::LoggedStatement| s.application == "ecluse";
    assert!(logged.iter().filter(ours).count() > 3);
    assert!(logged.iter().filter(ours).all(|s| !s.text.contains("VAL")));
}

#[test]
fn one_snapshot_for_all_reads_and_a_lock_on_the_structure() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("snapshot");
    from.sql(
        "create table a (id int8 primary key); create table b (id int8 primary key); \
         insert into a values (1); insert into b values (1)",
    );
    let (mut source, plan) = opened(&from, &["a", "b"]);
    let before = source.catalog(Scope::Everything).unwrap();
    from.sql("insert into a values (2); insert into b values (2)");
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 1);
    assert_eq!(rows(&read_all(&mut source, &plan, 1)), 1);
    // the structure of what is being read cannot change
    let altered = from.try_sql("set lock_timeout = '100ms'; alter table a add column x int");
    assert!(altered.unwrap_err().contains("lock timeout"));
    // and the catalogue is seen as it is now, not as it was
    from.sql("create table c (id int8 primary key)");
    let after = source.catalog(Scope::Everything).unwrap();
    assert_eq!((before.tables.len(), after.tables.len()), (2, 3));
    source.close().unwrap();
    from.sql("alter table a add column x int");
}

#[test]
fn counts_that_go_ahead_are_the_snapshots_and_no_session_of_theirs_outlives_it() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("ahead");
    from.sql(
        "create table a (id int8 primary key); create table b (id int8 primary key); \
         insert into a select generate_series(1, 3); insert into b select generate_series(1, 4); \
         create view slow as select id from b where pg_sleep(60) is not null",
    );
    let sessions = "select count(*) from pg_stat_activity \
                    where datname = current_database() and application_name = 'ecluse'";
    let (mut source, plan) = opened(&from, &["a", "b", "slow"]);
    from.sql("insert into a values (9), (10); delete from b");
    source.count_ahead(3).unwrap();
    assert_eq!(from.sql(sessions).trim(), "3");
    let [a, b] = [&plan.tables()[0], &plan.tables()[1]];
    assert_eq!(source.counted(a).unwrap(), Count { available: Some(3), asked: 3 });
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 3);
    assert_eq!(source.counted(b).unwrap(), Count { available: Some(4), asked: 4 });
    // the third goes on for minutes: it ends with the snapshot
    let began = std::time::Instant::now();
    source.close().unwrap();
    assert!(began.elapsed().as_secs() < 40);
    drop(source);
    let gone = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        from.sql(sessions).trim() == "0"
    });
    assert!(gone, "a session counts on");
}

#[test]
fn a_count_out_of_turn_is_taken_when_it_is_asked_for() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("turn");
    from.sql(
        "create table a (id int8 primary key); create table b (id int8 primary key); \
         insert into a select generate_series(1, 3); insert into b select generate_series(1, 4)",
    );
    let (mut source, plan) = opened(&from, &["a", "b"]);
    let [a, b] = [&plan.tables()[0], &plan.tables()[1]];
    from.sql("delete from a; delete from b");
    assert_eq!(source.counted(b).unwrap().asked, 4, "nothing was said to go ahead");
    source.count_ahead(2).unwrap();
    assert_eq!(source.counted(b).unwrap().asked, 4);
    assert_eq!(source.counted(a).unwrap().asked, 3);
    // and anew, as a run that reads its tables once more
    source.count_ahead(1).unwrap();
    assert_eq!(source.counted(a).unwrap().asked, 3);
    assert_eq!(source.counted(b).unwrap().asked, 4);
}

// fails with the guard off: ECL-SRC-503 for who waits to alter a table, ECL-SRC-501 for a session that was ended
#[test]
fn a_session_that_counts_ahead_and_fails_ends_no_run() {
    let Some(server) = server::postgres() else { return };
    for ended in [false, true] {
        let from = server.database("counts_fail");
        from.sql(
            "create table a (id int8 primary key); create table b (id int8 primary key); \
             insert into a select generate_series(1, 3); insert into b select generate_series(1, 4)",
        );
        let (mut source, plan) = opened(&from, &["a", "b"]);
        std::thread::scope(|scope| {
            // waits for the snapshot's lock, and whoever comes later waits for it
            scope.spawn(|| from.try_sql("set lock_timeout = '20s'; alter table b add column x int"));
            let waiting =
                |program: &str| format!("wait_event_type = 'Lock' and application_name {program} 'ecluse'");
            let count = |condition: String| {
                from.sql(&format!(
                    "select count(*) from pg_stat_activity where {condition} and datname = current_database()"
                ))
            };
            until(|| count(waiting("<>")).trim() == "1");
            source.count_ahead(2).unwrap();
            if ended {
                let end = format!("case when {} then pg_terminate_backend(pid) end", waiting("="));
                until(|| count(end.clone()).trim() == "1");
            }
            let [a, b] = [&plan.tables()[0], &plan.tables()[1]];
            let counts = [source.counted(a).map(|c| c.asked), source.counted(b).map(|c| c.asked)];
            source.close().unwrap();
            assert_eq!(counts.map(Result::unwrap), [3, 4]);
        });
    }
}

#[test]
fn a_read_that_is_stopped_leaves_the_snapshot_standing() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("stopped");
    from.sql(
        "create table t (id int8 primary key, v text); \
         insert into t select i, repeat('x', 200) from generate_series(1, 200000) i",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    from.sql("insert into t values (0, 'late')");
    for _ in 0..3 {
        let mut n = 0;
        let stopped = source.read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |batch| {
            n += batch.rows();
            Err(ecluse_batch::MALFORMED.fault("enough"))
        });
        assert_eq!(stopped.unwrap_err().detail(), "enough");
        assert!(n > 0 && n <= 8192);
    }
    assert_eq!(source.count(&plan.tables()[0]).unwrap().asked, 200_000);
}

#[test]
fn batches_are_bounded_in_rows_and_bytes() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("bounded");
    from.sql(
        "create table t (id int8 primary key, v bytea); \
         insert into t select i, case when i <= 20000 then ''::bytea else decode(repeat('ab', 300000), 'hex') end \
         from generate_series(1, 20010) i",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    let batches = read_all(&mut source, &plan, 0);
    assert_eq!(rows(&batches), 20_010);
    assert!(batches.iter().all(|b| b.rows() <= 8192));
    // 300 kB values: four reach the bound of 1 MiB
    let large = batches.iter().filter(|b| b.columns()[0].as_primitive::<Int64Type>().value(0) > 20_000);
    assert!(large.clone().count() >= 2 && large.clone().all(|b| b.rows() <= 4));
}

#[test]
fn a_thousand_columns() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("wide_from"), server.database("wide_to"));
    let columns: Vec<String> = (0..1000).map(|i| format!("c{i} int")).collect();
    let table = format!("create table wide (id int8 primary key, {})", columns.join(", "));
    from.sql(&format!(
        "{table}; insert into wide (id, c0, c999) select i, i, -i from generate_series(1, 50) i"
    ));
    to.sql(&table);
    let (mut source, plan) = opened(&from, &["wide"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert_eq!(batches[0].columns().len(), 1001);
    assert_eq!(batches[0].columns()[500].null_count(), 50);
    load(&mut destination, &plan, 0, 0, &batches);
    destination.finish(&plan).unwrap();
    let text = "select md5(string_agg(w::text, '' order by id)) from wide w";
    assert_eq!(from.sql(text), to.sql(text));
}

/// A table without a key is read in any order, whole.
#[test]
fn a_table_without_a_key_is_read() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("keyless");
    from.sql("create schema lab; create table lab.\"Odd \"\"name\" (v text); insert into lab.\"Odd \"\"name\" values ('a'), ('a')");
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Tables(&["lab.Odd \"name".into(), "absent".into()])).unwrap();
    assert_eq!(catalog.tables.len(), 1);
    let plan = planned(&catalog, &[every("lab.Odd \"name", &[])]);
    source.open(&plan, false).unwrap();
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 2);
}
