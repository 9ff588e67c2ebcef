//! Whether an instruction still stands.

use ecluse_core::finding::Finding;
use ecluse_core::status::{Heard, Met, Standing, State};
use ecluse_testkit::papers::{Paper, Papers};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::support::{codes, contract, now, papers};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn ask(papers: &Papers, now: Timestamp) -> Result<Standing, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    let text = papers.text(Paper::Status);
    let instruction = papers.digest(Paper::Instruction);
    Standing::ask(text.as_bytes(), &papers.signatures(Paper::Status), &contract, &instruction, DAY, now)
}

#[test]
fn a_fresh_word_stands_and_an_old_one_does_not() {
    let papers = papers();
    let standing = ask(&papers, now()).unwrap();
    assert_eq!((standing.as_of(), standing.version()), (now(), 1));
    assert!(ask(&papers, now() + 24.hours()).is_ok());
    assert_eq!(codes(ask(&papers, now() + 24.hours() + 1.second())), ["STA-012"]);
    assert_eq!(standing.fresh(DAY, now() + 25.hours()).unwrap_err().code().id, "ECL-STA-012");
}

#[test]
fn suspended_and_revoked_stop_with_their_reason() {
    for (state, code) in [(State::Suspended, "STA-010"), (State::Revoked, "STA-011")] {
        let mut papers = papers();
        papers.state = state;
        let findings = ask(&papers, now()).unwrap_err();
        assert_eq!(codes::<()>(Err(findings.clone())), [code]);
        assert!(findings[0].message.contains("Décision du laboratoire"));
        papers.edit(Paper::Status, "reason      = \"Décision du laboratoire\"", "");
        assert_eq!(codes(ask(&papers, now())), ["STA-003"], "a stop has a reason");
    }
}

#[test]
fn a_word_from_the_future_does_not_prolong_itself() {
    let mut papers = papers();
    papers.status_at = now() + 6.minutes();
    assert_eq!(codes(ask(&papers, now())), ["SGN-010"]);
    papers.status_at = now() + 4.minutes();
    assert!(ask(&papers, now()).is_ok(), "honest clocks may differ a little");
}

#[test]
fn a_word_about_another_instruction_is_refused() {
    let papers = papers();
    let other = papers.digest(Paper::Contract);
    let contract = contract(&papers).unwrap();
    let text = papers.text(Paper::Status);
    let standing =
        Standing::ask(text.as_bytes(), &papers.signatures(Paper::Status), &contract, &other, DAY, now());
    assert_eq!(codes(standing), ["STA-013"]);
}

fn hear(papers: &Papers) -> Heard {
    let text = papers.text(Paper::Status);
    let contract = contract(papers).unwrap();
    let instruction = papers.digest(Paper::Instruction);
    let files = papers.signatures(Paper::Status);
    Heard::hear(text.as_bytes(), &files, &contract, &instruction, DAY, now()).unwrap()
}

#[test]
fn an_earlier_word_does_not_cover_a_later_one() {
    let heard = hear(&papers());
    assert_eq!(Met { version: 1, revoked: false }.precedes(&heard), Ok(()));
    let met = Met { version: 2, revoked: false };
    assert_eq!(met.precedes(&heard).unwrap_err().code().id, "ECL-STA-014");
}

// fails where only a word "in force" is remembered
#[test]
fn a_word_that_refuses_is_remembered_and_a_revocation_for_good() {
    let mut papers = papers();
    papers.state = State::Suspended;
    let met = Met::default().and(&hear(&papers));
    assert_eq!(met, Met { version: 1, revoked: false });
    papers.state = State::Revoked;
    let met = met.and(&hear(&papers));
    assert!(met.revoked);
    papers.state = State::InForce;
    let met = met.and(&hear(&papers));
    assert_eq!(met.unrevoked().unwrap_err().code().id, "ECL-STA-011");
}

#[test]
fn the_operator_cannot_say_that_an_instruction_stands() {
    let papers = papers();
    let contract = contract(&papers).unwrap();
    let text = papers.text(Paper::Status);
    for person in [&papers.operator, &papers.processor, &papers.biologist] {
        let mut files = papers.signatures(Paper::Status);
        files[0].armoured = person.key().sign("ecluse-status-v1", text.as_bytes()).unwrap().into_bytes();
        let instruction = papers.digest(Paper::Instruction);
        let found = codes(Standing::ask(text.as_bytes(), &files, &contract, &instruction, DAY, now()));
        assert_eq!(found, ["SGN-023", "SGN-020"], "{}", person.name);
    }
}
