//! Puts the drafted tables into the plan's order and turns names into indices.

use super::compile::{Draft, Given, view};
use super::rows::moved;
use super::{Expression, Identifier, Piece, ReadColumn, Relation, TablePlan, WriteColumn, files};
use crate::filter::{Filter, chooses, looks_at};
use crate::instruction::about_persons;

/// The tables of the plan, in `sorted` order.
pub(super) fn assemble(inputs: &Given<'_>, drafts: &[Draft<'_>], sorted: &[usize]) -> Vec<TablePlan> {
    let reads: Vec<Vec<usize>> = (0..drafts.len()).map(|i| read_columns(drafts, i)).collect();
    let patients = leads_to_patients(inputs, drafts);
    let number = |drafted: usize| sorted.iter().position(|s| *s == drafted);
    // where the source column `column` of the drafted table stands among its read columns
    let read_index = |drafted: usize, column: usize| reads.get(drafted)?.iter().position(|c| *c == column);
    let mut tables = Vec::with_capacity(drafts.len());
    for (position, drafted) in sorted.iter().enumerate() {
        let (Some(draft), Some(read)) = (drafts.get(*drafted), reads.get(*drafted)) else { continue };
        let own = |column: usize| read_index(*drafted, column);
        let other = |table: usize, column: usize| Some((number(table)?, read_index(table, column)?));
        // every index was put into `reads` above: a filter that lost one must not widen to more rows
        let filter = moved(&draft.filter, &own, &other).unwrap_or(Filter::Not(Box::new(Filter::Every)));
        let relations: Vec<Relation> = draft
            .relations
            .iter()
            .filter_map(|r| {
                Some(Relation {
                    column: own(r.column)?,
                    parent: number(r.parent)?,
                    parent_column: read_index(r.parent, r.parent_column)?,
                    declared: declared(inputs, draft, drafts.get(r.parent)?, r.column, r.parent_column),
                })
            })
            .collect();
        let to_patients: Vec<usize> = draft
            .relations
            .iter()
            .filter(|r| patients.get(r.parent).copied().unwrap_or(false))
            .map(|r| r.column)
            .collect();
        let write: Vec<WriteColumn> = draft
            .target
            .columns
            .iter()
            .filter_map(|c| {
                let relation = uses(&c.from).iter().any(|used| to_patients.contains(used));
                Some(WriteColumn { from: reindexed(&c.from, &own)?, relation, ..c.clone() })
            })
            .collect();
        let write_key = draft.key.iter().filter_map(|k| write_index(draft, *k)).collect();
        tables.push(TablePlan {
            number: position,
            source: draft.source.name.clone(),
            view: view(inputs, &draft.source.name),
            destination: draft.target.name.clone(),
            read: read.iter().filter_map(|c| read_column(draft, *c)).collect(),
            key: draft.key.iter().filter_map(|k| own(*k)).collect(),
            filter,
            write,
            write_key,
            relations,
            files: files::columns(draft, &own),
            shifts: draft.target.shifts.clone(),
            persons: draft.order.shared.is_none() && about_persons(draft.order, inputs.dictionary).is_some(),
        });
    }
    tables
}

