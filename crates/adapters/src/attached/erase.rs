//! A file at the source, erased: read once more, put aside, looked at there, overwritten; its name goes at the end.
//!
//! | under the name | lies |
//! |---|---|
//! | its own | the file as it was |
//! | `.ecluse-aside-…` | a file that was put aside, and not looked at since: whoever finds it puts it back |
//! | `.ecluse-erasing-…` | a file that was looked at there: it is overwritten, and an empty one then stands for it until the end |
//!
//! Both names are made of a digest of its own: a start that was killed is gone on with by another, which knows what
//! écluse itself erased from what is not there for another reason.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};

use data_encoding::HEXLOWER;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::files::Relative;
use ecluse_flow::failpoint;
use ecluse_flow::parting::{Removed, Which};
use rustix::fs::{Access, AtFlags, Mode, OFlags, RenameFlags, accessat, fsync, openat, statat, unlinkat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::source::{CHANGED, DENIED, Found, LINKED, Opened, Read, Way, last, own, way, which};
use super::{UNREADABLE, fault};
use crate::overwrite;

static OTHER: Code = Code::refused("ECL-FIL-017", "a file at the source is not what moved");
static UNERASED: Code = Code::outside("ECL-FIL-032", "a file at the source cannot be erased");

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

/// Which file stands under this name, or, `through` links, to which one it leads: it is known again by it, and nothing
/// is opened.
pub(super) fn stands(root: BorrowedFd<'_>, name: &Relative, through: bool) -> Result<Option<Which>> {
    let flags = if through { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    match statat(root, name.joined(), flags) {
        Ok(seen) => Ok(Some(which(&seen))),
        Err(Errno::NOENT | Errno::NAMETOOLONG | Errno::ACCESS | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(fault(&UNREADABLE, error, "")),
    }
}

/// Ends what a start that died had begun with the file of this name: what was looked at goes, what was only put aside
/// has its name again. Why that could not be.
pub(super) fn settle(
    root: BorrowedFd<'_>,
    name: &Relative,
    sha256: &str,
    largest: u64,
) -> Result<Option<&'static Code>> {
    let Way::To(folder, step) = way(root, name)? else { return Ok(None) };
    let Names { aside, erasing } = Names::of(name);
    if let Some(code) = over(&folder, &erasing)? {
        return Ok(Some(code));
    }
    if is_free(&folder, &aside)? || back(&folder, &aside, step)? {
        return Ok(None);
    }
    // somebody wrote under its name since
    match holds(last(cloned(&folder)?, &aside)?, sha256, largest)? {
        Err(code) => Ok(Some(code)),
        Ok(_) => looked_at(&folder, &aside, &erasing),
    }
}

/// Erases the file of this name if it holds what the digest says.
pub(super) fn erase(root: BorrowedFd<'_>, name: &Relative, sha256: &str, largest: u64) -> Result<Removed> {
    let (folder, step) = match way(root, name)? {
        Way::To(folder, step) => (folder, step),
        Way::Missing => return Ok(Removed::Absent),
        Way::Refused(code) => return Ok(Removed::Stands(code)),
    };
    let Names { aside, erasing } = Names::of(name);
    // what écluse erased stands there as an empty file; whatever else has the name by now is somebody's
    let gone = !is_free(&folder, &erasing)?;
    let found = last(cloned(&folder)?, step)?;
    if matches!(found, Found::Missing) {
        return Ok(if gone { Removed::Gone } else { Removed::Absent });
    }
    let seen = match holds(found, sha256, largest)? {
        Ok(seen) => seen,
        Err(_) if gone => return Ok(Removed::Gone),
        Err(code) => return Ok(Removed::Stands(code)),
    };
    failpoint::hit("attached.erase.aside.rename.before");
    match rustix::fs::renameat(&folder, step, &folder, aside.as_str()) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(Removed::Stands(&CHANGED)),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(Removed::Stands(&DENIED)),
        Err(error) => return Err(unerased(error)),
    }
    failpoint::hit("attached.erase.aside.rename.after");
    let there = statat(&folder, aside.as_str(), AtFlags::SYMLINK_NOFOLLOW).map_err(unerased)?;
    if !seen.is_still(&there) {
        // whoever exchanged it meanwhile finds it under its name again, or told under the other one
        let _told_either_way = back(&folder, &aside, step)?;
        return Ok(Removed::Stands(&CHANGED));
    }
    Ok(looked_at(&folder, &aside, &erasing)?.map_or(Removed::Gone, Removed::Stands))
}

/// Takes away the empty file that stands for one that was erased, and folders that hold nothing any more, up to the
/// column's own or to another one of `roots`; durable when it returns.
pub(super) fn sweep(root: BorrowedFd<'_>, name: &Relative, roots: &[Which]) -> Result<()> {
    if let Way::To(folder, _) = way(root, name)? {
        match unlinkat(&folder, Names::of(name).erasing.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(unerased(error)),
        }
        failpoint::hit("attached.erase.sweep.fsync.before");
        fsync(&folder).map_err(unerased)?;
        failpoint::hit("attached.erase.sweep.fsync.after");
    }
    emptied(root, name, roots)
}

/// The names that a file has on its way, the same at every start, and nothing of its own in them.
struct Names {
    aside: String,
    erasing: String,
}

impl Names {
    fn of(name: &Relative) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(name.joined()));
        let digest = digest.get(..32).unwrap_or_default();
        Self { aside: format!(".ecluse-aside-{digest}"), erasing: format!(".ecluse-erasing-{digest}") }
    }
}

