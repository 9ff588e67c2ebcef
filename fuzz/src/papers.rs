//! Any text as one kind of paper: read, or refused with findings inside the text that can be shown; what is read
//! is written, and read again as what was written.
//!
//! The first byte says which kind, `a` the first of [`KINDS`]: one reader a run, so that a run is short.

use std::fmt::Debug;
use std::sync::LazyLock;

use ecluse_core::copies::Ledger;
use ecluse_core::diagnostics::{self, Source};
use ecluse_core::document::{self, Header, Kind};
use ecluse_core::erasure::{Erasure, Residue};
use ecluse_core::finding::Finding;
use ecluse_core::language::Language;
use ecluse_core::template::{self, Head};
use ecluse_core::{
    acceptance, campaign, certificate, codes, comparison, contract, dictionary, diff, differences,
    instruction, mandate, mapping, objection, on_paper, product, receipt, recipient, reference, session,
    status,
};
use jiff::Timestamp;

/// The readers, in the order of the letters. A kept file begins with its letter: new ones go to the end.
const KINDS: [fn(&str); 23] = [
    of_contract,    // a
    of_mandate,     // b
    of_instruction, // c
    of_status,      // d
    of_session,     // e
    of_recipient,   // f
    of_codes,       // g
    of_mapping,     // h
    of_dictionary,  // i
    of_product,     // j
    of_campaign,    // k
    of_hand,        // l
    of_differences, // m
    of_reference,   // n
    of_answer,      // o
    of_comparison,  // p
    of_receipt,     // q
    of_acceptance,  // r
    of_certificate, // s
    of_headers,     // t
    of_ledger,      // u
    of_objections,  // v
    of_erasure,     // w
];

/// A day on which the examples of papers are in force.
static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-22T09:00:00Z".parse().expect("a moment"));

/// One letter and a text.
///
/// # Panics
///
/// Where a promise of the module does not hold.
pub fn run(bytes: &[u8]) {
    let Some((letter, rest)) = bytes.split_first() else { return };
    let kind = usize::from(letter.wrapping_sub(b'a')) % KINDS.len();
    KINDS[kind](crate::text(rest));
}

/// Reads; draws what is wrong; writes what was read, which is read again as the same text.
fn rewritten<T: Debug>(
    text: &str,
    read: impl Fn(&str) -> Result<T, Vec<Finding>>,
    write: impl Fn(&T) -> String,
) {
    match read(text) {
        Err(findings) => shown(text, &findings),
        Ok(one) => {
            let written = write(&one);
            let again = read(&written).unwrap_or_else(|findings| panic!("{written}\n{findings:?}"));
            assert_eq!(write(&again), written);
        }
    }
}

/// As [`rewritten`], of what holds no place in its text: it is the same value.
fn same<T: Debug + PartialEq>(
    text: &str,
    read: impl Fn(&str) -> Result<T, Vec<Finding>>,
    write: impl Fn(&T) -> String,
) {
    match read(text) {
        Err(findings) => shown(text, &findings),
        Ok(one) => {
            let written = write(&one);
            assert_eq!(read(&written).as_ref(), Ok(&one), "{written}");
        }
    }
}

/// What is wrong lies in the text, and can be drawn.
pub(crate) fn shown(text: &str, findings: &[Finding]) {
    assert!(!findings.is_empty(), "refused without a word");
    drawn(text, findings);
}

fn drawn(text: &str, findings: &[Finding]) {
    for span in findings.iter().filter(|f| f.file.is_none()).filter_map(|f| f.span.clone()) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    let source = Source { name: "paper.toml", path: "paper.toml", text };
    let drawn = diagnostics::render(findings, &[source], false);
    assert_eq!(drawn.is_empty(), findings.is_empty());
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!drawn.contains(steers), "what is drawn steers the screen: {drawn:?}");
}

/// A header of no paper in particular.
pub(crate) fn head() -> Head {
    Head {
        id: [7; 16],
        version: 1,
        supersedes: None,
        contract: Some(format!("sha256:{}", "1".repeat(64))),
        issued: *NOW,
        not_before: *NOW,
        not_after: *NOW,
        seen: None,
        trial: false,
    }
}

