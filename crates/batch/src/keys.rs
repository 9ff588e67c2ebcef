//! Row keys out of batches: where a chunk ends, whether the source kept its order.

use std::cmp::Ordering;

use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, Value};

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;

/// A row whose key holds NULL: such a row has no place in any chunk.
pub static NULL_KEY: Code = Code::refused("ECL-BAT-002", "a row's key holds NULL");
/// Rows came in another order than their key's, or a key came twice.
pub static OUT_OF_ORDER: Code = Code::refused("ECL-BAT-003", "rows did not come in the order of their key");

/// The key columns of one batch.
///
/// The order is [`Key`]'s: numbers by value, text and UUIDs by bytes, column by column.
pub struct Keys<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

impl<'a> Keys<'a> {
    /// The key of a batch whose columns have `types`; `key` are indices into them.
    ///
    /// # Errors
    ///
    /// [`NULL_KEY`]; [`MALFORMED`] where an index or a type is not the batch's, or where a
    /// float or JSON column would be a key: they have no order that engines share.
    pub fn new(batch: &'a Batch, types: &[Type], key: &[usize]) -> Result<Self> {
        let columns = key
            .iter()
            .map(|&i| match (batch.columns().get(i), types.get(i)) {
                (Some(array), Some(ty)) if !matches!(ty, Type::Float | Type::Single | Type::Json) => {
                    if array.null_count() > 0 {
                        return Err(NULL_KEY.fault(format!("key column {i}")));
                    }
                    Column::new(array, *ty)
                }
                _ => Err(MALFORMED.fault(format!("key column {i}"))),
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { columns, rows: batch.rows() })
    }

    /// The key of one row; `None` past the end or where the table has no key.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Key> {
        if row >= self.rows || self.columns.is_empty() {
            return None;
        }
        Some(Key(self.columns.iter().map(|c| value(c, row)).collect()))
    }

    /// The last row's key.
    #[must_use]
    pub fn last(&self) -> Option<Key> {
        self.get(self.rows.checked_sub(1)?)
    }

