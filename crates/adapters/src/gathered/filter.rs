//! Which of the passing rows are held.
//!
//! A row in whose filter column stands a value that cannot be read (a zero date) can be judged by
//! nobody: it is held, and refused by its code later. One whose other conditions are false is
//! let go all the same.

use std::collections::BTreeSet;

use ecluse_batch::{Batch, ChosenSets, Mask, evaluate, pick};
use ecluse_core::fault::Result;
use ecluse_core::filter::{Filter, chooses, looks_at};
use ecluse_core::types::Type;

/// The part of a filter that looks at the row alone: it is asked while rows pass. What looks into
/// other tables has to wait until those have passed.
pub(super) fn own(filter: &Filter) -> Filter {
    let mut own: Vec<Filter> = conditions(filter).iter().filter(|f| is_own(f)).cloned().collect();
    match (own.len(), own.pop()) {
        (_, None) => Filter::Every,
        (1, Some(only)) => only,
        (_, Some(last)) => {
            own.push(last);
            Filter::And(own)
        }
    }
}

/// The rows that the filter chooses, and those that it cannot judge; all marks go along.
pub(super) fn granted(filter: &Filter, batch: &Batch, types: &[Type], chosen: &ChosenSets) -> Result<Batch> {
    let bare = batch.clone().with_unreadable(Vec::new());
    let mut stays = vec![true; batch.rows()];
    for condition in conditions(filter) {
        let mask = evaluate(condition, &bare, types, chosen)?;
        let blind = unjudged(condition, batch);
        for (row, stay) in stays.iter_mut().enumerate() {
            *stay = *stay && (mask.get(row) || blind.contains(&row));
        }
    }
    let mask = Mask::from_fn(batch.rows(), |row| stays.get(row).copied().unwrap_or(false));
    if mask.all() {
        return Ok(batch.clone());
    }
    let places: Vec<_> =
        mask.iter().enumerate().filter(|(_, stays)| *stays).map(|(row, _)| (0, row)).collect();
    pick(std::slice::from_ref(batch), types, &places)
}

/// What must all hold.
fn conditions(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(all) => all,
        one => std::slice::from_ref(one),
    }
}

fn is_own(filter: &Filter) -> bool {
    let mut own = true;
    chooses(filter, &mut |_, _| own = false);
    own
}

/// Rows with an unreadable value in a column that the condition looks at.
fn unjudged(condition: &Filter, batch: &Batch) -> BTreeSet<usize> {
    if batch.unreadable().is_empty() {
        return BTreeSet::new();
    }
    let mut columns = BTreeSet::new();
    looks_at(condition, &mut |column| {
        columns.insert(column);
    });
    batch.unreadable().iter().filter(|u| columns.contains(&u.column)).map(|u| u.row).collect()
}
