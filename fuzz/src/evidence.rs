//! Any bytes as an evidence file, and any files as one whose form is right, their papers signed by whom the
//! contract names: a verdict, the same each time, and nobody is established without a fingerprint.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ecluse_core::document::Kind;
use ecluse_evidence::{FILE, Files, Outcome, Verdict, pack, verify};
use ecluse_testkit::papers::{Papers, Person};

/// One byte says what the rest is: an evidence file; its files, a path, 254, a content and 255 each; those files, their
/// papers signed anew.
///
/// # Panics
///
/// Where a promise of the module does not hold.
pub fn run(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else { return };
    match what % 4 {
        0 => drop(judged(rest)),
        what => {
            let mut files = files(rest);
            if what > 1 {
                sign(&mut files);
            }
            let Ok(packed) = pack(&files) else { return };
            let (verdict, trusted) = judged(&packed);
            // the form is right: what is told is about what is in it
            assert!(files.is_empty() || verdict.lines.iter().all(|line| line.of != FILE));
            if trusted.outcome == Outcome::Holds {
                altered(packed, rest);
            }
        }
    }
}

/// The verdicts where nobody brought a fingerprint, and where somebody brought the right one.
fn judged(bytes: &[u8]) -> (Verdict, Verdict) {
    let (verdict, trusted) = (verify(bytes, &[]), verify(bytes, &TRUST));
    assert_ne!(verdict.outcome, Outcome::Holds, "nobody brought a fingerprint");
    assert_eq!(trusted.judge().is_ok(), trusted.outcome == Outcome::Holds);
    assert!(trusted.outcome != Outcome::Holds || verdict.outcome == Outcome::NotEstablished);
    assert_eq!(verdict.certified, trusted.certified);
    (verdict, trusted)
}

/// One bit of a file that holds is another one: then it holds no more.
fn altered(mut packed: Vec<u8>, bytes: &[u8]) {
    let place =
        bytes.iter().rev().take(3).fold(0, |n: usize, byte| n << 8 | usize::from(*byte)) % packed.len();
    packed[place] ^= 1;
    assert_eq!(verify(&packed, &TRUST).outcome, Outcome::Refused, "byte {place}");
}

fn files(bytes: &[u8]) -> Files {
    let mut files = Files::new();
    for file in bytes.split(|byte| *byte == 0xff) {
        let mut parts = file.splitn(2, |byte| *byte == 0xfe);
        let (Some(path), Some(content)) = (parts.next(), parts.next()) else { continue };
        files.insert(String::from_utf8_lossy(path).into_owned(), content.to_vec());
    }
    files
}

static PAPERS: LazyLock<Papers> = LazyLock::new(|| {
    let mut papers = Papers::new("2026-03-02T09:00:00Z".parse().expect("a moment"));
    papers.receive();
    papers
});

static TRUST: LazyLock<Vec<String>> =
    LazyLock::new(|| vec![PAPERS.signatory.key().public().expect("a key").fingerprint()]);

fn signature(person: &Person, kind: Kind, content: &[u8]) -> Vec<u8> {
    person.key().sign(kind.namespace(), content).expect("a signature").into_bytes()
}

/// Signs every paper by whom a contract of [`PAPERS`] names for it.
fn sign(files: &mut Files) {
    let papers = &*PAPERS;
    let receiver = papers.receiver.as_ref().map(|(person, _)| person).expect("somebody receives");
    let mut signatures: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, content) in files.iter() {
        let (kind, people): (Kind, &[&Person]) = match path.as_str() {
            "contract.toml" => (Kind::Contract, &[&papers.signatory, &papers.processor]),
            "mandate.toml" => (Kind::Survey, &[&papers.signatory]),
            "instruction.toml" => (Kind::Instruction, &[&papers.signatory]),
            "status.toml" => (Kind::Status, &[&papers.signatory]),
            "session.toml" => (Kind::Session, &[&papers.operator]),
            "mapping.toml" => (Kind::Mapping, &[&papers.biologist]),
            "recipient.toml" => (Kind::Recipient, &[receiver]),
            "receipt.toml" => (Kind::Receipt, &[receiver]),
            "manifest.toml" => (Kind::Manifest, &[&papers.operator]),
            "acceptance.toml" => (Kind::Acceptance, &[&papers.signatory]),
            "differences.toml" => (Kind::Differences, &[&papers.signatory]),
            "reference.toml" => (Kind::Reference, &[&papers.biologist]),
            "comparison.toml" => (Kind::Comparison, &[&papers.biologist]),
            "certificate.toml" => (Kind::Certificate, &[&papers.processor]),
            _ if path.starts_with("codes/") && path.ends_with(".toml") => (Kind::Codes, &[&papers.biologist]),
            _ if path.starts_with("answers/") && path.ends_with(".toml") => {
                (Kind::Answer, &[&papers.signatory])
            }
            _ => continue,
        };
        for person in people {
            let name = format!("{path}.sigs/{}.sig", person.short);
            signatures.insert(name, signature(person, kind, content));
        }
    }
    files.extend(signatures);
}
