//! Reference data: tests, units, codes, prescribers, sites.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::pages::Lang;
use super::{PaperArgs, RunArgs, SignArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Reference {
    /// Print what the code tables do, one line per code with its rows, for the biologist who accepts them.
    ///
    /// Reads every ordered row, in memory, as `ecluse plan` does; the code tables need no signature yet.
    #[command(
        after_help = "Example:\n  ecluse reference print\n  ecluse reference print --lang en -o reference.html"
    )]
    Print(PrintArgs),
    /// Write the acceptance of what `migrate --reference` moved, for a biologist of the laboratory.
    #[command(
        after_help = "Example:\n  ecluse migrate --reference\n  ecluse reconcile --reference\n  ecluse reference propose"
    )]
    Propose(RunArgs),
    /// Accept the reference data, as a biologist of the controller.
    #[command(after_help = "Example:\n  ecluse reference sign --key ~/.ssh/id_ed25519 --as aubry")]
    Sign(SignArgs),
    /// Verify who accepted them.
    #[command(after_help = "Example:\n  ecluse reference verify")]
    Verify(RunArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PrintArgs {
    #[command(flatten)]
    pub(crate) papers: PaperArgs,

    /// The page's language.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,

    /// Where the page is written; by default `reference.html` in the migration folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
