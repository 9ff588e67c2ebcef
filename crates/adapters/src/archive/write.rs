//! Writing an archive's folder: everything in it is sealed, or says nothing of anybody.
//!
//! While it is written it is `NAME.part`, open to its owner only, with a mark in it by which the next start
//! knows that it is ours to take away. It gets its name when the manifest is signed and everything is on the
//! disk; the mark goes last.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::manifest;
use ecluse_flow::failpoint;
use ecluse_flow::ports::Archive;
use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock};
use rustix::io::Errno;

use super::settle::Settling;

static THERE: Code = Code::usage("ECL-ARC-001", "something stands under the archive's name already");
static NOT_OURS: Code =
    Code::refused("ECL-ARC-002", "a folder stands where the archive would be written, and is not ours");
pub(super) static WRITE: Code = Code::outside("ECL-ARC-003", "the archive cannot be written");

/// The mark of a folder that is being written; a live process keeps it locked. It goes last.
pub const MARK: &str = ".ecluse-part";

/// What stands where an archive of some name is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing.
    Not,
    /// What a start left that died: the folder bears the mark, or is empty.
    Left(PathBuf),
    /// A process writes there.
    Busy(PathBuf),
    /// Something that is not ours.
    Foreign(PathBuf),
}

/// What a start left of an archive of this name, in `NAME.part` beside it.
///
/// # Errors
///
/// `ECL-ARC-003` where it cannot be looked at.
pub fn begun(path: &Path) -> Result<Begun> {
    let Some(part) = part_of(path) else { return Ok(Begun::Not) };
    match fs::symlink_metadata(&part) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Begun::Not),
        Err(error) => return Err(fault(&part, &error)),
        Ok(found) if !found.is_dir() => return Ok(Begun::Foreign(part)),
        Ok(_) => {}
    }
    let mark = part.join(MARK);
    if fs::symlink_metadata(&mark).is_ok() {
        return Ok(if locked(&mark).is_ok() { Begun::Left(part) } else { Begun::Busy(part) });
    }
    let mut entries = fs::read_dir(&part).map_err(|error| fault(&part, &error))?;
    // a death between the folder and its mark leaves it empty
    Ok(if entries.next().is_none() { Begun::Left(part) } else { Begun::Foreign(part) })
}

fn part_of(path: &Path) -> Option<PathBuf> {
    let mut part = path.file_name()?.to_owned();
    part.push(".part");
    Some(path.with_file_name(part))
}

/// The mark, kept from every other process until dropped. A file system without locks keeps nobody out.
fn locked(mark: &Path) -> std::io::Result<Option<File>> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits() | OFlags::NONBLOCK.bits()).unwrap_or_default();
    let Ok(mark) = OpenOptions::new().read(true).custom_flags(flags).open(mark) else { return Ok(None) };
    match flock(&mark, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(ErrorKind::ResourceBusy.into()),
        Ok(()) | Err(_) => Ok(Some(mark)),
    }
}

/// An archive that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    part: PathBuf,
    /// Held while this process writes.
    mark: Option<File>,
    /// Parts on their way to the disk.
    settling: Option<Settling>,
}

impl Writer {
    /// Writes an archive under this name, which must be free.
    ///
    /// # Errors
    ///
    /// `ECL-ARC-001`; `ECL-ARC-002` where a folder is in the way that no extraction left.
    pub fn new(path: &Path) -> Result<Self> {
        let part = part_of(path)
            .ok_or_else(|| THERE.fault(path.display().to_string()).help("name a new folder: -o ARCHIVE"))?;
        if fs::symlink_metadata(path).is_ok() {
            return Err(THERE
                .fault(path.display().to_string())
                .help("name another folder: -o ARCHIVE; an archive is never overwritten"));
        }
        let writer = Self { path: path.to_owned(), part, mark: None, settling: None };
        writer.is_ours()?;
        Ok(writer)
    }

    /// Whether a folder of an earlier start stands there.
    fn is_ours(&self) -> Result<bool> {
        match begun(&self.path)? {
            Begun::Not => Ok(false),
            Begun::Left(_) => Ok(true),
            Begun::Busy(part) | Begun::Foreign(part) => Err(NOT_OURS
                .fault(part.display().to_string())
                .help("look at it and move it away, or name another archive")),
        }
    }

