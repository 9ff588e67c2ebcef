//! An extraction that died once its archive had its name: what is left to say of it.
//!
//! Before the rename everything is on the disk: the archive's parts, what a receipt is compared with, and the figures.
//! After it come the journal's last lines and the state. A start that died between the two left an archive that its
//! recipient may have by now, and that no other can take the place of; so the next start says what the first one could
//! not, and extracts nothing.

use ecluse_core::fault::Result;

use crate::event::{Act, Outcome, Verified};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::Record;
use crate::run::ours;
use crate::state;
use crate::world::World;

/// Whether the journal's last extraction came to name this archive and did not come to its close. `kept` is the
/// digest of what was kept of the archive.
#[must_use]
pub fn is_unended(journal: &Verified, kept: &str) -> bool {
    let begun = journal
        .leaves
        .iter()
        .rposition(|leaf| leaf.act == Act::Extract && leaf.outcome == Outcome::Begun.to_string());
    let since = begun.and_then(|begun| journal.leaves.get(begun..)).unwrap_or_default();
    since.iter().any(|leaf| leaf.act == Act::SealPart && leaf.paper.as_deref() == Some(kept))
        && !since.iter().any(|leaf| leaf.act == Act::Close)
}

/// Ends it: the journal tells of the archive and of the figures, the state that the run is through. `manifest` is the
/// digest of the archive's manifest, `figures` that of `figures.json` as the start before left it.
///
/// # Errors
///
/// `ECL-RUN-015` where the folder holds no run; as [`crate::run::is_ours`].
pub fn ends(
    orders: &Orders<'_>,
    record: &mut dyn Record,
    world: World<'_>,
    (manifest, figures): (&str, &str),
) -> Result<()> {
    let mut state = ours(orders, record)?.ok_or_else(|| state::NONE.fault(""))?;
    let mut journal = Journal::new(record, world, orders.session);
    if journal.record.was_torn() {
        journal.note(Act::Recover, &state.object, &Outcome::Done)?;
    }
    journal.note(Act::Open, &state.object, &Outcome::Begun)?;
    journal.note_paper(Act::Extract, &state.object, &Outcome::Done, Some(manifest.to_owned()))?;
    state.whole = true;
    state::save(&mut state, orders, &mut journal)?;
    journal.note_paper(Act::Close, &state.object, &Outcome::Done, Some(figures.to_owned()))
}
