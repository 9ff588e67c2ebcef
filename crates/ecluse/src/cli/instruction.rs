//! `ecluse instruction`: the order, its status, and who stays out of it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{AnswerArgs, ExcludeArgs, FileArg, FromArgs, ObjectArgs, SignArgs, ToArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum Instruction {
    /// Draft from the dictionary: everything is denied at first.
    #[command(
        after_help = "Example:\n  ecluse instruction new\n  ecluse instruction new --table patients --table results\n  ecluse instruction new --table patients --grant-proposed"
    )]
    New(InstructionNewArgs),
    /// Check as a compiler does: every mistake with its line and what to write.
    #[command(after_help = "Example:\n  ecluse instruction check\n  ecluse instruction check --fill")]
    Check(InstructionCheckArgs),
    /// What changes between two versions, as a countersignature needs it.
    #[command(after_help = "Example:\n  ecluse instruction diff instruction.v1.toml instruction.toml")]
    Diff {
        /// The version before.
        #[arg(value_name = "OLD", value_hint = ValueHint::FilePath)]
        old: PathBuf,
        /// The version now; by default the folder's.
        #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
        new: Option<PathBuf>,
    },
    /// Sign, as the controller's signatory (or countersign, as the processor's).
    #[command(
        after_help = "Example:\n  ecluse instruction sign --key ~/.ssh/id_ed25519 --as morel\n  ecluse instruction sign --adopt instruction.toml.sig"
    )]
    Sign(SignArgs),
    /// Verify signatures, dates, digests and status.
    #[command(after_help = "Example:\n  ecluse instruction verify")]
    Verify(FileArg),
    /// End the instruction for good: nothing more is read under it.
    #[command(
        after_help = "Example:\n  ecluse instruction revoke --key ~/.ssh/id_ed25519 --reason 'wrong period'"
    )]
    Revoke(StatusArgs),
    /// Stop until a new status says otherwise.
    #[command(
        after_help = "Example:\n  ecluse instruction suspend --key ~/.ssh/id_ed25519 --reason 'a question is open'"
    )]
    Suspend(StatusArgs),
    /// State, as the controller, that the instruction stands today; without --key, show the last status
    /// (in a trial: state it, unless it was suspended or revoked).
    #[command(
        after_help = "Example:\n  ecluse instruction status\n  ecluse instruction status --key ~/.ssh/id_ed25519"
    )]
    Status(StatusArgs),
    /// Tell the controller that the instruction seems to infringe the law: nothing moves until it answers.
    Object(ObjectArgs),
    /// Answer an objection, as the controller's signatory.
    Answer(AnswerArgs),
    /// Seal, on the laboratory's side, the list of persons whose rows never move; the order cites its digest.
    Exclude(ExcludeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InstructionNewArgs {
    /// A table to begin with (repeatable); every other one stays denied.
    #[arg(long = "table", value_name = "NAME")]
    pub(crate) tables: Vec<String>,

    /// Grant, in these tables, every column that needs no reason; without it all of them stay denied.
    #[arg(long, requires = "tables")]
    pub(crate) grant_proposed: bool,

    /// An order worked out for this product: everything but its header and its two databases.
    #[arg(long, value_name = "FILE", conflicts_with = "tables", value_hint = ValueHint::FilePath)]
    pub(crate) worked: Option<PathBuf>,

    /// The dictionary.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) dictionary: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// Where the draft is written.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InstructionCheckArgs {
    /// The instruction; by default the migration folder's.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// Write the digests of dictionary, mapping and schema into an unsigned draft first.
    #[arg(long)]
    pub(crate) fill: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The instruction; by default the migration folder's.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The signatory's private key (OpenSSH).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// The signature file's name; by default from the signatory's address.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,

    /// Why; demanded where it is suspended or revoked.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: Option<String>,
}
