//! What is kept of a log, read tile by tile.

use crate::hash::Hash;
use crate::tile::{FULL, HEIGHT, Kind, Tile};
use crate::tree::Subtrees;

/// Where a log's objects are read from: a folder, a bundle of evidence, a server.
pub trait Objects {
    /// Why an object could not be read.
    type Error;

    /// The bytes of an object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being read: its absence is none.
    fn read(&mut self, tile: &Tile) -> Result<Option<Vec<u8>>, Self::Error>;
}

impl<O: Objects + ?Sized> Objects for &mut O {
    type Error = O::Error;

    fn read(&mut self, tile: &Tile) -> Result<Option<Vec<u8>>, Self::Error> {
        (**self).read(tile)
    }
}

/// Why hashes could not be had from the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread<E> {
    /// The place they are kept in failed.
    Failed(E),
    /// There is no such object.
    Missing(Tile),
    /// The object does not hold as many hashes, or entries, as its name says.
    Misshapen(Tile),
}

/// The tiles of a tree of a known size, read as hashes; the last one of each level is remembered.
#[derive(Debug)]
pub(crate) struct Tiles<O> {
    objects: O,
    size: u64,
    last: Vec<(Tile, Vec<Hash>)>,
}

impl<O: Objects> Tiles<O> {
    pub(crate) const fn new(objects: O, size: u64) -> Self {
        Self { objects, size, last: Vec::new() }
    }

    /// The bytes of an object that the tree must have.
    pub(crate) fn bytes(&mut self, tile: Tile) -> Result<Vec<u8>, Unread<O::Error>> {
        self.objects.read(&tile).map_err(Unread::Failed)?.ok_or(Unread::Missing(tile))
    }

    /// The hashes of a tile that the tree must have.
    pub(crate) fn hashes(&mut self, tile: Tile) -> Result<&[Hash], Unread<O::Error>> {
        if !self.last.iter().any(|(known, _)| *known == tile) {
            let hashes = tile.hashes(&self.bytes(tile)?).ok_or(Unread::Misshapen(tile))?;
            self.last.retain(|(known, _)| known.kind() != tile.kind());
            self.last.push((tile, hashes));
        }
        let known = self.last.iter().find(|(known, _)| *known == tile);
        known.map(|(_, hashes)| hashes.as_slice()).ok_or(Unread::Missing(tile))
    }
}

impl<O: Objects> Subtrees for Tiles<O> {
    type Error = Unread<O::Error>;

    fn subtree(&mut self, height: u32, n: u64) -> Result<Hash, Self::Error> {
        let (level, within) = (height / HEIGHT, height % HEIGHT);
        let first = n << within;
        let kind = Kind::Hashes(u8::try_from(level).unwrap_or(u8::MAX));
        let outside = Unread::Missing(Tile::named(kind, first / FULL));
        let Some(tile) = Tile::of(kind, first / FULL, self.size) else { return Err(outside) };
        let hashes = self.hashes(tile)?.iter().skip(usize::try_from(first % FULL).unwrap_or(usize::MAX));
        perfect(&hashes.take(1 << within).copied().collect::<Vec<_>>()).ok_or(Unread::Misshapen(tile))
    }
}

/// The root over these hashes, as many as a power of two; `None` for another number.
pub(crate) fn perfect(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [one] => Some(*one),
        more if more.len().is_power_of_two() => {
            let (left, right) = more.split_at(more.len() / 2);
            Some(Hash::node(&perfect(left)?, &perfect(right)?))
        }
        _ => None,
    }
}
