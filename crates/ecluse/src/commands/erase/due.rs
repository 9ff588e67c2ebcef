//! Copies whose day has come, erased one by one: the journal's line before, the ledger's after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{self as attested, RunFolder};
use ecluse_core::copies::{Beat, Copy, Ended, Ledger, Seen, Standing, Store};
use ecluse_core::count::number;
use ecluse_core::document::{Kind, header};
use ecluse_core::erasure::{Erasure, Side};
use ecluse_core::fault::{Code, Result};
use ecluse_core::manifest;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::failpoint;
use ecluse_flow::ports::Record as _;
use jiff::Timestamp;

use crate::commands::copies::source;
use crate::commands::{Here, runs};
use crate::copies::{self, Copies, erasers, look};
use crate::papers::acceptance;
use crate::papers::ending::closed;
use crate::papers::{Paper, quietly, receipt, returned, sealed};
use crate::{folder, journal, ready};

static LATE: Code = Code::refused("ECL-ERA-005", "the timer that erases copies came too late");

static AHEAD: Code = Code::refused("ECL-ERA-007", "the clock is far ahead of what was last noted");

static NOT_RECEIVED: Code = Code::refused("ECL-ERA-008", "the archive has not been received yet");

static MISSED: Code = Code::refused("ECL-ERA-034", "a copy is not where it was made");

static GOING: Code =
    Code::refused("ECL-ERA-044", "an erasure at the source is not through, and needs this copy");

static LAST: Code = Code::refused("ECL-ERA-006", "the log of the migration goes last");

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody at a terminal.
    Person,
    /// A timer that comes back after so many hours.
    Timer {
        /// See [`Who::Timer`].
        hours: u32,
    },
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) erased: Vec<Told>,
    pub(super) failed: Vec<Told>,
    /// Copies whose day has come and that somebody holds.
    pub(super) held: u64,
    /// Whether a timer had missed its beat.
    pub(super) late: bool,
}

/// One copy.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) place: String,
    pub(super) words: String,
}

/// What would be erased.
///
/// # Errors
///
/// The ledger's.
pub(super) fn looked(here: &Here, only: Option<&str>) -> Result<Done> {
    let ledger = look(&here.folder)?;
    let due = due(&ledger, here, only)?;
    let erased = due.iter().filter_map(|id| ledger.one(id).ok()).map(|c| told(c, c.store.words())).collect();
    Ok(Done { erased, held: held(&ledger, here), ..Done::default() })
}

/// What is due, or the one copy that somebody wants gone before its day.
fn due(ledger: &Ledger, here: &Here, only: Option<&str>) -> Result<Vec<String>> {
    match only {
        Some(id) => {
            let copy = ledger.early(id, here.now, |copy| is_spent(here, copy))?;
            received(here, copy)?;
            Ok(vec![copy.id.clone()])
        }
        None => Ok(ledger.due(here.now)),
    }
}

/// That an archive which was sealed here has arrived, before somebody erases it ahead of its day: until its receipt is
/// there it is all that goes to whoever receives. A receipt of another archive of the same run will do.
fn received(here: &Here, copy: &Copy) -> Result<()> {
    if copy.store != Store::Archive {
        return Ok(());
    }
    // what is no whole archive was never handed over
    let path = here.folder.root().join(&copy.place).join(manifest::FILE);
    let Ok(paper) = quietly(|| Paper::read(&path, "")) else { return Ok(()) };
    let Ok(header) = header(paper.text(), Kind::Manifest) else { return Ok(()) };
    // the register's too: a run's folder may lie anywhere
    let mut folders = folder::list(here.folder.root())?;
    folders.extend(runs::folders(&here.folder)?);
    let mut is_known = false;
    for run in folders {
        if !sealed::is_any(&run) || !sealed::is_among(&run, &header.id)? {
            continue;
        }
        is_known = true;
        let has_arrived = quietly(|| {
            receipt::verified(&here.folder, None, &run, here.now).is_ok()
                || (run.ends_with(returned::RUN) && returned::verified(&here.folder, None, here.now).is_ok())
        });
        if !has_arrived {
            return Err(NOT_RECEIVED.fault(copy.place.clone()).help(
                "hand it over, and have its receipt here: ecluse receipt verify; one that nobody is to have goes on its day",
            ));
        }
    }
    if is_known {
        return Ok(());
    }
    Err(NOT_RECEIVED.fault(copy.place.clone()).help(
        "no run folder here says to whom it was sealed: put it back (ecluse copies lists the records of runs), then the same command; or let the archive go on its day",
    ))
}

