//! From PostgreSQL.

use ecluse_adapters::postgres::{Destination, Source};
use ecluse_core::types::Engine;
use ecluse_testkit::server::{self, PostgresDatabase};

use super::page::named;
use super::{Arrival, Rows, Values, compare, paired, script, told, values};
use crate::postgres::help::at;

const NUMBERS: &[(&str, &str)] = &[
    ("'0'", ""),
    ("'-0.10'", ""),
    ("'1.50'", ""),
    ("'123456789012345678901234567890123456789.0000000000000000000000000000000000000001'", ""),
    ("('1e' || 130000)::numeric", ""),
    ("'NaN'", ""),
    ("'-Infinity'", ""),
];

const YEARS: &str = "mariadb=ECL-RUN-106 sqlite=ECL-RUN-106";
const FLOATS: &[(&str, &str)] = &[
    ("'0'", ""),
    ("'-0'", "sqlite=ECL-BAT-101 mariadb=ECL-BAT-101"),
    ("'NaN'", "sqlite=ECL-BAT-101 mariadb=ECL-BAT-101"),
    ("'Infinity'", "mariadb=ECL-BAT-101"),
    ("'-Infinity'", "mariadb=ECL-BAT-101"),
    ("'0.1'", ""),
    ("'-3.4028235e38'", ""),
    ("'1e-45'", ""),
];
const TEXTS: &[(&str, &str)] =
    &[("''", ""), ("' a '", ""), ("E'é€𝄞 ''\"\\\\\\n\\t'", ""), ("'NULL'", ""), ("E'e\\u0301'", "")];

