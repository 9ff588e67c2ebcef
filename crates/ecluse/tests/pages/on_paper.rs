//! The paper route: a page signed by hand, checked by the laboratory, forged in every way at hand.

use std::path::{Path, PathBuf};

use ecluse_testkit::papers::{Paper, Papers, Person};
use tempfile::TempDir;

use crate::papers::{ecluse, labbook, succeed, written};

/// Claire Fontaine has no key here: she signs by hand, and Bruno Aubry, the biologist, checks.
fn without_key() -> Papers {
    let mut papers = labbook();
    let public = format!("public = \"{}\"", papers.signatory.public());
    let route = format!("signs_on_paper = {{ checked_by = \"{}\" }}", papers.biologist.email);
    papers.edit(Paper::Contract, &public, &route);
    papers
}

/// The folder with contract and order signed by hand, checked and recorded; the status by the checker.
fn signed() -> (Papers, TempDir) {
    let papers = without_key();
    let folder = unsigned(&papers);
    for (paper, command) in [(Paper::Contract, "contract"), (Paper::Instruction, "instruction")] {
        let read = first(&papers, paper, 32);
        succeed(folder.path(), &record(command, &read, "keys/aubry"));
    }
    (papers, folder)
}

/// The same, nothing recorded: what the processor signs is there, and the checker's fingerprint is known.
fn unsigned(papers: &Papers) -> TempDir {
    let folder = written(papers);
    for paper in [Paper::Contract, Paper::Instruction] {
        let sigs = folder.path().join(format!("{}.sigs", paper.file()));
        std::fs::remove_file(sigs.join("fontaine.sig")).unwrap();
    }
    let known = papers.biologist.key().public().unwrap().fingerprint();
    std::fs::write(folder.path().join("fingerprints.txt"), format!("{known}  paper contract, article 12\n"))
        .unwrap();
    std::fs::write(folder.path().join("scan.pdf"), b"%PDF-1.4 an invented scan").unwrap();
    folder
}

/// The first characters of a paper's digest, as they stand on its page.
fn first(papers: &Papers, paper: Paper, characters: usize) -> String {
    papers.digest(paper).trim_start_matches("sha256:").chars().take(characters).collect()
}

fn record<'a>(command: &'a str, read: &'a str, key: &'a str) -> Vec<&'a str> {
    let how = ["--how", "signed before me", "--signed", "2026-01-15", "--on-paper", "scan.pdf"];
    [&[command, "sign", "--read", read, "--key", key][..], &how].concat()
}

fn sigs(folder: &Path) -> PathBuf {
    folder.join("instruction.toml.sigs")
}

