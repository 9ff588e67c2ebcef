//! One chunk that differs, row by row: both sides read in order and joined by key.

use std::cmp::Ordering;

use ecluse_batch::{
    Batch, Keys, Mask, RowHash, RowHasher, Scope, Tally, TallyKey, Token, TokenKey, Writer, differing,
};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange};

use crate::attached::Attaching;
use crate::excluded::Staying;
use crate::ports::{Destination, LedgerEntry, Source};
use crate::readback;
use crate::reconcile::{Difference, Kind};
use crate::subset::{self, Item, Side};

/// Rows of one chunk named one by one at most; beyond, they are counted.
const NAMED: usize = 1_000;

/// Rows in written form, one side of a chunk.
pub(crate) struct Rows {
    types: Vec<Type>,
    batches: Vec<Batch>,
    rows: Vec<Row>,
    /// Rows that the source gave, those among them that were left out.
    given: usize,
}

struct Row {
    /// `None` in a table without a key.
    key: Option<Key>,
    hash: RowHash,
    batch: usize,
    row: usize,
}

impl Rows {
    fn new(table: &TablePlan) -> Self {
        Self { types: readback::types(table), batches: Vec::new(), rows: Vec::new(), given: 0 }
    }

    fn push(&mut self, table: &TablePlan, batch: Batch, hasher: &mut RowHasher) -> Result<()> {
        let mut hashes = Vec::with_capacity(batch.rows());
        hasher.hash_rows(&batch, &mut hashes)?;
        let keys = Keys::new(&batch, &self.types, table.write_key())?;
        let number = self.batches.len();
        let rows = hashes.into_iter().enumerate();
        self.rows.extend(rows.map(|(row, hash)| Row { key: keys.get(row), hash, batch: number, row }));
        self.batches.push(batch);
        Ok(())
    }

    fn at(&self, row: &Row) -> Option<(&Batch, usize)> {
        self.batches.get(row.batch).map(|batch| (batch, row.row))
    }

    /// The destination's rows of a range.
    pub(crate) fn of_destination(
        destination: &mut dyn Destination,
        table: &TablePlan,
        range: &KeyRange,
        key: &TallyKey,
    ) -> Result<Self> {
        let mut rows = Self::new(table);
        let mut hasher = RowHasher::new(key, table.destination(), &rows.types);
        let ordered = !table.key().is_empty();
        destination.read(table, range, ordered, &mut |batch| rows.push(table, batch, &mut hasher))?;
        Ok(rows.sorted())
    }

    /// The source's rows of a range as they would be written; those that cannot be are left
    /// out, as the run left them out; so are those that `without` names.
    pub(crate) fn of_source(
        source: &mut dyn Source,
        plan: &Plan,
        table: &TablePlan,
        range: &KeyRange,
        engine: Engine,
        key: &TallyKey,
        without: &Without<'_>,
    ) -> Result<Self> {
        let Without { kept, refused, staying, files } = without;
        let mut rows = Self::new(table);
        let mut hasher = RowHasher::new(key, table.destination(), &rows.types);
        let writer = Writer::new(table, engine)?;
        source.read(table, plan, range, &mut |batch| {
            rows.given += batch.rows();
            let batch = match staying {
                Some(staying) => staying.others(table, &batch)?,
                None => batch,
            };
            let readable = if batch.unreadable().is_empty() {
                batch
            } else {
                let out: Vec<usize> = batch.unreadable().iter().map(|u| u.row).collect();
                batch.keep(&Mask::from_fn(batch.rows(), |row| out.binary_search(&row).is_err()))?
            };
            let mut written = writer.write(&readable)?.batch;
            if let Some(files) = files.filter(|_| !table.files().is_empty()) {
                // a row that did not move, or not yet, has no part in the files of those that did
                let keys = Keys::new(&written, &rows.types, table.write_key())?;
                let moved = |row| keys.get(row).is_none_or(|key| is_moved(&key, *kept, refused));
                written = written.keep(&Mask::from_fn(written.rows(), moved))?;
                written = files.attach(table, &written)?.batch;
            }
            rows.push(table, written, &mut hasher)
        })?;
        rows.rows.retain(|row| {
            let Some(key) = &row.key else { return true };
            is_moved(key, *kept, refused)
        });
        Ok(rows.sorted())
    }

    /// Their tally.
    pub(crate) fn tally(&self) -> Tally {
        sum(&self.rows)
    }

    /// Whether none of those that the source gave was left out.
    pub(crate) fn is_all(&self) -> bool {
        self.given == self.rows.len()
    }

