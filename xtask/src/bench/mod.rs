//! `cargo xtask bench`: ratios of one run, on an invented laboratory in a private PostgreSQL.
//!
//! The reference data: 500,000 patients, 1,500,000 requests, 5,000,000 results (`--rows`
//! scales them by the results). The raw pipe is `COPY … (format binary) | COPY` by the
//! engine's own client, table by table, to the same rows and the same final constraints,
//! built the faster of two ways. Medians of at least five interleaved pairs; no time is
//! ever asserted. The sealed path ([`sealed`]) and the journal ([`journal`]) follow, then the peers ([`peers`]), unless
//! `--no-peers` says otherwise; `--sealed`, `--journal` and `--peers` measure each alone. `--into-mariadb` measures
//! that way alone ([`into_mariadb`]), `--catch-up` a catch-up ([`caught`]).

mod caught;
mod into_mariadb;
mod journal;
mod measure;
mod peers;
mod pipe;
mod processor;
mod program;
mod sealed;
mod staged;

use std::path::Path;

use ecluse_testkit::laboratory::{Dialect, Laboratory, Size, Table};
use ecluse_testkit::server::{Postgres, PostgresDatabase, Purpose, Servers};
use journal::Journal;
use measure::Spread;
use peers::Peers;
use sealed::Sealed;

use crate::{Outcome, args, packages, say};

/// The tables that move.
const TABLES: [Table; 3] = [Table::Patient, Table::Request, Table::Result];
/// Results in the reference data.
const REFERENCE_ROWS: u64 = 5_000_000;
/// Interleaved pairs, at least.
const PAIRS: usize = 5;

/// Runs the benchmark and prints its table, or its JSON.
pub(crate) fn run(mut arguments: Vec<String>) -> Outcome {
    let json = args::flag(&mut arguments, "--json");
    let alone = ["--sealed", "--journal", "--peers"].map(|part| args::flag(&mut arguments, part));
    let without = args::flag(&mut arguments, "--no-peers");
    let number = |values: Vec<String>, default: u64| match values.last() {
        None => Ok(default),
        Some(text) => text.replace('_', "").parse().map_err(|_| format!("{text} is not a number")),
    };
    let rows = number(args::values(&mut arguments, "--rows")?, REFERENCE_ROWS)?;
    let pairs = number(args::values(&mut arguments, "--pairs")?, PAIRS as u64)?;
    let pairs = usize::try_from(pairs).map_err(|e| e.to_string())?.max(1);
    let given = args::values(&mut arguments, "--program")?.pop();
    let into_mariadb = args::flag(&mut arguments, "--into-mariadb");
    let catch_up = args::flag(&mut arguments, "--catch-up");
    let staged = args::flag(&mut arguments, "--staged");
    args::finished(&arguments)?;

    let mut servers = Servers::new(&packages::ready(false)?, Purpose::Benchmarks);
    let program = match given {
        Some(path) => std::path::PathBuf::from(path),
        None => program::build()?,
    };
    if into_mariadb {
        say(&into_mariadb::measure(&servers.start_mariadb(), &program, rows, pairs)?);
        return Ok(());
    }
    let [sealed, journal, peers] = alone;
    let all = !(sealed || journal || peers);
    let postgres = servers.start_postgres();
    if staged {
        say(&staged::measure(&postgres, &program, rows, pairs)?);
        return Ok(());
    }
    if catch_up {
        say(&caught::measure(&postgres, &program, rows, pairs)?);
        return Ok(());
    }
    let report = Report {
        pipe: all.then(|| AgainstPipe::measure(&postgres, &program, rows, pairs)).transpose()?,
        sealed: (all || sealed).then(|| Sealed::measure(&postgres, &program, rows, pairs)).transpose()?,
        journal: (all || journal).then(|| Journal::measure(&program, rows, pairs)).transpose()?,
        peers: (peers || all && !without)
            .then(|| {
                let mariadb = servers.start_mariadb();
                Peers::measure(&postgres, &mariadb, &program, peers::share(rows), pairs)
            })
            .transpose()?,
    };
    if json {
        say(&report.json());
    } else {
        say(&report.table());
    }
    Ok(())
}

/// What is printed.
#[derive(Debug)]
struct Report {
    pipe: Option<AgainstPipe>,
    sealed: Option<Sealed>,
    journal: Option<Journal>,
    peers: Option<Peers>,
}

