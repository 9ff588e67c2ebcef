//! The compiled extraction: the only columns and rows that will be asked for.
//!
//! A [`Plan`] is made by the compiler alone; its fields are private, so that no
//! adapter can ask a database for a column which the signed instruction does not name.

mod append;
#[cfg(test)]
mod append_tests;
mod assemble;
mod bind;
mod compile;
mod consigned;
pub mod demands;
mod disguise;
mod dossier;
mod examine;
pub mod files;
mod identifier;
mod known;
mod literal;
mod load;
#[cfg(test)]
mod moments;
mod order;
mod pending;
#[cfg(test)]
mod property;
mod results;
mod returned;
#[cfg(test)]
mod returned_tests;
mod room;
mod rows;
mod target;
#[cfg(test)]
mod tests;

pub use append::Counter;
pub use compile::{Compiled, Inputs, Refusal, TRIAL_ROWS, compile};
pub use consigned::{Carried, Consigned, consigned, consigned_back, laden};
pub use dossier::{Dossiers, Edge, Kind, Way};
pub use examine::{Drafted, examine};
pub use known::KnownPlan;
pub use literal::typed;
pub use load::{Laden, load};
pub use pending::PendingPlan;
pub use returned::{give_back, objections, return_digest, returned_tables};
pub use room::{Bounds, By, Shift, apart};
pub use target::NO_TABLE;

use self::demands::Demand;
use self::files::FileColumn;
use crate::filter::Filter;
use crate::ins::Numbers;
use crate::instruction::Invalid;
pub use crate::mapping::Part;
use crate::types::Type;
use crate::value::Value;
use crate::zone::Zone;

/// What a verified instruction, its mapping and two catalogues compile to.
///
/// ```compile_fail,E0451
/// # use ecluse_core::plan::Plan;
/// fn forge(real: Plan) -> Plan {
///     Plan { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    tables: Vec<TablePlan>,
    tolerance: u64,
    /// How many of the first tables are reference data.
    reference: usize,
    row_limit: Option<u64>,
    dossiers: Option<Dossiers>,
    pending: Option<PendingPlan>,
    known: Option<KnownPlan>,
    demands: Vec<Demand>,
}

impl Plan {
    /// The tables, in the order in which they are read: a table that
    /// [`Filter::Chosen`] or a relation refers to comes before the one that refers.
    #[must_use]
    pub fn tables(&self) -> &[TablePlan] {
        &self.tables
    }

    /// How many refused rows in all still let a run end well; 0 unless the instruction says more.
    #[must_use]
    pub const fn tolerance(&self) -> u64 {
        self.tolerance
    }

    /// How many of the first tables are reference data: moved and accepted before the others.
    #[must_use]
    pub const fn reference(&self) -> usize {
        self.reference
    }

    /// Whether the order marks this table as reference data.
    #[must_use]
    pub const fn is_reference(&self, table: &TablePlan) -> bool {
        table.number() < self.reference
    }

    /// Rows per table at most, where the papers are a trial's (1,000).
    #[must_use]
    pub const fn row_limit(&self) -> Option<u64> {
        self.row_limit
    }
}

/// One table's part of the plan.
///
/// ```compile_fail,E0451
/// # use ecluse_core::plan::TablePlan;
/// fn forge(real: TablePlan) -> TablePlan {
///     TablePlan { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TablePlan {
    number: usize,
    source: String,
    view: Option<String>,
    destination: String,
    read: Vec<ReadColumn>,
    key: Vec<usize>,
    filter: Filter,
    write: Vec<WriteColumn>,
    write_key: Vec<usize>,
    relations: Vec<Relation>,
    files: Vec<FileColumn>,
    shifts: Vec<Shift>,
    persons: bool,
}

impl TablePlan {
    /// The table's opaque number, as the ledger and the events write it; its index in [`Plan::tables`].
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The source table's name, as the catalogue writes it ([`crate::catalog::Table::name`]).
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The view to read instead of the table, where the controller's administrator made the
    /// views that `ecluse grants` prints (`schema.view` on PostgreSQL, `database.view` on MariaDB).
    /// It exposes exactly [`Self::read`] and the rows of [`Self::filter`]; then no
    /// filter is sent, but every row is still checked in process.
    #[must_use]
    pub fn view(&self) -> Option<&str> {
        self.view.as_deref()
    }

