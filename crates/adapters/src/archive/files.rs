//! The files of an archive, on their way into the recipient's folder: each is the one that its digest names, or none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use ecluse_batch::{Batch, pieces};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::{FileColumn, Relative, Says, says};
use ecluse_flow::ports::{Files, Stands, Taken, Want};
use ecluse_seal::archive::FileNote;
use sha2::{Digest as _, Sha256};

use super::read::Archive;
use crate::attached::Attached;

static LACKING: Code =
    Code::refused("ECL-LOA-038", "a row of the archive names a file that it does not hold");
static FORGED: Code =
    Code::refused("ECL-LOA-033", "a file of the archive is not the one that its index says");
static UNNAMED: Code = Code::refused("ECL-LOA-034", "the archive holds files that no row of it names");
static TWICE: Code = Code::refused("ECL-LOA-035", "the archive's index names a file twice");

/// Opened parts that are kept: rows name files in the order in which these lie.
const KEPT: usize = 3;

/// See the module.
pub struct Received<'a> {
    archive: &'a Archive<'a>,
    to: Attached,
    /// Per digest: its place in the index.
    known: BTreeMap<[u8; 32], usize>,
    /// Those that a row named.
    named: Mutex<BTreeSet<usize>>,
    opened: Mutex<VecDeque<(usize, Arc<Vec<Batch>>)>>,
}

impl<'a> Received<'a> {
    /// The files of this archive, and the folder that receives them.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-035`.
    pub fn new(archive: &'a Archive<'a>, to: PathBuf) -> Result<Self> {
        let mut known = BTreeMap::new();
        for (place, file) in archive.index().files.files.iter().enumerate() {
            if known.insert(parsed(&file.sha256)?, place).is_some() {
                return Err(TWICE.fault("").help(ASK));
            }
        }
        let to = Attached::new(BTreeMap::new(), Some(to));
        Ok(Self { archive, to, known, named: Mutex::default(), opened: Mutex::default() })
    }

    /// Whether rows named every file: one that no row names was ordered by nobody.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-034`.
    pub fn all_named(&self) -> Result<()> {
        let beside = self.known.len().saturating_sub(locked(&self.named).len());
        if beside == 0 {
            return Ok(());
        }
        Err(UNNAMED
            .fault(format!("{beside} files"))
            .help("keep the archive as it is, and tell the controller"))
    }

    fn file(&self, digest: &str) -> Result<(usize, &'a FileNote, [u8; 32])> {
        let lacking = || LACKING.fault("").help(ASK);
        let digest = parsed(digest)?;
        let place = *self.known.get(&digest).ok_or_else(lacking)?;
        Ok((place, self.archive.index().files.files.get(place).ok_or_else(lacking)?, digest))
    }

    /// Gives a file's bytes, all of them, in their order, and of its digest.
    fn give(
        &self,
        file: &FileNote,
        digest: &[u8; 32],
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let forged = || FORGED.fault("").help("keep the archive as it is, and tell the controller");
        let (mut hasher, mut bytes, mut next) = (Sha256::new(), 0_u64, 0_u64);
        let mut part = file.part;
        // each part holds a piece of it at least, so that a hostile index ends too
        loop {
            let opened = self.part(part)?;
            let mut here = false;
            for batch in opened.iter() {
                for piece in pieces::of(batch)?.into_iter().filter(|piece| piece.sha256 == file.sha256) {
                    bytes = bytes.saturating_add(u64::try_from(piece.bytes.len()).unwrap_or(u64::MAX));
                    if piece.place != next || bytes > file.bytes {
                        return Err(forged());
                    }
                    next += 1;
                    here = true;
                    hasher.update(piece.bytes);
                    sink(piece.bytes)?;
                }
            }
            if bytes == file.bytes && next > 0 {
                break;
            }
            if !here {
                return Err(forged());
            }
            part += 1;
        }
        if hasher.finalize().as_slice() == digest { Ok(()) } else { Err(forged()) }
    }

    fn part(&self, place: usize) -> Result<Arc<Vec<Batch>>> {
        let mut opened = locked(&self.opened);
        if let Some((_, batches)) = opened.iter().find(|(kept, _)| *kept == place) {
            return Ok(Arc::clone(batches));
        }
        while opened.len() >= KEPT {
            opened.pop_front();
        }
        let batches = Arc::new(self.archive.pieces(place)?);
        opened.push_back((place, Arc::clone(&batches)));
        Ok(batches)
    }
}

impl Files for Received<'_> {
    /// The row says under which name its file arrives: it is looked up by the digest in it, and taken as it lies in
    /// the seal.
    fn take(&self, _: &FileColumn, name: &Relative, want: Want<'_>) -> Result<Taken> {
        let digest = match says(&self.archive.index().run, name.joined()) {
            Some(Says::Holds(digest)) => digest,
            Some(Says::Missing) | None => return Ok(Taken::Missing),
        };
        let (place, file, bytes) = self.file(&digest)?;
        if let Want::Copy { run, .. } = want {
            self.to.receive(run, (name.joined(), &bytes, file.bytes), &mut |sink| {
                self.give(file, &bytes, sink)
            })?;
            locked(&self.named).insert(place);
        }
        Ok(Taken::There { digest, bytes: file.bytes })
    }

    fn carry(
        &self,
        _: &FileColumn,
        name: &Relative,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Taken> {
        let Some(Says::Holds(digest)) = says(&self.archive.index().run, name.joined()) else {
            return Ok(Taken::Missing);
        };
        let (_, file, bytes) = self.file(&digest)?;
        self.give(file, &bytes, sink)?;
        Ok(Taken::There { digest, bytes: file.bytes })
    }

    /// No folder of the laboratory's is here.
    fn lie(&self, _: &str, _: &mut dyn FnMut(&str)) -> Result<()> {
        Ok(())
    }

    fn stands(&self, name: &str, digest: &str) -> Result<Stands> {
        self.to.stands(name, digest)
    }

    fn kept(&self, run: &str) -> Result<Vec<String>> {
        self.to.kept(run)
    }

    fn remove(&self, run: &str, name: &str) -> Result<()> {
        self.to.remove(run, name)
    }
}

const ASK: &str = "keep the archive as it is, and ask its sender";

fn parsed(digest: &str) -> Result<[u8; 32]> {
    let bytes = HEXLOWER.decode(digest.as_bytes()).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| LACKING.fault("no digest").help(ASK))
}

/// Whoever panicked with the lock left a whole value.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
