//! Columns that hold a result, and may not be altered as a key or a number of identity is: moved aside
//! (`[append]`), or checked, emptied and stamped (`[table.national_identifier]`). Both follow rules that ask
//! no biologist; over a result they would make other values of it
//! (`docs/decisions/0055-what-a-biologist-signs-are-the-values.md`).

use super::compile::{Draft, Given};
use crate::catalog::{Column, Table};
use crate::class::Class;
use crate::classify::{Context, propose};
use crate::fault::Code;
use crate::finding::Finding;
use crate::mapping::{self, IdentifierMap};
use crate::reader::Spanned;

static NO_REFERENCE: Code =
    Code::refused("ECL-PLN-050", "a result would be moved aside as if it referred to a key");
static NO_IDENTIFIER: Code =
    Code::refused("ECL-PLN-097", "a column of a national identifier holds something else");

/// Every column that is moved aside and may hold a result; the keys and references that the database itself
/// declares are none.
pub(super) fn moved_aside(inputs: &Given<'_>, draft: &Draft<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for shift in &draft.target.shifts {
        let Some(write) = draft.target.columns.get(shift.column) else { continue };
        let all = draft.source.columns.iter().enumerate();
        let Some((_, column)) = all.into_iter().find(|(index, _)| write.from.carries(*index)) else {
            continue;
        };
        if declares(inputs, draft.source, &column.name) || !holds(inputs, draft.source, &column.name) {
            continue;
        }
        let message = format!("{}.{}", draft.source.name, column.name);
        let at = draft
            .order
            .column(&column.name)
            .map_or_else(|| draft.order.name.span.clone(), |c| c.name.span.clone());
        findings.push(Finding::new(&NO_REFERENCE, message).at(at).in_file(crate::instruction::FILE).help(
            "take the relation out; a true reference goes through a code table, which a biologist signs",
        ));
    }
    findings
}

/// Whether the database itself says that the column alone is the key, or refers to one. A live catalogue is
/// believed before the dictionary, which nobody signed.
fn declares(inputs: &Given<'_>, source: &Table, column: &str) -> bool {
    let refers = if inputs.surveyed {
        let known = inputs.dictionary.table(&source.name);
        known.is_some_and(|t| t.relations.iter().any(|r| r.declared && r.column.value == column))
    } else {
        source.foreign_keys.iter().any(|key| key.columns.iter().any(|c| c == column))
    };
    refers || matches!(source.key.as_slice(), [own] if own == column)
}

/// Whether the dictionary, or the column's own name and type, say that it may hold a result. What the
/// dictionary kept of a catalogue is too little to judge a type by: there its class decides alone. That a text
/// has no narrow limit says nothing: keys and numbers have none either, in many databases.
fn holds(inputs: &Given<'_>, source: &Table, column: &str) -> bool {
    let result =
        |class| matches!(class, Class::Result | Class::SensitiveResult | Class::FreeText | Class::Attachment);
    let surveyed = inputs.dictionary.table(&source.name).and_then(|t| t.column(column));
    let live = source.column(column).filter(|_| !inputs.surveyed);
    let named =
        live.map(|c| propose(&Context::of(source), &Column { max_length: Some(1), ..c.clone() }).class);
    surveyed.is_none_or(|c| result(c.class)) || named.is_some_and(result)
}

/// The columns of a national identifier that hold something else: a number that is none becomes another
/// value or none, and `provisional` stands over what the status' column held.
pub(super) fn no_identifier(inputs: &Given<'_>, of: &IdentifierMap, source: &Table) -> Vec<Finding> {
    let known = inputs.dictionary.table(&source.name);
    let class = |name: &str| known.and_then(|t| t.column(name)).map(|c| c.class);
    let number = |name: &str| matches!(class(name), Some(Class::NationalIdentifier | Class::Identity));
    let refuse = |name: &Spanned<String>| {
        let finding = Finding::new(&NO_IDENTIFIER, format!("{}.{}", source.name, name.value));
        finding.at(name.span.clone()).in_file(mapping::FILE).help(
            "name columns of a patient's identity, with their class in the dictionary; map a result in its own line",
        )
    };
    let others = [&of.number, &of.authority].into_iter().chain(&of.status);
    let wrong = others
        .filter(|name| holds(inputs, source, &name.value) || (**name == of.number && !number(&name.value)));
    wrong.map(refuse).collect()
}
