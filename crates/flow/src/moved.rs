//! What moved, as the source is held against it before it is erased: the destination's ledger, chunk by chunk; of
//! an archive what the recipient's receipt opens, table by table.
//!
//! The sender of an archive sees no destination. The receipt gives, per table, the tally of the rows that came out
//! of the archive; the extraction committed itself to it before anybody had the rows, and its key is in the run's
//! sealed state. The chunks are those that the extraction read.

use ecluse_batch::{Scope as Tallied, Tally, TallyKey};
use ecluse_core::count::number;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Engine;
use ecluse_seal::RunState;

use crate::checks;
use crate::extract;
use crate::orders::Orders;
use crate::ports::{Destination, LedgerEntry};
use crate::state;

static UNCUT: Code = Code::refused("ECL-ERA-040", "the extraction kept no word of how it read the source");

/// What moved.
pub enum Moved<'a> {
    /// Into a destination, whose ledger holds a tally per chunk.
    Ledger(&'a mut dyn Destination),
    /// Out of an archive at its recipient: one per table of the plan, in its order.
    Received(&'a [Opened]),
}

/// What a receipt opens of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Rows that came out of the archive and stand at the recipient's.
    pub rows: u64,
    /// Their published tally.
    pub out: [u8; 32],
}

/// One chunk that moved.
pub(crate) struct Line {
    pub(crate) table: usize,
    pub(crate) chunk: u64,
    /// Its rows and their published tally, where each chunk has its own.
    own: Option<(u64, [u8; 32])>,
}

impl Line {
    /// Whether these are the chunk's rows; where it has no tally of its own, its table tells.
    pub(crate) fn is(&self, tally: &Tally, key: &TallyKey) -> bool {
        let scope = Tallied::Chunk { table: self.table, chunk: self.chunk };
        self.own.is_none_or(|(rows, own)| rows == tally.count() && own == tally.publish(key, scope))
    }
}

impl Moved<'_> {
    /// The engine as which rows were made.
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Ledger(destination) => destination.engine(),
            Self::Received(_) => extract::AS,
        }
    }

    /// The ledger, where there is one.
    ///
    /// # Errors
    ///
    /// A destination that is another one than was signed for; its own.
    pub(crate) fn ledger(&mut self, orders: &Orders<'_>, state: &RunState) -> Result<Vec<LedgerEntry>> {
        match self {
            Self::Ledger(destination) => {
                checks::destination_identity(*destination, orders.destination)?;
                destination.ledger(&state.run)
            }
            Self::Received(_) => Ok(Vec::new()),
        }
    }

    /// Every chunk that moved.
    ///
    /// # Errors
    ///
    /// [`UNCUT`].
    pub(crate) fn lines(
        &self,
        orders: &Orders<'_>,
        state: &RunState,
        ledger: &[LedgerEntry],
    ) -> Result<Vec<Line>> {
        let line = |line: &LedgerEntry| Line {
            table: line.table,
            chunk: line.chunk,
            own: Some((line.rows, line.tally)),
        };
        match self {
            Self::Ledger(_) => Ok(ledger.iter().map(line).collect()),
            Self::Received(opened) => {
                let mut lines = Vec::new();
                for table in orders.plan.tables() {
                    let sealed = state::table(state, table.number())?;
                    if !sealed.closed || opened.len() != orders.plan.tables().len() {
                        return Err(UNCUT.fault(format!("table {}", table.source())).help(
                            "the old system's administrator erases what the report lists, and signs for it",
                        ));
                    }
                    let chunks = 0..number(sealed.chunks());
                    lines.extend(chunks.map(|chunk| Line { table: table.number(), chunk, own: None }));
                }
                Ok(lines)
            }
        }
    }

    /// Rows of a table that moved.
    pub(crate) fn rows(&self, table: &TablePlan, lines: &[Line]) -> u64 {
        match self {
            Self::Ledger(_) => {
                let own = lines.iter().filter(|line| line.table == table.number());
                own.filter_map(|line| line.own).map(|(rows, _)| rows).sum()
            }
            Self::Received(opened) => opened.get(table.number()).map_or(0, |opened| opened.rows),
        }
    }

    /// Whether these rows of a whole table are those that moved; where each chunk was compared, they are.
    pub(crate) fn is(&self, table: &TablePlan, whole: &Tally, key: &TallyKey) -> bool {
        match self {
            Self::Ledger(_) => true,
            Self::Received(opened) => opened.get(table.number()).is_some_and(|opened| {
                opened.rows == whole.count()
                    && opened.out == whole.publish(key, Tallied::Table(table.number()))
            }),
        }
    }
}
