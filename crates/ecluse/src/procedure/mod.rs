//! The dated sheet of a migration: steps, names, deadlines, who waits for whom and since when.
//!
//! Built on the board ([`crate::steps`]), which says how each step stands; the dates are those of
//! the folder's files ([`dates`]).

pub(crate) mod dates;
pub(crate) mod page;
mod words;

use ecluse_core::class::Class;
use ecluse_core::contract;
use ecluse_core::copies::Store;
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::instruction::Fate;
use ecluse_core::keys::Key;
use ecluse_core::person::Role;
use serde::Serialize;

use self::dates::{Dated, Known, day};
pub(crate) use self::words::{ENGLISH, FRENCH, Words};
use crate::commands::Here;
use crate::folder;
use crate::papers::objections::{self, Stated};
use crate::steps::{self, Mark, Step};

/// Everything the sheet says.
#[derive(Debug, Serialize)]
pub(crate) struct Sheet {
    pub(crate) migration: String,
    pub(crate) trial: bool,
    /// The day on which it is written.
    pub(crate) on: String,
    pub(crate) steps: Vec<Line>,
    pub(crate) deadlines: Vec<Deadline>,
    pub(crate) objections: Vec<Objected>,
    pub(crate) sign: Vec<Person>,
}

/// One step.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) step: &'static str,
    pub(crate) state: &'static str,
    #[serde(skip)]
    pub(crate) sign: &'static str,
    /// How it stands, as the board says it.
    pub(crate) words: String,
    /// The persons whose step it is, by the contract.
    pub(crate) who: Vec<String>,
    /// When it was done; absent where no file says so.
    pub(crate) done: Option<Dated>,
    pub(crate) waits_for: Option<&'static str>,
    /// Since when; absent where no file says so.
    pub(crate) since: Option<Dated>,
    /// Whole days since then.
    pub(crate) days: Option<i64>,
    /// By which code the step is refused; `None` where it only waits for somebody.
    pub(crate) code: Option<String>,
}

/// A day by which something has to be done, or until which something holds.
#[derive(Debug, Serialize)]
pub(crate) struct Deadline {
    pub(crate) what: String,
    pub(crate) day: String,
    pub(crate) file: &'static str,
}

/// An objection, and its answer.
#[derive(Debug, Serialize)]
pub(crate) struct Objected {
    pub(crate) number: usize,
    pub(crate) by: String,
    pub(crate) on: String,
    pub(crate) text: String,
    /// The line's digest, by which the answer cites it.
    pub(crate) digest: String,
    pub(crate) answer: Option<Answered>,
}

/// The controller's answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    pub(crate) by: String,
    pub(crate) on: String,
    pub(crate) text: String,
}

/// Somebody who signs.
#[derive(Debug, Serialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: &'static str,
}

/// The sheet as of now.
///
/// # Errors
///
/// Where there is no migration folder; a record of objections that was changed.
pub(crate) fn sheet(here: &Here, words: &Words) -> Result<Sheet> {
    let board = steps::look(here, words.language)?;
    let stated = objections::all(&here.folder, here.now)?;
    let known = Known::read(&here.folder, &stated, here.now);
    let keys = folder::read(&here.folder.path(None, "contract.toml"), "")
        .ok()
        .and_then(|bytes| contract::open(&bytes).ok())
        .map(|(_, terms)| terms.keys)
        .unwrap_or_default();
    Ok(Sheet {
        trial: board.trial,
        on: day(here.now),
        steps: board.steps.iter().map(|step| line(step, &known, &keys, here)).collect(),
        deadlines: deadlines(&known, words),
        objections: stated.iter().map(objected).collect(),
        sign: people(
            &keys,
            &[Role::ControllerSignatory, Role::ControllerBiologist, Role::ProcessorSignatory, Role::Operator],
        )
        .map(|key| Person { name: key.person.clone(), role: key.role.name() })
        .collect(),
        migration: board.title,
    })
}

