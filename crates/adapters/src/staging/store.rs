//! What one process stages: files of sealed blocks, read back by it alone.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ecluse_batch::{Batch, Packing};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::types::Type;
use ecluse_core::value::Key;
use ecluse_flow::failpoint;
use ecluse_flow::ports::Swept;
use ecluse_seal::transient::Transient;
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

use super::{Folder, unusable};

/// The staging of one process. Dropped, it takes its files away.
pub(crate) struct Store {
    folder: Folder,
    name: String,
    own: OwnedFd,
    seal: Transient,
    packing: Packing,
    parts: u64,
    blocks: u64,
    bytes: u64,
    gone: bool,
}

/// A file of sealed blocks.
pub(crate) struct Part {
    name: String,
    /// Open while it is written.
    file: Option<File>,
    at: u64,
    blocks: Vec<Block>,
}

/// Where a block lies, and what is known of it without opening it.
struct Block {
    number: u64,
    at: u64,
    bytes: usize,
    rows: usize,
    last: Option<Key>,
}

impl Store {
    /// Begins a staging under this name, which the journal knows already.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-625`, `ECL-SRC-626`.
    pub(crate) fn make(path: &Path, name: &str) -> Result<Self> {
        let folder = Folder::open(path)?;
        let own = folder.make(name)?;
        let (seal, packing) = (Transient::new(), Packing::default());
        Ok(Self {
            folder,
            name: name.to_owned(),
            own,
            seal,
            packing,
            parts: 0,
            blocks: 0,
            bytes: 0,
            gone: false,
        })
    }

    /// A new, empty part.
    pub(crate) fn part(&mut self) -> Result<Part> {
        let name = self.parts.to_string();
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let file =
            openat(&self.own, name.as_str(), flags, Mode::RUSR | Mode::WUSR).map_err(|e| self.failed(e))?;
        self.parts += 1;
        Ok(Part { name, file: Some(File::from(file)), at: 0, blocks: Vec::new() })
    }

    /// Seals a block behind the part's others; `last`: its last row's key, where the table has one.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-625`, where the disk is full among others; the seal's.
    pub(crate) fn write(&mut self, part: &mut Part, batch: &Batch, last: Option<Key>) -> Result<()> {
        let number = self.blocks;
        self.blocks += 1;
        let sealed = self.seal.seal(number, &zeroize::Zeroizing::new(self.packing.pack(batch)?))?;
        let Some(file) = &mut part.file else { return Err(self.failed(Errno::BADF)) };
        failpoint::hit("staging.write.before");
        file.write_all(&sealed).map_err(|e| self.failed(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
        failpoint::hit("staging.write.after");
        part.blocks.push(Block { number, at: part.at, bytes: sealed.len(), rows: batch.rows(), last });
        let length = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        part.at = part.at.saturating_add(length);
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }

    /// Opens a block of a part; `None` behind its last.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-625`; `ECL-SEA-011` where it is not what was written.
    pub(crate) fn read(&self, part: &Part, block: usize, types: &[Type]) -> Result<Option<Batch>> {
        let Some(block) = part.blocks.get(block) else { return Ok(None) };
        let flags = OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&self.own, part.name.as_str(), flags, Mode::empty()).map_err(|e| self.failed(e))?;
        let mut sealed = vec![0; block.bytes];
        File::from(file)
            .read_exact_at(&mut sealed, block.at)
            .map_err(|e| self.failed(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
        let plain = self.seal.open(block.number, &sealed)?;
        self.packing.unpack(&plain, types).map(Some)
    }

    /// Takes a part away that is needed no more.
    pub(crate) fn remove(&self, part: &Part) -> Result<()> {
        failpoint::hit("staging.remove.before");
        unlinkat(&self.own, part.name.as_str(), AtFlags::empty()).map_err(|e| self.failed(e))?;
        failpoint::hit("staging.remove.after");
        Ok(())
    }

    /// How many parts were written so far, and how many sealed bytes.
    pub(crate) const fn written(&self) -> Swept {
        Swept { parts: self.parts, bytes: self.bytes }
    }

    /// Takes everything away, durably; the key goes with it.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-625`.
    pub(crate) fn destroy(mut self) -> Result<()> {
        self.gone = true;
        self.folder.destroy(&self.name).map(drop)
    }

    fn failed(&self, error: Errno) -> Fault {
        unusable(error, &self.folder.path)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if !self.gone {
            // on the way out of another fault; what stays is swept by the next start
            let _swept_later = self.folder.destroy(&self.name);
        }
    }
}

impl Part {
    /// No block follows.
    pub(crate) fn end(&mut self) {
        self.file = None;
    }

    /// Rows in it.
    pub(crate) fn rows(&self) -> usize {
        self.blocks.iter().map(|block| block.rows).sum()
    }

    /// The first block in which a row's key may lie behind this one; 0 where the table has no key.
    pub(crate) fn behind(&self, key: &Key) -> usize {
        self.blocks.partition_point(|block| block.last.as_ref().is_some_and(|last| last <= key))
    }

    /// Whether no block from this one on holds rows up to this key: the one before reaches that far.
    pub(crate) fn reached(&self, block: usize, key: &Key) -> bool {
        let before = block.checked_sub(1).and_then(|before| self.blocks.get(before));
        before.is_some_and(|before| before.last.as_ref().is_some_and(|last| last >= key))
    }
}
