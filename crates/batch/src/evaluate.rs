//! The filter in process: every row a database returns is checked again here.
//!
//! Two-valued, as [`ecluse_core::filter`] says: a comparison with NULL is false and its
//! negation true. The SQL of each dialect is held to this by property tests.

use std::cmp::Ordering;
use std::fmt;

use arrow_array::Array;
use arrow_buffer::BooleanBuffer;
use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::types::Type;
use ecluse_core::value::Value;

use crate::batch::{Batch, MALFORMED};
use crate::chosen::ChosenSets;
use crate::column::Column;
use crate::keys::against;

/// A filter that compares a column with a value of another type: the plan's compiler refuses it.
pub static MISTYPED: Code = Code::refused("ECL-BAT-004", "a filter compares values of different types");

/// One answer per row of a batch.
#[derive(Clone, PartialEq, Eq)]
pub struct Mask(BooleanBuffer);

impl Mask {
    /// Rows for which the answer is true.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count_set_bits()
    }

    /// Whether it is true for every row.
    #[must_use]
    pub fn all(&self) -> bool {
        self.count() == self.0.len()
    }

    /// The answer for one row; false past the end.
    #[must_use]
    pub fn get(&self, row: usize) -> bool {
        row < self.0.len() && self.0.value(row)
    }

    /// The answers in order.
    pub fn iter(&self) -> impl Iterator<Item = bool> + '_ {
        self.0.iter()
    }

    /// A mask with one answer per row.
    #[must_use]
    pub fn from_fn(rows: usize, f: impl FnMut(usize) -> bool) -> Self {
        Self(BooleanBuffer::collect_bool(rows, f))
    }

    pub(crate) fn buffer(&self) -> &BooleanBuffer {
        &self.0
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} of {} rows)", self.count(), self.0.len())
    }
}

/// Which rows of a batch the filter chooses. A row with an unreadable value is not asked
/// about and counts as chosen: it is refused by its own code. `types` are those of the batch's columns,
/// the plan's read columns; `chosen` holds the rows already kept of other tables.
///
/// # Errors
///
/// [`MISTYPED`], [`MALFORMED`]: the plan and the batch are not each other's.
pub fn evaluate(filter: &Filter, batch: &Batch, types: &[Type], chosen: &ChosenSets) -> Result<Mask> {
    let mask = Evaluator { batch, types, chosen }.filter(filter)?;
    if batch.unreadable().is_empty() {
        return Ok(Mask(mask));
    }
    let mut unreadable = batch.unreadable().iter().map(|u| u.row).peekable();
    Ok(Mask::from_fn(batch.rows(), |row| {
        let mut marked = false;
        while unreadable.next_if(|r| *r <= row).is_some_and(|r| r == row) {
            marked = true;
        }
        marked || mask.value(row)
    }))
}

struct Evaluator<'a> {
    batch: &'a Batch,
    types: &'a [Type],
    chosen: &'a ChosenSets,
}