fn line(step: &Step, known: &Known<'_>, keys: &[Key], here: &Here) -> Line {
    let missing = step.mark == Mark::Missing;
    let since = missing.then(|| known.since(step.name)).flatten();
    Line {
        step: step.name,
        state: step.mark.word(),
        sign: step.mark.sign(),
        words: step.words.clone(),
        who: people(keys, roles(step.name)).map(|key| key.person.clone()).collect(),
        done: (step.mark == Mark::Done).then(|| known.done(step.name)).flatten(),
        waits_for: missing.then(|| step.waits.unwrap_or("the operator")),
        code: step.code.clone(),
        days: since.as_ref().map(|since| since.days(here.now)),
        since,
    }
}

/// Whose step it is.
fn roles(step: &str) -> &'static [Role] {
    match step {
        "contract" => &[Role::ControllerSignatory, Role::ProcessorSignatory],
        "survey" => &[Role::ControllerSignatory, Role::Operator],
        "order" | "status" => &[Role::ControllerSignatory],
        "known persons" => &[Role::ControllerSignatory],
        "comparison" => &[Role::ControllerBiologist, Role::ControllerSignatory],
        _ => &[Role::Operator],
    }
}

/// Each person of these roles once, in the order of the roles.
fn people<'a>(keys: &'a [Key], roles: &'a [Role]) -> impl Iterator<Item = &'a Key> {
    roles.iter().flat_map(move |role| {
        let of_role: Vec<&Key> = keys.iter().filter(|key| key.role == *role).collect();
        let first = of_role.clone();
        of_role.into_iter().enumerate().filter_map(move |(index, key)| {
            let again = first.iter().take(index).any(|earlier| earlier.person == key.person);
            (!again).then_some(key)
        })
    })
}

fn deadlines(known: &Known<'_>, words: &Words) -> Vec<Deadline> {
    let mut list = Vec::new();
    let mut add = |what: String, day: String, file| list.push(Deadline { what, day, file });
    if let Some(header) = known.header("contract.toml", Kind::Contract) {
        add(words.contract_ends(), day(header.not_after), "contract.toml");
    }
    if let Some(header) = known.header("instruction.toml", Kind::Instruction) {
        add(words.order_ends(), day(header.not_after), "instruction.toml");
    }
    if let Some(order) = &known.order {
        let copies = order.erasure.copies.value;
        add(words.copies_erased(), copies.to_string(), "instruction.toml");
        add(words.record_erased(), Store::Record.last_day(copies).to_string(), "instruction.toml");
        if let Some(source) = &order.erasure.source {
            add(words.source_erased(), source.value.to_string(), "instruction.toml");
        }
        // one line for all classes of one fate and day
        let mut fates: Vec<(Fate, Vec<Class>)> = Vec::new();
        for stay in &order.stays {
            match fates.iter_mut().find(|(fate, _)| *fate == stay.fate) {
                Some((_, classes)) => classes.push(stay.class.value),
                None => fates.push((stay.fate, vec![stay.class.value])),
            }
        }
        for (fate, classes) in fates {
            if let Some(day) = fate.day() {
                add(words.fate(&classes, fate), day.to_string(), "instruction.toml");
            }
        }
    }
    list.sort_by(|a, b| a.day.cmp(&b.day));
    list
}

fn objected(one: &Stated) -> Objected {
    let on = |at: &str| at.parse().map_or_else(|_| at.to_owned(), day);
    Objected {
        number: one.number,
        by: one.said.by.clone(),
        on: on(&one.said.time),
        text: one.said.text.clone(),
        digest: one.digest.clone(),
        answer: one.answer.as_ref().map(|answer| Answered {
            by: answer.signers().iter().map(|s| s.person.as_str()).collect::<Vec<_>>().join(", "),
            on: day(answer.header().issued),
            text: answer.stated().text.clone(),
        }),
    }
}
