//! Whether the reference data that a run moved are accepted.

use std::path::Path;

use ecluse_adapters::folder::figures;
use ecluse_core::contract::Contract;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::reference::{Accepted, FILE, Stated, Table};
use ecluse_flow::figures::Figures;
use jiff::{SignedDuration, Timestamp};

use super::Paper;
use super::chain::Chain;
use crate::folder::Folder;

static NOT_YET: Code = Code::refused("ECL-REF-008", "the reference data have not been accepted");
static NOTHING: Code = Code::refused("ECL-REF-009", "no reference data have been moved");

/// What moves them between two databases.
pub(crate) const MOVES: &str = "ecluse migrate --reference";
/// What loads them out of an archive.
pub(crate) const LOADS: &str = "ecluse load ARCHIVE --reference";

/// Whoever moves more than reference data shows that these were accepted, as they stand at the destination:
/// `stands` names its tables with their rows and tallies, read back; `first` is what moves them. Whoever signed, with
/// whatever tool, it is compared here.
///
/// # Errors
///
/// `ECL-REF-008`; `ECL-REF-005`, an acceptance of another run, of other rows or values; one that somebody signed who
/// may not.
pub(crate) fn demanded(
    folder: &Folder,
    (contract, instruction): (&Contract, &str),
    run: &Path,
    (stands, first): (&[Table], &str),
    now: Timestamp,
) -> Result<()> {
    let first = || NOT_YET.fault("they have not been moved").help(first);
    let figures = if run.exists() { figures(run)? } else { None };
    let figures = figures.ok_or_else(first)?;
    match accepted(folder, (contract, instruction), &figures, now)? {
        Some(accepted) => accepted.is_of_tables(stands),
        None if has_moved(&figures) || folder.has(FILE) => Err(NOT_YET
            .fault("nobody has signed them")
            .help("ecluse reference propose, then a biologist: ecluse reference sign --key FILE")),
        None => Err(first()),
    }
}

/// The acceptance that lies in the folder, verified; `None` where there is none, or nobody signed it.
///
/// # Errors
///
/// As [`demanded`].
fn accepted(
    folder: &Folder,
    (contract, instruction): (&Contract, &str),
    figures: &Figures,
    now: Timestamp,
) -> Result<Option<Accepted>> {
    if !folder.has(FILE) {
        return Ok(None);
    }
    let paper = Paper::read(&folder.path(None, FILE), "")?;
    if paper.signatures.is_empty() {
        return Ok(None);
    }
    let accepted = paper.judge(Accepted::read(&paper.bytes, &paper.signatures, contract, now))?;
    accepted.is_of(&figures.run, instruction)?;
    Ok(Some(accepted))
}

/// Whether the run's last start moved them and came to its end: one of them alone, or a sample, which moves
/// them whole.
fn has_moved(figures: &Figures) -> bool {
    let sampled = figures.sample.as_ref().is_some_and(|sample| sample.through);
    figures.reference || (sampled && !figures.is_beyond_tolerance())
}

/// The acceptance as the report shows it, and when it held, where it holds no more: on its last day, or when it
/// was written. What it was needed for began while it held. `None` also where the run's last start says of the
/// rows that they are others.
///
/// # Errors
///
/// As [`demanded`].
pub(crate) fn shown(
    folder: &Folder,
    chain: &Chain,
    run: &Path,
    figures: &Figures,
    now: Timestamp,
) -> Result<Option<(Accepted, Option<Timestamp>)>> {
    if !folder.has(FILE) {
        return Ok(None);
    }
    let paper = Paper::read(&folder.path(None, FILE), "")?;
    if paper.signatures.is_empty() {
        return Ok(None);
    }
    let header = paper.judge(document::header(paper.text(), Kind::Reference))?;
    let last = header.not_after.checked_sub(SignedDuration::from_secs(1)).unwrap_or(header.issued);
    let read = |at| Accepted::read(&paper.bytes, &paper.signatures, &chain.contract, at);
    let earlier = || [last, header.issued].into_iter().filter(|at| *at < now);
    let (accepted, at) = match read(now) {
        Ok(accepted) => (accepted, None),
        Err(findings) => match earlier().find_map(|at| Some((read(at).ok()?, at))) {
            Some((accepted, at)) => (accepted, Some(at)),
            None => return paper.judge(Err(findings)),
        },
    };
    accepted.is_of(&figures.run, chain.instruction.digest())?;
    let others = has_moved(figures) && accepted.stated().is(&moved(run, MOVES)?).is_err();
    Ok((!others).then_some((accepted, at)))
}

/// What there is to accept: the reference tables of a run, with their rows and tallies; `first` is what moves them.
///
/// # Errors
///
/// `ECL-REF-009` where the run's last start did not move them and come to its end, or moved more than a sample
/// beside them.
pub(crate) fn moved(run: &Path, first: &str) -> Result<Stated> {
    let none = |why: &str| NOTHING.fault(why).help(first);
    let figures = figures(run)?.ok_or_else(|| none("no run has begun here"))?;
    if !has_moved(&figures) {
        return Err(none("the run's last start was of more than them, or did not come to their end"));
    }
    // they alone were read back at the end of such a start
    let tables = figures.tables.iter().filter(|table| !table.tally.is_empty());
    Ok(Stated {
        run: figures.run.clone(),
        instruction: figures.instruction.clone(),
        tables: tables
            .map(|table| Table {
                name: table.destination.clone(),
                rows: table.moved,
                tally: table.tally.clone(),
            })
            .collect(),
    })
}
