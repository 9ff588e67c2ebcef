//! The options of `ecluse mapping`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{FileArg, SignArgs};

#[derive(Debug, Default, Args)]
pub(crate) struct MappingNewArgs {
    /// Where the mapping is written; by default the migration folder's `mapping.toml`.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// A mapping worked out for this product; the code tables it names are copied beside it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) worked: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// Draft from the instruction: same names, same types.
    #[command(
        after_help = "Example:\n  ecluse mapping new\n  ecluse mapping new --worked docs/labbook/mapping.toml"
    )]
    New(MappingNewArgs),
    /// Check against the instruction: nothing granted unused, nothing used ungranted.
    #[command(after_help = "Example:\n  ecluse mapping check mapping.toml")]
    Check(FileArg),
    /// Print the values that it makes itself: booleans, constants, joined texts.
    #[command(after_help = "Example:\n  ecluse mapping print")]
    Print(FileArg),
    /// Accept what it makes of results, as a biologist of the controller.
    #[command(after_help = "Example:\n  ecluse mapping sign --key ~/.ssh/id_ed25519 --as aubry")]
    Sign(SignArgs),
}
