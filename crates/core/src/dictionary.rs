//! The data dictionary: what a survey found, with a class and a label per column.
//!
//! Drafted from the catalogue, then corrected by the engineer (classes, labels, and
//! the relations which the database does not declare). An instruction cites its digest,
//! so that the classes a person signed under are the classes that were checked.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::catalog::{Catalog, ForeignKey};
use crate::class::Class;
use crate::classify::{Context, propose};
use crate::fault::Code;
use crate::finding::Finding;
use crate::nearest::suggestion;
use crate::plain::shown;
use crate::reader::{Codes, Fields, Reader, Spanned, as_table, quote};
use crate::related::{Proposed, Shape, by_name};
use crate::types::{Engine, Type};

/// The format this version writes and reads.
pub const FORMAT: &str = "ecluse-dictionary/1";

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-DIC-001", "the dictionary is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-DIC-002", "unknown key in the dictionary");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-DIC-003", "the dictionary lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-DIC-004", "a value of the dictionary has the wrong form");
/// A name twice.
pub static TWICE: Code = Code::refused("ECL-DIC-005", "the dictionary names this twice");
/// A relation that leads nowhere.
pub static NO_TARGET: Code =
    Code::refused("ECL-DIC-006", "this relation leads to a column that is not there");

pub(crate) static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// A dictionary, read or drafted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dictionary {
    /// The digest of the bytes it was read from: what an instruction cites.
    pub digest: String,
    /// The surveyed engine.
    pub engine: Engine,
    /// The database's name.
    pub database: String,
    /// The instance's identity.
    pub identity: String,
    /// The digest of the survey mandate that allowed the look; empty where it was drafted without one.
    pub mandate: String,
    /// The tables, in the document's order.
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name, as the catalogue writes it.
    pub name: Spanned<String>,
    /// What the laboratory calls it; may be empty.
    pub label: String,
    /// `table`, `view` …, as the catalogue says.
    pub kind: String,
    /// Whether its rows are the patients: a difference in a relation that leads here is a changed patient.
    pub patients: bool,
    /// The digest of the table as it was surveyed ([`crate::digest::of_table`]).
    pub digest: String,
    /// The primary key; empty where there is none.
    pub key: Vec<String>,
    /// The columns, in the engine's order.
    pub columns: Vec<Column>,
    /// Relations to other tables, one column each.
    pub relations: Vec<Relation>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: Spanned<String>,
    /// What the laboratory calls it; may be empty.
    pub label: String,
    /// The engine's own words for the type.
    pub sql_type: String,
    /// The type on the way, as a word; empty where écluse refuses the type by code.
    pub ty: String,
    /// The class.
    pub class: Class,
    /// Why it has this class.
    pub reason: String,
}

/// A relation of one column to one column of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The column here.
    pub column: Spanned<String>,
    /// The table there.
    pub table: String,
    /// The column there.
    pub to: String,
    /// Whether the database declares it; else the engineer gave it.
    pub declared: bool,
}

impl Dictionary {
    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name.value == name)
    }

    /// The surveyed names and types as a catalogue, for checks that need no more.
    pub(crate) fn as_catalog(&self) -> Catalog {
        let tables = self.tables.iter().map(Table::as_catalog).collect();
        Catalog {
            engine: self.engine,
            database: self.database.clone(),
            identity: self.identity.clone(),
            tables,
        }
    }

    /// The schema digest of these tables as they were surveyed; tables that are not here are left out.
    #[must_use]
    pub fn schema(&self, tables: &[String]) -> String {
        let known: BTreeMap<&str, &Table> =
            self.tables.iter().rev().map(|t| (t.name.value.as_str(), t)).collect();
        let found: Vec<(String, String)> = tables
            .iter()
            .filter_map(|name| known.get(name.as_str()))
            .map(|t| (t.name.value.clone(), t.digest.clone()))
            .collect();
        crate::digest::of_tables(&found)
    }
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name.value == name)
    }
}

impl Table {
    /// A column's type on the way; `None` where there is no such column, or this version cannot read it.
    #[must_use]
    pub fn type_of(&self, column: &str) -> Option<Type> {
        self.column(column).and_then(|c| type_of(&c.ty))
    }

