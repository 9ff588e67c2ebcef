//! The command tree, as scripts rely on it: names, flags and examples, no behaviour.
//!
//! Every file argument may be left out: the migration folder supplies it by name
//! ([`crate::folder`]), and a flag overrides. `docs/formats.md` describes the files.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

mod accept;
mod archive;
mod campaign;
mod certify;
mod compare;
mod copies;
mod dictionary;
mod differences;
mod ends;
mod excluded;
mod extract;
mod grants;
mod instruction;
mod journal;
mod known;
mod locate;
mod mapping;
mod migrate;
mod objections;
mod pages;
mod papers;
mod plan;
mod procedure;
mod recipient;
mod reference;
mod rejected;
mod run;
mod signed;
mod verify;

pub(crate) use accept::{Accept, AcceptArgs, ShowArgs};
pub(crate) use archive::{InspectArgs, LoadArgs, OpenedArgs, Receipt, ReceiptSignArgs, ReceiptVerifyArgs};
pub(crate) use campaign::{BoardArgs, Campaign, CampaignArgs, EachArgs, OfLaboratories};
pub(crate) use certify::{Certify, CloseArgs};
pub(crate) use compare::{CompareArgs, CompareSignArgs, CompareStep, LookArgs};
pub(crate) use copies::{
    CopiesArgs, CopiesStep, DestroyedSignArgs, EraseArgs, HoldArgs, StateArgs, TakenArgs,
};
pub(crate) use dictionary::{NewArgs as NewProductArgs, ProductDictionary, UseArgs};
pub(crate) use differences::{Differences, ProposeArgs};
pub(crate) use ends::{FromArgs, ToArgs};
pub(crate) use excluded::ExcludeArgs;
pub(crate) use extract::{ExtractArgs, ReturnArgs};
pub(crate) use grants::GrantsArgs;
pub(crate) use instruction::{Instruction, InstructionCheckArgs, InstructionNewArgs, StatusArgs};
pub(crate) use journal::{
    CheckpointArgs, CosignArgs, ExportArgs, JoinArgs, Journal, ProveArgs, PruneArgs, SeenArgs, ServeArgs,
    TailArgs,
};
pub(crate) use known::KnownArgs;
pub(crate) use locate::LocateArgs;
pub(crate) use mapping::{Mapping, MappingNewArgs};
pub(crate) use migrate::MigrateArgs;
pub(crate) use objections::{AnswerArgs, ObjectArgs};
pub(crate) use pages::{OrderArgs, PatientsArgs, ReportArgs};
pub(crate) use papers::{PaperArgs, StillArgs};
pub(crate) use plan::PlanArgs;
pub(crate) use procedure::{Language, ProcedureArgs};
pub(crate) use recipient::{Recipient, RecipientNewArgs, StatementArgs};
pub(crate) use reference::{PrintArgs, Reference};
pub(crate) use rejected::RejectedArgs;
pub(crate) use run::{BegunArgs, ReconcileArgs, RevealArgs, RunArgs, UndoArgs};
pub(crate) use signed::SignArgs;
pub(crate) use verify::VerifyArgs;

