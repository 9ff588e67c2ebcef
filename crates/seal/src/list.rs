//! The persons whose rows never move, sealed by the laboratory to whoever runs the migration.
//!
//! The plaintext is one line of JSON (`docs/formats.md`, "The list of persons who stay"), followed by
//! blanks up to a power of two: the file's size tells an order of magnitude and no number. age draws a
//! new file key each time, so that the same list sealed twice is two files, and a digest over the file
//! says nothing of who is in it.

use std::fmt;

use ecluse_core::fault::{Code, Result};
use ecluse_core::personal::Personal;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::envelope::{self, Closed};
use crate::keys::{Identity, Recipient};

static STRANGER: Code =
    Code::refused("ECL-SEA-007", "the list of persons who stay is not sealed to this identity");
static DAMAGED: Code = Code::refused("ECL-SEA-008", "the sealed list of persons who stay is damaged");
static FAILED: Code = Code::refused("ECL-SEA-009", "the list of persons who stay could not be sealed");

const FORMAT: &str = "ecluse-excluded/1";

/// The smallest plaintext: some hundred persons.
const LEAST: usize = 4096;

/// Persons by their rows' keys, as a person writes them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    format: String,
    /// The source table in which each of them is a row.
    pub table: String,
    /// The columns of its key.
    pub key: Vec<String>,
    persons: Vec<Vec<String>>,
}

impl List {
    /// A list of rows of `table`; each person is one text per column of `key`.
    #[must_use]
    pub fn new(table: &str, key: &[String], persons: Vec<Vec<String>>) -> Self {
        Self { format: FORMAT.to_owned(), table: table.to_owned(), key: key.to_vec(), persons }
    }

    /// The persons, in the order in which they were written.
    pub fn persons(&self) -> impl Iterator<Item = Personal<&[String]>> {
        self.persons.iter().map(|person| Personal::new(person.as_slice()))
    }

    /// Seals the list to these recipients, each of whom can open it alone.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-009` where there is no recipient.
    pub fn seal(&self, recipients: &[Recipient]) -> Result<Vec<u8>> {
        // room enough that the buffer does not move: an abandoned copy would not be wiped
        let room: usize = self.persons.iter().flatten().map(|text| 2 * text.len() + 8).sum();
        let mut plain = Zeroizing::new(Vec::with_capacity(4 * (room + LEAST)));
        serde_json::to_writer(&mut *plain, self).map_err(|_| FAILED.fault("encoding"))?;
        let size = plain.len().next_power_of_two().max(LEAST);
        plain.resize(size, b' ');
        envelope::seal(&plain, recipients).ok_or_else(|| FAILED.fault("to nobody"))
    }

    /// Opens a sealed list with the first identity that fits.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-007` where it is sealed to others, `ECL-SEA-008` where a byte was changed or the
    /// content is not this format's.
    pub fn open(sealed: &[u8], identities: &[&Identity]) -> Result<Self> {
        let plain = envelope::open(sealed, identities).map_err(|closed| match closed {
            Closed::Stranger => STRANGER.fault("").help(
                "give the identity to which it was sealed: --identity FILE; or let the laboratory seal it anew to this session: ecluse instruction exclude",
            ),
            Closed::Damaged => DAMAGED.fault("").help("ask the laboratory for its file again"),
        })?;
        let list: Self = serde_json::from_slice(&plain).map_err(|_| {
            DAMAGED
                .fault("its content is not what this version writes")
                .help("use the version of écluse that made it")
        })?;
        if list.format != FORMAT {
            return Err(DAMAGED.fault("another format").help("use the version of écluse that made it"));
        }
        Ok(list)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.persons.iter_mut().flatten().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({}, …)", self.table)
    }
}
