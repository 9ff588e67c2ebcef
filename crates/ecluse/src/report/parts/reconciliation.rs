//! What a fresh process found when it read the destination back.

use crate::commands::reconcile::{Recorded, RecordedDifference};
use crate::pages::words;
use crate::papers::compared::Looked;
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Kind, Part, heads};

/// How many differences the page lists; the run folder has all.
const LISTED: usize = 50;

pub(crate) fn part(from: &Sources<'_>) -> Part {
    let lang = from.lang;
    let part = Part::new(lang.of("Reconciliation", "Contrôle de concordance"));
    let Some(found) = from.reconciliation.found() else {
        let never = lang.of(
            "The destination has not been read back since the run last changed it.",
            "La destination n’a pas été relue depuis que la migration l’a modifiée.",
        );
        return part.with(Block::Text(never.to_owned()));
    };
    let part = part.with(Block::Text(told(from, found)));
    let part = match &from.compared {
        Some(looked) => part.with(Block::Text(compared(from, looked))),
        None => part,
    };
    if found.list.is_empty() {
        return part;
    }
    let names = [
        lang.of("Difference", "Différence"),
        "Table",
        lang.of("Column", "Colonne"),
        lang.of("#chunk", "#lot"),
        lang.of("Row", "Ligne"),
    ];
    let rows = found.list.iter().take(LISTED).map(|one| row(one, from)).collect();
    part.with(Block::Table(Grid { heads: heads(&names), rows })).with(Block::Note(
        lang.of(
            "A row is named by a keyed token. On the laboratory's premises ecluse locate TOKEN finds it again.",
            "Une ligne est nommée par un jeton à clé. Dans les locaux du laboratoire, ecluse locate JETON la retrouve.",
        )
        .to_owned(),
    ))
}

/// What a person saw: what no machine compares, a mapping that means something else.
fn compared(from: &Sources<'_>, looked: &Looked) -> String {
    let lang = from.lang;
    let words = looked.words(lang, from.discreet().hides(&looked.comparison.table));
    lang.of(
        format!("Old beside new, on the laboratory's screen: {words}."),
        format!("Ancien et nouveau côte à côte, sur l’écran du laboratoire : {words}."),
    )
}

fn row(one: &RecordedDifference, from: &Sources<'_>) -> Vec<Cell> {
    let lang = from.lang;
    let rows = || lang.plural(one.rows, lang.of("row", "ligne"), lang.of("rows", "lignes"));
    vec![
        Cell::said(words::code(&one.code, &one.words, lang)),
        Cell::words(&one.table),
        Cell::words(one.column.clone().unwrap_or_default()),
        Cell::words(one.chunk.to_string()),
        Cell::of(Kind::Code, one.row.clone().unwrap_or_else(rows)),
    ]
}

fn told(from: &Sources<'_>, r: &Recorded) -> String {
    let lang = from.lang;
    let discreet = from.discreet();
    let rows = discreet.total(r.rows).of(lang, lang.of("row", "ligne"), lang.of("rows", "lignes"));
    let since = match r.since {
        0 => String::new(),
        n => {
            let [changed] = discreet.changes([n]);
            let changed = changed.of(
                lang,
                lang.of("row changed", "ligne a changé"),
                lang.of("rows changed", "lignes ont changé"),
            );
            lang.of(
                format!(" {changed} at the source since the run; that is no damage."),
                format!(" {changed} à la source depuis la migration ; ce n’est pas un dommage."),
            )
        }
    };
    let related = from.facts.tables.iter().any(|t| t.relations > 0);
    let found = match (r.holds, related) {
        (true, true) => lang
            .of(
                "each is there once, unchanged, and hangs on the row it belongs to.",
                "chacune s’y trouve une fois, inchangée, et se rattache à la ligne à laquelle elle appartient.",
            )
            .to_owned(),
        (true, false) => lang
            .of(
                "each is there once, unchanged. Neither the order nor the dictionary names a relation between these \
                 tables: whether a row hangs on the right one is known from its own columns only.",
                "chacune s’y trouve une fois, inchangée. Ni l’ordre ni le dictionnaire ne nomment de relation entre ces \
                 tables : qu’une ligne se rattache à la bonne ne se sait que par ses propres colonnes.",
            )
            .to_owned(),
        (false, _) => {
            let accepted = from.accepted.as_ref().map_or(String::new(), |words| format!(" {words}."));
            let differ = lang.plural(r.differences, lang.of("differs", "diffère"), lang.of("differ", "diffèrent"));
            format!("{differ}.{accepted}")
        }
    };
    lang.of(
        format!(
            "A fresh process read {rows} back and compared them with the tallies of what left the source: {found}{since} \
             This finds accidents and outsiders, not whoever holds the run's tally key."
        ),
        format!(
            "Un nouveau processus a relu {rows} et les a comparées aux sommes de contrôle de ce qui est parti de la \
             source : {found}{since} Cela décèle les accidents et les tiers, non celui qui détient la clé de contrôle."
        ),
    )
}
