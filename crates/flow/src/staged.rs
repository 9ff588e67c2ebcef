//! Sealed rows outside of memory: the journal knows their name before they stand there, and says when
//! they are destroyed. What a crash leaves is swept by the next command on the run.
//!
//! | a crash | what stands there | the journal |
//! |---|---|---|
//! | before the journal knows | an empty mark | nothing: the sweep takes the mark away |
//! | before the source opens | the mark | `stage` `begun` |
//! | while it is read, or later | sealed parts whose key went with the process, the mark | the same |
//! | after they are destroyed | the mark | the same: the sweep finds none, and says `done` |
//! | after the journal says so | the mark | `stage` `done`: the sweep takes the mark away |
//!
//! The mark is there as long as the journal has `begun` alone. Where it is not, the folder is another one:
//! its disk is not mounted, and what stands there is neither swept nor said to be.

use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_seal::What;

use crate::event::{Act, Outcome};
use crate::journal::Journal;
use crate::noted;
use crate::orders::Orders;
use crate::ports::{Opened, Record, Source, Staging, Swept};
use crate::state;
use crate::world::World;

/// Opens a source's snapshot; where it may stage rows, the journal names them first.
///
/// # Errors
///
/// The source's, the record's.
pub(crate) fn open(
    source: &mut dyn Source,
    plan: &Plan,
    frozen: bool,
    journal: &mut Journal<'_>,
) -> Result<Opened> {
    let name = journal.world.id()?;
    if source.stage(&name)? {
        journal.note(Act::Stage, &name, &Outcome::Begun)?;
        journal.staged = Some(name);
    }
    let opened = source.open(plan, frozen);
    ended(opened, source, journal)
}

/// Closes a source; where it may have staged rows, they are destroyed, and the journal says so.
///
/// # Errors
///
/// The source's, the record's.
pub(crate) fn close(source: &mut dyn Source, journal: &mut Journal<'_>) -> Result<()> {
    source.close()?;
    match journal.staged.take() {
        Some(name) => {
            journal.note(Act::Stage, &name, &Outcome::Done)?;
            source.unstage(&name)
        }
        None => Ok(()),
    }
}

/// What an act came to; where it failed with rows still staged, they are destroyed first.
pub(crate) fn ended<T>(told: Result<T>, source: &mut dyn Source, journal: &mut Journal<'_>) -> Result<T> {
    if told.is_err() && journal.staged.is_some() {
        // the fault on its way out says more; what stays is swept by the next command
        let _already_failing = close(source, journal);
    }
    told
}

/// Destroys what earlier processes of this run left in its staging folder, and refuses a folder in which
/// anything else stands. What was there is kept among what no later start covers up.
///
/// # Errors
///
/// The folder's, the record's; the state's, as a run would refuse it.
pub fn sweep(
    orders: Orders<'_>,
    staging: &dyn Staging,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<Swept> {
    // of another instruction's run nothing is swept
    let known = state::load(&orders, record)?;
    let names = record.unended(Act::Stage);
    let swept = staging.sweep(&names)?;
    let mut journal = Journal::new(record, world, orders.session);
    for name in &names {
        journal.note(Act::Stage, name, &Outcome::Done)?;
    }
    staging.clear()?;
    if let (Some(mut state), true) = (known, swept.parts > 0) {
        let words = format!(
            "a process that died left {} sealed parts ({} bytes) in the staging folder; nobody could open them, and they were destroyed by the next command",
            swept.parts, swept.bytes
        );
        noted::add(&[(What::Limit, &words)], &mut state.noted, &world);
        state::save(&mut state, &orders, &mut journal)?;
    }
    staging.alone()?;
    Ok(swept)
}
