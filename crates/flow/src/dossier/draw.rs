//! Which dossiers are drawn: the smallest of a keyed hash, some of each kind among them.
//!
//! The hash is the row's token under the run's key: chance that another process draws again alike, and
//! nobody without the key foresees. Which dossiers are of a kind is known before any is drawn, so that a
//! kind is missed only where the source has none.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::{Batch, ChosenSets, Keys, Mask, Token, TokenKey, evaluate};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Dossiers, Kind, Plan, TablePlan};
use ecluse_core::value::Key;
use serde::{Deserialize, Serialize};

use super::{Read, members, of, table, types, want};

/// Dossiers that were drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Their keys, in no order that means anything. Personal data.
    pub keys: Vec<Key>,
    /// Dossiers in the source in all.
    pub there: u64,
    /// One per kind, in the order's sequence.
    pub kinds: Vec<KindDrawn>,
}

/// One kind among the dossiers drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindDrawn {
    /// Its name.
    pub name: String,
    /// Dossiers of this kind in the source.
    pub there: u64,
    /// Of those, drawn.
    pub drawn: u64,
}

/// Draws `number` dossiers, at least one of each kind that the source has: more than `number` only where
/// the kinds alone need more. The same rows and the same key give the same dossiers, whatever the order
/// in which they are read; a dossier that comes or goes changes at most one of them (and one of each kind).
///
/// Memory: the dossiers drawn, and of each kind that stands in another table the numbers (in bitmaps) or
/// keyed hashes by which its rows refer upwards.
///
/// # Errors
///
/// `ECL-RUN-060`; the reader's.
pub fn draw(plan: &Plan, number: u64, key: &TokenKey, chance: [u8; 32], read: Read<'_>) -> Result<Drawn> {
    let dossiers = of(plan)?;
    let mut kinds = Vec::new();
    for kind in dossiers.kinds() {
        kinds.push(Climb::new(plan, dossiers, kind, chance)?);
    }
    let mut ahead: BTreeSet<usize> = kinds.iter().map(|c| c.kind.table).collect();
    ahead.remove(&dossiers.table());
    // children before parents, mostly; a table to which another leads is read again
    while let Some(next) = ahead.pop_last() {
        let at = table(plan, next)?;
        let mut grown = BTreeSet::new();
        read(at, &mut |batch| kinds.iter_mut().try_for_each(|climb| climb.take(at, &batch, &mut grown)))?;
        ahead.extend(grown.into_iter().filter(|parent| *parent != dossiers.table()));
    }
    let at = table(plan, dossiers.table())?;
    let mut urn = Urn { number, there: 0, lowest: BTreeMap::new(), of_kind: vec![(0, None); kinds.len()] };
    read(at, &mut |batch| {
        let is: Vec<Mask> = kinds.iter().map(|climb| climb.of(at, &batch)).collect::<Result<_>>()?;
        let keys = Keys::new(&batch, &types(at), at.key())?;
        for row in 0..batch.rows() {
            if let Some(found) = keys.get(row) {
                let token = Token::new(key, at.source(), &found);
                urn.put(token, found, is.iter().map(|mask| mask.get(row)).collect());
            }
        }
        Ok(())
    })?;
    Ok(urn.drawn(dossiers.kinds()))
}

/// A dossier's key, and of which kinds it is.
type Lot = (Key, Vec<bool>);

/// What was put in so far: only lots that may still be drawn are kept.
struct Urn {
    number: u64,
    there: u64,
    lowest: BTreeMap<Token, Lot>,
    /// Per kind: how many, and the lowest.
    of_kind: Vec<(u64, Option<(Token, Lot)>)>,
}

impl Urn {
    fn put(&mut self, token: Token, key: Key, is: Vec<bool>) {
        self.there += 1;
        for ((there, lowest), is_one) in self.of_kind.iter_mut().zip(&is) {
            *there += u64::from(*is_one);
            if *is_one && lowest.as_ref().is_none_or(|(least, _)| token < *least) {
                *lowest = Some((token, (key.clone(), is.clone())));
            }
        }
        let full = u64::try_from(self.lowest.len()).unwrap_or(u64::MAX) >= self.number;
        if full && self.lowest.last_key_value().is_none_or(|(last, _)| *last < token) {
            return;
        }
        self.lowest.insert(token, (key, is));
        if full {
            self.lowest.pop_last();
        }
    }

