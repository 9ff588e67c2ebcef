//! Who may open a sealed archive, and the order that cites it.

use ecluse_core::document::{self, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::{self, SealedTo};
use ecluse_core::recipient::Recipient;
use ecluse_core::signatures::SignatureFile;
use ecluse_sign::PrivateKey;
use ecluse_testkit::papers::{Paper, Papers, RECIPIENT};
use jiff::{Timestamp, ToSpan};

use crate::support::{codes, contract, ids, now};

const NAMESPACE: &str = "ecluse-recipient-v1";

fn papers() -> Papers {
    let mut papers = crate::support::papers();
    papers.receive();
    sealed(&mut papers, &cites(RECIPIENT));
    papers
}

fn cites(age: &str) -> String {
    format!("[[recipient]]\nage = \"{age}\"\nstatement = \"{{recipient}}\"\n")
}

/// The order of the tests, with this in place of its destination.
fn sealed(papers: &mut Papers, to: &str) {
    let (before, rest) = papers.instruction.split_once("[destination]").unwrap();
    let (_, after) = rest.split_once("[erasure]").unwrap();
    papers.instruction = format!("{before}{to}\n[erasure]{after}");
}

fn signed(text: &str, key: &PrivateKey, namespace: &str) -> SignatureFile {
    SignatureFile {
        name: "martin.sig".to_owned(),
        armoured: key.sign(namespace, text.as_bytes()).unwrap().into_bytes(),
        paper: None,
    }
}

fn received(papers: &Papers, text: &str, key: &PrivateKey, at: Timestamp) -> Result<Recipient, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    Recipient::in_force(text.as_bytes(), &[signed(text, key, NAMESPACE)], &contract, at)
}

fn receiver(papers: &Papers) -> PrivateKey {
    papers.receiver.as_ref().unwrap().0.key()
}

fn changed(papers: &Papers, from: &str, to: &str) -> Vec<&'static str> {
    let text = papers.statement();
    assert!(text.contains(from), "nothing to change: {from}");
    let text = text.replacen(from, to, 1);
    codes(received(papers, &text, &receiver(papers), now()))
}

/// The place in the order, as its reader found it.
fn cited(papers: &Papers) -> (SealedTo, document::Header) {
    let text = papers.text(Paper::Instruction);
    let order = instruction::parse(&text).unwrap();
    (order.recipient().unwrap().clone(), document::header(&text, Kind::Instruction).unwrap())
}

#[test]
fn a_recipient_states_a_key_for_an_entity_of_the_contract_and_the_order_cites_it() {
    let papers = papers();
    let recipient = received(&papers, &papers.statement(), &receiver(&papers), now()).unwrap();
    assert_eq!((recipient.age(), recipient.entity()), (RECIPIENT, "Logilab Éditions"));
    assert_eq!(recipient.signers()[0].person, "Julie Martin");
    let (to, header) = cited(&papers);
    assert!(recipient.is_cited(&to, &header).is_ok());
    let order = instruction::parse(&papers.text(Paper::Instruction)).unwrap();
    assert!(order.destination().is_none());
    assert_eq!(order.direct().unwrap_err().code().id, "ECL-INS-026");
}

#[test]
fn only_the_recipients_own_key_signs_it_and_under_its_own_namespace() {
    let papers = papers();
    let contract = contract(&papers).unwrap();
    let text = papers.statement();
    for person in papers.people() {
        let found = codes(received(&papers, &text, &person.key(), now()));
        assert_eq!(found, ["SGN-023", "SGN-020"], "{}", person.name);
    }
    let stranger = PrivateKey::from_seed(&[77; 32]).unwrap();
    assert_eq!(codes(received(&papers, &text, &stranger, now())), ["SGN-022", "SGN-020"]);
    let elsewhere = signed(&text, &receiver(&papers), "ecluse-session-v1");
    let found = Recipient::in_force(text.as_bytes(), &[elsewhere], &contract, now());
    assert_eq!(codes(found), ["SGN-024", "SGN-020"]);
    let before = signed(&text, &receiver(&papers), NAMESPACE);
    let tampered = text.replace("Reprise", "reprise");
    let found = Recipient::in_force(tampered.as_bytes(), &[before], &contract, now());
    assert_eq!(codes(found), ["SGN-021", "SGN-020"]);
    assert_eq!(codes(Recipient::in_force(text.as_bytes(), &[], &contract, now())), ["SGN-020"]);
}

#[test]
fn a_statement_that_has_ended_or_is_of_another_contract_or_entity_is_refused() {
    let papers = papers();
    let text = papers.statement();
    let late = now() + (24 * 92).hours();
    assert_eq!(codes(received(&papers, &text, &receiver(&papers), late)), ["SGN-007"]);
    let contract = papers.digest(Paper::Contract);
    let other = ecluse_core::digest::of_bytes(b"another contract");
    assert_eq!(changed(&papers, &contract, &other), ["SGN-008"]);
    assert_eq!(changed(&papers, "Logilab Éditions", "Laboratoire Fontaine-Aubry"), ["RCP-010"]);
}

