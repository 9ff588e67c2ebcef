//! Differences that stand: proposed by the processor with a reason each, accepted by the controller's
//! signatory, and by nobody else (SCC 2021/915 clause 7.6; ISO 15189: the laboratory judges its data).
//!
//! An acceptance is of what was found, not of what may be found next: each difference carries the
//! published tally of its chunk as it was read back, so that a row which differs a second time, in
//! the same column, is a new difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::contract::Contract;
use crate::count::{number, plural};
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::{self, Codes, Fields, Reader, quote};
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

static SYNTAX: Code = Code::refused("ECL-REC-020", "the list of differences is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-REC-021", "unknown key in the list of differences");
static MISSING_KEY: Code = Code::refused("ECL-REC-022", "the list of differences lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-REC-023", "a value of the list of differences has the wrong form");
/// About another run, or another order.
pub static OTHER: Code = Code::refused("ECL-REC-024", "the list of differences is another run's");
/// Found, and not on the list.
pub static NOT_LISTED: Code = Code::refused("ECL-REC-025", "a difference was found that nobody accepted");
/// On the list, and not found.
pub static GONE: Code = Code::refused("ECL-REC-026", "the list names a difference that was not found");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The file in the migration folder.
pub const FILE: &str = "differences.toml";

/// One difference, as a reconciliation names it: places and tokens, never a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The code under which it is reported.
    pub code: String,
    /// The destination table.
    pub table: String,
    /// The destination column; `None` where the whole row is meant.
    pub column: Option<String>,
    /// The chunk's number in the table.
    pub chunk: u64,
    /// The row's token; `None` where rows are only counted.
    pub row: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// The published tally of the chunk as it was read back; `None` where it is no chunk's.
    pub there: Option<String>,
}

/// What the processor proposes; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The run that was compared.
    pub run: String,
    /// The digest of its instruction.
    pub instruction: String,
    /// The digest of the `reconciliation.json` that the list was made from.
    pub reconciliation: String,
    /// Who proposes it, by name.
    pub proposed_by: String,
    /// Each difference, and why it is right as it is.
    pub list: Vec<(Difference, String)>,
}

/// A list that the controller's signatory signed. Only [`Accepted::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::differences::Accepted;
/// fn forge(real: Accepted) -> Accepted {
///     Accepted { ..real }
/// }
/// ```
pub type Accepted = Paper<Proposal>;

impl Paper<Proposal> {
    /// Reads a list and checks who signed it.
    ///
    /// # Errors
    /// Every fault of header, signatures and list.
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::Differences, bytes, files, contract, now, parse)
    }

    /// Whether it accepts what a reconciliation found: every difference, and no other.
    ///
    /// # Errors
    /// [`OTHER`], [`NOT_LISTED`], [`GONE`].
    pub fn covers(&self, run: &str, instruction: &str, found: &[Difference]) -> Result<()> {
        self.stated().covers(run, instruction, found)
    }
}

impl Proposal {
    /// As [`Accepted::covers`], of a list that nobody has signed yet.
    ///
    /// # Errors
    /// As there.
    pub fn covers(&self, run: &str, instruction: &str, found: &[Difference]) -> Result<()> {
        let again = "propose it anew: mv differences.toml differences.old.toml && ecluse differences propose";
        if self.run != run || self.instruction != instruction {
            return Err(OTHER.fault(format!("it is about run {}", self.run)).help(again));
        }
        let listed: BTreeSet<&Difference> = self.list.iter().map(|(one, _)| one).collect();
        let found: BTreeSet<&Difference> = found.iter().collect();
        let named = |only: &BTreeSet<&Difference>| {
            let first = only.first().map(|d| format!("{} chunk {}", d.table, d.chunk)).unwrap_or_default();
            format!("{} ({first})", plural(number(only.len()), "difference", "differences"))
        };
        let new: BTreeSet<&Difference> = found.difference(&listed).copied().collect();
        if !new.is_empty() {
            return Err(NOT_LISTED.fault(named(&new)).help(again));
        }
        let gone: BTreeSet<&Difference> = listed.difference(&found).copied().collect();
        if gone.is_empty() { Ok(()) } else { Err(GONE.fault(named(&gone)).help(again)) }
    }
}

/// The list as a document to sign; a reason that is `…` is still to be written.
#[must_use]
pub fn draft(head: &Head, proposal: &Proposal) -> String {
    let mut text = format!(
        "# Differences between source and destination that are right as they are, each with its reason:\n\
         # proposed by the processor, accepted by the signature of the controller's signatory.\n\
         # What a row token is, ecluse locate says, on the laboratory's premises.\n\n\
         {}\n\
         [differences]\n\
         run            = {}\n\
         instruction    = {}\n\
         reconciliation = {}\n\
         proposed_by    = {}\n",
        template::header(Kind::Differences, head),
        quote(&proposal.run),
        quote(&proposal.instruction),
        quote(&proposal.reconciliation),
        quote(&proposal.proposed_by),
    );
    for (one, reason) in &proposal.list {
        let Difference { code, table, column, chunk, row, rows, there } = one;
        // writing to a String cannot fail
        let _ = write!(text, "\n[[difference]]\ncode   = {}\ntable  = {}\n", quote(code), quote(table));
        for (key, value) in [("column", column), ("row   ", row), ("there ", there)] {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", quote(value));
            }
        }
        let _ = writeln!(text, "chunk  = {chunk}\nrows   = {rows}\nreason = {}", quote(reason));
    }
    text
}

/// Reads a list, its header apart.
///
/// # Errors
/// Everything that is wrong with it; a reason that nobody wrote.
pub fn parse(text: &str) -> Result<Proposal, Vec<Finding>> {
    reader::stated(text, &CODES, "differences", read)
}

fn read(r: &mut Reader<'_>, mut head: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Proposal> {
    let run = head.text(r, "run");
    let instruction = head.digest(r, "instruction");
    let reconciliation = head.digest(r, "reconciliation");
    let proposed_by = head.text(r, "proposed_by");
    head.end(r);
    let list = root.tables(r, "difference").into_iter().filter_map(|t| one(r, t)).collect();
    Some(Proposal {
        run: run?.value,
        instruction: instruction?.value,
        reconciliation: reconciliation?.value,
        proposed_by: proposed_by?.value,
        list,
    })
}

fn one(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<(Difference, String)> {
    let code = t.text(r, "code");
    let table = t.text(r, "table");
    let column = t.maybe_text(r, "column").map(|c| c.value);
    let chunk = t.maybe_number(r, "chunk").map_or(0, |n| n.value);
    let row = t.maybe_text(r, "row").map(|row| row.value);
    let rows = t.maybe_number(r, "rows").map_or(1, |n| n.value);
    let there = t.maybe_text(r, "there").map(|t| t.value);
    let reason = t.text(r, "reason");
    if let Some(empty) = reason.as_ref().filter(|reason| !template::filled(&reason.value)) {
        let finding = Finding::new(&WRONG_VALUE, "nobody has said why this is right as it is");
        r.find(
            finding.at(empty.span.clone()).help("write the reason; the laboratory reads it before it signs"),
        );
    }
    t.end(r);
    let found = Difference { code: code?.value, table: table?.value, column, chunk, row, rows, there };
    Some((found, reason?.value))
}
