//! The manifest of a sealed archive: all of it that anybody can read without a key.
//!
//! Ids, sizes and digests of what is sealed, who sealed it, to whom, under which order and until when;
//! nothing that would tell which laboratory, which tables or how many rows (`docs/formats.md`). A part's
//! file name is made of its number, so that no manifest can name another file.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::Kind;
use crate::fault::Code;
use crate::finding::Finding;
use crate::paper::Paper;
use crate::person::Role;
use crate::reader::{Codes, Fields, Reader, Spanned, quote};
use crate::recipient::{self, Recipient};
use crate::signatures::{SignatureFile, Signer};
use crate::template::{self, Head};

static SYNTAX: Code = Code::refused("ECL-MAN-001", "the manifest is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-MAN-002", "unknown key in the manifest");
static MISSING_KEY: Code = Code::refused("ECL-MAN-003", "the manifest lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-MAN-004", "a value of the manifest has the wrong form");
/// A suite that this version does not know.
pub static SUITE: Code = Code::refused("ECL-MAN-005", "this version does not know the archive's suite");
/// A part missing, named twice, or out of order.
pub static PARTS: Code =
    Code::refused("ECL-MAN-006", "the manifest's parts are not numbered from 0, each once");
/// More parts, or a larger one, than a manifest may list.
pub static TOO_LARGE: Code = Code::refused("ECL-MAN-007", "the manifest lists more than an archive holds");
/// The manifest names another sender than signed it.
pub static OTHER_SENDER: Code =
    Code::refused("ECL-MAN-010", "the manifest names another sender than its signer");
/// Sealed to somebody else.
pub static OTHER_RECIPIENT: Code =
    Code::refused("ECL-MAN-011", "the archive is sealed to another recipient statement");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The file in an archive.
pub const FILE: &str = "manifest.toml";
/// The suite: X25519 recipients of age v1, Parquet inside.
pub const SUITE_1: &str = "ecluse-1";
/// Parts at most, the index included: 3 TB of rows at 32 MiB each.
pub const MOST_PARTS: usize = 100_000;
/// Bytes of one sealed part at most: what the largest value of an engine needs, and room for its seal.
pub const LARGEST_PART: u64 = 1 << 31;
/// Bytes of a manifest at most, far beyond what [`MOST_PARTS`] need; no more is read.
pub const LONGEST: usize = 1 << 24;

/// What a manifest says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The digest of the instruction that was carried out.
    pub instruction: Spanned<String>,
    /// The fingerprint of the operator's key, `SHA256:…`.
    pub sender: Spanned<String>,
    /// The digest of the statement of the recipient to whom it is sealed.
    pub recipient: Spanned<String>,
    /// The parts by number: the index is number 0.
    pub parts: Vec<Part>,
}

/// One sealed file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its bytes.
    pub size: u64,
    /// The digest of these bytes, `sha256:…`.
    pub sha256: String,
}

/// A manifest in force: its header's id is the archive's, its header's last moment the archive's expiry. Only
/// [`Manifest::in_force`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::manifest::Manifest;
/// fn forge(real: Manifest) -> Manifest {
///     Manifest { ..real }
/// }
/// ```
pub type Manifest = Paper<Stated>;

impl Paper<Stated> {
    /// Checks a manifest under its contract, as of `now`.
    ///
    /// # Errors
    /// Every fault at once: header, period, signature, parts; [`OTHER_SENDER`].
    pub fn in_force(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        bounded(bytes.len())?;
        let manifest = Self::open(Kind::Manifest, bytes, files, contract, now, parse)?;
        let sender = &manifest.stated().sender;
        let sent = |s: &Signer| s.role == Role::Operator && s.fingerprint == sender.value;
        if let Some(other) = manifest.signers().iter().find(|signer| !sent(signer)) {
            let message = format!("{} signed it", other.fingerprint);
            let finding = Finding::new(&OTHER_SENDER, message).at(sender.span.clone());
            return Err(vec![finding.help("ask the publisher for the archive as its operator made it")]);
        }
        Ok(manifest)
    }

    /// Compares it with the recipient who is about to open it.
    ///
    /// # Errors
    /// [`OTHER_RECIPIENT`].
    pub fn is_to(&self, recipient: &Recipient) -> Result<(), Vec<Finding>> {
        self.is_to_statement(&recipient.digest(), recipient.header().kind)
    }

    /// The same of a statement that nobody has judged yet, by its digest (`sha256:…`) and kind.
    ///
    /// # Errors
    /// [`OTHER_RECIPIENT`].
    pub fn is_to_statement(&self, digest: &str, kind: Kind) -> Result<(), Vec<Finding>> {
        if self.stated().recipient.value == digest {
            return Ok(());
        }
        let file = if kind == Kind::ReturnRecipient { recipient::RETURN_FILE } else { recipient::FILE };
        let finding = Finding::new(&OTHER_RECIPIENT, format!("the {file} here is {digest}"));
        Err(vec![finding.at(self.stated().recipient.span.clone()).in_file(FILE).help(format!(
            "put the {file} here to which it was sealed; a new statement needs a new order and a new archive",
        ))])
    }
}

