//! Files whose form is right, and whose content is not what was signed.

use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;

use super::made::{self, now};
use crate::{Files, Line, Outcome, State, Verdict, pack, verify};

fn judged(files: &Files, trust: &[String]) -> Verdict {
    verify(&pack(files).unwrap(), trust)
}

/// The checks that do not hold: the file each is about, and why.
fn fails(verdict: &Verdict) -> Vec<(String, String)> {
    let failed = verdict.lines.iter().filter(|line| line.state == State::Fails);
    failed.map(|line| (line.of.clone(), line.finding.clone().unwrap_or_default())).collect()
}

fn of<'v>(verdict: &'v Verdict, name: &str) -> Vec<&'v Line> {
    verdict.lines.iter().filter(|line| line.of == name).collect()
}

#[test]
fn papers_that_were_signed_hold() {
    let papers = made::papers();
    let verdict = judged(&made::files(&papers), &made::trust(&papers));
    assert_eq!(fails(&verdict), [], "{verdict:#?}");
    assert_eq!(
        (verdict.outcome, verdict.certified, verdict.established),
        (Outcome::NotCertified, false, true)
    );
    assert_eq!(verdict.judge().unwrap_err().code().id, "ECL-EVI-008");
    for name in ["contract.toml", "instruction.toml", "codes/sex.toml", "status.toml", "run/figures.json"] {
        assert!(of(&verdict, name).iter().any(|line| line.state == State::Holds), "{name}: {verdict:#?}");
    }
    // in both languages, and never one for the other
    for line in &verdict.lines {
        assert_ne!(line.words.en, line.words.fr);
        assert!(!line.words.en.is_empty());
    }
}

#[test]
fn without_a_fingerprint_nobody_is_established() {
    let papers = made::papers();
    let files = made::files(&papers);
    for trust in [vec![], vec!["SHA256:AAAA".to_owned()], made::trust(&other())] {
        let verdict = judged(&files, &trust);
        assert_ne!(verdict.outcome, Outcome::Holds);
        assert!(of(&verdict, "contract.toml").iter().any(|line| line.state == State::Absent), "{verdict:#?}");
    }
}

/// The same persons' names over other keys: a whole forged migration holds together, and nobody established it.
fn other() -> Papers {
    let mut papers = made::papers();
    papers.signatory.seed = [91; 32];
    papers
}

#[test]
fn a_forged_migration_is_not_the_controllers() {
    let verdict = judged(&made::files(&other()), &made::trust(&made::papers()));
    assert_eq!(fails(&verdict), []);
    assert_ne!(verdict.outcome, Outcome::Holds);
}

/// One changed byte in any file is told with the file's name, whatever else is told.
#[test]
fn a_changed_byte_is_refused_with_its_place() {
    let papers = made::papers();
    let (files, trust) = (made::files(&papers), made::trust(&papers));
    let sound = judged(&files, &trust);
    for (path, content) in &files {
        // a sample of each file's bytes, its first and last among them
        let step = (content.len() / 9).max(1);
        for at in (0..content.len()).step_by(step).chain([content.len() - 1]) {
            let mut spoilt = files.clone();
            spoilt.get_mut(path).unwrap()[at] ^= 1;
            let verdict = judged(&spoilt, &trust);
            if path == "journal/events.jsonl" {
                // nothing but a certificate covers it: that is said, and the file never holds
                assert_ne!(verdict.outcome, Outcome::Holds, "{path}, byte {at}");
                continue;
            }
            assert_eq!(verdict.outcome, Outcome::Refused, "{path}, byte {at}");
            assert_ne!(fails(&verdict), fails(&sound), "{path}, byte {at}");
        }
    }
}