    fn as_catalog(&self) -> crate::catalog::Table {
        let columns = self.columns.iter().map(|c| crate::catalog::Column {
            name: c.name.value.clone(),
            sql_type: c.sql_type.clone(),
            ty: type_of(&c.ty),
            max_length: None,
            int_bounds: None,
            nullable: true,
            has_default: false,
            identity: false,
            generated: String::new(),
            collation: String::new(),
            choice: false,
            labels: Vec::new(),
            comment: c.label.clone(),
        });
        crate::catalog::Table {
            name: self.name.value.clone(),
            kind: self.kind.clone(),
            oid: None,
            storage: String::new(),
            columns: columns.collect(),
            key: self.key.clone(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        }
    }
}

/// Keys under which the survey writes the database's own names; a type may name values (`enum(…)`).
const SURVEYED: [&str; 7] = ["database", "name", "key", "type", "column", "table", "to"];

/// Reads a dictionary.
///
/// # Errors
/// Everything that is wrong with it, in the order of the document.
pub fn parse(text: &str) -> Result<Dictionary, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES).with_names_as_surveyed(&SURVEYED);
    let dictionary = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let read = read(&mut r, &mut root);
        root.end(&mut r);
        read
    });
    if let Some(dictionary) = &dictionary {
        check(&mut r, dictionary);
    }
    r.finish(dictionary)
}

/// Drafts a dictionary from a catalogue: a class per column, proposed from its name.
///
/// `mandate` is the digest of the survey mandate that allowed the look.
#[must_use]
pub fn draft(catalog: &Catalog, surveyed: Timestamp, mandate: &str) -> String {
    let mut out = format!(
        "# What the survey found. Correct the classes and labels, add the relations the database\n\
         # does not declare (`given = \"engineer\"`). Classes: {}.\n\
         # Nothing here moves anything: the instruction does, and it cites this file's digest.\n\n\
         [dictionary]\nformat   = {}\nengine   = {}\ndatabase = {}\nidentity = {}\nsurveyed = {}\nmandate  = {}\n",
        Class::ALL.map(Class::name).join(", "),
        quote(FORMAT),
        quote(catalog.engine.name()),
        quote(&catalog.database),
        quote(&catalog.identity),
        quote(&surveyed.to_string()),
        quote(mandate),
    );
    fn shape(table: &crate::catalog::Table) -> Shape<'_> {
        let crate::catalog::Table { name, key, columns, .. } = table;
        let columns = columns.iter();
        let columns = columns.map(|c| (c.name.as_str(), c.ty.map(|t| t.to_string()).unwrap_or_default()));
        Shape { name, key, columns: columns.collect() }
    }
    let shapes: Vec<Shape<'_>> = catalog.tables.iter().map(shape).collect();
    for (table, proposed) in catalog.tables.iter().zip(by_name(&shapes)) {
        let proposed: Vec<String> =
            proposed.iter().filter_map(|p| draft_proposed(table, p, shapes.get(p.table)?.name)).collect();
        draft_table(&mut out, table, &proposed.concat());
    }
    out
}

/// What a table's columns seem to lead to by their names, beside the relations it has.
#[must_use]
pub fn related(tables: &[Table]) -> Vec<Vec<Proposed<'_>>> {
    fn shape(table: &Table) -> Shape<'_> {
        let Table { name, key, columns, .. } = table;
        let columns = columns.iter().map(|c| (c.name.value.as_str(), c.ty.clone()));
        Shape { name: &name.value, key, columns: columns.collect() }
    }
    let shapes: Vec<Shape<'_>> = tables.iter().map(shape).collect();
    let mut found = by_name(&shapes);
    for (table, proposed) in tables.iter().zip(&mut found) {
        proposed.retain(|p| table.relations.iter().all(|r| r.column.value != p.column));
    }
    found
}

/// A relation that nobody declared, commented out: it holds once a person has taken the mark away.
fn draft_proposed(table: &crate::catalog::Table, proposed: &Proposed<'_>, to: &str) -> Option<String> {
    let declared = table.foreign_keys.iter().flat_map(|f| &f.columns).any(|c| c == proposed.column);
    let plain = [proposed.column, to, proposed.to].iter().all(|name| shown(name) == *name);
    (!declared && plain).then(|| {
        format!(
            "  # {{ column = {}, table = {}, to = {}, given = \"engineer\" }},   {BY_NAME}\n",
            quote(proposed.column),
            quote(to),
            quote(proposed.to)
        )
    })
}