#[rustfmt::skip]
const VALUES: &[Values] = &[
    values("boolean", "boolean", &[("true", ""), ("false", "")]),
    values("smallint", "smallint", &[("-32768", ""), ("32767", ""), ("0", "")]),
    values("integer", "integer", &[("-2147483648", ""), ("2147483647", "")]),
    values("bigint", "bigint", &[("-9223372036854775808", ""), ("9223372036854775807", "")]),
    values("numeric(10,2)", "numeric(10,2)", &[("99999999.99", ""), ("-99999999.99", ""), ("0", ""), ("0.1", ""), ("'NaN'", "all=ECL-SRC-510")]),
    values("numeric(38,10)", "numeric(38,10)", &[("9999999999999999999999999999.9999999999", ""), ("-0.0000000001", ""), ("'NaN'", "all=ECL-SRC-510")]),
    values("numeric", "numeric", NUMBERS),
    values("numeric(60,20)", "numeric(60,20)", &[("'9999999999999999999999999999999999999999.99999999999999999999'", ""), ("'-1.5'", ""), ("'NaN'", "")]),
    values("numeric(5,-2)", "numeric(5,-2)", &[("1234567", ""), ("-50", ""), ("0", "")]),
    values("real", "real", FLOATS),
    values("double precision", "double precision", &[("'0'", ""), ("'-0'", "sqlite=ECL-BAT-101 mariadb=ECL-BAT-101"), ("'NaN'", "sqlite=ECL-BAT-101 mariadb=ECL-BAT-101"), ("'-Infinity'", "mariadb=ECL-BAT-101"), ("'1.7976931348623157e308'", ""), ("'5e-324'", ""), ("'0.1'", "")]),
    values("text", "text", TEXTS),
    values("character varying(40)", "character varying(40)", TEXTS),
    values("character(8)", "character(8)", &[("'ab'", ""), ("''", ""), ("' é€𝄞'", ""), ("'abcdefgh'", "")]),
    values("name", "name", TEXTS),
    values("bytea", "bytea", &[("'\\x'", ""), ("'\\x00ff5c27'", ""), ("decode(repeat('00ff', 5000), 'hex')", "")]),
    values("date", "date", &[("'0001-01-01'", ""), ("'1899-12-31'", ""), ("'1900-02-28'", ""), ("'9999-12-31'", ""), ("'0001-12-31 BC'", YEARS), ("'4713-01-01 BC'", YEARS), ("'10000-01-01'", YEARS), ("'infinity'", "all=ECL-SRC-510"), ("'-infinity'", "all=ECL-SRC-510")]),
    values("timestamp without time zone", "timestamp", &[("'1899-12-31 23:59:59.999999'", ""), ("'9999-12-31 23:59:59.999999'", ""), ("'0001-01-01'", ""), ("'2024-10-27 02:30'", ""), ("'0044-03-15 12:00 BC'", YEARS), ("'infinity'", "all=ECL-SRC-510"), ("'294276-12-31'", "all=ECL-SRC-510")]),
    values("timestamp with time zone", "timestamptz", &[("'1969-12-31 23:59:59.999999+00'", "mariadb=ECL-RUN-106"), ("'2024-10-27 02:30+01'", ""), ("'1890-01-01 00:00+00'", "mariadb=ECL-RUN-106"), ("'2038-01-19 03:14:07.999999+00'", ""), ("'9999-12-31 23:59:59+00'", "mariadb=ECL-RUN-106"), ("'0044-03-15 12:00+00 BC'", YEARS), ("'-infinity'", "all=ECL-SRC-510")]),
    values("time without time zone", "time", &[("'00:00'", ""), ("'23:59:59.999999'", ""), ("'12:34:56.5'", ""), ("'24:00'", "all=ECL-SRC-510")]),
    values("uuid", "uuid", &[("'00000000-0000-0000-0000-000000000000'", ""), ("'ffffffff-ffff-ffff-ffff-fffffffffffe'", "")]),
    values("json", "json", &[("'{\"a\" : 1.0,  \"a\":2}'", ""), ("'null'", ""), ("'[]'", ""), ("'\"\\u00e9\"'", ""), ("'1.50'", "sqlite=ECL-RUN-106")]),
    values("jsonb", "jsonb", &[("'{\"b\": 1, \"a\": [1.00, null]}'", ""), ("'\"é\"'", "")]),
    values("enum", "mood", &[("'sad'", ""), ("'très gai'", ""), ("''", "")]),
    values("integer[]", "integer[]", &[("'{}'", ""), ("'{1,NULL,-3}'", ""), ("'{{1,2},{3,4}}'", ""), ("'[0:1]={1,2}'", "")]),
    values("text[]", "text[]", &[("'{\"\",\"NULL\",NULL,\"a b\",\"q\\\"\"}'", ""), ("array['é€𝄞', E'x\\ny']", "")]),
    values("bit(3)", "bit(3)", &[("B'101'", ""), ("B'000'", "")]),
    values("bit varying(70)", "bit varying(70)", &[("B''", ""), ("repeat('01', 35)::varbit", "")]),
    values("interval", "interval", &[("'1 year 2 mons -3 days 04:05:06.000001'", ""), ("'0'", ""), ("'-178000000 years'", "")]),
    values("time with time zone", "timetz", &[("'23:59:59.999999+02:30'", ""), ("'24:00-15:59'", "")]),
    values("inet", "inet", &[("'192.168.0.1/24'", ""), ("'::1'", "")]),
    values("cidr", "cidr", &[("'10.0.0.0/8'", ""), ("'2001:db8::/32'", "")]),
    values("macaddr", "macaddr", &[("'08:00:2b:01:02:03'", "")]),
    values("macaddr8", "macaddr8", &[("'08:00:2b:01:02:03:04:05'", "")]),
    values("xml", "xml", &[("'<a b=\"é\">&lt;</a>'", "")]),
    values("int4range", "int4range", &[("'empty'", ""), ("'[1,10)'", ""), ("'(,5)'", "")]),
    values("\"char\"", "\"char\"", &[("'x'", "")]),
    values("money", "money", &[("12.5", "")]),
    values("oid", "oid", &[("42", "")]),
    values("point", "point", &[("'(1,2)'", "")]),
    values("tsvector", "tsvector", &[("'a b'", "")]),
    values("composite", "pair", &[("'(1,2)'", "")]),
];

/// A PostgreSQL database to arrive in.
pub(super) fn arrival(to: &PostgresDatabase) -> Arrival<'_> {
    Arrival {
        destination: Box::new(Destination::connect(&at(to)).unwrap()),
        prints: Box::new(|names| prints(to, names)),
    }
}

/// What PostgreSQL prints of a table's `v`; a float with the digits of a binary64, bytes in hexadecimal.
fn prints(database: &PostgresDatabase, names: &[&str]) -> Vec<Rows> {
    let mut script = "set intervalstyle = 'iso_8601'; set timezone = 'UTC'; set datestyle = 'ISO, YMD';\n\
        create or replace function pg_temp.print(v anyelement) returns text language plpgsql as $$ begin \
        return case when v is null then 'NULL' when pg_typeof(v) = 'real'::regtype then encode((v::text::real::float8::text)::bytea, 'hex') \
        when pg_typeof(v) = 'bytea'::regtype then encode(upper(encode(v::text::bytea, 'hex'))::bytea, 'hex') \
        else encode(convert_to(v::text, 'UTF8'), 'hex') end; end $$;\n"
        .to_owned();
    for name in names {
        script += &format!("select '{name} ' || id || ' ' || pg_temp.print(v) from {name} order by id;\n");
    }
    told(&database.sql(&script), names)
}

