//! An operator before a chain of papers: the session in force, what opens the run's state, the controller's word.

use std::sync::Mutex;

use ecluse_adapters::url::Url;
use ecluse_core::fault::Result;
use ecluse_core::session::Session;
use ecluse_core::status::Met;
use ecluse_seal::Identity;

use super::{Ends, Missing, Parts, Planned, Ready};
use crate::cli::PaperArgs;
use crate::commands::{Here, runs, session};
use crate::journal::sessions;
use crate::papers::chain::{Chain, StatusFile};
use crate::papers::{chain, excluded};
use crate::{attachments, trial};

/// What an operator brings to a chain of papers: the session in force, and what opens the run's state.
pub(super) struct Desk {
    session: Session,
    pub(super) identity: Identity,
    own: Option<Identity>,
    status: StatusFile,
    met: Met,
}

impl Desk {
    pub(super) fn of(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let folder = &here.folder;
        let status = StatusFile::new(folder, args.status.as_deref(), chain);
        let mut met = runs::met(folder, chain.instruction.digest())?;
        status.ask(&chain.contract, here.now, &mut met, |met| {
            runs::meet(folder, chain.instruction.digest(), met)
        })?;
        Self::at(here, args, chain, status, met)
    }

    /// Of whoever looks at what was done: the laboratory's word, which nothing is begun on, is not asked for.
    pub(super) fn looking(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let status = StatusFile::new(&here.folder, args.status.as_deref(), chain);
        let met = runs::met(&here.folder, chain.instruction.digest())?;
        Self::at(here, args, chain, status, met)
    }

    /// Of whoever ends what an order that has ended began. The last word that was given of it has to lie there, as of the
    /// moment at which it was given; none makes the order stand again, and one that stopped it counts.
    pub(super) fn ending(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<Self> {
        let mut desk = Self::looking(here, args, chain)?;
        let given = desk.status.given()?;
        desk.status.ask(&chain.contract, given, &mut desk.met, |met| {
            runs::meet(&here.folder, chain.instruction.digest(), met)
        })?;
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
    pub(super) fn prepared(
        self,
        here: &Here,
        args: &PaperArgs,
        tables: Missing,
        chain: Chain,
    ) -> Result<(Ready, Ends)> {
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
    pub(super) fn ready(
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
pub(super) fn excuse(given: Option<&String>, is_trial: bool) -> Option<String> {
    given.cloned().or_else(|| is_trial.then(|| "TRIAL: nobody made views or a role of its own".to_owned()))
}
