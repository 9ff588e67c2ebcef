//! The journal's folder, written: by one process at a time, in rounds.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecluse_core::fault::{Code, Result};
use ecluse_flow::failpoint;
use ecluse_journal::{FULL, Kind, Log, NoteSigner, Signed, Stopped, Tile};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::files::Readers;
use super::read::opened;
use super::taken::Taken;
use super::{BUSY, CHECKPOINT, Folder, KEY, LOCK, TAKEN, VERIFIER, WRITE, files};

static BENT: Code = Code::refused("ECL-LOG-022", "the journal was changed: it is not gone on with");
static TOO_LONG: Code = Code::refused("ECL-LOG-023", "an event is too long for the journal");

/// How long another writer is waited for: a round takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(4);
const MOMENT: Duration = Duration::from_millis(20);

/// A journal's only writer.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    log: Log,
    signer: NoteSigner,
    taken: Taken,
    readers: Readers,
    /// Released by the operating system with the process, however it dies.
    _lock: File,
}

impl Writer {
    /// Takes the journal, beginning it where there is none; waits a moment for another writer.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-001`, [`BUSY`]; `ECL-LOG-004` where another key began it; [`BENT`] where what is there is not
    /// what its checkpoint says.
    pub fn open(path: &Path, signer: NoteSigner, readers: Readers) -> Result<Self> {
        files::folder(path, readers)?;
        let lock = held(&path.join(LOCK))?;
        let Some(folder) = Folder::find(path) else {
            let log = Log::new(signer.verifier().name());
            let taken = Taken::nothing(&log.checkpoint());
            return Ok(Self { path: path.to_owned(), log, signer, taken, readers, _lock: lock });
        };
        let checkpoint = path.join(CHECKPOINT);
        let bytes = files::read(&checkpoint)?.unwrap_or_default();
        let signed = opened(&checkpoint, &bytes, signer.verifier())?;
        let log = Log::resume(signed.checkpoint(), folder.objects()).map_err(|stopped| match stopped {
            Stopped::Unread(unread) => folder.unread(unread),
            Stopped::Bent => BENT.fault(path.display().to_string()).help(
                "ecluse journal verify names the place; keep the folder as it is and tell the controller",
            ),
        })?;
        let taken = Taken::read(path, signed.checkpoint())?;
        Ok(Self { path: path.to_owned(), log, signer, taken, readers, _lock: lock })
    }

    pub(super) const fn readers(&self) -> Readers {
        self.readers
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn size(&self) -> u64 {
        self.log.checkpoint().size
    }

    /// What it has taken in of the run folders.
    #[must_use]
    pub const fn taken(&self) -> &Taken {
        &self.taken
    }

    /// Takes entries in, with what is known of their folders then; they are durable, and the checkpoint over
    /// them signed, when this returns. With no entries the checkpoint is made where there is none yet.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-001`; [`TOO_LONG`] before anything is written.
    pub fn write(mut self, entries: &[Vec<u8>], taken: Taken) -> Result<(Self, Signed)> {
        let before = self.log.checkpoint();
        for entry in entries {
            if self.log.append(entry).is_none() {
                return Err(TOO_LONG.fault(format!("{} bytes", entry.len())));
            }
        }
        let tree = self.log.checkpoint();
        let taken = taken.of(&tree);
        failpoint::hit("log.event.before");
        files::replace(&[(&self.path.join(TAKEN), &self.taken.file(&taken))], self.readers)?;
        self.objects()?;
        let unsigned = || KEY.fault(tree.origin.clone());
        let note = tree.sign(&self.signer).ok_or_else(unsigned)?;
        let verifier = format!("{}\n", self.signer.verifier());
        if files::read(&self.path.join(VERIFIER))?.as_deref() != Some(verifier.as_bytes()) {
            files::replace(&[(&self.path.join(VERIFIER), verifier.as_bytes())], self.readers)?;
        }
        files::replace(&[(&self.path.join(CHECKPOINT), note.as_bytes())], self.readers)?;
        failpoint::hit("log.event.after");
        self.taken = taken;
        if before.size < tree.size {
            self.forget(before.size);
        }
        let signed = Signed::open(note.as_bytes(), self.signer.verifier()).map_err(|_| unsigned())?;
        Ok((self, signed))
    }

    /// Writes the objects that the tree needs and that are not there as they must be.
    fn objects(&mut self) -> Result<()> {
        let staged = self.log.stage();
        let mut due = Vec::new();
        let mut folders = Vec::new();
        for (tile, bytes) in &staged {
            let path = self.path.join(tile.path());
            if tile.is_full() || files::read(&path)?.as_deref() != Some(bytes) {
                folders.extend(path.parent().map(Path::to_owned));
                due.push((path, bytes.as_slice()));
            }
        }
        folders.sort_unstable();
        folders.dedup();
        for folder in &folders {
            self.made(folder)?;
        }
        let due: Vec<(&Path, &[u8])> = due.iter().map(|(path, bytes)| (path.as_path(), *bytes)).collect();
        files::replace(&due, self.readers)
    }

    /// Makes a folder for objects, durably: its name is in the folder above it.
    fn made(&self, folder: &Path) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        files::folder(folder, self.readers)?;
        let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.path));
        for above in above {
            files::sync(above).map_err(|e| files::failed(&WRITE, above, &e))?;
        }
        Ok(())
    }

    /// Takes away what stood at the right edge of the tree of this size, which larger objects hold now. What
    /// a crash leaves of it says nothing that they do not.
    fn forget(&self, size: u64) {
        let kinds = [Kind::Entries].into_iter().chain((0..8).map(Kind::Hashes));
        let now = self.log.checkpoint().size;
        for kind in kinds {
            let span = if let Kind::Hashes(level) = kind { 8 * u32::from(level) } else { 0 };
            let n = size.checked_shr(span).unwrap_or(0) / FULL;
            let edge = Tile::of(kind, n, size)
                .filter(|edge| !edge.is_full() && Tile::of(kind, n, now) != Some(*edge));
            let Some(edge) = edge else { continue };
            let path = self.path.join(edge.path());
            let _left_over = std::fs::remove_file(&path);
            // of a tile that is full now the folder is empty, else it is not and stays
            let _still_used = path.parent().map(std::fs::remove_dir);
        }
    }
}

/// Holds the lock; waits while another process has it.
fn held(path: &Path) -> Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let lock = options.open(path).map_err(|e| files::failed(&WRITE, path, &e))?;
    let mut left = PATIENCE.as_millis() / MOMENT.as_millis();
    loop {
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(lock),
            Err(e) if std::io::Error::from(e).kind() == ErrorKind::WouldBlock && left > 0 => {
                left -= 1;
                std::thread::sleep(MOMENT);
            }
            Err(_) => {
                return Err(BUSY
                    .fault(path.display().to_string())
                    .help("let the other process end; the next command takes in what is missing"));
            }
        }
    }
}
