//! What a run counted. Counts only: this is written in clear, as `figures.json`.

use std::collections::BTreeMap;

use ecluse_batch::Token;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::FileColumn;
use ecluse_core::plan::{Expression, Plan, TablePlan};
use ecluse_seal::{AgreeBy, CatchUp, Noted, RunState};
use serde::{Deserialize, Serialize};

use crate::encodings::{self, Encoding};
use crate::orders::Orders;
use crate::sample::Sampled;
use crate::state;

static UNEVEN: Code =
    Code::refused("ECL-RUN-044", "rows were asked for of which it is not known what became of them");

/// The figures of a run, or of a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// `ecluse-figures/1`.
    pub format: String,
    /// The run's opaque id; a dry run's own random id.
    pub run: String,
    /// The instruction's digest.
    pub instruction: String,
    /// When the run (this start of it) began and ended, UTC; empty while it goes on.
    pub began: String,
    /// See `began`.
    pub ended: String,
    /// Whether the run reached its end.
    pub whole: bool,
    /// Whether this start moved the reference data alone, and came to their end.
    #[serde(default)]
    pub reference: bool,
    /// The barrier between us and what was not instructed, in words.
    pub barrier: String,
    /// What could not be locked or seen with this role, in words.
    pub limits: Vec<String>,
    /// What the role could do beyond its orders, in words, and the reason for which it was accepted.
    pub excess: Vec<String>,
    /// The reason given for going on with a wider role.
    pub override_reason: String,
    /// Barriers, limits, excess rights and overrides of every start of the run so far, each once
    /// and since when. What stands above is this start's alone.
    #[serde(default)]
    pub noted: Vec<Noted>,
    /// Refused rows that the instruction tolerates.
    #[serde(default)]
    pub tolerated: u64,
    /// Starts that found the run through and went over it again: what each added, changed and deleted,
    /// apart from `tables`, which say what stands there in the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch_ups: Vec<CatchUp>,
    /// The persons whose rows never move, where the instruction cites a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Excluded>,
    /// Persons who exist at the destination already, where the order has them compared; absent until a
    /// start has come so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownFigures>,
    /// Where a sample was moved and nothing else: then `whole` is false, whatever came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sampled>,
    /// Per table, in the plan's order.
    pub tables: Vec<TableFigures>,
    /// The folders of files that rows name; none where no column names files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<FolderFigures>,
}

/// A folder of files at the source, once every row that may name one of them was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderFigures {
    /// The folder, as the order names it.
    pub folder: String,
    /// Files that lie in it.
    pub files: u64,
    /// Of these, files that no ordered row names: they stay.
    pub orphans: u64,
}

/// The files that one column names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFigures {
    /// The source column.
    pub column: String,
    /// The folder, as the order names it.
    pub folder: String,
    /// What was counted.
    #[serde(flatten)]
    pub counts: FileCounts,
}

/// How many files: `named = moved + missing + refused`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    /// Rows that name one.
    pub named: u64,
    /// Rows whose file is there and moves.
    pub moved: u64,
    /// Rows whose file is missing.
    pub missing: u64,
    /// Rows whose file may not be read, or must not be missing: the row is refused with it.
    pub refused: u64,
    /// Bytes of the files that move.
    pub bytes: u64,
}

impl FileCounts {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.named += other.named;
        self.moved += other.moved;
        self.missing += other.missing;
        self.refused += other.refused;
        self.bytes += other.bytes;
    }
}

/// The persons whose rows never move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The digest of their sealed list.
    pub list: String,
    /// How many persons it holds.
    pub persons: u64,
}

impl Excluded {
    pub(crate) fn of(orders: &Orders<'_>) -> Option<Self> {
        orders.excluded.map(|list| Self { list: list.digest().to_owned(), persons: list.persons() })
    }
}

