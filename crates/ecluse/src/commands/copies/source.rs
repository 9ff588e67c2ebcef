//! Whether the source was erased when the order says, and whether the last attempt failed.

use std::path::Path;

use ecluse_adapters::folder::{self as runs, Undo, undo};
use ecluse_core::copies::Ledger;
use ecluse_core::document::{Kind, header};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::{self, parse};
use ecluse_core::keys;
use ecluse_flow::event::{Act, Leaf};
use jiff::civil::Date;

use crate::commands::Here;
use crate::folder::{self, Folder};

static LATE: Code =
    Code::refused("ECL-ERA-032", "the source stands beyond the day on which it was to be erased");
static FAILED: Code = Code::refused("ECL-ERA-033", "the last erasure at the source failed");

/// That what moved is erased at the source where the order's day for it is past, and that no attempt failed which
/// nothing has made good since. Where no run moved anything, was undone, or is a trial's, there is nothing to erase.
///
/// # Errors
///
/// [`FAILED`], [`LATE`]; the run folder's.
pub(super) fn on_time(here: &Here, ledger: &Ledger) -> Result<()> {
    let run = here.folder.path(None, "run");
    let Some(day) = open(here, &run)? else { return Ok(()) };
    if let Some(leaf) = failed(&run, ledger) {
        return Err(FAILED
            .fault(format!("{}, {}", leaf.outcome, leaf.time))
            .help(format!("ecluse explain {}; put it right, then: ecluse erase --source", leaf.outcome)));
    }
    late(here, day)
}

/// That the order's day for the source is not past while what moved stands there, whatever failed.
///
/// # Errors
///
/// [`LATE`]; the run folder's.
pub(crate) fn in_time(here: &Here) -> Result<()> {
    let day = open(here, &here.folder.path(None, "run"))?;
    day.map_or(Ok(()), |day| late(here, day))
}

fn late(here: &Here, day: Date) -> Result<()> {
    if keys::day(here.now) <= day {
        return Ok(());
    }
    Err(LATE
        .fault(format!("the order says {day}"))
        .help("ecluse next says what comes before it; then: ecluse erase --source"))
}

/// The day by which what moved is to go from the source, while it stands there.
fn open(here: &Here, run: &Path) -> Result<Option<Date>> {
    let Some(day) = ordered(&here.folder) else { return Ok(None) };
    let is_settled = !run.is_dir() || undo(run)? != Undo::Never || is_erased(run)?;
    Ok((!is_settled).then_some(day))
}

/// The day by which the folder's order has the source erased; none of a trial, nor where no order can be read.
fn ordered(folder: &Folder) -> Option<Date> {
    let bytes = folder::read(&folder.path(None, instruction::FILE), "").ok()?;
    let text = String::from_utf8(bytes).ok()?;
    if header(&text, Kind::Instruction).ok()?.trial {
        return None;
    }
    parse(&text).ok()?.erasure.source.map(|day| day.value)
}

/// Whether each table that moved is gone from the source; true where nothing moved.
fn is_erased(run: &Path) -> Result<bool> {
    let Some(figures) = runs::figures(run)? else { return Ok(true) };
    let erasure = runs::erasure(run)?.filter(|one| !one.ended.is_empty());
    let covers = |table: &str| erasure.as_ref().is_some_and(|one| one.covers_source(table));
    Ok(figures.tables.iter().all(|table| covers(&table.source)))
}

/// The last erasure of this run that ended with a code, of no copy: a copy's own line in the ledger tells of that.
fn failed(run: &Path, ledger: &Ledger) -> Option<Leaf> {
    // a journal that does not hold is told by whatever reads it as such
    let leaves = runs::events(run).ok()?.leaves;
    let is_copys = |leaf: &Leaf| ledger.copies.iter().any(|copy| copy.id == leaf.object);
    let is_failed = |leaf: &Leaf| leaf.act == Act::Erase && leaf.outcome.starts_with("ECL-");
    leaves.into_iter().rfind(|leaf| is_failed(leaf) && !is_copys(leaf))
}
