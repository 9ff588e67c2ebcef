//! One dossier out of what was read of all: its rows at both ends, paired by key.

use std::collections::BTreeSet;

use ecluse_batch::{Batch, RowHash, RowHasher, Scope, Shown, Tally, TallyKey, differing, shown};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Dossiers, Expression, Piece, Plan, TablePlan, WriteColumn};
use ecluse_core::types::Type;
use sha2::{Digest as _, Sha256};

use super::collect::{Found, Row, Rows, types};
use super::{Cell, Dossier, Old, Pair, Sheet, State};
use crate::{dossier, readback};

/// A row by its table and its place there.
type Place = (usize, usize);

/// The read columns that a written one is made of, in the order in which it uses them.
#[must_use]
pub fn used(column: &WriteColumn) -> Vec<usize> {
    match &column.from {
        Expression::Column(i) | Expression::Cast(i) | Expression::Utf8(i) => vec![*i],
        Expression::Code { column, .. } | Expression::Moment { column, .. } => vec![*column],
        Expression::Constant(_) => Vec::new(),
        Expression::Concat(pieces) => pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Column(i) => Some(*i),
                Piece::Literal(_) => None,
            })
            .collect(),
        Expression::Identifier(identifier) => identifier.uses(),
    }
}

/// A dossier as it stands at both ends; `new` may hold other dossiers' rows too.
///
/// # Errors
///
/// The batches are not the plan's.
pub(super) fn pair(plan: &Plan, one: Old, new: &Found, key: &TallyKey) -> Result<Dossier> {
    let Old { token, kinds, old } = one;
    let same_key = old.keys().into_iter().enumerate().flat_map(|(table, keys)| {
        let rows = new.rows(table).iter().enumerate();
        rows.filter(move |(_, row)| row.key.as_ref().is_some_and(|key| keys.contains(key)))
            .map(move |(at, _)| (table, at))
    });
    let there = closure(dossier::of(plan)?, new, same_key.collect());
    let (mut sheets, mut sides) = (Vec::new(), Sha256::new());
    for table in plan.tables() {
        let number = table.number();
        let both = Both { table, old: old.tables.get(number), new: new.tables.get(number) };
        let stands = there.range((number, 0)..=(number, usize::MAX)).map(|place| place.1);
        let rows = both.rows(
            old.rows(number),
            &stands.filter_map(|at| new.rows(number).get(at)).collect::<Vec<_>>(),
            key,
            &mut sides,
        )?;
        if !rows.is_empty() {
            sheets.push(Sheet { table: number, rows });
        }
    }
    let shown = data_encoding::HEXLOWER.encode(&sides.finalize());
    Ok(Dossier { token: token.to_string(), kinds, sheets, shown })
}

/// These rows, what hangs on them there, and what all of it refers to. What hangs on a row that is only referred
/// to is another dossier's.
fn closure(shape: &Dossiers, found: &Found, own: BTreeSet<Place>) -> BTreeSet<Place> {
    let mut ahead: Vec<(Place, bool)> = own.iter().map(|place| (*place, true)).collect();
    let mut all = own;
    while let Some((place, whole)) = ahead.pop() {
        let Some(from) = found.rows(place.0).get(place.1) else { continue };
        for edge in shape.edges() {
            let hangs = edge.parent == place.0 && whole && (shape.is_down(edge) || shape.is_beside(edge));
            let refers = edge.child == place.0 && shape.is_up(edge);
            let (here, to, there) = match (hangs, refers) {
                (true, _) => (edge.parent_column, edge.child, edge.column),
                (false, true) => (edge.column, edge.parent, edge.parent_column),
                (false, false) => continue,
            };
            let Some(value) = from.ends.get(&here) else { continue };
            let rows = found.rows(to).iter().enumerate();
            for (at, _) in rows.filter(|(_, row)| row.ends.get(&there) == Some(value)) {
                if all.insert((to, at)) {
                    ahead.push(((to, at), hangs));
                }
            }
        }
    }
    all
}

/// One table at both ends.
struct Both<'a> {
    table: &'a TablePlan,
    old: Option<&'a Rows>,
    new: Option<&'a Rows>,
}

