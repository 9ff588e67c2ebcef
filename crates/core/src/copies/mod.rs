//! The ledger of copies: what écluse made outside the two databases, until when it may stand, who took it.
//!
//! A line is there before the thing that it speaks of, and stays when the thing is gone. A line without a
//! day cannot be written, nor read (GDPR Art. 5(1)(e), 28(3)(g)). It names places, persons of the publisher
//! and of the laboratory, and days: no patient's value, no row key.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::erasure::{Erased, Held, Side};
use crate::fault::{Code, Result};
use crate::keys::day;
use crate::person::nobodys_name;

mod taken;

pub use taken::{Taken, Taking, answers, listed, objection};

/// The file in the migration folder.
pub const FILE: &str = "copies.json";

static MALFORMED: Code = Code::refused("ECL-CPY-001", "the ledger of copies cannot be read");
static UNKNOWN: Code = Code::usage("ECL-CPY-002", "there is no such copy");
static PAST: Code = Code::usage("ECL-CPY-003", "a hold ends on a day that is still to come");
static NO_WORDS: Code = Code::usage("ECL-CPY-004", "a hold wants a reason and the name of one person");
static GONE: Code = Code::refused("ECL-CPY-005", "the copy is gone already");
static NOT_EARLY: Code = Code::refused("ECL-CPY-008", "this copy does not go before its day");

/// What keeps no patient's data, and what the evidence rests on, stands so many days longer than the copies:
/// a report is read, and a journal asked for, after the migration.
const RECORD_DAYS: i32 = 365;

/// A clock this far beyond the last thing that was noted is not taken for right by a timer: a month's holiday and a
/// week, and five times the longest that a timer may wait. Whoever starts a machine again after longer says so.
const AHEAD: SignedDuration = SignedDuration::from_hours(40 * 24);

/// By how much two honest clocks may differ ([`crate::document`]).
const APART: SignedDuration = SignedDuration::from_mins(5);

/// Days for which a copy may stand that is made before any order says until when.
const WITHOUT_ORDER: i32 = 30;

/// What écluse stores. Whoever writes such a thing names its variant, and each variant has one eraser
/// (`crates/ecluse/src/copies/erasers.rs`): a store without one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// A run's sealed state: key ranges, refused rows' keys, the keys of tallies and tokens.
    State,
    /// The rest of a run folder: journal, counts, tokens.
    Record,
    /// A report that was written beside the run folder.
    Report,
    /// The sealed list of persons who stay.
    Excluded,
    /// Rows that stand sealed while a process needs them.
    Staging,
    /// The tables at the destination in which a run counts its chunks.
    Ledger,
    /// A sealed archive.
    Archive,
    /// The evidence of a migration.
    Evidence,
    /// The log of a migration folder.
    Journal,
}

impl Store {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::State,
        Self::Record,
        Self::Report,
        Self::Excluded,
        Self::Staging,
        Self::Ledger,
        Self::Archive,
        Self::Evidence,
        Self::Journal,
    ];

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::State => "sealed state of a run",
            Self::Record => "record of a run: journal, counts, tokens",
            Self::Report => "report",
            Self::Excluded => "sealed list of persons who stay",
            Self::Staging => "staged rows, sealed",
            Self::Ledger => "ledger at the destination",
            Self::Archive => "sealed archive",
            Self::Evidence => "evidence",
            Self::Journal => "log of the migration",
        }
    }

    /// Whether it holds patients' data or row keys, sealed.
    #[must_use]
    pub const fn is_of_patients(self) -> bool {
        matches!(self, Self::State | Self::Excluded | Self::Staging | Self::Archive)
    }

    /// Its last day, where the order wants copies erased by `copies`.
    #[must_use]
    pub fn last_day(self, copies: Date) -> Date {
        if self.is_of_patients() { copies } else { copies.saturating_add(RECORD_DAYS.days()) }
    }

    /// Its last day, where nobody has ordered anything yet.
    #[must_use]
    pub fn without_order(self, now: Timestamp) -> Date {
        self.last_day(day(now).saturating_add(WITHOUT_ORDER.days()))
    }
}

/// The ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// `ecluse-copies/1`.
    pub format: String,
    /// The last time at which a timer looked for what is due; absent where none was ever set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat: Option<Beat>,
    /// One line per copy, in the order of their birth.
    pub copies: Vec<Copy>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { format: Self::FORMAT.to_owned(), beat: None, copies: Vec::new() }
    }
}

/// A timer's look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// When (UTC).
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// After how many hours the next one is to come.
    pub hours: u32,
}

