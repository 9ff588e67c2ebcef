//! Files of the journal's folder: whole after a crash, read without waiting.

use std::fs::{DirBuilder, File};
use std::io::{Error, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::failpoint;

use super::{READ, WRITE};
use crate::regular::{self, Unread};

/// How many files are made durable at once, and how many one thread is worth.
const AT_ONCE: usize = 8;
const ALONE: usize = 8;

/// Who may read what the journal's writer writes; nobody else may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The account itself.
    Owner,
    /// The account and its group: the application's, where the writer is an account of its own.
    Group,
}

impl Readers {
    const fn folder(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o750,
        }
    }

    const fn file(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o640,
        }
    }
}

/// A full bundle of the longest entries is smaller.
const MOST: u64 = 32 << 20;

/// The bytes of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match regular::read(path, MOST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unread::Io(ErrorKind::NotFound | ErrorKind::NotADirectory)) => Ok(None),
        Err(Unread::Io(kind)) => Err(failed(&READ, path, &kind.into())),
        Err(Unread::NotRegular) => Err(READ.fault(format!("{}: no regular file", path.display()))),
        Err(Unread::TooLarge) => Err(READ.fault(format!("{}: too large", path.display()))),
    }
}

/// Makes a folder for these readers, and those above it.
pub(super) fn folder(path: &Path, readers: Readers) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(readers.folder())
        .create(path)
        .map_err(|e| failed(&WRITE, path, &e))
}

/// Puts files in the place of older ones; all of them are durable when it returns. Of each there is the
/// old one or the new one after a crash; the caller sees to it that any mixture holds.
pub(super) fn replace(files: &[(&Path, &[u8])], readers: Readers) -> Result<()> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |e: Error| failed(&WRITE, &path, &e)
    };
    all_beside(files, readers)?;
    let mut folders: Vec<&Path> = Vec::new();
    for (path, _) in files {
        failpoint::hit("log.replace.rename.before");
        std::fs::rename(new(path), path).map_err(wrong(path))?;
        failpoint::hit("log.replace.rename.after");
        folders.extend(path.parent());
    }
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        sync(folder).map_err(wrong(folder))?;
    }
    Ok(())
}

/// Writes every new file beside its old one; all of them are durable when it returns.
///
/// What a disk takes to make one durable is waiting, and a file system does it for all that ask at that time.
fn all_beside(files: &[(&Path, &[u8])], readers: Readers) -> Result<()> {
    let share = files.len().div_ceil(AT_ONCE).max(ALONE);
    let some = |some: &[(&Path, &[u8])]| {
        some.iter()
            .try_for_each(|(path, bytes)| beside(path, bytes, readers).map_err(|e| failed(&WRITE, path, &e)))
    };
    if files.len() <= share {
        return some(files);
    }
    std::thread::scope(|scope| {
        let writing: Vec<_> = files.chunks(share).map(|share| scope.spawn(move || some(share))).collect();
        // every one is waited for, whatever became of the others
        let done: Vec<Result<()>> =
            writing.into_iter().map(|one| one.join().unwrap_or_else(|_panic| Err(died()))).collect();
        done.into_iter().collect()
    })
}

fn died() -> Fault {
    WRITE.fault("a thread died")
}

/// Writes the new file beside the old one. The log is held by this process alone: what stands there already
/// is what a crash left.
fn beside(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Error> {
    let new = new(path);
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(readers.file()).open(&new)?;
    let written = file.write_all(bytes).and_then(|()| {
        failpoint::hit("log.replace.fsync.before");
        file.sync_all()?;
        failpoint::hit("log.replace.fsync.after");
        Ok(())
    });
    if written.is_err() {
        // on a full disk the half of it would take the room that the next try needs
        let _half_a_file = std::fs::remove_file(&new);
    }
    written
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> Result<(), Error> {
    failpoint::hit("log.folder.fsync.before");
    File::open(folder)?.sync_all()?;
    failpoint::hit("log.folder.fsync.after");
    Ok(())
}

fn new(path: &Path) -> std::path::PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// The place and the kind of error; never the operating system's own text.
pub(super) fn failed(code: &'static Code, path: &Path, error: &Error) -> Fault {
    let help = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on the disk; the next command takes in what is missing"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the account that runs écluse the right to write there; the next command takes in what is missing"
        }
        _ => "look at the disk, then run the same command again",
    };
    code.fault(format!("{}: {}", path.display(), error.kind())).help(help)
}
