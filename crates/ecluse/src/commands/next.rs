//! `ecluse next`: what is missing, who has to do it, the exact command. One screen.

use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use serde_json::json;

use super::{Here, copies};
use crate::journal::watched;
use crate::output;
use crate::steps::{self, Mark};

pub(super) fn run(here: &Here) -> Result<()> {
    let board = steps::look(here, Language::English)?;
    output::line(&board.title);
    output::line("");
    let width = board.steps.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
    for step in &board.steps {
        let pad = " ".repeat(width - step.name.chars().count());
        let wait = step.waits.map_or(String::new(), |who| format!("   waiting for {who}"));
        let line = format!("  {} {}{pad}   {}{wait}", step.mark.sign(), step.name, step.words);
        output::line(line.trim_end());
    }
    output::line("");
    match board.steps.iter().find(|s| s.mark == Mark::Missing) {
        Some(step) => step.advice.iter().for_each(output::line),
        None => output::line("Nothing is missing."),
    }
    let outside = copies::outside(here)?;
    let steps: Vec<_> = board
        .steps
        .iter()
        .map(|s| {
            json!({ "step": s.name, "state": s.mark.word(), "words": s.words, "waits_for": s.waits, "advice": s.advice, "code": s.code })
        })
        .collect();
    output::document(
        &json!({ "migration": board.title, "trial": board.trial, "steps": steps, "copies_outstanding": outside }),
    );
    watched::in_order(here)?;
    copies::on_time(here)
}
