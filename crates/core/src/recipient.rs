//! The recipient of a sealed archive: who may open it, with which key, until when.
//!
//! One age key per migration, made and kept by whoever receives, stated under the recipient's contract key
//! and cited by the instruction. A new recipient is a new statement, a new instruction and a new archive.
//!
//! What the controller has returned to it is sealed to a key of its own, stated in the same form by one of its
//! signatories ([`Recipient::of_controller`]) and cited under `[return]`.

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::{Header, Kind};
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::instruction::{self, SealedTo};
use crate::keys::{Key, day};
use crate::paper::Paper;
use crate::person::Role;
use crate::reader::{self, Codes, Spanned};
use crate::signatures::SignatureFile;
use crate::template;

/// The file in a migration's folder.
pub const FILE: &str = "recipient.toml";
/// The controller's own, to whom classes are returned.
pub const RETURN_FILE: &str = "return-recipient.toml";

static SYNTAX: Code = Code::refused("ECL-RCP-001", "the recipient statement is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-RCP-002", "unknown key in the recipient statement");
static MISSING_KEY: Code = Code::refused("ECL-RCP-003", "the recipient statement lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-RCP-004", "a value of the recipient statement has the wrong form");
/// age's hybrid recipient, which this version cannot seal to.
pub static POST_QUANTUM: Code =
    Code::refused("ECL-RCP-005", "this version does not seal to a post-quantum recipient");
/// The statement speaks for another legal entity than its signer does in the contract.
pub static OTHER_ENTITY: Code =
    Code::refused("ECL-RCP-010", "the recipient statement names another legal entity than its signer's");
/// No right before the commitment.
pub static NO_COMMITMENT: Code =
    Code::refused("ECL-RCP-011", "the recipient has not committed to confidentiality yet");
/// The order cites another statement.
pub static OTHER_STATEMENT: Code =
    Code::refused("ECL-RCP-012", "the order cites another recipient statement");
/// The order seals to another key than the recipient stated.
pub static OTHER_KEY: Code =
    Code::refused("ECL-RCP-013", "the order seals to another key than the recipient stated");
/// The order holds longer than the key may be used.
pub static OUTLIVED: Code = Code::refused("ECL-RCP-014", "the order outlives its recipient statement");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// What a recipient statement says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The age recipient to which the archive is sealed (`age1…`).
    pub age: Spanned<String>,
    /// What the archive is for.
    pub purpose: Spanned<String>,
    /// The legal entity that receives: the contract's processor, or one of its sub-processors.
    pub entity: Spanned<String>,
}

/// A recipient in force. Only [`Recipient::in_force`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::recipient::Recipient;
/// fn forge(real: Recipient) -> Recipient {
///     Recipient { ..real }
/// }
/// ```
pub type Recipient = Paper<Statement>;

impl Paper<Statement> {
    /// Checks a recipient statement under its contract, as of `now`.
    ///
    /// # Errors
    /// Every fault at once: header, signature, entity, commitment.
    pub fn in_force(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let recipient = Self::open(Kind::Recipient, bytes, files, contract, now, read)?;
        let statement = recipient.stated();
        let mut findings = Vec::new();
        for signer in recipient.signers() {
            let own = |key: &&Key| key.email == signer.email && key.fingerprint() == signer.fingerprint;
            let key = contract.keys(Role::Recipient).find(own);
            let entity = key.and_then(|key| key.entity.as_deref()).unwrap_or_default();
            if entity != statement.entity.value {
                let message = format!(
                    "it names {}, and {} receives for {entity}",
                    statement.entity.value, signer.person
                );
                let finding = Finding::new(&OTHER_ENTITY, message).at(statement.entity.span.clone());
                findings.push(finding.help("whoever receives signs with the own key, for the own entity"));
            }
            if key.and_then(|key| key.confidentiality).is_none_or(|on| on > day(now)) {
                let message = format!("{} has no commitment of this day or earlier", signer.person);
                findings.push(
                    Finding::new(&NO_COMMITMENT, message).law("GDPR Art. 28(3)(b)").help(
                        "the recipient signs the commitment, and an amendment of the contract dates it",
                    ),
                );
            }
        }
        if findings.is_empty() { Ok(recipient) } else { Err(findings) }
    }

