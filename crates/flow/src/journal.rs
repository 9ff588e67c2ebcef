//! Writing the journal: one durable line per act, before the act.

use ecluse_core::fault::{Fault, Result};

use crate::event::{Act, Leaf, Outcome};
use crate::ports::Record;
use crate::world::World;

/// The journal of one session in one run folder.
pub(crate) struct Journal<'a> {
    pub(crate) record: &'a mut dyn Record,
    pub(crate) world: World<'a>,
    session: &'a str,
    /// The name under which the source may have staged rows that nobody destroyed yet.
    pub(crate) staged: Option<String>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(record: &'a mut dyn Record, world: World<'a>, session: &'a str) -> Self {
        Self { record, world, session, staged: None }
    }

    /// Writes one line; durable when this returns.
    pub(crate) fn note(&mut self, act: Act, object: &str, outcome: &Outcome) -> Result<()> {
        self.note_paper(act, object, outcome, None)
    }

    /// As [`Self::note`], with the digest of the file that the act left: it is durable already.
    pub(crate) fn note_paper(
        &mut self,
        act: Act,
        object: &str,
        outcome: &Outcome,
        paper: Option<String>,
    ) -> Result<()> {
        let leaf = self.leaf(act, object, outcome)?;
        self.record.append(Leaf { paper, ..leaf })
    }

    /// A line of this session, now; it is not written yet.
    pub(crate) fn leaf(&self, act: Act, object: &str, outcome: &Outcome) -> Result<Leaf> {
        Leaf::new(&self.world, self.session, act, object, outcome)
    }

    /// Does an act between its two lines: `begun` before it, and how it went after it. A
    /// refusal is a line too; where even that line cannot be written, the act's own fault stands.
    pub(crate) fn act<T>(
        &mut self,
        act: Act,
        object: &str,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.note(act, object, &Outcome::Begun)?;
        let done = work(self);
        match &done {
            Ok(_) => self.note(act, object, &Outcome::Done)?,
            Err(fault) => self.failed(act, object, fault),
        }
        done
    }

    /// Notes a refusal or failure.
    pub(crate) fn failed(&mut self, act: Act, object: &str, fault: &Fault) {
        // the fault on its way out says more than one about the journal would
        let _already_failing = self.note(act, object, &Outcome::Code(fault.code().id));
    }
}
