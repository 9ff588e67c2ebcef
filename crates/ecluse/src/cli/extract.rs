//! What `ecluse extract` and `ecluse return` take.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FromArgs, PaperArgs, StillArgs, ToArgs};

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
    pub(crate) papers: ReturnedArgs,

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

/// The papers of a return: it has no destination, and a run folder of its own.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReturnedArgs {
    /// The signed instruction.
    #[arg(value_name = "INSTRUCTION", value_hint = ValueHint::FilePath)]
    instruction: Option<PathBuf>,

    /// The contract.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    contract: Option<PathBuf>,

    /// The mapping.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    mapping: Option<PathBuf>,

    /// The controller's statement that the instruction stands.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    status: Option<PathBuf>,

    /// The operator's session statement.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    session: Option<PathBuf>,

    #[command(flatten)]
    from: FromArgs,

    /// The operator's age identity.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,

    #[command(flatten)]
    still: StillArgs,
}

impl ReturnedArgs {
    /// The same as every command that reads the source has them.
    pub(crate) fn papers(&self) -> PaperArgs {
        PaperArgs {
            instruction: self.instruction.clone(),
            contract: self.contract.clone(),
            mapping: self.mapping.clone(),
            status: self.status.clone(),
            session: self.session.clone(),
            from: self.from.clone(),
            to: ToArgs::default(),
            run: None,
            identity: self.identity.clone(),
            still: self.still.clone(),
        }
    }
}
