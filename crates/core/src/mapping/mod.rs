//! The mapping: where each granted column goes, and how its value is made.
//!
//! It can use only what the instruction grants, and must use all of it: what is granted
//! and unused would be read for nothing (GDPR Art. 5(1)(c)).

mod against;
mod disguise;
mod draft;
mod identifier;
mod own;
mod read;

pub use against::against;
pub use draft::draft;
pub use identifier::{IdentifierMap, Part};
pub use own::{Own, constant, joined, own};
pub use read::parse;

use std::ops::Range;
use std::sync::Arc;

use crate::fault::Code;
use crate::reader::Spanned;
use crate::zone::Zone;

/// The format this version writes and reads.
pub const FORMAT: &str = "ecluse-mapping/1";

/// The file in a migration's folder; findings that concern several files name it.
pub const FILE: &str = "mapping.toml";

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-MAP-001", "the mapping is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-MAP-002", "unknown key in the mapping");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-MAP-003", "the mapping lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-MAP-004", "a value of the mapping has the wrong form");

/// What a mapping's document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The digest of the bytes it was read from.
    pub digest: String,
    /// The code tables it cites.
    pub codes: Vec<Citation>,
    /// Where keys go in a destination that holds other laboratories; keys stay as they are without it.
    pub append: Option<Append>,
    /// The tables, in the document's order.
    pub tables: Vec<TableMap>,
}

impl Mapping {
    /// The map of a source table.
    #[must_use]
    pub fn table(&self, source: &str) -> Option<&TableMap> {
        self.tables.iter().find(|t| t.from.value == source)
    }
}

/// The room of one laboratory among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Added to whole-number keys.
    pub offset: Option<Spanned<i64>>,
    /// How many whole numbers from the offset on are this laboratory's.
    pub room: Option<Spanned<i64>>,
    /// Set before text keys.
    pub prefix: Option<Spanned<String>>,
    /// Columns (`table.column` of the source) that are called like references and are plain values.
    pub plain: Vec<Spanned<String>>,
    /// Its place in the document.
    pub span: Range<usize>,
}

impl Append {
    /// The offset and how many numbers the room has.
    #[must_use]
    pub fn numbers(&self) -> Option<(i64, i64)> {
        Some((self.offset.as_ref()?.value, self.room.as_ref()?.value))
    }
}

/// A code table, cited by name, file and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The name used in this mapping.
    pub name: Spanned<String>,
    /// The file, relative to the migration's folder.
    pub file: Spanned<String>,
    /// The digest of the file's bytes.
    pub digest: Spanned<String>,
}

/// One table: from where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMap {
    /// The source table.
    pub from: Spanned<String>,
    /// The destination table.
    pub to: Spanned<String>,
    /// The destination's columns, in the document's order.
    pub columns: Vec<ColumnMap>,
    /// The table's place in the document.
    pub span: Range<usize>,
}

/// One destination column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMap {
    /// The destination column's name.
    pub to: Spanned<String>,
    /// How its value is made.
    pub make: Make,
    /// A row whose value is NULL is refused rather than written; said where the source
    /// allows NULL and the destination does not.
    pub required: bool,
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Make {
    /// A source column as it is: same type.
    Column(Spanned<String>),
    /// A source column cast to the destination's type; a value that does not fit refuses its row.
    Cast(Spanned<String>),
    /// A constant.
    Constant(Spanned<Constant>),
    /// Pieces of text joined; NULL counts as the empty text.
    Concat(Vec<Piece>),
    /// A source column through a code table; an unmapped code refuses its row.
    Code {
        /// The source column.
        column: Spanned<String>,
        /// The code table's name in this mapping.
        table: Spanned<String>,
    },
    /// An INS, or what belongs to it (`[table.national_identifier]`).
    Identifier {
        /// Where it stands.
        of: Arc<IdentifierMap>,
        /// Which part of it.
        part: Part,
    },
    /// A source column as it is, with what must be said of a moment.
    Moment {
        /// The source column.
        column: Spanned<String>,
        /// The zone of a local time, which becomes an instant.
        zone: Option<Spanned<Zone>>,
        /// `0000-00-00` means that nothing was recorded: NULL.
        zero_null: bool,
    },
    /// A text column whose bytes are UTF-8, whatever the column is declared to hold; bytes that are not
    /// refuse their row.
    Utf8(Spanned<String>),
    /// A boolean in disguise; a value that is not listed refuses its row.
    Boolean {
        /// The source column.
        column: Spanned<String>,
        /// The values that mean true.
        yes: Vec<Spanned<String>>,
        /// The values that mean false.
        no: Vec<Spanned<String>>,
    },
}

/// A constant as TOML writes it; the compiler gives it the destination's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    /// `"text"`.
    Text(String),
    /// `42`.
    Int(i64),
    /// `true`.
    Bool(bool),
    /// `2026-11-22`, a date, time or timestamp as written.
    Moment(String),
}

/// One piece of a concatenation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Fixed text.
    Literal(String),
    /// A source column.
    Column(Spanned<String>),
}

impl Make {
    /// The source columns it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<&Spanned<String>> {
        match self {
            Self::Column(c)
            | Self::Cast(c)
            | Self::Utf8(c)
            | Self::Code { column: c, .. }
            | Self::Moment { column: c, .. }
            | Self::Boolean { column: c, .. } => vec![c],
            Self::Constant(_) => Vec::new(),
            Self::Identifier { of, part: _ } => of.uses(),
            Self::Concat(pieces) => pieces
                .iter()
                .filter_map(|p| match p {
                    Piece::Column(c) => Some(c),
                    Piece::Literal(_) => None,
                })
                .collect(),
        }
    }
}
