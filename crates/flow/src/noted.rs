//! What a later start of a run must not cover up: overrides, wider rights, barriers, limits.

use ecluse_core::fault::Result;
use ecluse_seal::{Noted, RunState, What};

use crate::figures::Figures;
use crate::journal::Journal;
use crate::orders::Orders;
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
    for (what, words) in news {
        if !state.noted.iter().any(|known| known.what == *what && known.words == *words) {
            let (at, words) = (world.now().to_string(), (*words).to_owned());
            state.noted.push(Noted { at, what: *what, words });
        }
    }
    figures.noted.clone_from(&state.noted);
    if state.noted.len() > before { state::save(state, orders, journal) } else { Ok(()) }
}
