//! Reading an acceptance, key by key.

use super::{Basis, Looked, Stated};
use crate::fault::Code;
use crate::finding::Finding;
use crate::language::Language;
use crate::reader::{self, Codes, Fields, Reader, Spanned, as_digest};

static SYNTAX: Code = Code::refused("ECL-ACC-001", "the acceptance is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-ACC-002", "unknown key in the acceptance");
static MISSING_KEY: Code = Code::refused("ECL-ACC-003", "the acceptance lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-ACC-004", "a value of the acceptance has the wrong form");
static OTHER_WORDS: Code =
    Code::refused("ECL-ACC-006", "the acceptance says something else than its figures");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

const AGAIN: &str =
    "ecluse accept propose writes it from the run's own figures; nothing in it is changed by hand";

/// Reads an acceptance, its header apart.
///
/// # Errors
/// Everything that is wrong with it; words that its figures do not say.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "acceptance", read)
}

fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Stated> {
    let run = t.text(r, "run");
    let instruction = t.digest(r, "instruction");
    let figures = t.digest(r, "figures");
    let basis = basis(r, &mut t);
    let differences = t.maybe_text(r, "differences").and_then(|text| as_digest(r, "differences", text));
    let [asked, moved, refused, differ] =
        ["asked", "moved", "refused", "differ"].map(|key| count(r, &mut t, key));
    let language = t.text(r, "language").and_then(|text| language(r, &text));
    let said = t.texts(r, "says");
    let answers = t.texts(r, "answers").into_iter().filter_map(|text| as_digest(r, "answers", text));
    let answers: Vec<String> = answers.collect::<Vec<_>>().into_iter().map(|digest| digest.value).collect();
    let place = t.span.clone();
    t.end(r);
    let comparisons = root.tables(r, "compared").into_iter().filter_map(|one| looked(r, one)).collect();
    let stated = Stated {
        run: run?.value,
        instruction: instruction?.value,
        figures: figures?.value,
        basis: basis?,
        differences: differences.map(|digest| digest.value),
        asked: asked?,
        moved: moved?,
        refused: refused?,
        differ: differ?,
        comparisons,
        answers,
        language: language?,
    };
    let words = stated.words();
    if said.iter().map(|text| &text.value).ne(&words) {
        let other = said.iter().zip(&words).find(|(said, words)| said.value != **words);
        let at = other.map_or(place, |(said, _)| said.span.clone());
        r.find(Finding::new(&OTHER_WORDS, "`says` is not what these figures say").at(at).help(AGAIN));
    }
    Some(stated)
}

/// One of the two: what was read back here, or what the recipient signed.
fn basis(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<Basis> {
    let mut read = |r: &mut Reader<'_>, key| t.maybe_text(r, key).and_then(|text| as_digest(r, key, text));
    let (reconciliation, receipt) = (read(r, "reconciliation"), read(r, "receipt"));
    match (reconciliation, receipt) {
        (Some(digest), None) => Some(Basis::Reconciliation(digest.value)),
        (None, Some(digest)) => Some(Basis::Receipt(digest.value)),
        (_, both) => {
            let at = both.map_or_else(|| t.span.clone(), |digest| digest.span);
            let message = "one of `reconciliation` and `receipt` stands in `acceptance`";
            r.find(Finding::new(&MISSING_KEY, message).at(at).help(AGAIN));
            None
        }
    }
}

fn count(r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key: &'static str) -> Option<u64> {
    if t.get(key).is_none() {
        r.find(Finding::new(&MISSING_KEY, format!("`{key}` is missing")).at(t.span.clone()).help(AGAIN));
    }
    t.maybe_number(r, key).map(|number| number.value)
}

fn language(r: &mut Reader<'_>, text: &Spanned<String>) -> Option<Language> {
    let known = Language::ALL.into_iter().find(|language| language.code() == text.value);
    if known.is_none() {
        let finding = Finding::new(&WRONG_VALUE, "`language` is \"en\" or \"fr\"");
        r.find(finding.at(text.span.clone()));
    }
    known
}

fn looked(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Looked> {
    let record = t.digest(r, "record");
    let by = t.text(r, "by");
    let [drawn, same, crossed] = ["drawn", "same", "crossed"].map(|key| count(r, &mut t, key));
    t.end(r);
    Some(Looked { record: record?.value, by: by?.value, drawn: drawn?, same: same?, crossed: crossed? })
}
