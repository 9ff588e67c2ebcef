//! A whole dossier: which rows belong to a row of the dossier's table.
//!
//! The rule follows the plan's relations, and what the filters say of them (`COLUMN in chosen.TABLE`).
//! A child's column refers to its parent's; a table stands to the dossier in one of five ways ([`Way`]):
//!
//! - what the dossier's own row refers to, however far, is its **ancestor** (patient, prescriber), and so is
//!   what its descendants refer to and is none of them (validator, analysis of the catalogue): the rows
//!   referred to belong to it, and no other row of these tables;
//! - what refers to the dossier, however far and not through an ancestor, is its **descendant** (specimens,
//!   results): all such rows belong to it;
//! - what refers to an ancestor only stands **beside** it (a patient's contacts): a row belongs to it
//!   where every row it refers to does;
//! - what is tied to none of these is **reference** data, and belongs to every dossier.
//!
//! A table reached both ways is an ancestor where the dossier's own row leads to it (a patient that names
//! its last request), else a descendant (the specimen of a result). A row of the dossier's table that
//! something of a dossier refers to is a dossier itself and comes whole: nothing is left dangling, and
//! no dossier is half there. Circles end, since a row belongs to a dossier once.

use std::collections::BTreeSet;

use super::{Plan, TablePlan};
use crate::fault::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::instruction::{self, Order, granted, ordered};
use crate::reader::Spanned;

static NO_KEY: Code = Code::refused("ECL-PLN-061", "the dossier's table has no key");
static NOT_OF_IT: Code =
    Code::refused("ECL-PLN-062", "a kind of dossier stands in a table that is not one of a dossier's");

/// How a table stands to the dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Each of its rows is one dossier.
    Dossier,
    /// Its rows refer to a dossier.
    Descendant,
    /// A dossier refers to its rows.
    Ancestor,
    /// Its rows refer to ancestors, and to no dossier.
    Beside,
    /// Tied to no dossier.
    Reference,
}

/// A child's column that refers to a parent's; tables by number, columns among the read ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The table that refers.
    pub child: usize,
    /// Its column.
    pub column: usize,
    /// The table referred to.
    pub parent: usize,
    /// The column referred to.
    pub parent_column: usize,
}

/// What a plan's dossiers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossiers {
    table: usize,
    kinds: Vec<Kind>,
    edges: Vec<Edge>,
    ways: Vec<Way>,
}

/// A kind of dossier: one of its rows is such that the filter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// The table's number.
    pub table: usize,
    /// Over that table's read columns; looks at no other table.
    pub filter: Filter,
}

impl Dossiers {
    /// The table each of whose rows is one dossier.
    #[must_use]
    pub const fn table(&self) -> usize {
        self.table
    }

    /// The kinds to look for.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Everything along which rows belong together.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// How a table stands to the dossier.
    #[must_use]
    pub fn way(&self, table: usize) -> Way {
        self.ways.get(table).copied().unwrap_or(Way::Reference)
    }

    /// Whether rows of the child belong to what they name along this edge: down to specimens and results.
    #[must_use]
    pub fn is_down(&self, edge: &Edge) -> bool {
        self.way(edge.child) == Way::Descendant
            && matches!(self.way(edge.parent), Way::Dossier | Way::Descendant)
    }

    /// Whether the row named along this edge belongs to a dossier with the row that names it.
    #[must_use]
    pub fn is_up(&self, edge: &Edge) -> bool {
        let within = |table| !matches!(self.way(table), Way::Beside | Way::Reference);
        within(edge.child) && within(edge.parent)
    }

    /// Whether rows of the child belong to it only where the row they name along this edge does.
    #[must_use]
    pub fn is_beside(&self, edge: &Edge) -> bool {
        self.way(edge.child) == Way::Beside && self.way(edge.parent) != Way::Reference
    }

    /// Dossiers nobody ordered, for tests: those of these tables.
    #[cfg(feature = "assertions")]
    #[must_use]
    pub fn of(tables: &[TablePlan], table: usize, kinds: Vec<Kind>) -> Self {
        shaped(tables, table, kinds)
    }
}