/// The code with which the order is refused; `None` where it verifies.
fn refusal(folder: &Path) -> Option<String> {
    let output = ecluse(folder, &["instruction", "verify"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| said.lines().last().unwrap_or_default().chars().take(11).collect())
}

/// Rewrites the record, and signs it anew with this key.
fn rewrite(folder: &Path, by: &Person, from: &str, to: &str) {
    let path = sigs(folder).join("claire-fontaine.paper.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replace(from, to);
    std::fs::write(&path, &text).unwrap();
    let signature = by.key().sign("ecluse-paper-v1", text.as_bytes()).unwrap();
    std::fs::write(checker(folder), signature).unwrap();
}

fn checker(folder: &Path) -> PathBuf {
    sigs(folder).join("claire-fontaine.paper.toml.sigs/checker.sig")
}

// proves: INS-13
#[test]
fn a_page_signed_by_hand_counts_once_the_laboratorys_checker_stands_for_it_and_is_shown_as_paper() {
    let (_, folder) = signed();
    let told = "Claire Fontaine (signed on paper, checked by Bruno Aubry)";
    for arguments in [["instruction", "verify"], ["contract", "verify"]] {
        let said = succeed(folder.path(), &arguments);
        assert!(said.contains(told), "{said}");
    }
    let json = succeed(folder.path(), &["--json", "instruction", "verify"]);
    assert!(json.contains("\"way\":\"paper\"") && json.contains("\"checked_by\":\"Bruno Aubry\""), "{json}");
    succeed(folder.path(), &["order"]);
    let page = std::fs::read_to_string(folder.path().join("order.html")).unwrap();
    assert!(page.contains("signé sur papier, vérifié par Bruno Aubry") && !page.contains("PROJET"), "{page}");
    assert!(!page.contains("signé avec la clé"), "{page}");
    // the status: the checker's own word
    succeed(folder.path(), &["instruction", "status", "--key", "keys/aubry"]);
    succeed(
        folder.path(),
        &["instruction", "suspend", "--key", "keys/aubry", "--reason", "a question is open"],
    );
    let stopped = String::from_utf8(ecluse(folder.path(), &["instruction", "verify"]).stderr).unwrap();
    assert!(stopped.contains("ECL-STA-010") && stopped.contains("word given by Bruno Aubry"), "{stopped}");
}

// fails with the guard off: a stranger's key, or the processor's, stands for the laboratory's hand
#[test]
fn nobody_but_the_named_checker_stands_for_a_hand() {
    let papers = without_key();
    let folder = unsigned(&papers);
    let read = first(&papers, Paper::Contract, 32);
    for key in ["keys/serrano", "keys/petit", "keys/fontaine"] {
        let output = ecluse(folder.path(), &record("contract", &read, key));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("ECL-SGN-045"), "{key}: {said}");
        assert!(!folder.path().join("contract.toml.sigs/claire-fontaine.paper.toml").exists());
    }
    // put there by hand, past the command
    let (papers, folder) = signed();
    assert_eq!(refusal(folder.path()), None);
    rewrite(folder.path(), &papers.processor, "in", "in");
    assert_eq!(refusal(folder.path()).as_deref(), Some("ECL-SGN-045"));
    std::fs::remove_file(checker(folder.path())).unwrap();
    assert_eq!(refusal(folder.path()).as_deref(), Some("ECL-SGN-045"));
    // the checker's signature of another kind of document is none
    let order = papers.biologist.key().sign("ecluse-codes-v1", papers.text(Paper::Instruction).as_bytes());
    std::fs::write(checker(folder.path()), order.unwrap()).unwrap();
    assert_eq!(refusal(folder.path()).as_deref(), Some("ECL-SGN-045"));
}

// fails with the guard off: a changed scan, document, day or reading passes
#[test]
fn a_changed_scan_document_or_record_is_refused() {
    let spoil = |change: &dyn Fn(&Papers, &Path)| {
        let (papers, folder) = signed();
        change(&papers, folder.path());
        refusal(folder.path())
    };
    let rewritten = |from: &'static str, to: &'static str| {
        spoil(&|papers, folder| rewrite(folder, &papers.biologist, from, to))
    };
    assert_eq!(rewritten("signed before me", "seen on the telephone"), None, "signed anew, it holds");
    let scan = |folder: &Path| sigs(folder).join("claire-fontaine.scan.pdf");
    let cases = [
        (spoil(&|_, f| std::fs::write(scan(f), b"another scan").unwrap()), "ECL-SGN-044"),
        (spoil(&|_, f| std::fs::remove_file(scan(f)).unwrap()), "ECL-SGN-044"),
        (spoil(&|papers, f| papers.alter(f, Paper::Instruction)), "ECL-SGN-043"),
        (rewritten("signed      = 2026-01-15", "signed      = 2999-01-15"), "ECL-SGN-047"),
        (rewritten("\"claire.fontaine@", "\"claire.fontane@"), "ECL-SGN-042"),
        (rewritten("\"Claire Fontaine\"", "\"Claire Durand\""), "ECL-SGN-042"),
        (rewritten("how  ", "when "), "ECL-SGN-041"),
        (rewritten("\"claire-fontaine.scan.pdf\"", "\"../scan.pdf\""), "ECL-SGN-041"),
    ];
    for (at, (found, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(found.as_deref(), Some(wanted), "case {at}");
    }
}

// fails with the guard off: an order that agrees with the signed page in 8 characters is taken for it
#[test]
fn eight_characters_of_the_page_are_not_enough() {
    let papers = without_key();
    let folder = unsigned(&papers);
    let eight = first(&papers, Paper::Contract, 8);
    let other = format!("{eight}{}", "0".repeat(24));
    for read in [eight.clone(), first(&papers, Paper::Contract, 31), other] {
        let said = ecluse(folder.path(), &record("contract", &read, "keys/aubry")).stderr;
        assert!(String::from_utf8_lossy(&said).contains("ECL-SGN-046"), "{read}");
    }
    let all: Vec<char> = first(&papers, Paper::Contract, 32).to_uppercase().chars().collect();
    let grouped: Vec<String> = all.chunks(4).map(|group| group.iter().collect()).collect();
    succeed(folder.path(), &record("contract", &grouped.join(" "), "keys/aubry"));
}

// fails with the guard off: the processor's own key, named as checker, gives the processor an order
#[test]
fn the_contract_names_a_checker_of_the_laboratorys_with_a_key_who_is_established() {
    let checked = |route: String| {
        let mut papers = labbook();
        let public = format!("public = \"{}\"", papers.signatory.public());
        papers.edit(Paper::Contract, &public, &route);
        let folder = written(&papers);
        let output = ecluse(folder.path(), &["contract", "check"]);
        String::from_utf8_lossy(&output.stderr).contains("ECL-SGN-040")
    };
    let route = |of: &str| format!("signs_on_paper = {{ checked_by = \"{of}\" }}");
    let papers = labbook();
    assert!(!checked(route(papers.biologist.email)));
    for nobody in [papers.processor.email, papers.operator.email, papers.signatory.email, "who@labo.example"]
    {
        assert!(checked(route(nobody)), "{nobody}");
    }
    // only who signs on paper does: the person with a key cannot be signed for
    let papers = labbook();
    let folder = written(&papers);
    std::fs::write(folder.path().join("scan.pdf"), b"scan").unwrap();
    let read = first(&papers, Paper::Instruction, 32);
    let said = ecluse(folder.path(), &record("instruction", &read, "keys/aubry")).stderr;
    assert!(String::from_utf8_lossy(&said).contains("ECL-SGN-048"));
    // a checker whom nothing from outside confirms
    let (_, folder) = signed();
    assert_eq!(refusal(folder.path()), None);
    std::fs::write(folder.path().join("fingerprints.txt"), "").unwrap();
    assert_eq!(refusal(folder.path()).as_deref(), Some("ECL-CTR-060"));
}
