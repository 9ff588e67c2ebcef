//! Public and private keys in OpenSSH's forms, of the profile's kinds only.

use std::fmt;

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm as SshAlgorithm, EcdsaCurve, HashAlg, LineEnding, SshSig};
use zeroize::Zeroizing;

use crate::Refused;
use crate::armour::{self, Form};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `ssh-ed25519`.
    Ed25519,
    /// `sk-ssh-ed25519@openssh.com`.
    SkEd25519,
    /// `ecdsa-sha2-nistp256`.
    EcdsaP256,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`.
    SkEcdsaP256,
    /// `ssh-rsa`, 3072 bits or more.
    Rsa,
}

impl Algorithm {
    /// Whether the private key lives in hardware (FIDO2).
    #[must_use]
    pub const fn is_hardware(self) -> bool {
        matches!(self, Self::SkEd25519 | Self::SkEcdsaP256)
    }
}

/// A public key of one of the profile's kinds. Equality is by key, whatever the comment.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) data: KeyData,
    pub(crate) algorithm: Algorithm,
}

impl PublicKey {
    /// Reads OpenSSH's one-line form: `ssh-ed25519 AAAA… comment`; the comment is dropped.
    ///
    /// # Errors
    /// [`Refused::NotAPublicKey`], [`Refused::KeyKind`] (certificates too), [`Refused::RsaTooShort`].
    pub fn from_openssh(line: &str) -> Result<Self, Refused> {
        let key = ssh_key::PublicKey::from_openssh(line.trim()).map_err(|_| Refused::NotAPublicKey)?;
        Self::from_data(key.key_data().clone())
    }

    pub(crate) fn from_data(data: KeyData) -> Result<Self, Refused> {
        let algorithm = match &data {
            KeyData::Ed25519(_) => Algorithm::Ed25519,
            KeyData::SkEd25519(_) => Algorithm::SkEd25519,
            KeyData::Ecdsa(key) if key.curve() == EcdsaCurve::NistP256 => Algorithm::EcdsaP256,
            KeyData::SkEcdsaSha2NistP256(_) => Algorithm::SkEcdsaP256,
            KeyData::Rsa(key) => {
                let modulus = key.n.as_positive_bytes().ok_or(Refused::NotAPublicKey)?;
                let leading = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
                if modulus.len() * 8 - leading < 3072 {
                    return Err(Refused::RsaTooShort);
                }
                Algorithm::Rsa
            }
            _ => return Err(Refused::KeyKind),
        };
        Ok(Self { data, algorithm })
    }

    /// The kind of key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.data.fingerprint(HashAlg::Sha256).to_string()
    }

    /// OpenSSH's one-line form, without comment.
    ///
    /// # Errors
    /// [`Refused::NotAPublicKey`], for a key that cannot be encoded.
    pub fn to_openssh(&self) -> Result<String, Refused> {
        let key = ssh_key::PublicKey::new(self.data.clone(), "");
        key.to_openssh().map_err(|_| Refused::NotAPublicKey)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.algorithm, self.fingerprint())
    }
}

/// A private key held in memory: ed25519 or ecdsa-p256, from a file without passphrase.
///
/// Meant for operators and trials. A signatory's key is better in hardware, and
/// signs with `ssh-keygen -Y sign`. Silent `Debug`; wiped when dropped.
pub struct PrivateKey(ssh_key::PrivateKey);

impl PrivateKey {
    /// Reads the content of an OpenSSH private key file.
    ///
    /// # Errors
    /// [`Refused::EncryptedKey`] for a file with a passphrase, [`Refused::SignElsewhere`] for
    /// hardware and RSA keys (RSA signing in process would leak through timing,
    /// RUSTSEC-2023-0071), [`Refused::KeyKind`], [`Refused::NotAPrivateKey`].
    pub fn from_openssh(file: &[u8]) -> Result<Self, Refused> {
        let key = ssh_key::PrivateKey::from_openssh(file).map_err(|_| Refused::NotAPrivateKey)?;
        match key.public_key().algorithm() {
            SshAlgorithm::Rsa { .. } | SshAlgorithm::SkEd25519 | SshAlgorithm::SkEcdsaSha2NistP256 => {
                Err(Refused::SignElsewhere)
            }
            _ if key.is_encrypted() => Err(Refused::EncryptedKey),
            SshAlgorithm::Ed25519 | SshAlgorithm::Ecdsa { curve: EcdsaCurve::NistP256 } => Ok(Self(key)),
            _ => Err(Refused::KeyKind),
        }
    }

    /// The ed25519 key of a seed (RFC 8032, 5.1.5): 32 bytes of the caller's randomness.
    ///
    /// # Errors
    /// [`Refused::NotAPrivateKey`] if the library cannot hold the pair; it can.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Refused> {
        let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(seed));
        ssh_key::PrivateKey::new(pair, "").map(Self).map_err(|_| Refused::NotAPrivateKey)
    }

    /// The content of an OpenSSH private key file without passphrase, for `ssh-keygen`'s use too.
    ///
    /// # Errors
    /// [`Refused::NotAPrivateKey`] if it cannot be encoded.
    pub fn to_openssh(&self) -> Result<Zeroizing<String>, Refused> {
        self.0.to_openssh(LineEnding::LF).map_err(|_| Refused::NotAPrivateKey)
    }

    /// The public half.
    ///
    /// # Errors
    /// [`Refused::KeyKind`], never for a key that [`Self::from_openssh`] accepted.
    pub fn public(&self) -> Result<PublicKey, Refused> {
        PublicKey::from_data(self.0.public_key().key_data().clone())
    }

    /// Signs: the armoured SSHSIG that `ssh-keygen -Y sign -n NAMESPACE` would make, in its
    /// one form. Deterministic (RFC 8032; RFC 6979 for ECDSA).
    ///
    /// # Errors
    /// [`Refused::Namespace`] if empty; [`Refused::NotAPrivateKey`] if the key is damaged.
    pub fn sign(&self, namespace: &str, content: &[u8]) -> Result<String, Refused> {
        if namespace.is_empty() {
            return Err(Refused::Namespace);
        }
        let made = self.0.sign(namespace, HashAlg::Sha512, content).map_err(|_| Refused::NotAPrivateKey)?;
        let low = armour::low_s(made.signature())?.unwrap_or_else(|| made.signature().clone());
        let made = SshSig::new(made.public_key().clone(), namespace, HashAlg::Sha512, low)
            .map_err(|_| Refused::NotAPrivateKey)?;
        Form::of(&made)?.armoured()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}
