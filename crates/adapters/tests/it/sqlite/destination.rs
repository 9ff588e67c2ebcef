//! The destination: refused rows, indexes and sequences, chunks, what SQLite would change.

use crate::common::{every, fields, line, planned, read_all, related, rows};
use arrow_array::{Int64Array, StringArray};
use ecluse_adapters::sqlite::Destination;
use ecluse_core::plan::{Plan, assertion};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Destination as _, Refusal, Scope, Source as _};

use super::{Base, EVERY_TYPE, TARGET, copy, laboratory};

fn target_plan(old: &Base, new: &Base) -> Plan {
    let from = old.source().catalog(Scope::Everything).unwrap();
    let to = new.destination().catalog(Scope::Everything).unwrap();
    let mut tables = Vec::new();
    for (number, name) in ["pat", "res"].iter().enumerate() {
        let mut plan = fields(number, from.table(name).unwrap(), &every(name, &[]));
        let written = fields(number, to.table(name).unwrap(), &every(name, &[]));
        (plan.write, plan.write_key) = (written.write, written.write_key);
        if number == 1 {
            plan = related(plan, 1, 0, 0);
        }
        tables.push(assertion::table(plan));
    }
    assertion::plan(tables)
}

#[test]
fn refused_rows_are_found_one_by_one_and_nothing_else_is_lost() {
    let (old, new) = (laboratory(20_000), Base::new(TARGET));
    old.connection()
        .execute_batch(
            "UPDATE pat SET name = NULL WHERE id = 77; UPDATE pat SET code = 'C1' WHERE id = 10000;
             UPDATE pat SET age = 150 WHERE id = 19999; DELETE FROM res WHERE pat IN (77, 10000, 19999);",
        )
        .unwrap();
    let plan = target_plan(&old, &new);
    let refused = copy(&old.path(), &mut new.destination(), &plan);
    let found: Vec<_> = refused[0].iter().map(|r| (r.row, r.reason)).collect();
    // the table's own ON CONFLICT REPLACE would have thrown patient 1 away in silence
    assert_eq!(found, [(76, Refusal::NotNull), (9_999, Refusal::Unique), (19_998, Refusal::Check)]);
    let sums = |base: &Base| -> (i64, i64) {
        let sql = "SELECT count(*), sum(id) FROM pat WHERE name = 'N' || id AND id NOT IN (77, 10000, 19999)";
        base.connection().query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap()
    };
    assert_eq!(sums(&old), (19_997, 199_979_924));
    assert_eq!(sums(&old), sums(&new), "and no trigger changed a name");
}

