//! `ecluse status`: how far a run has come, without touching it.

use std::path::Path;

use ecluse_adapters::folder::{Undo, events, undo};
use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_flow::figures::Figures;
use ecluse_flow::rights;
use serde_json::json;

use super::reconciled::{self, Reconciled};
use super::{
    Here, begun, copies, files, identifiers, known, migrate, ordered, stayed, undo as command, withdrawn,
};
use crate::cli::RunArgs;
use crate::journal;
use crate::output;
use crate::papers::accepted::{self, Acceptance};
use crate::papers::ending::Stood;
use crate::papers::handed::Handed;
use crate::papers::{compared, quietly, returned, sealed};
use crate::steps;

pub(super) fn run(here: &Here, args: &RunArgs) -> Result<()> {
    let path = here.folder.path(args.dir.as_deref(), "run");
    if args.dir.is_none() && !path.exists() && steps::is_receiving(&here.folder) {
        return received(here);
    }
    let figures = begun::figures(&path)?;
    let journal = events(&path)?;
    let reconciled = reconciled::of(&path, &figures)?;
    let undo = undo(&path)?;
    for t in &figures.tables {
        if figures.ended.is_empty() {
            output::line(format!(
                "{}   not known until the run goes on: a start ended without a word",
                t.source
            ));
            continue;
        }
        output::line(format!(
            "{}   {} of {} moved, {} refused",
            t.source,
            count(t.moved),
            count(t.asked),
            count(t.refused_rows())
        ));
    }
    refused(&figures);
    for line in identifiers::lines(&figures) {
        output::line(format!("  identifier   {line}"));
    }
    for line in migrate::unfinished(&figures) {
        output::line(format!("  pending      {line}"));
    }
    stayed::lines(&figures).into_iter().for_each(output::line);
    known::lines(&figures).into_iter().for_each(output::line);
    if undo == Undo::Never && known::looked_at(&path, &figures)? == Some(false) {
        output::line("  the list waits for the laboratory to look at it:  ecluse known --reveal");
    }
    for line in files::lines(&figures, "moved") {
        output::line(format!("  files        {line}"));
    }
    figures.catch_ups.iter().for_each(migrate::caught);
    let state = if undo != Undo::Never {
        "undone: it is not gone on with"
    } else if figures.whole {
        "through"
    } else if figures.is_through() {
        "a sample only: ecluse migrate moves the whole"
    } else {
        "not through: the same command goes on"
    };
    output::line(format!(
        "run {}   {state}   {} events in its own folder, unbroken",
        figures.run.get(..8).unwrap_or_default(),
        count(journal.head.lines)
    ));
    for fault in [ordered::under(&here.folder, &figures), ordered::tolerable(&figures)]
        .into_iter()
        .filter_map(Result::err)
        .filter(|fault| fault.code().id != "ECL-CLI-003")
    {
        output::line(format!("{}: {}   {}", fault.code().title, fault.detail(), fault.advice()));
    }
    undone(&undo);
    let sealed = handed(here, &path, &figures);
    match &sealed {
        Some(line) => line.iter().for_each(output::line),
        None => read_back(here, &reconciled, undo != Undo::Never)?,
    }
    withdrawn::told(&path)?;
    let back = returned::line(&here.folder, here.now);
    back.iter().for_each(output::line);
    let looked = compared::of(&here.folder, &path, &figures, here.now)?;
    if let Some(looked) = &looked {
        output::line(looked.words(Language::English, false));
    }
    let outside = copies::outside(here)?;
    output::document(&json!({
        "copies_outstanding": outside,
        "figures": rights::brief(&figures),
        "excess": figures.excess.len(),
        "events": journal.head.lines,
        "journal": journal.head.digest,
        "reconciliation": reconciled.found(),
        "received": sealed.flatten(),
        "comparison": looked.map(|looked| looked.counts()),
        "return": back,
        "undo": match &undo {
            Undo::Never => json!(null),
            Undo::Begun => json!({ "ended": "" }),
            Undo::Ended(undone) => json!(undone),
        },
    }));
    journal::watched::in_order(here)?;
    copies::on_time(here)
}

