//! The papers and databases that every step of a run takes, as options.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, ToArgs};

/// The papers a run stands on, and its two databases.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PaperArgs {
    /// The signed instruction.
    #[arg(value_name = "INSTRUCTION", value_hint = ValueHint::FilePath)]
    pub(crate) instruction: Option<PathBuf>,

    /// The contract.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) contract: Option<PathBuf>,

    /// The mapping.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) mapping: Option<PathBuf>,

    /// The controller's statement that the instruction stands.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) status: Option<PathBuf>,

    /// The operator's session statement.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) session: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// The run folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) still: StillArgs,
}

/// What the operator says of the source; asked of every command that reads rows of it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StillArgs {
    /// Read the tables themselves where the administrator made no views; recorded and reported.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) without_views: Option<String>,

    /// Go on with a role that can do more than the instruction needs; recorded and reported.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) accept_wider_role: Option<String>,

    /// State that nobody writes to the source: tables without transactions may then be read.
    #[arg(long)]
    pub(crate) frozen: bool,
}

/// A reason that says something: it is recorded, and printed in the report.
pub(super) fn reason(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("say why: the reason is recorded and reported")
    } else {
        Ok(text.to_owned())
    }
}
