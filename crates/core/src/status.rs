//! Whether an instruction still stands: the controller's word, no older than the instruction allows.
//!
//! A signature says for ever that an order was given; only a fresh status says that it
//! was not taken back. A run asks at its start and at every chunk.

use jiff::{SignedDuration, Timestamp};

use crate::contract::Contract;
use crate::digest;
use crate::document::{Header, Kind};
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::language::Language;
use crate::reader::{self, Codes, Fields, Reader, Spanned};
use crate::signatures::{SignatureFile, Signed, Signer};

static SYNTAX: Code = Code::refused("ECL-STA-001", "the status is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-STA-002", "unknown key in the status");
static MISSING_KEY: Code = Code::refused("ECL-STA-003", "the status lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-STA-004", "a value of the status has the wrong form");
/// The controller suspended the instruction.
pub static SUSPENDED: Code = Code::refused("ECL-STA-010", "the controller has suspended the instruction");
/// The controller revoked the instruction.
pub static REVOKED: Code = Code::refused("ECL-STA-011", "the controller has revoked the instruction");
/// Older than the instruction allows.
pub static TOO_OLD: Code = Code::refused("ECL-STA-012", "the status is older than the instruction allows");
/// About another instruction.
pub static OTHER_INSTRUCTION: Code = Code::refused("ECL-STA-013", "the status is about another instruction");
/// An older version than one already seen.
pub static ROLLED_BACK: Code =
    Code::refused("ECL-STA-014", "the status is an earlier one than was already seen");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// What the controller says of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `in force`.
    InForce,
    /// `suspended`: nothing more is read until a later status says otherwise.
    Suspended,
    /// `revoked`: for good.
    Revoked,
}

impl State {
    /// The word in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

/// What a status says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The instruction's digest.
    pub instruction: Spanned<String>,
    /// Its state, as of the document's `issued`.
    pub state: State,
    /// Why; always there where it is suspended or revoked.
    pub reason: Option<String>,
}

/// An instruction's standing: a status that was signed, is fresh, and says "in force".
/// Only [`Standing::ask`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::status::Standing;
/// fn forge(real: Standing) -> Standing {
///     Standing { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Standing {
    header: Header,
    signed: Signed,
}

impl Standing {
    /// Asks whether the instruction of that digest stands at `now`; `max_age` is the
    /// instruction's `status_max_age`.
    ///
    /// # Errors
    /// [`SUSPENDED`], [`REVOKED`], [`TOO_OLD`], [`OTHER_INSTRUCTION`], or every fault of header and signatures.
    pub fn ask(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        instruction: &str,
        max_age: SignedDuration,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        Heard::hear(bytes, files, contract, instruction, max_age, now)?.standing
    }

    /// Whether this word is still fresh, `max_age` after it was given.
    ///
    /// # Errors
    /// [`TOO_OLD`].
    pub fn fresh(&self, max_age: SignedDuration, now: Timestamp) -> Result<()> {
        self.too_old(max_age, now).map_or(Ok(()), |finding| Err(finding.fault()))
    }

    fn too_old(&self, max_age: SignedDuration, now: Timestamp) -> Option<Finding> {
        (self.as_of().duration_until(now) > max_age).then(|| {
            let message = format!("it was given on {}; the instruction allows {max_age:#}", self.as_of());
            Finding::new(&TOO_OLD, message)
                .help("the controller's signatory gives a new one: ecluse instruction status")
        })
    }

    /// When the word was given.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.header.issued
    }

    /// The status document's version: the first is 1, and each later word is a next version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.header.version
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
}

/// A verified status about this instruction, whatever it says: also a word that refuses has
/// to be remembered, or an older "in force" would undo it. Only [`Heard::hear`] makes one.
#[derive(Clone, Debug)]
pub struct Heard {
    version: u64,
    revoked: bool,
    /// The standing it gives, or why it gives none: suspended, revoked, too old.
    pub standing: Result<Standing, Vec<Finding>>,
}