impl<'a> Both<'a> {
    fn rows(&self, old: &[Row], new: &[&Row], key: &TallyKey, sides: &mut Sha256) -> Result<Vec<Pair>> {
        let old: Vec<&Row> = old.iter().collect();
        let made = old.iter().map(|row| self.made(row)).collect::<Vec<_>>();
        let stands = new.iter().map(|row| self.stands(row)).collect::<Vec<_>>();
        let mut hasher = Hashes::new(self.table, key);
        let (made_hashes, stands_hashes) = (hasher.of(&made, sides)?, hasher.of(&stands, sides)?);
        let mut pairs: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        let mut left: BTreeSet<usize> = (0..new.len()).collect();
        for (o, row) in old.iter().enumerate() {
            let same = |n: &usize| match (&row.key, new.get(*n).and_then(|row| row.key.as_ref())) {
                (Some(a), Some(b)) => a == b,
                // without a key rows are the same where all their values are
                _ => made_hashes.get(o).copied().flatten() == stands_hashes.get(*n).copied().flatten(),
            };
            let partner = left.iter().copied().find(same);
            partner.map(|n| left.remove(&n));
            pairs.push((Some(o), partner));
        }
        pairs.extend(left.into_iter().map(|n| (None, Some(n))));
        let of = |(o, n): (Option<usize>, Option<usize>)| {
            (o.and_then(|o| old.get(o)).copied(), n.and_then(|n| new.get(n)).copied())
        };
        let mut rows: Vec<(Option<&Row>, Option<&Row>)> = pairs.into_iter().map(of).collect();
        rows.sort_by_key(|(old, new)| old.or(*new).and_then(|row| row.key.clone()));
        rows.into_iter().map(|(old, new)| self.beside(old, new)).collect()
    }

    /// A source row as the mapping makes it.
    fn made(&self, row: &Row) -> Option<(&'a Batch, usize)> {
        Some((self.old?.written.get(row.batch)?, row.written?))
    }

    /// A destination row.
    fn stands(&self, row: &Row) -> Option<(&'a Batch, usize)> {
        Some((self.new?.batches.get(row.batch)?, row.row))
    }

    fn beside(&self, old: Option<&Row>, new: Option<&Row>) -> Result<Pair> {
        let (read, written) = (types(self.table), readback::types(self.table));
        let made = old.and_then(|row| self.made(row));
        let stands = new.and_then(|row| self.stands(row));
        let state = match (old, new) {
            (Some(row), None) if row.refused || made.is_none() => State::Refused,
            (Some(_), None) => State::Missing,
            (None, _) => State::Surplus,
            (Some(_), Some(_)) => State::Both,
        };
        let differ: Vec<usize> = match (made, stands) {
            (Some(made), Some(stands)) => differing(&written, made, stands)?,
            // what could not be made stands there all the same
            (None, Some(_)) if old.is_some() => (0..written.len()).collect(),
            _ => Vec::new(),
        };
        let before = old.and_then(|row| Some((self.old?.batches.get(row.batch)?, row.row)));
        let mut cells = Vec::with_capacity(written.len());
        for (index, column) in self.table.write().iter().enumerate() {
            let old = match before {
                Some((batch, row)) => used(column)
                    .into_iter()
                    .map(|c| shown(batch, &read, c, row))
                    .collect::<Result<Vec<Shown>>>()?,
                None => Vec::new(),
            };
            let new = stands.map(|(batch, row)| shown(batch, &written, index, row)).transpose()?;
            cells.push(Cell { old, new, differs: differ.contains(&index) });
        }
        Ok(Pair { state, cells })
    }
}

/// Rows' hashes under the run's key, and the digest of both sides that they add up to.
struct Hashes {
    table: usize,
    key: TallyKey,
    hasher: RowHasher,
}

impl Hashes {
    fn new(table: &TablePlan, key: &TallyKey) -> Self {
        let types: Vec<Type> = readback::types(table);
        Self {
            table: table.number(),
            key: TallyKey::new(*key.expose()),
            hasher: RowHasher::new(key, table.destination(), &types),
        }
    }

    /// Each row's hash; their sum goes into the digest, under the run's key and apart from a chunk's.
    fn of(&mut self, rows: &[Option<(&Batch, usize)>], sides: &mut Sha256) -> Result<Vec<Option<RowHash>>> {
        let (mut hashes, mut tally) = (Vec::with_capacity(rows.len()), Tally::new());
        for row in rows {
            let Some((batch, at)) = row else {
                hashes.push(None);
                continue;
            };
            let one = batch.slice(*at, 1);
            let mut hash = Vec::new();
            self.hasher.hash_rows(&one, &mut hash)?;
            hash.iter().for_each(|hash| tally.add(hash));
            hashes.push(hash.first().copied());
        }
        sides.update(tally.publish(&self.key, Scope::Table(self.table)));
        Ok(hashes)
    }
}
