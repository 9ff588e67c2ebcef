//! écluse's half: `ecluse migrate`, then `ecluse reconcile`, each a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ecluse_testkit::laboratory::{Dialect, Table};
use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::server::PostgresDatabase;
use jiff::Timestamp;

use super::{TABLES, columns, constraints, prepare, processor};
use crate::{Outcome, cargo, target};

/// Builds the program as it is released, without the places where tests kill it.
pub(super) fn build() -> Outcome<PathBuf> {
    let status = cargo()
        .args(["build", "--release", "--package", "ecluse", "--quiet"])
        .status()
        .map_err(|e| format!("cargo does not start: {e}"))?;
    if !status.success() {
        return Err("the release build failed".to_owned());
    }
    Ok(target().join("release/ecluse"))
}

/// A migration of all three tables, papers signed, views made.
pub(super) fn migration(
    program: &Path,
    folder: &Path,
    source: &PostgresDatabase,
    destination: &PostgresDatabase,
) -> Migration {
    empty(destination);
    let order: Vec<Ordered> = TABLES.iter().map(|table| ordered(*table)).collect();
    let made = Migration::new(
        program,
        folder,
        Timestamp::now(),
        &End::postgres(source, "postgres"),
        &End::postgres(destination, "postgres"),
        &order,
    );
    made.grant_reader(source);
    made
}

/// What a source without views and a reader's role needs said.
pub(super) const AS_WIDE: [&str; 4] =
    ["--without-views", "as the other program reads", "--accept-wider-role", "as the other program reads"];

pub(super) fn ordered(table: Table) -> Ordered {
    Ordered {
        table: table.name(),
        rows: "true",
        columns: columns(table),
        reasoned: vec!["clinical_note", "prescriber", "comment", "validator", "value_text"],
    }
}

/// An empty destination: tables with their final constraints, no ledger.
pub(super) fn empty(destination: &PostgresDatabase) {
    empty_of(destination, |table| table.create(Dialect::Postgresql, true));
}

/// The same with tables made by these statements.
pub(super) fn empty_of(destination: &PostgresDatabase, create: impl Fn(Table) -> String) {
    destination.sql("drop schema if exists ecluse_ledger cascade;");
    prepare(destination);
    for table in TABLES {
        destination.sql(&create(table));
    }
    for statement in constraints() {
        destination.sql(&statement);
    }
    destination.sql("checkpoint;");
}

/// One measured run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) migrate: f64,
    pub(super) reconcile: f64,
    pub(super) peak_mb: f64,
}

/// Migrates into an empty destination under a run folder of its own, then reconciles.
pub(super) fn run(made: &Migration, number: usize) -> Outcome<Run> {
    let folder = run_folder(made, number);
    let (migrate, peak_one) = timed(made.command(&["migrate", "--run", &folder]))?;
    let (reconcile, peak_two) = timed(made.command(&["reconcile", &folder]))?;
    Ok(Run { migrate, reconcile, peak_mb: peak_one.max(peak_two) })
}

/// Seconds of `ecluse migrate` alone, with these further arguments.
pub(super) fn migrate(made: &Migration, number: usize, further: &[&str]) -> Outcome<f64> {
    let folder = run_folder(made, number);
    let arguments = [&["migrate", "--run", &folder], further].concat();
    timed(made.command(&arguments)).map(|(seconds, _)| seconds)
}

/// `ecluse migrate` alone.
pub(super) fn migrated(made: &Migration, number: usize) -> Outcome<Measured> {
    measured(made.command(&["migrate", "--run", &run_folder(made, number)]))
}

/// Seconds of `ecluse migrate --catch-up` over a source that nobody wrote to since the run, frozen
/// by `ecluse freeze` before the watch starts.
pub(super) fn catch_up(made: &Migration, number: usize) -> Outcome<f64> {
    timed(made.command(&["freeze", &run_folder(made, number)]))?;
    migrate(made, number, &["--catch-up"])
}

/// Seconds of `ecluse reconcile` alone.
pub(super) fn reconcile(made: &Migration, number: usize) -> Outcome<f64> {
    timed(made.command(&["reconcile", &run_folder(made, number)])).map(|(seconds, _)| seconds)
}

fn run_folder(made: &Migration, number: usize) -> String {
    made.folder().join(format!("run-{number}")).display().to_string()
}

/// Seconds, and the largest resident set in megabytes (10^6 bytes), which the kernel keeps
/// as `VmHWM` while the process lives.
fn timed(command: Command) -> Outcome<(f64, f64)> {
    measured(command).map(|one| (one.seconds, one.peak_mb))
}

/// One process that was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// From its start to its end.
    pub(super) seconds: f64,
    /// Its largest resident set in megabytes (10^6 bytes), which the kernel keeps as `VmHWM` while it lives.
    pub(super) peak_mb: f64,
    /// Of a processor, in it, user and system.
    pub(super) processor: f64,
}

/// Runs the program to its end.
pub(super) fn measured(mut command: Command) -> Outcome<Measured> {
    let (start, spent) = (Instant::now(), processor::of_children()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("ecluse does not start: {e}"))?;
    let path = format!("/proc/{}/status", child.id());
    let mut peak_mb = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        peak_mb = high_water(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or(peak_mb);
        std::thread::sleep(Duration::from_millis(10));
    };
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        let mut said = String::new();
        if let Some(mut pipe) = child.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut pipe, &mut said);
        }
        return Err(format!("ecluse ended with {status}: {said}"));
    }
    Ok(Measured { seconds, peak_mb, processor: processor::of_children()? - spent })
}

fn high_water(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::high_water;

    #[test]
    fn the_kernels_line_is_read() {
        let status = "Name:\tecluse\nVmPeak:\t  999999 kB\nVmHWM:\t   1000 kB\n";
        assert_eq!(high_water(status), Some(1.024));
        assert_eq!(high_water("Name:\tecluse\n"), None);
    }
}
