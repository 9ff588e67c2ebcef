//! Everything a run needs, in the order in which it is demanded: papers, then connections,
//! then the plan. Nothing of a table is read here.

mod recalled;
mod sealed;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ecluse_adapters::attached::Attached;
use ecluse_adapters::pin;
use ecluse_adapters::url::Url;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::instruction::Endpoint;
use ecluse_core::mapping::Mapping;
use ecluse_core::plan::{Compiled, Inputs, NO_TABLE, Plan, Refusal, compile};
use ecluse_core::session::Session;
use ecluse_core::status::Met;
use ecluse_core::types::Engine;
use ecluse_flow::excluded::Excluded;
use ecluse_flow::extract;
use ecluse_flow::orders::Orders;
use ecluse_flow::parting::Remover;
use ecluse_flow::ports::{Destination, Files, Scope, Source};
use ecluse_flow::run::Options;
use ecluse_flow::world::World;
use ecluse_seal::Identity;

pub(crate) use self::sealed::returning;
use crate::attachments;
use crate::clear;
use crate::cli::PaperArgs;
use crate::commands::{Here, runs, session};
use crate::connect;
use crate::connections::{self, End};
use crate::folder::Folder;
use crate::journal::sessions;
use crate::output;
use crate::papers::chain::{self, Chain, StatusFile};
use crate::papers::excluded;
use crate::papers::{Paper, refusal};
use crate::{chance, clock, trial};

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

/// What an operator brings to a chain of papers: the session in force, and what opens the run's state.
struct Desk {
    session: Session,
    identity: Identity,
    own: Option<Identity>,
    status: StatusFile,
    met: Met,
}

impl Desk {
    fn of(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let folder = &here.folder;
        let status = StatusFile::new(folder, args.status.as_deref(), chain);
        let mut met = runs::met(folder, chain.instruction.digest())?;
        status.ask(&chain.contract, here.now, &mut met, |met| {
            runs::meet(folder, chain.instruction.digest(), met)
        })?;
        Self::at(here, args, chain, status, met)
    }

    /// Of whoever looks at what was done: the laboratory's word, which nothing is begun on, is not asked for.
    fn looking(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let status = StatusFile::new(&here.folder, args.status.as_deref(), chain);
        let met = runs::met(&here.folder, chain.instruction.digest())?;
        Self::at(here, args, chain, status, met)
    }

    /// Of whoever ends what an order that has ended began: no word makes it stand again, and one that stopped it counts.
    fn ending(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let desk = Self::looking(here, args, chain)?;
        desk.status.unstopped()?;
        desk.met.unrevoked()?;
        Ok(desk)
    }

    fn at(here: &Here, args: &PaperArgs, chain: &Chain, status: StatusFile, met: Met) -> Result<Self> {
        let folder = &here.folder;
        if chain.instruction.header().trial {
            session::open_for_trial(here, args.session.as_deref())?;
        }
        let (session, _) = chain::session(folder, args.session.as_deref(), &chain.contract, here.now)?;
        sessions::keep(folder, args.session.as_deref())?;
        let identity = match &args.identity {
            Some(path) => session::identity(path)?,
            None => session::identity_of(folder, &session)?,
        };
        let own = if identity.recipient().to_string() == session.recipient() {
            None
        } else {
            Some(session::identity(&trial::identity(folder))?)
        };
        Ok(Self { session, identity, own, status, met })
    }

    /// The connections, and the plan over them.
    fn prepared(self, here: &Here, args: &PaperArgs, tables: Missing, chain: Chain) -> Result<(Ready, Ends)> {
        let is_trial = chain.instruction.header().trial;
        let mut parts = Parts::connect(here, args, chain)?;
        let without_views =
            excuse(args.still.without_views.as_ref(), is_trial).filter(|_| parts.source.can_deny());
        let (planned, without_views) = match without_views {
            // a trial reads what it can, but once the administrator has made the views, these
            Some(_) if is_trial && args.still.without_views.is_none() => {
                parts.plan_of_trial(tables, without_views)?
            }
            _ => (parts.plan(without_views.is_none() && parts.source.can_deny(), tables)?, without_views),
        };
        let Parts { chain, source, destination, ends } = parts;
        Ok((self.ready(here, args, chain, planned, without_views, (source, Some(destination)))?, ends))
    }