    /// Their keys; one less than rows for each that has none.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.rows.iter().filter_map(|row| row.key.clone()).collect()
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_by(|a, b| a.key.cmp(&b.key).then(a.hash.cmp(&b.hash)));
        self
    }
}

fn is_moved(key: &Key, kept: Option<&[Key]>, refused: &[Key]) -> bool {
    kept.is_none_or(|kept| kept.binary_search(key).is_ok()) && refused.binary_search(key).is_err()
}

/// Rows of the source that were not to move, or did not.
#[derive(Clone, Copy)]
pub(crate) struct Without<'a> {
    /// The only rows that a trial moved.
    pub(crate) kept: Option<&'a [Key]>,
    /// Rows that the run refused.
    pub(crate) refused: &'a [Key],
    /// Persons who stay.
    pub(crate) staying: Option<&'a Staying<'a>>,
    /// How the files that rows name are named at the destination; rows without theirs did not move.
    pub(crate) files: Option<&'a Attaching<'a>>,
}

/// A key whose rows differ.
struct Diff<'r> {
    source: &'r [Row],
    destination: &'r [Row],
}

impl Diff<'_> {
    /// Missing, extra, doubled or altered.
    fn kind(&self) -> Kind {
        match (self.source, self.destination) {
            (_, []) => Kind::Missing,
            ([], _) => Kind::Extra,
            (s, d) if d.len() > s.len() => Kind::Duplicate,
            _ => Kind::Altered,
        }
    }
}

/// The keys with which a chunk is looked into.
pub(crate) struct Looking<'a> {
    pub(crate) table: &'a TablePlan,
    pub(crate) entry: &'a LedgerEntry,
    pub(crate) tally: &'a TallyKey,
    pub(crate) token: &'a TokenKey,
}

/// What differs between the two sides of a chunk whose tally is not the ledger's, and on
/// which side: damage, or a change of the source since.
pub(crate) fn chunk(look: &Looking<'_>, source: &Rows, destination: &Rows) -> Result<Vec<Difference>> {
    if look.table.key().is_empty() {
        return Ok(vec![unkeyed(look, source, destination)]);
    }
    let (base, diffs) = join(source, destination);
    if diffs.is_empty() {
        return Ok(vec![difference(look, Kind::Ledger, None, None, look.entry.rows)]);
    }
    let items: Vec<Item> = diffs
        .iter()
        .map(|diff| Item {
            source: sum(diff.source),
            destination: sum(diff.destination),
            kind: match diff.kind() {
                Kind::Missing => 0,
                Kind::Extra => 1,
                _ => 2,
            },
        })
        .collect();
    let scope = Scope::Chunk { table: look.entry.table, chunk: look.entry.chunk };
    let is_ledger = |sum: &Tally| sum.publish(look.tally, scope) == look.entry.tally;
    let sides = subset::find(&base, &items, &is_ledger);
    let mut found = Vec::new();
    for (index, diff) in diffs.iter().enumerate() {
        let side = sides.as_ref().and_then(|sides| sides.get(index)).copied();
        describe(look, diff, side, source, destination, &mut found)?;
    }
    Ok(counted(look, found))
}

/// What differs in a chunk whose rows at the destination are those of the ledger: the source has
/// changed since.
pub(crate) fn since(look: &Looking<'_>, source: &Rows, destination: &Rows) -> Vec<Difference> {
    if look.table.key().is_empty() {
        let found = Difference { kind: Kind::Since, ..unkeyed(look, source, destination) };
        return if found.rows == 0 { Vec::new() } else { vec![found] };
    }
    let (_same, diffs) = join(source, destination);
    let found = diffs.iter().map(|diff| {
        let row = diff.source.first().or(diff.destination.first()).and_then(|row| row.key.as_ref());
        let token = row.map(|key| Token::new(look.token, look.table.source(), key).to_string());
        difference(look, Kind::Since, token, None, 1)
    });
    counted(look, found.collect())
}

/// Rows of the source that have none at the destination: by key; in a table without one, none that is the same.
pub(crate) fn absent(source: &Rows, destination: &Rows) -> u64 {
    let (_same, diffs) = join(source, destination);
    let keyed = |diff: &Diff<'_>| diff.source.first().is_some_and(|row| row.key.is_some());
    let of = |diff: &Diff<'_>| match diff.destination {
        [] => diff.source.len(),
        _ if keyed(diff) => 0,
        there => {
            let mut left: Vec<RowHash> = there.iter().map(|row| row.hash).collect();
            let mut taken = |row: &Row| {
                left.iter().position(|hash| *hash == row.hash).map(|at| left.swap_remove(at)).is_some()
            };
            diff.source.iter().filter(|row| !taken(row)).count()
        }
    };
    diffs.iter().map(of).map(|rows| u64::try_from(rows).unwrap_or(u64::MAX)).sum()
}