#[test]
fn what_is_no_key_of_age_is_refused_and_a_post_quantum_one_by_its_own_code() {
    let papers = papers();
    for none in ["age1", "AGE-SECRET-KEY-1QQ", "ssh-ed25519 AAAA", "…"] {
        assert_eq!(changed(&papers, RECIPIENT, none), ["RCP-004"], "{none}");
    }
    // as age 1.3 writes them: `age1pq1` and nearly two thousand characters
    let hybrid = format!("age1pq1{}", "q".repeat(1_900));
    assert_eq!(changed(&papers, RECIPIENT, &hybrid), ["RCP-005"]);
    assert_eq!(changed(&papers, "Reprise du dossier patient", "…"), ["RCP-004"]);
    let mut papers = self::papers();
    sealed_again(&mut papers, &cites(&hybrid));
    assert_eq!(codes(instruction::parse(&papers.text(Paper::Instruction))), ["RCP-005"]);
}

/// Exchanges what stands between the source and the erasure once more.
fn sealed_again(papers: &mut Papers, to: &str) {
    let (before, rest) = papers.instruction.split_once("[[recipient]]").unwrap();
    let (_, after) = rest.split_once("[erasure]").unwrap();
    papers.instruction = format!("{before}{to}\n[erasure]{after}");
}

#[test]
fn an_order_that_cites_another_statement_or_key_or_outlives_it_is_refused() {
    let papers = papers();
    let recipient = received(&papers, &papers.statement(), &receiver(&papers), now()).unwrap();
    let refused = |to: &SealedTo, header: &document::Header| {
        ids(&recipient.is_cited(to, header).unwrap_err()).join(" ")
    };
    let (to, header) = cited(&papers);
    let mut other = to.clone();
    other.statement.value = ecluse_core::digest::of_bytes(b"another statement");
    assert_eq!(refused(&other, &header), "RCP-012");
    let mut other = to.clone();
    other.age.value = RECIPIENT.replace("pnq", "qnp");
    assert_eq!(refused(&other, &header), "RCP-013");
    let mut longer = header;
    longer.not_after = recipient.header().not_after;
    assert!(recipient.is_cited(&to, &longer).is_ok());
    longer.not_after += 1.second();
    assert_eq!(refused(&to, &longer), "RCP-014");
}

#[test]
fn an_order_goes_to_one_recipient_or_to_one_database() {
    let order = |to: &str| {
        let mut papers = papers();
        sealed_again(&mut papers, to);
        codes(instruction::parse(&papers.text(Paper::Instruction)))
    };
    let one = cites(RECIPIENT);
    let database = "[destination]\nengine = \"sqlite\"\ndatabase = \"main\"\nidentity = \"x\"\n";
    assert_eq!(order(&one), Vec::<&str>::new());
    assert_eq!(order(&format!("{one}{one}")), ["INS-025"]);
    assert_eq!(order(&format!("{database}{one}")), ["INS-025"]);
    assert_eq!(order(""), ["INS-003"]);
    let mut nobody = papers();
    sealed_again(&mut nobody, database);
    let text = format!("recipient = []\n{}", nobody.text(Paper::Instruction));
    assert_eq!(codes(instruction::parse(&text)), ["INS-025"]);
    assert_eq!(order("[[recipient]]\n"), ["INS-003", "INS-003"]);
    assert_eq!(order(&format!("{one}key = \"x\"\n")), ["INS-002"]);
}

// A person, or a key, on two sides: the controller's do not receive.
#[test]
fn the_contract_says_for_whom_a_recipient_receives_and_nobody_of_the_laboratory_does() {
    let edited = |from: &str, to: &str| {
        let mut papers = papers();
        papers.edit(Paper::Contract, from, to);
        codes(contract(&papers))
    };
    let entity = "entity = \"Logilab Éditions\"\n";
    assert_eq!(edited(entity, "entity = \"Autre Société\"\n"), ["CTR-047"]);
    assert_eq!(edited(entity, ""), ["CTR-003"]);
    assert_eq!(edited("role   = \"operator\"\n", &format!("role   = \"operator\"\n{entity}")), ["CTR-004"]);
    assert_eq!(edited("julie.martin@logilab.example", "bruno.aubry@labo-fontaine.example"), ["CTR-042"]);
    assert_eq!(edited("Julie Martin", "Claire Fontaine"), ["CTR-042"]);
    let mut papers = papers();
    let key = papers.signatory.public();
    let own = papers.receiver.as_ref().unwrap().0.public();
    papers.edit(Paper::Contract, &own, &key);
    assert_eq!(codes(contract(&papers)), ["CTR-042"]);
}

#[test]
fn nobody_receives_before_the_commitment() {
    let mut papers = papers();
    let today = papers.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let on = papers.text(Paper::Contract);
    let committed = on.rsplit("confidentiality = ").next().unwrap().lines().next().unwrap().to_owned();
    let entity = "entity = \"Logilab Éditions\"\n";
    let line = format!("{entity}confidentiality = {committed}\n");
    papers.edit(
        Paper::Contract,
        &line,
        &format!("{entity}confidentiality = {}\n", today.tomorrow().unwrap()),
    );
    assert_eq!(codes(received(&papers, &papers.statement(), &receiver(&papers), now())), ["RCP-011"]);
    let mut papers = self::papers();
    papers.edit(Paper::Contract, &line, entity);
    assert_eq!(codes(contract(&papers)), ["CTR-045"]);
}
