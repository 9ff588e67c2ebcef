//! `ecluse compare`: drawn dossiers, old beside new, on the laboratory's screen only.
//!
//! What stands on the screen is read into memory, drawn on the terminal and let go. What is written is
//! [`ecluse_core::comparison`]: tokens, same or not, who. `record.rs` keeps it, `look.rs` is the person at the screen.

mod look;
mod names;
mod record;

use std::path::Path;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::comparison::{Compared, FILE, may_compare};
use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::keys::Key;
use ecluse_core::language::Language;
use ecluse_flow::compare::{Drawn, compare};
use ecluse_flow::figures::Figures;
use serde_json::json;

use self::record::Record;
use super::begun::figures;
use super::reconciled::{self, Reconciled};
use super::{Here, sign};
use crate::cli::{self, CompareArgs, CompareSignArgs, CompareStep, FileArg, LookArgs};
use crate::papers::{Paper, compared, hand, standing};
use crate::progress::Teller;
use crate::ready::{self, Ends, Missing, Ready};
use crate::screen::sheet::Names;
use crate::screen::terminal::{self, Terminal};
use crate::screen::words::Words;
use crate::{output, trial};

static NOBODY: Code = Code::usage("ECL-CMP-022", "it is not said who compares");
static NOT_THE_LABORATORYS: Code =
    Code::refused("ECL-CMP-023", "only the laboratory's own people compare dossiers");
static NOT_RECONCILED: Code = Code::refused("ECL-CMP-024", "the run has not been reconciled");
static NOTHING: Code = Code::refused("ECL-CMP-025", "no dossier has been compared");
static GONE_ON: Code = Code::refused("ECL-CMP-026", "the run has gone on since the dossiers were compared");

/// Dossiers drawn where nobody says how many.
const DOSSIERS: u64 = 12;

pub(super) fn run(here: &Here, args: &CompareArgs) -> Result<()> {
    match &args.step {
        Some(CompareStep::Sign(args)) => sign_it(here, args),
        Some(CompareStep::Verify(args)) => verify(here, args),
        None if output::is_json() => counts(here, &args.look),
        None => looked(here, &args.look),
    }
}

/// What was compared so far, in counts; nothing is read of the databases.
fn counts(here: &Here, args: &LookArgs) -> Result<()> {
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    let looked = compared::of(&here.folder, &run, &figures(&run)?, here.now)?;
    output::document(&json!({ "comparison": looked.map(|looked| looked.counts()) }));
    Ok(())
}

fn looked(here: &Here, args: &LookArgs) -> Result<()> {
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    let known = figures(&run)?;
    terminal::demanded()?;
    match reconciled::of(&run, &known)? {
        Reconciled::Done(_) => {}
        Reconciled::Never | Reconciled::Stale(_) => {
            return Err(NOT_RECONCILED.fault("").help("read the destination back first: ecluse reconcile"));
        }
    }
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let person = person(&contract, args.person.as_deref())?;
    let mut record = Record::open(here, &contract, &known, &compared::figures(&run)?, person)?;
    let (ready, Ends { source, mut destination }) =
        Ready::prepare(here, &args.begun.papers(), Missing::Refuse)?;
    let number = args.dossiers.unwrap_or_else(|| record.drawn().unwrap_or(DOSSIERS));
    let language = match args.lang {
        cli::Language::En => Language::English,
        cli::Language::Fr => Language::French,
    };
    let names = Names::of(&ready, language);
    let drawn = {
        let mut folder = RunFolder::existing(&run, &here.journal())?;
        ready.swept(&mut folder)?;
        let mut teller = Teller::new();
        ready.with_orders(|orders| {
            let tell = &mut |step: ecluse_flow::run::Progress<'_>| teller.tell(step);
            let (options, world) = (ready.options(), ready::world());
            compare(number, orders, options, source, destination.as_mut(), &mut folder, world, tell)
        })?
    };
    // nothing is held open while a person reads
    drop(destination);
    let table =
        ready.compiled.plan.dossiers().and_then(|shape| ready.compiled.plan.tables().get(shape.table()));
    record.takes(&drawn, table.map_or("", |table| table.source()))?;
    shown(&drawn, &names, Words(language), &mut record)?;
    told(here, &run, &known)
}

/// The person at the screen; the terminal is cleared when this returns, however it does.
fn shown(drawn: &Drawn, names: &Names, words: Words, record: &mut Record) -> Result<()> {
    let mut terminal = Terminal::take()?;
    look::look(drawn, names, words, record, &mut terminal)
}

