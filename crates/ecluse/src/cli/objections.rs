//! Objections to the order, and their answers.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse instruction object --by 'Paul Serrano' 'the spouses of the patients are nobody's purpose here'"
)]
pub(crate) struct ObjectArgs {
    /// What seems wrong, and why; names no patient.
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,

    /// Who objects: first and last name.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse instruction answer 1 'taken out of version 2' --key ~/.ssh/id_ed25519"
)]
pub(crate) struct AnswerArgs {
    /// The objection's number, from 1.
    #[arg(value_name = "NUMBER")]
    pub(crate) number: usize,

    /// The controller's answer; names no patient.
    #[arg(value_name = "TEXT")]
    pub(crate) text: String,

    /// The signatory's private key (OpenSSH); in a trial, the trial's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// The signature file's name; by default from the signatory's address.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,
}
