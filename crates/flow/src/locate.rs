//! From a row token back to the row, at the source, on the controller's premises.

use ecluse_core::fault::Result;
use ecluse_core::personal::Personal;
use ecluse_core::value::Key;

use crate::orders::Orders;
use crate::ports::{Record, Source};
use crate::world::World;

/// A row that a token names.
#[derive(Debug)]
pub struct Located {
    /// The source table's name.
    pub table: String,
    /// The key columns' names.
    pub columns: Vec<String>,
    /// The key's values; for the controller's terminal only.
    pub key: Personal<Key>,
}

/// Finds the row of a token (`7Q4M-KD2E-…`) at the source; journaled before it is looked for.
///
/// # Errors
///
/// Coded: not a token, no such row.
pub fn locate(
    _token: &str,
    _orders: Orders<'_>,
    _source: &mut dyn Source,
    _record: &mut dyn Record,
    _world: World<'_>,
) -> Result<Located> {
    Err(NOT_YET.fault("locate"))
}

static NOT_YET: ecluse_core::fault::Code = ecluse_core::fault::Code::refused("ECL-RUN-000", "not built yet");
