//! Every type there and back, against the engine's own text output.

use arrow_array::Array as _;
use ecluse_adapters::postgres::{Destination, Source};
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, Refusal, Scope, Source as _};
use ecluse_testkit::server;

use super::help::{at, load, opened};
use crate::common::{every, fields, planned, read_all, rows};

const TABLE: &str = "create table every_type (id int8 primary key, b bool, i2 int2, i4 int4, i8 int8, \
    n numeric(38,10), n0 numeric(12,0), n38 numeric(38,38), f4 float4, f8 float8, t text, v varchar(40), c char(8), \
    nm name, by bytea, d date, ts timestamp, tz timestamptz, tm time, u uuid, j json, jb jsonb)";

const ROWS: &str = "insert into every_type values \
    (1, true, 32767, 2147483647, 9223372036854775807, 9999999999999999999999999999.9999999999, 999999999999, \
     0.99999999999999999999999999999999999999, 3.4028235e38, 1.7976931348623157e308, E'é€𝄞 ''\\\\\\n', 'x', 'ab', 'nom', \
     '\\x00ff', '5874897-12-31', '292000-12-31 23:59:59.999999', '292000-12-31 23:59:59.999999+00', '23:59:59.999999', \
     'ffffffff-ffff-ffff-ffff-ffffffffffff', '{\"a\" : 1.0,  \"a\":2}', '{\"b\": 1, \"a\": [1.00, null]}'), \
    (2, false, -32768, -2147483648, -9223372036854775808, -9999999999999999999999999999.9999999999, -1, \
     -0.00000000000000000000000000000000000001, -1e-45, -5e-324, '', '', '', '', \
     '', '4713-01-01 BC', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '00:00:00', \
     '00000000-0000-0000-0000-000000000000', 'null', 'null'), \
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
     null, null, null), \
    (4, true, 0, 0, 0, 0, 0, 0, 'NaN', 'NaN', ' blanks ', ' b ', ' c', 'n', '\\x', '2000-01-01', '2000-01-01', \
     '2000-01-01 00:00+00', '12:00', gen_random_uuid(), '\"\\u00e9\"', '\"é\"'), \
    (5, true, 1, 1, 1, 0.0000000001, 10000, 0.0001, 'Infinity', '-Infinity', 'x', 'x', 'x', 'x', '\\x01', '1969-12-31', \
     '1969-12-31 23:59:59.999999', '1582-10-15 00:00+00', '00:00:00.000001', gen_random_uuid(), '[]', '[]'), \
    (6, true, 1, 1, 1, 10000.00010, 120000000, 0.1, 0.1, 0.1, 'x', 'x', 'x', 'x', '\\x01', '1900-02-28', \
     '1900-02-28 00:00', '1911-03-10 23:51:00+00', '01:02:03', gen_random_uuid(), '{}', '{}')";

#[test]
fn every_type_comes_back_as_the_engine_prints_it() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("types_from"), server.database("types_to"));
    from.sql(&format!("{TABLE}; {ROWS}"));
    to.sql(TABLE);
    let (mut source, plan) = opened(&from, &["every_type"]);
    assert_eq!(plan.tables()[0].read().len(), 22, "every type is understood");
    let batches = read_all(&mut source, &plan, 0);
    assert!(batches.iter().all(|b| b.unreadable().is_empty()));
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    assert!(load(&mut destination, &plan, 0, 0, &batches).is_empty());
    destination.finish(&plan).unwrap();
    for zone in ["UTC", "Europe/Paris"] {
        let text = format!(
            "set timezone = '{zone}'; set extra_float_digits = 3; \
             copy (select * from every_type order by id) to stdout"
        );
        assert_eq!(from.sql(&text), to.sql(&text));
    }
    // and what is read back is what was sent, ordered or not
    for ordered in [false, true] {
        let mut back = Vec::new();
        destination
            .read(&plan.tables()[0], &KeyRange::default(), ordered, &mut |b| {
                back.push(b);
                Ok(())
            })
            .unwrap();
        assert_eq!(rows(&back), 6);
        for (sent, came) in batches[0].columns().iter().zip(back[0].columns()) {
            // NaN is not equal to itself
            if sent.data_type() != &ecluse_batch::arrow_type(Type::Float) {
                assert!(sent == came, "a column differs");
            }
        }
    }
}

