//! With whose records the persons who arrive are compared, where the destination's table of persons
//! holds others': by which columns, and which rows may be read for it.
//!
//! Without this word no row of anybody else is read.

use toml::de::DeValue;

use super::{Entity, MISSING_KEY, WRONG_VALUE};
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned, as_text};
use crate::template;

/// `[destination.known]`: persons who exist at the destination already are listed, and never merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The destination's table of persons, into which ordered rows move.
    pub table: Spanned<String>,
    /// Whose rows are read.
    pub whose: Whose,
    /// The columns of the national health identity number and of who gave it.
    pub number: Option<[Spanned<String>; 2]>,
    /// The columns of family name, first given name, day of birth and sex, in this order.
    pub traits: Option<[Spanned<String>; 4]>,
}

/// Whose rows may be read beside this laboratory's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of one legal entity: this column holds this value.
    Entity {
        /// The destination's column.
        column: Spanned<String>,
        /// What stands there for the entity, as text.
        value: String,
    },
    /// Every row of a table that is shared, for this reason.
    Everybody(Spanned<String>),
}

impl Known {
    /// Whose rows, for a change list and a plan.
    #[must_use]
    pub fn told(&self) -> String {
        let names = |columns: &[Spanned<String>]| {
            columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join(", ")
        };
        let by = [self.number.as_ref().map(|n| names(n)), self.traits.as_ref().map(|t| names(t))];
        let by = by.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let whose = match &self.whose {
            Whose::Entity { column, value } => format!("{} {value}", column.value),
            Whose::Everybody(reason) => format!("shared: {}", reason.value),
        };
        format!("{} by {by} ({whose})", self.table.value)
    }
}

/// Reads `[destination.known]`; where no `value` stands there, it is `[entity]`'s FINESS number.
pub(super) fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>, entity: Option<&Entity>) -> Option<Known> {
    let span = t.span.clone();
    let table = t.text(r, "table");
    let column = t.maybe_text(r, "entity");
    let value = t.get("value").and_then(|v| match v.get_ref() {
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        _ => as_text(r, "value", v).map(|text| text.value),
    });
    let shared = t.maybe_text(r, "shared");
    let number = group(r, &mut t, ["number", "authority"]);
    let traits = group(r, &mut t, ["family", "given", "born", "sex"]);
    t.end(r);
    let idle = value.is_some() && column.is_none();
    let value = value.or_else(|| entity.map(|entity| entity.finess.value.clone()));
    let whose = match (column, shared) {
        (Some(column), None) => match value {
            Some(value) => Some(Whose::Entity { column, value }),
            None => {
                let finding =
                    Finding::new(&MISSING_KEY, "`value` is missing: what stands there for the entity");
                r.find(
                    finding.at(column.span).help("write value = …, or name the FINESS number under [entity]"),
                );
                None
            }
        },
        (None, Some(reason)) if idle => {
            let finding = Finding::new(&WRONG_VALUE, "`value` stands there without the column that holds it");
            r.find(
                finding
                    .at(reason.span)
                    .help("name the column (entity = …) in the place of `shared`, or take `value` out"),
            );
            None
        }
        (None, Some(reason)) if template::filled(&reason.value) => Some(Whose::Everybody(reason)),
        (None, Some(empty)) => {
            let finding = Finding::new(&WRONG_VALUE, "`shared` is a reason").at(empty.span);
            r.find(
                finding.help("for instance: shared = \"one table of persons for the group, agreed on …\""),
            );
            None
        }
        (Some(_), Some(shared)) => {
            let finding = Finding::new(&WRONG_VALUE, "the table is one entity's or shared, not both");
            r.find(finding.at(shared.span).help("keep `entity` or `shared`"));
            None
        }
        (None, None) => {
            let finding =
                Finding::new(&MISSING_KEY, "it is not said whose rows may be read").at(span.clone());
            r.find(
                finding.law("GDPR Art. 28(3)(a): others' rows are not this laboratory's to have read").help(
                    "name the column that says whose a row is (entity = \"site\"), or write shared = \"why\"",
                ),
            );
            None
        }
    };
    let (number, traits) = (number?, traits?);
    if number.is_none() && traits.is_none() {
        let finding = Finding::new(&MISSING_KEY, "nothing is named to compare").at(span);
        r.find(finding.help("number and authority; or family, given, born and sex; or both"));
        return None;
    }
    Some(Known { table: table?, whose: whose?, number, traits })
}

/// All of these columns, or none of them; `None` after a finding.
fn group<const N: usize>(
    r: &mut Reader<'_>,
    t: &mut Fields<'_, '_>,
    names: [&'static str; N],
) -> Option<Option<[Spanned<String>; N]>> {
    let found = names.map(|name| t.maybe_text(r, name));
    let there = found.iter().flatten().count();
    if there == 0 {
        return Some(None);
    }
    let columns: Vec<Spanned<String>> = found.into_iter().flatten().collect();
    if let Ok(columns) = columns.try_into() {
        return Some(Some(columns));
    }
    let finding = Finding::new(&MISSING_KEY, format!("these go together: {}", names.join(", ")));
    r.find(finding.at(t.span.clone()).help("name the missing column, or none of them"));
    None
}
