//! `cargo xtask bench --into-mariadb`: `ecluse migrate` into MariaDB against what its own tools do with the
//! same rows: `mariadb-dump | mariadb`, which writes large INSERTs with foreign and unique keys asleep
//! and never looks at them again. Both read the same MariaDB and fill tables with their final constraints.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use ecluse_testkit::laboratory::{Dialect, Laboratory, Table};
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::server::{Mariadb, MariadbDatabase};

use super::measure::Spread;
use super::{TABLES, program, size};
use crate::Outcome;

/// Seconds of both, and of each pair ours by theirs.
pub(super) fn measure(mariadb: &Mariadb, program: &Path, rows: u64, pairs: usize) -> Outcome<String> {
    let (source, ours, theirs) =
        (mariadb.database("from"), mariadb.database("ours"), mariadb.database("theirs"));
    Laboratory::new(1, size(rows)).write_mariadb(&source, &TABLES);
    source.sql("alter table patient drop column portal_password; analyze table patient, request, result;");
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    emptied(&ours);
    let order: Vec<_> = TABLES.iter().map(|table| program::ordered(*table)).collect();
    let ends = [End::mariadb(&source), End::mariadb(&ours)];
    let made = Migration::new(program, folder.path(), jiff::Timestamp::now(), &ends[0], &ends[1], &order);
    let (mut moved, mut dumped, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..pairs {
        emptied(&ours);
        let one = program::migrate(&made, number, &program::AS_WIDE)?;
        emptied(&theirs);
        let two = dump(&source, &theirs)?;
        same_rows(&ours, &theirs)?;
        moved.push(one);
        dumped.push(two);
        ratio.push(one / two);
    }
    Ok(format!(
        "into MariaDB, {rows} results, {} rows in three tables; medians of {pairs} interleaved pairs (least to most)\n\
         mariadb-dump | mariadb   {}\nmigrate                  {}\nratio                    {}",
        rows / 10 * 14,
        Spread::of(&dumped),
        Spread::of(&moved),
        Spread::of(&ratio),
    ))
}

/// Tables with their keys, foreign keys and the indexes that these need.
fn emptied(database: &MariadbDatabase) {
    database.sql("set foreign_key_checks = 0; drop table if exists ecluse_ledger_run, ecluse_ledger_chunk, patient, request, result");
    for table in TABLES {
        database.sql(&table.create(Dialect::Mariadb, true));
    }
    database.sql(
        "alter table request add foreign key (patient_id) references patient (id);
         alter table result add foreign key (request_id) references request (id);",
    );
}

fn dump(source: &MariadbDatabase, to: &MariadbDatabase) -> Outcome<f64> {
    let start = Instant::now();
    let mut dump =
        source.server().dump(source.name(), &["--no-create-info", "--complete-insert", "--skip-triggers"]);
    dump.args(TABLES.map(Table::name));
    let mut dump =
        dump.stdout(Stdio::piped()).spawn().map_err(|e| format!("mariadb-dump does not start: {e}"))?;
    let text = dump.stdout.take().ok_or("no output of mariadb-dump")?;
    let load = to.server().client(to.name()).stdin(text).stdout(Stdio::null()).status();
    let load = load.map_err(|e| format!("mariadb does not start: {e}"))?;
    let dumped = dump.wait().map_err(|e| e.to_string())?;
    if dumped.success() && load.success() {
        Ok(start.elapsed().as_secs_f64())
    } else {
        Err("the dump failed".to_owned())
    }
}

fn same_rows(ours: &MariadbDatabase, theirs: &MariadbDatabase) -> Outcome {
    for table in TABLES {
        let sum = format!("select count(*), sum(id) from {}", table.name());
        let (one, two) = (ours.sql(&sum), theirs.sql(&sum));
        if one != two {
            return Err(format!("{}: {one} and {two}", table.name()));
        }
    }
    Ok(())
}
