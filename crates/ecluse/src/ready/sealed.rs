//! What an extraction and its dry run need: the papers of an order to a recipient, and the source alone.

use ecluse_adapters::url::Url;
use ecluse_core::catalog::Catalog;
use ecluse_core::fault::Result;
use ecluse_core::plan::{Compiled, NO_TABLE, Plan, Refusal, give_back, returned_tables};
use ecluse_flow::extract::AS;
use ecluse_flow::ports::{Destination, Scope, Source};

use super::{Desk, Ends, Missing, Planned, Ready, bound, excuse, instructed, only_tables_missing, told};
use crate::cli::PaperArgs;
use crate::commands::Here;
use crate::connect;
use crate::connections::End;
use crate::papers::chain::Chain;

/// The source, and the destination where the order names one.
pub(crate) type Read = (Box<dyn Source>, Option<Box<dyn Destination>>);

impl Ready {
    /// As [`Ready::prepare`], of either kind of order, for whoever counts: missing tables are supposed.
    ///
    /// # Errors
    ///
    /// As [`Ready::prepare`].
    pub(crate) fn to_plan(here: &Here, args: &PaperArgs) -> Result<(Self, Read)> {
        let chain = Chain::read(&here.folder, args, here.now)?;
        if chain.instruction.order().recipient().is_some() {
            let (ready, source) = Self::to_recipient(here, args, chain)?;
            return Ok((ready, (source, None)));
        }
        let (ready, Ends { source, destination }) = Self::under(here, args, Missing::Suppose, chain)?;
        Ok((ready, (source, Some(destination))))
    }

    /// As [`Ready::prepare`], of an order to a recipient: no destination is asked for.
    ///
    /// # Errors
    ///
    /// As [`Ready::prepare`].
    pub(crate) fn to_recipient(
        here: &Here,
        args: &PaperArgs,
        chain: Chain,
    ) -> Result<(Self, Box<dyn Source>)> {
        let desk = Desk::of(here, args, &chain)?;
        desk.sealing(here, args, chain)
    }

    /// As [`Ready::looking`], of an order to a recipient.
    ///
    /// # Errors
    ///
    /// As [`Ready::prepare`].
    pub(crate) fn looking_at_recipient(
        here: &Here,
        args: &PaperArgs,
        chain: Chain,
    ) -> Result<(Self, Box<dyn Source>)> {
        let desk = Desk::looking(here, args, &chain)?;
        desk.sealing(here, args, chain)
    }

    /// As [`Ready::ending`], of an order to a recipient.
    ///
    /// # Errors
    ///
    /// As [`Ready::ending`].
    pub(crate) fn ending_at_recipient(
        here: &Here,
        args: &PaperArgs,
        chain: Chain,
    ) -> Result<(Self, Box<dyn Source>)> {
        let desk = Desk::ending(here, args, &chain)?;
        desk.sealing(here, args, chain)
    }

    /// As [`Ready::to_recipient`], of what the order has returned to the controller.
    ///
    /// # Errors
    ///
    /// As [`Ready::prepare`]; what cannot be returned, with one fix each.
    pub(crate) fn to_return(here: &Here, args: &PaperArgs, chain: Chain) -> Result<(Self, Box<dyn Source>)> {
        let desk = Desk::of(here, args, &chain)?;
        let refused = |findings| told(&chain, &Refusal { findings, missing: Vec::new() });
        let (tables, schema) = returned_tables(&chain.instruction, &chain.dictionary).map_err(refused)?;
        let is_trial = chain.instruction.header().trial;
        let url = bound(here, End::Source, args.from.url().as_deref(), &chain.instruction.order().source)?;
        let mut source = connect::source(&url)?;
        let catalog = source.catalog(Scope::Tables(&tables))?;
        let compiled = |views: bool| {
            give_back(&chain.instruction, &chain.dictionary, &catalog, views)
                .map_err(|refused| told(&chain, &refused))
        };
        let given = args.still.without_views.as_ref();
        let mut without_views = excuse(given, is_trial).filter(|_| url.can_deny());
        let mut plan = compiled(without_views.is_none() && url.can_deny())?;
        if is_trial && given.is_none() && without_views.is_some() {
            let through = compiled(true)?;
            if source.has_views(&through.plan)? {
                (plan, without_views) = (through, None);
            }
        }
        let planned = Planned { compiled: plan, missing: Vec::new(), returns: Some(schema) };
        Ok((desk.ready(here, args, chain, planned, without_views, (url, None))?, source))
    }
}

impl Desk {
    /// The source's connection, and the plan over it.
    fn sealing(self, here: &Here, args: &PaperArgs, chain: Chain) -> Result<(Ready, Box<dyn Source>)> {
        let is_trial = chain.instruction.header().trial;
        let url = bound(here, End::Source, args.from.url().as_deref(), &chain.instruction.order().source)?;
        let mut source = connect::source(&url)?;
        let given = args.still.without_views.as_ref();
        let mut without_views = excuse(given, is_trial).filter(|_| url.can_deny());
        let catalog = instructed(&chain, source.as_mut())?;
        let mut plan = compiled(&chain, &catalog, without_views.is_none() && url.can_deny())?;
        if is_trial && given.is_none() && without_views.is_some() {
            // a trial reads what it can, but once the administrator has made the views, these
            let through = compiled(&chain, &catalog, true)?;
            if source.has_views(&through.plan)? {
                (plan, without_views) = (through, None);
            }
        }
        let planned = Planned { compiled: plan, missing: Vec::new(), returns: None };
        Ok((self.ready(here, args, chain, planned, without_views, (url, None))?, source))
    }
}

/// What a return reads of the source, for the administrator's script, and where.
///
/// # Errors
///
/// As [`Ready::to_return`].
pub(crate) fn returning(here: &Here, args: &PaperArgs, chain: &Chain) -> Result<(Url, Plan)> {
    let refused = |findings| told(chain, &Refusal { findings, missing: Vec::new() });
    let (tables, _) = returned_tables(&chain.instruction, &chain.dictionary).map_err(refused)?;
    let url = bound(here, End::Source, args.from.url().as_deref(), &chain.instruction.order().source)?;
    let catalog = connect::source(&url)?.catalog(Scope::Tables(&tables))?;
    let compiled = give_back(&chain.instruction, &chain.dictionary, &catalog, true);
    Ok((url, compiled.map_err(|refused| told(chain, &refused))?.plan))
}

/// The plan, against tables as they would be made for it.
pub(super) fn compiled(chain: &Chain, source: &Catalog, views: bool) -> Result<Compiled> {
    let mut there =
        Catalog { engine: AS, database: String::new(), identity: String::new(), tables: Vec::new() };
    match super::compiled(chain, source, &there, views) {
        Ok(compiled) => return Ok(compiled),
        Err(refused) if only_tables_missing(&refused) => there.tables = refused.missing,
        Err(mut refused) => {
            // nobody makes tables for an archive: what else there is, is what is wrong
            if refused.findings.iter().any(|finding| *finding.code != NO_TABLE) {
                refused.findings.retain(|finding| *finding.code != NO_TABLE);
            }
            return Err(told(chain, &refused));
        }
    }
    super::compiled(chain, source, &there, views).map_err(|refused| told(chain, &refused))
}
