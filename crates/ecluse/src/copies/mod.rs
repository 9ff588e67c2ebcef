//! The ledger of copies as a file of the migration folder: `copies.json`, durable before the thing that a
//! line speaks of is made (`ecluse_core::copies`).
//!
//! What stands in it is erased without anybody looking, so it counts only as écluse wrote it: every state of the
//! file is announced with its digest in `copies/`, a folder of events like a run's, before it takes the place of the
//! one before. The journal takes these lines in like any other.
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
use std::io::ErrorKind;
use std::path::Path;

use ecluse_adapters::folder::{self as runs_folder, RunFolder};
use ecluse_core::copies::{Birth, Copy, Ended, FILE, Ledger, Seen, Store};
use ecluse_core::digest::of_bytes;
use ecluse_core::document::{Kind, header};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::instruction::{Order, parse};
use ecluse_core::plain::is_one_line;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::failpoint;
use ecluse_flow::ports::Record as _;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::commands::{instruction, runs};
use crate::folder::{self, Folder};
use crate::papers::excluded;
use crate::screen::harmless;
use crate::{journal, ready};

static NOT_OURS: Code = Code::refused("ECL-CPY-007", "the ledger of copies is not what écluse wrote");

static ANOTHERS: Code = Code::refused("ECL-CPY-009", "this migration did not begin the run folder");

static UNCLEAR: Code = Code::usage("ECL-CPY-030", "a name cannot be written down as it is");

/// Where each state of the ledger is announced.
pub(crate) const EVENTS: &str = "copies";

/// The ledger, held against every other process until dropped.
pub(crate) struct Copies {
    folder: Folder,
    pub(crate) ledger: Ledger,
    record: RunFolder,
    session: String,
    _alone: File,
}

impl Copies {
    /// Takes the ledger, waiting while another process has it.
    ///
    /// # Errors
    ///
    /// [`NOT_OURS`], `ECL-CPY-001`; where it cannot be held or read.
    pub(crate) fn open(folder: &Folder) -> Result<Self> {
        let path = folder.path(None, FILE);
        let alone = folder::hold(&path.with_extension("lock"))?;
        let ledger = look(folder)?;
        let record = RunFolder::open(&folder.path(None, EVENTS), &journal::path(folder))?;
        let session = session(folder, ready::world().now());
        let mut copies = Self { folder: folder.clone(), ledger, record, session, _alone: alone };
        if copies.record.was_torn() {
            let id = ready::world().id()?;
            copies.note(Act::Recover, &id, &Outcome::Done)?;
        }
        Ok(copies)
    }

    /// Writes it; durable when it returns, its name too. The file's digest.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn save(&mut self) -> Result<String> {
        let path = self.folder.path(None, FILE);
        let bytes = self.ledger.bytes()?;
        let (digest, world) = (of_bytes(&bytes), ready::world());
        let object = world.id()?;
        let line = |outcome| {
            let leaf = Leaf::new(&world, &self.session, Act::Copies, &object, &outcome)?;
            Ok::<_, ecluse_core::fault::Fault>(Leaf { paper: Some(digest.clone()), ..leaf })
        };
        let (begun, done) = (line(Outcome::Begun)?, line(Outcome::Done)?);
        self.record.append(begun)?;
        folder::replace(&path, &bytes)?;
        failpoint::hit("copies.entry.fsync.before");
        File::open(self.folder.root())
            .and_then(|root| root.sync_all())
            .map_err(|error| folder::unwritable(&path, &error))?;
        failpoint::hit("copies.entry.fsync.after");
        self.record.append(done)?;
        Ok(digest)
    }

    /// Enters which copies stand at their places, of those that nobody saw yet; not saved.
    pub(crate) fn saw(&mut self) {
        let Self { ledger, folder, .. } = self;
        let unseen = |copy: &&mut Copy| {
            copy.ended.is_none()
                && copy.taken.is_none()
                && copy.seen.is_none()
                && copy.store != Store::Ledger
                && erasers::stands(copy, folder)
        };
        ledger.copies.iter_mut().filter(unseen).for_each(|copy| copy.seen = Some(Seen::Stood));
    }

    /// Notes what was done to a copy, beside the ledger: also where the folder it lay in is gone.
    ///
    /// # Errors
    ///
    /// The folder's.
    pub(crate) fn note(&mut self, act: Act, object: &str, outcome: &Outcome) -> Result<()> {
        let leaf = Leaf::new(&ready::world(), &self.session, act, object, outcome)?;
        self.append(leaf)
    }

    /// Adds a line beside the ledger.
    ///
    /// # Errors
    ///
    /// The folder's.
    pub(crate) fn append(&mut self, leaf: Leaf) -> Result<()> {
        self.record.append(leaf)
    }

    /// Ends the line of what stands at a place, where one says that it does; the next [`Self::save`] writes it.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-002`.
    pub(crate) fn end(&mut self, now: Timestamp, store: Store, place: &str, how: &str) -> Result<()> {
        let is = |c: &&Copy| c.store == store && c.place == place && c.ended.is_none();
        let Some(id) = self.ledger.copies.iter().find(is).map(|copy| copy.id.clone()) else { return Ok(()) };
        self.ledger.ended(&id, Ended { how: how.to_owned(), at: now, statement: None })
    }

    /// In whose name.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// In whose name the lines beside the ledger are written from here on.
    pub(crate) fn in_the_name_of(&mut self, session: &str) {
        self.session = session.to_owned();
    }
}

