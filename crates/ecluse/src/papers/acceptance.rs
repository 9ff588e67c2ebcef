//! Whether the migration is accepted by the controller, as it stands now.

use std::path::Path;

use ecluse_adapters::folder::{RECONCILIATION, Undo, events, undo};
use ecluse_core::acceptance::{Accepted, Basis, FILE, Looked, Stated};
use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::language::Language;
use ecluse_core::receipt::{self, Receipt};
use ecluse_flow::event::Act;
use ecluse_flow::figures::Figures;
use jiff::Timestamp;

use super::accepted::{self, Acceptance};
use super::receipt::{Received, verified as verified_receipt};
use super::{Paper, compared, lasting, objections, sealed, standing};
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
    let accepted = lasting::read(&paper, Kind::Acceptance, now, |at| {
        Accepted::read(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    accepted.stated().is(&found(folder, run, accepted.stated().language, now)?)?;
    Ok(accepted)
}

/// What there is to accept now.
///
/// # Errors
///
/// [`NOTHING`], where the run is not through or was undone, where the destination was not read back since it
/// last changed, where it differs and nobody accepted how, or where an objection is open.
pub(crate) fn found(folder: &Folder, run: &Path, language: Language, now: Timestamp) -> Result<Stated> {
    let figures = begun::figures(run)?;
    ordered::under(folder, &figures)?;
    if undo(run)? != Undo::Never {
        return Err(nothing("the run was undone, or is being undone", "ecluse status"));
    }
    if !figures.whole {
        return Err(nothing("the run is not through", "ecluse migrate"));
    }
    ordered::tolerable(&figures)?;
    objections::answered(folder, None, now)?;
    let known = if sealed::is_ordered(folder)? {
        let receipt = received(folder, run, &figures, now)?;
        Known { basis: Basis::Receipt(receipt.digest()), differences: None, differ: 0 }
    } else {
        read_back(folder, run, &figures, now)?
    };
    let looked = compared::of(folder, run, &figures, now)?;
    let looked = looked.filter(|looked| !looked.signers.is_empty() && !looked.stale);
    let answers = objections::all(folder, now)?.into_iter();
    let answers = answers.filter(|one| one.said.instruction == figures.instruction);
    Ok(Stated {
        run: figures.run.clone(),
        instruction: figures.instruction.clone(),
        figures: compared::figures(run)?,
        basis: known.basis,
        differences: known.differences,
        asked: figures.tables.iter().map(|table| table.asked).sum(),
        moved: figures.moved_rows(),
        refused: figures.refused_rows(),
        differ: known.differ,
        comparisons: looked.into_iter().map(|looked| compared_by(&looked)).collect(),
        answers: answers.filter_map(|one| Some(one.answer?.digest())).collect(),
        language,
    })
}

/// Whereby it is known what stands at the destination.
struct Known {
    basis: Basis,
    differences: Option<String>,
    differ: u64,
}

/// The reconciliation that counts, without a difference that nobody accepted.
fn read_back(folder: &Folder, run: &Path, figures: &Figures, now: Timestamp) -> Result<Known> {
    let reconciled = reconciled::of(run, figures)?;
    let Some(found) = reconciled.found() else {
        let why = "nobody has read the destination back since the run last changed it";
        return Err(nothing(why, "ecluse reconcile"));
    };
    let differences = match accepted::of(folder, found, now)? {
        _ if found.holds => None,
        Acceptance::Whole(signature) => Some(signature.digest),
        Acceptance::Proposed | Acceptance::None => {
            return Err(nothing(
                "the destination differs, and the laboratory has not accepted how",
                "put it right: ecluse migrate --repair; or have it accepted: ecluse differences propose",
            ));
        }
    };
    let file = folder::read(&run.join(RECONCILIATION), "ecluse reconcile")?;
    let differ = if found.holds { 0 } else { found.differences };
    Ok(Known { basis: Basis::Reconciliation(of_bytes(&file)), differences, differ })
}

/// The recipient's signed receipt of everything that the run sealed.
///
/// # Errors
///
/// [`NOTHING`], where it is of another archive or counts other rows; every fault of the receipt.
pub(super) fn received(folder: &Folder, run: &Path, figures: &Figures, now: Timestamp) -> Result<Receipt> {
    if !folder.has(receipt::FILE) {
        let help = "the recipient loads the archive and signs: ecluse load, ecluse receipt sign; then put receipt.toml here";
        return Err(nothing("there is no receipt of the archive", help));
    }
    let Received { receipt, kept, .. } = verified_receipt(folder, None, run, now)?;
    let said = receipt.stated();
    // a later archive of the same run holds other rows, and the figures are of the last
    let last = events(run)?.paper(Act::Extract).map(|(manifest, _)| manifest.to_owned());
    if kept.is_none() || said.instruction != figures.instruction || last.as_ref() != Some(&said.manifest) {
        return Err(nothing(
            "the receipt is of another archive than the last that this run made",
            "put the last archive's receipt here; where its recipient cannot open it any more, it is extracted anew: a new statement of the recipient (ecluse recipient new), a new version of the order that cites it, ecluse extract --run NAME",
        ));
    }
    said.is_whole()?;
    let counted = figures.tables.iter().map(|table| (&table.destination, table.moved));
    if !counted.eq(said.tables.iter().map(|table| (&table.name, table.rows))) {
        return Err(nothing("the receipt counts other rows than were sealed", "ecluse receipt verify"));
    }
    Ok(receipt)
}

fn nothing(why: &str, help: &str) -> Fault {
    NOTHING.fault(why).help(help)
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