/// Whether the sealed state is of a run that nobody goes on with: another one of the register was accepted.
fn is_spent(here: &Here, copy: &Copy) -> bool {
    let accepted = |run: &PathBuf| acceptance::verified(&here.folder, run, here.now).is_ok();
    let accepted = runs::folders(&here.folder).unwrap_or_default().into_iter().find(accepted);
    accepted.is_some_and(|run| copies::state_of(&here.folder, &run) != copy.place)
}

/// Erases what is due, or one copy before its day. What could not be erased stands in the ledger with its code, and is tried again.
///
/// # Errors
///
/// [`AHEAD`]: nothing went; the ledger's, where it cannot be read or written. That a copy could not be erased is told in
/// [`Done`].
pub(super) fn erase(here: &Here, who: Who, only: Option<&str>) -> Result<Done> {
    // before anything is noted by this clock
    let noted = noted(here);
    // begun now where it was not: a record's lines go into it, and the ledger is held from here on
    let _told_when_a_record_goes = journal::keep(&here.folder);
    let mut copies = Copies::open(&here.folder)?;
    if let Some(last) = copies.ledger.far_behind(noted, here.now) {
        copies.in_the_name_of(&session(here, who));
        let outcome = if who == Who::Person { Outcome::Done } else { Outcome::Code(AHEAD.id) };
        copies.note(Act::Beat, &ready::world().id()?, &outcome)?;
        if who != Who::Person {
            return Err(AHEAD.fault(format!("now {}, last noted {last}", here.now)).help(
                "nothing went; where the clock is wrong: put it right; where this is the day: ecluse erase, by a person, and the timer goes on",
            ));
        }
    }
    let late = copies.ledger.missed(here.now);
    let mut done = Done { late, held: held(&copies.ledger, here), ..Done::default() };
    let mut journals = Journals { open: BTreeMap::new(), here, session: session(here, who) };
    copies.in_the_name_of(&journals.session);
    let own = here.folder.path(None, "run");
    if let Who::Timer { hours } = who {
        let beyond = source::in_time(here).err();
        // that the source stands beyond its day is an event of each look, as a copy that cannot be erased is
        let outcome = match (late, beyond) {
            (true, _) => Outcome::Code(LATE.id),
            (false, Some(fault)) => Outcome::Code(fault.code().id),
            (false, None) => Outcome::Done,
        };
        if outcome != Outcome::Done {
            let id = ready::world().id()?;
            if !journals.note(&own, Act::Beat, &id, &outcome)? {
                copies.note(Act::Beat, &id, &outcome)?;
            }
        }
        copies.ledger.beat = Some(Beat { at: here.now, hours });
        copies.save()?;
    }
    let due = due(&copies.ledger, here, only)?;
    let before = copies.ledger.clone();
    copies.saw();
    copies.ledger.settle(&due, here.now);
    if copies.ledger != before {
        copies.save()?;
    }
    // an erasure that fails on a folder in use must not keep the others
    let mut touched = Vec::new();
    for id in due {
        let copy = copies.ledger.one(&id)?.clone();
        let run = run_of(here, &copy, &own);
        let words = match one(&mut copies, &mut journals, &copy, &run) {
            Ok(how) => {
                done.erased.push(told(&copy, how));
                Outcome::Done
            }
            Err(fault) => {
                let code = fault.code();
                if let Some(line) = copies.ledger.copies.iter_mut().find(|line| line.id == id) {
                    line.fail(code.id, here.now);
                }
                let detail = fault.detail();
                let colon = if detail.is_empty() { "" } else { ": " };
                done.failed.push(told(&copy, &format!("{}{colon}{detail} ({})", code.title, code.id)));
                Outcome::Code(code.id)
            }
        };
        copies.save()?;
        // a journal that is gone with its folder, or cannot be had, holds nothing up: the ledger's own has the line
        if !journals.note(&run, Act::Erase, &id, &words).unwrap_or_default() {
            copies.note(Act::Erase, &id, &words)?;
        }
        touched.push(run);
    }
    // a person's word is summed up even where nothing was due: a certificate asks what is gone by then
    if who == Who::Person && own.is_dir() {
        touched.push(own);
    }
    touched.sort();
    touched.dedup();
    for run in touched {
        journals.summed_up(&run, &copies.ledger)?;
    }
    Ok(done)
}

