//! Values and raw cells through the driver.

use std::error::Error;

use bytes::BytesMut;
use ecluse_core::value::Value;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use super::decode::{EPOCH_DAYS, EPOCH_MICROS};
use super::numeric;

/// A value bound as a parameter, in the binary form of the type the statement gives it.
///
/// Silent `Debug`: a bound value may be a row key.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl std::fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bound(…)")
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Bool(v) => out.extend_from_slice(&[u8::from(*v)]),
            Value::Int(v) => match *ty {
                Type::INT2 => out.extend_from_slice(&i16::try_from(*v)?.to_be_bytes()),
                Type::INT4 => out.extend_from_slice(&i32::try_from(*v)?.to_be_bytes()),
                _ => out.extend_from_slice(&v.to_be_bytes()),
            },
            Value::Decimal { unscaled, scale } => {
                let mut bytes = Vec::new();
                numeric::write(&mut bytes, *unscaled, *scale);
                out.extend_from_slice(&bytes);
            }
            Value::Text(v) => {
                if *ty == Type::JSONB {
                    out.extend_from_slice(&[1]);
                }
                out.extend_from_slice(v.as_bytes());
            }
            Value::Bytes(v) => out.extend_from_slice(v),
            Value::Date(v) => {
                out.extend_from_slice(&v.checked_sub(EPOCH_DAYS).ok_or("range")?.to_be_bytes());
            }
            Value::Timestamp(v) | Value::Instant(v) => {
                out.extend_from_slice(&v.checked_sub(EPOCH_MICROS).ok_or("range")?.to_be_bytes());
            }
            Value::Time(v) => out.extend_from_slice(&v.to_be_bytes()),
            Value::Uuid(v) => out.extend_from_slice(v),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A cell's bytes as the server sent them.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
