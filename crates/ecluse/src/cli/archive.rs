//! Sealed archives, as their recipient takes them, and the receipt.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{FileArg, SignArgs, ToArgs};

/// An archive, as everybody sees it.
#[derive(Clone, Debug, Args)]
pub(crate) struct InspectArgs {
    /// The archive's folder.
    #[arg(value_name = "ARCHIVE", value_hint = ValueHint::DirPath)]
    pub(crate) archive: PathBuf,
}

/// An archive and what opens it.
#[derive(Clone, Debug, Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    pub(crate) inspect: InspectArgs,

    /// The recipient's age identity for this migration; in a trial the one in keys/.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    /// The controller's statement that the instruction stands.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) status: Option<PathBuf>,
}

/// An archive, what opens it, and whether all of it is opened.
#[derive(Clone, Debug, Args)]
pub(crate) struct OpenedArgs {
    #[command(flatten)]
    pub(crate) open: OpenArgs,

    /// Of what was returned to the laboratory: open every row, add all of them up, and write the receipt to sign.
    #[arg(long)]
    pub(crate) receipt: bool,
}

/// What a load takes.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse load tilleuls.archive --identity ~/tilleuls.age --to sqlite:new.db --ddl --key ~/.ssh/id_ed25519"
)]
pub(crate) struct LoadArgs {
    #[command(flatten)]
    pub(crate) open: OpenArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// Make the destination's missing tables first.
    #[arg(long)]
    pub(crate) ddl: bool,

    /// The folder that receives the files which rows name; demanded where the archive holds some.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) files: Option<PathBuf>,

    /// Load the reference data alone: a biologist of the laboratory accepts them before anything else is loaded.
    #[arg(long)]
    pub(crate) reference: bool,

    /// Your private key (OpenSSH), to sign the receipt as a recipient of the contract; in a trial, the trial's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// The signature file's name; by default from your address in the contract.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,

    /// The run folder of the load; by default `load` in the migration folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Sign the receipt, as a recipient of the contract; only once the identity is destroyed.
    #[command(after_help = "Example:\n  ecluse receipt sign --key ~/.ssh/id_ed25519 --as martin")]
    Sign(ReceiptSignArgs),
    /// Verify who signed it, of which archive it is, and whether it says what was sealed.
    #[command(after_help = "Example:\n  ecluse receipt verify --archive tilleuls.archive")]
    Verify(ReceiptVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptSignArgs {
    #[command(flatten)]
    pub(crate) sign: SignArgs,

    /// The laboratory's receipt of what was returned to it.
    #[arg(long = "return", conflicts_with = "run")]
    pub(crate) back: bool,

    /// The run folder of the load; by default `load` in the migration folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptVerifyArgs {
    #[command(flatten)]
    pub(crate) file: FileArg,

    /// The laboratory's receipt of what was returned to it.
    #[arg(long = "return", conflicts_with = "run")]
    pub(crate) back: bool,

    /// The archive that it should be of: its manifest is verified and compared.
    #[arg(long, value_name = "ARCHIVE", value_hint = ValueHint::DirPath)]
    pub(crate) archive: Option<PathBuf>,

    /// The run folder of the extraction; by default the migration folder's.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) run: Option<PathBuf>,
}
