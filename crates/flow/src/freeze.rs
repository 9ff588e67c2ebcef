//! The source frozen: at which hour, and what the engine can tell of writes since.
//!
//! That the old software is stopped is the operator's statement; écluse looks at what the engine
//! tells (marks that move with writes) and keeps the marks with the hour. A catch-up to cut over demands
//! them, and looks again at its end. What no mark can tell is said; the strong check stays reading again:
//! a catch-up given once more finds no difference.

use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Pending;
use ecluse_core::plan::Plan;
use ecluse_seal::{Frozen, RunState};
use jiff::Timestamp;

use crate::checks::{self, When};
use crate::event::Act;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Marks, Record, Source};
use crate::world::World;
use crate::{caught, failpoint, pending, staged, state, undo};

static WRITING: Code = Code::refused("ECL-RUN-050", "somebody is writing to the source");
static NOT_FROZEN: Code = Code::refused("ECL-RUN-051", "nobody has stated that the source is frozen");
static CLOCK: Code = Code::refused("ECL-RUN-052", "the clock stands before what was journaled already");
static NOT_THROUGH: Code = Code::refused("ECL-RUN-053", "there is no run that is through to catch up with");
static MOVED: Code = Code::refused("ECL-RUN-054", "the source was written to after it was frozen");

/// A source that was just frozen.
#[derive(Clone, Debug)]
pub struct Freezing {
    /// The journaled hour and the marks.
    pub frozen: Frozen,
    /// What stands against writing, in words.
    pub guards: Vec<String>,
    /// Planned tables of which no mark tells whether they are written to.
    pub untold: Vec<String>,
}

/// Writes down, on the operator's statement that nobody writes to the source any more, the hour and the
/// engine's marks: in the journal and in the sealed state. An earlier freeze is replaced.
///
/// # Errors
///
/// [`WRITING`] where another session holds a planned table for writing, [`CLOCK`] where now is before
/// the journal's last line, [`NOT_THROUGH`].
pub fn freeze(
    orders: &Orders<'_>,
    source: &mut dyn Source,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<Freezing> {
    let mut state = state::load(orders, record)?.ok_or_else(not_through)?;
    undo::none(&state)?;
    through(&state)?;
    monotone(world.now(), record.last_time().as_deref())?;
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    journal.act(Act::Freeze, &object, |journal| {
        orders.standing()?;
        checks::source_identity(source, orders.source)?;
        checks::source_schema(source, orders.plan, orders.source, When::Start)?;
        unfinished(orders, source, journal)?;
        let marks = source.marks(orders.plan)?;
        if !marks.writing.is_empty() {
            return Err(WRITING.fault(format!("table {}", marks.writing.join(", "))).help(
                "stop the old software and whatever else writes there (interfaces, analysers), then: ecluse freeze",
            ));
        }
        // the hour of the journal's line: there is one, wherever it is told
        let at = journal.record.last_time().unwrap_or_else(|| world.now().to_string());
        let frozen = Frozen { at, instance: marks.instance, tables: marks.tables };
        state.frozen = Some(frozen.clone());
        failpoint::hit("freeze.marks.before");
        state::save(&mut state, orders, journal)?;
        failpoint::hit("freeze.marks.after");
        let untold = untold(orders.plan, &frozen);
        Ok(Freezing { frozen, guards: marks.guards, untold })
    })
}

/// Looks for rows that are not finished, where the cut-over waits for them.
fn unfinished(orders: &Orders<'_>, source: &mut dyn Source, journal: &mut Journal<'_>) -> Result<()> {
    if orders.plan.pending().is_none_or(|pending| pending.rule() != Pending::Wait) {
        return Ok(());
    }
    staged::open(source, orders.plan, true, journal)?;
    let found = pending::count(orders, orders.plan.tables().len(), source, &journal.world);
    staged::close(source, journal)?;
    pending::waits(&found?, orders.plan)
}

/// What a catch-up to cut over demands before anything is read: a run that is through, a freeze, a clock
/// that has gone on since, and marks that did not move. Gives the hour of the freeze.
///
/// # Errors
///
/// [`NOT_THROUGH`], [`NOT_FROZEN`], [`CLOCK`], [`MOVED`].
pub(crate) fn demanded(
    state: &RunState,
    plan: &Plan,
    source: &mut dyn Source,
    now: Timestamp,
) -> Result<String> {
    through(state)?;
    let frozen = state.frozen.as_ref().ok_or_else(|| {
        NOT_FROZEN
            .fault("")
            .help("stop the old software; then: ecluse freeze; then: ecluse migrate --catch-up")
    })?;
    monotone(now, Some(&frozen.at))?;
    let held = compared(plan, frozen, &source.marks(plan)?);
    refuse_moved(&held)?;
    Ok(frozen.at.clone())
}

/// A run that is through, which a catch-up to cut over can only go over again.
///
/// # Errors
///
/// [`NOT_THROUGH`].
pub(crate) fn begun(known: Option<&RunState>) -> Result<()> {
    known.map_or_else(|| Err(not_through()), through)
}

/// What the marks say at the end.
pub(crate) fn look_again(state: &RunState, plan: &Plan, source: &mut dyn Source) -> Result<Held> {
    let marks = source.marks(plan)?;
    Ok(state.frozen.as_ref().map_or(Held::Untold(Vec::new()), |frozen| compared(plan, frozen, &marks)))
}

/// Nothing is called cut over where a mark moved.
///
/// # Errors
///
/// [`MOVED`].
pub(crate) fn refuse_moved(held: &Held) -> Result<()> {
    let Held::Moved(tables) = held else { return Ok(()) };
    Err(MOVED
        .fault(tables.join(", "))
        .help("find who writes there and stop it; then: ecluse freeze; then: ecluse migrate --catch-up"))
}

/// Whether the source stood still between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing was written to the whole instance.
    Instance,
    /// No planned table's mark moved.
    Tables,
    /// Of these tables no mark tells.
    Untold(Vec<String>),
    /// These were written to.
    Moved(Vec<String>),
}

