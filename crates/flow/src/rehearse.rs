//! The dry run: every row read, checked and transformed, none written.

use std::sync::{Mutex, PoisonError};

use ecluse_batch::{TallyKey, TokenKey};
use ecluse_core::fault::Result;
use ecluse_core::types::Engine;
use ecluse_seal::What;

use crate::attached::{self, Attaching, How, Named};
use crate::checks::{self, When};
use crate::encodings;
use crate::event::{Act, Outcome};
use crate::families::{AGAIN, Families};
use crate::figures::{Excluded, Figures, begin_tables};
use crate::journal::Journal;
use crate::noted;
use crate::orders::Orders;
use crate::orphans::{Looking, Orphans};
use crate::pending;
use crate::ports::{Destination, Record, Source};
use crate::reader::{self, Message};
use crate::run::{Options, Progress};
use crate::step::Context;
use crate::unmapped::{Codes, Tellable, Unmapped};
use crate::world::World;
use crate::{staged, state};

/// What a dry run found.
#[derive(Debug)]
pub struct Rehearsed {
    /// As a run would count them.
    pub figures: Figures,
    /// Codes without a line in their code table, by source column. For the person who asked only:
    /// this is never written.
    pub unmapped: Vec<Codes>,
    /// Rows that would move without the parent they name.
    pub orphans: Orphans,
}

/// Counts what would move to a destination of this engine, and what would be refused, by
/// code. What only the destination itself can refuse (a CHECK, a unique value) is not known here.
///
/// The source is asked and looked at as a run does it, at the start, under lock and at the end,
/// and the journal holds each act before it is done: rows are read here too. `rehearsals.json`
/// keeps what was counted. `moved` of the figures says what would move. `tellable` names the
/// columns whose unmapped codes are told one by one.
///
/// # Errors
///
/// Coded, as a run's up to its first write; the journal holds the code too.
#[expect(clippy::too_many_arguments, reason = "a run's, and what may be told")]
pub fn rehearse(
    orders: Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    destination: Engine,
    tellable: Tellable<'_>,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Rehearsed> {
    checks::keys(orders.plan)?;
    let object = world.id()?;
    let mut figures = Figures {
        format: "ecluse-figures/1".to_owned(),
        run: object.clone(),
        instruction: orders.instruction.to_owned(),
        began: world.now().to_string(),
        tolerated: orders.plan.tolerance(),
        excluded: Excluded::of(&orders),
        tables: begin_tables(orders.plan),
        ..Figures::default()
    };
    let mut journal = Journal::new(record, world, orders.session);
    if journal.record.was_torn() {
        journal.note(Act::Recover, &object, &Outcome::Done)?;
    }
    // the line that begins it announces the file which says what it is of
    save(&mut journal, &figures)?;
    let mut story = Story { orders, options, source, destination, tellable, world, progress };
    let told = story.tell(&mut journal, &mut figures);
    let told = staged::ended(told, story.source, &mut journal);
    figures.ended = world.now().to_string();
    figures.whole = told.is_ok();
    let (told, paper) = match (told, save(&mut journal, &figures)) {
        (Ok(told), Ok(paper)) => (Ok(told), Some(paper)),
        (Ok(_), Err(fault)) => (Err(fault), None),
        (Err(fault), saved) => (Err(fault), saved.ok()),
    };
    match told {
        Ok((unmapped, orphans)) => {
            journal.note_paper(Act::Plan, &object, &Outcome::Done, paper)?;
            Ok(Rehearsed { figures, unmapped, orphans })
        }
        Err(fault) => {
            let outcome = Outcome::Code(fault.code().id);
            // the fault on its way out says more than one about the journal would
            let _already_failing = journal.note_paper(Act::Plan, &object, &outcome, paper);
            Err(fault)
        }
    }
}

/// Replaces `rehearsals.json` after a line with its digest; the digest.
fn save(journal: &mut Journal<'_>, figures: &Figures) -> Result<String> {
    let announced = journal.leaf(Act::Plan, &figures.run, &Outcome::Begun)?;
    journal.record.save_rehearsal(figures, announced)
}

