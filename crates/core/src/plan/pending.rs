//! Rows that are not finished, in a plan: left where they are, or counted.
//!
//! Where they stay, they are not asked for: the compiled filter of their table leaves them out, in the
//! database and in process, and what is chosen through them (`COLUMN in chosen.TABLE`) with it. A table that
//! refers to them without choosing through them would move their children alone, and is refused.

use std::collections::BTreeSet;

use super::dossier::{demanded, edges};
use super::{Plan, TablePlan};
use crate::fault::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::{self, Order, Pending, TableOrder, ordered};
use crate::reader::Spanned;

static ALONE: Code = Code::refused("ECL-PLN-063", "rows would move whose unfinished parents stay");

/// What a plan does with rows that are not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPlan {
    rule: Pending,
    tables: Vec<(usize, Filter)>,
}

impl PendingPlan {
    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> Pending {
        self.rule
    }

    /// Per table that has some: its number, and which of the ordered rows they are, over its read columns.
    #[must_use]
    pub fn tables(&self) -> &[(usize, Filter)] {
        &self.tables
    }
}

impl Plan {
    /// What becomes of rows that are not finished, where the order says which they are.
    #[must_use]
    pub const fn pending(&self) -> Option<&PendingPlan> {
        self.pending.as_ref()
    }
}

impl TablePlan {
    /// The same table and columns, for its rows that are not finished and stay; `None` where none stay
    /// or where only a view is read, which does not have them.
    #[must_use]
    pub fn staying(&self, unfinished: &Filter) -> Option<Self> {
        let Filter::And(parts) = &self.filter else { return None };
        let (last, rest) = parts.split_last()?;
        let Filter::Not(stays) = last else { return None };
        if self.view.is_some() || **stays != *unfinished {
            return None;
        }
        let rows: Vec<Filter> = rest.iter().chain([unfinished]).cloned().collect();
        Some(Self { filter: Filter::And(rows), ..self.clone() })
    }
}

/// The rows that are ordered of a table, without those that are not finished where these stay.
pub(super) fn without(order: &Order, rows: Filter, unfinished: Option<Filter>) -> Filter {
    match unfinished {
        Some(filter) if order.pending == Some(Pending::Stay) => {
            Filter::And(vec![rows, Filter::Not(Box::new(filter))])
        }
        _ => rows,
    }
}

/// What the order says of unfinished rows, over the plan's tables; `parse` as for dossiers.
///
/// # Errors
/// [`ALONE`].
pub(super) fn pending(
    order: &Order,
    tables: &[TablePlan],
    parse: &dyn Fn(&TableOrder, &Spanned<String>) -> Option<Filter>,
) -> Result<Option<PendingPlan>, Vec<Finding>> {
    let Some(rule) = order.pending.filter(|_| !order.unfinished.is_empty()) else { return Ok(None) };
    let one = |unfinished: &instruction::Unfinished| {
        let table = ordered(order, &unfinished.table).ok()?;
        let number = tables.iter().position(|t| t.source == unfinished.table.value)?;
        Some((number, parse(table, &unfinished.filter)?))
    };
    let found: Vec<(usize, Filter)> = order.unfinished.iter().filter_map(one).collect();
    let plan = PendingPlan { rule, tables: found };
    if rule != Pending::Stay {
        return Ok(Some(plan));
    }
    let findings = alone(order, tables, plan.tables.iter().map(|(table, _)| *table).collect());
    if findings.is_empty() { Ok(Some(plan)) } else { Err(findings) }
}

/// Tables that refer to rows that may stay, and do not choose their own through them.
fn alone(order: &Order, tables: &[TablePlan], mut staying: BTreeSet<usize>) -> Vec<Finding> {
    let edges = edges(tables);
    let mut findings = Vec::new();
    let mut ahead: Vec<usize> = staying.iter().copied().collect();
    while let Some(parent) = ahead.pop() {
        for edge in edges.iter().filter(|e| e.parent == parent && e.child != parent) {
            let Some(child) = tables.get(edge.child) else { continue };
            let mut follows = false;
            demanded(&child.filter, &mut |_, other, _| follows |= other == parent);
            let Some(table) = order.table(&child.source).filter(|_| staying.insert(edge.child) || !follows)
            else {
                continue;
            };
            if follows {
                ahead.push(edge.child);
            } else {
                let of = tables.get(parent).map_or("", |t| t.source.as_str());
                let message = format!("{} refers to {of}, whose unfinished rows stay", child.source);
                let finding =
                    Finding::new(&ALONE, message).at(table.rows.span.clone()).in_file(instruction::FILE);
                findings.push(finding.help(format!("choose its rows through them: COLUMN in chosen.{of}")));
            }
        }
    }
    findings.dedup();
    findings
}
