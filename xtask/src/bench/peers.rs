//! The programs people use for this work today, on the same rows in the same run: pgloader
//! (Debian's 3.6.9) fills PostgreSQL from MariaDB and from SQLite, reladiff (PyPI's 0.6.0) compares
//! two tables. Neither knows of instructions, tallies or journals: the ratios say what those cost.
//!
//! Peers take minutes at five million results: they get a part of the rows ([`share`]), and the
//! reports say how many.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use ecluse_testkit::laboratory::{Dialect, Laboratory, Table};
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::server::{Mariadb, Postgres, PostgresDatabase};

use super::measure::Spread;
use super::{TABLES, program, size};
use crate::{Outcome, packages, say};

/// What was measured against whom.
#[derive(Debug)]
pub(super) struct Peers {
    /// Results that moved.
    pub(super) rows: u64,
    /// `ecluse migrate` by pgloader, from MariaDB; `None` where pgloader could not be had.
    pub(super) mariadb: Option<Versus>,
    /// The same from SQLite.
    pub(super) sqlite: Option<Versus>,
    /// `ecluse reconcile` by reladiff; `None` where reladiff could not be had.
    pub(super) reladiff: Option<Versus>,
}

/// Two programs at the same work.
#[derive(Debug)]
pub(super) struct Versus {
    pub(super) ours: Spread,
    pub(super) theirs: Spread,
    /// Of each pair: ours by theirs.
    pub(super) ratio: Spread,
}

impl Versus {
    fn of(pairs: &[(f64, f64)]) -> Self {
        let each = |f: &dyn Fn(&(f64, f64)) -> f64| Spread::of(&pairs.iter().map(f).collect::<Vec<_>>());
        Self { ours: each(&|p| p.0), theirs: each(&|p| p.1), ratio: each(&|p| p.0 / p.1) }
    }
}

/// How many results the peers get of so many.
pub(super) fn share(rows: u64) -> u64 {
    (rows / 5).max(1)
}

impl Peers {
    /// Every peer that can be had, in interleaved pairs.
    pub(super) fn measure(
        postgres: &Postgres,
        mariadb: &Mariadb,
        program: &Path,
        rows: u64,
        pairs: usize,
    ) -> Outcome<Self> {
        let loads = packages::peer("pgloader", "pgloader");
        let compares = reladiff();
        Ok(Self {
            rows,
            mariadb: loads.then(|| from_mariadb(postgres, mariadb, program, rows, pairs)).transpose()?,
            sqlite: loads.then(|| from_sqlite(postgres, program, rows, pairs)).transpose()?,
            reladiff: compares
                .map(|reladiff| compare(postgres, program, &reladiff, rows, pairs))
                .transpose()?,
        })
    }

    /// The keys of `--json`.
    pub(super) fn json(&self) -> Vec<(&'static str, Option<f64>)> {
        let ratio = |v: &Option<Versus>| v.as_ref().map(|v| v.ratio.median);
        vec![
            ("mariadb_vs_pgloader", ratio(&self.mariadb)),
            ("sqlite_vs_pgloader", ratio(&self.sqlite)),
            ("reconcile_vs_reladiff", ratio(&self.reladiff)),
        ]
    }

    /// The lines of the table.
    pub(super) fn table(&self) -> String {
        let mut text = format!("peers, at {} results:\n", self.rows);
        for (name, versus, goal) in [
            ("mariadb_vs_pgloader", &self.mariadb, "0.5"),
            ("sqlite_vs_pgloader", &self.sqlite, "0.5"),
            ("reconcile_vs_reladiff", &self.reladiff, "0.3"),
        ] {
            let line = match versus {
                Some(v) => format!("{}   goal {goal}   ({} s by {} s)", v.ratio, v.ours, v.theirs),
                None => "not measured: the other program cannot be had here".to_owned(),
            };
            let _ = writeln!(text, "{name:<23}{line}");
        }
        text.pop();
        text
    }
}

fn from_mariadb(
    postgres: &Postgres,
    mariadb: &Mariadb,
    program: &Path,
    rows: u64,
    pairs: usize,
) -> Outcome<Versus> {
    let source = mariadb.database("peers");
    Laboratory::new(1, size(rows)).write_mariadb(&source, &TABLES);
    // no order can grant it, and pgloader moves tables whole
    source.sql("alter table patient drop column portal_password; analyze table patient, request, result;");
    let url =
        source.url().replacen("mariadb://ecluse@", &format!("mysql://ecluse:{}@", mariadb.password()), 1);
    let rename = format!("ALTER SCHEMA '{}' RENAME TO 'public'", source.name());
    let only = "INCLUDING ONLY TABLE NAMES MATCHING 'patient', 'request', 'result'";
    let load = Load { from: url, clauses: format!("{only}\n{rename}") };
    race(postgres, program, &End::mariadb(&source), &load, pairs)
}

fn from_sqlite(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<Versus> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = folder.path().canonicalize().map_err(|e| e.to_string())?.join("source.db");
    Laboratory::new(1, size(rows)).write_sqlite(&path, &TABLES);
    ecluse_testkit::laboratory::alter_sqlite(&path, "alter table patient drop column portal_password");
    let load = Load {
        from: format!("sqlite://{}", path.display()),
        clauses: "INCLUDING ONLY TABLE NAMES LIKE 'patient', 'request', 'result'".to_owned(),
    };
    race(postgres, program, &End::sqlite(&path, End::SURVEYED.to_owned()), &load, pairs)
}