/// The ledger as it stands; an empty one where none was begun.
///
/// # Errors
///
/// [`NOT_OURS`], `ECL-CPY-001`; where it cannot be read.
pub(crate) fn look(folder: &Folder) -> Result<Ledger> {
    // whoever writes meanwhile replaces one file and then the other: the second look sees both
    looked(folder).or_else(|fault| if *fault.code() == NOT_OURS { looked(folder) } else { Err(fault) })
}

fn looked(folder: &Folder) -> Result<Ledger> {
    let path = folder.path(None, FILE);
    let bytes = if path.exists() { Some(folder::read(&path, "")?) } else { None };
    let digest = bytes.as_deref().map(of_bytes);
    let beside = folder.path(None, EVENTS);
    let known = match beside.join(runs_folder::EVENTS).exists() {
        true => runs_folder::events(&beside)?.vouched(Act::Copies).contains(&digest.as_deref()),
        false => digest.is_none(),
    };
    if !known {
        return Err(NOT_OURS.fault(path.display().to_string()).help(
            "put back copies.json, and copies/ beside it, from a copy of the folder; keep what lies there for the controller: nothing is made or erased on its word",
        ));
    }
    bytes.map_or_else(|| Ok(Ledger::default()), |bytes| Ledger::read(&bytes))
}

