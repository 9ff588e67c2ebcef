//! National identifiers that do not hold: their patients moved, and what became of the number.

use crate::report::counts::Counted;
use crate::report::fill::Sources;
use crate::report::page::{Block, Grid, Part, heads};

use super::refused::by_code;

/// `None` where every identifier that moved holds, or none was ordered.
pub(crate) fn part(from: &Sources<'_>, tables: &[Counted]) -> Option<Part> {
    let lang = from.lang;
    let mut part =
        Part::new(lang.of("National identifiers that do not hold", "Identifiants nationaux non valables"));
    for (figures, table) in from.figures.tables.iter().zip(tables) {
        let rows = by_code(from, &figures.identifiers, table);
        if rows.is_empty() {
            continue;
        }
        let fate = match figures.invalid_identifiers.as_str() {
            "local" => lang.of(
                "The patients moved; the number moved as a local identifier, its status provisional, as the order says.",
                "Les patients sont passés ; le numéro est passé comme identifiant local, au statut provisoire, comme l’ordre le dit.",
            ),
            _ => lang.of(
                "The patients moved; the number stayed behind, as the order says.",
                "Les patients sont passés ; le numéro est resté, comme l’ordre le dit.",
            ),
        };
        let names = [lang.of("Why", "Pourquoi"), "Table", lang.of("#rows", "#lignes"), "Code"];
        part =
            part.with(Block::Text(fate.to_owned())).with(Block::Table(Grid { heads: heads(&names), rows }));
    }
    (!part.blocks.is_empty()).then_some(part)
}
