//! A file at the source, erased: read once more, put aside under a name of our own, overwritten, taken away.
//!
//! It is put aside before the first byte of it changes, durably: whoever dies in between leaves either the file as it
//! was or one that only we can have named so, and the next start tells the two apart.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};

use data_encoding::HEXLOWER;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::Relative;
use ecluse_flow::failpoint;
use ecluse_flow::parting::Removed;
use rustix::fs::{Access, AtFlags, Mode, OFlags, accessat, fsync, linkat, openat, statat, unlinkat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::source::{CHANGED, DENIED, Found, LINKED, Read, Way, last, own, way, which};
use super::{UNREADABLE, fault};
use crate::overwrite;

static OTHER: Code = Code::refused("ECL-FIL-017", "a file at the source is not what moved");
static UNERASED: Code = Code::outside("ECL-FIL-032", "a file at the source cannot be erased");

/// What a file is called from the moment when it is put aside.
const ASIDE: &str = ".ecluse-erasing-";

/// Why this account could not erase the file of this name; nothing where it could, or where there is none.
pub(super) fn lacks(root: BorrowedFd<'_>, name: &Relative) -> Result<Option<&'static Code>> {
    let (folder, last) = match way(root, name)? {
        Way::To(folder, last) => (folder, last),
        Way::Missing => return Ok(None),
        Way::Refused(code) => return Ok(Some(code)),
    };
    let may = |path: &str, access: Access| accessat(&folder, path, access, AtFlags::EACCESS);
    let both = may(".", Access::WRITE_OK | Access::EXEC_OK)
        .and_then(|()| may(last, Access::WRITE_OK | Access::READ_OK));
    match both {
        Ok(()) | Err(Errno::NOENT) => Ok(None),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(Some(&DENIED)),
        Err(error) => Err(fault(&UNREADABLE, error, "")),
    }
}

/// Which file stands under this name.
pub(super) fn stands(root: BorrowedFd<'_>, name: &Relative) -> Result<Option<[u64; 2]>> {
    let Way::To(folder, last) = way(root, name)? else { return Ok(None) };
    match statat(&folder, last, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(seen) => Ok(Some(which(&seen))),
        Err(Errno::NOENT | Errno::NAMETOOLONG | Errno::ACCESS) => Ok(None),
        Err(error) => Err(fault(&UNREADABLE, error, "")),
    }
}

/// Erases the file of this name if it holds what the digest says, and folders that are empty then.
pub(super) fn erase(root: BorrowedFd<'_>, name: &Relative, sha256: &str, largest: u64) -> Result<Removed> {
    let (folder, step) = match way(root, name)? {
        Way::To(folder, step) => (folder, step),
        Way::Missing => return emptied(root, name).map(|()| Removed::Absent),
        Way::Refused(code) => return Ok(Removed::Stands(code)),
    };
    let aside = aside(name);
    // an earlier start had looked at it, and died
    let before = match away(&folder, &aside, None)? {
        Removed::Stands(code) => return Ok(Removed::Stands(code)),
        before => before,
    };
    let file = match last(folder.try_clone().map_err(|error| of_io(&error))?, step)? {
        Found::File(file) => file,
        Found::Missing => {
            emptied(root, name)?;
            return Ok(before);
        }
        Found::Refused(code) => return Ok(Removed::Stands(code)),
    };
    let seen = file.which();
    match file.read(largest, &mut |_| Ok(()))? {
        Read::Whole { digest, .. } if HEXLOWER.encode(&digest) == sha256 => {}
        Read::Whole { .. } | Read::Looked { .. } => return Ok(Removed::Stands(&OTHER)),
        Read::Refused(code) => return Ok(Removed::Stands(code)),
        Read::Changed => return Ok(Removed::Stands(&CHANGED)),
    }
    failpoint::hit("attached.erase.rename.before");
    match rustix::fs::renameat(&folder, step, &folder, aside.as_str()) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(Removed::Stands(&CHANGED)),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(Removed::Stands(&DENIED)),
        Err(error) => return Err(unerased(error)),
    }
    failpoint::hit("attached.erase.rename.after");
    failpoint::hit("attached.erase.aside.fsync.before");
    fsync(&folder).map_err(unerased)?;
    failpoint::hit("attached.erase.aside.fsync.after");
    let gone = away(&folder, &aside, Some(seen))?;
    if let Removed::Stands(_) = gone {
        // whoever exchanged it meanwhile, or gave it a second name, finds it again; and in the place of no other file
        linkat(&folder, aside.as_str(), &folder, step, AtFlags::empty()).map_err(unerased)?;
        unlinkat(&folder, aside.as_str(), AtFlags::empty()).map_err(unerased)?;
        return Ok(gone);
    }
    emptied(root, name)?;
    Ok(gone)
}

/// Overwrites what was put aside, and takes its name away; [`Removed::Absent`] where there is none.
fn away(folder: &OwnedFd, aside: &str, seen: Option<[u64; 2]>) -> Result<Removed> {
    match statat(folder, aside, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(Removed::Absent),
        Err(error) => return Err(unerased(error)),
        Ok(there) if !own(&there) => return Ok(Removed::Stands(&LINKED)),
        Ok(there) if seen.is_some_and(|seen| seen != which(&there)) => return Ok(Removed::Stands(&CHANGED)),
        Ok(_) => {}
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = match openat(folder, aside, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(Removed::Stands(&DENIED)),
        Err(error) => return Err(unerased(error)),
    };
    overwrite::zeroed(&mut File::from(file)).map_err(|error| of_io(&error))?;
    unlinkat(folder, aside, AtFlags::empty()).map_err(unerased)?;
    failpoint::hit("attached.erase.fsync.before");
    fsync(folder).map_err(unerased)?;
    failpoint::hit("attached.erase.fsync.after");
    Ok(Removed::Gone)
}

/// Takes away the folders on the way to this name that hold nothing any more, from the last one up: they may be called
/// as their patient was. The column's own folder stays.
fn emptied(root: BorrowedFd<'_>, name: &Relative) -> Result<()> {
    let mut steps: Vec<&str> = name.steps().collect();
    while steps.pop().is_some() && !steps.is_empty() {
        let Some(folder) = Relative::again(&steps.join("/")) else { return Ok(()) };
        let Way::To(above, last) = way(root, &folder)? else { continue };
        match unlinkat(&above, last, AtFlags::REMOVEDIR) {
            Ok(()) => {
                failpoint::hit("attached.erase.folder.fsync.before");
                fsync(&above).map_err(unerased)?;
                failpoint::hit("attached.erase.folder.fsync.after");
            }
            // an earlier start died between it and those above
            Err(Errno::NOENT) => {}
            // it holds something still, or is somebody else's
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// The same for the same name at every start, and nothing of the name in it.
fn aside(name: &Relative) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(name.joined()));
    format!("{ASIDE}{}", digest.get(..32).unwrap_or_default())
}

fn of_io(error: &std::io::Error) -> ecluse_core::fault::Fault {
    unerased(Errno::from_io_error(error).unwrap_or(Errno::IO))
}

fn unerased(error: Errno) -> ecluse_core::fault::Fault {
    fault(&UNERASED, error, "")
        .help("see the disk and the rights of this account; then: ecluse erase --source")
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn digest(bytes: &[u8]) -> String {
        HEXLOWER.encode(&Sha256::digest(bytes))
    }

    fn named(name: &str) -> Relative {
        Relative::again(name).unwrap()
    }

    fn erased(root: &Path, name: &str, bytes: &[u8]) -> Removed {
        let root = File::open(root).unwrap();
        erase(root.as_fd(), &named(name), &digest(bytes), 1 << 20).unwrap()
    }

    fn lying(root: &Path) -> Vec<String> {
        let mut names = Vec::new();
        let folder = File::open(root).unwrap();
        super::super::source::lie(folder.as_fd(), "", 0, &mut |name| names.push(name.to_owned())).unwrap();
        names.sort();
        names
    }

    #[test]
    fn only_what_moved_goes_and_empty_folders_with_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir_all(root.join("DUPONT Marie/2024")).unwrap();
        std::fs::create_dir(root.join("shared")).unwrap();
        let path = |name: &str| root.join(name);
        for (name, bytes) in [("DUPONT Marie/2024/a", "one"), ("shared/b", "two"), ("shared/c", "three")] {
            std::fs::write(path(name), bytes).unwrap();
        }
        assert_eq!(erased(root, "DUPONT Marie/2024/a", b"other"), Removed::Stands(&OTHER));
        assert_eq!(erased(root, "DUPONT Marie/2024/a", b"one"), Removed::Gone);
        assert!(!path("DUPONT Marie").exists());
        assert_eq!(erased(root, "DUPONT Marie/2024/a", b"one"), Removed::Absent);
        assert_eq!(erased(root, "shared/b", b"two"), Removed::Gone);
        assert_eq!(lying(root), ["shared/c"]);

        // a second name: its content would stay, or go from under somebody
        std::fs::hard_link(path("shared/c"), path("shared/d")).unwrap();
        assert_eq!(erased(root, "shared/c", b"three"), Removed::Stands(&LINKED));
        symlink("shared", path("link")).unwrap();
        assert_eq!(erased(root, "link/c", b"three"), Removed::Stands(&LINKED));
        assert_eq!(std::fs::read(path("shared/c")).unwrap(), b"three");
    }

    // proves: ERA-09
    #[test]
    fn what_an_earlier_start_put_aside_goes_and_the_bytes_before_their_name() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir(root.join("x")).unwrap();
        let put = root.join("x").join(aside(&named("x/a")));
        assert!(!put.to_string_lossy().contains("x/a"));
        std::fs::write(&put, "half of it").unwrap();
        // open before: it shows what became of the bytes
        let mut open = File::open(&put).unwrap();
        assert_eq!(erased(root, "x/a", b"whatever"), Removed::Gone);
        let mut left = Vec::new();
        std::io::Read::read_to_end(&mut open, &mut left).unwrap();
        assert_eq!(left, [0; 10]);
        assert!(!root.join("x").exists());

        // nobody's link in its place is followed
        std::fs::write(root.join("other"), "stays").unwrap();
        symlink("other", root.join(aside(&named("b")))).unwrap();
        std::fs::write(root.join("b"), "moved").unwrap();
        assert_eq!(erased(root, "b", b"moved"), Removed::Stands(&LINKED));
        assert_eq!(std::fs::read(root.join("other")).unwrap(), b"stays");
    }

    #[test]
    fn two_names_of_one_file_are_seen_as_such() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "one").unwrap();
        std::fs::hard_link(root.path().join("a"), root.path().join("b")).unwrap();
        let open = File::open(root.path()).unwrap();
        let which = |name: &str| stands(open.as_fd(), &named(name)).unwrap();
        assert!(which("a").is_some());
        assert_eq!(which("a"), which("b"));
        assert_eq!(which("c"), None);
        assert_eq!(lacks(open.as_fd(), &named("a")).unwrap(), None);
    }
}
