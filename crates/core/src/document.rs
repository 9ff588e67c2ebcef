//! What every signed document has in common: its kind, its header, who signs it.
//!
//! One kind is one format, one namespace and one row of [`Kind::signers`], chosen once,
//! here. `docs/formats.md` has the header field by field.

use jiff::{SignedDuration, Timestamp};
use toml::de::DeValue;

use crate::digest;
use crate::fault::Code;
use crate::finding::Finding;
use crate::person::Role;
use crate::reader::{Codes, Fields, Reader, Spanned};

/// Not this kind of document, or a version of it nobody knows.
pub static FORMAT: Code = Code::refused("ECL-SGN-001", "unknown document format");
/// An id that could be guessed.
pub static ID: Code = Code::refused("ECL-SGN-002", "a document's id is 128 random bits");
/// Version and `supersedes` contradict each other.
pub static VERSION: Code = Code::refused("ECL-SGN-003", "version and superseded document do not fit");
/// The contract's digest is missing, malformed, or stands where it cannot.
pub static CITES: Code = Code::refused("ECL-SGN-004", "a document cites its contract by digest");
/// A period that is none.
pub static PERIOD: Code = Code::refused("ECL-SGN-005", "the document's dates contradict each other");
/// Before its time.
pub static NOT_YET: Code = Code::refused("ECL-SGN-006", "the document is not yet in force");
/// Past its time.
pub static EXPIRED: Code = Code::refused("ECL-SGN-007", "the document has expired");
/// Made under another contract.
pub static OTHER_CONTRACT: Code =
    Code::refused("ECL-SGN-008", "the document was made under another contract");
/// Trial and real papers together.
pub static TRIAL: Code = Code::refused("ECL-SGN-009", "trial and real papers do not mix");
/// Dated in the future.
pub static FUTURE: Code = Code::refused("ECL-SGN-010", "the document is dated in the future");
/// Not TOML, or not UTF-8.
pub static SYNTAX: Code = Code::refused("ECL-SGN-011", "the document is not TOML");
static UNKNOWN: Code = Code::refused("ECL-SGN-012", "unknown key in the document's header");
static MISSING: Code = Code::refused("ECL-SGN-013", "the document's header lacks a key");
static WRONG: Code = Code::refused("ECL-SGN-014", "a value of the document's header has the wrong form");
static CODES: Codes = Codes { syntax: &SYNTAX, unknown: &UNKNOWN, missing: &MISSING, wrong: &WRONG };

/// By how much two honest clocks may differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// The kinds of document that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The contract between controller and processor.
    Contract,
    /// Leave to look at a database's catalogue.
    Survey,
    /// The controller's order.
    Instruction,
    /// Whether an instruction still stands.
    Status,
    /// A code table that changes results.
    Codes,
    /// The mapping, where it gives values that the source does not hold.
    Mapping,
    /// An operator's working day.
    Session,
    /// Who may open a sealed archive, with which key.
    Recipient,
    /// With which key the controller opens what is returned to it.
    ReturnRecipient,
    /// A page signed by hand, as its checker states it.
    Paper,
    /// Differences that the controller accepts.
    Differences,
    /// The reference data as they stand at the destination, accepted.
    Reference,
    /// The controller's answer to an objection.
    Answer,
    /// Drawn dossiers that one person of the laboratory compared.
    Comparison,
    /// What a sealed archive is, to everybody.
    Manifest,
    /// What a recipient loaded out of one.
    Receipt,
    /// What the controller found in the archive that was returned to it.
    ReturnReceipt,
    /// The migration, accepted by the controller.
    Acceptance,
    /// What was erased and looked for.
    Certificate,
    /// A copy out of our reach, destroyed by whoever took it.
    Destruction,
}

