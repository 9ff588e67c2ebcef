//! Why a key or a signature is refused.

use std::fmt;

/// Why a key or a signature is refused. `Display` says it in words, without any key's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not an armoured SSH signature at all, or truncated.
    NotASignature,
    /// An armoured signature, but not byte for byte what its content encodes to:
    /// carriage returns, text around it, other line lengths, padding, trailing data.
    NotCanonical,
    /// ECDSA with the high one of its two equivalent values of `s`.
    HighS,
    /// A hash other than sha512.
    Hash,
    /// The reserved field is not empty.
    Reserved,
    /// Another namespace than the one asked for.
    Namespace,
    /// Made by another key than the one asked for.
    OtherKey,
    /// The bytes were changed, or the signature is false.
    False,
    /// A hardware key's signature without the touch that proves presence.
    NoUserPresence,
    /// A hardware key's signature without the PIN or fingerprint that was demanded.
    NoUserVerification,
    /// A browser's (webauthn) signature.
    Webauthn,
    /// A kind of key outside the profile: a certificate, DSA, another curve.
    KeyKind,
    /// An RSA key, where RSA is not allowed.
    RsaNotAllowed,
    /// An RSA key of fewer than 3072 bits.
    RsaTooShort,
    /// Not a public key line in OpenSSH's form.
    NotAPublicKey,
    /// Not a private key file in OpenSSH's form.
    NotAPrivateKey,
    /// A private key file protected by a passphrase, which we never ask for.
    EncryptedKey,
    /// A private key that lives in hardware, or whose kind we leave to OpenSSH to sign with.
    SignElsewhere,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASignature => "not an armoured SSH signature",
            Self::NotCanonical => "the signature file is not in its one exact form (text around it, carriage returns, other line lengths)",
            Self::HighS => "the ECDSA signature has its high-S form, which anybody can make from the low one",
            Self::Hash => "the signature was not made over sha512",
            Self::Reserved => "the signature's reserved field is not empty",
            Self::Namespace => "the signature was made for another kind of document (namespace)",
            Self::OtherKey => "the signature was made with another key",
            Self::False => "the signature does not fit the document's bytes",
            Self::NoUserPresence => "the hardware key signed without being touched (no user presence)",
            Self::NoUserVerification => "the hardware key signed without PIN or fingerprint (no user verification)",
            Self::Webauthn => "a browser made the signature (webauthn), so a login page could have asked for it",
            Self::KeyKind => "a kind of key that is not accepted: ed25519, ecdsa-p256 and their sk forms are",
            Self::RsaNotAllowed => "an RSA key, which the contract does not allow",
            Self::RsaTooShort => "an RSA key of fewer than 3072 bits",
            Self::NotAPublicKey => "not a public key in OpenSSH's one-line form",
            Self::NotAPrivateKey => "not a private key file in OpenSSH's form",
            Self::EncryptedKey => "the private key is protected by a passphrase: sign with ssh-keygen -Y sign",
            Self::SignElsewhere => "this kind of private key signs with ssh-keygen -Y sign only",
        })
    }
}

impl std::error::Error for Refused {}
