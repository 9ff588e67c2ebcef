//! The files of a migration's evidence: found by name, copied when the certificate is written, packed when it is
//! signed.
//!
//! They are copied because the folder goes on living (a timer beats, a report is written anew), and what the
//! processor's signatories sign must be what a stranger is given. No patient's value and no row key is in them;
//! names of persons of the laboratory and of the publisher are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_core::certificate::{Artefact, FILE as CERTIFICATE};
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_flow::failpoint;

use crate::folder::{self, Folder};
use crate::journal;
use crate::papers::signatures_of;

static NO_COPY: Code = Code::refused("ECL-CRT-014", "the files that the certificate names are not there");

/// The evidence in the migration folder.
pub(crate) const FILE: &str = "evidence.tar";
/// Where its files wait for the certificate's last signature.
const WAITING: &str = "evidence.files";

/// Papers of the migration folder; each with its signatures. Those that are not there are left out.
const PAPERS: [&str; 16] = [
    "contract.toml",
    "mandate.toml",
    "dictionary.toml",
    "instruction.toml",
    "mapping.toml",
    "status.toml",
    "session.toml",
    "recipient.toml",
    "reference.toml",
    "differences.toml",
    "comparison.toml",
    "objections.jsonl",
    "manifest.toml",
    "receipt.toml",
    "acceptance.toml",
    "copies.json",
];

/// Files of the run folder, and where they stand in the evidence.
const OF_RUN: [(&str, &str); 7] = [
    ("figures.json", "run/figures.json"),
    ("reconciliation.json", "run/reconciliation.json"),
    ("rehearsals.json", "run/rehearsals.json"),
    ("erasure.json", "run/erasure.json"),
    ("residue.json", "run/residue.json"),
    ("report.html", "report.html"),
    ("events.jsonl", "journal/events.jsonl"),
];

/// The files by their paths in the evidence, all but the certificate.
///
/// # Errors
///
/// Files that cannot be read.
pub(crate) fn collect(folder: &Folder, run: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let root = folder.root();
    for name in PAPERS {
        paper(&mut files, root, &root.join(name))?;
    }
    // the versions before a contract's, its text, the code tables, the answers
    for path in folder::list(root)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("contract.") && path.is_file() && !files.contains_key(&name) {
            paper(&mut files, root, &path)?;
        }
    }
    for below in ["codes", "answers"] {
        for path in folder::list(&root.join(below))?.into_iter().filter(|path| path.is_file()) {
            paper(&mut files, root, &path)?;
        }
    }
    for (name, path) in OF_RUN {
        let file = run.join(name);
        if file.is_file() {
            files.insert(path.to_owned(), folder::read(&file, "")?);
        }
    }
    let log = root.join(journal::FOLDER);
    if log.join("checkpoint").is_file() {
        paper(&mut files, root, &log.join("checkpoint"))?;
        paper(&mut files, root, &log.join("log.pub"))?;
        below(&mut files, root, &log.join("tile"))?;
    }
    Ok(files)
}

/// A file and everything in its folder of signatures.
fn paper(files: &mut BTreeMap<String, Vec<u8>>, root: &Path, path: &Path) -> Result<()> {
    if path.is_file() {
        insert(files, root, path)?;
        below(files, root, &signatures_of(path))?;
    }
    Ok(())
}

fn below(files: &mut BTreeMap<String, Vec<u8>>, root: &Path, dir: &Path) -> Result<()> {
    for path in folder::list(dir)? {
        if path.is_dir() {
            below(files, root, &path)?;
        } else {
            insert(files, root, &path)?;
        }
    }
    Ok(())
}

fn insert(files: &mut BTreeMap<String, Vec<u8>>, root: &Path, path: &Path) -> Result<()> {
    let inside = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    files.insert(inside, folder::read(path, "")?);
    Ok(())
}

/// The lines by which a certificate names the files.
pub(crate) fn named(files: &BTreeMap<String, Vec<u8>>) -> Vec<Artefact> {
    let named = files.iter().map(|(path, bytes)| Artefact {
        path: path.clone(),
        sha256: of_bytes(bytes).trim_start_matches("sha256:").to_owned(),
    });
    named.collect()
}

/// Lays the files aside until the certificate is signed, in place of what an earlier proposal laid there.
///
/// # Errors
///
/// Files that cannot be written.
pub(crate) fn lay_aside(folder: &Folder, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    clear(folder)?;
    let waiting = waiting(folder);
    files.iter().try_for_each(|(path, bytes)| folder::create(&waiting.join(path), bytes))
}

/// The files that were laid aside.
///
/// # Errors
///
/// [`NO_COPY`]; files that cannot be read.
pub(crate) fn laid_aside(folder: &Folder) -> Result<BTreeMap<String, Vec<u8>>> {
    let waiting = waiting(folder);
    let mut files = BTreeMap::new();
    below(&mut files, &waiting, &waiting)?;
    if files.is_empty() {
        return Err(NO_COPY.fault(waiting.display().to_string()).help(
            "write the certificate anew: mv certificate.toml certificate.old.toml, its signatures too; then: ecluse certify propose",
        ));
    }
    Ok(files)
}

/// Packs the files that were laid aside with the signed certificate; durable when it returns, and then what was
/// laid aside is gone. Gives the evidence's path.
///
/// # Errors
///
/// Files that cannot be read or written; a name that no tar holds.
pub(crate) fn pack(folder: &Folder) -> Result<PathBuf> {
    let mut files = laid_aside(folder)?;
    paper(&mut files, folder.root(), &folder.root().join(CERTIFICATE))?;
    let path = folder.path(None, FILE);
    failpoint::hit("evidence.rename.before");
    folder::replace(&path, &ecluse_evidence::pack(&files)?)?;
    failpoint::hit("evidence.rename.after");
    clear(folder)?;
    Ok(path)
}

fn clear(folder: &Folder) -> Result<()> {
    let waiting = waiting(folder);
    match std::fs::remove_dir_all(&waiting) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(folder::unwritable(&waiting, &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn waiting(folder: &Folder) -> PathBuf {
    folder.path(None, WAITING)
}
