//! The certificate of erasure, and the end.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{RunArgs, SignArgs, ToArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Certify {
    /// Write what was erased and looked for, per place, as a certificate to sign.
    ///
    /// Refused before the migration is accepted, while something is still to be erased or looked for, and where
    /// something was found that should be gone.
    #[command(after_help = "Example:\n  ecluse certify propose")]
    Propose(RunArgs),
    /// Certify, as a signatory of the processor. The last signature writes `evidence.tar`.
    #[command(after_help = "Example:\n  ecluse certify sign --key ~/.ssh/id_ed25519 --as serrano")]
    Sign(SignArgs),
    /// Verify who certified, and whether it is of what was erased.
    #[command(after_help = "Example:\n  ecluse certify verify")]
    Verify(RunArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    /// Destroy nothing: tell what would go, or what is open.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