/// When the last thing was noted: beside the ledger, or by the run. What followed on a look that was refused was noted by
/// the same clock, until a look that was not.
fn noted(here: &Here) -> Option<Timestamp> {
    let last = |name: &str| {
        let leaves = attested::events(&here.folder.path(None, name)).ok()?.leaves;
        let is_refused = |leaf: &Leaf| leaf.outcome == AHEAD.id;
        let since = leaves.iter().rposition(|leaf| leaf.act == Act::Beat && !is_refused(leaf)).unwrap_or(0);
        let refused = leaves.iter().skip(since).position(is_refused);
        let mut counts = leaves.iter().take(refused.map_or(leaves.len(), |at| since + at));
        counts.next_back()?.time.parse::<Timestamp>().ok()
    };
    last(copies::EVENTS).max(last("run"))
}

/// One copy: announced in the journal, its marker kept, erased.
fn one(copies: &mut Copies, journals: &mut Journals<'_>, copy: &Copy, run: &Path) -> Result<&'static str> {
    if !journals.note(run, Act::Erase, &copy.id, &Outcome::Begun)? {
        copies.note(Act::Erase, &copy.id, &Outcome::Begun)?;
    }
    if matches!(copy.store, Store::State | Store::Record) && is_going(run)? {
        return Err(GOING.fault("").help("ecluse erase --source ends it; then: ecluse erase"));
    }
    let folder = &journals.here.folder;
    if erasers::stands(copy, folder) {
        let place = folder.root().join(&copy.place);
        let (marker, markers) = (erasers::marker(&place), erasers::markers(&place));
        if let Some(line) = copies.ledger.copies.iter_mut().find(|line| line.id == copy.id) {
            line.seen = Some(Seen::Erasing);
            // by this it is sought once it is gone: on disk before it goes
            if !marker.is_empty() {
                line.marker = marker;
            }
            // what a start that died had still to erase is less than there was
            for marker in markers {
                if !line.markers.contains(&marker) {
                    line.markers.push(marker);
                }
            }
        }
        copies.save()?;
    } else if copy.seen != Some(Seen::Erasing) {
        if copy.is_missed() && !copies.ledger.is_taken(&copy.id) {
            return Err(MISSED.fault("").help(
                "put it back where it was (is its disk there?), then: ecluse erase; where somebody has it, or took it away by hand, enter who: ecluse copies taken ID --holder 'First Last', then: ecluse erase",
            ));
        }
        let ended = Ended { how: erasers::NOTHING.to_owned(), at: journals.here.now, statement: None };
        copies.ledger.ended(&copy.id, ended)?;
        return Ok(erasers::NOTHING);
    }
    if copy.store == Store::Record {
        // its lines go with it: the journal has each of them first, or nothing goes
        failpoint::hit("erase.record.event.before");
        journal::taken_in(&journals.here.folder)?;
        failpoint::hit("erase.record.event.after");
    }
    if copy.store == Store::Journal {
        let other = |other: &&Copy| other.id != copy.id && other.ended.is_none() && other.taken.is_none();
        if let Some(other) = copies.ledger.copies.iter().find(other) {
            return Err(LAST
                .fault(other.store.words())
                .help("ecluse copies; the log goes once nothing of ours stands"));
        }
    }
    let erased = erasers::erase(copy, &journals.here.folder, journals.record(run)?)?;
    if copy.store == Store::Record {
        journals.open.remove(run);
    }
    let ended = Ended { how: erased.how.to_owned(), at: journals.here.now, statement: None };
    copies.ledger.ended(&copy.id, ended)?;
    Ok(erased.how)
}

/// Whether an erasure at the source was announced from this run folder, and is not through: it needs what lies there.
fn is_going(run: &Path) -> Result<bool> {
    let erasure = if run.is_dir() { attested::erasing(run)? } else { None };
    let source = |erasure: &Erasure| erasure.done.iter().any(|one| one.side == Side::Source);
    Ok(erasure.is_some_and(|erasure| erasure.ended.is_empty() && source(&erasure)))
}

/// The run folder of which a copy is a part; the migration's own for any other.
fn run_of(here: &Here, copy: &Copy, own: &Path) -> PathBuf {
    // named as everybody here names it: one folder under two names would be taken twice
    let place = here.folder.path(None, &copy.place);
    match copy.store {
        Store::Record => place,
        Store::State => place.parent().map_or_else(|| own.to_owned(), Path::to_owned),
        _ => own.to_owned(),
    }
}

fn held(ledger: &Ledger, here: &Here) -> u64 {
    let is = |copy: &&Copy| matches!(copy.standing(here.now), Standing::Held(_));
    number(ledger.copies.iter().filter(is).count())
}

fn told(copy: &Copy, words: &str) -> Told {
    Told { id: copy.id.clone(), place: copy.place.clone(), words: words.to_owned() }
}

/// In whose name: the session in force where somebody types, the timer's own where nobody does.
pub(super) fn session(here: &Here, who: Who) -> String {
    match who {
        Who::Timer { .. } => "timer".to_owned(),
        Who::Person => copies::session(&here.folder, here.now),
    }
}

/// The run folders that are there, each taken once.
struct Journals<'a> {
    open: BTreeMap<PathBuf, RunFolder>,
    here: &'a Here,
    session: String,
}

