//! A file overwritten before its name goes. What a file system or a disk keeps of it elsewhere is out of reach.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ecluse_adapters::overwrite;
use ecluse_flow::failpoint;
use rustix::fs::OFlags;

/// Overwrites a regular file with zeroes, durably, and takes its name away, durably; whether there was one.
/// A link is not followed: its own name goes, and nothing is overwritten. A device, and a file that has another
/// name, are left as they are.
///
/// # Errors
///
/// The kind of the operating system's error.
pub(crate) fn removed(path: &Path) -> Result<bool, ErrorKind> {
    match over(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        done => done.map(|()| true).map_err(|error| error.kind()),
    }
}

/// Overwrites a regular file with zeroes, durably, and leaves its name; whether there was one. Of a link, a device and a
/// file that has another name nothing is overwritten.
///
/// # Errors
///
/// The kind of the operating system's error.
pub(crate) fn emptied(path: &Path) -> Result<bool, ErrorKind> {
    match zeroed(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        done => done.map(|()| true).map_err(|error| error.kind()),
    }
}

/// Whether nothing is left of the file: it is not there, or holds zeroes alone. An empty file is none that was
/// overwritten.
///
/// # Errors
///
/// The kind of the operating system's error.
pub(crate) fn is_over(path: &Path) -> Result<bool, ErrorKind> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error.kind()),
        // an identity is some hundred bytes: whatever is longer is none
        Ok(found) if !found.is_file() || found.len() > 65_536 => Ok(false),
        Ok(_) => {
            let bytes = zeroize::Zeroizing::new(std::fs::read(path).map_err(|error| error.kind())?);
            Ok(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0))
        }
    }
}

fn over(path: &Path) -> std::io::Result<()> {
    if !std::fs::symlink_metadata(path)?.is_symlink() {
        zeroed(path)?;
    }
    std::fs::remove_file(path)?;
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    failpoint::hit("overwrite.entry.fsync.before");
    File::open(parent)?.sync_all()?;
    failpoint::hit("overwrite.entry.fsync.after");
    Ok(())
}

fn zeroed(path: &Path) -> std::io::Result<()> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    overwrite::zeroed(&mut OpenOptions::new().write(true).custom_flags(flags).open(path)?)
}
