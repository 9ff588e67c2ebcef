//! Whether a proof holds: RFC 9162, sections 2.1.3.2 and 2.1.4.2, which prove over the trees of RFC 6962.

use crate::hash::Hash;

/// Whether the leaf with this hash stands at `index` in the tree of `size` leaves with this root.
///
/// Total: any proof, of any length, gives an answer; a proof with a hash too many or too few is none.
#[must_use]
pub fn includes(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = Hash::node(sibling, &hash);
            // a right edge goes up as it is where it has no sibling; here the place is not zero
            let up = place.trailing_zeros();
            (place, last) = (place >> up, last >> up);
        } else {
            hash = Hash::node(&hash, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the tree of `size` leaves with this root grew out of the tree of `old` leaves with the root
/// `old_root`: nothing was changed, taken out, or put in between.
///
/// An empty tree is the beginning of every tree: that proves nothing, and is refused as a proof.
#[must_use]
pub fn grew(old_root: &Hash, old: u64, root: &Hash, size: u64, proof: &[Hash]) -> bool {
    if old == 0 || old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    let mut rest = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(first) = first else { return false };
    let edge = (old - 1).trailing_ones();
    let (mut place, mut last) = ((old - 1) >> edge, (size - 1) >> edge);
    let (mut before, mut now) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            before = Hash::node(sibling, &before);
            now = Hash::node(sibling, &now);
            let up = place.trailing_zeros();
            (place, last) = (place >> up, last >> up);
        } else {
            now = Hash::node(&now, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && before == *old_root && now == *root
}
