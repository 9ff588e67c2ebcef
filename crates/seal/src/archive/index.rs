//! The index of an archive, inside the seal: the order, what was extracted, and what each part holds.

use std::collections::BTreeMap;
use std::io::Write as _;

use data_encoding::HEXLOWER;
use ecluse_batch::stored;
use ecluse_core::digest;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::types::Type;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Label, NO_INDEX, OTHER_ARCHIVE, OTHER_ORDER, OTHER_RECIPIENT, OTHER_SENDER, TOO_LONG, UNSEALED};
use crate::state::Seal;

/// Bytes of an index at most: far beyond what the papers of an order and the parts of an archive need. Nothing is
/// opened, and no room made, for more.
pub(super) const LONGEST: usize = 64 << 20;

/// The index's format, of an archive without files.
const FORMAT: &str = "ecluse-index/1";
/// The same, of an archive that holds the files that its rows name.
const WITH_FILES: &str = "ecluse-index/2";

/// What an archive says of itself to its recipient, and to nobody else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// `ecluse-index/1`, or `ecluse-index/2` where it holds files.
    format: String,
    /// See [`Label`].
    archive: String,
    instruction: String,
    sender: String,
    recipient: String,
    /// The run of the extraction: 128 random bits, hexadecimal. Loading has the same one.
    pub run: String,
    /// The id of the session in which it was extracted.
    pub session: String,
    /// The digest of the contract under which the papers were verified, `sha256:…`.
    pub contract: String,
    /// When the extraction ended, RFC 3339.
    pub extracted: String,
    /// Papers by their path in the migration's folder: `instruction.toml`, its signatures
    /// (`instruction.toml.sigs/…`), `mapping.toml`, code tables, `dictionary.toml`. As they were read.
    pub papers: BTreeMap<String, String>,
    /// The key of the tallies.
    #[serde(with = "hex")]
    pub tally: Seal,
    /// The tables, in the order in which they are loaded: parents first.
    pub tables: Vec<IndexTable>,
    /// The parts with rows behind this one, by their index from 1, without a gap.
    pub chunks: Vec<ChunkNote>,
    /// The files that rows name, and the parts that hold them, behind the rows'.
    #[serde(default, skip_serializing_if = "Files::is_empty")]
    pub files: Files,
}

/// Files that rows name, each once, in the order in which rows name them first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The parts that hold them, by their index behind the last part with rows, without a gap.
    pub parts: Vec<FilePart>,
    /// The files.
    pub files: Vec<FileNote>,
}

impl Files {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.files.is_empty()
    }
}

/// One part of the archive that holds pieces of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePart {
    /// Its place among the parts.
    pub index: u64,
    /// Pieces.
    pub rows: u64,
    /// The digest of the Parquet file, `sha256:…`.
    pub sha256: String,
    /// Bytes of its pages, unpacked.
    pub unpacked: u64,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileNote {
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// The place in [`Files::parts`] of its first piece.
    pub part: usize,
}

/// One table, as its rows lie in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexTable {
    /// Its name at the source.
    pub source: String,
    /// Its name at the destination.
    pub destination: String,
    /// The columns, in the order of tallies.
    pub columns: Vec<IndexColumn>,
    /// The key's columns, in the key's order; empty where it has none.
    pub key: Vec<String>,
    /// Relations to other tables of the archive.
    pub relations: Vec<IndexRelation>,
    /// Whether its rows lie in the order of the key, over all its parts.
    pub ordered: bool,
    /// Rows in the archive.
    pub rows: u64,
    /// Rows that the order grants, and that were refused, by code and column.
    pub refused: BTreeMap<String, u64>,
    /// Rows of persons who stay.
    pub excluded: u64,
    /// 256 random bits, hexadecimal.
    pub salt: String,
    /// [`commitment`] to the table's published tally.
    pub commitment: String,
}

/// One column of a table, typed as the plan's destination column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexColumn {
    /// Its name at the destination.
    pub name: String,
    /// Its type on the way.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Characters (text) or bytes at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Whole numbers: inclusive bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int_bounds: Option<(i64, i64)>,
    /// An enumeration's labels; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// A column that names a row of another table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexRelation {
    /// The column here.
    pub column: String,
    /// The other table's place in [`Index::tables`].
    pub parent: usize,
    /// The column there.
    pub parent_column: String,
}

/// One part of the archive that holds rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkNote {
    /// Its place among the parts, from 1.
    pub index: u64,
    /// The table's place in [`Index::tables`].
    pub table: usize,
    /// Its number among the table's parts, from 0.
    pub number: u64,
    /// Rows.
    pub rows: u64,
    /// The digest of the Parquet file, `sha256:…`.
    pub sha256: String,
    /// Bytes of its pages, unpacked.
    pub unpacked: u64,
}

impl Index {
    /// An index of the archive with this label, its tables and parts still to be said.
    #[must_use]
    pub fn new(label: Label, run: String, tally: Seal) -> Self {
        let Label { archive, instruction, sender, recipient } = label;
        Self {
            format: FORMAT.to_owned(),
            archive,
            instruction,
            sender,
            recipient,
            run,
            session: String::new(),
            contract: String::new(),
            extracted: String::new(),
            papers: BTreeMap::new(),
            tally,
            tables: Vec::new(),
            chunks: Vec::new(),
            files: Files::default(),
        }
    }

    /// To what the archive belongs.
    #[must_use]
    pub fn label(&self) -> Label {
        Label {
            archive: self.archive.clone(),
            instruction: self.instruction.clone(),
            sender: self.sender.clone(),
            recipient: self.recipient.clone(),
        }
    }

    /// Says which files it holds, and with that its format.
    pub fn hold(&mut self, files: Files) {
        if files.is_empty() { FORMAT } else { WITH_FILES }.clone_into(&mut self.format);
        self.files = files;
    }

