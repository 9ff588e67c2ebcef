//! `cargo xtask bench --catch-up`: an unchanged source caught up with, against one read of it by `COPY`
//! to nothing, and no more: the rows are moved once, and every pair reads them twice.

use std::path::Path;

use ecluse_testkit::laboratory::{Laboratory, Table};
use ecluse_testkit::server::Postgres;

use super::measure::Spread;
use super::{TABLES, pipe, program, size};
use crate::Outcome;

/// Seconds of both, and of each pair ours by the engine's.
pub(super) fn measure(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<String> {
    let (source, ours) = (postgres.database("source"), postgres.database("ours"));
    let laboratory = Laboratory::new(1, size(rows));
    laboratory.write_postgres(&source, &TABLES);
    source.sql("vacuum (freeze, analyze);");
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let made = program::migration(program, folder.path(), &source, &ours);
    program::run(&made, 0)?;
    let (mut read, mut caught, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..pairs {
        let one = pipe::read(&source)?;
        let two = program::catch_up(&made, 0)?;
        read.push(one);
        caught.push(two);
        ratio.push(two / one);
    }
    Ok(format!(
        "{rows} results, {} rows in three tables; medians of {pairs} interleaved pairs (least to most)\n\
         COPY to nothing   {}\ncatch-up          {}\nratio             {}   goal 1.5",
        laboratory.count(Table::Result) / 10 * 14,
        Spread::of(&read),
        Spread::of(&caught),
        Spread::of(&ratio),
    ))
}
