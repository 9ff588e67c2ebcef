//! Every type as the engine itself writes it; values and encodings that lie.

use crate::common::{every, read_all, rows};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_core::types::Type;
use ecluse_flow::ports::Source as _;
use ecluse_testkit::server::mariadb;

use super::{connect, plan_of};

const EVERY_TYPE: &str = "
create table v (
    id int not null primary key, t1 tinyint(1), ui int(10) unsigned, big bigint, ubig bigint unsigned, d decimal(10,2),
    f float, r double, c char(5), t varchar(40) character set utf8mb4, l varchar(40) character set latin1, tx longtext,
    bn binary(3), x longblob, day date, at datetime(6), since timestamp(6) null, hour time(6), u uuid
) engine=innodb default charset=utf8mb3 collate=utf8mb3_unicode_ci;";

const EVERY_VALUE: &str = "
insert into v values
    (1, 1, 4294967295, 9223372036854775807, 9223372036854775807, 12.34, 0.1, 0.1, 'a ', 'élève 🩸 ', 'œuf €', repeat('é', 70000),
     'a', x'00ff', '2024-02-29', '1969-12-31 23:59:59.25', '1970-01-01 00:00:01.5', '23:59:59.000001',
     '00112233-4455-6677-8899-aabbccddeeff'),
    (2, -128, 0, -9223372036854775808, 0, -99999999.99, -3.4e38, -1.5e300, '', '', '', '', '', '', '0001-01-01',
     '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', '00:00:00', null),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);";

/// One value as MariaDB's own HEX of its text would show it.
fn written(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let any = column.as_any();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    let moment = |micros: i64| {
        let (days, of_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
        format!("{} {}", day(days), clock(of_day))
    };
    if let Some(a) = any.downcast_ref::<Int64Array>() {
        a.value(row).to_string()
    } else if let Some(a) = any.downcast_ref::<Decimal128Array>() {
        a.value_as_string(row)
    } else if let Some(a) = any.downcast_ref::<Float64Array>() {
        format!("{:016X}", a.value(row).to_bits())
    } else if let Some(a) = any.downcast_ref::<StringArray>() {
        hex(a.value(row).as_bytes())
    } else if let Some(a) = any.downcast_ref::<BinaryArray>() {
        hex(a.value(row))
    } else if let Some(a) = any.downcast_ref::<Date32Array>() {
        day(i64::from(a.value(row)))
    } else if let Some(a) = any.downcast_ref::<TimestampMicrosecondArray>() {
        moment(a.value(row))
    } else if let Some(a) = any.downcast_ref::<Time64MicrosecondArray>() {
        clock(a.value(row))
    } else {
        hex(any.downcast_ref::<FixedSizeBinaryArray>().unwrap().value(row))
    }
}

/// An independent calendar: days counted one by one.
fn day(days: i64) -> String {
    let (mut year, mut left) = (1970, days);
    let length = |y: i64| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 };
    while left < 0 {
        year -= 1;
        left += length(year);
    }
    while left >= length(year) {
        left -= length(year);
        year += 1;
    }
    let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
}

fn clock(micros: i64) -> String {
    let s = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", s / 3600, s / 60 % 60, s % 60, micros % 1_000_000)
}

