//! Compiles an instruction in force into the extraction it permits, and nothing more.

use std::collections::BTreeMap;

use super::append::{Counter, append, counted};
use super::assemble::assemble;
use super::bind::bind;
use super::demands::{demands, unfollowed};
use super::disguise::zero_dates;
use super::dossier::{dossiers, filter_of};
use super::known::known;
use super::order::order;
use super::pending::{pending, without};
use super::target::{Target, target};
use super::{Plan, TablePlan, files};
use crate::catalog::{Catalog, Column, Table};
use crate::codes::CodeTable;
use crate::dictionary::Dictionary;
use crate::document::Header;
use crate::fault::Code;
use crate::filter::{Filter, chooses};
use crate::finding::Finding;
use crate::instruction::{self, Instruction, Order, Screen, StayingColumn, TableOrder, rows};
use crate::mapping::{self, Mapping, TableMap};
use crate::nearest::suggestion;
use crate::types::{Engine, Type};

/// Rows of a table that move at most under a trial's papers.
pub const TRIAL_ROWS: u64 = 1_000;

static NOTHING: Code = Code::refused("ECL-PLN-001", "nothing is ordered that could be planned");
static ABSENT: Code = Code::refused("ECL-PLN-005", "the source has no such table or column");
pub(super) static UNSUPPORTED: Code =
    Code::refused("ECL-PLN-006", "this version cannot read the column's type exactly");
static KEY: Code = Code::refused("ECL-PLN-007", "the table's key cannot be used");
static CIRCLE: Code = Code::refused("ECL-PLN-019", "tables choose their rows from each other in a circle");
static TOO_MUCH: Code = Code::refused("ECL-PLN-020", "the instruction demands what this version cannot do");
static RELATION: Code = Code::refused("ECL-PLN-025", "this relation cannot be followed");

/// Everything a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The order in force.
    pub instruction: &'a Instruction,
    /// The dictionary it cites.
    pub dictionary: &'a Dictionary,
    /// The mapping it cites.
    pub mapping: &'a Mapping,
    /// The code tables the mapping cites, by the name it gives them.
    pub codes: &'a BTreeMap<String, CodeTable>,
    /// The source's catalogue now: at least the instructed tables.
    pub source: &'a Catalog,
    /// The destination's catalogue now.
    pub destination: &'a Catalog,
    /// Whether the controller's views are read (PostgreSQL and MariaDB); else the tables themselves.
    pub views: bool,
}

/// A plan, and what it leaves behind.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What stays as a whole column, table by table in the dictionary's order.
    pub stays: Vec<StayingColumn>,
    /// What a person should know and nothing is refused for: fates left to people, triggers at the destination.
    pub notes: Vec<Finding>,
    /// Columns at the destination whose keys the engine counts, where this laboratory has a room.
    pub counters: Vec<Counter>,
}

/// What stands in the way of a plan.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Each problem with its place and one fix.
    pub findings: Vec<Finding>,
    /// Destination tables that are missing, as they would have to be; the destination adapter
    /// writes their `CREATE TABLE`.
    pub missing: Vec<Table>,
}

/// Compiles the plan: the only columns and rows that will be asked for.
///
/// # Guarantees
///
/// Pure and total: the same inputs give the same plan. A read column is granted by the
/// instruction, or named by its row filter, by its key or by a relation, nothing else; a moved column
/// is granted. Order of the columns: as granted, then what is read without being moved.
///
/// An order that nobody verified does not compile to a plan; it does not even build:
///
/// ```compile_fail,E0308
/// # use ecluse_core::{instruction, plan};
/// fn plan_of(order: &instruction::Order, rest: plan::Inputs<'_>) {
///     // expected `&Instruction`, found `&Order`: only `Instruction::in_force` makes one
///     let _ = plan::compile(&plan::Inputs { instruction: order, ..rest });
/// }
/// ```
///
/// ```
/// # use ecluse_core::{instruction, plan};
/// fn plan_of(instruction: &instruction::Instruction, rest: plan::Inputs<'_>) {
///     let _ = plan::compile(&plan::Inputs { instruction, ..rest });
/// }
/// ```
///
/// # Errors
/// [`Refusal`]: every problem found, each with its place and one fix.
pub fn compile(inputs: &Inputs<'_>) -> Result<Compiled, Refusal> {
    let Inputs { instruction, dictionary, mapping, codes, source, destination, views } = *inputs;
    let (order, header, digest) = (instruction.order(), instruction.header(), instruction.digest());
    made(&Given {
        order,
        header,
        digest,
        dictionary,
        mapping,
        codes,
        source,
        destination,
        views,
        surveyed: false,
        returns: false,
    })
}

