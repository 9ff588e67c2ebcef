//! Who stands behind a session's id: its signed statement, kept beside the log once something was noted under it.
//!
//! `session.toml` is replaced every day; without its copy an entry of last week would name nobody.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_core::document::{self, Kind};
use ecluse_core::fault::Result;
use jiff::Timestamp;

use crate::folder::{self, Folder};
use crate::papers::{Paper, quietly, signatures_of, standing};

/// Below the log's folder.
const FOLDER: &str = "sessions";

/// Copies the statement of the session that is there, or at `flag`, with its signatures, unless that was done:
/// before the first act under it, so that none is left without.
///
/// # Errors
///
/// Files that cannot be read or written.
pub(crate) fn keep(folder: &Folder, flag: Option<&Path>) -> Result<()> {
    let path = folder.path(flag, "session.toml");
    let Ok(paper) = quietly(|| Paper::read(&path, "")) else { return Ok(()) };
    let Ok(header) = document::header(paper.text(), Kind::Session) else { return Ok(()) };
    let kept = super::path(folder).join(FOLDER).join(format!("{}.toml", header.id));
    if kept.exists() {
        return Ok(());
    }
    let _alone = super::alone(folder)?;
    for signature in folder::list(&signatures_of(&path))? {
        let name = signature.file_name().unwrap_or_default();
        folder::replace(&signatures_of(&kept).join(name), &folder::read(&signature, "")?)?;
    }
    folder::replace(&kept, &paper.bytes)
}

/// The operators by their sessions' ids, as far as a statement with a signature that holds says so.
///
/// # Errors
///
/// Files that cannot be read.
pub(crate) fn operators(folder: &Folder, now: Timestamp) -> Result<BTreeMap<String, String>> {
    let Ok((contract, _)) = quietly(|| standing::contract(folder, None, now)) else {
        return Ok(BTreeMap::new());
    };
    let mut paths = folder::list(&super::path(folder).join(FOLDER))?;
    paths.push(folder.path(None, "session.toml"));
    let one = |path: &std::path::PathBuf| {
        let paper = quietly(|| Paper::read(path, "")).ok()?;
        let header = document::header(paper.text(), Kind::Session).ok()?;
        // as of the session's own day: it ended long ago, and the key may have been replaced since
        let signed =
            contract.signatures(Kind::Session, 1, &paper.bytes, &paper.signatures, header.issued).ok()?;
        let names: Vec<&str> = signed.signers().iter().map(|signer| signer.person.as_str()).collect();
        Some((header.id, names.join(", ")))
    };
    Ok(paths.iter().filter(|path| path.is_file()).filter_map(one).collect())
}
