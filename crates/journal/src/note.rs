//! Signed notes and verifier keys: C2SP signed-note v1.
//!
//! A note is text that ends in a newline, an empty line, and one line per signature. Whose signature counts
//! is for whoever reads it to say: a note tells nothing of itself.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// More signatures than these are not looked at: C2SP demands 16 at least.
const MOST_SIGNATURES: usize = 64;

/// What a private key's line begins with.
const SECRET: &str = "PRIVATE+KEY+";

/// A longer note is none.
const LONGEST: usize = 1 << 20;

/// Why a note is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteFault {
    /// Not the form of a signed note.
    NotANote,
    /// None of its signatures is by this key.
    NotSigned,
    /// A signature that says it is by this key is not.
    Forged,
}

impl fmt::Display for NoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANote => "not a signed note",
            Self::NotSigned => "not signed by the key it was held to",
            Self::Forged => "a signature in the name of the key it was held to is not that key's",
        })
    }
}

impl std::error::Error for NoteFault {}

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Notes as they are: a log its checkpoints. Signature type `0x01`.
    Log,
    /// Checkpoints of others, with the hour (C2SP tlog-cosignature, `cosignature/v1`). Type `0x04`.
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// The public half of a key and the name it signs under, as `Display` prints it:
/// `name+hexadecimal id+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads a verifier key; `None` where it is of another type, its id is not that of its key, or the key
    /// is one with which anything could be signed (of small order).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, BASE64.decode(parts.next()?.as_bytes()).ok()?);
        let (kind, key) = key.split_first()?;
        let kind = [KeyKind::Log, KeyKind::Witness].into_iter().find(|known| known.byte() == *kind)?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok().filter(|key| !key.is_weak())?;
        let read = Self { name: is_name(name).then(|| name.to_owned())?, kind, key };
        (HEXLOWER.encode(&read.id()) == id).then_some(read)
    }

    /// The name it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The four bytes that tell keys of one name apart. Not a fingerprint: a collision is easily made.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }

    pub(crate) fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A key that signs notes. Wiped when dropped; never shown.
pub struct NoteSigner {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// The key with this seed (RFC 8032), under this name; `None` where the name is empty, or holds a
    /// space, a control character or a plus.
    #[must_use]
    pub fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Option<Self> {
        let key = SigningKey::from_bytes(seed);
        let verifier =
            VerifierKey { name: is_name(name).then(|| name.to_owned())?, kind, key: key.verifying_key() };
        Some(Self { verifier, key })
    }

    /// Reads what [`Self::secret`] gave; `None` where it is anything else, or its id is not that of its key.
    #[must_use]
    pub fn parse(secret: &str) -> Option<Self> {
        let mut parts = secret.strip_prefix(SECRET)?.splitn(3, '+');
        let (name, id) = (parts.next()?, parts.next()?);
        let key = BASE64.decode(parts.next()?.as_bytes()).ok()?;
        let (kind, seed) = key.split_first()?;
        let kind = [KeyKind::Log, KeyKind::Witness].into_iter().find(|known| known.byte() == *kind)?;
        let read = Self::new(name, kind, seed.try_into().ok()?)?;
        (HEXLOWER.encode(&read.verifier.id()) == id).then_some(read)
    }

    /// The private half in one line, as `golang.org/x/mod/sumdb/note` writes it:
    /// `PRIVATE+KEY+name+hexadecimal id+base64`. Whoever writes it down wipes it, and keeps the file private.
    #[must_use]
    pub fn secret(&self) -> String {
        let mut key = vec![self.verifier.kind.byte()];
        key.extend_from_slice(self.key.as_bytes());
        let (name, id) = (&self.verifier.name, HEXLOWER.encode(&self.verifier.id()));
        format!("{SECRET}{name}+{id}+{}", BASE64.encode(&key))
    }

    /// Its public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// A signature line over this message, which a checker finds by the name and the id.
    pub(crate) fn line(&self, before: &[u8], message: &[u8]) -> String {
        let mut bytes = self.verifier.id().to_vec();
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(&self.key.sign(message).to_bytes());
        format!("— {} {}\n", self.verifier.name, BASE64.encode(&bytes))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// A note that was taken apart. Nothing in it is believed yet.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Note<'a> {
    /// Takes a note apart.
    ///
    /// # Errors
    ///
    /// [`NoteFault::NotANote`]: no UTF-8, a control character, no empty line, a signature line of another
    /// form, more than a megabyte or 64 signatures.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteFault> {
        Self::taken_apart(bytes).ok_or(NoteFault::NotANote)
    }

    fn taken_apart(bytes: &'a [u8]) -> Option<Self> {
        let note = std::str::from_utf8(bytes).ok().filter(|note| note.len() <= LONGEST)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return None;
        }
        // the text keeps its own newline; what parts it from the signatures is the last empty line
        let parted = note.rfind("\n\n")?.checked_add(1)?;
        let (text, lines) = note.split_at_checked(parted)?;
        let lines = lines.strip_prefix('\n')?.strip_suffix('\n')?;
        let signatures = lines.split('\n').map(signature).collect::<Option<Vec<_>>>()?;
        (signatures.len() <= MOST_SIGNATURES).then_some(Self { text, signatures })
    }

    /// The text, which is to be believed of nobody until [`Self::signed_by`] says so.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Checks that this log's key signed the text.
    ///
    /// # Errors
    ///
    /// [`NoteFault::NotSigned`], [`NoteFault::Forged`]; a key of another kind signs no notes.
    pub fn signed_by(&self, key: &VerifierKey) -> Result<(), NoteFault> {
        let mut signatures = self.signatures_of(key).filter(|_| key.kind == KeyKind::Log).peekable();
        signatures.peek().ok_or(NoteFault::NotSigned)?;
        let all = signatures.all(|signature| key.is_signed(self.text.as_bytes(), signature));
        if all { Ok(()) } else { Err(NoteFault::Forged) }
    }

    /// The signatures that say they are by this key: unknown ones are passed over, as C2SP demands.
    pub(crate) fn signatures_of<'n>(&'n self, key: &'n VerifierKey) -> impl Iterator<Item = &'n [u8]> {
        let id = key.id();
        self.signatures
            .iter()
            .filter(move |(name, _)| *name == key.name)
            .filter_map(move |(_, signature)| signature.strip_prefix(&id))
    }
}

/// Signs a text, which ends in a newline.
///
/// `None` where it does not, holds another control character, or holds what would part it from its
/// signatures in another place.
#[must_use]
pub fn sign(text: &str, signer: &NoteSigner) -> Option<String> {
    let note = format!("{text}\n{}", signer.line(&[], text.as_bytes()));
    let read = Note::parse(note.as_bytes()).ok()?;
    (text.ends_with('\n') && read.text == text && read.signed_by(&signer.verifier).is_ok()).then_some(note)
}

fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let signature = BASE64.decode(signature.as_bytes()).ok().filter(|bytes| bytes.len() > 4)?;
    is_name(name).then_some((name, signature))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
