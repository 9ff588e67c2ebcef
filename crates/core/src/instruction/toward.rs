//! Where the rows go: `[destination]`, or `[[recipient]]` in its place.

use super::read::read_endpoint;
use super::{Back, Entity, SealedTo, Toward, WRONG_VALUE};
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{Fields, Reader};
use crate::recipient::age_objection;

/// Several ways, or two recipients.
static ONE_WAY: Code = Code::refused("ECL-INS-025", "an order goes to one database or to one recipient");

/// Reads where the rows go; `of`: the legal entity that the order names, if it does.
pub(super) fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>, of: Option<&Entity>) -> Option<Toward> {
    let Some(place) = root.get("recipient").map(toml::Spanned::span) else {
        let t = root.table(r, "destination")?;
        return read_endpoint(r, t, Some(of)).map(|to| Toward::Database(Box::new(to)));
    };
    let direct = root.maybe_table(r, "destination").map(|t| t.span);
    let mut sealed = root.tables(r, "recipient").into_iter();
    let Some(first) = sealed.next() else {
        let finding = Finding::new(&ONE_WAY, "`recipient` names nobody").at(place);
        r.find(finding.help("write one [[recipient]] with `age` and `statement`"));
        return None;
    };
    let refused = match (direct, sealed.next()) {
        (Some(at), _) => Some((at, "it has a [destination] and a [[recipient]]")),
        (None, Some(second)) => Some((second.span, "it has more than one [[recipient]]")),
        (None, None) => None,
    };
    if let Some((at, message)) = refused {
        let finding = Finding::new(&ONE_WAY, message).at(at);
        r.find(finding.help("leave one: for each other recipient sign an order of its own"));
    }
    recipient(r, first).map(Toward::Sealed)
}

fn recipient(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<SealedTo> {
    let to = sealed_to(r, &mut t);
    t.end(r);
    to
}

/// `[return]`: to which key of the controller's classes go back, and whose rows the source holds.
pub(super) fn back(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Back> {
    let to = sealed_to(r, &mut t);
    let alone = t.flag(r, "alone");
    t.end(r);
    Some(Back { to: to?, alone })
}

/// A key and the statement that states it.
fn sealed_to(r: &mut Reader<'_>, t: &mut Fields<'_, '_>) -> Option<SealedTo> {
    let age = t.text(r, "age");
    if let Some(finding) = age.as_ref().and_then(|age| age_objection(&WRONG_VALUE, "age", age)) {
        r.find(finding.help("write the key of the statement: ecluse recipient show"));
    }
    let statement = t.digest(r, "statement");
    Some(SealedTo { age: age?, statement: statement? })
}
