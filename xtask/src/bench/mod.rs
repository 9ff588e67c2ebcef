//! `cargo xtask bench`: ratios of one run, on an invented laboratory in a private PostgreSQL.
//!
//! The reference data: 500,000 patients, 1,500,000 requests, 5,000,000 results (`--rows`
//! scales them by the results). The raw pipe is `COPY … (format binary) | COPY` by the
//! engine's own client, table by table, to the same rows and the same final constraints,
//! built the faster of two ways. Medians of at least five interleaved pairs; no time is
//! ever asserted.

mod measure;
mod pipe;

use ecluse_testkit::laboratory::{Dialect, Laboratory, Size, Table};
use ecluse_testkit::server::{Postgres, PostgresDatabase, Purpose, Servers};
use measure::Spread;

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
    let number = |values: Vec<String>, default: u64| match values.last() {
        None => Ok(default),
        Some(text) => text.replace('_', "").parse().map_err(|_| format!("{text} is not a number")),
    };
    let rows = number(args::values(&mut arguments, "--rows")?, REFERENCE_ROWS)?;
    let pairs = number(args::values(&mut arguments, "--pairs")?, PAIRS as u64)?;
    let pairs = usize::try_from(pairs).map_err(|e| e.to_string())?.max(1);
    args::finished(&arguments)?;

    let mut servers = Servers::new(&packages::ready(false)?, Purpose::Benchmarks);
    let postgres = servers.start_postgres();
    let full = round(&postgres, rows, pairs)?;
    let tenth = round(&postgres, (rows / 10).max(1), pairs)?;
    let report = serde_json::json!({
        "rows": rows,
        "pairs": pairs,
        "pipe_seconds": full.pipe.median,
        "growth_10x_pipe": full.pipe.median / tenth.pipe.median,
    });
    if json {
        say(&report.to_string());
    } else {
        say(&format!(
            "rows              {rows} results, {} in all",
            Size::of_patients(rows / 10).patients * 14
        ));
        say(&format!("raw pipe          {} s   (a tenth: {} s)", full.pipe, tenth.pipe));
        say(&format!("built             {}", full.way));
        say(&format!("growth_10x_pipe   {:.2}", full.pipe.median / tenth.pipe.median));
    }
    Ok(())
}

/// One size, measured.
#[derive(Debug)]
struct Round {
    pipe: Spread,
    way: &'static str,
}

fn round(postgres: &Postgres, rows: u64, pairs: usize) -> Outcome<Round> {
    let lab = Laboratory::new(1, Size::of_patients((rows / 10).max(1)));
    let source = postgres.database("source");
    lab.write_postgres(&source, &TABLES);
    source.sql("vacuum (freeze, analyze);");
    let raw = postgres.database("pipe");
    let way = pipe::faster_way(&source, &raw)?;
    let mut times = Vec::new();
    for _ in 0..pairs {
        prepare(&raw);
        times.push(pipe::run(&source, &raw, way)?);
    }
    Ok(Round { pipe: Spread::of(&times), way: way.words() })
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
