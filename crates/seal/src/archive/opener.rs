//! Parts, opened: each is told to be this archive's, in its own place, as it was sealed, before a row of it
//! is given.

use std::fmt;

use ecluse_batch::stored::{Column, Said, Stored};
use ecluse_batch::{Batch, pieces};
use ecluse_core::digest;
use ecluse_core::fault::Result;
use zeroize::Zeroizing;

use super::index::{self, ChunkNote, FilePart, Index, IndexTable};
use super::sealer::columns;
use super::{
    DAMAGED, FILES, FORGED, Label, OTHER_ARCHIVE, OTHER_ORDER, OTHER_PLACE, OTHER_RECIPIENT, OTHER_SENDER,
    OTHER_TABLE, STRANGER, note,
};
use crate::envelope::{self, Closed};
use crate::keys::Identity;

/// Bytes of a sealed index at most: age adds a header and 16 bytes to each 64 KiB.
pub const SEALED_INDEX: usize = index::LONGEST + index::LONGEST / 1024;

/// Opens the parts of one archive.
pub struct Opener<'a> {
    label: Label,
    identity: &'a Identity,
}

/// What the index says of a part.
struct Held<'a> {
    place: u64,
    sha256: &'a str,
    rows: u64,
    unpacked: u64,
}

impl<'a> Opener<'a> {
    /// Opens what belongs to this label, which the caller has from verified papers.
    #[must_use]
    pub const fn new(label: Label, identity: &'a Identity) -> Self {
        Self { label, identity }
    }

    /// The index: part 0.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-020` to `ECL-SEA-026`, `ECL-SEA-029`; `ECL-SEA-031` before anything is opened.
    pub fn index(&self, sealed: &[u8]) -> Result<Index> {
        // what is opened is never longer than what it was sealed in
        if sealed.len() > SEALED_INDEX {
            return Err(index::too_long(sealed.len()));
        }
        Index::read(&self.open(0, sealed)?, &self.label)
    }

    /// The rows of one part; `note` and `table` are the index's.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-020` to `ECL-SEA-028`; `ECL-BAT-020` and `ECL-BAT-021` where what is inside is not the rows
    /// that the index says.
    pub fn chunk(&self, sealed: &[u8], note: &ChunkNote, table: &IndexTable) -> Result<Vec<Batch>> {
        let held = Held { place: note.index, sha256: &note.sha256, rows: note.rows, unpacked: note.unpacked };
        self.rows(sealed, &held, (&table.destination, &columns(table)))
    }

    /// The pieces of files ([`pieces`]) of one part; `part` is the index's.
    ///
    /// # Errors
    ///
    /// As [`Self::chunk`].
    pub fn files(&self, sealed: &[u8], part: &FilePart) -> Result<Vec<Batch>> {
        let held = Held { place: part.index, sha256: &part.sha256, rows: part.rows, unpacked: part.unpacked };
        self.rows(sealed, &held, (FILES, &pieces::COLUMNS))
    }

    fn rows(
        &self,
        sealed: &[u8],
        held: &Held<'_>,
        (table, columns): (&str, &[Column<'_>]),
    ) -> Result<Vec<Batch>> {
        let place = held.place;
        let plain = self.open(place, sealed)?;
        let digest = digest::of_bytes(&plain);
        let stored = Stored::new(plain)?;
        let index = place.to_string();
        for (key, value, code) in [
            (note::ARCHIVE, self.label.archive.as_str(), &OTHER_ARCHIVE),
            (note::INSTRUCTION, &self.label.instruction, &OTHER_ORDER),
            (note::SENDER, &self.label.sender, &OTHER_SENDER),
            (note::RECIPIENT, &self.label.recipient, &OTHER_RECIPIENT),
            (note::TABLE, table, &OTHER_TABLE),
            (note::INDEX, &index, &OTHER_PLACE),
        ] {
            if stored.note(key) != Some(value) {
                return Err(code
                    .fault(format!("part {place}"))
                    .help("keep the archive as it is, and ask its sender"));
            }
        }
        if digest != held.sha256 {
            return Err(FORGED.fault(format!("part {place}")).help(
                "somebody who can open the archive changed it: keep it as it is, and tell the controller",
            ));
        }
        stored.rows(columns, Said { rows: held.rows, unpacked: held.unpacked })
    }

    fn open(&self, place: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        envelope::open(sealed, &[self.identity]).map_err(|closed| match closed {
            Closed::Stranger => STRANGER.fault(format!("part {place}")).help(
                "give the identity file that `ecluse recipient new` made for this migration: --identity FILE",
            ),
            Closed::Damaged => {
                DAMAGED.fault(format!("part {place}")).help("copy the archive again from its sender")
            }
        })
    }
}

impl fmt::Debug for Opener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({})", self.label.archive)
    }
}
