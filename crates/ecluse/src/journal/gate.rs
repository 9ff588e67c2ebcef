//! Where the order demands it, no row moves before somebody else holds a checkpoint over the plan.
//!
//! The plan here is the dry run that came to its end under this very order: it is noted, the journal takes the
//! line in, and the controller's next status carries the checkpoint it saw (or a witness whose key stands in the
//! order cosigns it). From then on nobody can write the journal anew without that party's paper telling. The
//! dry run itself reads rows, in memory; nobody witnesses it beforehand.

use ecluse_adapters::folder::rehearsals;
use ecluse_adapters::log;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Instruction;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_journal::Hash;
use jiff::Timestamp;

use super::{noted, seen, witnesses};
use crate::folder::Folder;

static NO_PLAN: Code = Code::refused("ECL-LOG-043", "the order wants its plan in the journal first");
static UNWITNESSED: Code = Code::refused("ECL-LOG-044", "nobody else has seen the plan's checkpoint yet");

/// Passes an order that demands no witness, and one whose plan somebody else saw in this journal.
///
/// # Errors
///
/// [`NO_PLAN`], [`UNWITNESSED`]; those of the journal, every entry of which is compared first.
pub(crate) fn passed(folder: &Folder, instruction: &Instruction, now: Timestamp) -> Result<()> {
    let order = instruction.order();
    if !order.witnessed {
        return Ok(());
    }
    super::keep(folder)?;
    let wanted = planned(folder, instruction.digest())?;
    let no_plan = || NO_PLAN.fault("no dry run under this order came to its end").help("ecluse plan");
    if wanted.is_empty() {
        return Err(no_plan());
    }
    let log = log::Folder::open(&super::path(folder))?;
    let signed = log.signed()?;
    let tree = signed.checkpoint();
    let mut index: Option<u64> = None;
    log.whole(tree, |at, entry| {
        if index.is_none() && wanted.contains(&Hash::leaf(entry)) {
            index = Some(at);
        }
    })?;
    let index = index.ok_or_else(no_plan)?;
    let mut held = seen::in_papers(folder, now)?;
    held.extend(witnesses::cosigned(folder, &log.verifier()?, &witnesses::keys(&order.witnesses)?)?);
    held.retain(|witness| witness.is_foreign && witness.checkpoint.size > index);
    // what was seen is this journal's past, or the run ends here
    held.iter().try_for_each(|witness| log.grew(tree, &witness.checkpoint))?;
    if !held.is_empty() {
        return Ok(());
    }
    Err(UNWITNESSED.fault(format!("the plan is entry {index}")).help(
        "the controller's signatory states it again, with the journal before them: ecluse instruction status --key FILE",
    ))
}

/// The entries that say that a dry run under this order came to its end.
fn planned(folder: &Folder, instruction: &str) -> Result<Vec<Hash>> {
    let mut found = Vec::new();
    for run in noted(folder)? {
        let figures = rehearsals(&folder.root().join(&run.name))?;
        let ended = |leaf: &&Leaf| {
            leaf.act == Act::Plan
                && leaf.outcome == Outcome::Done.to_string()
                && figures.iter().any(|one| one.run == leaf.object && one.instruction == instruction)
        };
        for leaf in run.events.leaves.iter().filter(ended) {
            found.push(Hash::leaf(&leaf.bytes()?));
        }
    }
    Ok(found)
}
