//! Rows that moved and should be gone, asked for at the source by their keys.
//!
//! Of a table of which only some rows were ordered, others stay by right, and may hold the same texts: a family's
//! address stands with the one who moved and with the one who stays. What tells a row that was to go is its key. No row
//! is read that did not move.

use std::collections::BTreeMap;

use ecluse_batch::{Keys, RowHash, RowHasher, TallyKey, Writer};
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};

use crate::checks;
use crate::orders::Orders;
use crate::ports::{Destination, Source};
use crate::readback;
use crate::world::World;

/// Keys asked for at once.
const BLOCK: usize = 200;

/// What was asked of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The source table's name.
    pub table: String,
    /// Rows of the destination whose keys were asked for.
    pub asked: u64,
    /// Rows of the source that bear one, and say what the destination's say.
    pub rows: u64,
    /// Those that say something else: changed on one side since, or another row under the same key.
    pub unlike: u64,
    /// Why nothing was asked; empty where it was.
    pub unread: &'static str,
}

/// Asks the source for every row that the destination holds, table by table.
///
/// # Errors
///
/// The source's and the destination's; that one is another than was signed for.
pub fn standing(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    source: &mut dyn Source,
    frozen: bool,
    world: &World<'_>,
) -> Result<Vec<Standing>> {
    checks::destination_identity(destination, orders.destination)?;
    checks::source_identity(source, orders.source)?;
    source.open(orders.plan, frozen)?;
    let found = asked(orders, destination, source, world)?;
    source.close()?;
    Ok(found)
}

/// The same of an open source, within its transaction.
pub(crate) fn asked(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    source: &mut dyn Source,
    world: &World<'_>,
) -> Result<Vec<Standing>> {
    let key = TallyKey::new(world.random()?);
    let mut found = Vec::new();
    for table in orders.plan.tables() {
        let engine = destination.engine();
        let mut asking = Asking::new(table, engine, &key);
        if table.key().is_empty() {
            asking.found.unread = "it has no key";
        } else {
            destination.read(table, &KeyRange::default(), false, &mut |batch| {
                let mut hashes = Vec::with_capacity(batch.rows());
                asking.hasher.hash_rows(&batch, &mut hashes)?;
                let keys = Keys::new(&batch, &readback::types(table), table.write_key())?;
                for (row, hash) in hashes.into_iter().enumerate() {
                    asking.held.extend(keys.get(row).map(|key| (key, hash)));
                    if asking.held.len() >= BLOCK {
                        asking.ask(source)?;
                    }
                }
                Ok(())
            })?;
            asking.ask(source)?;
        }
        found.push(asking.found);
    }
    Ok(found)
}

struct Asking<'a> {
    table: &'a TablePlan,
    engine: Engine,
    hasher: RowHasher,
    /// Rows of the destination that have still to be asked for.
    held: BTreeMap<Key, RowHash>,
    found: Standing,
}

impl<'a> Asking<'a> {
    fn new(table: &'a TablePlan, engine: Engine, key: &TallyKey) -> Self {
        let hasher = RowHasher::new(key, table.destination(), &readback::types(table));
        let found = Standing { table: table.source().to_owned(), ..Standing::default() };
        Self { table, engine, hasher, held: BTreeMap::new(), found }
    }

    fn ask(&mut self, source: &mut dyn Source) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return Ok(());
        }
        let (table, types) = (self.table, readback::types(self.table));
        let writer = Writer::new(table, self.engine)?;
        let keys: Vec<Key> = held.keys().cloned().collect();
        let asked = source.at_keys(table, &keys, &mut |batch| {
            let given = batch.rows();
            let written = writer.write(&batch)?.batch;
            let mut hashes = Vec::with_capacity(written.rows());
            self.hasher.hash_rows(&written, &mut hashes)?;
            let keys = Keys::new(&written, &types, table.write_key())?;
            // a file's name is another at the destination: there the key alone tells
            let by_key = !table.files().is_empty();
            let alike = |row: usize, hash: &RowHash| {
                by_key || keys.get(row).is_some_and(|key| held.get(&key) == Some(hash))
            };
            let same = hashes.iter().enumerate().filter(|(row, hash)| alike(*row, hash)).count();
            self.found.rows += ecluse_core::count::number(same);
            self.found.unlike += ecluse_core::count::number(given.saturating_sub(same));
            Ok(())
        })?;
        if asked {
            self.found.asked += ecluse_core::count::number(keys.len());
        } else {
            self.found.unread = "a source of files is not asked by key";
        }
        Ok(())
    }
}
