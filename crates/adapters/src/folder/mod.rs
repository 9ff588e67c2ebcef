//! The run folder: what one run leaves between two processes. Nothing personal in clear.
//!
//! | file | holds | changes by |
//! |---|---|---|
//! | `events.jsonl` | the journal: one leaf per line, each with the digest of the line before | appending, fsync |
//! | `events.torn-N` | a last line that a crash tore: its act had not begun | once |
//! | `state.age` | keys, key ranges and random names, sealed to the operator | atomic replacement |
//! | `figures.json` | counts | atomic replacement |
//! | `rehearsals.json` | counts of each dry run | atomic replacement |
//! | `reconciliation.json` | what was found at the destination | atomic replacement |
//! | `undone.json` | what an undo took away and what it kept | atomic replacement |
//! | `report.html` | the page | written by others, taken away here |
//! | `report.withdrawn` | when the page was written that was taken away last | atomic replacement |
//! | `lock` | nothing; locked while a process uses the folder | never |
//!
//! The journal holds the digests of `figures.json`, `reconciliation.json` and `undone.json` ([`figures`], [`reconciliation`], [`undo`]).
//! The folder is readable by its owner only (0700, files 0600).

mod attested;
mod replace;
mod report;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ecluse_core::digest::of_bytes;
use ecluse_core::erasure::{ERASURE, Erasure, RESIDUE, Residue};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{self, Act, Head, Leaf, Verified};
use ecluse_flow::failpoint;
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::Record;
use ecluse_flow::undo::Undone;
use rustix::fs::{FlockOperation, OFlags, flock};

use crate::log::{self, Remote};
use crate::regular::{self, Unread};

pub use self::attested::{
    Reconciliation, Undo, erasing, erasure, figures, frozen, reconciliation, rehearsals, residue, undo,
};
pub use self::report::withdrawn;

/// Bytes of a file of the folder at most; a journal of a run that lasted for years is far from it.
const MOST: u64 = 4 << 30;

static ABSENT: Code = Code::usage("ECL-RUN-201", "there is no such run folder");
static OPEN_TO_OTHERS: Code = Code::refused("ECL-RUN-202", "the run folder can be read by others");
static TAKEN: Code = Code::outside("ECL-RUN-203", "another run uses this folder");
static WRITE: Code = Code::outside("ECL-RUN-204", "the run folder cannot be written");
static READ: Code = Code::outside("ECL-RUN-205", "the run folder cannot be read");
static FIGURES: Code = Code::refused("ECL-RUN-206", "figures in the run folder are not what écluse wrote");

/// The lines of what was done, in a run folder and in every other that keeps some.
pub const EVENTS: &str = "events.jsonl";
const STATE: &str = "state.age";
const FIGURES_FILE: &str = "figures.json";
const UNDONE: &str = "undone.json";
const REHEARSALS: &str = "rehearsals.json";
/// What a reconciliation found.
pub const RECONCILIATION: &str = "reconciliation.json";
/// The report's page.
pub const REPORT: &str = "report.html";

/// A run folder in use by this process.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    folder: File,
    events: File,
    length: u64,
    /// The journal so far.
    told: Verified,
    torn: bool,
    /// The journal's writer under another account, and up to where it has this folder's lines: not known until
    /// it was asked.
    writer: Option<(Remote, Option<Head>)>,
    /// Released by the operating system with the process, however it dies.
    _lock: Lock,
}

/// A folder that is kept from every other process until this is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    // closing the file alone would not do: a child that another thread forked, and that is not yet the program it will
    // be, has the same open file, and would go on holding the folder for a moment
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

