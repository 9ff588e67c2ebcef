//! The ledger of copies as a file of the migration folder: `copies.json`, durable before the thing that a
//! line speaks of is made (`ecluse_core::copies`).
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the file: read, changed by one process at a time |
//! | `erasers.rs` | one eraser per store |
//! | `inventory.rs` | every place in the code that writes, and which store it writes: a test compares it with the code |

pub(crate) mod erasers;
#[cfg(test)]
mod inventory;

use std::fs::File;
use std::path::Path;

use ecluse_core::copies::{Birth, Ended, FILE, Ledger, Store};
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::Result;
use ecluse_core::instruction::{Order, parse};
use ecluse_flow::failpoint;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::commands::{instruction, runs};
use crate::folder::{self, Folder};
use crate::papers::excluded;
use crate::ready;

/// The ledger, held against every other process until dropped.
pub(crate) struct Copies {
    folder: Folder,
    pub(crate) ledger: Ledger,
    _alone: File,
}

impl Copies {
    /// Takes the ledger, waiting while another process has it.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-001`; where it cannot be held or read.
    pub(crate) fn open(folder: &Folder) -> Result<Self> {
        let path = folder.path(None, FILE);
        let alone = folder::hold(&path.with_extension("lock"))?;
        Ok(Self { folder: folder.clone(), ledger: look(folder)?, _alone: alone })
    }

    /// Writes it; durable when it returns, its name too. The file's digest.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn save(&self) -> Result<String> {
        let path = self.folder.path(None, FILE);
        let bytes = self.ledger.bytes()?;
        folder::replace(&path, &bytes)?;
        failpoint::hit("copies.entry.fsync.before");
        File::open(self.folder.root())
            .and_then(|root| root.sync_all())
            .map_err(|error| folder::unwritable(&path, &error))?;
        failpoint::hit("copies.entry.fsync.after");
        Ok(of_bytes(&bytes))
    }
}

/// The ledger as it stands; an empty one where there is none.
///
/// # Errors
///
/// `ECL-CPY-001`; where it cannot be read.
pub(crate) fn look(folder: &Folder) -> Result<Ledger> {
    let path = folder.path(None, FILE);
    if !path.exists() {
        return Ok(Ledger::default());
    }
    Ledger::read(&folder::read(&path, "")?)
}

/// Something that is about to be made.
#[derive(Clone, Debug)]
pub(crate) struct Born<'a> {
    pub(crate) store: Store,
    /// A path, or the name of a database.
    pub(crate) place: &'a str,
    /// The day that the order gives its copies; `None` where there is no order yet.
    pub(crate) copies: Option<Date>,
    /// What it carries that nothing else does; may be empty.
    pub(crate) marker: &'a str,
}

/// Enters what is about to be made. Durable when it returns: only then may it be made.
///
/// # Errors
///
/// As [`Copies::open`] and [`Copies::save`].
pub(crate) fn born(folder: &Folder, now: Timestamp, all: &[Born<'_>]) -> Result<()> {
    let mut copies = Copies::open(folder)?;
    let before = copies.ledger.clone();
    for one in all {
        let erase_by = one.copies.map_or_else(|| one.store.without_order(now), |day| one.store.last_day(day));
        let (store, place, marker) = (one.store, one.place.to_owned(), one.marker.to_owned());
        copies.ledger.born(Birth { id: ready::world().id()?, store, place, erase_by, marker }, now);
    }
    if copies.ledger == before { Ok(()) } else { copies.save().map(drop) }
}

/// Enters that what stood at this place is gone, where a line says that it stood there.
///
/// # Errors
///
/// As [`Copies::open`] and [`Copies::save`].
pub(crate) fn ended(folder: &Folder, now: Timestamp, store: Store, place: &str, how: &str) -> Result<()> {
    let mut copies = Copies::open(folder)?;
    let is = |c: &&ecluse_core::copies::Copy| c.store == store && c.place == place && c.ended.is_none();
    let Some(id) = copies.ledger.copies.iter().find(is).map(|copy| copy.id.clone()) else { return Ok(()) };
    copies.ledger.ended(&id, Ended { how: how.to_owned(), at: now, statement: None })?;
    copies.save().map(drop)
}

/// Enters what a run leaves, before its folder is made: its record, and what may be staged. Of a run that
/// moves rows the sealed state too, and its lines at the destination, `to`.
///
/// # Errors
///
/// As [`born`].
pub(crate) fn run(
    folder: &Folder,
    now: Timestamp,
    run: &Path,
    order: &Order,
    to: Option<&str>,
) -> Result<()> {
    let copies = Some(order.erasure.copies.value);
    let record = runs::name(folder, run);
    let state = format!("{record}/{}", erasers::STATE);
    let one = |store, place| Born { store, place, copies, marker: "" };
    let mut all = vec![one(Store::Record, record.as_str())];
    if let Some(staging) = &order.source.staging {
        all.push(one(Store::Staging, staging.value.as_str()));
    }
    if folder.has(excluded::FILE) {
        all.push(one(Store::Excluded, excluded::FILE));
    }
    if let Some(to) = to {
        all.push(one(Store::State, state.as_str()));
        all.push(one(Store::Ledger, to));
    }
    born(folder, now, &all)
}

/// The day that the folder's order gives its copies, signed or not; `None` where it cannot be read.
pub(crate) fn day_of_draft(folder: &Folder) -> Option<Date> {
    let bytes = folder::read(&folder.path(None, instruction::FILE), "").ok()?;
    let text = String::from_utf8(bytes).ok()?;
    parse(&instruction::with_digests(&text)).ok().map(|order| order.erasure.copies.value)
}