    /// The destination table's name, as the destination's catalogue writes it.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// The columns asked of the source, moved or not; nothing else is ever named in SQL.
    #[must_use]
    pub fn read(&self) -> &[ReadColumn] {
        &self.read
    }

    /// The key: indices into [`Self::read`]; empty where the table has none.
    #[must_use]
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// The rows asked for.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether a zero date of this read column means NULL: everything made of it says so.
    #[must_use]
    pub fn zero_as_null(&self, read: usize) -> bool {
        self.write
            .iter()
            .any(|w| matches!(w.from, Expression::Moment { column, zero_null: true, .. } if column == read))
    }

    /// The destination's columns that are written, in the order of tallies and COPY.
    #[must_use]
    pub fn write(&self) -> &[WriteColumn] {
        &self.write
    }

    /// The key at the destination: indices into [`Self::write`], in the order of [`Self::key`].
    #[must_use]
    pub fn write_key(&self) -> &[usize] {
        &self.write_key
    }

    /// The relations to other planned tables.
    #[must_use]
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// Whether a moved column is about a person, by the dictionary's classes (an identity, a contact, a
    /// number, a result, an attachment), and the order does not say why its rows are everybody's.
    #[must_use]
    pub const fn about_persons(&self) -> bool {
        self.persons
    }

    /// The columns that name files, which move with their rows.
    #[must_use]
    pub fn files(&self) -> &[FileColumn] {
        &self.files
    }
}

/// A column asked of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadColumn {
    /// The source column's name.
    pub name: String,
    /// Its type on the way.
    pub ty: Type,
    /// The engine's own words for its type (an adapter may need the width).
    pub sql_type: String,
    /// False where it is read for the filter, the key or a relation only, and not moved.
    pub moved: bool,
}

/// A column written at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteColumn {
    /// The destination column's name.
    pub name: String,
    /// Its type; tallies are computed over values of this type.
    pub ty: Type,
    /// The destination engine's own words for its type.
    pub sql_type: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Characters (text) or bytes at most.
    pub max_length: Option<u32>,
    /// Whole-number columns: the destination's inclusive bounds.
    pub int_bounds: Option<(i64, i64)>,
    /// An enumeration's labels: any other text refuses its row; else empty.
    pub labels: Vec<String>,
    /// How the value is made from the read columns.
    pub from: Expression,
    /// A column whose relation names the patient: a difference in it is a changed patient.
    pub relation: bool,
}

/// How a written value is made. Total over valid rows; a row for which it fails is refused by code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A read column, same type.
    Column(usize),
    /// A read column cast to the written column's type; a value that does not fit refuses the row.
    Cast(usize),
    /// A read text as the UTF-8 that its bytes in `latin1` are; bytes that are not refuse the row.
    Utf8(usize),
    /// A constant of the written column's type.
    Constant(Value),
    /// Text pieces joined; a NULL column counts as the empty text.
    Concat(Vec<Piece>),
    /// A code table: the text of a read column looked up; an unmapped code refuses the row.
    Code {
        /// Index into the read columns.
        column: usize,
        /// Code → value of the written column's type, sorted by code.
        table: Vec<(Value, Value)>,
    },
    /// A read column as it is, or a local time of a zone as an instant; a time that is none or two in
    /// its zone refuses the row.
    Moment {
        /// Index into the read columns.
        column: usize,
        /// Where the column is a local time and the written one an instant.
        zone: Option<Zone>,
        /// The source gives NULL for `0000-00-00`, see [`TablePlan::zero_as_null`].
        zero_null: bool,
    },
    /// An INS, or what belongs to it, after its check.
    Identifier(Box<Identifier>),
}

impl Expression {
    /// Whether it is the read column's own value: as it is, as another type, or respelled.
    #[must_use]
    pub fn carries(&self, read: usize) -> bool {
        matches!(self, Self::Column(i) | Self::Cast(i) | Self::Utf8(i) if *i == read)
    }
}

