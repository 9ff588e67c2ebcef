//! An order that moves patients and no result: allowed, and worth a word before it is signed.

use super::Order;
use crate::class::Class;
use crate::dictionary::{Column, Dictionary, Table};
use crate::fault::Code;
use crate::finding::Finding;

/// A note; nothing is refused for it.
pub static NO_RESULTS: Code = Code::refused("ECL-INS-022", "this order moves no results");

/// How many tables are named; the dictionary has all.
const NAMED: usize = 4;

/// Says that no result moves, where the dictionary knows tables that hold some; `None` where one moves.
#[must_use]
pub fn moves_no_result(order: &Order, dictionary: &Dictionary) -> Option<Finding> {
    let moves = order.tables.iter().any(|table| {
        let surveyed = dictionary.table(&table.name.value).filter(|surveyed| results(surveyed) > 0);
        surveyed
            .is_some_and(|t| t.columns.iter().any(|c| is_result(c) && table.column(&c.name.value).is_some()))
    });
    let mut tables: Vec<&Table> = dictionary.tables.iter().filter(|t| results(t) > 0).collect();
    if moves || tables.is_empty() {
        return None;
    }
    tables.sort_by_key(|t| std::cmp::Reverse(results(t)));
    let names: Vec<&str> = tables.iter().take(NAMED).map(|t| t.name.value.as_str()).collect();
    let more =
        if tables.len() > NAMED { format!(" and {} more", tables.len() - NAMED) } else { String::new() };
    let message =
        format!("results seem to be in {}{more}; a table that is not named stays", names.join(", "));
    Some(
        Finding::new(&NO_RESULTS, message)
            .help("name these tables in the order too, or leave it: then they stay"),
    )
}

/// How many columns of a table hold results; none of a table of patients, whose blood group is no
/// result of a request.
#[must_use]
pub fn results(table: &Table) -> usize {
    if table.patients { 0 } else { table.columns.iter().filter(|c| is_result(c)).count() }
}

/// A result itself: the date of a request or of a specimen has the same class, by the law.
fn is_result(column: &Column) -> bool {
    let dated = ["date", "time"].iter().any(|word| column.ty.starts_with(word));
    matches!(column.class, Class::Result | Class::SensitiveResult) && !dated
}
