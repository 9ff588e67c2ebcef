//! What a database says of itself: the catalogue, as a survey reads it.
//!
//! Names and types only, no value of any row. The instruction binds the digest of
//! the instructed tables' part ([`Catalog`] keeps the order the engine gives).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::{Engine, Type};

/// A database's catalogue, or the part of it that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The engine.
    pub engine: Engine,
    /// The database's name (SQLite: `main`).
    pub database: String,
    /// The instance's identity, as `docs/formats.md` defines it per engine.
    pub identity: String,
    /// Tables and views, ordered by name.
    pub tables: Vec<Table>,
}

impl Catalog {
    /// The table of that name. PostgreSQL: `schema.table`, or `table` alone where the
    /// schema is `public`. Others: the table's name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The tables by name, for whoever asks for many.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&str, &Table> {
        // of two of one name the first, as everywhere
        self.tables.iter().rev().map(|t| (t.name.as_str(), t)).collect()
    }
}

/// One table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// As documents write it: `table`, or `schema.table` on PostgreSQL outside `public`.
    pub name: String,
    /// `table`, `view`, `partitioned`, `foreign`, `materialized`.
    pub kind: String,
    /// PostgreSQL: the relation's object identifier; `None` elsewhere.
    pub oid: Option<u32>,
    /// PostgreSQL: the owner; MariaDB: the storage engine; SQLite: `strict`, `rowid` or `without rowid`.
    pub storage: String,
    /// Columns in the engine's order.
    pub columns: Vec<Column>,
    /// The primary key's columns in the key's order; empty where there is none.
    pub key: Vec<String>,
    /// Unique constraints and indexes: their columns.
    pub uniques: Vec<Vec<String>>,
    /// Declared foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Names of triggers that fire on insert, update or delete, and their digest (`name sha256:…`).
    pub triggers: Vec<String>,
    /// PostgreSQL: whether row security is enabled (its state as text, else empty).
    pub row_security: String,
    /// A view's definition as the engine gives it; else empty.
    pub definition: String,
    /// The planner's estimate of rows, where the engine has one. Not part of the digest.
    pub estimated_rows: Option<u64>,
}

impl Table {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name, exactly.
    pub name: String,
    /// The engine's own words for the type: `int(10) unsigned`, `numeric(10,2)`, `character varying(40)`.
    pub sql_type: String,
    /// The type on the way; `None` where écluse refuses this engine type by code.
    pub ty: Option<Type>,
    /// Characters (text) or bytes the column holds at most, where declared.
    pub max_length: Option<u32>,
    /// Whole-number columns: the engine's inclusive bounds, so that a narrower destination is seen.
    pub int_bounds: Option<(i64, i64)>,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the column has a default or is filled by the engine (identity, auto-increment).
    pub has_default: bool,
    /// Whether it is an identity, serial or auto-increment column.
    pub identity: bool,
    /// A generated column's expression; else empty. Such a column cannot be written.
    pub generated: String,
    /// The collation's name; else empty.
    pub collation: String,
    /// Whether the catalogue lists the few words that may stand there: an enumeration, or a CHECK over a list.
    pub choice: bool,
    /// PostgreSQL, an enumeration: its labels, and nothing else can be written there; else empty.
    pub labels: Vec<String>,
    /// The column's comment or label, where the engine keeps one.
    pub comment: String,
}

/// A declared foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// Its name; empty where the engine has none.
    pub name: String,
    /// Columns here.
    pub columns: Vec<String>,
    /// The table referred to.
    pub references: String,
    /// Columns there.
    pub referenced: Vec<String>,
}
