//! SQL text over planned tables, one dialect per engine: the filter, and the views that hold it.
//!
//! | function | gives |
//! |---|---|
//! | [`condition`] | a table's filter for a WHERE clause, values as bound parameters |
//! | [`view_body`] | the SELECT behind a view of the grants script, values as literals |
//! | [`room`] | the rows of one laboratory in a destination table that others use |
//! | [`beside`] | others' rows there, as far as the order lets them be compared |
//! | [`shown`] | how MariaDB prints that SELECT when it is asked for the view's text |
//! | [`identifier`], [`relation`] | names, quoted |
//! | [`next_key`] | what has new rows get their keys from a number on |
//! | [`literal`] | one value for a script, typed and quoted |
//!
//! What the dialects share, and property tests hold against [`ecluse_batch::evaluate`]:
//!
//! - two-valued: every comparison is guarded by `IS NOT NULL`, so that `NOT` of it is true
//!   for NULL as [`ecluse_core::filter`] says;
//! - text compares by bytes, trailing spaces and case included, whatever the collation;
//! - nothing is cast to the literal's type by the engine: the literal has the column's type,
//!   and where a column may hold other types (SQLite) its value's type is asked first;
//! - columns are named, never `*`; inside a subquery every name is qualified, so that a
//!   name can never reach out to the table around it.

mod dialect;
mod literal;
mod mariadb;
mod postgres;
mod room;
mod select;
mod shown;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use ecluse_core::catalog::ForeignKey;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::Value;
use ecluse_flow::erase::Needs;

pub use literal::literal;

/// A filter that this engine's SQL cannot say exactly; nothing is read.
pub static NO_SQL: Code = Code::refused("ECL-FLT-020", "a row filter has no exact form in this engine's SQL");

/// SQL text and the values it binds, in the order of `?` or by the number of `$n`.
///
/// `Debug` prints the text, which holds no value, and how many values are bound.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub text: String,
    /// The values: MariaDB and SQLite one per `?`; PostgreSQL `$first`, `$first+1`, …
    pub parameters: Vec<Value>,
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{} bound]", self.text, self.parameters.len())
    }
}

/// The table's filter as a condition; `None` where it is every row.
///
/// `first` is the number of the first `$n` (PostgreSQL; 1 where nothing is bound before).
/// Columns of this table are named without a qualifier, so the table stands alone in FROM.
/// A table looked up by [`ecluse_core::filter::Filter::Chosen`] is read through its view
/// where it has one, else with its own filter.
///
/// What the parameters must be bound as: PostgreSQL in the binary form of the type the text
/// gives each (`$1::int8`); MariaDB whole numbers as integers, bytes as bytes, the others as
/// text, over a connection in utf8mb4; SQLite as the column's values are stored.
///
/// # Errors
///
/// [`NO_SQL`].
pub fn condition(engine: Engine, table: &TablePlan, plan: &Plan, first: usize) -> Result<Option<Statement>> {
    select::condition(engine, table, plan, first)
}

/// The SELECT of a view that shows exactly the table's planned columns and rows; on PostgreSQL in
/// the key's order, where that is the engine's own.
///
/// `database`: MariaDB's database that holds the table, since the view lives in another.
///
/// # Errors
///
/// [`NO_SQL`].
pub fn view_body(engine: Engine, table: &TablePlan, plan: &Plan, database: Option<&str>) -> Result<String> {
    select::view_body(engine, table, plan, database)
}

/// This laboratory's rows of a destination table that others use, as a condition on its columns, in
/// brackets; `None` where every row of the table is meant. Numbers and a prefix of the mapping, no
/// value of a row: they stand as literals. `alias` qualifies the columns.
///
/// Every statement of a destination that reads, counts or deletes rows carries it.
///
/// # Errors
///
/// [`NO_SQL`].
pub fn room(engine: Engine, table: &TablePlan, alias: Option<&str>) -> Result<Option<String>> {
    room::room(engine, table, alias)
}

/// Others' rows beside the room of a destination table, as far as the order lets them be read, as a
/// condition on its columns, in brackets. What stands in it is the room's and the order's, no value of a row.
///
/// # Errors
///
/// [`NO_SQL`], where the table has no room, too.
pub fn beside(engine: Engine, known: &KnownPlan) -> Result<String> {
    room::beside(engine, known)
}

/// The text under which MariaDB shows the view that [`view_body`] makes of a table in `database`.
///
/// # Errors
///
/// [`NO_SQL`].
pub fn shown(table: &TablePlan, plan: &Plan, database: &str) -> Result<String> {
    shown::shown(table, plan, database)
}