/// What is known of rows that were sealed: what came back. `None` of a run that wrote a database; no line of a return,
/// which has its own.
fn handed(here: &Here, run: &Path, figures: &Figures) -> Option<Option<String>> {
    let back = here.folder.path(None, returned::RUN);
    if back.canonicalize().is_ok_and(|back| run.canonicalize().is_ok_and(|run| run == back)) {
        return Some(None);
    }
    if !quietly(|| sealed::is_ordered(&here.folder)).unwrap_or_default() {
        return None;
    }
    let line = match Handed::of(&here.folder, run, figures, here.now).receipt {
        Stood::Done(receipt) => {
            let rows = receipt.stated().tables.iter().map(|table| table.rows).sum();
            let by: Vec<String> = receipt.signers().iter().map(|one| one.told(Language::English)).collect();
            format!("{} received, as {} signed", plural(rows, "row", "rows"), by.join(" and "))
        }
        Stood::Not if !figures.whole => return Some(None),
        Stood::Not => "no receipt of the archive has come back yet:  ecluse next".to_owned(),
        Stood::Unsigned => "the receipt of the archive is not signed:  ecluse next".to_owned(),
        Stood::Refused(fault) => {
            format!("the receipt does not count: {}   {}", fault.detail(), "ecluse receipt verify")
        }
    };
    Some(Some(line))
}

/// What a fresh process found at the destination.
fn read_back(here: &Here, reconciled: &Reconciled, undone: bool) -> Result<()> {
    output::line(match reconciled {
        Reconciled::Never if undone => {
            "what stands above moved once; what stands at the destination now is told here".to_owned()
        }
        Reconciled::Never => "the destination has not been read back:  ecluse reconcile".to_owned(),
        Reconciled::Stale(at) => {
            format!(
                "the reconciliation of {} is older than the run:  ecluse reconcile",
                Language::English.hour_of(at)
            )
        }
        Reconciled::Done(found) if found.holds => {
            format!("read back on {}, no difference", Language::English.hour_of(&found.at))
        }
        Reconciled::Done(found) => {
            let accepted = match accepted::of(&here.folder, found, here.now)? {
                Acceptance::Whole(signature) => format!(": {}", signature.words(Language::English)),
                Acceptance::Proposed => ", proposed to the laboratory, not accepted".to_owned(),
                Acceptance::None => String::new(),
            };
            format!(
                "read back on {}, {}{accepted}",
                Language::English.hour_of(&found.at),
                plural(found.differences, "difference", "differences")
            )
        }
    });
    Ok(())
}

/// Of a recipient's folder, and of the laboratory's for a return: neither has a run of the order's. What is there of
/// papers and load, and whether a copy stands beyond its day.
fn received(here: &Here) -> Result<()> {
    let board = steps::look(here, Language::English)?;
    for step in &board.steps {
        output::line(format!("{} {}   {}", step.mark.sign(), step.name, step.words));
    }
    let outside = copies::outside(here)?;
    let steps: Vec<_> = board
        .steps
        .iter()
        .map(|step| json!({ "step": step.name, "state": step.mark.word(), "words": step.words }))
        .collect();
    output::document(&json!({ "steps": steps, "copies_outstanding": outside }));
    journal::watched::in_order(here)?;
    copies::on_time(here)
}

/// How far the run was undone.
fn undone(undo: &Undo) {
    match undo {
        Undo::Never => {}
        Undo::Begun => {
            output::line("an undo began and did not come to its end: the same command goes on:  ecluse undo");
        }
        Undo::Ended(undone) => command::told(undone),
    }
}

/// How many refused rows are named on the screen; `figures.json` names more.
const SHOWN: usize = 20;

/// Which rows were refused, by token: what each is, only `locate` says, on the laboratory's premises.
fn refused(figures: &Figures) {
    let named: Vec<_> =
        figures.tables.iter().flat_map(|t| t.tokens.iter().map(move |row| (t, row))).collect();
    for (table, row) in named.iter().take(SHOWN) {
        output::line(format!("  refused   {}   row {row}", table.source));
    }
    if named.len() > SHOWN {
        output::line(format!(
            "  … {} more in figures.json, under tokens",
            count(number(named.len() - SHOWN))
        ));
    }
    if let Some((_, row)) = named.first() {
        output::line("Each with its code:  ecluse rejected");
        output::line(format!("Show a row on the laboratory's premises:  ecluse locate {row}"));
    }
}
