//! Rows that a run refused, and rows whose national identifier does not hold: kept sealed with their
//! codes, listed for the laboratory by token.

use ecluse_batch::Token;
use ecluse_core::fault::Result;
use ecluse_core::personal::Personal;
use ecluse_core::value::Key;
use ecluse_seal::{Identity, Reasons, TableState};

use crate::event::Act;
use crate::figures::Figures;
use crate::journal::Journal;
use crate::ports::Record;
use crate::state;
use crate::step::Why;
use crate::world::World;

/// Rows of either sort that the state keeps, per table: beyond, they are counted, and a refused row may
/// be taken for one that changed at the source.
const MOST: usize = 10_000;

/// One row.
#[derive(Clone, Debug)]
pub struct Named {
    /// The source table's name.
    pub table: String,
    /// The row's token.
    pub row: String,
    /// The code under which it was refused, or what is wrong with its number.
    pub code: String,
    /// The table and column that the code speaks of.
    pub place: String,
    /// The key's values; for the controller's terminal only.
    pub key: Personal<Key>,
}

/// What the sealed state of a run keeps.
#[derive(Clone, Debug, Default)]
pub struct Rejected {
    /// Refused rows, table by table in the order of their keys.
    pub refused: Vec<Named>,
    /// Rows that moved without their national identifier, or with it as a local one.
    pub flawed: Vec<Named>,
    /// Refused rows that are counted only: beyond 10,000 of a table, or in a table without a key.
    pub refused_beyond: u64,
    /// The same of the others.
    pub flawed_beyond: u64,
    /// What the journal calls the run.
    object: String,
}

/// Names the rows that the run did not move, or not whole, as its last start counted them in `figures`.
/// Neither database is asked: keys and codes stand in the sealed state.
///
/// # Errors
///
/// As for a run that goes on: the state is another instruction's, older than its journal, or not sealed
/// to `identity`.
pub fn rejected(
    instruction: &str,
    identity: &Identity,
    figures: &Figures,
    record: &mut dyn Record,
) -> Result<Rejected> {
    let state = state::held(instruction, identity, record)?
        .ok_or_else(|| state::NONE.fault("").help("ecluse migrate"))?;
    let key = state::token_key(&state);
    let mut list = Rejected { object: state.object.clone(), ..Rejected::default() };
    let name = |table: &str, rows: &[Key], reasons: &Reasons, into: &mut Vec<Named>| {
        for (index, row) in rows.iter().enumerate() {
            let (code, place) = reasons.get(index).and_then(|why| why.split_once(' ')).unwrap_or_default();
            into.push(Named {
                table: table.to_owned(),
                row: Token::new(&key, table, row).to_string(),
                code: code.to_owned(),
                place: place.to_owned(),
                key: Personal::new(row.clone()),
            });
        }
    };
    for (sealed, counted) in state.tables.iter().zip(&figures.tables) {
        name(&counted.source, &sealed.refused, &sealed.reasons, &mut list.refused);
        name(&counted.source, &sealed.flawed, &sealed.flaws, &mut list.flawed);
        list.refused_beyond += counted.refused_rows().saturating_sub(length(&sealed.refused));
        list.flawed_beyond +=
            counted.identifiers.values().sum::<u64>().saturating_sub(length(&sealed.flawed));
    }
    Ok(list)
}

/// Writes into the journal that the keys of this list are shown to the session's operator. They are
/// shown once this has returned, and not before.
///
/// # Errors
///
/// The record's.
pub fn shown(list: &Rejected, session: &str, record: &mut dyn Record, world: World<'_>) -> Result<()> {
    Journal::new(record, world, session).act(Act::Locate, &list.object, |_| Ok(()))
}

/// Forgets a table's rows: it is read anew.
pub(crate) fn clear(sealed: &mut TableState) {
    sealed.refused.clear();
    sealed.reasons = Reasons::default();
    sealed.flawed.clear();
    sealed.flaws = Reasons::default();
}

/// Keeps a chunk's rows, each once; what was refused in the end is not flawed, too.
pub(crate) fn keep(sealed: &mut TableState, mut gone: Vec<Why>, mut flaws: Vec<Why>) {
    for rows in [&mut gone, &mut flaws] {
        rows.sort();
        rows.dedup_by(|after, before| after.0 == before.0);
    }
    flaws.retain(|(key, _)| gone.binary_search_by(|(other, _)| other.cmp(key)).is_err());
    take(gone, &mut sealed.refused, &mut sealed.reasons);
    take(flaws, &mut sealed.flawed, &mut sealed.flaws);
}

fn take(rows: Vec<Why>, keys: &mut Vec<Key>, reasons: &mut Reasons) {
    let room = MOST.saturating_sub(keys.len());
    for (key, why) in rows.into_iter().take(room) {
        reasons.push(&why);
        keys.push(key);
    }
}

fn length(keys: &[Key]) -> u64 {
    u64::try_from(keys.len()).unwrap_or(u64::MAX)
}
