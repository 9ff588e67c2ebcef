//! The controller's instruction: what moves, from where to where, why, how often, until when.
//!
//! Everything is an allow-list; what is not named is denied (GDPR Art. 28(3)(a), Art. 5(1)(c)).
//! An [`Order`] is what the document says; an [`Instruction`] is an order in force:
//! only the check of its signatures, period and contract makes one, and only that compiles
//! to a plan.

mod beginning;
mod beside;
mod carried;
mod check;
mod dossier;
mod draft;
mod entity;
#[cfg(test)]
mod entity_tests;
mod files;
mod in_force;
mod known;
mod pending;
mod read;
mod referring;
mod results;
mod returned;
mod rows;
mod stays;
mod told;
mod toward;
mod worked;

use jiff::civil::Date;

pub use beginning::{beginning, weight};
pub use beside::Beside;
pub use carried::{Carried, Known as KnownOfFate, carried};
pub use check::{check, is_unknown_name};
pub(crate) use dossier::ordered;
pub use dossier::{Dossier, Kind as DossierKind, dossiers_told};
pub use draft::{Drafting, Side, UNDECIDED, draft, fill};
pub use entity::Entity;
pub(crate) use entity::about_persons;
pub use files::FilesOrder;
pub use known::{Known, Whose};
pub use pending::Unfinished;
pub(crate) use read::is_finess;
pub use read::parse;
pub use referring::{Referring, referring};
pub use results::{NO_RESULTS, moves_no_result, results};
pub(crate) use returned::derived;
use returned::without_recipient;
pub use returned::{NO_RECIPIENT, NO_RETURN, returning};
pub(crate) use rows::{granted, rows};
pub use stays::{StayingColumn, fates, kept_with_rows, not_carried_out, staying};
pub use told::{called, label, rows_told, unfinished_told};
pub use worked::{dated, over};

use crate::class::Class;
use crate::document::Header;
use crate::fault::{Code, Result};
use crate::ins::Numbers;
use crate::reader::Spanned;
use crate::signatures::Signer;
use crate::types::Engine;

/// The format this version writes and reads.
pub const FORMAT: &str = "ecluse-instruction/1";

/// The file in a migration's folder; findings that concern several files name it.
pub const FILE: &str = "instruction.toml";

/// The suite of algorithms this version knows.
pub const SUITE: &str = "ecluse-1";

/// Not TOML.
pub static SYNTAX: Code = Code::refused("ECL-INS-001", "the instruction is not TOML");
/// An unknown key.
pub static UNKNOWN_KEY: Code = Code::refused("ECL-INS-002", "unknown key in the instruction");
/// A missing key.
pub static MISSING_KEY: Code = Code::refused("ECL-INS-003", "the instruction lacks a key");
/// A value of the wrong kind.
pub static WRONG_VALUE: Code = Code::refused("ECL-INS-004", "a value of the instruction has the wrong form");

/// An order to a recipient, where a database is written.
pub static NOT_SEALED: Code =
    Code::refused("ECL-INS-026", "the order seals its rows to a recipient: no database is written");

/// An order to a database, where an archive is made or opened.
pub static NOT_TO_A_RECIPIENT: Code =
    Code::refused("ECL-INS-027", "the order seals nothing: it names a database, and no recipient");

/// What an instruction's document says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Bulk, targeted or single.
    pub kind: Kind,
    /// Why the data move, in the controller's words (GDPR Art. 5(1)(b)).
    pub purpose: Spanned<String>,
    /// The dictionary's digest: the classes that were signed under.
    pub dictionary: Spanned<String>,
    /// The mapping's digest.
    pub mapping: Spanned<String>,
    /// How many runs (run folders) at most.
    pub max_runs: u64,
    /// The oldest a status may be, in seconds.
    pub status_max_age: u64,
    /// How many refused rows in all still let a run end well.
    pub tolerance: u64,
    /// Whether no row moves before the controller, or a witness, holds a checkpoint over the plan.
    pub witnessed: bool,
    /// The keys whose cosignatures count as the controller's having seen it (C2SP signed-note).
    pub witnesses: Vec<String>,
    /// Persons whose rows never move: the digest of their sealed list, where there is one.
    pub excluded: Option<Spanned<String>>,
    /// The legal entity whose rows alone move, where the source holds several.
    pub entity: Option<Entity>,
    /// Where the rows are.
    pub source: Endpoint,
    /// Where they go.
    pub toward: Toward,
    /// When copies are erased.
    pub erasure: Erasure,
    /// The tables, in the document's order.
    pub tables: Vec<TableOrder>,
    /// The fate of each class that stays behind.
    pub stays: Vec<Stay>,
    /// What becomes of rows beside the order that name ordered ones which go.
    pub beside: Vec<Beside>,
    /// How classes go back whose fate is `return`, where the order says it.
    pub back: Option<Back>,
    /// What one dossier is, where the order says it: rehearsals draw whole ones.
    pub dossier: Option<Dossier>,
    /// What becomes of requests that are not finished at the cut-over.
    pub pending: Option<Pending>,
    /// Which rows these are, table by table; empty where the order does not say it: then nothing is checked.
    pub unfinished: Vec<Unfinished>,
    /// What becomes of national identity numbers that do not hold, and which numbers count here.
    pub identifiers: (Invalid, Numbers),
}

