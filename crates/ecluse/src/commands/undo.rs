//! `ecluse undo`: what a run wrote, taken away again, until the migration is accepted.

use std::path::Path;
use std::sync::Arc;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::copies::Store;
use ecluse_core::count::{count, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_flow::event::Act;
use ecluse_flow::run::Options;
use ecluse_flow::undo::{Kept, Undoing, Undone, undo};

use super::begun::begun;
use super::{Here, loads, runs, withdrawn};
use crate::cli::UndoArgs;
use crate::connect;
use crate::copies;
use crate::folder::Folder;
use crate::output;
use crate::progress::Teller;
use crate::ready::{self, Missing, Ready, STOP};

static ACCEPTED: Code = Code::refused("ECL-UND-003", "the migration was accepted");
static LOADED: Code = Code::refused("ECL-UND-004", "a load out of an archive is not undone");

/// Rows named on the screen; `undone.json` has all.
const SHOWN: usize = 20;

pub(super) fn run(here: &Here, args: &UndoArgs) -> Result<()> {
    not_accepted(&here.folder)?;
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    not_loaded(&run)?;
    begun(&run)?;
    let papers = args.begun.papers();
    // between two chunks it ends where it is, and the same command goes on
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    // tables that the run made may be gone already, where an undo was killed at its end
    let mut record = RunFolder::existing(&run, &here.journal())?;
    let (ready, (mut destination, mut first)) =
        Ready::recalled(here, &papers, Missing::Suppose, &mut record)?;
    ready.swept_if_can_be(&mut record);
    let mut teller = Teller::new();
    let begins = || runs::undone(here, &run, &ready);
    let how = Undoing { options: Options { begins: Some(&begins), ..ready.options() }, dry: args.dry_run };
    let undone = ready.with_orders(|orders| {
        let mut open = || match first.take() {
            Some(source) => Ok(source),
            None => connect::source(&ready.source),
        };
        undo(orders, how, &mut open, destination.as_mut(), &mut record, ready::world(), &mut |p| {
            teller.tell(p);
        })
    })?;
    if let Some(url) = ready.destination.as_ref().filter(|_| undone.whole()) {
        let place = connect::name(url, Language::English);
        copies::ended(&here.folder, here.now, Store::Ledger, &place, "taken away with what the run wrote")?;
    }
    output::document(&undone);
    told(&undone);
    withdrawn::told(&run)?;
    undone.gravest().map_or(Ok(()), |code| Err(code.fault(in_all(&undone)).help(help(&undone))))
}

/// Until the migration is accepted: proposed is enough, since the laboratory may be signing it now.
fn not_accepted(folder: &Folder) -> Result<()> {
    if folder.has("acceptance.toml") {
        return Err(ACCEPTED.fault("acceptance.toml").help(
            "what the laboratory accepted is the laboratory's: it orders a migration back; one that nobody has signed is set aside: mv acceptance.toml acceptance.old.toml",
        ));
    }
    Ok(())
}

/// That the folder's run moved between two databases: what compiles an undo is not at whoever loads an archive.
fn not_loaded(run: &Path) -> Result<()> {
    let first = loads::journal(run)?.and_then(|journal| journal.leaves.into_iter().next());
    if first.is_some_and(|leaf| leaf.act == Act::Unseal) {
        return Err(LOADED.fault(run.display().to_string()).help(
            "end the load: ecluse load ARCHIVE; or have whoever keeps the database take its rows away",
        ));
    }
    Ok(())
}

/// What went and what was kept.
pub(crate) fn told(undone: &Undone) {
    for table in undone.tables.iter().filter(|table| table.moved > 0) {
        let what = if undone.dry { "would be taken away" } else { "taken away" };
        output::line(format!(
            "{}   {} of {} {what}",
            table.table,
            count(table.gone),
            plural(table.moved, "row", "rows")
        ));
    }
    if undone.files > 0 {
        output::line(format!("{} taken away", plural(undone.files, "file", "files")));
    }
    for table in &undone.dropped {
        output::line(format!("{table}   dropped: the run had made it"));
    }
    undone.kept.iter().for_each(kept);
    if !undone.unseen.is_empty() {
        output::line(format!(
            "Not looked at, because the engine fills it by itself, or the account may not read it: {}",
            undone.unseen.join(", ")
        ));
    }
    if !undone.unnamed.is_empty() {
        output::line(format!("The rows that differ could not be named: {}", undone.unnamed));
    }
    let named = undone.kept.iter().flat_map(|kept| &kept.differ).find_map(|row| row.row.as_ref());
    if let Some(token) = named {
        output::line(format!("Show the row on the laboratory's premises:  ecluse locate {token}"));
    }
    if undone.whole() {
        output::line(format!(
            "{} taken away; nothing of the run is left. The run is used up.",
            plural(undone.rows(), "row", "rows")
        ));
    }
}

fn kept(kept: &Kept) {
    let Kept { table, chunk, rows, words, by, .. } = kept;
    let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
    output::line(format!("  {table}   chunk {chunk}   {} kept: {words}{by}", plural(*rows, "row", "rows")));
    for row in kept.differ.iter().take(SHOWN) {
        let column = row.column.as_ref().map_or(String::new(), |column| format!("   column {column}"));
        let which = row.row.as_ref().map_or_else(|| plural(row.rows, "row", "rows"), |t| format!("row {t}"));
        output::line(format!("    {which}{column}   {}", row.words));
    }
    if kept.differ.len() > SHOWN {
        output::line("    … all of them: undone.json in the run's folder");
    }
}

/// `2 chunks of 131,072 rows kept`.
pub(crate) fn in_all(undone: &Undone) -> String {
    let chunks = u64::try_from(undone.kept.len()).unwrap_or(u64::MAX);
    let rows = undone.kept.iter().map(|kept| kept.rows).sum();
    format!("{} of {} kept", plural(chunks, "chunk", "chunks"), plural(rows, "row", "rows"))
}

fn help(undone: &Undone) -> &'static str {
    if undone.dry {
        "decide with whoever changed them; then: ecluse undo"
    } else {
        "decide with whoever changed them; once they are as they were moved: ecluse undo"
    }
}
