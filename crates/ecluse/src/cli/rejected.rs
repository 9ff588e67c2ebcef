//! `ecluse rejected` on the command line.

use clap::Args;

use super::run::RevealArgs;

/// What a list of rejected rows takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse rejected run\n  ecluse rejected --json > rejected.json      tokens and codes\n  ecluse rejected --reveal                    with their keys, on the laboratory's terminal"
)]
pub(crate) struct RejectedArgs {
    #[command(flatten)]
    pub(crate) list: RevealArgs,
}