#[test]
fn every_type_of_postgresql_becomes_what_the_page_says() {
    let Some(server) = server::postgres() else { return };
    let from = server.database("matrix_from");
    from.sql("create type mood as enum ('sad', 'très gai', ''); create type pair as (a int, b int);");
    let lines = paired(Engine::Postgresql, VALUES);
    from.sql(&script(&lines, "bigint"));
    let names: Vec<String> = (0..lines.len()).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = prints(&from, &names);
    let to = server.database("matrix_to");
    let folder = tempfile::tempdir().unwrap();
    let other = server::mariadb().map(|server| server.database("matrix_pg"));
    let mut arrivals = vec![arrival(&to), super::sqlite::arrival(&folder.path().join("new.db"))];
    arrivals.extend(other.as_ref().map(super::mariadb::arrival));
    let mut source = Source::connect(&at(&from)).unwrap();
    compare(&mut source, &lines, &told, arrivals);
}

/// Whoever adds a type to the engine, or an engine's next version, has to say what becomes of it.
#[test]
fn every_base_type_of_postgresql_stands_on_the_page() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("matrix_all");
    let types = database.sql(
        "select format_type(oid, null) from pg_type where typnamespace = 'pg_catalog'::regnamespace \
         and typtype in ('b', 'r', 'm') and typcategory <> 'A' order by 1",
    );
    let named = named(Engine::Postgresql);
    let missing: Vec<&str> = types.lines().filter(|t| !named.contains(*t)).collect();
    assert!(missing.is_empty(), "no word on {missing:?}");
}

/// A number of any length goes into a `numeric` without precision and comes back; any other text is refused.
#[test]
fn a_number_that_travels_as_text_is_written_as_the_number_it_is() {
    use crate::common::{every, fields, planned, read_all};
    use crate::postgres::help::load;
    use ecluse_core::plan::assertion::{plan, table};
    use ecluse_flow::ports::{Destination as _, Scope, Source as _};

    let Some(server) = server::postgres() else { return };
    let (from, to) = (server.database("number_from"), server.database("number_to"));
    let rows: Vec<String> = NUMBERS.iter().enumerate().map(|(i, (v, _))| format!("({i}, {v})")).collect();
    from.sql(&format!(
        "create table t (id bigint primary key, v numeric); insert into t values {}",
        rows.join(",")
    ));
    to.sql("create table t (id bigint primary key, v numeric)");
    let mut source = Source::connect(&at(&from)).unwrap();
    let here = source.catalog(Scope::Everything).unwrap();
    let mut destination = Destination::connect(&at(&to)).unwrap();
    let there = destination.catalog(Scope::Everything).unwrap();
    let mut between = fields(0, here.table("t").unwrap(), &every("t", &[]));
    between.write = fields(0, there.table("t").unwrap(), &every("t", &[])).write;
    let plan = plan(vec![table(between)]);
    source.open(&plan, false).unwrap();
    destination.open(&plan, "run").unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert!(load(&mut destination, &plan, 0, 0, &batches).is_empty());
    destination.finish(&plan).unwrap();
    let text = "select v::text from t order by id";
    assert_eq!(from.sql(text), to.sql(text));
    // their locks and their connections
    drop((source, destination));
    // what the engine would print otherwise is not written
    from.sql("drop table t; create table t (id bigint primary key, v text); \
              insert into t values (1, '1.50'), (2, '+1'), (3, ''), (4, '01'), (5, '1e3'), (6, '-0'), (7, '1,5')");
    to.sql("drop schema ecluse_ledger cascade; truncate t");
    let mut source = Source::connect(&at(&from)).unwrap();
    let texts = planned(&source.catalog(Scope::Everything).unwrap(), &[every("t", &[])]);
    source.open(&texts, false).unwrap();
    let mut destination = Destination::connect(&at(&to)).unwrap();
    destination.open(&plan, "run").unwrap();
    let refused = load(&mut destination, &plan, 0, 0, &read_all(&mut source, &texts, 0));
    assert_eq!(refused.iter().map(|r| r.row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(to.sql("select id, v from t").trim(), "1|1.50");
}
