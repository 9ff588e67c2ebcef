//! Local times of a zone that the mapping names, as instants.

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;
use ecluse_core::zone::{Unplaced, Zone};

use crate::batch::MALFORMED;
use crate::build::primitive;
use crate::column::Column;
use crate::write::Reason;

/// The column as instants; a time that the zone has twice or never refuses its row.
pub(crate) fn instants(
    array: &ArrayRef,
    from: Type,
    zone: &Zone,
    refuse: &mut dyn FnMut(usize, Reason),
) -> Result<ArrayRef> {
    let Column::Timestamp(times) = Column::new(array, from)? else {
        return Err(MALFORMED.fault(format!("{from} is no local time")));
    };
    let cells = (0..times.len()).map(|row| {
        if times.is_null(row) {
            return Ok(None);
        }
        let instant = zone.instant(times.value(row));
        Ok(instant
            .map_err(|why| {
                refuse(
                    row,
                    match why {
                        Unplaced::Doubled => Reason::Doubled,
                        Unplaced::Missing => Reason::Missing,
                        Unplaced::Beyond => Reason::OutOfRange,
                    },
                );
            })
            .ok())
    });
    primitive::<TimestampMicrosecondType>(Type::Instant, cells)
}
