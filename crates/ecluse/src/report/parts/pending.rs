//! Rows that were not finished: how many of each table, and what became of them.

use ecluse_core::language::Language;
use ecluse_flow::figures::TableFigures;

use crate::report::discreet::hides;
use crate::report::facts::TableFacts;
use crate::report::figure::{Figure, together};
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// `None` where the order does not say which rows these are.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let pairs = from.figures.tables.iter().zip(&from.facts.tables);
    let told: Vec<(&TableFigures, &TableFacts)> =
        pairs.filter(|(table, _)| !table.pending.is_empty()).collect();
    let rule = told.first().map(|(table, _)| table.pending.as_str())?;
    let part = Part::new(lang.of("Not finished", "En cours"));
    if told.iter().all(|(table, _)| table.unfinished == Some(0)) {
        let none = lang.of("No row was unfinished.", "Aucune ligne n’était en cours.");
        return Some(part.with(Block::Text(none.to_owned())));
    }
    let line = |(table, facts): &(&TableFigures, &TableFacts)| {
        let name = Cell { name: table.source.clone(), ..Cell::words(&facts.label) };
        vec![name, Cell::figure(rows(table, hides(table, facts)), lang)]
    };
    let rows = told.iter().map(line).collect();
    let heads = heads(&["Table", lang.of("#rows not finished", "#lignes en cours")]);
    let part = part.with(Block::Text(fate(rule, lang).to_owned())).with(Block::Table(Grid { heads, rows }));
    if told.iter().all(|(table, _)| table.unfinished.is_some()) {
        return Some(part);
    }
    Some(part.with(Block::Note(
        lang.of(
            "–: not known. Of rows that stay, a view, a dump or a folder shows écluse none.",
            "– : inconnu. Des lignes qui restent, ni une vue, ni un export, ni un dossier ne montre rien à écluse.",
        )
        .to_owned(),
    )))
}

/// So that nobody subtracts it from the table's other counts, it is rounded with them.
fn rows(table: &TableFigures, hides: bool) -> Figure {
    let withheld = table.available.map(|available| available.saturating_sub(table.asked));
    let all = [table.unfinished, table.available, Some(table.asked), withheld, Some(table.moved)];
    let [rows, ..] = together(all, hides);
    rows
}

fn fate(rule: &str, lang: Language) -> &'static str {
    match rule {
        "stay" => lang.of(
            "They stayed in the old system, with whatever hangs on them, as the order says; what is finished there comes with a catch-up.",
            "Elles sont restées dans l’ancien système, avec ce qui s’y rattache, comme l’ordre le dit ; ce qui y est terminé passe avec un rattrapage.",
        ),
        "move" => lang.of(
            "They moved as they are, as the order says, and are finished in the new system.",
            "Elles sont passées telles quelles, comme l’ordre le dit, et sont terminées dans le nouveau système.",
        ),
        _ => lang.of(
            "They moved as they are; the cut-over waits until none is left, as the order says.",
            "Elles sont passées telles quelles ; la bascule attend qu’il n’en reste aucune, comme l’ordre le dit.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(unfinished: Option<u64>, asked: u64, sensitive: bool) -> String {
        let table =
            TableFigures { available: Some(600), asked, moved: asked, unfinished, ..TableFigures::default() };
        rows(&table, sensitive).told(Language::English)
    }

    #[test]
    fn few_that_are_not_finished_are_hidden_and_cannot_be_had_by_subtraction() {
        assert_eq!(told(Some(3), 500, true), "<5");
        // all but two of those that stay are not finished: the two would be told
        assert_eq!(told(Some(98), 500, true), "≈\u{a0}100");
        assert_eq!(told(Some(98), 500, false), "98");
        assert_eq!(told(None, 500, true), "–");
    }
}