/// How many persons of a role must have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Every person whom the contract lists in the role ("all of", never "any of").
    Every,
    /// Every one, from version 2 on: a change is countersigned.
    EveryOnChange,
    /// One person: the biologist who judged, the operator who opens the session, whoever receives.
    One,
    /// The one person whom the contract names for it.
    Named,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Contract,
        Self::Survey,
        Self::Instruction,
        Self::Status,
        Self::Codes,
        Self::Mapping,
        Self::Session,
        Self::Recipient,
        Self::ReturnRecipient,
        Self::Paper,
        Self::Differences,
        Self::Reference,
        Self::Answer,
        Self::Comparison,
        Self::Manifest,
        Self::Receipt,
        Self::ReturnReceipt,
        Self::Acceptance,
        Self::Certificate,
        Self::Destruction,
    ];

    /// The word for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Survey => "survey mandate",
            Self::Instruction => "instruction",
            Self::Status => "status",
            Self::Codes => "code table",
            Self::Mapping => "mapping",
            Self::Session => "session statement",
            Self::Recipient => "recipient statement",
            Self::ReturnRecipient => "statement of the return's recipient",
            Self::Paper => "record of a paper signature",
            Self::Differences => "list of differences",
            Self::Reference => "acceptance of the reference data",
            Self::Answer => "answer to an objection",
            Self::Comparison => "record of compared dossiers",
            Self::Manifest => "manifest",
            Self::Receipt => "receipt",
            Self::ReturnReceipt => "receipt of the return",
            Self::Acceptance => "acceptance",
            Self::Certificate => "certificate of erasure",
            Self::Destruction => "statement of destruction",
        }
    }

    /// `document.format`, the version of its layout included. A code table, a mapping and the record of
    /// a paper signature have no header.
    #[must_use]
    pub const fn format(self) -> &'static str {
        match self {
            Self::Contract => "ecluse-contract/1",
            Self::Survey => "ecluse-survey/1",
            Self::Instruction => "ecluse-instruction/1",
            Self::Status => "ecluse-status/1",
            Self::Codes => "ecluse-codes/1",
            Self::Mapping => crate::mapping::FORMAT,
            Self::Session => "ecluse-session/1",
            Self::Recipient => "ecluse-recipient/1",
            Self::ReturnRecipient => "ecluse-return-recipient/1",
            Self::Paper => crate::on_paper::FORMAT,
            Self::Differences => "ecluse-differences/1",
            Self::Reference => "ecluse-reference/1",
            Self::Answer => "ecluse-answer/1",
            Self::Comparison => "ecluse-comparison/1",
            Self::Manifest => "ecluse-manifest/1",
            Self::Receipt => "ecluse-receipt/1",
            Self::ReturnReceipt => "ecluse-return-receipt/1",
            Self::Acceptance => "ecluse-acceptance/1",
            Self::Certificate => "ecluse-certificate/1",
            Self::Destruction => "ecluse-destruction/1",
        }
    }

    /// The namespace of its signatures (`ssh-keygen -Y sign -n …`): one kind, one namespace.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Contract => "ecluse-contract-v1",
            Self::Survey => "ecluse-survey-v1",
            Self::Instruction => "ecluse-instruction-v1",
            Self::Status => "ecluse-status-v1",
            Self::Codes => "ecluse-codes-v1",
            Self::Mapping => "ecluse-mapping-v1",
            Self::Session => "ecluse-session-v1",
            Self::Recipient => "ecluse-recipient-v1",
            Self::ReturnRecipient => "ecluse-return-recipient-v1",
            Self::Paper => "ecluse-paper-v1",
            Self::Differences => "ecluse-differences-v1",
            Self::Reference => "ecluse-reference-v1",
            Self::Answer => "ecluse-answer-v1",
            Self::Comparison => "ecluse-comparison-v1",
            Self::Manifest => "ecluse-manifest-v1",
            Self::Receipt => "ecluse-receipt-v1",
            Self::ReturnReceipt => "ecluse-return-receipt-v1",
            Self::Acceptance => "ecluse-acceptance-v1",
            Self::Certificate => "ecluse-certificate-v1",
            Self::Destruction => "ecluse-destruction-v1",
        }
    }

    /// Which roles sign it, and how many persons of each. No other role may.
    #[must_use]
    pub const fn signers(self) -> &'static [(Role, Demand)] {
        match self {
            Self::Contract => {
                &[(Role::ControllerSignatory, Demand::Every), (Role::ProcessorSignatory, Demand::Every)]
            }
            Self::Instruction => &[
                (Role::ControllerSignatory, Demand::Every),
                (Role::ProcessorSignatory, Demand::EveryOnChange),
            ],
            Self::Survey | Self::Status | Self::Differences | Self::Answer | Self::Acceptance => {
                &[(Role::ControllerSignatory, Demand::Every)]
            }
            Self::Certificate => &[(Role::ProcessorSignatory, Demand::Every)],
            Self::Codes | Self::Mapping | Self::Reference => &[(Role::ControllerBiologist, Demand::One)],
            Self::Session | Self::Manifest => &[(Role::Operator, Demand::One)],
            Self::Recipient | Self::Receipt => &[(Role::Recipient, Demand::One)],
            // the order that cites the key is signed by every signatory
            Self::ReturnRecipient | Self::ReturnReceipt => &[(Role::ControllerSignatory, Demand::One)],
            Self::Paper | Self::Comparison => {
                &[(Role::ControllerSignatory, Demand::Named), (Role::ControllerBiologist, Demand::Named)]
            }
            // whoever has the copy, with the own key; else a signatory of the side that answers for them
            Self::Destruction => &[
                (Role::ControllerSignatory, Demand::Named),
                (Role::ControllerBiologist, Demand::Named),
                (Role::ProcessorSignatory, Demand::Named),
                (Role::Operator, Demand::Named),
                (Role::Recipient, Demand::Named),
            ],
        }
    }
}

