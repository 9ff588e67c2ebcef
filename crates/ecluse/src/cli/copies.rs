//! Copies: listed, taken, stated to be destroyed, held, erased.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use ecluse_core::destruction;
use ecluse_core::person::Side;
use jiff::Timestamp;
use jiff::civil::Date;

use super::BegunArgs;
use super::papers::reason;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  ecluse copies\n  ecluse copies --all --json\n  ecluse copies taken 3f9a --holder 'Nadia Petit' --at 2026-11-22T14:30:00+01:00 --place 'USB disk 7, safe in Lyon' --until 2026-12-15 --reason 'load rehearsal'"
)]
pub(crate) struct CopiesArgs {
    #[command(subcommand)]
    pub(crate) step: Option<CopiesStep>,

    /// Those too that are gone.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CopiesStep {
    /// Enter that somebody took a copy out of our reach: it stays open until a signed statement of its destruction.
    Taken(TakenArgs),
    /// Write the statement that a copy which somebody took was destroyed, to be signed by whoever has it.
    State(StateArgs),
    /// Sign such a statement. Signed by whom it must be, it ends the copy's line in the ledger.
    Sign(DestroyedSignArgs),
    /// Verify every statement of destruction; 1 while a copy that somebody took has none.
    #[command(after_help = "Example:\n  ecluse copies verify")]
    Verify,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse copies taken 3f9a --holder 'Nadia Petit' --at 2026-11-22T14:30:00+01:00 --place 'USB disk 7, safe in Lyon' --until 2026-12-15 --reason 'load rehearsal' --dry-run"
)]
pub(crate) struct TakenArgs {
    /// Of what: the copy's id as `ecluse copies` shows it, or its first characters.
    #[arg(value_name = "ID")]
    pub(crate) of: String,

    /// Who took it: first and last name of one person.
    #[arg(long, value_name = "NAME")]
    pub(crate) holder: String,

    /// When it was taken, with the offset.
    #[arg(long, value_name = "MOMENT")]
    pub(crate) at: Timestamp,

    /// Where it lies; names no patient.
    #[arg(long, value_name = "WORDS")]
    pub(crate) place: String,

    /// The day by which whoever has it destroys it; no later than the order has it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Date,

    /// Why it was taken; names no patient.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: String,

    /// Which side answers for somebody whom the contract does not list; the processor for its sub-processors.
    #[arg(long, value_enum, value_name = "SIDE")]
    pub(crate) answers: Option<Answers>,

    /// Enter nothing: tell what would be entered.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// A side of the contract.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Answers {
    /// The laboratory.
    Controller,
    /// The publisher.
    Processor,
}

impl From<Answers> for Side {
    fn from(answers: Answers) -> Self {
        match answers {
            Answers::Controller => Self::Controller,
            Answers::Processor => Self::Processor,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse copies state 8c21 --method destroy --how 'disk shredded by the publisher, seen by two' --at 2026-12-10T09:00:00+01:00 --limits 'none known'\n  ecluse copies sign 8c21 --key ~/.ssh/id_ed25519"
)]
pub(crate) struct StateArgs {
    /// The id of the copy that was taken, as `ecluse copies` shows it, or its first characters.
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    /// What was done to the medium (NIST SP 800-88r2): written over, made irrecoverable, destroyed.
    #[arg(long, value_enum, value_name = "METHOD")]
    pub(crate) method: Method,

    /// How, in words; names no patient.
    #[arg(long, value_name = "WORDS")]
    pub(crate) how: String,

    /// When, with the offset.
    #[arg(long, value_name = "MOMENT")]
    pub(crate) at: Timestamp,

    /// What the statement does not reach: a backup of that machine, until which day; `none known` where nothing is.
    #[arg(long, value_name = "WORDS")]
    pub(crate) limits: String,

