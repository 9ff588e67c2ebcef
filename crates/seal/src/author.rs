//! Who wrote a state. age says who may read a file, not who wrote it: whoever knows a recipient,
//! and it stands in the session statement, can seal another state to it (age-encryption.org/v1
//! gives no authentication of the sender). So the state bears a keyed hash whose key only the
//! holder of the identity can derive.
//!
//! Key: BLAKE3 in its key derivation mode over the identity's text; mark: BLAKE3 keyed (both as
//! the BLAKE3 paper, 2020, section 2.3, defines them). Symmetric: it shows the holder of the identity
//! that a holder of the identity wrote this, and proves nothing to a third person.

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::Identity;

/// Says for what the derived key is; another use must have another.
const CONTEXT: &str = "ecluse 2026-11-22 ecluse-run-state/2 author";

/// The mark of what this identity's holder writes.
pub(crate) fn mark(author: &Identity, written: &[u8]) -> blake3::Hash {
    let secret = author.secret();
    let key = Zeroizing::new(blake3::derive_key(CONTEXT, secret.expose_secret().as_bytes()));
    blake3::keyed_hash(&key, written)
}

/// Whether this identity's holder wrote it; compared in constant time.
pub(crate) fn is_by(author: &Identity, written: &[u8], hex: &str) -> bool {
    blake3::Hash::from_hex(hex).is_ok_and(|claimed| claimed == mark(author, written))
}
