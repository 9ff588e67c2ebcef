//! Columns made of literal values: constants, joined text, code tables.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, PrimitiveBuilder, StringBuilder,
};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::plan::Piece;
use ecluse_core::types::Type;
use ecluse_core::value::Value;

use crate::batch::{Batch, MALFORMED, arrow_type};
use crate::column::Column;
use crate::keys::against;
use crate::write::Reason;

/// Whether a column of this type can hold the value; NULL fits every type.
pub(crate) fn holds(ty: Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null)
        | (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Text | Type::Json, Value::Text(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Date, Value::Date(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Instant, Value::Instant(_))
        | (Type::Time, Value::Time(_))
        | (Type::Uuid, Value::Uuid(_)) => true,
        (Type::Decimal { precision, scale: wanted }, Value::Decimal { unscaled, scale }) => {
            *scale == wanted && crate::cast::fits(*unscaled, precision)
        }
        _ => false,
    }
}

/// A column of `rows` values; `None` is NULL.
pub(crate) fn column<'a>(
    ty: Type,
    rows: usize,
    mut value: impl FnMut(usize) -> Option<&'a Value>,
) -> Result<ArrayRef> {
    let bad = || mismatch(ty);
    macro_rules! cells {
        ($pattern:pat => $out:expr) => {
            (0..rows).map(|row| match value(row) {
                None | Some(Value::Null) => Ok(None),
                Some($pattern) => Ok(Some($out)),
                Some(_) => Err(bad()),
            })
        };
    }
    Ok(match ty {
        Type::Bool => {
            let mut out = BooleanBuilder::with_capacity(rows);
            for cell in cells!(Value::Bool(b) => *b) {
                out.append_option(cell?);
            }
            Arc::new(out.finish())
        }
        Type::Int => primitive::<Int64Type>(ty, cells!(Value::Int(i) => *i))?,
        Type::Decimal { .. } => {
            primitive::<Decimal128Type>(ty, cells!(Value::Decimal { unscaled, .. } => *unscaled))?
        }
        Type::Float | Type::Single => {
            // no literal is a float: only NULL can stand here
            primitive::<arrow_array::types::Float64Type>(
                ty,
                (0..rows).map(|row| match value(row) {
                    None | Some(Value::Null) => Ok(None),
                    Some(_) => Err(bad()),
                }),
            )?
        }
        Type::Text | Type::Json => {
            let mut out = StringBuilder::new();
            for cell in cells!(Value::Text(t) => t.as_str()) {
                out.append_option(cell?);
            }
            Arc::new(out.finish())
        }
        Type::Bytes => {
            let mut out = BinaryBuilder::new();
            for cell in cells!(Value::Bytes(b) => b.as_slice()) {
                out.append_option(cell?);
            }
            Arc::new(out.finish())
        }
        Type::Date => primitive::<Date32Type>(ty, cells!(Value::Date(d) => *d))?,
        Type::Timestamp => primitive::<TimestampMicrosecondType>(ty, cells!(Value::Timestamp(t) => *t))?,
        Type::Instant => primitive::<TimestampMicrosecondType>(ty, cells!(Value::Instant(t) => *t))?,
        Type::Time => primitive::<Time64MicrosecondType>(ty, cells!(Value::Time(t) => *t))?,
        Type::Uuid => {
            let mut out = FixedSizeBinaryBuilder::with_capacity(rows, 16);
            for cell in cells!(Value::Uuid(u) => u) {
                match cell? {
                    Some(uuid) => out.append_value(uuid).map_err(|_text_may_quote| bad())?,
                    None => out.append_null(),
                }
            }
            Arc::new(out.finish())
        }
    })
}

/// Pieces of text joined, row by row; NULL counts as the empty text.
pub(crate) fn concat(pieces: &[Piece], read: &Batch, types: &[Type]) -> Result<ArrayRef> {
    enum Part<'a> {
        Fixed(&'a str),
        Column(&'a arrow_array::StringArray),
    }
    let parts = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Ok(Part::Fixed(text)),
            Piece::Column(index) => match (read.columns().get(*index), types.get(*index)) {
                (Some(array), Some(ty)) => match Column::new(array, *ty)? {
                    Column::Text(a) => Ok(Part::Column(a)),
                    _ => Err(mismatch(Type::Text)),
                },
                _ => Err(MALFORMED.fault(format!("no read column {index}"))),
            },
        })
        .collect::<Result<Vec<_>>>()?;
    let mut out = StringBuilder::with_capacity(read.rows(), 16 * read.rows());
    let mut joined = String::new();
    for row in 0..read.rows() {
        joined.clear();
        for part in &parts {
            match part {
                Part::Fixed(text) => joined.push_str(text),
                Part::Column(a) => {
                    if !arrow_array::Array::is_null(a, row) {
                        joined.push_str(a.value(row));
                    }
                }
            }
        }
        out.append_value(&joined);
    }
    Ok(Arc::new(out.finish()))
}

/// A code table looked up, sorted by code; NULL stays NULL unless the table has a line for it.
pub(crate) fn code(
    array: &ArrayRef,
    from: Type,
    table: &[(Value, Value)],
    to: Type,
    refuse: &mut dyn FnMut(usize, Reason),
) -> Result<ArrayRef> {
    let typed = Column::new(array, from)?;
    // Value::Null sorts first
    let (null, codes) = match table.split_first() {
        Some(((Value::Null, value), rest)) => (Some(value), rest),
        _ => (None, table),
    };
    column(to, array.len(), |row| {
        if typed.is_null(row) {
            return null;
        }
        let found = codes.binary_search_by(|(code, _)| match against(&typed, row, code) {
            Ordering::Less => Ordering::Greater,
            Ordering::Equal => Ordering::Equal,
            Ordering::Greater => Ordering::Less,
        });
        match found.ok().and_then(|i| codes.get(i)) {
            Some((_, value)) => Some(value),
            None => {
                refuse(row, Reason::Unmapped);
                None
            }
        }
    })
}

/// A primitive column of this type out of its cells.
pub(crate) fn primitive<T: ArrowPrimitiveType>(
    ty: Type,
    cells: impl Iterator<Item = Result<Option<T::Native>>>,
) -> Result<ArrayRef> {
    let mut out = PrimitiveBuilder::<T>::with_capacity(cells.size_hint().0);
    for cell in cells {
        out.append_option(cell?);
    }
    let array: PrimitiveArray<T> = out.finish().with_data_type(arrow_type(ty));
    Ok(Arc::new(array))
}

fn mismatch(ty: Type) -> Fault {
    MALFORMED.fault(format!("a literal is not {ty}"))
}
