//! The destination read back by a fresh process and connection, and compared.

use ecluse_core::fault::Result;
use serde::Serialize;

use crate::orders::Orders;
use crate::ports::{Destination, Record, Source};
use crate::run::Progress;
use crate::world::World;

/// One thing that differs. Names places and tokens, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The destination table's name.
    pub table: String,
    /// The chunk's opaque number within the table.
    pub chunk: u64,
    /// What differs.
    pub kind: Kind,
    /// The row's token; absent where rows are only counted.
    pub row: Option<String>,
    /// The destination column; absent where the whole row is meant.
    pub column: Option<String>,
    /// How many rows, where they are only counted; else 1.
    pub rows: u64,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The row is not at the destination.
    Missing,
    /// A row that was never moved.
    Extra,
    /// The same key twice at the destination.
    Duplicate,
    /// A value differs.
    Altered,
    /// The row hangs on another patient (or other parent) than it should.
    Reattached,
    /// The row has no parent at the destination.
    Orphan,
    /// Rows of a table without a key differ; only counts can be given.
    Count,
    /// The chunk's rows and the ledger differ, yet both sides hold the same rows.
    Ledger,
    /// Changed, added or removed at the source since the run's snapshot: no damage.
    Since,
    /// Both sides differ and the tally cannot tell which one changed.
    Undecided,
}

impl Kind {
    /// Whether this is damage (or may be), and not a change of the source since.
    #[must_use]
    pub const fn is_damage(self) -> bool {
        !matches!(self, Self::Since)
    }
}

/// What a reconciliation found.
#[derive(Clone, Debug, Serialize)]
pub struct Reconciliation {
    /// Per table: rows read back, chunks compared, chunks that agree.
    pub tables: Vec<Compared>,
    /// All that differs, by table, chunk and row.
    pub differences: Vec<Difference>,
}

/// One table, read back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The destination table's name.
    pub table: String,
    /// Rows at the destination.
    pub rows: u64,
    /// Rows the ledger says.
    pub ledger_rows: u64,
    /// Chunks compared.
    pub chunks: u64,
    /// Chunks whose tally is the ledger's.
    pub agree: u64,
}

impl Reconciliation {
    /// Whether nothing is lost, doubled, altered or attached to another patient.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.differences.iter().any(|d| d.kind.is_damage())
    }
}

/// Reads the destination back, chunk by chunk, and compares with the ledger; looks into
/// each chunk that differs, row by row, with the source.
///
/// Finds accidents and outsiders: whoever holds the tally key can forge a tally.
///
/// `connect` opens the source, and is asked for only where a chunk differs.
///
/// # Errors
///
/// Coded, where the comparison could not be made. A difference is no error here: see
/// [`Reconciliation::holds`].
pub fn reconcile<'s>(
    _orders: Orders<'_>,
    _connect: &mut dyn FnMut() -> Result<Box<dyn Source + 's>>,
    _destination: &mut dyn Destination,
    _record: &mut dyn Record,
    _world: World<'_>,
    _progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Reconciliation> {
    Err(NOT_YET.fault("reconcile"))
}

static NOT_YET: ecluse_core::fault::Code = ecluse_core::fault::Code::refused("ECL-RUN-000", "not built yet");
