//! Row tokens: a name for a row that says nothing of its key without the token key.
//!
//! `docs/formats.md`, "Row tokens": the first 16 bytes of
//! `BLAKE3_keyed(T, "ecluse/token/1" | len table | table | enc(key 1) | enc(key 2) | …)` under a key of their own, so
//! that nobody can try the few million numbers a patient's file can have. Printed in
//! Crockford's base 32 (no I, L, O, U), groups of four: `7Q4M-KD2E-…`, 26 characters.

use std::fmt;
use std::str::FromStr;

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::value::Key;
use zeroize::Zeroize;

use crate::canonical;

/// A text that is not a row token, nor the beginning of one.
pub static NOT_A_TOKEN: Code = Code::usage("ECL-LOC-001", "not a row token");

const CONTEXT: &[u8] = b"ecluse/token/1";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 128 bits in groups of five bits: the first character holds three.
const CHARACTERS: usize = 26;
/// Fewer of a token's first characters would name many rows: the two groups that a screen shows.
const ENOUGH: usize = 8;

/// The key under which rows are named: 32 random bytes, not the tally's, wiped when dropped.
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key made of these random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealing the run's state only.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for TokenKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// A row's token. May be printed: without the key it names nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u128);

impl Token {
    /// The token of the row of `table` (the source's name) with this key (the source's values).
    #[must_use]
    pub fn new(key: &TokenKey, table: &str, row: &Key) -> Self {
        let mut bytes = CONTEXT.to_vec();
        canonical::name(table, &mut bytes);
        for value in &row.0 {
            canonical::encode_value(value, &mut bytes);
        }
        let hash = blake3::keyed_hash(&key.0, &bytes);
        bytes.zeroize();
        Self(hash.as_bytes().first_chunk().map_or(0, |b| u128::from_be_bytes(*b)))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in 0..CHARACTERS {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            let shift = 5 * (CHARACTERS - 1 - place);
            let digit = usize::try_from((self.0 >> shift) & 31).unwrap_or(0);
            write!(f, "{}", char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// A token, or the beginning of one: what a person copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    bits: u128,
    characters: usize,
}

impl Beginning {
    /// Whether the token begins so.
    #[must_use]
    pub const fn of(self, token: Token) -> bool {
        token.0 >> (5 * (CHARACTERS - self.characters)) == self.bits
    }

    /// Whether it is the whole token, so that no second row can have it.
    #[must_use]
    pub const fn whole(self) -> bool {
        self.characters == CHARACTERS
    }
}

impl FromStr for Beginning {
    type Err = Fault;

    /// Reads it as a person copies it: hyphens, spaces and a closing `…` do not count, lower case
    /// does, `I` and `L` are 1, `O` is 0 (Crockford). Eight characters at least.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            NOT_A_TOKEN
                .fault(format!("{ENOUGH} to {CHARACTERS} letters and digits are expected, without U"))
                .help(
                    "copy the token from the reconciliation, for instance 7Q4M-KD2E; its beginning is enough",
                )
        };
        let mut bits = 0u128;
        let mut seen = 0;
        for c in text.trim_end_matches('…').chars().filter(|c| !matches!(c, '-' | ' ')) {
            let c = match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                c => c,
            };
            let digit = ALPHABET.iter().position(|a| char::from(*a) == c).ok_or_else(refuse)?;
            // the first character holds three bits only
            if seen == CHARACTERS || (seen == 0 && digit > 7) {
                return Err(refuse());
            }
            bits = (bits << 5) | u128::try_from(digit).map_err(|_| refuse())?;
            seen += 1;
        }
        if seen >= ENOUGH { Ok(Self { bits, characters: seen }) } else { Err(refuse()) }
    }
}

impl FromStr for Token {
    type Err = Fault;

    /// Reads a whole token, as [`Beginning`] reads one.
    fn from_str(text: &str) -> Result<Self> {
        let read: Beginning = text.parse()?;
        if read.whole() { Ok(Self(read.bits)) } else { Err(NOT_A_TOKEN.fault("it is not whole")) }
    }
}
