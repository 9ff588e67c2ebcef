//! Where a migration stands: every step of the chain, looked at as the step itself would.

mod connections;
mod contract;
mod order;
mod run;
mod standing;
mod survey;

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Fault, Result};

use crate::commands::Here;
use crate::connect;
use crate::connections::{self as ends, End};
use crate::folder::{self, Folder};
use crate::papers::chain::Chain;

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
    Missing { words: String, waits: Option<&'static str>, advice: Vec<String> },
}

type Look<'a> = (&'static str, Box<dyn FnOnce(&mut Seen) -> Found + 'a>);

/// What earlier steps found that later ones need.
#[derive(Default)]
struct Seen {
    contract: Option<Contract>,
    chain: Option<Chain>,
}

const LAB: Option<&str> = Some("the laboratory");
const YOU: Option<&str> = None;

/// Looks at every step; after the first that is missing, the rest is for later.
///
/// # Errors
///
/// Where there is no migration folder.
pub(crate) fn look(here: &Here) -> Result<Board> {
    let folder = Folder::find(Some(here.folder.root()).filter(|r| *r != Path::new(".")))?;
    let trial = is_trial(&folder);
    let now = here.now;
    let f = &folder;
    let looks: Vec<Look<'_>> = vec![
        ("connections", Box::new(move |_| connections::databases(f))),
        ("contract", Box::new(move |seen| contract::contract(f, trial, now, seen))),
        ("survey", Box::new(move |seen| survey::survey(f, trial, now, seen))),
        ("order", Box::new(move |seen| order::order(f, trial, now, seen))),
        ("status", Box::new(move |seen| standing::status(f, trial, now, seen))),
        ("session", Box::new(move |seen| standing::session(f, trial, now, seen))),
        ("run", Box::new(move |_| run::run(f, trial))),
        ("reconciliation", Box::new(move |_| run::reconciliation(f, now))),
        ("report", Box::new(move |_| run::report(f))),
    ];
    let mut seen = Seen::default();
    let mut steps: Vec<Step> = Vec::new();
    for (name, look) in looks {
        if steps.iter().any(|s| s.mark == Mark::Missing) {
            steps.push(Step {
                name,
                mark: Mark::Later,
                words: String::new(),
                waits: None,
                advice: Vec::new(),
            });
            continue;
        }
        steps.push(match look(&mut seen) {
            Found::Done(words) => Step { name, mark: Mark::Done, words, waits: None, advice: Vec::new() },
            Found::Missing { words, waits, advice } => {
                Step { name, mark: Mark::Missing, words, waits, advice }
            }
        });
    }
    Ok(Board { title: title(&folder, trial, &seen), trial, steps })
}

fn title(folder: &Folder, trial: bool, seen: &Seen) -> String {
    let end = |end| {
        ends::written(folder, end)
            .ok()
            .flatten()
            .and_then(|url| connect::parse(&url).ok())
            .map_or_else(|| "?".to_owned(), |url| connect::name(&url))
    };
    let of = match (&seen.contract, trial) {
        (_, true) => "TRIAL".to_owned(),
        (Some(c), _) => format!("Migration of {}", c.terms().controller.name),
        (None, _) => "Migration".to_owned(),
    };
    let order = seen.chain.as_ref().map_or(String::new(), |c| format!("   order {}", c.order()));
    format!("{of}   {} → {}{order}", end(End::Source), end(End::Destination))
}

/// Whether the folder's contract says TRIAL.
pub(crate) fn is_trial(folder: &Folder) -> bool {
    folder::read(&folder.path(None, "contract.toml"), "")
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|text| document::header(&text, Kind::Contract).is_ok_and(|h| h.trial))
}

fn missing(words: impl Into<String>, waits: Option<&'static str>, advice: &[&str]) -> Found {
    Found::Missing { words: words.into(), waits, advice: advice.iter().map(|s| (*s).to_owned()).collect() }
}

/// A step that its own check refuses: the code, the words, and the thing to type.
fn refused(fault: &Fault, waits: Option<&'static str>, show: &str) -> Found {
    let mut advice = vec![format!("{}: {}", fault.code().id, fault.detail())];
    if !fault.advice().is_empty() {
        advice.push(fault.advice().to_owned());
    }
    advice.push(format!("All of it:  {show}"));
    Found::Missing { words: fault.code().title.to_owned(), waits, advice }
}
