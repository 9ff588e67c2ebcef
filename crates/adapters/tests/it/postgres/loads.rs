//! Loads: what is dropped and put back, refused rows, the ledger, resume.

use ecluse_adapters::postgres::{Destination, Source};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Destination as _, Refusal, RefusedRow, Scope, Source as _};
use ecluse_testkit::laboratory::{Laboratory, Size, Table};
use ecluse_testkit::server;

use super::help::{at, batches_of, load, opened, until};
use crate::common::{every, line, planned, read_all, rows};

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
    assert_eq!(before, destination.catalog(Scope::Everything).unwrap(), "nothing is written yet");
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
    assert_ne!(
        before,
        destination.catalog(Scope::Everything).unwrap(),
        "constraints are dropped for the load"
    );
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

#[test]
fn bisection_isolates_the_bad_rows_and_keeps_the_others() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("bisect_from"), server.database("bisect_to"));
    from.sql(
        "create table r (id int8 primary key, v int4, t text); \
         insert into r select i, i, 'x' from generate_series(1, 20000) i; \
         update r set v = -1 where id = 777; update r set t = repeat('y', 9) where id = 13000",
    );
    to.sql("create table r (id int8 primary key, v int4 check (v >= 0), t varchar(8))");
    let (mut source, plan) = opened(&from, &["r"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let mut asked = 0;
    let refused = destination
        .replace(&plan.tables()[0], 0, &KeyRange::default(), false, &batches, &mut |refused| {
            asked += 1;
            Ok(line(0, 0, 20_000, refused.len()))
        })
        .unwrap();
    let expected =
        [RefusedRow { row: 776, reason: Refusal::Check }, RefusedRow { row: 12_999, reason: Refusal::Value }];
    assert_eq!(refused, expected);
    assert_eq!(asked, 1, "the line is asked for once, when the refused rows are known");
    destination.finish(&plan).unwrap();
    assert_eq!(
        to.sql("select count(*), count(*) filter (where id in (777, 13000)) from r").trim(),
        "19998|0"
    );
    let entries = destination.ledger("run").unwrap();
    assert_eq!((entries[0].rows, entries[0].refused), (19_998, 2));
}

#[test]
fn a_unique_index_that_stands_names_the_second_of_two() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("unique_from"), server.database("unique_to"));
    from.sql(
        "create table r (id int8 primary key, t text); \
         insert into r values (1, 'a'), (2, 'b'), (3, 'a'), (4, 'c'), (5, null), (6, null)",
    );
    to.sql("create table r (id int8 primary key, t text unique)");
    let (mut source, plan) = opened(&from, &["r"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let refused = load(&mut destination, &plan, 0, 0, &batches);
    assert_eq!(refused, [RefusedRow { row: 2, reason: Refusal::Unique }]);
    destination.finish(&plan).unwrap();
    assert_eq!(to.sql("select string_agg(id::text, ',' order by id) from r").trim(), "1,2,4,5,6");
}

/// With the key dropped for speed, a key that comes twice is still caught: when it is put back.
#[test]
fn a_key_that_comes_twice_is_named_by_its_table() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("twice_from"), server.database("twice_to"));
    from.sql("create table r (id int8 primary key); insert into r values (4711), (4712)");
    to.sql("create table r (id int8 primary key)");
    let (mut source, plan) = opened(&from, &["r"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    // a source that delivers its rows twice, which its own key forbids
    for chunk in [0, 1] {
        assert!(load(&mut destination, &plan, 0, chunk, &batches).is_empty());
    }
    for _ in 0..2 {
        let fault = destination.finish(&plan).unwrap_err();
        assert_eq!(fault.code().id, "ECL-DST-530");
        assert!(fault.detail().contains("public.r") && !fault.to_string().contains("471"), "{fault}");
    }
    assert_eq!(to.sql("select count(*) from r").trim(), "4", "nothing is deleted to make it fit");
}

#[test]
fn orphans_are_counted_and_the_foreign_key_refuses_them() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("orphan_from"), server.database("orphan_to"));
    let tables = "create table p (id int8 primary key); create table c (id int8 primary key, p_id int8)";
    from.sql(&format!("{tables}; insert into p values (1); insert into c values (1, 1), (2, 9), (3, null)"));
    to.sql(&format!("{tables}; alter table c add foreign key (p_id) references p"));
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let child = crate::common::fields(1, catalog.table("c").unwrap(), &every("c", &[]));
    let parent = crate::common::fields(0, catalog.table("p").unwrap(), &every("p", &[]));
    let plan = ecluse_core::plan::assertion::plan(vec![
        ecluse_core::plan::assertion::table(parent),
        ecluse_core::plan::assertion::table(crate::common::related(child, 1, 0, 0)),
    ]);
    source.open(&plan, false).unwrap();
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    for table in [0, 1] {
        let batches = read_all(&mut source, &plan, table);
        assert!(load(&mut destination, &plan, table, 0, &batches).is_empty());
    }
    let (p, c) = (&plan.tables()[0], &plan.tables()[1]);
    assert_eq!(destination.orphans(c, 0, p).unwrap(), 1);
    assert_eq!(destination.finish(&plan).unwrap_err().code().id, "ECL-DST-531");
    // it stands now, not validated; a resumed run still knows it as it was
    assert_eq!(to.sql("select convalidated from pg_constraint where contype = 'f'").trim(), "f");
    drop(destination);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    until(|| destination.open(&plan, "run").is_ok());
    to.sql("delete from c where id = 2");
    destination.finish(&plan).unwrap();
    assert_eq!(to.sql("select convalidated from pg_constraint where contype = 'f'").trim(), "t");
}

