//! The acceptance of the reference data: tests, units, codes, prescribers, sites stand at the destination,
//! and a biologist of the controller has looked at them there, before a patient moves.
//!
//! It is of one run of one order, whose signature covers mapping and code tables, and of the values: the rows
//! and keyed tallies that it names
//! are compared with the run's figures when it is signed, and with what stands at the destination when the
//! rest begins to move. What a later catch-up changes is that catch-up's.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::{self, Codes, Fields, Reader, quote};
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

static SYNTAX: Code = Code::refused("ECL-REF-001", "the acceptance of the reference data is not TOML");
static UNKNOWN_KEY: Code =
    Code::refused("ECL-REF-002", "unknown key in the acceptance of the reference data");
static MISSING_KEY: Code = Code::refused("ECL-REF-003", "the acceptance of the reference data lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-REF-004", "a value of the acceptance of the reference data has the wrong form");
/// About another run, another order, or other rows.
pub static OTHER: Code = Code::refused("ECL-REF-005", "other reference data were accepted");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The file in the migration folder.
pub const FILE: &str = "reference.toml";

/// What is accepted; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The run that moved them.
    pub run: String,
    /// The digest of its instruction.
    pub instruction: String,
    /// The tables, in the run's order.
    pub tables: Vec<Table>,
}

/// One table as it stood at the destination when it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name there.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its published tally under the run's key, in hexadecimal (`docs/formats.md`, "Tallies"): other values
    /// have another one, and without the key nobody guesses a value from it.
    pub tally: String,
}

/// An acceptance that a biologist signed. Only [`Accepted::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::reference::Accepted;
/// fn forge(real: Accepted) -> Accepted {
///     Accepted { ..real }
/// }
/// ```
pub type Accepted = Paper<Stated>;

impl Paper<Stated> {
    /// Reads an acceptance and checks who signed it.
    ///
    /// # Errors
    /// Every fault of header, signatures and text.
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Self::open(Kind::Reference, bytes, files, contract, now, parse)
    }

    /// Whether it is about this run of this order.
    ///
    /// # Errors
    /// [`OTHER`].
    pub fn is_of(&self, run: &str, instruction: &str) -> Result<()> {
        if self.stated().run == run && self.stated().instruction == instruction {
            return Ok(());
        }
        Err(OTHER.fault(format!("of run {}", self.stated().run)).help(AGAIN))
    }

    /// Whether this is what was accepted, table by table and value by value.
    ///
    /// # Errors
    /// [`OTHER`].
    pub fn is_of_tables(&self, tables: &[Table]) -> Result<()> {
        if self.stated().tables == tables {
            return Ok(());
        }
        let mut pairs = self.stated().tables.iter().zip(tables);
        let other = pairs.find(|(one, there)| one.tally != there.tally);
        let what = match other {
            Some((one, there)) if one.name == there.name && one.rows == there.rows => {
                format!("other values stand in {} at the destination", one.name)
            }
            _ => "other tables, or other numbers of rows, stand at the destination".to_owned(),
        };
        Err(OTHER.fault(what).help(AGAIN))
    }
}

const AGAIN: &str = "write it anew: mv reference.toml reference.old.toml && ecluse reference propose";

impl Stated {
    /// Whether it states what a run's figures say.
    ///
    /// # Errors
    /// [`OTHER`].
    pub fn is(&self, found: &Self) -> Result<()> {
        if self == found { Ok(()) } else { Err(OTHER.fault("the run's figures say otherwise").help(AGAIN)) }
    }
}

/// The acceptance as a document to sign.
#[must_use]
pub fn draft(head: &Head, stated: &Stated) -> String {
    let mut text = format!(
        "# The reference data as they stand in the new system: accepted by the signature of a biologist of\n\
         # the laboratory. Until then no patient moves.\n\n\
         {}\n\
         [reference]\n\
         run         = {}\n\
         instruction = {}\n",
        template::header(Kind::Reference, head),
        quote(&stated.run),
        quote(&stated.instruction),
    );
    for Table { name, rows, tally } in &stated.tables {
        // writing to a String cannot fail
        let _ =
            write!(text, "\n[[table]]\nname  = {}\nrows  = {rows}\ntally = {}\n", quote(name), quote(tally));
    }
    text
}

/// Reads an acceptance, its header apart.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "reference", read)
}

fn read(r: &mut Reader<'_>, mut head: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Stated> {
    let run = head.text(r, "run");
    let instruction = head.digest(r, "instruction");
    head.end(r);
    let tables = root.tables(r, "table").into_iter().filter_map(|mut t| {
        let name = t.text(r, "name");
        let rows = t.maybe_number(r, "rows").map_or(0, |n| n.value);
        let tally = t.text(r, "tally");
        t.end(r);
        let digits = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(tally) = tally.as_ref().filter(|tally| !digits(&tally.value)) {
            let finding = Finding::new(&WRONG_VALUE, "`tally` wants 64 hexadecimal digits");
            r.find(finding.at(tally.span.clone()).help(AGAIN));
        }
        Some(Table { name: name?.value, rows, tally: tally?.value })
    });
    let tables = tables.collect();
    Some(Stated { run: run?.value, instruction: instruction?.value, tables })
}
