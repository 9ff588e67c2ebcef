//! The operator's session: one named person opens it with an own key, for at most 12 hours.

use jiff::{SignedDuration, Timestamp};

use crate::contract::Contract;
use crate::document::{Header, Kind};
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::keys::day;
use crate::person::{self, Role, same_person_key};
use crate::reader::{self, Codes, Spanned};
use crate::recipient::age_objection;
use crate::signatures::{SignatureFile, Signed, Signer};

static SYNTAX: Code = Code::refused("ECL-SES-001", "the session statement is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-SES-002", "unknown key in the session statement");
static MISSING_KEY: Code = Code::refused("ECL-SES-003", "the session statement lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-SES-004", "a value of the session statement has the wrong form");
/// Longer than a working day.
pub static TOO_LONG: Code = Code::refused("ECL-SES-010", "a session lasts 12 hours at most");
/// Signed by somebody else than it names.
pub static OTHER_PERSON: Code =
    Code::refused("ECL-SES-011", "the session names another person than the one who signed");
/// No right before the commitment.
pub static NO_COMMITMENT: Code =
    Code::refused("ECL-SES-012", "the operator has not committed to confidentiality yet");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The longest session.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// What a session statement says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The operator's first and last name.
    pub operator: Spanned<String>,
    /// The operator's own address, as in the contract.
    pub email: Spanned<String>,
    /// The age recipient to which the run's state is sealed.
    pub recipient: Spanned<String>,
}

/// A session in force. Only [`Session::in_force`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::session::Session;
/// fn forge(real: Session) -> Session {
///     Session { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    statement: Statement,
    header: Header,
    fingerprint: String,
    signed: Signed,
}

impl Session {
    /// Checks a session statement under its contract, as of `now`.
    ///
    /// # Errors
    /// Every fault at once: length, person, commitment, header, signature.
    pub fn in_force(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let (header, signed) = contract.open(Kind::Session, bytes, files, now)?;
        let statement = read(&signed.text()?)?;
        let mut findings = Vec::new();
        if header.not_before.duration_until(header.not_after) > LONGEST {
            let message = format!("from {} to {} is longer", header.not_before, header.not_after);
            findings.push(
                Finding::new(&TOO_LONG, message).help("open a new session: ecluse session new --key FILE"),
            );
        }
        let signer = signed.signers().iter().find(|signer| {
            signer.email == statement.email.value
                && same_person_key(&signer.person) == same_person_key(&statement.operator.value)
        });
        let Some(signer) = signer else {
            let others: Vec<&str> = signed.signers().iter().map(|s| s.person.as_str()).collect();
            let message = format!("it names {}, and {} signed", statement.operator.value, others.join(", "));
            findings.push(Finding::new(&OTHER_PERSON, message).at(statement.operator.span.clone()));
            return Err(findings);
        };
        if signed.signers().iter().any(|other| other.email != signer.email) {
            let finding = Finding::new(&OTHER_PERSON, "more than one person signed")
                .at(statement.operator.span.clone());
            findings.push(finding.help("one session, one person: leave one signature"));
        }
        findings.extend(uncommitted(contract, &signer.email, now));
        if !findings.is_empty() {
            return Err(findings);
        }
        let fingerprint = signer.fingerprint.clone();
        Ok(Self { statement, header, fingerprint, signed })
    }

    /// The operator's name.
    #[must_use]
    pub fn operator(&self) -> &str {
        &self.statement.operator.value
    }

    /// The operator's address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.statement.email.value
    }

    /// The fingerprint of the key that opened it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The age recipient to which the run's state is sealed (`age1…`).
    #[must_use]
    pub fn recipient(&self) -> &str {
        &self.statement.recipient.value
    }

    /// The document's header: its id names the session in events.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        self.signed.signers()
    }

    /// The signed bytes' digest.
    #[must_use]
    pub fn digest(&self) -> String {
        self.signed.digest()
    }

    /// Whether the session still lasts: asked again while a run goes on.
    ///
    /// # Errors
    /// The header's objection.
    pub fn lasts(&self, now: Timestamp) -> Result<()> {
        self.header.objection(now).map_or(Ok(()), |finding| Err(finding.fault()))
    }
}

/// No access right is effective before the dated commitment (GDPR Art. 28(3)(b)).
fn uncommitted(contract: &Contract, email: &str, now: Timestamp) -> Option<Finding> {
    let committed = contract
        .keys(Role::Operator)
        .filter(|key| key.email == email)
        .any(|key| key.confidentiality.is_some_and(|on| on <= day(now)));
    (!committed).then(|| {
        Finding::new(&NO_COMMITMENT, "the contract has no commitment of this day or earlier")
            .law("GDPR Art. 28(3)(b)")
            .help("the operator signs the commitment, and an amendment of the contract dates it")
    })
}

/// Reads a session statement's text, the header apart.
///
/// # Errors
/// Everything wrong with it.
pub fn read(text: &str) -> Result<Statement, Vec<Finding>> {
    reader::stated(text, &CODES, "session", |r, mut t, _| {
        let operator = t.text(r, "operator");
        let email = t.text(r, "email");
        let recipient = t.text(r, "recipient");
        t.end(r);
        let statement = Statement { operator: operator?, email: lower(email?), recipient: recipient? };
        for finding in person::natural(&statement.operator, &statement.email) {
            r.find(finding);
        }
        if let Some(finding) = age_objection(&WRONG_VALUE, "recipient", &statement.recipient) {
            r.find(finding.help("`ecluse session new` makes the identity and writes it"));
        }
        Some(statement)
    })
}

fn lower(email: Spanned<String>) -> Spanned<String> {
    Spanned::new(email.value.to_lowercase(), email.span)
}
