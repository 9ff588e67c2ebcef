//! Two rows of the same columns, compared value by value.

use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::canonical;
use crate::column::Column;

/// Which columns of two rows differ: indices in rising order. Two values are equal where
/// their canonical bytes are, as in a tally.
///
/// # Errors
///
/// [`MALFORMED`] where a batch does not have these columns or that row.
pub fn differing(types: &[Type], a: (&Batch, usize), b: (&Batch, usize)) -> Result<Vec<usize>> {
    let encode = |(batch, row): (&Batch, usize), index: usize, ty: Type| {
        if row >= batch.rows() {
            return Err(MALFORMED.fault("no such row"));
        }
        let array =
            batch.columns().get(index).ok_or_else(|| MALFORMED.fault(format!("no column {index}")))?;
        let mut bytes = Vec::new();
        canonical::encode(&Column::new(array, ty)?, row, &mut bytes);
        Ok(bytes)
    };
    let mut differ = Vec::new();
    for (index, ty) in types.iter().enumerate() {
        if encode(a, index, *ty)? != encode(b, index, *ty)? {
            differ.push(index);
        }
    }
    Ok(differ)
}
