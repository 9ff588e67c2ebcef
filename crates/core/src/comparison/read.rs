//! Reading the record of compared dossiers, key by key.

use jiff::Timestamp;
use toml::de::DeValue;

use super::{Comparison, Dossier, Reason, Verdict};
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{self, Codes, Fields, Reader, Spanned};

static SYNTAX: Code = Code::refused("ECL-CMP-001", "the record of compared dossiers is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-CMP-002", "unknown key in the record of compared dossiers");
static MISSING_KEY: Code = Code::refused("ECL-CMP-003", "the record of compared dossiers lacks a key");
static WRONG_VALUE: Code =
    Code::refused("ECL-CMP-004", "a value of the record of compared dossiers has the wrong form");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// Reads a record, its header apart.
///
/// # Errors
/// Everything that is wrong with it; a dossier twice, more of them than were drawn.
pub fn parse(text: &str) -> Result<Comparison, Vec<Finding>> {
    reader::stated(text, &CODES, "comparison", read)
}

fn read(r: &mut Reader<'_>, mut head: Fields<'_, '_>, root: &mut Fields<'_, '_>) -> Option<Comparison> {
    let run = head.text(r, "run");
    let instruction = head.digest(r, "instruction");
    let figures = head.digest(r, "figures");
    let table = head.text(r, "table");
    let by = head.text(r, "by");
    let email = head.text(r, "email");
    let drawn = head.maybe_number(r, "drawn");
    let sample = head.flag(r, "sample");
    let place = head.span.clone();
    head.end(r);
    if drawn.is_none() {
        r.find(Finding::new(&MISSING_KEY, "`drawn` is missing in `comparison`").at(place));
    }
    let mut dossiers: Vec<Dossier> = Vec::new();
    for table in root.tables(r, "dossier") {
        let span = table.span.clone();
        let Some(one) = dossier(r, table) else { continue };
        if dossiers.iter().any(|earlier| earlier.token == one.token) {
            r.find(Finding::new(&WRONG_VALUE, "this dossier stands here twice").at(span));
        }
        dossiers.push(one);
    }
    let drawn = drawn?;
    if crate::count::number(dossiers.len()) > drawn.value {
        r.find(Finding::new(&WRONG_VALUE, "more dossiers than were drawn").at(drawn.span));
    }
    Some(Comparison {
        run: run?.value,
        instruction: instruction?.value,
        figures: figures?.value,
        table: table?.value,
        by: by?.value,
        email: email?.value,
        sample,
        drawn: drawn.value,
        dossiers,
    })
}

fn dossier(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Dossier> {
    let token = t.text(r, "token");
    let kinds = t.texts(r, "kinds").into_iter().map(|kind| kind.value).collect();
    let said = t.text(r, "verdict");
    let reason = t.maybe_text(r, "reason");
    let verdict = said.and_then(|said| verdict(r, &said, reason));
    let shown = t.text(r, "shown");
    let at = t.get("at").and_then(|value| match value.get_ref() {
        DeValue::Datetime(moment) => moment.to_string().parse::<Timestamp>().ok(),
        _ => None,
    });
    if at.is_none() {
        let wanted = "`at` wants a moment like 2027-01-31T09:00:00Z";
        r.find(Finding::new(&WRONG_VALUE, wanted).at(t.span.clone()));
    }
    t.end(r);
    Some(Dossier { token: token?.value, kinds, verdict: verdict?, shown: shown?.value, at: at? })
}

/// `same`, or `differs` with one of the fixed reasons.
fn verdict(r: &mut Reader<'_>, said: &Spanned<String>, reason: Option<Spanned<String>>) -> Option<Verdict> {
    let wrong = |message: String| Finding::new(&WRONG_VALUE, message);
    match (said.value.as_str(), reason) {
        ("same", None) => Some(Verdict::Same),
        ("differs", Some(reason)) => {
            let known = Reason::from_name(&reason.value);
            if known.is_none() {
                let words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
                r.find(wrong(format!("`reason` is one of {}", words.join(", "))).at(reason.span));
            }
            known.map(Verdict::Differs)
        }
        ("same", Some(reason)) => {
            r.find(wrong("what is the same has no reason to differ".to_owned()).at(reason.span));
            None
        }
        ("differs", None) => {
            r.find(wrong("what differs has a `reason`".to_owned()).at(said.span.clone()));
            None
        }
        _ => {
            r.find(wrong("`verdict` is \"same\" or \"differs\"".to_owned()).at(said.span.clone()));
            None
        }
    }
}
