//! The catalogue that a dump's own statements make: read by `sqlparser`, never executed.
//!
//! Read are `CREATE TABLE`, `ALTER TABLE … ADD CONSTRAINT` and `… ATTACH PARTITION`, `CREATE TYPE … AS
//! ENUM`, `CREATE DOMAIN`; other statements say nothing of names and types. A table whose statement the parser does not understand refuses
//! the survey, and every run over the dump: it may hold rows of an ordered one.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_core::catalog::{Catalog, Column, ForeignKey, Table};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::types::Engine;
use ecluse_flow::ports::Scope;
use sqlparser::ast::{
    AlterTableOperation, ColumnDef, ColumnOption, DataType, Expr, Ident, IndexColumn, ObjectName, Statement,
    TableConstraint, UserDefinedTypeRepresentation,
};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::names::Names;
use super::script::Text;
use super::types;
use crate::choices;

/// A table's statement that the parser does not understand.
static NOT_UNDERSTOOD: Code =
    Code::refused("ECL-SRC-612", "the dump makes a table in words that écluse does not understand");
/// Two statements for one table, its rows twice, or a second dump behind the first.
pub(super) static TWICE: Code =
    Code::refused("ECL-SRC-617", "the dump goes on after its end, or says the same thing twice");

/// Partitions of partitions, the ordered table counted: databases have two or three.
const DEEPEST: usize = 64;

/// The tables of a dump, as far as it has been read.
pub(super) struct Schema {
    engine: Engine,
    tables: BTreeMap<String, Table>,
    /// Partitions, and whose they are.
    partitions: BTreeMap<String, String>,
    /// Tables of which others inherit: their rows stand under other tables' names too.
    parents: BTreeSet<String>,
    /// Enumerations and domains as statements write them, and the built-in type that their values are
    /// written as.
    types: BTreeMap<String, String>,
    /// Of these, the enumerations and what is made of them.
    choices: BTreeSet<String>,
    /// Where statements stood that were not understood.
    missed: Vec<String>,
}

impl Schema {
    pub(super) const fn new(engine: Engine) -> Self {
        Self {
            engine,
            tables: BTreeMap::new(),
            partitions: BTreeMap::new(),
            parents: BTreeSet::new(),
            types: BTreeMap::new(),
            choices: BTreeSet::new(),
            missed: Vec::new(),
        }
    }

    /// The catalogue. `identity` and `database` are what the operator says of the dump.
    ///
    /// # Errors
    ///
    /// [`NOT_UNDERSTOOD`] where some statement was not understood, and everything is asked for or a table of the
    /// scope is not there.
    pub(super) fn catalog(&self, identity: &str, database: &str, scope: Scope<'_>) -> Result<Catalog> {
        let wanted = |name: &str| match scope {
            Scope::Everything => true,
            Scope::Tables(names) => names.iter().any(|n| n == name),
        };
        if let Some(place) = self.missed.first() {
            match scope {
                // whoever orders looks at what was surveyed: a table that is not there would stay behind unseen
                Scope::Everything => return Err(missed_at("a table", place)),
                Scope::Tables(names) => {
                    if let Some(absent) = names.iter().find(|n| !self.tables.contains_key(*n)) {
                        return Err(missed_at(absent, place));
                    }
                }
            }
        }
        Ok(Catalog {
            engine: self.engine,
            database: database.to_owned(),
            identity: identity.to_owned(),
            tables: self.tables.values().filter(|t| wanted(&t.name)).cloned().collect(),
        })
    }

    /// A table that was made so far.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Refuses where a statement was not understood: it may make a partition or an heir of any table.
    ///
    /// # Errors
    ///
    /// [`NOT_UNDERSTOOD`].
    pub(super) fn understood(&self) -> Result<()> {
        self.missed.first().map_or(Ok(()), |place| Err(missed_at("a table", place)))
    }

    /// Whether other tables inherit of this one.
    pub(super) fn has_heirs(&self, table: &str) -> bool {
        self.parents.contains(table)
    }

    /// The table and the tables of which it is a partition, the nearest first; no more steps than
    /// [`DEEPEST`]. Rows of what lies deeper are refused by [`Self::holding`].
    pub(super) fn lineage<'s>(&'s self, table: &'s str) -> impl Iterator<Item = &'s str> {
        let up = |name: &&'s str| self.partitions.get(*name).map(String::as_str);
        std::iter::successors(Some(table), up).take(DEEPEST)
    }