/// Persons who may exist at the destination already. A pair is a row that arrived and one that stood there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFigures {
    /// The destination's table of persons.
    pub table: String,
    /// Rows that arrived and agree with at least one that stood there.
    pub persons: u64,
    /// Pairs that agree by the national health identity number and its authority alone.
    pub by_number: u64,
    /// Pairs that agree by family name, first given name, day of birth and sex alone.
    pub by_traits: u64,
    /// Pairs that agree by both.
    pub by_both: u64,
    /// Rows that stood there, or pairs, beyond what the list holds.
    #[serde(default, skip_serializing_if = "none")]
    pub unlisted: u64,
    /// Rows that arrived and could be compared with nobody: neither a number that holds nor all four traits.
    #[serde(default, skip_serializing_if = "none")]
    pub uncompared: u64,
    /// Rows that stood there, were read, and could be compared with nobody either.
    #[serde(default, skip_serializing_if = "none")]
    pub uncompared_there: u64,
}

impl KnownFigures {
    pub(crate) const fn count(&mut self, by: AgreeBy) {
        match by {
            AgreeBy::Number => self.by_number += 1,
            AgreeBy::Traits => self.by_traits += 1,
            AgreeBy::Both => self.by_both += 1,
        }
    }
}

/// One table's figures. Once the table is through, `asked = moved + refused + left_out + excluded`; what
/// is available and not asked for was withheld by the instruction's filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFigures {
    /// The source table's name.
    pub source: String,
    /// The destination table's name.
    pub destination: String,
    /// Rows in the source table, where the role can count them.
    pub available: Option<u64>,
    /// Rows the instruction chooses, counted by the database.
    pub asked: u64,
    /// Rows that stand in the destination.
    pub moved: u64,
    /// Refused rows by code and column, for instance `ECL-BAT-102 results.unit`.
    pub refused: BTreeMap<String, u64>,
    /// Row tokens of refused rows of a table with a key, for `ecluse locate`; a thousand a run at most.
    /// How many there are in all, `refused` says.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Rows that moved although their national identifier does not hold, by code and column: the
    /// number stayed behind, or moved as a local identifier, as the instruction says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identifiers: BTreeMap<String, u64>,
    /// What became of them, in the instruction's word: `local` or `withhold`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub invalid_identifiers: String,
    /// Source columns whose texts move as they read, though some look like UTF-8 that was kept as `latin1`;
    /// none where no value does.
    #[serde(default, skip_serializing_if = "encodings::honest")]
    pub encodings: BTreeMap<String, Encoding>,
    /// Files that its rows name, by column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileFigures>,
    /// Rows left out because a trial moves few: beyond its number (read or not), or children of such;
    /// because they belong to no dossier of a sample.
    pub left_out: u64,
    /// Milliseconds from the table's first row read to its last chunk in place, in this start of the
    /// run; none in a dry run.
    #[serde(default)]
    pub millis: u64,
    /// Rows of persons who stay, and rows that hang on them.
    #[serde(default, skip_serializing_if = "none")]
    pub excluded: u64,
    /// Those of them that are persons of the list.
    #[serde(default, skip_serializing_if = "none")]
    pub listed: u64,
    /// Ordered rows that are not finished, as the order's `[pending]` tells them; absent where it tells none of
    /// this table, or where they stay and cannot be counted. Those that stay were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<u64>,
    /// What becomes of them: `stay`, `move` or `wait`; empty where the order tells none of this table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pending: String,
    /// Rows that the destination took in this start, and the microseconds it needed.
    #[serde(default)]
    pub written: u64,
    /// See `written`.
    #[serde(default)]
    pub write_micros: u64,
    /// Of reference data moved alone, or with a sample: the published tally of the table as it was read back
    /// at their end (`docs/formats.md`), in hexadecimal; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tally: String,
    /// Chunks in all, and how many of them this start of the run replaced.
    pub chunks: u64,
    /// See `chunks`.
    pub replaced: u64,
}

/// The figures of every table of a plan, nothing counted yet.
pub(crate) fn begin_tables(plan: &Plan) -> Vec<TableFigures> {
    let begin = |t: &TablePlan| TableFigures {
        source: t.source().to_owned(),
        destination: t.destination().to_owned(),
        invalid_identifiers: invalid(t).unwrap_or_default(),
        files: t.files().iter().map(|column| files(t, column)).collect(),
        ..TableFigures::default()
    };
    plan.tables().iter().map(begin).collect()
}

