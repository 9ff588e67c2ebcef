//! Signatures of every kind of document: who, by which key, for what, when.

use ecluse_core::document::Kind;
use ecluse_core::finding::Finding;
use ecluse_core::instruction::Instruction;
use ecluse_core::person::Role;
use ecluse_core::signatures::{self, SignatureFile};
use ecluse_testkit::papers::{Paper, Papers, Person};
use jiff::ToSpan;

use crate::support::{codes, contract, contract_at, now, papers};

fn instruction(papers: &Papers, bytes: &[u8], files: &[SignatureFile]) -> Result<Instruction, Vec<Finding>> {
    Instruction::in_force(bytes, files, &contract(papers).unwrap(), now())
}

fn signed_by(person: &Person, namespace: &str, bytes: &[u8]) -> SignatureFile {
    let armoured = person.key().sign(namespace, bytes).unwrap().into_bytes();
    SignatureFile { name: format!("{}.sig", person.short), armoured, paper: None }
}

const NAMESPACE: &str = "ecluse-instruction-v1";

#[test]
fn a_signed_instruction_is_in_force_and_cites_its_bytes() {
    let papers = papers();
    let text = papers.text(Paper::Instruction);
    let instruction = instruction(&papers, text.as_bytes(), &papers.signatures(Paper::Instruction)).unwrap();
    assert_eq!(instruction.digest(), papers.digest(Paper::Instruction));
    assert_eq!(instruction.signers()[0].person, "Claire Fontaine");
    assert!(!instruction.header().trial);
}

// Without the check of each byte, a changed instruction would be read as the signed one.
#[test]
fn every_altered_byte_is_refused() {
    let papers = papers();
    let contract = contract(&papers).unwrap();
    let text = papers.text(Paper::Instruction);
    let files = papers.signatures(Paper::Instruction);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 0x01;
        assert!(Instruction::in_force(&bytes, &files, &contract, now()).is_err(), "byte {at}");
    }
    let longer = format!("{text}#\n");
    let found = codes(Instruction::in_force(longer.as_bytes(), &files, &contract, now()));
    assert_eq!(found, ["SGN-021", "SGN-020"]);
}

#[test]
fn unsigned_wrong_signer_wrong_namespace_and_stranger_are_each_named() {
    let papers = papers();
    let text = papers.text(Paper::Instruction);
    let bytes = text.as_bytes();
    assert_eq!(codes(instruction(&papers, bytes, &[])), ["SGN-020"]);
    for person in [&papers.biologist, &papers.operator] {
        let files = [signed_by(person, NAMESPACE, bytes)];
        assert_eq!(codes(instruction(&papers, bytes, &files)), ["SGN-023", "SGN-020"], "{}", person.name);
    }
    let files = [signed_by(&papers.signatory, "ecluse-status-v1", bytes)];
    assert_eq!(codes(instruction(&papers, bytes, &files)), ["SGN-024", "SGN-020"]);
    let mut stranger = Papers::new(now()).signatory;
    stranger.seed = [99; 32];
    let files = [signed_by(&stranger, NAMESPACE, bytes)];
    assert_eq!(codes(instruction(&papers, bytes, &files)), ["SGN-022", "SGN-020"]);
}

// "all of": with "any of", a good signature would hide a bad one.
#[test]
fn one_bad_signature_beside_a_good_one_refuses_the_document() {
    let papers = papers();
    let text = papers.text(Paper::Instruction);
    let mut files = papers.signatures(Paper::Instruction);
    files.push(SignatureFile {
        name: "other.sig".to_owned(),
        armoured: b"no signature".to_vec(),
        paper: None,
    });
    assert_eq!(codes(instruction(&papers, text.as_bytes(), &files)), ["SGN-025"]);
}

#[test]
fn every_signatory_signs() {
    let papers = papers();
    let text = papers.text(Paper::Contract);
    let files = papers.signatures(Paper::Contract);
    for missing in 0..files.len() {
        let mut files = files.clone();
        files.remove(missing);
        let found = codes(ecluse_core::contract::Contract::in_force(text.as_bytes(), &files, now()));
        assert_eq!(found, ["SGN-020"]);
    }
}

#[test]
fn a_later_version_is_countersigned_and_cites_the_one_before() {
    let mut papers = papers();
    papers.instruction_version = 2;
    let text = papers.text(Paper::Instruction);
    let files = papers.signatures(Paper::Instruction);
    assert!(instruction(&papers, text.as_bytes(), &files).is_ok());
    assert_eq!(codes(instruction(&papers, text.as_bytes(), &files[..1])), ["SGN-020"], "no countersignature");
    let line = text.lines().find(|line| line.starts_with("supersedes")).unwrap().to_owned();
    papers.edit(Paper::Instruction, &line, "");
    let text = papers.text(Paper::Instruction);
    let files = papers.signatures(Paper::Instruction);
    assert_eq!(codes(instruction(&papers, text.as_bytes(), &files)), ["SGN-003"]);
}

