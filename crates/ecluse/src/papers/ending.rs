//! How the end of the chain stands, for whoever only wants to know: accepted, returned, erased, certified, closed.

use std::path::Path;

use ecluse_adapters::folder::{events, residue};
use ecluse_core::acceptance::{self, Accepted};
use ecluse_core::certificate::{self, Certified, Stated};
use ecluse_core::fault::Fault;
use ecluse_core::language::Language;
use ecluse_core::manifest::Manifest;
use ecluse_flow::event::{Act, Outcome};
use jiff::Timestamp;

use super::destruction::Outside;
use super::erased::{NOT_ERASED, NOT_LOOKED};
use super::returned::{self, Returned};
use super::{Paper, quietly, sealed};
use crate::folder::Folder;

/// The last steps.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Copies that somebody took, with what was stated of each.
    pub(crate) outside: Vec<Outside>,
    pub(crate) accepted: Stood<Accepted>,
    /// What goes back to the laboratory; `None` where the order has nothing returned.
    pub(crate) returned: Option<Stood<Returned>>,
    /// The manifest of what was sealed to the laboratory, where anything goes back.
    pub(crate) sent_back: Option<Stood<Manifest>>,
    /// What was erased and then looked for, its files apart.
    pub(crate) gone: Stood<Stated>,
    /// For how many values of patients, and for how many markers of copies that are gone, was looked.
    pub(crate) sought: [u64; 2],
    pub(crate) certified: Stood<Certified>,
    /// When the migration was closed.
    pub(crate) closed: Option<String>,
}

/// How a step stands.
#[derive(Debug)]
pub(crate) enum Stood<T> {
    /// Nobody has begun it.
    Not,
    /// It is written and waits for signatures.
    Unsigned,
    /// Its own check refuses it.
    Refused(Box<Fault>),
    /// It holds.
    Done(Box<T>),
}

impl<T> Stood<T> {
    pub(crate) fn done(&self) -> Option<&T> {
        match self {
            Self::Done(done) => Some(done),
            Self::Not | Self::Unsigned | Self::Refused(_) => None,
        }
    }
}

impl Ending {
    /// As the steps themselves would look at it.
    pub(crate) fn of(folder: &Folder, run: &Path, now: Timestamp) -> Self {
        let accepted = signed(folder, acceptance::FILE, || super::acceptance::verified(folder, run, now));
        let gone = match accepted.done() {
            Some(_) => match quietly(|| super::certificate::found(folder, run, now)) {
                Ok((stated, _)) => Stood::Done(Box::new(stated)),
                Err(fault) if [NOT_ERASED.id, NOT_LOOKED.id].contains(&fault.code().id) => Stood::Not,
                Err(fault) => Stood::Refused(Box::new(fault)),
            },
            None => Stood::Not,
        };
        let certified = || super::certificate::verified(folder, run, now).map(|(certified, _)| certified);
        let certified = signed(folder, certificate::FILE, certified);
        // a ledger that cannot be read is told by the steps that rest on it
        let outside = super::destruction::all(folder, now).unwrap_or_default();
        let returned = returned::stands(folder, now);
        let back = folder.path(None, returned::RUN);
        let back = || sealed::manifest(folder, returned::MANIFEST, &back, now);
        let sent_back = returned.is_some().then(|| signed(folder, returned::MANIFEST, back));
        let residue = residue(run).ok().flatten();
        let sought =
            residue.map_or([0; 2], |found| [found.values, found.sought.saturating_sub(found.values)]);
        Self { outside, accepted, returned, sent_back, gone, sought, certified, closed: closed(run) }
    }
}

/// For what was looked, in words.
pub(crate) fn sought([values, markers]: [u64; 2], lang: Language) -> String {
    let values = lang.plural(values, lang.of("value", "valeur"), lang.of("values", "valeurs"));
    let markers = lang.plural(markers, lang.of("marker", "marqueur"), lang.of("markers", "marqueurs"));
    format!("{values}, {markers}")
}

/// How a paper of the folder stands: `verified` is asked of one that is there and bears a signature.
pub(super) fn signed<T>(
    folder: &Folder,
    file: &str,
    verified: impl FnOnce() -> ecluse_core::fault::Result<T>,
) -> Stood<T> {
    if !folder.has(file) {
        return Stood::Not;
    }
    if Paper::read(&folder.path(None, file), "").is_ok_and(|paper| paper.signatures.is_empty()) {
        return Stood::Unsigned;
    }
    match quietly(verified) {
        Ok(done) => Stood::Done(Box::new(done)),
        Err(fault) => Stood::Refused(Box::new(fault)),
    }
}

/// When the journal says that the migration was closed.
pub(crate) fn closed(run: &Path) -> Option<String> {
    let told = events(run).ok()?;
    let last = told.leaves.iter().rfind(|leaf| leaf.act == Act::Conclude)?;
    (last.outcome == Outcome::Done.to_string()).then(|| last.time.clone())
}
