//! Copies: listed, held, erased.

use clap::Args;
use jiff::civil::Date;

use super::BegunArgs;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ecluse copies\n  ecluse copies --all --json")]
pub(crate) struct CopiesArgs {
    /// Those too that are gone.
    #[arg(long)]
    pub(crate) all: bool,
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
