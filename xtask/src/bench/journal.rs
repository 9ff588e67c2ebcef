//! `cargo xtask bench --journal`: how fast events become durable entries of the journal, and how fast they are
//! verified.
//!
//! | figure | is |
//! |---|---|
//! | events | lines of a run folder that `ecluse journal checkpoint` takes in, in one round, by the seconds of the whole command |
//! | its reference | the same lines, written to one file, 256 at a time (as many as a bundle holds) with an `fdatasync` behind each |
//! | acts | the bound of an act's own line, which is durable before the act: the same, one line at a time |
//! | verify | `ecluse journal verify` over a million entries, the run folder they came from included |

use std::fs::{self, DirBuilder, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use data_encoding::HEXLOWER;
use ecluse_testkit::papers::Papers;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::measure::Spread;
use super::program;
use crate::Outcome;

/// Lines that a round takes in.
const ROUND: u64 = 100_000;
/// Lines of the reference for an act's own line.
const ACTS: usize = 500;
/// Entries that are verified.
const MILLION: u64 = 1_000_000;
/// Entries of a bundle.
const BUNDLE: usize = 256;

/// What the journal does in a second, and in how many.
#[derive(Debug)]
pub(super) struct Journal {
    pairs: usize,
    events: Spread,
    reference: Spread,
    ratio: Spread,
    acts: Spread,
    verify: Spread,
    verify_processor: Spread,
    verify_peak_mb: f64,
    million: u64,
}

impl Journal {
    /// A million entries are verified, or as many as `most`, and what that took is told of a million.
    pub(super) fn measure(program: &Path, most: u64, pairs: usize) -> Outcome<Self> {
        let million = MILLION.min(most);
        let (mut events, mut reference, mut ratio, mut acts) = (vec![], vec![], vec![], vec![]);
        for number in 0..pairs {
            let home = folder()?;
            let lines = noted(home.path(), ROUND, number)?;
            let (bundles, one) = (plain(&home.path().join("plain"), &lines, BUNDLE)?, ROUND as f64);
            let few: Vec<Vec<u8>> = lines.iter().take(ACTS).cloned().collect();
            acts.push(ACTS as f64 / plain(&home.path().join("plain"), &few, 1)?);
            let ours = program::measured(command(program, home.path(), "checkpoint"))?.seconds;
            events.push(one / ours);
            reference.push(one / bundles);
            ratio.push(bundles / ours);
        }
        let home = folder()?;
        noted(home.path(), million, 0)?;
        program::measured(command(program, home.path(), "checkpoint"))?;
        let verified: Vec<_> = (0..pairs)
            .map(|_| program::measured(command(program, home.path(), "verify")))
            .collect::<Outcome<_>>()?;
        let scale = MILLION as f64 / million as f64;
        Ok(Self {
            pairs,
            events: Spread::of(&events),
            reference: Spread::of(&reference),
            ratio: Spread::of(&ratio),
            acts: Spread::of(&acts),
            verify: Spread::of(&verified.iter().map(|one| one.seconds * scale).collect::<Vec<_>>()),
            verify_processor: Spread::of(
                &verified.iter().map(|one| one.processor * scale).collect::<Vec<_>>(),
            ),
            verify_peak_mb: verified.iter().map(|one| one.peak_mb).fold(0.0, f64::max),
            million,
        })
    }

    pub(super) fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        let all = serde_json::json!({
            "journal_events_s": self.events.median,
            "journal_events_s_spread": [self.events.least, self.events.most],
            "journal_events_ratio": self.ratio.median,
            "journal_plain_events_s": self.reference.median,
            "journal_plain_acts_s": self.acts.median,
            "journal_verify_million_s": self.verify.median,
            "journal_verify_million_s_spread": [self.verify.least, self.verify.most],
            "journal_verify_million_processor_s": self.verify_processor.median,
            "journal_verify_peak_mb": self.verify_peak_mb,
            "journal_verified": self.million,
        });
        all.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn table(&self) -> String {
        format!(
            "the journal, medians of {} (least to most)\n\
             journal_events_s          {}   goal 20000 ({ROUND} in a round; write and fdatasync of {BUNDLE} at a time: {})\n\
             \x20 of the reference's rate {}\n\
             \x20 one line at a time, by write and fdatasync: {}\n\
             journal_verify_million_s  {}   goal 5 ({} entries; {} of a processor, {:.0} MB)",
            self.pairs,
            self.events,
            self.reference,
            self.ratio,
            self.acts,
            self.verify,
            self.million,
            self.verify_processor,
            self.verify_peak_mb,
        )
    }
}

/// A migration folder with its papers, and nothing noted.
fn folder() -> Outcome<tempfile::TempDir> {
    let home = tempfile::tempdir().map_err(|e| e.to_string())?;
    Papers::new(Timestamp::now()).write(home.path());
    Ok(home)
}

fn command(program: &Path, home: &Path, act: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("-C").arg(home).args(["journal", act]);
    command
}

/// A run folder with so many lines, as `docs/formats.md`, "Events", has them; the lines.
fn noted(home: &Path, lines: u64, run: usize) -> Outcome<Vec<Vec<u8>>> {
    let io = |error: std::io::Error| error.to_string();
    let folder = home.join(format!("run-{run}"));
    DirBuilder::new().mode(0o700).create(&folder).map_err(io)?;
    let mut file = BufWriter::new(File::create(folder.join("events.jsonl")).map_err(io)?);
    let mut before = digest(b"");
    let start = Timestamp::now() - SignedDuration::from_hours(24);
    let mut all = Vec::new();
    for number in 0..lines {
        let time = start + SignedDuration::from_millis(i64::try_from(number).unwrap_or_default() / 50);
        let line = format!(
            "{{\"before\":\"{before}\",\"leaf\":{{\"act\":\"chunk\",\"object\":\"{:032x}\",\"outcome\":\"begun\",\
             \"salt\":\"{:032x}\",\"session\":\"{:032x}\",\"time\":\"{time}\",\"v\":1}}}}",
            number / 3,
            u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            7,
        );
        before = digest(line.as_bytes());
        let mut line = line.into_bytes();
        line.push(b'\n');
        file.write_all(&line).map_err(io)?;
        if lines <= ROUND {
            all.push(line);
        }
    }
    file.into_inner().map_err(|e| e.to_string())?.sync_all().map_err(io)?;
    Ok(all)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}

/// Seconds of writing these lines to a new file, so many at a time, each time durably.
fn plain(path: &Path, lines: &[Vec<u8>], together: usize) -> Outcome<f64> {
    let io = |error: std::io::Error| error.to_string();
    let start = Instant::now();
    let mut file = File::create(path).map_err(io)?;
    for group in lines.chunks(together) {
        file.write_all(&group.concat()).map_err(io)?;
        file.sync_data().map_err(io)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    fs::remove_file(path).map_err(io)?;
    Ok(seconds)
}
