//! A file at the source: opened step by step, read once, and looked at again afterwards.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::Relative;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::{UNREADABLE, fault};

pub(super) static LINKED: Code =
    Code::refused("ECL-FIL-012", "a file is reached through a link, or is no file of its own");
/// A file that changed each time it was read.
pub(super) static CHANGED: Code =
    Code::refused("ECL-FIL-013", "a file changed or was exchanged while it was read");
pub(super) static DENIED: Code = Code::refused("ECL-FIL-014", "a file may not be read by this account");
static LARGE: Code = Code::refused("ECL-FIL-015", "a file is larger than the order lets");

/// Bytes read at once.
const BLOCK: usize = 128 << 10;
/// Folders within each other at most: beyond, somebody built a tree to be got lost in.
const DEEP: usize = 64;

/// What a name led to.
pub(super) enum Found {
    File(Opened),
    Missing,
    Refused(&'static Code),
}

/// Where a name leads.
pub(super) enum Way<'n> {
    /// To this folder, and its last step.
    To(OwnedFd, &'n str),
    Missing,
    Refused(&'static Code),
}

/// What became of a reading.
pub(super) enum Read {
    Whole {
        digest: [u8; 32],
        bytes: u64,
    },
    Looked {
        bytes: u64,
    },
    Refused(&'static Code),
    /// The file is not what it was when it was opened, or another one stands under its name.
    Changed,
}

/// An open file, and what it was then.
pub(super) struct Opened {
    file: File,
    was: Stat,
    /// The folder it lies in.
    folder: OwnedFd,
    last: String,
}

/// Opens the file of this name below a folder, through no link.
pub(super) fn open(root: BorrowedFd<'_>, name: &Relative) -> Result<Found> {
    Ok(match way(root, name)? {
        Way::To(folder, step) => last(folder, step)?,
        Way::Missing => Found::Missing,
        Way::Refused(code) => Found::Refused(code),
    })
}

/// Opens the folder in which the file of this name would lie, through no link.
pub(super) fn way<'n>(root: BorrowedFd<'_>, name: &'n Relative) -> Result<Way<'n>> {
    let own = root.try_clone_to_owned();
    let mut folder =
        own.map_err(|e| fault(&UNREADABLE, Errno::from_io_error(&e).unwrap_or(Errno::IO), ""))?;
    let mut steps = name.steps().peekable();
    while let Some(step) = steps.next() {
        if steps.peek().is_none() {
            return Ok(Way::To(folder, step));
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        match openat(&folder, step, flags, Mode::empty()) {
            Ok(below) => folder = below,
            Err(error) => {
                return Ok(match otherwise(error)? {
                    Found::Refused(code) => Way::Refused(code),
                    Found::Missing | Found::File(_) => Way::Missing,
                });
            }
        }
    }
    Ok(Way::Missing)
}

/// What stands under this name in the folder, opened.
pub(super) fn last(folder: OwnedFd, name: &str) -> Result<Found> {
    // looked at before it is opened: opening a device may already do something
    let seen = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(seen) => seen,
        Err(error) => return otherwise(error),
    };
    if !own(&seen) {
        return Ok(Found::Refused(&LINKED));
    }
    // whoever puts a pipe in its place meanwhile does not make us wait
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::RDONLY | OFlags::CLOEXEC;
    let file = match openat(&folder, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(error) => return otherwise(error),
    };
    let was = fstat(&file).map_err(|e| fault(&UNREADABLE, e, ""))?;
    if !own(&was) {
        return Ok(Found::Refused(&LINKED));
    }
    Ok(Found::File(Opened { file: File::from(file), was, folder, last: name.to_owned() }))
}

/// A file as it was when it was opened.
pub(super) struct Seen(Stat);

impl Seen {
    /// Whether this is the same file, not written to since, under one name. Its status changed with its name.
    pub(super) fn is_still(&self, now: &Stat) -> bool {
        let as_now = |seen: &Stat| (which(seen), seen.st_size, seen.st_mtime, seen.st_mtime_nsec);
        as_now(&self.0) == as_now(now) && own(now)
    }
}

impl Opened {
    pub(super) const fn seen(&self) -> Seen {
        Seen(self.was)
    }
}

/// As its file system tells files apart.
pub(super) fn which(seen: &Stat) -> [u64; 2] {
    [seen.st_dev, seen.st_ino]
}

/// A regular file with one name. With two, whoever holds the other changes what we read, and an erasure of
/// this one would leave the other.
pub(super) fn own(seen: &Stat) -> bool {
    FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile && seen.st_nlink == 1
}

fn otherwise(error: Errno) -> Result<Found> {
    match error {
        Errno::NOENT | Errno::NAMETOOLONG => Ok(Found::Missing),
        Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::NXIO | Errno::NODEV => {
            Ok(Found::Refused(&LINKED))
        }
        Errno::ACCESS | Errno::PERM => Ok(Found::Refused(&DENIED)),
        error => Err(fault(&UNREADABLE, error, "")),
    }
}

impl Opened {
    /// Nothing is read.
    pub(super) fn look(&self, largest: u64) -> Read {
        let bytes = u64::try_from(self.was.st_size).unwrap_or(u64::MAX);
        if bytes > largest { Read::Refused(&LARGE) } else { Read::Looked { bytes } }
    }

    /// Reads it from its first byte to its last, once; each block goes to `sink` as it comes.
    pub(super) fn read(mut self, largest: u64, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Read> {
        if let Read::Refused(code) = self.look(largest) {
            return Ok(Read::Refused(code));
        }
        let mut hasher = Sha256::new();
        let (mut block, mut bytes) = (vec![0; BLOCK], 0u64);
        loop {
            let read = match self.file.read(&mut block) {
                Ok(read) => block.get(..read).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(fault(&UNREADABLE, Errno::from_io_error(&error).unwrap_or(Errno::IO), ""));
                }
            };
            if read.is_empty() {
                break;
            }
            bytes = bytes.saturating_add(u64::try_from(read.len()).unwrap_or(u64::MAX));
            if bytes > largest {
                // it grew meanwhile
                return Ok(Read::Changed);
            }
            hasher.update(read);
            sink(read)?;
        }
        if !self.stood(bytes)? {
            return Ok(Read::Changed);
        }
        Ok(Read::Whole { digest: hasher.finalize().into(), bytes })
    }

    /// Whether what was read is what was opened, and stands under its name still.
    fn stood(&self, bytes: u64) -> Result<bool> {
        let now = fstat(&self.file).map_err(|e| fault(&UNREADABLE, e, ""))?;
        let there = statat(&self.folder, self.last.as_str(), AtFlags::SYMLINK_NOFOLLOW);
        let there = match there {
            Ok(there) => there,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(fault(&UNREADABLE, error, "")),
        };
        let same = |a: &Stat, b: &Stat| {
            (a.st_dev, a.st_ino, a.st_size, a.st_nlink) == (b.st_dev, b.st_ino, b.st_size, b.st_nlink)
                && (a.st_mtime, a.st_mtime_nsec, a.st_ctime, a.st_ctime_nsec)
                    == (b.st_mtime, b.st_mtime_nsec, b.st_ctime, b.st_ctime_nsec)
        };
        Ok(same(&self.was, &now) && same(&now, &there) && u64::try_from(now.st_size) == Ok(bytes))
    }
}

/// The name of every regular file below a folder, from there on; links are files of nobody here, and are
/// not followed.
pub(super) fn lie(
    folder: BorrowedFd<'_>,
    before: &str,
    deep: usize,
    each: &mut dyn FnMut(&str),
) -> Result<()> {
    let unreadable = |error| fault(&UNREADABLE, error, "");
    if deep > DEEP {
        return Err(UNREADABLE.fault("folders within folders without an end"));
    }
    for entry in Dir::read_from(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let own = entry.file_name();
        if [&b"."[..], b".."].contains(&own.to_bytes()) {
            continue;
        }
        // a name that is no text is no row's; its file counts all the same
        let name = format!("{before}{}", own.to_string_lossy());
        let seen = statat(folder, own, AtFlags::SYMLINK_NOFOLLOW).map_err(unreadable)?;
        match FileType::from_raw_mode(seen.st_mode) {
            FileType::RegularFile => each(&name),
            FileType::Directory => {
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
                let below = openat(folder, own, flags, Mode::empty()).map_err(unreadable)?;
                lie(below.as_fd(), &format!("{name}/"), deep + 1, each)?;
            }
            _ => {}
        }
    }
    Ok(())
}
