//! Values by which what should be gone is sought: drawn from the destination at that moment, kept in memory. The
//! sender of a sealed archive has no destination and draws them from the source; those that stood there when it was
//! erased are sealed with the run's state until closing (decision 0089).

use ecluse_batch::{Batch, Keys, Mask};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;
use ecluse_core::value::KeyRange;
use ecluse_seal::{Parting, Sought};
use zeroize::Zeroizing;

use crate::excluded::Staying;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Record, Source};
use crate::world::{ENOUGH, World};
use crate::{checks, conclude, state};

/// Texts shorter than this are found by chance.
const LEAST: usize = 8;

/// From this length on a text of letters alone is one patient's; a shorter one is a word, or a name that many bear,
/// and stands in files that nobody moved.
const LONG: usize = 12;

/// Different texts that are held of one table at most, while it is seen which of them stand in one row alone.
const HELD: usize = 4_096;

/// Texts that stand in tables about persons at the destination: of each at most `most`, all different, of 12 bytes
/// or, with a digit among them, of 8; of those that were read, each stands in one row alone. What many rows hold is a
/// word of the laboratory's, and stays by right in its lists.
///
/// # Errors
///
/// The destination's; that it is another one than was signed for.
pub fn drawn(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    most: usize,
) -> Result<Vec<Zeroizing<String>>> {
    checks::destination_identity(destination, orders.destination)?;
    let mut drawn = Drawn::new(most);
    for table in orders.plan.tables().iter().filter(|table| table.about_persons()) {
        let texts = places(table.write().iter().map(|column| column.ty == Type::Text));
        drawn.of_table(&texts, &mut |sink| destination.read(table, &KeyRange::default(), false, sink))?;
    }
    Ok(drawn.all)
}

/// The same at the sender of an archive, who sees no destination: of the source's rows that moved, and, where they were
/// erased, those that were sealed before ([`keep`]). A row that stays at the source, since it was refused or is of a
/// person who stays, gives none.
///
/// # Errors
///
/// The source's; that it is another one than was signed for; those of the run's sealed state.
pub fn drawn_at_source(
    orders: &Orders<'_>,
    source: &mut dyn Source,
    record: &mut dyn Record,
    frozen: bool,
    most: usize,
    world: World<'_>,
) -> Result<Vec<Zeroizing<String>>> {
    checks::source_identity(source, orders.source)?;
    // once it was closed nobody has its state
    let state = if conclude::is_closed(record) { None } else { state::load(orders, record)? };
    let staying = Staying::of(orders, world.random()?)?;
    source.open(orders.plan, frozen)?;
    staying.as_ref().map_or(Ok(()), |staying| staying.learn(source, orders))?;
    let mut drawn = Drawn::new(most);
    for table in orders.plan.tables().iter().filter(|table| table.about_persons()) {
        let texts = places(table.read().iter().map(|column| column.moved && column.ty == Type::Text));
        let types: Vec<Type> = table.read().iter().map(|column| column.ty).collect();
        let refused = match &state {
            Some(state) => state::table(state, table.number())?.refused.as_slice(),
            None => &[],
        };
        drawn.of_table(&texts, &mut |sink| {
            source.read(table, orders.plan, &KeyRange::default(), &mut |batch| {
                let batch = match &staying {
                    Some(staying) => staying.others(table, &batch)?,
                    None => batch,
                };
                let keys = Keys::new(&batch, &types, table.key())?;
                let stays = |row| {
                    let unread = batch.unreadable().iter().any(|cell| cell.row == row);
                    unread || keys.get(row).is_some_and(|key| refused.binary_search(&key).is_ok())
                };
                sink(batch.keep(&Mask::from_fn(batch.rows(), |row| !stays(row)))?)
            })
        })?;
    }
    source.close()?;
    let kept = state.iter().flat_map(|state| state.sought.expose());
    for text in kept {
        if !drawn.all.contains(text) {
            drawn.all.push(text.clone());
        }
    }
    Ok(drawn.all)
}

/// Seals into the run's state, before rows go at the source, what nobody can find there again: at the sender of an
/// archive values by which they are sought (those that were kept before stay where there are none), and the names of
/// the files that part with them.
///
/// # Errors
///
/// Those of the run's sealed state.
pub fn keep(
    orders: &Orders<'_>,
    record: &mut dyn Record,
    world: World<'_>,
    values: Vec<Zeroizing<String>>,
    parting: Parting,
) -> Result<()> {
    let Some(mut state) = state::load(orders, record)? else { return Ok(()) };
    if values.is_empty() && parting == state.parting {
        return Ok(());
    }
    if !values.is_empty() {
        state.sought = Sought::new(values);
    }
    state.parting = parting;
    let mut journal = Journal::new(record, world, orders.session);
    state::save(&mut state, orders, &mut journal)
}

fn places(texts: impl Iterator<Item = bool>) -> Vec<usize> {
    texts.enumerate().filter_map(|(place, is_text)| is_text.then_some(place)).collect()
}

/// Reads batches into a sink.
type Read<'a> = &'a mut dyn FnMut(&mut dyn FnMut(Batch) -> Result<()>) -> Result<()>;

struct Drawn {
    most: usize,
    all: Vec<Zeroizing<String>>,
}

impl Drawn {
    const fn new(most: usize) -> Self {
        Self { most, all: Vec::new() }
    }

    fn of_table(&mut self, texts: &[usize], read: Read<'_>) -> Result<()> {
        // in their order
        let mut held: Vec<(Zeroizing<String>, u64)> = Vec::new();
        let read = read(&mut |batch| {
            for column in texts {
                for text in batch.texts(*column)?.into_iter().flatten().filter(|text| tells(text)) {
                    match held.binary_search_by(|(known, _)| known.as_str().cmp(text)) {
                        Ok(at) => held.get_mut(at).into_iter().for_each(|(_, rows)| *rows += 1),
                        Err(at) if held.len() < HELD => held.insert(at, (Zeroizing::new(text.to_owned()), 1)),
                        Err(_) => {}
                    }
                }
            }
            if held.len() < HELD { Ok(()) } else { Err(ENOUGH.fault("")) }
        });
        read.or_else(|fault| if *fault.code() == ENOUGH { Ok(()) } else { Err(fault) })?;
        let alone = held.into_iter().filter(|(text, rows)| *rows == 1 && !self.all.contains(text));
        let some: Vec<_> = alone.map(|(text, _)| text).take(self.most).collect();
        self.all.extend(some);
        Ok(())
    }
}

/// Whether a text, found somewhere, tells that this row was there.
fn tells(text: &str) -> bool {
    let digit = || text.bytes().any(|byte| byte.is_ascii_digit());
    text.len() >= LONG || (text.len() >= LEAST && digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_many_bear_and_a_word_tell_nothing() {
        for text in ["Rousseau", "négatif", "12345"] {
            assert!(!tells(text), "{text}");
        }
        for text in ["T0000123", "Dr Amina Belkacem"] {
            assert!(tells(text), "{text}");
        }
    }
}
