//! Files on their way into an archive: while rows are sealed, where the bytes lie of each digest that a row was
//! given; behind the rows, the files of those that were sealed, and no others, each once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use data_encoding::HEXLOWER;
use ecluse_batch::Batch;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::{Relative, Says, says};
use ecluse_core::plan::{Plan, TablePlan};

use crate::attached::Notes;
use crate::ports::{Files, Taken};
use crate::step::POISONED;

static CHANGED: Code =
    Code::refused("ECL-ARC-023", "a file changed, or went, after the row that names it was sealed");

/// SHA-256 of a file's bytes.
pub(crate) type Digest = [u8; 32];

/// Where the bytes lie of each digest that a row was given: by any one of the names that led there.
#[derive(Default)]
pub(crate) struct Found(Mutex<HashMap<Digest, Place>>);

/// A file at the source.
#[derive(Clone)]
struct Place {
    table: usize,
    /// The place among [`TablePlan::files`].
    column: usize,
    name: Relative,
    bytes: u64,
    /// Whether a sealed row names it.
    sealed: bool,
}

impl Notes for Found {
    fn note(
        &self,
        (table, column): (usize, usize),
        name: &Relative,
        (digest, bytes): (&str, u64),
    ) -> Result<()> {
        if let Some(digest) = parsed(digest) {
            let place = || Place { table, column, name: name.clone(), bytes, sealed: false };
            self.lock()?.entry(digest).or_insert_with(place);
        }
        Ok(())
    }
}

impl Found {
    /// Adds to `order` the files that these sealed rows name, and none before did.
    pub(crate) fn sealed(
        &self,
        table: &TablePlan,
        run: &str,
        rows: &Batch,
        order: &mut Vec<Digest>,
    ) -> Result<()> {
        for column in table.files() {
            let mut found = self.lock()?;
            for value in rows.texts(column.write)?.into_iter().flatten() {
                let Some(Says::Holds(digest)) = says(run, value) else { continue };
                let Some(digest) = parsed(&digest) else { continue };
                let place = found
                    .get_mut(&digest)
                    .ok_or_else(|| CHANGED.fault(format!("of table {}", table.source())))?;
                if !place.sealed {
                    place.sealed = true;
                    order.push(digest);
                }
            }
        }
        Ok(())
    }

    /// Reads a file once more, to be sealed; gives its bytes.
    ///
    /// # Errors
    ///
    /// [`CHANGED`] once everything was given to `sink`: what it holds by then is no file of any row.
    pub(crate) fn read(
        &self,
        plan: &Plan,
        files: &dyn Files,
        digest: &Digest,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<u64> {
        let changed = |table: &str| {
            CHANGED.fault(format!("of table {table}")).help(
                "no archive stands; once nobody writes there, the same command begins anew: ecluse extract",
            )
        };
        let place = self.lock()?.get(digest).cloned().ok_or_else(|| changed(""))?;
        let table = plan.tables().get(place.table).ok_or_else(|| changed(""))?;
        let column = table.files().get(place.column).ok_or_else(|| changed(table.source()))?;
        match files.carry(column, &place.name, sink)? {
            Taken::There { digest: now, bytes }
                if parsed(&now).as_ref() == Some(digest) && bytes == place.bytes =>
            {
                Ok(bytes)
            }
            _ => Err(changed(table.source())),
        }
    }

    fn lock(&self) -> Result<MutexGuard<'_, HashMap<Digest, Place>>> {
        self.0.lock().map_err(|_| POISONED.fault("names of files"))
    }
}

fn parsed(digest: &str) -> Option<Digest> {
    HEXLOWER.decode(digest.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok())
}
