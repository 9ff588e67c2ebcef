//! Whether the reference data that a run moved are accepted.

use std::path::Path;

use ecluse_adapters::folder::figures;
use ecluse_core::fault::{Code, Result};
use ecluse_core::reference::{Accepted, FILE, Stated};
use ecluse_flow::figures::Figures;
use jiff::Timestamp;

use super::Paper;
use super::chain::Chain;
use crate::folder::Folder;

static NOT_YET: Code = Code::refused("ECL-REF-008", "the reference data have not been accepted");
static NOTHING: Code = Code::refused("ECL-REF-009", "no reference data have been moved");

/// Whoever moves more than reference data shows that these were accepted; where the order marks none,
/// there is nothing to show.
///
/// # Errors
///
/// `ECL-REF-008`; an acceptance of another run, or one that somebody signed who may not.
pub(crate) fn demanded(folder: &Folder, chain: &Chain, run: &Path, now: Timestamp) -> Result<()> {
    if !chain.instruction.order().tables.iter().any(|table| table.reference) {
        return Ok(());
    }
    let first = || NOT_YET.fault("they have not been moved").help("ecluse migrate --reference");
    let figures = if run.exists() { figures(run)? } else { None };
    let figures = figures.ok_or_else(first)?;
    match accepted(folder, chain, &figures, now)? {
        Some(_) => Ok(()),
        None if figures.reference || folder.has(FILE) => Err(NOT_YET
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
pub(crate) fn accepted(
    folder: &Folder,
    chain: &Chain,
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
    let accepted = paper.judge(Accepted::read(&paper.bytes, &paper.signatures, &chain.contract, now))?;
    accepted.is_of(&figures.run, chain.instruction.digest())?;
    Ok(Some(accepted))
}

/// What there is to accept: the reference tables of a run, with their rows.
///
/// # Errors
///
/// `ECL-REF-009` where the run's last start did not move them and come to their end.
pub(crate) fn moved(chain: &Chain, run: &Path) -> Result<Stated> {
    let none = |why: &str| NOTHING.fault(why).help("ecluse migrate --reference");
    let figures = figures(run)?.ok_or_else(|| none("no run has begun here"))?;
    if !figures.reference {
        return Err(none("the run's last start was not of them alone, or did not come to their end"));
    }
    let order = chain.instruction.order();
    let named = |source: &str| order.table(source).is_some_and(|table| table.reference);
    let tables = figures.tables.iter().filter(|table| named(&table.source));
    Ok(Stated {
        run: figures.run.clone(),
        instruction: chain.instruction.digest().to_owned(),
        tables: tables.map(|table| (table.destination.clone(), table.moved)).collect(),
    })
}
