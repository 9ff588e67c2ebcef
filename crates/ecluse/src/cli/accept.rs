//! The acceptance of the migration.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::pages::Lang;
use super::{RunArgs, SignArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Accept {
    /// Write what there is to accept, from the run's figures and its reconciliation.
    ///
    /// Refused while the destination has not been read back since the run last changed it, or differs and nobody
    /// accepted how.
    #[command(after_help = "Example:\n  ecluse reconcile && ecluse accept propose --lang fr")]
    Propose(AcceptArgs),
    /// Accept the migration, as a signatory of the controller. It can not be undone any more then.
    #[command(after_help = "Example:\n  ecluse accept sign --key ~/.ssh/id_ed25519 --as morel")]
    Sign(SignArgs),
    /// Verify who accepted, and whether it is what stands there now.
    #[command(after_help = "Example:\n  ecluse accept verify")]
    Verify(RunArgs),
    /// Show what it says, signed or not, and its fingerprint; with -o as a page to read and sign.
    #[command(after_help = "Example:\n  ecluse accept show\n  ecluse accept show -o acceptance.html")]
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// The language of what the laboratory signs.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The acceptance; by default the migration folder's.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// Where the page is written; without it none is.
    #[arg(short, long, value_name = "PAGE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
