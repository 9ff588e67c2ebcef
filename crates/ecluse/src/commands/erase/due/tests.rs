//! Erasure on a clock that the test moves.

use std::cell::Cell;
use std::path::Path;

use ecluse_core::copies::Hold;
use ecluse_testkit::clock::FrozenClock;
use tempfile::TempDir;

use super::*;
use crate::clock::frozen;
use crate::commands::copies::on_time;
use crate::commands::erase::watch::looks;
use crate::copies::{Born, born};
use crate::folder::Folder;

const DAY: i64 = 86_400;
const SEALED: &[u8] = b"age-encryption.org/v1\nsealed";

/// The folder, and the clock by which the program notes what it does there.
struct Made {
    temp: TempDir,
    _clock: frozen::Frozen,
}

impl Made {
    fn path(&self) -> &Path {
        self.temp.path()
    }
}

/// A migration folder with a run's state and record, entered before they were made; the order wants the copies
/// erased by 2026-12-01.
fn made(clock: &FrozenClock) -> (Made, Here) {
    frozen::at(clock.now());
    let temp = Made { temp: tempfile::tempdir().unwrap(), _clock: frozen::Frozen };
    let here = Here { folder: Folder::at(temp.path()), now: clock.now() };
    let copies = Some("2026-12-01".parse().unwrap());
    let one = |store, place| Born { store, place, copies, marker: "" };
    let all = [one(Store::Record, "run"), one(Store::State, "run/state.age"), one(Store::Journal, "journal")];
    born(&here.folder, here.now, &all).unwrap();
    let run = temp.path().join("run");
    drop(RunFolder::open(&run, &run.with_file_name("journal")).unwrap());
    let share = "A".repeat(43);
    std::fs::write(run.join("state.age"), format!("age-encryption.org/v1\n-> X25519 {share}\nxx")).unwrap();
    (temp, here)
}

fn at(here: &Here, clock: &FrozenClock) -> Here {
    frozen::at(clock.now());
    Here { now: clock.now(), ..here.clone() }
}

fn acts(run: &Path) -> Vec<(Act, String)> {
    attested::events(run).unwrap().leaves.into_iter().map(|leaf| (leaf.act, leaf.outcome)).collect()
}

// proves: ERA-01
#[test]
fn what_is_due_goes_on_its_day_by_itself_and_a_stopped_timer_is_told() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (temp, here) = made(&clock);
    let now = Cell::new(clock.now());
    let mut waits = 0;
    // nobody types anything: the watch looks every day, and the clock goes on
    let asked = || {
        frozen::at(now.get());
        now.get()
    };
    looks(&here, 24, &asked, &mut || {
        clock.move_by(DAY / 4);
        now.set(clock.now());
        waits += 1;
        let stands = temp.path().join("run/state.age").exists();
        // this day's look comes after this wait
        assert_eq!(stands, now.get().to_string().as_str() <= "2026-12-01T09:00:00Z", "{}", now.get());
        waits < 4 * 14
    })
    .unwrap();
    let ledger = look(&here.folder).unwrap();
    let state = ledger.copies.iter().find(|copy| copy.store == Store::State).unwrap();
    assert!(state.ended.is_some());
    assert_eq!(state.marker, "A".repeat(43));
    // the record holds nobody's data, and stands for a year more
    assert!(temp.path().join("run/events.jsonl").exists());
    on_time(&at(&here, &clock)).unwrap();
    clock.move_by(3 * DAY);
    assert_eq!(on_time(&at(&here, &clock)).unwrap_err().code().id, "ECL-CPY-011");
    // the late look is an event
    assert!(erase(&at(&here, &clock), Who::Timer { hours: 24 }, None).unwrap().late);
    assert!(acts(&temp.path().join("run")).contains(&(Act::Beat, LATE.id.to_owned())));
}

