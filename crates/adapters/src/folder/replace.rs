//! Replacing a file as a whole, or taking it away: after a crash there is the old one or the new one.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Result, Write};
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

/// Takes a file's name away, then overwrites and removes it, and what a crash left of this or of [`replace`];
/// durable when it returns. What the file system or the disk keeps of it elsewhere is out of reach.
pub(super) fn destroy(folder: &File, path: &Path, name: &str) -> Result<()> {
    let gone = format!(".{name}.gone");
    failpoint::hit("folder.destroy.rename.before");
    // first: nobody takes a half overwritten file for what it was
    match std::fs::rename(path.join(name), path.join(&gone)) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => folder.sync_all()?,
    }
    failpoint::hit("folder.destroy.rename.after");
    for name in [format!(".{name}.new"), gone] {
        let file = path.join(&name);
        let mut open = match std::fs::OpenOptions::new().write(true).open(&file) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            open => open?,
        };
        let length = open.metadata()?.len();
        std::io::copy(&mut std::io::repeat(0).take(length), &mut open)?;
        failpoint::hit("folder.destroy.fsync.before");
        open.sync_all()?;
        failpoint::hit("folder.destroy.fsync.after");
        std::fs::remove_file(&file)?;
    }
    failpoint::hit("folder.destroy.entry.fsync.before");
    folder.sync_all()?;
    failpoint::hit("folder.destroy.entry.fsync.after");
    Ok(())
}