    /// Checks the controller's own statement: with which key it opens what is returned to it.
    ///
    /// # Errors
    /// Every fault at once: header, signature, entity.
    pub fn of_controller(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let recipient = Self::open(Kind::ReturnRecipient, bytes, files, contract, now, read)?;
        let statement = recipient.stated();
        let controller = &contract.terms().controller.name;
        if statement.entity.value == *controller {
            return Ok(recipient);
        }
        let message =
            format!("it names {}, and what is returned goes to {controller}", statement.entity.value);
        let finding = Finding::new(&OTHER_ENTITY, message).at(statement.entity.span.clone());
        Err(vec![
            finding.law("GDPR Art. 28(3)(g)").help("write the controller's name as the contract has it"),
        ])
    }

    /// Compares the statement with what an order cites; `order` is the order's header.
    ///
    /// # Errors
    /// [`OTHER_STATEMENT`], [`OTHER_KEY`], [`OUTLIVED`], with their places in the order.
    pub fn is_cited(&self, cited: &SealedTo, order: &Header) -> Result<(), Vec<Finding>> {
        let mut findings = Vec::new();
        let place =
            |finding: Finding, at: &Spanned<String>| finding.at(at.span.clone()).in_file(instruction::FILE);
        let digest = self.digest();
        if cited.statement.value != digest {
            let finding = Finding::new(&OTHER_STATEMENT, format!("the statement here is {digest}"));
            let show = match self.header().kind {
                Kind::ReturnRecipient => "ecluse recipient show --return",
                _ => "ecluse recipient show",
            };
            findings.push(place(finding, &cited.statement).help(format!(
                "cite the statement that the recipient signed ({show}), or put back the one that is cited",
            )));
        }
        if cited.age.value != self.age() {
            let finding = Finding::new(&OTHER_KEY, format!("{} was stated", self.age()));
            findings.push(place(finding, &cited.age).help("write the statement's own key, letter by letter"));
        }
        if order.not_after > self.header().not_after {
            let message = format!(
                "the order holds until {}, the statement until {}",
                order.not_after,
                self.header().not_after
            );
            let finding = Finding::new(&OUTLIVED, message);
            findings.push(
                place(finding, &cited.statement).help(
                    "write an earlier `not_after` into the order, or cite a statement that holds longer",
                ),
            );
        }
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    /// The age recipient (`age1…`).
    #[must_use]
    pub fn age(&self) -> &str {
        &self.stated().age.value
    }

    /// What the archive is for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.stated().purpose.value
    }

    /// The legal entity that receives.
    #[must_use]
    pub fn entity(&self) -> &str {
        &self.stated().entity.value
    }
}

/// Reads a recipient statement's text, the header apart.
///
/// # Errors
/// Everything wrong with it.
pub fn read(text: &str) -> Result<Statement, Vec<Finding>> {
    reader::stated(text, &CODES, "recipient", |r, mut t, _| {
        let age = t.text(r, "age");
        let purpose = t.text(r, "purpose");
        let entity = t.text(r, "entity");
        t.end(r);
        let statement = Statement { age: age?, purpose: purpose?, entity: entity? };
        if let Some(finding) = age_objection(&WRONG_VALUE, "age", &statement.age) {
            r.find(finding.help("`ecluse recipient new` makes the identity and writes its key"));
        }
        for (key, text) in [("purpose", &statement.purpose), ("entity", &statement.entity)] {
            if !template::filled(&text.value) {
                let finding = Finding::new(&WRONG_VALUE, format!("`{key}` is not filled in"));
                r.find(finding.at(text.span.clone()));
            }
        }
        Some(statement)
    })
}

/// What keeps a text from being an X25519 recipient of age's, by its form; `wrong` where it is none at all.
/// Its check sum is age's to verify.
pub(crate) fn age_objection(wrong: &'static Code, key: &str, text: &Spanned<String>) -> Option<Finding> {
    let (code, message) = if text.value.starts_with("age1pq1") {
        (&POST_QUANTUM, format!("`{key}` is a hybrid key (mlkem768x25519)"))
    } else {
        let body = text.value.strip_prefix("age1").unwrap_or_default();
        if body.len() == 58 && body.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return None;
        }
        (wrong, format!("`{key}` wants one age recipient, age1 and 58 characters"))
    };
    Some(Finding::new(code, message).at(text.span.clone()))
}
