//! Sealing: the only crate that uses content keys. It seals two things to operators' age
//! identities: the state of a run (tally key, token key, key ranges), and the list of persons
//! whose rows never move ([`list`]). It seals the rows of an [`archive`] to their one recipient. And it seals rows that leave memory for a while to an identity
//! that one process alone has ([`transient`]).
//!
//! The format is age v1 (<https://age-encryption.org/v1>, crate `age` 0.11.5) with X25519
//! recipients; the plaintext is versioned JSON, marked by its author, described in `docs/formats.md`.
//! age draws its file keys from the operating system's generator inside the crate: the
//! one place where chance is not an argument.

pub mod archive;
mod author;
mod envelope;
mod keys;
mod known;
pub mod list;
mod state;
pub mod transient;
mod wire;

pub use keys::{Identity, Recipient};
pub use known::{AgreeBy, KnownList, KnownPair};
pub use state::{
    CatchUp, Caught, Frozen, Noted, Parting, PartingFile, Reasons, RunState, Seal, Seen, Sought, TableState,
    Undo, What,
};

use ecluse_core::fault::{Code, Result};

use crate::envelope::Closed;

/// An age recipient or identity that is not one.
pub static KEY: Code = Code::usage("ECL-SEA-001", "not an age X25519 key");
/// A state that none of the identities opens.
pub static STRANGER: Code =
    Code::refused("ECL-SEA-002", "the run's sealed state is not sealed to this identity");
/// A state that was cut short or altered.
pub static DAMAGED: Code = Code::refused("ECL-SEA-003", "the run's sealed state is damaged");
/// A state written by another version.
pub static VERSION: Code =
    Code::refused("ECL-SEA-004", "the run's sealed state has a format this version does not know");
/// A state could not be sealed.
pub static FAILED: Code = Code::refused("ECL-SEA-005", "the run's state could not be sealed");

/// A state that somebody else sealed to this identity.
pub static FOREIGN: Code =
    Code::refused("ECL-SEA-006", "the run's sealed state was not written by the holder of this identity");

/// Seals a run's state for the holder of this identity, and marks it as written by them.
///
/// # Errors
///
/// [`FAILED`] where a table's key holds a NULL.
pub fn seal(state: &RunState, author: &Identity) -> Result<Vec<u8>> {
    let plain = wire::write(state, author)?;
    envelope::seal(&plain, &[author.recipient()]).ok_or_else(|| FAILED.fault(""))
}

/// Opens a sealed state.
///
/// # Errors
///
/// [`STRANGER`] where it is sealed to somebody else, [`DAMAGED`] where a byte was changed,
/// added or removed, [`VERSION`] where another version of écluse wrote it, [`FOREIGN`] where
/// it was sealed to this identity by somebody who does not hold it.
pub fn open(sealed: &[u8], identity: &Identity) -> Result<RunState> {
    let plain = envelope::open(sealed, &[identity]).map_err(|closed| match closed {
        Closed::Stranger => {
            STRANGER.fault("").help("give the identity of the operator who ran last: --identity FILE")
        }
        Closed::Damaged => DAMAGED
            .fault("")
            .help("restore the run folder from a backup; without its state a run cannot be resumed"),
    })?;
    wire::read(&plain, identity)
}
