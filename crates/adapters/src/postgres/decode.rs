//! Binary rows into Arrow columns, in one pass.
//!
//! A value that has no exact counterpart (infinity, NaN in a decimal, text that is not
//! UTF-8) becomes NULL and is marked, so that its row can be refused by name; in a key
//! it stops the read.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use ecluse_batch::{Batch, Unreadable};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::types::Type;

use super::numeric;
use super::types::{Wire, fits, printed};

/// A value écluse cannot carry exactly.
pub(crate) static UNREADABLE: Code = Code::refused("ECL-SRC-510", "a value has no exact counterpart");
/// Text that is not UTF-8, although the server says so (a database in SQL_ASCII).
pub(crate) static NOT_UTF8: Code =
    Code::refused("ECL-SRC-511", "text is not UTF-8, whatever its database says");
/// The stream is not what the manual promises.
pub(crate) static FORMAT: Code =
    Code::refused("ECL-SRC-512", "the server's binary rows are not what its manual promises");
/// A column whose engine type is not the plan's.
pub(crate) static TYPE: Code = Code::refused("ECL-SRC-513", "a column's type is not the one of the plan");

/// Rows of a batch at most.
const ROWS: usize = 8192;
/// Bytes of values of a batch, after which it is handed on.
const BYTES: usize = 1 << 20;

/// Days from 1970-01-01 to the engine's 2000-01-01.
pub(super) const EPOCH_DAYS: i32 = 10_957;
/// Microseconds from 1970-01-01 to the engine's 2000-01-01.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The signature, flags and extension length that begin a COPY stream.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Gathers rows until a batch is full.
pub(super) struct Decoder {
    table: String,
    columns: Vec<Column>,
    types: Vec<Type>,
    rows: usize,
    bytes: usize,
    begun: bool,
    unreadable: Vec<Unreadable>,
}

struct Column {
    name: String,
    wire: Wire,
    ty: Type,
    key: bool,
    nulls: NullBufferBuilder,
    values: Values,
}

enum Values {
    Bool(Vec<bool>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    I128(Vec<i128>),
    F64(Vec<f64>),
    Fixed(Vec<u8>),
    Var { ends: Vec<i32>, bytes: Vec<u8> },
}

/// What a decoder is told of a column.
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) wire: Option<Wire>,
    pub(super) ty: Type,
    pub(super) key: bool,
}

impl Decoder {
    /// For rows of these columns.
    ///
    /// # Errors
    ///
    /// [`TYPE`] where an engine type cannot carry the plan's type.
    pub(super) fn new(table: &str, shapes: Vec<Shape>) -> Result<Self> {
        let types = shapes.iter().map(|s| s.ty).collect();
        let mut columns = Vec::with_capacity(shapes.len());
        for Shape { name, wire, ty, key } in shapes {
            let wire = wire.filter(|w| fits(*w, ty)).ok_or_else(|| {
                TYPE.fault(format!("{table}.{name}, planned as {ty}"))
                    .help("survey the database again and sign anew")
            })?;
            columns.push(Column {
                name,
                wire,
                ty,
                key,
                nulls: NullBufferBuilder::new(ROWS),
                values: empty(ty),
            });
        }
        Ok(Self {
            table: table.to_owned(),
            columns,
            types,
            rows: 0,
            bytes: 0,
            begun: false,
            unreadable: Vec::new(),
        })
    }

    /// Which columns are asked for as the engine's text.
    pub(super) fn printed(&self) -> Vec<bool> {
        self.columns.iter().map(|c| printed(c.wire, c.ty)).collect()
    }

    /// One message of a COPY stream: the server sends one row per message, the header
    /// before the first and the trailer after the last.
    pub(super) fn message(&mut self, message: &[u8]) -> Result<()> {
        let mut rest = message;
        if !self.begun {
            rest = rest.strip_prefix(HEADER).and_then(|r| r.get(8..)).ok_or_else(|| self.malformed())?;
            self.begun = true;
        }
        while !rest.is_empty() {
            let (count, cells) = rest.split_first_chunk::<2>().ok_or_else(|| self.malformed())?;
            match usize::try_from(i16::from_be_bytes(*count)) {
                Err(_) => return Ok(()), // -1: the trailer
                Ok(n) if n == self.columns.len() => rest = self.cells(cells)?,
                Ok(_) => return Err(self.malformed()),
            }
        }
        Ok(())
    }