/// What the order says a dossier is, over the plan's tables; `parse` gives a kind's filter over its table's
/// read columns. `None` where the order says nothing.
///
/// # Errors
/// [`NO_KEY`], [`NOT_OF_IT`].
pub(super) fn dossiers(
    order: &Order,
    tables: &[TablePlan],
    parse: &dyn Fn(&instruction::TableOrder, &Spanned<String>) -> Option<Filter>,
) -> Result<Option<Dossiers>, Vec<Finding>> {
    let Some(dossier) = &order.dossier else { return Ok(None) };
    let number = |name: &Spanned<String>| tables.iter().position(|t| t.source == name.value);
    // that both are ordered was checked with the order itself
    let Some(table) = number(&dossier.table) else { return Ok(None) };
    let mut findings = Vec::new();
    if tables.get(table).is_none_or(|t| t.key.is_empty()) {
        let finding = Finding::new(&NO_KEY, dossier.table.value.clone()).at(dossier.table.span.clone());
        findings.push(finding.in_file(instruction::FILE).help("name its key in the order: key = [\"…\"]"));
    }
    let mut kinds = Vec::new();
    for kind in &dossier.kinds {
        let name = dossier.table_of(kind);
        let Ok(ordered) = ordered(order, name) else { continue };
        let (Some(table), Some(filter)) = (number(name), parse(ordered, &kind.filter)) else { continue };
        kinds.push(Kind { name: kind.name.value.clone(), table, filter });
    }
    let found = shaped(tables, table, kinds);
    for (kind, said) in found.kinds.iter().zip(&dossier.kinds) {
        if matches!(found.way(kind.table), Way::Beside | Way::Reference) {
            let name = dossier.table_of(said);
            let message = format!(
                "{2}: no row of {1} refers to {0}, nor the other way round",
                name.value, dossier.table.value, kind.name
            );
            let finding = Finding::new(&NOT_OF_IT, message).at(name.span.clone()).in_file(instruction::FILE);
            findings.push(finding.help("say it of the dossier's table, of one that refers to it or that it refers to; name the relation where the dictionary has none"));
        }
    }
    if findings.is_empty() { Ok(Some(found)) } else { Err(findings) }
}

fn shaped(tables: &[TablePlan], table: usize, kinds: Vec<Kind>) -> Dossiers {
    let edges = edges(tables);
    let ways = ways(tables.len(), &edges, table);
    Dossiers { table, kinds, edges, ways }
}

/// Every relation, and every membership that a filter demands and that names a key: the other table's
/// (`id_dossier in chosen.dossier`), or the table's own (`id in chosen.dossier.id_patient`).
pub(super) fn edges(tables: &[TablePlan]) -> Vec<Edge> {
    let mut edges = BTreeSet::new();
    for (child, table) in tables.iter().enumerate() {
        edges.extend(table.relations.iter().map(|r| Edge {
            child,
            column: r.column,
            parent: r.parent,
            parent_column: r.parent_column,
        }));
        demanded(&table.filter, &mut |column, other, there| {
            let is_key = |number: usize, column: usize| tables.get(number).is_some_and(|t| t.key == [column]);
            if is_key(other, there) {
                edges.insert(Edge { child, column, parent: other, parent_column: there });
            } else if is_key(child, column) {
                edges.insert(Edge { child: other, column: there, parent: child, parent_column: column });
            }
        });
    }
    edges.into_iter().collect()
}

/// Memberships without which the filter cannot hold: (own column, other table, its column).
pub(super) fn demanded(filter: &Filter, found: &mut dyn FnMut(usize, usize, usize)) {
    match filter {
        Filter::Chosen { column, table, other } => found(*column, *table, *other),
        Filter::And(all) => all.iter().for_each(|f| demanded(f, found)),
        _ => {}
    }
}

