//! The archive as a source: its snapshot is the manifest, its rows lie in the order of their keys.
//!
//! While a table is read whole, its rows are tallied as they come out of the seal, with the types of the
//! index: so the commitment in the index is opened over what was sealed, whatever types the destination has.

use ecluse_batch::{Batch, Keys, RowHasher, Scope, Tally, TallyKey};
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports;
use ecluse_seal::archive::{ChunkNote, IndexTable};

use super::read::{Archive, ENGINE};

static NO_TABLE: Code = Code::refused("ECL-LOA-025", "the archive holds no such table");

/// See the module. One per start of a run.
#[derive(Debug)]
pub struct Source<'a> {
    archive: &'a Archive<'a>,
    laid: Vec<Option<Tally>>,
}

/// What one table came to as it was read out of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laid {
    /// Rows.
    pub rows: u64,
    /// Their published tally.
    pub out: [u8; 32],
}

impl<'a> Source<'a> {
    /// An opened archive as a source.
    #[must_use]
    pub fn new(archive: &'a Archive<'a>) -> Self {
        Self { archive, laid: vec![None; archive.index().tables.len()] }
    }

    /// What each table came to that was read whole, in the order of the archive.
    #[must_use]
    pub fn laid(&self) -> Vec<Option<Laid>> {
        let key = TallyKey::new(*self.archive.index().tally.expose());
        let one = |(number, tally): (usize, &Option<Tally>)| {
            tally.map(|tally| Laid { rows: tally.count(), out: tally.publish(&key, Scope::Table(number)) })
        };
        self.laid.iter().enumerate().map(one).collect()
    }

    /// The first of a table's parts that may hold rows of this range: found by halves, as they lie in the key's order.
    fn first(
        &self,
        notes: &[&ChunkNote],
        table: &IndexTable,
        (types, key): (&[Type], &[usize]),
        range: &KeyRange,
    ) -> Result<usize> {
        let Some(after) = range.after.as_ref().filter(|_| !key.is_empty()) else { return Ok(0) };
        let (mut low, mut high) = (0, notes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(note) = notes.get(middle) else { break };
            let mut before = true;
            for batch in self.archive.rows(note, table)? {
                before &= Keys::new(&batch, types, key)?.rows_upto(after) == batch.rows();
            }
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Opens every row of the archive and adds each table up; nothing is handed on.
    ///
    /// # Errors
    ///
    /// `ECL-LOA-021` where a part was exchanged meanwhile; the seal's own.
    pub fn add_up(&mut self) -> Result<Vec<Option<Laid>>> {
        for number in 0..self.archive.index().tables.len() {
            self.rows_of(number, &mut |_rows| Ok(()))?;
        }
        Ok(self.laid())
    }

    /// Every row of one table, tallied as it comes out of the seal.
    fn rows_of(&mut self, number: usize, sink: ports::Sink<'_>) -> Result<()> {
        let index = self.archive.index();
        let Some(indexed) = index.tables.get(number) else { return Err(NO_TABLE.fault("")) };
        let types: Vec<Type> = indexed.columns.iter().map(|c| c.ty).collect();
        let key = TallyKey::new(*index.tally.expose());
        let mut hasher = RowHasher::new(&key, &indexed.destination, &types);
        let (mut tally, mut hashes) = (Tally::new(), Vec::new());
        for note in index.chunks.iter().filter(|note| note.table == number) {
            for batch in self.archive.rows(note, indexed)? {
                hashes.clear();
                hasher.hash_rows(&batch, &mut hashes)?;
                tally.extend(&hashes);
                sink(batch)?;
            }
        }
        if let Some(laid) = self.laid.get_mut(number) {
            *laid = Some(tally);
        }
        Ok(())
    }

    fn table(&self, table: &TablePlan) -> Result<&'a IndexTable> {
        let found = self.archive.index().tables.get(table.number());
        found
            .filter(|found| found.destination == table.destination() || found.source == table.source())
            .ok_or_else(|| NO_TABLE.fault(format!("table {}", table.source())))
    }
}

impl ports::Source for Source<'_> {
    fn engine(&self) -> Engine {
        ENGINE
    }

    fn identity(&mut self) -> Result<String> {
        Ok(self.archive.identity())
    }

    fn catalog(&mut self, scope: ports::Scope<'_>) -> Result<Catalog> {
        let wanted = |table: &Table| match scope {
            ports::Scope::Everything => true,
            ports::Scope::Tables(names) => names.contains(&table.name),
        };
        let mut catalog = self.archive.catalog();
        catalog.tables.retain(wanted);
        Ok(catalog)
    }

    /// It holds what was ordered, and nothing else.
    fn excess(&mut self, _plan: &Plan) -> Result<Vec<ports::Excess>> {
        Ok(Vec::new())
    }

    fn has_views(&mut self, _plan: &Plan) -> Result<bool> {
        Ok(false)
    }

    fn open(&mut self, _plan: &Plan, _frozen: bool) -> Result<ports::Opened> {
        Ok(ports::Opened {
            barrier: "a sealed archive: it holds the ordered rows and no others, as its sender's manifest lists them"
                .to_owned(),
            limits: Vec::new(),
        })
    }

    fn count(&mut self, table: &TablePlan) -> Result<ports::Count> {
        Ok(ports::Count { available: None, asked: self.table(table)?.rows })
    }

    fn read(
        &mut self,
        table: &TablePlan,
        _plan: &Plan,
        range: &KeyRange,
        sink: ports::Sink<'_>,
    ) -> Result<()> {
        let indexed = self.table(table)?;
        if *range == KeyRange::default() {
            return self.rows_of(table.number(), sink);
        }
        let types: Vec<Type> = indexed.columns.iter().map(|c| c.ty).collect();
        let chunks = &self.archive.index().chunks;
        let notes: Vec<&ChunkNote> = chunks.iter().filter(|note| note.table == table.number()).collect();
        let first = self.first(&notes, indexed, (&types, table.key()), range)?;
        for note in notes.into_iter().skip(first) {
            for batch in self.archive.rows(note, indexed)? {
                match within(&batch, &types, table.key(), range)? {
                    Within::Some(within) => sink(within)?,
                    Within::Before => {}
                    // a range of a table of many parts opens those parts that hold it, and no others
                    Within::Behind => return Ok(()),
                }
            }
        }
        Ok(())
    }

    fn statement(&self, table: &TablePlan, _plan: &Plan) -> String {
        format!("the parts of table {} in archive {}", table.source(), self.archive.index().label().archive)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Rows of a batch whose keys lie in a range; they follow each other.
enum Within {
    Before,
    Some(Batch),
    Behind,
}

fn within(batch: &Batch, types: &[Type], key: &[usize], range: &KeyRange) -> Result<Within> {
    if key.is_empty() {
        return Ok(Within::Some(batch.clone()));
    }
    let keys = Keys::new(batch, types, key)?;
    let from = range.after.as_ref().map_or(0, |after| keys.rows_upto(after));
    let upto = range.upto.as_ref().map_or(batch.rows(), |upto| keys.rows_upto(upto));
    Ok(match (from < upto, upto) {
        (true, _) => Within::Some(batch.slice(from, upto - from)),
        (false, 0) if batch.rows() > 0 => Within::Behind,
        (false, _) => Within::Before,
    })
}