impl Beat {
    fn is_ahead(self, now: Timestamp) -> bool {
        self.at.duration_since(now) > APART
    }
}

/// One copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// 128 random bits, hexadecimal.
    pub id: String,
    /// What it is.
    pub store: Store,
    /// Where: from the migration folder on where it lies inside.
    pub place: String,
    /// When it was about to be made, or was taken (UTC).
    #[serde(with = "moment")]
    pub born: Timestamp,
    /// The day by which it is erased.
    #[serde(with = "date")]
    pub erase_by: Date,
    /// What it carries that no other thing does, and by which it is sought after its erasure.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub marker: String,
    /// The same of what it is made of, where it is many: of a sealed archive each of its parts, sealed and opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<String>,
    /// Who has it, where it was taken out of our reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// Why it stands for longer, where somebody ordered so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The last time that its erasure failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// What was last seen of it; absent where nobody saw it stand yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What was seen of a copy: by this is told whether one that is not at its place was never made, was erased by a start
/// that died, or was moved away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// It stood at its place.
    Stood,
    /// It stood, and its erasure began.
    Erasing,
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who approved it, by name.
    pub approver: String,
    /// Its last day.
    #[serde(with = "date")]
    pub until: Date,
    /// When it was written down (UTC).
    #[serde(with = "moment")]
    pub at: Timestamp,
}

impl Hold {
    /// The hold of this copy, as an erasure's record tells it.
    #[must_use]
    fn of(&self, copy: &Copy) -> Held {
        Held {
            place: copy.place.clone(),
            what: copy.store.words().to_owned(),
            reason: self.reason.clone(),
            approver: self.approver.clone(),
            until: self.until.to_string(),
        }
    }
}

/// An erasure that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Under which code.
    pub code: String,
    /// When it failed first, and last (UTC).
    #[serde(with = "moment")]
    pub since: Timestamp,
    /// See `since`.
    #[serde(with = "moment")]
    pub last: Timestamp,
    /// How often.
    pub times: u64,
}

/// How a copy ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How, in words: `overwritten and removed`.
    pub how: String,
    /// When (UTC).
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The digest of the signed statement that it was destroyed, where it was out of our reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

/// How a copy stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may stand.
    Live,
    /// It may stand; only whoever has it can destroy it, and it stays open until that is stated.
    Taken,
    /// Its day has come.
    Due,
    /// Its day has come, and only whoever has it can destroy it.
    Outstanding,
    /// Somebody ordered that it stays until this day.
    Held(Date),
    /// It is gone.
    Ended,
}

impl Copy {
    /// The first characters of its id, by which commands take it.
    #[must_use]
    pub fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// What it is, where, and until when.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{}: {}, until {}", self.store.words(), self.place, self.erase_by)
    }

    /// Whether it must not have gone from its place by anything but an erasure: it holds patients' data, under a key that
    /// somebody has.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.seen == Some(Seen::Stood) && self.store.is_of_patients() && self.store != Store::Staging
    }

    /// Whether nothing is to be certified over it: it may stand, and holds patients' data. The sealed state does too, and
    /// is not meant: closing, which comes after the certificate, takes it away.
    #[must_use]
    pub fn keeps_a_certificate_back(&self, now: Timestamp) -> bool {
        let live = self.standing(now) == Standing::Live;
        live && self.store.is_of_patients() && self.store != Store::State
    }

    /// How it stands on the day of this moment.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        let today = day(now);
        if self.ended.is_some() {
            return Standing::Ended;
        }
        if let Some(hold) = self.hold.as_ref().filter(|hold| today <= hold.until) {
            return Standing::Held(hold.until);
        }
        match (today >= self.erase_by, self.taken.is_some()) {
            (false, false) => Standing::Live,
            (false, true) => Standing::Taken,
            (true, false) => Standing::Due,
            (true, true) => Standing::Outstanding,
        }
    }

    /// That its erasure failed, once more.
    pub fn fail(&mut self, code: &str, now: Timestamp) {
        let (since, times) = self.failed.as_ref().map_or((now, 0), |failed| (failed.since, failed.times));
        self.failed =
            Some(Failed { code: code.to_owned(), since, last: now, times: times.saturating_add(1) });
    }
}

/// A copy that is about to be made.
#[derive(Clone, Debug)]
pub struct Birth {
    /// A random id, for the case that it is a new one.
    pub id: String,
    /// What.
    pub store: Store,
    /// Where, as of [`Copy::place`].
    pub place: String,
    /// As of [`Copy::erase_by`].
    pub erase_by: Date,
    /// As of [`Copy::marker`].
    pub marker: String,
}

