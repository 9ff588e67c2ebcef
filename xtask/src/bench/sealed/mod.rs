//! `cargo xtask bench --sealed`: a sealed extraction against `COPY | zstd -1 | age`, and the load of its archive
//! against the direct move of the same rows.
//!
//! Each pair is, one behind the other: the pipe, `ecluse extract`, `ecluse migrate`, `ecluse reconcile`, `ecluse
//! load`. A load reads back everything it wrote before it writes its receipt; `migrate` does not, so it is
//! held against `migrate` alone and against both.

mod reference;
mod ways;

use std::path::Path;

use ecluse_testkit::laboratory::Laboratory;
use ecluse_testkit::server::Postgres;

use self::ways::{Ways, and_server};
use super::measure::Spread;
use super::program::Measured;
use super::{TABLES, program, size};
use crate::Outcome;

/// Both, at two sizes.
#[derive(Debug)]
pub(super) struct Sealed {
    rows: u64,
    pairs: usize,
    full: Round,
    tenth: Round,
}

impl Sealed {
    pub(super) fn measure(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<Self> {
        let full = round(postgres, program, rows, pairs)?;
        let tenth = round(postgres, program, (rows / 10).max(1), pairs)?;
        Ok(Self { rows, pairs, full, tenth })
    }

    pub(super) fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        let Round { seal, load, .. } = &self.full;
        let all = serde_json::json!({
            "seal_ratio": seal.ratio.median,
            "seal_ratio_spread": [seal.ratio.least, seal.ratio.most],
            "seal_processor_ratio": seal.processor_ratio.median,
            "seal_seconds": seal.ours.median,
            "seal_pipe_seconds": seal.reference.median,
            "seal_peak_mb": seal.peak_mb,
            "seal_peak_mb_tenth": self.tenth.seal.peak_mb,
            "seal_bytes_ratio": self.full.bytes.median,
            "open_load_ratio": load.ratio.median,
            "open_load_ratio_spread": [load.ratio.least, load.ratio.most],
            "open_load_processor_ratio": load.processor_ratio.median,
            "open_load_read_back_ratio": self.full.read_back.median,
            "open_load_seconds": load.ours.median,
            "open_load_migrate_seconds": load.reference.median,
            "load_peak_mb": load.peak_mb,
            "load_peak_mb_tenth": self.tenth.load.peak_mb,
            "seal_rows": self.rows,
            "seal_pairs": self.pairs,
        });
        all.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn table(&self) -> String {
        let Self { full, tenth, .. } = self;
        let row = |words: &str, of: &dyn Fn(&Round) -> &Spread| {
            format!("{words:22}{:>24}{:>24}\n", of(full).to_string(), of(tenth).to_string())
        };
        format!(
            "{} results, {} rows in three tables; medians of {} interleaved pairs (least to most)\n\n\
             {:22}{:>24}{:>24}\n{}{}{}{}{}\n\
             seal_ratio          {}   goal 1.2 (a tenth: {})\n\
             \x20 of processors     {}   server's included\n\
             \x20 of bytes          {}\n\
             seal_peak_mb        {:.0}   (a tenth: {:.0})   goal 200\n\
             open_load_ratio     {}   goal 1.3 (a tenth: {})\n\
             \x20 of processors     {}   server's included\n\
             \x20 migrate and reconcile in the place of migrate: {}\n\
             load_peak_mb        {:.0}   (a tenth: {:.0})   goal 200",
            self.rows,
            self.rows / 10 * 14,
            self.pairs,
            "seconds",
            "whole",
            "a tenth",
            row("COPY | zstd -1 | age", &|r| &r.seal.reference),
            row("extract", &|r| &r.seal.ours),
            row("migrate", &|r| &r.load.reference),
            row("reconcile", &|r| &r.reconcile),
            row("load", &|r| &r.load.ours),
            full.seal.ratio,
            tenth.seal.ratio,
            full.seal.processor_ratio,
            full.bytes,
            full.seal.peak_mb,
            tenth.seal.peak_mb,
            full.load.ratio,
            tenth.load.ratio,
            full.load.processor_ratio,
            full.read_back,
            full.load.peak_mb,
            tenth.load.peak_mb,
        )
    }
}

/// One size, measured.
#[derive(Debug)]
struct Round {
    seal: Against,
    load: Against,
    /// The archive's bytes by the pipe's.
    bytes: Spread,
    reconcile: Spread,
    /// The load by `migrate` and `reconcile`.
    read_back: Spread,
}

/// Ours against its reference, in pairs.
#[derive(Debug)]
struct Against {
    reference: Spread,
    ours: Spread,
    ratio: Spread,
    /// Of seconds of a processor, the server's included.
    processor_ratio: Spread,
    peak_mb: f64,
}

/// Seconds and seconds of a processor, the server's included.
type Cost = (f64, f64);

fn against(pairs: &[(Cost, Cost)], peak_mb: f64) -> Against {
    let each = |of: &dyn Fn(&(Cost, Cost)) -> f64| Spread::of(&pairs.iter().map(of).collect::<Vec<_>>());
    Against {
        reference: each(&|(reference, _)| reference.0),
        ours: each(&|(_, ours)| ours.0),
        ratio: each(&|(reference, ours)| ours.0 / reference.0),
        processor_ratio: each(&|(reference, ours)| ours.1 / reference.1),
        peak_mb,
    }
}

fn round(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<Round> {
    let source = postgres.database("sealed");
    Laboratory::new(1, size(rows)).write_postgres(&source, &TABLES);
    source.sql("vacuum (freeze, analyze);");
    let (direct, loaded) = (postgres.database("direct"), postgres.database("loaded"));
    let io = |error: std::io::Error| error.to_string();
    let home = tempfile::tempdir().map_err(io)?;
    let folder = home.path().join("direct");
    std::fs::create_dir(&folder).map_err(io)?;
    let made = program::migration(program, &folder, &source, &direct);
    let ways = Ways::new(program, home.path(), &source)?;
    let (mut seals, mut loads, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut reconciled, mut read_back) = (Vec::new(), Vec::new());
    let (mut seal_peak, mut load_peak) = (0.0_f64, 0.0_f64);
    let cost = |one: &Measured, server: f64| (one.seconds, one.processor + server);
    for number in 0..pairs {
        let ((seconds, processor, piped), server) =
            and_server(&source, || reference::run(&source, home.path()))?;
        let ((sealed, size), ours) = and_server(&source, || ways.extract(number))?;
        seals.push(((seconds, processor + server), cost(&sealed, ours)));
        bytes.push(size as f64 / piped as f64);
        seal_peak = seal_peak.max(sealed.peak_mb);

        program::empty(&direct);
        let (moved, server) = and_server(&source, || program::migrated(&made, number))?;
        let reconcile = program::reconcile(&made, number)?;
        program::empty(&loaded);
        let (load, ours) = and_server(&source, || ways.load(number, &loaded))?;
        super::same_rows(&direct, &loaded)?;
        loads.push((cost(&moved, server), cost(&load, ours)));
        reconciled.push(reconcile);
        read_back.push(load.seconds / (moved.seconds + reconcile));
        load_peak = load_peak.max(load.peak_mb);
    }
    Ok(Round {
        seal: against(&seals, seal_peak),
        load: against(&loads, load_peak),
        bytes: Spread::of(&bytes),
        reconcile: Spread::of(&reconciled),
        read_back: Spread::of(&read_back),
    })
}