impl Order {
    /// The order for a source table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableOrder> {
        self.tables.iter().find(|t| t.name.value == name)
    }

    /// The database they go to, where the order names one.
    #[must_use]
    pub fn destination(&self) -> Option<&Endpoint> {
        match &self.toward {
            Toward::Database(endpoint) => Some(endpoint),
            Toward::Sealed(_) => None,
        }
    }

    /// The recipient to whom they are sealed, where the order names one.
    #[must_use]
    pub const fn recipient(&self) -> Option<&SealedTo> {
        match &self.toward {
            Toward::Database(_) => None,
            Toward::Sealed(to) => Some(to),
        }
    }

    /// The database they go to: what every step needs that writes rows.
    ///
    /// # Errors
    /// [`NOT_SEALED`], of an order to a recipient: it is carried out by `ecluse extract`.
    pub fn direct(&self) -> Result<&Endpoint> {
        self.destination().ok_or_else(|| {
            NOT_SEALED
                .fault("it names a [[recipient]]")
                .help("ecluse extract -o ARCHIVE; to write into a database, order a [destination]")
        })
    }

    /// The recipient to whom they are sealed: what every step needs that makes or opens an archive.
    ///
    /// # Errors
    /// [`NOT_TO_A_RECIPIENT`], of an order to a database.
    pub fn sealed(&self) -> Result<&SealedTo> {
        self.recipient().ok_or_else(|| {
            NOT_TO_A_RECIPIENT
                .fault("it names a [destination]")
                .help("move its rows directly: ecluse migrate")
        })
    }

    /// The names of the instructed tables, as [`crate::digest::of_schema`] and a source's scope want them.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        self.tables.iter().map(|t| t.name.value.clone()).collect()
    }
}

/// What sort of export it is, in the words of the French portability rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `bulk` (*massif*).
    Bulk,
    /// `targeted` (*ciblé*).
    Targeted,
    /// `single` (*unitaire*).
    Single,
}

impl Kind {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Targeted => "targeted",
            Self::Single => "single",
        }
    }
}

/// What becomes of a national identity number that does not hold. The patient is never lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Invalid {
    /// `local`: it moves as a local identifier, the identity's status is provisional (the default).
    #[default]
    Local,
    /// `withhold`: the number stays behind, the patient moves without it.
    Withhold,
    /// `refuse`: the row is refused, and with it everything that refers to it.
    Refuse,
}

impl Invalid {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Withhold => "withhold",
            Self::Refuse => "refuse",
        }
    }
}

/// Where the rows go: into a database, or into an archive that one recipient can open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toward {
    /// `[destination]`.
    Database(Box<Endpoint>),
    /// `[[recipient]]`.
    Sealed(SealedTo),
}

/// The one recipient of a sealed archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTo {
    /// The age recipient (`age1…`), letter by letter that of the statement.
    pub age: Spanned<String>,
    /// The digest of the recipient's statement.
    pub statement: Spanned<String>,
}

/// `[return]`: how classes go back to the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// The controller's own key.
    pub to: SealedTo,
    /// Whether the source holds no other laboratory's rows; else `[entity]` tells whose a row is.
    pub alone: bool,
}

/// One of the two databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The engine.
    pub engine: Engine,
    /// The database's name.
    pub database: Spanned<String>,
    /// The instance's identity (`docs/formats.md`).
    pub identity: Spanned<String>,
    /// The pin of the server's public key; absent on loopback, sockets and files.
    pub tls_spki: Option<Spanned<String>>,
    /// The digest of the instructed tables' catalogue; always there for the source.
    pub schema: Option<Spanned<String>>,
    /// The source only: the controller knows that it cannot deny anything (a dump), and that all
    /// of it passes through memory.
    pub cannot_deny: bool,
    /// The source only: the controller knows that it lies in clear in a file, and erases it by the day of
    /// [`Erasure::copies`].
    pub in_clear: bool,
    /// The source only, and only one that cannot deny: the folder, by its whole path, in which rows of the
    /// order may stand sealed for the time of a process, where they do not fit in memory.
    pub staging: Option<Spanned<String>>,
    /// The destination only: the folder that receives the files which rows name.
    pub files: Option<Spanned<String>>,
    /// The destination only: with whose records the persons who arrive are compared.
    pub known: Option<Known>,
}

