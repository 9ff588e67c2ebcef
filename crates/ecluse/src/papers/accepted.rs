//! Whether the differences that were found are accepted, by the controller.

use ecluse_core::count::number;
use ecluse_core::differences::{Accepted, Difference, FILE, Proposal, parse};
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_core::signatures::Signer;
use jiff::Timestamp;

use super::{Paper, standing};
use crate::commands::reconcile::Recorded;
use crate::folder::Folder;

/// How the differences of a reconciliation stand.
#[derive(Clone, Debug)]
pub(crate) enum Acceptance {
    /// Nobody has proposed anything.
    None,
    /// Proposed, and not signed yet.
    Proposed,
    /// Every one is accepted.
    Whole(Box<Signature>),
}

/// Who accepted, what, when.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) signers: Vec<Signer>,
    /// The day on which the list was written.
    pub(crate) on: String,
    pub(crate) digest: String,
    rows: u64,
    listed: u64,
}

impl Signature {
    /// `2 differences, 2 accepted by Claire Fontaine (list of 2026-11-22)`.
    pub(crate) fn words(&self, lang: Language) -> String {
        let by: Vec<String> = self.signers.iter().map(|s| s.told(lang)).collect();
        let listed = lang.plural(
            self.listed,
            lang.of("difference", "différence"),
            lang.of("differences", "différences"),
        );
        let (all, by, on) = (lang.count(self.listed), lang.listed(&by), &self.on);
        lang.of(
            format!("{listed}, {all} accepted by {by} (list of {on})"),
            format!("{listed}, {all} acceptées par {by} (liste du {on})"),
        )
    }

    /// Rows that differ, each once.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }
}

/// The damage that a reconciliation recorded.
pub(crate) fn damage(found: &Recorded) -> Vec<Difference> {
    let damaged = found.list.iter().filter(|d| d.damage);
    damaged
        .map(|d| Difference {
            code: d.code.clone(),
            table: d.table.clone(),
            column: d.column.clone(),
            chunk: d.chunk,
            row: d.row.clone(),
            rows: d.rows,
            there: d.there.clone(),
        })
        .collect()
}

/// Judges the list that lies in the folder, where there is one.
///
/// # Errors
///
/// A list that is another run's or another reconciliation's, that was changed, or that somebody signed
/// who may not.
pub(crate) fn of(folder: &Folder, found: &Recorded, now: Timestamp) -> Result<Acceptance> {
    if found.holds || !folder.has(FILE) {
        return Ok(Acceptance::None);
    }
    let paper = Paper::read(&folder.path(None, FILE), "")?;
    let damage = damage(found);
    if paper.signatures.is_empty() {
        proposal(&paper)?.covers(&found.run, &found.instruction, &damage)?;
        return Ok(Acceptance::Proposed);
    }
    let (contract, _) = standing::contract(folder, None, now)?;
    let accepted = paper.judge(Accepted::read(&paper.bytes, &paper.signatures, &contract, now))?;
    accepted.covers(&found.run, &found.instruction, &damage)?;
    Ok(Acceptance::Whole(Box::new(Signature {
        signers: accepted.signers().to_vec(),
        on: accepted.header().issued.to_zoned(jiff::tz::TimeZone::UTC).date().to_string(),
        digest: accepted.digest(),
        rows: found.differences,
        listed: number(damage.len()),
    })))
}

/// The list as it was written, whoever signed it.
///
/// # Errors
///
/// Everything that is wrong with it.
pub(crate) fn proposal(paper: &Paper) -> Result<Proposal> {
    paper.judge(parse(paper.text()))
}