fn sum(rows: &[Row]) -> Tally {
    let mut tally = Tally::new();
    rows.iter().for_each(|row| tally.add(&row.hash));
    tally
}

/// The tally of the rows that agree, and the keys that do not.
fn join<'r>(source: &'r Rows, destination: &'r Rows) -> (Tally, Vec<Diff<'r>>) {
    let (mut s, mut d) = (source.rows.as_slice(), destination.rows.as_slice());
    let mut base = Tally::new();
    let mut diffs = Vec::new();
    loop {
        let order = match (s.first(), d.first()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.key.cmp(&b.key),
        };
        let mine = if order.is_le() { same_key(s) } else { 0 };
        let theirs = if order.is_ge() { same_key(d) } else { 0 };
        let ((a, s_left), (b, d_left)) = (s.split_at(mine), d.split_at(theirs));
        if a.iter().map(|r| r.hash).eq(b.iter().map(|r| r.hash)) {
            base.merge(&sum(a));
        } else {
            diffs.push(Diff { source: a, destination: b });
        }
        (s, d) = (s_left, d_left);
    }
    (base, diffs)
}

/// How many leading rows share the first one's key.
fn same_key(rows: &[Row]) -> usize {
    let Some(first) = rows.first() else { return 0 };
    rows.iter().take_while(|row| row.key == first.key).count()
}

fn describe(
    look: &Looking<'_>,
    diff: &Diff<'_>,
    side: Option<Side>,
    source: &Rows,
    destination: &Rows,
    found: &mut Vec<Difference>,
) -> Result<()> {
    let row = diff.source.first().or(diff.destination.first()).and_then(|row| row.key.as_ref());
    let token = row.map(|key| Token::new(look.token, look.table.source(), key).to_string());
    let kind = match side {
        Some(Side::Source) => diff.kind(),
        Some(Side::Destination) => Kind::Since,
        None => Kind::Undecided,
    };
    let columns = match (kind, diff.source.first(), diff.destination.first()) {
        (Kind::Altered, Some(s), Some(d)) => match (source.at(s), destination.at(d)) {
            (Some(s), Some(d)) => differing(&source.types, s, d)?,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if columns.is_empty() {
        found.push(difference(look, kind, token, None, 1));
        return Ok(());
    }
    for column in columns.iter().filter_map(|index| look.table.write().get(*index)) {
        let kind = if column.relation { Kind::Reattached } else { Kind::Altered };
        found.push(difference(look, kind, token.clone(), Some(column.name.clone()), 1));
    }
    Ok(())
}

/// Where very many rows differ, they are counted by kind instead of named.
fn counted(look: &Looking<'_>, found: Vec<Difference>) -> Vec<Difference> {
    if found.len() <= NAMED {
        return found;
    }
    let mut counts = std::collections::BTreeMap::new();
    for one in found {
        *counts.entry((one.kind, one.column)).or_insert(0u64) += one.rows;
    }
    counts.into_iter().map(|((kind, column), rows)| difference(look, kind, None, column, rows)).collect()
}

/// A table without a key: rows are counted as equal or not, none can be named.
fn unkeyed(look: &Looking<'_>, source: &Rows, destination: &Rows) -> Difference {
    let scope = Scope::Chunk { table: look.entry.table, chunk: look.entry.chunk };
    let moved = sum(&source.rows).publish(look.tally, scope) == look.entry.tally;
    let mut left: Vec<RowHash> = destination.rows.iter().map(|r| r.hash).collect();
    left.sort_unstable();
    let (mut absent, mut left) = (0u64, left.as_slice());
    for row in &source.rows {
        let skip = left.iter().take_while(|hash| **hash < row.hash).count();
        let extra = u64::try_from(skip).unwrap_or(u64::MAX);
        left = left.split_at(skip).1;
        match left.split_first() {
            Some((hash, rest)) if *hash == row.hash => left = rest,
            _ => absent += 1,
        }
        absent += extra;
    }
    let rows = absent + u64::try_from(left.len()).unwrap_or(u64::MAX);
    difference(look, if moved { Kind::Count } else { Kind::Undecided }, None, None, rows)
}

fn difference(
    look: &Looking<'_>,
    kind: Kind,
    row: Option<String>,
    column: Option<String>,
    rows: u64,
) -> Difference {
    Difference {
        table: look.table.destination().to_owned(),
        chunk: look.entry.chunk,
        kind,
        row,
        column,
        rows,
        there: None,
    }
}
