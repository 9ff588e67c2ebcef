//! The source: its values, its catalogue, its authorizer, its snapshot.

use crate::common::{Wanted, every, fields, planned, read_all, rows};
use arrow_array::{Array, Int64Array, StringArray};
use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Plan, assertion};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use rusqlite::Connection;

use super::{Base, EVERY_TYPE, copy, laboratory};

const EVERY_VALUE: &str = "
INSERT INTO v VALUES (1, 9223372036854775807, 1, 0.1, 12.34, '-12345678901234567890.125', 'élève', x'00ff', '2024-02-29',
    '1969-12-31 23:59:59.25', '2024-01-01 00:00:00+00:00', '23:59:59.000001', '00112233-4455-6677-8899-aabbccddeeff', '{\"a\": 1.0}');
INSERT INTO v VALUES (-2, -9223372036854775808, 0, -1e300, -5, '0.000', '', x'', '0001-01-01', '9999-12-31 23:59:59.999999',
    '1969-12-31 23:59:59.5+00:00', '00:00:00', NULL, '\"\"');
INSERT INTO v VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);";

#[test]
fn every_type_arrives_as_the_engine_itself_writes_it() {
    let old = Base::new(&format!("{EVERY_TYPE}{EVERY_VALUE}"));
    let new = Base::new(EVERY_TYPE);
    let catalog = old.source().catalog(Scope::Everything).unwrap();
    let plan = planned(&catalog, &[every("v", &[])]);
    assert_eq!(plan.tables()[0].read().len(), 14, "every column is understood");
    assert_eq!(copy(&old.path(), &mut new.destination(), &plan), [vec![]]);
    // quote() is SQLite's own exact text of a value, its storage class included
    let dump = |base: &Base| -> Vec<String> {
        let columns: Vec<String> =
            catalog.table("v").unwrap().columns.iter().map(|c| format!("quote({})", c.name)).collect();
        let connection = base.connection();
        let mut statement =
            connection.prepare(&format!("SELECT {} FROM v ORDER BY id", columns.join("||'|'||"))).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(dump(&old).len(), 3);
    assert_eq!(dump(&old), dump(&new));
    // and what is read back is what was read
    let mut source = old.source();
    source.open(&plan, false).unwrap();
    let sent = read_all(&mut source, &plan, 0);
    let mut back = Vec::new();
    let mut destination = new.destination();
    destination
        .read(&plan.tables()[0], &KeyRange::default(), true, &mut |batch| {
            back.push(batch);
            Ok(())
        })
        .unwrap();
    assert_eq!(sent[0].columns(), back[0].columns());
}

#[test]
fn a_value_that_is_not_what_its_column_declares_refuses_its_row_by_code() {
    // each of these is in the column although the column says otherwise
    for (column, value, code) in [
        ("n", "'abc'", "ECL-SRC-002"),
        ("n", "1.5", "ECL-SRC-002"),
        ("n", "x'31'", "ECL-SRC-002"),
        ("b", "2", "ECL-SRC-002"),
        ("r", "'high'", "ECL-SRC-002"),
        ("d", "0.1 + 0.2", "ECL-SRC-005"),
        ("d", "12345678901.00", "ECL-SRC-005"),
        ("t", "x'61'", "ECL-SRC-002"),
        ("t", "CAST(x'ff61' AS TEXT)", "ECL-SRC-003"),
        ("day", "'0000-00-00'", "ECL-SRC-008"),
        ("day", "'29/02/2024'", "ECL-SRC-004"),
        ("day", "2460000.5", "ECL-SRC-002"),
        ("at", "'2024-01-01 00:00:00+01:00'", "ECL-SRC-004"),
        ("since", "'2024-01-01 00:00:00'", "ECL-SRC-004"),
        ("hour", "'24:00:00'", "ECL-SRC-004"),
        ("u", "'not one'", "ECL-SRC-002"),
        ("j", "7", "ECL-SRC-002"),
    ] {
        let j = if column == "j" { EVERY_TYPE.replace("JSON_TEXT", "JSON") } else { EVERY_TYPE.to_owned() };
        let base = Base::new(&format!(
            "{j}{EVERY_VALUE} INSERT INTO v (id, {column}) VALUES (4, {value}); INSERT INTO v (id, {column}) VALUES (5, NULL);"
        ));
        let mut source = base.source();
        let catalog = source.catalog(Scope::Everything).unwrap();
        let plan = planned(&catalog, &[every("v", &[])]);
        source.open(&plan, false).unwrap();
        let batches = read_all(&mut source, &plan, 0);
        assert_eq!(rows(&batches), 5, "the rows around it are read");
        let found: Vec<_> = batches[0].unreadable().iter().map(|u| (u.row, u.code.id)).collect();
        assert_eq!(found, [(3, code)], "{column} = {value}");
        let at = batches[0].unreadable()[0].column;
        assert_eq!(plan.tables()[0].read()[at].name, column);
        assert!(batches[0].columns()[at].is_null(3));
    }
}

#[test]
fn a_key_that_lies_stops_before_a_row_is_read() {
    for (ty, value) in [
        ("TEXT", "x'61'"),
        ("TEXT", "NULL"),
        ("DATE", "'2024-1-1'"),
        ("TIMESTAMP", "'2024-01-01 00:00:00.50'"),
    ] {
        let base = Base::new(&format!(
            "CREATE TABLE k (id {ty} PRIMARY KEY, t TEXT); INSERT INTO k VALUES ({value}, 'a');"
        ));
        let mut source = base.source();
        let catalog = source.catalog(Scope::Everything).unwrap();
        let plan = planned(&catalog, &[every("k", &[])]);
        let opened = source.open(&plan, false);
        let fault = match opened {
            Err(fault) => fault,
            Ok(_) => {
                source.read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |_| Ok(())).unwrap_err()
            }
        };
        assert!(["ECL-SRC-309", "ECL-SRC-001"].contains(&fault.code().id), "{fault}");
        assert!(fault.detail().contains("k.id"));
    }
}

