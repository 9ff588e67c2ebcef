//! The folder in which an instruction lets sealed rows stand while a process needs them.
//!
//! ```text
//! FOLDER/        0700; nothing stands here but what one run staged
//!   NAME.mark    0600, empty; there before the run's journal knows the name, until it says `done` of it:
//!                where it is missing, this is not the folder, but the place where its disk is mounted
//!   NAME/        0700; a random name that the run's journal knows before the folder is made
//!     0, 1, …    0600; sealed blocks of rows, one behind the other
//! ```
//!
//! The key is in the process's memory and nowhere else ([`ecluse_seal::transient`]): what a crash leaves
//! can be opened by nobody, and the next command on the run takes it away. Nothing here is made durable
//! but the folder's own entries: after a crash a block is of no use to anybody.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the folder: taken, swept |
//! | `store.rs` | what one process stages in it |

mod store;
#[cfg(test)]
mod tests;

use std::ffi::CString;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::failpoint;
use ecluse_flow::ports::{self, Swept};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, fsync, mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;

pub(crate) use store::{Part, Store};

static FOREIGN: Code = Code::refused("ECL-SRC-624", "something else stands in the staging folder");
static UNUSABLE: Code = Code::outside("ECL-SRC-625", "the staging folder cannot be used");
static OPEN_TO_OTHERS: Code =
    Code::refused("ECL-SRC-626", "the staging folder is no folder of its owner's alone");

static ELSEWHERE: Code =
    Code::outside("ECL-SRC-627", "the staging folder is not the one in which rows were staged");

/// The folder that an instruction names, open.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    root: OwnedFd,
}

