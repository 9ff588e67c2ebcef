//! Copies that somebody took out of our reach, and whether each has its signed statement of destruction.

use ecluse_core::copies::{Copy, Ledger};
use ecluse_core::count::{number, plural};
use ecluse_core::destruction::{Destroyed, file};
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Fault, Result};
use jiff::Timestamp;

use super::ending::Stood;
use super::{Paper, lasting, quietly, standing};
use crate::copies::look;
use crate::folder::Folder;

static OPEN: Code = Code::refused("ECL-CPY-017", "a copy that somebody took is not stated to be destroyed");
static NOT_THE_ONE: Code =
    Code::refused("ECL-CPY-018", "the statement of destruction is not the one that was taken in");

/// A copy that somebody took, and how the statement about it stands.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) copy: Copy,
    pub(crate) stood: Stood<Destroyed>,
}

/// Every one, those that were destroyed too.
///
/// # Errors
///
/// The ledger's own.
pub(crate) fn all(folder: &Folder, now: Timestamp) -> Result<Vec<Outside>> {
    Ok(of(&look(folder)?, folder, now))
}

/// As [`all`], of a ledger that was read.
pub(crate) fn of(ledger: &Ledger, folder: &Folder, now: Timestamp) -> Vec<Outside> {
    let outside = ledger.outside().map(|(copy, _)| copy);
    outside.map(|copy| Outside { copy: copy.clone(), stood: stood(copy, folder, now) }).collect()
}

fn stood(copy: &Copy, folder: &Folder, now: Timestamp) -> Stood<Destroyed> {
    if copy.ended.is_some() {
        return match quietly(|| taken_in(copy, folder, now)) {
            Ok(destroyed) => Stood::Done(Box::new(destroyed)),
            Err(fault) => Stood::Refused(Box::new(fault)),
        };
    }
    if !folder.has(&file(&copy.id)) {
        return Stood::Not;
    }
    match quietly(|| verified(copy, folder, now)) {
        // signed, and not taken in: the ledger still has it open
        Ok(_) => Stood::Unsigned,
        Err(_) if is_unsigned(copy, folder) => Stood::Unsigned,
        Err(fault) => Stood::Refused(Box::new(fault)),
    }
}

fn is_unsigned(copy: &Copy, folder: &Folder) -> bool {
    Paper::read(&folder.path(None, &file(&copy.id)), "").is_ok_and(|paper| paper.signatures.is_empty())
}

/// The statement about a copy: signed by whom it must be, and of this very line.
///
/// # Errors
///
/// Every fault of the paper; `ECL-DES-005`.
pub(crate) fn verified(copy: &Copy, folder: &Folder, now: Timestamp) -> Result<Destroyed> {
    let path = folder.path(None, &file(&copy.id));
    let paper = Paper::read(&path, "ecluse copies state ID")?;
    let (contract, _) = standing::contract(folder, None, now)?;
    let destroyed = lasting::read(&paper, Kind::Destruction, now, |at| {
        Destroyed::read(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    destroyed.stated().is_of(copy)?;
    Ok(destroyed)
}

/// As [`verified`], and the one that the ledger was ended with.
fn taken_in(copy: &Copy, folder: &Folder, now: Timestamp) -> Result<Destroyed> {
    let destroyed = verified(copy, folder, now)?;
    let cited = copy.ended.as_ref().and_then(|ended| ended.statement.as_deref());
    if cited != Some(destroyed.digest().as_str()) {
        let fault = NOT_THE_ONE.fault(file(&copy.id));
        return Err(fault.help("put back the statement whose digest copies.json has"));
    }
    Ok(destroyed)
}

/// That every copy which somebody took has its statement.
///
/// # Errors
///
/// [`OPEN`], naming the first that has none; what is wrong with one; the ledger's own.
pub(crate) fn settled(folder: &Folder, now: Timestamp) -> Result<()> {
    let outside = all(folder, now)?;
    let open = number(outside.iter().filter(|one| one.stood.done().is_none()).count());
    match outside.into_iter().find(|one| one.stood.done().is_none()) {
        None => Ok(()),
        Some(Outside { copy, stood }) => Err(match stood {
            Stood::Refused(fault) => *fault,
            _ => open_fault(&copy, open),
        }),
    }
}

/// That one of several such copies is open.
fn open_fault(copy: &Copy, open: u64) -> Fault {
    let holder = copy.taken.as_ref().map_or("", |taken| taken.holder.as_str());
    OPEN.fault(format!("{}: {}, at {}", plural(open, "copy", "copies"), holder, copy.place))
        .help(format!("whoever has it destroys it and states so: ecluse copies state {}", copy.short()))
}