    fn cells<'a>(&mut self, mut rest: &'a [u8]) -> Result<&'a [u8]> {
        let row = self.rows;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let cell;
            (cell, rest) = split_cell(rest).ok_or_else(|| FORMAT.fault(self.table.clone()))?;
            self.bytes += cell.map_or(0, <[u8]>::len);
            if let Some(code) = column.push(cell) {
                if column.key {
                    return Err(code.fault(format!("{}.{}, the key", self.table, column.name)));
                }
                self.unreadable.push(Unreadable { row, column: index, code });
            }
        }
        self.rows += 1;
        Ok(rest)
    }

    /// One row from cells that a query delivered.
    pub(super) fn row<'a>(&mut self, cell: impl Fn(usize) -> Result<Option<&'a [u8]>>) -> Result<()> {
        let row = self.rows;
        for (index, column) in self.columns.iter_mut().enumerate() {
            let cell = cell(index)?;
            self.bytes += cell.map_or(0, <[u8]>::len);
            if let Some(code) = column.push(cell) {
                if column.key {
                    return Err(code.fault(format!("{}.{}, the key", self.table, column.name)));
                }
                self.unreadable.push(Unreadable { row, column: index, code });
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether the batch should be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS || self.bytes >= BYTES
    }

    /// The rows gathered, `None` where there are none.
    pub(super) fn take(&mut self) -> Result<Option<Batch>> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let mut unreadable = std::mem::take(&mut self.unreadable);
        if rows == 0 {
            return Ok(None);
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter_mut().enumerate() {
            let (array, bad) = column.take(&self.table, rows)?;
            unreadable.extend(bad.into_iter().map(|row| Unreadable { row, column: index, code: &NOT_UTF8 }));
            arrays.push(array);
        }
        unreadable.sort_by_key(|u| (u.row, u.column));
        Batch::new(&self.types, arrays, rows).map(|b| Some(b.with_unreadable(unreadable)))
    }

    fn malformed(&self) -> Fault {
        FORMAT.fault(self.table.clone())
    }
}

/// The next cell (`None` is NULL) and what follows it.
fn split_cell(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    match usize::try_from(i32::from_be_bytes(*length)) {
        Ok(length) => rest.split_at_checked(length).map(|(cell, rest)| (Some(cell), rest)),
        Err(_) => Some((None, rest)),
    }
}

fn empty(ty: Type) -> Values {
    match ty {
        Type::Bool => Values::Bool(Vec::with_capacity(ROWS)),
        Type::Date => Values::I32(Vec::with_capacity(ROWS)),
        Type::Int | Type::Timestamp | Type::Instant | Type::Time => Values::I64(Vec::with_capacity(ROWS)),
        Type::Decimal { .. } => Values::I128(Vec::with_capacity(ROWS)),
        Type::Float | Type::Single => Values::F64(Vec::with_capacity(ROWS)),
        Type::Uuid => Values::Fixed(Vec::with_capacity(16 * ROWS)),
        Type::Text | Type::Json | Type::Bytes => {
            let mut ends = Vec::with_capacity(ROWS + 1);
            ends.push(0);
            Values::Var { ends, bytes: Vec::with_capacity(8 * ROWS) }
        }
    }
}

impl Column {
    /// Appends a cell; the code of one that has no exact counterpart, which is appended as NULL.
    #[inline]
    fn push(&mut self, cell: Option<&[u8]>) -> Option<&'static Code> {
        let Some(cell) = cell else {
            self.null();
            return None;
        };
        if self.value(cell).is_some() {
            self.nulls.append_non_null();
            None
        } else {
            self.null();
            Some(&UNREADABLE)
        }
    }

    /// Appends the value, or nothing at all.
    #[inline]
    fn value(&mut self, cell: &[u8]) -> Option<()> {
        match (&mut self.values, self.wire) {
            (Values::I64(v), Wire::Int8) => v.push(i64::from_be_bytes(cell.try_into().ok()?)),
            (Values::I64(v), Wire::Int4) => v.push(i64::from(i32::from_be_bytes(cell.try_into().ok()?))),
            (Values::I64(v), Wire::Int2) => v.push(i64::from(i16::from_be_bytes(cell.try_into().ok()?))),
            (Values::Var { ends, bytes }, wire) => {
                let cell = match wire {
                    Wire::Jsonb => cell.strip_prefix(&[1])?,
                    Wire::Padded => cell.trim_suffix_blanks(),
                    _ => cell,
                };
                bytes.extend_from_slice(cell);
                ends.push(i32::try_from(bytes.len()).ok()?);
            }
            (Values::I32(v), _) => {
                // the extremes are ±infinity
                let days = i32::from_be_bytes(cell.try_into().ok()?);
                v.push(days.checked_add(EPOCH_DAYS).filter(|_| days != i32::MIN)?);
            }
            (Values::I64(v), Wire::Timestamp | Wire::Timestamptz) => {
                let micros = i64::from_be_bytes(cell.try_into().ok()?);
                v.push(micros.checked_add(EPOCH_MICROS).filter(|_| micros != i64::MIN)?);
            }
            // 24:00:00 is a time of the engine's, but not of a day
            (Values::I64(v), _) => {
                v.push(Some(i64::from_be_bytes(cell.try_into().ok()?)).filter(|m| *m < 86_400_000_000)?);
            }
            (Values::I128(v), _) => {
                let Type::Decimal { precision, scale } = self.ty else { return None };
                let limit = 10_u128.pow(u32::from(precision));
                v.push(numeric::read(cell, scale).filter(|n| n.unsigned_abs() < limit)?);
            }
            (Values::F64(v), Wire::Float4) => v.push(f64::from(f32::from_be_bytes(cell.try_into().ok()?))),
            (Values::F64(v), _) => v.push(f64::from_be_bytes(cell.try_into().ok()?)),
            (Values::Bool(v), _) => v.push(*cell.first()? != 0),
            (Values::Fixed(v), _) => v.extend_from_slice(cell.first_chunk::<16>()?),
        }
        Some(())
    }

    fn null(&mut self) {
        self.nulls.append_null();
        match &mut self.values {
            Values::Bool(v) => v.push(false),
            Values::I32(v) => v.push(0),
            Values::I64(v) => v.push(0),
            Values::I128(v) => v.push(0),
            Values::F64(v) => v.push(0.0),
            Values::Fixed(v) => v.extend_from_slice(&[0; 16]),
            Values::Var { ends, .. } => ends.push(ends.last().copied().unwrap_or_default()),
        }
    }

    /// The gathered column and, for text, the rows that are not UTF-8 (NULL in it).
    fn take(&mut self, table: &str, rows: usize) -> Result<(ArrayRef, Vec<usize>)> {
        let nulls = self.nulls.finish();
        self.nulls = NullBufferBuilder::new(ROWS);
        let values = std::mem::replace(&mut self.values, empty(self.ty));
        let wrong = |_may_quote: arrow_schema::ArrowError| FORMAT.fault(format!("{table}.{}", self.name));
        let mut bad = Vec::new();
        let array: ArrayRef = match (values, self.ty) {
            (Values::Bool(v), _) => Arc::new(BooleanArray::new(v.into(), nulls)),
            (Values::I32(v), _) => Arc::new(Date32Array::new(v.into(), nulls)),
            (Values::I64(v), Type::Timestamp) => Arc::new(TimestampMicrosecondArray::new(v.into(), nulls)),
            (Values::I64(v), Type::Instant) => {
                Arc::new(TimestampMicrosecondArray::new(v.into(), nulls).with_timezone("+00:00"))
            }
            (Values::I64(v), Type::Time) => Arc::new(Time64MicrosecondArray::new(v.into(), nulls)),
            (Values::I64(v), _) => Arc::new(Int64Array::new(v.into(), nulls)),
            (Values::I128(v), ty) => {
                let Type::Decimal { precision, scale } = ty else { return Err(TYPE.fault(table)) };
                let array = Decimal128Array::new(v.into(), nulls);
                let scale = i8::try_from(scale).unwrap_or(i8::MAX);
                Arc::new(array.with_precision_and_scale(precision, scale).map_err(wrong)?)
            }
            (Values::F64(v), _) => Arc::new(Float64Array::new(v.into(), nulls)),
            (Values::Fixed(v), _) => {
                Arc::new(FixedSizeBinaryArray::try_new(16, v.into(), nulls).map_err(wrong)?)
            }
            (Values::Var { ends, bytes }, Type::Bytes) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
                Arc::new(BinaryArray::try_new(ends, bytes.into(), nulls).map_err(wrong)?)
            }
            (Values::Var { ends, bytes }, _) => {
                let (array, not_utf8) = text(ends, bytes, nulls.as_ref(), rows);
                if self.key && !not_utf8.is_empty() {
                    return Err(NOT_UTF8.fault(format!("{table}.{}, the key", self.name)));
                }
                bad = not_utf8;
                Arc::new(array)
            }
        };
        Ok((array, bad))
    }
}

