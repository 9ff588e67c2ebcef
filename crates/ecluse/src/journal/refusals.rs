//! A refusal is an event too: of a command that reads, moves or shows rows, or ends the migration, where nothing that it
//! did before had noted it.

use ecluse_adapters::folder::RunFolder;
use ecluse_adapters::log::{self, Remote};
use ecluse_core::fault::{Exit, Fault, Result};
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::ports::Record as _;
use jiff::Timestamp;

use super::reading::{self, ACTS};
use crate::commands::Here;
use crate::folder::Folder;
use crate::{output, ready};

/// In whose name, where no session is in force.
const NOBODY: &str = "no session";

/// Notes that a command was refused, under its code and in the name of the session in force; `since` is when it began.
/// Where no journal was begun there is nobody's migration to tell of, and nothing is written.
pub(crate) fn note(folder: &Folder, fault: &Fault, since: Timestamp) {
    if fault.code().exit != Exit::Refused {
        return;
    }
    match missing(folder, fault, since) {
        Ok(false) => {}
        Ok(true) => {
            if let Err(unnoted) = write(folder, fault) {
                let (title, detail) = (unnoted.code().title, unnoted.detail());
                output::warning(format!("this refusal is not noted: {title}: {detail}"));
            }
        }
        // what cannot be read is told by what takes the lines in
        Err(_unread) => {}
    }
}

/// Whether a journal was begun and none of its run folders has the refusal as its last line.
fn missing(folder: &Folder, fault: &Fault, since: Timestamp) -> Result<bool> {
    let path = super::path(folder);
    if log::Folder::find(&path).is_none() && Remote::find(&path)?.is_none() {
        return Ok(false);
    }
    let is_it = |leaf: &Leaf| {
        leaf.outcome == fault.code().id && leaf.time.parse::<Timestamp>().is_ok_and(|at| at >= since)
    };
    Ok(!super::noted(folder)?.iter().any(|run| run.events.leaves.last().is_some_and(is_it)))
}

fn write(folder: &Folder, fault: &Fault) -> Result<()> {
    let here = Here { folder: folder.clone(), now: ready::world().now() };
    let session = reading::session(&here).unwrap_or_else(|| NOBODY.to_owned());
    let (world, outcome) = (ready::world(), Outcome::Code(fault.code().id));
    let mut record = RunFolder::open(&folder.path(None, ACTS), &here.journal())?;
    record.append(Leaf::new(&world, &session, Act::Refuse, &world.id()?, &outcome)?)
}
