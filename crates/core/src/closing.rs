//! The end of a migration: what has to be there before it may be closed.
//!
//! The run's keys are destroyed when it is closed, and nothing can be read back, resumed, undone or named again
//! after that. So closing takes a value that only the whole chain makes: an acceptance and a certificate that were
//! verified, of one run of one order, and nothing open.

use crate::acceptance::Accepted;
use crate::certificate::Certified;

/// Something that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What, in words.
    pub what: String,
    /// The command that closes it.
    pub command: String,
}

/// A migration that may be closed. Only [`Closable::of`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::closing::Closable;
/// fn forge(real: Closable) -> Closable {
///     Closable { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Closable {
    run: String,
    instruction: String,
}

impl Closable {
    /// A migration whose chain is whole: accepted, certified after that acceptance, and nothing open.
    ///
    /// # Errors
    /// What is open; never empty.
    pub fn of(
        accepted: Option<&Accepted>,
        certified: Option<&Certified>,
        mut open: Vec<Open>,
    ) -> Result<Self, Vec<Open>> {
        let missing = |what: &str, command: &str| Open { what: what.to_owned(), command: command.to_owned() };
        if accepted.is_none() && open.is_empty() {
            open.push(missing("the migration has not been accepted", "ecluse accept propose"));
        }
        if certified.is_none() && open.is_empty() {
            open.push(missing("no certificate is signed", "ecluse certify propose"));
        }
        let (Some(accepted), Some(certified)) = (accepted, certified) else { return Err(open) };
        let (this, that) = (accepted.stated(), certified.stated());
        let same = this.run == that.run && this.instruction == that.instruction;
        if !same || that.acceptance != accepted.digest() {
            open.push(missing("the certificate is of another acceptance", "ecluse certify verify"));
        }
        if open.is_empty() {
            Ok(Self { run: this.run.clone(), instruction: this.instruction.clone() })
        } else {
            Err(open)
        }
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The digest of its instruction.
    #[must_use]
    pub fn instruction(&self) -> &str {
        &self.instruction
    }
}
