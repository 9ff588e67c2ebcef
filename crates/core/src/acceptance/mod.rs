//! The acceptance of a migration (*procès-verbal de recette*): what was ordered, what stands at the destination,
//! what was refused and what differs, by digest, and the controller's signature under it (SCC 2021/915 clause 7.6).
//!
//! It is of what was found: it cites the run's figures and its reconciliation (or the recipient's receipt) by
//! digest, so that a run that goes on, or is read back once more, has to be accepted anew. What it says in words
//! is made from what it states, and a reader refuses other words: nobody signs a sentence that the figures below
//! it do not say.

mod read;
mod words;

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::language::Language;
use crate::paper::Paper;
use crate::reader::quote;
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

pub use read::parse;

/// Not what stands in the folder.
pub static OTHER: Code = Code::refused("ECL-ACC-005", "something else was accepted");

/// The file in the migration folder.
pub const FILE: &str = "acceptance.toml";

/// What is accepted; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The run.
    pub run: String,
    /// The digest of its instruction.
    pub instruction: String,
    /// The digest of its `figures.json`.
    pub figures: String,
    /// Whereby it is known what stands at the destination.
    pub basis: Basis,
    /// The digest of the list of accepted differences, where the reconciliation found some.
    pub differences: Option<String>,
    /// Rows that the order chose.
    pub asked: u64,
    /// Of these, rows that stand at the destination.
    pub moved: u64,
    /// Rows that were refused, by code.
    pub refused: u64,
    /// Rows that differ, each accepted.
    pub differ: u64,
    /// Dossiers that persons of the laboratory compared.
    pub comparisons: Vec<Looked>,
    /// The digests of the signed answers to objections, in their order.
    pub answers: Vec<String>,
    /// The language of its words.
    pub language: Language,
}

/// Whereby it is known what stands at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The digest of `reconciliation.json`: the destination was read back.
    Reconciliation(String),
    /// The digest of the recipient's signed receipt.
    Receipt(String),
}

/// One signed record of compared dossiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its digest.
    pub record: String,
    /// Who looked, by name.
    pub by: String,
    /// How many dossiers were drawn, and of these found the same and crossed.
    pub drawn: u64,
    /// See `drawn`.
    pub same: u64,
    /// See `drawn`.
    pub crossed: u64,
}

/// An acceptance that every signatory of the controller signed. Only [`Accepted::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::acceptance::Accepted;
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
        Self::open(Kind::Acceptance, bytes, files, contract, now, parse)
    }
}

impl Stated {
    /// Whether it states what is found now, whatever its language.
    ///
    /// # Errors
    /// [`OTHER`], naming the first point in which it does not.
    pub fn is(&self, found: &Self) -> Result<()> {
        let differs = if self.run != found.run || self.instruction != found.instruction {
            "it is of another run, or under another order"
        } else if self.figures != found.figures {
            "the run has gone on since"
        } else if self.basis != found.basis {
            "the destination has been read back since"
        } else if self.differences != found.differences {
            "another list of differences stands there"
        } else if self.comparisons != found.comparisons {
            "other dossiers were compared"
        } else if self.answers != found.answers {
            "other objections were answered"
        } else if (Self { language: found.language, ..self.clone() }) != *found {
            "the figures say otherwise"
        } else {
            return Ok(());
        };
        Err(OTHER.fault(differs).help(
            "the laboratory looks at it as it stands now: mv acceptance.toml acceptance.old.toml, its signatures too; then: ecluse accept propose",
        ))
    }

    /// What the signature says, sentence by sentence.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        words::words(self)
    }
}

/// The acceptance as a document to sign.
#[must_use]
pub fn draft(head: &Head, stated: &Stated) -> String {
    let (key, digest) = match &stated.basis {
        Basis::Reconciliation(digest) => ("reconciliation", digest),
        Basis::Receipt(digest) => ("receipt       ", digest),
    };
    let mut text = format!(
        "# The acceptance of a migration (procès-verbal de recette), signed by the controller's signatories.\n\
         # ecluse accept propose writes it from the run's own figures; nothing here has to be filled in.\n\n\
         {}\n\
         [acceptance]\n\
         run            = {}\n\
         instruction    = {}\n\
         figures        = {}\n\
         {key} = {}\n",
        template::header(Kind::Acceptance, head),
        quote(&stated.run),
        quote(&stated.instruction),
        quote(&stated.figures),
        quote(digest),
    );
    // writing to a String cannot fail
    if let Some(digest) = &stated.differences {
        let _ = writeln!(text, "differences    = {}", quote(digest));
    }
    let Stated { asked, moved, refused, differ, language, .. } = stated;
    let _ = writeln!(
        text,
        "asked          = {asked}\nmoved          = {moved}\nrefused        = {refused}\ndiffer         = {differ}\n\
         language       = {}\nsays = [",
        quote(language.code())
    );
    for sentence in stated.words() {
        let _ = writeln!(text, "  {},", quote(&sentence));
    }
    text.push_str("]\n");
    if !stated.answers.is_empty() {
        let digests: Vec<String> = stated.answers.iter().map(|digest| quote(digest)).collect();
        let _ = writeln!(text, "answers = [{}]", digests.join(", "));
    }
    for Looked { record, by, drawn, same, crossed } in &stated.comparisons {
        let _ = write!(
            text,
            "\n[[compared]]\nrecord  = {}\nby      = {}\ndrawn   = {drawn}\nsame    = {same}\ncrossed = {crossed}\n",
            quote(record),
            quote(by)
        );
    }
    text
}
