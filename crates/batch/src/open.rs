//! Values that nobody was found for so far: rows that name a parent which was not met yet.

use std::collections::BTreeMap;
use std::fmt;

use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::chosen::hash;
use crate::column::Column;
use crate::evaluate::Mask;

/// Different values that are kept at most: some 50 MB.
const MOST: usize = 1_000_000;

/// How many rows name each value, as 128-bit keyed hashes; a value that is found is struck out.
///
/// At most a million different values are kept at a time: rows with further ones are counted as
/// [`Self::beyond`], of which nobody knows whether their value would have been found.
pub struct Open {
    key: [u8; 32],
    rows: BTreeMap<u128, u64>,
    beyond: u64,
    most: usize,
}

impl Open {
    /// Nothing yet; `key`: 32 random bytes of this process, never stored.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, rows: BTreeMap::new(), beyond: 0, most: MOST }
    }

    /// Takes in the values of these rows of a column, or of all; NULL names nobody.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the batch has no such column of that type.
    pub fn add(&mut self, batch: &Batch, column: usize, ty: Type, rows: Option<&Mask>) -> Result<()> {
        let column = column_of(batch, column, ty)?;
        let mut scratch = Vec::new();
        for row in (0..batch.rows()).filter(|&row| rows.is_none_or(|r| r.get(row)) && !column.is_null(row)) {
            let value = hash(&self.key, &column, row, &mut scratch);
            if self.rows.len() >= self.most && !self.rows.contains_key(&value) {
                self.beyond += 1;
                continue;
            }
            *self.rows.entry(value).or_default() += 1;
        }
        Ok(())
    }

    /// Counts the rows that name somebody as [`Self::beyond`]: nobody can tell whom. Of several columns
    /// every one must hold a value; without any, every row names somebody.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub fn pass(&mut self, batch: &Batch, columns: &[(usize, Type)]) -> Result<()> {
        let columns: Vec<Column<'_>> =
            columns.iter().map(|(column, ty)| column_of(batch, *column, *ty)).collect::<Result<_>>()?;
        let named = (0..batch.rows()).filter(|row| columns.iter().all(|c| !c.is_null(*row))).count();
        self.beyond += u64::try_from(named).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Nobody may look: what is kept counts as [`Self::beyond`].
    pub fn give_up(&mut self) {
        self.beyond += self.left();
        self.rows.clear();
    }

    /// Strikes out every value that stands in a column.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub fn strike(&mut self, batch: &Batch, column: usize, ty: Type) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let column = column_of(batch, column, ty)?;
        let mut scratch = Vec::new();
        for row in (0..batch.rows()).filter(|row| !column.is_null(*row)) {
            self.rows.remove(&hash(&self.key, &column, row, &mut scratch));
        }
        Ok(())
    }

    /// Rows whose value was not found.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.rows.values().sum()
    }

    /// Rows of which nobody knows whether their value would have been found.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }
}

fn column_of(batch: &Batch, column: usize, ty: Type) -> Result<Column<'_>> {
    let array = batch.columns().get(column).ok_or_else(|| MALFORMED.fault(format!("no column {column}")))?;
    Column::new(array, ty)
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Open({} values)", self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn ints(values: &[Option<i64>]) -> Batch {
        let array: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        Batch::new(&[Type::Int], vec![array], values.len()).unwrap()
    }

    fn texts(values: &[&str]) -> Batch {
        let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        Batch::new(&[Type::Text], vec![array], values.len()).unwrap()
    }

    #[test]
    fn what_is_found_later_is_struck_out_and_a_null_names_nobody() {
        let mut open = Open::new([7; 32]);
        let named = ints(&[Some(1), Some(2), Some(2), None, Some(-9)]);
        open.add(&named, 0, Type::Int, None).unwrap();
        open.add(&named, 0, Type::Int, Some(&Mask::from_fn(5, |row| row == 4))).unwrap();
        assert_eq!(open.left(), 5);
        open.strike(&ints(&[Some(2), None, Some(3)]), 0, Type::Int).unwrap();
        assert_eq!((open.left(), open.beyond()), (3, 0));
        open.pass(&named, &[(0, Type::Int)]).unwrap();
        assert_eq!((open.left(), open.beyond()), (3, 4));
        open.pass(&named, &[]).unwrap();
        assert_eq!(open.beyond(), 9, "every row");
        open.give_up();
        assert_eq!((open.left(), open.beyond()), (0, 12));
        assert!(open.add(&named, 1, Type::Int, None).is_err());
    }

    #[test]
    fn beyond_what_is_kept_rows_are_counted_as_unknown() {
        let mut open = Open { most: 2, ..Open::new([7; 32]) };
        let named = texts(&["a", "b", "c", "a", "d"]);
        open.add(&named, 0, Type::Text, None).unwrap();
        assert_eq!((open.left(), open.beyond()), (3, 2));
        open.strike(&texts(&["a"]), 0, Type::Text).unwrap();
        open.add(&named, 0, Type::Text, Some(&Mask::from_fn(5, |row| row == 2))).unwrap();
        assert_eq!((open.left(), open.beyond()), (2, 2), "what was struck out makes room");
    }
}
