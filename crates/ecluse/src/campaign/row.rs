//! One laboratory's line of the board, looked at as `ecluse procedure` looks at its folder.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ecluse_core::campaign::Laboratory;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Fault, Result};
use jiff::Timestamp;
use serde::Serialize;

use super::figure::{self, Last};
use super::{Whole, product};
use crate::commands::Here;
use crate::folder::{self, Folder};
use crate::procedure::dates::{self, Dated};
use crate::procedure::{Line, Words, sheet};

/// How a laboratory stands; the first needs somebody most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// The folder cannot be read, a check refuses, or what moved differs.
    Refused,
    /// The next step is not the operator's.
    Laboratory,
    /// The next step is the operator's.
    Operator,
    /// Nothing is missing.
    Done,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) laboratory: String,
    pub(crate) folder: String,
    pub(crate) finess: Option<String>,
    pub(crate) state: State,
    /// The first step that is not done.
    pub(crate) step: Option<&'static str>,
    /// By which code it is refused.
    pub(crate) code: Option<String>,
    pub(crate) waits_for: Option<&'static str>,
    pub(crate) since: Option<Dated>,
    pub(crate) days: Option<i64>,
    pub(crate) last: Option<Last>,
    /// Whether what stands at the destination agrees, or every difference is accepted.
    pub(crate) reconciled: bool,
    /// Whether the frozen source was caught up with.
    pub(crate) cut_over: bool,
    /// In how many places its papers depart from its product's.
    pub(crate) departs: Option<usize>,
    /// The steps that are done.
    pub(crate) done: Vec<&'static str>,
    #[serde(skip)]
    pub(super) papers: Papers,
}

/// What must be one laboratory's alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    /// Digests of the contract and of the order.
    pub(super) contract: Option<String>,
    pub(super) instruction: Option<String>,
    /// The source that the order names.
    pub(super) source: Option<String>,
    /// The legal entity that the order names, and what stands in the rows for it.
    pub(super) entity: Option<(String, String)>,
}

/// The line of one laboratory: whatever its folder holds, there is one.
pub(super) fn row(campaign: &Whole, laboratory: &Laboratory, words: &Words, now: Timestamp) -> Row {
    // a defect that one folder's files bring out leaves the other lines standing
    let looked = catch_unwind(AssertUnwindSafe(|| read(campaign, laboratory, words, now)));
    looked.unwrap_or_else(|_| Err(crate::DEFECT.fault(""))).unwrap_or_else(|fault| broken(laboratory, &fault))
}

fn broken(laboratory: &Laboratory, fault: &Fault) -> Row {
    Row {
        laboratory: laboratory.name.value.clone(),
        folder: laboratory.folder.value.clone(),
        finess: laboratory.finess.as_ref().map(|f| f.value.clone()),
        state: State::Refused,
        step: None,
        code: Some(fault.code().id.to_owned()),
        waits_for: Some("the operator"),
        since: None,
        days: None,
        last: None,
        reconciled: false,
        cut_over: false,
        departs: None,
        done: Vec::new(),
        papers: Papers::default(),
    }
}

fn read(campaign: &Whole, laboratory: &Laboratory, words: &Words, now: Timestamp) -> Result<Row> {
    let here = Here { folder: campaign.folder(laboratory)?, now };
    let sheet = sheet(&here, words)?;
    let done: Vec<_> = sheet.steps.iter().filter(|line| line.state == "done").map(|line| line.step).collect();
    let next = sheet.steps.iter().find(|line| line.state == "missing");
    let files = product::departures(campaign, laboratory)?;
    Ok(Row {
        laboratory: laboratory.name.value.clone(),
        folder: laboratory.folder.value.clone(),
        finess: laboratory.finess.as_ref().map(|f| f.value.clone()),
        state: next.map_or(State::Done, state),
        step: next.map(|line| line.step),
        code: next.and_then(|line| line.code.clone()),
        waits_for: next.and_then(|line| line.waits_for),
        since: next.and_then(|line| line.since.clone()),
        days: next.and_then(|line| line.days),
        last: figure::last(&here.folder, now)?,
        // what agrees of a run that refused too much is not the run that was ordered
        reconciled: done.contains(&"run") && done.contains(&"reconciliation"),
        cut_over: done.contains(&"catch-up"),
        departs: files.map(|files| files.iter().map(product::File::own).sum()),
        done,
        papers: papers(&here.folder),
    })
}

fn state(line: &Line) -> State {
    match (&line.code, line.waits_for) {
        (Some(_), _) => State::Refused,
        (None, Some("the operator")) => State::Operator,
        (None, _) => State::Laboratory,
    }
}

fn papers(folder: &Folder) -> Papers {
    let digest = |name: &str| folder::read(&folder.path(None, name), "").ok().map(|bytes| of_bytes(&bytes));
    let order = dates::order(folder);
    let entity = order.as_ref().and_then(|order| order.entity.as_ref());
    Papers {
        contract: digest("contract.toml"),
        instruction: digest("instruction.toml"),
        entity: entity.map(|entity| (entity.finess.value.clone(), entity.value().to_owned())),
        source: order.map(|order| order.source.identity.value),
    }
}