    /// Takes away what an earlier start left, the mark last.
    fn clear(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.part)? {
            let entry = entry?;
            if entry.file_name() == MARK {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        match fs::remove_file(self.part.join(MARK)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::remove_dir(&self.part)
    }

    fn make(&mut self) -> std::io::Result<()> {
        DirBuilder::new().mode(0o700).create(&self.part)?;
        written(&self.part.join(MARK), b"An extraction writes here; what is in this folder is sealed. It takes its name once it is whole.\n")?;
        self.mark = locked(&self.part.join(MARK))?;
        failpoint::hit("archive.made.fsync.before");
        File::open(&self.part)?.sync_all()?;
        failpoint::hit("archive.made.fsync.after");
        Ok(())
    }

    fn named(&self) -> std::io::Result<()> {
        failpoint::hit("archive.folder.fsync.before");
        File::open(&self.part)?.sync_all()?;
        failpoint::hit("archive.folder.fsync.after");
        failpoint::hit("archive.rename.before");
        rustix::fs::renameat_with(CWD, &self.part, CWD, &self.path, RenameFlags::NOREPLACE)?;
        failpoint::hit("archive.rename.after");
        unmarked(&self.path)
    }

    /// Does what is left of an archive that has its name already, and whose writer died then.
    ///
    /// # Errors
    ///
    /// `ECL-ARC-003`.
    pub fn end(path: &Path) -> Result<()> {
        unmarked(path).map_err(|error| fault(path, &error))
    }
}

impl Archive for Writer {
    fn begin(&mut self) -> Result<()> {
        if let Some(settling) = self.settling.take() {
            // what it was about is taken away now
            let _of_no_archive = settling.end();
        }
        self.mark = None;
        let cleared = if self.is_ours()? { self.clear() } else { Ok(()) };
        cleared.and_then(|()| self.make()).map_err(|error| fault(&self.part, &error))
    }

    fn put(&mut self, index: u64, sealed: &[u8]) -> Result<()> {
        let number =
            usize::try_from(index).map_err(|_| fault(&self.part, &ErrorKind::FileTooLarge.into()))?;
        let path = self.part.join(manifest::part_name(number));
        let file = made(&path, sealed).map_err(|error| fault(&path, &error))?;
        let settling = self.settling.take().unwrap_or_else(Settling::begin);
        self.settling = Some(settling.take(path, file)?);
        Ok(())
    }

    fn finish(&mut self, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        self.settling.take().map_or(Ok(()), Settling::end)?;
        for (name, bytes) in files {
            let path = self.part.join(name);
            let below = path.parent().filter(|dir| *dir != self.part);
            let done = match below {
                Some(dir) => below_it(dir, &path, bytes),
                None => written(&path, bytes),
            };
            done.map_err(|error| fault(&path, &error))?;
        }
        let named = self.named().map_err(|error| fault(&self.path, &error));
        self.mark = None;
        named
    }
}

/// Takes the mark away; durable, as the name is, when it returns.
fn unmarked(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path.join(MARK)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    failpoint::hit("archive.entry.fsync.before");
    File::open(path)?.sync_all()?;
    File::open(parent)?.sync_all()?;
    failpoint::hit("archive.entry.fsync.after");
    Ok(())
}

/// The same in a folder of its own.
fn below_it(dir: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    written(path, bytes)?;
    failpoint::hit("archive.below.fsync.before");
    File::open(dir)?.sync_all()?;
    failpoint::hit("archive.below.fsync.after");
    Ok(())
}

/// A new file, on the disk when this returns; half a file is taken away.
fn written(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let file = made(path, bytes)?;
    failpoint::hit("archive.part.fsync.before");
    let synced = file.sync_all();
    failpoint::hit("archive.part.fsync.after");
    synced.inspect_err(|_| {
        let _half_a_file = fs::remove_file(path);
    })
}

/// A new file, that is not on the disk yet; half a file is taken away.
fn made(path: &Path, bytes: &[u8]) -> std::io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let whole = file.write_all(bytes).inspect_err(|_| {
        let _half_a_file = fs::remove_file(path);
    });
    whole.map(|()| file)
}

/// The place and the kind of error; never the operating system's own text.
pub(super) fn fault(path: &Path, error: &std::io::Error) -> Fault {
    let kind = error.kind();
    let help = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on the disk; the same command begins the archive anew"
        }
        ErrorKind::AlreadyExists => "move away what stands there, then give the same command again",
        _ => "look at the disk and the folder's rights, then give the same command again",
    };
    WRITE.fault(format!("{}: {kind}", path.display())).help(help)
}
