//! What only the connection itself can be made to do: a full disk, a broken page, a spill.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use ecluse_batch::Batch;
use ecluse_core::filter::Filter;
use ecluse_core::plan::assertion::{TableFields, plan, table};
use ecluse_core::plan::{Expression, Plan, ReadColumn, WriteColumn};
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination as _, LedgerEntry, Since, Source as _};
use rusqlite::Connection;

use super::{Destination, Source};

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE)";

/// Both columns of `t`, by the key `key`.
fn planned(key: usize) -> Plan {
    let columns = [("id", Type::Int, "INTEGER"), ("a", Type::Text, "TEXT")];
    let read = columns.map(|(name, ty, sql_type)| ReadColumn {
        name: name.to_owned(),
        ty,
        sql_type: sql_type.to_owned(),
        moved: true,
    });
    let write = [0, 1].map(|i| WriteColumn {
        name: read[i].name.clone(),
        ty: read[i].ty,
        sql_type: read[i].sql_type.clone(),
        nullable: true,
        max_length: None,
        int_bounds: None,
        labels: Vec::new(),
        from: Expression::Column(i),
        relation: false,
    });
    plan(vec![table(TableFields {
        number: 0,
        source: "t".to_owned(),
        view: None,
        destination: "t".to_owned(),
        read: read.to_vec(),
        key: vec![key],
        filter: Filter::Every,
        write: write.to_vec(),
        write_key: vec![key],
        relations: Vec::new(),
    })])
}

fn batch(from: i64, rows: i64) -> Batch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + rows));
    let texts = (from..from + rows).map(|i| Some(format!("{i}{}", "x".repeat(500))));
    let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
    Batch::new(&[Type::Int, Type::Text], vec![ids, texts], usize::try_from(rows).unwrap()).unwrap()
}

fn line(chunk: u64, rows: u64) -> LedgerEntry {
    LedgerEntry { table: 0, chunk, rows, refused: 0, tally: [0; 32], since: Since::default() }
}

#[test]
fn a_full_disk_rolls_its_chunk_back_and_the_same_run_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.db");
    let mut destination = Destination::create(&path).unwrap();
    destination.create("t", TABLE).unwrap();
    let plan = planned(0);
    let table = &plan.tables()[0];
    destination.open(&plan, "run").unwrap();
    let every = KeyRange::default();
    destination.replace(table, 0, &every, false, &[batch(0, 100)], &mut |_| Ok(line(0, 100))).unwrap();
    // what SQLite does where the disk is full, at a size of our choosing
    destination.connection.pragma_update(None, "max_page_count", 64).unwrap();
    let fault = destination
        .replace(table, 1, &every, false, &[batch(1000, 5000)], &mut |_| Ok(line(1, 5000)))
        .unwrap_err();
    assert_eq!((fault.code().id, fault.detail()), ("ECL-DST-324", "t (SQLite 13)"));
    assert_eq!(destination.ledger("run").unwrap(), [line(0, 100)]);
    destination.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    destination.replace(table, 1, &every, false, &[batch(1000, 5000)], &mut |_| Ok(line(1, 5000))).unwrap();
    destination.finish(&plan).unwrap();
    let count: i64 =
        Connection::open(&path).unwrap().query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 5100);
}

/// SQLite's temporary files held open: made without a name (`O_TMPFILE`), or unlinked at once.
fn spilled() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let names = open.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    let nameless =
        |name: &str| name.contains("etilqs") || (name.contains("/#") && name.ends_with("(deleted)"));
    names.filter(|name| nameless(&name.to_string_lossy())).count()
}

// Guard off, in the second half: the same sort over a connection that may use files holds one.
#[test]
fn a_sort_of_rows_never_spills_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(TABLE).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
             INSERT INTO t SELECT i, hex(randomblob(500)) || i FROM n",
        )
        .unwrap();
    let plan = planned(1);
    let mut source = Source::open(&path).unwrap();
    assert_eq!(source.open(&plan, false).unwrap().limits.len(), 1, "it does sort");
    let mut most = 0;
    source
        .read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |_| {
            most = most.max(spilled());
            Ok(())
        })
        .unwrap();
    assert_eq!(most, 0);
    connection.execute_batch("PRAGMA temp_store = FILE; PRAGMA cache_size = 100;").unwrap();
    let mut statement = connection.prepare("SELECT id, a FROM t ORDER BY a COLLATE BINARY").unwrap();
    let mut rows = statement.query([]).unwrap();
    while rows.next().unwrap().is_some() {
        most = most.max(spilled());
    }
    assert!(most > 0, "this SQLite spills where it may");
}

#[test]
fn a_broken_page_stops_the_read_by_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.db");
    let mut destination = Destination::create(&path).unwrap();
    destination.create("t", TABLE).unwrap();
    let plan = planned(0);
    destination.open(&plan, "run").unwrap();
    let table = &plan.tables()[0];
    destination
        .replace(table, 0, &KeyRange::default(), false, &[batch(0, 5000)], &mut |_| Ok(line(0, 5000)))
        .unwrap();
    destination.finish(&plan).unwrap();
    drop(destination);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    let mut source = Source::open(&path).unwrap();
    // the page is met by the check of the key, or else by the read
    let stopped = source
        .open(&plan, false)
        .map(|_| ())
        .and_then(|()| source.read(table, &plan, &KeyRange::default(), &mut |_| Ok(())));
    assert_eq!(stopped.unwrap_err().code().id, "ECL-SRC-305");
}