/// The file, if it holds what the digest says.
fn holds(
    found: Found,
    sha256: &str,
    largest: u64,
) -> Result<std::result::Result<super::source::Seen, &'static Code>> {
    let file: Opened = match found {
        Found::File(file) => file,
        Found::Missing => return Ok(Err(&CHANGED)),
        Found::Refused(code) => return Ok(Err(code)),
    };
    let seen = file.seen();
    Ok(match file.read(largest, &mut |_| Ok(()))? {
        Read::Whole { digest, .. } if HEXLOWER.encode(&digest) == sha256 => Ok(seen),
        Read::Whole { .. } | Read::Looked { .. } => Err(&OTHER),
        Read::Refused(code) => Err(code),
        Read::Changed => Err(&CHANGED),
    })
}

/// Gives what was put aside the name under which it is overwritten, durably, and overwrites it.
fn looked_at(folder: &OwnedFd, aside: &str, erasing: &str) -> Result<Option<&'static Code>> {
    failpoint::hit("attached.erase.rename.before");
    rustix::fs::renameat(folder, aside, folder, erasing).map_err(unerased)?;
    failpoint::hit("attached.erase.rename.after");
    failpoint::hit("attached.erase.fsync.before");
    fsync(folder).map_err(unerased)?;
    failpoint::hit("attached.erase.fsync.after");
    over(folder, erasing)
}

/// Overwrites what stands under this name and leaves it empty; why it could not. Nothing where nothing stands there.
fn over(folder: &OwnedFd, name: &str) -> Result<Option<&'static Code>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(unerased(error)),
        Ok(there) if !own(&there) => return Ok(Some(&LINKED)),
        Ok(there) if there.st_size == 0 => return Ok(None),
        Ok(_) => {}
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(Some(&DENIED)),
        Err(error) => return Err(unerased(error)),
    };
    overwrite::zeroed(&mut file).and_then(|()| file.set_len(0)).map_err(|error| of_io(&error))?;
    Ok(None)
}

/// Gives what was put aside its name again; false where somebody else has it by now.
fn back(folder: &OwnedFd, aside: &str, step: &str) -> Result<bool> {
    failpoint::hit("attached.erase.back.rename.before");
    let done = match rustix::fs::renameat_with(folder, aside, folder, step, RenameFlags::NOREPLACE) {
        // a file system that cannot say so: it is looked before
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if is_free(folder, step)? => {
            rustix::fs::renameat(folder, aside, folder, step)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(Errno::EXIST),
        done => done,
    };
    failpoint::hit("attached.erase.back.rename.after");
    match done {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(unerased(error)),
    }
}

fn is_free(folder: &OwnedFd, name: &str) -> Result<bool> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(false),
        Err(Errno::NOENT) => Ok(true),
        Err(error) => Err(unerased(error)),
    }
}