impl RunFolder {
    /// Takes a run folder, making it where it is absent; kept from every other process until dropped.
    /// `journal` is where its migration's journal lies, wherever the run folder itself does: where another
    /// account keeps it, each line is passed on before its act.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-202` where others can read it, `ECL-RUN-203` where another process has it,
    /// `ECL-RUN-020` with the line's number where the journal was changed.
    pub fn open(path: &Path, journal: &Path) -> Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(fault(&WRITE, path, &e)),
            Ok(()) | Err(_) => {}
        }
        Self::existing(path, journal)
    }

    /// Keeps a run folder from every other process until the value is dropped, and changes nothing in it.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-201`, `ECL-RUN-203`; `ECL-RUN-204` where it cannot be held.
    pub fn held(path: &Path) -> Result<Lock> {
        if !path.is_dir() {
            return Err(absent(path));
        }
        let lock = private().create(true).open(path.join("lock")).map_err(|e| fault(&WRITE, path, &e))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            TAKEN
                .fault(path.display().to_string())
                .help("let the other run end; the same command then goes on")
        })?;
        Ok(Lock(lock))
    }

    /// Takes a run folder that is there.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], and `ECL-RUN-201` where there is none.
    pub fn existing(path: &Path, journal: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Err(absent(path));
        }
        let folder = File::open(path).map_err(|_| absent(path))?;
        let about = folder.metadata().map_err(|e| fault(&READ, path, &e))?;
        if !about.is_dir() {
            return Err(absent(path));
        }
        if about.permissions().mode() & 0o077 != 0 {
            return Err(OPEN_TO_OTHERS
                .fault(path.display().to_string())
                .help(format!("chmod 700 {}", path.display())));
        }
        let lock = Self::held(path)?;
        let file = path.join(EVENTS);
        let mut events = private().create(true).open(&file).map_err(|e| fault(&WRITE, &file, &e))?;
        if !events.metadata().is_ok_and(|about| about.is_file()) {
            return Err(no_file(&file, Unread::NotRegular));
        }
        let mut bytes = Vec::new();
        events.read_to_end(&mut bytes).map_err(|e| fault(&READ, &file, &e))?;
        let told = event::verify(&bytes)?;
        let whole = told.whole;
        let mut folder = Self {
            path: path.to_owned(),
            folder,
            events,
            length: u64::try_from(whole).unwrap_or(u64::MAX),
            told,
            torn: false,
            writer: Remote::find(journal)?.map(|writer| (writer, None)),
            _lock: lock,
        };
        if let Some(torn) = bytes.get(whole..).filter(|torn| !torn.is_empty()) {
            folder.set_aside(torn)?;
        }
        folder.events.seek(SeekFrom::Start(folder.length)).map_err(|e| fault(&READ, &file, &e))?;
        Ok(folder)
    }

    /// The sealed state in a run folder, if there is one; the folder is neither taken nor changed.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-205` where it cannot be read.
    pub fn sealed_state(path: &Path) -> Result<Option<Vec<u8>>> {
        read(&path.join(STATE))
    }

    /// Replaces `erasure.json`, atomically; durable when it returns. The file's digest, for the journal's line.
    /// `announced` is the line that stands before: with the digest in it, a start that dies leaves no file that
    /// the journal does not know.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-204` where it cannot be written.
    pub fn save_erasure(&mut self, erasure: &Erasure, announced: Leaf) -> Result<String> {
        self.announced_json(ERASURE, erasure, announced)
    }

    /// Replaces `residue.json`, as [`Self::save_erasure`] does its own file.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn save_residue(&mut self, residue: &Residue) -> Result<String> {
        self.save_json(RESIDUE, residue)
    }

    /// A line torn by a crash is kept in a file of its own, durably, before it leaves the journal.
    fn set_aside(&mut self, torn: &[u8]) -> Result<()> {
        let free = (1u32..).map(|n| format!("events.torn-{n}")).find(|name| !self.path.join(name).exists());
        let name = free.ok_or_else(|| WRITE.fault(self.path.display().to_string()))?;
        replace::replace(&self.folder, &self.path, &name, torn).map_err(|e| fault(&WRITE, &self.path, &e))?;
        failpoint::hit("folder.torn.fsync.before");
        self.events
            .set_len(self.length)
            .and_then(|()| self.events.sync_all())
            .map_err(|e| fault(&WRITE, &self.path, &e))?;
        failpoint::hit("folder.torn.fsync.after");
        self.torn = true;
        Ok(())
    }

    /// The writer under another account has the line before the act that it announces; without it there is none.
    fn passed_on(&mut self) -> Result<()> {
        let Some((writer, head)) = &mut self.writer else { return Ok(()) };
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let own = [(&*name, &self.told)];
        writer.take(&own, std::slice::from_mut(head)).map(drop).inspect_err(|fault| {
            if fault.code().id == log::CHANGED {
                let _it_is_refused_here_whatever_is_noted_there = writer.show(&own);
            }
        })
    }

    fn save_json<T: serde::Serialize>(&self, name: &str, value: &T) -> Result<String> {
        self.save(name, &json(value)?)
    }

    /// As [`Self::save_json`], once the journal holds the digest of what is about to be written.
    fn announced_json<T: serde::Serialize>(&mut self, name: &str, value: &T, leaf: Leaf) -> Result<String> {
        let bytes = json(value)?;
        self.append(Leaf { paper: Some(of_bytes(&bytes)), ..leaf })?;
        self.save(name, &bytes)
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<String> {
        replace::replace(&self.folder, &self.path, name, bytes)
            .map_err(|e| fault(&WRITE, &self.path.join(name), &e))?;
        Ok(of_bytes(bytes))
    }
}

