//! What a load does beside the run itself: it looks whether these rows were loaded already, and what the
//! recipient does with archive and identity stands in the journal.

use ecluse_core::fault::{Code, Result};
use ecluse_seal::Identity;

use crate::event::{Act, Leaf, Outcome, Verified};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Record};
use crate::run::ours;
use crate::state;
pub use crate::state::ELSEWHERE;
use crate::world::World;

static NOT_DESTROYED: Code = Code::refused("ECL-LOA-018", "the identity is not destroyed yet");
/// A receipt that was changed after the identity went.
pub static OTHER_RECEIPT: Code =
    Code::refused("ECL-LOA-031", "the receipt is not the one over which the identity was destroyed");
static LOADED: Code = Code::refused("ECL-LOA-011", "these rows were loaded into this destination already");

/// Refuses rows that are at the destination already, by its ledger: under this instruction and run, and not
/// loaded from this run folder. Asked before a part with rows is opened.
///
/// The ledger is by run, not by archive: a second archive of the same run has a new id and the same rows.
///
/// # Errors
///
/// `ECL-LOA-011`; the destination's; as [`crate::run::is_ours`].
pub fn not_loaded_yet(
    orders: &Orders<'_>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
) -> Result<()> {
    let Some(begun) = orders.begun else { return Ok(()) };
    if ours(orders, record)?.is_some() || destination.ledger(begun.run)?.is_empty() {
        return Ok(());
    }
    Err(LOADED.fault("").help(
        "nothing is to be done: they stand there. A load that was begun elsewhere is gone on with in its own folder: --run DIR",
    ))
}

/// Whether a load under this instruction may go on in a folder with this sealed state and journal: the state opens with
/// the recipient's identity, and is of this instruction; without a state, a load was begun there, or nothing. Asked
/// before anything is noted there.
///
/// # Errors
///
/// `ECL-RUN-013`; the seal's own.
pub fn goes_on(
    state: Option<&[u8]>,
    journal: Option<&Verified>,
    (identity, instruction): (&Identity, &str),
) -> Result<()> {
    let ours = match state {
        Some(state) => ecluse_seal::open(state, identity)?.instruction == instruction,
        None => journal.and_then(|journal| journal.leaves.first()).is_none_or(|leaf| leaf.act == Act::Unseal),
    };
    if ours { Ok(()) } else { Err(state::other()) }
}

/// Opens the archive between the two lines that say so; a refusal is a line too. `manifest` is the digest of
/// its manifest.
///
/// # Errors
///
/// The record's; `open`'s.
pub fn unseals<T>(
    record: &mut dyn Record,
    world: World<'_>,
    (session, archive): (&str, &str),
    manifest: &str,
    open: impl FnOnce() -> Result<T>,
) -> Result<T> {
    papered(record, world, Act::Unseal, (session, archive), manifest, open)
}

/// Destroys the identity that opened the archive, between the two lines that say so. `receipt` is the digest
/// of the receipt as it will be signed: whatever comes after the identity is gone was durable before. The file keeps
/// its name until the second line stands: a start that died in between is told from one that was given another name.
///
/// # Errors
///
/// The record's; `destroy`'s.
pub fn destroys(
    record: &mut dyn Record,
    world: World<'_>,
    (session, archive): (&str, &str),
    receipt: &str,
    destroy: impl FnOnce() -> Result<()>,
) -> Result<()> {
    papered(record, world, Act::Destroy, (session, archive), receipt, destroy)
}

/// An act between its two lines, both with the digest of the paper it is about.
fn papered<T>(
    record: &mut dyn Record,
    world: World<'_>,
    act: Act,
    (session, archive): (&str, &str),
    paper: &str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut journal = Journal::new(record, world, session);
    journal.note_paper(act, archive, &Outcome::Begun, Some(paper.to_owned()))?;
    let done = work();
    match &done {
        Ok(_) => journal.note_paper(act, archive, &Outcome::Done, Some(paper.to_owned()))?,
        Err(fault) => journal.failed(act, archive, fault),
    }
    done
}

/// Whether a load of this archive began in the folder of this journal.
#[must_use]
pub fn has_unsealed(journal: &Verified, archive: &str) -> bool {
    journal.leaves.iter().any(|leaf| leaf.act == Act::Unseal && leaf.object == archive)
}

/// Whether some start destroyed the identity over this receipt, whatever a later one began.
#[must_use]
pub fn was_destroyed(journal: &Verified, archive: &str, receipt: &str) -> bool {
    let done = Outcome::Done.to_string();
    let is = |leaf: &&Leaf| leaf.act == Act::Destroy && leaf.object == archive && leaf.outcome == done;
    journal.leaves.iter().filter(is).any(|leaf| leaf.paper.as_deref() == Some(receipt))
}

/// Whether the journal says that the identity of this archive is destroyed, over whichever receipt.
#[must_use]
pub fn has_destroyed(journal: &Verified, archive: &str) -> bool {
    let last = journal.leaves.iter().rev().find(|leaf| leaf.act == Act::Destroy && leaf.object == archive);
    last.is_some_and(|leaf| leaf.outcome == Outcome::Done.to_string())
}

/// Whether the journal says that the identity of this archive is destroyed, after everything that this receipt says:
/// its digest, as the lines of the destruction bear it.
///
/// # Errors
///
/// `ECL-LOA-018` where the identity is not destroyed; `ECL-LOA-031` where it was over another receipt.
pub fn is_destroyed(journal: &Verified, archive: &str, receipt: &str) -> Result<()> {
    let last = journal.leaves.iter().rev().find(|leaf| leaf.act == Act::Destroy && leaf.object == archive);
    match last {
        Some(leaf) if leaf.outcome == Outcome::Done.to_string() => {
            if leaf.paper.as_deref() == Some(receipt) {
                return Ok(());
            }
            Err(OTHER_RECEIPT.fault("").help("put back receipt.toml as ecluse load wrote it"))
        }
        _ => Err(NOT_DESTROYED
            .fault(format!("archive {archive}"))
            .help("ecluse load ARCHIVE --identity FILE --to URL")),
    }
}
