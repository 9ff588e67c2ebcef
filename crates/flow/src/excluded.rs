//! Persons whose rows never move: a list that the order cites by its digest, sealed to whoever runs it.
//!
//! Their rows, and every row that hangs on one of them by the plan's relations, are let go as they are
//! read, before anything else looks at them: they are not transformed, not tallied, named by no token,
//! and no chunk ends at one. The list is compared in this process alone: no statement names anybody, so
//! that no server's log holds who objected.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use ecluse_batch::{Batch, Keys, Mask};
use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan, typed};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_seal::Identity;
use ecluse_seal::list::List;

use crate::families::{CHAIN, MOST};
use crate::family::{self, Kin, Tie};
use crate::orders::Orders;
use crate::ports::Source;
use crate::step::lock;

static OTHER: Code =
    Code::refused("ECL-RUN-041", "the list of persons who stay is not the one that the order cites");
static MISFIT: Code =
    Code::refused("ECL-RUN-042", "the list of persons who stay does not fit the order's tables");
static UNTOLD: Code =
    Code::refused("ECL-RUN-043", "rows about persons do not say whose they are, and some persons stay");

/// The persons of a sealed list, opened for one plan.
pub struct Excluded {
    digest: String,
    /// The table in which each of them is a row.
    table: usize,
    persons: BTreeSet<Key>,
}

impl Excluded {
    /// Opens the list that the order cites.
    ///
    /// # Errors
    ///
    /// `ECL-RUN-041` where `sealed` has another digest than `cited`; `ECL-RUN-042` where its table or key
    /// is not the plan's, or a person's key is no value of its type; `ECL-RUN-043` where the order moves
    /// rows about persons that lead to nobody on the list; the seal's own.
    pub fn open(sealed: &[u8], cited: &str, identities: &[&Identity], plan: &Plan) -> Result<Self> {
        let digest = digest::of_bytes(sealed);
        if digest != cited {
            return Err(OTHER
                .fault("")
                .help("put the file in place that the laboratory made for this order; a new list needs a new version of the order"));
        }
        let list = List::open(sealed, identities)?;
        let table = plan.tables().iter().find(|t| t.source() == list.table).ok_or_else(|| {
            MISFIT
                .fault(format!("table {} is not ordered", list.table))
                .help("seal a list of an ordered table's rows")
        })?;
        let columns = key_columns(table);
        if !list.key.iter().eq(columns.iter().map(|(name, _)| name)) || columns.is_empty() {
            return Err(MISFIT
                .fault(format!("table {} has another key", list.table))
                .help("seal the list anew: ecluse instruction exclude"));
        }
        let mut persons = BTreeSet::new();
        for (number, person) in list.persons().enumerate() {
            persons.insert(row_key(person.expose(), &columns).ok_or_else(|| {
                MISFIT
                    .fault(format!("person {} is no key of table {}", number + 1, list.table))
                    .help("seal the list anew: ecluse instruction exclude")
            })?);
        }
        if persons.is_empty() {
            return Err(MISFIT.fault("nobody is on it").help("take persons_excluded out of the order"));
        }
        told(plan, table.number())?;
        Ok(Self { digest, table: table.number(), persons })
    }

    /// The digest of the sealed file.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    /// How many persons it holds.
    pub(crate) fn persons(&self) -> u64 {
        u64::try_from(self.persons.len()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excluded({})", self.digest)
    }
}

/// One person's texts as a row's key; `None` where they are none. Blanks at the end of a text do not
/// count, neither here nor in the row: fixed-width columns add them.
fn row_key(person: &[String], columns: &[(String, Type)]) -> Option<Key> {
    let values =
        person.iter().zip(columns).map(|(text, (_, ty))| typed(text, *ty)).collect::<Option<Vec<_>>>()?;
    (person.len() == columns.len()).then(|| Key(values.into_iter().map(plain).collect()))
}

fn plain(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.trim_end_matches(' ').to_owned()),
        other => other,
    }
}

fn key_columns(table: &TablePlan) -> Vec<(String, Type)> {
    table.key().iter().filter_map(|i| table.read().get(*i)).map(|c| (c.name.clone(), c.ty)).collect()
}

/// Per table: whether its rows hang on rows of that one, through as many relations as there are.
fn hanging(plan: &Plan, on: usize) -> Vec<bool> {
    let mut hangs: Vec<bool> = plan.tables().iter().map(|t| t.number() == on).collect();
    // at most one more table per round: as many rounds as tables reach every chain
    for _ in plan.tables() {
        let further =
            |t: &TablePlan| family::ties(t).iter().any(|tie| hangs.get(tie.parent).copied().unwrap_or(false));
        hangs = plan.tables().iter().map(|t| t.number() == on || further(t)).collect();
    }
    hangs
}