    /// The partitions that hold rows of this table, those of its partitions among them, and what each is;
    /// empty where its statement was not understood.
    ///
    /// # Errors
    ///
    /// [`NOT_UNDERSTOOD`] where they lie deeper than [`DEEPEST`], or are each other's.
    pub(super) fn holding<'s>(&'s self, table: &'s str) -> Result<Vec<(&'s str, &'s str)>> {
        let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        self.partitions.iter().for_each(|(name, above)| below.entry(above).or_default().push(name));
        let kind = |name: &str| self.tables.get(name).map_or("", |t| t.kind.as_str());
        let (mut found, mut level) = (Vec::new(), vec![table]);
        for _ in 0..DEEPEST {
            level = level.iter().flat_map(|above| below.get(above).into_iter().flatten().copied()).collect();
            if level.is_empty() {
                return Ok(found);
            }
            let held = level.iter().map(|name| (*name, kind(name)));
            found.extend(held.filter(|(_, kind)| *kind != "partitioned"));
        }
        Err(NOT_UNDERSTOOD
            .fault(format!("partitions of {table}: more than {DEEPEST} deep, or each other's"))
            .help("read this database over a connection"))
    }

    /// The built-in type that a column's values are written as: a domain's own, `text` for an enumeration.
    pub(super) fn written_as<'s>(&'s self, sql_type: &'s str) -> &'s str {
        self.types.get(sql_type).map_or(sql_type, String::as_str)
    }

    /// Takes a `CREATE TABLE` up.
    ///
    /// # Errors
    ///
    /// [`TWICE`].
    pub(super) fn create(&mut self, text: &Text, place: &str) -> Result<()> {
        // what follows the bracket (engine, partitions) is no part of the columns
        let end = text.bracket.unwrap_or(text.bytes.len());
        let (head, tail) = text.bytes.split_at_checked(end).unwrap_or((&text.bytes, &[]));
        let Some(Statement::CreateTable(made)) = self.parse(head) else {
            self.missed.push(place.to_owned());
            return Ok(());
        };
        let tail = String::from_utf8_lossy(tail).into_owned();
        let name = name(&made.name);
        let options = Options::of(&tail);
        if options.kind == "inherits" {
            let mut names = Names::of(tail.as_bytes(), b'"');
            names.word();
            match names.relations() {
                Some(parents) => self.parents.extend(parents.iter().map(|parent| written(parent))),
                None => self.missed.push(place.to_owned()),
            }
        }
        let mut table = Table {
            name: name.clone(),
            kind: options.kind.to_owned(),
            oid: None,
            storage: if self.engine == Engine::Mariadb { options.engine.clone() } else { String::new() },
            columns: made.columns.iter().map(|c| column(self, c, &options)).collect(),
            key: Vec::new(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        };
        let distinct: BTreeSet<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        if distinct.len() != table.columns.len() || self.tables.contains_key(&name) {
            return Err(TWICE.fault(format!("{place}: table {name}")).help("dump one database, once"));
        }
        for column in &made.columns {
            if column.options.iter().any(|o| matches!(o.option, ColumnOption::PrimaryKey(_))) {
                table.key = vec![column.name.value.clone()];
            }
        }
        for constraint in &made.constraints {
            constrain(&mut table, constraint);
        }
        if self.engine == Engine::Postgresql {
            choices::of_statement(&mut table, self.engine, &made);
        }
        self.tables.insert(name, table);
        Ok(())
    }

    /// Takes a `CREATE TYPE … AS ENUM` up; a type of another kind has no counterpart here.
    pub(super) fn enumeration(&mut self, text: &Text) {
        let Some(Statement::CreateType { name, representation }) = self.parse(&text.bytes) else { return };
        if matches!(representation, Some(UserDefinedTypeRepresentation::Enum { .. })) {
            self.types.insert(name.to_string(), "text".to_owned());
            self.choices.insert(name.to_string());
        }
    }

    /// Takes a `CREATE DOMAIN` up: its name and what it is made of; its checks hold already.
    pub(super) fn domain(&mut self, text: &Text) {
        let Some((name, base)) = domain(&text.bytes) else { return };
        if self.choices.contains(&base) {
            self.choices.insert(name.clone());
        }
        let base = self.types.get(&base).cloned().unwrap_or_else(|| base.to_lowercase());
        self.types.insert(name, base);
    }

    /// Takes an `ALTER TABLE … ATTACH PARTITION` up; gives the partition's name, where it is one.
    ///
    /// # Errors
    ///
    /// [`TWICE`].
    pub(super) fn attach(&mut self, text: &Text, place: &str) -> Result<Option<String>> {
        let Some((parent, partition)) = attached(&text.bytes) else { return Ok(None) };
        if self.partitions.insert(partition.clone(), parent).is_some() {
            return Err(TWICE
                .fault(format!("{place}: partition {partition}"))
                .help("dump one database, once"));
        }
        Ok(Some(partition))
    }

    /// Takes an `ALTER TABLE` up, where it adds a constraint; what it says beyond that is let go.
    pub(super) fn alter(&mut self, text: &Text) {
        let Some(Statement::AlterTable(altered)) = self.parse(&text.bytes) else { return };
        let Some(table) = self.tables.get_mut(&name(&altered.name)) else { return };
        for operation in &altered.operations {
            if let AlterTableOperation::AddConstraint { constraint, .. } = operation {
                constrain(table, constraint);
            }
        }
    }

    fn parse(&self, text: &[u8]) -> Option<Statement> {
        let text = std::str::from_utf8(text).ok()?;
        let dialect: &dyn Dialect = match self.engine {
            Engine::Mariadb => &MySqlDialect {},
            _ => &PostgreSqlDialect {},
        };
        let mut tokens = Tokenizer::new(dialect, text).tokenize().ok()?;
        if self.engine == Engine::Mariadb {
            // the parser has not these two words, and neither says which values a column holds
            tokens.retain(|token| !is_of_display(token));
        } else {
            // a table that lies in another system has columns like any other; what stands behind them tells it
            let second = tokens.iter().enumerate().filter(|(_, t)| !matches!(t, Token::Whitespace(_))).nth(1);
            if let Some((at, Token::Word(_))) = second.filter(|(_, token)| is_word(token, "foreign")) {
                tokens.remove(at);
            }
        }
        let mut statements = Parser::new(dialect).with_tokens(tokens).parse_statements().ok()?;
        let first = statements.pop()?;
        statements.is_empty().then_some(first)
    }
}