/// [`Inputs`] taken apart: an order, in force or not. What is made of one that is not never leaves
/// [`super::examine`].
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub order: &'a Order,
    pub header: &'a Header,
    pub digest: &'a str,
    pub dictionary: &'a Dictionary,
    pub mapping: &'a Mapping,
    pub codes: &'a BTreeMap<String, CodeTable>,
    pub source: &'a Catalog,
    pub destination: &'a Catalog,
    pub views: bool,
    /// The source's catalogue is what the dictionary kept of it.
    pub surveyed: bool,
    /// The order is one that returns classes: made of a signed one, in which every class has its fate.
    pub returns: bool,
}

/// The one compilation, of orders in force and of drafts.
pub(super) fn made(inputs: &Given<'_>) -> Result<Compiled, Refusal> {
    let instruction = inputs.order;
    let mut findings = bind(inputs);
    findings.extend(instruction::check(instruction, inputs.dictionary));
    if !inputs.returns {
        findings.extend(instruction::fates(instruction, inputs.header, inputs.dictionary));
    }
    findings.extend(mapping::against(inputs.mapping, instruction));
    findings.extend(beyond_this_version(instruction));
    let mut missing = Vec::new();
    let mut drafts = Vec::new();
    let source = inputs.source.by_name();
    for table in &instruction.tables {
        let Some(map) = inputs.mapping.table(&table.name.value) else { continue };
        match draft(inputs, &source, table, map, &mut missing) {
            Ok(draft) => drafts.push(draft),
            Err(found) => findings.extend(found),
        }
    }
    if instruction.tables.is_empty() {
        let finding = Finding::new(&NOTHING, "the instruction names no table").in_file(instruction::FILE);
        findings.push(finding.help("add a [[table]] with its columns and rows"));
    }
    if !findings.is_empty() || !missing.is_empty() {
        return Err(Refusal { findings: tidy(findings), missing });
    }
    let refused = |findings| Refusal { findings, missing: Vec::new() };
    relate(inputs, &mut drafts).map_err(refused)?;
    let maps: Vec<_> = drafts.iter().filter_map(|d| inputs.mapping.table(&d.order.name.value)).collect();
    let zeros = zero_dates(&drafts, &maps);
    if !zeros.is_empty() {
        return Err(refused(tidy(zeros)));
    }
    let unfit = files::unfit(&drafts);
    if !unfit.is_empty() {
        return Err(refused(tidy(unfit)));
    }
    let beside = append(inputs, &mut drafts).map_err(refused)?;
    let counters = counted(inputs, &drafts);
    let sorted = sequence(&drafts).map_err(refused)?;
    let tables: Vec<TablePlan> = assemble(inputs, &drafts, &sorted);
    let catalog = |name: &str| source.get(name).copied();
    let parse = |table: &TableOrder, text: &_| filter_of(table, text, &catalog, &tables);
    let dossiers = dossiers(instruction, &tables, &parse).map_err(refused)?;
    let pending = pending(instruction, &tables, &parse).map_err(refused)?;
    let known = known(inputs, &tables).map_err(refused)?;
    let stays =
        instruction::staying(instruction, inputs.dictionary).into_iter().filter(|s| s.whole).collect();
    let mut notes: Vec<Finding> = Vec::new();
    if !inputs.returns {
        notes.extend(instruction::not_carried_out(instruction, inputs.dictionary));
        notes.extend(instruction::moves_no_result(instruction, inputs.dictionary));
    }
    notes.extend(drafts.iter().flat_map(|d| d.target.notes.clone()));
    notes.extend(beside);
    let mut demands = demands(inputs.destination, &tables);
    demands.extend(unfollowed(inputs.dictionary, inputs.source, &tables, &demands));
    let plan = Plan {
        tables,
        tolerance: instruction.tolerance,
        reference: drafts.iter().filter(|d| d.order.reference).count(),
        row_limit: inputs.header.trial.then_some(TRIAL_ROWS),
        dossiers,
        pending,
        known,
        demands,
    };
    Ok(Compiled { plan, stays, notes, counters })
}

