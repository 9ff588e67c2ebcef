//! What an order says of a table, in the words of whoever signs it.

use super::{Order, TableOrder, Unfinished, granted, rows};
use crate::dictionary::{self, Dictionary};
use crate::filter::{Filter, Words, sentence};
use crate::language::Language;

/// Which rows of each table are ordered, as sentences in the order's own sequence; `None` where the
/// dictionary does not have what the filter names.
///
/// Made from the signed text and the dictionary it cites alone, so that whoever signs, runs and reports
/// reads the same words. What a person's column or a key is compared with is left out.
#[must_use]
pub fn rows_told(order: &Order, dictionary: &Dictionary, language: Language) -> Vec<Option<String>> {
    let surveyed = dictionary.as_catalog();
    order
        .tables
        .iter()
        .map(|table| {
            let filter = rows(order, table, &|name| surveyed.table(name)).ok()?;
            told(order, dictionary, table, &filter, language)
        })
        .collect()
}

/// Which rows are not finished, table by table: `Requests: Status is "E"`.
#[must_use]
pub fn unfinished_told(order: &Order, dictionary: &Dictionary, language: Language) -> Vec<String> {
    let surveyed = dictionary.as_catalog();
    let one = |unfinished: &Unfinished| {
        let table = order.table(&unfinished.table.value)?;
        let filter = granted(table, &unfinished.filter, &|name| surveyed.table(name)).ok()?;
        let words = told(order, dictionary, table, &filter, language)?;
        let label = label(table, dictionary);
        Some(language.of(format!("{label}: {words}"), format!("{label} : {words}")))
    };
    order.unfinished.iter().filter_map(one).collect()
}

/// One table's filter as a sentence.
fn told(
    order: &Order,
    dictionary: &Dictionary,
    table: &TableOrder,
    filter: &Filter,
    language: Language,
) -> Option<String> {
    let known = dictionary.table(&table.name.value)?;
    let column_of = |known: &dictionary::Table, column: usize| {
        known.columns.get(column).map_or_else(|| "?".to_owned(), called)
    };
    let words = Words {
        unsaid: &|column| names_a_person(order, table, known, column),
        column: &|column| column_of(known, column),
        other: &|number, column| {
            let other = order.tables.get(number);
            let there = other.and_then(|other| dictionary.table(&other.name.value));
            other.zip(there).map_or_else(
                || "?".to_owned(),
                |(other, there)| {
                    let (column, table) = (column_of(there, column), label(other, dictionary));
                    language.of(format!("{column} of {table}"), format!("{table} ({column})"))
                },
            )
        },
    };
    Some(sentence(filter, &words, language))
}

/// What the laboratory calls an ordered table: by the order, else by the dictionary, else its name.
#[must_use]
pub fn label<'a>(table: &'a TableOrder, dictionary: &'a Dictionary) -> &'a str {
    let surveyed = dictionary.table(&table.name.value).map_or("", |t| t.label.as_str());
    let said = [table.label.as_str(), surveyed].into_iter().find(|l| !l.is_empty());
    said.unwrap_or(&table.name.value)
}

/// A column's label beside its name: `Date de naissance — DDN`; its name where it has none.
#[must_use]
pub fn called(column: &dictionary::Column) -> String {
    let name = &column.name.value;
    if column.label.is_empty() || column.label == *name {
        name.clone()
    } else {
        format!("{} — {name}", column.label)
    }
}

/// Whether a literal compared with this column could name somebody: its class is a person's, or it is
/// a key, the table's own or another's. A column that the dictionary does not know counts as one.
fn names_a_person(order: &Order, table: &TableOrder, known: &dictionary::Table, at: usize) -> bool {
    let Some(column) = known.columns.get(at) else { return true };
    let name = &column.name.value;
    let is_key = known.key.contains(name) || table.key.iter().any(|key| key.value == *name);
    let refers = table.relations.iter().any(|r| r.column.value == *name)
        || known.relations.iter().any(|r| r.column.value == *name);
    let referred = order.tables.iter().flat_map(|t| &t.relations);
    let referred = referred.into_iter().any(|r| r.table.value == table.name.value && r.to.value == *name);
    is_key || refers || referred || column.class.names_a_person()
}
