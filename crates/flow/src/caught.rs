//! Catch-ups: what a start that found the run through has added, changed and deleted, apart from what
//! the run moved.
//!
//! A chunk's counts go into its line of the ledger, in the transaction that replaces its rows: a
//! catch-up that was killed counts what it did, once. A row that came and went while one catch-up
//! was under way counts in both. Where a kill falls between a chunk that got an end and the one that
//! takes over the rows beyond it, these rows count as deleted and as added.

use std::cmp::Ordering;

use ecluse_batch::{Keys, RowHash, Tally};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::value::Key;
use ecluse_seal::{CatchUp, Caught, RunState};

use crate::figures::Figures;
use crate::ports::{LedgerEntry, Since};
use crate::readback;
use crate::step::Worked;
use crate::world::World;

/// A row by what names it and what it holds; the key is absent in a table without one.
pub(crate) type Row = (Option<Key>, RowHash);

/// The catch-up that is under way, if this start is one.
pub(crate) fn under_way(state: &RunState) -> Option<&CatchUp> {
    state.catch_ups.last().filter(|catch_up| catch_up.ended.is_empty())
}

/// Begins one, where the run was through.
pub(crate) fn begin(state: &mut RunState, plan: &Plan, repair: bool, world: &World<'_>) {
    let table = |t: &TablePlan| Caught { table: t.source().to_owned(), ..Caught::default() };
    let number = state.catch_ups.last().map_or(0, |last| last.number) + 1;
    state.catch_ups.push(CatchUp {
        number,
        began: world.now().to_string(),
        ended: String::new(),
        repair,
        frozen: String::new(),
        held: String::new(),
        tables: plan.tables().iter().map(table).collect(),
    });
}

/// Says of the one under way since when this start takes the source for frozen; whether that is new.
pub(crate) fn stamp(state: &mut RunState, frozen: Option<&str>) -> bool {
    let Some(catch_up) = state.catch_ups.last_mut().filter(|c| c.ended.is_empty()) else { return false };
    let frozen = frozen.unwrap_or_default();
    let new = catch_up.frozen != frozen;
    frozen.clone_into(&mut catch_up.frozen);
    new
}

/// Ends the one under way, its figures with it; `held`: what the marks of a frozen source said.
pub(crate) fn end(state: &mut RunState, figures: &mut Figures, held: &str, world: &World<'_>) {
    let open = |catch_ups: &[CatchUp]| catch_ups.last().is_some_and(|c| c.ended.is_empty());
    if !open(&state.catch_ups) {
        return;
    }
    if let Some(catch_up) = figures.catch_ups.last_mut() {
        catch_up.ended = world.now().to_string();
        held.clone_into(&mut catch_up.held);
    }
    state.catch_ups.clone_from(&figures.catch_ups);
}

/// Counts anew what the ledger says of the catch-up under way; nothing was compared yet.
pub(crate) fn count_anew(catch_ups: &mut [CatchUp], ledger: &[LedgerEntry]) {
    let Some(catch_up) = catch_ups.last_mut().filter(|c| c.ended.is_empty()) else { return };
    for table in &mut catch_up.tables {
        *table = Caught { table: std::mem::take(&mut table.table), ..Caught::default() };
    }
    for line in ledger.iter().filter(|line| line.since.catch_up == catch_up.number) {
        if let Some(table) = catch_up.tables.get_mut(line.table) {
            add(table, &line.since, false);
        }
    }
}

/// Adds one chunk's counts; `again`: the catch-up had replaced it before.
pub(crate) fn add(table: &mut Caught, since: &Since, again: bool) {
    table.added += since.added;
    table.changed += since.changed;
    table.deleted += since.deleted;
    table.replaced += u64::from(!again);
}

/// Rows that stand somewhere, as a catch-up compares them.
#[derive(Default)]
pub(crate) struct Standing {
    pub(crate) rows: Vec<Row>,
}

impl Standing {
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::new();
        self.rows.iter().for_each(|(_, hash)| tally.add(hash));
        tally
    }

    /// Takes out the rows beyond this key: they belong to chunks that come.
    pub(crate) fn beyond(&mut self, upto: Option<&Key>) -> Vec<Row> {
        let Some(upto) = upto else { return Vec::new() };
        self.rows.extract_if(.., |(key, _)| key.as_ref().is_some_and(|key| key > upto)).collect()
    }
}