/// Move health data exactly as its controller ordered, and prove it.
#[derive(Debug, Parser)]
#[command(
    name = "ecluse",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Example:\n  ecluse demo /tmp/demo        the whole path on an invented laboratory\n  ecluse new --trial lab       try a database of your own\n  ecluse next                  what is missing, who has to do it, the exact command\n\nExit codes: 0 all holds, 1 refused or different, 2 wrong use, 3 something outside failed."
)]
pub(crate) struct Cli {
    /// Print one JSON document (migrate: one per line) instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The migration folder; by default the nearest one upwards from here.
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One per step of the chain.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Both ways on an invented laboratory, to the certificate: no server, no network, under a minute.
    #[command(
        after_help = "Example:\n  ecluse demo /tmp/demo     then open /tmp/demo/report.html in a browser\n  ecluse demo /tmp/demo --leave-open     and go on by hand: cd /tmp/demo && ecluse next"
    )]
    Demo(DemoArgs),

    /// Lay out a migration folder with commented templates.
    #[command(
        after_help = "Example:\n  ecluse new tilleuls\n  ecluse new lab --trial --from mariadb://root@localhost/SIGL --to sqlite:new.db"
    )]
    New(NewArgs),

    /// What is missing, who has to do it, and the exact command.
    #[command(after_help = "Example:\n  cd tilleuls && ecluse next")]
    Next,

    /// The dated sheet of this migration: steps, names, deadlines, who waits for whom, boxes to sign.
    Procedure(ProcedureArgs),

    /// Many laboratories on one board: step, waiting for whom and since when, last figure.
    #[command(
        after_help = "Example:\n  ecluse campaign labbook-2026\n  ecluse campaign labbook-2026 -o board.html --lang en\n  ecluse campaign new labbook-2026"
    )]
    Campaign(CampaignArgs),

    /// The contract between controller and processor (GDPR Art. 28).
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse contract new\n  ecluse contract sign --key ~/.ssh/id_ed25519 --as morel"
    )]
    Contract(Contract),

    /// Leave to look at a database: the signed mandate for a survey.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse mandate new\n  ecluse mandate sign --key ~/.ssh/id_ed25519 --as morel"
    )]
    Mandate(Mandate),

    /// Read a database's catalogue under a mandate, and write the dictionary.
    #[command(
        after_help = "Example:\n  ecluse survey\n  ecluse survey mandate.toml --from mariadb://ro@lab/SIGL"
    )]
    Survey(SurveyArgs),

    /// What is known of a product's tables before one of its databases is seen.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse dictionary list\n  ecluse dictionary use openelis-3.5"
    )]
    Dictionary(ProductDictionary),

    /// The operator's session: at most 12 hours, under one person's name.
    #[command(subcommand, after_help = "Example:\n  ecluse session new --key ~/.ssh/id_ed25519 --as petit")]
    Session(Session),

    /// Who may open a sealed archive: the recipient's own key for one migration, stated and signed.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse recipient new --identity ~/tilleuls.age\n  ecluse recipient sign --key ~/.ssh/id_ed25519 --as martin"
    )]
    Recipient(Recipient),

    /// A sealed archive as everybody sees it: who sealed it, to whom, until when, and whether it is whole.
    #[command(after_help = "Example:\n  ecluse inspect tilleuls.archive")]
    Inspect(InspectArgs),
    /// Verify a sealed archive and open its index: tables and counts, no row.
    #[command(
        after_help = "Example:\n  ecluse open tilleuls.archive --identity ~/tilleuls.age\n  ecluse open rendu.archive --identity ~/rendu.age --receipt      at the laboratory, of what was returned to it"
    )]
    Open(OpenedArgs),
    /// Load a sealed archive into your own database, read it back, destroy the identity, sign the receipt.
    ///
    /// The same command goes on with a load that was interrupted.
    Load(LoadArgs),
    /// What a recipient loaded: its signed receipt.
    #[command(subcommand, after_help = "Example:\n  ecluse receipt verify --archive tilleuls.archive")]
    Receipt(Receipt),

    /// The controller's order: which tables, columns and rows, to whom, until when.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse instruction new\n  ecluse instruction check --fill\n  ecluse instruction sign --key ~/.ssh/id_ed25519 --as morel"
    )]
    Instruction(Instruction),

    /// The instruction as one page that the laboratory reads, prints and signs.
    #[command(
        after_help = "Example:\n  ecluse order\n  ecluse order instruction.toml --lang en -o order.html"
    )]
    Order(OrderArgs),

    /// *Information des patients*: half a page that the laboratory can hand out, made from the order and the contract.
    #[command(after_help = "Example:\n  ecluse patients\n  ecluse patients --lang en -o patients.en.html")]
    Patients(PatientsArgs),

    /// Where each granted column goes, and how it is made.
    #[command(subcommand, after_help = "Example:\n  ecluse mapping new\n  ecluse mapping check")]
    Mapping(Mapping),

    /// Code tables that change a result: a biologist signs them.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse codes print codes/units.toml\n  ecluse codes sign codes/units.toml --key ~/.ssh/id_ed25519 --as claude"
    )]
    Codes(Codes),

    /// Reference data, accepted before patients move.
    #[command(subcommand, after_help = "Example:\n  ecluse reference print")]
    Reference(Reference),

    /// Print the script for the controller's database administrator: views, role, removal.
    #[command(after_help = "Example:\n  ecluse grants instruction.toml > grants.sql")]
    Grants(GrantsArgs),

    /// The dry run: what would move and what is refused. Reads every ordered row, in memory, and writes
    /// nothing; destination tables that are missing are taken as `migrate --ddl` would make them.
    #[command(
        after_help = "Example:\n  ecluse plan\n  ecluse plan --ddl > destination.sql\n  ecluse plan --statements"
    )]
    Plan(PlanArgs),

    /// Move what the instruction orders. The same command resumes, catches up, repairs.
    ///
    /// The dry run is `ecluse plan`: the same reading, checking and transforming, nothing written.
    #[command(
        after_help = "Example:\n  ecluse plan                  the dry run, first\n  ecluse migrate\n  ecluse migrate --ddl         makes the destination's missing tables first\n  ecluse migrate --sample 20    whole dossiers only, to look at them first\n  ecluse migrate --json | tee events.ndjson"
    )]
    Migrate(MigrateArgs),

    /// Seal what the instruction orders to its one recipient: an archive that nobody else can open.
    ///
    /// Killed or stopped, it leaves no archive; the same command begins anew, as the same run.
    #[command(
        after_help = "Example:\n  ecluse plan                          the dry run, first\n  ecluse extract -o tilleuls-2026 --key ~/.ssh/id_ed25519"
    )]
    Extract(ExtractArgs),

    /// Seal to the laboratory's own key what the instruction has returned to it: whole classes, as they are.
    ///
    /// Before the laboratory's receipt (`ecluse open --receipt`) nothing is erased at the source.
    #[command(
        after_help = "Example:\n  ecluse return --dry-run                  what would be sealed\n  ecluse return -o rendu.archive --key ~/.ssh/id_ed25519"
    )]
    Return(ReturnArgs),
    /// Read the destination back in a fresh process and compare.
    #[command(after_help = "Example:\n  ecluse reconcile\n  ecluse reconcile run --json")]
    Reconcile(ReconcileArgs),

    /// Drawn dossiers, old beside new, on this terminal only: each ticked or crossed by one person of the laboratory.
    Compare(CompareArgs),

    /// State that the old software is stopped: keeps the hour and the engine's marks for the last catch-up.
    #[command(after_help = "Example:\n  ecluse freeze && ecluse migrate --catch-up")]
    Freeze(BegunArgs),

    /// Take away what a run wrote, until the migration is accepted: exactly what its ledger says.
    ///
    /// A chunk whose rows were changed since stays, and its rows are named where the source still answers;
    /// nothing else needs it. The run is not given back.
    #[command(after_help = "Example:\n  ecluse undo --dry-run\n  ecluse undo run")]
    Undo(UndoArgs),

    /// Every copy that écluse made, and those that somebody took: what, where, until when; 1 where one stands beyond its
    /// day.
    Copies(CopiesArgs),

    /// Keep a copy beyond its day (legal hold): a reason, an approver, a last day.
    Hold(HoldArgs),

    /// Erase the copies whose day has come.
    Erase(EraseArgs),

    /// Differences that are right as they are: proposed by the processor, accepted by the laboratory.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse differences propose --reason 'corrected in the new system on the 12th'\n  ecluse differences sign --key ~/.ssh/id_ed25519 --as morel"
    )]
    Differences(Differences),

    /// The acceptance of the migration (*procès-verbal de recette*): the laboratory signs what stands there.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse accept propose\n  ecluse accept sign --key ~/.ssh/id_ed25519 --as morel"
    )]
    Accept(Accept),

    /// The certificate of erasure: what was erased and looked for, per place, signed by the processor.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse certify propose\n  ecluse certify sign --key ~/.ssh/id_ed25519 --as serrano"
    )]
    Certify(Certify),

    /// End the migration: refused while anything is open; then the run's keys and its ledger are destroyed.
    ///
    /// In the folder of an archive's recipient it ends the load, once its receipt is signed: the load's ledger leaves
    /// the database, and what the load remembered is destroyed.
    #[command(
        after_help = "Example:\n  ecluse close --dry-run\n  ecluse close\n  ecluse close --to postgresql://app@new/lims"
    )]
    Close(CloseArgs),

    /// Write the report: one HTML page without any personal value.
    #[command(after_help = "Example:\n  ecluse report --lang en\n  ecluse report run -o report.html")]
    Report(ReportArgs),

    /// How far a run has come.
    #[command(after_help = "Example:\n  ecluse status run --json")]
    Status(RunArgs),

    /// Which rows were refused and why, and whose national identifier does not hold: by row token.
    Rejected(RejectedArgs),

    /// Who of those who arrived may exist at the destination already: by row token; nobody is merged.
    Known(KnownArgs),

    /// Find a row token's row again at the source; shows its key on this terminal only.
    #[command(after_help = "Example:\n  ecluse locate 7Q4M-KD2E")]
    Locate(LocateArgs),

    /// Check an evidence file: every signature, digest and sum, offline, without a migration folder.
    Verify(VerifyArgs),

    /// Who did what, when: the log that nobody can change unseen by whoever kept a checkpoint of it.
    #[command(
        subcommand,
        after_help = "Example:\n  ecluse journal checkpoint\n  ecluse journal verify --against checkpoint.lab"
    )]
    Journal(Journal),

    /// What an error code means, why écluse refuses, and what to do.
    #[command(after_help = "Example:\n  ecluse explain ECL-INS-014")]
    Explain(ExplainArgs),

    /// The help of a command, as its own `--help` prints it.
    #[command(after_help = "Example:\n  ecluse help migrate\n  ecluse help instruction new")]
    Help {
        /// The command's name, or names.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },

    /// Print shell completions.
    #[command(after_help = "Example:\n  ecluse completions bash > /etc/bash_completion.d/ecluse")]
    Completions {
        /// Which shell.
        shell: Shell,
    },

    /// Write the manual pages into a folder.
    #[command(after_help = "Example:\n  ecluse man /usr/local/share/man/man1")]
    Man {
        /// The folder.
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the demonstration's folder is made; by default `ecluse-demo` here.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,

    /// Patients in the invented laboratory.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub(crate) patients: u32,

    /// The direct way alone, up to its report, not accepted: to go on with by hand (ecluse next).
    #[arg(long)]
    pub(crate) leave_open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The folder to make; must not exist, or be empty.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,

    /// Play every role with keys of its own: every paper says TRIAL, at most 1,000 rows a table move.
    #[arg(long)]
    pub(crate) trial: bool,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    #[command(flatten)]
    pub(crate) to: ToArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Write a commented template.
    #[command(after_help = "Example:\n  ecluse contract new")]
    New(FileArg),
    /// Name every missing clause, party, site and key.
    #[command(after_help = "Example:\n  ecluse contract check contract.toml")]
    Check(FileArg),
    /// Sign with your key, as one of the contract's signatories.
    #[command(
        after_help = "Example:\n  ecluse contract sign contract.toml --key ~/.ssh/id_ed25519 --as morel"
    )]
    Sign(SignArgs),
    /// Verify both sides' signatures.
    #[command(after_help = "Example:\n  ecluse contract verify contract.toml")]
    Verify(FileArg),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mandate {
    /// Write a commented template.
    #[command(after_help = "Example:\n  ecluse mandate new")]
    New(FileArg),
    /// Sign, as the controller's signatory.
    #[command(after_help = "Example:\n  ecluse mandate sign mandate.toml --key ~/.ssh/id_ed25519 --as morel")]
    Sign(SignArgs),
    /// Verify the signature and the dates.
    #[command(after_help = "Example:\n  ecluse mandate verify mandate.toml")]
    Verify(FileArg),
}