fn missed_at(table: &str, place: &str) -> Fault {
    NOT_UNDERSTOOD
        .fault(format!("{table}, perhaps at {place}"))
        .help("read this database over a connection, or report the statement (without rows)")
}

/// `ZEROFILL`, which pads what a screen shows, and `NATIONAL`, a character set that the engine then names itself;
/// never a name, which a dump quotes.
fn is_of_display(token: &Token) -> bool {
    is_word(token, "zerofill") || is_word(token, "national")
}

/// Whether it is this word, and no name in quotes.
fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

/// What stands behind the columns.
struct Options {
    kind: &'static str,
    engine: String,
    charset: String,
    collation: String,
}

impl Options {
    fn of(tail: &str) -> Self {
        let value = |key: &str| {
            let mut words = tail.split([' ', '\n', '\t']);
            words.find_map(|w| w.strip_prefix(key)).unwrap_or_default().trim_end_matches(';').to_owned()
        };
        let upper = tail.to_uppercase();
        let kind = match upper.trim_start() {
            // rows of such a table stand under other tables' names
            t if t.contains("PARTITION BY") && !t.contains("ENGINE=") => "partitioned",
            t if t.starts_with("INHERITS") => "inherits",
            t if t.starts_with("SERVER") => "foreign",
            _ => "table",
        };
        Self { kind, engine: value("ENGINE="), charset: value("CHARSET="), collation: value("COLLATE=") }
    }
}

/// The name and the base of `CREATE DOMAIN name AS base …`, as they are written there.
fn domain(text: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    parser.expect_keywords(&[Keyword::CREATE, Keyword::DOMAIN]).ok()?;
    let name = parser.parse_object_name(false).ok()?;
    parser.expect_keywords(&[Keyword::AS]).ok()?;
    let base = parser.parse_data_type().ok()?;
    Some((name.to_string(), base.to_string()))
}

