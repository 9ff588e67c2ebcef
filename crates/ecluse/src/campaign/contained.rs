//! A laboratory's folder holds its own papers and nothing that leads elsewhere.
//!
//! Forty laboratories' folders come from forty hands. A link in one would have the board read, and show
//! the figures of, what lies outside the campaign or in another laboratory's folder.

use std::fs::{self, FileType};
use std::path::Path;

use ecluse_core::fault::{Code, Result};

static NO_PAPER: Code = Code::refused("ECL-CAM-016", "a link, a pipe or a device stands in a paper's place");

/// Files by whose ends écluse knows its own.
const PAPERS: [&str; 7] = ["toml", "json", "jsonl", "txt", "age", "html", "sig"];
/// Folders of papers, beside those of signatures.
const FOLDERS: [&str; 3] = ["codes", "answers", "run"];
/// Folders in folders: a paper signature's own signature is the deepest.
const DEEP: u32 = 4;

/// Refuses a folder of which a paper, a folder of papers, or a step on the way to it within the campaign, is
/// no plain file or folder.
///
/// # Errors
///
/// `ECL-CAM-016`, naming the first.
pub(super) fn contained(root: &Path, folder: &Path) -> Result<()> {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let mut step = root.to_owned();
    for part in below {
        step.push(part);
        if !kind(&step).is_some_and(|kind| kind.is_dir()) {
            return Err(refused(&step));
        }
    }
    papers(folder, DEEP, false)
}

/// Every paper of a folder; of a folder of papers, everything (`all`).
fn papers(folder: &Path, deep: u32, all: bool) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|_| refused(folder))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let of_papers = end == "sigs" || FOLDERS.contains(&name);
        if !all && !of_papers && !PAPERS.contains(&end) {
            continue;
        }
        match kind(&path) {
            Some(kind) if kind.is_dir() && (all || of_papers) && deep > 0 => papers(&path, deep - 1, true)?,
            Some(kind) if kind.is_file() => {}
            // gone meanwhile: whoever needs it says so
            None => {}
            Some(_) => return Err(refused(&path)),
        }
    }
    Ok(())
}

fn kind(path: &Path) -> Option<FileType> {
    fs::symlink_metadata(path).ok().map(|about| about.file_type())
}

fn refused(path: &Path) -> ecluse_core::fault::Fault {
    NO_PAPER
        .fault(path.display().to_string())
        .help("put the paper itself into the laboratory's folder, and the folder into the campaign's")
}