#[derive(Debug, Args)]
pub(crate) struct SurveyArgs {
    /// The signed survey mandate.
    #[arg(value_name = "MANDATE", value_hint = ValueHint::FilePath)]
    pub(crate) mandate: Option<PathBuf>,

    /// The contract.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) contract: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    /// Where the dictionary is written.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Open a session: signs a statement of at most 12 hours with the operator's own key.
    #[command(after_help = "Example:\n  ecluse session new --key ~/.ssh/id_ed25519 --as petit")]
    New(SessionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// The operator's private key.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,

    /// The name of the operator's key in the contract; by default the only operator.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) signer: Option<String>,

    /// How long, at most 12.
    #[arg(long, default_value_t = 12, value_name = "HOURS")]
    pub(crate) hours: u8,

    /// The contract.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) contract: Option<PathBuf>,

    /// The operator's age identity, to which the run's state is sealed; made where absent.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) identity: Option<PathBuf>,

    /// Where the statement is written.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Codes {
    /// Print a code table for the biologist who has to accept it.
    #[command(after_help = "Example:\n  ecluse codes print codes/units.toml")]
    Print(FileArg),
    /// Sign a code table, as a biologist of the controller.
    #[command(
        after_help = "Example:\n  ecluse codes sign codes/units.toml --key ~/.ssh/id_ed25519 --as aubry"
    )]
    Sign(SignArgs),
}

#[derive(Debug, Args)]
pub(crate) struct FileArg {
    /// The document; by default the migration folder's.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, for instance ECL-INS-014.
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
}
