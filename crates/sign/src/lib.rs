//! Signatures: SSHSIG in one narrow profile, and the only maker of [`Verified`].
//!
//! `ssh-keygen -Y sign` makes what [`Signature::from_armour`] reads, and
//! `ssh-keygen -Y verify` accepts what [`PrivateKey::sign`] makes. The profile
//! (`docs/formats.md`, "Signatures") is narrower than OpenSSH's, so that one
//! signature has one form, and any changed byte of document or signature fails:
//!
//! - sha512 only, `reserved` empty, namespace compared exactly, no certificates;
//! - ed25519 and ecdsa-p256, each also as a hardware (`sk`) key; RSA of 3072 bits
//!   and more where the caller [`Demands`] it;
//! - the armour is re-encoded and compared byte for byte; ECDSA in its low-S form
//!   ([`canonical`] rewrites the other); Ed25519 verified strictly (RFC 8032, no
//!   small-order keys);
//! - hardware keys: user presence always, user verification when demanded; a
//!   webauthn signature is refused, since a login page could have asked for it.
//!
//! Imports none of our crates: an auditor can rebuild the check from this one.

mod armour;
mod key;
mod refused;
mod verify;

pub use armour::canonical;
pub use key::{Algorithm, PrivateKey, PublicKey};
pub use refused::Refused;
pub use verify::{Demands, Signature, Verified};
