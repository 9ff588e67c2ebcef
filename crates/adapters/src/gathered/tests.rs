//! More rows than memory may hold, out of order, some of them unreadable, some not chosen.

use std::collections::BTreeSet;
use std::path::Path;

use ecluse_batch::Keys;
use ecluse_core::filter::Filter;
use ecluse_core::plan::{ReadColumn, assertion};
use ecluse_core::value::{Key, KeyRange, Value};

use super::*;
use crate::columns::WRONG_KIND;

const BOUND: usize = 256 << 10;
const NAME: &str = "00112233445566778899aabbccddeeff";
const ROWS: i64 = 60_000;

fn column(name: &str, ty: Type) -> ReadColumn {
    ReadColumn { name: name.to_owned(), ty, sql_type: String::new(), moved: true }
}

fn table(number: usize, read: Vec<ReadColumn>, key: Vec<usize>, filter: Filter) -> TablePlan {
    let source = if number == 0 { "parent" } else { "child" };
    assertion::table(assertion::TableFields {
        number,
        source: source.to_owned(),
        view: None,
        destination: source.to_owned(),
        read,
        write_key: key.clone(),
        key,
        filter,
        write: Vec::new(),
        relations: Vec::new(),
    })
}

/// A parent of which even keys pass, and a child of their rows; `keyed`: whether the child has a key.
fn plan(keyed: bool) -> Plan {
    let chosen = Filter::Chosen { column: 1, table: 0, other: 0 };
    let child = vec![column("id", Type::Int), column("parent", Type::Int), column("text", Type::Text)];
    let key = if keyed { vec![0] } else { Vec::new() };
    assertion::plan(vec![
        table(0, vec![column("id", Type::Int)], vec![0], Filter::Every),
        table(1, child, key, chosen),
    ])
}

/// Gathers the child's rows first, as a dump may bring them; keys in a shuffled order.
fn gathered(plan: &Plan, folder: &Path, twice: bool) -> Result<Gathered> {
    let mut gathering = Gathering::new(plan, BOUND, [7; 32], Some((folder.to_owned(), NAME.to_owned())));
    let mut child = |id: i64| {
        gathering.row(1, &mut |at, builder| match (at, builder) {
            (0, Builder::Int(b)) => Ok({
                b.append_value(id);
                Some(8)
            }),
            (1, Builder::Int(b)) => Ok({
                b.append_value(id % 10);
                Some(8)
            }),
            (2, Builder::Text(b)) if id % 1000 != 0 => Ok({
                b.append_value(format!("Invente-{id:020}"));
                Some(28)
            }),
            _ => Err(&WRONG_KIND),
        })
    };
    for step in 0..ROWS {
        // 7919 is prime to it: every key once, in no order
        child(step * 7919 % ROWS)?;
    }
    if twice {
        child(ROWS / 2)?;
    }
    for id in (0..10).step_by(2) {
        gathering.row(0, &mut |_, builder| match builder {
            Builder::Int(b) => Ok({
                b.append_value(id);
                Some(8)
            }),
            _ => Err(&WRONG_KIND),
        })?;
    }
    gathering.finish()
}

fn read(gathered: &Gathered, plan: &Plan, after: Option<i64>, upto: Option<i64>) -> (Vec<i64>, usize) {
    let (mut ids, mut marked) = (Vec::new(), 0);
    let key = |n: i64| Key(vec![Value::Int(n)]);
    let range = KeyRange { after: after.map(key), upto: upto.map(key) };
    let types: Vec<Type> = plan.tables()[1].read().iter().map(|c| c.ty).collect();
    gathered
        .read(1, &range, &mut |batch| {
            let keys = Keys::new(&batch, &types, &[0]).unwrap();
            for row in 0..batch.rows() {
                let Some(Value::Int(id)) = keys.get(row).unwrap().0.pop() else { panic!("a number") };
                ids.push(id);
            }
            marked += batch.unreadable().len();
            Ok(())
        })
        .unwrap();
    (ids, marked)
}

// proves: EXT-01
#[test]
fn rows_beyond_memory_are_staged_sealed_and_served_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("staging");
    let plan = plan(true);
    let gathered = gathered(&plan, &folder, false).unwrap();
    let wanted: Vec<i64> = (0..ROWS).filter(|id| id % 2 == 0).collect();
    let (ids, marked) = read(&gathered, &plan, None, None);
    assert_eq!(ids, wanted);
    assert_eq!(marked, 60, "values that cannot be read are marked still");
    let count = gathered.count(1).unwrap();
    assert_eq!((count.available, count.asked), (Some(60_000), 30_000));
    for (after, upto) in
        [(Some(-1), Some(0)), (Some(1_000), Some(1_001)), (Some(999), Some(31_234)), (Some(59_997), None)]
    {
        let within: Vec<i64> = wanted
            .iter()
            .copied()
            .filter(|id| after.is_none_or(|a| *id > a) && upto.is_none_or(|u| *id <= u))
            .collect();
        assert_eq!(read(&gathered, &plan, after, upto).0, within, "{after:?} {upto:?}");
    }
    let staged = std::fs::read_dir(folder.join(NAME)).unwrap().flatten().collect::<Vec<_>>();
    assert_eq!(staged.len(), 1, "the runs are gone once they are merged");
    let bytes = std::fs::read(staged[0].path()).unwrap();
    assert!(bytes.len() > 1 << 20, "it is there");
    assert!(memchr::memmem::find(&bytes, b"Invente-").is_none(), "and can be read by nobody");
    gathered.end().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_key_that_stands_in_two_runs_is_refused_and_the_staging_goes() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("staging");
    assert_eq!(gathered(&plan(true), &folder, true).err().unwrap().code(), &TWICE);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn rows_without_a_key_come_as_they_came() {
    let home = tempfile::tempdir().unwrap();
    let plan = plan(false);
    let gathered = gathered(&plan, &home.path().join("staging"), true).unwrap();
    let (ids, _) = read(&gathered, &plan, None, None);
    assert_eq!(ids.len(), 30_001);
    let all: BTreeSet<i64> = ids.iter().copied().collect();
    assert_eq!(all, (0..ROWS).filter(|id| id % 2 == 0).collect());
    let came: Vec<i64> =
        (0..ROWS).map(|step| step * 7919 % ROWS).filter(|id| id % 2 == 0).take(100).collect();
    assert_eq!(ids[..100], came);
}

#[test]
fn without_a_staging_the_bound_holds() {
    let plan = plan(true);
    let mut gathering = Gathering::new(&plan, BOUND, [7; 32], None);
    let full = (0..ROWS).try_for_each(|id| {
        gathering.row(1, &mut |at, builder| match (at, builder) {
            (0 | 1, Builder::Int(b)) => Ok({
                b.append_value(id);
                Some(8)
            }),
            (_, Builder::Text(b)) => Ok({
                b.append_value("x".repeat(40));
                Some(40)
            }),
            _ => Err(&WRONG_KIND),
        })
    });
    assert_eq!(full.unwrap_err().code(), &FULL);
}