    /// Parts behind this one, with rows and with files.
    #[must_use]
    pub const fn parts(&self) -> usize {
        self.chunks.len().saturating_add(self.files.parts.len())
    }

    /// Whether the parts with files follow those with rows, and each file begins in one of them, behind the file
    /// before it.
    fn files_hold(&self) -> bool {
        let Files { parts, files } = &self.files;
        let first = u64::try_from(self.chunks.len()).unwrap_or(u64::MAX).saturating_add(1);
        let follow = (first..)
            .zip(parts)
            .all(|(place, part)| part.index == place && part.rows > 0 && digest::well_formed(&part.sha256));
        let named =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let within = files.iter().all(|file| named(&file.sha256) && file.part < parts.len());
        follow && within && files.is_sorted_by_key(|file| file.part)
    }

    /// JSON, and blanks behind it up to one of few lengths.
    pub(super) fn write(&self) -> Result<Zeroizing<Vec<u8>>> {
        // room enough that the buffer seldom moves: an abandoned copy would not be wiped
        let papers: usize = self.papers.values().map(String::len).sum();
        let parts = self.chunks.len() + self.files.parts.len();
        let room = 8192 + 2 * papers + 4096 * self.tables.len() + 192 * parts + 128 * self.files.files.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(stored::class(room)));
        if (self.format == WITH_FILES) == self.files.is_empty() {
            return Err(UNSEALED.fault("the index, of another format"));
        }
        serde_json::to_writer(&mut *bytes, self).map_err(|_| UNSEALED.fault("the index"))?;
        let blanks = stored::class(bytes.len()).saturating_sub(bytes.len());
        let blank = std::iter::repeat_n(b' ', blanks).collect::<Vec<u8>>();
        bytes.write_all(&blank).map_err(|_| UNSEALED.fault("the index"))?;
        if bytes.len() > LONGEST {
            return Err(too_long(bytes.len()));
        }
        Ok(bytes)
    }

    /// The index of these bytes, if it is this archive's and holds together.
    pub(super) fn read(bytes: &[u8], label: &Label) -> Result<Self> {
        /// What every version's index says.
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let no_index = |what: &str| NO_INDEX.fault(what);
        let Format { format } = serde_json::from_slice(bytes).map_err(|_| no_index("it is no JSON"))?;
        if ![FORMAT, WITH_FILES].contains(&format.as_str()) {
            return Err(
                no_index("its format").help("use the version of écluse that its sender used, or a later one")
            );
        }
        let index: Self = serde_json::from_slice(bytes).map_err(|_| no_index("its keys"))?;
        for (same, code) in [
            (index.archive == label.archive, &OTHER_ARCHIVE),
            (index.instruction == label.instruction, &OTHER_ORDER),
            (index.sender == label.sender, &OTHER_SENDER),
            (index.recipient == label.recipient, &OTHER_RECIPIENT),
        ] {
            if !same {
                return Err(code.fault("the index"));
            }
        }
        // it becomes the ledger's and the receipt's name for the load
        if HEXLOWER.decode(index.run.as_bytes()).map(|run| run.len()) != Ok(16) {
            return Err(no_index("its run"));
        }
        let mut next = vec![0_u64; index.tables.len()];
        let mut rows = vec![0_u64; index.tables.len()];
        for (place, note) in (1_u64..).zip(&index.chunks) {
            let (Some(next), Some(rows)) = (next.get_mut(note.table), rows.get_mut(note.table)) else {
                return Err(no_index("a part of no table"));
            };
            if note.index != place
                || note.number != *next
                || note.rows == 0
                || !digest::well_formed(&note.sha256)
            {
                return Err(no_index("its parts"));
            }
            *next += 1;
            *rows = rows.checked_add(note.rows).ok_or_else(|| no_index("its rows"))?;
        }
        if (format == WITH_FILES) == index.files.is_empty() || !index.files_hold() {
            return Err(no_index("its files"));
        }
        for (table, rows) in index.tables.iter().zip(rows) {
            let known = |name: &String| table.columns.iter().any(|c| c.name == *name);
            let relates = |r: &IndexRelation| known(&r.column) && r.parent < index.tables.len();
            // rows of no column take no byte of a part, and time and memory without an end
            if table.columns.is_empty() {
                return Err(no_index("a table without a column"));
            }
            if table.rows != rows || !table.key.iter().all(known) || !table.relations.iter().all(relates) {
                return Err(no_index("a table's rows, key or relations"));
            }
        }
        Ok(index)
    }
}

/// An index longer than [`LONGEST`].
pub(super) fn too_long(bytes: usize) -> Fault {
    TOO_LONG
        .fault(format!("{bytes} bytes, and {LONGEST} are the most"))
        .help("the order is split into several, each its own archive; of an archive that you received, ask its sender")
}

/// Binds its maker to a published tally without telling it: `sha256:` of the salt and the tally. The
/// recipient, who has the key and the rows, can open it, and shows so that the rows that arrived are the
/// rows that left.
#[must_use]
pub fn commitment(salt: &[u8; 32], published: &[u8; 32]) -> String {
    digest::of_bytes(&[&salt[..], &published[..]].concat())
}

/// A key as hexadecimal digits, in buffers that are wiped.
mod hex {
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    use super::{Deserialize, HEXLOWER, Seal, Zeroizing};

    pub(super) fn serialize<S: Serializer>(key: &Seal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(HEXLOWER.encode(key.expose())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seal, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = HEXLOWER.decode(text.as_bytes()).map(Zeroizing::new);
        let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        key.map(Seal::new).ok_or_else(|| D::Error::custom("a key"))
    }
}
