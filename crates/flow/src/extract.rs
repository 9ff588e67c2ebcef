//! The extraction: what was ordered, read once and sealed to its one recipient.
//!
//! The same questions as a run asks of its source, at the start, under lock and at the end, and the same
//! reading half ([`crate::reader`]); the sealing half ([`crate::sealing`]) stands in the place of the writing
//! one. An archive is whole or it is not: a start that ended early leaves none, the next one begins anew, as
//! the same run.

use std::collections::BTreeMap;

use ecluse_core::fault::{Code, Result};
use ecluse_core::manifest::Part;
use ecluse_core::types::Engine;
use ecluse_seal::archive::{Index, IndexTable, Label, Sealer};
use ecluse_seal::{Recipient, RunState, What};

use crate::attached::{self, Attaching, How, Named};
use crate::carried::Found;
use crate::checks::{self, When};
use crate::event::{Act, Outcome};
use crate::families::{AGAIN, Families};
use crate::figures::{Figures, begin_again, name_refused};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::pipeline::{Ended, pump};
use crate::ports::{Archive, Record, Source};
use crate::run::{Options, Progress, begin_figures, ours, tolerable};
use crate::sealing::Sealing;
use crate::step::Context;
use crate::world::World;
use crate::{noted, pending, reader, staged, state};

static STOPPED: Code = Code::outside("ECL-ARC-020", "the extraction was stopped at the operator's wish");

/// The engine as which rows are made: the one that has every type on the way. What the recipient's own
/// database can hold is looked at where they are loaded.
pub const AS: Engine = Engine::Postgresql;

/// To whom it goes, and whose word it is.
pub struct Consignment<'a> {
    /// To what every part belongs.
    pub label: Label,
    /// The one key that the instruction cites.
    pub recipient: Recipient,
    /// The digest of the contract, `sha256:…`.
    pub contract: &'a str,
    /// The papers that travel inside the seal, by their path in the migration's folder.
    pub papers: BTreeMap<String, String>,
    /// Signs the manifest over these parts; asked once, when everything else is in its place.
    pub sign: &'a dyn Fn(&[Part]) -> Result<Signed>,
    /// Keeps what a receipt will be compared with, durably, and says the digest of what it kept: asked before the archive has its name, so that no archive stands whose receipt nobody can verify.
    pub keep: &'a dyn Fn(&Signed, &Index) -> Result<String>,
}

/// A signed manifest.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What lies in the archive in clear, by its path there: the manifest, its signature, a page for strangers.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The manifest's digest, `sha256:…`.
    pub manifest: String,
}

/// An archive that was made.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// What was counted.
    pub figures: Figures,
    /// The tables as the index tells them: rows, and commitments to their tallies.
    pub tables: Vec<IndexTable>,
    /// Parts, the index among them.
    pub parts: usize,
    /// The manifest's digest, `sha256:…`.
    pub manifest: String,
}

/// Extracts what was ordered into an archive.
///
/// Nothing is read before the papers stand, the source is the signed one, and the role can do no more than
/// it should. Each part is sealed in memory before anything of it is written, and durable before the archive
/// has its name; whether the instruction stands is asked at every chunk, and once more before the manifest is signed. Rows are in clear
/// in memory alone.
///
/// # Errors
///
/// Coded; the journal holds the code too, and `figures.json` what was counted until then. `ECL-RUN-012`
/// (too many refused rows) comes before the manifest: no archive stands.
#[expect(clippy::too_many_arguments, reason = "a run's, and to whom it goes")]
pub fn extract(
    orders: Orders<'_>,
    options: Options<'_>,
    to: Consignment<'_>,
    source: &mut dyn Source,
    archive: &mut dyn Archive,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Extracted> {
    checks::keys(orders.plan)?;
    let known = ours(&orders, record)?;
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
    let sealer = Sealer::new(to.label.clone(), to.recipient.clone());
    let mut story = Story { orders, options, to, sealer, source, archive, world, progress, changes: begins };
    let told = story.tell(&mut journal, &mut state, &mut figures);
    let told = staged::ended(told, story.source, &mut journal);
    figures.ended = world.now().to_string();
    figures.whole = told.is_ok();
    name_refused(&mut figures, orders.plan, &state);
    let paper = if story.changes { Some(journal.record.save_figures(&figures)?) } else { None };
    match told {
        Ok((tables, parts, manifest)) => {
            journal.note_paper(Act::Close, &state.object, &Outcome::Done, paper)?;
            Ok(Extracted { figures, tables, parts, manifest })
        }
        Err(fault) => {
            let stopped = std::ptr::eq(fault.code(), &STOPPED);
            let outcome = if stopped { Outcome::Stopped } else { Outcome::Code(fault.code().id) };
            // the fault on its way out says more than one about the journal would
            let _already_failing = journal.note_paper(Act::Close, &state.object, &outcome, paper);
            Err(fault)
        }
    }
}

/// Everything an extraction needs while it is told.
struct Story<'a> {
    orders: Orders<'a>,
    options: Options<'a>,
    to: Consignment<'a>,
    sealer: Sealer,
    source: &'a mut dyn Source,
    archive: &'a mut dyn Archive,
    world: World<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
    /// Whether the figures of an earlier start no longer are the run's.
    changes: bool,
}

/// The tables, how many parts, the manifest's digest.
type Made = (Vec<IndexTable>, usize, String);

