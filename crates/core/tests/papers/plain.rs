//! No paper steers the screen it is read on: every text of every kind of document is tried.

use std::ops::Range;

use ecluse_core::document::{self, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::{
    campaign, codes, comparison, contract, diagnostics, dictionary, differences, instruction, mandate,
    mapping, objection, on_paper, product, recipient, reference, session, status,
};
use toml::de::{DeTable, DeValue};

use crate::formats::examples;
use crate::support::now;

/// An escape in seven bits, one in eight, and an override of the writing direction.
const STEERING: [char; 3] = ['\u{1b}', '\u{9b}', '\u{202e}'];

type Read = fn(&str) -> Vec<Finding>;

/// Every kind of document by its examples' mark; the reader of its body alone, not of its header.
const KINDS: [(&str, Read); 17] = [
    ("header", |text| found(document::header(text, Kind::Instruction))),
    ("contract", |text| contract::check(text, now())),
    ("mandate", |text| found(mandate::read(text))),
    ("instruction", |text| found(instruction::parse(text))),
    ("status", |text| found(status::read(text))),
    ("session", |text| found(session::read(text))),
    ("recipient", |text| found(recipient::read(text))),
    ("paper", |text| found(on_paper::parse(text))),
    ("differences", |text| found(differences::parse(text))),
    ("comparison", |text| found(comparison::parse(text))),
    ("reference", |text| found(reference::parse(text))),
    ("answer", |text| found(objection::parse(text))),
    ("mapping", |text| found(mapping::parse(text))),
    ("codes", |text| found(codes::parse(text))),
    ("dictionary", |text| found(dictionary::parse(text))),
    ("product", |text| found(product::parse(text))),
    ("campaign", |text| found(campaign::parse(text))),
];

/// Where a dictionary writes names as the database has them.
const SURVEYED: [&str; 7] = ["database", "name", "key", "type", "column", "table", "to"];

fn found<T>(read: Result<T, Vec<Finding>>) -> Vec<Finding> {
    read.err().unwrap_or_default()
}

fn steers(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.message.ends_with("a character that steers the screen"))
}

/// Every text: the key it stands under, its place, itself.
fn texts(table: &DeTable<'_>, into: &mut Vec<(String, Range<usize>, String)>) {
    for (key, value) in table {
        one(key.get_ref(), value, into);
    }
}

fn one(key: &str, value: &toml::Spanned<DeValue<'_>>, into: &mut Vec<(String, Range<usize>, String)>) {
    match value.get_ref() {
        DeValue::String(text) => into.push((key.to_owned(), value.span(), text.to_string())),
        DeValue::Array(values) => values.iter().for_each(|value| one(key, value, into)),
        DeValue::Table(table) => texts(table, into),
        _ => {}
    }
}

#[test]
fn no_text_key_or_comment_of_any_paper_steers_the_screen_it_is_read_on() {
    for (kind, read) in KINDS {
        let mut tried = 0;
        for (_, text) in examples().iter().filter(|(tag, _)| tag == &format!("toml {kind}")) {
            assert!(!steers(&read(text)), "{kind}");
            let mut all = Vec::new();
            texts(DeTable::parse(text).unwrap().get_ref(), &mut all);
            for (key, span, value) in all {
                if kind == "dictionary" && SURVEYED.contains(&key.as_str()) {
                    continue;
                }
                for c in STEERING {
                    // once as the character itself, once as what stands for it in TOML
                    for written in [c.to_string(), format!("\\u{:04x}", u32::from(c))] {
                        let raw = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                        let mut spoilt = text.clone();
                        spoilt.replace_range(span.clone(), &format!("\"{raw}{written}\""));
                        // TOML itself refuses an escape that is not spelt out
                        assert!(
                            steers(&read(&spoilt)) || c == '\u{1b}' && written.len() == 1,
                            "{kind}.{key}: {c:?}"
                        );
                        assert!(!read(&spoilt).is_empty(), "{kind}.{key}: {c:?}");
                        tried += 1;
                    }
                }
            }
            for c in ['\u{9b}', '\u{202e}'] {
                assert!(steers(&read(&format!("{text}\n# {c}\n"))), "{kind}: a comment, {c:?}");
                assert!(steers(&read(&format!("\"{c}\" = 1\n{text}"))), "{kind}: a key, {c:?}");
            }
        }
        assert!(tried >= 12, "{kind}: {tried}");
    }
}

/// A database lets its names hold anything; one that stays behind has to be named as it is.
#[test]
fn a_dictionary_names_what_the_database_names() {
    let (_, text) = examples().into_iter().find(|(tag, _)| tag == "toml dictionary").unwrap();
    let named = text.replacen("[[table]]\nname", "[[table]]\nname = \"b\\u001b[2J\u{202e}\"\n#", 1);
    assert_ne!(named, text);
    assert!(found(dictionary::parse(&named)).iter().all(|finding| !steers(std::slice::from_ref(finding))));
}

#[test]
fn a_finding_is_drawn_without_the_characters_it_is_about() {
    let text = "# \u{202e}\n[session]\noperator = \"a\u{9b}31m\"\n";
    let findings = found(session::read(text));
    assert!(findings.len() >= 2, "{findings:?}");
    let sources = [diagnostics::Source { name: "", path: "session.toml", text }];
    let drawn = diagnostics::render(&findings, &sources, false);
    assert!(drawn.chars().all(|c| !STEERING.contains(&c)), "{drawn:?}");
    assert!(drawn.contains("operator = \"a¿31m\""), "{drawn}");
}
