//! Texts that look as though they were UTF-8 kept as `latin1`, and moved as they read.

use crate::commands::encodings;
use crate::report::counts::Counted;
use crate::report::figure::alone;
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// `None` where every text reads as its column says.
pub(crate) fn part(from: &Sources<'_>, tables: &[Counted]) -> Option<Part> {
    let lang = from.lang;
    let rows: Vec<Vec<Cell>> = encodings::found(from.figures)
        .filter_map(|found| {
            let at = from.figures.tables.iter().position(|t| t.source == found.table.source)?;
            let table = tables.get(at)?;
            Some(vec![
                Cell::words(&table.label),
                Cell::words(found.column),
                Cell::figure(alone(found.beyond_ascii, table.sensitive), lang),
                Cell::figure(alone(found.utf8, table.sensitive), lang),
            ])
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let what = lang.of(
        "These values read as UTF-8 that was kept in a latin1 column (é as Ã©). They moved as they read: the mapping \
         does not say that their bytes are UTF-8.",
        "Ces valeurs se lisent comme de l’UTF-8 rangé dans une colonne latin1 (é y est Ã©). Elles sont passées comme \
         elles se lisent : la correspondance ne dit pas que leurs octets sont de l’UTF-8.",
    );
    let again = lang.of(
        "Where the mapping says that the bytes are UTF-8, those are counted that look so even after that reading: they \
         were encoded wrongly twice.",
        "Là où la correspondance dit que les octets sont de l’UTF-8, sont comptées celles qui se lisent ainsi même après \
         cette lecture : elles ont été mal encodées deux fois.",
    );
    let any = encodings::found(from.figures).any(|found| found.again);
    let names = [
        "Table",
        lang.of("Column", "Colonne"),
        lang.of("#beyond ASCII", "#hors ASCII"),
        lang.of("#look so", "#ainsi"),
    ];
    let part = Part::new(lang.of("Texts that may be misread", "Textes peut-être mal lus"));
    let part = part.with(Block::Text(what.to_owned()));
    let part = if any { part.with(Block::Text(again.to_owned())) } else { part };
    Some(part.with(Block::Table(Grid { heads: heads(&names), rows })))
}
