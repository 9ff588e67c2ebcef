//! One laboratory of several in a base: every instructed table's rows are bound to its legal entity.
//!
//! The entity is named once, by its FINESS number, with the columns that say whose a row is. Each
//! filter must then hold no row of anybody else, and it is the filter's form that says so: the
//! database, the administrator's views and the check of each row in process carry out that same filter.

use super::{FILE, Order, RelationOrder, TableOrder};
use crate::class::Class;
use crate::dictionary::Dictionary;
use crate::fault::Code;
use crate::filter::{Comparison, Filter};
use crate::finding::Finding;
use crate::nearest::suggestion;
use crate::reader::Spanned;
use crate::value::Value;

static UNBOUND: Code = Code::refused("ECL-PLN-047", "a table's rows are not bound to the legal entity");
static PERSONS: Code = Code::refused("ECL-PLN-048", "a shared table holds persons or results");
static NO_COLUMN: Code = Code::refused("ECL-PLN-049", "[entity] does not say which rows are the entity's");

/// The legal entity whose rows move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its FINESS number: nine characters.
    pub finess: Spanned<String>,
    /// The columns that say whose a row is: `table.column`.
    pub columns: Vec<Spanned<String>>,
    /// What stands there, where it is not the FINESS number itself.
    pub value: Option<String>,
}

impl Entity {
    /// What stands in [`Self::columns`] for this entity.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or(&self.finess.value)
    }

    fn is(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => text == self.value(),
            Value::Int(number) => self.value().parse() == Ok(*number),
            _ => false,
        }
    }

    fn marks(&self, table: &str, column: &str) -> bool {
        self.columns.iter().any(|c| c.value.rsplit_once('.') == Some((table, column)))
    }
}

/// Every instructed table whose rows may be somebody else's; nothing where no entity is named.
///
/// `filters` are the tables' filters in the order's own order, columns counted as the dictionary
/// has them; `None` where one could not be read, which is told elsewhere.
pub(super) fn entity(order: &Order, dictionary: &Dictionary, filters: &[Option<Filter>]) -> Vec<Finding> {
    let Some(entity) = &order.entity else { return Vec::new() };
    let mut findings: Vec<Finding> =
        entity.columns.iter().filter_map(|c| unknown(order, dictionary, c)).collect();
    let look = Look { order, dictionary, entity };
    let bound = look.bound(filters);
    for ((table, filter), bound) in order.tables.iter().zip(filters).zip(bound) {
        match &table.shared {
            Some(reason) => findings.extend(look.persons(table, reason)),
            None if bound != Bound::No || filter.is_none() => {}
            None => findings.push(look.unbound(table)),
        }
    }
    findings.into_iter().map(|f| f.in_file(FILE)).collect()
}

fn unknown(order: &Order, dictionary: &Dictionary, place: &Spanned<String>) -> Option<Finding> {
    let known = |(table, column): (&str, &str)| {
        order.table(table).is_some() && dictionary.table(table).is_some_and(|t| t.column(column).is_some())
    };
    if place.value.rsplit_once('.').is_some_and(known) {
        return None;
    }
    let names = order
        .tables
        .iter()
        .filter_map(|t| dictionary.table(&t.name.value))
        .flat_map(|t| t.columns.iter().map(move |c| format!("{}.{}", t.name.value, c.name.value)));
    let names: Vec<String> = names.collect();
    let help = suggestion(&place.value, names.iter().map(String::as_str));
    let finding = Finding::new(&NO_COLUMN, format!("{} is no column of an instructed table", place.value));
    Some(finding.at(place.span.clone()).help(help.unwrap_or_else(|| "write TABLE.COLUMN".to_owned())))
}

/// Whose rows a filter chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    /// Perhaps somebody else's.
    No,
    /// Rows that the entity's refer to: a patient of two laboratories is one. What hangs on such a
    /// row may be anybody's.
    Used,
    /// The entity's own, and so is what hangs on them.
    Own,
}

struct Look<'a> {
    order: &'a Order,
    dictionary: &'a Dictionary,
    entity: &'a Entity,
}

