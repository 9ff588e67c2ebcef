//! The migration folder: one migration, one folder, every file found by its name.
//!
//! | name | is |
//! |---|---|
//! | `contract.toml`, `mandate.toml`, `dictionary.toml`, `instruction.toml`, `mapping.toml`, `codes/` | the papers, in the chain's order |
//! | `status.toml`, `session.toml`, `recipient.toml` | short-lived statements |
//! | `FILE.sigs/NAME.sig` | signatures, armoured SSHSIG |
//! | `connections.toml` | where the two databases are; no secret |
//! | `keys/` | public keys; in a trial, private ones too (0600) |
//! | `run/` | what a run leaves: events, sealed state, figures, report |

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ecluse_adapters::regular::{self, Unread};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::failpoint;
use rustix::fs::{FlockOperation, OFlags, flock};

/// No migration folder here or above.
static NO_FOLDER: Code = Code::usage("ECL-CLI-002", "no migration folder here");
/// A file the step needs is absent.
static ABSENT: Code = Code::refused("ECL-CLI-003", "a file is missing");
/// A paper of that name is there.
static THERE: Code = Code::usage("ECL-CLI-028", "the file is there already");
/// A file cannot be read or written.
static UNREADABLE: Code = Code::outside("ECL-CLI-004", "a file cannot be read or written");
/// What stands under a paper's name is none.
static NO_FILE: Code = Code::refused("ECL-CLI-041", "this is no plain file of a paper's size");

/// Bytes of a paper at most: the dictionary of ten thousand tables is a quarter of it.
const MOST: u64 = 256 << 20;

/// A migration folder, or, where there is none, the current directory.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder given, else the nearest one upwards that holds `contract.toml` or
    /// `connections.toml`, as cargo finds its manifest.
    ///
    /// # Errors
    ///
    /// [`NO_FOLDER`].
    pub(crate) fn find(given: Option<&Path>) -> Result<Self> {
        if let Some(root) = given {
            return if root.is_dir() {
                Ok(Self { root: root.to_owned() })
            } else {
                Err(NO_FOLDER.fault(root.display().to_string()).help("ecluse new DIR"))
            };
        }
        let here = std::env::current_dir().map_err(|_| NO_FOLDER.fault("").help("cd DIR"))?;
        here.ancestors()
            .find(|dir| dir.join("contract.toml").is_file() || dir.join("connections.toml").is_file())
            .map(|root| Self { root: shorter(root, &here) })
            .ok_or_else(|| NO_FOLDER.fault("").help("ecluse new DIR, or ecluse -C DIR …"))
    }

    /// As [`Self::find`]; where there is no folder, names stand for the current directory,
    /// so that a command whose files are all given by flags works anywhere.
    pub(crate) fn find_or_here(given: Option<&Path>) -> Result<Self> {
        match Self::find(given) {
            Err(fault) if given.is_some() => Err(fault),
            Err(_) => Ok(Self { root: PathBuf::from(".") }),
            found => found,
        }
    }

    /// What a fault means where no migration folder was found: a file that is missing by its name is
    /// no mistake of the folder's then, there is none.
    pub(crate) fn or_none(given: Option<&Path>, fault: Fault) -> Fault {
        let sought = [ABSENT.id, "ECL-CLI-011", "ECL-CLI-025"].contains(&fault.code().id);
        match Self::find(given) {
            Err(none) if sought => none,
            _ => fault,
        }
    }

    /// The folder at a path that exists.
    pub(crate) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a name within the folder, or the flag's where one was given.
    pub(crate) fn path(&self, flag: Option<&Path>, name: &str) -> PathBuf {
        match flag {
            Some(path) => path.to_owned(),
            None if self.root == Path::new(".") => PathBuf::from(name),
            None => self.root.join(name),
        }
    }

    /// Whether the folder has that file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.root.join(name).exists()
    }
}

/// `here` itself reads better as `.` in messages.
fn shorter(root: &Path, here: &Path) -> PathBuf {
    if root == here { PathBuf::from(".") } else { root.to_owned() }
}

