//! Catch-ups: what each added, changed and deleted, apart from what the run moved.

use ecluse_core::language::Language;
use ecluse_seal::{CatchUp, Caught};

use crate::commands::migrate::stood;
use crate::report::facts::TableFacts;
use crate::report::figure::together;
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// All of them, in their order; `None` where the run was never caught up.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let mut part = Part::new(lang.of("Catching up", "Rattrapage"));
    for one in &from.figures.catch_ups {
        let discreet = from.discreet();
        let pairs = one.tables.iter().zip(&from.facts.tables).filter(|(caught, _)| caught.replaced > 0);
        let rows: Vec<Vec<Cell>> =
            pairs.map(|(caught, facts)| line(caught, facts, discreet.hides(&caught.table), lang)).collect();
        part = part.with(Block::Text(words(one, rows.is_empty(), lang)));
        if !rows.is_empty() {
            let names = [
                "Table",
                lang.of("#added", "#ajoutées"),
                lang.of("#changed", "#modifiées"),
                lang.of("#deleted", "#supprimées"),
            ];
            part = part.with(Block::Table(Grid { heads: heads(&names), rows }));
        }
    }
    (!part.blocks.is_empty()).then_some(part)
}

fn words(one: &CatchUp, nothing: bool, lang: Language) -> String {
    let (chunks, replaced) = one.tables.iter().fold((0, 0), |(c, r), t| (c + t.chunks, r + t.replaced));
    let how = match one.repair {
        true => lang.of(
            ", repairing what was changed at the destination",
            ", en réparant ce qui avait été modifié à la destination",
        ),
        false => "",
    };
    let end = match one.ended.as_str() {
        "" => lang.of("not through", "non terminé").to_owned(),
        at => lang.of(format!("through on {}", lang.hour_of(at)), format!("terminé le {}", lang.hour_of(at))),
    };
    let frozen = match one.frozen.as_str() {
        "" => String::new(),
        at => {
            let (hour, stood) = (lang.hour_of(at), stood(one, lang));
            lang.of(
                format!(" The source was frozen since {hour}: {stood}."),
                format!(" La source était figée depuis le {hour} : {stood}."),
            )
        }
    };
    let found = if nothing { lang.of("; nothing differed", " ; rien ne différait") } else { "" };
    let (number, began) = (one.number, lang.hour_of(&one.began));
    let compared = lang.plural(
        chunks,
        lang.of("chunk compared", "lot comparé"),
        lang.of("chunks compared", "lots comparés"),
    );
    let replaced = lang.plural(replaced, lang.of("replaced", "remplacé"), lang.of("replaced", "remplacés"));
    lang.of(
        format!("Catch-up {number}, begun on {began}{how}, {end}: {compared}, {replaced}{found}.{frozen}"),
        format!(
            "Rattrapage {number}, commencé le {began}{how}, {end} : {compared}, {replaced}{found}.{frozen}"
        ),
    )
}

fn line(caught: &Caught, facts: &TableFacts, hides: bool, lang: Language) -> Vec<Cell> {
    let counts = [caught.added, caught.changed, caught.deleted].map(Some);
    let figures = together(counts, hides);
    let cells = figures.map(|figure| Cell::figure(figure, lang));
    std::iter::once(Cell::words(&facts.label)).chain(cells).collect()
}
