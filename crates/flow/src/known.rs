//! Persons who exist at the destination already: listed for the laboratory, merged by nobody.
//!
//! Where the order says with whose records the persons who arrive are compared
//! ([`ecluse_core::plan::KnownPlan`]), the columns it names are read back once everything has moved: this
//! laboratory's rows, then, once, the others' that the order lets be read. What is compared are keyed hashes
//! of 16 bytes under a key of this process, in this process; no statement holds a value, and neither row is
//! changed. Held in memory: two hashes for each person who arrived, the keys of at most 100,000 rows that
//! agree. Where rows agree, this laboratory's are read once more for their keys.

use std::collections::BTreeMap;

use ecluse_batch::{Batch, Keys, Token, cell};
use ecluse_core::fault::{Code, Result};
use ecluse_core::personal::Personal;
use ecluse_core::plan::KnownPlan;
use ecluse_core::same;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_seal::{AgreeBy, Identity, KnownList, KnownPair, RunState};

use crate::event::Act;
use crate::figures::{Figures, KnownFigures};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Record};
use crate::world::World;
use crate::{failpoint, readback, state};

static NO_LIST: Code =
    Code::refused("ECL-RUN-065", "there is no list of persons who exist at the destination already");

/// Rows that stood there, and pairs, that the list keeps; beyond, they are counted.
const MOST: usize = 100_000;

/// Says what a record is compared by, without saying it.
type Mark = [u8; 16];

/// A row that arrived, and one that stood there, which may be one person's.
#[derive(Clone, Debug)]
pub struct Named {
    /// The arrived row's token, as everywhere in the run.
    pub row: String,
    /// The other row's, under the destination table's name.
    pub stood: String,
    /// By what they agree.
    pub by: AgreeBy,
    /// Both rows' keys at the destination, the arrived one's first; for the laboratory's terminal only.
    pub keys: Personal<[Key; 2]>,
}

/// The list of one run.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The destination's table of persons.
    pub table: String,
    /// The columns of its key.
    pub key: Vec<String>,
    /// In the order of the rows that arrived.
    pub pairs: Vec<Named>,
    /// What the journal calls the run.
    object: String,
}

/// The list that the run of this folder left. Neither database is asked: it stands in the sealed state.
///
/// # Errors
///
/// `ECL-RUN-065` where there is none; as for a run that goes on.
pub fn listed(instruction: &str, identity: &Identity, record: &mut dyn Record) -> Result<Listed> {
    let state = state::held(instruction, identity, record)?
        .ok_or_else(|| state::NONE.fault("").help("ecluse migrate"))?;
    let Some(list) = &state.known else {
        return Err(NO_LIST.fault("").help(
            "the order asks for it ([destination.known]), and a run makes it at its end: ecluse status; an undo takes it away",
        ));
    };
    let key = state::token_key(&state);
    let named = |pair: &KnownPair| Named {
        row: Token::new(&key, &list.source, &pair.here).to_string(),
        stood: Token::new(&key, &list.table, &pair.stood).to_string(),
        by: pair.by,
        keys: Personal::new([pair.arrived.clone(), pair.stood.clone()]),
    };
    Ok(Listed {
        table: list.table.clone(),
        key: list.key.clone(),
        pairs: list.pairs.iter().map(named).collect(),
        object: state.object.clone(),
    })
}

/// Writes into the journal that the keys of this list are shown to the session's operator. They are
/// shown once this has returned, and not before.
///
/// # Errors
///
/// The record's.
pub fn shown(list: &Listed, session: &str, record: &mut dyn Record, world: World<'_>) -> Result<()> {
    Journal::new(record, world, session).act(Act::KnownShown, &list.object, |_| Ok(()))
}

/// Compares, where the order says so, and saves the list; durable when it returns.
pub(crate) fn list(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    journal: &mut Journal<'_>,
    state: &mut RunState,
    figures: &mut Figures,
    world: &World<'_>,
) -> Result<()> {
    let Some(known) = orders.plan.known() else { return Ok(()) };
    let object = state.object.clone();
    journal.act(Act::Known, &object, |journal| {
        let found = Comparing::new(known, world.random()?).compare(destination)?;
        figures.known = Some(found.figures);
        state.known = Some(KnownList {
            source: known.table().source().to_owned(),
            table: known.table().destination().to_owned(),
            key: names_of_key(known),
            pairs: found.pairs,
        });
        failpoint::hit("known.list.before");
        state::save(state, orders, journal)?;
        failpoint::hit("known.list.after");
        Ok(())
    })
}

fn names_of_key(known: &KnownPlan) -> Vec<String> {
    let column = |at: &usize| known.table().write().get(*at).map(|c| c.name.clone());
    known.table().write_key().iter().filter_map(column).collect()
}

struct Found {
    pairs: Vec<KnownPair>,
    figures: KnownFigures,
}

/// One comparison, under a key that nothing outlives.
struct Comparing<'a> {
    known: &'a KnownPlan,
    types: Vec<Type>,
    key: [u8; 32],
    most: usize,
}

/// Others' rows that agree with one of ours.
#[derive(Default)]
struct Stood {
    keys: Vec<Key>,
    /// By their marks, as indices into `keys`.
    by: BTreeMap<Mark, Vec<usize>>,
    /// Rows that agree and are not kept.
    beyond: u64,
    /// Rows that could agree with nobody: they lack what is compared.
    bare: u64,
}

