//! That a certificate of erasure is about to be written: one line of the journal, and the last of the evidence.

use ecluse_core::fault::Result;

use crate::event::{Act, Outcome};
use crate::journal::Journal;
use crate::ports::Record;
use crate::world::World;

/// Writes the line; durable when it returns.
///
/// # Errors
/// The record's.
pub fn certify(session: &str, record: &mut dyn Record, world: World<'_>) -> Result<()> {
    let object = world.id()?;
    Journal::new(record, world, session).note(Act::Certify, &object, &Outcome::Begun)
}
