//! The plan by which a recipient loads an archive: every row of it, each column as it is.
//!
//! What moves was decided, filtered and mapped before it was sealed, under the same order; here a
//! destination is found fit for these rows, or refused. Nothing is cast: the archive's types are those
//! that a destination has whose tables écluse made.

use std::collections::BTreeMap;

use super::append::{Counter, counted, received};
use super::compile::{Compiled, Draft, DraftRelation, Given, Refusal};
use super::consigned::Consigned;
use super::files::FileColumn;
use super::target::{NO_TABLE, Target, target};
use super::{Expression, Plan, ReadColumn, Relation, TablePlan, WriteColumn};
use crate::catalog::{Catalog, Table};
use crate::dictionary::Dictionary;
use crate::fault::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::{Instruction, about_persons};
use crate::mapping::{ColumnMap, Make, Mapping, TableMap};
use crate::reader::Spanned;

static UNFIT: Code =
    Code::refused("ECL-LOA-002", "the destination does not take the archive's rows as they are");
static UNORDERED: Code = Code::refused("ECL-LOA-003", "a table's rows do not lie in the order of its key");

/// One table of an archive, as its sealed index tells it.
#[derive(Clone, Debug)]
pub struct Laden {
    /// Its name at the source, by which the order names it.
    pub source: String,
    /// The table as its rows are: named as at the destination, its columns in their order, its key.
    pub table: Table,
    /// Columns that name rows of other tables: column, the other table's place, its column.
    pub relations: Vec<(String, usize, String)>,
    /// Whether the rows lie in the order of the key.
    pub ordered: bool,
}

/// Compiles the plan: all rows of every table, in the archive's order. Which tables and columns these are was
/// compared with the order before ([`super::consigned`]).
///
/// # Errors
/// [`Refusal`]: every problem found with one fix each, and the destination's tables that are missing.
pub fn load(
    instruction: &Instruction,
    dictionary: &Dictionary,
    tables: &Consigned,
    destination: &Catalog,
) -> Result<Compiled, Refusal> {
    let consigned = tables;
    let tables = consigned.tables();
    let mut findings = Vec::new();
    let source = Catalog { tables: tables.iter().map(|t| t.table.clone()).collect(), ..destination.clone() };
    let mapping = Mapping {
        digest: String::new(),
        codes: Vec::new(),
        append: consigned.room().0.cloned(),
        tables: tables.iter().map(identity).collect(),
    };
    let given = Given {
        order: instruction.order(),
        header: instruction.header(),
        digest: instruction.digest(),
        dictionary,
        mapping: &mapping,
        codes: &BTreeMap::new(),
        source: &source,
        destination,
        views: false,
        surveyed: false,
        returns: false,
    };
    let (mut missing, mut targets) = (Vec::new(), Vec::new());
    for (laden, map) in tables.iter().zip(&mapping.tables) {
        findings.extend(unordered(laden));
        match target(&given, map, &laden.table, &laden.table.key, &mut missing) {
            Ok(target) => targets.push(target),
            Err(found) => findings.extend(found.into_iter().map(told)),
        }
    }
    if !findings.is_empty() || !missing.is_empty() {
        return Err(Refusal { findings, missing });
    }
    let mut notes: Vec<Finding> = targets.iter_mut().flat_map(|t| std::mem::take(&mut t.notes)).collect();
    let (targets, beside, counters) = aside(&given, consigned, targets).map_err(|findings| Refusal {
        findings: findings.into_iter().map(told).collect(),
        missing: Vec::new(),
    })?;
    notes.extend(beside);
    let planned = planned(&given, consigned, targets);
    let plan = Plan {
        tables: planned,
        tolerance: instruction.order().tolerance,
        // they come first, as the order's own plan has it, and are accepted where they stand
        reference: tables.iter().take_while(|laden| is_reference(&given, laden)).count(),
        // chosen and compared before it was sealed, or not at all: the load is of what there is
        row_limit: None,
        dossiers: None,
        pending: None,
        known: None,
        demands: Vec::new(),
    };
    Ok(Compiled { plan, stays: Vec::new(), notes, counters })
}

fn is_reference(given: &Given<'_>, laden: &Laden) -> bool {
    given.order.table(&laden.source).is_some_and(|table| table.reference)
}

/// Among other laboratories' rows, the keys of these in their room.
fn aside(given: &Given<'_>, consigned: &Consigned, targets: Vec<Target>) -> Result<Aside, Vec<Finding>> {
    let (Some(append), aside) = consigned.room() else { return Ok((targets, Vec::new(), Vec::new())) };
    let mut drafts = Vec::with_capacity(targets.len());
    for (laden, target) in consigned.tables().iter().zip(targets) {
        let order = given.order.table(&laden.source);
        let order = order.ok_or_else(|| vec![Finding::new(&UNFIT, format!("table {}", laden.source))])?;
        let place = |name: &str| laden.table.columns.iter().position(|c| c.name == name);
        let relation = |(column, parent, parent_column): &(String, usize, String)| {
            let there = consigned.tables().get(*parent)?;
            Some(DraftRelation {
                column: place(column)?,
                parent: *parent,
                parent_column: there.table.columns.iter().position(|c| c.name == *parent_column)?,
            })
        };
        drafts.push(Draft {
            order,
            source: &laden.table,
            key: laden.table.key.iter().filter_map(|key| place(key)).collect(),
            filter: Filter::Every,
            target,
            relations: laden.relations.iter().filter_map(relation).collect(),
        });
    }
    let beside = received(given, append, &mut drafts, aside)?;
    let counters = counted(given, &drafts);
    Ok((drafts.into_iter().map(|draft| draft.target).collect(), beside, counters))
}

