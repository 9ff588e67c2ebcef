//! What `ecluse extract` takes.

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
