//! The run's folder at the destination: each file is whole and durable under its name, or not there.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use ecluse_core::fault::Result;
use ecluse_core::plan::files::of_run;
use ecluse_flow::failpoint;
use ecluse_flow::ports::Stands;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, fsync, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::{UNWRITABLE, fault};

/// What a file is called until it is whole. One at a time: a run holds its destination's lock.
const PART: &str = "part";

/// The destination's folder, open.
pub(super) struct Kept<'a> {
    root: BorrowedFd<'a>,
    /// Whether the run's folder is known to be durable in it.
    rooted: &'a AtomicBool,
}

impl<'a> Kept<'a> {
    pub(super) const fn new(root: BorrowedFd<'a>, rooted: &'a AtomicBool) -> Self {
        Self { root, rooted }
    }

    /// A new, empty file in the run's folder, ours alone.
    pub(super) fn part(&self, run: &str) -> Result<File> {
        let folder = made(self.root, &of_run(run))?;
        if !self.rooted.load(Ordering::Relaxed) {
            failpoint::hit("attached.made.fsync.before");
            fsync(self.root).map_err(unwritable)?;
            failpoint::hit("attached.made.fsync.after");
            self.rooted.store(true, Ordering::Relaxed);
        }
        match unlinkat(&folder, PART, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(unwritable(error)),
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let part = openat(&folder, PART, flags, Mode::RUSR | Mode::WUSR).map_err(unwritable)?;
        Ok(File::from(part))
    }

    /// Gives the part its name: durable when it returns.
    pub(super) fn arrive(&self, part: &File, name: &str) -> Result<()> {
        let steps: Vec<&str> = name.split('/').collect();
        let [of_run, first, last] = steps.as_slice() else { return Err(unwritable(Errno::INVAL)) };
        let unsaved = |error: std::io::Error| unwritable(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        let folder = made(self.root, of_run)?;
        let to = made(folder.as_fd(), first)?;
        failpoint::hit("attached.fsync.before");
        part.sync_all().map_err(unsaved)?;
        failpoint::hit("attached.fsync.after");
        failpoint::hit("attached.rename.before");
        rustix::fs::renameat(&folder, PART, &to, *last).map_err(unwritable)?;
        failpoint::hit("attached.rename.after");
        for folder in [&to, &folder] {
            failpoint::hit("attached.folder.fsync.before");
            fsync(folder).map_err(unwritable)?;
            failpoint::hit("attached.folder.fsync.after");
        }
        Ok(())
    }

    /// Whether a file of this name and size is there; with `verify`, whether it holds what its name says.
    pub(super) fn has(&self, name: &str, digest: &[u8; 32], bytes: u64, verify: bool) -> Result<bool> {
        let Some(file) = self.open(name)? else { return Ok(false) };
        let size = fstat(&file).map_err(unwritable)?.st_size;
        if u64::try_from(size) != Ok(bytes) {
            return Ok(false);
        }
        Ok(!verify || holds(file)? == *digest)
    }

    pub(super) fn stands(&self, name: &str, digest: &str) -> Result<Stands> {
        match self.open(name)? {
            Some(file) => {
                let whole = data_encoding::HEXLOWER.encode(&holds(file)?) == digest;
                Ok(if whole { Stands::Whole } else { Stands::Altered })
            }
            None => Ok(if self.is_something(name) { Stands::Altered } else { Stands::Missing }),
        }
    }

    /// Everything in the run's folder, from the destination's folder on.
    pub(super) fn names(&self, run: &str) -> Result<Vec<String>> {
        let run = of_run(run);
        let mut names = Vec::new();
        match below(self.root, &run) {
            Ok(folder) => list(folder.as_fd(), &format!("{run}/"), &mut names)?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(unwritable(error)),
        }
        Ok(names)
    }

    /// Takes a file away; folders that are empty then go with it.
    pub(super) fn remove(&self, run: &str, name: &str) -> Result<()> {
        let run = of_run(run);
        let Some(rest) = name.strip_prefix(&format!("{run}/")) else { return Err(unwritable(Errno::INVAL)) };
        let folder = below(self.root, &run).map_err(unwritable)?;
        match rest.split_once('/') {
            None => gone(unlinkat(&folder, rest, AtFlags::empty()))?,
            Some((first, last)) => {
                let within = below(folder.as_fd(), first).map_err(unwritable)?;
                gone(unlinkat(&within, last, AtFlags::empty()))?;
                failpoint::hit("attached.remove.fsync.before");
                fsync(&within).map_err(unwritable)?;
                failpoint::hit("attached.remove.fsync.after");
                emptied(unlinkat(&folder, first, AtFlags::REMOVEDIR))?;
            }
        }
        emptied(unlinkat(self.root, run.as_str(), AtFlags::REMOVEDIR))
    }

    /// A regular file of this name; nothing where there is none.
    fn open(&self, name: &str) -> Result<Option<File>> {
        let mut steps: Vec<&str> = name.split('/').collect();
        let last = steps.pop().unwrap_or_default();
        let mut folder: Option<OwnedFd> = None;
        for step in steps {
            let here = folder.as_ref().map_or(self.root, |folder| folder.as_fd());
            match below(here, step) {
                Ok(found) => folder = Some(found),
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(unwritable(error)),
            }
        }
        let here = folder.as_ref().map_or(self.root, |folder| folder.as_fd());
        match statat(here, last, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(seen) if FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile => {}
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(unwritable(error)),
        }
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::RDONLY | OFlags::CLOEXEC;
        openat(here, last, flags, Mode::empty()).map(|file| Some(File::from(file))).map_err(unwritable)
    }

    fn is_something(&self, name: &str) -> bool {
        statat(self.root, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }
}

/// The folder of this name, made where it is not there; through no link.
fn made(root: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    match mkdirat(root, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(unwritable(error)),
    }
    below(root, name).map_err(unwritable)
}

fn below(root: BorrowedFd<'_>, name: &str) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    openat(root, name, flags, Mode::empty())
}

fn list(folder: BorrowedFd<'_>, before: &str, names: &mut Vec<String>) -> Result<()> {
    for entry in Dir::read_from(folder).map_err(unwritable)? {
        let entry = entry.map_err(unwritable)?;
        let own = entry.file_name();
        if [&b"."[..], b".."].contains(&own.to_bytes()) {
            continue;
        }
        let name = format!("{before}{}", own.to_string_lossy());
        let seen = statat(folder, own, AtFlags::SYMLINK_NOFOLLOW).map_err(unwritable)?;
        if FileType::from_raw_mode(seen.st_mode) == FileType::Directory {
            let within =
                openat(folder, own, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
            list(within.map_err(unwritable)?.as_fd(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// SHA-256 of a file's bytes.
fn holds(mut file: File) -> Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; 128 << 10];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => hasher.update(block.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unwritable(Errno::from_io_error(&error).unwrap_or(Errno::IO))),
        }
    }
}

fn gone(removed: std::result::Result<(), Errno>) -> Result<()> {
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(unwritable(error)),
    }
}

/// A folder that holds something still stays.
fn emptied(removed: std::result::Result<(), Errno>) -> Result<()> {
    match removed {
        Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
        Err(error) => Err(unwritable(error)),
    }
}

fn unwritable(error: Errno) -> ecluse_core::fault::Fault {
    fault(&UNWRITABLE, error, "")
        .help("see the destination's folder, its space and its rights; then the same command again")
}