/// The name of a part's file in the archive's folder; of nothing but its number.
#[must_use]
pub fn part_name(number: usize) -> String {
    format!("{number:06}.age")
}

/// The manifest as a document to sign; `head` says until when the archive may be opened.
#[must_use]
pub fn draft(head: &Head, instruction: &str, sender: &str, recipient: &str, parts: &[Part]) -> String {
    let mut text = format!(
        "# A sealed archive: what can be known of it without the recipient's key.\n\n\
         {}\n\
         [archive]\n\
         suite       = {}\n\
         instruction = {}   # the order that was carried out\n\
         sender      = {}   # the key of the operator who sealed it\n\
         recipient   = {}   # the statement of the recipient, who alone can open it\n",
        template::header(Kind::Manifest, head),
        quote(SUITE_1),
        quote(instruction),
        quote(sender),
        quote(recipient),
    );
    for (number, Part { size, sha256 }) in parts.iter().enumerate() {
        // writing to a String cannot fail
        let _ = write!(text, "\n[[part]]\nindex  = {number}\nsize   = {size}\nsha256 = {}\n", quote(sha256));
    }
    text
}

/// Reads a manifest, its header apart.
///
/// # Errors
/// Everything that is wrong with it; [`TOO_LARGE`] before anything else is looked at.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    bounded(text.len())?;
    let mut r = Reader::new(text, &CODES);
    let stated = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        root.get("document");
        root.get("part");
        let stated = root.table(&mut r, "archive").and_then(|head| read(&mut r, head, &mut root));
        root.end(&mut r);
        stated
    });
    r.finish(stated)
}

/// A manifest is read into memory whole, before its signature says whose it is: so it ends somewhere.
fn bounded(bytes: usize) -> Result<(), Vec<Finding>> {
    if bytes <= LONGEST {
        return Ok(());
    }
    let message = format!("it has {bytes} bytes, and {LONGEST} are enough for every archive");
    Err(vec![Finding::new(&TOO_LARGE, message).help("ask the publisher for the archive's own manifest")])
}

fn read(r: &mut Reader<'_>, mut head: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Stated> {
    let suite = head.text(r, "suite");
    let instruction = head.digest(r, "instruction");
    let sender = head.text(r, "sender");
    let recipient = head.digest(r, "recipient");
    head.end(r);
    if let Some(other) = suite.as_ref().filter(|suite| suite.value != SUITE_1) {
        let finding = Finding::new(&SUITE, format!("`{}`", other.value)).at(other.span.clone());
        r.find(finding.help(format!("this version opens {SUITE_1}; a later one may open it")));
        return None;
    }
    if let Some(sender) = sender.as_ref().filter(|sender| !fingerprint(&sender.value)) {
        let finding = Finding::new(&WRONG_VALUE, "`sender` wants a fingerprint, SHA256: and 43 characters");
        r.find(finding.at(sender.span.clone()));
    }
    let parts = parts(r, root)?;
    Some(Stated { instruction: instruction?, sender: sender?, recipient: recipient?, parts })
}

fn parts(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Vec<Part>> {
    let listed = root.list(r, "part");
    if listed.is_empty() {
        r.find(Finding::new(&PARTS, "no [[part]] is listed, and the index is one"));
        return None;
    }
    if listed.len() > MOST_PARTS {
        let message = format!("{} parts, and {MOST_PARTS} are the most", listed.len());
        r.find(
            Finding::new(&TOO_LARGE, message).help("the order is split into several, each its own archive"),
        );
        return None;
    }
    let mut parts = Vec::with_capacity(listed.len());
    for (number, value) in listed.into_iter().enumerate() {
        let mut t = crate::reader::as_table(r, "part", value)?;
        // the first that is wrong ends the reading: a hostile list must not make as many findings
        parts.push(part(r, &mut t, number)?);
        t.end(r);
    }
    Some(parts)
}

fn part(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, number: usize) -> Option<Part> {
    let index = t.number(r, "index");
    let size = t.number(r, "size");
    let sha256 = t.digest(r, "sha256");
    let (index, size, sha256) = (index?, size?, sha256?);
    if usize::try_from(index.value) != Ok(number) {
        let finding = Finding::new(&PARTS, format!("part {number} is wanted here")).at(index.span);
        r.find(finding.help("ask the publisher for the archive as its operator made it"));
        return None;
    }
    if size.value == 0 || size.value > LARGEST_PART {
        let message = format!("a part has from 1 to {LARGEST_PART} bytes");
        r.find(Finding::new(&TOO_LARGE, message).at(size.span));
        return None;
    }
    Some(Part { size: size.value, sha256: sha256.value })
}

/// OpenSSH's form of a SHA-256 fingerprint: base64 without padding (ssh-keygen(1), `-l`).
fn fingerprint(text: &str) -> bool {
    text.strip_prefix("SHA256:").is_some_and(|hash| {
        hash.len() == 43 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
    })
}