// proves: ERA-04
#[test]
fn what_cannot_be_erased_is_told_tried_again_and_told_no_more() {
    let mut clock = FrozenClock::at("2026-11-30T09:00:00Z");
    let (temp, here) = made(&clock);
    let run = temp.path().join("run");
    // no file, and no account may overwrite it, whoever runs the test
    std::fs::remove_file(run.join("state.age")).unwrap();
    std::fs::create_dir(run.join("state.age")).unwrap();
    on_time(&here).unwrap();
    for times in 1..=2 {
        clock.move_by(DAY);
        let done = erase(&at(&here, &clock), Who::Person, None).unwrap();
        assert_eq!((done.erased.len(), done.failed.len()), (0, 1));
        let ledger = look(&here.folder).unwrap();
        let failed = ledger.copies.iter().find_map(|copy| copy.failed.as_ref()).unwrap();
        assert_eq!((failed.code.as_str(), failed.times), ("ECL-ERA-001", times));
        assert_eq!(failed.since.to_string(), "2026-12-01T09:00:00Z");
        assert_eq!(on_time(&at(&here, &clock)).unwrap_err().code().id, "ECL-CPY-010");
    }
    assert!(acts(&run).contains(&(Act::Erase, "ECL-ERA-001".to_owned())));
    std::fs::remove_dir(run.join("state.age")).unwrap();
    std::fs::write(run.join("state.age"), SEALED).unwrap();
    assert_eq!(erase(&at(&here, &clock), Who::Person, None).unwrap().erased.len(), 1);
    assert!(!run.join("state.age").exists());
    on_time(&at(&here, &clock)).unwrap();
}

// proves: ERA-06
#[test]
fn a_hold_keeps_the_named_copy_alone_and_ends_by_itself() {
    let mut clock = FrozenClock::at("2026-12-01T09:00:00Z");
    let (temp, here) = made(&clock);
    let list = temp.path().join("excluded.age");
    std::fs::write(&list, SEALED).unwrap();
    let copies = Some("2026-12-01".parse().unwrap());
    let listed = Born { store: Store::Excluded, place: "excluded.age", copies, marker: "" };
    born(&here.folder, here.now, &[listed]).unwrap();
    let mut held = Copies::open(&here.folder).unwrap();
    let id = held.ledger.copies.iter().find(|copy| copy.store == Store::State).unwrap().id.clone();
    let (reason, approver) = ("a complaint".into(), "Claire Fontaine".into());
    let until = "2026-12-10".parse().unwrap();
    held.ledger.hold(&id, Hold { reason, approver, until, at: clock.now() }).unwrap();
    held.save().unwrap();
    drop(held);
    let state = temp.path().join("run/state.age");
    let done = erase(&at(&here, &clock), Who::Person, None).unwrap();
    assert_eq!((done.erased.len(), done.held), (1, 1));
    assert!(state.exists() && !list.exists());
    on_time(&at(&here, &clock)).unwrap();
    clock.move_by(9 * DAY);
    assert!(erase(&at(&here, &clock), Who::Person, None).unwrap().erased.is_empty());
    clock.move_by(DAY);
    assert_eq!(on_time(&at(&here, &clock)).unwrap_err().code().id, "ECL-CPY-010");
    assert_eq!(erase(&at(&here, &clock), Who::Person, None).unwrap().erased.len(), 1);
    assert!(!state.exists());
}

#[test]
fn the_record_goes_a_year_later_and_the_ledger_still_tells_of_it() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (temp, here) = made(&clock);
    clock.move_by(400 * DAY);
    let done = erase(&at(&here, &clock), Who::Person, None).unwrap();
    assert_eq!((done.erased.len(), done.failed.len()), (3, 0), "{:?}", done.failed);
    // the log last, and no other one is begun
    assert_eq!(done.erased.last().unwrap().place, "journal");
    assert!(!temp.path().join("run").exists() && !temp.path().join("journal").exists());
    assert!(journal::keep(&here.folder).unwrap().is_none() && !temp.path().join("journal").exists());
    assert!(look(&here.folder).unwrap().copies.iter().all(|copy| copy.ended.is_some()));
}

/// What stands of the two things that were made.
fn stands(temp: &Made) -> [bool; 2] {
    ["run/state.age", "run/events.jsonl"].map(|name| temp.path().join(name).exists())
}

