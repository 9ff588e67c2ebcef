//! A copy that somebody took, and the signed statement that it was destroyed.

use ecluse_core::copies::{Birth, Copy, Ended, Ledger, Store, Taking};
use ecluse_core::destruction::{self, Method, Said, Stated};
use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::person::Side;
use ecluse_testkit::papers::{Papers, Person};
use jiff::SignedDuration;

use super::closed::{closed_but, closed_over, fails, head, judged, signed};
use super::made::{self, now};
use crate::{Files, Outcome, State};

const OF: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const ID: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

/// The ledger, in which the operator took a copy of the sealed state.
fn ledger(holder: &str, answers: Side) -> Ledger {
    let mut ledger = Ledger::default();
    let erase_by = "2026-06-30".parse().unwrap();
    let (id, place, marker) = (OF.to_owned(), "run/state.age".to_owned(), String::new());
    ledger.born(Birth { id, store: Store::State, place, erase_by, marker }, now());
    let at = now() + SignedDuration::from_mins(2);
    let (place, why) = ("USB disk 7", "a rehearsal");
    let taking = Taking { of: OF, holder, answers, at, place, until: erase_by, why };
    ledger.taken(&taking, ID.to_owned(), at).unwrap();
    ledger
}

fn line(ledger: &Ledger) -> &Copy {
    ledger.one(ID).unwrap()
}

/// The statement about the copy, in this person's name.
fn stated(ledger: &Ledger, by: &str) -> Stated {
    let at = now() + SignedDuration::from_mins(3);
    let (words, limits) = ("shredded".to_owned(), "none known".to_owned());
    Stated::of(line(ledger), Said { by: by.to_owned(), method: Method::Destroy, words, at, limits }).unwrap()
}

/// The files of a migration of which a copy was taken: with the event, the statement signed by `by`, and the ledger that
/// ended its line with it.
fn files(papers: &Papers, mut ledger: Ledger, stated: &Stated, by: &Person) -> Files {
    let mut files = made::files(papers);
    let at = (now() + SignedDuration::from_mins(4)).to_string();
    taken(&mut files, &at);
    let text = destruction::draft(&head(papers, now(), 4), stated);
    signed(&mut files, &path(), Kind::Destruction, &text, by);
    let statement = Some(of_bytes(text.as_bytes()));
    ledger.ended(ID, Ended { how: "destroyed".to_owned(), at: stated.at, statement }).unwrap();
    files.insert("copies.json".to_owned(), ledger.bytes().unwrap());
    files
}

/// The event that somebody took it, as the run's journal has it.
fn taken(files: &mut Files, at: &str) {
    let journal = String::from_utf8(files["journal/events.jsonl"].clone()).unwrap();
    assert!(!journal.contains("\"taken\""));
    made::append_about(files, ID, ("taken", "done"), at);
}

fn path() -> String {
    destruction::file(ID)
}

/// Whether a check of this file fails once everybody has signed, for a reason or in words that say this.
fn is_told(files: &Files, papers: &Papers, of: &str, why: &str) -> bool {
    let verdict = judged(files, papers);
    assert_eq!(verdict.outcome, Outcome::Refused, "{of}: {verdict:#?}");
    let failed = verdict.lines.iter().filter(|line| line.state == State::Fails && line.of == of);
    failed.into_iter().any(|line| {
        line.words.en.contains(why) || line.finding.as_ref().is_some_and(|finding| finding.contains(why))
    })
}

// proves: ERA-05
#[test]
fn a_copy_that_somebody_took_is_told_with_its_statement() {
    let papers = made::papers();
    let ledger = ledger(papers.operator.name, Side::Processor);
    let stated = stated(&ledger, papers.operator.name);
    let whole = closed_over(&papers, files(&papers, ledger, &stated, &papers.operator));
    let verdict = judged(&whole, &papers);
    assert_eq!((verdict.outcome, fails(&verdict)), (Outcome::Holds, Vec::new()), "{verdict:#?}");
    let said = verdict.lines.iter().any(|line| line.of == path() && line.words.en.contains("shredded"));
    assert!(said, "{verdict:#?}");
    // of a party whose person has no key here, its signatory answers
    let ledger = super::taken::ledger("Jeanne Colin", Side::Controller);
    let stated = super::taken::stated(&ledger, papers.signatory.name);
    let whole = closed_over(&papers, files(&papers, ledger, &stated, &papers.signatory));
    assert_eq!(judged(&whole, &papers).outcome, Outcome::Holds);
}

