//! What the order has returned to the controller: an order of its own, made of the signed one and never written.
//!
//! Every column of a class whose fate is `return`, wherever something of the class stays, with its table's key, so
//! that the rows can be joined again; as it is, and every row that the signed order lets be the laboratory's. Where
//! one base holds several laboratories (`[entity]`), a table's rows are chosen by the entity alone, and the check of
//! orders is asked whether that binds them: no row of another laboratory is handed out because of a fate.

use std::collections::{BTreeMap, BTreeSet};

use super::{ColumnOrder, Entity, FILE, Fate, Order, Screen, TableOrder, Toward, staying};
use crate::class::Class;
use crate::classify::is_credential;
use crate::dictionary::{Dictionary, Table};
use crate::fault::Code;
use crate::finding::Finding;
use crate::mapping::{ColumnMap, Make, Mapping, TableMap};
use crate::reader::Spanned;
use crate::types::Type;

/// The order names no key of the controller's.
pub static NO_RECIPIENT: Code =
    Code::refused("ECL-RET-001", "the order does not say to which key classes are returned");
/// No class that stays has this fate.
pub static NO_RETURN: Code = Code::refused("ECL-RET-002", "nothing that stays is to be returned");
static CREDENTIAL: Code = Code::refused("ECL-RET-003", "a credential is not returned");
static WHOSE: Code = Code::refused("ECL-RET-004", "it cannot be told whose rows of a table are");
static NOT_ALONE: Code =
    Code::refused("ECL-RET-006", "the order does not say whether the source holds other laboratories' rows");
static NAMES_FILES: Code =
    Code::refused("ECL-RET-005", "a column that is to be returned names files, which no archive holds");

/// The classes that are to be returned and of which something stays.
#[must_use]
pub fn returning(order: &Order, dictionary: &Dictionary) -> BTreeSet<Class> {
    let stays = staying(order, dictionary);
    stays.into_iter().filter(|column| column.fate == Some(Fate::Return)).map(|column| column.class).collect()
}

