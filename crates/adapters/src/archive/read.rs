//! The parts of an archive: hashed, compared and opened out of one buffer.
//!
//! Nothing is opened before every part was compared with the signed manifest ([`Whole`]), and each is
//! compared once more, in the buffer it is then opened from: what was exchanged on the disk in between is
//! refused, not loaded.

use std::path::{Path, PathBuf};

use ecluse_core::catalog::{Catalog, Column, Table};
use ecluse_core::digest;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::manifest::{self, Manifest, Part, part_name};
use ecluse_core::plan::Laden;
use ecluse_core::types::Engine;
use ecluse_seal::Identity;
use ecluse_seal::archive::{
    ChunkNote, Index, IndexColumn, IndexTable, Label, Opener, SEALED_INDEX, TOO_LONG,
};

use crate::regular::{self, Unread};

static MISSING: Code = Code::refused("ECL-LOA-020", "a part of the archive is missing");
static CHANGED: Code =
    Code::refused("ECL-LOA-021", "a part of the archive is not the one that the manifest lists");
static STRAY: Code = Code::refused("ECL-LOA-022", "the archive holds a file that its manifest does not list");
static LINKED: Code = Code::refused("ECL-LOA-043", "a part of the archive is a link");
static OTHER_COUNT: Code =
    Code::refused("ECL-LOA-023", "the sealed index tells of other parts than the manifest");
static UNREADABLE: Code = Code::outside("ECL-LOA-024", "the archive cannot be read");

/// Of the engines the one that is files.
pub(super) const ENGINE: Engine = Engine::Csv;

/// What lies in an archive beside its parts; nobody reads the page, it is for people, nor the mark, which a writer
/// leaves that dies as the archive takes its name.
const BESIDE: [&str; 4] = [manifest::FILE, "manifest.toml.sigs", "README.txt", super::write::MARK];

/// An archive every part of which is the one that its manifest lists. Only [`Whole::verified`] makes one.
#[derive(Debug)]
pub struct Whole {
    folder: PathBuf,
    parts: Vec<Part>,
    label: Label,
}

impl Whole {
    /// Compares every part with the manifest, and refuses what the manifest does not list. Nothing is opened.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-020` to `ECL-LOA-022` and `ECL-LOA-043`, naming the part; `ECL-LOA-024`; `ECL-SEA-031` before a part is
    /// read.
    pub fn verified(folder: &Path, manifest: &Manifest) -> Result<Self> {
        let stated = manifest.stated();
        let whole = Self {
            folder: folder.to_owned(),
            parts: stated.parts.clone(),
            label: Label {
                archive: manifest.header().id.clone(),
                instruction: stated.instruction.value.clone(),
                sender: stated.sender.value.clone(),
                recipient: stated.recipient.value.clone(),
            },
        };
        whole.alone()?;
        let index = whole.parts.first().map_or(0, |part| part.size);
        if usize::try_from(index).map_or(true, |index| index > SEALED_INDEX) {
            return Err(TOO_LONG
                .fault(format!("{index} bytes"))
                .help("keep the archive as it is, and ask its sender"));
        }
        for number in 0..whole.parts.len() {
            whole.compared(number)?;
        }
        Ok(whole)
    }

    /// Opens the index, and with it the archive.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-021` where the part was exchanged meanwhile; `ECL-LOA-023`; the seal's own.
    pub fn open<'i>(self, identity: &'i Identity) -> Result<Archive<'i>> {
        let opener = Opener::new(self.label.clone(), identity);
        let index = opener.index(&self.part(0)?)?;
        if index.parts().checked_add(1) != Some(self.parts.len()) {
            let detail = format!("{} of {}", index.parts(), self.parts.len().saturating_sub(1));
            return Err(OTHER_COUNT.fault(detail).help("keep the archive as it is, and tell the controller"));
        }
        Ok(Archive { whole: self, opener, index })
    }

    /// Bytes of all parts, sealed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.size))
    }

    /// The bytes of a part, which are those that the manifest lists.
    fn part(&self, number: usize) -> Result<Vec<u8>> {
        let (name, listed) = self.listed(number)?;
        let bytes = regular::read(&self.folder.join(&name), listed.size).map_err(|why| unread(why, &name))?;
        if digest::of_bytes(&bytes) == listed.sha256 { Ok(bytes) } else { Err(changed(&name)) }
    }

    /// Compares a part with the manifest: it is not in memory as a whole, whatever size is listed.
    fn compared(&self, number: usize) -> Result<()> {
        let (name, listed) = self.listed(number)?;
        let found =
            regular::digest(&self.folder.join(&name), listed.size).map_err(|why| unread(why, &name))?;
        if found == listed.sha256 { Ok(()) } else { Err(changed(&name)) }
    }

    fn listed(&self, number: usize) -> Result<(String, &Part)> {
        let name = part_name(number);
        let listed = self.parts.get(number).ok_or_else(|| MISSING.fault(name.clone()))?;
        Ok((name, listed))
    }

    /// Nothing else lies there: a part that the manifest does not list is nobody's, and one that is a link lies elsewhere.
    fn alone(&self) -> Result<()> {
        let unreadable = |error: std::io::Error| UNREADABLE.fault(error.kind().to_string());
        for entry in std::fs::read_dir(&self.folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let number = name.strip_suffix(".age").and_then(|stem| stem.parse::<usize>().ok());
            let listed = number.is_some_and(|n| n < self.parts.len() && part_name(n) == name);
            if !listed && !BESIDE.contains(&name.as_ref()) {
                return Err(stray(&name));
            }
            // whoever erases the archive takes the link away, and what it leads to would stay
            if listed && entry.file_type().map_err(unreadable)?.is_symlink() {
                return Err(LINKED.fault(name).help("put the file itself into the archive's folder"));
            }
        }
        Ok(())
    }
}