/// Everything a dry run needs while it is told.
struct Story<'a> {
    orders: Orders<'a>,
    options: Options<'a>,
    source: &'a mut dyn Source,
    destination: Engine,
    tellable: Tellable<'a>,
    world: World<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Story<'_> {
    fn tell(&mut self, journal: &mut Journal<'_>, figures: &mut Figures) -> Result<(Vec<Codes>, Orphans)> {
        let object = figures.run.clone();
        let plan = self.orders.plan;
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        if let Some(reason) = self.options.without_views {
            self.keep(&[(What::WithoutViews, reason)], journal, figures)?;
            journal.note(Act::Override, &object, &Outcome::Done)?;
        }
        journal.act(Act::Probe, &object, |journal| self.probe(journal, figures, When::Start))?;
        let frozen = self.options.frozen;
        let opened = journal
            .act(Act::Snapshot, &object, |journal| staged::open(self.source, plan, frozen, journal))?;
        self.keep(&noted::of_snapshot(&opened), journal, figures)?;
        figures.barrier = opened.barrier;
        figures.limits = opened.limits;
        checks::source_schema(self.source, plan, self.orders.source, When::UnderLock)?;
        let unfinished = pending::count(&self.orders, plan.tables().len(), self.source, &self.world)?;
        let found = self.readings(figures)?;
        pending::figure(&unfinished, plan, figures);
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        journal.act(Act::Probe, &object, |journal| self.probe(journal, figures, When::End))?;
        staged::close(self.source, journal)?;
        Ok(found)
    }

    fn probe(&mut self, journal: &mut Journal<'_>, figures: &mut Figures, when: When) -> Result<()> {
        let reason = self.options.override_reason;
        figures.excess = checks::probe(self.source, &self.orders, reason, when)?;
        let excess = figures.excess.clone();
        let news = noted::of_rights(&excess, reason);
        if news.is_empty() {
            return Ok(());
        }
        self.keep(&news, journal, figures)?;
        figures.override_reason = reason.unwrap_or_default().to_owned();
        journal.note(Act::Override, &figures.run, &Outcome::Done)
    }

    /// Durable when it returns, as a run keeps it.
    fn keep(&self, news: &[(What, &str)], journal: &mut Journal<'_>, figures: &mut Figures) -> Result<()> {
        noted::add(news, &mut figures.noted, &self.world);
        save(journal, figures).map(drop)
    }

    /// Every row, once or as often as a run would read it; what the last reading found unmapped, and
    /// without its parent.
    fn readings(&mut self, figures: &mut Figures) -> Result<(Vec<Codes>, Orphans)> {
        let plan = self.orders.plan;
        let mut families = Families::new(&self.orders, self.world.random()?, self.source)?;
        // nothing is published: any key will do
        let key = TallyKey::new(self.world.random()?);
        let nobody = || TokenKey::new([0; 32]);
        let named = Named::default();
        loop {
            figures.tables = begin_tables(plan);
            let unmapped = Mutex::default();
            let orphans = Mutex::new(Looking::new(plan, families.key));
            let counting = Unmapped { tellable: self.tellable, found: &unmapped, mapped: self.options.codes };
            let attaching = Attaching::new(plan, self.options.files, How::Look, nobody())?;
            let context =
                Context::new(plan, &families)?.counting(counting).attaching(attaching, Some(&named));
            let context = context.finding(&orphans);
            reader::read(self.source, self.destination, context, &key, &[], &mut |message| {
                if let Message::Chunk(_) = &message {
                    self.orders.standing()?;
                }
                count(figures, message, self.progress);
                Ok(())
            })?;
            if !families.again()? {
                figures.folders = attached::folders(plan, self.options.files, &named)?;
                // nobody died with it in hand: the reading is over
                let orphans = orphans.into_inner().unwrap_or_else(PoisonError::into_inner);
                return Ok((unmapped.into_inner().unwrap_or_else(PoisonError::into_inner), orphans.ended()));
            }
            (self.progress)(Progress::Note(AGAIN));
        }
    }
}

/// Whether the destination's tables are free for this run: empty, `missing`, or filled by the run
/// whose sealed state this is. Nothing of the run folder is taken or written.
///
/// # Errors
///
/// `ECL-RUN-006`, as a run would end with; `ECL-RUN-013` where the state is another instruction's.
pub fn room(
    orders: &Orders<'_>,
    sealed: Option<&[u8]>,
    missing: &[String],
    destination: &mut dyn Destination,
) -> Result<()> {
    let ledger = match sealed {
        Some(sealed) => destination.ledger(&state::unsealed(orders, sealed)?.run)?,
        None => Vec::new(),
    };
    checks::empty_but(destination, orders.plan, &ledger, missing)
}

fn count(figures: &mut Figures, message: Message, progress: &mut dyn FnMut(Progress<'_>)) {
    match message {
        Message::Begin(number, count) => {
            if let Some(table) = figures.tables.get_mut(number) {
                table.available = count.available;
                table.asked = count.asked;
                progress(Progress::Table(number, &table.source, count.asked));
            }
        }
        Message::Chunk(chunk) => {
            let Some(table) = figures.tables.get_mut(chunk.table) else { return };
            let rows = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            table.moved += chunk.pieces.iter().map(|piece| rows(piece.written.rows())).sum::<u64>();
            table.left_out += chunk.left_out;
            table.excluded += chunk.excluded;
            table.listed += chunk.listed;
            table.add_files(&chunk.files);
            encodings::add(&mut table.encodings, &chunk.encodings);
            table.chunks += 1;
            for (code, rows) in chunk.refused {
                *table.refused.entry(code).or_default() += rows;
            }
            for (code, rows) in chunk.flawed {
                *table.identifiers.entry(code).or_default() += rows;
            }
            progress(Progress::Rows(chunk.table, table.moved, table.refused_rows()));
        }
        Message::Through(number, unread) => {
            if let Some(table) = figures.tables.get_mut(number) {
                table.left_out += unread;
            }
            progress(Progress::Through(number));
        }
    }
}