/// A table about persons that leads to none of the list would let an excluded person's rows go unseen.
fn told(plan: &Plan, on: usize) -> Result<()> {
    let hangs = hanging(plan, on);
    let untold = plan.tables().iter().zip(hangs).find(|(table, hangs)| table.about_persons() && !hangs);
    let Some((table, _)) = untold else { return Ok(()) };
    Err(UNTOLD.fault(format!("table {}", table.source())).help(
        "grant the column that refers to a person's row, or name it under [[table.relations]]; list persons by the table on which all others hang",
    ))
}

/// The rows that stay, over all readings of one process.
pub(crate) struct Staying<'p> {
    list: &'p Excluded,
    kin: Mutex<Kin>,
}

impl<'p> Staying<'p> {
    /// Nobody met yet, for orders that exclude persons; `key`: random bytes of this process.
    pub(crate) fn of(orders: &Orders<'p>, key: [u8; 32]) -> Result<Option<Self>> {
        let new = |list| Ok(Self { list, kin: Mutex::new(Kin::new(key, orders.plan)?) });
        orders.excluded.map(new).transpose()
    }

    /// Which rows of a batch stay, and how many of them are persons of the list. Who they are is known
    /// from here on to the rows that hang on them.
    pub(crate) fn rows(
        &self,
        table: &TablePlan,
        ties: &[Tie],
        batch: &Batch,
        types: &[Type],
    ) -> Result<(Mask, u64)> {
        let mut out = self.listed(table, batch, types)?;
        let listed = u64::try_from(out.count()).unwrap_or(u64::MAX);
        let mut kin = lock(&self.kin)?;
        loop {
            let known = out.count();
            kin.add(table.number(), batch, types, &out)?;
            for tie in ties.iter().filter(|tie| kin.any(tie.parent)) {
                let named = kin.names(*tie, batch, types)?;
                out = Mask::from_fn(batch.rows(), |row| out.get(row) || named.get(row));
            }
            // where rows of one table hang on each other, once more
            if out.count() == known {
                return Ok((out, listed));
            }
        }
    }

    /// The batch without the rows that stay.
    pub(crate) fn others(&self, table: &TablePlan, batch: &Batch) -> Result<Batch> {
        let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
        let (out, _) = self.rows(table, &family::ties(table), batch, &types)?;
        batch.only(&Mask::from_fn(batch.rows(), |row| !out.get(row)))
    }

    fn listed(&self, table: &TablePlan, batch: &Batch, types: &[Type]) -> Result<Mask> {
        if table.number() != self.list.table {
            return Ok(Mask::from_fn(batch.rows(), |_| false));
        }
        let keys = Keys::new(batch, types, table.key())?;
        Ok(Mask::from_fn(batch.rows(), |row| {
            let key = keys.get(row).map(|key| Key(key.0.into_iter().map(plain).collect()));
            key.is_some_and(|key| self.list.persons.contains(&key))
        }))
    }

    /// Learns beforehand who hangs on whom where a row may be read before the one it hangs on (in one
    /// table, in a circle, where parents are chosen by their children): an excluded person's row is
    /// never written, not even to be taken away again.
    pub(crate) fn foresee(&self, source: &mut dyn Source, orders: &Orders<'_>) -> Result<()> {
        let hangs = hanging(orders.plan, self.list.table);
        let is = |table: usize| hangs.get(table).copied().unwrap_or(false);
        let backward = |t: &TablePlan| {
            is(t.number()) && family::ties(t).iter().any(|tie| tie.parent >= t.number() && is(tie.parent))
        };
        if orders.plan.tables().iter().any(backward) { self.learn(source, orders) } else { Ok(()) }
    }

    /// Reads every table on which others hang, as often as it tells of somebody new.
    pub(crate) fn learn(&self, source: &mut dyn Source, orders: &Orders<'_>) -> Result<()> {
        let plan = orders.plan;
        let hangs = hanging(plan, self.list.table);
        let all: Vec<Tie> = plan.tables().iter().flat_map(family::ties).collect();
        let asked = |t: &TablePlan| {
            hangs.get(t.number()).copied().unwrap_or(false) && all.iter().any(|tie| tie.parent == t.number())
        };
        for _ in 0..MOST {
            let known = lock(&self.kin)?.named_by(&all);
            for table in plan.tables().iter().filter(|t| asked(t)) {
                orders.standing()?;
                let ties = family::ties(table);
                let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
                source.read(table, plan, &KeyRange::default(), &mut |batch| {
                    self.rows(table, &ties, &batch, &types).map(drop)
                })?;
            }
            if lock(&self.kin)?.named_by(&all) == known {
                return Ok(());
            }
        }
        Err(CHAIN.fault(format!("after {MOST} readings, for the persons who stay")))
    }
}