/// The statement after which this destination's engine gives new rows keys from `next` on, for the
/// administrator to type; none where there is no one statement for it (SQLite).
#[must_use]
pub fn next_key(engine: Engine, table: &str, column: &str, next: i64) -> Option<String> {
    let table = relation(engine, table, None);
    let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
    match engine {
        Engine::Postgresql => Some(format!(
            "SELECT setval(pg_get_serial_sequence({}, {}), {next}, false);",
            text(&table),
            text(column)
        )),
        Engine::Mariadb => Some(format!("ALTER TABLE {table} AUTO_INCREMENT = {next};")),
        Engine::Sqlite | Engine::Csv => None,
    }
}

/// Two counts over a child's rows: those that name a parent, and those of them whose parent is not there. As texts:
/// each side as its engine prints it, by its bytes.
pub(crate) fn tied(engine: Engine, child: &str, key: &ForeignKey, as_text: bool) -> (String, String) {
    let side = |alias: &str, column: &String| {
        let column = format!("{alias}.{}", identifier(engine, column));
        match engine {
            Engine::Postgresql if as_text => format!("{column}::text"),
            Engine::Mariadb if as_text => format!("CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin"),
            _ => column,
        }
    };
    let columns: Vec<String> = key.columns.iter().map(|c| side("c", c)).collect();
    let named: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let same: Vec<String> = key
        .referenced
        .iter()
        .zip(&columns)
        .map(|(parent, column)| format!("{} = {column}", side("p", parent)))
        .collect();
    let count =
        format!("SELECT count(*) FROM {} AS c WHERE {}", relation(engine, child, None), named.join(" AND "));
    let parent = relation(engine, &key.references, None);
    let orphans =
        format!("{count} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {})", same.join(" AND "));
    (count, orphans)
}

/// What a comparison and a deletion read, by table: what moved of the ordered ones, and both sides of each foreign
/// key that leads to one, from tables beside the order too; so of each relation of the papers whose tables are there.
pub(crate) fn sides(needs: &Needs<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let Needs { plan, catalog, referring, tables } = *needs;
    let mut sides: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in plan.tables() {
        let read = table.read().iter().map(|column| column.name.clone());
        sides.entry(table.source().to_owned()).or_default().extend(read);
    }
    for child in &catalog.tables {
        let ordered = |key: &&ForeignKey| tables.contains(&key.references.as_str());
        for key in child.foreign_keys.iter().filter(ordered) {
            sides.entry(child.name.clone()).or_default().extend(key.columns.iter().cloned());
            sides.entry(key.references.clone()).or_default().extend(key.referenced.iter().cloned());
        }
    }
    let stands = |table: &str, column: &str| catalog.table(table).is_some_and(|t| t.column(column).is_some());
    let there = |one: &&Referring| stands(&one.table, &one.column) && stands(&one.of, &one.to);
    for one in referring.iter().filter(there) {
        sides.entry(one.table.clone()).or_default().insert(one.column.clone());
        sides.entry(one.of.clone()).or_default().insert(one.to.clone());
    }
    sides
}

/// A name, quoted.
#[must_use]
pub fn identifier(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Postgresql | Engine::Sqlite | Engine::Csv => format!("\"{}\"", name.replace('"', "\"\"")),
        Engine::Mariadb => format!("`{}`", name.replace('`', "``")),
    }
}

/// A table as the catalogue names it, qualified and quoted: PostgreSQL `schema.table`, or
/// `table` in `public`; MariaDB `table` in `database`, or in the connection's own; SQLite
/// `table` in `main`.
#[must_use]
pub fn relation(engine: Engine, name: &str, database: Option<&str>) -> String {
    let both = |a: &str, b: &str| format!("{}.{}", identifier(engine, a), identifier(engine, b));
    match (engine, database) {
        (Engine::Postgresql, _) => {
            let (schema, table) = name.split_once('.').unwrap_or(("public", name));
            both(schema, table)
        }
        (Engine::Mariadb, Some(database)) => both(database, name),
        (Engine::Mariadb, None) => identifier(engine, name),
        (Engine::Sqlite, _) => both("main", name),
        (Engine::Csv, _) => identifier(engine, name),
    }
}

/// A view of the plan (`schema.view`, `database.view`), quoted.
#[must_use]
pub fn view(engine: Engine, name: &str) -> String {
    match name.split_once('.') {
        Some((space, view)) => format!("{}.{}", identifier(engine, space), identifier(engine, view)),
        None => identifier(engine, name),
    }
}
