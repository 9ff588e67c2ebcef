//! One file per step of the chain; this one only says who does what.

mod accept;
pub(crate) mod begun;
mod campaign;
mod certify;
mod close;
mod codes;
mod compare;
mod contract;
pub(crate) mod copies;
pub(crate) mod dictionary;
mod differences;
pub(crate) mod encodings;
mod erase;
mod erasing;
mod exclude;
pub(crate) mod explain;
mod extract;
mod fates;
mod files;
mod freeze;
mod grants;
mod hold;
pub(crate) mod identifiers;
mod inspect;
pub(crate) mod instruction;
mod journal;
pub(crate) mod known;
mod load;
mod loads;
mod locate;
pub(crate) mod mandate;
mod mapping;
pub(crate) mod migrate;
pub(crate) mod new;
mod next;
mod objections;
mod order;
pub(crate) mod ordered;
mod patients;
mod plan;
mod procedure;
mod receipt;
mod recipient;
pub(crate) mod reconcile;
pub(crate) mod reconciled;
mod reference;
mod rejected;
pub(crate) mod report;
mod returned;
mod revealed;
pub(crate) mod runs;
pub(crate) mod sampled;
pub(crate) mod session;
mod shell;
pub(crate) mod sign;
mod status;
pub(crate) mod stayed;
mod survey;
pub(crate) mod undo;
mod verify;
pub(crate) mod withdrawn;

use ecluse_core::fault::Result;
use jiff::Timestamp;

use crate::cli::{Cli, Command};
use crate::folder::Folder;
use crate::{clock, demo};

/// Where and when a command runs.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) folder: Folder,
    pub(crate) now: Timestamp,
}

impl Here {
    /// Where the journal of this migration lies, in which every line of its run folders belongs, wherever they are.
    pub(crate) fn journal(&self) -> std::path::PathBuf {
        crate::journal::path(&self.folder)
    }
}

/// Does what the command line says.
///
/// # Errors
///
/// The step's own faults.
pub(crate) fn run(cli: &Cli) -> Result<()> {
    let here = || -> Result<Here> {
        Ok(Here { folder: Folder::find_or_here(cli.folder.as_deref())?, now: clock::now() })
    };
    let since = clock::now();
    if goes_on(&cli.command)
        && let Ok(folder) = Folder::find(cli.folder.as_deref())
    {
        crate::journal::begun::may_go_on(&folder)?;
    }
    let done = match &cli.command {
        Command::Demo(args) => demo::run(args),
        Command::New(args) => new::run(args, clock::now()),
        Command::Campaign(args) => campaign::run(args, cli.folder.as_deref(), clock::now()),
        Command::Next => next::run(&here()?),
        Command::Migrate(args) => migrate::run(&here()?, args),
        Command::Extract(args) => extract::run(&here()?, args),
        Command::Return(args) => returned::run(&here()?, args),
        Command::Reconcile(args) => reconcile::run(&here()?, args),
        Command::Instruction(command) => instruction::run(&here()?, command),
        Command::Order(args) => order::run(&here()?, args),
        Command::Patients(args) => patients::run(&here()?, args),
        Command::Mapping(command) => mapping::run(&here()?, command),
        Command::Codes(command) => codes::run(&here()?, command),
        Command::Reference(command) => reference::run(&here()?, command),
        Command::Grants(args) => grants::run(&here()?, args),
        Command::Procedure(args) => procedure::run(&here()?, args),
        Command::Plan(args) => plan::run(&here()?, args),
        Command::Compare(args) => compare::run(&here()?, args),
        Command::Freeze(args) => freeze::run(&here()?, args),
        Command::Undo(args) => undo::run(&here()?, args),
        Command::Copies(args) => copies::run(&here()?, args),
        Command::Hold(args) => hold::run(&here()?, args),
        Command::Erase(args) => erase::run(&here()?, args),
        Command::Differences(command) => differences::run(&here()?, command),
        Command::Accept(command) => accept::run(&here()?, command),
        Command::Certify(command) => certify::run(&here()?, command),
        Command::Close(args) => close::run(&here()?, args),
        Command::Report(args) => report::run(&here()?, args),
        Command::Status(args) => status::run(&here()?, args),
        Command::Rejected(args) => rejected::run(&here()?, args),
        Command::Known(args) => known::run(&here()?, args),
        Command::Locate(args) => locate::run(&here()?, args),
        Command::Contract(command) => contract::run(&here()?, command),
        Command::Mandate(command) => mandate::run(&here()?, command),
        Command::Survey(args) => survey::run(&here()?, args),
        Command::Dictionary(command) => dictionary::run(&here()?, command),
        Command::Session(command) => session::run(&here()?, command),
        Command::Recipient(command) => recipient::run(&here()?, command),
        Command::Verify(args) => verify::run(args),
        Command::Inspect(args) => inspect::run(&here()?, args),
        Command::Open(args) => inspect::open(&here()?, args),
        Command::Load(args) => load::run(&here()?, args),
        Command::Receipt(command) => receipt::run(&here()?, command),
        Command::Journal(command) => journal::run(&here()?, command),
        Command::Explain(args) => explain::run(args),
        Command::Help { command } => shell::help(command),
        Command::Completions { shell } => {
            shell::completions(*shell);
            Ok(())
        }
        Command::Man { dir } => shell::man(dir),
    };
    let done = done.map_err(|fault| Folder::or_none(cli.folder.as_deref(), fault));
    if let Err(fault) = &done
        && goes_on(&cli.command)
        && let Ok(folder) = Folder::find(cli.folder.as_deref())
    {
        crate::journal::refusals::note(&folder, fault, since);
    }
    if is_journaled(&cli.command) { and_journaled(cli, done) } else { done }
}