#[test]
fn indexes_come_back_sequences_go_on_and_a_second_finish_changes_nothing() {
    let (old, new) = (laboratory(10), Base::new(TARGET));
    let plan = target_plan(&old, &new);
    let before = new.source().catalog(Scope::Everything).unwrap();
    let indexes = |base: &Base| -> Vec<String> {
        let connection = base.connection();
        let mut s = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE 'ecluse%' ORDER BY 1").unwrap();
        s.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let wanted = indexes(&new);
    assert_eq!(wanted.len(), 2);
    let mut destination = new.destination();
    destination.open(&plan, "run-1").unwrap();
    drop(destination);
    assert_eq!(indexes(&new), Vec::<String>::new(), "taken away, and recorded for whoever resumes");
    let mut destination = new.destination();
    copy(&old.path(), &mut destination, &plan);
    destination.finish(&plan).unwrap();
    drop(destination);
    assert_eq!(indexes(&new), wanted);
    let after = new.source().catalog(Scope::Everything).unwrap();
    assert_eq!(before.tables, after.tables, "the ledger does not show");
    new.connection().execute_batch("DROP TRIGGER alter_it; INSERT INTO pat (name) VALUES ('next')").unwrap();
    let next: i64 = new.connection().query_row("SELECT max(id) FROM pat", [], |r| r.get(0)).unwrap();
    assert_eq!(next, 11);
}

#[test]
fn a_chunk_is_replaced_within_its_range_only() {
    let (old, new) = (laboratory(100), Base::new(TARGET));
    let plan = target_plan(&old, &new);
    let mut destination = new.destination();
    copy(&old.path(), &mut destination, &plan);
    let table = &plan.tables()[0];
    let mut source = old.source();
    source.open(&plan, false).unwrap();
    let range = KeyRange { after: Some(Key(vec![Value::Int(10)])), upto: Some(Key(vec![Value::Int(20)])) };
    let mut batches = Vec::new();
    source
        .read(table, &plan, &range, &mut |b| {
            batches.push(b);
            Ok(())
        })
        .unwrap();
    assert_eq!(rows(&batches), 10);
    new.destination(); // another connection may look while no run is open
    destination.open(&plan, "run-1").unwrap();
    // a new chunk number without `clear`: the rows are there already, and are refused, not doubled
    let refused =
        destination.replace(table, 5, &range, false, &batches, &mut |r| Ok(line(0, 5, 10, r.len()))).unwrap();
    assert_eq!(refused.len(), 10);
    // the same chunk again is a replacement
    for _ in 0..2 {
        let refused = destination
            .replace(table, 5, &range, false, &batches, &mut |r| Ok(line(0, 5, 10, r.len())))
            .unwrap();
        assert_eq!(refused.len(), 0);
    }
    let ledger = destination.ledger("run-1").unwrap();
    assert_eq!(
        ledger.iter().map(|e| (e.table, e.chunk, e.rows, e.refused)).collect::<Vec<_>>(),
        [(0, 0, 100, 0), (0, 5, 10, 0), (1, 0, 100, 0)]
    );
    // a fault while the line is made leaves the chunk as it was
    let fault =
        destination.replace(table, 5, &range, true, &[], &mut |_| Err(ecluse_batch_fault())).unwrap_err();
    assert_eq!(fault.code().id, "ECL-BAT-001");
    assert_eq!(destination.ledger("run-1").unwrap(), ledger);
    drop(destination);
    let count: i64 = new.connection().query_row("SELECT count(*) FROM pat", [], |r| r.get(0)).unwrap();
    assert_eq!(count, 100);
}

fn ecluse_batch_fault() -> ecluse_core::fault::Fault {
    ecluse_batch::Batch::new(&[Type::Int], vec![], 1).unwrap_err()
}

#[test]
fn a_second_run_is_kept_out_while_the_first_lives_and_by_its_ledger_after() {
    let (old, new) = (laboratory(3), Base::new(TARGET));
    let plan = target_plan(&old, &new);
    let mut first = new.destination();
    first.open(&plan, "run-1").unwrap();
    // the second waits for the lock (its patience is this test's length), then says so
    let fault = Destination::open(&new.path()).err().unwrap();
    assert_eq!(fault.code().id, "ECL-DST-322");
    drop(first);
    let mut third = new.destination();
    assert_eq!(third.open(&plan, "run-2").unwrap_err().code().id, "ECL-DST-301");
    third.open(&plan, "run-1").unwrap();
}

#[test]
fn orphans_are_counted_and_broken_foreign_keys_end_the_run() {
    let (old, new) = (laboratory(10), Base::new(TARGET));
    old.connection().execute_batch("DELETE FROM pat WHERE id IN (3, 4)").unwrap();
    let plan = target_plan(&old, &new);
    let mut source = old.source();
    source.open(&plan, false).unwrap();
    let mut destination = new.destination();
    destination.open(&plan, "run-1").unwrap();
    for (number, table) in plan.tables().iter().enumerate() {
        let batches = read_all(&mut source, &plan, number);
        destination
            .replace(table, 0, &KeyRange::default(), false, &batches, &mut |r| {
                Ok(line(number, 0, rows(&batches), r.len()))
            })
            .unwrap();
    }
    let (pat, res) = (&plan.tables()[0], &plan.tables()[1]);
    assert_eq!(destination.orphans(res, 0, pat).unwrap(), 2);
    let fault = destination.finish(&plan).unwrap_err();
    assert_eq!(fault.code().id, "ECL-DST-303");
    assert_eq!(fault.detail(), "res → pat: 2 rows");
}

#[test]
fn values_sqlite_would_change_are_refused() {
    use arrow_array::{ArrayRef, Decimal128Array, Float64Array};
    use std::sync::Arc;
    let new =
        Base::new("CREATE TABLE f (id INTEGER PRIMARY KEY, r REAL, d DECIMAL(38,2), at TIMESTAMP, j JSON);");
    let mut destination = new.destination();
    let catalog = destination.catalog(Scope::Everything).unwrap();
    let plan = planned(&catalog, &[every("f", &[])]);
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 6]));
    let r: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(-0.0), Some(f64::INFINITY), None, None, None]));
    let d = Decimal128Array::from(vec![None, None, Some(12), Some(10_i128.pow(15)), None, None]);
    let d: ArrayRef = Arc::new(d.with_precision_and_scale(38, 2).unwrap());
    let at: ArrayRef = Arc::new(arrow_array::TimestampMicrosecondArray::from(vec![
        None,
        None,
        None,
        None,
        Some(i64::MAX),
        None,
    ]));
    let j: ArrayRef =
        Arc::new(StringArray::from(vec![None, None, Some("{\"a\":1.0}"), None, None, Some(" 1.0")]));
    let types: Vec<Type> = plan.tables()[0].write().iter().map(|c| c.ty).collect();
    let batch = ecluse_batch::Batch::new(&types, vec![id, r, d, at, j], 6).unwrap();
    destination.open(&plan, "run-1").unwrap();
    let refused = destination
        .replace(&plan.tables()[0], 0, &KeyRange::default(), false, &[batch], &mut |r| {
            Ok(line(0, 0, 6, r.len()))
        })
        .unwrap();
    assert_eq!(refused.iter().map(|r| r.row).collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
    assert!(refused.iter().all(|r| r.reason == Refusal::Value));
}

