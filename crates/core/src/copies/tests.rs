//! The ledger on a clock that a test moves.

use ecluse_testkit::clock::FrozenClock;

use super::*;
use crate::person::Side;

const DAY: i64 = 86_400;

fn birth(id: char, store: Store, erase_by: &str) -> Birth {
    let id = String::from(id).repeat(32);
    Birth { id, store, place: "run".into(), erase_by: erase_by.parse().unwrap(), marker: String::new() }
}

fn ledger(clock: &FrozenClock) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.born(birth('a', Store::State, "2026-12-01"), clock.now());
    ledger.born(birth('b', Store::Record, "2027-12-01"), clock.now());
    ledger
}

fn hold(clock: &FrozenClock, until: &str) -> Hold {
    let (reason, approver) = ("a complaint is pending".into(), "Claire Fontaine".into());
    Hold { reason, approver, until: until.parse().unwrap(), at: clock.now() }
}

#[test]
fn a_copy_is_due_on_its_day_and_not_before() {
    let mut clock = FrozenClock::at("2026-11-30T23:59:59Z");
    let ledger = ledger(&clock);
    assert!(ledger.due(clock.now()).is_empty());
    clock.move_by(1);
    assert_eq!(ledger.due(clock.now()), ["a".repeat(32)]);
    assert_eq!(ledger.open(clock.now()).len(), 1);
}

