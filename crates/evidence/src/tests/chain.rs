//! What a certificate cannot leave out, and events that do not fit what was signed.

use ecluse_core::status::State as Standing;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;

use super::closed::{closed, closed_but, closed_over, fails, judged};
use super::made::{self, now};
use crate::{Files, Outcome, State};

/// Whether a check of this file fails, for a reason that says this.
fn is_told(files: &Files, papers: &Papers, of: &str, why: &str) -> bool {
    let verdict = judged(files, papers);
    assert_eq!(verdict.outcome, Outcome::Refused, "{of}: {verdict:#?}");
    let found = fails(&verdict);
    found.iter().any(|(file, finding)| *file == of && finding.contains(why))
}

/// The processor's signatories sign a certificate that names every file but one: its name is told all the same.
#[test]
fn a_certificate_over_less_than_the_chain_made_is_refused_with_what_is_missing() {
    let papers = made::papers();
    let all = closed(&papers);
    for part in [
        "instruction.toml",
        "dictionary.toml",
        "mapping.toml",
        "status.toml",
        "session.toml",
        "run/figures.json",
        "run/reconciliation.json",
        "acceptance.toml",
        "run/erasure.json",
        "run/residue.json",
        "journal/events.jsonl",
        "journal/checkpoint",
        "journal/log.pub",
        "copies.json",
        "report.html",
    ] {
        assert!(all.contains_key(part), "{part}");
        let files = closed_but(&papers, made::files(&papers), |files| {
            files.remove(part);
            files.retain(|path, _| !path.starts_with(&format!("{part}.sigs/")));
        });
        let verdict = judged(&files, &papers);
        assert_eq!(verdict.outcome, Outcome::Refused, "{part}");
        let lines = verdict.lines.iter().filter(|line| line.of == part && line.state == State::Fails);
        assert!(lines.into_iter().any(|line| line.words.en.contains("missing")), "{part}: {verdict:#?}");
    }
}

/// Without its certificate, and then without one thing more each: it never holds, and says why.
#[test]
fn what_no_certificate_closes_never_holds() {
    let papers = made::papers();
    let mut files = closed(&papers);
    files.retain(|path, _| !path.starts_with("certificate.toml"));
    let verdict = judged(&files, &papers);
    assert_eq!(verdict.outcome, Outcome::NotCertified, "{verdict:#?}");
    let uncovered = verdict.lines.iter().filter(|line| line.state == State::Uncovered);
    let uncovered: Vec<&str> = uncovered.map(|line| line.of.as_str()).collect();
    for path in ["copies.json", "report.html", "journal/events.jsonl", "journal/checkpoint"] {
        assert!(uncovered.contains(&path), "{path}: {uncovered:?}");
    }
    for part in files.keys() {
        let mut fewer = files.clone();
        fewer.remove(part);
        assert_ne!(judged(&fewer, &papers).outcome, Outcome::Holds, "{part}");
    }
    let unsigned = {
        let mut files = closed(&papers);
        files.retain(|path, _| !path.starts_with("certificate.toml.sigs/"));
        judged(&files, &papers)
    };
    assert_eq!((unsigned.outcome, unsigned.certified), (Outcome::Refused, false));
}

/// Events that were noted, or written anew, after the log's last round.
#[test]
fn events_that_the_log_does_not_hold_are_refused_once_a_certificate_is_there() {
    let papers = made::papers();
    let later = (now() + SignedDuration::from_mins(7)).to_string();
    let more = closed_but(&papers, made::files(&papers), |files| {
        made::append(files, ("certify", "begun"), &later, None);
    });
    assert!(is_told(&more, &papers, "journal/events.jsonl", "line "));
    // the last line written anew: another hour
    let anew = closed_but(&papers, made::files(&papers), |files| {
        let events = String::from_utf8(files["journal/events.jsonl"].clone()).unwrap();
        let whole = events.trim_end().rfind('\n').unwrap() + 1;
        files.insert("journal/events.jsonl".to_owned(), events.as_bytes()[..whole].to_vec());
        made::append(files, ("certify", "begun"), &later, None);
    });
    assert!(is_told(&anew, &papers, "journal/events.jsonl", "line "));
    // cut behind the line that announces the certificate: what came after is not there
    let cut = closed_but(&papers, made::files(&papers), |files| {
        let events = String::from_utf8(files["journal/events.jsonl"].clone()).unwrap();
        let whole = events.trim_end().rfind('\n').unwrap() + 1;
        files.insert("journal/events.jsonl".to_owned(), events.as_bytes()[..whole].to_vec());
    });
    assert!(is_told(&cut, &papers, "journal/events.jsonl", "look"));
}

