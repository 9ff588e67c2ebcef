//! `ecluse copies taken`: an operator enters that somebody took a copy out of our reach.
//!
//! écluse sees none of it: the line is the operator's word, under the operator's session. It says of what, who, when,
//! where, until which day and why; nobody takes it out again but by a signed statement.

use ecluse_core::copies::{Copy, Taken, Taking, answers};
use ecluse_core::fault::Result;
use ecluse_flow::event::Act;
use serde_json::json;

use super::super::{Here, hold, session};
use crate::cli::TakenArgs;
use crate::copies::{Copies, look};
use crate::papers::standing;
use crate::{output, ready};

pub(super) fn run(here: &Here, args: &TakenArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let answers = answers(&contract.terms().keys, &args.holder, args.answers.map(Into::into))?;
    let taking = Taking {
        of: &args.of,
        holder: &args.holder,
        answers,
        at: args.at,
        place: &args.place,
        until: args.until,
        why: &args.reason,
    };
    let id = ready::world().id()?;
    if args.dry_run {
        let mut ledger = look(&here.folder)?;
        let id = ledger.taken(&taking, id, here.now)?;
        let (copy, taken) = ledger.one_outside(&id)?;
        told(copy, taken, true);
        return Ok(());
    }
    let session = session::in_force(here, &contract)?;
    let mut copies = Copies::open(&here.folder)?;
    copies.in_the_name_of(&session.header().id);
    let id = copies.ledger.taken(&taking, id, here.now)?;
    hold::attested(here, &mut copies, Act::Taken, &id)?;
    let (copy, taken) = copies.ledger.one_outside(&id)?;
    told(copy, taken, false);
    output::remark("It is kept in the folder, and told in the evidence: it names no patient.");
    Ok(())
}

fn told(copy: &Copy, taken: &Taken, dry: bool) {
    let short = copy.short();
    output::line(format!(
        "{}{}, taken by {} on {}: {}",
        if dry { "would be entered: " } else { "" },
        copy.store.words(),
        taken.holder,
        copy.born,
        copy.place
    ));
    output::line(format!(
        "Open until it is stated that it was destroyed, by {}; the {} answers for it. Nothing is certified or closed before:",
        copy.erase_by,
        taken.answers.name()
    ));
    let id = if dry { "ID" } else { short };
    output::line(format!(
        "  ecluse copies state {id} --method clear|purge|destroy --how WORDS --at MOMENT --limits WORDS"
    ));
    output::document(&json!({
        "id": copy.id, "of": taken.of, "store": copy.store, "holder": taken.holder, "answers": taken.answers,
        "taken": copy.born.to_string(), "place": copy.place, "until": copy.erase_by.to_string(),
        "reason": taken.why, "dry": dry,
    }));
}
