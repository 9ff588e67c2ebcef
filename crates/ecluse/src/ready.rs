//! Everything a run needs, in the order in which it is demanded: papers, then connections,
//! then the plan. Nothing of a table is read here.

mod desk;
mod parts;
mod recalled;
mod sealed;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ecluse_adapters::attached::Attached;
use ecluse_adapters::url::Url;
use ecluse_core::catalog::Table;
use ecluse_core::fault::Result;
use ecluse_core::plan::Compiled;
use ecluse_core::session::Session;
use ecluse_core::status::Met;
use ecluse_core::types::Engine;
use ecluse_flow::excluded::Excluded;
use ecluse_flow::extract;
use ecluse_flow::orders::Orders;
use ecluse_flow::parting::Remover;
use ecluse_flow::ports::{Destination, Files, Source};
use ecluse_flow::run::Options;
use ecluse_flow::world::World;
use ecluse_seal::Identity;

use self::desk::{Desk, excuse};
pub(crate) use self::parts::{Parts, bound_destination, pinned, reading, written_tables};
use self::parts::{Planned, bound, compiled, instructed, mapped, only_tables_missing, planned, told};
pub(crate) use self::sealed::returning;
use crate::cli::PaperArgs;
use crate::commands::{Here, runs};
use crate::folder::Folder;
use crate::papers::chain::{Chain, StatusFile};
use crate::{chance, clock, output};

/// Set by Ctrl-C: the run ends after the chunk in flight, and the same command goes on.
pub(crate) static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Rows after which the demonstration stops its first start; none in a real run.
static STOP_AFTER: AtomicU64 = AtomicU64::new(u64::MAX);

/// Stops the next run once it has dealt with so many rows of a table, as Ctrl-C would.
pub(crate) fn stop_after_rows(rows: u64) {
    STOP_AFTER.store(rows, Ordering::Relaxed);
}

/// Takes a wish to stop back.
pub(crate) fn go_on() {
    STOP_AFTER.store(u64::MAX, Ordering::Relaxed);
    STOP.store(false, Ordering::Relaxed);
}

/// Told by whoever follows a run's progress.
pub(crate) fn dealt_with(rows: u64) {
    if rows >= STOP_AFTER.load(Ordering::Relaxed) {
        STOP.store(true, Ordering::Relaxed);
    }
}

/// The real clock, the real generator, the operator's wish to stop.
pub(crate) fn world() -> World<'static> {
    World { clock: &clock::now, chance: &chance::fill, stop: STOP.as_ref() }
}

/// The papers in force and what they compile to.
pub(crate) struct Ready {
    pub(crate) chain: Chain,
    pub(crate) session: Session,
    pub(crate) compiled: Compiled,
    pub(crate) source: Url,
    /// None of an order to a recipient.
    pub(crate) destination: Option<Url>,
    /// Destination tables that the plan supposes: they are not there yet.
    pub(crate) missing: Vec<String>,
    /// The same, as they would have to be.
    supposed: Vec<Table>,
    /// The reason for going on with a wider role.
    wider_role: Option<String>,
    /// The reason for reading the tables themselves, not the administrator's views.
    without_views: Option<String>,
    frozen: bool,
    /// Where the files lie that rows name, and where they go.
    files: Option<Attached>,
    status: StatusFile,
    /// What was met of the status so far: an earlier word must not cover a later one.
    met: Mutex<Met>,
    folder: Folder,
    /// Opens what an earlier session left in the run folder.
    identity: Identity,
    /// The session's own, where it is another one: a run may be taken over from a colleague.
    own: Option<Identity>,
    /// The persons whose rows never move, where the order cites a list.
    excluded: Option<Excluded>,
    /// Of a return: the digest of its tables' schema, as they were surveyed.
    returns: Option<String>,
}

/// What becomes of an order whose destination tables are not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is refused.
    Refuse,
    /// They are taken as the statements would make them; [`Ready::make`] makes them.
    Suppose,
}

/// The two connections of a run.
pub(crate) struct Ends {
    pub(crate) source: Box<dyn Source>,
    pub(crate) destination: Box<dyn Destination>,
}

impl Ready {
    /// Verifies every paper, connects, and compiles the plan; `tables` says what becomes of
    /// destination tables that are missing.
    ///
    /// # Errors
    ///
    /// The first thing that does not hold.
    pub(crate) fn prepare(here: &Here, args: &PaperArgs, tables: Missing) -> Result<(Self, Ends)> {
        Self::under(here, args, tables, Chain::read(&here.folder, args, here.now)?)
    }

