//! The engine's types and ours.

use ecluse_core::types::Type;
use tokio_postgres::types::Type as Pg;

/// How a value travels in the engine's binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Numeric,
    Float4,
    Float8,
    Text,
    /// `char(n)`: trailing blanks carry no meaning (manual, 8.3) and are left out, so that
    /// the same value compares equal on both sides.
    Padded,
    Bytes,
    Date,
    Timestamp,
    Timestamptz,
    Time,
    Uuid,
    Json,
    /// Text after one version byte.
    Jsonb,
}

/// The wire format of an engine type; `None` where écluse refuses it.
pub(crate) fn wire(ty: &Pg) -> Option<Wire> {
    Some(match *ty {
        Pg::BOOL => Wire::Bool,
        Pg::INT2 => Wire::Int2,
        Pg::INT4 => Wire::Int4,
        Pg::INT8 => Wire::Int8,
        Pg::NUMERIC => Wire::Numeric,
        Pg::FLOAT4 => Wire::Float4,
        Pg::FLOAT8 => Wire::Float8,
        Pg::TEXT | Pg::VARCHAR | Pg::NAME => Wire::Text,
        Pg::BPCHAR => Wire::Padded,
        Pg::BYTEA => Wire::Bytes,
        Pg::DATE => Wire::Date,
        Pg::TIMESTAMP => Wire::Timestamp,
        Pg::TIMESTAMPTZ => Wire::Timestamptz,
        Pg::TIME => Wire::Time,
        Pg::UUID => Wire::Uuid,
        Pg::JSON => Wire::Json,
        Pg::JSONB => Wire::Jsonb,
        _ => return None,
    })
}

/// What a wire format carries; numbers with a declared precision only, given by `modifier`
/// (`pg_attribute.atttypmod`).
pub(crate) fn carried(wire: Wire, modifier: i32) -> Option<Type> {
    Some(match wire {
        Wire::Bool => Type::Bool,
        Wire::Int2 | Wire::Int4 | Wire::Int8 => Type::Int,
        Wire::Numeric => return decimal(modifier),
        Wire::Float4 | Wire::Float8 => Type::Float,
        Wire::Text | Wire::Padded => Type::Text,
        Wire::Bytes => Type::Bytes,
        Wire::Date => Type::Date,
        Wire::Timestamp => Type::Timestamp,
        Wire::Timestamptz => Type::Instant,
        Wire::Time => Type::Time,
        Wire::Uuid => Type::Uuid,
        Wire::Json | Wire::Jsonb => Type::Json,
    })
}

/// `numeric(p,s)`: typmod is `(p << 16 | s & 0x7ff) + 4`, the scale an 11-bit two's complement
/// (`numeric.c`, `make_numeric_typmod`).
fn decimal(modifier: i32) -> Option<Type> {
    let packed = modifier.checked_sub(4).filter(|m| *m >= 0)?;
    let precision = u8::try_from(packed >> 16).ok().filter(|p| (1..=38).contains(p))?;
    // a negative scale comes out above the precision and is refused with it
    let scale = u8::try_from(packed & 0x7ff).ok().filter(|s| *s <= precision)?;
    Some(Type::Decimal { precision, scale })
}

/// Inclusive bounds of a whole-number wire format.
pub(crate) const fn bounds(wire: Wire) -> Option<(i64, i64)> {
    match wire {
        Wire::Int2 => Some((i16::MIN as i64, i16::MAX as i64)),
        Wire::Int4 => Some((i32::MIN as i64, i32::MAX as i64)),
        Wire::Int8 => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// Whether a column of type `ty` can be read from this wire format or written to it.
pub(super) fn fits(wire: Wire, ty: Type) -> bool {
    match (wire, ty) {
        (Wire::Numeric, Type::Decimal { .. }) => true,
        (Wire::Numeric, _) => false,
        _ => carried(wire, -1) == Some(ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_decimals_only() {
        let typmod = |p: i32, s: i32| ((p << 16) | (s & 0x7ff)) + 4;
        assert_eq!(decimal(typmod(10, 2)), Some(Type::Decimal { precision: 10, scale: 2 }));
        assert_eq!(decimal(typmod(38, 38)), Some(Type::Decimal { precision: 38, scale: 38 }));
        for refused in [-1, typmod(39, 2), typmod(10, -2), typmod(2, 5)] {
            assert_eq!(decimal(refused), None);
        }
    }
}