/// One written column of a national identifier; all indices are into the read columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Which column this is.
    pub part: Part,
    /// The number: text.
    pub number: usize,
    /// The key's own column, text or a whole number.
    pub key: Option<usize>,
    /// The authority's OID: text.
    pub authority: usize,
    /// The five strict traits, where they are looked at.
    pub traits: Vec<usize>,
    /// The identity's status: text.
    pub status: Option<usize>,
    /// The status of an identity whose number does not hold.
    pub provisional: String,
    /// What becomes of a number that does not hold.
    pub invalid: Invalid,
    /// The numbers that are valid here.
    pub numbers: Numbers,
}

impl Identifier {
    /// Every read column it looks at.
    #[must_use]
    pub fn uses(&self) -> Vec<usize> {
        let one = [self.number, self.authority];
        one.into_iter().chain(self.key).chain(self.traits.iter().copied()).chain(self.status).collect()
    }
}

/// One piece of a concatenation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Fixed text.
    Literal(String),
    /// A read text column.
    Column(usize),
}

/// A relation: this table's column refers to another planned table's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Index into this table's read columns.
    pub column: usize,
    /// The parent's number.
    pub parent: usize,
    /// Index into the parent's read columns.
    pub parent_column: usize,
    /// Whether the destination declares it as a foreign key.
    pub declared: bool,
}

/// Builds plans without documents, for tests of other crates only: the feature
/// `assertions` is named in dev-dependencies and nowhere else.
#[cfg(feature = "assertions")]
pub mod assertion {
    use super::{Filter, Plan, ReadColumn, Relation, Shift, TablePlan, WriteColumn};

    /// The fields of a [`TablePlan`], open.
    #[derive(Clone, Debug)]
    pub struct TableFields {
        /// See [`TablePlan::number`].
        pub number: usize,
        /// See [`TablePlan::source`].
        pub source: String,
        /// See [`TablePlan::view`].
        pub view: Option<String>,
        /// See [`TablePlan::destination`].
        pub destination: String,
        /// See [`TablePlan::read`].
        pub read: Vec<ReadColumn>,
        /// See [`TablePlan::key`].
        pub key: Vec<usize>,
        /// See [`TablePlan::filter`].
        pub filter: Filter,
        /// See [`TablePlan::write`].
        pub write: Vec<WriteColumn>,
        /// See [`TablePlan::write_key`].
        pub write_key: Vec<usize>,
        /// See [`TablePlan::relations`].
        pub relations: Vec<Relation>,
    }

    /// A table plan nobody compiled.
    #[must_use]
    pub fn table(f: TableFields) -> TablePlan {
        let TableFields { number, source, view, destination, read, key, filter, write, write_key, relations } =
            f;
        let (files, shifts, persons) = (Vec::new(), Vec::new(), false);
        TablePlan {
            number,
            source,
            view,
            destination,
            read,
            key,
            filter,
            write,
            write_key,
            relations,
            files,
            shifts,
            persons,
        }
    }

    /// The same table, with columns that are about persons.
    #[must_use]
    pub fn about_persons(table: TablePlan) -> TablePlan {
        TablePlan { persons: true, ..table }
    }

    /// The same table, at a destination that holds other laboratories.
    #[must_use]
    pub fn aside(table: TablePlan, shifts: Vec<Shift>) -> TablePlan {
        TablePlan { shifts, ..table }
    }

    /// A plan nobody compiled.
    #[must_use]
    pub fn plan(tables: Vec<TablePlan>) -> Plan {
        Plan {
            tables,
            tolerance: 0,
            reference: 0,
            row_limit: None,
            dossiers: None,
            pending: None,
            known: None,
            demands: Vec::new(),
        }
    }

    /// A plan nobody compiled, with its dossiers.
    #[must_use]
    pub fn with_dossiers(plan: Plan, table: usize, kinds: Vec<super::Kind>) -> Plan {
        let dossiers = Some(super::Dossiers::of(&plan.tables, table, kinds));
        Plan { dossiers, ..plan }
    }

    /// A plan nobody compiled, that moves at most so many rows per table.
    #[must_use]
    pub fn trial(tables: Vec<TablePlan>, limit: u64) -> Plan {
        Plan { row_limit: Some(limit), ..plan(tables) }
    }
}
