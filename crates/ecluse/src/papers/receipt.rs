//! The recipient's receipt, verified: by this function wherever it counts.

use std::path::{Path, PathBuf};

use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::receipt::{FILE, OTHER, Receipt};
use ecluse_core::recipient::{self, Recipient};
use jiff::Timestamp;

use super::sealed::{self, Kept};
use super::{Paper, lasting, standing};
use crate::folder::Folder;

/// The command that makes a receipt.
pub(crate) const MADE_BY: &str = "ecluse load ARCHIVE --identity FILE --to URL";

/// A receipt that is its recipient's word.
pub(crate) struct Received {
    pub(crate) path: PathBuf,
    pub(crate) receipt: Receipt,
    /// What the extraction kept of the archive, which the receipt opens table by table; `None` where nothing was
    /// extracted in this folder.
    pub(crate) kept: Option<Kept>,
}

/// The receipt in the folder: signed by whoever signed the recipient's statement that lies there; where the run
/// folder is an extraction's, of an archive that it made, and opening the commitment to every table of it.
///
/// What it tells of differences and refused rows is left to the caller.
///
/// # Errors
///
/// Every fault of receipt and statement; `ECL-RCT-010`, `ECL-RCT-011`, `ECL-RCT-013`, `ECL-RCT-014`.
pub(crate) fn verified(folder: &Folder, file: Option<&Path>, run: &Path, now: Timestamp) -> Result<Received> {
    let (contract, _) = standing::contract(folder, None, now)?;
    let paper = Paper::read(&folder.path(file, FILE), MADE_BY)?;
    let receipt = lasting::read(&paper, Kind::Receipt, now, |at| {
        Receipt::read(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    let statement = Paper::read(&folder.path(None, recipient::FILE), super::recipient::MADE_BY)?;
    let recipient = lasting::read(&statement, Kind::Recipient, now, |at| {
        Recipient::in_force(&statement.bytes, &statement.signatures, &contract, at)
    })?;
    receipt.is_from(&recipient)?;
    let stated = receipt.stated();
    let kept = sealed::kept(run, &stated.archive)?;
    if let Some(kept) = &kept {
        stated.is_of(&kept.archive, &kept.manifest, &kept.instruction, &kept.recipient)?;
        if stated.run != kept.run {
            return Err(OTHER.fault(format!("it names run {}", stated.run)).help(MADE_BY));
        }
        stated.opens(&kept.tables())?;
    }
    Ok(Received { path: paper.path, receipt, kept })
}