/// The two names of `ALTER TABLE ONLY parent ATTACH PARTITION partition …`, which the parser does not
/// know for this engine, as pg_dump writes it.
fn attached(text: &[u8]) -> Option<(String, String)> {
    let mut names = Names::of(text, b'"');
    let is = |names: &mut Names<'_>, words: &[&str]| words.iter().all(|word| names.word() == *word);
    if !is(&mut names, &["ALTER", "TABLE", "ONLY"]) {
        return None;
    }
    let parent = names.relation()?;
    if !is(&mut names, &["ATTACH", "PARTITION"]) {
        return None;
    }
    Some((written(&parent), written(&names.relation()?)))
}

/// As documents write it: `table`, or `schema.table` outside `public`.
pub(super) fn written(relation: &[String]) -> String {
    match relation {
        [schema, table] if schema == "public" => table.clone(),
        _ => relation.join("."),
    }
}

fn column(schema: &Schema, made: &ColumnDef, table: &Options) -> Column {
    let engine = schema.engine;
    let (mut nullable, mut has_default, mut identity) = (true, false, false);
    let (mut charset, mut collation) = (String::new(), String::new());
    let (mut generated, mut comment) = (String::new(), String::new());
    for option in &made.options {
        match &option.option {
            ColumnOption::NotNull | ColumnOption::PrimaryKey(_) => nullable = false,
            ColumnOption::Default(_) => has_default = true,
            ColumnOption::CharacterSet(name) => charset = name.to_string(),
            ColumnOption::Collation(name) => collation = name.to_string(),
            ColumnOption::Comment(text) => comment.clone_from(text),
            ColumnOption::Generated { generation_expr: Some(expression), .. } => {
                generated = expression.to_string();
            }
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => identity = true,
            ColumnOption::DialectSpecific(tokens) => {
                identity |= tokens.iter().any(|t| t.to_string().eq_ignore_ascii_case("AUTO_INCREMENT"));
            }
            _ => {}
        }
    }
    if charset.is_empty() {
        let of_collation = collation.split('_').next().unwrap_or_default();
        charset = if of_collation.is_empty() { table.charset.clone() } else { of_collation.to_owned() };
    }
    if collation.is_empty() && engine == Engine::Mariadb {
        collation.clone_from(&table.collation);
    }
    let words = made.data_type.to_string();
    let told = match schema.types.get(&words) {
        // its own name stays what the column is called by, as the server says it
        Some(base) => types::Told { words, ..types::Told::of(engine, base, &charset) },
        None => types::Told::of(engine, &words, &charset),
    };
    Column {
        name: made.name.value.clone(),
        ty: told.ty,
        max_length: told.max_length,
        int_bounds: told.int_bounds,
        nullable,
        has_default: has_default || identity,
        identity,
        generated,
        collation: if told.is_text { collation } else { String::new() },
        choice: schema.choices.contains(&made.data_type.to_string())
            || matches!(made.data_type, DataType::Enum(..) | DataType::Set(_)),
        labels: Vec::new(),
        comment,
        sql_type: told.words,
    }
}

fn constrain(table: &mut Table, constraint: &TableConstraint) {
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            if let Some(columns) = whole(&key.columns) {
                for column in table.columns.iter_mut().filter(|c| columns.contains(&c.name)) {
                    column.nullable = false;
                }
                table.key = columns;
            }
        }
        TableConstraint::Unique(unique) => table.uniques.extend(whole(&unique.columns)),
        TableConstraint::ForeignKey(key) => {
            let names = |all: &[Ident]| all.iter().map(|i| i.value.clone()).collect();
            table.foreign_keys.push(ForeignKey {
                name: key.name.as_ref().map(|n| n.value.clone()).unwrap_or_default(),
                columns: names(&key.columns),
                references: name(&key.foreign_table),
                referenced: names(&key.referred_columns),
            });
        }
        _ => {}
    }
}

/// The columns of a key over whole columns; `None` where it takes prefixes or expressions.
fn whole(columns: &[IndexColumn]) -> Option<Vec<String>> {
    let plain = |column: &IndexColumn| match &column.column.expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        _ => None,
    };
    columns.iter().map(plain).collect()
}

/// As documents write it: `table`, or `schema.table` outside `public`.
fn name(name: &ObjectName) -> String {
    let parts: Vec<&str> = name.0.iter().filter_map(|p| p.as_ident()).map(|i| i.value.as_str()).collect();
    match parts.as_slice() {
        ["public", table] => (*table).to_owned(),
        _ => parts.join("."),
    }
}