#[test]
fn an_instruction_under_another_contract_or_of_a_trial_is_refused() {
    let mut papers = papers();
    let cited = papers.digest(Paper::Contract);
    papers.edit(Paper::Instruction, &cited, &papers.digest(Paper::Mandate));
    let text = papers.text(Paper::Instruction);
    let found = codes(instruction(&papers, text.as_bytes(), &papers.signatures(Paper::Instruction)));
    assert_eq!(found, ["SGN-008"]);

    let mut papers = crate::support::papers();
    papers.edit(Paper::Instruction, "version    = 1", "version    = 1\ntrial = true");
    let text = papers.text(Paper::Instruction);
    let found = codes(instruction(&papers, text.as_bytes(), &papers.signatures(Paper::Instruction)));
    assert_eq!(found, ["SGN-009"]);
}

#[test]
fn an_expired_an_early_and_a_misdated_instruction_are_refused() {
    for (from, until, code) in
        [(-5, -1, "SGN-007"), (-5, 0, "SGN-007"), (1, 5, "SGN-010"), (-1, -1, "SGN-005")]
    {
        let mut papers = papers();
        papers.period(Paper::Instruction, now() + from.hours(), now() + until.hours());
        let text = papers.text(Paper::Instruction);
        let found = codes(instruction(&papers, text.as_bytes(), &papers.signatures(Paper::Instruction)));
        assert_eq!(found, [code], "{from} {until}");
    }
}

#[test]
fn a_key_past_its_last_day_signs_nothing_any_more() {
    let mut papers = papers();
    let late = now() + (24 * 60).hours();
    papers.edit(Paper::Contract, "until  = 2028-10-23", "until  = 2026-12-31");
    papers.period(Paper::Instruction, now(), late + 1.hour());
    assert!(contract_at(&papers, now()).is_ok());
    let found = codes(contract_at(&papers, late));
    assert_eq!(found, ["SGN-028", "SGN-028", "SGN-020", "SGN-020"]);
}

#[test]
fn a_document_of_another_kind_is_named() {
    let papers = papers();
    let text = papers.text(Paper::Status);
    let file = signed_by(&papers.signatory, NAMESPACE, text.as_bytes());
    let findings = instruction(&papers, text.as_bytes(), &[file]).unwrap_err();
    assert_eq!(codes::<()>(Err(findings.clone())), ["SGN-001"]);
    assert_eq!(
        findings[0].help.as_deref(),
        Some("a document of another kind: status; wanted here: instruction")
    );
}

// The table of who signs what, as a lawyer can read it; a change here is a change of policy.
#[test]
fn who_signs_what() {
    let mut table = String::new();
    for kind in Kind::ALL {
        for role in Role::ALL {
            let demand = kind.signers().iter().find(|(signs, _)| *signs == role);
            let demand = demand.map_or("-".to_owned(), |(_, demand)| format!("{demand:?}"));
            table.push_str(&format!("{} | {} | {}\n", kind.namespace(), role.name(), demand));
        }
    }
    assert_eq!(table, include_str!("who-signs-what.txt"));
}

#[test]
fn a_key_file_signs_and_a_foreign_form_is_adopted() {
    let papers = papers();
    let text = papers.text(Paper::Instruction);
    let key = papers.signatory.key();
    let file = key.to_openssh().unwrap();
    let (made, fingerprint) = signatures::sign(Kind::Instruction, text.as_bytes(), file.as_bytes()).unwrap();
    assert_eq!(fingerprint, key.public().unwrap().fingerprint());
    let foreign = made.replace('\n', "\r\n");
    let verified = |armoured: &str| {
        let file =
            SignatureFile { name: "a.sig".to_owned(), armoured: armoured.as_bytes().to_vec(), paper: None };
        codes(instruction(&papers, text.as_bytes(), &[file]))
    };
    assert_eq!(verified(&made), Vec::<&str>::new());
    assert_eq!(verified(&foreign), ["SGN-025", "SGN-020"]);
    assert_eq!(verified(&signatures::adopt(foreign.as_bytes()).unwrap()), Vec::<&str>::new());
    let none = signatures::adopt(b"no signature").unwrap_err();
    assert_eq!(none.code().id, "ECL-SGN-025");
    let none = signatures::sign(Kind::Instruction, b"", b"no key").unwrap_err();
    assert_eq!(none.code().id, "ECL-SGN-030");
}
