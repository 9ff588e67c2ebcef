//! The destination read back: which rows stand there now.

use ecluse_batch::{Keys, RowHasher, Tally, TallyKey};
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;

use crate::caught::Standing;
use crate::ports::Destination;

/// The written columns' types.
pub(crate) fn types(table: &TablePlan) -> Vec<Type> {
    table.write().iter().map(|c| c.ty).collect()
}

/// All rows of a table that are this run's to read there.
pub(crate) fn whole(destination: &mut dyn Destination, table: &TablePlan, key: &TallyKey) -> Result<Tally> {
    let mut hasher = RowHasher::new(key, table.destination(), &types(table));
    let (mut tally, mut hashes) = (Tally::new(), Vec::new());
    destination.read(table, &KeyRange::default(), false, &mut |batch| {
        hashes.clear();
        hasher.hash_rows(&batch, &mut hashes)?;
        tally.extend(&hashes);
        Ok(())
    })?;
    Ok(tally)
}

/// The rows in a key range at the destination, by key and hash.
pub(crate) fn rows(
    destination: &mut dyn Destination,
    table: &TablePlan,
    range: &KeyRange,
    key: &TallyKey,
) -> Result<Standing> {
    let types = types(table);
    let mut hasher = RowHasher::new(key, table.destination(), &types);
    let mut standing = Standing::default();
    let mut hashes = Vec::new();
    destination.read(table, range, false, &mut |batch| {
        hashes.clear();
        hasher.hash_rows(&batch, &mut hashes)?;
        let keys = Keys::new(&batch, &types, table.write_key())?;
        standing.rows.extend(hashes.iter().enumerate().map(|(row, hash)| (keys.get(row), *hash)));
        Ok(())
    })?;
    Ok(standing)
}
