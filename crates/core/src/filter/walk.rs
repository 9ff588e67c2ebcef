//! What a filter looks at.

use super::Filter;

/// Calls back for every membership in another table's chosen rows: (table, column).
pub fn chooses(filter: &Filter, found: &mut dyn FnMut(usize, usize)) {
    match filter {
        Filter::Chosen { column: _, table, other } => found(*table, *other),
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|f| chooses(f, found)),
        Filter::Not(inner) => chooses(inner, found),
        Filter::Every
        | Filter::Compare { .. }
        | Filter::OneOf { .. }
        | Filter::IsNull { .. }
        | Filter::StartsWith { .. } => {}
    }
}

/// Calls back for every column of the table itself that the filter looks at.
pub fn looks_at(filter: &Filter, found: &mut dyn FnMut(usize)) {
    match filter {
        Filter::Compare { column, .. }
        | Filter::OneOf { column, .. }
        | Filter::IsNull { column }
        | Filter::StartsWith { column, .. }
        | Filter::Chosen { column, .. } => found(*column),
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|f| looks_at(f, found)),
        Filter::Not(inner) => looks_at(inner, found),
        Filter::Every => {}
    }
}