/// The order and the mapping that return them. Nothing but [`crate::plan`] compiles them.
///
/// # Errors
/// [`NO_RECIPIENT`], [`NO_RETURN`]; what cannot be returned, or not without another laboratory's rows.
pub(crate) fn derived(order: &Order, dictionary: &Dictionary) -> Result<(Order, Mapping), Vec<Finding>> {
    let classes = returning(order, dictionary);
    if classes.is_empty() {
        let finding = Finding::new(&NO_RETURN, "no class of [stays] has the fate \"return\"").in_file(FILE);
        return Err(vec![finding.help("ecluse plan --stays lists the fates")]);
    }
    let Some(back) = &order.back else { return Err(vec![without_recipient(&classes)]) };
    let mut findings = Vec::new();
    if order.entity.is_none() && !back.alone {
        let finding =
            Finding::new(&NOT_ALONE, "it has no [entity]").at(back.to.age.span.clone()).in_file(FILE);
        findings.push(finding.law("GDPR Art. 28(3)(a): nobody instructed another laboratory's rows").help(
            "write  alone = true  under [return] where every row is this laboratory's; else name it under [entity]",
        ));
    }
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in dictionary.tables.iter().filter(|table| holds_rows(table)) {
        let of_class = |class: Class| classes.contains(&class);
        if table.columns.iter().any(|column| of_class(column.class)) {
            let key = key(order, table);
            let named = |name: &str| key.contains(&name);
            let columns: Vec<&str> = table
                .columns
                .iter()
                .filter(|column| of_class(column.class) || named(&column.name.value))
                .map(|column| column.name.value.as_str())
                .collect();
            findings.extend(refused(order, table, &columns));
            wanted.insert(&table.name.value, columns);
        }
    }
    let scope = Scope::of(order, dictionary);
    let mut tables: BTreeMap<&str, TableOrder> = BTreeMap::new();
    // what a table's rows are chosen through comes along with its key, and nothing else of it
    let mut asked: Vec<(&str, Option<&str>)> = wanted.keys().map(|name| (*name, None)).collect();
    while let Some((name, through)) = asked.pop() {
        let Some(table) = dictionary.table(name) else { continue };
        if tables.contains_key(name) {
            continue;
        }
        match scope.rows(table) {
            Ok(Rows { text, through: others, shared }) => {
                let columns = wanted.get(name).cloned().unwrap_or_else(|| {
                    let key = key(order, table);
                    if key.is_empty() { through.into_iter().collect() } else { key }
                });
                asked.extend(others.into_iter().map(|(other, column)| (other, Some(column))));
                tables.insert(name, ordered(order, table, &columns, text, shared));
            }
            Err(finding) => findings.push(finding.in_file(FILE)),
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    // in the dictionary's order, whatever was found first
    let tables: Vec<TableOrder> =
        dictionary.tables.iter().filter_map(|table| tables.remove(table.name.value.as_str())).collect();
    let mapping = Mapping {
        digest: String::new(),
        codes: Vec::new(),
        append: None,
        tables: tables.iter().map(identity).collect(),
    };
    let names: Vec<String> = tables.iter().map(|table| table.name.value.clone()).collect();
    let entity = order.entity.as_ref().map(|entity| within(entity, &names));
    let mut source = order.source.clone();
    source.schema = Some(placed(dictionary.schema(&names)));
    let derived = Order {
        mapping: placed(String::new()),
        toward: Toward::Sealed(back.to.clone()),
        // one row that cannot be read exactly, and the return would not be complete
        tolerance: 0,
        // whoever stays behind stays the laboratory's: it gets them back with the others
        excluded: None,
        entity,
        source,
        tables,
        dossier: None,
        pending: None,
        unfinished: Vec::new(),
        ..order.clone()
    };
    Ok((derived, mapping))
}

/// What `[stays]` has returned, to nobody.
pub(crate) fn without_recipient(classes: &BTreeSet<Class>) -> Finding {
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    let finding = Finding::new(&NO_RECIPIENT, format!("to return: {}", names.join(", "))).in_file(FILE);
    finding.law("GDPR Art. 28(3)(g)").help(
        "the laboratory makes a key and states it: ecluse recipient new --return; cite it under [return] (ecluse recipient show --return)",
    )
}

/// Whether rows of its own lie in it; of a view they lie in the tables that it reads.
fn holds_rows(table: &Table) -> bool {
    !matches!(table.kind.as_str(), "view" | "materialized" | "shadow")
}

/// The key: the database's, or the order's where it declares none.
fn key<'a>(order: &'a Order, table: &'a Table) -> Vec<&'a str> {
    if table.key.is_empty() {
        let given = order.table(&table.name.value).map(|t| t.key.as_slice()).unwrap_or_default();
        return given.iter().map(|k| k.value.as_str()).collect();
    }
    table.key.iter().map(String::as_str).collect()
}

/// What of a table cannot be returned.
fn refused(order: &Order, table: &Table, columns: &[&str]) -> Vec<Finding> {
    let name = &table.name.value;
    let files = order.table(name).map(|t| t.files.as_slice()).unwrap_or_default();
    let mut findings = Vec::new();
    for column in columns {
        let class = table.column(column).map(|c| c.class);
        if class == Some(Class::Credential) || is_credential(name, column) {
            let finding = Finding::new(&CREDENTIAL, format!("{name}.{column}")).in_file(FILE);
            findings.push(
                finding.law("GDPR Art. 32(1): it would open the old system to whoever has it").help(
                    "name its class credential in dictionary.toml, with the fate \"destroy\" or \"keep\"",
                ),
            );
        }
        if files.iter().any(|named| named.column.value == *column) {
            let finding = Finding::new(&NAMES_FILES, format!("{name}.{column}")).in_file(FILE);
            findings.push(finding.help(
                "give the class the fate \"keep\" or \"destroy\", and let the laboratory take its files itself",
            ));
        }
    }
    findings
}

fn ordered(
    order: &Order,
    table: &Table,
    columns: &[&str],
    rows: String,
    shared: Option<Spanned<String>>,
) -> TableOrder {
    let signed = order.table(&table.name.value);
    let column = |name: &&str| ColumnOrder {
        name: placed((*name).to_owned()),
        reason: Some(placed("returned to the controller".to_owned())),
        screen: Screen::Pass,
    };
    TableOrder {
        name: placed(table.name.value.clone()),
        label: table.label.clone(),
        columns: columns.iter().map(column).collect(),
        rows: placed(rows),
        shared,
        reference: false,
        key: signed.map(|t| t.key.clone()).unwrap_or_default(),
        relations: Vec::new(),
        files: Vec::new(),
        span: 0..0,
    }
}

/// A table's map to itself.
fn identity(table: &TableOrder) -> TableMap {
    let column = |column: &ColumnOrder| ColumnMap {
        to: column.name.clone(),
        make: Make::Column(column.name.clone()),
        required: false,
    };
    TableMap {
        from: table.name.clone(),
        to: table.name.clone(),
        columns: table.columns.iter().map(column).collect(),
        span: 0..0,
    }
}

/// The entity's columns as far as their tables are returned.
fn within(entity: &Entity, tables: &[String]) -> Entity {
    let is_there = |place: &&Spanned<String>| {
        place.value.rsplit_once('.').is_some_and(|(table, _)| tables.iter().any(|name| name == table))
    };
    Entity { columns: entity.columns.iter().filter(is_there).cloned().collect(), ..entity.clone() }
}

fn placed<T>(value: T) -> Spanned<T> {
    Spanned::new(value, 0..0)
}

/// Which rows of a table, and through which columns of others.
struct Rows<'a> {
    text: String,
    through: Vec<(&'a str, &'a str)>,
    shared: Option<Spanned<String>>,
}

/// A relation of a table's column to another's.
#[derive(Clone, Copy)]
struct Leads<'a> {
    column: &'a str,
    table: &'a str,
    to: &'a str,
}

