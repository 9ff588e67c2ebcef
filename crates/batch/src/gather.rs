//! Batches that lie in memory: brought into their key's order, and handed on from there.

use arrow_array::{Array as _, ArrayRef, BinaryArray, StringArray};
use arrow_select::interleave::interleave;
use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED, Unreadable};
use crate::keys::Keys;

/// A row: the batch's index, the row's within it.
pub type Place = (usize, usize);

/// The order of rows over several batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they lie: they came in their key's order, or have no key.
    AsTheyCame,
    /// So.
    Sorted(Vec<Place>),
    /// Two rows have one key: neither could be found again.
    Twice,
}

impl Order {
    /// The order of the rows' keys; `key` are indices into the columns, none where the table has no key.
    ///
    /// # Errors
    ///
    /// As [`Keys::new`].
    pub fn of(batches: &[Batch], types: &[Type], key: &[usize]) -> Result<Self> {
        if key.is_empty() {
            return Ok(Self::AsTheyCame);
        }
        let keys = batches.iter().map(|b| Keys::new(b, types, key)).collect::<Result<Vec<_>>>()?;
        let mut places: Vec<Place> =
            batches.iter().enumerate().flat_map(|(i, b)| (0..b.rows()).map(move |row| (i, row))).collect();
        let compare = |a: &Place, b: &Place| match (keys.get(a.0), keys.get(b.0)) {
            (Some(here), Some(there)) => here.against(a.1, there, b.1),
            _ => std::cmp::Ordering::Equal,
        };
        if places.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            return Ok(Self::AsTheyCame);
        }
        places.sort_unstable_by(compare);
        if places.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            Ok(Self::Sorted(places))
        } else {
            Ok(Self::Twice)
        }
    }
}

/// Bytes that the values of one row take, about: what varies is counted, the rest taken as eight bytes a
/// value. `row` is below the batch's rows.
#[must_use]
pub fn weight(batch: &Batch, row: usize) -> usize {
    let of = |array: &ArrayRef| {
        let any = array.as_any();
        let text = any.downcast_ref::<StringArray>().map(|a| a.value(row).len());
        text.or_else(|| any.downcast_ref::<BinaryArray>().map(|a| a.value(row).len())).unwrap_or(0)
    };
    batch.columns().iter().map(|array| 8 + of(array)).sum()
}

/// The rows at these places, in that order, as one batch; marks of unreadable values go along.
///
/// # Errors
///
/// [`MALFORMED`] where a place is none, or the batches are not one table's.
pub fn pick(batches: &[Batch], types: &[Type], places: &[Place]) -> Result<Batch> {
    let is_there = |p: &Place| batches.get(p.0).is_some_and(|b| p.1 < b.rows());
    if !places.iter().all(is_there) || batches.iter().any(|b| b.columns().len() != types.len()) {
        return Err(MALFORMED.fault("rows that are not there"));
    }
    let column = |i: usize| -> Result<ArrayRef> {
        let arrays: Vec<&dyn arrow_array::Array> =
            batches.iter().filter_map(|b| b.columns().get(i)).map(AsRef::as_ref).collect();
        interleave(&arrays, places).map_err(|_text_may_quote| MALFORMED.fault(format!("column {i}")))
    };
    let columns = (0..types.len()).map(column).collect::<Result<Vec<_>>>()?;
    let mut marks = Vec::new();
    if batches.iter().any(|b| !b.unreadable().is_empty()) {
        for (row, (batch, from)) in places.iter().enumerate() {
            let all = batches.get(*batch).map_or(&[][..], Batch::unreadable);
            // they stand in the order of their rows
            let first = all.partition_point(|u| u.row < *from);
            let these = all.iter().skip(first).take_while(|u| u.row == *from);
            marks.extend(these.map(|u| Unreadable { row, ..*u }));
        }
    }
    Ok(Batch::new(types, columns, places.len())?.with_unreadable(marks))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};

    use ecluse_core::fault::Code;

    use super::*;

    static BAD: Code = Code::refused("ECL-BAT-099", "a test's");

    fn batch(keys: &[i64], texts: &[&str], bad: &[usize]) -> Batch {
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(keys.to_vec())), Arc::new(StringArray::from(texts.to_vec()))];
        let marks = bad.iter().map(|row| Unreadable { row: *row, column: 1, code: &BAD }).collect();
        Batch::new(&TYPES, columns, keys.len()).unwrap().with_unreadable(marks)
    }

    const TYPES: [Type; 2] = [Type::Int, Type::Text];

    #[test]
    fn rows_of_several_batches_come_in_their_keys_order_with_their_marks() {
        let batches = [batch(&[5, 1], &["e", "a"], &[0]), batch(&[3, 2], &["c", "b"], &[1])];
        let Order::Sorted(places) = Order::of(&batches, &TYPES, &[0]).unwrap() else { panic!("in order") };
        let picked = pick(&batches, &TYPES, &places).unwrap();
        let keys = Keys::new(&picked, &TYPES, &[0]).unwrap();
        keys.check_order(None).unwrap();
        let marked: Vec<usize> = picked.unreadable().iter().map(|u| u.row).collect();
        assert_eq!(marked, [1, 3], "2 and 5 were marked");
        // by the text's bytes, too
        let Order::Sorted(places) = Order::of(&batches, &TYPES, &[1]).unwrap() else { panic!("in order") };
        assert_eq!(places, [(0, 1), (1, 1), (1, 0), (0, 0)]);
    }

    #[test]
    fn a_key_that_stands_twice_is_seen_and_rows_in_order_are_left_as_they_came() {
        let rising = [batch(&[1, 2], &["a", "b"], &[]), batch(&[3], &["c"], &[])];
        assert_eq!(Order::of(&rising, &TYPES, &[0]).unwrap(), Order::AsTheyCame);
        assert_eq!(Order::of(&rising, &TYPES, &[]).unwrap(), Order::AsTheyCame);
        let twice = [batch(&[1, 2], &["a", "b"], &[]), batch(&[2], &["c"], &[])];
        assert_eq!(Order::of(&twice, &TYPES, &[0]).unwrap(), Order::Twice);
        assert_eq!(pick(&twice, &TYPES, &[(1, 1)]).unwrap_err().code(), &MALFORMED);
    }
}
