//! Reading a signature, and the check that makes a [`Verified`].

use ssh_key::public::KeyData;
use ssh_key::{Algorithm as SshAlgorithm, HashAlg, SshSig};

use sha2::{Digest, Sha256};

use crate::armour::{self, Form};
use crate::{Algorithm, PublicKey, Refused};

/// What a caller demands beyond the profile. The default is the strictest on RSA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// RSA keys (of 3072 bits and more) are accepted.
    pub rsa: bool,
    /// Hardware keys must have verified their user (PIN, fingerprint).
    pub user_verification: bool,
}

/// Something whose signature was checked. Only [`Signature::verify`] makes one:
///
/// ```compile_fail,E0451
/// # use ecluse_sign::Verified;
/// fn forge(real: Verified<Vec<u8>>) -> Verified<Vec<u8>> {
///     Verified { content: b"other".to_vec(), ..real }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T> {
    content: T,
    namespace: String,
    signer: PublicKey,
}

impl<T> Verified<T> {
    /// What was signed.
    pub const fn content(&self) -> &T {
        &self.content
    }

    /// Unwraps what was signed.
    pub fn into_content(self) -> T {
        self.content
    }

    /// For which kind of document.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// By whose key.
    pub const fn signer(&self) -> &PublicKey {
        &self.signer
    }
}

/// An armoured signature that keeps to the profile. Nothing is verified yet.
#[derive(Clone, Debug)]
pub struct Signature {
    inner: SshSig,
    key: PublicKey,
}

impl Signature {
    /// Reads the content of a `.sig` file in its one exact form.
    ///
    /// # Errors
    /// [`Refused::NotCanonical`], [`Refused::HighS`] ([`crate::canonical`] rewrites both);
    /// [`Refused::Hash`], [`Refused::Reserved`], [`Refused::KeyKind`], [`Refused::RsaTooShort`],
    /// [`Refused::Webauthn`], [`Refused::NotASignature`].
    pub fn from_armour(armoured: &[u8]) -> Result<Self, Refused> {
        let inner = armour::parse(armoured).map_err(|refused| {
            let other_form = armour::canonical(armoured).is_ok_and(|text| text.as_bytes() != armoured);
            if refused == Refused::NotASignature && other_form { Refused::NotCanonical } else { refused }
        })?;
        if inner.version() != SshSig::VERSION {
            return Err(Refused::NotASignature);
        }
        if inner.hash_alg() != HashAlg::Sha512 {
            return Err(Refused::Hash);
        }
        if !inner.reserved().is_empty() {
            return Err(Refused::Reserved);
        }
        let key = PublicKey::from_data(inner.public_key().clone())?;
        let fits = matches!(
            (key.algorithm(), inner.algorithm()),
            (Algorithm::Ed25519, SshAlgorithm::Ed25519)
                | (Algorithm::SkEd25519, SshAlgorithm::SkEd25519)
                | (Algorithm::EcdsaP256, SshAlgorithm::Ecdsa { .. })
                | (Algorithm::SkEcdsaP256, SshAlgorithm::SkEcdsaSha2NistP256)
                | (Algorithm::Rsa, SshAlgorithm::Rsa { hash: Some(HashAlg::Sha512) })
        );
        if !fits {
            return Err(Refused::KeyKind);
        }
        if armour::low_s(inner.signature())?.is_some() {
            return Err(Refused::HighS);
        }
        if Form::of(&inner)?.armoured()?.as_bytes() != armoured {
            return Err(Refused::NotCanonical);
        }
        Ok(Self { inner, key })
    }

    /// The key that the signature *says* made it: to find whom to ask, not to believe.
    #[must_use]
    pub const fn claimed_key(&self) -> &PublicKey {
        &self.key
    }

    /// The namespace that the signature says it is for.
    #[must_use]
    pub fn claimed_namespace(&self) -> &str {
        self.inner.namespace()
    }

    /// Checks that `key` signed exactly `content` for `namespace`.
    ///
    /// # Errors
    /// [`Refused::Namespace`], [`Refused::OtherKey`], [`Refused::RsaNotAllowed`],
    /// [`Refused::NoUserPresence`], [`Refused::NoUserVerification`], [`Refused::False`].
    pub fn verify<T: AsRef<[u8]>>(
        &self,
        content: T,
        namespace: &str,
        key: &PublicKey,
        demands: Demands,
    ) -> Result<Verified<T>, Refused> {
        if self.inner.namespace() != namespace {
            return Err(Refused::Namespace);
        }
        if self.key != *key {
            return Err(Refused::OtherKey);
        }
        if key.algorithm() == Algorithm::Rsa && !demands.rsa {
            return Err(Refused::RsaNotAllowed);
        }
        if key.algorithm().is_hardware() {
            self.touched(demands)?;
        }
        self.fits(content.as_ref())?;
        Ok(Verified { content, namespace: namespace.to_owned(), signer: key.clone() })
    }

    /// The hardware key's flags (PROTOCOL.u2f): `ssh-keygen -Y verify` and the library
    /// look at neither bit.
    fn touched(&self, demands: Demands) -> Result<(), Refused> {
        const USER_PRESENT: u8 = 0x01;
        const USER_VERIFIED: u8 = 0x04;
        let (_, trailer) = armour::split_sk(self.inner.signature())?;
        let flags = trailer.first().copied().ok_or(Refused::NotASignature)?;
        if flags & USER_PRESENT == 0 {
            return Err(Refused::NoUserPresence);
        }
        if demands.user_verification && flags & USER_VERIFIED == 0 {
            return Err(Refused::NoUserVerification);
        }
        Ok(())
    }

    fn fits(&self, content: &[u8]) -> Result<(), Refused> {
        let message = SshSig::signed_data(self.inner.namespace(), HashAlg::Sha512, content)
            .map_err(|_| Refused::Namespace)?;
        match &self.key.data {
            KeyData::Ed25519(key) => strict(&key.0, &message, self.inner.signature_bytes()),
            KeyData::SkEd25519(key) => {
                // PROTOCOL.u2f: sha256(application) | flags | counter | sha256(message)
                let (proper, trailer) = armour::split_sk(self.inner.signature())?;
                let mut signed = Sha256::digest(key.application().as_bytes()).to_vec();
                signed.extend_from_slice(trailer);
                signed.extend_from_slice(&Sha256::digest(&message));
                strict(&key.public_key().0, &signed, proper)
            }
            data => ssh_key::PublicKey::new(data.clone(), "")
                .verify(self.inner.namespace(), content, &self.inner)
                .map_err(|_| Refused::False),
        }
    }
}

/// Ed25519 without the looseness RFC 8032 leaves: no small-order key or point, one encoding.
fn strict(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), Refused> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| Refused::False)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| Refused::False)?;
    key.verify_strict(message, &signature).map_err(|_| Refused::False)
}
