//! The statement of destruction: who can make it, and what it cannot say.

use ecluse_core::copies::{Birth, Copy, Ledger, Store, Taking, answers};
use ecluse_core::destruction::{DECLARES, Destroyed, Method, Said, Stated, draft, may_state, parse};
use ecluse_core::document::Kind;
use ecluse_core::person::{Role, Side};
use ecluse_core::signatures::SignatureFile;
use ecluse_core::template::Head;
use ecluse_testkit::papers::{Paper, Papers, Person};
use jiff::{SignedDuration, Timestamp};

use crate::support::{codes, contract, contract_at, now, papers};

/// The ledger's line of a copy that this person took two hours ago.
fn line(holder: &str, answers: Side) -> Copy {
    let mut ledger = Ledger::default();
    let at = now() - SignedDuration::from_hours(2);
    let (of, erase_by) = ("0a".repeat(16), "2027-01-31".parse().unwrap());
    let place = "tilleuls.archive".to_owned();
    let birth = Birth { id: of.clone(), store: Store::Archive, place, erase_by, marker: String::new() };
    ledger.born(birth, at);
    let (place, why) = ("USB disk 7", "a rehearsal");
    let taking = Taking { of: &of, holder, answers, at, place, until: erase_by, why };
    let id = ledger.taken(&taking, "0b".repeat(16), now()).unwrap();
    ledger.one(&id).unwrap().clone()
}

fn stated(line: &Copy, by: &str) -> Stated {
    let (by, at) = (by.to_owned(), now() - SignedDuration::from_hours(1));
    let (words, limits) = ("disk shredded, seen by two".to_owned(), "none known".to_owned());
    Stated::of(line, Said { by, method: Method::Destroy, words, at, limits }).unwrap()
}

fn head(papers: &Papers, issued: Timestamp) -> Head {
    Head {
        id: *b"\x0b\x1c\x2d\x3e\x4f\x50\x61\x72\x83\x94\xa5\xb6\xc7\xd8\xe9\xfa",
        version: 1,
        supersedes: None,
        contract: Some(papers.digest(Paper::Contract)),
        issued,
        not_before: issued,
        not_after: issued + SignedDuration::from_hours(24 * 365),
        seen: None,
        trial: papers.trial,
    }
}

/// What is wrong with a statement that this person signed.
fn judged(papers: &Papers, stated: &Stated, by: &Person) -> Vec<&'static str> {
    let text = draft(&head(papers, now()), stated);
    let armoured = by.key().sign(Kind::Destruction.namespace(), text.as_bytes()).unwrap().into_bytes();
    let file = SignatureFile { name: "one.sig".to_owned(), armoured, paper: None };
    codes(Destroyed::read(text.as_bytes(), &[file], &contract(papers).unwrap(), now()))
}

// proves: ERA-05
#[test]
fn whoever_has_the_copy_states_it_and_only_who_has_no_key_is_answered_for() {
    let papers = papers();
    let mine = line("PETIT Nadia", Side::Processor);
    assert_eq!(judged(&papers, &stated(&mine, "Nadia Petit"), &papers.operator), [""; 0]);
    // a superior, the other side, a colleague under the holder's name
    assert_eq!(judged(&papers, &stated(&mine, "Paul Serrano"), &papers.processor), ["DES-006"; 2]);
    assert_eq!(judged(&papers, &stated(&mine, "Claire Fontaine"), &papers.signatory), ["DES-006"; 2]);
    assert_eq!(judged(&papers, &stated(&mine, "Nadia Petit"), &papers.processor), ["DES-006"]);
    let theirs = line("Jeanne Colin", Side::Controller);
    assert_eq!(judged(&papers, &stated(&theirs, "Claire Fontaine"), &papers.signatory), [""; 0]);
    assert_eq!(judged(&papers, &stated(&theirs, "Paul Serrano"), &papers.processor), ["DES-006"; 2]);
    assert_eq!(judged(&papers, &stated(&theirs, "Bruno Aubry"), &papers.biologist), ["DES-006"; 2]);
    // who has a key is no person of the other side, whatever the ledger says
    let moved = line("Nadia Petit", Side::Controller);
    assert_eq!(judged(&papers, &stated(&moved, "Nadia Petit"), &papers.operator), ["DES-006"]);
    let stranger = Person { seed: [9; 32], ..Papers::new(now()).operator };
    assert_eq!(judged(&papers, &stated(&mine, "Nadia Petit"), &stranger), ["SGN-022"]);
}

