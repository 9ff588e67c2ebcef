//! Which tables an order could begin with: where the dictionary's classes see patients, requests, results.

use std::cmp::Reverse;

use ecluse_core::class::Class;
use ecluse_core::dictionary::Table;
use ecluse_core::instruction::results;

/// Names of the tables that hold patients or results, the fullest first; at most so many.
pub(crate) fn about_patients(tables: &[Table], most: usize) -> Vec<&str> {
    let mut found: Vec<&Table> = tables.iter().filter(|t| weight(t) > 0).collect();
    found.sort_by_key(|t| (Reverse(t.patients), Reverse(weight(t)), t.name.value.as_str()));
    found.into_iter().take(most).map(|t| t.name.value.as_str()).collect()
}

/// A table of patients, one of requests and the two fullest of results, as far as the classes tell
/// them apart. What the software keeps of deleted rows is no beginning.
pub(crate) fn beginning(tables: &[Table]) -> Vec<&str> {
    let living = tables.iter().filter(|t| !t.name.value.to_lowercase().contains("deleted"));
    let mut living: Vec<&Table> = living.filter(|t| weight(t) > 0).collect();
    living.sort_by_key(|t| (Reverse(t.patients), Reverse(weight(t)), t.name.value.as_str()));
    let patients = living.iter().find(|t| t.patients || of(t, Class::Identity) > 0);
    let requests = living.iter().find(|t| !t.patients && results(t) == 0 && of(t, Class::Result) > 0);
    let mut with_results: Vec<&&Table> = living.iter().filter(|t| results(t) > 0).collect();
    with_results.sort_by_key(|t| (Reverse(results(t)), t.name.value.as_str()));
    let mut names: Vec<&str> = Vec::new();
    for table in patients.into_iter().chain(requests).chain(with_results.into_iter().take(2)) {
        if !names.contains(&table.name.value.as_str()) {
            names.push(&table.name.value);
        }
    }
    names
}

fn weight(table: &Table) -> usize {
    of(table, Class::Result) + of(table, Class::SensitiveResult) + of(table, Class::Identity)
}

fn of(table: &Table, class: Class) -> usize {
    table.columns.iter().filter(|c| c.class == class).count()
}
