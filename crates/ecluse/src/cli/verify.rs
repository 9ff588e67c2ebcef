//! Checking an evidence file.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::procedure::Language;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse verify evidence.tar --trust SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n\nThe fingerprint is the one in the paper contract, or read by telephone: one in the file proves nothing.\nNeeds no migration folder, no network and no server."
)]
pub(crate) struct VerifyArgs {
    /// The evidence file.
    #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
    pub(crate) evidence: PathBuf,

    /// The fingerprint of a key of the controller's signatory, from elsewhere; once for each signatory.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) trust: Vec<String>,

    /// The answer's language.
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
}
