//! A whole file: accepted, erased, certified, with its journal. One changed byte anywhere is refused.

use ecluse_core::acceptance::{self, Basis};
use ecluse_core::certificate::{self, Artefact};
use ecluse_core::copies::Ledger;
use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::erasure::{Erasure, Looked, Residue};
use ecluse_core::language::Language;
use ecluse_core::template::Head;
use ecluse_testkit::papers::{Paper, Papers, Person};
use jiff::{SignedDuration, Timestamp};

use super::made::{self, now};
use crate::{Files, Outcome, State, Verdict, pack, verify};

/// The whole migration of [`made::files`], closed.
pub(super) fn closed(papers: &Papers) -> Files {
    closed_over(papers, made::files(papers))
}

/// Closes these files, whatever they are: their signatories signed for them.
pub(super) fn closed_over(papers: &Papers, files: Files) -> Files {
    closed_but(papers, files, |_| {})
}

/// As [`closed_over`], over what `change` makes of them at the last moment before the certificate is written.
pub(super) fn closed_but(papers: &Papers, mut files: Files, change: impl FnOnce(&mut Files)) -> Files {
    let instruction = papers.digest(Paper::Instruction);
    let ran = made::last(&files);
    let digest = |files: &Files, path: &str| of_bytes(&files[path]);
    let stated = acceptance::Stated {
        run: "r1".to_owned(),
        instruction: instruction.clone(),
        figures: digest(&files, "run/figures.json"),
        basis: Basis::Reconciliation(digest(&files, "run/reconciliation.json")),
        differences: None,
        asked: 4,
        moved: 3,
        refused: 1,
        differ: 0,
        comparisons: Vec::new(),
        answers: Vec::new(),
        language: Language::French,
    };
    let text = acceptance::draft(&head(papers, ran, 4), &stated);
    signed(&mut files, "acceptance.toml", Kind::Acceptance, &text, &papers.signatory);
    let at = (now() + SignedDuration::from_mins(5)).to_string();
    let ledger = files.get("copies.json").and_then(|bytes| Ledger::read(bytes).ok()).unwrap_or_default();
    let held = ledger.holds(now());
    let erasure = Erasure {
        held,
        format: Erasure::FORMAT.to_owned(),
        run: "r1".to_owned(),
        instruction: instruction.clone(),
        acceptance: digest(&files, "acceptance.toml"),
        began: at.clone(),
        ended: at.clone(),
        done: ledger.gone().collect(),
        ..Erasure::default()
    };
    let erased = made::note(&mut files, "run/erasure.json", "erase", &at, &erasure);
    let residue = Residue {
        format: Residue::FORMAT.to_owned(),
        run: "r1".to_owned(),
        instruction: instruction.clone(),
        erasure: erased.clone(),
        began: at.clone(),
        ended: at.clone(),
        sought: 2,
        values: 0,
        closed: 0,
        looked: vec![Looked {
            place: "the run's folder".to_owned(),
            sought: "markers of 2 artefacts".to_owned(),
            files: 7,
            bytes: 0,
            unread: Vec::new(),
        }],
        survivors: Vec::new(),
    };
    let looked = made::note(&mut files, "run/residue.json", "look", &at, &residue);
    files.entry("copies.json".to_owned()).or_insert_with(|| Ledger::default().bytes().unwrap());
    files.insert("report.html".to_owned(), b"<!doctype html>".to_vec());
    made::append(&mut files, ("certify", "begun"), &at, None);
    made::log(&mut files);
    change(&mut files);
    let stated = certificate::Stated {
        run: "r1".to_owned(),
        instruction,
        acceptance: erasure.acceptance,
        erasure: erased,
        residue: looked,
        done: erasure.done,
        looked: residue.looked,
        held: erasure.held,
        out_of_reach: Vec::new(),
        artefacts: files
            .iter()
            .map(|(path, bytes)| Artefact {
                path: path.clone(),
                sha256: of_bytes(bytes).replace("sha256:", ""),
            })
            .collect(),
    };
    let text = certificate::draft(&head(papers, ran, 6), &stated);
    signed(&mut files, "certificate.toml", Kind::Certificate, &text, &papers.processor);
    files
}

/// The header of a paper that is written some minutes after the run.
pub(super) fn head(papers: &Papers, ran: Timestamp, minutes: i64) -> Head {
    let issued = ran + SignedDuration::from_mins(minutes);
    Head {
        id: *b"\x0b\x1c\x2d\x3e\x4f\x50\x61\x72\x83\x94\xa5\xb6\xc7\xd8\xe9\xfa",
        version: 1,
        supersedes: None,
        contract: Some(papers.digest(Paper::Contract)),
        issued,
        not_before: issued,
        not_after: issued + SignedDuration::from_hours(24 * 30),
        seen: None,
        trial: papers.trial,
    }
}

