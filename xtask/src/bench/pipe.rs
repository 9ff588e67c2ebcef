//! The raw pipe: what the engine's own client does with the same rows and constraints.

use std::process::Stdio;
use std::time::Instant;

use ecluse_testkit::laboratory::{Dialect, Table};
use ecluse_testkit::server::PostgresDatabase;

use super::{TABLES, columns, constraints, prepare};
use crate::Outcome;

/// When the primary keys are made. Foreign keys and their indexes come last in both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Rows into bare tables, then the keys.
    KeysAfter,
    /// Rows into tables that have their keys.
    KeysBefore,
}

impl Way {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::KeysAfter => "rows, then primary keys, indexes and foreign keys",
            Self::KeysBefore => "primary keys, then rows, then indexes and foreign keys",
        }
    }
}

/// The way that takes less time, each tried once.
pub(super) fn faster_way(from: &PostgresDatabase, to: &PostgresDatabase) -> Outcome<Way> {
    let mut seconds = [0.0, 0.0];
    for (slot, way) in seconds.iter_mut().zip([Way::KeysAfter, Way::KeysBefore]) {
        prepare(to);
        *slot = run(from, to, way)?;
    }
    let [after, before] = seconds;
    Ok(if after <= before { Way::KeysAfter } else { Way::KeysBefore })
}

/// Seconds from the first `create table` to the last constraint.
pub(super) fn run(from: &PostgresDatabase, to: &PostgresDatabase, way: Way) -> Outcome<f64> {
    let start = Instant::now();
    for table in TABLES {
        to.sql(&table.create(Dialect::Postgresql, way == Way::KeysBefore));
        copy(from, to, table)?;
    }
    if way == Way::KeysAfter {
        for table in TABLES {
            to.sql(&format!("alter table {} add primary key (id);", table.name()));
        }
    }
    for statement in constraints() {
        to.sql(&statement);
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Seconds of reading the same rows and columns once, to nothing.
pub(super) fn read(from: &PostgresDatabase) -> Outcome<f64> {
    let start = Instant::now();
    for table in TABLES {
        let what = format!("copy {} ({}) to stdout (format binary)", table.name(), columns(table).join(", "));
        let mut reader = from.server().psql(from.name(), "postgres");
        let status = reader.args(["-c", &what]).stdout(Stdio::null()).status().map_err(|e| e.to_string())?;
        if !status.success() {
            return Err(format!("the read of {} broke", table.name()));
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

fn copy(from: &PostgresDatabase, to: &PostgresDatabase, table: Table) -> Outcome {
    let what = format!("copy {} ({})", table.name(), columns(table).join(", "));
    let mut reader = from.server().psql(from.name(), "postgres");
    reader.args(["-c", &format!("{what} to stdout (format binary)")]).stdout(Stdio::piped());
    let mut reader = reader.spawn().map_err(|e| e.to_string())?;
    let pipe = reader.stdout.take().ok_or("no pipe")?;
    let mut writer = to.server().psql(to.name(), "postgres");
    writer.args(["-c", &format!("{what} from stdin (format binary)")]).stdin(pipe);
    let written = writer.status().map_err(|e| e.to_string())?;
    let read = reader.wait().map_err(|e| e.to_string())?;
    if read.success() && written.success() {
        Ok(())
    } else {
        Err(format!("the pipe of {} broke", table.name()))
    }
}
