//! Whether the migration is accepted by the controller, as it stands now.

use std::path::Path;

use ecluse_adapters::folder::{Undo, undo};
use ecluse_core::acceptance::{Accepted, Basis, FILE, Looked, Stated};
use ecluse_core::contract::Contract;
use ecluse_core::digest::of_bytes;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use jiff::{SignedDuration, Timestamp};

use super::accepted::{self, Acceptance};
use super::{Paper, compared, objections, standing};
use crate::commands::{begun, ordered, reconciled};
use crate::folder::{self, Folder};

static NOTHING: Code = Code::refused("ECL-ACC-010", "there is nothing to accept yet");
/// Nobody has accepted, or not everybody who must.
pub(crate) static NOT_ACCEPTED: Code = Code::refused("ECL-ACC-011", "the migration has not been accepted");

/// The command that makes an acceptance.
pub(crate) const MADE_BY: &str = "ecluse accept propose";

/// The acceptance in the folder: signed by everybody who must, and of what stands there now. Whoever erases,
/// certifies or closes asks here.
///
/// # Errors
///
/// [`NOT_ACCEPTED`]; `ECL-ACC-005`; every fault of the paper, and of what it is of.
pub(crate) fn verified(folder: &Folder, run: &Path, now: Timestamp) -> Result<Accepted> {
    let none = |why: &str| {
        NOT_ACCEPTED
            .fault(why)
            .help("ecluse accept propose, then the controller's signatory: ecluse accept sign --key FILE")
    };
    if !folder.has(FILE) {
        return Err(none("nobody has proposed it"));
    }
    let paper = Paper::read(&folder.path(None, FILE), MADE_BY)?;
    if paper.signatures.is_empty() {
        return Err(none("nobody has signed it"));
    }
    let (contract, _) = standing::contract(folder, None, now)?;
    let accepted = signed(&paper, &contract, now)?;
    accepted.stated().is(&found(folder, run, accepted.stated().language, now)?)?;
    Ok(accepted)
}

/// The paper with its signatures; one whose period is over is judged as of its last day, or of the day it was
/// written: what it was needed for may take longer.
fn signed(paper: &Paper, contract: &Contract, now: Timestamp) -> Result<Accepted> {
    let read = |at| Accepted::read(&paper.bytes, &paper.signatures, contract, at);
    let header = paper.judge(document::header(paper.text(), Kind::Acceptance))?;
    let last = header.not_after.checked_sub(SignedDuration::from_secs(1)).unwrap_or(header.issued);
    let earlier = || [last, header.issued].into_iter().filter(|at| *at < now).find_map(|at| read(at).ok());
    paper.judge(read(now).or_else(|findings| earlier().ok_or(findings)))
}

/// What there is to accept now.
///
/// # Errors
///
/// [`NOTHING`], where the run is not through or was undone, where the destination was not read back since it
/// last changed, where it differs and nobody accepted how, or where an objection is open.
pub(crate) fn found(folder: &Folder, run: &Path, language: Language, now: Timestamp) -> Result<Stated> {
    let nothing = |why: &str, help: &str| Err(NOTHING.fault(why).help(help));
    let figures = begun::figures(run)?;
    ordered::under(folder, &figures)?;
    if undo(run)? != Undo::Never {
        return nothing("the run was undone, or is being undone", "ecluse status");
    }
    if !figures.whole {
        return nothing("the run is not through", "ecluse migrate");
    }
    ordered::tolerable(&figures)?;
    objections::answered(folder, None, now)?;
    let reconciled = reconciled::of(run, &figures)?;
    let Some(found) = reconciled.found() else {
        return nothing(
            "nobody has read the destination back since the run last changed it",
            "ecluse reconcile",
        );
    };
    let differences = match accepted::of(folder, found, now)? {
        _ if found.holds => None,
        Acceptance::Whole(signature) => Some(signature.digest),
        Acceptance::Proposed | Acceptance::None => {
            return nothing(
                "the destination differs, and the laboratory has not accepted how",
                "put it right: ecluse migrate --repair; or have it accepted: ecluse differences propose",
            );
        }
    };
    let looked = compared::of(folder, run, &figures, now)?;
    let looked = looked.filter(|looked| !looked.signers.is_empty() && !looked.stale);
    let answers = objections::all(folder, now)?.into_iter();
    let answers = answers.filter(|one| one.said.instruction == figures.instruction);
    Ok(Stated {
        run: figures.run.clone(),
        instruction: figures.instruction.clone(),
        figures: compared::figures(run)?,
        basis: Basis::Reconciliation(of_bytes(&folder::read(
            &run.join(ecluse_adapters::folder::RECONCILIATION),
            "ecluse reconcile",
        )?)),
        differences,
        asked: figures.tables.iter().map(|table| table.asked).sum(),
        moved: figures.moved_rows(),
        refused: figures.refused_rows(),
        differ: if found.holds { 0 } else { found.differences },
        comparisons: looked.into_iter().map(|looked| compared_by(&looked)).collect(),
        answers: answers.filter_map(|one| Some(one.answer?.digest())).collect(),
        language,
    })
}

fn compared_by(looked: &compared::Looked) -> Looked {
    Looked {
        record: looked.digest.clone(),
        by: looked.comparison.by.clone(),
        drawn: looked.comparison.drawn,
        same: looked.comparison.same(),
        crossed: looked.comparison.crossed().values().sum(),
    }
}