/// A document's header, its form checked; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The kind of document.
    pub kind: Kind,
    /// 128 random bits, in hexadecimal: the digest of a guessable document cannot be guessed.
    pub id: String,
    /// From 1.
    pub version: u64,
    /// The digest of the version before; absent at version 1.
    pub supersedes: Option<String>,
    /// The contract's digest; absent in the contract itself.
    pub contract: Option<String>,
    /// When it was written.
    pub issued: Timestamp,
    /// From when it holds, inclusive.
    pub not_before: Timestamp,
    /// Until when it holds, exclusive.
    pub not_after: Timestamp,
    /// The last journal checkpoint the signer held.
    pub seen: Option<Seen>,
    /// Papers of a trial: at most 1,000 rows of a table move.
    pub trial: bool,
}

/// A journal's checkpoint: every signature over it is a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The log's origin.
    pub origin: String,
    /// Entries in it.
    pub size: u64,
    /// Its root hash.
    pub root: String,
}

impl Header {
    /// What keeps the document from holding at this moment, if anything:
    /// [`NOT_YET`], [`EXPIRED`], [`FUTURE`].
    #[must_use]
    pub fn objection(&self, now: Timestamp) -> Option<Finding> {
        let name = self.kind.name();
        if self.issued > now.saturating_add(CLOCKS).unwrap_or(now) {
            let message = format!("this {name} was issued on {}, which has not come", self.issued);
            return Some(
                Finding::new(&FUTURE, message).help("compare this machine's clock with the signer's"),
            );
        }
        if now < self.not_before {
            return Some(Finding::new(&NOT_YET, format!("this {name} holds from {}", self.not_before)));
        }
        (now >= self.not_after).then(|| {
            Finding::new(&EXPIRED, format!("this {name} held until {}", self.not_after))
                .help(format!("a new version of the {name}, signed again, is needed"))
        })
    }
}

/// A document's bytes as text.
///
/// # Errors
/// [`SYNTAX`], naming the first byte that is not UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Vec<Finding>> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        vec![Finding::new(&SYNTAX, format!("byte {at} is not UTF-8"))]
    })
}

/// Reads and checks the `[document]` header; other sections are left to their own readers.
///
/// # Errors
/// Everything that is wrong with the header, in the order of the document.
pub fn header(text: &str, kind: Kind) -> Result<Header, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let header = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        root.table(&mut r, "document").and_then(|fields| read(&mut r, fields, kind))
    });
    r.finish(header)
}

fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>, kind: Kind) -> Option<Header> {
    let format = t.text(r, "format")?;
    if format.value != kind.format() {
        let message = format!("`{}` is not `{}`", format.value, kind.format());
        let help = match Kind::ALL.into_iter().find(|k| k.format() == format.value) {
            Some(other) => {
                format!("a document of another kind: {}; wanted here: {}", other.name(), kind.name())
            }
            None => format!("this version reads {}", kind.format()),
        };
        r.find(Finding::new(&FORMAT, message).at(format.span).help(help));
        // what follows may have other names and meanings in another format: one finding is enough
        return None;
    }
    let id = t.text(r, "id");
    if let Some(id) = id.as_ref().filter(|id| !random_id(&id.value)) {
        let finding = Finding::new(&ID, "`id` wants 32 lower-case hexadecimal digits, drawn at random");
        r.find(finding.at(id.span.clone()).help("`ecluse new` draws one; or: openssl rand -hex 16"));
    }
    let version = version(r, &mut t);
    let supersedes = t.maybe_text(r, "supersedes");
    let contract = t.maybe_text(r, "contract");
    cites(r, &t, kind, version.as_ref(), supersedes.as_ref(), contract.as_ref());
    let issued = instant(r, &mut t, "issued");
    let not_before = instant(r, &mut t, "not_before");
    let not_after = instant(r, &mut t, "not_after");
    if let (Some(from), Some(until)) = (&not_before, &not_after)
        && until.value <= from.value
    {
        let finding = Finding::new(&PERIOD, "`not_after` is not later than `not_before`");
        r.find(finding.at(until.span.clone()));
    }
    let seen = t.maybe_table(r, "seen").and_then(|s| seen(r, s));
    let trial = t.flag(r, "trial");
    t.end(r);
    Some(Header {
        kind,
        id: id?.value,
        version: version?.value,
        supersedes: supersedes.map(|s| s.value),
        contract: contract.map(|c| c.value),
        issued: issued?.value,
        not_before: not_before?.value,
        not_after: not_after?.value,
        seen,
        trial,
    })
}

