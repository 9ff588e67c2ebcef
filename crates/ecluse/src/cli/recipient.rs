//! Whoever may open a sealed archive.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{FileArg, SignArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Recipient {
    /// On the recipient's machine: make an age identity for this migration alone, and write its statement.
    ///
    /// The identity stays on this machine, outside the migration folder; the statement travels.
    #[command(
        after_help = "Example:\n  ecluse recipient new --identity ~/tilleuls.age --purpose 'Reprise du dossier patient'\n  ecluse recipient new --return --identity ~/rendu.age      the laboratory's own, for what is returned to it"
    )]
    New(RecipientNewArgs),
    /// Sign the statement, as a recipient of the contract.
    #[command(after_help = "Example:\n  ecluse recipient sign --key ~/.ssh/id_ed25519 --as martin")]
    Sign(RecipientSignArgs),
    /// Verify who signed it, for whom, and until when it holds.
    #[command(after_help = "Example:\n  ecluse recipient verify")]
    Verify(StatementArgs),
    /// Show what it says, signed or not, and what an order has to cite.
    #[command(after_help = "Example:\n  ecluse recipient show")]
    Show(StatementArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RecipientSignArgs {
    #[command(flatten)]
    pub(crate) sign: SignArgs,

    /// The laboratory's own statement, for what is returned to it; a signatory of the controller's signs.
    #[arg(long = "return")]
    pub(crate) back: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatementArgs {
    #[command(flatten)]
    pub(crate) file: FileArg,

    /// The laboratory's own statement, for what is returned to it.
    #[arg(long = "return")]
    pub(crate) back: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RecipientNewArgs {
    /// Where the identity is kept: a new file, outside the migration folder. In a trial: in keys/.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    /// What the archive is for; by default the contract's purpose.
    #[arg(long, value_name = "WORDS")]
    pub(crate) purpose: Option<String>,

    /// On the laboratory's machine: a key for what is returned to it, instead of a recipient's.
    #[arg(long = "return", conflicts_with = "entity")]
    pub(crate) back: bool,

    /// The legal entity that receives; by default the only one for which the contract lists a recipient.
    #[arg(long, value_name = "NAME")]
    pub(crate) entity: Option<String>,

    /// For how many days the key may be used, 366 at most.
    #[arg(long, default_value_t = 92, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,

    /// The contract.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) contract: Option<PathBuf>,

    /// Where the statement is written; by default `recipient.toml` in the migration folder, with --return `return-recipient.toml`.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
