//! The end of a migration: the ledger leaves the destination, and the run's keys are destroyed.
//!
//! In this order: a run without keys whose ledger stands would keep every other run out of its tables. Killed
//! anywhere, the same call goes on. After it nobody resumes, reads back, undoes or names a row of the run: the keys that say what
//! a tally or a token was made of are gone. What a disk keeps of an overwritten file is out of reach.

use ecluse_core::closing::Closable;
use ecluse_core::digest;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::receipt::Receipt;
use ecluse_seal::Identity;

use crate::event::{Act, Head};
use crate::journal::Journal;
use crate::orders::Bound;
use crate::ports::{Destination, Record};
use crate::world::World;
use crate::{checks, state};

static CLOSED: Code = Code::refused("ECL-CLO-002", "the migration is closed");
static OTHER: Code = Code::refused("ECL-CLO-003", "another run than this one was accepted and certified");
static ELSEWHERE: Code =
    Code::refused("ECL-CLO-004", "this is not the database into which the archive was loaded");

/// What closing takes.
pub struct Concluding<'a> {
    /// The chain is whole.
    pub closable: &'a Closable,
    /// The session's operator, to whom the run's state is sealed.
    pub identity: &'a Identity,
    /// The session statement's id.
    pub session: &'a str,
    /// Where the run's ledger stands, and what the order says of it; `None` on the sealed path.
    pub destination: Option<(&'a mut dyn Destination, Bound<'a>)>,
}

/// Closes the migration; `true` where it was closed before, and nothing was left to do.
///
/// # Errors
/// [`OTHER`]; the destination's and the record's own.
pub fn conclude(how: Concluding<'_>, record: &mut dyn Record, world: World<'_>) -> Result<bool> {
    let Concluding { closable, identity, session, destination } = how;
    let begun = record.unended(Act::Conclude);
    if begun.is_empty() && is_closed(record) {
        return Ok(true);
    }
    let state = state::held_even_closed(closable.instruction(), identity, record)?;
    let object = match (&state, begun.last()) {
        (Some(state), _) if state.run != closable.run() => return Err(OTHER.fault(state.run.clone())),
        (Some(state), _) => state.object.clone(),
        // the state went, and the process died before it could say so
        (None, Some(object)) => object.clone(),
        // it was erased on its day
        (None, None) => world.id()?,
    };
    let mut journal = Journal::new(record, world, session);
    journal.act(Act::Conclude, &object, |journal| {
        if let Some((destination, signed)) = destination {
            checks::destination_identity(destination, signed)?;
            destination.hold(closable.run())?;
            destination.conclude(closable.run())?;
        }
        journal.record.destroy_state()
    })?;
    Ok(false)
}

/// Destroys what a return whose receipt is here keeps beside its archive: the keys of its tallies and tokens. Killed
/// anywhere, the same call goes on; what was destroyed before is not noted again.
///
/// # Errors
/// The record's own.
pub fn conclude_return(
    _whole: &Closable,
    session: &str,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<()> {
    let begun = record.unended(Act::Conclude);
    if begun.is_empty() && record.load_state()?.is_none() {
        return Ok(());
    }
    let object = begun.last().cloned().map_or_else(|| world.id(), Ok)?;
    Journal::new(record, world, session).act(Act::Conclude, &object, |journal| journal.record.destroy_state())
}

/// The end of a load at its recipient, over the database that holds its ledger. Only [`Leaving::of`] makes one.
///
/// The identity that would say which database that is was destroyed before the receipt was signed: so the ledger itself
/// has to stand there, or an earlier start has announced that it leaves this very database.
///
/// ```compile_fail,E0451
/// # use ecluse_flow::conclude::Leaving;
/// fn forge(real: Leaving<'_>) -> Leaving<'_> {
///     Leaving { ..real }
/// }
/// ```
pub struct Leaving<'a> {
    run: &'a str,
    place: String,
    destination: &'a mut dyn Destination,
}

impl<'a> Leaving<'a> {
    /// Takes the database of a load whose receipt is signed, and changes nothing. `announced` says whether an earlier
    /// start noted that it closes at a place ([`Leaving::place`]). A load of no row leaves no line that could be asked for.
    ///
    /// # Errors
    /// [`ELSEWHERE`]; the destination's.
    pub fn of(
        receipt: &'a Receipt,
        announced: impl FnOnce(&str) -> bool,
        destination: &'a mut dyn Destination,
    ) -> Result<Self> {
        let stated = receipt.stated();
        let run = stated.run.as_str();
        let place = digest::of_bytes(format!("{run}\n{}", destination.identity()?).as_bytes());
        destination.hold(run)?;
        let is_empty = stated.tables.iter().all(|table| table.rows == 0);
        if is_empty || announced(&place) || !destination.ledger(run)?.is_empty() {
            return Ok(Self { run, place, destination });
        }
        Err(elsewhere(""))
    }

    /// The digest of run and database, under which the closing is announced.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Takes the ledger away, then the sealed state of the load's run folder: `None` where the folder went on its day.
    /// Killed anywhere, the same call goes on.
    ///
    /// # Errors
    /// The destination's and the record's own.
    pub fn conclude(self, load: Option<&mut dyn Record>) -> Result<()> {
        self.destination.conclude(self.run)?;
        load.map_or(Ok(()), |load| load.destroy_state())
    }
}

/// That a database is not the one of a load.
#[must_use]
pub fn elsewhere(what: &str) -> Fault {
    ELSEWHERE.fault(what).help("name the database into which it was loaded: --to URL")
}

/// Whether the run of this record was closed, or is being closed: its keys may be gone.
pub(crate) fn is_closed(record: &dyn Record) -> bool {
    record.since(&Head::default()).is_some_and(|acts| acts.contains(&Act::Conclude))
}

/// That it is closed, for whoever wants to go on with it.
#[must_use]
pub fn closed() -> Fault {
    CLOSED
        .fault("")
        .help("what it did stands in the report and in evidence.tar; where closing died: ecluse close")
}