/// The processor's signatories sign for what is left each time: it does not hold all the same.
// proves: ERA-05
#[test]
fn taking_the_statement_or_the_line_away_never_makes_it_hold() {
    let papers = made::papers();
    let whole = || {
        let ledger = ledger(papers.operator.name, Side::Processor);
        let stated = stated(&ledger, papers.operator.name);
        files(&papers, ledger, &stated, &papers.operator)
    };
    let but = |change: &dyn Fn(&mut Files)| closed_but(&papers, whole(), |files| change(files));
    let unstated = but(&|files| files.retain(|name, _| !name.starts_with("destroyed/")));
    assert!(is_told(&unstated, &papers, &path(), "no statement"));
    let unsigned = but(&|files| files.retain(|name, _| !name.starts_with(&format!("{}.sigs/", path()))));
    assert!(is_told(&unsigned, &papers, &path(), "not signed by whom the contract names"));
    // the line too: the journal has noted it
    let empty = || Ledger::default().bytes().unwrap();
    let unnamed = but(&|files| {
        files.retain(|name, _| !name.starts_with("destroyed/"));
        files.insert("copies.json".to_owned(), empty());
    });
    assert!(is_told(&unnamed, &papers, "copies.json", ID));
    let stray = but(&|files| drop(files.insert("copies.json".to_owned(), empty())));
    assert!(is_told(&stray, &papers, &path(), "does not name"));
    let unread = but(&|files| drop(files.insert("copies.json".to_owned(), b"{}".to_vec())));
    assert!(is_told(&unread, &papers, "copies.json", "ECL-CPY-001"));
    // the line as one of ours
    let ours = but(&|files| {
        let mut ledger = Ledger::read(&files["copies.json"]).unwrap();
        ledger.copies[1].taken = None;
        files.insert("copies.json".to_owned(), ledger.bytes().unwrap());
        files.retain(|name, _| !name.starts_with("destroyed/"));
    });
    assert!(is_told(&ours, &papers, "copies.json", ID));
    // ended on somebody's word alone
    let wordless = but(&|files| {
        let mut ledger = Ledger::read(&files["copies.json"]).unwrap();
        ledger.copies[1].ended.as_mut().unwrap().statement = None;
        files.insert("copies.json".to_owned(), ledger.bytes().unwrap());
    });
    assert!(is_told(&wordless, &papers, &path(), "none"));
    // and before anybody certifies it is open, not wrong
    let mut open = whole();
    open.retain(|name, _| !name.starts_with("destroyed/"));
    let verdict = judged(&open, &papers);
    assert_ne!(verdict.outcome, Outcome::Holds);
    assert!(
        verdict.lines.iter().any(|line| line.of == path() && line.state == State::Absent),
        "{verdict:#?}"
    );
}

/// The event stands in the log alone, since there was no run yet.
// proves: ERA-05
#[test]
fn what_only_the_log_has_noted_is_asked_for_too() {
    let papers = made::papers();
    let at = (now() + SignedDuration::from_mins(4)).to_string();
    let forgotten = closed_but(&papers, made::files(&papers), |files| {
        let events = files["journal/events.jsonl"].clone();
        made::append_about(files, ID, ("taken", "done"), &at);
        made::log(files);
        files.insert("journal/events.jsonl".to_owned(), events);
    });
    assert!(is_told(&forgotten, &papers, "copies.json", ID));
}

// proves: ERA-05
#[test]
fn a_statement_of_another_copy_by_another_person_or_changed_does_not_count() {
    let papers = made::papers();
    let mine = || ledger(papers.operator.name, Side::Processor);
    let right = stated(&mine(), papers.operator.name);
    let closed = |stated: &Stated, by: &Person| closed_over(&papers, files(&papers, mine(), stated, by));
    type Change = fn(&mut Stated);
    let others: [(Change, &str); 6] = [
        (|s| s.copy = "0c".repeat(16), "ECL-DES-005"),
        (|s| s.of = "0c".repeat(16), "ECL-DES-005"),
        (|s| s.place = "another disk".to_owned(), "ECL-DES-005"),
        (|s| s.what = "report".to_owned(), "ECL-DES-005"),
        (|s| s.taken -= SignedDuration::from_secs(1), "ECL-DES-005"),
        (|s| s.at = s.taken - SignedDuration::from_secs(1), "ECL-DES-007"),
    ];
    for (change, code) in others {
        let mut other = right.clone();
        change(&mut other);
        assert!(is_told(&closed(&other, &papers.operator), &papers, &path(), code), "{other:?}");
    }
    // the holder has a key: nobody else's word will do, nor the holder's name under another's
    let superior = stated(&mine(), papers.processor.name);
    assert!(is_told(&closed(&superior, &papers.processor), &papers, &path(), "ECL-DES-006"));
    assert!(is_told(&closed(&right, &papers.processor), &papers, &path(), "ECL-DES-006"));
    let stranger = Person { seed: [9; 32], ..Papers::new(now()).operator };
    assert!(is_told(&closed(&right, &stranger), &papers, &path(), "ECL-SGN-022"));
    // the other side's signatory does not answer for this one's people
    let theirs = ledger("Jeanne Colin", Side::Controller);
    let by = stated(&theirs, papers.processor.name);
    let answered = closed_over(&papers, files(&papers, theirs, &by, &papers.processor));
    assert!(is_told(&answered, &papers, &path(), "ECL-DES-006"));
    // changed after it was signed, and the ledger with it
    let bent = closed_but(&papers, files(&papers, mine(), &right, &papers.operator), |files| {
        let text = String::from_utf8(files[&path()].clone()).unwrap().replacen("shredded", "burnt", 1);
        let mut ledger = Ledger::read(&files["copies.json"]).unwrap();
        ledger.copies[1].ended.as_mut().unwrap().statement = Some(of_bytes(text.as_bytes()));
        files.insert("copies.json".to_owned(), ledger.bytes().unwrap());
        files.insert(path(), text.into_bytes());
    });
    assert!(is_told(&bent, &papers, &path(), "ECL-SGN-021"));
}
