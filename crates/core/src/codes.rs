//! Code tables: one code of the old system to one of the new, nothing guessed.
//!
//! Shaped like a FHIR R4 ConceptMap group. A biologist signs the file (namespace `ecluse-codes-v1`); an unmapped code refuses its row and is counted.

use std::collections::BTreeSet;

use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{Codes, Fields, Reader, Spanned};

/// The format this version reads.
pub const FORMAT: &str = "ecluse-codes/1";

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-COD-001", "the code table is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-COD-002", "unknown key in the code table");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-COD-003", "the code table lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-COD-004", "a value of the code table has the wrong form");
/// One code to two values.
pub static TWICE: Code = Code::refused("ECL-COD-005", "the code table maps this code twice");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// A code table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeTable {
    /// The digest of the bytes it was read from.
    pub digest: String,
    /// What is translated, in words.
    pub title: String,
    /// Who accepted it, by name; may be empty while it is drafted.
    pub accepted_by: String,
    /// Whether its author says that it changes a result, its unit or its interpretation; nothing but the
    /// words on a page depends on it.
    pub changes_result: bool,
    /// The pairs, in the document's order.
    pub pairs: Vec<Pair>,
}

/// One code and what it becomes, both as text; the compiler gives the target its column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The code at the source.
    pub from: Spanned<String>,
    /// What it becomes.
    pub to: Spanned<String>,
}

/// Reads a code table.
///
/// # Errors
/// Everything that is wrong with it, in the order of the document.
pub fn parse(text: &str) -> Result<CodeTable, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let table = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let table = read(&mut r, &mut root);
        root.end(&mut r);
        table
    });
    if let Some(table) = &table {
        // a set: terminologies have a hundred thousand codes
        let mut seen = BTreeSet::new();
        for pair in &table.pairs {
            if !seen.insert(&pair.from.value) {
                r.find(Finding::new(&TWICE, format!("`{}`", pair.from.value)).at(pair.from.span.clone()));
            }
        }
    }
    r.finish(table)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<CodeTable> {
    let mut head = root.table(r, "codes")?;
    let format = head.text(r, "format");
    if let Some(format) = format.filter(|f| f.value != FORMAT) {
        let finding = Finding::new(&WRONG_VALUE, format!("the format `{}` is not known", format.value));
        r.find(finding.at(format.span).help(format!("this version reads {FORMAT}")));
    }
    let title = head.text(r, "title");
    let accepted_by = head.maybe_text(r, "accepted_by").map(|t| t.value).unwrap_or_default();
    let changes_result = head.flag(r, "changes_result");
    head.end(r);
    let pairs = root.tables(r, "code").into_iter().filter_map(|mut t| {
        let from = t.maybe_text(r, "from");
        let to = t.maybe_text(r, "to");
        t.end(r);
        if from.is_none() || to.is_none() {
            r.find(Finding::new(&MISSING_KEY, "a code has a `from` and a `to`").at(t_span(&from, &to)));
        }
        Some(Pair { from: from?, to: to? })
    });
    let pairs = pairs.collect();
    Some(CodeTable {
        digest: crate::digest::of_bytes(r.text.as_bytes()),
        title: title?.value,
        accepted_by,
        changes_result,
        pairs,
    })
}

fn t_span(from: &Option<Spanned<String>>, to: &Option<Spanned<String>>) -> std::ops::Range<usize> {
    from.as_ref().or(to.as_ref()).map_or(0..0, |s| s.span.clone())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_code_table_cannot_steer_the_screen_it_is_accepted_from() {
        let table = |from: &str, to: &str| {
            parse(&format!(
                "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"HIV\"\n\n[[code]]\nfrom = \"{from}\"\nto = \"{to}\"\n"
            ))
        };
        assert!(table("NEG", "Négatif\\tde").is_ok());
        for steering in ["\\u001b[2A", "\\r\\u001b[2K", "\\u202eFITISOP", "\\u009b1m", "\\u2066x"] {
            for refused in [table(steering, "x"), table("POS", steering)] {
                let codes: Vec<_> = refused.unwrap_err().iter().map(|finding| finding.code.id).collect();
                assert!(codes.contains(&"ECL-COD-004"), "{steering}: {codes:?}");
            }
        }
    }
}
