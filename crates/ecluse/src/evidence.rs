//! The files of a migration's evidence: found by name, copied when the certificate is written, packed when it is
//! signed.
//!
//! They are copied because the folder goes on living (a timer beats, a report is written anew), and what the
//! processor's signatories sign must be what a stranger is given. No patient's value and no row key is in them;
//! names of persons of the laboratory and of the publisher are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_core::certificate::{Artefact, FILE as CERTIFICATE};
use ecluse_core::copies::{self, Ledger};
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::{contract, destruction, instruction};
use ecluse_evidence::{Line, Outcome, State};
use ecluse_flow::failpoint;
use ecluse_journal::Tile;

use crate::folder::{self, Folder};
use crate::journal;
use crate::papers::signatures_of;

static LINK: Code = Code::refused("ECL-CRT-016", "a file of the evidence is a link");
static WOULD_FAIL: Code = Code::refused("ECL-CRT-017", "the evidence would not hold");
static NO_COPY: Code = Code::refused("ECL-CRT-014", "the files that the certificate names are not there");

/// The evidence in the migration folder.
pub(crate) const FILE: &str = "evidence.tar";
/// Bytes of an evidence file at most.
pub(crate) const MOST: u64 = 1 << 30;
/// Where its files wait for the certificate's last signature.
const WAITING: &str = "evidence.files";

/// Papers of the migration folder; each with its signatures. Those that are not there are left out.
const PAPERS: [&str; 19] = [
    "contract.toml",
    "mandate.toml",
    "dictionary.toml",
    "instruction.toml",
    "mapping.toml",
    "status.toml",
    "session.toml",
    "recipient.toml",
    "return-recipient.toml",
    "reference.toml",
    "differences.toml",
    "comparison.toml",
    "objections.jsonl",
    "manifest.toml",
    "receipt.toml",
    "return-manifest.toml",
    "return-receipt.toml",
    "acceptance.toml",
    "copies.json",
];

/// Counts of the dry runs of a folder.
const REHEARSALS: &str = "rehearsals.json";

/// Files of the run folder, and where they stand in the evidence.
const OF_RUN: [(&str, &str); 7] = [
    ("figures.json", "run/figures.json"),
    ("reconciliation.json", "run/reconciliation.json"),
    (REHEARSALS, "run/rehearsals.json"),
    ("erasure.json", "run/erasure.json"),
    ("residue.json", "run/residue.json"),
    ("report.html", "report.html"),
    (ecluse_adapters::folder::EVENTS, "journal/events.jsonl"),
];

/// The files by their paths in the evidence, all but the certificate: those that a migration makes, by their
/// names, and nothing that merely lies beside them.
///
/// # Errors
///
/// Files that cannot be read; [`LINK`]: what a link leads to is somebody else's file.
pub(crate) fn collect(folder: &Folder, run: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let root = folder.root();
    for name in PAPERS {
        paper(&mut files, root, &root.join(name))?;
    }
    let text = files.get("contract.toml").and_then(|bytes| contract::open(bytes).ok());
    let text = text.map(|(_, terms)| terms.text).unwrap_or_default();
    for path in folder::list(root)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let version = name.strip_prefix("contract.v").and_then(|rest| rest.strip_suffix(".toml"));
        let is_version = version.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if is_version || name == text {
            paper(&mut files, root, &path)?;
        }
    }
    // what lies beside them, a draft that was set aside, is no part of the evidence
    let ledger = files.get(copies::FILE).and_then(|bytes| Ledger::read(bytes).ok()).unwrap_or_default();
    for (copy, _) in ledger.outside() {
        paper(&mut files, root, &root.join(destruction::file(&copy.id)))?;
    }
    let log = root.join(journal::FOLDER);
    for below in [root.join("codes"), root.join("answers"), log.join("sessions"), log.join("statuses")] {
        for path in folder::list(&below)? {
            if path.extension().is_some_and(|end| end == "toml") {
                paper(&mut files, root, &path)?;
            }
        }
    }
    // by these a stranger sees that somebody else had seen the plan
    for path in folder::list(&log.join("cosigned"))? {
        if path.extension().is_some_and(|end| end == "checkpoint") && is_there(&path)? {
            insert(&mut files, root, &path)?;
        }
    }
    rehearsed(&mut files, folder, run)?;
    for (name, path) in OF_RUN {
        let file = run.join(name);
        if is_there(&file)? {
            files.insert(path.to_owned(), folder::read(&file, "")?);
        }
    }
    if let Some(found) = ecluse_adapters::log::Folder::find(&log) {
        // those of this tree: earlier rounds leave theirs beside them
        let tiles = Tile::all(found.signed()?.checkpoint().size).map(|tile| tile.path());
        // of a journal that another account keeps these are links; each is judged with the checkpoint
        for name in ["checkpoint".to_owned(), "log.pub".to_owned()].into_iter().chain(tiles) {
            let path = log.join(name);
            // retention erases at the front
            if path.is_file() {
                insert(&mut files, root, &path)?;
            }
        }
    }
    Ok(files)
}