    /// With what was planned, everything a run needs.
    fn ready(
        self,
        here: &Here,
        args: &PaperArgs,
        chain: Chain,
        planned: Planned,
        without_views: Option<String>,
        (source, destination): (Url, Option<Url>),
    ) -> Result<Ready> {
        let Self { session, identity, own, status, met } = self;
        let Planned { compiled, missing, returns } = planned;
        let folder = &here.folder;
        let identities: Vec<&Identity> = own.iter().chain([&identity]).collect();
        // whoever stays, and every file, stays the laboratory's: a return leaves nobody out and takes no file
        let (excluded, files) = match &returns {
            Some(_) => (None, None),
            None => (
                excluded::open(folder, &chain, &identities, &compiled.plan)?,
                attachments::of(folder, chain.instruction.order())?,
            ),
        };
        let is_trial = chain.instruction.header().trial;
        let wider_role =
            excuse(args.still.accept_wider_role.as_ref(), is_trial).filter(|_| source.can_deny());
        Ok(Ready {
            chain,
            session,
            compiled,
            source,
            destination,
            missing: missing.iter().map(|table| table.name.clone()).collect(),
            supposed: missing,
            wider_role,
            without_views,
            frozen: args.still.frozen,
            files,
            status,
            met: Mutex::new(met),
            folder: folder.clone(),
            identity,
            own,
            excluded,
            returns,
        })
    }
}

/// The reason that was given, or a trial's own.
fn excuse(given: Option<&String>, is_trial: bool) -> Option<String> {
    given.cloned().or_else(|| is_trial.then(|| "TRIAL: nobody made views or a role of its own".to_owned()))
}

/// The papers that say what moves, and the two databases they are about.
pub(crate) struct Parts {
    pub(crate) chain: Chain,
    pub(crate) source: Url,
    pub(crate) destination: Url,
    pub(crate) ends: Ends,
}

impl Parts {
    /// Connects to both databases of a chain that was verified.
    ///
    /// # Errors
    ///
    /// URLs that are none, or not bound to the signed keys; the adapters'.
    pub(crate) fn connect(here: &Here, args: &PaperArgs, chain: Chain) -> Result<Self> {
        let order = chain.instruction.order();
        let to = order.direct()?;
        let source = bound(here, End::Source, args.from.url().as_deref(), &order.source)?;
        let destination = bound(here, End::Destination, args.to.url().as_deref(), to)?;
        let ends =
            Ends { source: connect::source(&source)?, destination: connect::destination(&destination)? };
        Ok(Self { chain, source, destination, ends })
    }

    /// Compiles the plan from the papers and the two catalogues.
    ///
    /// Where tables are missing and may be supposed, it is compiled against them as they would be.
    ///
    /// # Errors
    ///
    /// Every problem found is shown; the first one's code comes back.
    pub(crate) fn plan(&mut self, views: bool, tables: Missing) -> Result<Planned> {
        let source = instructed(&self.chain, self.ends.source.as_mut())?;
        planned(&self.chain, &source, self.ends.destination.as_mut(), views, tables)
    }

    /// The plan of a trial: through the administrator's views where they were made, else without.
    fn plan_of_trial(
        &mut self,
        tables: Missing,
        excuse: Option<String>,
    ) -> Result<(Planned, Option<String>)> {
        let planned = self.plan(true, tables)?;
        if self.ends.source.has_views(&planned.compiled.plan)? {
            return Ok((planned, None));
        }
        Ok((self.plan(false, tables)?, excuse))
    }

    /// The statements that would make the destination's missing tables; empty where none is missing.
    ///
    /// # Errors
    ///
    /// As [`Self::plan`], except that missing tables are what is asked for.
    pub(crate) fn missing_tables(&mut self) -> Result<Vec<String>> {
        let planned = self.plan(false, Missing::Suppose)?;
        Ok(planned.missing.iter().map(|table| self.ends.destination.ddl(table)).collect())
    }
}

/// A plan, and the destination's tables that it supposes, as they would have to be.
pub(crate) struct Planned {
    pub(crate) compiled: Compiled,
    pub(crate) missing: Vec<Table>,
    /// See [`Ready`].
    returns: Option<String>,
}

/// The plan from the papers, a source's catalogue and the destination's.
fn planned(
    chain: &Chain,
    source: &Catalog,
    destination: &mut dyn Destination,
    views: bool,
    tables: Missing,
) -> Result<Planned> {
    let mut there = mapped(chain, destination)?;
    let missing = match compiled(chain, source, &there, views) {
        Ok(compiled) => return Ok(Planned { compiled, missing: Vec::new(), returns: None }),
        Err(refused) if refused.missing.is_empty() || tables == Missing::Refuse => {
            return Err(told(chain, &refused));
        }
        Err(refused) => refused.missing,
    };
    there.tables.extend(missing.iter().map(|table| destination.supposed(table)));
    let compiled = compiled(chain, source, &there, views).map_err(|refused| told(chain, &refused))?;
    Ok(Planned { compiled, missing, returns: None })
}