impl Report {
    fn json(&self) -> String {
        let mut all = self.pipe.as_ref().map(AgainstPipe::json).unwrap_or_default();
        all.extend(self.sealed.as_ref().map(Sealed::json).unwrap_or_default());
        all.extend(self.journal.as_ref().map(Journal::json).unwrap_or_default());
        for (key, ratio) in self.peers.iter().flat_map(Peers::json) {
            all.insert(key.to_owned(), ratio.into());
        }
        if let Some(peers) = &self.peers {
            all.insert("peers_rows".to_owned(), peers.rows.into());
        }
        serde_json::Value::Object(all).to_string()
    }

    fn table(&self) -> String {
        let tables = [
            self.pipe.as_ref().map(AgainstPipe::table),
            self.sealed.as_ref().map(Sealed::table),
            self.journal.as_ref().map(Journal::table),
            self.peers.as_ref().map(Peers::table),
        ];
        tables.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }
}

/// écluse and the raw pipe, at two sizes.
#[derive(Debug)]
struct AgainstPipe {
    rows: u64,
    pairs: usize,
    growth_10x: f64,
    growth_10x_pipe: f64,
    full: Round,
    tenth: Round,
}

impl AgainstPipe {
    fn measure(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<Self> {
        let full = round(postgres, program, rows, pairs)?;
        let tenth = round(postgres, program, (rows / 10).max(1), pairs)?;
        Ok(Self {
            rows,
            pairs,
            growth_10x: full.migrate.median / tenth.migrate.median,
            growth_10x_pipe: full.pipe.median / tenth.pipe.median,
            full,
            tenth,
        })
    }

    fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        let all = serde_json::json!({
            "move_ratio": self.full.move_ratio.median,
            "reconcile_ratio": self.full.reconcile_ratio.median,
            "catchup_ratio": self.full.catchup_ratio.median,
            "peak_mb": self.full.peak_mb,
            "growth_10x": self.growth_10x,
            "growth_10x_pipe": self.growth_10x_pipe,
            "rows": self.rows,
            "pairs": self.pairs,
            "move_ratio_spread": [self.full.move_ratio.least, self.full.move_ratio.most],
            "reconcile_ratio_spread": [self.full.reconcile_ratio.least, self.full.reconcile_ratio.most],
            "pipe_seconds": self.full.pipe.median,
            "migrate_seconds": self.full.migrate.median,
            "reconcile_seconds": self.full.reconcile.median,
            "catchup_ratio_spread": [self.full.catchup_ratio.least, self.full.catchup_ratio.most],
            "catchup_seconds": self.full.catch_up.median,
        });
        all.as_object().cloned().unwrap_or_default()
    }

    fn table(&self) -> String {
        let Self { full, tenth, .. } = self;
        format!(
            "{} results, {} rows in three tables; medians of {} interleaved pairs (least to most)\n\
             raw pipe, built as: {}\n\n\
             {:16}{:>28}{:>28}\n\
             {:16}{:>28}{:>28}\n{:16}{:>28}{:>28}\n{:16}{:>28}{:>28}\n\
             {:16}{:>28}{:>28}\n\n\
             move_ratio       {}   goal 1.3\n\
             reconcile_ratio  {}   goal 2.0\n\
             catchup_ratio    {}   goal 1.5 (unchanged source, by one COPY of it to nothing)\n\
             peak_mb          {:.0}   (a tenth: {:.0})   goal 200\n\
             growth_10x       {:.2}, the pipe's own {:.2}: {:.3} times it   goal 1.05",
            self.rows,
            Laboratory::new(1, size(self.rows)).count(Table::Result) / 10 * 14,
            self.pairs,
            full.way,
            "seconds",
            "whole",
            "a tenth",
            "raw pipe",
            full.pipe.to_string(),
            tenth.pipe.to_string(),
            "migrate",
            full.migrate.to_string(),
            tenth.migrate.to_string(),
            "reconcile",
            full.reconcile.to_string(),
            tenth.reconcile.to_string(),
            "catch-up",
            full.catch_up.to_string(),
            tenth.catch_up.to_string(),
            full.move_ratio,
            full.reconcile_ratio,
            full.catchup_ratio,
            full.peak_mb,
            tenth.peak_mb,
            self.growth_10x,
            self.growth_10x_pipe,
            self.growth_10x / self.growth_10x_pipe,
        )
    }
}