#[test]
fn a_lying_filter_column_is_refused_before_sqlite_compares_it() {
    // unguarded, SQLite says that 'abc' > 5
    let base = Base::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 7), (2, 'abc');",
    );
    let leak: i64 =
        base.connection().query_row("SELECT count(*) FROM t WHERE n > 5", [], |r| r.get(0)).unwrap();
    assert_eq!(leak, 2);
    let mut source = base.source();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let filter = Filter::Compare { column: 1, op: ecluse_core::filter::Comparison::Gt, value: Value::Int(5) };
    let plan = planned(&catalog, &[Wanted { table: "t", columns: &[], filter, view: None }]);
    let fault = source.open(&plan, false).unwrap_err();
    assert_eq!(fault.code().id, "ECL-SRC-309");
    assert!(fault.detail().contains("t.n") && !fault.to_string().contains("abc"), "{fault}");
}

#[test]
fn rows_are_chosen_by_the_filter_and_children_by_their_chosen_parents() {
    let base = laboratory(100);
    let mut source = base.source();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let young = Filter::Compare { column: 3, op: ecluse_core::filter::Comparison::Lt, value: Value::Int(10) };
    let theirs = Filter::Chosen { column: 1, table: 0, other: 0 };
    let plan = planned(
        &catalog,
        &[
            Wanted { table: "pat", columns: &[], filter: young, view: None },
            Wanted { table: "res", columns: &[], filter: theirs, view: None },
        ],
    );
    source.open(&plan, false).unwrap();
    let sql = "SELECT (SELECT count(*) FROM pat WHERE age < 10), (SELECT count(*) FROM res JOIN pat ON pat.id = res.pat WHERE age < 10)";
    let counted: (i64, i64) = base.connection().query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    assert_eq!(counted, (10, 10));
    for number in [0, 1] {
        let count = source.count(&plan.tables()[number]).unwrap();
        assert_eq!((count.available, count.asked), (Some(100), 10));
        assert_eq!(rows(&read_all(&mut source, &plan, number)), 10);
    }
    assert!(source.statement(&plan.tables()[1], &plan).contains("IN (SELECT"));
}

#[test]
fn types_sqlite_has_and_ecluse_does_not_know_are_refused_not_guessed() {
    let base = Base::new(
        "CREATE TABLE w (id INTEGER PRIMARY KEY, a, b NUMERIC, c POINT, d TEXT, e GENERATED ALWAYS AS (d) VIRTUAL);",
    );
    let catalog = base.source().catalog(Scope::Everything).unwrap();
    let table = catalog.table("w").unwrap();
    let types: Vec<_> = table.columns.iter().map(|c| c.ty).collect();
    assert_eq!(types, [Some(Type::Int), None, None, None, Some(Type::Text), None]);
    assert!(table.columns[5].generated.starts_with("virtual"));
}

