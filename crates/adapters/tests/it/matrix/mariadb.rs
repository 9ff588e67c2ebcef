//! From MariaDB.

use std::collections::BTreeMap;

use ecluse_core::types::Engine;
use ecluse_testkit::server::{self, MariadbDatabase};

use super::page::named;
use super::{Arrival, Rows, Values, compare, paired, script, told, values};

const TEXTS: &[(&str, &str)] = &[("''", ""), ("'a '", ""), ("'é€''\"\\\\\\n'", ""), ("'NULL'", "")];

#[rustfmt::skip]
const VALUES: &[Values] = &[
    values("tinyint(1)", "tinyint(1)", &[("0", ""), ("1", ""), ("-128", ""), ("127", "")]),
    values("tinyint(3) unsigned", "tinyint unsigned", &[("0", ""), ("255", "")]),
    values("smallint(6)", "smallint", &[("-32768", ""), ("32767", "")]),
    values("mediumint(9)", "mediumint", &[("-8388608", ""), ("8388607", "")]),
    values("int(11)", "int", &[("-2147483648", ""), ("2147483647", "")]),
    values("int(10) unsigned", "int unsigned", &[("0", ""), ("4294967295", "")]),
    values("bigint(20)", "bigint", &[("-9223372036854775808", ""), ("9223372036854775807", "")]),
    values("bigint(20) unsigned", "bigint unsigned", &[("9223372036854775807", ""), ("9223372036854775808", "all=ECL-SRC-005"), ("18446744073709551615", "all=ECL-SRC-005")]),
    values("decimal(10,2)", "decimal(10,2)", &[("99999999.99", ""), ("-0.01", ""), ("0", "")]),
    values("decimal(38,10)", "decimal(38,10)", &[("9999999999999999999999999999.9999999999", ""), ("-0.0000000001", "")]),
    values("decimal(65,30)", "decimal(65,30)", &[("99999999999999999999999999999999999.999999999999999999999999999999", ""), ("-1.5", "")]),
    values("float", "float", &[("0.1", ""), ("-3.4e38", ""), ("0", ""), ("'-0'", "")]),
    values("double", "double", &[("1.7976931348623157e308", ""), ("0.1", ""), ("2.2250738585072014e-308", ""), ("'-0'", "")]),
    values("char(5)", "char(5)", &[("'ab'", ""), ("''", ""), ("' é€𝄞'", "")]),
    values("varchar(40)", "varchar(40)", TEXTS),
    values("longtext", "longtext", &[("repeat('é', 70000)", ""), ("''", ""), ("'𝄞 '", ""), ("_utf8mb4 x'610062'", "all=ECL-BAT-106")]),
    values("binary(3)", "binary(3)", &[("x'61'", ""), ("x'00ff27'", ""), ("''", "")]),
    values("varbinary(40)", "varbinary(40)", &[("''", ""), ("x'00ff27'", "")]),
    values("longblob", "longblob", &[("''", ""), ("repeat(x'00ff', 50000)", "")]),
    values("date", "date", &[("'0001-01-01'", ""), ("'1899-12-31'", ""), ("'9999-12-31'", ""), ("'0000-00-00'", "all=ECL-SRC-008"), ("'1950-00-00'", "all=ECL-SRC-004"), ("'2023-02-29'", "all=ECL-SRC-004")]),
    values("datetime(6)", "datetime(6)", &[("'1899-12-31 23:59:59.999999'", ""), ("'9999-12-31 23:59:59.999999'", ""), ("'2024-10-27 02:30:00'", ""), ("'0000-00-00 00:00:00'", "all=ECL-SRC-008")]),
    values("timestamp(6)", "timestamp(6) null", &[("'1970-01-01 00:00:01'", ""), ("'2038-01-19 03:14:07.999999'", ""), ("'0000-00-00 00:00:00'", "all=ECL-SRC-008")]),
    values("time(6)", "time(6)", &[("'00:00:00'", ""), ("'23:59:59.999999'", ""), ("'24:00:00'", "all=ECL-SRC-004"), ("'-00:00:01'", "all=ECL-SRC-004"), ("'838:59:59'", "all=ECL-SRC-004")]),
    values("year(4)", "year", &[("1901", ""), ("2155", ""), ("0", "")]),
    values("uuid", "uuid", &[("'00000000-0000-0000-0000-0000000000ff'", "")]),
    values("enum", "enum('F','M','in''connu é')", &[("'F'", ""), ("'in''connu é'", ""), ("''", "")]),
    values("set", "set('a','b','c d')", &[("'a,c d'", ""), ("''", ""), ("'b'", "")]),
    values("bit(1)", "bit(1)", &[("b'0'", ""), ("b'1'", "")]),
    values("bit(8)", "bit(8)", &[("b'0'", ""), ("b'11111111'", "")]),
    values("bit(64)", "bit(64)", &[("1", ""), ("9223372036854775807", ""), ("9223372036854775808", "all=ECL-SRC-005")]),
    values("inet6", "inet6", &[("'2001:db8::ff'", ""), ("'::ffff:192.0.2.1'", "")]),
    values("point", "point", &[("point(1, 2)", "")]),
];