impl Heard {
    /// Reads a status and checks who signed it, as [`Standing::ask`] does.
    ///
    /// # Errors
    /// [`OTHER_INSTRUCTION`], or every fault of header and signatures: then nothing was heard.
    pub fn hear(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        instruction: &str,
        max_age: SignedDuration,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let (header, signed) = contract.open(Kind::Status, bytes, files, now)?;
        let word = read(&signed.text()?)?;
        if word.instruction.value != instruction {
            let message =
                format!("it speaks of {}, the instruction is {instruction}", word.instruction.value);
            return Err(vec![Finding::new(&OTHER_INSTRUCTION, message).at(word.instruction.span)]);
        }
        let mut findings = Vec::new();
        match word.state {
            State::InForce => {}
            State::Suspended => findings.push(stopped(&SUSPENDED, &header, &signed, &word)),
            State::Revoked => findings.push(stopped(&REVOKED, &header, &signed, &word)),
        }
        let version = header.version;
        let standing = Standing { header, signed };
        findings.extend(standing.too_old(max_age, now));
        let standing = if findings.is_empty() { Ok(standing) } else { Err(findings) };
        Ok(Self { version, revoked: word.state == State::Revoked, standing })
    }

    /// The status document's version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether it revokes the instruction.
    #[must_use]
    pub const fn revoked(&self) -> bool {
        self.revoked
    }
}

/// What a migration has met of an instruction's status so far: it never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// The highest version.
    pub version: u64,
    /// Whether one of them revoked it: for good.
    pub revoked: bool,
}

impl Met {
    /// With this word met too.
    #[must_use]
    pub fn and(self, heard: &Heard) -> Self {
        Self { version: self.version.max(heard.version), revoked: self.revoked || heard.revoked }
    }

    /// Whether a word may be relied on after what was met before it, of which only the
    /// version and the revocation count: an old "in force" must not cover a newer "revoked".
    ///
    /// # Errors
    /// [`ROLLED_BACK`].
    pub fn precedes(self, heard: &Heard) -> Result<()> {
        if heard.version >= self.version {
            return Ok(());
        }
        Err(ROLLED_BACK
            .fault(format!("version {} was seen, this is version {}", self.version, heard.version)))
    }

    /// Whether nothing that was met revoked the instruction.
    ///
    /// # Errors
    /// [`REVOKED`]: no later word takes a revocation back.
    pub fn unrevoked(self) -> Result<()> {
        if self.revoked {
            return Err(REVOKED
                .fault("a status met earlier revoked it, for good")
                .help("a new instruction has to be signed"));
        }
        Ok(())
    }
}

fn stopped(code: &'static Code, header: &Header, signed: &Signed, word: &Word) -> Finding {
    let reason = word.reason.clone().unwrap_or_default();
    let by: Vec<String> = signed.signers().iter().map(|s| s.told(Language::English)).collect();
    let finding = Finding::new(code, format!("by {} on {}: {reason}", by.join(" and "), header.issued));
    finding.law("GDPR Art. 28(3)(a)").help(match word.state {
        State::Revoked => "for good: a new instruction has to be drafted and signed",
        State::Suspended | State::InForce => {
            "ask the signatory, who lifts it by a new word: ecluse instruction status --key FILE"
        }
    })
}

/// Reads a status's text, the header apart.
///
/// # Errors
/// Everything wrong with it.
pub fn read(text: &str) -> Result<Word, Vec<Finding>> {
    reader::stated(text, &CODES, "status", |r, t, _| word(r, t))
}

fn word(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Word> {
    let instruction = t.text(r, "instruction");
    if let Some(wrong) = instruction.as_ref().filter(|d| !digest::well_formed(&d.value)) {
        let finding =
            Finding::new(&WRONG_VALUE, "`instruction` wants sha256: and 64 lower-case hexadecimal digits");
        r.find(finding.at(wrong.span.clone()).help("sha256sum instruction.toml"));
    }
    let state = t.text(r, "state").and_then(|word| {
        let states = [State::InForce, State::Suspended, State::Revoked];
        let state = states.into_iter().find(|state| state.name() == word.value);
        if state.is_none() {
            let finding = Finding::new(&WRONG_VALUE, format!("`{}` is no state", word.value)).at(word.span);
            r.find(finding.help("\"in force\", \"suspended\" or \"revoked\""));
        }
        state
    });
    let reason =
        t.maybe_text(r, "reason").map(|reason| reason.value).filter(|reason| !reason.trim().is_empty());
    if reason.is_none() && matches!(state, Some(State::Suspended | State::Revoked)) {
        r.find(Finding::new(&MISSING_KEY, "`reason` is missing: why it is stopped").at(t.span.clone()));
    }
    t.end(r);
    Some(Word { instruction: instruction?, state: state?, reason })
}
