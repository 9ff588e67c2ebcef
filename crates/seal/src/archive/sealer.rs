//! The one place where rows that will be written down are in clear: it gives the finished seal, or nothing.

use std::fmt;

use ecluse_batch::stored::{self, Column, Room};
use ecluse_batch::{Batch, pieces};
use ecluse_core::digest;
use ecluse_core::fault::Result;

use super::index::{Index, IndexTable};
use super::{FILES, Label, UNSEALED, note};
use crate::envelope;
use crate::keys::Recipient;

/// Seals the parts of one archive to one recipient.
pub struct Sealer {
    label: Label,
    recipient: Recipient,
    room: Room,
}

/// A part, sealed.
#[derive(Debug)]
pub struct SealedPart {
    /// What is written down.
    pub bytes: Vec<u8>,
    /// Its digest, `sha256:…`: for the manifest.
    pub sha256: String,
    /// The digest of what is inside, `sha256:…`: for the index.
    pub plain_sha256: String,
    /// Rows; 0 of the index.
    pub rows: u64,
    /// See [`super::ChunkNote::unpacked`]; 0 of the index.
    pub unpacked: u64,
}

impl Sealer {
    /// Seals to the one key that the instruction cites.
    #[must_use]
    pub fn new(label: Label, recipient: Recipient) -> Self {
        Self { label, recipient, room: Room::default() }
    }

    /// Seals rows of a table as the part with this index (from 1). The batches have the table's columns, in
    /// its order, and one row at least.
    ///
    /// # Errors
    ///
    /// `ECL-BAT-022` where they have not; `ECL-SEA-030`.
    pub fn chunk(&mut self, index: u64, table: &IndexTable, rows: &[Batch]) -> Result<SealedPart> {
        self.rows(index, (&table.destination, &columns(table)), rows)
    }

    /// Seals pieces of files ([`pieces`]) as the part with this index.
    ///
    /// # Errors
    ///
    /// As [`Self::chunk`].
    pub fn files(&mut self, index: u64, rows: &[Batch]) -> Result<SealedPart> {
        self.rows(index, (FILES, &pieces::COLUMNS), rows)
    }

    fn rows(
        &mut self,
        index: u64,
        (table, columns): (&str, &[Column<'_>]),
        rows: &[Batch],
    ) -> Result<SealedPart> {
        let Label { archive, instruction, sender, recipient } = &self.label;
        let place = index.to_string();
        let notes = [
            (note::ARCHIVE, archive.as_str()),
            (note::INDEX, &place),
            (note::TABLE, table),
            (note::INSTRUCTION, instruction),
            (note::SENDER, sender),
            (note::RECIPIENT, recipient),
        ];
        let file = stored::encode(columns, rows, &notes, &mut self.room)?;
        sealed(&self.recipient, file.bytes(), file.rows, file.unpacked)
    }

    /// Seals the index, as part 0.
    ///
    /// # Errors
    ///
    /// `ECL-SEA-030`, also where it is another archive's.
    pub fn index(&self, index: &Index) -> Result<SealedPart> {
        if index.label() != self.label {
            return Err(UNSEALED.fault("an index of another archive"));
        }
        sealed(&self.recipient, &index.write()?, 0, 0)
    }
}

fn sealed(to: &Recipient, plain: &[u8], rows: u64, unpacked: u64) -> Result<SealedPart> {
    let bytes = envelope::seal(plain, std::slice::from_ref(to)).ok_or_else(|| UNSEALED.fault(""))?;
    let (sha256, plain_sha256) = (digest::of_bytes(&bytes), digest::of_bytes(plain));
    Ok(SealedPart { bytes, sha256, plain_sha256, rows, unpacked })
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.label.archive)
    }
}

/// The table's columns, as the Parquet file has them.
pub(super) fn columns(table: &IndexTable) -> Vec<Column<'_>> {
    table.columns.iter().map(|c| Column { name: &c.name, ty: c.ty }).collect()
}
