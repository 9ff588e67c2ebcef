//! Where a migration stands: every step of the chain, looked at as the step itself would.

mod comparison;
mod connections;
mod contract;
mod cut_over;
mod ending;
mod known;
mod order;
mod received;
mod returned;
mod run;
mod sealed;
mod standing;
mod survey;

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::language::Language;
use ecluse_core::signatures;
use jiff::Timestamp;

use crate::commands::Here;
use crate::connect;
use crate::connections::{self as ends, End};
use crate::folder::{self, Folder};
use crate::papers::chain::Chain;

pub(crate) use order::checked;

/// The whole board, as `ecluse next` shows it.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) title: String,
    pub(crate) trial: bool,
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) mark: Mark,
    pub(crate) words: String,
    /// Who has to do it.
    pub(crate) waits: Option<&'static str>,
    /// What to read and type.
    pub(crate) advice: Vec<String>,
    /// By which code the step is refused; `None` where it only waits for somebody.
    pub(crate) code: Option<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Done,
    Missing,
    Later,
}

impl Mark {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Missing => "✗",
            Self::Later => "·",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Missing => "missing",
            Self::Later => "later",
        }
    }
}

/// What a step found.
enum Found {
    Done(String),
    Missing { words: String, waits: Option<&'static str>, advice: Vec<String>, code: Option<String> },
    Later(String),
}

/// Where a step looks, when, and in which language it says what it found; what to type is English.
#[derive(Clone, Copy)]
struct At<'a> {
    folder: &'a Folder,
    trial: bool,
    now: Timestamp,
    lang: Language,
}

/// What earlier steps found that later ones need.
#[derive(Default)]
struct Seen {
    contract: Option<Contract>,
    chain: Option<Chain>,
}

const LAB: Option<&str> = Some("the laboratory");
const YOU: Option<&str> = None;

