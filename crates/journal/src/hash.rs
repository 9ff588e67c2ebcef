//! Hashes of a Merkle tree: RFC 6962, section 2.1.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

/// Length of every hash here: SHA-256.
pub(crate) const LENGTH: usize = 32;

/// A leaf's hash, a node's, or a root's.
///
/// A leaf is hashed behind a zero byte and a node behind a one, so that no leaf can be passed off
/// as a node. `Display` is standard base64 with padding, as checkpoints and proofs print it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; LENGTH]);

impl Hash {
    /// The root of a tree without leaves: the hash of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// The hash of a leaf's exact bytes.
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash of two subtrees, side by side.
    #[must_use]
    pub fn node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// Takes the bytes of a hash as they are; `None` where there are not 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Reads what [`fmt::Display`] prints; `None` for anything else, other spellings of the same bytes
    /// included.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        // the decoder refuses trailing bits that are not zero: one hash has one spelling
        Self::from_bytes(&BASE64.decode(text.as_bytes()).ok()?)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BASE64.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", HEXLOWER.encode(&self.0))
    }
}
