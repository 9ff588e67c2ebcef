//! The reference of a sealed extraction: what a person would type.
//!
//! `psql -c "COPY … TO STDOUT (FORMAT binary)" | zstd -1 | age -r RECIPIENT`, table by table, to a file each.
//! Nothing is made durable, and nothing is said of what the files are.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use ecluse_testkit::laboratory::Table;
use ecluse_testkit::papers::RECIPIENT;
use ecluse_testkit::server::PostgresDatabase;

use super::super::{TABLES, columns, processor};
use crate::Outcome;

/// Seconds, seconds of a processor at the client's side, and bytes written.
pub(super) fn run(source: &PostgresDatabase, folder: &Path) -> Outcome<(f64, f64, u64)> {
    let (start, spent) = (Instant::now(), processor::of_children()?);
    let mut bytes = 0;
    for table in TABLES {
        let path = folder.join(format!("{}.age", table.name()));
        one(source, table, &path)?;
        bytes += path.metadata().map_err(|e| e.to_string())?.len();
    }
    Ok((start.elapsed().as_secs_f64(), processor::of_children()? - spent, bytes))
}

fn one(source: &PostgresDatabase, table: Table, path: &Path) -> Outcome {
    let what = format!("copy {} ({}) to stdout (format binary)", table.name(), columns(table).join(", "));
    let io = |error: std::io::Error| error.to_string();
    let mut reader = source.server().psql(source.name(), "postgres");
    let mut reader = reader.args(["-c", &what]).stdout(Stdio::piped()).spawn().map_err(io)?;
    let rows = reader.stdout.take().ok_or("no pipe")?;
    let mut packer = Command::new("zstd");
    let mut packer =
        packer.args(["-1", "-q", "-c"]).stdin(rows).stdout(Stdio::piped()).spawn().map_err(io)?;
    let packed = packer.stdout.take().ok_or("no pipe")?;
    let sealed = Command::new("age")
        .args(["-r", RECIPIENT])
        .stdin(packed)
        .stdout(File::create(path).map_err(io)?)
        .status()
        .map_err(io)?;
    let (read, packed) = (reader.wait().map_err(io)?, packer.wait().map_err(io)?);
    if read.success() && packed.success() && sealed.success() {
        Ok(())
    } else {
        Err(format!("the pipe of {} broke", table.name()))
    }
}