impl Held {
    /// As `figures.json` has it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Instance => "instance unmoved",
            Self::Tables => "tables unmoved",
            Self::Untold(_) => "untold",
            Self::Moved(_) => "moved",
        }
    }
}

fn compared(plan: &Plan, frozen: &Frozen, now: &Marks) -> Held {
    if !frozen.instance.is_empty() && frozen.instance == now.instance && now.writing.is_empty() {
        return Held::Instance;
    }
    let pairs = || plan.tables().iter().zip(frozen.tables.iter().zip(&now.tables));
    let names = |which: &dyn Fn(&str, &str) -> bool| -> Vec<String> {
        pairs().filter(|(_, (then, now))| which(then, now)).map(|(t, _)| t.source().to_owned()).collect()
    };
    let mut moved = names(&|then, now| !then.is_empty() && !now.is_empty() && then != now);
    moved.extend(now.writing.iter().filter(|name| !moved.contains(name)).cloned().collect::<Vec<_>>());
    if !moved.is_empty() {
        return Held::Moved(moved);
    }
    let untold = names(&|then, now| then.is_empty() || now.is_empty());
    let all = frozen.tables.len() == plan.tables().len() && now.tables.len() == plan.tables().len();
    if untold.is_empty() && all { Held::Tables } else { Held::Untold(untold) }
}

fn untold(plan: &Plan, frozen: &Frozen) -> Vec<String> {
    if !frozen.instance.is_empty() {
        return Vec::new();
    }
    let told = |number: usize| frozen.tables.get(number).is_some_and(|mark| !mark.is_empty());
    plan.tables().iter().filter(|t| !told(t.number())).map(|t| t.source().to_owned()).collect()
}

fn through(state: &RunState) -> Result<()> {
    // a sample that came to its end has moved little: there is nothing to cut over to
    let ended = state.whole && state.sample.is_none();
    if ended || caught::under_way(state).is_some() { Ok(()) } else { Err(not_through()) }
}

fn not_through() -> ecluse_core::fault::Fault {
    NOT_THROUGH.fault("").help("let the run come to its end first: ecluse migrate")
}

/// The journal keeps its order by number, whatever the clock says; an hour that people rely on is not
/// taken from a clock that went backwards.
fn monotone(now: Timestamp, before: Option<&str>) -> Result<()> {
    let Some(before) = before.and_then(|time| time.parse::<Timestamp>().ok()) else { return Ok(()) };
    if now >= before {
        return Ok(());
    }
    Err(CLOCK
        .fault(format!("now {now}, journaled {before}"))
        .help("set this machine's clock (an NTP service keeps it), then give the same command again"))
}
