//! Whether a log may be begun: not where one was begun before.
//!
//! A log whose checkpoint was taken away looks like none. Begun anew under its own key it would verify, and only
//! whoever kept a checkpoint could tell. So the ledger of copies, which is attested itself, has the log's line from before
//! its birth, and its name once its first checkpoint stands; and what was read of it, or seen by a signatory, says so too.

use ecluse_adapters::log::{self, Remote, Run};
use ecluse_core::copies::{Copy, Standing, Store};
use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::Act;
use ecluse_journal::{Checkpoint, Signed};
use jiff::Timestamp;

use super::{key, round, seen};
use crate::copies::{self, look};
use crate::folder::Folder;
use crate::ready;

static GONE: Code = Code::refused("ECL-LOG-046", "the journal that was begun here is gone");

/// Whether a log may be begun here; not one more, where the one that was erased on its day.
///
/// # Errors
///
/// [`GONE`]; the ledger's.
pub(super) fn may_begin(folder: &Folder, runs: &[Run]) -> Result<bool> {
    let ledger = look(folder)?;
    let line = ledger.copies.iter().rfind(|copy| copy.store == Store::Journal);
    if line.is_some_and(|line| line.ended.is_some()) {
        return Ok(false);
    }
    let named = line.map(|line| line.marker.as_str()).filter(|name| !name.is_empty());
    let mut read = runs.iter().flat_map(|run| &run.events.leaves);
    let read = read.rfind(|leaf| matches!(leaf.act, Act::JournalRead | Act::JournalErased));
    let signed = seen::in_papers(folder, ready::world().now())?.pop();
    let said = named
        .map(|name| format!("the ledger of copies knows it as {name}"))
        .or_else(|| read.map(|leaf| format!("it was read on {}", leaf.time)))
        .or_else(|| signed.map(|seen| format!("{} was signed over it", seen.place)));
    said.map_or(Ok(true), |said| {
        Err(GONE.fault(said).help(
            "put journal/ back from a copy of the folder; where there is none, keep the folder as it is and tell the controller: nothing goes on as if there had been no log",
        ))
    })
}

/// That the log which was begun here still lies here, or none was: asked by whoever says how the migration stands.
///
/// # Errors
///
/// [`GONE`]; the ledger's.
pub(crate) fn stands(folder: &Folder) -> Result<()> {
    let path = super::path(folder);
    if log::Folder::find(&path).is_some() || Remote::find(&path)?.is_some() {
        return Ok(());
    }
    let runs = super::noted(folder)?;
    // as when a command ends: where nothing was noted, nothing would be begun
    if runs.is_empty() { Ok(()) } else { may_begin(folder, &runs).map(drop) }
}

/// The same, and the key that signs it: asked before a row is read or moved, since what is noted then could not be
/// taken in.
///
/// # Errors
///
/// As [`stands`]; `ECL-LOG-031`.
pub(crate) fn may_go_on(folder: &Folder) -> Result<()> {
    stands(folder)?;
    let path = super::path(folder);
    match Remote::find(&path)? {
        None if log::Folder::find(&path).is_some() => key::signer(folder).map(drop),
        _ => Ok(()),
    }
}

/// Begins the log: announced in the ledger, written, named there.
///
/// # Errors
///
/// The ledger's and the log's.
pub(super) fn begin(folder: &Folder) -> Result<Signed> {
    copies::log(folder, ready::world().now(), "")?;
    let first = round(folder)?.map_or_else(|| log::Folder::open(&super::path(folder))?.signed(), Ok)?;
    known(folder, first.checkpoint())?;
    // what the ledger noted of it
    Ok(round(folder)?.unwrap_or(first))
}

/// Enters that the log stands, under its name, where the ledger does not say so yet.
///
/// # Errors
///
/// The ledger's.
pub(super) fn known(folder: &Folder, tree: &Checkpoint) -> Result<()> {
    let is = |copy: &Copy| copy.store == Store::Journal && copy.ended.is_none() && copy.marker == tree.origin;
    if look(folder)?.copies.iter().any(is) {
        return Ok(());
    }
    copies::log(folder, ready::world().now(), &tree.origin)
}

/// Until when somebody holds the log, and why.
///
/// # Errors
///
/// The ledger's.
pub(crate) fn held(folder: &Folder, now: Timestamp) -> Result<Option<String>> {
    let ledger = look(folder)?;
    let of = |copy: &Copy| match (copy.standing(now), &copy.hold) {
        (Standing::Held(until), Some(hold)) => {
            Some(format!("until {until}: {} ({})", hold.reason, hold.approver))
        }
        _ => None,
    };
    Ok(ledger.copies.iter().filter(|copy| copy.store == Store::Journal).find_map(of))
}
