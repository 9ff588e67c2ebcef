//! The run: what was ordered, moved. Resume, catch-up and repair are this one function.
//!
//! A chunk (table × key range) has a tally at the source and a tally in the ledger. A run
//! reads one consistent snapshot of the source, once, and replaces the chunks whose tallies
//! differ. A run that was killed goes on, a source that lived on is caught up with, a damaged
//! destination is repaired, by the same function and the same command.

use ecluse_core::fault::{Code, Result};
use ecluse_seal::{RunState, Seen, What};

use crate::attached::{Attaching, How, Named};
use crate::checks::{self, When};
use crate::dossier::{self, Selection};
use crate::event::{Act, Outcome};
use crate::families::{AGAIN, Families};
use crate::figures::{Excluded, Figures, begin_again, begin_tables, name_refused};
use crate::freeze::Held;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::pipeline::{Ended, pump};
use crate::ports::{Destination, Files, LedgerEntry, Record, Source};
use crate::start::Start;
use crate::step::Context;
use crate::world::World;
use crate::writer::Writing;
use crate::{
    attached, caught, freeze, known, noted, pending, reader, reference, sample, seen, staged, state, undo,
};

static TOO_MANY: Code = Code::refused("ECL-RUN-012", "more rows were refused than the instruction tolerates");

/// How a run may go about it.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The kind of start.
    pub start: Start,
    /// The operator states that nobody writes to the source.
    pub frozen: bool,
    /// The reason for going on although the source's role can do more than it should.
    pub override_reason: Option<&'a str>,
    /// The reason for which the tables themselves are read, not the administrator's views.
    pub without_views: Option<&'a str>,
    /// A reconciliation looks into every chunk at both ends, not only into those whose tallies differ.
    pub full: bool,
    /// A dry run counts rows by every code of the code tables, not only by those that no line maps.
    pub codes: bool,
    /// Where the files lie that rows name, and where they go; demanded where a column names files.
    pub files: Option<&'a dyn Files>,
    /// Called when everything that could refuse the start has been looked at, before the
    /// destination changes: whoever counts runs counts this one from here on. May be called again.
    pub begins: Option<&'a (dyn Fn() -> Result<()> + Sync)>,
}

/// What a run says while it goes; for a person who waits.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A table begins: its number, its source name, rows asked for.
    Table(usize, &'a str, u64),
    /// Rows of the table dealt with so far: moved (or found in place), refused.
    Rows(usize, u64, u64),
    /// The table is through.
    Through(usize),
    /// Something a person should know, in words.
    Note(&'a str),
}

/// A run that ended without a fault.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What was counted.
    pub figures: Figures,
    /// True where the operator stopped it: the same command goes on. True of a run that moved its
    /// reference data alone, too: its figures say that they are through.
    pub stopped: bool,
}