#[test]
fn types_without_a_counterpart_are_refused_by_the_catalogue() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("types_refused");
    from.sql(
        "create domain grade as int check (value < 5); create type pair as (a int); \
         create table t (id int8 primary key, m money, p point, o oid, ch \"char\", c pair, a point[], \
         g grade, dv varchar(3), gen int generated always as (1) stored)",
    );
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let table = catalog.table("t").unwrap();
    let understood: Vec<&str> =
        table.columns.iter().filter(|c| c.ty.is_some()).map(|c| c.name.as_str()).collect();
    assert_eq!(understood, ["id", "g", "dv", "gen"], "a domain is what it is made of");
    assert_eq!(table.column("dv").unwrap().max_length, Some(3));
    assert_eq!(table.column("gen").unwrap().generated, "1");
    assert_eq!(table.key, ["id"]);
}

#[test]
fn values_without_a_counterpart_are_marked_with_their_row() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("types_marked");
    from.sql(
        "create table t (id int8 primary key, d date, ts timestamp, tz timestamptz, n numeric(5,2), tm time); \
         insert into t values (1, 'infinity', null, null, null, null), (2, null, '-infinity', null, null, null), \
         (3, null, null, 'infinity', null, null), (4, null, null, null, 'NaN', null), \
         (5, null, null, null, null, '24:00'), (7, null, null, '294276-12-31', null, null), (6, '2000-01-01', null, null, 1, '23:59')",
    );
    let (mut source, plan) = opened(&from, &["t"]);
    let batches = read_all(&mut source, &plan, 0);
    let marked: Vec<(usize, usize)> = batches[0].unreadable().iter().map(|u| (u.row, u.column)).collect();
    assert_eq!(marked, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 3)]);
    assert!(marked.iter().all(|(row, column)| batches[0].columns()[*column].is_null(*row)));
}

/// A database in SQL_ASCII promises nothing about its text.
#[test]
fn text_that_lies_about_its_encoding_is_marked() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("ascii");
    let name = format!("{}_a", from.name());
    server.sql(
        "postgres",
        &format!("create database {name} template template0 encoding 'SQL_ASCII' locale 'C'"),
    );
    server.sql(
        &name,
        "create table t (id int8 primary key, v text); \
         insert into t values (1, 'ok'), (2, E'caf\\xe9'), (3, 'ok')",
    );
    let url = ecluse_adapters::url::Server { database: name.clone(), ..at(&from) };
    let mut source = Source::connect(&url).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let plan = planned(&catalog, &[every("t", &[])]);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let marked: Vec<_> = batches[0].unreadable().iter().map(|u| (u.row, u.column, u.code.id)).collect();
    assert_eq!(marked, [(1, 1, "ECL-SRC-511")]);
    drop(source);
    server.sql("postgres", &format!("drop database {name} with (force)"));
}

/// What the engine would refuse, and quote in its log, never leaves the process.
#[test]
fn values_are_checked_before_they_are_sent() {
    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("checked_from"), server.database("checked_to"));
    from.sql(
        "create table t (id int8 primary key, i int8, c varchar(4), f float8, s text); \
         insert into t values (1, 40000, null, null, 's'), (2, null, 'ab  ', null, 's'), \
         (3, null, null, 0.1, 's'), (4, 5, 'ab', 0.5, 's'), (5, 5, null, null, null)",
    );
    to.sql("create table t (id int8 primary key, i int2, c char(4), f float4, s text not null)");
    let mut source = Source::connect(&at(&from)).unwrap();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let mut fields = fields(0, catalog.table("t").unwrap(), &every("t", &[]));
    fields.write[4].nullable = false;
    let plan = ecluse_core::plan::assertion::plan(vec![ecluse_core::plan::assertion::table(fields)]);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let refused: Vec<_> =
        load(&mut destination, &plan, 0, 0, &batches).into_iter().map(|r| (r.row, r.reason)).collect();
    let value = |row| (row, Refusal::Value);
    assert_eq!(refused, [value(0), value(1), value(2), (4, Refusal::NotNull)]);
    assert_eq!(to.sql("select id from t").trim(), "4");
}
