//! Drawn dossiers that one person of the laboratory looked at, old beside new (ISO 15189 practice): the
//! record that this person signs, and nobody else can.
//!
//! It names dossiers by row token and says *same* or *differs* with one of a few fixed reasons: no field
//! takes words, so that none takes a patient's.

mod read;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::contract::Contract;
use crate::count::number;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::keys::Key;
use crate::paper::Paper;
use crate::reader::quote;
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

pub use read::parse;

/// Signed by somebody else than it names.
pub static NOT_THEIRS: Code =
    Code::refused("ECL-CMP-005", "the compared dossiers are signed by somebody else than who compared them");
/// About another run, or another order.
pub static OTHER: Code = Code::refused("ECL-CMP-006", "the compared dossiers are another run's");

/// The file in the migration folder.
pub const FILE: &str = "comparison.toml";

/// What one person saw of a run's drawn dossiers; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The run that was looked at.
    pub run: String,
    /// The digest of its instruction.
    pub instruction: String,
    /// The digest of the run's `figures.json`: another one means that the run has gone on since.
    pub figures: String,
    /// The source table whose rows are the dossiers.
    pub table: String,
    /// Who looked, by name.
    pub by: String,
    /// That person's address in the contract.
    pub email: String,
    /// Whether only a sample stood there: no answer to it is one about the whole.
    pub sample: bool,
    /// How many dossiers were drawn.
    pub drawn: u64,
    /// Those that were ticked or crossed, in the order of the draw.
    pub dossiers: Vec<Dossier>,
}

/// One dossier, ticked or crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The token of its row.
    pub token: String,
    /// The kinds it is of, as the instruction names them.
    pub kinds: Vec<String>,
    /// What the person said.
    pub verdict: Verdict,
    /// What was on the screen: a keyed digest, 64 hexadecimal digits.
    pub shown: String,
    /// When it was said.
    pub at: Timestamp,
}

/// What a person says of a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Old and new say the same.
    Same,
    /// They do not.
    Differs(Reason),
}

/// Why a dossier was crossed. Fixed words: what a person would write freely would name the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A value is another one.
    Value,
    /// Something of the old dossier is not there.
    Missing,
    /// Something is there that the old dossier has not.
    Surplus,
    /// Something belongs to another patient or dossier.
    Misplaced,
    /// A code, a unit or a test means something else.
    Meaning,
    /// It cannot be judged: characters are broken, a label says nothing.
    Unclear,
}

impl Reason {
    /// Every one, in the order of their keys.
    pub const ALL: [Self; 6] =
        [Self::Value, Self::Missing, Self::Surplus, Self::Misplaced, Self::Meaning, Self::Unclear];

    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::Misplaced => "misplaced",
            Self::Meaning => "meaning",
            Self::Unclear => "unclear",
        }
    }

    /// The reason of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl Comparison {
    /// How many were found the same.
    #[must_use]
    pub fn same(&self) -> u64 {
        number(self.dossiers.iter().filter(|one| one.verdict == Verdict::Same).count())
    }

    /// How many were crossed, by reason.
    #[must_use]
    pub fn crossed(&self) -> BTreeMap<Reason, u64> {
        let mut crossed = BTreeMap::new();
        for one in &self.dossiers {
            if let Verdict::Differs(reason) = one.verdict {
                *crossed.entry(reason).or_insert(0) += 1;
            }
        }
        crossed
    }

    /// How many were looked at, by kind; a dossier of two kinds counts in both.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<&str, u64> {
        let mut kinds = BTreeMap::new();
        for kind in self.dossiers.iter().flat_map(|one| &one.kinds) {
            *kinds.entry(kind.as_str()).or_insert(0) += 1;
        }
        kinds
    }

    /// Whether every drawn dossier was found the same; where none was drawn, nobody looked at anything.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.drawn > 0 && self.same() == self.drawn
    }

    /// Whether it is about this run of this order.
    ///
    /// # Errors
    /// [`OTHER`].
    pub fn is_of(&self, run: &str, instruction: &str) -> Result<()> {
        if self.run == run && self.instruction == instruction {
            return Ok(());
        }
        Err(OTHER.fault(format!("they are about run {}", self.run)).help(
            "set them aside and compare anew: mv comparison.toml comparison.old.toml && ecluse compare",
        ))
    }
}

/// A record that the person signed who compared. Only [`Compared::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::comparison::Compared;
/// fn forge(real: Compared) -> Compared {
///     Compared { ..real }
/// }
/// ```
pub type Compared = Paper<Comparison>;

impl Paper<Comparison> {
    /// Reads a record and checks who signed it: the person it names, by the key that the contract lists.
    ///
    /// # Errors
    /// Every fault of header, signatures and record; [`NOT_THEIRS`].
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let signed = Self::open(Kind::Comparison, bytes, files, contract, now, parse)?;
        let comparison = signed.stated();
        if let Some(other) = signed.signers().iter().find(|signer| signer.email != comparison.email) {
            let message = format!("{} signed what {} compared", other.person, comparison.by);
            let help = "who looked at the dossiers signs: ecluse compare sign --key FILE";
            return Err(vec![Finding::new(&NOT_THEIRS, message).help(help)]);
        }
        Ok(signed)
    }
}

/// The keys of the contract whose owners may compare: the laboratory's people who sign with a key of
/// their own. The processor's operator, who serves the terminal, is none of them.
pub fn may_compare(keys: &[Key]) -> impl Iterator<Item = &Key> {
    let may = |key: &&Key| Kind::Comparison.signers().iter().any(|(role, _)| *role == key.role);
    keys.iter().filter(may).filter(|key| key.public.is_some())
}

/// The record as a document to sign.
#[must_use]
pub fn draft(head: &Head, comparison: &Comparison) -> String {
    let Comparison { run, instruction, figures, table, by, email, sample, drawn, dossiers } = comparison;
    let sample = if *sample { "sample      = true\n" } else { "" };
    let mut text = format!(
        "# Drawn dossiers, looked at old beside new by one person of the laboratory, who signs.\n\
         # No value stands here and no row key. ecluse compare writes it; nobody else has to.\n\n\
         {}\n\
         [comparison]\n\
         run         = {}\n\
         instruction = {}\n\
         figures     = {}\n\
         table       = {}\n\
         by          = {}\n\
         email       = {}\n\
         drawn       = {drawn}\n{sample}",
        template::header(Kind::Comparison, head),
        quote(run),
        quote(instruction),
        quote(figures),
        quote(table),
        quote(by),
        quote(email),
    );
    for Dossier { token, kinds, verdict, shown, at } in dossiers {
        let kinds: Vec<String> = kinds.iter().map(|kind| quote(kind)).collect();
        let (word, reason) = match verdict {
            Verdict::Same => ("same", String::new()),
            Verdict::Differs(reason) => ("differs", format!("reason  = {}\n", quote(reason.name()))),
        };
        // writing to a String cannot fail
        let _ = write!(
            text,
            "\n[[dossier]]\ntoken   = {}\nkinds   = [{}]\nverdict = {}\n{reason}shown   = {}\nat      = {}\n",
            quote(token),
            kinds.join(", "),
            quote(word),
            quote(shown),
            template::seconds(*at),
        );
    }
    text
}