impl Folder {
    /// Takes the folder, making its last step where it is absent.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-626` where it is a link, no folder, or open to others; `ECL-SRC-625`.
    pub fn open(path: &Path) -> Result<Self> {
        match mkdirat(CWD, path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(unusable(error, path)),
        }
        let not_own = || {
            OPEN_TO_OTHERS.fault(path.display().to_string()).help(format!(
                "name a folder that is no link, and close it to others: chmod 700 {}",
                path.display()
            ))
        };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR | Errno::LOOP => not_own(),
            other => unusable(other, path),
        })?;
        let about = fstat(&root).map_err(|error| unusable(error, path))?;
        if Mode::from_raw_mode(about.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
            return Err(not_own());
        }
        Ok(Self { path: path.to_owned(), root })
    }

    /// Puts the mark of this name there, durably.
    pub(crate) fn mark(&self, name: &str) -> Result<()> {
        let failed = |error| unusable(error, &self.path);
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(&self.root, marked(name), flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        failpoint::hit("staging.mark.fsync.before");
        fsync(&self.root).map_err(failed)?;
        failpoint::hit("staging.mark.fsync.after");
        Ok(())
    }

    /// Takes the mark of this name away, durably.
    pub(crate) fn unmark(&self, name: &str) -> Result<()> {
        let failed = |error| unusable(error, &self.path);
        match unlinkat(&self.root, marked(name), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(failed(error)),
        }
        failpoint::hit("staging.unmark.fsync.before");
        fsync(&self.root).map_err(failed)?;
        failpoint::hit("staging.unmark.fsync.after");
        Ok(())
    }

    /// Refuses where the mark of a name that this run gave is not there.
    fn is_the_one(&self, name: &str) -> Result<()> {
        match statat(&self.root, marked(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(()),
            Err(Errno::NOENT) => Err(ELSEWHERE.fault(self.path.display().to_string()).help(format!(
                "mount the disk that was there, then the same command again; where it is lost for good, nobody can open what it holds: touch {}, and the same command goes on",
                self.path.join(marked(name)).display()
            ))),
            Err(error) => Err(unusable(error, &self.path)),
        }
    }

    /// Makes a folder of this name in it, durably: after it nothing stands under another name.
    fn make(&self, name: &str) -> Result<OwnedFd> {
        mkdirat(&self.root, name, Mode::RWXU).map_err(|error| unusable(error, &self.path))?;
        failpoint::hit("staging.make.fsync.before");
        fsync(&self.root).map_err(|error| unusable(error, &self.path))?;
        failpoint::hit("staging.make.fsync.after");
        below(self.root.as_fd(), name).map_err(|error| unusable(error, &self.path))
    }

    /// Takes the folder of this name away with all its files, durably; nothing where there is none.
    ///
    /// # Errors
    ///
    /// [`FOREIGN`] for a name or a file that no process of ours gives: a journal is not signed, and what it
    /// says is not reason enough to delete what stands elsewhere.
    fn destroy(&self, name: &str) -> Result<Swept> {
        let failed = |error| unusable(error, &self.path);
        let foreign = || {
            FOREIGN.fault(format!("{}: a name that écluse does not give", self.path.display())).help(
                "nothing was deleted; the run's journal was changed, or somebody put files there: look at both",
            )
        };
        if !is_ours(name) {
            return Err(foreign());
        }
        let own = match below(self.root.as_fd(), name) {
            Ok(own) => own,
            Err(Errno::NOENT) => return Ok(Swept::default()),
            Err(error) => return Err(failed(error)),
        };
        let mut swept = Swept::default();
        let parts = names(own.as_fd()).map_err(failed)?;
        if parts.iter().any(|part| !part.as_bytes().iter().all(u8::is_ascii_digit)) {
            return Err(foreign());
        }
        for part in parts {
            let about = statat(&own, &part, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
            failpoint::hit("staging.destroy.before");
            unlinkat(&own, &part, AtFlags::empty()).map_err(failed)?;
            failpoint::hit("staging.destroy.after");
            swept.parts += 1;
            swept.bytes = swept.bytes.saturating_add(u64::try_from(about.st_size).unwrap_or(0));
        }
        unlinkat(&self.root, name, AtFlags::REMOVEDIR).map_err(failed)?;
        failpoint::hit("staging.destroy.fsync.before");
        fsync(&self.root).map_err(failed)?;
        failpoint::hit("staging.destroy.fsync.after");
        Ok(swept)
    }
}

impl ports::Staging for Folder {
    fn sweep(&self, ours: &[String]) -> Result<Swept> {
        let mut swept = Swept::default();
        // a name that is none of ours is refused below, and looked for nowhere
        ours.iter().filter(|name| is_ours(name)).try_for_each(|name| self.is_the_one(name))?;
        for name in ours {
            let one = self.destroy(name)?;
            swept.parts = swept.parts.saturating_add(one.parts);
            swept.bytes = swept.bytes.saturating_add(one.bytes);
        }
        Ok(swept)
    }

    fn clear(&self) -> Result<()> {
        for name in names(self.root.as_fd()).map_err(|error| unusable(error, &self.path))? {
            let name = name.to_string_lossy();
            let about = statat(&self.root, &*name, AtFlags::SYMLINK_NOFOLLOW);
            let mark = name.strip_suffix(MARK).filter(|name| is_ours(name));
            // a mark behind which a folder stands is another run's
            let stands = |name: &str| statat(&self.root, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
            if let Some(mark) = mark.filter(|mark| about.is_ok_and(|a| a.st_size == 0) && !stands(mark)) {
                self.unmark(mark)?;
            }
        }
        Ok(())
    }

    fn alone(&self) -> Result<()> {
        let found = names(self.root.as_fd()).map_err(|error| unusable(error, &self.path))?.len();
        if found == 0 {
            return Ok(());
        }
        Err(FOREIGN.fault(format!("{}: {found} entries that this run did not make", self.path.display())).help(
            "give each run a staging folder of its own. What another run's crash left there, that run's next command destroys; nobody can open it, and it may be deleted by hand",
        ))
    }
}

/// What a mark's name ends with.
const MARK: &str = ".mark";

fn marked(name: &str) -> String {
    format!("{name}{MARK}")
}

/// Whether a name is one that [`ecluse_flow::world::World::id`] gives.
fn is_ours(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What stands in a folder, by name.
fn names(folder: BorrowedFd<'_>) -> std::result::Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if ![&b"."[..], b".."].contains(&name.as_bytes()) {
            names.push(name);
        }
    }
    Ok(names)
}

fn below(root: BorrowedFd<'_>, name: &str) -> std::result::Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let own = openat(root, name, flags, Mode::empty())?;
    let about = fstat(&own)?;
    if FileType::from_raw_mode(about.st_mode) == FileType::Directory { Ok(own) } else { Err(Errno::NOTDIR) }
}

fn unusable(error: Errno, path: &Path) -> Fault {
    let kind = std::io::Error::from(error).kind();
    let help = match error {
        Errno::NOSPC | Errno::DQUOT => {
            "make room on its disk, or allow more memory (&memory=4G at the end of the source's URL); nothing was written at the destination, and the same command begins anew"
        }
        _ => {
            "see that the folder's parent is there and that this account may write to it; then the same command again"
        }
    };
    UNUSABLE.fault(format!("{}: {kind}", path.display())).help(help)
}