/// The families of the manual's chapter "Data Types"; the engine has no catalogue of them.
const FAMILIES: &str = "tinyint smallint mediumint int bigint decimal float double bit char varchar tinytext text \
    mediumtext longtext binary varbinary tinyblob blob mediumblob longblob enum set json inet4 inet6 uuid date \
    datetime timestamp time year point geometry linestring polygon multipoint multilinestring multipolygon \
    geometrycollection";

const SETTING: &str = "set names utf8mb4; set time_zone = '+00:00'; set sql_mode = 'ALLOW_INVALID_DATES';\n";

/// A MariaDB database to arrive in.
pub(super) fn arrival(to: &MariadbDatabase) -> Arrival<'_> {
    Arrival {
        destination: Box::new(crate::mariadb::destination::destination(to)),
        prints: Box::new(|names| prints(to, names)),
    }
}

/// What MariaDB prints of a table's `v`: bytes in hexadecimal, bits and years as numbers.
fn prints(database: &MariadbDatabase, names: &[&str]) -> Vec<Rows> {
    let types = database.sql(
        "select concat_ws(' ', table_name, data_type) from information_schema.columns \
         where table_schema = database() and column_name = 'v'",
    );
    let types: BTreeMap<&str, &str> = types.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut script = SETTING.to_owned();
    for name in names {
        let text = match types[name] {
            "point" => continue,
            "binary" | "varbinary" | "longblob" => "hex(hex(v))",
            "bit" | "year" => "hex(cast(v + 0 as char))",
            "float" => "hex(cast(cast(v as double) as char))",
            _ => "hex(convert(cast(v as char) using utf8mb4))",
        };
        script += &format!(
            "select concat_ws(' ', '{name}', id, ifnull({text}, 'NULL')) from {name} order by id;\n"
        );
    }
    told(&database.sql(&script), names)
}

#[test]
fn every_type_of_mariadb_becomes_what_the_page_says() {
    let (Some(server), Some(there)) = (server::mariadb(), server::postgres()) else { return };
    let database = server.database("matrix");
    let lines = paired(Engine::Mariadb, VALUES);
    database.sql(&format!("{SETTING}alter database character set utf8mb4;\n{}", script(&lines, "bigint")));
    let names: Vec<String> = (0..lines.len()).map(|n| format!("t{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = prints(&database, &names);
    let (to, other) = (there.database("matrix_my"), server.database("matrix_to"));
    let folder = tempfile::tempdir().unwrap();
    let arrivals = vec![
        super::postgres::arrival(&to),
        arrival(&other),
        super::sqlite::arrival(&folder.path().join("new.db")),
    ];
    let mut source = crate::mariadb::connect(&database);
    compare(&mut source, &lines, &told, arrivals);
}

#[test]
fn every_family_of_mariadb_stands_on_the_page() {
    let named = named(Engine::Mariadb);
    let missing: Vec<&str> = FAMILIES.split_whitespace().filter(|t| !named.contains(*t)).collect();
    assert!(missing.is_empty(), "no word on {missing:?}");
}
