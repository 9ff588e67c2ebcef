//! What commands take that speak of a run that has begun.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, PaperArgs, StillArgs, ToArgs};

/// The run.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// The run folder; by default the migration folder's.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}

/// A run, and whose keys are shown of it.
#[derive(Debug, Args)]
pub(crate) struct RevealArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Show the rows' keys too, on this terminal only; journaled before they are shown.
    #[arg(long)]
    pub(crate) reveal: bool,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,
}

/// A run and both its ends; the papers are the migration folder's.
#[derive(Clone, Debug, Args)]
pub(crate) struct BegunArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    from: FromArgs,

    #[command(flatten)]
    to: ToArgs,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,

    #[command(flatten)]
    still: StillArgs,
}

impl BegunArgs {
    /// Why a role is accepted that can do more than it needs.
    pub(crate) fn wider_role(&self) -> Option<&str> {
        self.still.accept_wider_role.as_deref()
    }

    /// The same as the commands take it that begin a run.
    pub(crate) fn papers(&self) -> PaperArgs {
        PaperArgs {
            from: self.from.clone(),
            to: self.to.clone(),
            identity: self.identity.clone(),
            still: self.still.clone(),
            ..PaperArgs::default()
        }
    }
}

/// What a reconciliation takes.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) begun: BegunArgs,

    /// Compare the reference data alone, before the rest has moved.
    #[arg(long)]
    pub(crate) reference: bool,

    /// Read the source again too, every row, and tell which rows changed there since.
    #[arg(long)]
    pub(crate) full: bool,
}

/// What an undo takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) begun: BegunArgs,

    /// Delete nothing: read the destination, and tell what would go and what would be kept.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
