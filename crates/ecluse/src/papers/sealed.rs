//! What an extraction keeps of each archive that it makes, to compare the recipient's receipt with: in the run folder,
//! on the disk before the archive has its name, and attested by the journal.

use std::fs::File;
use std::path::Path;

use ecluse_adapters::folder::events;
use ecluse_core::digest;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::instruction;
use ecluse_core::manifest::Manifest;
use ecluse_core::receipt::Sealed;
use ecluse_flow::event::Act;
use ecluse_flow::failpoint;
use ecluse_seal::archive::Index;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Paper, lasting, standing};
use crate::folder::{self, Folder};

static UNREADABLE: Code =
    Code::refused("ECL-RCT-013", "what the extraction kept of the archive is not there as it was kept");

/// The file in the run folder of an extraction.
const FILE: &str = "sealed.json";

/// Every archive of a run, the last one last: an earlier one may be on its way.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Archives {
    archives: Vec<Kept>,
}

/// One archive: ids, digests and counts alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) archive: String,
    pub(crate) manifest: String,
    pub(crate) instruction: String,
    pub(crate) recipient: String,
    pub(crate) run: String,
    tables: Vec<Table>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    rows: u64,
    commitment: String,
}

impl Kept {
    /// What is kept of an archive: its manifest's digest, and what its index says of the tables.
    pub(crate) fn new(manifest: &str, index: &Index) -> Self {
        let label = index.label();
        let tables = index.tables.iter().map(|t| Table {
            name: t.destination.clone(),
            rows: t.rows,
            commitment: t.commitment.clone(),
        });
        Self {
            archive: label.archive,
            manifest: manifest.to_owned(),
            instruction: label.instruction,
            recipient: label.recipient,
            run: index.run.clone(),
            tables: tables.collect(),
        }
    }

    /// The tables, as a receipt is compared with them.
    pub(crate) fn tables(&self) -> Vec<Sealed> {
        let one = |t: &Table| Sealed { name: t.name.clone(), rows: t.rows, commitment: t.commitment.clone() };
        self.tables.iter().map(one).collect()
    }

    /// What the journal says of it.
    pub(crate) fn digest(&self) -> String {
        digest::of_bytes(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Keeps it beside what was kept of the run's earlier archives, and says its digest; on the disk when it returns.
///
/// # Errors
///
/// [`UNREADABLE`]; where it cannot be written.
pub(crate) fn keep(run: &Path, kept: Kept) -> Result<String> {
    let mut all = read(run)?.unwrap_or_default();
    let digest = kept.digest();
    all.archives.push(kept);
    folder::replace(&run.join(FILE), &serde_json::to_vec_pretty(&all).unwrap_or_default())?;
    failpoint::hit("papers.sealed.fsync.before");
    File::open(run).and_then(|dir| dir.sync_all()).map_err(|error| folder::unwritable(run, &error))?;
    failpoint::hit("papers.sealed.fsync.after");
    Ok(digest)
}

/// Whether the folder's order seals to a recipient, signed or not.
///
/// # Errors
///
/// An order that is not there, or that nobody can read.
pub(crate) fn is_ordered(folder: &Folder) -> Result<bool> {
    let paper = Paper::read(&folder.path(None, instruction::FILE), "ecluse instruction new")?;
    Ok(paper.judge(instruction::parse(paper.text()))?.recipient().is_some())
}

/// The manifest that an extraction left beside the papers under this name: signed by who sealed it, under the order that
/// lies there, and of an archive as this run kept it.
///
/// # Errors
///
/// Every fault of the manifest; [`UNREADABLE`] of one that this run did not make.
pub(crate) fn manifest(folder: &Folder, name: &str, run: &Path, now: Timestamp) -> Result<Manifest> {
    let (contract, _) = standing::contract(folder, None, now)?;
    let paper = Paper::read(&folder.path(None, name), "ecluse extract")?;
    let manifest = lasting::read(&paper, Kind::Manifest, now, |at| {
        Manifest::in_force(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    let order = Paper::read(&folder.path(None, instruction::FILE), "ecluse instruction new")?.digest();
    let kept = kept(run, &manifest.header().id)?.ok_or_else(|| bent(run, "it keeps no archive"))?;
    if kept.manifest != manifest.digest() || kept.instruction != order {
        return Err(bent(run, &format!("{name} is not the manifest that it keeps, or of another order")));
    }
    Ok(manifest)
}

/// Whether anything was kept of an archive: an extraction came to its end here.
pub(crate) fn is_any(run: &Path) -> bool {
    run.join(FILE).exists()
}

/// Whether a run made this archive, by what it kept.
///
/// # Errors
///
/// [`UNREADABLE`].
pub(crate) fn is_among(run: &Path, archive: &str) -> Result<bool> {
    Ok(read(run)?.is_some_and(|all| all.archives.iter().any(|kept| kept.archive == archive)))
}

/// Whether archives were made here, and every one to this recipient.
pub(crate) fn is_to(run: &Path, recipient: &str) -> bool {
    let all = read(run).ok().flatten().unwrap_or_default().archives;
    !all.is_empty() && all.iter().all(|kept| kept.recipient == recipient)
}

/// What was kept of this archive, as the journal attests it. `None` where nothing was extracted in this folder:
/// whoever is not the sender has none.
///
/// # Errors
///
/// [`UNREADABLE`], also where the run made other archives, and not this one.
pub(crate) fn kept(run: &Path, archive: &str) -> Result<Option<Kept>> {
    let Some(all) = read(run)? else { return Ok(None) };
    let found = all.archives.into_iter().rev().find(|kept| kept.archive == archive);
    let found = found.ok_or_else(|| bent(run, "this archive is not among its archives"))?;
    let digest = found.digest();
    let attests = |act, paper: &Option<String>| act == Act::SealPart && paper.as_deref() == Some(&digest);
    if events(run)?.leaves.iter().any(|leaf| attests(leaf.act, &leaf.paper)) {
        return Ok(Some(found));
    }
    Err(bent(run, "the journal does not attest it"))
}

fn read(run: &Path) -> Result<Option<Archives>> {
    let path = run.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let read = serde_json::from_slice(&folder::read(&path, "")?);
    read.map(Some).map_err(|_| bent(run, "it is not what ecluse extract writes"))
}

fn bent(run: &Path, why: &str) -> Fault {
    let path = run.join(FILE);
    UNREADABLE
        .fault(format!("{}: {why}", path.display()))
        .help("restore the run folder from a copy, or name the run that made the archive: --run DIR")
}
