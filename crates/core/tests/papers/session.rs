//! The operator's session.

use ecluse_core::finding::Finding;
use ecluse_core::session::Session;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::ToSpan;

use crate::support::{codes, contract, now, papers};

fn session(papers: &Papers) -> Result<Session, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    let text = papers.text(Paper::Session);
    Session::in_force(text.as_bytes(), &papers.signatures(Paper::Session), &contract, now())
}

#[test]
fn a_session_names_its_operator_and_recipient() {
    let session = session(&papers()).unwrap();
    assert_eq!((session.operator(), session.email()), ("Nadia Petit", "nadia.petit@logilab.example"));
    assert_eq!(session.recipient(), ecluse_testkit::papers::RECIPIENT);
    assert_eq!(session.lasts(now() + 7.hours()), Ok(()));
    assert_eq!(session.lasts(now() + 8.hours()).unwrap_err().code().id, "ECL-SGN-007");
}

#[test]
fn a_session_lasts_twelve_hours_at_most() {
    let mut papers = papers();
    papers.period(Paper::Session, now(), now() + 12.hours());
    assert!(session(&papers).is_ok());
    papers.period(Paper::Session, now(), now() + 12.hours() + 1.second());
    assert_eq!(codes(session(&papers)), ["SES-010"]);
}

#[test]
fn generic_operators_are_refused() {
    for (name, email) in [
        ("admin", "nadia.petit@logilab.example"),
        ("root", "nadia.petit@logilab.example"),
        ("labo", "nadia.petit@logilab.example"),
        ("Utilisateur Un", "nadia.petit@logilab.example"),
        ("Nadia Petit", "info@logilab.example"),
    ] {
        let mut papers = papers();
        papers.edit(Paper::Session, "Nadia Petit", name);
        papers.edit(Paper::Session, "nadia.petit@logilab.example", email);
        assert_eq!(codes(session(&papers)), ["CTR-040"], "{name} {email}");
    }
}

#[test]
fn a_session_in_another_persons_name_is_refused() {
    let mut papers = papers();
    papers.edit(Paper::Session, "Nadia Petit", "Paul Serrano");
    assert_eq!(codes(session(&papers)), ["SES-011"]);
    let mut papers = crate::support::papers();
    papers.edit(Paper::Session, "nadia.petit@logilab.example", "paul.serrano@logilab.example");
    assert_eq!(codes(session(&papers)), ["SES-011"]);
}

#[test]
fn only_an_operator_opens_a_session() {
    let papers = papers();
    let contract = contract(&papers).unwrap();
    let text = papers.text(Paper::Session);
    let mut files = papers.signatures(Paper::Session);
    files[0].armoured =
        papers.processor.key().sign("ecluse-session-v1", text.as_bytes()).unwrap().into_bytes();
    let found = codes(Session::in_force(text.as_bytes(), &files, &contract, now()));
    assert_eq!(found, ["SGN-023", "SGN-020"]);
}

#[test]
fn a_recipient_that_is_none_is_refused() {
    for recipient in ["age1", "AGE-SECRET-KEY-1QQ", "ssh-ed25519 AAAA"] {
        let mut papers = papers();
        papers.recipient = recipient.to_owned();
        assert_eq!(codes(session(&papers)), ["SES-004"], "{recipient}");
    }
}