/// What pgloader is told.
struct Load {
    from: String,
    clauses: String,
}

/// écluse and pgloader by turns, into tables that have their final constraints.
fn race(postgres: &Postgres, program: &Path, source: &End, load: &Load, pairs: usize) -> Outcome<Versus> {
    let (ours, theirs) = (postgres.database("ours"), postgres.database("theirs"));
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    emptied(&ours);
    let order: Vec<_> = TABLES.iter().map(|table| program::ordered(*table)).collect();
    let end = End::postgres(&ours, "postgres");
    let now = jiff::Timestamp::now();
    let made = Migration::mapped(program, folder.path(), now, source, &end, &order, cast);
    let script = folder.path().join("pgloader.load");
    let into = theirs.url().replacen("postgres@", &format!("postgres:{}@", postgres.password()), 1);
    let text = format!(
        "LOAD DATABASE\nFROM {}\nINTO {into}\nWITH data only, drop indexes, reset sequences\n{};\n",
        load.from, load.clauses
    );
    std::fs::write(&script, text).map_err(|e| e.to_string())?;
    let mut seconds = Vec::new();
    for number in 0..pairs {
        emptied(&ours);
        let run = program::migrate(&made, number, &program::AS_WIDE)?;
        emptied(&theirs);
        seconds.push((run, pgloader(&script, folder.path())?));
        super::same_rows(&theirs, &ours)?;
    }
    Ok(Versus::of(&seconds))
}

/// What has another type at the source is converted; pgloader does so without being told.
fn cast(column: &str) -> String {
    if column == "id" { format!("\"{column}\"") } else { format!("{{ cast = \"{column}\" }}") }
}

/// Tables with their final constraints; what MariaDB and SQLite call a moment has no zone.
fn emptied(database: &PostgresDatabase) {
    program::empty_of(database, |table| {
        table.create(Dialect::Postgresql, true).replace("timestamptz", "timestamp")
    });
}

fn pgloader(script: &Path, folder: &Path) -> Outcome<f64> {
    let start = Instant::now();
    let output = Command::new("pgloader")
        .args(["--quiet", "--on-error-stop", "--root-dir"])
        .arg(folder.join("pgloader"))
        .arg(script)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("pgloader does not start: {e}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if output.status.success() {
        return Ok(seconds);
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("pgloader ended with {}: {}", output.status, String::from_utf8_lossy(&said)))
}

/// écluse's own reconciliation and reladiff by turns, over the same source and destination.
fn compare(postgres: &Postgres, program: &Path, reladiff: &Path, rows: u64, pairs: usize) -> Outcome<Versus> {
    let (source, ours) = (postgres.database("source"), postgres.database("ours"));
    Laboratory::new(1, size(rows)).write_postgres(&source, &TABLES);
    source.sql("alter table patient drop column portal_password;");
    source.sql("vacuum (freeze, analyze);");
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let made = program::migration(program, folder.path(), &source, &ours);
    program::migrate(&made, 0, &[])?;
    ours.sql("vacuum (freeze, analyze);");
    let url = |database: &PostgresDatabase| {
        database.url().replacen("postgres@", &format!("postgres:{}@", postgres.password()), 1)
    };
    let mut seconds = Vec::new();
    for _ in 0..pairs {
        let ours_took = program::reconcile(&made, 0)?;
        let start = Instant::now();
        for table in TABLES {
            diff(reladiff, &url(&source), &url(&ours), table)?;
        }
        seconds.push((ours_took, start.elapsed().as_secs_f64()));
    }
    Ok(Versus::of(&seconds))
}

/// Every column of one table; anything but "no difference" is an error.
fn diff(reladiff: &Path, one: &str, two: &str, table: Table) -> Outcome {
    let output = Command::new(reladiff)
        .args([
            one,
            table.name(),
            two,
            table.name(),
            "--key-columns",
            "id",
            "--columns",
            "%",
            "--threads",
            "2",
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("reladiff does not start: {e}"))?;
    if output.status.success() && output.stdout.is_empty() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("reladiff over {} ended with {}: {said}", table.name(), output.status))
}

/// The program in a virtual environment of its own, made where it is absent.
fn reladiff() -> Option<PathBuf> {
    let made = packages::cache().and_then(|cache| {
        let environment = cache.join("reladiff-0.6.0");
        let program = environment.join("bin/reladiff");
        if program.exists() {
            return Ok(program);
        }
        for command in [
            Command::new("python3").args(["-m", "venv"]).arg(&environment),
            Command::new(environment.join("bin/pip")).args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "reladiff[postgresql]==0.6.0",
            ]),
        ] {
            let status = command.status().map_err(|e| e.to_string())?;
            if !status.success() {
                return Err(format!("{command:?} ended with {status}"));
            }
        }
        Ok(program)
    });
    made.inspect_err(|why| say(&format!("reladiff is not measured: {why}"))).ok()
}