impl Journals<'_> {
    /// The run folder, taken; none where there is none.
    fn record(&mut self, run: &Path) -> Result<Option<&RunFolder>> {
        self.taken(run).map(|record| record.map(|record| &*record))
    }

    fn taken(&mut self, run: &Path) -> Result<Option<&mut RunFolder>> {
        if !self.open.contains_key(run) {
            if !run.is_dir() {
                return Ok(None);
            }
            self.open.insert(run.to_owned(), RunFolder::existing(run, &self.here.journal())?);
        }
        Ok(self.open.get_mut(run))
    }

    /// Whether there is a run folder that took the line.
    fn note(&mut self, run: &Path, act: Act, object: &str, outcome: &Outcome) -> Result<bool> {
        let leaf = Leaf::new(&ready::world(), &self.session, act, object, outcome)?;
        self.taken(run)?.map_or(Ok(false), |record| record.append(leaf).map(|()| true))
    }

    /// What is gone in all, as the run folder keeps it for the certificate; the journal attests the file.
    fn summed_up(&mut self, run: &Path, ledger: &Ledger) -> Result<()> {
        // what was certified and closed stays as it was signed for: what goes from then on stands in the ledger
        if closed(run).is_some() {
            return Ok(());
        }
        let before = kept(run)?;
        let (now, session) = (self.here.now.to_string(), self.session.clone());
        let held = ledger.holds(self.here.now);
        let Ok(Some(record)) = self.taken(run) else { return Ok(()) };
        let Some(before) = before else { return Ok(()) };
        // what was announced at the source and not said to have gone stays announced
        let announced = before.ended.is_empty() && before.done.iter().any(|one| one.side == Side::Source);
        let ended = if announced { String::new() } else { now.clone() };
        let source = before.done.into_iter().filter(|one| one.side == Side::Source);
        let began = if before.began.is_empty() { now } else { before.began };
        let done = source.chain(ledger.gone()).collect();
        let erasure = Erasure { began, ended, done, held, ..before };
        saved(record, &session, &erasure)
    }
}

/// Writes what is gone between its two lines of the journal.
pub(super) fn saved(record: &mut RunFolder, session: &str, erasure: &Erasure) -> Result<()> {
    let world = ready::world();
    let object = world.id()?;
    let leaf = |outcome| Leaf::new(&world, session, Act::Erase, &object, &outcome);
    let paper = Some(record.save_erasure(erasure, leaf(Outcome::Begun)?)?);
    record.append(Leaf { paper, ..leaf(Outcome::Done)? })
}

/// What an earlier erasure of this run left, or announced before it died; an empty one where none did, and
/// nothing at all where there is no run.
///
/// # Errors
///
/// `ECL-RUN-207`: what nobody announced is not gone on with.
pub(super) fn kept(run: &Path) -> Result<Option<Erasure>> {
    if !run.is_dir() {
        return Ok(None);
    }
    if let Some(erasure) = attested::erasing(run)? {
        return Ok(Some(erasure));
    }
    let Some(figures) = attested::figures(run)? else { return Ok(None) };
    let (format, run) = (Erasure::FORMAT.to_owned(), figures.run);
    Ok(Some(Erasure { format, run, instruction: figures.instruction, ..Erasure::default() }))
}

#[cfg(test)]
mod tests;