/// The header of a text as this kind; what is read is written the same.
fn headed(text: &str, kind: Kind) {
    let write = |header: &Header| {
        let mut id = [0; 16];
        for (byte, digits) in id.iter_mut().zip(header.id.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).expect("hexadecimal");
            *byte = u8::from_str_radix(digits, 16).expect("hexadecimal");
        }
        let Header { kind, id: _, version, supersedes, contract, issued, not_before, not_after, seen, trial } =
            header.clone();
        let head = Head { id, version, supersedes, contract, issued, not_before, not_after, seen, trial };
        template::header(kind, &head)
    };
    match document::header(text, kind) {
        Err(findings) => shown(text, &findings),
        // TOML has no year before 0, and nobody writes a period of less than a second
        Ok(header) => {
            let seconds = |t: Timestamp| t.as_second();
            let whole = seconds(header.not_before) < seconds(header.not_after);
            let before: Timestamp = "0000-01-01T00:00:00Z".parse().expect("a moment");
            if whole && [header.issued, header.not_before].iter().all(|t| *t >= before) {
                rewritten(text, |text| document::header(text, kind), write);
            }
            let _ = header.objection(*NOW);
        }
    }
}

fn of_headers(text: &str) {
    let Some((letter, rest)) = text.split_at_checked(1) else { return };
    let letter = letter.bytes().next().unwrap_or_default().wrapping_sub(b'a');
    headed(rest, Kind::ALL[usize::from(letter) % Kind::ALL.len()]);
}

fn of_contract(text: &str) {
    headed(text, Kind::Contract);
    if let Err(findings) = contract::open(text.as_bytes()) {
        shown(text, &findings);
    }
    drawn(text, &contract::check(text, *NOW));
}

fn of_mandate(text: &str) {
    same(text, mandate::read, |leave| {
        template::mandate(&head(), &leave.purpose, leave.engine, &leave.database, leave.identity.as_deref())
    });
}

fn of_status(text: &str) {
    rewritten(text, status::read, |word| {
        template::status(&head(), &word.instruction.value, word.state, word.reason.as_deref())
    });
}

fn of_session(text: &str) {
    rewritten(text, session::read, |said| {
        template::session(&head(), &said.operator.value, &said.email.value, &said.recipient.value)
    });
}

fn of_recipient(text: &str) {
    rewritten(text, recipient::read, |said| {
        template::recipient(&head(), &said.age.value, &said.purpose.value, &said.entity.value)
    });
}

fn of_codes(text: &str) {
    if let Err(findings) = codes::parse(text) {
        shown(text, &findings);
    }
}

fn of_mapping(text: &str) {
    match mapping::parse(text) {
        Ok(mapping) => {
            let _ = mapping::own(&mapping, &DICTIONARY);
            drawn(text, &mapping::against(&mapping, &ORDER));
        }
        Err(findings) => shown(text, &findings),
    }
}

/// An order, judged by a dictionary, told in words, compared with another; a mapping is drafted from it.
fn of_instruction(text: &str) {
    match instruction::parse(text) {
        Err(findings) => shown(text, &findings),
        Ok(order) => {
            drawn(text, &instruction::check(&order, &DICTIONARY));
            for language in [Language::English, Language::French] {
                let told = instruction::rows_told(&order, &DICTIONARY, language);
                assert_eq!(told.len(), order.tables.len());
            }
            let _ = instruction::staying(&order, &DICTIONARY);
            if let Ok(header) = document::header(text, Kind::Instruction) {
                assert!(diff::changes((&header, &order), (&header, &order)).is_empty());
                let _ = diff::changes((&header, &ORDER), (&header, &order));
            }
            // a name twice is a key twice in the draft, and refused there
            if let Ok(mapping) = mapping::parse(&mapping::draft(&order)) {
                assert_eq!(mapping.tables.len(), order.tables.len());
                let _ = mapping::against(&mapping, &order);
            }
        }
    }
}

/// A survey's dictionary, and what is contributed of it.
fn of_dictionary(text: &str) {
    match dictionary::parse(text) {
        Err(findings) => shown(text, &findings),
        Ok(survey) => {
            let _ = dictionary::related(&survey.tables);
            let names: Vec<String> = survey.tables.iter().map(|table| table.name.value.clone()).collect();
            let named = product::Named { name: "labo", title: "Labo", version: "1" };
            let drafted = product::draft(&survey, named, &names);
            if let Ok(product) = product::parse(&drafted) {
                let _ = product::fit(&product, &survey);
                let _ = product::apply(text, &survey, &product);
            }
            drawn_order(&survey);
        }
    }
}

/// The order of these papers, judged by a dictionary that is not theirs.
fn drawn_order(survey: &dictionary::Dictionary) {
    drawn(ORDER_TEXT, &instruction::check(&ORDER, survey));
}

fn of_product(text: &str) {
    match product::parse(text) {
        Err(findings) => shown(text, &findings),
        Ok(product) => {
            let _ = product::fit(&product, &DICTIONARY);
            let _ = product::apply(DICTIONARY_TEXT, &DICTIONARY, &product);
            let _ = campaign::dictionary(&product, &DICTIONARY);
        }
    }
}

