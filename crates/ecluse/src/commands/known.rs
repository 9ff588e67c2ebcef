//! `ecluse known`: who of those who arrived may exist at the destination already, for the laboratory.
//!
//! Both records stand side by side; which of them are one person's, and what becomes of them then, is
//! decided and done by the laboratory, in its own system. Keys are shown on a terminal only, journaled before.

use ecluse_adapters::folder::events;
use ecluse_core::count::{count, plural};
use ecluse_core::fault::Result;
use ecluse_core::value::Key;
use ecluse_flow::event::Act;
use ecluse_flow::figures::{Figures, KnownFigures};
use ecluse_flow::known::{Listed, Named, listed, shown};
use ecluse_seal::AgreeBy;
use serde_json::{Value, json};

use super::Here;
use super::locate::words;
use super::revealed::Opened;
use crate::cli::KnownArgs;
use crate::{output, ready};

pub(super) fn run(here: &Here, args: &KnownArgs) -> Result<()> {
    let mut opened = Opened::of(here, &args.list)?;
    let list = listed(opened.chain.instruction.digest(), &opened.identity, &mut opened.record)?;
    if args.list.reveal {
        shown(&list, &opened.session.header().id, &mut opened.record, ready::world())?;
        opened.told();
    }
    lines(&opened.figures).into_iter().for_each(output::line);
    list.pairs.iter().for_each(|pair| line(&list, pair, args.list.reveal));
    output::document(&document(&list, opened.figures.known.as_ref()));
    Ok(())
}

fn line(list: &Listed, pair: &Named, reveal: bool) {
    output::line(format!("  {}   {}   {}", pair.row, pair.stood, agree(pair.by)));
    if reveal {
        let [arrived, stood] = pair.keys.expose();
        output::line(format!("      arrived   {}", key(&list.key, arrived)));
        output::line(format!("      stood     {}", key(&list.key, stood)));
    }
}

fn key(columns: &[String], key: &Key) -> String {
    if key.0.is_empty() {
        return "a row without a key that can be read".to_owned();
    }
    let one = |(column, value): (&String, &ecluse_core::value::Value)| format!("{column} = {}", words(value));
    columns.iter().zip(&key.0).map(one).collect::<Vec<_>>().join(", ")
}

const fn agree(by: AgreeBy) -> &'static str {
    match by {
        AgreeBy::Number => "by the national number, and not by name, birth and sex",
        AgreeBy::Traits => "by name, birth and sex, and not by the national number",
        AgreeBy::Both => "by the national number, and by name, birth and sex",
    }
}

/// What a run says of persons who exist already: how many, and never who. Nothing where the order asks
/// for no list, or no start of the run has come so far.
pub(crate) fn lines(figures: &Figures) -> Vec<String> {
    let Some(known) = &figures.known else { return Vec::new() };
    if known.persons == 0 && known.unlisted == 0 {
        let nobody = format!("nobody who arrived was found among the others in {}", known.table);
        return std::iter::once(nobody).chain(uncompared(known)).collect();
    }
    let mut lines = vec![format!(
        "{} who arrived may exist in {} already; nothing was merged:  ecluse known",
        plural(known.persons, "person", "persons"),
        known.table
    )];
    for (pairs, by) in [
        (known.by_number, AgreeBy::Number),
        (known.by_traits, AgreeBy::Traits),
        (known.by_both, AgreeBy::Both),
    ] {
        if pairs > 0 {
            lines.push(format!(
                "  {} {}",
                plural(pairs, "pair of records agrees", "pairs of records agree"),
                agree(by)
            ));
        }
    }
    if known.unlisted > 0 {
        lines.push(format!("  {} more are counted only: the list holds 100,000", count(known.unlisted)));
    }
    lines.extend(uncompared(known));
    lines
}

/// Whom nobody could look for, or find: they lack what is compared.
fn uncompared(known: &KnownFigures) -> impl Iterator<Item = String> {
    let lack = "neither a national number that holds, with its authority, nor all of name, first name, birth and sex";
    let told = [(known.uncompared, "arrived"), (known.uncompared_there, "stood there")];
    told.into_iter().filter(|(rows, _)| *rows > 0).map(move |(rows, where_)| {
        format!("  {} who {where_} could not be compared: {lack}", plural(rows, "person", "persons"))
    })
}

/// Whether the list of this run was shown with its keys since it was made; `None` where there is none, or
/// nobody is on it.
pub(crate) fn looked_at(path: &std::path::Path, figures: &Figures) -> Result<Option<bool>> {
    if figures.known.as_ref().is_none_or(|known| known.persons + known.unlisted == 0) {
        return Ok(None);
    }
    let journal = events(path)?;
    let last = |act: Act| journal.leaves.iter().rposition(|leaf| leaf.act == act && leaf.outcome == "done");
    Ok(last(Act::Known).map(|made| last(Act::KnownShown).is_some_and(|seen| seen > made)))
}

fn document(list: &Listed, figures: Option<&KnownFigures>) -> Value {
    let one = |pair: &Named| json!({ "row": pair.row, "stood": pair.stood, "by": pair.by.name() });
    json!({
        "table": list.table,
        "figures": figures,
        "pairs": list.pairs.iter().map(one).collect::<Vec<_>>(),
    })
}
