//! Plans nobody signed, made from a catalogue: for the tests of adapters alone.

pub(crate) mod lab;

use ecluse_batch::Batch;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::filter::Filter;
use ecluse_core::plan::assertion::{TableFields, plan, table};
use ecluse_core::plan::{Expression, Plan, ReadColumn, Relation, WriteColumn};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{LedgerEntry, Since, Source};

/// One table of a plan: its name, the columns read (all understood ones where empty), its filter.
pub(crate) struct Wanted<'a> {
    pub(crate) table: &'a str,
    pub(crate) columns: &'a [&'a str],
    pub(crate) filter: Filter,
    pub(crate) view: Option<String>,
}

/// Every row of these columns.
pub(crate) fn every<'a>(table: &'a str, columns: &'a [&'a str]) -> Wanted<'a> {
    Wanted { table, columns, filter: Filter::Every, view: None }
}

/// The fields of one table's plan, written as they are read.
pub(crate) fn fields(number: usize, found: &Table, wanted: &Wanted<'_>) -> TableFields {
    let chosen: Vec<_> = found
        .columns
        .iter()
        .filter(|c| {
            c.ty.is_some() && (wanted.columns.is_empty() || wanted.columns.contains(&c.name.as_str()))
        })
        .collect();
    let read = chosen
        .iter()
        .map(|c| ReadColumn {
            name: c.name.clone(),
            ty: c.ty.unwrap(),
            sql_type: c.sql_type.clone(),
            moved: true,
        })
        .collect();
    let write = chosen
        .iter()
        .enumerate()
        .map(|(i, c)| WriteColumn {
            name: c.name.clone(),
            ty: c.ty.unwrap(),
            sql_type: c.sql_type.clone(),
            nullable: c.nullable,
            max_length: c.max_length,
            int_bounds: c.int_bounds,
            labels: c.labels.clone(),
            from: Expression::Column(i),
            relation: false,
        })
        .collect();
    let key: Vec<usize> = found.key.iter().filter_map(|k| chosen.iter().position(|c| c.name == *k)).collect();
    TableFields {
        number,
        source: found.name.clone(),
        view: wanted.view.clone(),
        destination: found.name.clone(),
        read,
        write_key: key.clone(),
        key,
        filter: wanted.filter.clone(),
        write,
        relations: Vec::new(),
    }
}

/// A plan of these tables.
pub(crate) fn planned(catalog: &Catalog, wanted: &[Wanted<'_>]) -> Plan {
    let tables = wanted
        .iter()
        .enumerate()
        .map(|(number, w)| table(fields(number, catalog.table(w.table).expect(w.table), w)))
        .collect();
    plan(tables)
}

/// A relation of `child` to `parent`, by indices of read columns.
pub(crate) fn related(
    mut child: TableFields,
    column: usize,
    parent: usize,
    parent_column: usize,
) -> TableFields {
    child.relations.push(Relation { column, parent, parent_column, declared: true });
    child
}

/// Every batch of one table.
pub(crate) fn read_all(source: &mut dyn Source, plan: &Plan, number: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let table = &plan.tables()[number];
    source
        .read(table, plan, &KeyRange::default(), &mut |batch| {
            batches.push(batch);
            Ok(())
        })
        .unwrap();
    batches
}

/// Rows of some batches.
pub(crate) fn rows(batches: &[Batch]) -> usize {
    batches.iter().map(Batch::rows).sum()
}

/// A ledger line with a tally that stands for nothing.
pub(crate) fn line(table: usize, chunk: u64, rows: usize, refused: usize) -> LedgerEntry {
    let count = |n: usize| u64::try_from(n).unwrap();
    LedgerEntry {
        table,
        chunk,
        rows: count(rows - refused),
        refused: count(refused),
        tally: [7; 32],
        since: Since::default(),
    }
}
