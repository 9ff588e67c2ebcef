//! What the destination's foreign keys demand of rows that arrive, beyond the order's own relations.
//!
//! A relation that the order keeps and the destination declares stands in [`TablePlan::relations`]. A
//! foreign key may lead elsewhere: to a table outside the order, or to an ordered one along columns that
//! no relation names. The destination then refuses rows, at the end of the move, of which nobody spoke.

use super::{Expression, Plan, TablePlan, WriteColumn};
use crate::catalog::{Catalog, Column, ForeignKey};
use crate::dictionary::Dictionary;
use crate::types::{Engine, Type};

/// A foreign key of the destination that looks at rows which this order writes.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The table's number.
    pub table: usize,
    /// The destination's column; of several of the key the first that is written, or else the first.
    pub named: String,
    /// Indices of the key's columns among the written ones. A row in which one of them is NULL names
    /// nobody; none: a default names the parent of every row.
    pub columns: Vec<usize>,
    /// The constraint's name; empty where the engine has none.
    pub name: String,
    /// The destination table it leads to.
    pub references: String,
    /// Whether the destination looks; not along a relation of the dictionary that it does not declare.
    pub enforced: bool,
    /// Where the rows stand that it looks for.
    pub parent: Parent,
}

/// Where a foreign key finds its rows.
#[derive(Clone, Debug)]
pub enum Parent {
    /// Among what is written: a planned table's number, and an index into its written columns.
    Moved(usize, usize),
    /// In a table that the order does not fill: that table, with the one column that is referred to.
    There(Box<TablePlan>),
    /// Nobody can tell before the destination does: several columns, another type, a default's value,
    /// texts that the engine compares in its own way.
    Untold,
}

impl Plan {
    /// The destination's foreign keys that no relation of the order answers, table by table.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }
}

/// Whether texts of this column equal each other there by another rule than byte by byte.
#[must_use]
pub fn compares_loosely(engine: Engine, ty: Type) -> bool {
    engine == Engine::Mariadb && ty == Type::Text
}

/// The foreign keys of the tables that are written, as far as the destination's catalogue tells.
pub(super) fn demands(destination: &Catalog, tables: &[TablePlan]) -> Vec<Demand> {
    let there = destination.by_name();
    let mut demands = Vec::new();
    for table in tables {
        let Some(known) = there.get(table.destination.as_str()) else { continue };
        for key in known.foreign_keys.iter().filter(|key| !is_related(table, key, tables)) {
            let written = |name: &String| table.write.iter().position(|c| c.name == *name);
            let columns: Vec<usize> = key.columns.iter().filter_map(written).collect();
            // a column that nothing fills is NULL, and the row then names nobody
            let filled = |name: &String| {
                written(name).is_some()
                    || known.column(name).is_some_and(|c| c.has_default || !c.generated.is_empty())
            };
            if !key.columns.iter().all(filled) {
                continue;
            }
            let parent = match (key.columns.as_slice(), columns.as_slice(), key.referenced.as_slice()) {
                ([_], [column], [to]) => {
                    let outside = there.get(key.references.as_str()).and_then(|t| t.column(to));
                    parent(destination.engine, (table, *column), key, to, tables, outside)
                }
                _ => Parent::Untold,
            };
            let named = columns.first().and_then(|c| table.write.get(*c)).map(|c| &c.name);
            let Some(named) = named.or(key.columns.first()).cloned() else { continue };
            let (name, references) = (key.name.clone(), key.references.clone());
            demands.push(Demand {
                table: table.number,
                named,
                columns,
                name,
                references,
                enforced: true,
                parent,
            });
        }
    }
    demands
}

/// The dictionary's relations over columns of two types, which nothing here can follow; those that a
/// foreign key of the destination answers are among `known`.
pub(super) fn unfollowed(
    dictionary: &Dictionary,
    source: &Catalog,
    tables: &[TablePlan],
    known: &[Demand],
) -> Vec<Demand> {
    let catalog = source.by_name();
    let ty = |table: &str, name: &str| catalog.get(table).and_then(|t| t.column(name)).and_then(|c| c.ty);
    let mut found = Vec::new();
    for table in tables {
        for relation in dictionary.table(&table.source).into_iter().flat_map(|t| &t.relations) {
            let Some(parent) = tables.iter().find(|t| t.source == relation.table) else { continue };
            let name = &relation.column.value;
            if ty(&table.source, name) == ty(&parent.source, &relation.to) {
                continue;
            }
            let read = table.read.iter().position(|c| c.name == *name);
            let written = |at| table.write.iter().position(|c| c.from == Expression::Column(at));
            let Some(column) = read.and_then(written) else { continue };
            let same = |d: &&Demand| d.table == table.number && d.columns == [column];
            if known.iter().find(same).is_some_and(|d| d.references == parent.destination) {
                continue;
            }
            found.push(Demand {
                table: table.number,
                named: name.clone(),
                columns: vec![column],
                name: String::new(),
                references: parent.source.clone(),
                enforced: false,
                parent: Parent::Untold,
            });
        }
    }
    found
}

/// Whether the order's own relation answers it.
fn is_related(table: &TablePlan, key: &ForeignKey, tables: &[TablePlan]) -> bool {
    let carried = |table: &TablePlan, read: usize, name: &[String]| {
        let column = table.write.iter().find(|c| c.from == Expression::Column(read));
        column.is_some_and(|c| name == [c.name.as_str()])
    };
    table.relations.iter().filter(|r| r.declared).any(|r| {
        tables.get(r.parent).is_some_and(|parent| {
            parent.destination == key.references
                && carried(table, r.column, &key.columns)
                && carried(parent, r.parent_column, &key.referenced)
        })
    })
}

fn parent(
    engine: Engine,
    (table, column): (&TablePlan, usize),
    key: &ForeignKey,
    to: &str,
    tables: &[TablePlan],
    outside: Option<&Column>,
) -> Parent {
    let Some(here) = table.write.get(column) else { return Parent::Untold };
    let shift =
        |table: &TablePlan, at: usize| table.shifts.iter().find(|s| s.column == at).map(|s| s.by.clone());
    if compares_loosely(engine, here.ty) {
        return Parent::Untold;
    }
    if let Some(filled) = tables.iter().find(|t| t.destination == key.references) {
        let at = filled.write.iter().position(|c| c.name == to);
        let same = |at: &usize| {
            filled.write.get(*at).is_some_and(|c| c.ty == here.ty)
                && shift(filled, *at) == shift(table, column)
        };
        return at.filter(same).map_or(Parent::Untold, |at| Parent::Moved(filled.number, at));
    }
    match outside.filter(|c| c.ty == Some(here.ty) && shift(table, column).is_none()) {
        Some(there) => Parent::There(Box::new(alone(table, &key.references, there, here.ty))),
        None => Parent::Untold,
    }
}

/// A table outside the order with one column: it is looked into, and nothing is ever written there.
fn alone(table: &TablePlan, name: &str, column: &Column, ty: Type) -> TablePlan {
    let write = WriteColumn {
        name: column.name.clone(),
        ty,
        sql_type: column.sql_type.clone(),
        nullable: column.nullable,
        max_length: column.max_length,
        int_bounds: column.int_bounds,
        labels: column.labels.clone(),
        from: Expression::Column(0),
        relation: false,
    };
    TablePlan {
        destination: name.to_owned(),
        write: vec![write],
        write_key: Vec::new(),
        relations: Vec::new(),
        files: Vec::new(),
        shifts: Vec::new(),
        ..table.clone()
    }
}