/// Takes away the folders on the way to this name that hold nothing any more, from the last one up: they may be called
/// as their patient was.
fn emptied(root: BorrowedFd<'_>, name: &Relative, roots: &[Which]) -> Result<()> {
    let mut steps: Vec<&str> = name.steps().collect();
    while steps.pop().is_some() && !steps.is_empty() {
        let Some(folder) = Relative::again(&steps.join("/")) else { return Ok(()) };
        let Way::To(above, last) = way(root, &folder)? else { continue };
        let seen = statat(&above, last, AtFlags::SYMLINK_NOFOLLOW);
        if seen.is_ok_and(|seen| roots.contains(&which(&seen))) {
            return Ok(());
        }
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

fn cloned(folder: &OwnedFd) -> Result<OwnedFd> {
    folder.try_clone().map_err(|error| of_io(&error))
}

fn of_io(error: &std::io::Error) -> Fault {
    unerased(Errno::from_io_error(error).unwrap_or(Errno::IO))
}

fn unerased(error: Errno) -> Fault {
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

    /// As a start does it: what was begun is ended, then the file goes, and at the end what stands for it.
    fn erased(root: &Path, name: &str, bytes: &[u8]) -> Removed {
        let root = File::open(root).unwrap();
        if let Some(code) = settle(root.as_fd(), &named(name), &digest(bytes), 1 << 20).unwrap() {
            return Removed::Stands(code);
        }
        let done = erase(root.as_fd(), &named(name), &digest(bytes), 1 << 20).unwrap();
        if done == Removed::Gone {
            // asked once more before the end, it says the same
            assert_eq!(erase(root.as_fd(), &named(name), &digest(bytes), 1 << 20).unwrap(), Removed::Gone);
            sweep(root.as_fd(), &named(name), &[]).unwrap();
        }
        done
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

    #[test]
    fn a_folder_that_is_another_columns_own_stays_though_it_is_empty() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("own/2024")).unwrap();
        let own = std::fs::metadata(root.path().join("own")).unwrap();
        let own = [std::os::unix::fs::MetadataExt::dev(&own), std::os::unix::fs::MetadataExt::ino(&own)];
        let open = File::open(root.path()).unwrap();
        sweep(open.as_fd(), &named("own/2024/a"), &[own]).unwrap();
        assert!(root.path().join("own").exists() && !root.path().join("own/2024").exists());
    }

    #[test]
    fn what_an_earlier_start_had_looked_at_goes_without_another_look() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir(root.join("x")).unwrap();
        let put = root.join("x").join(Names::of(&named("x/a")).erasing);
        assert!(!put.to_string_lossy().contains("x/a"));
        std::fs::write(&put, "half of it").unwrap();
        let open = File::open(root).unwrap();
        assert_eq!(settle(open.as_fd(), &named("x/a"), "", 1 << 20).unwrap(), None);
        assert_eq!(std::fs::metadata(&put).unwrap().len(), 0, "it stands for the file until the end");
        assert_eq!(erased(root, "x/a", b"whatever"), Removed::Gone);
        assert!(!root.join("x").exists());

        // nobody's link in its place is followed
        std::fs::write(root.join("other"), "stays").unwrap();
        symlink("other", root.join(Names::of(&named("b")).erasing)).unwrap();
        std::fs::write(root.join("b"), "moved").unwrap();
        assert_eq!(erased(root, "b", b"moved"), Removed::Stands(&LINKED));
        assert_eq!(std::fs::read(root.join("other")).unwrap(), b"stays");
    }

    // proves: ERA-09
    #[test]
    fn what_was_put_aside_and_not_looked_at_is_put_back_and_looked_at() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let aside = root.join(Names::of(&named("a")).aside);
        // somebody exchanged it in between: it is theirs
        std::fs::write(&aside, "another's").unwrap();
        assert_eq!(erased(root, "a", b"moved"), Removed::Stands(&OTHER));
        assert_eq!(std::fs::read(root.join("a")).unwrap(), b"another's");
        // and where they have the name again, both are left
        std::fs::rename(root.join("a"), &aside).unwrap();
        std::fs::write(root.join("a"), "written since").unwrap();
        assert_eq!(erased(root, "a", b"moved"), Removed::Stands(&OTHER));
        assert_eq!(std::fs::read(&aside).unwrap(), b"another's");
        assert_eq!(std::fs::read(root.join("a")).unwrap(), b"written since");
        // what moved goes, and what was written under its name since stays
        std::fs::write(&aside, "moved").unwrap();
        assert_eq!(erased(root, "a", b"moved"), Removed::Gone);
        assert_eq!(lying(root), ["a"]);
        assert_eq!(std::fs::read(root.join("a")).unwrap(), b"written since");
    }

    #[test]
    fn a_file_is_known_again_by_whatever_name_leads_to_it() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("in")).unwrap();
        std::fs::write(root.path().join("in/a"), "one").unwrap();
        symlink("in", root.path().join("link")).unwrap();
        symlink("in/a", root.path().join("b")).unwrap();
        let open = File::open(root.path()).unwrap();
        let inner = File::open(root.path().join("in")).unwrap();
        let which = |name: &str| stands(open.as_fd(), &named(name), true).unwrap();
        assert!(which("in/a").is_some());
        for name in ["link/a", "b"] {
            assert_eq!(which("in/a"), which(name), "{name}");
        }
        assert_eq!(which("in/a"), stands(inner.as_fd(), &named("a"), false).unwrap());
        assert_ne!(which("b"), stands(open.as_fd(), &named("b"), false).unwrap());
        assert_eq!((which("c"), which("b/c")), (None, None));
        assert_eq!(lacks(open.as_fd(), &named("in/a")).unwrap(), None);
    }
}
