//! Signing a paper, as options: with a key, with a signature made elsewhere, or by hand, as its checker states it.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use jiff::civil::Date;

/// See [`crate::papers::by_hand`].
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OnPaperArgs {
    /// The scan of the page that somebody signed by hand; you sign with your own --key that you checked it.
    #[arg(long, value_name = "SCAN", value_hint = ValueHint::FilePath, conflicts_with = "adopt")]
    pub(crate) on_paper: Option<PathBuf>,

    /// Who signed it, by the address in the contract; by default the only person who signs on paper.
    #[arg(long, value_name = "ADDRESS", requires = "on_paper")]
    pub(crate) of: Option<String>,

    /// The day written beside the signature.
    #[arg(long, value_name = "DAY", requires = "on_paper")]
    pub(crate) signed: Option<Date>,

    /// The 32 characters of the fingerprint as they stand on the signed page.
    #[arg(long, value_name = "CHARACTERS", requires = "on_paper")]
    pub(crate) read: Option<String>,

    /// How the hand was recognised: signed before you, read back by telephone.
    #[arg(long, value_name = "WORDS", requires = "on_paper")]
    pub(crate) how: Option<String>,
}

/// How a paper is signed.
#[derive(Debug, Default, Args)]
pub(crate) struct SignArgs {
    /// The document; by default the migration folder's.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// Your private key (OpenSSH); in a trial, the trial's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// A signature that `ssh-keygen -Y sign` made: it is checked, brought to its one exact form and put in place.
    #[arg(long, value_name = "FILE.sig", value_hint = ValueHint::FilePath, conflicts_with = "key")]
    pub(crate) adopt: Option<PathBuf>,

    /// The signature file's name; by default from your address in the contract.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,

    #[command(flatten)]
    pub(crate) on_paper: OnPaperArgs,
}
