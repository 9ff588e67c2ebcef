//! The reading side: whether what is kept of a log is what its checkpoint says, and grew out of what
//! others saw of it.

use std::ops::Range;

use crate::bundle;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::objects::{Objects, Tiles, Unread, perfect};
use crate::tile::{FULL, HEIGHT, Kind, Tile};
use crate::tree;

/// What is wrong with a log, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bent<E> {
    /// An object could not be read, is not there, or is not of its form.
    Unread(Unread<E>),
    /// This entry is not the one whose hash the tree holds.
    Entry(u64),
    /// The hashes over these entries are not what the level above them says: one of these entries was
    /// changed, or that level was.
    Entries(Range<u64>),
    /// Every object fits the others, and all of them give another root than the checkpoint's.
    Root,
}

/// What a log is, held against a checkpoint of it that somebody kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<E> {
    /// It grew out of that one.
    Grew,
    /// It is another log.
    Stranger,
    /// It holds fewer entries than it did: some were taken away from its end.
    Cut,
    /// It is not the log that was seen: an entry before that checkpoint's end was changed, moved or taken
    /// away, or two logs were signed under one name.
    Fork,
    /// So much was erased from the front that it cannot be told.
    Erased,
    /// The objects that it takes could not be read.
    Unread(Unread<E>),
}

/// Reads every entry from `first` on, the first one that retention left, and compares it with the tree
/// that `tree` tells of; gives each to `each` with its index. That they are the tree's entries is known when
/// this returns without a fault, and not before.
///
/// That holds between the objects and this checkpoint. Whether the checkpoint is the log's, and the
/// one that others saw, is [`crate::Signed::open`]'s and [`against`]'s to say.
///
/// `first` counts from the beginning of its bundle: entries are erased by whole bundles.
///
/// # Errors
///
/// [`Bent`], with the place.
pub fn whole<O: Objects>(
    objects: O,
    tree: &Checkpoint,
    first: u64,
    mut each: impl FnMut(u64, &[u8]),
) -> Result<(), Bent<O::Error>> {
    let mut tiles = Tiles::new(objects, tree.size);
    for level in 0.. {
        if Tile::of(Kind::Hashes(level), 0, tree.size).is_none() {
            break;
        }
        let span = HEIGHT * (u32::from(level) + 1);
        for n in first.checked_shr(span).unwrap_or(0).. {
            let Some(tile) = Tile::of(Kind::Hashes(level), n, tree.size) else { break };
            if level == 0 {
                entries(&mut tiles, tile, tree.size, &mut each)?;
            }
            if !tile.is_full() {
                break;
            }
            let root = perfect(tiles.hashes(tile).map_err(Bent::Unread)?);
            let Some(above) = Tile::of(Kind::Hashes(level + 1), n / FULL, tree.size) else { break };
            let told = tiles.hashes(above).map_err(Bent::Unread)?;
            if told.get(usize::try_from(n % FULL).unwrap_or(usize::MAX)) != root.as_ref() {
                return Err(Bent::Entries(n << span..(n + 1) << span));
            }
        }
    }
    let root = tree::root(tree.size, &mut tiles).map_err(Bent::Unread)?;
    if root == tree.root { Ok(()) } else { Err(Bent::Root) }
}

/// Compares the entries that a tile of level 0 tells of with its hashes.
fn entries<O: Objects>(
    tiles: &mut Tiles<O>,
    level: Tile,
    size: u64,
    each: &mut impl FnMut(u64, &[u8]),
) -> Result<(), Bent<O::Error>> {
    let Some(tile) = Tile::of(Kind::Entries, level.n(), size) else { return Ok(()) };
    let bundle = tiles.bytes(tile).map_err(Bent::Unread)?;
    let entries = bundle::entries(&bundle, tile.width()).ok_or(Bent::Unread(Unread::Misshapen(tile)))?;
    let hashes = tiles.hashes(level).map_err(Bent::Unread)?;
    for ((entry, hash), index) in entries.into_iter().zip(hashes).zip(tile.n() * FULL..) {
        if Hash::leaf(entry) != *hash {
            return Err(Bent::Entry(index));
        }
        each(index, entry);
    }
    Ok(())
}

/// Holds a log against an earlier checkpoint of it.
///
/// What the objects say is believed here: that they are what `tree` was signed over is [`whole`]'s to check.
/// `first` is the first entry that retention left.
#[must_use]
pub fn against<O: Objects>(objects: O, tree: &Checkpoint, first: u64, held: &Checkpoint) -> Held<O::Error> {
    if held.origin != tree.origin {
        return Held::Stranger;
    }
    if held.size > tree.size {
        return Held::Cut;
    }
    match tree::root(held.size, &mut Tiles::new(objects, tree.size)) {
        Ok(root) if root == held.root => Held::Grew,
        Ok(_) => Held::Fork,
        Err(Unread::Missing(_)) if held.size < first => Held::Erased,
        Err(unread) => Held::Unread(unread),
    }
}

/// The proof that the entry at `index` is in the tree of `size` leaves; `None` where there is no such entry.
///
/// # Errors
///
/// [`Unread`]: the objects that it takes.
pub fn inclusion<O: Objects>(
    objects: O,
    size: u64,
    index: u64,
) -> Result<Option<Vec<Hash>>, Unread<O::Error>> {
    tree::inclusion(index, size, &mut Tiles::new(objects, size))
}

/// The proof that the tree of `size` leaves grew out of that of `old`; `None` where that
/// one is larger, or empty.
///
/// # Errors
///
/// [`Unread`]: the objects that it takes.
pub fn consistency<O: Objects>(
    objects: O,
    old: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, Unread<O::Error>> {
    tree::consistency(old, size, &mut Tiles::new(objects, size))
}

/// The objects that may be erased once no entry before `first` is kept any more: those that tell of
/// nothing later (C2SP tlog-tiles, "Pruning"). What is left proves every later entry, and every later tree.
pub fn prunable(first: u64, size: u64) -> impl Iterator<Item = Tile> {
    Tile::all(size).filter(move |tile| tile.is_full() && tile.end().is_some_and(|end| end <= first))
}
