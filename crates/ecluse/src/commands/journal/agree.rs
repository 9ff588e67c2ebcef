//! Whether the run folders still hold what the journal took in of them, line by line and in their order.

use std::collections::{HashMap, HashSet};

use ecluse_adapters::log::{Run, Taken};
use ecluse_core::count::number;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_journal::Hash;

static UNLIKE: Code =
    Code::refused("ECL-LOG-035", "a run folder's events are not those that the journal holds");

/// An entry's index by its hash.
pub(super) type Places = HashMap<Hash, u64>;

/// The number of lines that are not taken in yet, where all others stand in the journal (`places`), those before
/// `first` apart, which were erased. `own` are entries that its writer made by itself: they are in no run folder.
///
/// A run folder that is gone is not compared: it may be erased when its time is over.
///
/// # Errors
///
/// [`UNLIKE`] names the folder, the line, and the entry that holds what was taken in.
pub(super) fn late(
    runs: &[Run],
    taken: &Taken,
    (places, own): (&Places, &HashSet<u64>),
    first: u64,
) -> Result<u64> {
    let lines = runs.iter().map(|run| Ok((run, stands(run, places)?))).collect::<Result<Vec<_>>>()?;
    let mut late = 0;
    for (run, places) in &lines {
        let known = run.events.digests.first().and_then(|first| taken.runs.get(first));
        let known = known.map_or(0, |known| usize::try_from(known.lines).unwrap_or(usize::MAX));
        // a copy that was left behind is shorter, and no fault while the longer one is there
        let is_copy = runs.iter().any(|other| {
            other.events.digests.first() == run.events.digests.first()
                && other.events.since(&run.events.head).is_some_and(|more| !more.is_empty())
        });
        let taken_in = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1).max(if is_copy {
            0
        } else {
            known
        });
        // which entries are some folder's is asked only where a line is missing
        let held = || {
            let of_folders = lines.iter().flat_map(|(_, places)| places.iter().flatten());
            of_folders.chain(own).copied().collect()
        };
        compared(run, places, taken_in, (&held, first))?;
        late += number(places.len().saturating_sub(taken_in));
    }
    Ok(late)
}

/// Where each line stands in the journal.
fn stands(run: &Run, places: &Places) -> Result<Vec<Option<u64>>> {
    let place = |leaf: &ecluse_flow::event::Leaf| Ok(places.get(&Hash::leaf(&leaf.bytes()?)).copied());
    run.events.leaves.iter().map(place).collect()
}

/// Compares the lines that were taken in of one folder.
fn compared(
    run: &Run,
    places: &[Option<u64>],
    taken_in: usize,
    (held, first): (&dyn Fn() -> HashSet<u64>, u64),
) -> Result<()> {
    let mut before: Option<u64> = None;
    for line in 0..taken_in {
        let place = places.get(line).copied().flatten();
        match (place, before) {
            (Some(place), Some(last)) if place < last => {
                return Err(unlike(run, line, None)
                    .help(format!("its line stands at entry {place}, before the line above it")));
            }
            (Some(_), _) => before = place,
            // before the first that is kept nothing is left to compare with
            (None, None) if first > 0 && places.get(line).is_some() => {}
            (None, _) => {
                // the first entry since this folder's own first that no line of any folder is
                let from = places.first().copied().flatten().unwrap_or(first);
                let held = held();
                let lost = (from..u64::MAX).find(|index| !held.contains(index));
                return Err(unlike(run, line, lost));
            }
        }
    }
    Ok(())
}

fn unlike(run: &Run, line: usize, entry: Option<u64>) -> Fault {
    let entry =
        entry.map_or_else(String::new, |entry| format!("; entry {entry} of the journal is in no run folder"));
    UNLIKE
        .fault(format!("{}: at line {}{entry}", run.name, line.saturating_add(1)))
        .help("keep the folder as it is, tell the controller, and find out who had access to it")
}
