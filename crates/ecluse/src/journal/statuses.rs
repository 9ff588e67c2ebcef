//! What the controller said of the order, and when: each word that was heard, kept beside the log.
//!
//! `status.toml` is replaced by every new word; without its copy nobody could tell later whether the order stood
//! at the hour of an entry.

use ecluse_core::document::{self, Kind};
use ecluse_core::fault::Result;

use crate::folder::{self, Folder};
use crate::papers::{Paper, signatures_of};

/// Below the log's folder.
const FOLDER: &str = "statuses";

/// Keeps this word with its signatures, unless that was done.
///
/// # Errors
///
/// Files that cannot be read or written.
pub(crate) fn keep(folder: &Folder, paper: &Paper) -> Result<()> {
    let Ok(header) = document::header(paper.text(), Kind::Status) else { return Ok(()) };
    let kept = super::path(folder).join(FOLDER).join(format!("{}.toml", header.id));
    if kept.exists() {
        return Ok(());
    }
    // several runs of one folder hear the same word
    let _alone = super::alone(folder)?;
    let signatures = signatures_of(&kept);
    for one in &paper.signatures {
        if one.paper.is_some() {
            copied(&signatures_of(&paper.path), &signatures)?;
        } else {
            // as they were heard: by now a newer word may be on its way into the file
            folder::replace(&signatures.join(&one.name), &one.armoured)?;
        }
    }
    folder::replace(&kept, &paper.bytes)
}

/// A page signed by hand has a record, its checker's signature and a scan.
fn copied(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    for path in folder::list(from)? {
        let place = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copied(&path, &place)?;
        } else {
            folder::replace(&place, &folder::read(&path, "")?)?;
        }
    }
    Ok(())
}
