//! Rows that leave memory for a while, sealed to an identity that is never written anywhere.
//!
//! The identity is made in the process and goes with it: what a crash leaves of the sealed bytes can be
//! opened by nobody, whoever holds the disk. Each piece bears its number inside the seal, so that one
//! piece cannot stand in another's place; age itself tells a piece that was altered or cut short, and a
//! stranger cannot make one, because the recipient stands nowhere either.

use std::fmt;

use ecluse_core::fault::{Code, Result};
use zeroize::Zeroizing;

use crate::envelope;
use crate::keys::Identity;

static FAILED: Code = Code::refused("ECL-SEA-010", "rows could not be sealed for the staging");
static NOT_OURS: Code = Code::refused("ECL-SEA-011", "a sealed piece of the staging is not what was written");

/// Bytes of the number at a piece's end.
const NUMBER: usize = 8;

/// What one process seals, and it alone opens.
pub struct Transient(Identity);

impl Transient {
    /// A new identity, with the operating system's randomness. It has no form that could be stored.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would hide that chance is drawn")]
    pub fn new() -> Self {
        Self(Identity::generate())
    }

    /// Seals one piece under its number, which is used once.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-010`.
    pub fn seal(&self, number: u64, plain: &[u8]) -> Result<Vec<u8>> {
        envelope::seal_pieces(&[plain, &number.to_le_bytes()], &[self.0.recipient()])
            .ok_or_else(|| FAILED.fault(""))
    }

    /// Opens a piece that was sealed under this number.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-011` where it is another piece, or a byte was changed, added or removed.
    pub fn open(&self, number: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let not_ours = || {
            NOT_OURS
                .fault(format!("piece {number}"))
                .help("see who else writes to the staging folder; the same command begins anew")
        };
        let mut plain = envelope::open(sealed, &[&self.0]).map_err(|_why| not_ours())?;
        let length = plain.len().checked_sub(NUMBER).ok_or_else(not_ours)?;
        if plain.get(length..) != Some(&number.to_le_bytes()[..]) {
            return Err(not_ours());
        }
        plain.truncate(length);
        Ok(plain)
    }
}

impl fmt::Debug for Transient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transient(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: EXT-01
    #[test]
    fn a_piece_opens_in_its_own_place_whole_and_to_nobody_else() {
        let ours = Transient::new();
        let sealed = ours.seal(7, b"Invente, Jeanne").unwrap();
        assert_eq!(ours.open(7, &sealed).unwrap().as_slice(), b"Invente, Jeanne");
        assert!(!sealed.windows(7).any(|w| w == b"Invente"));
        assert_eq!(ours.open(8, &sealed).unwrap_err().code(), &NOT_OURS);
        assert_eq!(Transient::new().open(7, &sealed).unwrap_err().code(), &NOT_OURS);
        for at in [0, sealed.len() / 2, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ours.open(7, &changed).unwrap_err().code(), &NOT_OURS, "byte {at}");
        }
        assert_eq!(ours.open(7, &sealed[..sealed.len() - 1]).unwrap_err().code(), &NOT_OURS);
    }
}