impl Ledger {
    /// `format` of this layout.
    pub const FORMAT: &'static str = "ecluse-copies/1";

    /// Reads a ledger.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-001`: a line without a day is one of the reasons.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let bad = |what: &str| MALFORMED.fault(what).help("restore it from a copy of the folder");
        let ledger: Self = serde_json::from_slice(bytes).map_err(|_| bad(FILE))?;
        if ledger.format == Self::FORMAT { Ok(ledger) } else { Err(bad("another format")) }
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-001`, which does not happen.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|_| MALFORMED.fault("encoding"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Enters a copy. One that stands at the same place already keeps its line and its birth, and takes the
    /// day: an order in force says until when, and no later than an order said that nobody replaced.
    pub fn born(&mut self, birth: Birth, now: Timestamp) {
        let Birth { id, store, place, erase_by, marker } = birth;
        let same = |copy: &&mut Copy| {
            copy.ended.is_none() && copy.taken.is_none() && copy.store == store && copy.place == place
        };
        if let Some(copy) = self.copies.iter_mut().find(same) {
            copy.erase_by = erase_by;
            if !marker.is_empty() {
                copy.marker = marker;
            }
            return;
        }
        let (taken, hold, failed, seen, ended) = (None, None, None, None, None);
        let (born, markers) = (now, Vec::new());
        let copy =
            Copy { id, store, place, born, erase_by, marker, markers, taken, hold, failed, seen, ended };
        self.copies.push(copy);
    }

    /// Enters that a copy is gone.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-002`.
    pub fn ended(&mut self, id: &str, ended: Ended) -> Result<()> {
        let copy = self.one_mut(id)?;
        copy.failed = None;
        copy.ended = Some(ended);
        Ok(())
    }

    /// Enters a hold, in the place of an earlier one.
    ///
    /// # Errors
    ///
    /// [`PAST`], [`NO_WORDS`], [`GONE`]; `ECL-CPY-002`.
    pub fn hold(&mut self, id: &str, hold: Hold) -> Result<()> {
        if hold.until < day(hold.at) {
            return Err(PAST.fault(hold.until.to_string()).help("--until YYYY-MM-DD, today or later"));
        }
        // both stand in the certificate and in the evidence, which outlive what is held
        let wrong = taken::objection(&hold.reason).map(|why| format!("--reason: {why}"));
        let wrong = wrong.or_else(|| {
            let name = taken::objection(&hold.approver).map(str::to_owned);
            name.or_else(|| nobodys_name(&hold.approver)).map(|why| format!("--approved-by: {why}"))
        });
        if let Some(wrong) = wrong {
            return Err(NO_WORDS
                .fault(wrong)
                .help("--reason 'plain words that name no patient' --approved-by 'First Last'"));
        }
        let copy = self.one_mut(id)?;
        if copy.ended.is_some() {
            return Err(GONE.fault(copy.id.clone()).help("ecluse copies"));
        }
        copy.hold = Some(hold);
        Ok(())
    }

    /// Takes a hold back.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-002`.
    pub fn release(&mut self, id: &str) -> Result<()> {
        self.one_mut(id)?.hold = None;
        Ok(())
    }

    /// The copy of this id, or of its first characters where they are one's alone.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-002`.
    pub fn one(&self, id: &str) -> Result<&Copy> {
        let mut found = self.copies.iter().filter(|copy| !id.is_empty() && copy.id.starts_with(id));
        match (found.next(), found.next()) {
            (Some(copy), None) => Ok(copy),
            _ => Err(UNKNOWN.fault(id.to_owned()).help("ecluse copies")),
        }
    }

