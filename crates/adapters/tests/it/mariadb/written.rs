//! Every type into a table that écluse made, as the engine itself then writes it.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int64Array};
use ecluse_adapters::sqlite;
use ecluse_batch::{Batch, Writer};
use ecluse_core::catalog::Table;
use ecluse_core::plan::{Expression, assertion};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, Refusal, Scope, Source as _};
use ecluse_testkit::server::mariadb;

use super::destination::destination;
use crate::common::{every, fields, line, planned, read_all};

const OLD: &str = "
CREATE TABLE v (id INTEGER PRIMARY KEY NOT NULL, n BIGINT, b BOOLEAN NOT NULL, r REAL, d DECIMAL(10,2), dd DECIMAL_TEXT(38,3),
    t VARCHAR(40), long TEXT, x BLOB, day DATE, at TIMESTAMP, since TIMESTAMPTZ NOT NULL, hour TIME, u UUID, j JSON_TEXT);
INSERT INTO v VALUES
    (1, 9223372036854775807, 1, 0.1, 12.34, '12345678901234567890123456789012345.678', 'élève 🩸 ', '', x'00ff80fe', '2024-02-29',
     '1969-12-31 23:59:59.25', '2038-01-19 03:14:07.999999+00:00', '23:59:59.000001', '00112233-4455-6677-8899-aabbccddeeff', '{\"a\": 1}'),
    (2, -9223372036854775808, 0, -1.5e300, -0.01, '-0.001', '', '\\ ''\"%', x'', '0001-01-01',
     '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01+00:00', '00:00:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]'),
    (3, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2000-01-01 00:00:00+00:00', NULL, NULL, NULL),
    (4, NULL, 0, 9e999, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2000-01-01 00:00:00+00:00', NULL, NULL, NULL),
    (5, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1970-01-01 00:00:00.5+00:00', NULL, NULL, NULL),
    (6, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2038-01-19 03:14:08+00:00', NULL, NULL, NULL);";

/// Written by hand: what MariaDB must print of rows 1 to 3, texts and bytes in hexadecimal.
const EXPECTED: [&str; 3] = [
    "1|9223372036854775807|1|0.1|12.34|12345678901234567890123456789012345.678|C3A96CC3A8766520F09FA9B820||00FF80FE|2024-02-29|\
     1969-12-31 23:59:59.250000|2038-01-19 03:14:07.999999|23:59:59.000001|00112233-4455-6677-8899-aabbccddeeff|7B2261223A20317D",
    "2|-9223372036854775808|0|-1.5e300|-0.01|-0.001||5C20272225||0001-01-01|9999-12-31 23:59:59.999999|1970-01-01 00:00:01.000000|\
     00:00:00.000000|ffffffff-ffff-ffff-ffff-ffffffffffff|5B5D",
    "3|NULL|0|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|2000-01-01 00:00:00.000000|NULL|NULL|NULL",
];

/// What a plan looks at.
fn shape(table: &Table) -> Vec<String> {
    let column = |c: &ecluse_core::catalog::Column| {
        let (ty, length, bounds) = (c.ty, c.max_length, c.int_bounds);
        format!("{} {} {ty:?} {length:?} {bounds:?} {} {}", c.name, c.sql_type, c.nullable, c.collation)
    };
    let mut shape: Vec<String> = table.columns.iter().map(column).collect();
    shape.push(format!("{:?} {}", table.key, table.storage));
    shape
}

#[test]
fn every_type_arrives_in_a_table_that_ecluse_made() {
    let Some(server) = mariadb() else { return };
    let (to, folder) = (server.database("made"), tempfile::tempdir().unwrap());
    let path = folder.path().join("old.db");
    sqlite::create_from(&path, OLD).unwrap();
    let mut from = sqlite::Source::open(&path).unwrap();
    let old = from.catalog(Scope::Everything).unwrap();
    let mut destination = destination(&to);
    let statement = destination.ddl(&old.tables[0]);
    destination.create("v", &statement).unwrap();
    let new = destination.catalog(Scope::Everything).unwrap();
    assert_eq!(shape(&new.tables[0]), shape(&destination.supposed(&old.tables[0])), "{statement}");
    assert_eq!(destination.create("v", "DROP TABLE v").unwrap_err().code().id, "ECL-DST-242");

    let mut plan = fields(0, &old.tables[0], &every("v", &[]));
    let written = fields(0, &new.tables[0], &every("v", &[]));
    (plan.write, plan.write_key) = (written.write, written.write_key);
    for (number, (write, read)) in plan.write.iter_mut().zip(&plan.read).enumerate() {
        if write.ty != read.ty {
            assert!(read.ty.fits_in(write.ty), "{}", write.name);
            write.from = Expression::Cast(number);
        }
    }
    let plan = assertion::plan(vec![assertion::table(plan)]);
    let table = &plan.tables()[0];
    from.open(&plan, false).unwrap();
    let read = read_all(&mut from, &plan, 0);
    let written = Writer::new(table, Engine::Mariadb).unwrap().write(&read[0]).unwrap();
    assert_eq!(written.refused.iter().map(|r| r.row).collect::<Vec<_>>(), [3], "infinity");
    destination.open(&plan, "run-1").unwrap();
    let refused = destination
        .replace(table, 0, &KeyRange::default(), false, &[written.batch], &mut |_| Ok(line(0, 0, 5, 2)))
        .unwrap();
    let found: Vec<_> = refused.iter().map(|r| (r.row, r.reason)).collect();
    assert_eq!(found, [(3, Refusal::Value), (4, Refusal::Value)], "before 1970 and after 2038");
    destination.finish(&plan).unwrap();

    let told = to.sql(
        "set time_zone = '+00:00'; select id, n, b, r, d, dd, hex(t), hex(`long`), hex(x), day, at, since, hour, u, hex(j) \
         from v order by id",
    );
    let lines: Vec<String> = told.lines().map(|line| line.replace('\t', "|")).collect();
    assert_eq!(lines, EXPECTED);
    // read back through the port, every value is what was sent
    let mut hashes = Vec::new();
    destination
        .read(table, &KeyRange::default(), true, &mut |batch| {
            hashes.push(batch);
            Ok(())
        })
        .unwrap();
    let sent = Writer::new(table, Engine::Mariadb).unwrap().write(&read[0]).unwrap().batch;
    for (there, here) in hashes[0].columns().iter().zip(sent.columns()) {
        assert_eq!(there, &here.slice(0, 3));
    }
}

/// Values that texts of the engine do not tell apart, and every byte.
#[test]
fn bits_and_bytes_are_read_back_as_they_were_sent() {
    let Some(server) = mariadb() else { return };
    let to = server.database("bits");
    to.sql("create table v (id int primary key, r double, x longblob) engine = InnoDB");
    let mut destination = destination(&to);
    let plan = planned(&destination.catalog(Scope::Everything).unwrap(), &[every("v", &[])]);
    // a negative zero the engine would make a zero of
    let floats = [-0.0, 0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 0.1 + 0.2];
    let every: Vec<u8> = (0..=255).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..6)),
        Arc::new(Float64Array::from_iter_values(floats)),
        Arc::new(BinaryArray::from_iter_values((0..6).map(|_| every.as_slice()))),
    ];
    let batch = Batch::new(&[Type::Int, Type::Float, Type::Bytes], columns, 6).unwrap();
    let table = &plan.tables()[0];
    destination.open(&plan, "run-1").unwrap();
    let refused = destination
        .replace(table, 0, &KeyRange::default(), false, std::slice::from_ref(&batch), &mut |r| {
            Ok(line(0, 0, 6, r.len()))
        })
        .unwrap();
    assert_eq!(refused.iter().map(|r| (r.row, r.reason)).collect::<Vec<_>>(), [(0, Refusal::Value)]);
    let mut back = Vec::new();
    destination
        .read(table, &KeyRange::default(), true, &mut |batch| {
            back.push(batch);
            Ok(())
        })
        .unwrap();
    let bits = |batch: &Batch| -> Vec<u64> {
        let floats = batch.columns()[1].as_any().downcast_ref::<Float64Array>().unwrap();
        floats.values().iter().map(|f| f.to_bits()).collect()
    };
    assert_eq!(bits(&back[0]), bits(&batch)[1..]);
    assert_eq!(&back[0].columns()[2], &batch.columns()[2].slice(1, 5));
}
