//! Checkpoints (C2SP tlog-checkpoint) and the cosignatures of witnesses (C2SP tlog-cosignature).

use crate::hash::Hash;
use crate::note::{self, KeyKind, Note, NoteFault, NoteSigner, VerifierKey};

/// How much a log holds, and the root over it.
///
/// Read from bytes it is what somebody wrote; [`Signed`] is one whose log was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the first line, and the name its key signs under.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a note.
    ///
    /// Lines after the third are refused: C2SP allows them and advises against them, nobody who watches a
    /// log checks what they say, and écluse's own logs write none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let read = Self { origin: origin.to_owned(), size: decimal(size)?, root: Hash::from_base64(root)? };
        (!origin.is_empty() && lines.next().is_none()).then_some(read)
    }

    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Signs it for its log; `None` where the origin is not the key's name, or cannot be a line.
    #[must_use]
    pub fn sign(&self, signer: &NoteSigner) -> Option<String> {
        let is_own = signer.verifier().name() == self.origin && signer.verifier().kind() == KeyKind::Log;
        if is_own { note::sign(&self.text(), signer) } else { None }
    }
}

/// A checkpoint that its log signed: the check was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    checkpoint: Checkpoint,
    note: String,
}

impl Signed {
    /// Reads a signed checkpoint and checks that it is this log's.
    ///
    /// # Errors
    ///
    /// [`NoteFault::NotANote`] where it is no checkpoint, [`NoteFault::NotSigned`] where another log's,
    /// [`NoteFault::Forged`].
    pub fn open(bytes: &[u8], log: &VerifierKey) -> Result<Self, NoteFault> {
        let note = Note::parse(bytes)?;
        note.signed_by(log)?;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(NoteFault::NotANote)?;
        if checkpoint.origin != log.name() {
            return Err(NoteFault::NotSigned);
        }
        let note = String::from_utf8(bytes.to_vec()).map_err(|_| NoteFault::NotANote)?;
        Ok(Self { checkpoint, note })
    }

    /// What the log said.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with every signature it came with.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// When this witness saw it as the largest tree of the log: seconds since 1970-01-01, UTC.
    ///
    /// # Errors
    ///
    /// [`NoteFault::NotSigned`] where the witness did not sign it, [`NoteFault::Forged`].
    pub fn seen_by(&self, witness: &VerifierKey) -> Result<u64, NoteFault> {
        let note = Note::parse(self.note.as_bytes())?;
        let mut seen = None;
        for signature in note.signatures_of(witness).filter(|_| witness.kind() == KeyKind::Witness) {
            let (time, signature) = signature.split_first_chunk::<8>().ok_or(NoteFault::Forged)?;
            let time = u64::from_be_bytes(*time);
            // beyond 2^63 - 1 no hour is meant: C2SP forbids it
            if i64::try_from(time).is_err() || !witness.is_signed(&statement(time, note.text()), signature) {
                return Err(NoteFault::Forged);
            }
            seen = seen.max(Some(time));
        }
        seen.ok_or(NoteFault::NotSigned)
    }

    /// Adds a witness's cosignature at this hour (seconds since 1970-01-01, UTC); `None` for a key that is
    /// no witness's, and an hour beyond 2^63 - 1.
    ///
    /// Whoever calls it has compared the tree with the largest one that this witness saw of the log: that is
    /// what the signature says.
    #[must_use]
    pub fn cosign(&self, witness: &NoteSigner, time: u64) -> Option<Self> {
        i64::try_from(time).ok().filter(|_| witness.verifier().kind() == KeyKind::Witness)?;
        let line = witness.line(&time.to_be_bytes(), &statement(time, &self.checkpoint.text()));
        let cosigned = Self { checkpoint: self.checkpoint.clone(), note: format!("{}{line}", self.note) };
        cosigned.seen_by(witness.verifier()).is_ok().then_some(cosigned)
    }
}

fn statement(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A number as checkpoints and proofs write it: ASCII digits, no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
