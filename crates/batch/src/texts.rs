//! One text column of a batch, read and put in the place of another.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray};
use ecluse_core::fault::Result;

use crate::batch::{Batch, MALFORMED};

impl Batch {
    /// The texts of a column, NULL as `None`.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where there is no such column, or it holds no text.
    pub fn texts(&self, column: usize) -> Result<Vec<Option<&str>>> {
        let array = self.columns().get(column).and_then(|array| array.as_string_opt::<i32>());
        let array = array.ok_or_else(|| MALFORMED.fault(format!("column {column} holds no text")))?;
        Ok((0..array.len()).map(|row| array.is_valid(row).then(|| array.value(row))).collect())
    }

    /// The same batch with other texts in a text column; nothing of it is unreadable.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] as [`Self::texts`], and where there are more or fewer texts than rows.
    pub fn with_texts(&self, column: usize, texts: &[Option<String>]) -> Result<Self> {
        self.texts(column)?;
        let mut columns = self.columns().to_vec();
        if let Some(place) = columns.get_mut(column) {
            *place = Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>());
        }
        RecordBatch::try_new(self.schema(), columns)
            .map(Self::of)
            .map_err(|_text_may_quote| MALFORMED.fault(format!("{} texts", texts.len())))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::ArrayRef;
    use ecluse_core::types::Type;

    use super::*;

    #[test]
    fn texts_are_read_and_replaced_and_nothing_else() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("")]));
        let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 2, 3]));
        let batch = Batch::new(&[Type::Text, Type::Int], vec![names, numbers], 3).unwrap();
        assert_eq!(batch.texts(0).unwrap(), [Some("a"), None, Some("")]);
        let other = batch.with_texts(0, &[None, Some("x".to_owned()), None]).unwrap();
        assert_eq!(other.texts(0).unwrap(), [None, Some("x"), None]);
        assert_eq!(&other.columns()[1], &batch.columns()[1]);
        assert!(batch.with_texts(0, &[None]).is_err());
        assert!(batch.texts(1).is_err() && batch.texts(2).is_err());
    }
}