/// When copies are erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Every copy of patients' data that écluse made outside the two databases, its run state included. What tells of the
    /// migration goes later: [`crate::copies::Store::last_day`].
    pub copies: Spanned<Date>,
    /// What moved, at the source, where the controller orders it.
    pub source: Option<Spanned<Date>>,
}

/// One table of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOrder {
    /// The source table's name.
    pub name: Spanned<String>,
    /// What the laboratory calls it; may be empty.
    pub label: String,
    /// The columns that may move, in the document's order.
    pub columns: Vec<ColumnOrder>,
    /// Which rows, as the filter's text. Its span is that of the text *inside* the quotes.
    pub rows: Spanned<String>,
    /// Why its rows are every laboratory's (reference data), in a source that holds several.
    pub shared: Option<Spanned<String>>,
    /// Whether it is reference data: moved and accepted before any table that is none.
    pub reference: bool,
    /// The key, where the catalogue has none.
    pub key: Vec<Spanned<String>>,
    /// Relations beyond those of the dictionary.
    pub relations: Vec<RelationOrder>,
    /// Columns that name files, which move with their rows.
    pub files: Vec<FilesOrder>,
    /// The table's place in the document (its header).
    pub span: std::ops::Range<usize>,
}

impl TableOrder {
    /// The order for a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnOrder> {
        self.columns.iter().find(|c| c.name.value == name)
    }
}

/// One column that may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnOrder {
    /// The column's name.
    pub name: Spanned<String>,
    /// Why it must move; demanded for free text, third parties and staff.
    pub reason: Option<Spanned<String>>,
    /// What happens to a text in which screening finds somebody's data.
    pub screen: Screen,
}

/// What happens to a free text in which screening finds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// `pass`: the text moves as it is (the default).
    Pass,
    /// `withhold`: the text stays, the row moves.
    Withhold,
    /// `redact`: what was found is masked.
    Redact,
}

impl Screen {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Withhold => "withhold",
            Self::Redact => "redact",
        }
    }
}

/// A relation of one column to a column of another instructed table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationOrder {
    /// The column here.
    pub column: Spanned<String>,
    /// The table there.
    pub table: Spanned<String>,
    /// The column there.
    pub to: Spanned<String>,
}

/// The fate of one class that stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The class.
    pub class: Spanned<Class>,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in the controller's words; never empty where it is destroyed, else it may be.
    pub reason: String,
}

/// What becomes of data that stay behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `return`: given back to the controller, sealed.
    Return,
    /// `keep`: stays in the source system, under the controller, until a day.
    Keep {
        /// The last day.
        until: Date,
    },
    /// `destroy`: destroyed at the source, for a reason, by a day.
    Destroy {
        /// The last day.
        by: Date,
    },
}

impl Fate {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Keep { .. } => "keep",
            Self::Destroy { .. } => "destroy",
        }
    }

    /// The day it names, if it names one.
    #[must_use]
    pub const fn day(self) -> Option<Date> {
        match self {
            Self::Return => None,
            Self::Keep { until: day } | Self::Destroy { by: day } => Some(day),
        }
    }

    /// In words, after the name of a class: `kept until 2036-12-31`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Return => "returned, sealed, to the laboratory".to_owned(),
            Self::Keep { until } => format!("kept until {until}"),
            Self::Destroy { by } => format!("to be destroyed by {by}"),
        }
    }
}

/// What becomes of requests that are not finished at the cut-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// `stay`: they are finished in the old system and do not move.
    Stay,
    /// `move`: they move as they are and are finished in the new one.
    Move,
    /// `wait`: the cut-over waits until there are none.
    Wait,
}

impl Pending {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stay => "stay",
            Self::Move => "move",
            Self::Wait => "wait",
        }
    }
}

/// An order in force. There is no other way to one than the check of its signatures,
/// period and contract.
///
/// ```compile_fail,E0451
/// # use ecluse_core::instruction::Instruction;
/// fn forge(real: Instruction) -> Instruction {
///     Instruction { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Instruction {
    order: Order,
    digest: String,
    header: Header,
    signers: Vec<Signer>,
}

impl Instruction {
    /// What is ordered.
    #[must_use]
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// The digest of the signed bytes: what every run cites.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// Instructions nobody signed, for the unit tests of this crate.
#[cfg(test)]
pub(crate) mod assertion {
    use super::{Instruction, Order};
    use crate::document::Header;

    /// An instruction in force on nobody's word.
    pub(crate) fn in_force(order: Order, header: Header, digest: &str) -> Instruction {
        Instruction { order, digest: digest.to_owned(), header, signers: Vec::new() }
    }
}
