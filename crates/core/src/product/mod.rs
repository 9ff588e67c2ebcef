//! A product's dictionary: what is known of a laboratory system before one of its databases is seen.
//!
//! Names, types, classes, labels and undeclared relations of the tables somebody has read and
//! classified, for one version of one product. It is laid over a survey, never in its place: where the
//! two differ the difference is told ([`fit`]), and a column that only the survey has stays unclassified.
//! It holds no value, no identity of a database and no person; whoever contributes one shows it to the
//! world (`docs/contributing-a-dictionary.md`).

mod apply;
mod draft;
mod fit;
mod read;

pub use apply::{Applied, apply};
pub use draft::{Named, draft};
pub use fit::{Fit, fit};
pub use read::parse;

use std::collections::BTreeMap;

use crate::class::Class;
use crate::reader::Spanned;
use crate::types::Engine;

/// The format this version writes and reads.
pub const FORMAT: &str = "ecluse-product/1";

/// A product's dictionary, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product in one word: `openelis`.
    pub name: String,
    /// The product as people call it: `OpenELIS Global`.
    pub title: String,
    /// The version it was made from: `3.5`.
    pub version: String,
    /// The engine the product keeps its data in.
    pub engine: Engine,
    /// The tables that were classified, in the document's order; a product has more.
    pub tables: Vec<Table>,
    /// Labels, its own and those of its worked order, and what a French page says for each.
    pub french: BTreeMap<String, String>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name, as a survey writes it.
    pub name: Spanned<String>,
    /// What laboratories call it; may be empty.
    pub label: String,
    /// Whether its rows are the patients.
    pub patients: bool,
    /// Every column this version has.
    pub columns: Vec<Column>,
    /// Relations that the database does not declare.
    pub relations: Vec<Relation>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: Spanned<String>,
    /// The engine's own words for the type, as a survey writes them.
    pub sql_type: String,
    /// The class.
    pub class: Class,
    /// What laboratories call it; may be empty.
    pub label: String,
}

/// A relation of one column to one column of another table of this dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The column here.
    pub column: Spanned<String>,
    /// The table there.
    pub table: String,
    /// The column there.
    pub to: String,
}

impl Product {
    /// How it is asked for: `openelis-3.5`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// How people call it, with its version.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{} {}", self.title, self.version)
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name.value == name)
    }
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name.value == name)
    }
}

impl Column {
    /// Whether a surveyed type is this column's.
    #[must_use]
    pub fn is_of(&self, surveyed: &str) -> bool {
        plain(&self.sql_type) == plain(surveyed)
    }
}

/// A type's words without the display width of a whole number, which says nothing of its values and
/// which some servers leave out: `int(10) unsigned` is `int unsigned`.
fn plain(sql_type: &str) -> String {
    let lower = sql_type.to_ascii_lowercase();
    let whole = ["tinyint", "smallint", "mediumint", "int", "bigint"];
    match lower.split_once('(').zip(lower.split_once(')')) {
        Some(((name, _), (_, rest))) if whole.contains(&name) && !lower.starts_with("tinyint(1)") => {
            format!("{name}{rest}")
        }
        _ => lower,
    }
}
