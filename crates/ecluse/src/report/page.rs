//! What the report says: words and counts, nothing that could name a person's row.

use askama::Template;

use super::figure::Figure;

/// The page; its template is `templates/report.html`. A4 in print, readable on a telephone,
/// no script, nothing fetched.
#[derive(Debug, Default, Template)]
#[template(path = "report.html")]
pub(crate) struct Page {
    /// Whether the papers say TRIAL.
    pub(crate) trial: bool,
    /// Whether nobody in the contract exists.
    pub(crate) invented: bool,
    /// The migration, in words.
    pub(crate) title: String,
    /// The instruction's fingerprint and version.
    pub(crate) order: String,
    /// What happened, in one sentence a layperson understands.
    pub(crate) sentence: String,
    /// What is not as it should be; empty is best.
    pub(crate) alerts: Vec<String>,
    /// Inline SVG, made by [`super::drawing`].
    pub(crate) drawing: String,
    /// Under the drawing.
    pub(crate) caption: String,
    /// What left, what stayed, who received, when it is destroyed.
    pub(crate) boxes: Vec<Section>,
    /// One line per table.
    pub(crate) tables: Vec<TableLine>,
    /// Whether a count was hidden.
    pub(crate) suppressed: bool,
    /// Each table's filter as a sentence.
    pub(crate) filters: Vec<String>,
    /// The papers, in the chain's order.
    pub(crate) chain: Vec<Link>,
    /// What was added, changed and deleted since the run first came to its end.
    pub(crate) catch_ups: Vec<super::caught::Section>,
    /// What the reconciliation found, in a sentence.
    pub(crate) reconciliation: String,
    /// Differences found, by token.
    pub(crate) differences: Vec<Difference>,
    /// Refused rows by code.
    pub(crate) refusals: Vec<Refused>,
    /// What stood between écluse and what was not ordered.
    pub(crate) barriers: Vec<String>,
    /// What no software of ours reached.
    pub(crate) limits: Vec<String>,
    /// Overrides with who and why.
    pub(crate) overrides: Vec<String>,
    /// Commands and fingerprints.
    pub(crate) checks: Vec<Check>,
    /// The last line.
    pub(crate) footer: String,
}

/// A box: a title and some lines.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<String>,
}

/// One table's counts.
#[derive(Debug, Default)]
pub(crate) struct TableLine {
    /// What the laboratory calls it; else its name.
    pub(crate) label: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) available: Figure,
    pub(crate) asked: Figure,
    pub(crate) moved: Figure,
    pub(crate) refused: Figure,
    /// Left out because a trial moves few; shown in a trial.
    pub(crate) left_out: Figure,
    /// Columns of the source that moved.
    pub(crate) columns: usize,
}

/// One paper of the chain.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) artefact: String,
    pub(crate) signer: String,
    pub(crate) when: String,
    /// The digest's first 8 characters.
    pub(crate) fingerprint: String,
    /// What is missing; empty where the paper holds.
    pub(crate) missing: String,
    /// Not due in this version: nothing failed.
    pub(crate) later: bool,
}

/// Where source and destination differ.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(crate) words: String,
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) chunk: String,
    /// A keyed token; never a key.
    pub(crate) row: String,
}

/// Rows refused under one code.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) words: String,
    pub(crate) table: String,
    pub(crate) rows: Figure,
}

/// Something a stranger can check.
#[derive(Debug, Default)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) how: String,
}
