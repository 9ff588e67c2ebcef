//! Which of two sides did the ledger see? An additive tally can be asked.
//!
//! A chunk differs in some rows. For each, the ledger's tally was made over the source's
//! present row (then the destination was damaged) or over the destination's (then the source
//! changed since). Tallies add up, so every combination can be tried on the sum alone.

use ecluse_batch::Tally;

/// Differing rows that are tried one by one: 2^12 tallies are published in some milliseconds.
pub const MOST: usize = 12;

/// Whose row the ledger saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source's present row: the destination differs from what was moved.
    Source,
    /// The destination's present row: the source has changed since.
    Destination,
}

/// A row, or rows of one kind, in which both sides differ.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it comes to as the source has it.
    pub source: Tally,
    /// What it comes to as the destination has it.
    pub destination: Tally,
    /// Rows of the same kind may share one answer where there are too many of them.
    pub kind: u8,
}

/// The side of every item such that `base` and the items come to the ledger's tally;
/// `None` where no combination that was tried does. `is_ledger` publishes and compares.
///
/// Up to [`MOST`] items every combination is tried; beyond, the most numerous kinds are
/// taken to share one side, and where even that leaves too many, nothing is found.
pub fn find(base: &Tally, items: &[Item], is_ledger: &dyn Fn(&Tally) -> bool) -> Option<Vec<Side>> {
    for side in [Side::Source, Side::Destination] {
        let all = items.iter().fold(*base, |sum, item| plus(sum, item, side));
        if is_ledger(&all) {
            return Some(vec![side; items.len()]);
        }
    }
    let groups = groups(items);
    if groups.len() > MOST {
        return None;
    }
    let merged: Vec<Item> = groups.iter().map(|group| merge(items, group)).collect();
    let mut sides = Vec::with_capacity(merged.len());
    if !search(*base, &merged, &mut sides, is_ledger) {
        return None;
    }
    let mut answer = vec![Side::Source; items.len()];
    for (group, side) in groups.iter().zip(sides) {
        for index in group {
            if let Some(of) = answer.get_mut(*index) {
                *of = side;
            }
        }
    }
    Some(answer)
}

fn search(sum: Tally, items: &[Item], sides: &mut Vec<Side>, is_ledger: &dyn Fn(&Tally) -> bool) -> bool {
    let Some(item) = items.get(sides.len()) else { return is_ledger(&sum) };
    for side in [Side::Source, Side::Destination] {
        sides.push(side);
        if search(plus(sum, item, side), items, sides, is_ledger) {
            return true;
        }
        sides.pop();
    }
    false
}

fn plus(mut sum: Tally, item: &Item, side: Side) -> Tally {
    sum.merge(match side {
        Side::Source => &item.source,
        Side::Destination => &item.destination,
    });
    sum
}

/// Items that share an answer: each alone, or the most numerous kinds together.
fn groups(items: &[Item]) -> Vec<Vec<usize>> {
    let mut kinds: Vec<Vec<usize>> = Vec::new();
    let mut names: Vec<u8> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match names.iter().position(|name| *name == item.kind).and_then(|at| kinds.get_mut(at)) {
            Some(kind) => kind.push(index),
            None => {
                names.push(item.kind);
                kinds.push(vec![index]);
            }
        }
    }
    kinds.sort_by_key(Vec::len);
    let mut groups = Vec::new();
    let mut kinds_left = kinds.len();
    for kind in kinds {
        kinds_left -= 1;
        // room for the larger kinds that follow, one answer each
        if groups.len() + kind.len() + kinds_left <= MOST {
            groups.extend(kind.into_iter().map(|index| vec![index]));
        } else {
            groups.push(kind);
        }
    }
    groups
}

fn merge(items: &[Item], group: &[usize]) -> Item {
    let mut all = Item { source: Tally::new(), destination: Tally::new(), kind: 0 };
    for item in group.iter().filter_map(|index| items.get(*index)) {
        all.source.merge(&item.source);
        all.destination.merge(&item.destination);
    }
    all
}