/// One table on its way to a [`TablePlan`]; indices are into the source table's columns.
pub(super) struct Draft<'a> {
    pub order: &'a TableOrder,
    pub source: &'a Table,
    pub key: Vec<usize>,
    /// `Chosen.table` counts the instruction's tables, `Chosen.other` that table's columns.
    pub filter: Filter,
    pub target: Target,
    pub relations: Vec<DraftRelation>,
}

/// A relation in the making; indices as in [`Draft`], tables counted as drafted.
pub(super) struct DraftRelation {
    pub column: usize,
    pub parent: usize,
    pub parent_column: usize,
}

fn draft<'a>(
    inputs: &Given<'a>,
    by_name: &BTreeMap<&str, &'a Table>,
    table: &'a TableOrder,
    map: &'a TableMap,
    missing: &mut Vec<Table>,
) -> Result<Draft<'a>, Vec<Finding>> {
    let name = &table.name;
    let Some(source) = by_name.get(name.value.as_str()).copied() else {
        let names = inputs.source.tables.iter().map(|t| t.name.as_str());
        let finding = Finding::new(&ABSENT, format!("no table {} in the source", name.value));
        let finding = finding.at(name.span.clone()).in_file(instruction::FILE);
        return Err(vec![match suggestion(&name.value, names) {
            Some(help) => finding.help(help),
            None => finding.help("survey the source again, or take the table out"),
        }]);
    };
    let mut findings = Vec::new();
    for column in &table.columns {
        let found = readable(source, &column.name.value);
        findings.extend(found.err().map(|f| f.at(column.name.span.clone()).in_file(instruction::FILE)));
    }
    let key = key(source, table).map_err(|found| findings.extend(found)).unwrap_or_default();
    let filter =
        rows(inputs.order, table, &|name| by_name.get(name).copied()).map_err(|found| findings.extend(found));
    let order = inputs.order;
    let unfinished = order.unfinished.iter().find(|u| u.table.value == name.value);
    // what is wrong with it was found with the order itself
    let unfinished = unfinished
        .and_then(|u| instruction::granted(table, &u.filter, &|name| by_name.get(name).copied()).ok());
    let filter = filter.map(|rows| without(order, rows, unfinished));
    let target = target(inputs, map, source, &key, missing).map_err(|found| findings.extend(found));
    match (filter, target) {
        (Ok(filter), Ok(target)) if findings.is_empty() => {
            let indices = key.iter().filter_map(|k| position(source, k)).collect();
            Ok(Draft { order: table, source, key: indices, filter, target, relations: Vec::new() })
        }
        _ => Err(findings),
    }
}

/// The index of a source column.
pub(super) fn position(table: &Table, column: &str) -> Option<usize> {
    table.columns.iter().position(|c| c.name == column)
}

