//! Drawn dossiers, read at both ends for one person's eyes: what the laboratory compares, old beside new.
//!
//! ```text
//! draw      by the run's own key ([`crate::dossier`]): the same call, the same dossiers
//! source    the drawn rows, what hangs on them, what they refer to
//! there     the rows with these keys, and what belongs to them there
//! pairs     row beside row, cell beside cell
//! ```
//!
//! Rows are read as a reconciliation reads them, under the plan: no column that was not granted has a
//! place in it. Everything read is let go when [`Drawn`] is dropped; nothing of it is written.

mod collect;
mod pair;

use std::collections::BTreeSet;

pub use ecluse_batch::Shown;
use ecluse_batch::{ChosenSets, Token, evaluate};
use ecluse_core::fault::{Code, Result};

use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};
use ecluse_seal::RunState;

use crate::dossier::{Gathered, draw, follow, gather};
use crate::event::Act;
use crate::excluded::Staying;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Record, Sink, Source};
use crate::run::{Options, Progress};
use crate::world::World;
use crate::{checks, dossier, staged, state, undo};

use self::collect::{Found, made, met, there};
use self::pair::pair;

/// Dossiers that those drawn may lead to, in all: where every one leads to every other, none can be looked at.
const TOGETHER: u64 = 1_000;

static NONE: Code = Code::refused("ECL-CMP-011", "there is no dossier to draw");
static UNFINISHED: Code = Code::refused("ECL-CMP-012", "the run has not come to its end");

/// The drawn dossiers of a run, as they stand at both ends now.
#[derive(Debug)]
pub struct Drawn {
    /// The run's opaque id.
    pub run: String,
    /// The dossiers, in the order of the draw: a larger draw begins with a smaller one's, but for those of
    /// kinds that would be missed.
    pub dossiers: Vec<Dossier>,
}

/// One dossier.
#[derive(Debug)]
pub struct Dossier {
    /// The token of its row.
    pub token: String,
    /// The kinds it is of, as the order names them.
    pub kinds: Vec<String>,
    /// Its tables that have a row at either end, in the plan's order.
    pub sheets: Vec<Sheet>,
    /// A digest of both sides under the run's key, 64 hexadecimal digits: another one means that something
    /// changed at one of the ends. It says nothing of a value without that key.
    pub shown: String,
}

/// One table's rows of a dossier.
#[derive(Debug)]
pub struct Sheet {
    /// The table's number in the plan.
    pub table: usize,
    /// Its rows, in the order of their key.
    pub rows: Vec<Pair>,
}

/// A row, old beside new.
#[derive(Debug)]
pub struct Pair {
    /// Where it stands.
    pub state: State,
    /// One per written column, in the plan's order.
    pub cells: Vec<Cell>,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// At both ends.
    Both,
    /// At the source; the run refused it, so that it is at the destination by nobody's mistake.
    Refused,
    /// At the source, and not where it should be at the destination.
    Missing,
    /// At the destination, and not at the source.
    Surplus,
}

/// One value, old beside new.
#[derive(Debug)]
pub struct Cell {
    /// What it was made of: the read columns' values, in the order of [`used`]; none where there is no old row.
    pub old: Vec<Shown>,
    /// What stands at the destination; `None` where there is no new row.
    pub new: Option<Shown>,
    /// Whether what stands there is not what the mapping makes of the old values.
    pub differs: bool,
}

impl Dossier {
    /// Whether anything in it is not as the mapping makes it.
    #[must_use]
    pub fn differs(&self) -> bool {
        let astray = |row: &Pair| matches!(row.state, State::Missing | State::Surplus);
        self.sheets
            .iter()
            .flat_map(|sheet| &sheet.rows)
            .any(|row| astray(row) || row.cells.iter().any(|c| c.differs))
    }
}

pub use self::pair::used;