type Aside = (Vec<Target>, Vec<Finding>, Vec<Counter>);

/// Rows that lie in no order could not be found again by their key.
fn unordered(laden: &Laden) -> Option<Finding> {
    (!laden.ordered && !laden.table.key.is_empty()).then(|| {
        let finding = Finding::new(&UNORDERED, format!("table {}", laden.table.name));
        finding.help("have the archive extracted anew, with the key mapped as it is")
    })
}

/// A table's map to itself.
fn identity(laden: &Laden) -> TableMap {
    let name = |text: &str| Spanned::new(text.to_owned(), 0..0);
    let column =
        |name_of: &str| ColumnMap { to: name(name_of), make: Make::Column(name(name_of)), required: false };
    TableMap {
        from: name(&laden.table.name),
        to: name(&laden.table.name),
        columns: laden.table.columns.iter().map(|c| column(&c.name)).collect(),
        span: 0..0,
    }
}

/// What a mapping would be told to mend is the destination's here: the rows are what they are.
fn told(finding: Finding) -> Finding {
    if *finding.code == NO_TABLE {
        let help = "make it: ecluse load ARCHIVE --ddl, or have the administrator make it";
        return Finding::new(&NO_TABLE, finding.message).help(help);
    }
    let message = format!("{}: {}", finding.code.title, finding.message);
    Finding::new(&UNFIT, message).help(
        "change the destination's table, or load where écluse makes the tables: ecluse load ARCHIVE --ddl",
    )
}

fn planned(given: &Given<'_>, consigned: &Consigned, targets: Vec<Target>) -> Vec<TablePlan> {
    let tables = consigned.tables();
    let patients = leads_to_patients(given, tables);
    let names = |to: &TableMap| to.to.value.clone();
    let known: Vec<String> = given.mapping.tables.iter().map(names).collect();
    let mut planned = Vec::with_capacity(tables.len());
    for (number, (laden, target)) in tables.iter().zip(targets).enumerate() {
        let place = |name: &str| laden.table.columns.iter().position(|c| c.name == name);
        let relations: Vec<Relation> = laden
            .relations
            .iter()
            .filter_map(|(column, parent, parent_column)| {
                let there = tables.get(*parent)?;
                Some(Relation {
                    column: place(column)?,
                    parent: *parent,
                    parent_column: there.table.columns.iter().position(|c| c.name == *parent_column)?,
                    declared: given.destination.table(&target.name).is_some_and(|t| {
                        t.foreign_keys.iter().any(|f| {
                            f.columns == [column.as_str()]
                                && known.get(*parent) == Some(&f.references)
                                && f.referenced == [parent_column.as_str()]
                        })
                    }),
                })
            })
            .collect();
        let to_patients: Vec<usize> = relations
            .iter()
            .filter(|r| patients.get(r.parent).copied().unwrap_or(false))
            .map(|r| r.column)
            .collect();
        let key: Vec<usize> = laden.table.key.iter().filter_map(|k| place(k)).collect();
        let Target { name, mut columns, shifts, .. } = target;
        for column in &mut columns {
            // no row is longer than its archive says, whatever the destination holds
            if let Expression::Column(from) = &column.from {
                let sealed = laden.table.columns.get(*from).and_then(|c| c.max_length);
                column.max_length = column.max_length.into_iter().chain(sealed).min();
            }
            column.relation = to_patients.iter().any(|read| column.from.carries(*read));
        }
        let write_key = key
            .iter()
            .filter_map(|k| columns.iter().position(|c| c.from == Expression::Column(*k)))
            .collect();
        let ordered = given.order.table(&laden.source);
        planned.push(TablePlan {
            number,
            source: laden.source.clone(),
            view: None,
            destination: name,
            read: laden.table.columns.iter().filter_map(read).collect(),
            key,
            filter: Filter::Every,
            write_key,
            relations,
            files: files(consigned.files().get(number).map_or(&[], Vec::as_slice), &columns),
            write: columns,
            shifts,
            persons: ordered
                .is_some_and(|t| t.shared.is_none() && about_persons(t, given.dictionary).is_some()),
        });
    }
    planned
}

/// Columns that name files, as their rows lie in the archive: what they say is the name under which a file arrives.
fn files(named: &[FileColumn], columns: &[WriteColumn]) -> Vec<FileColumn> {
    let one = |file: &FileColumn| {
        let write = columns.iter().position(|c| c.from == Expression::Column(file.write))?;
        let (prefix, suffix) = (String::new(), String::new());
        Some(FileColumn { read: file.write, write, prefix, suffix, missing_refuses: false, ..file.clone() })
    };
    named.iter().filter_map(one).collect()
}

fn read(column: &crate::catalog::Column) -> Option<ReadColumn> {
    Some(ReadColumn {
        name: column.name.clone(),
        ty: column.ty?,
        sql_type: column.sql_type.clone(),
        moved: true,
    })
}

/// Per table: whether its rows are patients, or refer to rows that lead to patients.
fn leads_to_patients(given: &Given<'_>, tables: &[Laden]) -> Vec<bool> {
    let mut leads: Vec<bool> =
        tables.iter().map(|t| given.dictionary.table(&t.source).is_some_and(|t| t.patients)).collect();
    // at most one more table per round: as many rounds as tables reach every chain
    for _ in tables {
        let led = |(t, now): (&Laden, &bool)| {
            *now || t.relations.iter().any(|(_, parent, _)| leads.get(*parent).copied().unwrap_or(false))
        };
        leads = tables.iter().zip(&leads).map(led).collect();
    }
    leads
}
