//! Rows that would move without the parent they name: told before anybody moves them.

use ecluse_core::count::{count, plural};
use ecluse_core::types::Engine;
use ecluse_flow::orphans::Orphan;
use serde_json::{Value, json};

/// Two lines for each column: how many rows, and what can be done.
pub(super) fn lines(found: &[Orphan], destination: Engine) -> Vec<String> {
    found.iter().flat_map(|one| of(one, destination)).collect()
}

/// Whether the destination will refuse some of them.
pub(super) fn refused(found: &[Orphan]) -> u64 {
    found.iter().filter(|one| one.refused_by.is_some()).map(|one| one.rows).sum()
}

fn of(one: &Orphan, destination: Engine) -> Vec<String> {
    let Orphan { table, column, parent, rows, unknown, .. } = one;
    let mut lines = Vec::new();
    let key = match one.refused_by.as_deref() {
        None | Some("") => String::new(),
        Some(name) => format!(", as its foreign key {name} demands"),
    };
    if *rows > 0 {
        let names = plural(*rows, "row", "rows");
        let verb = if *rows == 1 { "names" } else { "name" };
        let there = if one.moves { "moves" } else { "stands at the destination" };
        lines.push(format!(
            "orphans      {names} of {table}.{column} {verb} no row of {parent} that {there}{key}"
        ));
        lines.push(format!("             → {}", remedy(one, destination)));
    }
    if *unknown > 0 {
        lines.push(format!(
            "orphans      {} of {table}.{column} not looked up: only the destination can tell whether {parent} has their row{key}",
            plural(*unknown, "row", "rows")
        ));
        lines.push("             → rehearse the end of the move on a copy of the destination".to_owned());
    }
    lines
}

fn remedy(one: &Orphan, destination: Engine) -> String {
    if one.refused_by.is_none() {
        return "they would move as they are; mend them at the source or leave them out by `rows`, else `ecluse reconcile` names them".to_owned();
    }
    let code = match destination {
        Engine::Postgresql => "ECL-DST-531",
        Engine::Mariadb => "ECL-DST-231",
        _ => "ECL-DST-303",
    };
    let way = if one.moves {
        "mend them at the source, or leave them out by `rows`"
    } else {
        "order that table too, have the rows made there first, or leave the column out"
    };
    format!("the move would end with {code}: {way}")
}

/// The same for programs.
pub(super) fn document(found: &[Orphan]) -> Vec<Value> {
    let one = |o: &Orphan| {
        json!({
            "table": o.table, "column": o.column, "parent": o.parent, "rows": o.rows, "unknown": o.unknown,
            "foreign_key": o.refused_by, "refused": o.refused_by.is_some(),
        })
    };
    found.iter().map(one).collect()
}

/// Why a plan with such rows is not ready.
pub(super) fn words(rows: u64) -> String {
    let verb = if rows == 1 { "names" } else { "name" };
    format!(
        "{} {} {verb} no parent, and foreign keys of the destination refuse them",
        count(rows),
        if rows == 1 { "row" } else { "rows" }
    )
}