    /// How many of the batch's leading rows have a key up to `upto`, inclusive (binary search).
    #[must_use]
    pub fn rows_upto(&self, upto: &Key) -> usize {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.compare(middle, upto) == Ordering::Greater {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// One row's key against another key of the same table. `row` is below the batch's rows.
    #[must_use]
    pub fn compare(&self, row: usize, key: &Key) -> Ordering {
        for (column, wanted) in self.columns.iter().zip(&key.0) {
            let order = against(column, row, wanted);
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Checks that keys rise strictly within the batch, and from `before` on.
    ///
    /// # Errors
    ///
    /// [`OUT_OF_ORDER`].
    pub fn check_order(&self, before: Option<&Key>) -> Result<()> {
        if self.columns.is_empty() || self.rows == 0 {
            return Ok(());
        }
        if let Some(before) = before
            && self.compare(0, before) != Ordering::Greater
        {
            return Err(OUT_OF_ORDER.fault("at a batch's first row"));
        }
        let rising = match self.columns.as_slice() {
            // the common key, without a call per row
            [Column::Int(a)] => a.values().is_sorted_by(|x, y| x < y),
            _ => (1..self.rows).all(|row| self.between(row - 1, row) == Ordering::Less),
        };
        if rising { Ok(()) } else { Err(OUT_OF_ORDER.fault("within a batch")) }
    }

    /// One row's key against a row's of another batch of the same table; rows are below their batch's.
    #[must_use]
    pub fn against(&self, row: usize, other: &Keys<'_>, there: usize) -> Ordering {
        let columns = self.columns.iter().zip(&other.columns);
        columns.map(|(a, b)| cells(a, row, b, there)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn between(&self, a: usize, b: usize) -> Ordering {
        self.against(a, self, b)
    }
}

/// Two values of columns of one type; columns of two types are never asked about.
fn cells(a: &Column<'_>, row: usize, b: &Column<'_>, there: usize) -> Ordering {
    match (a, b) {
        (Column::Bool(a), Column::Bool(b)) => a.value(row).cmp(&b.value(there)),
        (Column::Int(a), Column::Int(b)) => a.value(row).cmp(&b.value(there)),
        (Column::Decimal(a, _), Column::Decimal(b, _)) => a.value(row).cmp(&b.value(there)),
        (Column::Float(a) | Column::Single(a), Column::Float(b) | Column::Single(b)) => {
            a.value(row).total_cmp(&b.value(there))
        }
        (Column::Text(a) | Column::Json(a), Column::Text(b) | Column::Json(b)) => {
            a.value(row).as_bytes().cmp(b.value(there).as_bytes())
        }
        (Column::Bytes(a), Column::Bytes(b)) => a.value(row).cmp(b.value(there)),
        (Column::Date(a), Column::Date(b)) => a.value(row).cmp(&b.value(there)),
        (Column::Timestamp(a) | Column::Instant(a), Column::Timestamp(b) | Column::Instant(b)) => {
            a.value(row).cmp(&b.value(there))
        }
        (Column::Time(a), Column::Time(b)) => a.value(row).cmp(&b.value(there)),
        (Column::Uuid(a), Column::Uuid(b)) => a.value(row).cmp(b.value(there)),
        _ => Ordering::Equal,
    }
}

/// One cell of a batch whose columns have `types`; NULL where there is none. Floats give NULL.
///
/// # Errors
///
/// [`MALFORMED`] where the column is not the batch's.
pub fn cell(batch: &Batch, types: &[Type], column: usize, row: usize) -> Result<Value> {
    match (batch.columns().get(column), types.get(column)) {
        (Some(array), Some(ty)) if row < batch.rows() => Ok(value(&Column::new(array, *ty)?, row)),
        _ => Err(MALFORMED.fault(format!("column {column}"))),
    }
}

/// One value out of a column. `row` is below its length. Floats have no [`Value`] and give NULL:
/// they are no keys, no literals and no constants.
pub(crate) fn value(column: &Column<'_>, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column {
        Column::Bool(a) => Value::Bool(a.value(row)),
        Column::Int(a) => Value::Int(a.value(row)),
        Column::Decimal(a, scale) => Value::Decimal { unscaled: a.value(row), scale: *scale },
        Column::Float(_) | Column::Single(_) => Value::Null,
        Column::Text(a) | Column::Json(a) => Value::Text(a.value(row).to_owned()),
        Column::Bytes(a) => Value::Bytes(a.value(row).to_vec()),
        Column::Date(a) => Value::Date(a.value(row)),
        Column::Timestamp(a) => Value::Timestamp(a.value(row)),
        Column::Instant(a) => Value::Instant(a.value(row)),
        Column::Time(a) => Value::Time(a.value(row)),
        Column::Uuid(a) => Value::Uuid(a.value(row).try_into().unwrap_or_default()),
    }
}

/// A non-NULL value against a literal of the same kind; decimals by number, whatever their scale.
/// Kinds that do not match (a plan's compiler refuses them) order by kind, never equal.
pub(crate) fn against(column: &Column<'_>, row: usize, wanted: &Value) -> Ordering {
    match (column, wanted) {
        (Column::Bool(a), Value::Bool(w)) => a.value(row).cmp(w),
        (Column::Int(a), Value::Int(w)) => a.value(row).cmp(w),
        (Column::Decimal(a, s), Value::Decimal { unscaled, scale }) => {
            decimals(a.value(row), *s, *unscaled, *scale)
        }
        (Column::Text(a) | Column::Json(a), Value::Text(w)) => a.value(row).as_bytes().cmp(w.as_bytes()),
        (Column::Bytes(a), Value::Bytes(w)) => a.value(row).cmp(w),
        (Column::Date(a), Value::Date(w)) => a.value(row).cmp(w),
        (Column::Timestamp(a), Value::Timestamp(w)) | (Column::Instant(a), Value::Instant(w)) => {
            a.value(row).cmp(w)
        }
        (Column::Time(a), Value::Time(w)) => a.value(row).cmp(w),
        (Column::Uuid(a), Value::Uuid(w)) => a.value(row).cmp(w),
        _ => Ordering::Greater,
    }
}

/// Two decimals by number, without losing a digit: the one with fewer digits after the
/// point is scaled up; where that overflows, its magnitude decides.
pub(crate) fn decimals(a: i128, a_scale: u8, b: i128, b_scale: u8) -> Ordering {
    let up = |x: i128, by: u8| 10i128.checked_pow(u32::from(by)).and_then(|p| x.checked_mul(p));
    if a_scale >= b_scale {
        up(b, a_scale - b_scale).map_or_else(|| 0.cmp(&b), |b| a.cmp(&b))
    } else {
        up(a, b_scale - a_scale).map_or_else(|| a.cmp(&0), |a| a.cmp(&b))
    }
}