impl Evaluator<'_> {
    fn filter(&self, filter: &Filter) -> Result<BooleanBuffer> {
        let rows = self.batch.rows();
        Ok(match filter {
            Filter::Every => BooleanBuffer::new_set(rows),
            Filter::Compare { column, op, value } => self.compare(*column, *op, value)?,
            Filter::OneOf { column, values } => {
                let mut any = BooleanBuffer::new_unset(rows);
                for value in values {
                    any = &any | &self.compare(*column, Comparison::Eq, value)?;
                }
                any
            }
            Filter::IsNull { column } => match self.array(*column)?.nulls() {
                Some(valid) => !valid.inner(),
                None => BooleanBuffer::new_unset(rows),
            },
            Filter::StartsWith { column, prefix } => {
                let Column::Text(a) = self.column(*column)? else { return Err(mistyped(*column)) };
                let prefix = prefix.as_bytes();
                let hit = BooleanBuffer::collect_bool(rows, |i| a.value(i).as_bytes().starts_with(prefix));
                self.valid(*column, hit)?
            }
            Filter::Chosen { column, table, other } => {
                self.chosen.members(*table, *other, self.array(*column)?, self.ty(*column)?)?.0
            }
            Filter::And(all) => {
                let mut both = BooleanBuffer::new_set(rows);
                for f in all {
                    both = &both & &self.filter(f)?;
                }
                both
            }
            Filter::Or(any) => {
                let mut either = BooleanBuffer::new_unset(rows);
                for f in any {
                    either = &either | &self.filter(f)?;
                }
                either
            }
            Filter::Not(f) => !&self.filter(f)?,
        })
    }

    fn compare(&self, column: usize, op: Comparison, value: &Value) -> Result<BooleanBuffer> {
        let c = self.column(column)?;
        let rows = self.batch.rows();
        let hit = match (&c, value) {
            // the common columns, without a match per row
            (Column::Int(a), Value::Int(w)) => scan(a.values(), op, *w),
            (Column::Date(a), Value::Date(w)) => scan(a.values(), op, *w),
            (Column::Timestamp(a), Value::Timestamp(w)) | (Column::Instant(a), Value::Instant(w)) => {
                scan(a.values(), op, *w)
            }
            _ if alike(&c, value) => BooleanBuffer::collect_bool(rows, |i| holds(op, against(&c, i, value))),
            _ => return Err(mistyped(column)),
        };
        self.valid(column, hit)
    }

    /// The answers, made false where the column is NULL.
    fn valid(&self, column: usize, hit: BooleanBuffer) -> Result<BooleanBuffer> {
        Ok(match self.array(column)?.nulls() {
            Some(valid) => &hit & valid.inner(),
            None => hit,
        })
    }

    fn array(&self, column: usize) -> Result<&arrow_array::ArrayRef> {
        self.batch.columns().get(column).ok_or_else(|| MALFORMED.fault(format!("no column {column}")))
    }

    fn ty(&self, column: usize) -> Result<Type> {
        self.types.get(column).copied().ok_or_else(|| MALFORMED.fault(format!("no column {column}")))
    }

    fn column(&self, column: usize) -> Result<Column<'_>> {
        Column::new(self.array(column)?, self.ty(column)?)
    }
}

fn mistyped(column: usize) -> ecluse_core::fault::Fault {
    MISTYPED.fault(format!("read column {column}"))
}

fn scan<T: Ord + Copy>(values: &[T], op: Comparison, wanted: T) -> BooleanBuffer {
    let each = |f: fn(&T, &T) -> bool| {
        let mut values = values.iter();
        BooleanBuffer::collect_bool(values.len(), |_| values.next().is_some_and(|v| f(v, &wanted)))
    };
    match op {
        Comparison::Eq => each(T::eq),
        Comparison::Ne => each(T::ne),
        Comparison::Lt => each(T::lt),
        Comparison::Le => each(T::le),
        Comparison::Gt => each(T::gt),
        Comparison::Ge => each(T::ge),
    }
}

fn holds(op: Comparison, order: Ordering) -> bool {
    match op {
        Comparison::Eq => order.is_eq(),
        Comparison::Ne => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Le => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Ge => order.is_ge(),
    }
}

/// Whether [`against`] may compare them.
fn alike(column: &Column<'_>, value: &Value) -> bool {
    matches!(
        (column, value),
        (Column::Bool(_), Value::Bool(_))
            | (Column::Int(_), Value::Int(_))
            | (Column::Decimal(..), Value::Decimal { .. })
            | (Column::Text(_), Value::Text(_))
            | (Column::Bytes(_), Value::Bytes(_))
            | (Column::Date(_), Value::Date(_))
            | (Column::Timestamp(_), Value::Timestamp(_))
            | (Column::Instant(_), Value::Instant(_))
            | (Column::Time(_), Value::Time(_))
            | (Column::Uuid(_), Value::Uuid(_))
    )
}
