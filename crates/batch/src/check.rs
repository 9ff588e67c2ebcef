//! What a destination's column cannot hold, found before a row is sent.
//!
//! Each check first looks at the whole column in the cheapest way that can clear it;
//! rows are looked at one by one only where that fails.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::OffsetBuffer;
use ecluse_core::fault::Result;

use crate::column::Column;
use crate::write::{Floats, Reason, Target};

/// PostgreSQL's first day, 4713-11-24 BC (Julian day 0), in days since 1970-01-01. Its last
/// moment lies beyond what microseconds in 64 bits reach.
const FIRST_DAY: i32 = -2_440_588;
/// The last day whose microseconds fit 64 bits is far beyond this one: 294246-12-31.
const LAST_DAY: i32 = 106_751_625;
const DAY: i64 = 86_400_000_000;

/// Calls `refuse` for every row whose value the column cannot hold.
pub(crate) fn column(target: &Target, array: &ArrayRef, refuse: &mut dyn FnMut(usize, Reason)) -> Result<()> {
    if !target.nullable && array.null_count() > 0 {
        (0..array.len()).filter(|&row| array.is_null(row)).for_each(|row| refuse(row, Reason::Null));
    }
    let typed = Column::new(array, target.ty)?;
    match &typed {
        Column::Text(a) | Column::Json(a) => {
            text(target.max_length, a.value_data(), a.offsets(), refuse, |row| {
                if a.is_null(row) { "" } else { a.value(row) }
            });
            if !target.labels.is_empty() {
                each(array, refuse, Reason::Unlisted, |row| !target.labels.contains(a.value(row)));
            }
        }
        Column::Bytes(a) => {
            if let Some(max) = target.max_length.filter(|max| longest(a.offsets()) > *max) {
                each(array, refuse, Reason::TooLong, |row| a.value(row).len() > max);
            }
        }
        Column::Int(a) => {
            if let Some((low, high)) = target.int_bounds
                && a.values().iter().any(|v| *v < low || *v > high)
            {
                each(array, refuse, Reason::OutOfRange, |row| !(low..=high).contains(&a.value(row)));
            }
        }
        Column::Date(a) => {
            if a.values().iter().any(|v| *v < FIRST_DAY || *v > LAST_DAY) {
                each(array, refuse, Reason::OutOfRange, |row| {
                    !(FIRST_DAY..=LAST_DAY).contains(&a.value(row))
                });
            }
        }
        Column::Timestamp(a) | Column::Instant(a) => {
            let first = i64::from(FIRST_DAY) * DAY;
            if a.values().iter().any(|v| *v < first) {
                each(array, refuse, Reason::OutOfRange, |row| a.value(row) < first);
            }
        }
        Column::Time(a) => {
            if a.values().iter().any(|v| !(0..=DAY).contains(v)) {
                each(array, refuse, Reason::OutOfRange, |row| !(0..=DAY).contains(&a.value(row)));
            }
        }
        Column::Float(a) | Column::Single(a) if target.floats != Floats::All => {
            each(array, refuse, Reason::Cast, |row| {
                let value = a.value(row);
                value.is_nan()
                    || (value == 0.0 && value.is_sign_negative())
                    || (value.is_infinite() && target.floats == Floats::Finite)
            });
        }
        Column::Bool(_) | Column::Decimal(..) | Column::Float(_) | Column::Single(_) | Column::Uuid(_) => {}
    }
    Ok(())
}

fn each(
    array: &ArrayRef,
    refuse: &mut dyn FnMut(usize, Reason),
    reason: Reason,
    bad: impl Fn(usize) -> bool,
) {
    (0..array.len()).filter(|&row| !array.is_null(row) && bad(row)).for_each(|row| refuse(row, reason));
}

fn text<'a>(
    max: Option<usize>,
    data: &[u8],
    offsets: &OffsetBuffer<i32>,
    refuse: &mut dyn FnMut(usize, Reason),
    value: impl Fn(usize) -> &'a str,
) {
    let rows = offsets.len().saturating_sub(1);
    let used = usize::try_from(offsets.first()).ok().zip(usize::try_from(offsets.last()).ok());
    if used.and_then(|(first, last)| data.get(first..last)).is_none_or(|d| d.contains(&0)) {
        (0..rows).filter(|&row| value(row).contains('\0')).for_each(|row| refuse(row, Reason::Nul));
    }
    // no text has more characters than bytes
    if let Some(max) = max.filter(|max| longest(offsets) > *max) {
        (0..rows)
            .filter(|&row| value(row).len() > max && value(row).chars().count() > max)
            .for_each(|row| refuse(row, Reason::TooLong));
    }
}

/// Bytes of the longest value.
fn longest(offsets: &OffsetBuffer<i32>) -> usize {
    let longest = offsets.lengths().max();
    longest.unwrap_or(0)
}
