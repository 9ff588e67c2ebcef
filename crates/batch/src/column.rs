//! One column of a batch, its Arrow type resolved once instead of once per row.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::MALFORMED;

/// A column whose Arrow array has been matched with its [`Type`].
#[derive(Clone, Copy)]
pub(crate) enum Column<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Float(&'a Float64Array),
    Single(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Instant(&'a TimestampMicrosecondArray),
    Time(&'a Time64MicrosecondArray),
    Uuid(&'a FixedSizeBinaryArray),
    Json(&'a StringArray),
}

impl<'a> Column<'a> {
    /// # Errors
    ///
    /// [`MALFORMED`] where the array does not carry this type.
    pub(crate) fn new(array: &'a ArrayRef, ty: Type) -> Result<Self> {
        let column = match ty {
            Type::Bool => array.as_boolean_opt().map(Self::Bool),
            Type::Int => array.as_primitive_opt::<Int64Type>().map(Self::Int),
            Type::Decimal { scale, .. } => {
                array.as_primitive_opt::<Decimal128Type>().map(|a| Self::Decimal(a, scale))
            }
            Type::Float => array.as_primitive_opt::<Float64Type>().map(Self::Float),
            Type::Single => array.as_primitive_opt::<Float64Type>().map(Self::Single),
            Type::Text => array.as_string_opt().map(Self::Text),
            Type::Bytes => array.as_binary_opt().map(Self::Bytes),
            Type::Date => array.as_primitive_opt::<Date32Type>().map(Self::Date),
            Type::Timestamp => array.as_primitive_opt::<TimestampMicrosecondType>().map(Self::Timestamp),
            Type::Instant => array.as_primitive_opt::<TimestampMicrosecondType>().map(Self::Instant),
            Type::Time => array.as_primitive_opt::<Time64MicrosecondType>().map(Self::Time),
            Type::Uuid => array.as_fixed_size_binary_opt().filter(|a| a.value_length() == 16).map(Self::Uuid),
            Type::Json => array.as_string_opt().map(Self::Json),
        };
        column.ok_or_else(|| MALFORMED.fault(format!("a column is not {ty}")))
    }

    /// Whether the row holds NULL here.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(a) => a.is_null(row),
            Self::Int(a) => a.is_null(row),
            Self::Decimal(a, _) => a.is_null(row),
            Self::Float(a) | Self::Single(a) => a.is_null(row),
            Self::Text(a) | Self::Json(a) => a.is_null(row),
            Self::Bytes(a) => a.is_null(row),
            Self::Date(a) => a.is_null(row),
            Self::Timestamp(a) | Self::Instant(a) => a.is_null(row),
            Self::Time(a) => a.is_null(row),
            Self::Uuid(a) => a.is_null(row),
        }
    }
}