#[test]
fn missing_tables_are_made_as_they_were_read() {
    let old = Base::new(EVERY_TYPE);
    old.connection()
        .execute_batch("CREATE TABLE c (a TEXT NOT NULL, b INTEGER NOT NULL REFERENCES v (id), \"q\"\"x\" TEXT, PRIMARY KEY (a, b), UNIQUE (b));")
        .unwrap();
    let catalog = old.source().catalog(Scope::Everything).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    let mut new = Destination::create(&path).unwrap();
    assert_eq!(Destination::create(&path).err().unwrap().code().id, "ECL-DST-315");
    for table in &catalog.tables {
        let statement = new.ddl(table);
        new.create(&table.name, &statement).unwrap();
    }
    assert_eq!(new.create("z", "CREATE TABLE z (a); DROP TABLE v").unwrap_err().code().id, "ECL-DST-328");
    assert_eq!(new.create("v", "DROP TABLE v").unwrap_err().code().id, "ECL-DST-313");
    let made = new.catalog(Scope::Everything).unwrap();
    for table in &catalog.tables {
        let found = made.table(&table.name).unwrap();
        let shape = |t: &ecluse_core::catalog::Table| {
            let columns: Vec<_> = t.columns.iter().map(|c| (c.name.clone(), c.ty, c.nullable)).collect();
            (columns, t.key.clone(), t.uniques.clone(), t.foreign_keys.clone())
        };
        assert_eq!(shape(found), shape(table));
        let supposed = |t: &ecluse_core::catalog::Table| {
            let columns =
                t.columns.iter().map(|c| (c.name.clone(), c.ty, c.max_length, c.int_bounds, c.nullable));
            (columns.collect::<Vec<_>>(), t.key.clone())
        };
        assert_eq!(supposed(&new.supposed(table)), supposed(found), "what a plan supposes is what is made");
    }
}

#[test]
fn a_thousand_columns_are_read_and_written() {
    let columns: Vec<String> = (1..1000).map(|i| format!("c{i} TEXT")).collect();
    let table = format!("CREATE TABLE wide (id INTEGER PRIMARY KEY, {});", columns.join(", "));
    let (old, new) = (Base::new(&table), Base::new(&table));
    old.connection().execute_batch("INSERT INTO wide (id, c1, c999) VALUES (1, 'first', 'last')").unwrap();
    let plan = planned(&old.source().catalog(Scope::Everything).unwrap(), &[every("wide", &[])]);
    assert_eq!(copy(&old.path(), &mut new.destination(), &plan), [vec![]]);
    let last: String = new.connection().query_row("SELECT c1 || c999 FROM wide", [], |r| r.get(0)).unwrap();
    assert_eq!(last, "firstlast");
}