/// Whether what a command notes is taken into the journal when it ends: all but those that only look, so that a
/// folder that is read only can be looked at, and those that see to it themselves.
const fn is_journaled(command: &Command) -> bool {
    use Command as C;
    let looks = matches!(
        command,
        C::Next
            | C::Verify(_)
            | C::Status(_)
            | C::Procedure(_)
            | C::Order(_)
            | C::Patients(_)
            | C::Report(_)
            | C::Explain(_)
    );
    let elsewhere = matches!(
        command,
        C::Demo(_) | C::New(_) | C::Campaign(_) | C::Help { .. } | C::Completions { .. } | C::Man { .. }
    );
    !(looks || elsewhere || matches!(command, C::Journal(_)))
}

/// Whether a command reads, moves or shows rows, or ends the migration: none does where the journal that was begun is
/// gone. What takes an order back, holds a copy or erases one on its day goes on, and says so when it ends.
const fn goes_on(command: &Command) -> bool {
    use crate::cli as a;
    use Command as C;
    match command {
        C::Survey(_)
        | C::Open(_)
        | C::Load(_)
        | C::Plan(_)
        | C::Migrate(_)
        | C::Extract(_)
        | C::Return(_)
        | C::Reconcile(_)
        | C::Freeze(_)
        | C::Undo(_)
        | C::Close(_)
        | C::Rejected(_)
        | C::Known(_)
        | C::Locate(_) => true,
        C::Erase(args) => args.source || args.look,
        C::Compare(args) => args.step.is_none(),
        C::Reference(step) => matches!(step, a::Reference::Print(_)),
        C::Certify(step) => !matches!(step, a::Certify::Verify(_)),
        C::Demo(_)
        | C::New(_)
        | C::Next
        | C::Procedure(_)
        | C::Campaign(_)
        | C::Contract(_)
        | C::Mandate(_)
        | C::Dictionary(_)
        | C::Session(_)
        | C::Recipient(_)
        | C::Inspect(_)
        | C::Receipt(_)
        | C::Instruction(_)
        | C::Order(_)
        | C::Patients(_)
        | C::Mapping(_)
        | C::Codes(_)
        | C::Grants(_)
        | C::Copies(_)
        | C::Hold(_)
        | C::Differences(_)
        | C::Accept(_)
        | C::Report(_)
        | C::Status(_)
        | C::Verify(_)
        | C::Journal(_)
        | C::Explain(_)
        | C::Help { .. }
        | C::Completions { .. }
        | C::Man { .. } => false,
    }
}

/// A command that went well and whose events could not be taken in did not: it says so. The fault of one that
/// failed stands, and the journal's beside it.
fn and_journaled(cli: &Cli, done: Result<()>) -> Result<()> {
    let Ok(folder) = Folder::find(cli.folder.as_deref()) else { return done };
    match (crate::journal::keep(&folder), done) {
        (Err(fault), Err(first)) if fault.code().id != first.code().id => {
            crate::output::warning(format!("{}: {}", fault.code().title, fault.detail()));
            Err(first)
        }
        (Err(fault), Ok(())) => Err(fault),
        (_, done) => done,
    }
}
