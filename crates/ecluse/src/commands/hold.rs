//! `ecluse hold`: a copy stays beyond its day, with a reason, on somebody's word, until a day.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::copies::Hold;
use ecluse_core::fault::Result;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::ports::Record as _;
use serde_json::json;

use super::{Here, erase};
use crate::cli::HoldArgs;
use crate::copies::Copies;
use crate::output;
use crate::ready;

pub(super) fn run(here: &Here, args: &HoldArgs) -> Result<()> {
    let mut copies = Copies::open(&here.folder)?;
    let id = copies.ledger.one(&args.id)?.id.clone();
    if args.release {
        copies.ledger.release(&id)?;
    } else {
        copies.ledger.hold(
            &id,
            Hold {
                reason: args.reason.clone().unwrap_or_default(),
                approver: args.approver.clone().unwrap_or_default(),
                until: args.until.unwrap_or(jiff::civil::Date::MIN),
                at: here.now,
            },
        )?;
    }
    attested(here, &mut copies, &id)?;
    let copy = copies.ledger.one(&id)?;
    output::line(match &copy.hold {
        Some(hold) => format!("{}: held until {}, its last day; then it is erased.", copy.place, hold.until),
        None => format!("{}: no hold; it is erased on {}.", copy.place, copy.erase_by),
    });
    output::document(&json!({ "id": id, "place": copy.place, "hold": copy.hold }));
    Ok(())
}

/// Writes the ledger between two lines of the run's journal, the second with the file's digest.
///
/// # Errors
///
/// The ledger's and the run folder's.
pub(super) fn attested(here: &Here, copies: &mut Copies, object: &str) -> Result<()> {
    let run = here.folder.path(None, "run");
    let session = erase::session_in_force(here);
    let leaf = |outcome| Leaf::new(&ready::world(), &session, Act::Copies, object, &outcome);
    let mut record = if run.is_dir() { Some(RunFolder::existing(&run, &here.journal())?) } else { None };
    record.as_mut().map_or(Ok(()), |record| record.append(leaf(Outcome::Begun)?))?;
    let paper = Some(copies.save()?);
    record.as_mut().map_or(Ok(()), |record| record.append(Leaf { paper, ..leaf(Outcome::Done)? }))
}
