//! The journal on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Take in what is not yet, and show the checkpoint: size and root, signed.
    ///
    /// Whoever keeps it can tell later that nothing before it was changed.
    #[command(
        after_help = "Example:\n  ecluse journal checkpoint\n  ecluse journal checkpoint -o for-the-laboratory.checkpoint"
    )]
    Checkpoint(CheckpointArgs),
    /// Verify every entry against the checkpoint, and the journal against every checkpoint that others hold.
    ///
    /// Offline. What was changed before anybody else saw a checkpoint is not found: no software finds it.
    #[command(
        after_help = "Example:\n  ecluse journal verify\n  ecluse journal verify --against kept.checkpoint --against older.checkpoint"
    )]
    Verify(SeenArgs),
    /// Write the proof that one entry is in the journal, checkable offline (C2SP tlog-proof), and the entry.
    #[command(after_help = "Example:\n  ecluse journal prove 214 -o entry-214.tlog-proof")]
    Prove(ProveArgs),
    /// The last entries in words.
    #[command(after_help = "Example:\n  ecluse journal tail\n  ecluse journal tail -n 50 --follow")]
    Tail(TailArgs),
    /// Write the entries as FHIR R4 AuditEvent, one a line; no patient's data are in them.
    #[command(
        after_help = "Example:\n  ecluse journal export -o audit.ndjson\n  ecluse journal export --bundle -o audit.json"
    )]
    Export(ExportArgs),
    /// Witness the journal: compare it with what this key saw before, and sign size, root and hour.
    ///
    /// On the witness's own machine, over a copy of the folder.
    #[command(
        after_help = "Example:\n  ecluse journal cosign --key ~/journal-witness.key --name labo-tilleuls.example/journal -o tilleuls.checkpoint"
    )]
    Cosign(CosignArgs),
    /// Erase what is older than the retention, by whole bundles from the front; the rest still verifies.
    #[command(
        after_help = "Example:\n  ecluse journal prune\n  ecluse journal prune --months 24 --reason 'dispute of 12 May, minutes of the 20th'"
    )]
    Prune(PruneArgs),
    /// Keep a journal for other accounts: they can append to it through a socket, and nothing else.
    ///
    /// Run it as an account of its own, whose group is the application's. Its folder holds the journal and the
    /// key that signs it; the group may read the journal. It runs until SIGTERM, and erases daily, by whole bundles
    /// from the front, what is older than it keeps.
    #[command(
        after_help = "Example:\n  ecluse journal serve /var/lib/ecluse-journal/tilleuls --socket /run/ecluse-journal/tilleuls --from $(id -u ecluse)"
    )]
    Serve(ServeArgs),
    /// Have this migration's journal kept by the writer that listens there; before anything is noted.
    #[command(after_help = "Example:\n  ecluse journal join /run/ecluse-journal/tilleuls")]
    Join(JoinArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The folder of this account in which the journal is kept; made where it is not there.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) store: PathBuf,

    /// Where it listens.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) socket: PathBuf,

    /// The number of an account that may append (repeatable): id -u NAME.
    #[arg(long, value_name = "UID", required = true)]
    pub(crate) from: Vec<u32>,

    /// For how many months entries are kept: 6 to 12; to 36 with a reason.
    #[arg(long, default_value_t = 12, value_name = "MONTHS")]
    pub(crate) months: u32,

    /// Why for longer than 12; it is kept with the journal.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: Option<String>,

    /// Erase nothing for now (legal hold), and why; without it from the next start on.
    #[arg(long, value_name = "WORDS")]
    pub(crate) held: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// Where the writer listens.
    #[arg(value_name = "SOCKET", value_hint = ValueHint::FilePath)]
    pub(crate) socket: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// For how many months entries are kept: 6 to 12; to 36 with a reason.
    #[arg(long, default_value_t = 12, value_name = "MONTHS")]
    pub(crate) months: u32,

    /// Why for longer than 12; it is kept with the journal.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ProveArgs {
    /// Which entry; the first is 0.
    #[arg(value_name = "INDEX")]
    pub(crate) index: u64,

    /// Where the proof is written; the entry goes beside it as .json. By default entry-INDEX.tlog-proof.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// How many of the last entries.
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    pub(crate) lines: u64,

    /// Go on with those that come, until Ctrl-C.
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where they are written.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// One resource of type Bundle in place of one event a line.
    #[arg(long)]
    pub(crate) bundle: bool,

    /// From which entry on.
    #[arg(long, default_value_t = 0, value_name = "INDEX")]
    pub(crate) from: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CosignArgs {
    /// The witness's key; made where it is not there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,

    /// The name under which a new key signs: no spaces, no +.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Where the cosigned checkpoint is written; by default into the journal's own folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    /// Write the signed checkpoint here as well, to be given to somebody who keeps it.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SeenArgs {
    /// A checkpoint that somebody kept (repeatable).
    #[arg(long, value_name = "CHECKPOINT", value_hint = ValueHint::FilePath)]
    pub(crate) against: Vec<PathBuf>,

    /// The key of a witness whose cosignatures in the folder count (repeatable); those that the order names do.
    #[arg(long, value_name = "NAME+ID+KEY")]
    pub(crate) witness: Vec<String>,

    /// The key that signs the journal, obtained elsewhere; by default the one that lies in it.
    #[arg(long, value_name = "NAME+ID+KEY")]
    pub(crate) log_key: Option<String>,
}