/// What is read of the source, for the administrator's script, and where. The destination does not
/// bear on it: nothing is connected to there unless the instruction binds its tables.
///
/// # Errors
///
/// As [`Parts::connect`] and [`Parts::plan`].
pub(crate) fn reading(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<(Url, Plan)> {
    let order = chain.instruction.order();
    let url = bound(here, End::Source, args.from.url().as_deref(), &order.source)?;
    let source = instructed(chain, connect::source(&url)?.as_mut())?;
    let Some(signed) = order.destination() else {
        return Ok((url, sealed::compiled(chain, &source, true)?.plan));
    };
    let mut destination = match &signed.schema {
        Some(_) => {
            let url = bound(here, End::Destination, args.to.url().as_deref(), signed)?;
            mapped(chain, connect::destination(&url)?.as_mut())?
        }
        None => Catalog {
            engine: signed.engine,
            database: signed.database.value.clone(),
            identity: signed.identity.value.clone(),
            tables: Vec::new(),
        },
    };
    let refused = match compiled(chain, &source, &destination, true) {
        Ok(compiled) => return Ok((url, compiled.plan)),
        Err(refused) if only_tables_missing(&refused) => refused,
        Err(refused) => return Err(told(chain, &refused)),
    };
    destination.tables.extend(refused.missing);
    let compiled = compiled(chain, &source, &destination, true).map_err(|refused| told(chain, &refused))?;
    Ok((url, compiled.plan))
}

/// The URL of one end, its server bound to the key that was signed for.
fn bound(here: &Here, end: End, flag: Option<&str>, signed: &Endpoint) -> Result<Url> {
    let url = connect::parse(&connections::url(&here.folder, end, flag)?)?;
    clear::allowed(&url, signed)?;
    pinned(url.staging(signed.staging.as_ref().map(|folder| folder.value.clone().into())), signed)
}

/// The destination that an order names, as its URL.
///
/// # Errors
///
/// The URL's own; as [`clear::allowed`] and [`pin::bound`].
pub(crate) fn bound_destination(here: &Here, flag: Option<&str>, signed: &Endpoint) -> Result<Url> {
    bound(here, End::Destination, flag, signed)
}

/// The URL, its server bound to the key that an order states.
///
/// # Errors
///
/// As [`pin::bound`].
pub(crate) fn pinned(url: Url, stated: &Endpoint) -> Result<Url> {
    pin::bound(url, stated.tls_spki.as_ref().map(|key| key.value.as_str()))
}

fn instructed(chain: &Chain, source: &mut dyn Source) -> Result<Catalog> {
    source.catalog(Scope::Tables(&chain.instruction.order().table_names()))
}

fn mapped(chain: &Chain, destination: &mut dyn Destination) -> Result<Catalog> {
    written_tables(&chain.mapping, destination)
}

/// The destination's tables that a mapping writes, and those that their foreign keys lead to.
///
/// # Errors
///
/// The destination's.
pub(crate) fn written_tables(mapping: &Mapping, destination: &mut dyn Destination) -> Result<Catalog> {
    let tables: Vec<String> = mapping.tables.iter().map(|t| t.to.value.clone()).collect();
    let mut catalog = destination.catalog(Scope::Tables(&tables))?;
    let keys = catalog.tables.iter().flat_map(|t| &t.foreign_keys);
    let beyond: BTreeSet<&String> = keys.map(|key| &key.references).filter(|t| !tables.contains(t)).collect();
    let beyond: Vec<String> = beyond.into_iter().cloned().collect();
    if !beyond.is_empty() {
        catalog.tables.extend(destination.catalog(Scope::Tables(&beyond))?.tables);
    }
    Ok(catalog)
}

fn compiled(
    chain: &Chain,
    source: &Catalog,
    destination: &Catalog,
    views: bool,
) -> std::result::Result<Compiled, Refusal> {
    compile(&Inputs {
        instruction: &chain.instruction,
        dictionary: &chain.dictionary,
        mapping: &chain.mapping,
        codes: &chain.codes,
        source,
        destination,
        views,
    })
}

/// Whether nothing but missing tables stands in the way.
fn only_tables_missing(refused: &Refusal) -> bool {
    !refused.missing.is_empty() && refused.findings.iter().all(|f| *f.code == NO_TABLE)
}

fn told(chain: &Chain, refused: &Refusal) -> Fault {
    let paper = Paper { path: chain.path.clone(), bytes: chain.bytes.clone(), signatures: Vec::new() };
    refusal(&paper.path, paper.text(), &refused.findings)
}