    /// What is held on the day of this moment, as an erasure's record has it.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> Vec<Held> {
        let held = self.copies.iter().filter(|copy| matches!(copy.standing(now), Standing::Held(_)));
        held.filter_map(|copy| Some(copy.hold.as_ref()?.of(copy))).collect()
    }

    /// Every copy that is gone, as an erasure's record has it.
    pub fn gone(&self) -> impl Iterator<Item = Erased> + '_ {
        let ended = self.copies.iter().filter_map(|copy| Some((copy, copy.ended.as_ref()?)));
        ended.map(|(copy, ended)| Erased {
            side: Side::Copy,
            place: copy.place.clone(),
            what: copy.store.words().to_owned(),
            method: ended.how.clone(),
            rows: None,
            files: None,
            at: ended.at.to_string(),
        })
    }

    /// Whether somebody entered that this copy was taken out of our reach: then that line is open in its stead.
    #[must_use]
    pub fn is_taken(&self, id: &str) -> bool {
        self.copies.iter().any(|copy| copy.taken.as_ref().is_some_and(|taken| taken.of == id))
    }

    /// A copy that may go before its day: one in our reach, that nobody holds, and that no later step of the
    /// migration needs. `spent` says of a sealed state whether its run is over: another one was accepted.
    ///
    /// # Errors
    ///
    /// [`NOT_EARLY`], [`GONE`]; `ECL-CPY-002`.
    pub fn early(&self, id: &str, now: Timestamp, spent: impl Fn(&Copy) -> bool) -> Result<&Copy> {
        let copy = self.one(id)?;
        let needed = match copy.store {
            Store::Archive | Store::Excluded | Store::Staging | Store::Report => false,
            Store::State => !spent(copy),
            Store::Record | Store::Ledger | Store::Evidence | Store::Journal => true,
        };
        let no = |why: String, help: &str| Err(NOT_EARLY.fault(why).help(help));
        match copy.standing(now) {
            Standing::Ended => Err(GONE.fault(copy.id.clone()).help("ecluse copies")),
            Standing::Held(until) => {
                no(format!("held until {until}"), "ecluse hold ID --release, by whoever approved it")
            }
            _ if copy.taken.is_some() => no("somebody took it".to_owned(), "ecluse copies state ID"),
            _ if needed => no(copy.store.words().to_owned(), "it goes on its day, or with: ecluse close"),
            _ => Ok(copy),
        }
    }

    fn one_mut(&mut self, id: &str) -> Result<&mut Copy> {
        let id = self.one(id)?.id.clone();
        let found = self.copies.iter_mut().find(|copy| copy.id == id);
        found.ok_or_else(|| UNKNOWN.fault(id).help("ecluse copies"))
    }

    /// Ids of what is to be erased now: what is of patients first, the log last.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<String> {
        let mut due: Vec<&Copy> = self.copies.iter().filter(|c| c.standing(now) == Standing::Due).collect();
        // the log last: it takes in what is noted of the others
        due.sort_by_key(|copy| (!copy.store.is_of_patients(), copy.store == Store::Journal));
        due.into_iter().map(|copy| copy.id.clone()).collect()
    }

    /// Whether a timer that was set up has not looked for longer than twice its time, or looked by a clock that was
    /// ahead: of such a look nobody knows when it was.
    #[must_use]
    pub fn missed(&self, now: Timestamp) -> bool {
        self.beat.is_some_and(|beat| {
            let late = SignedDuration::from_hours(i64::from(beat.hours).saturating_mul(2));
            now > beat.at.saturating_add(late).unwrap_or(beat.at) || beat.is_ahead(now)
        })
    }

    /// The last thing that was noted, `noted` or a timer's look, where this moment is so far beyond it that a timer does
    /// not erase by it: the clock jumped, or the machine was off for so long that a person says what day it is.
    #[must_use]
    pub fn far_behind(&self, noted: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let last = self.beat.map(|beat| beat.at).max(noted)?;
        (now.duration_since(last) > AHEAD).then_some(last)
    }

    /// Somebody says that the clock is right: what a look by one that was ahead left is put right. A copy whose day has
    /// not come, or that is held, is not late, whatever failed before; `but` is tried now.
    pub fn settle(&mut self, but: &[String], now: Timestamp) {
        for copy in self.copies.iter_mut().filter(|copy| !but.contains(&copy.id)) {
            if !matches!(copy.standing(now), Standing::Due | Standing::Outstanding) {
                copy.failed = None;
            }
        }
        if let Some(beat) = self.beat.as_mut().filter(|beat| beat.is_ahead(now)) {
            beat.at = now;
        }
    }

    /// What is not as it should be: copies whose day has come, or that could not be erased.
    #[must_use]
    pub fn open(&self, now: Timestamp) -> Vec<&Copy> {
        let is_open = |copy: &&Copy| {
            let late = matches!(copy.standing(now), Standing::Due | Standing::Outstanding);
            late || (copy.ended.is_none() && copy.failed.is_some())
        };
        self.copies.iter().filter(is_open).collect()
    }
}

/// A day as `2027-01-31`.
mod date {
    use jiff::civil::Date;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(day: &Date, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
        String::deserialize(d)?.parse().map_err(|_| D::Error::custom("no day"))
    }
}

/// A moment as RFC 3339, UTC.
mod moment {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        String::deserialize(d)?.parse().map_err(|_| D::Error::custom("no moment"))
    }
}

#[cfg(test)]
mod tests;
