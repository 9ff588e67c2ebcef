//! `ecluse plan --stays`: every column of which something stays, with its class and its fate.
//!
//! The order need not be signed, nor hold: whoever still has to name a fate looks here.

use ecluse_core::fault::Result;
use ecluse_core::{dictionary, instruction};
use serde_json::json;

use crate::cli::PlanArgs;
use crate::commands::Here;
use crate::commands::instruction::with_digests;
use crate::output;
use crate::papers::{Paper, refusal};

pub(super) fn run(here: &Here, args: &PlanArgs) -> Result<()> {
    let path = here.folder.path(args.papers.instruction.as_deref(), instruction::FILE);
    let paper = Paper::read(&path, "ecluse instruction new")?;
    let text = with_digests(paper.text());
    let order = instruction::parse(&text).map_err(|findings| refusal(&paper.path, &text, &findings))?;
    let surveyed = Paper::read(&here.folder.path(None, "dictionary.toml"), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let stays = instruction::staying(&order, &dictionary);
    for s in &stays {
        let rows = if s.whole { "" } else { ", in rows that are not chosen" };
        let fate = s.fate.map_or_else(|| "no fate".to_owned(), instruction::Fate::words);
        output::line(format!("{}.{}   {}{rows}   {fate}", s.table, s.column, s.class.name()));
    }
    let list: Vec<_> = stays
        .iter()
        .map(|s| {
            json!({
                "table": s.table, "column": s.column, "class": s.class.name(), "whole": s.whole,
                "fate": s.fate.map(instruction::Fate::name), "day": s.fate.and_then(instruction::Fate::day).map(|d| d.to_string()),
            })
        })
        .collect();
    output::document(&json!({ "stays": list }));
    Ok(())
}
