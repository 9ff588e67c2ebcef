//! What the laboratory calls a plan's tables and columns.

use ecluse_core::instruction;
use ecluse_core::mapping::{Make, TableMap};
use ecluse_core::plan::{Expression, TablePlan, WriteColumn};
use ecluse_flow::compare::used;

use crate::papers::chain::Chain;
use crate::ready::Ready;
use crate::screen::sheet::{ColumnNames, Names, TableNames};

impl Names {
    /// By the order, the dictionary and the mapping, in this order; names where nobody gave a label.
    pub(crate) fn of(ready: &Ready) -> Self {
        let tables = ready.compiled.plan.tables();
        Self { tables: tables.iter().map(|table| named(table, &ready.chain)).collect() }
    }
}

fn named(table: &TablePlan, chain: &Chain) -> TableNames {
    let (from, to) = (table.source(), table.destination());
    let ordered = chain.instruction.order().table(from);
    let label = ordered.map_or(from, |ordered| instruction::label(ordered, &chain.dictionary));
    let label = if label == from { String::new() } else { format!("{label}   ") };
    let map = chain.mapping.tables.iter().find(|map| map.from.value == from && map.to.value == to);
    TableNames {
        title: format!("{label}{from} → {to}"),
        columns: table.write().iter().map(|column| column_of(column, table, map, chain)).collect(),
    }
}

fn column_of(column: &WriteColumn, table: &TablePlan, map: Option<&TableMap>, chain: &Chain) -> ColumnNames {
    let surveyed = chain.dictionary.table(table.source());
    let labels: Vec<String> = used(column)
        .into_iter()
        .filter_map(|read| table.read().get(read))
        .map(|read| {
            let known = surveyed.and_then(|known| known.column(&read.name));
            known.map_or_else(|| read.name.clone(), instruction::called)
        })
        .collect();
    let label = match labels.as_slice() {
        [only] if only.ends_with(&column.name) => only.clone(),
        [] => format!("→ {}", column.name),
        several => format!("{} → {}", several.join(" + "), column.name),
    };
    let made = map.and_then(|map| map.columns.iter().find(|to| to.to.value == column.name));
    let codes = match (&column.from, made.map(|made| &made.make)) {
        (Expression::Code { .. }, Some(Make::Code { table, .. })) => table.value.clone(),
        _ => String::new(),
    };
    ColumnNames { label, codes }
}
