//! What a dry run found, on one screen and as JSON.

use std::collections::BTreeMap;

use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::returning;
use ecluse_core::mapping::Make;
use ecluse_core::plan::Way;
use ecluse_flow::figures::Figures;
use ecluse_flow::orphans::Orphan;
use ecluse_flow::rehearse::Rehearsed;
use ecluse_flow::rights;
use ecluse_flow::unmapped::Codes;
use serde_json::{Value, json};

use super::orphans;
use crate::commands::{encodings, explain, files, identifiers, migrate, stayed};
use crate::output;
use crate::ready::Ready;
use crate::report::figure;

static NOT_READY: Code = Code::refused("ECL-PLN-094", "the plan is not ready");

/// Codes of a column that the screen shows; the JSON has all.
const SHOWN: usize = 12;

/// Tells figures, refusals, orphans, unmapped codes and the destination's state, each problem with one
/// fix; `room` says whether the destination's tables can take the rows.
///
/// # Errors
///
/// [`NOT_READY`] with the reason: what was told is no plan to move by. `room`'s own where that is it.
pub(super) fn told(ready: &Ready, found: &Rehearsed, room: Result<()>) -> Result<()> {
    let Rehearsed { figures, unmapped, .. } = found;
    let lost = found.orphans.list(&ready.compiled.plan, ready.engine());
    table(figures);
    columns(ready);
    for line in dossiers(ready) {
        output::line(line);
    }
    if let Some(known) = ready.chain.instruction.order().destination().and_then(|to| to.known.as_ref()) {
        output::line(format!("known        who is there already is listed at the end: {}", known.told()));
    }
    let order = ready.chain.instruction.order();
    let back: Vec<&str> =
        returning(order, &ready.chain.dictionary).iter().map(|class| class.name()).collect();
    if !back.is_empty() && order.back.is_some() {
        output::line(format!("return       to the laboratory, by ecluse return: {}", back.join(", ")));
    }
    output::line(format!("barrier      {}", figures.barrier));
    for limit in &figures.limits {
        output::line(format!("             {limit}"));
    }
    for excess in rights::told(&figures.excess) {
        output::line(format!("role         {excess}"));
    }
    if !ready.missing.is_empty() {
        output::line(format!(
            "destination  {} to make: {}",
            plural(number(ready.missing.len()), "table", "tables"),
            ready.missing.join(", ")
        ));
        output::line("             → ecluse migrate --ddl makes them; ecluse plan --ddl prints how");
    }
    for note in &ready.compiled.notes {
        output::line(format!("note         {}: {}", note.code.title, note.message));
        output::line(format!("             → {}", fix(note)));
    }
    for (code, rows) in refusals(figures) {
        let (id, place) = code.split_once(' ').unwrap_or((code, ""));
        let title = explain::title(id).unwrap_or_default();
        output::line(format!("refused      {} {id} {title} ({place})", count(rows)));
        output::line(format!(
            "             → {}",
            explain::remedy(id).unwrap_or_else(|| format!("ecluse explain {id}"))
        ));
    }
    for line in orphans::lines(&lost, ready.engine()) {
        output::line(line);
    }
    for line in migrate::unfinished(figures) {
        output::line(format!("pending      {line}"));
    }
    for line in identifiers::lines(figures) {
        output::line(format!("identifier   {line}"));
    }
    for found in encodings::found(figures) {
        output::line(format!("encoding     {}", found.line("would move")));
        output::line(format!("             → {}", found.way(ready.compiled.plan.tables())));
    }
    for line in files::lines(figures, "would move") {
        output::line(format!("files        {line}"));
    }
    for codes in unmapped {
        unmapped_line(ready, codes);
    }
    let refused = figures.refused_rows();
    let tolerated = ready.compiled.plan.tolerance();
    output::line("");
    let misread = number(encodings::found(figures).count());
    if misread > 0 {
        let columns = plural(misread, "column", "columns");
        output::line(format!(
            "Look first at the texts of {columns} that may arrive misread (encoding, above)."
        ));
    }
    let reason = if refused > tolerated {
        Some(format!("{} would be refused, {} tolerated", plural(refused, "row", "rows"), count(tolerated)))
    } else {
        Some(orphans::refused(&lost)).filter(|rows| *rows > 0).map(orphans::words)
    };
    output::document(&document(ready, found, &lost, room.is_ok() && reason.is_none()));
    if let Some(reason) = reason {
        output::line(format!("Not ready: {reason}."));
        // what the destination lacks besides comes to light with the next plan
        return Err(NOT_READY.fault(reason).help("each of them stands above with what can be done"));
    }
    if let Err(fault) = &room {
        let colon = if fault.detail().is_empty() { "" } else { ": " };
        output::line(format!("Not ready: {}{colon}{}.", fault.code().title, fault.detail()));
        return room;
    }
    if ready.chain.instruction.order().witnessed {
        output::line(
            "The order is witnessed: the controller's signatory, with the journal before them, states it again once it is planned:  ecluse instruction status --key FILE",
        );
    }
    if ready.destination.is_none() {
        output::line("Ready:  ecluse extract -o ARCHIVE --key FILE");
        return Ok(());
    }
    let ddl = if ready.missing.is_empty() { "" } else { " --ddl" };
    output::line(format!("Ready:  ecluse migrate{ddl}"));
    Ok(())
}

fn table(figures: &Figures) {
    let width = figures.tables.iter().map(|t| t.source.chars().count()).max().unwrap_or(0).max(8);
    output::line(format!(
        "{:width$} {:>13} {:>12} {:>12} {:>10}",
        "", "available", "asked", "moves", "refused"
    ));
    for t in &figures.tables {
        let available = t.available.map_or_else(|| "–".to_owned(), count);
        output::line(format!(
            "{:width$} {available:>13} {:>12} {:>12} {:>10}",
            t.source,
            count(t.asked),
            count(t.moved),
            count(t.refused_rows()),
        ));
    }
    output::line("-".repeat(width + 52));
    stayed::lines(figures).into_iter().for_each(output::line);
}

