//! Written batches moved aside into a laboratory's room at the destination, and back.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use ecluse_core::fault::Result;
use ecluse_core::plan::{By, Shift, TablePlan};
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;

/// A written batch as it stands at the destination; the same one where nothing is moved aside.
///
/// # Errors
///
/// [`MALFORMED`] where the batch is not the plan's.
pub fn there(table: &TablePlan, batch: &Batch) -> Result<Batch> {
    moved(table, batch, &|by, n| by.number_there(n), &|by, t| by.text_there(t))
}

/// The destination's rows as they were written: the reverse of [`there`]. A value from outside
/// the room comes back as one that no source row has.
///
/// # Errors
///
/// As [`there`].
pub fn here(table: &TablePlan, batch: &Batch) -> Result<Batch> {
    moved(table, batch, &|by, n| by.number_here(n), &|by, t| by.text_here(t))
}

fn moved(
    table: &TablePlan,
    batch: &Batch,
    number: &dyn Fn(&By, i64) -> i64,
    text: &dyn Fn(&By, &str) -> String,
) -> Result<Batch> {
    if table.shifts().is_empty() {
        return Ok(batch.clone());
    }
    let types: Vec<Type> = table.write().iter().map(|c| c.ty).collect();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    for Shift { column, by } in table.shifts() {
        let (Some(array), Some(ty)) = (columns.get_mut(*column), types.get(*column)) else {
            return Err(MALFORMED.fault(format!("no written column {column}")));
        };
        let new: ArrayRef = match Column::new(array, *ty)? {
            Column::Int(a) => Arc::new(a.unary::<_, arrow_array::types::Int64Type>(|n| number(by, n))),
            Column::Text(a) => Arc::new(a.iter().map(|t| t.map(|t| text(by, t))).collect::<StringArray>()),
            _ => return Err(MALFORMED.fault("only whole numbers and texts are moved aside")),
        };
        *array = new;
    }
    let unreadable = batch.unreadable().to_vec();
    Batch::new(&types, columns, batch.rows()).map(|b| b.with_unreadable(unreadable))
}
