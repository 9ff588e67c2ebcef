//! What a step may do, and on whose word: the papers, checked, as one argument.

use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_seal::{Identity, Recipient};

/// The papers of a run, in force.
#[derive(Clone, Copy)]
pub struct Orders<'a> {
    /// What the verified instruction compiled to.
    pub plan: &'a Plan,
    /// The instruction's digest, `sha256:…`.
    pub instruction: &'a str,
    /// The session statement's id: every event cites it.
    pub session: &'a str,
    /// The signed source.
    pub source: Bound<'a>,
    /// The signed destination.
    pub destination: Bound<'a>,
    /// Asks whether the instruction still stands: reads the status anew, checks its
    /// signature and its age. Called at the start and at every chunk.
    pub standing: &'a (dyn Fn() -> Result<()> + Sync),
    /// Whom the run's state is sealed to: the session's age recipients.
    pub recipients: &'a [Recipient],
    /// What opens the state of a run that goes on.
    pub identity: &'a Identity,
}

/// One side, as it was signed.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The instance's identity.
    pub identity: &'a str,
    /// The schema digest of the instructed tables, `sha256:…`; empty where the
    /// instruction binds none (a destination whose tables écluse makes).
    pub schema: &'a str,
}
