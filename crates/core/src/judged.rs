//! What a biologist signs: every code table, and a mapping that gives values of its own.
//!
//! Whoever extracts or moves rows asks it of the files beside the papers, whoever loads them of those that came
//! inside the seal: one check for both.

use jiff::Timestamp;

use crate::codes::{self, CodeTable};
use crate::contract::Contract;
use crate::dictionary::Dictionary;
use crate::document::Kind;
use crate::finding::Finding;
use crate::mapping::{self, Mapping};
use crate::signatures::{self, SignatureFile, Signer};

/// A mapping or a code table under which every biologist's signature stands that is due, each over the text it was
/// read from. Only [`Judged::mapping`] and [`Judged::code_table`] make one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::judged::Judged;
/// # use ecluse_core::mapping::Mapping;
/// fn forge(paper: Mapping, real: Judged<Mapping>) -> Judged<Mapping> {
///     Judged { paper, ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Judged<T> {
    paper: T,
    signers: Vec<Signer>,
}

impl<T> Judged<T> {
    /// What was signed.
    #[must_use]
    pub const fn paper(&self) -> &T {
        &self.paper
    }

    /// What was signed, and who signed it; nobody, where nobody had to.
    #[must_use]
    pub fn apart(self) -> (T, Vec<Signer>) {
        (self.paper, self.signers)
    }
}

impl Judged<Mapping> {
    /// Reads a mapping and checks its signatures: one is due where it gives values that the source does not hold (a
    /// boolean, a constant, joined texts turn a result round as a code table does), and one that is there and not due
    /// has to hold.
    ///
    /// # Errors
    /// Everything that is wrong with its text; else one finding per bad or absent signature, an absent one at the value
    /// for which it is due.
    pub fn mapping(
        text: &str,
        files: &[SignatureFile],
        dictionary: &Dictionary,
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let mapping = mapping::parse(text)?;
        let own = mapping::own(&mapping, dictionary).into_iter().find(|own| own.judged);
        let due = own.as_ref().map(|own| own.column.to.span.clone());
        if due.is_none() && files.is_empty() {
            return Ok(Self { paper: mapping, signers: Vec::new() });
        }
        let place = |finding: Finding| match &due {
            Some(span) if finding.code.id == signatures::ABSENT.id => finding.at(span.clone()),
            _ => finding,
        };
        let signed = contract
            .signatures(Kind::Mapping, 1, text.as_bytes(), files, now)
            .map_err(|findings| findings.into_iter().map(place).collect::<Vec<_>>())?;
        Ok(Self { paper: mapping, signers: signed.signers().to_vec() })
    }
}

impl Judged<CodeTable> {
    /// Reads a code table and checks its signatures: whether one changes how a result reads is what the biologist
    /// judges. Neither the table's own word for it nor a column's class, which a survey guessed from names, could
    /// answer that beforehand.
    ///
    /// # Errors
    /// Everything that is wrong with its text; else one finding per bad or absent signature.
    pub fn code_table(
        text: &str,
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let paper = codes::parse(text)?;
        let signed = contract.signatures(Kind::Codes, 1, text.as_bytes(), files, now)?;
        Ok(Self { paper, signers: signed.signers().to_vec() })
    }
}
