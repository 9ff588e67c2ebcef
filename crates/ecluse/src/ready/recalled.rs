//! What an undo needs: the papers, the destination, and the source as the run remembers it.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_flow::ports::{Destination, Source};
use ecluse_flow::seen;

use super::{Desk, Ends, Missing, Ready, bound, excuse, planned};
use crate::cli::PaperArgs;
use crate::commands::Here;
use crate::connect;
use crate::connections::End;
use crate::papers::chain::Chain;

/// The destination, and the source where it had to be asked already.
pub(crate) type Found = (Box<dyn Destination>, Option<Box<dyn Source>>);

impl Ready {
    /// As [`Ready::prepare`], with the source's tables as the run of this folder last saw them: nothing is
    /// connected to at the source, which may be gone. Only a run that remembers none asks it.
    ///
    /// # Errors
    ///
    /// As [`Ready::prepare`]; what the run's sealed state says of itself.
    pub(crate) fn recalled(
        here: &Here,
        args: &PaperArgs,
        tables: Missing,
        record: &mut RunFolder,
    ) -> Result<(Self, Found)> {
        let chain = Chain::read(&here.folder, args, here.now)?;
        let desk = Desk::of(here, args, &chain)?;
        let Some(seen) = seen::recall(chain.instruction.digest(), &desk.identity, record)? else {
            let (ready, Ends { source, destination }) = Self::under(here, args, tables, chain)?;
            return Ok((ready, (destination, Some(source))));
        };
        let order = chain.instruction.order();
        let to = order.direct()?;
        let source = bound(here, End::Source, args.from.url().as_deref(), &order.source)?;
        let url = bound(here, End::Destination, args.to.url().as_deref(), to)?;
        let mut destination = connect::destination(&url)?;
        // should rows have to be named: a trial reads them as it did, anybody else through views or with a reason
        let given = args.still.without_views.as_ref();
        let is_trial = chain.instruction.header().trial;
        let views = source.can_deny() && given.is_none() && (seen.views || !is_trial);
        let without_views = excuse(given, is_trial).filter(|_| source.can_deny() && !views);
        let planned = planned(&chain, &seen.catalog, destination.as_mut(), views, tables)?;
        let ready = desk.ready(here, args, chain, planned, without_views, (source, Some(url)))?;
        Ok((ready, (destination, None)))
    }
}
