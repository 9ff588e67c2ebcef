//! `ecluse freeze` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, RunArgs, StillArgs, ToArgs};

/// What a freeze takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct FreezeArgs {
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
}
