//! The certificate of erasure in the journal: that it is about to be written, which is the last line of the
//! evidence; and the evidence that was made with its last signature.

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

/// Writes the line that binds the evidence file: `evidence` is its digest, and the file is durable already. Closing
/// compares.
///
/// # Errors
/// The record's.
pub fn certified(session: &str, record: &mut dyn Record, world: World<'_>, evidence: String) -> Result<()> {
    let object = world.id()?;
    Journal::new(record, world, session).note_paper(Act::Certify, &object, &Outcome::Done, Some(evidence))
}
