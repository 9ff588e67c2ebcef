//! The writing side, without a disk: what must be written, in which order, is a value.
//!
//! A log grows in rounds. Entries are taken in with [`Log::append`]; [`Log::stage`] gives the objects that the
//! tree now needs. Once these are durable, and not before, the checkpoint over them may be signed
//! and put in the place of the one before; then every entry of the round is durable, and the act that it announces
//! may be done. A death before that leaves the earlier checkpoint and objects that it does not tell of: the
//! next round writes them anew.

use crate::bundle;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::objects::{Objects, Tiles, Unread, perfect};
use crate::tile::{FULL, Kind, Tile};

/// Why an entry is not taken in, or a log cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped<E> {
    /// What is there cannot be read.
    Unread(Unread<E>),
    /// What is there is not what the checkpoint was signed over.
    Bent,
}

/// A log as its only writer has it.
#[derive(Debug)]
pub struct Log {
    origin: String,
    size: u64,
    /// The hashes of each level that do not fill a tile yet.
    edges: Vec<Vec<Hash>>,
    /// The entries that do not fill a bundle yet.
    bundle: Vec<u8>,
    /// Full objects that were not staged yet.
    due: Vec<(Tile, Vec<u8>)>,
}

impl Log {
    /// A new log, empty.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), size: 0, edges: Vec::new(), bundle: Vec::new(), due: Vec::new() }
    }

    /// Goes on where this checkpoint stands: reads the right edge of the tree, and no more.
    ///
    /// # Errors
    ///
    /// [`Stopped::Unread`]; [`Stopped::Bent`] where what is there does not give the checkpoint's root, or
    /// the last bundle is not the one that its tile tells of.
    pub fn resume<O: Objects>(checkpoint: &Checkpoint, objects: O) -> Result<Self, Stopped<O::Error>> {
        let mut log = Self::new(&checkpoint.origin);
        log.size = checkpoint.size;
        let mut tiles = Tiles::new(objects, log.size);
        let (mut whole, mut level) = (log.size, 0);
        while whole > 0 {
            let edge = match Tile::of(Kind::Hashes(level), whole / FULL, log.size) {
                Some(tile) => tiles.hashes(tile).map_err(Stopped::Unread)?.to_vec(),
                None => Vec::new(),
            };
            log.edges.push(edge);
            (whole, level) = (whole / FULL, level + 1);
        }
        if let Some(tile) = Tile::of(Kind::Entries, log.size / FULL, log.size) {
            log.bundle = tiles.bytes(tile).map_err(Stopped::Unread)?;
            let entries = bundle::entries(&log.bundle, tile.width());
            let entries = entries.ok_or(Stopped::Unread(Unread::Misshapen(tile)))?;
            let hashes: Vec<Hash> = entries.into_iter().map(Hash::leaf).collect();
            if log.edges.first() != Some(&hashes) {
                return Err(Stopped::Bent);
            }
        }
        if log.checkpoint() == *checkpoint { Ok(log) } else { Err(Stopped::Bent) }
    }

    /// Takes an entry in and gives its index; `None`, and nothing done, where it is longer than
    /// [`bundle::LONGEST`].
    pub fn append(&mut self, entry: &[u8]) -> Option<u64> {
        if !bundle::push(&mut self.bundle, entry) {
            return None;
        }
        let index = self.size;
        self.size += 1;
        let mut hash = Hash::leaf(entry);
        for level in 0.. {
            let at = usize::from(level);
            if self.edges.len() <= at {
                self.edges.push(Vec::new());
            }
            let Some(edge) = self.edges.get_mut(at) else { break };
            edge.push(hash);
            let Some(tile) = Tile::closed(Kind::Hashes(level), self.size) else { break };
            let full = std::mem::take(edge);
            if let (0, Some(entries)) = (level, Tile::closed(Kind::Entries, self.size)) {
                self.due.push((entries, std::mem::take(&mut self.bundle)));
            }
            self.due.push((tile, bytes(&full)));
            let Some(root) = perfect(&full) else { break };
            hash = root;
        }
        Some(index)
    }

    /// The objects to write before [`Self::checkpoint`] may be signed: those that filled since the last
    /// call, then the ones at the right edge, which later rounds replace under other names.
    #[must_use]
    pub fn stage(&mut self) -> Vec<(Tile, Vec<u8>)> {
        let mut objects = std::mem::take(&mut self.due);
        if let Some(tile) = Tile::of(Kind::Entries, self.size / FULL, self.size) {
            objects.push((tile, self.bundle.clone()));
        }
        let mut whole = self.size;
        for (edge, level) in self.edges.iter().zip(0..) {
            let tile = Tile::of(Kind::Hashes(level), whole / FULL, self.size);
            objects.extend(tile.map(|tile| (tile, bytes(edge))));
            whole /= FULL;
        }
        objects
    }

    /// The tree as it stands, which nobody signed.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let peaks = self.edges.iter().rev().flat_map(|edge| peaks(edge)).collect::<Vec<_>>();
        let root = peaks.into_iter().rev().reduce(|right, left| Hash::node(&left, &right));
        Checkpoint { origin: self.origin.clone(), size: self.size, root: root.unwrap_or_else(Hash::empty) }
    }
}

/// The roots of the complete subtrees that these hashes make, from the left, the largest first.
fn peaks(edge: &[Hash]) -> Vec<Hash> {
    let (mut peaks, mut rest) = (Vec::new(), edge);
    while let Some(height) = rest.len().checked_ilog2() {
        let (peak, after) = rest.split_at(1 << height);
        peaks.extend(perfect(peak));
        rest = after;
    }
    peaks
}

fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
