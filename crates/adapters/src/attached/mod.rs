//! Folders of files that rows name: at the source read by handle, at the destination written durably.
//!
//! No path that a database gave is ever handed to the system as a whole: from the folder's handle on,
//! each step of a name is opened by itself and through no link, so that nobody who changes the tree
//! meanwhile leads a read out of it.
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | a file opened, read once, and looked at again afterwards |
//! | `erase.rs` | a file at the source, erased with its row |
//! | `kept.rs` | the run's folder at the destination |

mod erase;
mod kept;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use data_encoding::HEXLOWER;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::files::{FileColumn, Relative, arrives_as};
use ecluse_flow::parting::{Removed, Remover, Which};
use ecluse_flow::ports::{Files, Stands, Taken, Want};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use source::{Found, Read};

static UNREADABLE: Code = Code::outside("ECL-FIL-030", "a folder of files cannot be read");
static UNWRITABLE: Code =
    Code::outside("ECL-FIL-031", "a file cannot be brought to the destination's folder");

/// Bytes of a file that wait in memory for its digest; a larger one goes to the run's folder at once.
const MEMORY: usize = 1 << 20;

/// How often a file that changes while it is read is read.
const TRIES: u8 = 2;

/// What takes a file's bytes, block by block.
pub type Takes<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// The folders of one order, each where this machine sees it. Opened when first needed.
pub struct Attached {
    sources: BTreeMap<String, Root>,
    destination: Option<Root>,
    rooted: AtomicBool,
}

/// A folder.
struct Root {
    path: PathBuf,
    open: OnceLock<OwnedFd>,
}

impl Root {
    const fn new(path: PathBuf) -> Self {
        Self { path, open: OnceLock::new() }
    }

    fn handle(&self, code: &'static Code) -> Result<BorrowedFd<'_>> {
        if self.open.get().is_none() {
            // the folder itself may be reached through a link: whoever set up the machine says where it is
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            let opened = openat(CWD, &self.path, flags, Mode::empty()).map_err(|e| {
                fault(code, e, &self.path.display().to_string())
                    .help("see that the folder is there and that this account may use it; connections.toml, [folders], says where it is seen")
            })?;
            // another thread's handle is as good
            let _as_good = self.open.set(opened);
        }
        let handle = self.open.get().ok_or_else(|| fault(code, Errno::BADF, ""))?;
        Ok(handle.as_fd())
    }
}

impl Attached {
    /// `sources`: by the name that the order gives a folder, where it is; `destination`: the folder that receives,
    /// none where files are sealed into an archive.
    #[must_use]
    pub fn new(sources: BTreeMap<String, PathBuf>, destination: Option<PathBuf>) -> Self {
        let sources = sources.into_iter().map(|(name, path)| (name, Root::new(path))).collect();
        Self { sources, destination: destination.map(Root::new), rooted: AtomicBool::new(false) }
    }

    /// Has a file that comes from elsewhere arrive in the run's folder under this name, unless it is there and holds
    /// what the name says. `fill` gives its bytes, and answers for them: they are of this digest. Durable when it
    /// returns.
    ///
    /// # Errors
    ///
    /// `ECL-FIL-030`, `ECL-FIL-031`; those of `fill`.
    pub fn receive(
        &self,
        run: &str,
        (name, digest, bytes): (&str, &[u8; 32], u64),
        fill: &mut dyn FnMut(&mut Takes<'_>) -> Result<()>,
    ) -> Result<()> {
        let kept = self.receives()?;
        if kept.has(name, digest, bytes, true)? {
            return Ok(());
        }
        let mut spool = Spool { kept: &kept, run, memory: Vec::new(), part: None };
        fill(&mut |block| spool.take(block))?;
        spool.arrive(name, digest, bytes, true)
    }

    fn source(&self, folder: &str) -> Result<BorrowedFd<'_>> {
        let root = self.sources.get(folder).ok_or_else(|| UNREADABLE.fault(folder))?;
        root.handle(&UNREADABLE)
    }

    /// The folders at the source themselves.
    fn roots(&self) -> Result<Vec<Which>> {
        let seen = |root: &Root| {
            let seen = fstat(root.handle(&UNREADABLE)?).map_err(|e| fault(&UNREADABLE, e, ""))?;
            Ok(source::which(&seen))
        };
        self.sources.values().map(seen).collect()
    }

    fn receives(&self) -> Result<kept::Kept<'_>> {
        let destination =
            self.destination.as_ref().ok_or_else(|| UNWRITABLE.fault("no folder receives files"))?;
        Ok(kept::Kept::new(destination.handle(&UNWRITABLE)?, &self.rooted))
    }

