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
    copies.in_the_name_of(&erase::session_in_force(here));
    attested(here, &mut copies, Act::Copies, &id)?;
    let copy = copies.ledger.one(&id)?;
    output::line(match &copy.hold {
        Some(hold) => format!("{}: held until {}, its last day; then it is erased.", copy.place, hold.until),
        None => format!("{}: no hold; it is erased on {}.", copy.place, copy.erase_by),
    });
    output::document(&json!({ "id": id, "place": copy.place, "hold": copy.hold }));
    Ok(())
}

/// Writes the ledger between two lines of the run's journal, the second with the file's digest; of the ledger's own events
/// where there is no run yet.
///
/// # Errors
///
/// The ledger's and the run folder's.
pub(super) fn attested(here: &Here, copies: &mut Copies, act: Act, object: &str) -> Result<()> {
    let run = here.folder.path(None, "run");
    let leaf = |outcome| Leaf::new(&ready::world(), copies.session(), act, object, &outcome);
    let (begun, done) = (leaf(Outcome::Begun)?, leaf(Outcome::Done)?);
    if !run.is_dir() {
        copies.append(begun)?;
        let paper = Some(copies.save()?);
        return copies.append(Leaf { paper, ..done });
    }
    let mut record = RunFolder::existing(&run, &here.journal())?;
    record.append(begun)?;
    let paper = Some(copies.save()?);
    record.append(Leaf { paper, ..done })
}