    /// Who states it: whoever has the copy, where the contract has a key of theirs; else a signatory of the side that
    /// answers for them. By default the only one who can.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// What was done to a medium.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Method {
    /// Every addressable place was written over.
    Clear,
    /// Made irrecoverable in a laboratory too: its own purge command, or the key of what was encrypted destroyed.
    Purge,
    /// The medium itself is destroyed.
    Destroy,
}

impl From<Method> for destruction::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Clear => Self::Clear,
            Method::Purge => Self::Purge,
            Method::Destroy => Self::Destroy,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse copies sign 8c21 --key ~/.ssh/id_ed25519\n  ecluse copies sign 8c21 --adopt 8c21.toml.sig"
)]
pub(crate) struct DestroyedSignArgs {
    /// The id of the copy that was taken, as `ecluse copies` shows it, or its first characters.
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    /// Your private key (OpenSSH); in a trial, the trial's own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// A signature that `ssh-keygen -Y sign` made: it is checked, brought to its one exact form and put in place.
    #[arg(long, value_name = "FILE.sig", value_hint = ValueHint::FilePath, conflicts_with = "key")]
    pub(crate) adopt: Option<PathBuf>,

    /// The signature file's name; by default from the signatory's address.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse hold 3f9a --reason 'a complaint is pending' --approved-by 'Claire Fontaine' --until 2027-03-31\n  ecluse hold 3f9a --release"
)]
pub(crate) struct HoldArgs {
    /// The copy's id as `ecluse copies` shows it, or its first characters.
    #[arg(value_name = "ID")]
    pub(crate) id: String,

    /// Why it stays; names no patient.
    #[arg(long, value_name = "WORDS", required_unless_present = "release")]
    pub(crate) reason: Option<String>,

    /// Who approved it: first and last name.
    #[arg(long = "approved-by", value_name = "NAME", required_unless_present = "release")]
    pub(crate) approver: Option<String>,

    /// The hold's last day; the day after, erasure goes on by itself.
    #[arg(long, value_name = "YYYY-MM-DD", required_unless_present = "release")]
    pub(crate) until: Option<Date>,

    /// Take the hold back.
    #[arg(long, conflicts_with_all = ["reason", "approver", "until"])]
    pub(crate) release: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse erase --dry-run\n  ecluse erase\n  ecluse erase --copy 3f9a\n  ecluse erase --watch\n  ecluse erase --source --dry-run --from postgresql://admin@lab/SIGL\n  ecluse erase --look\n  systemctl enable --now ecluse-erase@$(systemd-escape -p /srv/tilleuls).timer"
)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    pub(crate) begun: BegunArgs,

    /// What moved, at the source, as the order has it: after acceptance, by an administrator of the source (--from URL).
    #[arg(long, conflicts_with_all = ["watch", "timer", "look"])]
    pub(crate) source: bool,

    /// Take files of erased rows that are not there, and that écluse did not erase, for gone: the reason stands in the
    /// certificate.
    #[arg(long, value_name = "REASON", requires = "source", value_parser = reason)]
    pub(crate) files_missing: Option<String>,

    /// One copy before its day: by its id as `ecluse copies` shows it, or its first characters. A sealed archive, a list
    /// of persons who stay, staged rows, a report; what a migration still needs goes on its day, or when it is closed.
    #[arg(long, value_name = "ID", conflicts_with_all = ["source", "look", "watch", "timer"])]
    pub(crate) copy: Option<String>,

    /// Look whether anything is left of what was erased, in every place that is known.
    #[arg(long, conflicts_with_all = ["watch", "timer", "dry_run"])]
    pub(crate) look: bool,

    /// Erase nothing: tell what would go.
    #[arg(long, conflicts_with_all = ["watch", "timer"])]
    pub(crate) dry_run: bool,

    /// Stay, and look again and again.
    #[arg(long, conflicts_with = "timer")]
    pub(crate) watch: bool,

    /// One look of a timer of the system: `ecluse copies` and `ecluse next` tell when the next one does not come.
    #[arg(long)]
    pub(crate) timer: bool,

    /// Hours between two looks.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
    pub(crate) every: u32,
}
