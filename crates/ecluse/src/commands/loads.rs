//! The loads that a recipient's folder has begun, a run folder each.
//!
//! One identity opens them all, and it goes with the first that is through; one receipt lies in the folder, and an
//! identity that is gone writes no other. So the other folders are asked before a load begins, before a receipt makes
//! room for another, and before the identity goes.

use std::fs::File;
use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{EVENTS, RunFolder, events};
use ecluse_core::copies::Store;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{Act, Verified};
use ecluse_flow::load::has_unsealed;
use ecluse_seal::{Identity, RunState};

use super::runs;
use crate::folder::{self, Folder};
use crate::{copies, output};

static ANOTHERS: Code =
    Code::refused("ECL-LOA-041", "the receipt that lies there is that of a load from another run folder");
static BEGUN: Code =
    Code::refused("ECL-LOA-042", "a load was begun from another run folder, and is not through");

/// The run folders of this migration that stand there, `run` aside: those of the ledger of copies, which has each load's
/// from before it was made, those of the register, and the usual one.
///
/// # Errors
///
/// The ledger's and the register's.
pub(super) fn others(here: &Folder, run: &Path) -> Result<Vec<PathBuf>> {
    let ledger = copies::look(here)?;
    let records = ledger.copies.iter().filter(|copy| copy.store == Store::Record);
    let listed = records.map(|copy| here.path(None, &copy.place));
    let all = listed.chain(runs::folders(here)?).chain([here.path(None, "load")]);
    let (own, mut seen, mut others) = (runs::name(here, run), Vec::new(), Vec::new());
    for folder in all.filter(|folder| folder.is_dir()) {
        let name = runs::name(here, &folder);
        if name != own && !seen.contains(&name) {
            seen.push(name);
            others.push(folder);
        }
    }
    Ok(others)
}

/// The journal of a run folder; `None` where a start died before its first line.
///
/// # Errors
///
/// The folder's.
pub(super) fn journal(run: &Path) -> Result<Option<Verified>> {
    if run.join(EVENTS).exists() { events(run).map(Some) } else { Ok(None) }
}

/// That no load of this identity was begun from another folder: it would be left where it stands, and its rows in two
/// databases. Asked before a load begins.
///
/// # Errors
///
/// [`BEGUN`].
pub(super) fn none_has_begun(others: &[PathBuf], identity: &Identity, archive: &str) -> Result<()> {
    let begun = |other: &&PathBuf| !matches!(standing(other, identity, archive), Standing::Nothing);
    others.iter().find(begun).map_or(Ok(()), |other| Err(goes_on_there(other)))
}

/// That no load of this identity stands half-way at another place than `own`: without the identity nobody could go on
/// with it. Asked before the identity goes. What stands half-way at the same place was compared by this load, row by row.
///
/// # Errors
///
/// [`BEGUN`].
pub(super) fn none_is_half_way(
    others: &[PathBuf],
    (identity, own): (&Identity, &RunState),
    archive: &str,
) -> Result<()> {
    let is_own = |state: &RunState| {
        state.run == own.run && state.destination == own.destination && state.files == own.files
    };
    let half_way = |other: &&PathBuf| match standing(other, identity, archive) {
        Standing::Nothing => false,
        Standing::Unread => true,
        Standing::Begun(state) => !state.whole && !is_own(&state),
    };
    others.iter().find(half_way).map_or(Ok(()), |other| Err(goes_on_there(other)))
}

/// What a run folder holds of an identity's loads.
enum Standing {
    Nothing,
    /// A sealed state that cannot be opened, of a load of this archive as the journal says: rows may stand somewhere.
    Unread,
    Begun(Box<RunState>),
}

fn standing(run: &Path, identity: &Identity, archive: &str) -> Standing {
    let state = match RunFolder::sealed_state(run) {
        Ok(None) => return Standing::Nothing,
        Ok(Some(state)) => ecluse_seal::open(&state, identity).ok(),
        Err(_) => None,
    };
    match state {
        Some(state) => Standing::Begun(Box::new(state)),
        None => match journal(run) {
            Ok(Some(journal)) if has_unsealed(&journal, archive) => Standing::Unread,
            Ok(_) | Err(_) => Standing::Nothing,
        },
    }
}

fn goes_on_there(run: &Path) -> Fault {
    BEGUN.fault(run.display().to_string()).help(format!(
        "end that load first, into its own database: --run {}; once whoever keeps that database has taken its rows away, or it is gone: load in a migration folder of its own, ecluse -C DIR load ARCHIVE",
        run.display()
    ))
}

/// That the receipt lying there is another load's, from this run folder.
pub(super) fn anothers(run: &Path) -> Fault {
    ANOTHERS.fault(run.display().to_string()).help(format!(
        "nothing is to be loaded; go on with that load: --run {0}; its receipt: ecluse receipt sign --run {0}",
        run.display()
    ))
}

/// Holds the receipt's place until the value is dropped: between two loads that end at once, one looks and writes, or
/// looks and announces, and then the other.
///
/// # Errors
///
/// Where it cannot be held.
pub(super) fn alone(receipt: &Path) -> Result<File> {
    folder::hold(&receipt.with_extension("lock"))
}

/// Puts the receipt that lay there when the load began (`seen`, its digest) aside, under a name that is free, so that
/// another one can take its place. One that came meanwhile, or over which a load has announced since that its identity
/// goes, stays. Whoever calls holds the place ([`alone`]).
///
/// # Errors
///
/// [`ANOTHERS`]; where the folder cannot be read or written.
pub(super) fn makes_room(receipt: &Path, seen: Option<&str>, folders: &[PathBuf]) -> Result<()> {
    if !receipt.exists() {
        return Ok(());
    }
    let bytes = folder::read(receipt, "")?;
    let digest = of_bytes(&bytes);
    if seen != Some(digest.as_str()) {
        return Err(ANOTHERS.fault(receipt.display().to_string()).help(
            "it was written while this load went on, by another one: end that one, in its own run folder",
        ));
    }
    for run in folders {
        if journal(run)?.is_some_and(|told| told.paper(Act::Destroy).is_some_and(|(last, _)| last == digest))
        {
            return Err(anothers(run));
        }
    }
    let named = |number: u32| match number {
        1 => receipt.with_extension("old.toml"),
        number => receipt.with_extension(format!("old-{number}.toml")),
    };
    let aside = (1..).map(named).find(|path| std::fs::symlink_metadata(path).is_err());
    let aside = aside.unwrap_or_else(|| receipt.with_extension("old.toml"));
    folder::replace(&aside, &bytes)?;
    std::fs::remove_file(receipt).map_err(|error| folder::unwritable(receipt, &error))?;
    output::remark(format!(
        "{} lay there, and no load had ended with it: it is {} now",
        receipt.display(),
        aside.display()
    ));
    Ok(())
}