impl<'a> Comparing<'a> {
    fn new(known: &'a KnownPlan, key: [u8; 32]) -> Self {
        Self { known, types: readback::types(known.table()), key, most: MOST }
    }

    fn compare(&self, destination: &mut dyn Destination) -> Result<Found> {
        let (mut ours, mut bare): (Vec<Mark>, u64) = (Vec::new(), 0);
        destination.read(self.known.table(), &KeyRange::default(), false, &mut |batch| {
            for row in 0..batch.rows() {
                let marks = self.marks(&batch, row)?;
                bare += u64::from(marks == [None, None]);
                ours.extend(marks.into_iter().flatten());
            }
            Ok(())
        })?;
        ours.sort_unstable();
        ours.dedup();
        let stood = if ours.is_empty() { Stood::default() } else { self.stood(destination, &ours)? };
        drop(ours);
        let mut found = self.pairs(destination, &stood)?;
        found.figures.uncompared = bare;
        found.figures.uncompared_there = stood.bare;
        Ok(found)
    }

    /// The one reading of others' rows.
    fn stood(&self, destination: &mut dyn Destination, ours: &[Mark]) -> Result<Stood> {
        let mut stood = Stood::default();
        destination.beside(self.known, &mut |batch| {
            for row in 0..batch.rows() {
                let marks = self.marks(&batch, row)?;
                stood.bare += u64::from(marks == [None, None]);
                let agree: Vec<Mark> =
                    marks.into_iter().flatten().filter(|mark| ours.binary_search(mark).is_ok()).collect();
                if agree.is_empty() {
                    continue;
                }
                if stood.keys.len() >= self.most {
                    stood.beyond += 1;
                    continue;
                }
                agree.into_iter().for_each(|mark| stood.by.entry(mark).or_default().push(stood.keys.len()));
                stood.keys.push(self.key_beside(&batch, row)?);
            }
            Ok(())
        })?;
        Ok(stood)
    }

    /// Ours once more: who of them agrees with whom.
    fn pairs(&self, destination: &mut dyn Destination, stood: &Stood) -> Result<Found> {
        let table = self.known.table();
        let mut figures = KnownFigures {
            table: table.destination().to_owned(),
            unlisted: stood.beyond,
            ..KnownFigures::default()
        };
        let mut pairs = Vec::new();
        if stood.keys.is_empty() {
            return Ok(Found { pairs, figures });
        }
        destination.read(table, &KeyRange::default(), false, &mut |batch| {
            let keys = Keys::new(&batch, &self.types, table.write_key())?;
            for row in 0..batch.rows() {
                let [number, traits] = self.marks(&batch, row)?;
                let others =
                    |mark: Option<Mark>| mark.and_then(|mark| stood.by.get(&mark)).into_iter().flatten();
                let mut agree: BTreeMap<usize, AgreeBy> =
                    others(number).map(|at| (*at, AgreeBy::Number)).collect();
                for at in others(traits) {
                    agree.entry(*at).and_modify(|by| *by = AgreeBy::Both).or_insert(AgreeBy::Traits);
                }
                figures.persons += u64::from(!agree.is_empty());
                let Some(here) = keys.get(row) else { continue };
                for (at, by) in agree {
                    figures.count(by);
                    match stood.keys.get(at).filter(|_| pairs.len() < self.most) {
                        Some(other) => pairs.push(KnownPair {
                            here: here.clone(),
                            arrived: table.key_there(&here),
                            stood: other.clone(),
                            by,
                        }),
                        None => figures.unlisted += 1,
                    }
                }
            }
            Ok(())
        })?;
        pairs.sort_by(|a, b| (&a.here, &a.stood).cmp(&(&b.here, &b.stood)));
        Ok(Found { pairs, figures })
    }

    /// The key of another's row; empty where a part of it is NULL or cannot be read.
    fn key_beside(&self, batch: &Batch, row: usize) -> Result<Key> {
        let part = |column: &usize| cell(batch, &self.types, *column, row);
        let key = self.known.table().write_key().iter().map(part).collect::<Result<Vec<_>>>()?;
        Ok(Key(if key.contains(&Value::Null) { Vec::new() } else { key }))
    }

    /// What a row is compared by: its number, its traits; none of what it lacks.
    fn marks(&self, batch: &Batch, row: usize) -> Result<[Option<Mark>; 2]> {
        let value = |column: usize| cell(batch, &self.types, column, row);
        let text = |value: Value| if let Value::Text(text) = value { text } else { String::new() };
        let number = match self.known.number() {
            Some([number, authority]) => same::number(&text(value(number)?), &text(value(authority)?)),
            None => None,
        };
        let traits = match self.known.traits() {
            Some([family, given, born, sex]) => {
                let all = [
                    same::name(&text(value(family)?)),
                    same::name(&text(value(given)?)),
                    plain(&value(born)?),
                    plain(&value(sex)?),
                ];
                all.into_iter().collect::<Option<Vec<String>>>()
            }
            None => None,
        };
        Ok([number.map(|n| self.mark(b'n', &[n])), traits.map(|t| self.mark(b't', &t))])
    }

    fn mark(&self, what: u8, parts: &[String]) -> Mark {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[what]);
        for part in parts {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
    }
}

/// A day or a sex, as a text that is equal where the values are; `None` where there is none.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => same::word(text),
        Value::Date(day) => Some(day.to_string()),
        Value::Timestamp(micros) => Some(micros.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