/// Moves what was ordered.
///
/// Nothing is read before the papers stand, the databases are the signed ones, and the role
/// can do no more than it should; the same is looked at again under lock and at the end.
/// Each chunk and its line in the ledger are one transaction of the destination. Whatever
/// ends the run, the same call goes on from there.
///
/// # Errors
///
/// Coded; the journal holds the code too, and `figures.json` what was counted until then (a start
/// that ends before it changes anything leaves the figures of the one before).
/// `ECL-RUN-012` (too many refused rows) is raised after everything else was moved and finished.
pub fn run(
    orders: Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Moved> {
    checks::keys(orders.plan)?;
    let known = ours(&orders, record)?;
    match options.start {
        Start::Whole | Start::Repair => {}
        Start::CatchUp => freeze::begun(known.as_ref())?,
        Start::Reference => reference::may(orders.plan, known.as_ref())?,
        Start::Sample(_) => sample::may(orders.plan, known.as_ref())?,
    }
    let begins = known.is_none();
    let mut state = match known {
        Some(state) => state,
        None => state::begin(&orders, &world)?,
    };
    let mut journal = Journal::new(record, world, orders.session);
    if journal.record.was_torn() {
        journal.note(Act::Recover, &state.object, &Outcome::Done)?;
    }
    journal.note(Act::Open, &state.object, &Outcome::Begun)?;
    if begins {
        state::save(&mut state, &orders, &mut journal)?;
    }
    let mut figures = begin_figures(&orders, &state, &world);
    let mut story = Story {
        orders,
        options,
        source,
        destination,
        world,
        progress,
        changes: begins,
        hour: None,
        held: None,
        sample: None,
        seen: None,
        accepted: reference::goes_beyond(orders.plan, &state, options.start),
    };
    let told = story.tell(&mut journal, &mut state, &mut figures);
    let told = staged::ended(told, story.source, &mut journal);
    figures.ended = world.now().to_string();
    let through = matches!(told, Ok(Ended::Whole));
    figures.whole = through && options.start.is_of_all();
    // said last: a biologist accepts what these figures say, and nothing of a start that was refused
    figures.reference = through && options.start.is_of_reference() && tolerable(&figures).is_ok();
    if let Some(sample) = &mut figures.sample {
        sample.through = through;
    }
    name_refused(&mut figures, orders.plan, &state);
    let paper = if story.changes { Some(journal.record.save_figures(&figures)?) } else { None };
    let object = state.object.clone();
    let stood = || story.held.as_ref().map_or(Ok(()), freeze::refuse_moved);
    match told.and_then(|ended| tolerable(&figures).and_then(|()| stood()).map(|()| ended)) {
        Ok(ended) => {
            let stopped = ended == Ended::Stopped || options.start.is_of_reference();
            let outcome = if stopped { &Outcome::Stopped } else { &Outcome::Done };
            journal.note_paper(Act::Close, &object, outcome, paper)?;
            Ok(Moved { figures, stopped })
        }
        Err(fault) => {
            // the fault on its way out says more than one about the journal would
            let _already_failing =
                journal.note_paper(Act::Close, &object, &Outcome::Code(fault.code().id), paper);
            Err(fault)
        }
    }
}

/// Refuses the folder of another instruction's run, before anything else is written there.
///
/// # Errors
///
/// `ECL-RUN-013`, `ECL-RUN-020`, `ECL-RUN-021`; the seal's own.
pub fn is_ours(orders: &Orders<'_>, record: &mut dyn Record) -> Result<()> {
    ours(orders, record).map(drop)
}

/// What the folder knows of this instruction's run, which nobody has undone.
pub(crate) fn ours(orders: &Orders<'_>, record: &mut dyn Record) -> Result<Option<RunState>> {
    let known = state::load(orders, record)?;
    known.as_ref().map_or(Ok(()), undo::none)?;
    Ok(known)
}

/// Writes down which of the destination's tables the run is about to make, durably: should it be
/// undone, these are dropped where they are empty, and no other. The run begins here where it had not.
///
/// # Errors
///
/// As [`is_ours`].
pub fn makes(
    orders: &Orders<'_>,
    tables: &[String],
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<()> {
    let mut state = match state::load(orders, record)? {
        Some(state) => state,
        None => state::begin(orders, &world)?,
    };
    let mut journal = Journal::new(record, world, orders.session);
    journal.note(Act::Open, &state.object, &Outcome::Begun)?;
    state.made.extend(tables.iter().filter(|table| !state.made.contains(table)).cloned().collect::<Vec<_>>());
    state::save(&mut state, orders, &mut journal)?;
    journal.note(Act::Close, &state.object, &Outcome::Done)
}

/// Everything that can be known to refuse a run before its destination's tables are made: the
/// papers, the folder, both instances, the source's schema, the role. [`run`] looks again.
///
/// # Errors
///
/// As [`run`].
pub fn may_begin(
    orders: &Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
) -> Result<()> {
    is_ours(orders, record)?;
    checks::keys(orders.plan)?;
    if matches!(options.start, Start::Sample(_)) {
        dossier::of(orders.plan)?;
    }
    orders.standing()?;
    checks::probe(source, orders, options.override_reason, When::Start)?;
    checks::destination_identity(destination, orders.destination)
}

/// Everything a run needs while it is told.
struct Story<'a> {
    orders: Orders<'a>,
    options: Options<'a>,
    source: &'a mut dyn Source,
    destination: &'a mut dyn Destination,
    world: World<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
    /// Whether the figures of an earlier start no longer are the run's.
    changes: bool,
    /// The hour at which the source was frozen, in a catch-up to cut over; and what its marks said
    /// at the end.
    hour: Option<String>,
    held: Option<Held>,
    /// What belongs to the dossiers of a sample.
    sample: Option<Selection<'a>>,
    /// The source as this start saw it.
    seen: Option<Seen>,
    /// Whether reference data were accepted for this start to go beyond them.
    accepted: bool,
}

impl Story<'_> {
    fn tell(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<Ended> {
        let object = state.object.clone();
        let plan = self.orders.plan;
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        if let Some(reason) = self.options.without_views {
            self.keep(&[(What::WithoutViews, reason)], journal, state, figures)?;
            journal.note(Act::Override, &object, &Outcome::Done)?;
        }

        // the source: the one that was signed for, as it was, seen by a role that can do no more
        journal.act(Act::Probe, &object, |journal| self.probe(journal, state, figures, When::Start))?;
        if self.options.start.cuts_over() {
            self.hour = Some(freeze::demanded(state, plan, self.source, self.world.now())?);
        }
        let frozen = self.options.frozen;
        let opened = journal
            .act(Act::Snapshot, &object, |journal| staged::open(self.source, plan, frozen, journal))?;
        self.keep(&noted::of_snapshot(&opened), journal, state, figures)?;
        figures.barrier = opened.barrier;
        figures.limits = opened.limits;
        let catalog = checks::source_schema(self.source, plan, self.orders.source, When::UnderLock)?;
        self.seen = Some(seen::of(catalog, plan));

        let upto = if self.options.start.is_of_reference() { plan.reference() } else { plan.tables().len() };
        let unfinished = pending::count(&self.orders, upto, self.source, &self.world)?;
        if self.options.start.cuts_over() {
            pending::waits(&unfinished, plan)?;
        }
        pending::figure(&unfinished, plan, figures);
        if let Some(asked) = self.options.start.sample() {
            (self.progress)(Progress::Note(
                "drawing dossiers: tables are read for it, and read again to move them",
            ));
            let (chosen, sampled) = sample::choose(&self.orders, asked, state, self.source, &self.world)?;
            (self.sample, figures.sample) = (Some(chosen), Some(sampled));
        }

        // the destination: the one that was signed for, ours alone
        let ledger = journal
            .act(Act::Destination, &object, |journal| self.take_destination(journal, state, figures))?;

        let ended = self.move_families(journal, state, figures, ledger)?;
        if ended == Ended::Stopped {
            staged::close(self.source, journal)?;
            return Ok(ended);
        }
        figures.add_up()?;
        let estimate = sample::estimate(figures);
        if let Some(sample) = &mut figures.sample {
            sample.estimate = estimate;
        }

        // the same questions at the end
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        journal.act(Act::Probe, &object, |journal| self.probe(journal, state, figures, When::End))?;
        if self.hour.is_some() {
            self.held = Some(freeze::look_again(state, plan, self.source)?);
        }
        staged::close(self.source, journal)?;
        if self.options.start.is_of_all() {
            known::list(&self.orders, self.destination, journal, state, figures, &self.world)?;
        }
        (self.progress)(Progress::Note("putting back constraints, indexes and sequences"));
        journal.act(Act::Finish, &object, |journal| {
            self.destination.finish(plan)?;
            attached::settle(plan, self.options.files, &state.run, self.destination, Some(figures))?;
            if self.options.start.is_of_reference() {
                // what stands there can be looked at; the run itself is not through
                return Ok(());
            }
            state.whole = true;
            let held = self.held.as_ref().map_or("", Held::word);
            caught::end(state, figures, held, &self.world);
            state::save(state, &self.orders, journal)
        })?;
        if !self.options.start.is_of_all() {
            reference::figure(plan, state, self.destination, figures)?;
        }
        Ok(Ended::Whole)
    }

    /// Identity, schema and rights of the source.
    fn probe(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
        when: When,
    ) -> Result<()> {
        let reason = self.options.override_reason;
        noted::probe((&mut *self.source, when), reason, state, figures, &self.orders, journal, &self.world)
    }

    fn keep(
        &self,
        news: &[(What, &str)],
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<()> {
        noted::keep(news, state, figures, &self.orders, journal, &self.world)
    }

    fn take_destination(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<Vec<LedgerEntry>> {
        let plan = self.orders.plan;
        checks::destination(self.destination, plan, self.orders.destination)?;
        let ledger = self.destination.ledger(&state.run)?;
        checks::empty(self.destination, plan, &ledger)?;
        self.unsettle(journal, state, figures)?;
        self.destination.open(plan, &state.run)?;
        // once more under the destination's lock: another run may have been in between
        let ledger = self.destination.ledger(&state.run)?;
        checks::empty(self.destination, plan, &ledger)?;
        Ok(ledger)
    }

    /// From here on the destination changes: whatever speaks of it as it was is taken back first,
    /// durably, so that a death at any later moment leaves no word that holds no more.
    fn unsettle(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<()> {
        self.options.begins.map_or(Ok(()), |begins| begins())?;
        // what comes after a sample catches up with nothing
        let over_again = state.whole && state.sample.is_none();
        let listed = state.known.take().is_some();
        let mut changes = state.whole || listed || state.sample != self.options.start.sample();
        (state.whole, state.sample) = (false, self.options.start.sample());
        if over_again {
            caught::begin(state, self.orders.plan, self.options.start.repairs(), &self.world);
        }
        changes |= caught::stamp(state, self.hour.as_deref());
        changes |= seen::remember(state, self.seen.take());
        if changes {
            state::save(state, &self.orders, journal)?;
        }
        figures.catch_ups.clone_from(&state.catch_ups);
        journal.record.withdraw()?;
        self.changes = true;
        journal.record.save_figures(figures).map(drop)
    }

    /// Moves every table, and once more as long as rows were refused whose children may have
    /// passed before them: in the same snapshot, so that only chunks that hold such children differ.
    fn move_families(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
        mut ledger: Vec<LedgerEntry>,
    ) -> Result<Ended> {
        let plan = self.orders.plan;
        let mut families = Families::new(&self.orders, self.world.random()?, self.source)?;
        let named = Named::default();
        loop {
            let ended = self.move_chunks(journal, state, figures, ledger, (&families, &named))?;
            if ended == Ended::Stopped {
                return Ok(ended);
            }
            if !families.again()? {
                // of reference data alone, no other table was read: nothing can be called an orphan
                if !self.options.start.is_of_reference() {
                    figures.folders = attached::folders(plan, self.options.files, &named)?;
                }
                return Ok(ended);
            }
            (self.progress)(Progress::Note(AGAIN));
            figures.tables = begin_again(&figures.tables, plan);
            ledger = self.destination.ledger(&state.run)?;
        }
    }

    /// Reads on one thread, checks and tallies on a second, compares and replaces on this one.
    fn move_chunks(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
        ledger: Vec<LedgerEntry>,
        (families, named): (&Families<'_>, &Named),
    ) -> Result<Ended> {
        let plan = self.orders.plan;
        let refused = &families.refused;
        let how = How::copy(&self.orders, &state.run, self.options.start.repairs());
        let attaching = Attaching::new(plan, self.options.files, how, state::token_key(state))?;
        let context =
            Context::new(plan, families)?.attaching(attaching, Some(named)).sampling(self.sample.as_ref());
        let context = if self.options.start.is_of_reference() { context.reference_alone() } else { context };
        let ends: Vec<_> = state.tables.iter().map(|t| t.ends.clone()).collect();
        let closed = state.tables.iter().map(|t| t.closed).collect();
        caught::count_anew(&mut figures.catch_ups, &ledger);
        let catch_up = caught::under_way(state).map(|catch_up| catch_up.number);
        let (reading, writing) = (state::tally_key(state), state::tally_key(state));
        let engine = self.destination.engine();
        let source = &mut *self.source;
        let mut half = Writing {
            orders: self.orders,
            options: self.options,
            destination: self.destination,
            journal,
            state,
            figures,
            progress: self.progress,
            ledger: ledger.into_iter().map(|line| ((line.table, line.chunk), line)).collect(),
            closed,
            key: writing,
            refused,
            hit: vec![false; plan.tables().len()],
            accepted: self.accepted,
            catch_up,
            beyond: Vec::new(),
            began: None,
            world: self.world,
        };
        pump(
            &self.world,
            move |emit| reader::read(source, engine, context, &reading, &ends, emit),
            |message| half.take(message),
        )
    }
}

pub(crate) fn begin_figures(orders: &Orders<'_>, state: &RunState, world: &World<'_>) -> Figures {
    Figures {
        format: "ecluse-figures/1".to_owned(),
        run: state.run.clone(),
        instruction: orders.instruction.to_owned(),
        began: world.now().to_string(),
        noted: state.noted.clone(),
        tolerated: orders.plan.tolerance(),
        catch_ups: state.catch_ups.clone(),
        excluded: Excluded::of(orders),
        tables: begin_tables(orders.plan),
        ..Figures::default()
    }
}

pub(crate) fn tolerable(figures: &Figures) -> Result<()> {
    if !figures.is_beyond_tolerance() {
        return Ok(());
    }
    Err(TOO_MANY
        .fault(format!("{} rows, {} tolerated", figures.refused_rows(), figures.tolerated))
        .help("see them by code: ecluse report; the other rows stand at the destination"))
}
