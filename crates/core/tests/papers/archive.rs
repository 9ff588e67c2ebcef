//! The manifest of a sealed archive, and the receipt of its recipient.

use ecluse_core::document::Kind;
use ecluse_core::finding::Finding;
use ecluse_core::manifest::{self, Manifest, Part};
use ecluse_core::receipt::{self, Receipt, Sealed, Stated, Table};
use ecluse_core::recipient::Recipient;
use ecluse_core::signatures::SignatureFile;
use ecluse_core::template::Head;
use ecluse_testkit::papers::{Paper, Papers, Person};
use jiff::{Timestamp, ToSpan};

use crate::support::{codes, contract, ids, now};

fn papers() -> Papers {
    let mut papers = crate::support::papers();
    papers.receive();
    papers
}

fn head(papers: &Papers) -> Head {
    Head {
        id: *b"\x7a\x41\xc0\x9e\x5b\x2d\x4f\x86\x13\xe0\xd7\xc9\x5a\x6b\x8f\x24",
        version: 1,
        supersedes: None,
        contract: Some(papers.digest(Paper::Contract)),
        issued: now(),
        not_before: now(),
        not_after: now() + 240.hours(),
        seen: None,
        trial: false,
    }
}

fn signed(kind: Kind, text: &str, by: &Person) -> SignatureFile {
    let armoured = by.key().sign(kind.namespace(), text.as_bytes()).unwrap().into_bytes();
    SignatureFile { name: "a.sig".to_owned(), armoured, paper: None }
}

fn parts(count: usize) -> Vec<Part> {
    let part = |n: usize| Part { size: 400, sha256: ecluse_core::digest::of_bytes(&n.to_be_bytes()) };
    (0..count).map(part).collect()
}

fn text(papers: &Papers, count: usize) -> String {
    let sender = papers.operator.key().public().unwrap().fingerprint();
    let recipient = ecluse_core::digest::of_bytes(papers.statement().as_bytes());
    let order = papers.digest(Paper::Contract);
    manifest::draft(&head(papers), &order, &sender, &recipient, &parts(count))
}

fn opened(papers: &Papers, text: &str, by: &Person, at: Timestamp) -> Result<Manifest, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    Manifest::in_force(text.as_bytes(), &[signed(Kind::Manifest, text, by)], &contract, at)
}

fn changed(from: &str, to: &str) -> Vec<&'static str> {
    let papers = papers();
    let text = text(&papers, 3);
    assert!(text.contains(from), "nothing to change: {from}");
    codes(opened(&papers, &text.replacen(from, to, 1), &papers.operator, now()))
}

#[test]
fn a_manifest_names_parts_sender_and_recipient_and_is_one_operators() {
    let papers = papers();
    let text = text(&papers, 3);
    let manifest = opened(&papers, &text, &papers.operator, now()).unwrap();
    assert_eq!(manifest.stated().parts, parts(3));
    assert_eq!(manifest.header().id, "7a41c09e5b2d4f8613e0d7c95a6b8f24");
    assert_eq!(manifest.digest(), ecluse_core::digest::of_bytes(text.as_bytes()));
    assert_eq!(manifest::part_name(12), "000012.age");
    let receiver = &papers.receiver.as_ref().unwrap().0;
    for other in [&papers.signatory, &papers.processor, receiver] {
        assert_eq!(codes(opened(&papers, &text, other, now())), ["SGN-023", "SGN-020"], "{}", other.name);
    }
    let of = |text: &str| {
        let file = signed(Kind::Recipient, text, receiver);
        Recipient::in_force(text.as_bytes(), &[file], &contract(&papers).unwrap(), now()).unwrap()
    };
    assert!(manifest.is_to(&of(&papers.statement())).is_ok());
    let other = of(&papers.statement().replace("Reprise", "Autre reprise"));
    assert_eq!(ids(&manifest.is_to(&other).unwrap_err()), ["MAN-011"]);
}

#[test]
fn a_manifest_that_has_ended_or_names_another_sender_is_refused() {
    let papers = papers();
    let text = text(&papers, 1);
    assert_eq!(codes(opened(&papers, &text, &papers.operator, now() + 240.hours())), ["SGN-007"]);
    let sender = papers.operator.key().public().unwrap().fingerprint();
    let other = papers.signatory.key().public().unwrap().fingerprint();
    assert_eq!(changed(&sender, &other), ["MAN-010"]);
    assert_eq!(changed(&sender, "SHA256:short"), ["MAN-004"]);
    assert_eq!(changed("ecluse-1\"", "ecluse-2\""), ["MAN-005"]);
}

