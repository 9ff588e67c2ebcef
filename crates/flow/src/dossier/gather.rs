//! The rows of some dossiers in memory, and each dossier's apart.

use ecluse_batch::Batch;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan, Way};
use ecluse_core::value::Key;

use super::{Read, Selection, follow};
use crate::ports::Sink;

static LARGE: Code = Code::refused("ECL-RUN-062", "the dossiers are too large to be held in memory");

/// Bytes of gathered rows at most.
const ROOM: usize = 64 << 20;

/// The rows of some dossiers, by the number of their table; none of reference data.
#[derive(Debug)]
pub struct Gathered<'p> {
    plan: &'p Plan,
    /// One list per table of the plan; every batch has one column per `table.read()`.
    pub tables: Vec<Vec<Batch>>,
}

/// Reads the rows of the selected dossiers once more and keeps them.
///
/// # Errors
///
/// `ECL-RUN-062` beyond 64 MiB; the reader's.
pub fn gather<'p>(plan: &'p Plan, selection: &Selection<'p>, read: Read<'_>) -> Result<Gathered<'p>> {
    let mut tables = Vec::new();
    let mut room = ROOM;
    for table in plan.tables() {
        let mut rows = Vec::new();
        if selection.dossiers.way(table.number()) != Way::Reference {
            read(table, &mut |batch| {
                let found = selection.rows(table, &batch)?;
                if found.count() == 0 {
                    return Ok(());
                }
                let found = batch.keep(&found)?;
                room = room.checked_sub(found.bytes()).ok_or_else(|| {
                    LARGE.fault(format!("more than {} MiB", ROOM >> 20)).help("draw fewer at a time")
                })?;
                rows.push(found);
                Ok(())
            })?;
        }
        tables.push(rows);
    }
    Ok(Gathered { plan, tables })
}

impl<'p> Gathered<'p> {
    /// The rows of one dossier among those gathered, and of those it leads to.
    ///
    /// # Errors
    ///
    /// As [`follow`].
    pub fn one(&self, key: Key, chance: [u8; 32]) -> Result<Self> {
        let read = &mut |table: &TablePlan, sink: Sink<'_>| self.read(table, sink);
        let selection = follow(self.plan, [key], chance, u64::MAX, read)?;
        gather(self.plan, &selection, read)
    }

    fn read(&self, table: &TablePlan, sink: Sink<'_>) -> Result<()> {
        self.tables.get(table.number()).into_iter().flatten().try_for_each(|batch| sink(batch.clone()))
    }
}