/// The same to be counted once more, in the same start of the run: its time goes on.
pub(crate) fn begin_again(before: &[TableFigures], plan: &Plan) -> Vec<TableFigures> {
    let mut tables = begin_tables(plan);
    for (table, before) in tables.iter_mut().zip(before) {
        table.millis = before.millis;
        table.unfinished = before.unfinished;
        table.pending.clone_from(&before.pending);
    }
    tables
}

fn files(table: &TablePlan, column: &FileColumn) -> FileFigures {
    FileFigures {
        column: table.read().get(column.read).map(|c| c.name.clone()).unwrap_or_default(),
        folder: column.folder.clone(),
        counts: FileCounts::default(),
    }
}

fn invalid(table: &TablePlan) -> Option<String> {
    table.write().iter().find_map(|c| match &c.from {
        Expression::Identifier(of) => Some(of.invalid.name().to_owned()),
        _ => None,
    })
}

/// Whether a count is left out of a file in clear: there is nothing of its kind.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
pub(crate) const fn none(count: &u64) -> bool {
    *count == 0
}

/// Rows of a run named by token at most.
const NAMED: usize = 1_000;

/// Names the rows that the run refused.
pub(crate) fn name_refused(figures: &mut Figures, plan: &Plan, state: &RunState) {
    let key = state::token_key(state);
    let mut room = NAMED;
    for ((table, figures), sealed) in plan.tables().iter().zip(&mut figures.tables).zip(&state.tables) {
        let named = sealed.refused.iter().take(room);
        figures.tokens = named.map(|row| Token::new(&key, table.source(), row).to_string()).collect();
        room = room.saturating_sub(figures.tokens.len());
    }
}

impl TableFigures {
    /// Counts files of each of the table's columns.
    pub(crate) fn add_files(&mut self, counts: &[FileCounts]) {
        self.files.iter_mut().zip(counts).for_each(|(figures, counts)| figures.counts.add(counts));
    }

    /// Refused rows, whatever the code.
    #[must_use]
    pub fn refused_rows(&self) -> u64 {
        self.refused.values().sum()
    }
}

impl Figures {
    /// Whether what was begun came to its end: the whole run, or its sample.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.whole || self.sample.as_ref().is_some_and(|sample| sample.through)
    }

    /// Refused rows over all tables.
    #[must_use]
    pub fn refused_rows(&self) -> u64 {
        self.tables.iter().map(TableFigures::refused_rows).sum()
    }

    /// Whether more rows were refused than the instruction tolerates: the run is not the one ordered.
    #[must_use]
    pub fn is_beyond_tolerance(&self) -> bool {
        self.refused_rows() > self.tolerated
    }

    /// Rows of persons who stay, over all tables.
    #[must_use]
    pub fn excluded_rows(&self) -> u64 {
        self.tables.iter().map(|t| t.excluded).sum()
    }

    /// Persons of the list that are not among the rows asked for; `None` where not all were read: in a
    /// trial, and in a start that did not come to the run's end.
    #[must_use]
    pub fn not_met(&self) -> Option<u64> {
        let all = self.tables.iter().all(|t| t.left_out == 0);
        let met = self.tables.iter().map(|t| t.listed).sum();
        self.excluded.as_ref().filter(|_| all && self.whole).map(|list| list.persons.saturating_sub(met))
    }

    /// Every row that was asked for is moved, refused, left out or excluded, and counted once.
    pub(crate) fn add_up(&self) -> Result<()> {
        let sum = |t: &TableFigures| t.moved + t.refused_rows() + t.left_out + t.excluded;
        match self.tables.iter().find(|t| t.asked != sum(t)) {
            None => Ok(()),
            Some(t) => Err(UNEVEN.fault(format!("table {}: {} of {}", t.source, sum(t), t.asked))),
        }
    }

    /// Moved rows over all tables.
    #[must_use]
    pub fn moved_rows(&self) -> u64 {
        self.tables.iter().map(|t| t.moved).sum()
    }
}