/// Looks at every step. Papers are looked at until one is missing; what a run did is done whatever
/// paper has ended since, and the rest is for later.
///
/// # Errors
///
/// Where there is no migration folder.
pub(crate) fn look(here: &Here, lang: Language) -> Result<Board> {
    let folder = Folder::find(Some(here.folder.root()).filter(|r| *r != Path::new(".")))?;
    let trial = is_trial(&folder);
    let at = At { folder: &folder, trial, now: here.now, lang };
    if received::is_recipients(&folder) {
        return Ok(received::board(at));
    }
    if returned::is_laboratorys(&folder) {
        return Ok(returned::board(at));
    }
    let mut seen = Seen::default();
    let mut steps: Vec<Step> = Vec::new();
    let sealed = sealed::is_sealed(at);
    let acts = if sealed { sealed::acts(at) } else { acts(at) };
    // who may move, and whether the order stands today, is asked for where something is left to move
    let left = !acts.iter().all(|(_, found)| matches!(found, Found::Done(_)));
    let papers: [(&'static str, Look); 6] = [
        ("connections", |at, _, _| connections::databases(at)),
        ("contract", |at, seen, _| contract::contract(at, seen)),
        ("survey", |at, seen, _| survey::survey(at, seen)),
        ("order", |at, seen, _| order::order(at, seen)),
        ("status", |at, seen, left| standing::status(at, seen, left)),
        ("session", |at, seen, left| standing::session(at, seen, left)),
    ];
    for (name, look) in papers {
        let found = if is_waiting(&steps) { Found::Later(String::new()) } else { look(at, &mut seen, left) };
        add(&mut steps, name, found);
    }
    for (name, found) in acts {
        add(&mut steps, name, found);
        // it moves nothing: that it is open asks for no status and no session
        if let Some(found) = comparison::comparison(at).filter(|_| name == "reconciliation") {
            add(&mut steps, "comparison", found);
        }
    }
    if let Some(found) = known::known(at, is_waiting(&steps)) {
        add(&mut steps, "known persons", found);
    }
    let waiting = is_waiting(&steps);
    add(&mut steps, "report", run::report(at, waiting));
    for (name, found) in ending::steps(at, sealed) {
        add(&mut steps, name, found);
    }
    Ok(Board { title: title(at, &seen), trial, steps })
}

/// Whether an archive is received in this folder, a recipient's or the laboratory's, and no order carried out.
pub(crate) fn is_receiving(folder: &Folder) -> bool {
    received::is_recipients(folder) || returned::is_laboratorys(folder)
}

/// Whether a folder is a recipient's.
pub(crate) fn is_recipients(folder: &Folder) -> bool {
    received::is_recipients(folder)
}

/// How a step is looked at; the last is whether something is left to move.
type Look = fn(At<'_>, &mut Seen, bool) -> Found;

fn add(steps: &mut Vec<Step>, name: &'static str, found: Found) {
    let waiting = is_waiting(steps);
    steps.push(step(name, found, waiting));
}

fn is_waiting(steps: &[Step]) -> bool {
    steps.iter().any(|s| s.mark == Mark::Missing)
}

/// What a run does: moves, is read back, and once the source is frozen catches up for the last time.
fn acts(at: At<'_>) -> Vec<(&'static str, Found)> {
    let mut acts = vec![("run", run::run(at)), ("reconciliation", run::reconciliation(at))];
    if let Some([freeze, catch_up]) = cut_over::cut_over(at) {
        acts.extend([("freeze", freeze), ("catch-up", catch_up)]);
    }
    acts
}

fn step(name: &'static str, found: Found, waiting: bool) -> Step {
    let later = |words| Step { name, mark: Mark::Later, words, waits: None, advice: Vec::new(), code: None };
    match found {
        Found::Done(words) => Step { mark: Mark::Done, ..later(words) },
        Found::Later(words) => later(words),
        Found::Missing { .. } if waiting => later(String::new()),
        Found::Missing { words, waits, advice, code } => {
            Step { mark: Mark::Missing, waits, advice, code, ..later(words) }
        }
    }
}

fn title(at: At<'_>, seen: &Seen) -> String {
    let end = |end| {
        ends::written(at.folder, end)
            .ok()
            .flatten()
            .and_then(|url| connect::parse(&url).ok())
            .map_or_else(|| "?".to_owned(), |url| connect::name(&url, at.lang))
    };
    let of = match (&seen.contract, at.trial) {
        (_, true) => at.lang.of("TRIAL", "ESSAI").to_owned(),
        (Some(c), _) => {
            format!("{} {}", at.lang.of("Migration of", "Migration :"), c.terms().controller.name)
        }
        (None, _) => "Migration".to_owned(),
    };
    let to = if sealed::is_sealed(at) {
        at.lang.of("sealed archive", "archive scellée").to_owned()
    } else {
        end(End::Destination)
    };
    let word = at.lang.of("order", "ordre");
    let order = seen.chain.as_ref().map_or(String::new(), |c| format!("   {word} {}", c.order()));
    format!("{of}   {} → {to}{order}", end(End::Source))
}

/// Whether the folder's contract says TRIAL.
pub(crate) fn is_trial(folder: &Folder) -> bool {
    folder::read(&folder.path(None, "contract.toml"), "")
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|text| document::header(&text, Kind::Contract).is_ok_and(|h| h.trial))
}

fn missing(words: impl Into<String>, waits: Option<&'static str>, advice: &[&str]) -> Found {
    let advice = advice.iter().map(|s| (*s).to_owned()).collect();
    Found::Missing { words: words.into(), waits, advice, code: None }
}

/// A step that its own check refuses: the code, the words, and the thing to type. That nobody has
/// signed yet is no refusal.
fn refused(at: At<'_>, fault: &Fault, waits: Option<&'static str>, show: &str) -> Found {
    let mut advice = vec![format!("{}: {}", fault.code().id, fault.detail())];
    if !fault.advice().is_empty() {
        advice.push(fault.advice().to_owned());
    }
    advice.push(format!("All of it:  {show}"));
    let unsigned = fault.code().id == signatures::ABSENT.id;
    let words = match at.lang {
        Language::French if unsigned => "pas encore signé".to_owned(),
        Language::French => format!("refusé ({})", fault.code().id),
        Language::English => fault.code().title.to_owned(),
    };
    Found::Missing { words, waits, advice, code: (!unsigned).then(|| fault.code().id.to_owned()) }
}

impl Found {
    /// With one line more of what to do, where nobody has signed yet.
    fn advised(self, line: &str) -> Self {
        match self {
            Self::Missing { words, waits, mut advice, code: None } => {
                advice.push(line.to_owned());
                Self::Missing { words, waits, advice, code: None }
            }
            other => other,
        }
    }

    /// The same as a refusal: what was found is not as it was ordered.
    fn coded(self, by: Option<&str>) -> Self {
        match self {
            Self::Missing { words, waits, advice, .. } => {
                Self::Missing { words, waits, advice, code: by.map(str::to_owned) }
            }
            other => other,
        }
    }
}
