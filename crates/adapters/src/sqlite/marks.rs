//! What a SQLite file tells of writes: the change counter in its header (file format, section 1.3.6),
//! which every transaction moves, and in WAL mode the size and time of the log beside it, where they
//! go first. The file is one: its mark is every table's.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Where the change counter stands in the file.
const COUNTER: std::ops::Range<usize> = 24..28;

/// The mark; empty where the file cannot be looked at.
pub(super) fn of(path: &Path) -> String {
    counter(path).map_or_else(String::new, |counter| format!("{counter}{}", log(path)))
}

fn counter(path: &Path) -> Option<u32> {
    let mut header = [0; COUNTER.end];
    std::fs::File::open(path).ok()?.read_exact(&mut header).ok()?;
    Some(u32::from_be_bytes(header.get(COUNTER)?.try_into().ok()?))
}

fn log(path: &Path) -> String {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let log = std::fs::metadata(name).ok().filter(|log| log.len() > 0);
    log.map_or_else(String::new, |log| format!("/{}/{}.{}", log.len(), log.mtime(), log.mtime_nsec()))
}