#[test]
fn of_a_holder_whose_key_has_ended_the_side_answers() {
    let papers = papers();
    let terms = contract(&papers).unwrap();
    let keys = &terms.terms().keys;
    let who = |at: Timestamp, answers: Side| -> Vec<String> {
        may_state(keys, "Nadia Petit", answers, at).into_iter().map(|key| key.person.clone()).collect()
    };
    assert_eq!(who(now(), Side::Processor), ["Nadia Petit"]);
    let ends = keys.iter().find(|key| key.role == Role::Operator).unwrap().until;
    let after = ends.tomorrow().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    assert!(who(after, Side::Processor).is_empty(), "the signatory's has ended that day too");
    assert!(contract_at(&papers, now()).is_ok());
    assert_eq!(answers(keys, "Petit Nadia", None).unwrap(), Side::Processor);
    for (holder, said) in [("Nadia Petit", Some(Side::Controller)), ("Jeanne Colin", None)] {
        assert_eq!(answers(keys, holder, said).unwrap_err().code().id, "ECL-CPY-016");
    }
    assert_eq!(answers(keys, "Jeanne Colin", Some(Side::Controller)).unwrap(), Side::Controller);
}

#[test]
fn it_claims_no_more_and_leaves_nothing_out() {
    let papers = papers();
    let text = draft(&head(&papers, now()), &stated(&line("Nadia Petit", Side::Processor), "Nadia Petit"));
    assert_eq!(parse(&text).unwrap(), stated(&line("Nadia Petit", Side::Processor), "Nadia Petit"));
    for (from, to, code) in [
        (DECLARES[0], "It is proven that no copy exists.", "ECL-DES-004"),
        ("limits   = \"none known\"\n", "", "ECL-DES-003"),
        ("limits   = \"none known\"", "limits   = \"\"", "ECL-DES-004"),
        ("method   = \"destroy\"", "method   = \"delete\"", "ECL-DES-004"),
        ("answers  = \"processor\"", "answers  = \"nobody\"", "ECL-DES-004"),
        ("disk shredded", "disk of 2 79 03 51 215 189 89 shredded", "ECL-DES-004"),
        ("copy     = \"0b", "copy     = \"../0b", "ECL-DES-004"),
        ("at       = 2026-11-22T08:00:00Z", "at       = \"today\"", "ECL-DES-004"),
        ("limits   =", "proven   = true\nlimits   =", "ECL-DES-002"),
        ("[destruction]", "[destruction", "ECL-DES-001"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        let findings = parse(&forged).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code.id == code), "{from}: {findings:#?}");
    }
}

#[test]
fn it_is_of_one_line_and_of_an_hour_that_can_be() {
    let papers = papers();
    let mine = line("Nadia Petit", Side::Processor);
    let right = stated(&mine, "Nadia Petit");
    right.is_of(&mine).unwrap();
    type Change = fn(&mut Copy);
    let others: [Change; 5] = [
        |copy| copy.id = "0c".repeat(16),
        |copy| copy.place = "USB disk 8".to_owned(),
        |copy| copy.store = Store::State,
        |copy| copy.born -= SignedDuration::from_secs(1),
        |copy| copy.taken = None,
    ];
    for change in others {
        let mut other = mine.clone();
        change(&mut other);
        assert_eq!(right.is_of(&other).unwrap_err().code().id, "ECL-DES-005", "{other:?}");
    }
    let mut other = mine.clone();
    other.taken.as_mut().unwrap().holder = "Paul Serrano".to_owned();
    assert_eq!(right.is_of(&other).unwrap_err().code().id, "ECL-DES-005");
    for at in [mine.born - SignedDuration::from_secs(1), now() + SignedDuration::from_secs(1)] {
        let wrong = Stated { at, ..right.clone() };
        assert_eq!(judged(&papers, &wrong, &papers.operator), ["DES-007"], "{at}");
    }
}