impl Look<'_> {
    /// Per table: what its filter chooses. A table chosen through a bound one is bound, through as many
    /// as there are; circles bind nothing.
    fn bound(&self, filters: &[Option<Filter>]) -> Vec<Bound> {
        let mut bound = vec![Bound::No; filters.len()];
        for _ in filters {
            let next = filters.iter().enumerate().map(|(number, filter)| {
                filter.as_ref().map_or(Bound::No, |filter| self.holds(number, filter, &bound))
            });
            bound = next.collect();
        }
        bound
    }

    fn holds(&self, number: usize, filter: &Filter, bound: &[Bound]) -> Bound {
        let own = |column: usize, is: bool| {
            let marks = self.name(number, column).is_some_and(|(t, c)| self.entity.marks(t, c));
            if marks && is { Bound::Own } else { Bound::No }
        };
        match filter {
            Filter::Compare { column, op: Comparison::Eq, value } => own(*column, self.entity.is(value)),
            Filter::OneOf { column, values } => own(*column, values.iter().all(|v| self.entity.is(v))),
            Filter::Chosen { column, table, other } => {
                let (Some(here), Some(there)) = (self.name(number, *column), self.name(*table, *other))
                else {
                    return Bound::No;
                };
                match bound.get(*table) {
                    Some(Bound::Own) if self.related(here, there) => Bound::Own,
                    Some(Bound::Own | Bound::Used) if self.related(there, here) => Bound::Used,
                    _ => Bound::No,
                }
            }
            Filter::And(all) => all.iter().map(|f| self.holds(number, f, bound)).max().unwrap_or(Bound::No),
            Filter::Or(any) => any.iter().map(|f| self.holds(number, f, bound)).min().unwrap_or(Bound::No),
            // what is denied, greater or NULL may be anybody's
            Filter::Every
            | Filter::Compare { .. }
            | Filter::IsNull { .. }
            | Filter::StartsWith { .. }
            | Filter::Not(_) => Bound::No,
        }
    }

    /// The table's and the column's name.
    fn name(&self, number: usize, column: usize) -> Option<(&str, &str)> {
        let table = self.order.tables.get(number)?.name.value.as_str();
        Some((table, self.dictionary.table(table)?.columns.get(column)?.name.value.as_str()))
    }

    /// Whether the one refers to the other: two equal first names make no relation.
    fn related(&self, child: (&str, &str), parent: (&str, &str)) -> bool {
        let surveyed = self.dictionary.table(child.0).map(|t| t.relations.as_slice()).unwrap_or_default();
        let ordered = self.order.table(child.0).map(|t| t.relations.as_slice()).unwrap_or_default();
        surveyed
            .iter()
            .any(|r| (r.column.value.as_str(), (r.table.as_str(), r.to.as_str())) == (child.1, parent))
            || ordered.iter().any(|r: &RelationOrder| {
                (r.column.value.as_str(), (r.table.value.as_str(), r.to.value.as_str())) == (child.1, parent)
            })
    }

    fn unbound(&self, table: &TableOrder) -> Finding {
        let name = &table.name.value;
        let finding = Finding::new(&UNBOUND, format!("{name} may hold rows of another legal entity"));
        let finding = finding.at(table.rows.span.clone()).law("GDPR Art. 28(3)(a): nobody instructed them");
        let value = match self.entity.value().parse::<i64>() {
            Ok(_) if self.entity.value.is_some() => self.entity.value().to_owned(),
            _ => format!("\"{}\"", self.entity.value()),
        };
        let own =
            self.entity.columns.iter().find_map(|c| c.value.rsplit_once('.').filter(|(t, _)| t == name));
        finding.help(match own {
            Some((_, column)) => format!("write rows = '{column} == {value}', joined by && with what stands there"),
            None => format!(
                "choose the rows by a relation to a bound table (COLUMN in chosen.TABLE), name {name}'s own column under [entity], \
                 or, for reference data, write shared = \"why it is everybody's\""
            ),
        })
    }

    fn persons(&self, table: &TableOrder, reason: &Spanned<String>) -> Option<Finding> {
        let (column, class) = about_persons(table, self.dictionary)?;
        let finding = Finding::new(&PERSONS, format!("{}.{column} is {class}", table.name.value));
        Some(finding.at(reason.span.clone()).law("GDPR Art. 9").help("bind its rows to the entity"))
    }
}

/// The first ordered column that is about a person, and its class.
pub(crate) fn about_persons<'a>(table: &'a TableOrder, dictionary: &Dictionary) -> Option<(&'a str, Class)> {
    let surveyed = dictionary.table(&table.name.value)?;
    let about = |name: &str| {
        surveyed.column(name).map(|c| c.class).filter(|class| {
            matches!(
                class,
                Class::Identity
                    | Class::Contact
                    | Class::NationalIdentifier
                    | Class::Result
                    | Class::SensitiveResult
                    | Class::Attachment
            )
        })
    };
    table.columns.iter().find_map(|c| about(&c.name.value).map(|class| (c.name.value.as_str(), class)))
}