/// A source column and its type on the way.
#[expect(clippy::result_large_err, reason = "a finding ends the compilation; nothing is hot here")]
pub(super) fn readable<'a>(table: &'a Table, column: &str) -> Result<(&'a Column, Type), Finding> {
    let Some(found) = table.column(column) else {
        let finding = Finding::new(&ABSENT, format!("no column {}.{column} in the source", table.name));
        let help = suggestion(column, table.columns.iter().map(|c| c.name.as_str()));
        return Err(
            finding.help(help.unwrap_or_else(|| "survey the source again, or take it out".to_owned()))
        );
    };
    let Some(ty) = found.ty else {
        let message = format!("{}.{column} is `{}`", table.name, found.sql_type);
        return Err(Finding::new(&UNSUPPORTED, message).help("take the column out; it then stays behind"));
    };
    Ok((found, ty))
}

/// The key's columns: the catalogue's, or the instruction's where the catalogue has none.
fn key(source: &Table, table: &TableOrder) -> Result<Vec<String>, Vec<Finding>> {
    let here = |message: String, span| Finding::new(&KEY, message).at(span).in_file(instruction::FILE);
    let given: Vec<String> = table.key.iter().map(|k| k.value.clone()).collect();
    let first = table.key.first().map_or_else(|| table.name.span.clone(), |k| k.span.clone());
    if !given.is_empty() && !source.key.is_empty() && given != source.key {
        let message = format!("{} has a primary key already: {}", source.name, source.key.join(", "));
        return Err(vec![here(message, first).help("take `key` out")]);
    }
    let key = if source.key.is_empty() { given } else { source.key.clone() };
    let mut findings = Vec::new();
    for column in &key {
        match readable(source, column) {
            Err(finding) => findings.push(finding.at(first.clone()).in_file(instruction::FILE)),
            Ok((found, Type::Float | Type::Single | Type::Json)) => {
                let message = format!(
                    "{}.{column} is `{}`, which engines order differently",
                    source.name, found.sql_type
                );
                findings.push(
                    here(message, first.clone()).help("name another key that is unique and never NULL"),
                );
            }
            Ok((found, _)) if found.nullable && source.key.is_empty() => {
                let message = format!("{}.{column} may be NULL", source.name);
                findings
                    .push(here(message, first.clone()).help("name columns that are unique and never NULL"));
            }
            Ok(_) => {}
        }
        if findings.is_empty() && table.column(column).is_none() {
            let message = format!("{}.{column} is the key and is not granted", source.name);
            let finding = here(message, table.name.span.clone());
            findings.push(
                finding.help(format!("add \"{column}\" to `columns`, so that rows can be found again")),
            );
        }
    }
    if findings.is_empty() { Ok(key) } else { Err(findings) }
}

/// What the format holds and this version does not carry out is refused, never passed over.
fn beyond_this_version(order: &Order) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut refuse = |message: String, span, help: &str| {
        findings.push(Finding::new(&TOO_MUCH, message).at(span).in_file(instruction::FILE).help(help));
    };
    for column in order.tables.iter().flat_map(|t| &t.columns).filter(|c| c.screen != Screen::Pass) {
        let message =
            format!("{} is to be screened, and this version does not look into texts", column.name.value);
        refuse(message, column.name.span.clone(), "write screen = \"pass\", or leave the column out");
    }
    findings
}

