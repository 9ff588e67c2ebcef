//! What others saw of the journal: a checkpoint in a paper that they signed, or one that they kept.

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::count::plural;
use ecluse_core::document::{self, Kind, Seen};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction;
use ecluse_core::language::Language;
use ecluse_core::person::Side;
use ecluse_journal::{Checkpoint, Hash, Note};
use jiff::Timestamp;

use crate::folder::{self, Folder};
use crate::output;
use crate::papers::{Paper, quietly, standing};

static NOT_ONE: Code = Code::usage("ECL-LOG-032", "this is no checkpoint");

/// A checkpoint in somebody's hands.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    /// Where it stands.
    pub(crate) place: String,
    /// Who holds it, in words; nobody of the controller's side or outside where `is_foreign` is false.
    pub(crate) who: String,
    /// Whether somebody signed it who does not keep the journal.
    pub(crate) is_foreign: bool,
    pub(crate) checkpoint: Checkpoint,
    /// Of what kind the paper is; none where the checkpoint is in no paper.
    pub(crate) kind: Option<Kind>,
}

/// What whoever signs a paper in this folder has before them; `None` where there is no journal.
///
/// # Errors
///
/// Those of the journal: nobody signs for one that does not hold.
pub(crate) fn now(folder: &Folder) -> Result<Option<Seen>> {
    let Some(log) = ecluse_adapters::log::Folder::find(&super::path(folder)) else { return Ok(None) };
    let attempts = super::watched::attempts(folder);
    if attempts > 0 {
        let attempts = plural(attempts, "attempt", "attempts");
        output::warning(format!(
            "the journal tells of {attempts} to change it: whoever signs now has seen them:  ecluse journal tail"
        ));
    }
    let signed = log.signed()?;
    let Checkpoint { origin, size, root } = signed.checkpoint().clone();
    Ok(Some(Seen { origin, size, root: root.to_string() }))
}

/// The checkpoints in the signed papers of a folder. A paper that is not signed, or whose signature does not
/// hold, is no witness; where there is no contract in force, no paper's signature can be told. A status that lies
/// where its order does not was carried there with an archive: it was signed over the sender's journal.
///
/// # Errors
///
/// Files that cannot be read.
pub(crate) fn in_papers(folder: &Folder, now: Timestamp) -> Result<Vec<Witness>> {
    let Ok((contract, _)) = quietly(|| standing::contract(folder, None, now)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for path in folder::list(folder.root())? {
        if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            found.extend(quietly(|| of_paper(&path, &contract, now)));
        }
    }
    if !folder.has(instruction::FILE) {
        found.retain(|witness| witness.kind != Some(Kind::Status));
    }
    found.sort_by_key(|witness| witness.checkpoint.size);
    Ok(found)
}

fn of_paper(path: &Path, contract: &Contract, now: Timestamp) -> Option<Witness> {
    let paper = Paper::read(path, "").ok()?;
    let format = paper.text().parse::<toml::Table>().ok()?;
    let format = format.get("document")?.get("format")?.as_str()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.format() == format)?;
    let header = document::header(paper.text(), kind).ok()?;
    let seen = header.seen.as_ref()?;
    let signed = contract.signatures(kind, header.version, &paper.bytes, &paper.signatures, now).ok()?;
    let signers = signed.signers();
    let who: Vec<String> = signers.iter().map(|signer| signer.told(Language::English)).collect();
    Some(Witness {
        place: path.file_name()?.to_string_lossy().into_owned(),
        who: who.join(" and "),
        is_foreign: signers.iter().any(|signer| signer.role.side() == Side::Controller),
        checkpoint: checkpoint(seen)?,
        kind: Some(kind),
    })
}

/// As the journal's own code has it; `None` where the root is none.
pub(crate) fn checkpoint(seen: &Seen) -> Option<Checkpoint> {
    let root = Hash::from_base64(&seen.root)?;
    Some(Checkpoint { origin: seen.origin.clone(), size: seen.size, root })
}

/// A checkpoint that somebody kept as a file. Whose signatures it bears is not asked: whoever brings it knows
/// where it was kept, and a journal that did not grow out of it is not the one that was seen.
///
/// # Errors
///
/// [`NOT_ONE`]; a file that cannot be read.
pub(crate) fn kept(path: &Path) -> Result<Witness> {
    let bytes = folder::read(path, "name a checkpoint that somebody kept")?;
    let note = Note::parse(&bytes).ok().and_then(|note| Checkpoint::parse(note.text()));
    let checkpoint = note.ok_or_else(|| NOT_ONE.fault(path.display().to_string()))?;
    let (place, who) = (super::said(path), "whoever kept it".to_owned());
    Ok(Witness { place, who, is_foreign: true, checkpoint, kind: None })
}
