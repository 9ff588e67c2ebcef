//! The destination read back: what stands there now, as a tally.

use ecluse_batch::{RowHasher, Tally, TallyKey};
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;

use crate::ports::Destination;

/// The written columns' types.
pub(crate) fn types(table: &TablePlan) -> Vec<Type> {
    table.write().iter().map(|c| c.ty).collect()
}

/// The tally of the rows in a key range at the destination.
pub(crate) fn tally(
    destination: &mut dyn Destination,
    table: &TablePlan,
    range: &KeyRange,
    key: &TallyKey,
) -> Result<Tally> {
    let mut hasher = RowHasher::new(key, table.destination(), &types(table));
    let mut tally = Tally::new();
    let mut hashes = Vec::new();
    destination.read(table, range, false, &mut |batch| {
        hashes.clear();
        hasher.hash_rows(&batch, &mut hashes)?;
        tally.extend(&hashes);
        Ok(())
    })?;
    Ok(tally)
}
