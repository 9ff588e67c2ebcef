//! What became of an order to a recipient, as the sender's papers tell it: the archive's manifest, and the receipt that
//! came back. Nobody at the sender's reads a destination back: the receipt is what is known of it.

use std::path::Path;

use ecluse_core::manifest::{self, Manifest};
use ecluse_core::receipt::{self, Receipt};
use ecluse_flow::figures::Figures;
use jiff::Timestamp;

use super::ending::{Stood, signed};
use super::{acceptance, sealed};
use crate::folder::Folder;

/// Both papers, as they stand.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) manifest: Stood<Manifest>,
    pub(crate) receipt: Stood<Receipt>,
}

impl Handed {
    /// Of the archive that the run in this folder made: the manifest as the run kept it, and the receipt as an
    /// acceptance would take it, of every row that was sealed.
    pub(crate) fn of(folder: &Folder, run: &Path, figures: &Figures, now: Timestamp) -> Self {
        Self {
            manifest: signed(folder, manifest::FILE, || sealed::manifest(folder, manifest::FILE, run, now)),
            receipt: signed(folder, receipt::FILE, || acceptance::received(folder, run, figures, now)),
        }
    }
}