/// One size, measured.
#[derive(Debug)]
struct Round {
    pipe: Spread,
    migrate: Spread,
    reconcile: Spread,
    /// Of each pair: migrate by pipe.
    move_ratio: Spread,
    /// Of each pair: migrate and reconcile by pipe.
    reconcile_ratio: Spread,
    /// An unchanged source caught up with.
    catch_up: Spread,
    /// Of each pair: the catch-up by one read of the same rows to nothing.
    catchup_ratio: Spread,
    peak_mb: f64,
    way: &'static str,
}

fn size(rows: u64) -> Size {
    Size::of_patients((rows / 10).max(1))
}

fn round(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<Round> {
    let source = postgres.database("source");
    Laboratory::new(1, size(rows)).write_postgres(&source, &TABLES);
    source.sql("vacuum (freeze, analyze);");
    let (raw, ours) = (postgres.database("pipe"), postgres.database("ours"));
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let made = program::migration(program, folder.path(), &source, &ours);
    let way = pipe::faster_way(&source, &raw)?;
    let (mut piped, mut moved) = (Vec::new(), Vec::new());
    let (mut read, mut caught) = (Vec::new(), Vec::new());
    for number in 0..pairs {
        prepare(&raw);
        piped.push(pipe::run(&source, &raw, way)?);
        program::empty(&ours);
        moved.push(program::run(&made, number)?);
        same_rows(&raw, &ours)?;
        read.push(pipe::read(&source)?);
        caught.push(program::catch_up(&made, number)?);
    }
    let catchup: Vec<f64> = caught.iter().zip(&read).map(|(caught, read)| caught / read).collect();
    let each = |measure: &dyn Fn(&f64, &program::Run) -> f64| {
        Spread::of(&piped.iter().zip(&moved).map(|(pipe, run)| measure(pipe, run)).collect::<Vec<_>>())
    };
    Ok(Round {
        pipe: Spread::of(&piped),
        migrate: each(&|_, run| run.migrate),
        reconcile: each(&|_, run| run.reconcile),
        move_ratio: each(&|pipe, run| run.migrate / pipe),
        reconcile_ratio: each(&|pipe, run| (run.migrate + run.reconcile) / pipe),
        catch_up: Spread::of(&caught),
        catchup_ratio: Spread::of(&catchup),
        peak_mb: moved.iter().map(|run| run.peak_mb).fold(0.0, f64::max),
        way: way.words(),
    })
}

/// Both ways must have done the same work: as many rows, as many constraints and indexes.
fn same_rows(raw: &PostgresDatabase, ours: &PostgresDatabase) -> Outcome {
    for question in [
        "select count(*) from patient",
        "select count(*) from request",
        "select count(*), sum(value_num) from result",
        "select string_agg(indexname, ',' order by indexname) from pg_indexes where schemaname = 'public'",
        "select string_agg(conname || convalidated, ',' order by conname) from pg_constraint \
         where connamespace = 'public'::regnamespace",
    ] {
        let (one, two) = (raw.sql(question), ours.sql(question));
        if one != two {
            return Err(format!("the pipe and ecluse differ: {question}: {one} and {two}"));
        }
    }
    Ok(())
}

/// The columns that move: all but the credential, which no order can grant.
fn columns(table: Table) -> Vec<&'static str> {
    table.columns().iter().map(|c| c.name).filter(|name| *name != "portal_password").collect()
}

/// An empty destination on a quiet server: nothing of the last run is left to be written.
fn prepare(database: &PostgresDatabase) {
    database.sql("drop schema public cascade; create schema public; checkpoint;");
}

/// The tables' final constraints, in the order that can be made.
fn constraints() -> Vec<String> {
    TABLES
        .iter()
        .flat_map(|table| {
            let parents = table.relations().iter().flat_map(|(_, parent)| [parent, parent]);
            table.constraints(Dialect::Postgresql).into_iter().zip(parents).collect::<Vec<_>>()
        })
        .filter(|(_, parent)| TABLES.contains(parent))
        .map(|(statement, _)| statement)
        .collect()
}