/// What stands behind a relation that is proposed by its name.
pub const BY_NAME: &str = "# by its name";

fn draft_table(out: &mut String, table: &crate::catalog::Table, proposed: &str) {
    let context = Context::of(table);
    *out += &format!(
        "\n[[table]]\nname  = {}\nlabel = \"\"\nkind  = {}\n",
        quote(&table.name),
        quote(&table.kind)
    );
    if context.patients() {
        *out += "patients = true\n";
    }
    *out += &format!("digest = {}\n", quote(&crate::digest::of_table(table)));
    let key: Vec<String> = table.key.iter().map(|k| quote(k)).collect();
    *out += &format!("key   = [{}]\ncolumns = [\n", key.join(", "));
    for column in &table.columns {
        let proposal = propose(&context, column);
        let ty = column.ty.map(|t| t.to_string()).unwrap_or_default();
        *out += &format!(
            "  {{ name = {}, type = {}, as = {}, class = {}, reason = {}, label = {} }},\n",
            quote(&column.name),
            quote(&column.sql_type),
            quote(&ty),
            quote(proposal.class.name()),
            quote(&shown(&proposal.reason)),
            quote(&shown(&column.comment)),
        );
    }
    // before the declared ones, so that what is added behind these follows a relation
    *out += &format!("]\nrelations = [\n{proposed}");
    for foreign in &table.foreign_keys {
        *out += &draft_relation(foreign);
    }
    *out += "]\n";
}

