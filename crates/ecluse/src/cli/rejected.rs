//! `ecluse rejected` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::RunArgs;

/// What a list of rejected rows takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse rejected run\n  ecluse rejected --json > rejected.json      tokens and codes\n  ecluse rejected --reveal                    with their keys, on the laboratory's terminal"
)]
pub(crate) struct RejectedArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Show each row's key too, on this terminal only; journaled before it is shown.
    #[arg(long)]
    pub(crate) reveal: bool,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,
}
