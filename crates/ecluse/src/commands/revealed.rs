//! What a list for the laboratory begins with: a run, its papers, whoever opens its sealed state, and a
//! terminal where the rows' keys are asked for.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_core::session::Session;
use ecluse_flow::figures::Figures;
use ecluse_seal::Identity;

use super::locate::on_a_terminal;
use super::{Here, begun, session};
use crate::cli::{PaperArgs, RevealArgs};
use crate::output;
use crate::papers::chain::Chain;

/// A run whose sealed lists can be read.
pub(super) struct Opened {
    pub(super) figures: Figures,
    pub(super) chain: Chain,
    pub(super) session: Session,
    pub(super) identity: Identity,
    pub(super) record: RunFolder,
}

impl Opened {
    /// # Errors
    ///
    /// No run has begun; keys are asked for and standard output is no terminal; the papers', the session's.
    pub(super) fn of(here: &Here, args: &RevealArgs) -> Result<Self> {
        let path = here.folder.path(args.run.dir.as_deref(), "run");
        let figures = begun::figures(&path)?;
        if args.reveal {
            on_a_terminal()?;
        }
        let chain = Chain::read(&here.folder, &PaperArgs::default(), here.now)?;
        let (session, identity) = session::with_identity(here, &chain, args.identity.as_deref())?;
        let record = RunFolder::existing(&path, &here.journal())?;
        Ok(Self { figures, chain, session, identity, record })
    }

    /// Said once the journal has it, before the first key.
    pub(super) fn told(&self) {
        output::line(format!("Shown to {}, journaled.", self.session.operator()));
    }
}
