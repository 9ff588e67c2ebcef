//! A filter moved from the source table's columns to the plan's.

use crate::filter::Filter;

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
