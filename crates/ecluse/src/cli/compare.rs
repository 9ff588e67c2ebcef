//! Drawn dossiers, compared by the laboratory.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{BegunArgs, FileArg, Language};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  ecluse compare --as 'Claire Fontaine'\n  ecluse compare sign --key ~/.ssh/id_ed25519"
)]
pub(crate) struct CompareArgs {
    #[command(subcommand)]
    pub(crate) step: Option<CompareStep>,

    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CompareStep {
    /// Sign what you compared, with your own key.
    #[command(after_help = "Example:\n  ecluse compare sign --key ~/.ssh/id_ed25519")]
    Sign(CompareSignArgs),
    /// Verify who compared, and whether the run has gone on since.
    #[command(after_help = "Example:\n  ecluse compare verify")]
    Verify(FileArg),
}

#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    pub(crate) begun: BegunArgs,

    /// Who compares: a person of the laboratory, by name or address in the contract; by default the only one.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) person: Option<String>,

    /// How many dossiers are drawn; at least one of each kind, whatever the number. By default as many as
    /// before, else 12.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=500))]
    pub(crate) dossiers: Option<u64>,

    /// The screen's language.
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
}

#[derive(Debug, Args)]
pub(crate) struct CompareSignArgs {
    /// Your private key (OpenSSH); in a trial, the trial's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// A signature that `ssh-keygen -Y sign` made: it is checked, brought to its one exact form and put in place.
    #[arg(long, value_name = "FILE.sig", value_hint = ValueHint::FilePath, conflicts_with = "key")]
    pub(crate) adopt: Option<PathBuf>,
}
