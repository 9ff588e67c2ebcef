//! Whether what moved still stands at the destination: read once more, right before anything goes at the source.
//!
//! Each chunk's tally there must be the ledger's, or that of the reconciliation which the acceptance cites where
//! somebody accepted a difference. Else the chunk is read row by row: a row that is not there stops the erasure.
//! One that somebody has changed since then does not: the new system is in use.

use std::collections::BTreeSet;

use ecluse_batch::{Scope, TallyKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::TablePlan;
use ecluse_seal::TableState;

use crate::diff::{self, Rows};
use crate::ports::{Destination, LedgerEntry};
use crate::reconcile;
use crate::run::Progress;

static GONE: Code = Code::refused("ECL-ERA-030", "rows that moved do not stand at the destination any more");

/// A chunk as it was accepted though it differs from the ledger: the destination's table, the chunk's number, the
/// published tally in hexadecimal.
pub type Accepted = BTreeSet<(String, u64, String)>;

/// One table, and where it stands at the destination.
pub(crate) struct Arrived<'a, 'd> {
    pub(crate) table: &'a TablePlan,
    pub(crate) sealed: &'a TableState,
    pub(crate) lines: &'a [&'a LedgerEntry],
    pub(crate) key: &'a TallyKey,
    pub(crate) accepted: &'a Accepted,
    pub(crate) destination: &'d mut dyn Destination,
}

impl Arrived<'_, '_> {
    /// Reads the table back; `source` gives the rows of a chunk as they moved.
    ///
    /// # Errors
    ///
    /// [`GONE`]; the destination's and the source's own.
    pub(crate) fn stands(
        self,
        progress: &mut dyn FnMut(Progress<'_>),
        mut source: impl FnMut(&LedgerEntry) -> Result<Rows>,
    ) -> Result<()> {
        let Self { table, sealed, lines, key, accepted, destination } = self;
        let tallies = reconcile::read_back(destination, table, sealed, key, progress)?;
        let mut gone = 0;
        for line in lines {
            let chunk = usize::try_from(line.chunk).unwrap_or(usize::MAX);
            let published = tallies.get(chunk).map(|tally| {
                (tally.count(), tally.publish(key, Scope::Chunk { table: line.table, chunk: line.chunk }))
            });
            let as_accepted = published.is_some_and(|(rows, tally)| {
                let there = data_encoding::HEXLOWER.encode(&tally);
                (rows == line.rows && tally == line.tally)
                    || accepted.contains(&(table.destination().to_owned(), line.chunk, there))
            });
            if !as_accepted {
                let there = Rows::of_destination(destination, table, &sealed.range(chunk), key)?;
                gone += diff::absent(&source(line)?, &there);
            }
        }
        if gone == 0 {
            return Ok(());
        }
        Err(GONE.fault(format!("table {}: {gone} rows", table.destination())).help(
            "nothing went at the source; ecluse reconcile names them, ecluse migrate --repair puts them back; then it is accepted anew",
        ))
    }
}
