//! Copies that stand when a file is closed: past their day, with patients' data, held.

use ecluse_core::copies::{Birth, Ended, FILE, Hold, Ledger, Store};

use super::closed::{closed_but, closed_over, fails, judged};
use super::made::{self, now};
use crate::{Files, Outcome, State};

const ID: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// A ledger of one copy.
fn ledger(store: Store, erase_by: &str) -> Ledger {
    let mut ledger = Ledger::default();
    let (id, place) = (ID.to_owned(), "out.archive".to_owned());
    let erase_by = erase_by.parse().unwrap();
    ledger.born(Birth { id, store, place, erase_by, marker: String::new() }, now());
    ledger
}

fn held(mut ledger: Ledger) -> Ledger {
    let (reason, approver) = ("a complaint is pending".to_owned(), "Claire Fontaine".to_owned());
    let hold = Hold { reason, approver, until: "2035-01-01".parse().unwrap(), at: now() };
    ledger.hold(ID, hold).unwrap();
    ledger
}

fn with(mut files: Files, ledger: &Ledger) -> Files {
    files.insert(FILE.to_owned(), ledger.bytes().unwrap());
    files
}

/// The processor's signatories signed for the ledger all the same.
// proves: ERA-05
#[test]
fn a_copy_that_stands_when_the_file_is_closed_never_holds() {
    let papers = made::papers();
    let over = |ledger: &Ledger| judged(&closed_over(&papers, with(made::files(&papers), ledger)), &papers);
    for (store, erase_by, holds) in [
        // its day has passed: of whatever
        (Store::Archive, "2026-02-01", false),
        (Store::Report, "2026-02-01", false),
        (Store::State, "2026-02-01", false),
        // it may stand, and holds patients' data
        (Store::Archive, "2999-01-31", false),
        (Store::Excluded, "2999-01-31", false),
        (Store::Staging, "2999-01-31", false),
        // closing takes the one away, the others tell of the migration
        (Store::State, "2999-01-31", true),
        (Store::Record, "2999-01-31", true),
        (Store::Evidence, "2999-01-31", true),
    ] {
        let verdict = over(&ledger(store, erase_by));
        assert_eq!(verdict.outcome == Outcome::Holds, holds, "{store:?} {erase_by}: {verdict:#?}");
        assert_eq!(verdict.lines.iter().any(|line| line.of == FILE && line.state == State::Fails), !holds);
    }
}

#[test]
fn what_is_held_is_told_with_its_reason_and_only_as_the_erasure_told_it() {
    let papers = made::papers();
    let ledger = held(ledger(Store::Archive, "2026-06-30"));
    let whole = closed_over(&papers, with(made::files(&papers), &ledger));
    let verdict = judged(&whole, &papers);
    assert_eq!((verdict.outcome, fails(&verdict)), (Outcome::Holds, Vec::new()), "{verdict:#?}");
    let said = ["2035-01-01", "Claire Fontaine", "a complaint is pending", "out.archive"];
    let told = |words: &str| said.iter().all(|word| words.contains(word));
    assert!(verdict.lines.iter().any(|line| told(&line.words.en) && told(&line.words.fr)), "{verdict:#?}");
    // entered after the last erasure
    let late = closed_but(&papers, made::files(&papers), |files| {
        files.insert(FILE.to_owned(), ledger.bytes().unwrap());
    });
    let verdict = judged(&late, &papers);
    assert_eq!(verdict.outcome, Outcome::Refused);
    assert!(verdict.lines.iter().any(|line| line.of == "run/erasure.json" && line.state == State::Fails));
}

// The processor's signatories signed for a ledger from which the line was taken out, or that says otherwise.
// proves: ERA-05
#[test]
fn what_is_said_to_be_gone_ended_so_in_the_ledger() {
    let papers = made::papers();
    let mut gone = ledger(Store::Archive, "2026-02-01");
    let ended = Ended { how: "every file overwritten".to_owned(), at: now(), statement: None };
    gone.ended(ID, ended).unwrap();
    let over = |ledger: &Ledger| {
        let closed = closed_but(&papers, with(made::files(&papers), &gone), |files| {
            files.insert(FILE.to_owned(), ledger.bytes().unwrap());
        });
        judged(&closed, &papers)
    };
    assert_eq!(over(&gone).outcome, Outcome::Holds, "{:#?}", over(&gone));
    let mut other = gone.clone();
    other.copies[0].place = "elsewhere.archive".to_owned();
    for wrong in [Ledger::default(), other] {
        let verdict = over(&wrong);
        let told = |line: &crate::Line| line.of == "run/erasure.json" && line.state == State::Fails;
        assert!(verdict.lines.iter().any(told) && verdict.outcome != Outcome::Holds, "{verdict:#?}");
    }
}
