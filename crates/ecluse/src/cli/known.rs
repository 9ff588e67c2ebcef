//! `ecluse known` on the command line.

use clap::Args;

use super::run::RevealArgs;

/// What a list of persons who exist already takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse known run\n  ecluse known --json > known.json      tokens, and by what they agree\n  ecluse known --reveal                with both rows' keys, on the laboratory's terminal"
)]
pub(crate) struct KnownArgs {
    #[command(flatten)]
    pub(crate) list: RevealArgs,
}
