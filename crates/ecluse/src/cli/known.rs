//! `ecluse known` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::RunArgs;

/// What a list of persons who exist already takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse known run\n  ecluse known --json > known.json      tokens, and by what they agree\n  ecluse known --reveal                with both rows' keys, on the laboratory's terminal"
)]
pub(crate) struct KnownArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Show both rows' keys at the destination too, on this terminal only; journaled before they are shown.
    #[arg(long)]
    pub(crate) reveal: bool,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,
}
