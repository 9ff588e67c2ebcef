//! Catch-ups on the page: what each added, changed and deleted, apart from what the run moved.

use ecluse_core::count::plural;
use ecluse_flow::figures::Figures;
use ecluse_seal::{CatchUp, Caught};

use super::facts::{Facts, TableFacts};
use super::figure::{Figure, together};
use super::fill::hour;
use crate::commands::migrate::stood;

/// One catch-up.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// When and how, in a sentence.
    pub(crate) words: String,
    /// The tables in which something differed.
    pub(crate) tables: Vec<Line>,
}

/// One table of it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) added: Figure,
    pub(crate) changed: Figure,
    pub(crate) deleted: Figure,
}

/// All of them, in their order.
pub(crate) fn sections(figures: &Figures, facts: &Facts) -> Vec<Section> {
    figures.catch_ups.iter().map(|one| section(one, facts)).collect()
}

fn section(one: &CatchUp, facts: &Facts) -> Section {
    let pairs = one.tables.iter().zip(&facts.tables);
    let tables: Vec<Line> = pairs.filter(|(caught, _)| caught.replaced > 0).map(line).collect();
    let (chunks, replaced) = one.tables.iter().fold((0, 0), |(c, r), t| (c + t.chunks, r + t.replaced));
    let how = if one.repair { ", repairing what was changed at the destination" } else { "" };
    let end = match one.ended.is_empty() {
        true => "not through".to_owned(),
        false => format!("through on {}", hour(&one.ended)),
    };
    let frozen = match one.frozen.as_str() {
        "" => String::new(),
        at => format!(" The source was frozen since {}: {}.", hour(at), stood(one)),
    };
    let found = if tables.is_empty() { "; nothing differed" } else { "" };
    let words = format!(
        "Catch-up {}, begun on {}{how}, {end}: {} compared, {replaced} replaced{found}.{frozen}",
        one.number,
        hour(&one.began),
        plural(chunks, "chunk", "chunks"),
    );
    Section { words, tables }
}

fn line((caught, facts): (&Caught, &TableFacts)) -> Line {
    let counts = [caught.added, caught.changed, caught.deleted].map(Some);
    let [added, changed, deleted] = together(counts, facts.sensitive);
    Line { label: facts.label.clone(), added, changed, deleted }
}