#[test]
fn a_hold_keeps_it_to_its_last_day_and_no_longer() {
    let mut clock = FrozenClock::at("2026-12-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    ledger.hold("aaaa", hold(&clock, "2026-12-10")).unwrap();
    assert!(ledger.due(clock.now()).is_empty());
    clock.move_by(9 * DAY);
    assert!(matches!(ledger.one("aaaa").unwrap().standing(clock.now()), Standing::Held(_)));
    clock.move_by(DAY);
    assert_eq!(ledger.due(clock.now()).len(), 1);
}

#[test]
fn a_hold_wants_a_day_to_come_and_words() {
    let clock = FrozenClock::at("2026-12-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    assert_eq!(ledger.hold("aaaa", hold(&clock, "2026-11-30")).unwrap_err().code().id, PAST.id);
    let wordless = Hold { reason: " ".into(), ..hold(&clock, "2026-12-02") };
    assert_eq!(ledger.hold("aaaa", wordless).unwrap_err().code().id, NO_WORDS.id);
    assert!(ledger.one("aaaa").unwrap().hold.is_none());
}

fn taking<'a>(of: &'a str, holder: &'a str, now: Timestamp) -> Taking<'a> {
    let (place, why, until) = ("a disk", "a rehearsal at the publisher's", "2026-11-20".parse().unwrap());
    Taking { of, holder, answers: Side::Processor, at: now, place, until, why }
}

// proves: ERA-05
#[test]
fn what_was_taken_stays_open_until_somebody_states_its_end() {
    let mut clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    let take = |ledger: &mut Ledger, id: char| {
        let id = String::from(id).repeat(32);
        ledger.taken(&taking("aaaa", "Paul Martin", clock.now()), id, clock.now()).unwrap()
    };
    assert_eq!(take(&mut ledger, 'c'), "c".repeat(32));
    assert_eq!(take(&mut ledger, 'd'), "c".repeat(32), "the same is said once");
    assert_eq!(ledger.copies.len(), 3);
    assert_eq!(ledger.one("cccc").unwrap().standing(clock.now()), Standing::Taken);
    assert!(ledger.open(clock.now()).is_empty(), "it is not late yet");
    clock.move_by(60 * DAY);
    // no eraser of ours is asked for it, and its day does not end it
    assert_eq!(ledger.due(clock.now()), ["a".repeat(32)]);
    assert_eq!(ledger.one("cccc").unwrap().standing(clock.now()), Standing::Outstanding);
    assert_eq!(ledger.outside().count(), 1);
    assert_eq!(ledger.one_open("aaaa").unwrap_err().code().id, "ECL-CPY-006");
    let ended = |how: &str| Ended { how: how.into(), at: clock.now(), statement: Some("sha256:00".into()) };
    ledger.ended("cccc", ended("destroyed")).unwrap();
    ledger.ended("aaaa", ended("removed")).unwrap();
    assert!(ledger.open(clock.now()).is_empty());
    assert_eq!(ledger.one_open("cccc").unwrap_err().code().id, GONE.id);
    assert_eq!(ledger.outside().count(), 1, "it stays in the ledger");
}

#[test]
fn what_cannot_be_so_is_not_entered() {
    let clock = FrozenClock::at("2026-11-10T08:00:00Z");
    let mut ledger = ledger(&FrozenClock::at("2026-11-01T08:00:00Z"));
    let before = ledger.clone();
    let day = |text: &str| text.parse::<Date>().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let good = taking("aaaa", "Paul Martin", clock.now());
    let long = "x".repeat(401);
    let wrong = [
        ("ECL-CPY-002", Taking { of: "ffff", ..good.clone() }),
        ("ECL-CPY-012", Taking { holder: "admin", ..good.clone() }),
        ("ECL-CPY-012", Taking { holder: "Paul", ..good.clone() }),
        ("ECL-CPY-013", Taking { at: at("2026-11-10T08:00:01Z"), ..good.clone() }),
        ("ECL-CPY-013", Taking { at: at("2026-11-01T07:59:59Z"), ..good.clone() }),
        ("ECL-CPY-014", Taking { until: day("2026-12-02"), ..good.clone() }),
        ("ECL-CPY-015", Taking { place: " ", ..good.clone() }),
        ("ECL-CPY-015", Taking { why: &long, ..good.clone() }),
        ("ECL-CPY-015", Taking { why: "the file of 2 79 03 51 215 189 89", ..good.clone() }),
        ("ECL-CPY-015", Taking { place: "a disk\u{202e}", ..good.clone() }),
    ];
    for (code, taking) in wrong {
        let fault = ledger.taken(&taking, "c".repeat(32), clock.now()).unwrap_err();
        assert_eq!(fault.code().id, code, "{taking:?}");
    }
    assert_eq!(ledger, before);
    // what is gone was taken before it went, or not at all
    let gone = Ended { how: "removed".into(), at: at("2026-11-05T08:00:00Z"), statement: None };
    ledger.ended("aaaa", gone).unwrap();
    let after = ledger.taken(&good, "c".repeat(32), clock.now()).unwrap_err();
    assert_eq!(after.code().id, "ECL-CPY-013");
    ledger.taken(&Taking { at: at("2026-11-04T08:00:00Z"), ..good }, "c".repeat(32), clock.now()).unwrap();
}

#[test]
fn before_its_day_goes_what_no_later_step_needs_and_nobody_holds() {
    let clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    ledger.born(birth('c', Store::Archive, "2026-12-01"), clock.now());
    assert_eq!(ledger.early("cccc", clock.now(), |_| false).unwrap().store, Store::Archive);
    for id in ["aaaa", "bbbb"] {
        assert_eq!(ledger.early(id, clock.now(), |_| false).unwrap_err().code().id, NOT_EARLY.id);
    }
    ledger.taken(&taking("cccc", "Paul Martin", clock.now()), "d".repeat(32), clock.now()).unwrap();
    assert_eq!(ledger.early("dddd", clock.now(), |_| false).unwrap_err().code().id, NOT_EARLY.id);
    ledger.hold("cccc", hold(&clock, "2026-11-10")).unwrap();
    assert_eq!(ledger.early("cccc", clock.now(), |_| false).unwrap_err().code().id, NOT_EARLY.id);
    ledger.release("cccc").unwrap();
    ledger.ended("cccc", Ended { how: "removed".into(), at: clock.now(), statement: None }).unwrap();
    assert_eq!(ledger.early("cccc", clock.now(), |_| false).unwrap_err().code().id, GONE.id);
}

#[test]
fn a_second_birth_keeps_the_line() {
    let clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    ledger.born(birth('e', Store::State, "2026-12-24"), clock.now());
    assert_eq!(ledger.copies.len(), 2);
    assert_eq!(ledger.one("aaaa").unwrap().erase_by.to_string(), "2026-12-24");
}

#[test]
fn a_line_without_a_day_is_no_line() {
    let ledger = ledger(&FrozenClock::at("2026-11-01T08:00:00Z"));
    let bytes = ledger.bytes().unwrap();
    assert_eq!(Ledger::read(&bytes).unwrap(), ledger);
    let text = String::from_utf8(bytes).unwrap();
    let without = text.replacen(",\n      \"erase_by\": \"2026-12-01\"", "", 1);
    assert_ne!(without, text);
    assert_eq!(Ledger::read(without.as_bytes()).unwrap_err().code().id, MALFORMED.id);
    let never = text.replacen("2026-12-01", "never", 1);
    assert_eq!(Ledger::read(never.as_bytes()).unwrap_err().code().id, MALFORMED.id);
}

#[test]
fn a_timer_that_stopped_is_noticed_after_twice_its_time() {
    let mut clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    assert!(!ledger.missed(clock.now()), "no timer was set up");
    ledger.beat = Some(Beat { at: clock.now(), hours: 24 });
    clock.move_by(2 * DAY);
    assert!(!ledger.missed(clock.now()));
    clock.move_by(1);
    assert!(ledger.missed(clock.now()));
}

// proves: ERA-04
#[test]
fn a_look_by_a_clock_that_was_ahead_is_a_missed_one() {
    let mut clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    clock.move_by(5 * 60);
    ledger.beat = Some(Beat { at: clock.now(), hours: 24 });
    clock.move_by(-5 * 60);
    assert!(!ledger.missed(clock.now()), "two honest clocks");
    clock.move_by(-1);
    assert!(ledger.missed(clock.now()));
    ledger.settle(&[], clock.now());
    assert!(!ledger.missed(clock.now()), "somebody said what time it is");
}

#[test]
fn a_clock_is_too_far_from_the_last_thing_that_was_noted() {
    let mut clock = FrozenClock::at("2026-11-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    assert_eq!(ledger.far_behind(None, clock.now()), None, "nothing was noted yet");
    let last = clock.now();
    clock.move_by(40 * DAY);
    assert_eq!(ledger.far_behind(Some(last), clock.now()), None);
    clock.move_by(1);
    assert_eq!(ledger.far_behind(Some(last), clock.now()), Some(last));
    let looked = last + SignedDuration::from_hours(24);
    ledger.beat = Some(Beat { at: looked, hours: 24 });
    assert_eq!(ledger.far_behind(Some(last), clock.now()), None, "the later of the two");
    clock.move_by(DAY);
    assert_eq!(ledger.far_behind(Some(last), clock.now()), Some(looked));
    // a clock that was set back is no clock that jumped ahead
    clock.move_by(-90 * DAY);
    assert_eq!(ledger.far_behind(Some(last), clock.now()), None);
}

#[test]
fn what_failed_is_told_no_more_once_it_is_not_due() {
    let mut clock = FrozenClock::at("2026-12-01T08:00:00Z");
    let mut ledger = ledger(&clock);
    for copy in &mut ledger.copies {
        copy.fail("ECL-ERA-001", clock.now());
    }
    ledger.settle(&["b".repeat(32)], clock.now());
    let failed = |ledger: &Ledger, id: &str| ledger.one(id).unwrap().failed.is_some();
    assert!(failed(&ledger, "aaaa"), "its day has come");
    assert!(failed(&ledger, "bbbb"), "it is tried now");
    clock.move_by(-DAY);
    ledger.settle(&[], clock.now());
    assert!(!failed(&ledger, "aaaa") && !failed(&ledger, "bbbb"));
    assert!(ledger.open(clock.now()).is_empty());
}

#[test]
fn what_is_of_patients_goes_by_the_orders_day() {
    let day: Date = "2026-12-01".parse().unwrap();
    for store in Store::ALL {
        assert_eq!(store.last_day(day) == day, store.is_of_patients(), "{store:?}");
    }
}