/// The id of the folder's session; words that say so where there is none, or it is over.
pub(crate) fn session(folder: &Folder, now: Timestamp) -> String {
    let read = || {
        let bytes = folder::read(&folder.path(None, "session.toml"), "").ok()?;
        let header = header(&String::from_utf8(bytes).ok()?, Kind::Session).ok()?;
        header.objection(now).is_none().then_some(header.id)
    };
    read().unwrap_or_else(|| "no session".to_owned())
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

/// That a path can stand in the ledger, and so in the certificate: on one line, with nothing in it that steers a
/// screen, and as the very file's name. It is asked before anything is made there; by the time of the certificate what
/// was named so may be all that is left.
///
/// # Errors
///
/// [`UNCLEAR`].
pub(crate) fn nameable(path: &Path) -> Result<()> {
    let path = runs::resolved(path);
    match path.to_str() {
        Some(text) if is_one_line(text) => Ok(()),
        _ => Err(unclear(&path.display().to_string())),
    }
}

fn unclear(place: &str) -> Fault {
    UNCLEAR.fault(harmless(place)).help(
        "give it a name of printed characters alone; a folder above that bears such a name is renamed, or another one taken",
    )
}

/// Enters what is about to be made. Durable when it returns: only then may it be made.
///
/// # Errors
///
/// [`UNCLEAR`]; as [`Copies::open`] and [`Copies::save`].
pub(crate) fn born(folder: &Folder, now: Timestamp, all: &[Born<'_>]) -> Result<()> {
    nameable(folder.root())?;
    if let Some(one) = all.iter().find(|one| !is_one_line(one.place)) {
        return Err(unclear(one.place));
    }
    let mut copies = Copies::open(folder)?;
    let before = copies.ledger.clone();
    copies.saw();
    for one in all {
        let erase_by = one.copies.map_or_else(|| one.store.without_order(now), |day| one.store.last_day(day));
        let (store, place, marker) = (one.store, one.place.to_owned(), one.marker.to_owned());
        copies.ledger.born(Birth { id: ready::world().id()?, store, place, erase_by, marker }, now);
    }
    if copies.ledger == before { Ok(()) } else { copies.save().map(drop) }
}

/// Enters the log of the folder before it is begun, where no line of it stands, and its name (`origin`) once it is.
///
/// # Errors
///
/// As [`Copies::open`] and [`Copies::save`].
pub(crate) fn log(folder: &Folder, now: Timestamp, origin: &str) -> Result<()> {
    let mut copies = Copies::open(folder)?;
    let is = |copy: &&mut Copy| copy.store == Store::Journal && copy.ended.is_none();
    match copies.ledger.copies.iter_mut().find(is) {
        Some(copy) if copy.marker == origin || origin.is_empty() => return Ok(()),
        Some(copy) => origin.clone_into(&mut copy.marker),
        None => {
            let (store, place, marker) = (Store::Journal, journal::FOLDER.to_owned(), origin.to_owned());
            let erase_by =
                day_of_draft(folder).map_or_else(|| store.without_order(now), |day| store.last_day(day));
            copies.ledger.born(Birth { id: ready::world().id()?, store, place, erase_by, marker }, now);
        }
    }
    copies.save().map(drop)
}

/// Enters which copies stand: what is not at its place later has gone by no erasure.
///
/// # Errors
///
/// As [`Copies::open`] and [`Copies::save`].
pub(crate) fn saw(folder: &Folder) -> Result<()> {
    let mut copies = Copies::open(folder)?;
    let before = copies.ledger.clone();
    copies.saw();
    if copies.ledger == before { Ok(()) } else { copies.save().map(drop) }
}

/// Enters that what stood at this place is gone, where a line says that it stood there.
///
/// # Errors
///
/// As [`Copies::open`] and [`Copies::save`].
pub(crate) fn ended(folder: &Folder, now: Timestamp, store: Store, place: &str, how: &str) -> Result<()> {
    let mut copies = Copies::open(folder)?;
    let before = copies.ledger.clone();
    copies.end(now, store, place, how)?;
    if copies.ledger == before { Ok(()) } else { copies.save().map(drop) }
}

/// Whether a load's closing noted this paper beside the ledger, so far (`outcome`): the place where it begins, the receipt
/// once it is through.
pub(crate) fn is_concluded(folder: &Folder, outcome: &Outcome, paper: &str) -> bool {
    let is = |leaf: &Leaf| {
        leaf.act == Act::Conclude
            && leaf.outcome == outcome.to_string()
            && leaf.paper.as_deref() == Some(paper)
    };
    // what nobody can read was not announced
    runs_folder::events(&folder.path(None, EVENTS)).is_ok_and(|told| told.leaves.iter().any(is))
}

/// That a run folder which holds something is one that this migration began: it is in the ledger from before it was
/// made. What stands in the ledger is erased on its day, so nothing that somebody else made may be entered.
///
/// # Errors
///
/// [`ANOTHERS`]; the ledger's.
pub(crate) fn begun_here(folder: &Folder, run: &Path) -> Result<()> {
    let record = runs::name(folder, run);
    let is = |copy: &Copy| copy.store == Store::Record && copy.place == record && copy.ended.is_none();
    // a person may have made it for what is to come
    let is_free = match std::fs::symlink_metadata(run) {
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Ok(found) if found.is_dir() => folder::list(run)?.is_empty(),
        Ok(_) | Err(_) => false,
    };
    if is_free || look(folder)?.copies.iter().any(is) {
        return Ok(());
    }
    Err(ANOTHERS
        .fault(run.display().to_string())
        .help("name a new folder, or one that ecluse copies lists under the same path: --run DIR"))
}

/// Enters an archive that is about to be made. Whoever calls has seen that the archive's name is free, or that what
/// bears it is this run's own, and holds the run.
///
/// # Errors
///
/// As [`born`].
pub(crate) fn archive(folder: &Folder, now: Timestamp, archive: &Path, until: Date) -> Result<()> {
    let place = runs::name(folder, archive);
    let archive = Born { store: Store::Archive, place: &place, copies: Some(until), marker: "" };
    born(folder, now, &[archive])
}

/// Enters the sealed state of a run that makes an archive, and what else it leaves.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn sealing(folder: &Folder, now: Timestamp, run: &Path, order: &Order) -> Result<()> {
    begun_here(folder, run)?;
    let state = state_of(folder, run);
    let copies = Some(order.erasure.copies.value);
    born(folder, now, &[Born { store: Store::State, place: &state, copies, marker: "" }])?;
    left(folder, now, run, order, None)
}

/// Where a run folder's sealed state stands, as the ledger has it.
pub(crate) fn state_of(folder: &Folder, run: &Path) -> String {
    format!("{}/{}", runs::name(folder, run), erasers::STATE)
}

/// Enters what a run leaves, before its folder is made: its record, and what may be staged. Of a run that
/// moves rows the sealed state too, and its lines at the destination, `to`.
///
/// # Errors
///
/// As [`begun_here`] and [`born`].
pub(crate) fn run(
    folder: &Folder,
    now: Timestamp,
    run: &Path,
    order: &Order,
    to: Option<&str>,
) -> Result<()> {
    begun_here(folder, run)?;
    left(folder, now, run, order, to)
}

fn left(folder: &Folder, now: Timestamp, run: &Path, order: &Order, to: Option<&str>) -> Result<()> {
    let copies = Some(order.erasure.copies.value);
    let (record, state) = (runs::name(folder, run), state_of(folder, run));
    let one = |store, place| Born { store, place, copies, marker: "" };
    let mut all = vec![one(Store::Record, record.as_str()), one(Store::Journal, journal::FOLDER)];
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
