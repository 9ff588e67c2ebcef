//! A file overwritten before its name goes. What a file system or a disk keeps of it elsewhere is out of reach.

use std::fs::File;
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;

use ecluse_flow::failpoint;

/// Bytes written at once.
const BLOCK: usize = 64 << 10;

/// Overwrites a regular file that has one name with zeroes, from its first byte to its last, durably.
///
/// # Errors
///
/// The operating system's; `InvalidInput` of anything else: a device would be written to its end, and another name's
/// content would go with this one's.
pub fn zeroed(file: &mut File) -> std::io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut left = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let zeroes = vec![0; usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)];
    while left > 0 {
        let piece = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        file.write_all(zeroes.get(..piece).unwrap_or_default())?;
        left = left.saturating_sub(u64::try_from(piece).unwrap_or(u64::MAX));
    }
    failpoint::hit("overwrite.fsync.before");
    file.sync_all()?;
    failpoint::hit("overwrite.fsync.after");
    Ok(())
}
