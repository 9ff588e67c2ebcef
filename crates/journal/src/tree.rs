//! Roots and proofs of a tree, from the hashes of its complete subtrees: RFC 6962, sections 2.1.1 and 2.1.2.
//!
//! A complete subtree is named by its height and its place: `(height, n)` spans the leaves
//! `n × 2^height .. (n + 1) × 2^height`. Every root and proof is made of such hashes, and whoever keeps
//! them (tiles, or a list in memory) gives them one by one.

use crate::hash::Hash;

/// Gives the hash of the complete subtree at `(height, n)`.
///
/// The proofs ask only for subtrees that lie within the tree they are made for.
pub trait Subtrees {
    /// Why a hash could not be given.
    type Error;

    /// The Merkle Tree Hash of the leaves `n × 2^height .. (n + 1) × 2^height`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the hash from being read.
    fn subtree(&mut self, height: u32, n: u64) -> Result<Hash, Self::Error>;
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
///
/// Those of `subtrees`.
pub fn root<S: Subtrees>(size: u64, subtrees: &mut S) -> Result<Hash, S::Error> {
    if size == 0 { Ok(Hash::empty()) } else { span(0, size, subtrees) }
}

/// The proof that the leaf at `index` belongs to the tree of the first `size` leaves, from the leaf's
/// sibling upwards; `None` where the tree has no such leaf.
///
/// # Errors
///
/// Those of `subtrees`.
pub fn inclusion<S: Subtrees>(
    index: u64,
    size: u64,
    subtrees: &mut S,
) -> Result<Option<Vec<Hash>>, S::Error> {
    if index >= size {
        return Ok(None);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(span(middle, end, subtrees)?);
            end = middle;
        } else {
            proof.push(span(start, middle, subtrees)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The proof that the tree of the first `size` leaves grew out of that of the first `old`, empty where both
/// are the same; `None` where `old` is the larger, or empty: everything grows out of nothing.
///
/// # Errors
///
/// Those of `subtrees`.
pub fn consistency<S: Subtrees>(
    old: u64,
    size: u64,
    subtrees: &mut S,
) -> Result<Option<Vec<Hash>>, S::Error> {
    if old == 0 || old > size {
        return Ok(None);
    }
    if old == size {
        return Ok(Some(Vec::new()));
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    // the old tree's root is known to whoever asks: it is left out while it is the left edge
    let mut is_known = true;
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(span(middle, end, subtrees)?);
            end = middle;
        } else {
            proof.push(span(start, middle, subtrees)?);
            start = middle;
            is_known = false;
        }
    }
    if !is_known {
        proof.push(span(start, end, subtrees)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The hash over the leaves `start .. end`, which RFC 6962 splits so that all but the last of the parts
/// are complete subtrees.
fn span<S: Subtrees>(start: u64, end: u64, subtrees: &mut S) -> Result<Hash, S::Error> {
    let mut left = Vec::new();
    let (mut start, end) = (start, end);
    while !(end - start).is_power_of_two() {
        let part = split(end - start);
        left.push(complete(start, part, subtrees)?);
        start += part;
    }
    let last = complete(start, end - start, subtrees)?;
    Ok(left.iter().rev().fold(last, |right, left| Hash::node(left, &right)))
}

fn complete<S: Subtrees>(start: u64, leaves: u64, subtrees: &mut S) -> Result<Hash, S::Error> {
    let height = leaves.trailing_zeros();
    subtrees.subtree(height, start >> height)
}

/// The largest power of two smaller than `leaves`, of which there are two or more.
const fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}
