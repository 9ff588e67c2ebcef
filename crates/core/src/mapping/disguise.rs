//! `{ column = … }` and what may be said beside it: of a moment, of a text's bytes, and of a boolean in
//! disguise.

use std::ops::Range;

use super::read::TWICE;
use super::{Make, WRONG_VALUE};
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned};
use crate::zone::{Fold, Zone};

/// Reads the keys beside `column`; without one of them the value moves as it is.
pub(super) fn read(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<Make> {
    let column = t.text(r, "column");
    let zone = zone(r, t);
    let zero_null = zero_date(r, t);
    let utf8 = bytes(r, t);
    let boolean = t.maybe_table(r, "boolean").map(|mut values| {
        let span = values.span.clone();
        let (yes, no) = (values.texts(r, "true"), values.texts(r, "false"));
        values.end(r);
        (yes, no, span)
    });
    let column = column?;
    match boolean {
        Some((yes, no, span)) => {
            if zone.is_some() || zero_null || utf8.is_some() {
                let finding =
                    Finding::new(&WRONG_VALUE, "a boolean has no zone, no zero date and no bytes of a text");
                r.find(finding.at(span).help("keep `boolean` alone beside `column`"));
            } else {
                once(r, &yes, &no);
            }
            Some(Make::Boolean { column, yes, no })
        }
        None if utf8.is_some() => {
            if zone.is_some() || zero_null {
                let finding = Finding::new(&WRONG_VALUE, "a text has no zone and no zero date");
                r.find(finding.at(utf8.unwrap_or_default()).help("keep `bytes` alone beside `column`"));
            }
            Some(Make::Utf8(column))
        }
        None if zone.is_some() || zero_null => Some(Make::Moment { column, zone, zero_null }),
        None => Some(Make::Column(column)),
    }
}

fn zone(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<Spanned<Zone>> {
    let name = t.maybe_text(r, "zone");
    let rule = t.maybe_text(r, "fold");
    let fold = match &rule {
        None => Fold::default(),
        Some(rule) => Fold::from_name(&rule.value).unwrap_or_else(|| {
            let finding = Finding::new(&WRONG_VALUE, "`fold` says what an hour that happened twice means");
            r.find(finding.at(rule.span.clone()).help("one of: \"refuse\", \"earlier\", \"later\""));
            Fold::default()
        }),
    };
    let Some(name) = name else {
        if let Some(rule) = rule {
            let finding = Finding::new(&WRONG_VALUE, "`fold` without a `zone`").at(rule.span);
            r.find(finding.help("name the zone whose clocks the column shows: zone = \"Europe/Paris\""));
        }
        return None;
    };
    let zone = Zone::named(&name.value, fold);
    if zone.is_none() {
        let finding = Finding::new(&WRONG_VALUE, "there is no such zone").at(name.span.clone());
        r.find(finding.help("a name of the IANA database, in its spelling: \"Europe/Paris\""));
    }
    zone.map(|zone| Spanned::new(zone, name.span))
}

fn zero_date(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> bool {
    let Some(said) = t.maybe_text(r, "zero_date") else { return false };
    if said.value != "null" {
        let finding =
            Finding::new(&WRONG_VALUE, "a zero date refuses its row, or means that nothing was recorded");
        r.find(finding.at(said.span).help("write zero_date = \"null\", or leave it out"));
    }
    true
}

/// Where it is said that a text's bytes are UTF-8.
fn bytes(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<Range<usize>> {
    let said = t.maybe_text(r, "bytes")?;
    if said.value != "utf-8" {
        let finding = Finding::new(&WRONG_VALUE, "a text's bytes are what its column declares, or UTF-8");
        r.find(finding.at(said.span.clone()).help("write bytes = \"utf-8\", or leave it out"));
    }
    Some(said.span)
}

/// No value means both, or stands twice; something means each.
fn once(r: &mut Reader<'_>, yes: &[Spanned<String>], no: &[Spanned<String>]) {
    let all: Vec<&Spanned<String>> = yes.iter().chain(no).collect();
    for (i, value) in all.iter().enumerate() {
        if all.iter().take(i).any(|v| v.value == value.value) {
            let finding = Finding::new(&TWICE, format!("`{}`", value.value)).at(value.span.clone());
            r.find(finding.help("one value means one thing"));
        }
    }
}
