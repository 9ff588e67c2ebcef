//! Which values stand in a column of the rows kept so far: membership in another table's rows.
//!
//! Whole numbers in compressed bitmaps over the whole i64 range (about two bits a row where
//! keys are dense); other values as 128-bit keyed hashes (16 to 32 bytes a row): two different
//! values are mistaken for each other with a chance below 10^-20 at ten thousand million rows.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use arrow_array::ArrayRef;
use ecluse_core::fault::Result;
use ecluse_core::filter::Filter;
use ecluse_core::plan::Plan;
use ecluse_core::types::Type;
use roaring::RoaringTreemap;

use crate::batch::{Batch, MALFORMED};
use crate::canonical;
use crate::column::Column;
use crate::evaluate::Mask;

/// Sets of values, one per (table number, read column) that was asked for.
pub struct ChosenSets {
    key: [u8; 32],
    sets: BTreeMap<(usize, usize), Set>,
}

enum Set {
    Ints(RoaringTreemap),
    Hashes(HashSet<u128, BuildHasherDefault<LowBits>>),
}

impl ChosenSets {
    /// No set yet; `key`: 32 random bytes of this process, never stored.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, sets: BTreeMap::new() }
    }

    /// Asks for every column that a filter or a relation of the plan looks up.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the plan refers to a table or column it does not have.
    pub fn for_plan(key: [u8; 32], plan: &Plan) -> Result<Self> {
        let mut sets = Self::new(key);
        let mut wanted = Vec::new();
        for table in plan.tables() {
            members(table.filter(), &mut wanted);
            wanted.extend(table.relations().iter().map(|r| (r.parent, r.parent_column)));
        }
        for (table, column) in wanted {
            let ty =
                plan.tables().get(table).and_then(|t| t.read().get(column)).map(|c| c.ty).ok_or_else(
                    || MALFORMED.fault(format!("no column {column} in table {table} of the plan")),
                )?;
            sets.want(table, column, ty);
        }
        Ok(sets)
    }

    /// Asks for the values of one column.
    pub fn want(&mut self, table: usize, column: usize, ty: Type) {
        self.sets.entry((table, column)).or_insert_with(|| match ty {
            Type::Int => Set::Ints(RoaringTreemap::new()),
            _ => Set::Hashes(HashSet::default()),
        });
    }

    /// Adds the wanted values of a table's rows: those of `kept`, or of all rows.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the batch is not that table's.
    pub fn collect(
        &mut self,
        table: usize,
        batch: &Batch,
        types: &[Type],
        kept: Option<&Mask>,
    ) -> Result<()> {
        let rows = batch.rows();
        let mut scratch = Vec::new();
        for ((_, column), set) in self.sets.range_mut((table, 0)..=(table, usize::MAX)) {
            let (Some(array), Some(ty)) = (batch.columns().get(*column), types.get(*column)) else {
                return Err(MALFORMED.fault(format!("no column {column}")));
            };
            let typed = Column::new(array, *ty)?;
            let each = (0..rows).filter(|&row| kept.is_none_or(|k| k.get(row)) && !typed.is_null(row));
            match (set, &typed) {
                (Set::Ints(set), Column::Int(a)) => {
                    for row in each {
                        set.insert(a.value(row).cast_unsigned());
                    }
                }
                (Set::Hashes(set), _) => {
                    for row in each {
                        set.insert(hash(&self.key, &typed, row, &mut scratch));
                    }
                }
                (Set::Ints(_), _) => return Err(MALFORMED.fault(format!("column {column} is not int"))),
            }
        }
        Ok(())
    }

    /// How many values stand in the set of (`table`, `other`); 0 where it was not asked for.
    #[must_use]
    pub fn count(&self, table: usize, other: usize) -> u64 {
        match self.sets.get(&(table, other)) {
            Some(Set::Ints(set)) => set.len(),
            Some(Set::Hashes(set)) => u64::try_from(set.len()).unwrap_or(u64::MAX),
            None => 0,
        }
    }

    /// For each value of a column: whether it stands in the set of (`table`, `other`). NULL does not.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where that set was not asked for, or holds values of another type.
    pub fn members(&self, table: usize, other: usize, array: &ArrayRef, ty: Type) -> Result<Mask> {
        let column = Column::new(array, ty)?;
        let mut scratch = Vec::new();
        match (self.sets.get(&(table, other)), &column) {
            (Some(Set::Ints(set)), Column::Int(a)) => Ok(Mask::from_fn(array.len(), |row| {
                !column.is_null(row) && set.contains(a.value(row).cast_unsigned())
            })),
            (Some(Set::Hashes(set)), _) if ty != Type::Int => Ok(Mask::from_fn(array.len(), |row| {
                !column.is_null(row) && set.contains(&hash(&self.key, &column, row, &mut scratch))
            })),
            _ => Err(MALFORMED.fault(format!("the rows chosen of table {table} are not known"))),
        }
    }

    /// For each row of a batch: whether its column names somebody who does not stand in the set of
    /// (`table`, `other`). NULL names nobody.
    ///
    /// # Errors
    ///
    /// As [`Self::members`]; where the batch has no such column.
    pub fn strangers(
        &self,
        table: usize,
        other: usize,
        batch: &Batch,
        column: usize,
        ty: Type,
    ) -> Result<Mask> {
        let array =
            batch.columns().get(column).ok_or_else(|| MALFORMED.fault(format!("no column {column}")))?;
        let (members, named) = (self.members(table, other, array, ty)?, Column::new(array, ty)?);
        Ok(Mask::from_fn(batch.rows(), |row| !named.is_null(row) && !members.get(row)))
    }
}

impl fmt::Debug for ChosenSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChosenSets({} columns)", self.sets.len())
    }
}

fn members(filter: &Filter, out: &mut Vec<(usize, usize)>) {
    match filter {
        Filter::Chosen { table, other, .. } => out.push((*table, *other)),
        Filter::And(fs) | Filter::Or(fs) => fs.iter().for_each(|f| members(f, out)),
        Filter::Not(f) => members(f, out),
        _ => {}
    }
}

pub(crate) fn hash(key: &[u8; 32], column: &Column<'_>, row: usize, scratch: &mut Vec<u8>) -> u128 {
    scratch.clear();
    canonical::encode(column, row, scratch);
    let hash = blake3::keyed_hash(key, scratch);
    hash.as_bytes().first_chunk().map_or(0, |b| u128::from_le_bytes(*b))
}

/// The low half of a value that is a keyed hash already: hashing it again would gain nothing.
#[derive(Default)]
struct LowBits(u64);

impl Hasher for LowBits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(low) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*low);
        }
    }
}
