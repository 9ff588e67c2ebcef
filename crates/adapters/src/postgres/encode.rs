//! Arrow columns into binary rows (PostgreSQL manual, "COPY", "Binary Format").
//!
//! Values are checked before they are sent: what the engine would refuse, and quote in its
//! own log while doing so, is refused here.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_batch::Batch;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::WriteColumn;
use ecluse_core::types::Type;
use ecluse_flow::ports::Refusal;

use super::decode::{EPOCH_DAYS, EPOCH_MICROS};
use super::numeric;
use super::types::{Wire, fits};

/// A column whose engine type cannot take the plan's.
pub(crate) static TYPE: Code = Code::refused("ECL-DST-513", "a column's type is not the one of the plan");
/// A batch that is not the plan's.
pub(crate) static SHAPE: Code =
    Code::refused("ECL-DST-514", "a batch is not what the plan promised the destination");

/// What begins a COPY stream: signature, no flags, no extension.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it.
pub(super) const TRAILER: &[u8] = &[0xff, 0xff];

/// The earliest day and microsecond of the engine: 4714-11-24 BC.
const FIRST_DAY: i32 = -2_451_545;
const FIRST_MICRO: i64 = -211_813_488_000_000_000;
/// The first microsecond past its last year, 294276 AD.
const END_MICRO: i64 = 9_223_371_331_200_000_000;
/// The first day past 5874897 AD.
const END_DAY: i32 = 2_145_031_949;

/// One batch's columns, ready to be written row by row.
pub(super) struct Encoder<'a> {
    columns: Vec<Column<'a>>,
}

struct Column<'a> {
    wire: Wire,
    nullable: bool,
    values: Values<'a>,
}

enum Values<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Float(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Time(&'a Time64MicrosecondArray),
    Uuid(&'a FixedSizeBinaryArray),
}

impl<'a> Encoder<'a> {
    /// For a batch of the plan's written columns into engine columns of these wire formats.
    ///
    /// # Errors
    ///
    /// [`TYPE`] where an engine column cannot take the plan's type, [`SHAPE`] where the
    /// batch has other columns than the plan.
    pub(super) fn new(
        table: &str,
        plan: &[WriteColumn],
        wires: &[Option<Wire>],
        batch: &'a Batch,
    ) -> Result<Self> {
        if plan.len() != wires.len() || plan.len() != batch.columns().len() {
            return Err(SHAPE.fault(table));
        }
        let mut columns = Vec::with_capacity(plan.len());
        for ((column, wire), array) in plan.iter().zip(wires).zip(batch.columns()) {
            let place = || format!("{table}.{}, planned as {}", column.name, column.ty);
            let wire = wire.filter(|w| fits(*w, column.ty)).ok_or_else(|| TYPE.fault(place()))?;
            let values = values(array, column.ty).ok_or_else(|| SHAPE.fault(place()))?;
            columns.push(Column { wire, nullable: column.nullable, values });
        }
        Ok(Self { columns })
    }

    /// Appends one row, or nothing and why it cannot be stored.
    pub(super) fn row(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let start = out.len();
        let count = i16::try_from(self.columns.len()).map_err(|_| Refusal::Other)?;
        out.extend_from_slice(&count.to_be_bytes());
        for column in &self.columns {
            if let Err(refusal) = column.cell(row, out) {
                out.truncate(start);
                return Err(refusal);
            }
        }
        Ok(())
    }
}

fn values(array: &dyn Array, ty: Type) -> Option<Values<'_>> {
    Some(match ty {
        Type::Bool => Values::Bool(array.as_boolean_opt()?),
        Type::Int => Values::Int(array.as_primitive_opt::<Int64Type>()?),
        Type::Decimal { scale, .. } => Values::Decimal(array.as_primitive_opt::<Decimal128Type>()?, scale),
        Type::Float | Type::Single => Values::Float(array.as_primitive_opt::<Float64Type>()?),
        Type::Text | Type::Json => Values::Text(array.as_string_opt()?),
        Type::Bytes => Values::Bytes(array.as_binary_opt()?),
        Type::Date => Values::Date(array.as_primitive_opt::<Date32Type>()?),
        Type::Timestamp | Type::Instant => {
            Values::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
        }
        Type::Time => Values::Time(array.as_primitive_opt::<Time64MicrosecondType>()?),
        Type::Uuid => Values::Uuid(array.as_fixed_size_binary_opt()?),
    })
}

impl Column<'_> {
    #[inline]
    fn cell(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let null = match &self.values {
            Values::Bool(a) => a.is_null(row),
            Values::Int(a) => a.is_null(row),
            Values::Decimal(a, _) => a.is_null(row),
            Values::Float(a) => a.is_null(row),
            Values::Text(a) => a.is_null(row),
            Values::Bytes(a) => a.is_null(row),
            Values::Date(a) => a.is_null(row),
            Values::Timestamp(a) => a.is_null(row),
            Values::Time(a) => a.is_null(row),
            Values::Uuid(a) => a.is_null(row),
        };
        if null {
            if !self.nullable {
                return Err(Refusal::NotNull);
            }
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            return Ok(());
        }
        match &self.values {
            Values::Int(a) => int(self.wire, a.value(row), out)?,
            Values::Text(a) => text(self.wire, a.value(row), out)?,
            Values::Timestamp(a) => {
                let micros = a.value(row).checked_sub(EPOCH_MICROS);
                fixed(out, in_range(micros, FIRST_MICRO, END_MICRO)?.to_be_bytes());
            }
            Values::Date(a) => {
                let days = a.value(row).checked_sub(EPOCH_DAYS);
                fixed(out, in_range(days, FIRST_DAY, END_DAY)?.to_be_bytes());
            }
            Values::Time(a) => fixed(out, in_range(Some(a.value(row)), 0, 86_400_000_001)?.to_be_bytes()),
            Values::Decimal(a, scale) => {
                let at = out.len();
                out.extend_from_slice(&[0; 4]);
                numeric::write(out, a.value(row), *scale);
                length(out, at)?;
            }
            Values::Float(a) if self.wire == Wire::Float4 => fixed(out, narrow(a.value(row))?.to_be_bytes()),
            Values::Float(a) => fixed(out, a.value(row).to_be_bytes()),
            Values::Bool(a) => fixed(out, [u8::from(a.value(row))]),
            Values::Bytes(a) => var(out, &[], a.value(row))?,
            Values::Uuid(a) => var(out, &[], a.value(row))?,
        }
        Ok(())
    }
}

