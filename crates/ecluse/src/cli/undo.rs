//! `ecluse undo` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, RunArgs, StillArgs, ToArgs};

/// What an undo takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) still: StillArgs,

    /// Delete nothing: read the destination, and tell what would go and what would be kept.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