#[test]
fn a_checkpoint_that_the_logs_key_did_not_sign_is_refused() {
    let papers = made::papers();
    let other = "ecluse/00+76d4c6e1+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let forged = closed_but(&papers, made::files(&papers), |files| {
        files.insert("journal/log.pub".to_owned(), format!("{other}\n").into_bytes());
    });
    assert!(is_told(&forged, &papers, "journal/checkpoint", "another key"));
    let bent = closed_but(&papers, made::files(&papers), |files| {
        let tile = files.keys().find(|path| path.starts_with("journal/tile/entries/")).unwrap().clone();
        files.get_mut(&tile).unwrap()[9] ^= 1;
    });
    assert!(is_told(&bent, &papers, "journal/checkpoint", ""));
}

/// The same migration with another word of the controller's at another hour, as the journal keeps it.
fn with_word(files: &mut Files, state: Standing, minutes: i64, version: u64) {
    let mut other = made::papers();
    other.state = state;
    other.status_at = now() + SignedDuration::from_mins(minutes);
    other.status_version = version;
    other.period(Paper::Status, other.status_at, other.status_at + SignedDuration::from_hours(24 * 7));
    for (path, bytes) in made::files(&other) {
        if let Some(rest) = path.strip_prefix("status.toml") {
            files.insert(format!("journal/statuses/{version}.toml{rest}"), bytes);
        }
    }
}

/// The events of [`made::files`] with chunks an hour and three hours after the first.
fn longer(papers: &Papers) -> Files {
    let mut files = made::files(papers);
    for minutes in [60, 180] {
        let at = (now() + SignedDuration::from_mins(minutes)).to_string();
        made::append(&mut files, ("chunk", "begun"), &at, None);
    }
    files
}

#[test]
fn an_order_that_was_suspended_or_not_confirmed_in_the_middle_of_the_run_is_told() {
    let papers = made::papers();
    let refused = |files: Files, why: &str| {
        let files = closed_over(&papers, files);
        assert!(is_told(&files, &papers, "status.toml", why), "{why}");
    };
    assert_eq!(judged(&closed_over(&papers, longer(&papers)), &papers).outcome, Outcome::Holds);
    // suspended before the chunk of the third hour
    let mut files = longer(&papers);
    with_word(&mut files, Standing::Suspended, 120, 2);
    refused(files.clone(), "suspended");
    // and lifted again before it
    with_word(&mut files, Standing::InForce, 170, 3);
    assert_eq!(judged(&closed_over(&papers, files), &papers).outcome, Outcome::Holds);
    let mut files = longer(&papers);
    with_word(&mut files, Standing::Revoked, 30, 2);
    with_word(&mut files, Standing::InForce, 170, 3);
    refused(files, "event");
    // days later, under the same word
    let mut files = made::files(&papers);
    let late = (now() + SignedDuration::from_hours(26)).to_string();
    made::append(&mut files, ("standing", "done"), &late, None);
    refused(files.clone(), "(standing)");
    // which a newer one makes good
    with_word(&mut files, Standing::InForce, 60 * 25, 2);
    assert_eq!(judged(&closed_over(&papers, files), &papers).outcome, Outcome::Holds);
    // the word that the run relied on is gone, a later one is there
    let mut files = made::files(&papers);
    files.retain(|path, _| !path.starts_with("status.toml"));
    with_word(&mut files, Standing::InForce, 60, 2);
    let moved: Vec<String> = files.keys().filter(|p| p.starts_with("journal/statuses/")).cloned().collect();
    for path in moved {
        let bytes = files.remove(&path).unwrap();
        files.insert(path.replace("journal/statuses/2.toml", "status.toml"), bytes);
    }
    refused(files, "no word that was given before");
}

#[test]
fn an_event_under_a_session_that_nobody_signed_is_told() {
    let papers = made::papers();
    let at = (now() + SignedDuration::from_mins(4)).to_string();
    for (session, act, holds) in [
        ("5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e", "chunk", false),
        ("timer", "erase", true),
        ("timer", "chunk", false),
        ("no session", "reconcile", false),
    ] {
        let mut files = made::files(&papers);
        made::append_under(&mut files, session, (act, "done"), &at, None);
        let files = closed_over(&papers, files);
        if holds {
            assert_eq!(judged(&files, &papers).outcome, Outcome::Holds, "{session}");
        } else {
            assert!(is_told(&files, &papers, "journal/events.jsonl", session), "{session} {act}");
        }
    }
    // begun after the session's end
    let mut files = made::files(&papers);
    let late = (now() + SignedDuration::from_hours(9)).to_string();
    made::append(&mut files, ("open", "begun"), &late, None);
    assert!(is_told(&closed_over(&papers, files), &papers, "journal/events.jsonl", "no statement"));
}
