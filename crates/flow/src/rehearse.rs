//! The dry run: every row read, checked and transformed, none written.

use ecluse_core::fault::Result;

use crate::figures::Figures;
use crate::orders::Orders;
use crate::ports::Source;
use crate::run::{Options, Progress};
use crate::world::World;

/// Counts what would move and what would be refused, by code.
///
/// # Errors
///
/// Coded.
pub fn rehearse(
    _orders: Orders<'_>,
    _options: Options<'_>,
    _source: &mut dyn Source,
    _world: World<'_>,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Figures> {
    Err(NOT_YET.fault("rehearse"))
}

static NOT_YET: ecluse_core::fault::Code = ecluse_core::fault::Code::refused("ECL-RUN-000", "not built yet");
