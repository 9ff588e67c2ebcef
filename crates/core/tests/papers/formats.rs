//! Every example of `docs/formats.md` is read by the reader it describes.

use ecluse_core::document::{self, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::{
    acceptance, certificate, comparison, contract, destruction, differences, mandate, manifest, objection,
    receipt, recipient, reference, session, status,
};

use crate::support::now;

const PAGE: &str = include_str!("../../../../docs/formats.md");

/// The fenced blocks of the page: (what follows the fence's `toml `, content).
pub(crate) fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in PAGE.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(tag)) => open = Some((tag.to_owned(), String::new())),
            (Some(_), Some(_)) => examples.extend(open.take()),
            (Some((_, content)), None) => content.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    examples
}

fn read(tag: &str, text: &str) -> Option<Result<(), Vec<Finding>>> {
    let headed = |kind: Kind| document::header(text, kind).map(|_| ());
    Some(match tag.strip_prefix("toml ")? {
        "header" => headed(Kind::Instruction),
        "contract" => match contract::check(text, now()) {
            findings if findings.is_empty() => Ok(()),
            findings => Err(findings),
        },
        "mandate" => headed(Kind::Survey).and_then(|()| mandate::read(text).map(|_| ())),
        "status" => headed(Kind::Status).and_then(|()| status::read(text).map(|_| ())),
        "differences" => headed(Kind::Differences).and_then(|()| differences::parse(text).map(|_| ())),
        "comparison" => headed(Kind::Comparison).and_then(|()| comparison::parse(text).map(|_| ())),
        "acceptance" => headed(Kind::Acceptance).and_then(|()| acceptance::parse(text).map(|_| ())),
        "certificate" => headed(Kind::Certificate).and_then(|()| certificate::parse(text).map(|_| ())),
        "destruction" => headed(Kind::Destruction).and_then(|()| destruction::parse(text).map(|_| ())),
        "reference" => headed(Kind::Reference).and_then(|()| reference::parse(text).map(|_| ())),
        "answer" => headed(Kind::Answer).and_then(|()| objection::parse(text).map(|_| ())),
        "manifest" => headed(Kind::Manifest).and_then(|()| manifest::parse(text).map(|_| ())),
        "receipt" => headed(Kind::Receipt).and_then(|()| receipt::parse(text).map(|_| ())),
        "recipient" => headed(Kind::Recipient).and_then(|()| recipient::read(text).map(|_| ())),
        "session" => headed(Kind::Session).and_then(|()| session::read(text).map(|_| ())),
        "instruction" => {
            headed(Kind::Instruction).and_then(|()| ecluse_core::instruction::parse(text).map(|_| ()))
        }
        // rows beside an order are part of one: they are read below that of the page
        "beside" => {
            let order = examples().into_iter().find(|(tag, _)| tag == "toml instruction").unwrap().1;
            ecluse_core::instruction::parse(&format!("{order}\n{text}")).map(|_| ())
        }
        "paper" => ecluse_core::on_paper::parse(text).map(|_| ()),
        "mapping" => ecluse_core::mapping::parse(text).map(|_| ()),
        "codes" => ecluse_core::codes::parse(text).map(|_| ()),
        "dictionary" => ecluse_core::dictionary::parse(text).map(|_| ()),
        "product" => ecluse_core::product::parse(text).map(|_| ()),
        _ => return None,
    })
}

#[test]
fn every_example_is_read_by_its_reader() {
    let mut read_so_far = Vec::new();
    for (tag, text) in examples() {
        // a CSV folder's description and a campaign are no documents: their readers are in adapters and ecluse
        if !tag.starts_with("toml") || ["toml csv", "toml campaign"].contains(&tag.as_str()) {
            continue;
        }
        match read(&tag, &text) {
            Some(Ok(())) => read_so_far.push(tag),
            Some(Err(findings)) => panic!("{tag}: {findings:#?}"),
            None => panic!("nobody reads an example marked `{tag}`"),
        }
    }
    for kind in [
        "toml header",
        "toml contract",
        "toml paper",
        "toml mandate",
        "toml status",
        "toml session",
        "toml recipient",
        "toml manifest",
        "toml receipt",
        "toml differences",
        "toml reference",
        "toml answer",
        "toml comparison",
        "toml acceptance",
        "toml certificate",
        "toml destruction",
        "toml dictionary",
        "toml product",
        "toml instruction",
        "toml mapping",
        "toml codes",
    ] {
        assert!(read_so_far.iter().any(|tag| tag == kind), "{kind} has an example");
    }
}

#[test]
fn the_table_of_kinds_is_the_one_in_code() {
    for kind in Kind::ALL {
        assert!(PAGE.contains(&format!("`{}`", kind.namespace())), "{}", kind.namespace());
        assert!(kind == Kind::Codes || PAGE.contains(&format!("`{}`", kind.format())), "{}", kind.format());
    }
}
