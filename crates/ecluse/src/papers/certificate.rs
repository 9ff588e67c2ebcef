//! Whether what was erased is certified by the processor, and what there is to certify.

use std::path::Path;

use ecluse_core::acceptance::Accepted;
use ecluse_core::certificate::{Artefact, Certified, FILE, Stated};
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use jiff::Timestamp;

use super::chain::Chain;
use super::erased::{self, Gone};
use super::{Paper, acceptance, destruction, lasting, standing};
use crate::cli::PaperArgs;
use crate::commands::begun;
use crate::folder::Folder;

static NOT_CERTIFIED: Code = Code::refused("ECL-CRT-015", "what was erased is not certified");

/// The command that makes a certificate.
pub(crate) const MADE_BY: &str = "ecluse certify propose";

/// What there is to certify now, its files apart, with the acceptance it is after.
///
/// # Errors
///
/// `ECL-ACC-011` and its like without a verified acceptance; `ECL-CRT-010` to `ECL-CRT-013`; `ECL-CRT-018`.
pub(crate) fn found(folder: &Folder, run: &Path, now: Timestamp) -> Result<(Stated, Accepted)> {
    let accepted = acceptance::verified(folder, run, now)?;
    let held = erased::copies(folder, now)?;
    let figures = begun::figures(run)?;
    // as of the run: its order may have ended
    let then = begun::then(&figures, now);
    let chain = Chain::read(folder, &PaperArgs::default(), then)?;
    let Gone { erasure, residue, digests } = erased::of(run, &figures, chain.instruction.order(), &accepted)?;
    if held != erasure.held {
        return Err(erased::NOT_ERASED
            .fault("what is held has changed since the last erasure, which does not tell of it")
            .help("ecluse erase, then: ecluse erase --look"));
    }
    let [of_erasure, of_residue] = digests;
    let stated = Stated {
        run: figures.run,
        instruction: figures.instruction,
        acceptance: accepted.digest(),
        erasure: of_erasure,
        residue: of_residue,
        done: erasure.done,
        looked: residue.looked,
        held: erasure.held,
        out_of_reach: erasure.out_of_reach,
        artefacts: Vec::new(),
    };
    Ok((stated, accepted))
}

/// The certificate in the folder: signed by everybody who must, and of what was erased and looked for.
///
/// # Errors
///
/// [`NOT_CERTIFIED`]; `ECL-CRT-005`; every fault of the paper; as [`found`].
pub(crate) fn verified(folder: &Folder, run: &Path, now: Timestamp) -> Result<(Certified, Accepted)> {
    let (found, accepted) = found(folder, run, now)?;
    let none = |why: &str| {
        NOT_CERTIFIED
            .fault(why)
            .help("ecluse certify propose, then the processor's signatories: ecluse certify sign --key FILE")
    };
    if !folder.has(FILE) {
        return Err(none("nobody has proposed it"));
    }
    let paper = Paper::read(&folder.path(None, FILE), MADE_BY)?;
    if paper.signatures.is_empty() {
        return Err(none("nobody has signed it"));
    }
    let (contract, _) = standing::contract(folder, None, now)?;
    let certified = lasting::read(&paper, Kind::Certificate, now, |at| {
        Certified::read(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    with(certified.stated().artefacts.clone(), found, certified.stated())?;
    destruction::settled(folder, now)?;
    Ok((certified, accepted))
}

/// Whether a certificate of these files is of what is found.
///
/// # Errors
///
/// `ECL-CRT-005`.
pub(crate) fn with(artefacts: Vec<Artefact>, found: Stated, certified: &Stated) -> Result<()> {
    certified.is(&Stated { artefacts, ..found })
}
