//! Any text as a row filter: a filter or findings inside the text, never a panic.

use ecluse_core::catalog::Column;
use ecluse_core::filter::{Names, Other, Words, parse, sentence};
use ecluse_core::language::Language;
use ecluse_core::types::Type;

/// Any text.
///
/// # Panics
///
/// Where a finding lies outside the text, or a filter has no sentence.
pub fn run(bytes: &[u8]) {
    let text = crate::text(bytes);
    let types = [
        Type::Int,
        Type::Text,
        Type::Bool,
        Type::Date,
        Type::Timestamp,
        Type::Instant,
        Type::Decimal { precision: 10, scale: 2 },
        Type::Float,
    ];
    let columns: Vec<Column> =
        types.iter().zip(["i", "t", "b", "d", "m", "z", "p", "f"]).map(column).collect();
    let chosen = [Other { number: 0, name: "o", columns: &columns, key: Some(0) }];
    match parse(text, &Names { columns: &columns, chosen: &chosen }) {
        Ok(filter) => {
            let words =
                Words { column: &|i| i.to_string(), other: &|t, c| format!("{t}.{c}"), unsaid: &|_| false };
            for language in [Language::English, Language::French] {
                assert!(!sentence(&filter, &words, language).is_empty());
            }
        }
        Err(findings) => {
            assert!(!findings.is_empty());
            for finding in findings {
                let span = finding.span.unwrap_or_default();
                assert!(text.get(span).is_some(), "a place outside the text, or inside a character");
            }
        }
    }
}

fn column((ty, name): (&Type, &str)) -> Column {
    Column {
        name: name.to_owned(),
        sql_type: String::new(),
        ty: Some(*ty),
        max_length: None,
        int_bounds: None,
        nullable: true,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    }
}

/// A panic in the parser's own code ends on its thread, as "the parser gives up"; every other stops the fuzzer.
pub fn forgive_the_parser() {
    let stop = std::panic::take_hook();
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        let ours = panic.location().is_some_and(|place| place.file().contains("crates/core/"));
        if ours || std::thread::current().id() == main {
            stop(panic);
        }
    }));
}