    /// Reads the file once; where a copy is wanted, brings it from that one reading.
    fn once(&self, from: &FileColumn, name: &Relative, want: Want<'_>) -> Result<Option<Taken>> {
        let found = match source::open(self.source(&from.folder)?, name)? {
            Found::File(found) => found,
            Found::Missing => return Ok(Some(Taken::Missing)),
            Found::Refused(code) => return Ok(Some(Taken::Refused(code))),
        };
        let read = match want {
            Want::Look => found.look(from.largest),
            Want::Digest => found.read(from.largest, &mut |_| Ok(()))?,
            Want::Copy { run, row, verify } => {
                let kept = self.receives()?;
                let mut spool = Spool { kept: &kept, run, memory: Vec::new(), part: None };
                let read = found.read(from.largest, &mut |bytes| spool.take(bytes))?;
                if let Read::Whole { digest, bytes } = &read {
                    let name = arrives_as(run, &HEXLOWER.encode(digest), row, name);
                    spool.arrive(&name, digest, *bytes, verify)?;
                }
                read
            }
        };
        Ok(match read {
            Read::Whole { digest, bytes } => Some(Taken::There { digest: HEXLOWER.encode(&digest), bytes }),
            Read::Looked { bytes } => Some(Taken::There { digest: String::new(), bytes }),
            Read::Refused(code) => Some(Taken::Refused(code)),
            Read::Changed => None,
        })
    }
}

impl Files for Attached {
    fn take(&self, from: &FileColumn, name: &Relative, want: Want<'_>) -> Result<Taken> {
        for _ in 0..TRIES {
            if let Some(taken) = self.once(from, name, want)? {
                return Ok(taken);
            }
        }
        Ok(Taken::Refused(&source::CHANGED))
    }

    fn carry(
        &self,
        from: &FileColumn,
        name: &Relative,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Taken> {
        let found = match source::open(self.source(&from.folder)?, name)? {
            Found::File(found) => found,
            Found::Missing => return Ok(Taken::Missing),
            Found::Refused(code) => return Ok(Taken::Refused(code)),
        };
        // once: what was given to the sink is not taken back
        Ok(match found.read(from.largest, sink)? {
            Read::Whole { digest, bytes } => Taken::There { digest: HEXLOWER.encode(&digest), bytes },
            Read::Refused(code) => Taken::Refused(code),
            Read::Looked { .. } | Read::Changed => Taken::Refused(&source::CHANGED),
        })
    }

    fn lie(&self, folder: &str, each: &mut dyn FnMut(&str)) -> Result<()> {
        source::lie(self.source(folder)?, "", 0, each)
    }

    fn stands(&self, name: &str, digest: &str) -> Result<Stands> {
        self.receives()?.stands(name, digest)
    }

    fn kept(&self, run: &str) -> Result<Vec<String>> {
        self.receives()?.names(run)
    }

    fn remove(&self, run: &str, name: &str) -> Result<()> {
        self.receives()?.remove(run, name)
    }
}

impl Remover for Attached {
    fn lacks(&self, from: &FileColumn, name: &Relative) -> Result<Option<&'static Code>> {
        erase::lacks(self.source(&from.folder)?, name)
    }

    fn which(&self, from: &FileColumn, name: &Relative, through: bool) -> Result<Option<Which>> {
        erase::stands(self.source(&from.folder)?, name, through)
    }

    fn settle(&self, from: &FileColumn, name: &Relative, sha256: &str) -> Result<Option<&'static Code>> {
        erase::settle(self.source(&from.folder)?, name, sha256, from.largest)
    }

    fn erase(&self, from: &FileColumn, name: &Relative, sha256: &str) -> Result<Removed> {
        erase::erase(self.source(&from.folder)?, name, sha256, from.largest)
    }

    fn sweep(&self, from: &FileColumn, name: &Relative) -> Result<()> {
        erase::sweep(self.source(&from.folder)?, name, &self.roots()?)
    }
}

/// What was read so far of a file that may have to be brought: a small one waits in memory, so that nothing
/// is written where its copy is there already.
struct Spool<'a> {
    kept: &'a kept::Kept<'a>,
    run: &'a str,
    memory: Vec<u8>,
    part: Option<File>,
}

impl Spool<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(part) = &mut self.part {
            return write(part, bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > MEMORY {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        let mut part = self.kept.part(self.run)?;
        write(&mut part, &self.memory)?;
        self.memory = Vec::new();
        self.part = Some(part);
        Ok(())
    }

    fn arrive(mut self, name: &str, digest: &[u8; 32], bytes: u64, verify: bool) -> Result<()> {
        if self.kept.has(name, digest, bytes, verify)? {
            // what was written of it meanwhile is no row's: the end of the run takes it away
            return Ok(());
        }
        if self.part.is_none() {
            self.spill()?;
        }
        match self.part {
            Some(part) => self.kept.arrive(&part, name),
            None => Err(fault(&UNWRITABLE, Errno::BADF, "")),
        }
    }
}

fn write(part: &mut File, bytes: &[u8]) -> Result<()> {
    part.write_all(bytes).map_err(|e| fault(&UNWRITABLE, Errno::from_io_error(&e).unwrap_or(Errno::IO), ""))
}

/// The system's own word for an error names no file.
fn fault(code: &'static Code, error: Errno, place: &str) -> Fault {
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    code.fault(format!("{place}{error}"))
}