    /// One of each kind first, then the lowest.
    fn drawn(self, kinds: &[Kind]) -> Drawn {
        let mut drawn: BTreeMap<Token, Lot> =
            self.of_kind.iter().filter_map(|(_, lowest)| lowest.clone()).collect();
        for (token, lot) in self.lowest {
            if u64::try_from(drawn.len()).unwrap_or(u64::MAX) >= self.number {
                break;
            }
            drawn.insert(token, lot);
        }
        let count = |kind: usize| drawn.values().filter(|(_, is)| is.get(kind) == Some(&true)).count();
        let told =
            kinds.iter().zip(&self.of_kind).enumerate().map(|(number, (kind, (there, _)))| KindDrawn {
                name: kind.name.clone(),
                there: *there,
                drawn: u64::try_from(count(number)).unwrap_or(u64::MAX),
            });
        Drawn {
            kinds: told.collect(),
            there: self.there,
            keys: drawn.into_values().map(|(key, _)| key).collect(),
        }
    }
}

/// The way from the rows of a kind to the dossiers that have them: from a test of the catalogue down to
/// the analyses that name it, from these up to the request.
struct Climb<'p> {
    dossiers: &'p Dossiers,
    kind: &'p Kind,
    /// Values of the rows that were met on the way: (child, column) on the way up, (parent, parent
    /// column) on the way down.
    met: ChosenSets,
}

impl<'p> Climb<'p> {
    fn new(plan: &Plan, dossiers: &'p Dossiers, kind: &'p Kind, chance: [u8; 32]) -> Result<Self> {
        let mut met = ChosenSets::new(chance);
        for edge in dossiers.edges() {
            if dossiers.is_down(edge) {
                want(&mut met, plan, edge.child, edge.column)?;
            } else if dossiers.is_up(edge) {
                want(&mut met, plan, edge.parent, edge.parent_column)?;
            }
        }
        Ok(Self { dossiers, kind, met })
    }

    /// Every step from a table to another: (own column, the other table).
    fn steps(&self, from: usize) -> Vec<(usize, usize)> {
        let steps = self.dossiers.edges().iter().filter_map(|edge| {
            if self.dossiers.is_down(edge) {
                (edge.child == from).then_some((edge.column, edge.parent))
            } else {
                let is_one = self.dossiers.is_up(edge) && edge.parent == from;
                is_one.then_some((edge.parent_column, edge.child))
            }
        });
        steps.collect()
    }

    /// Which rows are of the kind, or have one that is.
    fn of(&self, table: &TablePlan, batch: &Batch) -> Result<Mask> {
        let types = types(table);
        let mut any = Vec::new();
        if self.kind.table == table.number() {
            any.push(evaluate(&self.kind.filter, batch, &types, &self.met)?);
        }
        for edge in self.dossiers.edges() {
            let is_down = self.dossiers.is_down(edge);
            if is_down && edge.parent == table.number() {
                any.push(members(&self.met, (edge.child, edge.column), batch, &types, edge.parent_column)?);
            }
            if !is_down && self.dossiers.is_up(edge) && edge.child == table.number() {
                any.push(members(&self.met, (edge.parent, edge.parent_column), batch, &types, edge.column)?);
            }
        }
        Ok(Mask::from_fn(batch.rows(), |row| any.iter().any(|mask| mask.get(row))))
    }

    /// Takes a batch in; `grown` gets the tables that have to be read for it.
    fn take(&mut self, table: &TablePlan, batch: &Batch, grown: &mut BTreeSet<usize>) -> Result<()> {
        let rows = self.of(table, batch)?;
        if rows.count() == 0 {
            return Ok(());
        }
        let steps = self.steps(table.number());
        let count = |met: &ChosenSets| -> Vec<u64> {
            steps.iter().map(|(column, _)| met.count(table.number(), *column)).collect()
        };
        let before = count(&self.met);
        self.met.collect(table.number(), batch, &types(table), Some(&rows))?;
        let after = count(&self.met);
        let news = steps.iter().zip(before).zip(after).filter(|((_, was), is)| was != is);
        grown.extend(news.map(|(((_, other), _), _)| *other));
        Ok(())
    }
}