/// The source columns a table reads: as granted, then what its key, filter, relations and the
/// tables that choose from it or refer to it need beyond.
fn read_columns(drafts: &[Draft<'_>], table: usize) -> Vec<usize> {
    let Some(draft) = drafts.get(table) else { return Vec::new() };
    let place = |name: &str| draft.source.columns.iter().position(|c| c.name == name);
    let mut columns: Vec<usize> = draft.order.columns.iter().filter_map(|c| place(&c.name.value)).collect();
    let mut add = |column: usize| {
        if !columns.contains(&column) {
            columns.push(column);
        }
    };
    draft.key.iter().for_each(|k| add(*k));
    looks_at(&draft.filter, &mut add);
    draft.relations.iter().for_each(|r| add(r.column));
    for other in drafts {
        chooses(&other.filter, &mut |chosen, column| {
            if chosen == table {
                add(column);
            }
        });
        other.relations.iter().filter(|r| r.parent == table).for_each(|r| add(r.parent_column));
    }
    columns
}

fn read_column(draft: &Draft<'_>, column: usize) -> Option<ReadColumn> {
    let source = draft.source.columns.get(column)?;
    Some(ReadColumn {
        name: source.name.clone(),
        ty: source.ty?,
        sql_type: source.sql_type.clone(),
        moved: draft.order.column(&source.name).is_some(),
    })
}

/// The written column that carries a source column as it is.
fn write_index(draft: &Draft<'_>, column: usize) -> Option<usize> {
    draft.target.columns.iter().position(|c| c.from == Expression::Column(column))
}

/// Per drafted table: whether its rows are patients, or refer to rows that lead to patients.
fn leads_to_patients(inputs: &Given<'_>, drafts: &[Draft<'_>]) -> Vec<bool> {
    let mut leads: Vec<bool> = drafts
        .iter()
        .map(|d| inputs.dictionary.table(&d.order.name.value).is_some_and(|t| t.patients))
        .collect();
    // at most one more table per round: as many rounds as tables reach every chain
    for _ in drafts {
        leads = drafts
            .iter()
            .zip(&leads)
            .map(|(d, now)| *now || d.relations.iter().any(|r| leads.get(r.parent).copied().unwrap_or(false)))
            .collect();
    }
    leads
}

/// Whether the destination declares the relation as a foreign key.
fn declared(
    inputs: &Given<'_>,
    child: &Draft<'_>,
    parent: &Draft<'_>,
    column: usize,
    parent_column: usize,
) -> bool {
    let name = |draft: &Draft<'_>, column: usize| {
        write_index(draft, column).and_then(|i| draft.target.columns.get(i)).map(|c| c.name.clone())
    };
    let (Some(here), Some(there)) = (name(child, column), name(parent, parent_column)) else { return false };
    let Some(table) = inputs.destination.table(&child.target.name) else { return false };
    table.foreign_keys.iter().any(|f| {
        f.columns == [here.as_str()] && f.references == parent.target.name && f.referenced == [there.as_str()]
    })
}

fn uses(from: &Expression) -> Vec<usize> {
    match from {
        Expression::Column(i)
        | Expression::Cast(i)
        | Expression::Utf8(i)
        | Expression::Code { column: i, .. }
        | Expression::Moment { column: i, .. } => vec![*i],
        Expression::Constant(_) => Vec::new(),
        Expression::Identifier(of) => of.uses(),
        Expression::Concat(pieces) => pieces
            .iter()
            .filter_map(|p| match p {
                Piece::Column(i) => Some(*i),
                Piece::Literal(_) => None,
            })
            .collect(),
    }
}

fn reindexed(from: &Expression, own: &dyn Fn(usize) -> Option<usize>) -> Option<Expression> {
    Some(match from {
        Expression::Column(i) => Expression::Column(own(*i)?),
        Expression::Cast(i) => Expression::Cast(own(*i)?),
        Expression::Utf8(i) => Expression::Utf8(own(*i)?),
        Expression::Constant(value) => Expression::Constant(value.clone()),
        Expression::Concat(pieces) => Expression::Concat(
            pieces
                .iter()
                .map(|p| match p {
                    Piece::Literal(text) => Some(Piece::Literal(text.clone())),
                    Piece::Column(i) => own(*i).map(Piece::Column),
                })
                .collect::<Option<_>>()?,
        ),
        Expression::Code { column, table } => {
            Expression::Code { column: own(*column)?, table: table.clone() }
        }
        Expression::Identifier(of) => {
            let optional = |index: Option<usize>| index.map_or(Some(None), |i| own(i).map(Some));
            Expression::Identifier(Box::new(Identifier {
                number: own(of.number)?,
                key: optional(of.key)?,
                authority: own(of.authority)?,
                traits: of.traits.iter().map(|i| own(*i)).collect::<Option<_>>()?,
                status: optional(of.status)?,
                ..of.as_ref().clone()
            }))
        }
        Expression::Moment { column, zone, zero_null } => {
            Expression::Moment { column: own(*column)?, zone: zone.clone(), zero_null: *zero_null }
        }
    })
}