/// How each of `count` tables stands to the dossier's.
fn ways(count: usize, edges: &[Edge], dossier: usize) -> Vec<Way> {
    let reach =
        |from: BTreeSet<usize>, step: &dyn Fn(&Edge) -> (usize, usize), through: &dyn Fn(usize) -> bool| {
            let (mut reached, mut ahead) = (from.clone(), Vec::from_iter(from));
            while let Some(table) = ahead.pop() {
                for (_, to) in edges.iter().map(step).filter(|(here, to)| *here == table && through(*to)) {
                    if reached.insert(to) {
                        ahead.push(to);
                    }
                }
            }
            reached
        };
    let up = |edge: &Edge| (edge.child, edge.parent);
    let down = |edge: &Edge| (edge.parent, edge.child);
    // first what the dossier's own row leads to: a descendant is not found through these
    let own = reach(BTreeSet::from([dossier]), &up, &|_| true);
    let descendants = reach(BTreeSet::from([dossier]), &down, &|to| !own.contains(&to));
    let ancestors = reach(descendants.clone(), &up, &|_| true);
    let beside = reach(ancestors.clone(), &down, &|_| true);
    let way = |table: usize| match table {
        _ if table == dossier => Way::Dossier,
        _ if descendants.contains(&table) => Way::Descendant,
        _ if ancestors.contains(&table) => Way::Ancestor,
        _ if beside.contains(&table) => Way::Beside,
        _ => Way::Reference,
    };
    (0..count).map(way).collect()
}

/// The filter of a kind, from the source table's columns to the plan's: all are granted, so all are read.
pub(super) fn filter_of<'a>(
    table: &instruction::TableOrder,
    text: &Spanned<String>,
    catalog: &dyn Fn(&str) -> Option<&'a crate::catalog::Table>,
    plan: &[TablePlan],
) -> Option<Filter> {
    let own = catalog(&table.name.value)?;
    let filter = granted(table, text, catalog).ok()?;
    let read = &plan.iter().find(|t| t.source == table.name.value)?.read;
    let place = |column: usize| {
        let name = &own.columns.get(column)?.name;
        read.iter().position(|c| c.name == *name)
    };
    super::rows::moved(&filter, &place, &|_, _| None)
}

impl Plan {
    /// What a dossier is, where the order says it.
    #[must_use]
    pub const fn dossiers(&self) -> Option<&Dossiers> {
        self.dossiers.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, Way, ways};

    const PATIENT: usize = 0;
    const REQUEST: usize = 1;
    const SPECIMEN: usize = 2;
    const RESULT: usize = 3;
    const USER: usize = 4;
    const CONTACT: usize = 5;
    const UNIT: usize = 6;

    fn of(pairs: &[(usize, usize)]) -> Vec<Way> {
        let edges: Vec<Edge> = pairs
            .iter()
            .map(|(child, parent)| Edge { child: *child, column: 1, parent: *parent, parent_column: 0 })
            .collect();
        ways(7, &edges, REQUEST)
    }

    const LABORATORY: [(usize, usize); 6] = [
        (REQUEST, PATIENT),
        (SPECIMEN, REQUEST),
        (RESULT, REQUEST),
        (RESULT, SPECIMEN),
        (RESULT, USER),
        (CONTACT, PATIENT),
    ];

    #[test]
    fn patients_are_above_results_below_and_the_rest_beside() {
        use Way::{Ancestor, Beside, Descendant, Dossier, Reference};
        // the specimen is reached both ways: as what refers to the request, and as what a result refers to
        assert_eq!(of(&LABORATORY), [Ancestor, Dossier, Descendant, Descendant, Ancestor, Beside, Reference]);
    }

    #[test]
    fn a_patient_that_names_its_last_request_stays_an_ancestor() {
        let circle = [&LABORATORY[..], &[(PATIENT, REQUEST)]].concat();
        assert_eq!(of(&circle), of(&LABORATORY));
    }

    #[test]
    fn requests_that_name_each_other_and_specimens_that_do_change_nothing() {
        let knots =
            [&LABORATORY[..], &[(REQUEST, REQUEST), (SPECIMEN, SPECIMEN), (SPECIMEN, RESULT)]].concat();
        assert_eq!(of(&knots), of(&LABORATORY));
    }

    #[test]
    fn what_hangs_on_what_stands_beside_stands_beside_too() {
        let further = [&LABORATORY[..], &[(UNIT, CONTACT)]].concat();
        assert_eq!(of(&further)[UNIT], Way::Beside);
        // reference data that a table beside refers to stays reference data
        let below = [&LABORATORY[..], &[(CONTACT, UNIT)]].concat();
        assert_eq!(of(&below)[UNIT], Way::Reference);
    }
}
