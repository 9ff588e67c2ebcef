//! A file overwritten before its name goes. What a file system or a disk keeps of it elsewhere is out of reach.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ecluse_flow::failpoint;
use rustix::fs::OFlags;

/// Overwrites a regular file with zeroes, durably, and takes its name away, durably; whether there was one.
/// A link is not followed: its own name goes, and nothing is overwritten.
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

fn over(path: &Path) -> std::io::Result<()> {
    if !std::fs::symlink_metadata(path)?.is_symlink() {
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
        let mut file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
        let mut left = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        while left > 0 {
            let piece = left.min(4096);
            file.write_all(&vec![0; usize::try_from(piece).unwrap_or(0)])?;
            left -= piece;
        }
        failpoint::hit("overwrite.fsync.before");
        file.sync_all()?;
        failpoint::hit("overwrite.fsync.after");
    }
    std::fs::remove_file(path)?;
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    failpoint::hit("overwrite.entry.fsync.before");
    File::open(parent)?.sync_all()?;
    failpoint::hit("overwrite.entry.fsync.after");
    Ok(())
}