fn told(here: &Here, run: &Path, known: &Figures) -> Result<()> {
    let Some(looked) = compared::of(&here.folder, run, known, here.now)? else {
        output::line("No dossier has been answered yet; the same command begins again:  ecluse compare");
        return Ok(());
    };
    output::line(format!("{}.", looked.words(Language::English, false)));
    let open = looked.comparison.drawn > ecluse_core::count::number(looked.comparison.dossiers.len());
    if open {
        output::line("The same command goes on with the next one:  ecluse compare");
    }
    if looked.signers.is_empty() && !looked.comparison.dossiers.is_empty() {
        output::line(format!("{} signs:  ecluse compare sign --key FILE", looked.comparison.by));
    }
    Ok(())
}

/// The person of the contract who compares.
fn person<'a>(contract: &'a Contract, said: Option<&str>) -> Result<&'a Key> {
    let keys = &contract.terms().keys;
    let mut people: Vec<&Key> = Vec::new();
    for key in may_compare(keys) {
        if people.iter().all(|known| known.email != key.email) {
            people.push(key);
        }
    }
    let names = people.iter().map(|key| key.person.as_str()).collect::<Vec<_>>().join(", ");
    let Some(said) = said else {
        return match people.as_slice() {
            [only] => Ok(only),
            _ => Err(NOBODY
                .fault("")
                .help(format!("say who looks: --as 'First Last'; in the contract: {names}"))),
        };
    };
    let is = |key: &Key| {
        let wanted = said.trim().to_lowercase();
        key.person.to_lowercase() == wanted
            || key.email.to_lowercase() == wanted
            || key.email.to_lowercase().split('@').next() == Some(wanted.as_str())
    };
    if let Some(person) = people.into_iter().find(|key| is(key)) {
        return Ok(person);
    }
    let help = format!("the contract lists for it: {names}");
    Err(match keys.iter().find(|key| is(key)) {
        Some(other) => {
            NOT_THE_LABORATORYS.fault(format!("{} ({})", other.person, other.role.name())).help(help)
        }
        None => NOBODY.fault("nobody of that name in the contract").help(help),
    })
}

/// Nothing is signed that would not count, and by nobody but the person it names.
fn sign_it(here: &Here, args: &CompareSignArgs) -> Result<()> {
    let run = here.folder.path(None, "run");
    let none = || NOTHING.fault("").help("on a terminal of the laboratory: ecluse compare");
    let looked = compared::of(&here.folder, &run, &figures(&run)?, here.now)?.ok_or_else(none)?;
    if looked.comparison.dossiers.is_empty() {
        return Err(none());
    }
    if looked.stale {
        return Err(GONE_ON.fault("").help("look again: ecluse compare asks only for what changed"));
    }
    let path = here.folder.path(None, FILE);
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let terms = contract.terms();
    let theirs: Vec<Key> =
        may_compare(&terms.keys).filter(|key| key.email == looked.comparison.email).cloned().collect();
    let kind = Kind::Comparison;
    let paper = Paper::read(&path, "")?;
    let signed = match (&args.key, &args.adopt) {
        (Some(key), _) => hand::sign(kind, &paper, key, &theirs, None)?,
        (None, Some(signature)) => {
            hand::adopt(kind, &paper, signature, (&theirs, terms.demands), None, here.now)?
        }
        (None, None) => match theirs.first().filter(|_| contract.header().trial) {
            Some(key) => hand::sign(kind, &paper, &trial::key(&here.folder, key.role), &theirs, None)?,
            None => {
                return Err(sign::NO_KEY.fault(path.display().to_string()).help(format!(
                    "give your private key: --key FILE; or sign with ssh-keygen -Y sign -n {}, then --adopt FILE.sig",
                    kind.namespace()
                )));
            }
        },
    };
    output::line(format!("signed: {}", signed.display()));
    told(here, &run, &figures(&run)?)?;
    output::document(&json!({ "document": path, "signatures": [signed], "comparison": looked.counts() }));
    Ok(())
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), "ecluse compare")?;
    let run = here.folder.path(None, "run");
    let known = figures(&run)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let signed = paper.judge(Compared::read(&paper.bytes, &paper.signatures, &contract, here.now))?;
    signed.stated().is_of(&known.run, &known.instruction)?;
    if signed.stated().figures != compared::figures(&run)? {
        return Err(GONE_ON.fault("").help("look again: ecluse compare asks only for what changed"));
    }
    sign::told(&paper.path, signed.signers(), signed.header(), &signed.digest());
    Ok(())
}