// proves: ERA-04
#[test]
fn one_look_by_a_clock_that_jumped_ahead_erases_nothing_and_is_an_event() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (temp, here) = made(&clock);
    let timer = |clock: &FrozenClock| erase(&at(&here, clock), Who::Timer { hours: 24 }, None);
    timer(&clock).unwrap();
    let right = clock;
    // two looks by the same clock: the first one's own line is no reason to believe the second
    for later in [3 * 365 * DAY, DAY] {
        clock.move_by(later);
        assert_eq!(timer(&clock).unwrap_err().code().id, "ECL-ERA-007");
        assert_eq!(stands(&temp), [true; 2]);
    }
    let refused = acts(&temp.path().join("copies"));
    assert_eq!(refused.iter().filter(|one| **one == (Act::Beat, "ECL-ERA-007".to_owned())).count(), 2);
    // it is no look, and the clock that was put right finds everything as it was
    assert_eq!(look(&here.folder).unwrap().beat.unwrap().at, right.now());
    on_time(&at(&here, &right)).unwrap();
    timer(&right).unwrap();
}

#[test]
fn a_machine_that_was_off_for_long_has_a_person_say_what_day_it_is() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (temp, here) = made(&clock);
    let timer = |clock: &FrozenClock| erase(&at(&here, clock), Who::Timer { hours: 24 }, None);
    timer(&clock).unwrap();
    clock.move_by(60 * DAY);
    assert_eq!(timer(&clock).unwrap_err().code().id, "ECL-ERA-007");
    assert_eq!(on_time(&at(&here, &clock)).unwrap_err().code().id, "ECL-CPY-010");
    assert_eq!(erase(&at(&here, &clock), Who::Person, None).unwrap().erased.len(), 1);
    assert_eq!(stands(&temp), [false, true]);
    clock.move_by(DAY);
    assert!(timer(&clock).unwrap().late);
    on_time(&at(&here, &clock)).unwrap();
    // the same where nothing was due: the person's word alone is noted
    std::fs::remove_dir_all(temp.path().join("run")).unwrap();
    clock.move_by(60 * DAY);
    timer(&clock).unwrap_err();
    assert!(erase(&at(&here, &clock), Who::Person, None).unwrap().erased.is_empty());
    timer(&clock).unwrap();
}

#[test]
fn what_a_clock_that_was_ahead_left_is_put_right_by_a_look() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (temp, here) = made(&clock);
    let run = temp.path().join("run");
    std::fs::remove_file(run.join("state.age")).unwrap();
    std::fs::create_dir(run.join("state.age")).unwrap();
    erase(&at(&here, &clock), Who::Timer { hours: 24 }, None).unwrap();
    // not far enough to be told from a holiday
    clock.move_by(30 * DAY);
    assert_eq!(erase(&at(&here, &clock), Who::Timer { hours: 24 }, None).unwrap().failed.len(), 1);
    clock.move_by(-30 * DAY);
    assert_eq!(on_time(&at(&here, &clock)).unwrap_err().code().id, "ECL-CPY-010");
    assert!(look(&here.folder).unwrap().missed(clock.now()), "the timer looked by another clock");
    let done = erase(&at(&here, &clock), Who::Person, None).unwrap();
    assert!(done.erased.is_empty() && done.failed.is_empty());
    on_time(&at(&here, &clock)).unwrap();
    assert!(!look(&here.folder).unwrap().missed(clock.now()));
}

#[test]
fn a_watch_whose_clock_is_set_back_looks_at_once() {
    let mut clock = FrozenClock::at("2026-11-20T09:00:00Z");
    let (_temp, here) = made(&clock);
    clock.move_by(20 * DAY);
    let now = Cell::new(clock.now());
    let asked = || {
        frozen::at(now.get());
        now.get()
    };
    let mut waits = 0;
    looks(&here, 24, &asked, &mut || {
        waits += 1;
        // somebody puts the clock right after the first wait
        if waits == 1 {
            clock.move_by(-30 * DAY);
            now.set(clock.now());
        }
        waits < 3
    })
    .unwrap();
    assert_eq!(look(&here.folder).unwrap().beat.unwrap().at, clock.now());
}

#[test]
fn the_shipped_unit_gives_a_command_that_is_understood() {
    use clap::Parser as _;
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd/ecluse-erase@.service");
    let text = std::fs::read_to_string(unit).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let typed: Vec<String> = line.split(' ').map(|word| word.replace("%I", "srv/tilleuls")).collect();
    let cli = crate::cli::Cli::try_parse_from(typed).unwrap();
    assert_eq!(cli.folder.as_deref(), Some(Path::new("/srv/tilleuls")));
    let crate::cli::Command::Erase(args) = cli.command else { panic!("another command") };
    assert!(args.timer && args.every == 24);
}
