//! Values by which what should be gone is sought: drawn from the destination at that moment, kept in memory.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;
use zeroize::Zeroizing;

use crate::checks;
use crate::orders::Orders;
use crate::ports::Destination;
use crate::world::ENOUGH;

/// Texts shorter than this are found by chance.
const LEAST: usize = 8;

/// Texts that stand in tables about persons at the destination: of each at most `most`, all different, none
/// shorter than 8 bytes.
///
/// # Errors
///
/// The destination's; that it is another one than was signed for.
pub fn drawn(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    most: usize,
) -> Result<Vec<Zeroizing<String>>> {
    checks::destination_identity(destination, orders.destination)?;
    let mut all: Vec<Zeroizing<String>> = Vec::new();
    for table in orders.plan.tables().iter().filter(|table| table.about_persons()) {
        let before = all.len();
        let texts: Vec<usize> = columns(table);
        let read = destination.read(table, &KeyRange::default(), false, &mut |batch| {
            for column in &texts {
                for text in batch.texts(*column)?.into_iter().flatten().filter(|text| text.len() >= LEAST) {
                    if all.len() - before < most && !all.iter().any(|known| known.as_str() == text) {
                        all.push(Zeroizing::new(text.to_owned()));
                    }
                }
            }
            if all.len() - before < most { Ok(()) } else { Err(ENOUGH.fault("")) }
        });
        read.or_else(|fault| if *fault.code() == ENOUGH { Ok(()) } else { Err(fault) })?;
    }
    Ok(all)
}

fn columns(table: &TablePlan) -> Vec<usize> {
    let texts = table.write().iter().enumerate().filter(|(_, column)| column.ty == Type::Text);
    texts.map(|(place, _)| place).collect()
}
