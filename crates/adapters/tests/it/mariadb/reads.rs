//! The snapshot, its order and ranges, and what it costs.

use crate::common::{every, read_all, rows};
use arrow_array::{Decimal128Array, FixedSizeBinaryArray, Int64Array, StringArray};
use ecluse_adapters::mariadb::Source;
use ecluse_batch::Batch;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::Source as _;
use ecluse_testkit::server::mariadb;

use super::{connect, plan_of};

#[test]
fn rows_come_in_the_order_of_bytes_and_ranges_partition_them() {
    let Some(server) = mariadb() else { return };
    let database = server.database("order");
    database.sql(
        "create table t (a varchar(20) character set utf8mb3 collate utf8mb3_unicode_ci, d decimal(8,2), b bigint, u uuid, primary key (a, d, b, u));
         insert into t values ('b',1,1,uuid()), ('B ',2,-1,uuid()), ('a',3,1,uuid()), ('é',4,1,uuid()), ('Z',5,1,uuid()), ('a',-3.5,9,uuid()),
            ('a',3,2,'ff000000-0000-0000-0000-000000000001'), ('a',3,2,'0f000000-0000-0000-0000-0000000000ff'), ('',0,0,uuid()), ('ﬀ',0,0,uuid()), ('zz',1,1,uuid());",
    );
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    let opened = source.open(&plan, false).unwrap();
    assert!(opened.limits.iter().any(|l| l.contains("sorted by the server")));
    let keys = |source: &mut Source, range: KeyRange| -> Vec<Key> {
        let mut found = Vec::new();
        source
            .read(&plan.tables()[0], &plan, &range, &mut |batch: Batch| {
                let c = batch.columns();
                let a: &StringArray = c[0].as_any().downcast_ref().unwrap();
                let d: &Decimal128Array = c[1].as_any().downcast_ref().unwrap();
                let b: &Int64Array = c[2].as_any().downcast_ref().unwrap();
                let u: &FixedSizeBinaryArray = c[3].as_any().downcast_ref().unwrap();
                found.extend((0..batch.rows()).map(|i| {
                    Key(vec![
                        Value::Text(a.value(i).to_owned()),
                        Value::Decimal { unscaled: d.value(i), scale: 2 },
                        Value::Int(b.value(i)),
                        Value::Uuid(u.value(i).try_into().unwrap()),
                    ])
                }));
                Ok(())
            })
            .unwrap();
        found
    };
    let all = keys(&mut source, KeyRange::default());
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted());
    for (i, cut) in all.iter().enumerate() {
        let below = keys(&mut source, KeyRange { after: None, upto: Some(cut.clone()) });
        let above = keys(&mut source, KeyRange { after: Some(cut.clone()), upto: None });
        assert!(below == all[..=i] && above == all[i + 1..], "cut {i}");
        let one = KeyRange { after: i.checked_sub(1).map(|p| all[p].clone()), upto: Some(cut.clone()) };
        assert!(keys(&mut source, one) == all[i..=i]);
    }
}

#[test]
fn a_snapshot_does_not_move_and_its_tables_cannot_be_changed_under_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("snapshot");
    database.sql("create table t (id int primary key, a varchar(9)); insert into t values (1, 'x')");
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    database.sql("insert into t values (2, 'y')");
    let count = source.count(&plan.tables()[0]).unwrap();
    assert_eq!((count.available, count.asked), (Some(1), 1));
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 1);
    let alter = "set lock_wait_timeout=1; alter table t add column b int";
    let refused = database.try_sql(alter).unwrap_err();
    assert!(refused.contains("1205"), "{refused}");
    source.close().unwrap();
    database.sql(alter);
    // and a read-only transaction is one
    source.open(&plan, false).unwrap();
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 2);
}

#[test]
fn a_read_that_is_stopped_leaves_a_connection_that_works() {
    let Some(server) = mariadb() else { return };
    let database = server.database("stopped");
    database.sql("create table t (id int primary key, a varchar(60)); insert into t select seq, repeat('x', 60) from seq_1_to_300000");
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let stop = || ecluse_batch::Batch::new(&[Type::Int], vec![], 1).unwrap_err();
    let fault =
        source.read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |_| Err(stop())).unwrap_err();
    assert_eq!(fault, stop());
    assert_eq!(source.count(&plan.tables()[0]).unwrap().asked, 300_000, "in the same snapshot");
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 300_000);
}

// -- the wall of views -------------------------------------------------------------------

/// The process's peak of resident memory so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Run alone, by the test below, in a process of its own: the peak is the process's.
#[test]
#[ignore = "run in a process of its own by memory_does_not_grow_with_the_table"]
fn memory_of_one_read() {
    let Some(server) = mariadb() else { return };
    let database = server.database("memory");
    let count = 400_000_u64;
    database.sql(&format!("create table t (id int primary key, a varchar(200)); insert into t select seq, repeat('x', 200) from seq_1_to_{count}"));
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let before = peak();
    let mut read = 0;
    source
        .read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |batch| {
            read += u64::try_from(batch.rows()).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(read, count);
    // 200 bytes a row: the table alone is 80 MB, the client must not hold it
    let grown = peak() - before;
    assert!(grown < 24 * 1024, "{grown} KiB more for {} MB of rows", count * 200 / 1_000_000);
}

// Held whole (the guard off), 400,000 rows of 200 bytes grow the process by more than 80 MB.
#[test]
fn memory_does_not_grow_with_the_table() {
    if mariadb().is_none() {
        return;
    }
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "mariadb::reads::memory_of_one_read", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
}