impl Record for RunFolder {
    fn append(&mut self, leaf: Leaf) -> Result<()> {
        let (line, next) = self.head().next(leaf.clone())?;
        failpoint::hit("folder.event.before");
        if let Err(e) = self.events.write_all(&line) {
            // a full disk may have taken half a line; where even this fails, the next start sets it aside
            let _half_a_line = self.events.set_len(self.length);
            let _back = self.events.seek(SeekFrom::Start(self.length));
            return Err(fault(&WRITE, &self.path.join(EVENTS), &e));
        }
        failpoint::hit("folder.event.fsync.before");
        self.events.sync_data().map_err(|e| fault(&WRITE, &self.path.join(EVENTS), &e))?;
        failpoint::hit("folder.event.fsync.after");
        self.length = self.length.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        self.told.push(leaf, next);
        failpoint::hit("folder.event.after");
        self.passed_on()
    }

    fn head(&self) -> Head {
        self.told.head.clone()
    }

    fn since(&self, head: &Head) -> Option<Vec<Act>> {
        self.told.since(head).map(|leaves| leaves.iter().map(|leaf| leaf.act).collect())
    }

    fn unended(&self, act: Act) -> Vec<String> {
        self.told.unended(act)
    }

    fn last_time(&self) -> Option<String> {
        self.told.leaves.last().map(|leaf| leaf.time.clone())
    }

    fn was_torn(&self) -> bool {
        self.torn
    }

    fn save_state(&mut self, sealed: &[u8]) -> Result<()> {
        self.save(STATE, sealed).map(drop)
    }

    fn destroy_state(&mut self) -> Result<()> {
        replace::destroy(&self.folder, &self.path, STATE)
            .map_err(|e| fault(&WRITE, &self.path.join(STATE), &e))
    }

    fn load_state(&mut self) -> Result<Option<Vec<u8>>> {
        Self::sealed_state(&self.path)
    }

    fn save_figures(&mut self, figures: &Figures) -> Result<String> {
        self.save_json(FIGURES_FILE, figures)
    }

    fn save_reconciliation(&mut self, json: &[u8]) -> Result<String> {
        self.save(RECONCILIATION, json)
    }

    fn save_undone(&mut self, undone: &Undone) -> Result<String> {
        self.save_json(UNDONE, undone)
    }

    fn save_rehearsal(&mut self, figures: &Figures, announced: Leaf) -> Result<String> {
        let mut all = rehearsals(&self.path)?;
        match all.iter_mut().find(|known| known.run == figures.run) {
            Some(known) => known.clone_from(figures),
            None => all.push(figures.clone()),
        }
        self.announced_json(REHEARSALS, &all, announced)
    }

    fn withdraw(&mut self) -> Result<()> {
        if let Some(written) = report::written(&self.path) {
            self.save(report::WITHDRAWN, written.as_bytes())?;
        }
        replace::remove(&self.folder, &self.path, &[RECONCILIATION, REPORT])
            .map_err(|e| fault(&WRITE, &self.path, &e))
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|_| FIGURES.fault("encoding"))?;
    json.push(b'\n');
    Ok(json)
}

fn read(file: &Path) -> Result<Option<Vec<u8>>> {
    match regular::read(file, MOST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unread::Io(ErrorKind::NotFound)) => Ok(None),
        Err(unread) => Err(no_file(file, unread)),
    }
}

fn parsed<T: serde::de::DeserializeOwned>(bytes: &[u8], file: &Path, help: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|_| FIGURES.fault(file.display().to_string()).help(help))
}

/// The journal that a run left, checked line by line, without taking the folder.
///
/// # Errors
///
/// `ECL-RUN-201` where there is none, `ECL-RUN-020` with the line's number where it was changed.
pub fn events(path: &Path) -> Result<Verified> {
    let bytes = read(&path.join(EVENTS))?.ok_or_else(|| absent(path))?;
    event::verify(&bytes)
}

/// A file of the folder to read and write: through no link, and no pipe is waited for.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.read(true).write(true).mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    options
}

/// What is said of a file that was not read.
fn no_file(file: &Path, unread: Unread) -> Fault {
    match unread {
        Unread::Io(kind) => fault(&READ, file, &kind.into()),
        Unread::NotRegular => READ
            .fault(format!("{}: no regular file", file.display()))
            .help("move it away; what écluse writes is a plain file"),
        Unread::TooLarge => READ.fault(format!("{}: too large", file.display())),
    }
}

fn absent(path: &Path) -> Fault {
    ABSENT.fault(path.display().to_string()).help("name the folder that `ecluse migrate` wrote: --run DIR")
}

/// The place and the kind of error; never the operating system's own text.
fn fault(code: &'static Code, path: &Path, error: &std::io::Error) -> Fault {
    let kind = error.kind();
    let help = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on the disk; the same command then goes on"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give the operator's account the right to write there"
        }
        _ => "look at the disk, then run the same command again",
    };
    code.fault(format!("{}: {kind}", path.display())).help(help)
}