pub(super) fn signed(files: &mut Files, name: &str, kind: Kind, text: &str, by: &Person) {
    let signature = by.key().sign(kind.namespace(), text.as_bytes()).unwrap();
    files.insert(name.to_owned(), text.as_bytes().to_vec());
    files.insert(format!("{name}.sigs/{}.sig", by.short), signature.into_bytes());
}

pub(super) fn judged(files: &Files, papers: &Papers) -> Verdict {
    verify(&pack(files).unwrap(), &made::trust(papers))
}

pub(super) fn fails(verdict: &Verdict) -> Vec<(&str, &str)> {
    let failed = verdict.lines.iter().filter(|line| line.state == State::Fails);
    failed.map(|line| (line.of.as_str(), line.finding.as_deref().unwrap_or_default())).collect()
}

#[test]
fn a_closed_migration_holds_and_without_a_fingerprint_only_together() {
    let papers = made::papers();
    let files = closed(&papers);
    let verdict = judged(&files, &papers);
    assert_eq!(fails(&verdict), [], "{verdict:#?}");
    assert_eq!(verdict.outcome, Outcome::Holds);
    let unknown = verify(&pack(&files).unwrap(), &[]);
    assert_eq!(unknown.outcome, Outcome::NotEstablished);
    assert_eq!(unknown.judge().unwrap_err().code().id, "ECL-EVI-002");
    // keys that were destroyed are told apart from what is wrong
    assert!(verdict.lines.iter().any(|line| line.state == State::Lost));
}

/// Every byte of the file, headers and padding included: a sample that reaches into each entry. None is left
/// unnoticed, and each refusal names a file or a byte.
#[test]
fn no_byte_of_a_closed_file_can_be_another_one() {
    let papers = made::papers();
    let bytes = pack(&closed(&papers)).unwrap();
    let trust = made::trust(&papers);
    // a prime: it falls on every offset of a block sooner or later
    for at in (0..bytes.len()).step_by(197).chain([bytes.len() - 1]) {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1 << (at % 8);
        let verdict = verify(&spoilt, &trust);
        assert_eq!(verdict.outcome, Outcome::Refused, "byte {at}");
        let place = verdict.lines.iter().find(|line| line.state == State::Fails).unwrap();
        assert!(
            !place.of.is_empty() && (place.of != crate::FILE || place.finding.is_some()),
            "byte {at}: {place:?}"
        );
    }
}

/// What the signatories signed is covered, whether anything else cites it or not.
#[test]
fn a_file_that_the_certificate_does_not_name_or_names_otherwise_is_refused() {
    let papers = made::papers();
    let files = closed(&papers);
    for (path, content) in [("report.html", "<p>"), ("contract.txt", "x"), ("run/rehearsals.json", "[]")] {
        let mut more = files.clone();
        more.insert(path.to_owned(), content.as_bytes().to_vec());
        let verdict = judged(&more, &papers);
        assert!(fails(&verdict).iter().any(|(_, why)| why.starts_with(path)), "{path}: {verdict:#?}");
    }
    let mut fewer = files.clone();
    fewer.remove("session.toml");
    fewer.remove("session.toml.sigs/petit.sig");
    assert!(fails(&judged(&fewer, &papers)).iter().any(|(_, why)| why.contains("session.toml")));
}

/// A certificate by whom the contract names, over what does not fit: signatures hold, and the rest is told.
#[test]
fn what_was_signed_in_error_is_told() {
    let papers = made::papers();
    let mut files = made::files(&papers);
    let figures = String::from_utf8(files["run/figures.json"].clone()).unwrap();
    // 4 asked for, 4 moved, 1 refused
    let uneven = figures.replacen("\"moved\": 3", "\"moved\": 4", 1);
    made::run_with(&mut files, &papers.digest(Paper::Instruction), &uneven);
    let verdict = judged(&closed_over(&papers, files), &papers);
    let found = fails(&verdict);
    assert!(found.iter().any(|(of, why)| *of == "run/figures.json" && why.contains("PATIENT")), "{found:?}");
    assert!(found.iter().any(|(of, why)| *of == "acceptance.toml" && why.contains("figures")), "{found:?}");
    assert!(found.iter().all(|(_, why)| !why.contains("ECL-SGN")), "{found:?}");
}