#[test]
fn a_file_taken_away_or_put_in_is_told() {
    let papers = made::papers();
    let (files, trust) = (made::files(&papers), made::trust(&papers));
    let needed = ["contract.toml", "instruction.toml", "mapping.toml", "dictionary.toml", "codes/sex.toml"];
    for name in needed {
        let mut fewer = files.clone();
        fewer.remove(name);
        assert!(!fails(&judged(&fewer, &trust)).is_empty(), "{name}");
    }
    for name in files.keys().filter(|name| name.ends_with(".sig")) {
        let mut fewer = files.clone();
        fewer.remove(name);
        assert!(!fails(&judged(&fewer, &trust)).is_empty(), "{name}");
    }
    let mut more = files;
    more.insert("note.txt".to_owned(), b"believe me".to_vec());
    assert_eq!(fails(&judged(&more, &trust))[0].0, "note.txt");
}

/// A paper of another migration, signed by the same persons, does not fit in.
#[test]
fn papers_of_another_order_do_not_fit() {
    let papers = made::papers();
    let mut later = made::papers();
    later.edit(Paper::Instruction, "Reprise du dossier patient", "Autre reprise");
    let (files, others) = (made::files(&papers), made::files(&later));
    for (name, code) in
        [("status.toml", "cited is"), ("run/figures.json", "the event says"), ("instruction.toml", "")]
    {
        let mut mixed = files.clone();
        for (path, content) in others.iter().filter(|(path, _)| path.starts_with(name)) {
            mixed.insert(path.clone(), content.clone());
        }
        let found = fails(&judged(&mixed, &made::trust(&papers)));
        assert!(found.iter().any(|(_, why)| why.contains(code)), "{name}: {found:?}");
        assert!(!found.is_empty());
    }
}

/// Judged as of the papers' days: what ended since holds, what had ended or not begun then does not.
#[test]
fn days_are_the_papers_own() {
    let mut papers = made::papers();
    papers.period(
        Paper::Session,
        now() - SignedDuration::from_hours(1),
        now() + SignedDuration::from_hours(2),
    );
    assert_eq!(fails(&judged(&made::files(&papers), &made::trust(&papers))), []);

    let mut papers = made::papers();
    let before = now() - SignedDuration::from_hours(24);
    papers.period(Paper::Instruction, before, now());
    let found = fails(&judged(&made::files(&papers), &made::trust(&papers)));
    assert!(
        found.iter().any(|(of, why)| of == "run/figures.json" && why.contains("the order held")),
        "{found:?}"
    );

    let mut papers = made::papers();
    papers.status_at = now() - SignedDuration::from_hours(30);
    papers.period(Paper::Status, papers.status_at, now() + SignedDuration::from_hours(2));
    let found = fails(&judged(&made::files(&papers), &made::trust(&papers)));
    assert!(
        found.iter().any(|(of, why)| of == "status.toml" && why.contains("the last word then")),
        "{found:?}"
    );
}

#[test]
fn a_word_that_stopped_the_order_before_the_run_is_told() {
    let mut papers = made::papers();
    papers.state = ecluse_core::status::State::Revoked;
    let found = fails(&judged(&made::files(&papers), &made::trust(&papers)));
    assert!(found.iter().any(|(of, why)| of == "status.toml" && why.contains("revoked")), "{found:?}");
}

/// Figures that were written anew with events that vouch for them: the sums are computed again.
#[test]
fn sums_are_computed_again() {
    let papers = made::papers();
    for (from, to) in [
        ("\"moved\": 3", "\"moved\": 2"),
        ("\"asked\": 4", "\"asked\": 5"),
        ("\"available\": 5", "\"available\": 3"),
        ("\"whole\": true", "\"whole\": false"),
        ("\"ECL-MAP-021 PATIENT.NOM\": 1", "\"ECL-MAP-021 PATIENT.NOM\": 18446744073709551615"),
    ] {
        let mut files = made::files(&papers);
        let figures = String::from_utf8(files["run/figures.json"].clone()).unwrap();
        assert!(figures.contains(from), "{figures}");
        made::run_with(&mut files, &papers.digest(Paper::Instruction), &figures.replacen(from, to, 1));
        let found = fails(&judged(&files, &made::trust(&papers)));
        assert!(found.iter().any(|(of, _)| of.starts_with("run/")), "{from}: {found:?}");
        assert!(found.iter().all(|(_, why)| !why.contains("the event says")), "{found:?}");
    }
}