#[inline]
fn fixed<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    // N is at most 8
    out.extend_from_slice(&i32::try_from(N).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(&bytes);
}

#[inline]
fn var(out: &mut Vec<u8>, prefix: &[u8], bytes: &[u8]) -> Result<(), Refusal> {
    let length = i32::try_from(prefix.len() + bytes.len()).map_err(|_| Refusal::Value)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(prefix);
    out.extend_from_slice(bytes);
    Ok(())
}

#[inline]
fn int(wire: Wire, value: i64, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match wire {
        Wire::Int2 => fixed(out, i16::try_from(value).map_err(|_| Refusal::Value)?.to_be_bytes()),
        Wire::Int4 => fixed(out, i32::try_from(value).map_err(|_| Refusal::Value)?.to_be_bytes()),
        _ => fixed(out, value.to_be_bytes()),
    }
    Ok(())
}

#[inline]
fn text(wire: Wire, value: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    if wire == Wire::Numeric {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        numeric::write_text(out, value).ok_or(Refusal::Value)?;
        return length(out, start);
    }
    // the engine's text cannot hold U+0000; char(n) would lose blanks at the end in silence
    if value.as_bytes().contains(&0) || (wire == Wire::Padded && value.ends_with(' ')) {
        return Err(Refusal::Value);
    }
    var(out, if wire == Wire::Jsonb { &[1] } else { &[] }, value.as_bytes())
}

/// Puts the length of what follows into the four bytes at `at`.
fn length(out: &mut [u8], at: usize) -> Result<(), Refusal> {
    let length = i32::try_from(out.len() - at - 4).map_err(|_| Refusal::Value)?;
    if let Some(slot) = out.get_mut(at..at + 4) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn in_range<T: PartialOrd + Copy>(value: Option<T>, first: T, end: T) -> Result<T, Refusal> {
    value.filter(|v| *v >= first && *v < end).ok_or(Refusal::Value)
}

/// A binary64 as binary32, where nothing is lost.
fn narrow(value: f64) -> Result<f32, Refusal> {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what went in, on the next line")]
    let narrow = value as f32;
    if f64::from(narrow).to_bits() == value.to_bits() || value.is_nan() {
        Ok(narrow)
    } else {
        Err(Refusal::Value)
    }
}
