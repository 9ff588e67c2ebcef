//! Any text as every kind of paper: read, or findings inside the text that can be shown; never a panic.
#![no_main]

use ecluse_core::diagnostics::{self, Source};
use ecluse_core::document::{self, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::{
    codes, contract, dictionary, instruction, mandate, manifest, mapping, receipt, recipient, session, status,
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for kind in Kind::ALL {
        shown(text, document::header(text, kind).err());
    }
    shown(text, contract::open(text.as_bytes()).err());
    let _ = contract::check(text, Timestamp::UNIX_EPOCH);
    shown(text, mandate::read(text).err());
    shown(text, recipient::read(text).err());
    shown(text, manifest::parse(text).err());
    shown(text, receipt::parse(text).err());
    shown(text, session::read(text).err());
    shown(text, status::read(text).err());
    shown(text, codes::parse(text).err());
    shown(text, dictionary::parse(text).err());
    shown(text, mapping::parse(text).err());
    match instruction::parse(text) {
        Ok(order) => {
            // what was read is drafted into a mapping that is read
            let drafted = mapping::draft(&order);
            if let Ok(mapping) = mapping::parse(&drafted) {
                let _ = mapping::against(&mapping, &order);
            }
        }
        Err(findings) => shown(text, Some(findings)),
    }
});

fn shown(text: &str, findings: Option<Vec<Finding>>) {
    let Some(findings) = findings else { return };
    assert!(!findings.is_empty(), "refused without a word");
    for span in findings.iter().filter_map(|f| f.span.clone()) {
        assert!(text.get(span.clone()).is_some(), "{span:?}");
    }
    let source = Source { name: "paper.toml", path: "paper.toml", text };
    assert!(!diagnostics::render(&findings, &[source], false).is_empty());
}
