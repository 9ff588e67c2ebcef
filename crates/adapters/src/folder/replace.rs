//! Replacing a file as a whole, or taking it away: after a crash there is the old one or the new one.

use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ecluse_flow::failpoint;

/// Puts `bytes` in the place of `path/name`; durable when it returns.
///
/// The new file is written beside the old one under a fixed name: the folder is locked by
/// this process and closed to others, so nobody else can stand in its place; what a crash
/// left of it is removed first.
pub(super) fn replace(folder: &File, path: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let new = path.join(format!(".{name}.new"));
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    failpoint::hit("folder.replace.fsync.before");
    file.sync_all()?;
    failpoint::hit("folder.replace.fsync.after");
    failpoint::hit("folder.replace.rename.before");
    std::fs::rename(&new, path.join(name))?;
    failpoint::hit("folder.replace.rename.after");
    failpoint::hit("folder.replace.entry.fsync.before");
    folder.sync_all()?;
    failpoint::hit("folder.replace.entry.fsync.after");
    Ok(())
}

/// Takes files away, where they are there; durable when it returns.
pub(super) fn remove(folder: &File, path: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        match std::fs::remove_file(path.join(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
    }
    failpoint::hit("folder.remove.fsync.before");
    folder.sync_all()?;
    failpoint::hit("folder.remove.fsync.after");
    Ok(())
}