/// A file's bytes.
///
/// # Errors
///
/// [`ABSENT`] with the command that makes it (`help`), [`UNREADABLE`]; [`NO_FILE`], before anything is read.
pub(crate) fn read(path: &Path, help: &str) -> Result<Vec<u8>> {
    regular::read(path, MOST).map_err(|unread| match unread {
        Unread::Io(ErrorKind::NotFound) => ABSENT.fault(path.display().to_string()).help(help),
        Unread::Io(kind) => UNREADABLE.fault(format!("{}: {kind}", path.display())),
        Unread::NotRegular => NO_FILE
            .fault(path.display().to_string())
            .help("put a plain file there: no folder, pipe or device"),
        Unread::TooLarge => NO_FILE
            .fault(format!("{}: more than {} MiB", path.display(), MOST >> 20))
            .help("look at what it is: no paper is as large"),
    })
}

/// That no paper of that name is there, for whoever does something else before it is written.
///
/// # Errors
///
/// [`THERE`].
pub(crate) fn free(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(unwritable(path, &ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

/// Writes a file that must not exist yet: a paper is never overwritten.
///
/// # Errors
///
/// [`THERE`], [`UNREADABLE`].
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    create_with(path, bytes, 0o666)
}

/// As [`create`], with these rights from the first byte on (less the account's own mask).
///
/// # Errors
///
/// [`UNREADABLE`]; half a file, on a full disk, is taken away: it would stand in the way of
/// the same command once there is room.
pub(crate) fn create_with(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    make_parent(path)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|error| unwritable(path, &error))?;
    file.write_all(bytes).map_err(|error| {
        let _half_a_file = fs::remove_file(path);
        unwritable(path, &error)
    })
}

/// As [`create_with`], and on the disk when it returns: nobody cites a key that a power cut takes.
///
/// # Errors
///
/// As [`create_with`].
pub(crate) fn create_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    create_with(path, bytes, mode)?;
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sync = || {
        failpoint::hit("papers.create.fsync.before");
        fs::File::open(path)?.sync_all()?;
        fs::File::open(parent)?.sync_all()?;
        failpoint::hit("papers.create.fsync.after");
        Ok(())
    };
    sync().map_err(|error| unwritable(path, &error))
}

/// Holds an empty file that stands for another one, until the value is dropped; waits while
/// another process does. The operating system lets go of it with the process, however it dies.
///
/// # Errors
///
/// [`UNREADABLE`].
pub(crate) fn hold(path: &Path) -> Result<fs::File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let mut options = fs::OpenOptions::new();
    let held = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path);
    held.and_then(|file| Ok(flock(&file, FlockOperation::LockExclusive).map(|()| file)?))
        .map_err(|error| unwritable(path, &error))
}

/// A file that could not be written.
pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return THERE.fault(path.display().to_string()).help(
            "go on with it (ecluse next says how), or move it away first: a paper is never overwritten",
        );
    }
    UNREADABLE
        .fault(format!("{}: {}", path.display(), error.kind()))
        .help("look at the folder's rights and free space")
}

/// The files of a folder, by name; none where there is no such folder.
///
/// # Errors
///
/// [`UNREADABLE`].
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>());
    let mut paths =
        entries.map_err(|error| UNREADABLE.fault(format!("{}: {}", dir.display(), error.kind())))?;
    paths.sort();
    Ok(paths)
}

/// Writes a file, in place of an older one where there is one.
///
/// # Errors
///
/// [`UNREADABLE`].
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    make_parent(path)?;
    let beside = path.with_extension("part");
    let write = || {
        // what a start that died left there; and no link of that name is written through
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        // before the rename: else a power cut could leave the new name over an empty file
        failpoint::hit("papers.replace.fsync.before");
        file.sync_all()?;
        failpoint::hit("papers.replace.fsync.after");
        failpoint::hit("papers.replace.rename.before");
        fs::rename(&beside, path)?;
        failpoint::hit("papers.replace.rename.after");
        Ok(())
    };
    write().map_err(|error| unwritable(path, &error))
}

/// Makes the folder a file will lie in.
///
/// # Errors
///
/// [`UNREADABLE`].
pub(crate) fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent)
            .map_err(|error| UNREADABLE.fault(format!("{}: {}", parent.display(), error.kind()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_overrides_the_name() {
        let folder = Folder::at("/m");
        assert_eq!(folder.path(None, "mapping.toml"), Path::new("/m/mapping.toml"));
        assert_eq!(folder.path(Some(Path::new("other.toml")), "mapping.toml"), Path::new("other.toml"));
    }

    #[test]
    fn a_given_folder_that_is_not_there_is_wrong_use() {
        let fault = Folder::find(Some(Path::new("/nowhere/at/all"))).unwrap_err();
        assert_eq!(fault.code().id, "ECL-CLI-002");
        assert_eq!(fault.code().exit.status(), 2);
    }
}