/// Draws `number` dossiers of a run that came to its end, at least one of each kind that there is, and
/// reads them at both ends; journaled before a row is read.
///
/// The draw is the run's own: the same call draws the same dossiers, as long as the source has them.
///
/// # Errors
///
/// Coded: `ECL-RUN-060` where the order does not say what a dossier is, [`NONE`], [`UNFINISHED`]; what a
/// reconciliation refuses before it looks.
#[expect(clippy::too_many_arguments, reason = "a reconciliation's, and how many")]
pub fn compare<'s>(
    number: u64,
    orders: Orders<'_>,
    options: Options<'_>,
    source: Box<dyn Source + 's>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Drawn> {
    let plan = orders.plan;
    dossier::of(plan)?;
    let state = state::load(&orders, record)?
        .ok_or_else(|| state::NONE.fault("").help("run `ecluse migrate` first"))?;
    undo::none(&state)?;
    if !state.whole {
        return Err(UNFINISHED.fault("").help("let it go on, the same command again: ecluse migrate"));
    }
    let mut journal = Journal::new(record, world, orders.session);
    journal.act(Act::Compare, &state.object, |journal| {
        orders.standing()?;
        checks::destination(destination, plan, orders.destination)?;
        let mut source = checks::reopen(source, &orders, options, journal, &state.object)?;
        progress(Progress::Note("drawing dossiers, and reading them at the source"));
        let chance = world.random()?;
        let engine = destination.engine();
        let staying = Staying::of(&orders, world.random()?)?;
        staying.as_ref().map_or(Ok(()), |staying| staying.learn(source.as_mut(), &orders))?;
        let staying = staying.as_ref();
        let dossiers = drawn(number, plan, &state, source.as_mut(), engine, staying, chance)?;
        staged::close(source.as_mut(), journal)?;
        if dossiers.is_empty() {
            return Err(NONE
                .fault("no row of the dossier's table moved")
                .help("see what moved: ecluse status"));
        }
        progress(Progress::Note("reading them at the destination"));
        let mut keys: Vec<BTreeSet<Key>> = vec![BTreeSet::new(); plan.tables().len()];
        for one in &dossiers {
            keys.iter_mut().zip(one.old.keys()).for_each(|(all, own)| all.extend(own));
        }
        let new = there(plan, dossier::of(plan)?, &keys, destination)?;
        let tally = state::tally_key(&state);
        let dossiers =
            dossiers.into_iter().map(|one| pair(plan, one, &new, &tally)).collect::<Result<_>>()?;
        Ok(Drawn { run: state.run.clone(), dossiers })
    })
}

/// One drawn dossier as the source has it.
struct Old {
    token: Token,
    kinds: Vec<String>,
    old: Found,
}

/// Draws, and reads what was drawn: all of it at once, then each dossier's own out of memory.
fn drawn(
    number: u64,
    plan: &Plan,
    state: &RunState,
    source: &mut dyn Source,
    engine: Engine,
    staying: Option<&Staying<'_>>,
    chance: [u8; 32],
) -> Result<Vec<Old>> {
    let mut pass = |table: &TablePlan, refused: bool, sink: Sink<'_>| {
        let range = KeyRange::default();
        source.read(table, plan, &range, &mut |batch| {
            // who stays is on no screen
            let batch = staying.map_or_else(|| Ok(batch.clone()), |staying| staying.others(table, &batch))?;
            sink(met(plan, table, state, batch, refused)?)
        })
    };
    let tokens = state::token_key(state);
    // nobody can compare what was refused; within a dossier it is shown, and shown as that
    let drawn = draw(plan, number, &tokens, chance, &mut |table, sink| pass(table, false, sink))?;
    let mut read = |table: &TablePlan, sink: Sink<'_>| pass(table, true, sink);
    let selection = follow(plan, drawn.keys.iter().cloned(), chance, TOGETHER, &mut read)?;
    let gathered = gather(plan, &selection, &mut read)?;
    let shape = dossier::of(plan)?;
    let table = plan.tables().get(shape.table());
    let mut dossiers = Vec::with_capacity(drawn.keys.len());
    for key in drawn.keys {
        let token = Token::new(&tokens, table.map_or("", TablePlan::source), &key);
        let own = gathered.one(key, chance)?;
        let kinds = kinds(plan, &own, chance)?;
        dossiers.push(Old { token, kinds, old: made(plan, &own, state, engine)? });
    }
    Ok(dossiers)
}

/// The kinds that a dossier is of: one of its rows is such that the kind's filter holds.
fn kinds(plan: &Plan, own: &Gathered<'_>, chance: [u8; 32]) -> Result<Vec<String>> {
    let nobody = ChosenSets::new(chance);
    let mut kinds = Vec::new();
    for kind in dossier::of(plan)?.kinds() {
        let types = plan.tables().get(kind.table).map(collect::types).unwrap_or_default();
        let batches = own.tables.get(kind.table).map(Vec::as_slice).unwrap_or_default();
        let masks = batches.iter().map(|batch| evaluate(&kind.filter, batch, &types, &nobody));
        if masks.collect::<Result<Vec<_>>>()?.iter().any(|mask| mask.count() > 0) {
            kinds.push(kind.name.clone());
        }
    }
    Ok(kinds)
}