/// The relations of the dictionary that the grants cover, and the instruction's own.
fn relate(inputs: &Given<'_>, drafts: &mut [Draft<'_>]) -> Result<(), Vec<Finding>> {
    let mut findings = Vec::new();
    let mut found: Vec<Vec<DraftRelation>> = Vec::new();
    for draft in drafts.iter() {
        let mut relations: Vec<DraftRelation> = Vec::new();
        let mut add = |relation: Option<DraftRelation>| {
            let known = |r: &DraftRelation| {
                relations
                    .iter()
                    .any(|k| (k.column, k.parent, k.parent_column) == (r.column, r.parent, r.parent_column))
            };
            if let Some(relation) = relation.filter(|r| !known(r)) {
                relations.push(relation);
            }
        };
        let surveyed = inputs.dictionary.table(&draft.order.name.value);
        for relation in surveyed.map(|t| t.relations.as_slice()).unwrap_or_default() {
            let granted = draft.order.column(&relation.column.value).is_some();
            add(link(drafts, draft, &relation.column.value, &relation.table, &relation.to)
                .filter(|_| granted));
        }
        for relation in &draft.order.relations {
            let linked =
                link(drafts, draft, &relation.column.value, &relation.table.value, &relation.to.value);
            if linked.is_none() {
                let message = format!(
                    "{}.{} and {}.{} are not two columns of one type in instructed tables",
                    draft.source.name, relation.column.value, relation.table.value, relation.to.value
                );
                let finding = Finding::new(&RELATION, message).at(relation.column.span.clone());
                findings.push(
                    finding
                        .in_file(instruction::FILE)
                        .help("name columns that refer to each other, or take it out"),
                );
            }
            add(linked);
        }
        found.push(relations);
    }
    for (draft, relations) in drafts.iter_mut().zip(found) {
        draft.relations = relations;
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn link(
    drafts: &[Draft<'_>],
    child: &Draft<'_>,
    column: &str,
    table: &str,
    to: &str,
) -> Option<DraftRelation> {
    let parent = drafts.iter().position(|d| d.source.name == table)?;
    let there = drafts.get(parent)?.source;
    let (here_type, there_type) = (readable(child.source, column).ok()?.1, readable(there, to).ok()?.1);
    let relation = DraftRelation {
        column: position(child.source, column)?,
        parent,
        parent_column: position(there, to)?,
    };
    (here_type == there_type).then_some(relation)
}

fn sequence(drafts: &[Draft<'_>]) -> Result<Vec<usize>, Vec<Finding>> {
    let mut chosen = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        chooses(&draft.filter, &mut |table, _| chosen.push((i, table)));
    }
    // reference data come before everything else, as what a filter chooses from does
    let first: Vec<usize> =
        drafts.iter().enumerate().filter(|(_, d)| d.order.reference).map(|(i, _)| i).collect();
    let others = drafts.iter().enumerate().filter(|(_, d)| !d.order.reference);
    chosen.extend(others.flat_map(|(i, _)| first.iter().map(move |j| (i, *j))));
    let relations: Vec<(usize, usize)> =
        drafts.iter().enumerate().flat_map(|(i, d)| d.relations.iter().map(move |r| (i, r.parent))).collect();
    order(drafts.len(), &chosen, &relations).map_err(|circle| {
        let tables: Vec<&Draft<'_>> = circle.iter().filter_map(|i| drafts.get(*i)).collect();
        let names: Vec<&str> = tables.iter().map(|d| d.source.name.as_str()).collect();
        let mut finding = Finding::new(&CIRCLE, names.join(", ")).in_file(instruction::FILE);
        for (n, draft) in tables.iter().enumerate() {
            let span = draft.order.rows.span.clone();
            finding =
                if n == 0 { finding.at(span) } else { finding.also(instruction::FILE, span, "and here") };
        }
        vec![finding.help("choose the rows of at least one of them by its own columns")]
    })
}

/// In the order of the files, each finding once.
fn tidy(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|f| (f.file.clone(), f.span.as_ref().map_or(usize::MAX, |s| s.start)));
    findings.dedup();
    findings
}

/// The name of the view which the controller's administrator makes for a table.
pub(super) fn view(inputs: &Given<'_>, table: &str) -> Option<String> {
    if !inputs.views || inputs.source.engine == Engine::Sqlite {
        return None;
    }
    let hex = inputs.digest.strip_prefix("sha256:").unwrap_or_default();
    let short: String = hex.chars().take(8).collect();
    Some(format!("ecluse_{short}.{}", table.replace('.', "__")))
}
