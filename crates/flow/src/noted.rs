//! What a later start of a run must not cover up: overrides, wider rights, barriers, limits.

use ecluse_core::fault::Result;
use ecluse_seal::{Noted, RunState, What};

use crate::checks::{self, When};
use crate::event::{Act, Outcome};
use crate::figures::Figures;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Opened, Source};
use crate::state;
use crate::world::World;

/// Keeps these in the sealed state and in the figures, each once, with the time it was first
/// met. Durable when this returns, so that no row is read under what nobody would learn of.
pub(crate) fn keep(
    news: &[(What, &str)],
    state: &mut RunState,
    figures: &mut Figures,
    orders: &Orders<'_>,
    journal: &mut Journal<'_>,
    world: &World<'_>,
) -> Result<()> {
    let before = state.noted.len();
    add(news, &mut state.noted, world);
    figures.noted.clone_from(&state.noted);
    if state.noted.len() > before { state::save(state, orders, journal) } else { Ok(()) }
}

/// Adds those that are not known yet, as met now.
pub(crate) fn add(news: &[(What, &str)], noted: &mut Vec<Noted>, world: &World<'_>) {
    for (what, words) in news {
        if !noted.iter().any(|known| known.what == *what && known.words == *words) {
            let (at, words) = (world.now().to_string(), (*words).to_owned());
            noted.push(Noted { at, what: *what, words });
        }
    }
}

/// Identity, schema and rights of the source; a wider role that was accepted is kept, and said to the journal.
pub(crate) fn probe(
    (source, when): (&mut dyn Source, When),
    reason: Option<&str>,
    state: &mut RunState,
    figures: &mut Figures,
    orders: &Orders<'_>,
    journal: &mut Journal<'_>,
    world: &World<'_>,
) -> Result<()> {
    let excess = checks::probe(source, orders, reason, when)?;
    let news = of_rights(&excess, reason);
    if !news.is_empty() {
        keep(&news, state, figures, orders, journal, world)?;
        figures.override_reason = reason.unwrap_or_default().to_owned();
        journal.note(Act::Override, &state.object, &Outcome::Done)?;
    }
    figures.excess = excess;
    Ok(())
}

/// The barrier that stands and what could not be locked or seen.
pub(crate) fn of_snapshot(opened: &Opened) -> Vec<(What, &str)> {
    let limits = opened.limits.iter().map(|limit| (What::Limit, limit.as_str()));
    std::iter::once((What::Barrier, opened.barrier.as_str())).chain(limits).collect()
}

/// A wider role that was accepted, with the reason; nothing where there is no excess.
pub(crate) fn of_rights<'a>(excess: &'a [String], reason: Option<&'a str>) -> Vec<(What, &'a str)> {
    let Some(reason) = reason.filter(|_| !excess.is_empty()) else { return Vec::new() };
    let excess = excess.iter().map(|what| (What::Excess, what.as_str()));
    std::iter::once((What::WiderRole, reason)).chain(excess).collect()
}
