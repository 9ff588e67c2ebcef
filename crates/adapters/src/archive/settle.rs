//! Parts are made durable one behind the other, on a thread of its own: while the disk takes one, the next is
//! packed and sealed.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use ecluse_core::fault::Result;
use ecluse_flow::failpoint;

use super::write::{WRITE, fault};

/// Files that may wait: what is not on the disk yet takes memory of the machine's.
const WAITING: usize = 2;

/// Files that are becoming durable.
#[derive(Debug)]
pub(super) struct Settling {
    files: SyncSender<(PathBuf, File)>,
    thread: JoinHandle<Result<()>>,
}

impl Settling {
    pub(super) fn begin() -> Self {
        let (files, waiting) = sync_channel::<(PathBuf, File)>(WAITING);
        let settle = move || waiting.iter().try_for_each(|(path, file)| settled(&path, &file));
        Self { files, thread: std::thread::spawn(settle) }
    }

    /// Takes a written file; it is durable when [`Self::end`] returns.
    ///
    /// # Errors
    ///
    /// An earlier file's.
    pub(super) fn take(self, path: PathBuf, file: File) -> Result<Self> {
        match self.files.send((path, file)) {
            Ok(()) => Ok(self),
            // nobody listens: the thread ended at a fault
            Err(_the_file_back) => self.end().and_then(|()| Err(WRITE.fault("a thread ended early"))),
        }
    }

    /// Every file that was taken is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// The first file's that is not.
    pub(super) fn end(self) -> Result<()> {
        drop(self.files);
        self.thread.join().unwrap_or_else(|_panic| Err(WRITE.fault("a thread died")))
    }
}

fn settled(path: &std::path::Path, file: &File) -> Result<()> {
    failpoint::hit("archive.settle.fsync.before");
    let synced = file.sync_all();
    failpoint::hit("archive.settle.fsync.after");
    synced.map_err(|error| {
        let _half_a_file = fs::remove_file(path);
        fault(path, &error)
    })
}

#[cfg(test)]
mod tests {
    use super::Settling;

    #[test]
    fn what_cannot_be_made_durable_is_told_at_the_end_or_before() {
        let here = tempfile::tempdir().unwrap();
        let path = here.path().join("part");
        let file = || std::fs::File::create(&path).unwrap();
        let settling = Settling::begin().take(path.clone(), file()).unwrap();
        settling.end().unwrap();
        assert!(path.exists());
        // a pipe is synced by nobody
        let (_reader, pipe) = std::io::pipe().unwrap();
        let pipe = std::fs::File::from(std::os::fd::OwnedFd::from(pipe));
        let settling = Settling::begin().take(path.clone(), pipe).unwrap();
        assert_eq!(settling.end().unwrap_err().code().id, "ECL-ARC-003");
        assert!(!path.exists(), "half a file stays");
    }
}
