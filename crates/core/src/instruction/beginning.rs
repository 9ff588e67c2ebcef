//! Which tables an order could begin with: patients, their results, and what lies between them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use super::results;
use crate::class::Class;
use crate::classify::{lists_kinds, split};
use crate::dictionary::{Table, related};

/// The most tables of a way from the results to their patients.
const WAY: usize = 8;

/// A table of patients, the two likeliest of results, and every table that lies between these and their
/// patients, along the relations that are declared or that the names propose. Where no relation shows,
/// one of requests, as far as the classes tell. What the software keeps of deleted rows is no beginning.
#[must_use]
pub fn beginning(tables: &[Table]) -> Vec<&str> {
    let leads = leads(tables);
    let mut led_to = vec![0_usize; tables.len()];
    for to in leads.iter().flatten() {
        if let Some(count) = led_to.get_mut(*to) {
            *count += 1;
        }
    }
    let led_to = |at: usize| led_to.get(at).copied().unwrap_or(0);
    let living = tables.iter().enumerate().filter(|(_, t)| !t.name.value.to_lowercase().contains("deleted"));
    let mut living: Vec<(usize, &Table)> = living.filter(|(_, t)| weight(t) > 0).collect();
    living.sort_by_key(|(at, t)| {
        (
            Reverse(t.patients),
            Reverse(if t.patients { led_to(*at) } else { 0 }),
            Reverse(weight(t)),
            &t.name.value,
        )
    });
    let patients = living.iter().find(|(_, t)| t.patients || of(t, Class::Identity) > 0);
    let reaching = reaching(tables, &leads);
    let mut found: Vec<&(usize, &Table)> =
        living.iter().filter(|(_, t)| results(t) > 0 && !lists_kinds(&t.name.value)).collect();
    found.sort_by_key(|(at, t)| {
        let likely =
            usize::from(says_result(t)) + usize::from(reaching.contains(at)) + usize::from(of_laboratory(t));
        (Reverse(likely), Reverse(results(t)), &t.name.value)
    });
    let found: Vec<usize> = found.into_iter().take(2).map(|(at, _)| *at).collect();
    let mut way = between(tables, &leads, &found);
    let requests = living.iter().find(|(_, t)| !t.patients && results(t) == 0 && of(t, Class::Result) > 0);
    if way.is_empty() {
        way.extend(requests.map(|(at, _)| *at));
    }
    let mut names: Vec<&str> = Vec::new();
    for at in patients.map(|(at, _)| *at).into_iter().chain(way).chain(found) {
        let name = tables.get(at).map_or("", |t| t.name.value.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How many columns are a patient's or a result's.
#[must_use]
pub fn weight(table: &Table) -> usize {
    of(table, Class::Result) + of(table, Class::SensitiveResult) + of(table, Class::Identity)
}

fn of(table: &Table, class: Class) -> usize {
    table.columns.iter().filter(|c| c.class == class).count()
}

/// The tables that each table leads to.
fn leads(tables: &[Table]) -> Vec<Vec<usize>> {
    let places: std::collections::BTreeMap<&str, usize> =
        tables.iter().enumerate().map(|(at, t)| (t.name.value.as_str(), at)).collect();
    let given = |table: &Table| -> Vec<usize> {
        table.relations.iter().filter_map(|r| places.get(r.table.as_str()).copied()).collect()
    };
    let one = |(table, proposed): (&Table, Vec<crate::related::Proposed<'_>>)| {
        let mut to = given(table);
        to.extend(proposed.iter().map(|p| p.table));
        to
    };
    tables.iter().zip(related(tables)).map(one).collect()
}

/// The tables from which one of patients is reached, whatever the way.
fn reaching(tables: &[Table], leads: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut from: Vec<Vec<usize>> = vec![Vec::new(); tables.len()];
    for (at, to) in leads.iter().enumerate() {
        for to in to {
            if let Some(from) = from.get_mut(*to) {
                from.push(at);
            }
        }
    }
    let mut todo: Vec<usize> =
        tables.iter().enumerate().filter(|(_, t)| t.patients).map(|(at, _)| at).collect();
    let mut reached: BTreeSet<usize> = todo.iter().copied().collect();
    while let Some(at) = todo.pop() {
        todo.extend(from.get(at).into_iter().flatten().filter(|next| reached.insert(**next)));
    }
    reached
}

/// What the results lead to and is about patients itself, the farthest first.
fn between(tables: &[Table], leads: &[Vec<usize>], results: &[usize]) -> Vec<usize> {
    let mut seen: BTreeSet<usize> = results.iter().copied().collect();
    let mut todo: VecDeque<usize> = results.iter().copied().collect();
    let mut way = Vec::new();
    while let Some(at) = todo.pop_front() {
        for next in leads.get(at).into_iter().flatten() {
            let about = tables.get(*next).is_some_and(|t| weight(t) > 0 && !lists_kinds(&t.name.value));
            if about && way.len() < WAY && seen.insert(*next) {
                way.push(*next);
                todo.push_back(*next);
            }
        }
    }
    way.reverse();
    way
}

/// Whether a column is called a result, and is none's number.
fn says_result(table: &Table) -> bool {
    const WORDS: [&str; 6] = ["result", "results", "resultat", "resultats", "valeur", "value"];
    let says = |name: &str| {
        let words = split(name);
        words.iter().any(|w| WORDS.contains(&w.as_str())) && !words.iter().any(|w| w == "id")
    };
    table.columns.iter().any(|c| c.class == Class::Result && says(&c.name.value))
}

/// Whether the table's name is a laboratory's.
fn of_laboratory(table: &Table) -> bool {
    const WORDS: [&str; 12] = [
        "lab",
        "test",
        "tests",
        "result",
        "results",
        "resultat",
        "resultats",
        "obs",
        "observation",
        "analysis",
        "analyse",
        "procedure",
    ];
    split(&table.name.value).iter().any(|w| WORDS.contains(&w.as_str()))
}
