//! Copies that somebody took out of our reach: entered on an operator's word, open until a signed statement says that
//! they were destroyed ([`crate::destruction`]).
//!
//! A day does not end one: that it has passed says nothing of a copy that nobody of ours can look at (decision 0082).

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Copy, GONE, Ledger};
use crate::fault::{Code, Result};
use crate::ins;
use crate::keys::Key;
use crate::person::{Side, nobodys_name, same_person_key};
use crate::plain;

static OURS: Code = Code::refused("ECL-CPY-006", "this copy is within our reach");
static NOBODY: Code = Code::usage("ECL-CPY-012", "a copy is taken by one person, by name");
static HOUR: Code = Code::usage("ECL-CPY-013", "the copy cannot have been taken at this hour");
static TOO_LONG: Code =
    Code::refused("ECL-CPY-014", "a copy that was taken may not stand longer than what it was taken of");
static WORDS: Code = Code::usage("ECL-CPY-015", "what is said of a copy that was taken does not do");
static SIDE: Code = Code::usage("ECL-CPY-016", "it is not clear which side answers for whoever has the copy");

/// Letters of a text about a copy at most: a place, a reason.
const LONGEST: usize = 400;

/// Who took a copy out of our reach, and what was said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// The id of the line of which it is a copy.
    pub of: String,
    /// Who has it: one person's first and last name.
    pub holder: String,
    /// The side that answers for the holder.
    pub answers: Side,
    /// Why.
    pub why: String,
}

/// What somebody says who enters that a copy was taken.
#[derive(Clone, Debug)]
pub struct Taking<'a> {
    /// The id of the line of which it is a copy, or its first characters.
    pub of: &'a str,
    /// Who took it: first and last name.
    pub holder: &'a str,
    /// The side that answers for the holder.
    pub answers: Side,
    /// When it was taken.
    pub at: Timestamp,
    /// Where it lies; names no patient.
    pub place: &'a str,
    /// The day by which the holder destroys it.
    pub until: Date,
    /// Why; names no patient.
    pub why: &'a str,
}

impl Ledger {
    /// Enters that somebody took a copy out of our reach: a line of its own, and the line's id. What was entered in
    /// the very same words already stands there once.
    ///
    /// # Errors
    ///
    /// [`NOBODY`], [`HOUR`], [`TOO_LONG`], [`WORDS`]; `ECL-CPY-002`.
    pub fn taken(&mut self, taking: &Taking<'_>, id: String, now: Timestamp) -> Result<String> {
        let of = self.one(taking.of)?.clone();
        let (holder, place, why) = (taking.holder.trim(), taking.place.trim(), taking.why.trim());
        one_person(holder)?;
        for (flag, text) in [("--place", place), ("--reason", why)] {
            if let Some(wrong) = objection(text) {
                return Err(WORDS.fault(format!("{flag}: {wrong}")).help("plain words that name no patient"));
            }
        }
        // as papers write moments, so that a statement can be compared with the line
        let at = Timestamp::from_second(taking.at.as_second()).unwrap_or(taking.at);
        let gone = of.ended.as_ref().map(|ended| ended.at);
        let hour = if at > now {
            Some("it has not come".to_owned())
        } else if at.as_second() < of.born.as_second() {
            Some(format!("what it was taken of was made on {}", of.born))
        } else {
            gone.filter(|gone| at > *gone).map(|gone| format!("what it was taken of was gone on {gone}"))
        };
        if let Some(why) = hour {
            return Err(HOUR.fault(why).help("--at 2026-11-22T14:30:00+01:00, with its offset"));
        }
        if taking.until > of.erase_by {
            let why = format!("{} stands until {}", of.store.words(), of.erase_by);
            return Err(TOO_LONG.fault(why).help(format!(
                "--until {} or earlier: the order's day counts for whoever has a copy; one that is kept for longer stays open",
                of.erase_by
            )));
        }
        let taken = Taken {
            of: of.id.clone(),
            holder: holder.to_owned(),
            answers: taking.answers,
            why: why.to_owned(),
        };
        let known = |copy: &&Copy| {
            copy.ended.is_none()
                && copy.taken.as_ref() == Some(&taken)
                && (copy.place == place && copy.born == at && copy.erase_by == taking.until)
        };
        if let Some(copy) = self.copies.iter().find(known) {
            return Ok(copy.id.clone());
        }
        self.copies.push(Copy {
            id: id.clone(),
            store: of.store,
            place: place.to_owned(),
            born: at,
            erase_by: taking.until,
            marker: of.marker,
            markers: of.markers,
            taken: Some(taken),
            hold: None,
            failed: None,
            seen: None,
            ended: None,
        });
        Ok(id)
    }