fn of_campaign(text: &str) {
    match campaign::parse(text) {
        Err(findings) => shown(text, &findings),
        Ok(campaign) => {
            for laboratory in &campaign.laboratories {
                assert_eq!(campaign.product(laboratory).is_some(), laboratory.product.is_some());
                let steps = laboratory.folder.value.split('/');
                assert!(steps.into_iter().all(|step| !matches!(step, "" | "." | "..")), "a folder elsewhere");
            }
        }
    }
    let _ = campaign::document(ORDER_TEXT, text);
}

fn of_hand(text: &str) {
    rewritten(text, on_paper::parse, on_paper::Record::text);
}

fn of_differences(text: &str) {
    same(text, differences::parse, |proposal| differences::draft(&head(), proposal));
}

fn of_reference(text: &str) {
    same(text, reference::parse, |stated| reference::draft(&head(), stated));
}

fn of_answer(text: &str) {
    same(text, objection::parse, |said| objection::answer(&head(), &said.objection, &said.text));
}

fn of_comparison(text: &str) {
    rewritten(text, comparison::parse, |compared| comparison::draft(&head(), compared));
}

fn of_receipt(text: &str) {
    same(text, receipt::parse, |stated| receipt::draft(&head(), stated));
}

fn of_acceptance(text: &str) {
    same(text, acceptance::parse, |stated| acceptance::draft(&head(), stated));
}

fn of_certificate(text: &str) {
    same(text, certificate::parse, |stated| certificate::draft(&head(), stated));
}

/// The ledger of copies.
fn of_ledger(text: &str) {
    if let Ok(ledger) = Ledger::read(text.as_bytes()) {
        let written = ledger.bytes().expect("a ledger");
        assert_eq!(Ledger::read(&written).expect("what was written"), ledger);
        for copy in &ledger.copies {
            let _ = (
                copy.standing(*NOW),
                ledger.early(&copy.id, *NOW, |_| true).is_ok(),
                ledger.one_outside(&copy.id).is_ok(),
            );
        }
    }
}

/// The record of objections; one more is the last of it.
fn of_objections(text: &str) {
    if let Ok(list) = objection::read(text.as_bytes()) {
        let (more, cited) = objection::append(text.as_bytes(), *NOW, "sha256:", "Claire Fontaine", "é\n\"")
            .expect("one more");
        let again = objection::read(&more).expect("what was written");
        assert_eq!(again.get(..list.len()), Some(list.as_slice()));
        assert_eq!(again.last().map(|(_, digest)| digest), Some(&cited));
    }
}

/// What was erased, and what was looked for.
fn of_erasure(text: &str) {
    if let Ok(erasure) = serde_json::from_str::<Erasure>(text) {
        let written = serde_json::to_vec(&erasure).expect("JSON");
        assert_eq!(serde_json::from_slice::<Erasure>(&written).expect("what was written"), erasure);
    }
    if let Ok(residue) = serde_json::from_str::<Residue>(text) {
        let written = serde_json::to_vec(&residue).expect("JSON");
        assert_eq!(serde_json::from_slice::<Residue>(&written).expect("what was written"), residue);
    }
}

/// What papers are held against.
const DICTIONARY_TEXT: &str = r#"[dictionary]
format = "ecluse-dictionary/1"
engine = "sqlite"
database = "main"
identity = "sqlite:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"

[[table]]
name = "PATIENT"
digest = "sha256:2f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"
key = ["ID"]
columns = [
  { name = "ID", type = "INTEGER", class = "technical" },
  { name = "NOM", type = "VARCHAR(60)", class = "identity" },
  { name = "NOTE", type = "TEXT", class = "free-text" },
]
"#;

const ORDER_TEXT: &str = r#"[instruction]
kind = "bulk"
purpose = "Reprise du dossier patient"
dictionary = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
mapping = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
suite = "ecluse-1"
status_max_age = "24h"

[source]
engine = "sqlite"
database = "main"
identity = "sqlite:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"
schema = "sha256:3333333333333333333333333333333333333333333333333333333333333333"

[destination]
engine = "sqlite"
database = "main"
identity = "sqlite:1f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"

[erasure]
copies = 2026-06-30

[[table]]
name = "PATIENT"
columns = ["ID", "NOM"]
rows = 'ID > 3'
"#;

static DICTIONARY: LazyLock<dictionary::Dictionary> =
    LazyLock::new(|| dictionary::parse(DICTIONARY_TEXT).expect("a dictionary"));
static ORDER: LazyLock<instruction::Order> =
    LazyLock::new(|| instruction::parse(ORDER_TEXT).expect("an order"));
