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
    /// The engine's own text of the value, asked for by `::text` (decision 0022).
    Printed,
    /// The same of an enumeration, whose binary form is its label: it can be written.
    Label,
}

/// What the catalogue says of a type; a domain stands for what it is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) oid: u32,
    /// `pg_type.typtype`: `e` is an enum.
    pub(super) typtype: char,
    /// An array's element, and its `typtype`.
    pub(super) element: Option<(u32, char)>,
}

/// The wire format of a column; `None` where écluse refuses it. An array is carried where its
/// elements are.
pub(super) fn wire_of(kind: Kind) -> Option<Wire> {
    let one = |oid, typtype| match typtype {
        'e' => Some(Wire::Printed),
        _ => Pg::from_oid(oid).as_ref().and_then(wire_of_builtin),
    };
    match kind.element {
        Some((oid, typtype)) => one(oid, typtype).map(|_carried| Wire::Printed),
        None if kind.typtype == 'e' => Some(Wire::Label),
        None => one(kind.oid, kind.typtype),
    }
}

/// The wire format of a built-in type that is no array.
pub(crate) fn wire_of_builtin(ty: &Pg) -> Option<Wire> {
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
        Pg::BIT
        | Pg::VARBIT
        | Pg::INTERVAL
        | Pg::TIMETZ
        | Pg::INET
        | Pg::CIDR
        | Pg::MACADDR
        | Pg::MACADDR8
        | Pg::XML
        | Pg::INT4_RANGE
        | Pg::INT8_RANGE
        | Pg::NUM_RANGE
        | Pg::DATE_RANGE
        | Pg::TS_RANGE
        | Pg::TSTZ_RANGE
        | Pg::INT4MULTI_RANGE
        | Pg::INT8MULTI_RANGE
        | Pg::NUMMULTI_RANGE
        | Pg::DATEMULTI_RANGE
        | Pg::TSMULTI_RANGE
        | Pg::TSTZMULTI_RANGE => Wire::Printed,
        _ => return None,
    })
}

/// What a wire format carries. A number that `modifier` (`pg_attribute.atttypmod`) gives no scale,
/// or more than 38 digits, travels as its text, every digit kept.
pub(crate) fn carried(wire: Wire, modifier: i32) -> Type {
    match wire {
        Wire::Bool => Type::Bool,
        Wire::Int2 | Wire::Int4 | Wire::Int8 => Type::Int,
        Wire::Numeric => decimal(modifier).unwrap_or(Type::Text),
        Wire::Float4 => Type::Single,
        Wire::Float8 => Type::Float,
        Wire::Text | Wire::Padded | Wire::Printed | Wire::Label => Type::Text,
        Wire::Bytes => Type::Bytes,
        Wire::Date => Type::Date,
        Wire::Timestamp => Type::Timestamp,
        Wire::Timestamptz => Type::Instant,
        Wire::Time => Type::Time,
        Wire::Uuid => Type::Uuid,
        Wire::Json | Wire::Jsonb => Type::Json,
    }
}

/// Whether a column of a destination can be written: the engine would have to read a print again, and
/// a number of more than 38 digits with a declared scale would be rounded in silence.
pub(super) fn writable(wire: Wire, modifier: i32) -> bool {
    match wire {
        Wire::Printed => false,
        Wire::Numeric => modifier == -1 || decimal(modifier).is_some(),
        _ => true,
    }
}

/// Whether a read asks for the engine's text of the value instead of its binary form.
pub(super) fn printed(wire: Wire, ty: Type) -> bool {
    matches!((wire, ty), (Wire::Printed | Wire::Label | Wire::Numeric, Type::Text))
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
        (Wire::Numeric, Type::Decimal { .. } | Type::Text) => true,
        (Wire::Numeric, _) => false,
        // what a binary32 does not hold is refused value by value
        (Wire::Float4, Type::Float) => true,
        _ => carried(wire, -1) == ty,
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
            assert_eq!(carried(Wire::Numeric, refused), Type::Text);
            assert_eq!(writable(Wire::Numeric, refused), refused == -1, "{refused}");
        }
    }
}