impl Story<'_> {
    fn tell(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<Made> {
        let object = state.object.clone();
        let plan = self.orders.plan;
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        if let Some(reason) = self.options.without_views {
            self.keep(&[(What::WithoutViews, reason)], journal, state, figures)?;
            journal.note(Act::Override, &object, &Outcome::Done)?;
        }
        journal.act(Act::Probe, &object, |journal| self.probe(journal, state, figures, When::Start))?;
        let frozen = self.options.frozen;
        let opened = journal
            .act(Act::Snapshot, &object, |journal| staged::open(self.source, plan, frozen, journal))?;
        self.keep(&noted::of_snapshot(&opened), journal, state, figures)?;
        figures.barrier = opened.barrier;
        figures.limits = opened.limits;
        checks::source_schema(self.source, plan, self.orders.source, When::UnderLock)?;
        let unfinished = pending::count(&self.orders, plan.tables().len(), self.source, &self.world)?;
        // nothing catches up with an archive: it is a cut-over
        pending::waits(&unfinished, plan)?;
        pending::figure(&unfinished, plan, figures);

        self.options.begins.map_or(Ok(()), |begins| begins())?;
        state.whole = false;
        state::save(state, &self.orders, journal)?;
        journal.record.withdraw()?;
        self.changes = true;
        journal.record.save_figures(figures)?;
        journal.note(Act::Extract, &object, &Outcome::Begun)?;
        let made = self.make(journal, state, figures);
        match &made {
            Ok((_, _, manifest)) => {
                journal.note_paper(Act::Extract, &object, &Outcome::Done, Some(manifest.clone()))?;
            }
            Err(fault) => journal.failed(Act::Extract, &object, fault),
        }
        let made = made?;
        state.whole = true;
        state::save(state, &self.orders, journal)?;
        Ok(made)
    }

    fn make(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<Made> {
        let object = state.object.clone();
        let (mut index, mut parts) = self.seal_families(journal, state, figures)?;
        figures.add_up()?;
        tolerable(figures)?;
        // the same questions at the end
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        journal.act(Act::Probe, &object, |journal| self.probe(journal, state, figures, When::End))?;
        staged::close(self.source, journal)?;
        self.orders.session.clone_into(&mut index.session);
        self.to.contract.clone_into(&mut index.contract);
        index.extracted = self.world.now().to_string();
        index.papers.clone_from(&self.to.papers);
        let sealed = self.sealer.index(&index)?;
        self.archive.put(0, &sealed.bytes)?;
        let size = u64::try_from(sealed.bytes.len()).unwrap_or(u64::MAX);
        parts.insert(0, Part { size, sha256: sealed.sha256 });
        (self.progress)(Progress::Note("signing the manifest"));
        // once more, before anybody else can take it for an archive
        journal.act(Act::Standing, &object, |_| self.orders.standing())?;
        let signed = (self.to.sign)(&parts)?;
        let kept = (self.to.keep)(&signed, &index)?;
        journal.note_paper(Act::SealPart, &object, &Outcome::Done, Some(kept))?;
        // nobody believes these before the journal tells of a close: a start that dies once the archive has its name
        // leaves everything that the next one needs to say it (`crate::extracted`)
        figures.ended = self.world.now().to_string();
        figures.whole = true;
        name_refused(figures, self.orders.plan, state);
        journal.record.save_figures(figures)?;
        self.archive.finish(&signed.files)?;
        Ok((index.tables, parts.len(), signed.manifest))
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

    /// Seals every table, and all of it once more as long as rows were refused whose children may have passed
    /// before them: into a new archive each time, from the same snapshot.
    fn seal_families(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
    ) -> Result<(Index, Vec<Part>)> {
        let plan = self.orders.plan;
        let mut families = Families::new(&self.orders, self.world.random()?, self.source)?;
        let named = Named::default();
        loop {
            self.archive.begin()?;
            let sealed = self.seal_tables(journal, state, figures, (&families, &named))?;
            if !families.again()? {
                figures.folders = attached::folders(plan, self.options.files, &named)?;
                return Ok(sealed);
            }
            (self.progress)(Progress::Note(AGAIN));
            figures.tables = begin_again(&figures.tables, plan);
        }
    }

    /// Reads on one thread, checks and tallies on a second, packs and seals on this one.
    fn seal_tables(
        &mut self,
        journal: &mut Journal<'_>,
        state: &mut RunState,
        figures: &mut Figures,
        (families, named): (&Families<'_>, &Named),
    ) -> Result<(Index, Vec<Part>)> {
        let plan = self.orders.plan;
        let found = Found::default();
        let how = How::Digest { run: state.run.clone() };
        let attaching = Attaching::new(plan, self.options.files, how, state::token_key(state))?;
        let attaching = attaching.map(|attaching| attaching.noting(&found));
        let context = Context::new(plan, families)?.attaching(attaching, Some(named));
        let reading = state::tally_key(state);
        let source = &mut *self.source;
        let index = Index::new(self.to.label.clone(), state.run.clone(), state.tally.clone());
        let mut half = Sealing::new(
            self.orders,
            &mut self.sealer,
            self.archive,
            (journal, state, figures),
            self.progress,
            (index, &found),
            self.world,
        )?;
        let ended = pump(
            &self.world,
            move |emit| reader::read(source, AS, context, &reading, &[], emit),
            |message| half.take(message),
        )?;
        match ended {
            Ended::Whole => {
                if let Some(files) = self.options.files {
                    half.carry(files)?;
                }
                half.finish()
            }
            Ended::Stopped => Err(STOPPED
                .fault("no archive stands")
                .help("the same command begins anew, as the same run: ecluse extract")),
        }
    }
}