/// The numbers 1 to 100 in two chunks: number and range.
fn halves() -> [(u64, KeyRange); 2] {
    let fifty = || Some(Key(vec![Value::Int(50)]));
    [(0, KeyRange { after: None, upto: fifty() }), (1, KeyRange { after: fifty(), upto: None })]
}

#[test]
fn a_chunk_is_replaced_and_its_neighbour_left_alone() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("replace_from"), server.database("replace_to"));
    from.sql(
        "create table r (id int8 primary key, v text); \
         insert into r select i, 'first' from generate_series(1, 100) i",
    );
    to.sql(
        "create table r (id int8 primary key, v text); create index r_v on r (v); \
         create table other (r_id int8 references r on delete cascade)",
    );
    let indexes = "select count(*) from pg_index where indrelid = 'r'::regclass";
    {
        let (mut source, plan) = opened(&from, &["r"]);
        let mut destination = Destination::connect(&at(&to)).unwrap();
        destination.open(&plan, "run").unwrap();
        for (chunk, range) in halves() {
            let batches = batches_of(&mut source, &plan, 0, &range);
            assert_eq!(rows(&batches), 50);
            let mut entry = |_: &[RefusedRow]| Ok(line(0, chunk, 50, 0));
            destination.replace(&plan.tables()[0], chunk, &range, false, &batches, &mut entry).unwrap();
        }
        assert_eq!(to.sql(indexes).trim(), "0");
        destination.finish(&plan).unwrap();
        assert_eq!(to.sql(indexes).trim(), "2");
    }
    to.sql("insert into other select id from r");
    from.sql("update r set v = 'second' where id = 60; delete from r where id = 61");
    to.sql("alter table r add column witness text; update r set witness = 'untouched'");
    let (mut source, plan) = opened(&from, &["r"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    until(|| destination.open(&plan, "run").is_ok());
    assert_eq!(to.sql(indexes).trim(), "2", "a small last delta does not build indexes anew");
    let (chunk, range) = halves()[1].clone();
    let batches = batches_of(&mut source, &plan, 0, &range);
    let mut entry = |_: &[RefusedRow]| Ok(line(0, chunk, 49, 0));
    destination.replace(&plan.tables()[0], chunk, &range, false, &batches, &mut entry).unwrap();
    let after = "select count(*) filter (where witness is not null), count(*), max(v) from r";
    assert_eq!(to.sql(after).trim(), "50|99|second");
    // the foreign key of a table outside the plan was away: its cascade has deleted nothing
    assert_eq!(to.sql("select count(*) from other").trim(), "100");
    // and when it comes back it says what is missing: 61 is gone
    assert_eq!(destination.finish(&plan).unwrap_err().code().id, "ECL-DST-531");
    to.sql("delete from other where r_id = 61");
    destination.finish(&plan).unwrap();
    assert_eq!(to.sql("select confdeltype from pg_constraint where contype = 'f'").trim(), "c");
}

/// A chunk that must be deleted while the load still goes on puts the key back first.
#[test]
fn a_resumed_load_replaces_by_the_key() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("resume_from"), server.database("resume_to"));
    from.sql(
        "create table r (id int8 primary key, v text); \
         insert into r select i, 'first' from generate_series(1, 100) i",
    );
    to.sql("create table r (id int8 primary key, v text)");
    let (mut source, plan) = opened(&from, &["r"]);
    let (chunk, range) = halves()[0].clone();
    let batches = batches_of(&mut source, &plan, 0, &range);
    let indexes = "select count(*) from pg_index where indrelid = 'r'::regclass";
    for round in [0, 1] {
        // the first one is dropped without `finish`, as a killed process would leave it
        let mut destination = Destination::connect(&at(&to)).unwrap();
        until(|| destination.open(&plan, "run").is_ok());
        // the key goes with the first chunk, and a killed process leaves it away
        assert_eq!(to.sql(indexes).trim(), ["1", "0"][round]);
        let mut entry = |_: &[RefusedRow]| Ok(line(0, chunk, 50, 0));
        destination.replace(&plan.tables()[0], chunk, &range, false, &batches, &mut entry).unwrap();
        assert_eq!(to.sql("select count(*), count(distinct id) from r").trim(), "50|50", "round {round}");
    }
    assert_eq!(to.sql(indexes).trim(), "1");
}

