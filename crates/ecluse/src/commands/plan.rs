//! `ecluse plan`: what would move, what is refused, what stays.

use std::collections::BTreeMap;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_flow::figures::Figures;
use ecluse_flow::rehearse::{rehearse, room};
use ecluse_flow::rights;
use serde_json::json;

use super::Here;
use crate::cli::PlanArgs;
use crate::output::{self, count, plural};
use crate::papers::chain::Chain;
use crate::progress::Teller;
use crate::ready::{self, Ends, Parts, Ready};

pub(super) fn run(here: &Here, args: &PlanArgs) -> Result<()> {
    if args.ddl {
        return ddl(here, args);
    }
    let (ready, mut ends) = Ready::prepare(here, &args.papers, false)?;
    if args.statements {
        statements(&ready, &ends);
        return Ok(());
    }
    if args.stays {
        stays(&ready);
        return Ok(());
    }
    let sealed = RunFolder::sealed_state(&here.folder.path(args.papers.run.as_deref(), "run"))?;
    let mut teller = Teller::new();
    let engine = ready.destination.engine();
    let Ends { source, destination } = &mut ends;
    let (figures, room) = ready.with_orders(|orders| {
        // told after the figures: whoever empties a table wants to know what would fill it
        let room = room(&orders, sealed.as_deref(), destination.as_mut());
        let options = ready.options();
        rehearse(orders, options, source.as_mut(), engine, ready::world(), &mut |p| teller.tell(p))
            .map(|figures| (figures, room))
    })?;
    told(&ready, &figures, room.is_ok());
    room
}

fn told(ready: &Ready, figures: &Figures, room: bool) {
    let width = figures.tables.iter().map(|t| t.source.chars().count()).max().unwrap_or(0).max(8);
    output::line(format!(
        "{:width$} {:>13} {:>12} {:>12} {:>10}",
        "", "available", "asked", "moves", "refused"
    ));
    for t in &figures.tables {
        let available = t.available.map_or_else(|| "–".to_owned(), count);
        let why: Vec<_> = t.refused.iter().map(|(code, n)| format!("{} {code}", count(*n))).collect();
        let row = format!(
            "{:width$} {available:>13} {:>12} {:>12} {:>10}   {}",
            t.source,
            count(t.asked),
            count(t.moved),
            count(t.refused_rows()),
            why.join(", "),
        );
        output::line(row.trim_end());
    }
    output::line("-".repeat(width + 52));
    let tables = ready.compiled.plan.tables();
    let filled: usize = tables.iter().map(|t| t.write().len()).sum();
    let moved: usize = tables.iter().flat_map(|t| t.read()).filter(|c| c.moved).count();
    let stays = &ready.compiled.stays;
    let without = stays.iter().filter(|s| !s.fate).count();
    let fates = if without == 0 { "all with a fate".to_owned() } else { format!("{without} without a fate") };
    output::line(format!(
        "columns      {moved} move and fill {filled} at the destination; {} stay, {fates}   (ecluse plan --stays)",
        count(u64::try_from(stays.len()).unwrap_or(u64::MAX)),
    ));
    output::line(format!("barrier      {}", figures.barrier));
    for limit in &figures.limits {
        output::line(format!("             {limit}"));
    }
    for excess in rights::told(&figures.excess) {
        output::line(format!("role         {excess}"));
    }
    for note in &ready.compiled.notes {
        output::line(format!("note         {}: {}", note.code.title, note.message));
    }
    let refused = figures.refused_rows();
    let tolerated = ready.compiled.plan.tolerance();
    output::line("");
    if refused > tolerated {
        output::line(format!(
            "Not ready: {} would be refused, {} tolerated.",
            plural(refused, "row", "rows"),
            count(tolerated)
        ));
    } else if room {
        output::line("Ready:  ecluse migrate");
    } else {
        output::line("Not ready: the destination cannot take the rows.");
    }
    let stays = by_class(ready);
    output::document(
        &json!({ "figures": figures, "columns": moved, "filled": filled, "stays": stays, "ready": room && refused <= tolerated }),
    );
}

fn by_class(ready: &Ready) -> BTreeMap<&'static str, usize> {
    let mut classes = BTreeMap::new();
    for s in &ready.compiled.stays {
        *classes.entry(s.class.name()).or_insert(0) += 1;
    }
    classes
}

fn stays(ready: &Ready) {
    for s in &ready.compiled.stays {
        let fate = if s.fate { "" } else { "   no fate" };
        output::line(format!("{}.{}   {}{fate}", s.table, s.column, s.class.name()));
    }
    let list: Vec<_> = ready
        .compiled
        .stays
        .iter()
        .map(|s| json!({ "table": s.table, "column": s.column, "class": s.class.name(), "fate": s.fate }))
        .collect();
    output::document(&json!({ "stays": list }));
}

fn statements(ready: &Ready, ends: &Ends) {
    let plan = &ready.compiled.plan;
    let list: Vec<_> = plan.tables().iter().map(|t| (t.source(), ends.source.statement(t, plan))).collect();
    for (table, sql) in &list {
        output::line(format!("-- {table}\n{sql}\n"));
    }
    let list: Vec<_> = list.iter().map(|(table, sql)| json!({ "table": table, "sql": sql })).collect();
    output::document(&json!({ "statements": list }));
}

fn ddl(here: &Here, args: &PlanArgs) -> Result<()> {
    let chain = Chain::read(&here.folder, &args.papers, here.now)?;
    let statements = Parts::connect(here, &args.papers, chain)?.missing_tables()?;
    if statements.is_empty() {
        output::remark("The destination has every table.");
    }
    for statement in &statements {
        output::line(format!("{};\n", statement.trim_end().trim_end_matches(';')));
    }
    output::document(&json!({ "ddl": statements }));
    Ok(())
}