#[test]
fn the_catalogue_says_what_the_schema_says() {
    let base = Base::new(
        "CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, code VARCHAR(9) NOT NULL UNIQUE, x INT DEFAULT 3) STRICT;"
            .replace("VARCHAR(9)", "TEXT")
            .as_str(),
    );
    base.connection()
        .execute_batch(
            "CREATE TABLE r (a TEXT, b INTEGER, p INTEGER REFERENCES p, PRIMARY KEY (b, a)) WITHOUT ROWID;
             CREATE UNIQUE INDEX partial ON r (p) WHERE p > 0;
             CREATE VIEW v AS SELECT id FROM p;
             CREATE TRIGGER tr AFTER INSERT ON r BEGIN DELETE FROM p; END;",
        )
        .unwrap();
    let mut source = base.source();
    let catalog = source.catalog(Scope::Everything).unwrap();
    let names: Vec<_> =
        catalog.tables.iter().map(|t| (t.name.as_str(), t.kind.as_str(), t.storage.as_str())).collect();
    assert_eq!(names, [("p", "table", "strict"), ("r", "table", "without rowid"), ("v", "view", "rowid")]);
    let (p, r) = (catalog.table("p").unwrap(), catalog.table("r").unwrap());
    assert_eq!((p.key.clone(), p.uniques.clone()), (vec!["id".to_owned()], vec![vec!["code".to_owned()]]));
    assert!(
        p.columns[0].identity && !p.columns[0].nullable && !p.columns[1].nullable && p.columns[2].has_default
    );
    assert_eq!(r.key, ["b", "a"]);
    assert!(r.uniques.is_empty(), "a partial index is no key");
    assert_eq!(
        (r.foreign_keys[0].references.as_str(), r.foreign_keys[0].referenced[0].as_str()),
        ("p", "id")
    );
    assert!(r.triggers[0].starts_with("tr sha256:") || r.triggers[0].starts_with("tr "));
    assert_eq!(source.catalog(Scope::Tables(&["r".to_owned()])).unwrap().tables.len(), 1);
    // identity: the schema and the path, not the rows
    let before = source.identity().unwrap();
    base.connection().execute_batch("INSERT INTO p (code) VALUES ('x')").unwrap();
    assert_eq!(base.source().identity().unwrap(), before);
    base.connection().execute_batch("ALTER TABLE p ADD COLUMN late TEXT").unwrap();
    assert_ne!(base.source().identity().unwrap(), before);
}

const CANARIES: &str = "
CREATE TABLE pat (id INTEGER PRIMARY KEY, name TEXT, secret TEXT);
CREATE TABLE staff (id INTEGER PRIMARY KEY, hash TEXT);
INSERT INTO pat VALUES (1, 'Morel', 'CANARY-COLUMN');
INSERT INTO staff VALUES (1, 'CANARY-TABLE');";

/// A plan whose statement would name an unplanned column: what a fault in our own SQL could do.
fn overreaching(base: &Base, named: &str) -> (Plan, Plan) {
    let catalog = base.source().catalog(Scope::Everything).unwrap();
    let granted = planned(&catalog, &[every("pat", &["id", "name"])]);
    let mut more = fields(0, catalog.table("pat").unwrap(), &every("pat", &["id", "name"]));
    more.read[1].name = named.to_owned();
    (granted, assertion::plan(vec![assertion::table(more)]))
}

// With the guard off (the second half) the same statement gives the canary.
#[test]
fn the_authorizer_refuses_a_column_outside_the_plan() {
    let base = Base::new(CANARIES);
    let (granted, more) = overreaching(&base, "secret");
    let mut source = base.source();
    source.open(&granted, false).unwrap();
    let mut leaked = 0;
    let fault = source
        .read(&more.tables()[0], &more, &KeyRange::default(), &mut |batch| {
            leaked += batch.rows();
            Ok(())
        })
        .unwrap_err();
    assert_eq!((fault.code().id, leaked), ("ECL-SRC-306", 0));
    assert_eq!(rows(&read_all(&mut source, &granted, 0)), 1, "the planned columns are still read");
    // guard off: the plan that the authorizer was given is the overreaching one
    let mut open = base.source();
    open.open(&more, false).unwrap();
    let batches = read_all(&mut open, &more, 0);
    let texts: &StringArray = batches[0].columns()[1].as_any().downcast_ref().unwrap();
    assert_eq!(texts.value(0), "CANARY-COLUMN");
}

#[test]
fn a_column_that_is_not_there_is_an_error_and_not_its_name_as_text() {
    let base = Base::new(CANARIES);
    let (_, more) = overreaching(&base, "nowhere");
    let mut source = base.source();
    assert_eq!(source.open(&more, false).unwrap_err().code().id, "ECL-SRC-308");
}