/// Where the order wants its plan witnessed, the counts of its dry runs that were noted in other folders than the
/// run's: without them nobody could tell which entry of the journal is the plan's.
fn rehearsed(files: &mut BTreeMap<String, Vec<u8>>, folder: &Folder, run: &Path) -> Result<()> {
    let Some(order) = files.get(instruction::FILE) else { return Ok(()) };
    let read = std::str::from_utf8(order).ok().and_then(|text| instruction::parse(text).ok());
    if !read.is_some_and(|order| order.witnessed) {
        return Ok(());
    }
    let order = of_bytes(order);
    let of_run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    for one in journal::noted(folder)? {
        let path = folder.root().join(&one.name);
        if path.canonicalize().is_ok_and(|path| path == of_run) || !is_there(&path.join(REHEARSALS))? {
            continue;
        }
        let counts = folder::read(&path.join(REHEARSALS), "")?;
        if String::from_utf8_lossy(&counts).contains(&order) {
            let name: String = of_bytes(&counts).chars().skip("sha256:".len()).take(16).collect();
            files.insert(format!("journal/rehearsals/{name}.json"), counts);
        }
    }
    Ok(())
}

/// Whether a plain file is there; one that is a link is no file of this migration.
fn is_there(path: &Path) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(LINK
            .fault(path.display().to_string())
            .help("put the file itself in its place, or take the link away; then: ecluse certify propose")),
        Ok(found) => Ok(found.is_file()),
        Err(_) => Ok(false),
    }
}

/// A file and everything in its folder of signatures.
fn paper(files: &mut BTreeMap<String, Vec<u8>>, root: &Path, path: &Path) -> Result<()> {
    if is_there(path)? {
        insert(files, root, path)?;
        below(files, root, &signatures_of(path))?;
    }
    Ok(())
}

fn below(files: &mut BTreeMap<String, Vec<u8>>, root: &Path, dir: &Path) -> Result<()> {
    // a folder behind a link is refused by its name as a file is
    is_there(dir)?;
    for path in folder::list(dir)? {
        if is_there(&path)? {
            insert(files, root, &path)?;
        } else if path.is_dir() {
            below(files, root, &path)?;
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

/// Packs the files that were laid aside with the signed certificate, judges what was packed as a stranger will, and
/// writes it; durable when it returns. Gives the evidence's path and digest.
///
/// # Errors
///
/// Files that cannot be read or written; a name that no tar holds; [`WOULD_FAIL`].
pub(crate) fn pack(folder: &Folder) -> Result<(PathBuf, String)> {
    let mut files = laid_aside(folder)?;
    paper(&mut files, folder.root(), &folder.root().join(CERTIFICATE))?;
    let bytes = ecluse_evidence::pack(&files)?;
    let verdict = ecluse_evidence::verify(&bytes, &[]);
    if let Some(line) = verdict.lines.iter().find(|line| line.state == State::Fails) {
        return Err(would_fail(line));
    }
    // whose keys these are is for a stranger to say
    if verdict.outcome != Outcome::NotEstablished {
        verdict.judge()?;
    }
    let path = folder.path(None, FILE);
    failpoint::hit("evidence.rename.before");
    folder::replace(&path, &bytes)?;
    failpoint::hit("evidence.rename.after");
    Ok((path, of_bytes(&bytes)))
}

/// Refuses files over which no certificate would hold.
///
/// # Errors
///
/// [`WOULD_FAIL`], with the first file and what is wrong with it.
pub(crate) fn closable(files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    ecluse_evidence::objection(files).map_or(Ok(()), |line| Err(would_fail(&line)))
}

fn would_fail(line: &Line) -> Fault {
    let finding = line.finding.as_deref().map(|finding| format!(" ({finding})")).unwrap_or_default();
    WOULD_FAIL.fault(format!("{}: {}{finding}", line.of, line.words.en)).help(
        "mend what is named, then write the certificate anew: mv certificate.toml certificate.old.toml, its signatures too; then: ecluse certify propose",
    )
}

/// Whether the evidence in the folder is the one of this digest.
pub(crate) fn is_there_as(folder: &Folder, digest: &str) -> bool {
    let read = ecluse_adapters::regular::read(&folder.path(None, FILE), MOST);
    read.is_ok_and(|bytes| of_bytes(&bytes) == digest)
}

/// Takes away what was laid aside: the evidence is written, and the journal tells of it.
///
/// # Errors
///
/// Files that cannot be removed.
pub(crate) fn clear(folder: &Folder) -> Result<()> {
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
