//! The sealed state of a run: begun, taken up again, saved.

use ecluse_batch::{TallyKey, TokenKey};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_seal::{Identity, Reasons, RunState, Seal, Sought, TableState};

use crate::conclude;
use crate::event::{Act, BENT, Head, Outcome};
use crate::journal::Journal;
use crate::orders::{Begun, Orders};
use crate::ports::Record;
use crate::world::World;

static OTHER: Code = Code::refused("ECL-RUN-013", "the run folder belongs to another instruction");
/// A load that would go into another database than its first start.
pub static ELSEWHERE: Code = Code::refused("ECL-LOA-030", "this load was begun into another database");
static OTHER_FILES: Code =
    Code::refused("ECL-LOA-040", "this load was begun with another folder for its files");
static OLDER: Code = Code::refused("ECL-RUN-021", "the run's sealed state is older than its journal");
/// A reconciliation or a search without a run.
pub(crate) static NONE: Code = Code::usage("ECL-RUN-015", "the run folder holds no run");

/// The state of the run in this folder, if there is one.
///
/// # Errors
///
/// [`OTHER`] where it was begun under another instruction, [`BENT`] where the journal no
/// longer contains what it contained when the state was sealed, [`OLDER`] where the journal
/// tells of a later state, [`ELSEWHERE`] where a load went to another database, [`OTHER_FILES`] where its files went to
/// another folder; the seal's own.
pub(crate) fn load(orders: &Orders<'_>, record: &mut dyn Record) -> Result<Option<RunState>> {
    let state = held(orders.instruction, orders.identity, record)?;
    state.map(|state| of(orders, state)).transpose()
}

/// As [`load`], for whoever has no plan. A run that was closed is refused.
pub(crate) fn held(
    instruction: &str,
    identity: &Identity,
    record: &mut dyn Record,
) -> Result<Option<RunState>> {
    if conclude::is_closed(record) {
        return Err(conclude::closed());
    }
    held_even_closed(instruction, identity, record)
}

/// As [`held`], for whoever closes: the process before may have died at it.
pub(crate) fn held_even_closed(
    instruction: &str,
    identity: &Identity,
    record: &mut dyn Record,
) -> Result<Option<RunState>> {
    let Some(sealed) = record.load_state()? else { return Ok(None) };
    let state = ecluse_seal::open(&sealed, identity)?;
    if state.instruction != instruction {
        return Err(other());
    }
    let (lines, digest) = state.journal.clone();
    let help = "keep the folder as it is and tell the controller; begin anew in another folder";
    let Some(acts) = record.since(&Head { lines, digest }) else {
        return Err(BENT.fault(format!("it no longer holds its line {lines} as it was")).help(help));
    };
    // the state's own line comes next, or none where a crash came between: any later one is another state's
    if acts.iter().skip(1).any(|act| *act == Act::Seal) {
        return Err(OLDER.fault(format!("it was sealed at line {lines}")).help(help));
    }
    Ok(Some(state))
}

/// A sealed state, if it is this instruction's.
///
/// # Errors
///
/// [`OTHER`]; the seal's own.
pub(crate) fn unsealed(orders: &Orders<'_>, sealed: &[u8]) -> Result<RunState> {
    of(orders, ecluse_seal::open(sealed, orders.identity)?)
}

fn of(orders: &Orders<'_>, state: RunState) -> Result<RunState> {
    let same = orders.begun.is_none_or(|begun| begun.run == state.run);
    if !same || state.instruction != orders.instruction || state.tables.len() != orders.plan.tables().len() {
        return Err(other());
    }
    // the order names no destination of a load: the first one that was connected to is its destination
    let elsewhere = !state.destination.is_empty() && state.destination != orders.destination.identity;
    if orders.begun.is_some() && elsewhere {
        return Err(ELSEWHERE.fault("").help(
            "name the database into which it was begun: --to URL. A load is not undone: once whoever keeps that database has taken its rows away, or it is gone, load in a migration folder of its own: ecluse -C DIR load ARCHIVE",
        ));
    }
    if orders.begun.is_some_and(|begun| !state.files.is_empty() && state.files != begun.files) {
        return Err(OTHER_FILES.fault("").help(
            "name the folder of the first start, under the same path: --files DIR; what lies there is in clear",
        ));
    }
    Ok(state)
}

pub(crate) fn other() -> Fault {
    OTHER
        .fault("")
        .help("give the folder of this instruction's own run: --run DIR; for a new one: ecluse next")
}

/// The state of a run that begins: its id, its keys, one random name per table. A run that began elsewhere
/// keeps its id and the key of its tallies.
pub(crate) fn begin(orders: &Orders<'_>, world: &World<'_>) -> Result<RunState> {
    let tables = orders.plan.tables().iter().map(|_| {
        Ok(TableState {
            object: world.id()?,
            ends: Vec::new(),
            closed: false,
            open_line: None,
            kept: Vec::new(),
            refused: Vec::new(),
            reasons: Reasons::default(),
            flawed: Vec::new(),
            flaws: Reasons::default(),
        })
    });
    let (run, tally) = match orders.begun {
        Some(Begun { run, tally, .. }) => (run.to_owned(), Seal::new(*tally.expose())),
        None => (world.id()?, Seal::new(world.random()?)),
    };
    Ok(RunState {
        run,
        instruction: orders.instruction.to_owned(),
        destination: orders.begun.map_or("", |_| orders.destination.identity).to_owned(),
        files: orders.begun.map_or("", |begun| begun.files).to_owned(),
        tally,
        token: Seal::new(world.random()?),
        object: world.id()?,
        journal: (0, Head::default().digest),
        whole: false,
        noted: Vec::new(),
        catch_ups: Vec::new(),
        frozen: None,
        sample: None,
        seen: None,
        made: Vec::new(),
        undo: None,
        known: None,
        sought: Sought::default(),
        parting: Vec::new(),
        tables: tables.collect::<Result<_>>()?,
    })
}

/// Seals the state for the session's operator and saves it; durable when this returns. The
/// journal says so in its next line: an older state that is put back is then known as such.
pub(crate) fn save(state: &mut RunState, orders: &Orders<'_>, journal: &mut Journal<'_>) -> Result<()> {
    let Head { lines, digest } = journal.record.head();
    state.journal = (lines, digest);
    let sealed = ecluse_seal::seal(state, orders.author)?;
    journal.record.save_state(&sealed)?;
    journal.note(Act::Seal, &state.object, &Outcome::Done)
}

/// The tally key of a state.
pub(crate) fn tally_key(state: &RunState) -> TallyKey {
    TallyKey::new(*state.tally.expose())
}

/// The token key of a state.
pub(crate) fn token_key(state: &RunState) -> TokenKey {
    TokenKey::new(*state.token.expose())
}

/// A table's sealed part; a plan of other tables was refused by [`load`].
pub(crate) fn table(state: &RunState, number: usize) -> Result<&TableState> {
    state.tables.get(number).ok_or_else(|| OTHER.fault(format!("table {number}")))
}

/// See [`table`].
pub(crate) fn table_mut(state: &mut RunState, number: usize) -> Result<&mut TableState> {
    state.tables.get_mut(number).ok_or_else(|| OTHER.fault(format!("table {number}")))
}