    /// Every copy that somebody took, those that were destroyed too, in the order in which they were entered.
    pub fn outside(&self) -> impl Iterator<Item = (&Copy, &Taken)> {
        self.copies.iter().filter_map(|copy| Some((copy, copy.taken.as_ref()?)))
    }

    /// One of them, by its id or the first characters of it.
    ///
    /// # Errors
    ///
    /// [`OURS`]; `ECL-CPY-002`.
    pub fn one_outside(&self, id: &str) -> Result<(&Copy, &Taken)> {
        let copy = self.one(id)?;
        let ours = || OURS.fault(copy.place.clone()).help("ecluse erase, when its day has come");
        copy.taken.as_ref().map(|taken| (copy, taken)).ok_or_else(ours)
    }

    /// As [`Self::one_outside`], of one that is not gone.
    ///
    /// # Errors
    ///
    /// `ECL-CPY-005`; as [`Self::one_outside`].
    pub fn one_open(&self, id: &str) -> Result<(&Copy, &Taken)> {
        let (copy, taken) = self.one_outside(id)?;
        if copy.ended.is_some() {
            return Err(GONE.fault(copy.id.clone()).help("ecluse copies --all"));
        }
        Ok((copy, taken))
    }
}

fn one_person(holder: &str) -> Result<()> {
    nobodys_name(holder).map_or(Ok(()), |why| Err(NOBODY.fault(why).help("--holder 'First Last'")))
}

/// The side that answers for a person: the one on which the contract lists them, else the one that is said.
///
/// # Errors
///
/// [`NOBODY`]; [`SIDE`]: nothing is said of somebody whom the contract does not list, or the other side of one whom it lists.
pub fn answers(keys: &[Key], holder: &str, said: Option<Side>) -> Result<Side> {
    one_person(holder.trim())?;
    match (listed(keys, holder), said) {
        (Some(listed), Some(said)) if listed != said => Err(SIDE
            .fault(format!("the contract lists {holder} on the {}'s side", listed.name()))
            .help(format!("--answers {}", listed.name()))),
        (Some(side), _) | (None, Some(side)) => Ok(side),
        (None, None) => Err(SIDE.fault(format!("the contract does not list {holder}")).help(
            "--answers controller or --answers processor: for a sub-processor's people the processor answers (GDPR Art. 28(4))",
        )),
    }
}

/// The side on which a contract lists a person, with a key or without; nobody stands on both.
#[must_use]
pub fn listed(keys: &[Key], person: &str) -> Option<Side> {
    let person = same_person_key(person);
    keys.iter().find(|key| same_person_key(&key.person) == person).map(|key| key.role.side())
}

/// What keeps a text about a copy from being written down: it says nothing, too much, steers a screen, or bears a
/// national identity number.
#[must_use]
pub fn objection(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("nothing is said")
    } else if text.chars().count() > LONGEST {
        Some("more than 400 letters")
    } else if plain::shown(text) != text || text.contains(['\n', '\r']) {
        Some("a character that steers the screen, or a second line")
    } else {
        ins::stands_in(text).then_some("it bears a national identity number")
    }
}