/// Text as Arrow carries it. UTF-8 is checked once for the whole buffer; only where that
/// fails is each value looked at, and what lies about its encoding left out.
fn text(
    ends: Vec<i32>,
    bytes: Vec<u8>,
    nulls: Option<&NullBuffer>,
    rows: usize,
) -> (StringArray, Vec<usize>) {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let buffer = Buffer::from(bytes);
    if let Ok(array) = StringArray::try_new(offsets.clone(), buffer.clone(), nulls.cloned()) {
        return (array, Vec::new());
    }
    let mut bad = Vec::new();
    let is_null = |row| nulls.is_some_and(|n| n.is_null(row));
    let array = (0..rows)
        .zip(offsets.windows(2))
        .map(|(row, pair)| {
            let (&[from, to], false) = (<&[i32; 2]>::try_from(pair).ok()?, is_null(row)) else { return None };
            let cell = buffer.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
            let text = std::str::from_utf8(cell).ok();
            if text.is_none() {
                bad.push(row);
            }
            text
        })
        .collect();
    (array, bad)
}

trait TrimBlanks {
    fn trim_suffix_blanks(&self) -> &[u8];
}

impl TrimBlanks for [u8] {
    fn trim_suffix_blanks(&self) -> &[u8] {
        let kept = self.iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
        self.get(..kept).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;

    fn decoder(ty: Type, wire: Wire) -> Decoder {
        let mut decoder =
            Decoder::new("t", vec![Shape { name: "c".into(), wire: Some(wire), ty, key: false }]).unwrap();
        decoder.begun = true;
        decoder
    }

    fn push(decoder: &mut Decoder, cell: &[u8]) {
        let mut message = vec![0, 1];
        message.extend_from_slice(&i32::try_from(cell.len()).unwrap().to_be_bytes());
        message.extend_from_slice(cell);
        decoder.message(&message).unwrap();
    }

    #[test]
    fn what_has_no_counterpart_is_marked_and_not_guessed() {
        let cases: [(Type, Wire, &[u8]); 6] = [
            (Type::Date, Wire::Date, &i32::MAX.to_be_bytes()),
            (Type::Date, Wire::Date, &i32::MIN.to_be_bytes()),
            (Type::Timestamp, Wire::Timestamp, &i64::MAX.to_be_bytes()),
            (Type::Instant, Wire::Timestamptz, &i64::MIN.to_be_bytes()),
            (Type::Decimal { precision: 5, scale: 2 }, Wire::Numeric, &[0, 0, 0, 0, 0xc0, 0, 0, 0]),
            (Type::Text, Wire::Text, b"caf\xe9"),
        ];
        for (ty, wire, cell) in cases {
            let mut decoder = decoder(ty, wire);
            push(&mut decoder, cell);
            let batch = decoder.take().unwrap().unwrap();
            assert_eq!(batch.unreadable().len(), 1, "{wire:?}");
            assert!(batch.columns()[0].is_null(0));
        }
    }

    #[test]
    fn one_lying_text_leaves_its_neighbours_alone() {
        let mut decoder = decoder(Type::Text, Wire::Text);
        // "é" cut in two by the cell's border: the buffer as a whole is valid, the cells are not
        for cell in [b"a".as_slice(), b"\xc3", b"\xa9", "é".as_bytes()] {
            push(&mut decoder, cell);
        }
        let batch = decoder.take().unwrap().unwrap();
        let rows: Vec<usize> = batch.unreadable().iter().map(|u| u.row).collect();
        assert_eq!(rows, [1, 2]);
        let array = batch.columns()[0].as_any().downcast_ref::<StringArray>().unwrap();
        assert_eq!((array.value(0), array.value(3)), ("a", "é"));
    }

    #[test]
    fn a_key_without_counterpart_stops_the_read() {
        let shape = Shape { name: "k".into(), wire: Some(Wire::Date), ty: Type::Date, key: true };
        let mut decoder = Decoder::new("t", vec![shape]).unwrap();
        decoder.begun = true;
        let mut message = vec![0, 1, 0, 0, 0, 4];
        message.extend_from_slice(&i32::MAX.to_be_bytes());
        assert_eq!(decoder.message(&message).unwrap_err().code(), &UNREADABLE);
    }

    #[test]
    fn a_stream_that_is_not_the_format_is_refused() {
        for message in [b"PGCOPY".as_slice(), b"", b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02"] {
            let mut decoder = decoder(Type::Int, Wire::Int4);
            decoder.begun = false;
            assert_eq!(decoder.message(message).unwrap_err().code(), &FORMAT);
        }
        let wrong = Shape { name: "c".into(), wire: Some(Wire::Text), ty: Type::Int, key: false };
        assert_eq!(Decoder::new("t", vec![wrong]).err().unwrap().code(), &TYPE);
    }

    #[test]
    fn blanks_at_the_end_of_a_padded_text_carry_no_meaning() {
        let mut decoder = decoder(Type::Text, Wire::Padded);
        push(&mut decoder, b" ab  ");
        push(&mut decoder, b"   ");
        let batch = decoder.take().unwrap().unwrap();
        let array = batch.columns()[0].as_any().downcast_ref::<StringArray>().unwrap();
        assert_eq!((array.value(0), array.value(1)), (" ab", ""));
    }
}
