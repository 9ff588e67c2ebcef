//! What `ecluse extract` and `ecluse return` take.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::PaperArgs;

/// The papers, where the archive goes, and with whose key its manifest is signed.
#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    #[command(flatten)]
    pub(crate) papers: PaperArgs,

    /// The archive: a new folder.
    #[arg(short, long, value_name = "ARCHIVE", value_hint = ValueHint::DirPath)]
    pub(crate) output: PathBuf,

    /// The operator's private key, which signs the manifest. In a trial: the operator's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,
}

/// The papers, where the archive goes, and with whose key its manifest is signed.
#[derive(Debug, Args)]
pub(crate) struct ReturnArgs {
    #[command(flatten)]
    pub(crate) papers: PaperArgs,

    /// The archive: a new folder.
    #[arg(short, long, value_name = "ARCHIVE", value_hint = ValueHint::DirPath, required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    /// The operator's private key, which signs the manifest. In a trial: the operator's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// Say which tables, columns and rows would be sealed; read no row.
    #[arg(long, conflicts_with = "output")]
    pub(crate) dry_run: bool,
}
