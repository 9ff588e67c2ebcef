//! How long it took, table by table.

use ecluse_core::language::Language;
use ecluse_flow::figures::TableFigures;
use jiff::Timestamp;

use crate::report::counts::Counted;
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// Of the last start of the run; `None` where it left no times.
pub(crate) fn part(from: &Sources<'_>, tables: &[Counted]) -> Option<Part> {
    let lang = from.lang;
    let began: Timestamp = from.figures.began.parse().ok()?;
    let ended: Timestamp = from.figures.ended.parse().ok()?;
    let whole = u64::try_from(ended.duration_since(began).as_millis()).ok()?;
    let words = lang.of(
        format!(
            "The last start of the run took {}, from the first paper to the last constraint; each table from its first row \
             read to its last chunk in place.",
            seconds(whole, lang)
        ),
        format!(
            "Le dernier passage a duré {}, du premier document à la dernière contrainte ; chaque table, de sa première \
             ligne lue à son dernier lot en place.",
            seconds(whole, lang)
        ),
    );
    let row = |(figures, table): (&TableFigures, &Counted)| {
        let took = seconds(figures.millis, lang);
        vec![Cell::words(&table.label), Cell::words(lang.count(figures.chunks)), Cell::words(took)]
    };
    let names = ["Table", lang.of("#chunks", "#lots"), lang.of("#time", "#durée")];
    let rows = from.figures.tables.iter().zip(tables).map(row).collect();
    let part = Part::new(lang.of("How long it took", "Durées")).with(Block::Text(words));
    Some(part.with(Block::Table(Grid { heads: heads(&names), rows })))
}

/// `0.4 s`, `3 min 20 s`; `0,4 s`.
fn seconds(millis: u64, lang: Language) -> String {
    match millis / 1_000 {
        0..60 => format!("{}{}{} s", millis / 1_000, lang.of(".", ","), millis % 1_000 / 100),
        whole @ 60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", lang.count(whole / 3_600), whole % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_its_two_greatest_units() {
        let written = |millis| seconds(millis, Language::French);
        assert_eq!(
            [49, 4_260, 59_999, 60_000, 3_599_999, 7_260_000].map(written),
            ["0,0 s", "4,2 s", "59,9 s", "1 min 0 s", "59 min 59 s", "2 h 1 min"]
        );
    }
}
