//! The run: what was ordered, moved. Resume, catch-up and repair are this one function.

use ecluse_core::fault::Result;

use crate::figures::Figures;
use crate::orders::Orders;
use crate::ports::{Destination, Record, Source};
use crate::world::World;

/// How a run may go about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The operator states that nobody writes to the source.
    pub frozen: bool,
    /// Chunks whose rows at the destination no longer are what the ledger says are
    /// replaced from the source; without it they stop the run.
    pub repair: bool,
    /// The reason for going on although the source's role can do more than it should.
    pub override_reason: Option<&'a str>,
}

/// What a run says while it goes; for a person who waits.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A table begins: its number, its source name, rows asked for.
    Table(usize, &'a str, u64),
    /// Rows of the table dealt with so far: moved (or found in place), refused.
    Rows(usize, u64, u64),
    /// The table is through.
    Through(usize),
    /// Something a person should know, in words.
    Note(&'a str),
}

/// A run that ended without a fault.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What was counted.
    pub figures: Figures,
    /// True where the operator stopped it: the same command goes on.
    pub stopped: bool,
}

/// Moves what was ordered.
///
/// # Errors
///
/// Coded; the journal holds the code too.
pub fn run(
    _orders: Orders<'_>,
    _options: Options<'_>,
    _source: &mut dyn Source,
    _destination: &mut dyn Destination,
    _record: &mut dyn Record,
    _world: World<'_>,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Moved> {
    Err(NOT_YET.fault("run"))
}

/// Being built.
pub static NOT_YET: ecluse_core::fault::Code =
    ecluse_core::fault::Code::refused("ECL-RUN-000", "not built yet");
