//! Differences that the laboratory accepts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{FileArg, SignArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Differences {
    /// Write the list of what the last reconciliation found, for the controller's signatory.
    #[command(
        after_help = "Example:\n  ecluse differences propose --reason 'a technician corrected them in the new system on the 12th'"
    )]
    Propose(ProposeArgs),
    /// Accept every difference of the list, as the controller's signatory.
    #[command(after_help = "Example:\n  ecluse differences sign --key ~/.ssh/id_ed25519 --as morel")]
    Sign(SignArgs),
    /// Verify who accepted, and whether the list is the last reconciliation's.
    #[command(after_help = "Example:\n  ecluse differences verify")]
    Verify(FileArg),
}

#[derive(Debug, Args)]
pub(crate) struct ProposeArgs {
    /// The run folder.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,

    /// Why they are right as they are; without it each reason is left open in the file.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Who proposes it; by default the operator whose session is open.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}
