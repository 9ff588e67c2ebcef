//! The row filters of an order, parsed against the tables they name.

use super::{FILE, Order, TableOrder};
use crate::catalog::{Column, Table};
use crate::classify::is_credential;
use crate::fault::Code;
use crate::filter::{self, Filter, Names, Other, chooses, looks_at};
use crate::finding::Finding;
use crate::reader::Spanned;

static NOT_GRANTED: Code =
    Code::refused("ECL-INS-024", "a filter that moves nothing looks at a column that is not granted");
static CREDENTIAL: Code = Code::refused("ECL-INS-020", "a row filter compares a credential");

/// Parses a table's filter against a catalogue. Columns are indices into that table's columns; a chosen
/// table is an index into the order's tables, its column one into that table's.
///
/// # Errors
/// Everything wrong with the filter, with places in the instruction.
pub(crate) fn rows<'a>(
    order: &Order,
    table: &TableOrder,
    catalog: &dyn Fn(&str) -> Option<&'a Table>,
) -> Result<Filter, Vec<Finding>> {
    let Some(own) = catalog(&table.name.value) else { return Err(Vec::new()) };
    // a filter that speaks of no other table needs to know none: an order may have thousands
    let named = if table.rows.value.contains("chosen") { order.tables.as_slice() } else { &[] };
    let others: Vec<Other<'_>> = named
        .iter()
        .enumerate()
        .filter(|(_, other)| other.name.value != table.name.value)
        .filter_map(|(number, other)| Some((number, catalog(&other.name.value)?, other)))
        .map(|(number, found, other)| Other {
            number,
            name: &found.name,
            columns: &found.columns,
            key: single_key(found, other),
        })
        .collect();
    let filter = parsed(&table.rows, &Names { columns: &own.columns, chosen: &others })?;
    // whoever compares a secret with guesses learns it
    let mut compared: Vec<(&str, &Column)> = Vec::new();
    looks_at(&filter, &mut |column| compared.extend(own.columns.get(column).map(|c| (own.name.as_str(), c))));
    chooses(&filter, &mut |number, column| {
        let there = others.iter().find(|o| o.number == number);
        compared.extend(there.and_then(|o| Some((o.name, o.columns.get(column)?))));
    });
    match compared.into_iter().find(|(table, c)| is_credential(table, &c.name)) {
        None => Ok(filter),
        Some((_, column)) => {
            let finding = Finding::new(&CREDENTIAL, column.name.clone()).at(table.rows.span.clone());
            Err(vec![finding.in_file(FILE).law("GDPR Art. 32(1)").help("choose the rows by other columns")])
        }
    }
}

/// Parses a filter that chooses no row to move: it looks at granted columns of one ordered table, so that
/// nothing is read for its sake, and at no other table.
///
/// # Errors
/// As [`rows`]; [`NOT_GRANTED`].
pub(crate) fn granted<'a>(
    table: &TableOrder,
    text: &Spanned<String>,
    catalog: &dyn Fn(&str) -> Option<&'a Table>,
) -> Result<Filter, Vec<Finding>> {
    let Some(own) = catalog(&table.name.value) else { return Err(Vec::new()) };
    let filter = parsed(text, &Names { columns: &own.columns, chosen: &[] })?;
    let mut beyond: Option<&Column> = None;
    looks_at(&filter, &mut |column| {
        let known = own.columns.get(column);
        beyond = beyond.or(known.filter(|c| table.column(&c.name).is_none()));
    });
    beyond.map_or(Ok(filter), |column| {
        let finding = Finding::new(&NOT_GRANTED, format!("{}.{}", table.name.value, column.name));
        let finding = finding.at(text.span.clone()).in_file(FILE).law("GDPR Art. 5(1)(c)");
        Err(vec![finding.help("look at columns that are granted, or grant this one too")])
    })
}

/// Parses a filter's text; its findings get their place in the instruction.
fn parsed(text: &Spanned<String>, names: &Names<'_>) -> Result<Filter, Vec<Finding>> {
    let start = text.span.start;
    filter::parse(&text.value, names).map_err(|found| {
        let moved = |mut f: Finding| {
            let span = f.span.take().unwrap_or(0..text.value.len());
            f.at(start + span.start..start + span.end).in_file(FILE)
        };
        found.into_iter().map(moved).collect()
    })
}

/// The key, where it is one column: what `chosen.TABLE` alone means.
fn single_key(table: &Table, order: &TableOrder) -> Option<usize> {
    let given: Vec<&str> = order.key.iter().map(|k| k.value.as_str()).collect();
    let declared: Vec<&str> = table.key.iter().map(String::as_str).collect();
    match if declared.is_empty() { given } else { declared }.as_slice() {
        [one] => table.columns.iter().position(|c| c.name == *one),
        _ => None,
    }
}