#[test]
fn every_type_arrives_as_the_engine_itself_writes_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("types");
    database.sql(&format!("set sql_mode=''; {EVERY_TYPE} {EVERY_VALUE}"));
    let plan = plan_of(&database, &[every("v", &[])]);
    assert_eq!(plan.tables()[0].read().len(), 19, "every column is understood");
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert!(batches.iter().all(|b| b.unreadable().is_empty()));
    // the engine's own text: text in hexadecimal of UTF-8, floats by their value as double
    let wanted: Vec<String> = plan.tables()[0]
        .read()
        .iter()
        .map(|c| {
            let name = &c.name;
            match c.ty {
                Type::Text => format!("hex(convert({name} using utf8mb4))"),
                Type::Bytes => format!("hex({name})"),
                Type::Timestamp | Type::Instant => format!("date_format({name}, '%Y-%m-%d %H:%i:%s.%f')"),
                Type::Time => format!("time_format({name}, '%H:%i:%s.%f')"),
                Type::Uuid => format!("upper(replace({name}, '-', ''))"),
                _ => name.clone(),
            }
        })
        .collect();
    let told =
        database.sql(&format!("set time_zone='+00:00'; select {} from v order by id", wanted.join(", ")));
    let mut lines = told.lines();
    for batch in &batches {
        for row in 0..batch.rows() {
            let line: Vec<&str> = lines.next().unwrap().split('\t').collect();
            for (place, column) in batch.columns().iter().enumerate() {
                let name = &plan.tables()[0].read()[place].name;
                let told = match (name.as_str(), line[place]) {
                    (_, "NULL") => "NULL".to_owned(),
                    // the engine's text of a FLOAT is rounded to six digits: compared as the float it is
                    ("f", text) => format!("{:016X}", f64::from(text.parse::<f32>().unwrap()).to_bits()),
                    ("r", text) => format!("{:016X}", text.parse::<f64>().unwrap().to_bits()),
                    (_, text) => text.to_owned(),
                };
                assert_eq!(written(column, row), told, "{name}, row {row}");
            }
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_byte_of_latin1_is_read_as_the_server_converts_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("latin1");
    database.sql(
        "create table t (id int primary key, l varchar(4) character set latin1 collate latin1_nopad_bin)",
    );
    let values: Vec<String> = (0..256).map(|i| format!("({i}, _latin1 x'{i:02x}')")).collect();
    database.sql(&format!("insert into t values {}", values.join(",")));
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let told = database.sql("select hex(l), hex(convert(l using utf8mb4)) from t order by id");
    for (i, line) in told.lines().enumerate() {
        let (stored, converted) = line.split_once('\t').unwrap();
        assert_eq!(stored, format!("{i:02X}"), "the byte itself is stored");
        assert_eq!(written(&batches[0].columns()[1], i), converted, "byte {i}");
    }
    assert_eq!(rows(&batches), 256);
}

#[test]
fn values_that_do_not_exist_refuse_their_row_by_code_and_no_other() {
    let Some(server) = mariadb() else { return };
    let database = server.database("zero");
    database.sql(
        "set sql_mode='ALLOW_INVALID_DATES';
         create table z (id int primary key, day date, at datetime, since timestamp null, hour time, ub bigint unsigned, name varchar(9));
         insert into z (id, day, name) values (1, '2024-01-01', 'a'), (2, '0000-00-00', 'b'), (3, '2024-00-10', 'c'),
            (4, '2024-02-30', 'd'), (5, '0000-05-01', 'e');
         insert into z (id, at) values (6, '0000-00-00 00:00:00'), (7, '2024-01-01 00:00:00');
         insert into z (id, since) values (8, '0000-00-00 00:00:00');
         insert into z (id, hour) values (9, '-01:00:00'), (10, '24:00:00'), (11, '838:59:59'), (12, '23:59:59');
         insert into z (id, ub) values (13, 9223372036854775808), (14, 9223372036854775807);",
    );
    let plan = plan_of(&database, &[every("z", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert_eq!(rows(&batches), 14);
    let found: Vec<(usize, &str)> = batches[0].unreadable().iter().map(|u| (u.row + 1, u.code.id)).collect();
    let (time, zero) = ("ECL-SRC-004", "ECL-SRC-008");
    assert_eq!(
        found,
        [
            (2, zero),
            (3, time),
            (4, time),
            (5, time),
            (6, zero),
            (8, zero),
            (9, time),
            (10, time),
            (11, time),
            (13, "ECL-SRC-005")
        ]
    );
    assert_eq!(written(&batches[0].columns()[6], 1), "62", "the rest of the row is there, its key too");
}

#[test]
fn text_that_lies_about_its_encoding_refuses_its_row() {
    let Some(server) = mariadb() else { return };
    let database = server.database("lies");
    // the server checks text on its way in; an engine's file moved under another definition does not
    database.sql("create table t (id int primary key, x varbinary(60)) engine=myisam; insert into t values (1, 'fine'), (2, x'e9740a'), (3, x'c3a9')");
    database.sql("create table shape (id int primary key, x varchar(20) character set utf8mb3) engine=myisam; flush tables");
    let folder = server.data_folder().join(database.name());
    for end in ["MYD", "MYI"] {
        std::fs::copy(folder.join(format!("t.{end}")), folder.join(format!("shape.{end}"))).unwrap();
    }
    database.sql("flush tables");
    let plan = plan_of(&database, &[every("shape", &[])]);
    let mut source = connect(&database);
    let fault = source.open(&plan, false).unwrap_err();
    assert_eq!(
        (fault.code().id, fault.detail()),
        ("ECL-SRC-208", "shape, MyISAM"),
        "no transactions, not frozen"
    );
    let opened = source.open(&plan, true).unwrap();
    assert!(opened.limits.iter().any(|l| l.contains("MyISAM")), "{opened:?}");
    let batches = read_all(&mut source, &plan, 0);
    let found: Vec<_> = batches[0].unreadable().iter().map(|u| (u.row, u.code.id)).collect();
    assert_eq!((rows(&batches), found), (3, vec![(1, "ECL-SRC-003")]));
}