/// Whose rows are whose, where the order names an entity.
struct Scope<'a> {
    order: &'a Order,
    dictionary: &'a Dictionary,
    /// Tables whose rows are the entity's own, and after how many relations that is known.
    own: BTreeMap<&'a str, usize>,
}

impl<'a> Scope<'a> {
    fn of(order: &'a Order, dictionary: &'a Dictionary) -> Self {
        let mut scope = Self { order, dictionary, own: BTreeMap::new() };
        let Some(entity) = &order.entity else { return scope };
        let marked = |table: &&'a Table| !scope.marks(entity, table).is_empty();
        scope.own = dictionary.tables.iter().filter(marked).map(|t| (t.name.value.as_str(), 0)).collect();
        for depth in 1..=dictionary.tables.len() {
            let leads = |table: &&'a Table| {
                !scope.own.contains_key(table.name.value.as_str())
                    && !scope.is_shared(table)
                    && !scope.parents(table, depth).is_empty()
            };
            let more: Vec<&str> =
                dictionary.tables.iter().filter(leads).map(|t| t.name.value.as_str()).collect();
            if more.is_empty() {
                break;
            }
            scope.own.extend(more.into_iter().map(|name| (name, depth)));
        }
        scope
    }

    /// The rows of a table that are the laboratory's to have back.
    #[expect(clippy::result_large_err, reason = "a finding ends the compilation; nothing is hot here")]
    fn rows(&self, table: &'a Table) -> Result<Rows<'a>, Finding> {
        let name = table.name.value.as_str();
        let every = |shared| Rows { text: "true".to_owned(), through: Vec::new(), shared };
        let Some(entity) = &self.order.entity else { return Ok(every(None)) };
        if let Some(shared) = self.order.table(name).and_then(|t| t.shared.clone()) {
            return Ok(every(Some(shared)));
        }
        match (self.marks(entity, table).as_slice(), self.own.get(name)) {
            ([], None) => self.used(table),
            ([], Some(depth)) => Ok(Self::chosen(&self.parents(table, *depth))),
            ([mark], _) => {
                let value = value(entity, table.type_of(mark));
                Ok(Rows { text: format!("{} == {value}", column(mark)), through: Vec::new(), shared: None })
            }
            _ => Err(Finding::new(&WHOSE, format!("{name}: several columns of [entity] say it"))
                .help("leave the one under [entity] that decides")),
        }
    }

    /// Rows of a child, through each parent whose rows are the entity's own; one that names a parent of somebody
    /// else's is not among them.
    fn chosen(parents: &[Leads<'a>]) -> Rows<'a> {
        let through: Vec<(&str, &str)> = parents.iter().map(|leads| (leads.table, leads.to)).collect();
        let one =
            |leads: &Leads<'_>| format!("{} in {}", column(leads.column), chosen(leads.table, leads.to));
        let all: Vec<String> = parents.iter().map(one).collect();
        let text = match all.as_slice() {
            [only] => only.clone(),
            _ => {
                let each = parents.iter().zip(&all);
                let each = each.map(|(leads, one)| format!("({one} || {} == null)", column(leads.column)));
                format!("{} && ({})", each.collect::<Vec<_>>().join(" && "), all.join(" || "))
            }
        };
        Rows { text, through, shared: None }
    }

    /// Rows to which the entity's own refer, where the signed order takes them for the entity's too: the patients of
    /// its requests.
    #[expect(clippy::result_large_err, reason = "a finding ends the compilation; nothing is hot here")]
    fn used(&self, table: &'a Table) -> Result<Rows<'a>, Finding> {
        let name = table.name.value.as_str();
        let mut through = Vec::new();
        let mut parts = Vec::new();
        if self.order.table(name).is_some() {
            for child in
                self.dictionary.tables.iter().filter(|t| self.own.contains_key(t.name.value.as_str()))
            {
                for leads in self.leads(child).into_iter().filter(|leads| leads.table == name) {
                    let there = child.name.value.as_str();
                    through.push((there, leads.column));
                    parts.push(format!("{} in {}", column(leads.to), chosen(there, leads.column)));
                }
            }
        }
        if parts.is_empty() {
            let finding = Finding::new(&WHOSE, name.to_owned());
            return Err(finding.law("GDPR Art. 28(3)(a): nobody instructed another laboratory's rows").help(
                "name the table's own column under [entity], add its relation to a table that has one in dictionary.toml, or give the class another fate",
            ));
        }
        Ok(Rows { text: parts.join(" || "), through, shared: None })
    }

    /// Relations to tables that were known to be the entity's own before this depth.
    fn parents(&self, table: &'a Table, depth: usize) -> Vec<Leads<'a>> {
        let own = |leads: &Leads<'_>| self.own.get(leads.table).is_some_and(|known| *known < depth);
        self.leads(table).into_iter().filter(own).collect()
    }

    /// The relations of the dictionary and of the order, between columns of one type.
    fn leads(&self, table: &'a Table) -> Vec<Leads<'a>> {
        let surveyed =
            table.relations.iter().map(|r| Leads { column: &r.column.value, table: &r.table, to: &r.to });
        let ordered = self.order.table(&table.name.value).map(|t| t.relations.as_slice()).unwrap_or_default();
        let ordered =
            ordered.iter().map(|r| Leads { column: &r.column.value, table: &r.table.value, to: &r.to.value });
        let mut found: Vec<Leads<'a>> = Vec::new();
        for leads in surveyed.chain(ordered).filter(|leads| leads.table != table.name.value) {
            let there = self.dictionary.table(leads.table).and_then(|t| t.type_of(leads.to));
            let known =
                found.iter().any(|k| (k.column, k.table, k.to) == (leads.column, leads.table, leads.to));
            if !known && there.is_some() && there == table.type_of(leads.column) {
                found.push(leads);
            }
        }
        found
    }

    /// The columns of `[entity]` in this table.
    fn marks(&self, entity: &'a Entity, table: &Table) -> Vec<&'a str> {
        let own = |place: &'a Spanned<String>| {
            let (there, column) = place.value.rsplit_once('.')?;
            (there == table.name.value && table.column(column).is_some()).then_some(column)
        };
        entity.columns.iter().filter_map(own).collect()
    }

    fn is_shared(&self, table: &Table) -> bool {
        self.order.table(&table.name.value).is_some_and(|t| t.shared.is_some())
    }
}

/// A column as a filter names it, whatever it is called.
fn column(name: &str) -> String {
    format!("col[{}]", quoted(name))
}

fn chosen(table: &str, column: &str) -> String {
    format!("chosen[{}][{}]", quoted(table), quoted(column))
}

fn value(entity: &Entity, ty: Option<Type>) -> String {
    match ty {
        Some(Type::Int) if entity.value().parse::<i64>().is_ok() => entity.value().to_owned(),
        _ => quoted(entity.value()),
    }
}

/// A text as CEL takes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
