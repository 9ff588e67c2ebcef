//! `ecluse erase`: copies whose day has come; what moved, at the source, after acceptance.

mod due;
mod named;
mod parted;
mod places;
mod residue;
mod servers;
mod source;
mod watch;

use std::path::Path;

use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::journal::prune;
use super::{Here, begun};
use crate::cli::EraseArgs;
use crate::papers::acceptance;
use crate::{journal, output};

static FAILED: Code = Code::outside("ECL-ERA-004", "a copy whose day has come still stands");

pub(super) fn run(here: &Here, args: &EraseArgs) -> Result<()> {
    if args.source {
        return source::run(here, args);
    }
    if args.look {
        return residue::run(here, args);
    }
    // what is due is the whole folder's: a run folder that is named says no more than which migration is meant
    begun::named(&here.folder, args.begun.run.dir.as_deref())?;
    if args.watch {
        return watch::run(here, args.every);
    }
    let who = if args.timer { due::Who::Timer { hours: args.every } } else { due::Who::Person };
    once(here, (who, args.copy.as_deref()), args.dry_run)
}

/// The digest of the acceptance in force; nothing at the source is erased without one.
fn accepted(here: &Here, run: &Path) -> Result<String> {
    acceptance::verified(&here.folder, run, here.now).map(|accepted| accepted.digest())
}

/// The session in force, for the journal; words that say so where there is none.
pub(super) fn session_in_force(here: &Here) -> String {
    due::session(here, due::Who::Person)
}

/// One look at what is due, or at one copy before its day.
///
/// # Errors
///
/// [`FAILED`] where something still stands; the ledger's and the run folder's own.
fn once(here: &Here, (who, only): (due::Who, Option<&str>), dry: bool) -> Result<()> {
    let done = if dry { due::looked(here, only)? } else { due::erase(here, who, only)? };
    let verb = if dry { "would be erased" } else { "erased" };
    for one in &done.erased {
        output::line(format!("{}   {verb}   {}", one.place, one.words));
    }
    for one in &done.failed {
        output::line(format!("{}   STILL THERE   {}", one.place, one.words));
    }
    let entries = if dry { 0 } else { prune::over(here, &due::session(here, who))? };
    if entries > 0 {
        let entries = plural(entries, "entry", "entries");
        output::line(format!("journal   erased   {entries} from the front, older than it is kept"));
    } else if done.erased.is_empty() && done.failed.is_empty() {
        output::line("Nothing is due.");
    }
    if done.held > 0 {
        output::line(format!("{} under a legal hold: ecluse copies", plural(done.held, "copy", "copies")));
    }
    let told = |list: &[due::Told]| -> Vec<_> {
        list.iter().map(|one| json!({ "id": one.id, "place": one.place, "words": one.words })).collect()
    };
    let beyond = journal::watched::kept_elsewhere(here)?;
    if let Some((place, words)) = &beyond {
        output::line(format!("{place}   NOT REACHED   {words}"));
    }
    let beyond = beyond.map(|(place, words)| json!({ "place": place, "words": words }));
    output::document(&json!({
        "not_reached": beyond, "erased": told(&done.erased), "failed": told(&done.failed), "held": done.held, "dry": dry,
        "late": done.late, "journal_entries": entries,
    }));
    if done.failed.is_empty() {
        return Ok(());
    }
    let still = number(done.failed.len());
    Err(FAILED
        .fault(format!("{} of {}", count(still), plural(still + number(done.erased.len()), "copy", "copies")))
        .help("ecluse copies says why; once it is put right: ecluse erase"))
}