/// A declared foreign key as a line; one of several columns only as a comment, because a
/// plan follows relations of one column.
fn draft_relation(foreign: &ForeignKey) -> String {
    match (foreign.columns.as_slice(), foreign.referenced.as_slice()) {
        ([column], [to]) => format!(
            "  {{ column = {}, table = {}, to = {}, given = \"declared\" }},\n",
            quote(column),
            quote(&foreign.references),
            quote(to)
        ),
        (columns, _) => {
            format!(
                "  # ({}) refers to {} by several columns together\n",
                columns.iter().map(|column| quote(&shown(column))).collect::<Vec<_>>().join(", "),
                quote(&shown(&foreign.references))
            )
        }
    }
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Dictionary> {
    let mut head = root.table(r, "dictionary")?;
    let format = head.text(r, "format");
    if let Some(format) = format.filter(|f| f.value != FORMAT) {
        let finding = Finding::new(&WRONG_VALUE, format!("the format `{}` is not known", format.value));
        r.find(finding.at(format.span).help(format!("this version reads {FORMAT}")));
    }
    let engine = head.text(r, "engine");
    let database = head.text(r, "database");
    let identity = head.maybe_text(r, "identity");
    head.maybe_text(r, "surveyed");
    let mandate = head.maybe_text(r, "mandate").map(|m| m.value).unwrap_or_default();
    head.end(r);
    let tables = root.tables(r, "table").into_iter().filter_map(|t| read_table(r, t)).collect();
    let known = engine_of(r, engine?)?;
    let identity = identity.map(|i| i.value).unwrap_or_default();
    let digest = crate::digest::of_bytes(r.text.as_bytes());
    Some(Dictionary { digest, engine: known, database: database?.value, identity, mandate, tables })
}

fn read_table(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Table> {
    let name = t.text(r, "name");
    let label = t.maybe_text(r, "label").map(|l| l.value).unwrap_or_default();
    let kind = t.maybe_text(r, "kind").map_or_else(|| "table".to_owned(), |k| k.value);
    let patients = t.flag(r, "patients");
    let digest = t.maybe_text(r, "digest").map(|d| d.value).unwrap_or_default();
    let key = t.texts(r, "key").into_iter().map(|k| k.value).collect();
    let columns = t.list(r, "columns");
    let columns = columns.into_iter().filter_map(|v| as_table(r, "columns", v)).collect::<Vec<_>>();
    let columns = columns.into_iter().filter_map(|c| read_column(r, c)).collect();
    let relations = t.tables(r, "relations").into_iter().filter_map(|f| read_relation(r, f)).collect();
    t.end(r);
    Some(Table { name: name?, label, kind, patients, digest, key, columns, relations })
}

fn read_column(r: &mut Reader<'_>, mut c: Fields<'_, '_>) -> Option<Column> {
    let name = c.text(r, "name");
    let sql_type = c.maybe_text(r, "type").map(|t| t.value).unwrap_or_default();
    let ty = c.maybe_text(r, "as").map(|t| t.value).unwrap_or_default();
    let class = c.text(r, "class");
    let reason = c.maybe_text(r, "reason").map(|t| t.value).unwrap_or_default();
    let label = c.maybe_text(r, "label").map(|t| t.value).unwrap_or_default();
    c.end(r);
    let known = class_of(r, class?)?;
    Some(Column { name: name?, label, sql_type, ty, class: known, reason })
}

fn read_relation(r: &mut Reader<'_>, mut f: Fields<'_, '_>) -> Option<Relation> {
    let column = f.text(r, "column");
    let table = f.text(r, "table");
    let to = f.text(r, "to");
    let given = f.maybe_text(r, "given");
    f.end(r);
    let declared = match given {
        None => false,
        Some(g) if g.value == "declared" || g.value == "engineer" => g.value == "declared",
        Some(g) => {
            let finding = Finding::new(
                &WRONG_VALUE,
                "a relation is `declared` by the database or given by the `engineer`",
            );
            r.find(finding.at(g.span));
            false
        }
    };
    Some(Relation { column: column?, table: table?.value, to: to?.value, declared })
}

/// The engine of a word, or a finding.
pub(crate) fn engine_of(r: &mut Reader<'_>, word: Spanned<String>) -> Option<Engine> {
    let known = Engine::from_name(&word.value);
    if known.is_none() {
        let finding = Finding::new(&WRONG_VALUE, format!("the engine `{}` is not known", word.value));
        r.find(finding.at(word.span).help("one of: postgresql, mariadb, sqlite"));
    }
    known
}

/// The class of a word, or a finding.
pub(crate) fn class_of(r: &mut Reader<'_>, word: Spanned<String>) -> Option<Class> {
    let known = Class::from_name(&word.value);
    if known.is_none() {
        let finding = Finding::new(&WRONG_VALUE, format!("the class `{}` is not known", word.value));
        let help = suggestion(&word.value, Class::ALL.map(Class::name)).unwrap_or_default();
        r.find(finding.at(word.span).help(help));
    }
    known
}

/// What form alone does not show: names twice, relations that lead nowhere.
fn check(r: &mut Reader<'_>, dictionary: &Dictionary) {
    // names are looked up, not searched: a database has ten thousand tables
    let mut columns: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for table in &dictionary.tables {
        let name = table.name.value.as_str();
        if columns.contains_key(name) {
            r.find(Finding::new(&TWICE, format!("table {name}")).at(table.name.span.clone()));
        }
        let mut own = BTreeSet::new();
        for column in &table.columns {
            if !own.insert(column.name.value.as_str()) {
                let name = format!("column {name}.{}", column.name.value);
                r.find(Finding::new(&TWICE, name).at(column.name.span.clone()));
            }
        }
        // of a table that is there twice, the first counts, as everywhere
        columns.entry(name).or_insert(own);
    }
    let has = |table: &str, column: &str| columns.get(table).is_some_and(|own| own.contains(column));
    for table in &dictionary.tables {
        for relation in &table.relations {
            let here = table.column(&relation.column.value).is_some();
            if !here || !has(&relation.table, &relation.to) {
                let message = format!(
                    "{}.{} to {}.{}",
                    table.name.value, relation.column.value, relation.table, relation.to
                );
                r.find(Finding::new(&NO_TARGET, message).at(relation.column.span.clone()));
            }
        }
    }
}

/// The type a dictionary's word means (`decimal(10,2)`, `text` …); `None` where it is empty or unknown.
#[must_use]
pub fn type_of(word: &str) -> Option<Type> {
    let simple = match word {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "single" => Type::Single,
        "text" => Type::Text,
        "bytes" => Type::Bytes,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        "instant" => Type::Instant,
        "time" => Type::Time,
        "uuid" => Type::Uuid,
        "json" => Type::Json,
        _ => {
            let (precision, scale) = word.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
            return Some(Type::Decimal {
                precision: precision.trim().parse().ok()?,
                scale: scale.trim().parse().ok()?,
            });
        }
    };
    Some(simple)
}