    /// The same before a biologist has accepted code tables and mapping: for whoever counts, and moves nothing.
    ///
    /// # Errors
    ///
    /// As [`Self::prepare`].
    pub(crate) fn to_count(here: &Here, args: &PaperArgs) -> Result<(Self, Ends)> {
        Self::under(here, args, Missing::Suppose, Chain::to_be_accepted(&here.folder, args, here.now)?)
    }

    /// The same for whoever looks at what was done under papers as they were then: the order may have ended, and its
    /// standing is not asked. Nothing moves on it.
    ///
    /// # Errors
    ///
    /// As [`Self::prepare`].
    pub(crate) fn looking(here: &Here, args: &PaperArgs, chain: Chain) -> Result<(Self, Ends)> {
        let desk = Desk::looking(here, args, &chain)?;
        desk.prepared(here, args, Missing::Refuse, chain)
    }

    /// The same for whoever ends what began under papers that have ended since. The controller's word is heard all the
    /// same: what was suspended or revoked goes no further.
    ///
    /// # Errors
    ///
    /// As [`Self::prepare`]; `ECL-STA-010`, `ECL-STA-011`.
    pub(crate) fn ending(here: &Here, args: &PaperArgs, chain: Chain) -> Result<(Self, Ends)> {
        let desk = Desk::ending(here, args, &chain)?;
        desk.prepared(here, args, Missing::Refuse, chain)
    }

    /// As [`Self::prepare`], of papers that were read.
    ///
    /// # Errors
    ///
    /// As [`Self::prepare`].
    pub(crate) fn under(
        here: &Here,
        args: &PaperArgs,
        tables: Missing,
        chain: Chain,
    ) -> Result<(Self, Ends)> {
        let desk = Desk::of(here, args, &chain)?;
        desk.prepared(here, args, tables, chain)
    }

    /// Makes the tables that the plan supposes, and compiles it anew against them as they are. Only
    /// once everything else was looked at: a refused start leaves no table behind.
    ///
    /// # Errors
    ///
    /// The destination's; as [`Self::prepare`].
    pub(crate) fn make(&mut self, ends: &mut Ends) -> Result<()> {
        self.missing.clear();
        for table in std::mem::take(&mut self.supposed) {
            let statement = ends.destination.ddl(&table);
            ends.destination.create(&table.name, &statement)?;
            output::remark(format!("made {} at the destination", table.name));
        }
        let source = instructed(&self.chain, ends.source.as_mut())?;
        let destination = mapped(&self.chain, ends.destination.as_mut())?;
        let views = self.without_views.is_none() && self.source.can_deny();
        self.compiled = compiled(&self.chain, &source, &destination, views)
            .map_err(|refused| told(&self.chain, &refused))?;
        Ok(())
    }

    /// The engine as which rows are made.
    pub(crate) fn engine(&self) -> Engine {
        self.destination.as_ref().map_or(extract::AS, Url::engine)
    }

    /// How the operator wants the source read.
    pub(crate) fn options(&self) -> Options<'_> {
        Options {
            frozen: self.frozen,
            override_reason: self.wider_role.as_deref(),
            without_views: self.without_views.as_deref(),
            files: self.files.as_ref().map(|files| files as &dyn Files),
            ..Options::default()
        }
    }

    /// Where files lie at the source that go with their rows.
    pub(crate) fn remover(&self) -> Option<&dyn Remover> {
        self.files.as_ref().map(|files| files as &dyn Remover)
    }

    /// The papers as the path wants them; whether they still stand is asked again at every chunk.
    pub(crate) fn with_orders<T>(&self, act: impl FnOnce(Orders<'_>) -> Result<T>) -> Result<T> {
        let ask = || {
            let now = clock::now();
            self.session.lasts(now)?;
            // a run may outlast the papers it began under
            for header in [self.chain.contract.header(), self.chain.instruction.header()] {
                header.objection(now).map_or(Ok(()), |finding| Err(finding.fault()))?;
            }
            // whoever panicked with the lock left a whole value: it is one assignment
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            self.status.ask(&self.chain.contract, now, &mut met, |met| {
                runs::meet(&self.folder, self.chain.instruction.digest(), met)
            })
        };
        let (plan, instruction) = (&self.compiled.plan, &self.chain.instruction);
        let author = self.own.as_ref().unwrap_or(&self.identity);
        if let Some(schema) = &self.returns {
            let who = (author, &self.identity);
            return act(Orders::to_return(plan, instruction, schema, &self.session, &ask, who)?);
        }
        let excluded = self.excluded.as_ref();
        act(Orders::in_force(plan, instruction, &self.session, &ask, author, &self.identity, excluded)?)
    }
}