#[test]
fn parts_are_numbered_from_nought_each_once_and_name_no_file() {
    assert_eq!(changed("index  = 1", "index  = 2"), ["MAN-006"]);
    assert_eq!(changed("index  = 2", "index  = 1"), ["MAN-006"]);
    assert_eq!(changed("index  = 0", "index  = 1"), ["MAN-006"]);
    assert_eq!(changed("index  = 0", "index  = 18446744073709551615"), ["MAN-006"]);
    assert_eq!(changed("index  = 0", "index  = -1"), ["MAN-004"]);
    assert_eq!(changed("size   = 400", "size   = 0"), ["MAN-007"]);
    assert_eq!(changed("size   = 400", "size   = 9223372036854775807"), ["MAN-007"]);
    assert_eq!(changed("size   = 400", "name = \"../../etc/passwd\"\nsize = 400"), ["MAN-002"]);
    assert_eq!(changed("size   = 400\n", ""), ["MAN-003"]);
    let papers = papers();
    assert_eq!(codes(opened(&papers, &text(&papers, 0), &papers.operator, now())), ["MAN-006"]);
}

#[test]
fn a_million_parts_are_refused_before_they_are_read() {
    let papers = papers();
    let long = text(&papers, manifest::MOST_PARTS);
    assert!(long.len() < manifest::LONGEST, "{} bytes", long.len());
    assert_eq!(manifest::parse(&long).unwrap().parts.len(), manifest::MOST_PARTS);
    let more =
        format!("{long}\n[[part]]\nindex = 100000\nsize = 1\nsha256 = \"sha256:{}\"\n", "a".repeat(64));
    assert_eq!(codes(manifest::parse(&more)), ["MAN-007"]);
    let many = format!("{long}{}", "#".repeat(manifest::LONGEST));
    assert_eq!(codes(opened(&papers, &many, &papers.operator, now())), ["MAN-007"]);
}

fn stated() -> Stated {
    let digest = |of: &str| ecluse_core::digest::of_bytes(of.as_bytes());
    Stated {
        archive: "7a41c09e5b2d4f8613e0d7c95a6b8f24".to_owned(),
        manifest: digest("manifest"),
        instruction: digest("order"),
        recipient: digest("recipient"),
        run: "3f0c".to_owned(),
        differences: 0,
        tables: vec![Table {
            name: "a\"b".to_owned(),
            rows: 3,
            refused: 0,
            salt: "5a".repeat(32),
            out: "b7".repeat(32),
        }],
    }
}

fn received(text: &str, papers: &Papers, by: &Person) -> Result<Receipt, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    Receipt::read(text.as_bytes(), &[signed(Kind::Receipt, text, by)], &contract, now())
}

#[test]
fn a_receipt_says_what_was_loaded_and_is_the_recipients() {
    let papers = papers();
    let text = receipt::draft(&head(&papers), &stated());
    let receiver = &papers.receiver.as_ref().unwrap().0;
    let receipt = received(&text, &papers, receiver).unwrap();
    assert_eq!(receipt.stated(), &stated());
    assert_eq!(codes(received(&text, &papers, &papers.operator)), ["SGN-023", "SGN-020"]);
    let Stated { archive, manifest, instruction, recipient, .. } = &stated();
    assert!(receipt.stated().is_of(archive, manifest, instruction, recipient).is_ok());
    for at in 0..4 {
        let mut of = [archive.as_str(), manifest, instruction, recipient];
        of[at] = "another";
        let refused = receipt.stated().is_of(of[0], of[1], of[2], of[3]).unwrap_err();
        assert_eq!(refused.code().id, "ECL-RCT-010", "{at}");
    }
    let kept = text.replace("\"destroyed\"", "\"kept\"");
    assert_eq!(codes(received(&kept, &papers, receiver)), ["RCT-004"]);
    assert_eq!(codes(received(&text.replace(&"5a".repeat(32), "5a"), &papers, receiver)), ["RCT-004"]);
}

#[test]
fn a_receipt_with_differences_is_not_whole() {
    assert!(stated().is_whole().is_ok());
    let differs = Stated { differences: 1, ..stated() };
    assert_eq!(differs.is_whole().unwrap_err().code().id, "ECL-RCT-012");
    let mut refused = stated();
    refused.tables[0].refused = 1;
    assert_eq!(refused.is_whole().unwrap_err().code().id, "ECL-RCT-012");
}

#[test]
fn a_receipt_opens_what_the_sender_committed_to_and_nothing_else() {
    let commitment = ecluse_core::digest::of_bytes(&[[0x5a; 32], [0xb7; 32]].concat());
    let was = |name: &str, rows, commitment: &str| Sealed {
        name: name.to_owned(),
        rows,
        commitment: commitment.to_owned(),
    };
    let right = was("a\"b", 3, &commitment);
    assert!(stated().opens(std::slice::from_ref(&right)).is_ok());
    let mut refused = stated();
    (refused.tables[0].rows, refused.tables[0].refused) = (2, 1);
    assert!(refused.opens(std::slice::from_ref(&right)).is_ok(), "refused rows are rows");
    let other = ecluse_core::digest::of_bytes(b"other rows");
    for wrong in [
        vec![],
        vec![was("b", 3, &commitment)],
        vec![was("a\"b", 4, &commitment)],
        vec![was("a\"b", 3, &other)],
        vec![right.clone(), right.clone()],
    ] {
        assert_eq!(stated().opens(&wrong).unwrap_err().code().id, "ECL-RCT-011", "{wrong:?}");
    }
}