#[test]
fn two_runs_at_once_and_another_runs_ledger_are_refused() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("two_from"), server.database("two_to"));
    for database in [&from, &to] {
        database.sql("create table r (id int8 primary key)");
    }
    let (_source, plan) = opened(&from, &["r"]);
    let mut first = Destination::connect(&at(&to)).unwrap();
    first.open(&plan, "run-1").unwrap();
    let mut second = Destination::connect(&at(&to)).unwrap();
    assert_eq!(second.open(&plan, "run-1").unwrap_err().code().id, "ECL-DST-521");
    drop(first);
    // the server frees the lock once it has seen the connection end
    until(|| to.sql("select count(*) from pg_locks where locktype = 'advisory'").trim() == "0");
    assert_eq!(second.open(&plan, "run-2").unwrap_err().code().id, "ECL-DST-520");
    second.open(&plan, "run-1").unwrap();
}

#[test]
fn a_table_that_held_rows_keeps_its_constraints() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("held_from"), server.database("held_to"));
    from.sql("create table r (id int8 primary key); insert into r values (1), (2)");
    to.sql(
        "create table r (id int8 primary key, v int default 7); create index on r (v); \
         insert into r values (2)",
    );
    let (mut source, plan) = opened(&from, &["r"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    assert_eq!(to.sql("select count(*) from pg_index where indrelid = 'r'::regclass").trim(), "2");
    let batches = read_all(&mut source, &plan, 0);
    let refused = load(&mut destination, &plan, 0, 0, &batches);
    assert_eq!(refused, [RefusedRow { row: 1, reason: Refusal::Unique }]);

    drop(destination);
    to.sql("create table k (r_id int8 references r on delete cascade)");
    let mut destination = Destination::connect(&at(&to)).unwrap();
    until(|| destination.open(&plan, "run").unwrap_err().code().id != "ECL-DST-521");
    assert_eq!(destination.open(&plan, "run").unwrap_err().code().id, "ECL-DST-532");
}

#[test]
fn sequences_go_past_the_largest_key() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("seq_from"), server.database("seq_to"));
    from.sql(
        "create table r (id int8 primary key); insert into r values (1), (4711); \
         create table s (id int8 primary key)",
    );
    to.sql(
        "create table r (id int8 generated by default as identity primary key); \
         create table s (id bigserial primary key)",
    );
    let (mut source, plan) = opened(&from, &["r", "s"]);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    load(&mut destination, &plan, 0, 0, &batches);
    destination.finish(&plan).unwrap();
    assert_eq!(to.sql("insert into r default values returning id").trim(), "4712");
    assert_eq!(to.sql("insert into s default values returning id").trim(), "1", "an empty table's stays");
}

#[test]
fn a_missing_table_is_made_from_the_sources_catalogue() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("ddl_from"), server.database("ddl_to"));
    let tables = Table::ALL;
    Laboratory::new(7, Size { patients: 0, requests: 0, results: 0 }).write_postgres(&from, &tables);
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let mut destination = Destination::connect(&at(&to)).unwrap();
    for table in &catalog.tables {
        let statement = destination.ddl(table);
        destination.create(&table.name, &statement).unwrap();
    }
    let made = destination.catalog(Scope::Everything).unwrap();
    for (table, was) in made.tables.iter().zip(&catalog.tables) {
        let shape = |t: &ecluse_core::catalog::Table| {
            (
                t.name.clone(),
                t.key.clone(),
                t.columns
                    .iter()
                    .map(|c| (c.name.clone(), c.sql_type.clone(), c.nullable))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(shape(table), shape(was));
        let supposed = |t: &ecluse_core::catalog::Table| {
            let columns = t
                .columns
                .iter()
                .map(|c| (c.name.clone(), c.sql_type.clone(), c.ty, c.max_length, c.int_bounds, c.nullable));
            (columns.collect::<Vec<_>>(), t.key.clone())
        };
        assert_eq!(
            supposed(&destination.supposed(was)),
            supposed(table),
            "what a plan supposes is what is made"
        );
    }
}
