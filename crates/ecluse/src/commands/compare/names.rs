//! What the laboratory calls a plan's tables and columns.

use ecluse_core::dictionary::Dictionary;
use ecluse_core::instruction::{self, Order};
use ecluse_core::language::Language;
use ecluse_core::mapping::{Make, Mapping, TableMap};
use ecluse_core::plan::{Expression, TablePlan, WriteColumn};
use ecluse_flow::compare::used;

use crate::pages::labels::Labels;
use crate::ready::Ready;
use crate::screen::sheet::{ColumnNames, Names, TableNames};

impl Names {
    /// By the order, the dictionary and the mapping, in this order; names where nobody gave a label.
    pub(crate) fn of(ready: &Ready, lang: Language) -> Self {
        let (chain, labels) = (&ready.chain, Labels::of(lang));
        let (order, dictionary) =
            (labels.order(chain.instruction.order()), labels.dictionary(&chain.dictionary));
        let one = |table| named(table, &order, &dictionary, &chain.mapping);
        Self { tables: ready.compiled.plan.tables().iter().map(one).collect() }
    }
}

fn named(table: &TablePlan, order: &Order, dictionary: &Dictionary, mapping: &Mapping) -> TableNames {
    let (from, to) = (table.source(), table.destination());
    let label = order.table(from).map_or(from, |ordered| instruction::label(ordered, dictionary));
    let label = if label == from { String::new() } else { format!("{label}   ") };
    let map = mapping.tables.iter().find(|map| map.from.value == from && map.to.value == to);
    TableNames {
        title: format!("{label}{from} → {to}"),
        columns: table.write().iter().map(|column| column_of(column, table, map, dictionary)).collect(),
    }
}

fn column_of(
    column: &WriteColumn,
    table: &TablePlan,
    map: Option<&TableMap>,
    dictionary: &Dictionary,
) -> ColumnNames {
    let surveyed = dictionary.table(table.source());
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