#[test]
fn the_source_is_never_created_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.db");
    assert_eq!(Source::open(&absent).err().unwrap().code().id, "ECL-SRC-301");
    assert_eq!(Destination::open(&absent).err().unwrap().code().id, "ECL-DST-321");
    assert!(!absent.exists());
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "not a database, but long enough to be taken for one if one only counted its bytes".repeat(30),
    )
    .unwrap();
    assert_eq!(Source::open(&text).err().unwrap().code().id, "ECL-SRC-305");
    let wide = folder.path().join("utf16.db");
    Connection::open(&wide)
        .unwrap()
        .execute_batch("PRAGMA encoding='UTF-16'; CREATE TABLE t (a TEXT);")
        .unwrap();
    assert_eq!(Source::open(&wide).err().unwrap().code().id, "ECL-SRC-307");
    // the bytes of a source do not change by being read
    let base = Base::new(&format!("{EVERY_TYPE}{EVERY_VALUE}"));
    let before = std::fs::read(base.path()).unwrap();
    let mut source = base.source();
    let plan = planned(&source.catalog(Scope::Everything).unwrap(), &[every("v", &[])]);
    source.open(&plan, false).unwrap();
    read_all(&mut source, &plan, 0);
    source.close().unwrap();
    drop(source);
    assert_eq!(std::fs::read(base.path()).unwrap(), before);
    assert_eq!(std::fs::read_dir(base.folder.path()).unwrap().count(), 1, "nothing beside it");
}

#[test]
fn a_snapshot_does_not_move_while_others_write() {
    let base = Base::new(
        "PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x');",
    );
    let writer = base.connection();
    let mut source = base.source();
    let plan = planned(&source.catalog(Scope::Everything).unwrap(), &[every("t", &[])]);
    source.open(&plan, false).unwrap();
    writer.execute_batch("INSERT INTO t VALUES (2, 'y')").unwrap();
    let count = source.count(&plan.tables()[0]).unwrap();
    assert_eq!((count.available, count.asked), (Some(1), 1));
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 1);
    source.close().unwrap();
    source.open(&plan, false).unwrap();
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 2);
}

#[test]
fn rows_come_in_the_order_of_bytes_and_ranges_partition_them() {
    let base =
        Base::new("CREATE TABLE t (a TEXT COLLATE NOCASE NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b));");
    base.connection()
        .execute_batch(
            "INSERT INTO t VALUES ('b', 1), ('B', 2), ('a', 3), ('é', 4), ('Z', 5), ('a', -1), ('', 0);",
        )
        .unwrap();
    let mut source = base.source();
    let plan = planned(&source.catalog(Scope::Everything).unwrap(), &[every("t", &[])]);
    let opened = source.open(&plan, false).unwrap();
    assert_eq!(opened.limits.len(), 1, "a case-blind index cannot give the order of bytes: said");
    let mut keys = |range: KeyRange| -> Vec<(String, i64)> {
        let mut found = Vec::new();
        source
            .read(&plan.tables()[0], &plan, &range, &mut |batch| {
                let a: &StringArray = batch.columns()[0].as_any().downcast_ref().unwrap();
                let b: &Int64Array = batch.columns()[1].as_any().downcast_ref().unwrap();
                found.extend((0..batch.rows()).map(|i| (a.value(i).to_owned(), b.value(i))));
                Ok(())
            })
            .unwrap();
        found
    };
    let all = keys(KeyRange::default());
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted(), "{all:?}");
    for cut in &all {
        let key = Some(Key(vec![Value::Text(cut.0.clone()), Value::Int(cut.1)]));
        let mut parts = keys(KeyRange { after: None, upto: key.clone() });
        assert_eq!(parts.last(), Some(cut));
        parts.extend(keys(KeyRange { after: key, upto: None }));
        assert_eq!(parts, all);
    }
}

#[test]
fn integer_keys_are_read_without_a_sort_whatever_the_filter_tempts_to() {
    for table in [
        "t (id INTEGER PRIMARY KEY, n INTEGER)",
        "t (id INTEGER PRIMARY KEY, n INTEGER) WITHOUT ROWID",
        "t (id INT PRIMARY KEY, n INTEGER)",
    ] {
        let base = Base::new(&format!(
            "CREATE TABLE {table}; CREATE INDEX i ON t (n); INSERT INTO t VALUES (1, 2), (2, 1); ANALYZE;"
        ));
        let mut source = base.source();
        let plan = planned(&source.catalog(Scope::Everything).unwrap(), &[every("t", &[])]);
        assert_eq!(source.open(&plan, false).unwrap().limits, Vec::<String>::new(), "{table}");
        assert_eq!(rows(&read_all(&mut source, &plan, 0)), 2);
    }
}
