//! From SQLite, and into it.

use std::path::Path;

use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_core::types::Engine;
use ecluse_testkit::server;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::page::lines;
use super::{Arrival, Rows, Values, compare, paired, script, values};

#[rustfmt::skip]
const VALUES: &[Values] = &[
    values("INTEGER", "INTEGER", &[("-9223372036854775808", ""), ("9223372036854775807", ""), ("'abc'", "all=ECL-SRC-002"), ("1.5", "all=ECL-SRC-002")]),
    values("BOOLEAN", "BOOLEAN", &[("0", ""), ("1", ""), ("2", "all=ECL-SRC-002")]),
    values("REAL", "REAL", &[("0.1", ""), ("1.7976931348623157e308", ""), ("9e999", "mariadb=ECL-BAT-101"), ("'x'", "all=ECL-SRC-002")]),
    values("DECIMAL(10,2)", "DECIMAL(10,2)", &[("99999999.99", ""), ("-0.07", ""), ("5", ""), ("0.1 + 0.2", "all=ECL-SRC-005"), ("'x'", "all=ECL-SRC-002")]),
    values("DECIMAL_TEXT(38,10)", "DECIMAL_TEXT(38,10)", &[("'9999999999999999999999999999.9999999999'", ""), ("'-0.0000000001'", ""), ("'1.5'", "all=ECL-SRC-005")]),
    values("TEXT", "TEXT", &[("''", ""), ("' é€𝄞 '", ""), ("'NULL'", ""), ("'a' || char(10) || '\\'", ""), ("x'61'", "all=ECL-SRC-002"), ("cast(x'ff' as text)", "all=ECL-SRC-003"), ("cast(x'610062' as text)", "all=ECL-BAT-106")]),
    values("VARCHAR(40)", "VARCHAR(40)", &[("''", ""), ("'ab '", ""), ("printf('%.41c', 'x')", "all=ECL-BAT-103")]),
    values("BLOB", "BLOB", &[("x''", ""), ("x'00ff5c27'", ""), ("'text'", "all=ECL-SRC-002")]),
    values("DATE", "DATE", &[("'0001-01-01'", ""), ("'1899-12-31'", ""), ("'9999-12-31'", ""), ("'0000-00-00'", "all=ECL-SRC-008"), ("'31/12/1999'", "all=ECL-SRC-004")]),
    values("TIMESTAMP", "TIMESTAMP", &[("'1899-12-31 23:59:59.999999'", ""), ("'2024-10-27T02:30:00'", ""), ("'2024-01-01'", "all=ECL-SRC-004")]),
    values("TIMESTAMPTZ", "TIMESTAMPTZ", &[("'2024-10-27 00:30:00.5+00:00'", ""), ("'2024-10-27 02:30:00+02:00'", "all=ECL-SRC-004")]),
    values("TIME", "TIME", &[("'00:00:00'", ""), ("'23:59:59.999999'", ""), ("'24:00:00'", "all=ECL-SRC-004")]),
    values("UUID", "UUID", &[("'00000000-0000-0000-0000-0000000000ff'", ""), ("'none'", "all=ECL-SRC-002")]),
    values("JSON_TEXT", "JSON_TEXT", &[("'{\"a\" : 1.0,  \"a\":2}'", ""), ("'null'", "")]),
    values("NUMERIC", "NUMERIC", &[("1.5", "")]),
    values("(nothing)", "", &[("1.5", "")]),
];

/// A new SQLite file, and what stands in it.
pub(super) fn arrival(path: &Path) -> Arrival<'static> {
    let file = path.to_owned();
    Arrival {
        destination: Box::new(Destination::create(path).unwrap()),
        prints: Box::new(move |names| prints(&file, names)),
    }
}

/// What is stored, class by class: text as it is, bytes in hexadecimal, a REAL with all its digits.
fn prints(path: &Path, names: &[&str]) -> Vec<Rows> {
    let connection = Connection::open(path).unwrap();
    let print = |value: ValueRef<'_>| match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(real) => format!("{real}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(blob) => data_encoding::HEXUPPER.encode(blob),
    };
    names
        .iter()
        .map(|name| {
            let mut rows = connection.prepare(&format!("select id, v from {name}")).unwrap();
            let rows = rows
                .query_map([], |row| {
                    Ok((usize::try_from(row.get::<_, i64>(0)?).unwrap(), print(row.get_ref(1)?)))
                })
                .unwrap();
            rows.map(Result::unwrap).collect()
        })
        .collect()
}

#[test]
fn every_declaration_of_sqlite_becomes_what_the_page_says() {
    let Some(server) = server::postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let lines = paired(Engine::Sqlite, VALUES);
    Connection::open(&path).unwrap().execute_batch(&script(&lines, "integer")).unwrap();
    let names: Vec<String> = (0..lines.len()).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut told = prints(&path, &names);
    // one moment may be written with a T; it arrives with a blank
    let moments =
        names.len() - lines.iter().rev().position(|(l, _)| l.source_type == "TIMESTAMP").unwrap() - 1;
    told[moments].values_mut().for_each(|text| *text = text.replace('T', " "));
    let to = server.database("matrix_lite");
    let other = server::mariadb().map(|server| server.database("matrix_lite"));
    let mut arrivals = vec![super::postgres::arrival(&to), arrival(&folder.path().join("new.db"))];
    arrivals.extend(other.as_ref().map(super::mariadb::arrival));
    let mut source = Source::open(&path).unwrap();
    compare(&mut source, &lines, &told, arrivals);
}

/// SQLite has five affinities (<https://sqlite.org/datatype3.html>, 3.1); each has a line.
#[test]
fn every_affinity_of_sqlite_stands_on_the_page() {
    let affinity = |declared: &str| match declared {
        d if d.contains("INT") => "INTEGER",
        d if d.contains("CHAR") || d.contains("CLOB") || d.contains("TEXT") => "TEXT",
        d if d.contains("BLOB") || d == "(nothing)" => "BLOB",
        d if d.contains("REAL") || d.contains("FLOA") || d.contains("DOUB") => "REAL",
        _ => "NUMERIC",
    };
    let lines = lines(Engine::Sqlite);
    for wanted in ["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"] {
        assert!(lines.iter().any(|l| affinity(&l.source_type) == wanted), "{wanted}");
    }
}