/// Columns of the source that move, and columns of the destination that they fill.
fn moving(ready: &Ready) -> (usize, usize) {
    let tables = ready.compiled.plan.tables();
    let moved = tables.iter().flat_map(|t| t.read()).filter(|c| c.moved).count();
    (moved, tables.iter().map(|t| t.write().len()).sum())
}

fn columns(ready: &Ready) {
    let (moved, filled) = moving(ready);
    let stays = &ready.compiled.stays;
    let without = stays.iter().filter(|s| s.fate.is_none()).count();
    let fates = if without == 0 {
        "all with a fate".to_owned()
    } else {
        format!("{} without a fate", count(number(without)))
    };
    output::line(format!(
        "columns      {moved} move and fill {filled} at the destination; {} stay, {fates}   (ecluse plan --stays)",
        count(number(stays.len())),
    ));
}

/// What belongs to one dossier, by table: whoever named its table sees whether the relations say the rest.
fn dossiers(ready: &Ready) -> Vec<String> {
    let plan = &ready.compiled.plan;
    let Some(dossiers) = plan.dossiers() else { return Vec::new() };
    let of = |way: Way| {
        let tables = plan.tables().iter().filter(|t| dossiers.way(t.number()) == way);
        tables.map(|t| t.source()).collect::<Vec<_>>().join(", ")
    };
    let named = [
        ("with", of(Way::Descendant)),
        ("of", of(Way::Ancestor)),
        ("beside", of(Way::Beside)),
        ("apart from", of(Way::Reference)),
    ];
    let mut lines = vec![format!("dossier      one row of {}", of(Way::Dossier))];
    lines.extend(
        named
            .iter()
            .filter(|(_, tables)| !tables.is_empty())
            .map(|(word, tables)| format!("             {word} {tables}")),
    );
    let kinds: Vec<&str> = dossiers.kinds().iter().map(|kind| kind.name.as_str()).collect();
    if !kinds.is_empty() {
        lines.push(format!("             kinds: {}", kinds.join(", ")));
    }
    lines
}

fn refusals(figures: &Figures) -> impl Iterator<Item = (&str, u64)> {
    figures.tables.iter().flat_map(|t| &t.refused).map(|(code, rows)| (code.as_str(), *rows))
}

fn fix(finding: &Finding) -> String {
    finding.help.clone().unwrap_or_else(|| format!("ecluse explain {}", finding.code.id))
}

fn unmapped_line(ready: &Ready, codes: &Codes) {
    let mut most: Vec<(&String, &u64)> = codes.codes.iter().collect();
    most.sort_by_key(|(code, rows)| (std::cmp::Reverse(**rows), (*code).clone()));
    let mut list: Vec<String> = most
        .iter()
        .take(SHOWN)
        .map(|(code, rows)| format!("{code} ({})", figure::alone(**rows, true)))
        .collect();
    if most.len() > SHOWN {
        list.push(format!("{} more codes", most.len() - SHOWN));
    }
    if codes.untold > 0 {
        let rows = figure::alone(codes.untold, true);
        list.push(if codes.codes.is_empty() {
            format!("{rows} rows; the codes of a person's column are not told")
        } else {
            format!("{rows} rows with longer texts")
        });
    }
    output::line(format!("unmapped     {}.{}: {}", codes.table, codes.column, list.join(", ")));
    output::line(format!(
        "             → add a line for each to {}, and cite its digest anew in mapping.toml",
        code_table(ready, codes)
    ));
}

/// The file of the code table that the column goes through.
fn code_table(ready: &Ready, codes: &Codes) -> String {
    let mapping = &ready.chain.mapping;
    let named =
        mapping.table(&codes.table).into_iter().flat_map(|map| &map.columns).find_map(|c| match &c.make {
            Make::Code { column, table } if column.value == codes.column => Some(&table.value),
            _ => None,
        });
    let cited = named.and_then(|name| mapping.codes.iter().find(|cited| cited.name.value == *name));
    cited.map_or_else(
        || "the code table, or the lists of `boolean`, in mapping.toml".to_owned(),
        |cited| cited.file.value.clone(),
    )
}

fn document(ready: &Ready, found: &Rehearsed, lost: &[Orphan], is_ready: bool) -> Value {
    let (moved, filled) = moving(ready);
    let mut classes = BTreeMap::new();
    for s in &ready.compiled.stays {
        *classes.entry(s.class.name()).or_insert(0) += 1;
    }
    let unmapped: Vec<Value> = found
        .unmapped
        .iter()
        .map(|c| {
            let codes: BTreeMap<_, _> =
                c.codes.iter().map(|(code, rows)| (code, figure::alone(*rows, true).to_string())).collect();
            json!({
                "table": c.table, "column": c.column, "codes": codes,
                "untold": figure::alone(c.untold, true).to_string(),
            })
        })
        .collect();
    let notes: Vec<Value> = ready
        .compiled
        .notes
        .iter()
        .map(|n| json!({ "code": n.code.id, "message": format!("{}: {}", n.code.title, n.message), "fix": fix(n) }))
        .collect();
    json!({
        "figures": rights::brief(&found.figures), "excess": found.figures.excess.len(), "columns": moved, "filled": filled, "stays": classes, "missing": ready.missing,
        "unmapped": unmapped, "orphans": orphans::document(lost), "notes": notes, "ready": is_ready,
    })
}