/// The rows of a chunk as it is about to be written.
pub(crate) fn written(table: &TablePlan, pieces: &[Worked]) -> Result<Vec<Row>> {
    let types = readback::types(table);
    let mut rows = Vec::new();
    for piece in pieces {
        let keys = Keys::new(&piece.written, &types, table.write_key())?;
        rows.extend(piece.hashes.iter().enumerate().map(|(row, hash)| (keys.get(row), *hash)));
    }
    Ok(rows)
}

/// What changes where the rows of `before` give way to those of `after`.
pub(crate) fn differ(mut before: Vec<Row>, mut after: Vec<Row>, catch_up: u64) -> Since {
    before.sort_unstable();
    after.sort_unstable();
    let (mut b, mut a) = (before.as_slice(), after.as_slice());
    let mut since = Since { catch_up, ..Since::default() };
    loop {
        let order = match (b.first(), a.first()) {
            (None, None) => return since,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        match order {
            Ordering::Equal => {
                b = rest(b);
                a = rest(a);
            }
            // the same key on the other side, whichever hash comes first: one row that changed
            _ if same_row(b, a) => {
                since.changed += 1;
                b = rest(b);
                a = rest(a);
            }
            Ordering::Less => {
                since.deleted += 1;
                b = rest(b);
            }
            Ordering::Greater => {
                since.added += 1;
                a = rest(a);
            }
        }
    }
}

fn rest(rows: &[Row]) -> &[Row] {
    rows.split_first().map_or(&[], |(_, rest)| rest)
}

fn same_row(before: &[Row], after: &[Row]) -> bool {
    matches!((before.first(), after.first()), (Some((Some(one), _)), Some((Some(other), _))) if one == other)
}

#[cfg(test)]
mod tests {
    use ecluse_batch::{RowHasher, TallyKey, assertion::ints};
    use ecluse_core::types::Type;
    use ecluse_core::value::Value;

    use super::*;

    fn hash(n: i64) -> RowHash {
        let key = TallyKey::new([7; 32]);
        let mut hashes = Vec::new();
        RowHasher::new(&key, "t", &[Type::Int]).hash_rows(&ints(&[n]).unwrap(), &mut hashes).unwrap();
        hashes[0]
    }

    fn keyed(rows: &[(i64, i64)]) -> Vec<Row> {
        rows.iter().map(|(key, value)| (Some(Key(vec![Value::Int(*key)])), hash(*value))).collect()
    }

    fn counts(since: Since) -> [u64; 3] {
        assert_eq!(since.catch_up, 4);
        [since.added, since.changed, since.deleted]
    }

    #[test]
    fn rows_are_told_apart_by_their_key() {
        let before = keyed(&[(1, 10), (2, 20), (3, 30), (4, 40)]);
        let after = keyed(&[(0, 5), (1, 10), (3, 31), (4, 41), (9, 90)]);
        assert_eq!(counts(differ(before.clone(), after.clone(), 4)), [2, 2, 1]);
        assert_eq!(counts(differ(after, before.clone(), 4)), [1, 2, 2]);
        assert_eq!(counts(differ(before.clone(), before, 4)), [0; 3]);
    }

    #[test]
    fn without_a_key_a_changed_row_is_one_that_went_and_one_that_came() {
        let rows = |values: &[i64]| values.iter().map(|v| (None, hash(*v))).collect::<Vec<Row>>();
        assert_eq!(counts(differ(rows(&[1, 2, 2, 3]), rows(&[2, 3, 4]), 4)), [1, 0, 2]);
    }

    #[test]
    fn rows_beyond_an_end_go_to_the_chunks_that_come() {
        let mut standing = Standing { rows: keyed(&[(1, 1), (5, 5), (6, 6)]) };
        assert!(standing.beyond(None).is_empty());
        assert_eq!(standing.beyond(Some(&Key(vec![Value::Int(5)]))), keyed(&[(6, 6)]));
        assert_eq!(standing.rows, keyed(&[(1, 1), (5, 5)]));
    }
}