const AGAIN: &str = "copy the archive again from its sender";

fn changed(name: &str) -> Fault {
    CHANGED.fault(name).help(AGAIN)
}

fn unread(unread: Unread, name: &str) -> Fault {
    match unread {
        Unread::Io(std::io::ErrorKind::NotFound) => MISSING.fault(name).help(AGAIN),
        Unread::Io(kind) => UNREADABLE.fault(format!("{name}: {kind}")),
        Unread::TooLarge | Unread::NotRegular => changed(name),
    }
}

/// A name that is shown is somebody else's word: only its letters that steer no screen.
fn stray(name: &str) -> Fault {
    STRAY
        .fault(ecluse_core::plain::shown(name))
        .help("look at what it is; the archive's own files are manifest.toml, its signatures, README.txt and the listed parts")
}

/// An opened archive: its index, and the rows of its parts.
#[derive(Debug)]
pub struct Archive<'i> {
    whole: Whole,
    opener: Opener<'i>,
    index: Index,
}

impl Archive<'_> {
    /// What it says of itself.
    #[must_use]
    pub const fn index(&self) -> &Index {
        &self.index
    }

    /// The id under which a run knows it as its source.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("archive/{}", self.whole.label.archive)
    }

    /// Its tables, as a plan wants them.
    #[must_use]
    pub fn tables(&self) -> Vec<Laden> {
        self.index.tables.iter().map(laden).collect()
    }

    /// Its tables as a source's catalogue has them, by their names at the source.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        Catalog {
            engine: ENGINE,
            database: "archive".to_owned(),
            identity: self.identity(),
            tables: self.tables().into_iter().map(|t| Table { name: t.source, ..t.table }).collect(),
        }
    }

    /// The rows of one part, in the batches in which they were sealed.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-021` where the part was exchanged meanwhile; the seal's own.
    pub(super) fn rows(&self, note: &ChunkNote, table: &IndexTable) -> Result<Vec<ecluse_batch::Batch>> {
        let number = usize::try_from(note.index).unwrap_or(usize::MAX);
        self.opener.chunk(&self.whole.part(number)?, note, table)
    }

    /// The pieces of files of one part, by its place among those that hold some.
    ///
    /// # Errors
    ///
    /// As [`Self::rows`]; `ECL-LOA-023` where the index tells of no such part.
    pub(super) fn pieces(&self, place: usize) -> Result<Vec<ecluse_batch::Batch>> {
        let part = self.index.files.parts.get(place).ok_or_else(|| OTHER_COUNT.fault("parts with files"))?;
        let number = usize::try_from(part.index).unwrap_or(usize::MAX);
        self.opener.files(&self.whole.part(number)?, part)
    }
}

fn laden(table: &IndexTable) -> Laden {
    Laden {
        source: table.source.clone(),
        table: Table {
            name: table.destination.clone(),
            kind: "table".to_owned(),
            oid: None,
            storage: String::new(),
            columns: table.columns.iter().map(column).collect(),
            key: table.key.clone(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        },
        relations: table
            .relations
            .iter()
            .map(|r| (r.column.clone(), r.parent, r.parent_column.clone()))
            .collect(),
        ordered: table.ordered,
    }
}

fn column(column: &IndexColumn) -> Column {
    Column {
        name: column.name.clone(),
        sql_type: column.ty.to_string(),
        ty: Some(column.ty),
        max_length: column.max_length,
        int_bounds: column.int_bounds,
        nullable: column.nullable,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: column.labels.clone(),
        comment: String::new(),
    }
}
