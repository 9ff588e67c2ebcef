//! The sealed archive: rows, and everything that is said of them, for one recipient.
//!
//! An archive is parts. Part 0 is the index ([`Index`], JSON); each other part is one Parquet file. Each is
//! sealed by itself (age v1, X25519) to the one key that the instruction cites, and says inside its seal to
//! which archive, place, table, order, sender and recipient it belongs. age alone does not: it tells neither
//! who sealed, nor that a part lies in its own place, and whoever may open a part knows its file key and can
//! put another payload under the same header (`docs/formats.md`, "Sealed archive").
//!
//! [`Sealer`] gives only what is sealed, [`Opener`] only what is this part of this archive.

mod index;
mod opener;
mod sealer;
#[cfg(test)]
mod tests;

pub use index::{
    ChunkNote, FileNote, FilePart, Files, Index, IndexColumn, IndexRelation, IndexTable, commitment,
};
pub use opener::{Opener, SEALED_INDEX};
pub use sealer::{SealedPart, Sealer};

use ecluse_core::fault::Code;

/// A part that is sealed to somebody else.
pub static STRANGER: Code =
    Code::refused("ECL-SEA-020", "a part of the archive is not sealed to this identity");
/// A part of which a byte was changed, added or removed.
pub static DAMAGED: Code = Code::refused("ECL-SEA-021", "a part of the archive is damaged");
/// A part of another archive.
pub static OTHER_ARCHIVE: Code = Code::refused("ECL-SEA-022", "a part belongs to another archive");
/// A part that stands in another's place.
pub static OTHER_PLACE: Code =
    Code::refused("ECL-SEA-023", "a part of the archive stands in another's place");
/// A part that was extracted under another order.
pub static OTHER_ORDER: Code = Code::refused("ECL-SEA-024", "a part was extracted under another instruction");
/// A part that another operator sealed.
pub static OTHER_SENDER: Code = Code::refused("ECL-SEA-025", "a part names another sender");
/// A part that was sealed for another recipient's statement.
pub static OTHER_RECIPIENT: Code = Code::refused("ECL-SEA-026", "a part names another recipient");
/// A part of another table.
pub static OTHER_TABLE: Code = Code::refused("ECL-SEA-027", "a part holds rows of another table");
/// A part whose content is not what was sealed: somebody who may open it put it there.
pub static FORGED: Code = Code::refused("ECL-SEA-028", "a part is not the one that the sender sealed");
/// No index, or one of another version.
pub static NO_INDEX: Code =
    Code::refused("ECL-SEA-029", "the archive's first part is no index that this version knows");
/// A part could not be sealed.
pub static UNSEALED: Code = Code::refused("ECL-SEA-030", "a part of the archive could not be sealed");
/// An index beyond every archive's.
pub static TOO_LONG: Code =
    Code::refused("ECL-SEA-031", "the archive's index is longer than any archive needs");

/// To what every part of an archive belongs. Compared after opening, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The archive's id: 128 random bits, hexadecimal.
    pub archive: String,
    /// The digest of the instruction, `sha256:…`.
    pub instruction: String,
    /// The fingerprint of the sender's key, `SHA256:…`.
    pub sender: String,
    /// The digest of the recipient's statement, `sha256:…`.
    pub recipient: String,
}

/// What a part says in its table's place that holds pieces of files: no name of a table begins so.
const FILES: &str = "/files";

/// The notes of a part's footer.
mod note {
    pub(super) const ARCHIVE: &str = "ecluse.archive";
    pub(super) const INDEX: &str = "ecluse.index";
    pub(super) const TABLE: &str = "ecluse.table";
    pub(super) const INSTRUCTION: &str = "ecluse.instruction";
    pub(super) const SENDER: &str = "ecluse.sender";
    pub(super) const RECIPIENT: &str = "ecluse.recipient";
}

/// What stands in the clear file of every opened part of this archive, and in no other's: the note of its footer by which
/// it says whose it is, as Thrift's compact protocol writes Parquet's `KeyValue` (field 1 the key, field 2 the value, each
/// a length and its bytes).
#[must_use]
pub fn note_of(archive: &str) -> String {
    // an id is 32 characters, so that its length is one byte
    let length = u8::try_from(archive.len()).ok().filter(u8::is_ascii).map_or('\0', char::from);
    format!("{}\u{18}{length}{archive}", note::ARCHIVE)
}
