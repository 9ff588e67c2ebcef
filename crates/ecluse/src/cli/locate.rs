//! `ecluse locate` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, StillArgs};

/// What a search for a row takes.
#[derive(Debug, Args)]
pub(crate) struct LocateArgs {
    /// The token, as `reconcile` printed it; its beginning is enough where it names one row.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: String,

    /// The run folder; by default the migration folder's.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) still: StillArgs,
}
