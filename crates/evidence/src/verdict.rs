//! What is said of an evidence file: lines in words, each with what became of the check.

use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use serde::Serialize;

/// Something in the file does not hold.
pub static REFUSED: Code = Code::refused("ECL-EVI-001", "the evidence does not hold");
/// Everything holds, and nobody said whose keys these are.
pub static NOT_ESTABLISHED: Code = Code::refused("ECL-EVI-002", "consistent; controller not established");
/// What is there agrees, and no certificate says that it is all there is.
pub static NOT_CERTIFIED: Code =
    Code::refused("ECL-EVI-008", "what is there agrees; the migration is not certified");

/// The same in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In French.
    pub fr: String,
}

impl Words {
    pub(crate) fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }

    /// In this language.
    #[must_use]
    pub fn of(&self, language: Language) -> &str {
        language.of(&self.en, &self.fr)
    }
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was made, and holds.
    Holds,
    /// It was made, and does not hold; or what it needs is missing.
    Fails,
    /// Nobody can make it any more: the key it needs was destroyed, as it had to be.
    Lost,
    /// There is nothing to check, and nothing that had to be there.
    Absent,
    /// It is there, and covered by no signature: in a file without a certificate alone, which never holds.
    Uncovered,
}

impl State {
    /// In words.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match self {
            Self::Holds => language.of("holds", "tient"),
            Self::Fails => language.of("does not hold", "ne tient pas"),
            Self::Lost => language.of("cannot be recomputed", "ne peut plus être recalculé"),
            Self::Absent => language.of("not there", "absent"),
            Self::Uncovered => language.of("covered by no signature", "couvert par aucune signature"),
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The file in the evidence that it is about.
    pub of: String,
    /// What became of it.
    pub state: State,
    /// What was checked, and what was found.
    #[serde(flatten)]
    pub words: Words,
    /// Where it does not hold: the code, and the place in the file; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// What was found of a file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) certified: bool,
    pub(crate) established: bool,
}

/// What is said of a whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// Whether a signed certificate closes the file, and holds.
    pub certified: bool,
    /// Whether the controller's keys are those that somebody brought.
    pub established: bool,
    /// Every check, in the chain's order.
    pub lines: Vec<Line>,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every check holds, a certificate closes the file, and the controller's keys are those that somebody
    /// brought.
    Holds,
    /// Every check holds, and a certificate closes the file; whose keys these are, nobody said.
    NotEstablished,
    /// Every check that could be made holds; no certificate closes the file, so that what is missing in it was
    /// never there or was taken away: nobody can tell which.
    NotCertified,
    /// Something does not hold.
    Refused,
}

impl Outcome {
    /// In words.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match self {
            Self::Holds => language.of("The evidence holds.", "La preuve tient."),
            Self::NotEstablished => language.of(
                "Consistent; controller not established.",
                "Cohérente ; responsable de traitement non établi.",
            ),
            Self::NotCertified => language.of(
                "What is there agrees; the migration is not certified.",
                "Ce qui est là concorde ; la migration n’est pas attestée.",
            ),
            Self::Refused => language.of("The evidence does not hold.", "La preuve ne tient pas."),
        }
    }
}

impl Verdict {
    pub(crate) fn new(lines: Vec<Line>, Settled { certified, established }: Settled) -> Self {
        let fails = lines.iter().any(|line| line.state == State::Fails);
        let outcome = match (fails, certified, established) {
            (true, _, _) => Outcome::Refused,
            (false, false, _) => Outcome::NotCertified,
            (false, true, false) => Outcome::NotEstablished,
            (false, true, true) => Outcome::Holds,
        };
        Self { outcome, certified, established, lines }
    }

    /// Of bytes that are no evidence file, or are not as [`crate::pack`] writes one.
    pub(crate) fn of_no_file(bent: &crate::file::Bent) -> Self {
        let line = Line {
            of: crate::FILE.to_owned(),
            state: State::Fails,
            words: Words::new(
                "This is not an evidence file as écluse writes it, byte for byte.",
                "Ce fichier n’est pas, octet pour octet, une preuve telle qu’écluse l’écrit.",
            ),
            finding: Some(bent.to_string()),
        };
        Self::new(vec![line], Settled::default())
    }

    /// The verdict as a command's end.
    ///
    /// # Errors
    /// [`REFUSED`], naming the first check that does not hold; [`NOT_CERTIFIED`]; [`NOT_ESTABLISHED`].
    pub fn judge(&self) -> Result<()> {
        match self.outcome {
            Outcome::Holds => Ok(()),
            Outcome::NotEstablished => Err(NOT_ESTABLISHED.fault("").help(
                "read the fingerprint of the controller's key in the paper contract, or by telephone, and give it: --trust SHA256:…",
            )),
            Outcome::NotCertified => Err(NOT_CERTIFIED.fault("").help(
                "ask for the evidence of the closed migration: `ecluse certify sign` writes it",
            )),
            Outcome::Refused => {
                let first = self.lines.iter().find(|line| line.state == State::Fails);
                let of = first.map(|line| line.of.clone()).unwrap_or_default();
                Err(REFUSED.fault(of).help("rely on nothing in this file; ask for it again where it was made"))
            }
        }
    }
}