fn random_id(id: &str) -> bool {
    let hexadecimal = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    // not a proof of chance, but a placeholder or a counter shows
    hexadecimal && id.bytes().collect::<std::collections::BTreeSet<u8>>().len() >= 6
}

fn version(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<Spanned<u64>> {
    let version = t.maybe_number(r, "version");
    match &version {
        Some(version) if version.value == 0 => {
            r.find(Finding::new(&VERSION, "versions begin at 1").at(version.span.clone()));
            None
        }
        None if t.get("version").is_none() => {
            r.find(Finding::new(&MISSING, "`version` is missing in `document`").at(t.span.clone()));
            None
        }
        _ => version,
    }
}

fn cites(
    r: &mut Reader<'_>,
    t: &Fields<'_, '_>,
    kind: Kind,
    version: Option<&Spanned<u64>>,
    supersedes: Option<&Spanned<String>>,
    contract: Option<&Spanned<String>>,
) {
    for (what, cited) in [("supersedes", supersedes), ("contract", contract)] {
        if let Some(cited) = cited.filter(|cited| !digest::well_formed(&cited.value)) {
            let message = format!("`{what}` wants sha256: and 64 lower-case hexadecimal digits");
            r.find(Finding::new(&WRONG, message).at(cited.span.clone()));
        }
    }
    match (version.map(|v| v.value), supersedes) {
        (Some(1), Some(cited)) => {
            let finding = Finding::new(&VERSION, "version 1 supersedes nothing").at(cited.span.clone());
            r.find(finding.help("write the next version's number, or take `supersedes` out"));
        }
        (Some(2..), None) => {
            let finding = Finding::new(
                &VERSION,
                "`supersedes` is missing: from version 2 on it cites the version before",
            );
            r.find(finding.at(version.map_or_else(|| t.span.clone(), |v| v.span.clone())));
        }
        _ => {}
    }
    match (kind, contract) {
        (Kind::Contract, Some(cited)) => {
            r.find(Finding::new(&CITES, "a contract cites no contract").at(cited.span.clone()));
        }
        (Kind::Contract, None) | (_, Some(_)) => {}
        (_, None) => {
            let finding =
                Finding::new(&CITES, "`contract` is missing: the digest of the contract this is made under");
            r.find(finding.at(t.span.clone()).help("sha256sum contract.toml"));
        }
    }
}

fn seen(r: &mut Reader<'_>, mut s: Fields<'_, '_>) -> Option<Seen> {
    let origin = s.text(r, "origin");
    let size = s.maybe_number(r, "size");
    let root = s.text(r, "root");
    s.end(r);
    Some(Seen { origin: origin?.value, size: size?.value, root: root?.value })
}

/// A moment with its offset: `2026-11-22T09:00:00Z`.
fn instant(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key: &'static str) -> Option<Spanned<Timestamp>> {
    let Some(value) = t.get(key) else {
        let finding = Finding::new(&MISSING, format!("`{key}` is missing in `document`"));
        r.find(finding.at(t.span.clone()));
        return None;
    };
    let moment: Option<Timestamp> = match value.get_ref() {
        DeValue::Datetime(moment) => moment.to_string().parse().ok(),
        DeValue::String(text) => text.parse().ok(),
        _ => None,
    };
    if moment.is_none() {
        let message = format!("`{key}` wants a moment with its offset, like 2026-11-22T09:00:00Z");
        r.find(Finding::new(&WRONG, message).at(value.span()));
    }
    moment.map(|moment| Spanned::new(moment, value.span()))
}
