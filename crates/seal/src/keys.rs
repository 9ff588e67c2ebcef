//! age X25519 keys: `age1…` and `AGE-SECRET-KEY-1…`.

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::personal::Secret;

use crate::KEY;

/// Whom a state is sealed to.
#[derive(Clone)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    pub(crate) fn age(&self) -> &dyn age::Recipient {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |_| {
            KEY.fault("recipient").help("it begins with age1 and stands in session.toml or recipient.toml")
        };
        text.trim().parse().map(Self).map_err(wrong)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0)
    }
}

/// What opens a state. Wiped when dropped (by the age crate).
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// Makes a new identity, with the operating system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads an identity file as `age-keygen` writes it: `#` lines are comments, one
    /// `AGE-SECRET-KEY-1…` line.
    ///
    /// # Errors
    ///
    /// [`KEY`] where there is none, or more than one.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || KEY.fault("identity").help("give the identity file that `ecluse session new` wrote");
        let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(wrong()) };
        line.parse().map(Self).map_err(|_| wrong())
    }

    /// The identity file's text, for a file only its owner can read.
    #[must_use]
    pub fn file(&self) -> Secret<String> {
        Secret::new(format!("# public key: {}\n{}\n", self.recipient(), self.0.to_string().expose_secret()))
    }

    /// The recipient that this identity opens.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    pub(crate) fn age(&self) -> &dyn age::Identity {
        &self.0
    }

    /// `AGE-SECRET-KEY-1…`, wiped when dropped: the secret from which the author's mark is keyed.
    pub(crate) fn secret(&self) -> age::secrecy::SecretString {
        self.0.to_string()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}
