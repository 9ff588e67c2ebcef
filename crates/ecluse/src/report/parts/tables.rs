//! Table by table: how little of it moved, drawn, in figures, and which rows were ordered.

use ecluse_core::instruction::{label, rows_told};

use super::minimised::bars;
use crate::report::counts::Counted;
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, Said, heads};

pub(crate) fn part(from: &Sources<'_>, tables: &[Counted]) -> Part {
    let lang = from.lang;
    let mut part = Part::new(lang.of("Table by table", "Table par table"))
        .with(Block::Bars(bars(tables, lang)))
        .with(Block::Table(grid(from, tables)));
    let hidden = |t: &Counted| {
        let rows = &t.rows;
        let all = [rows.available, rows.asked, rows.moved, rows.refused, rows.left_out, rows.excluded];
        all.iter().any(|f| f.is_hidden())
    };
    if tables.iter().any(hidden) {
        part = part.with(Block::Note(lang.of(
            "Counts below 5 in a table with sensitive results, or with persons who stay, print “<5”, and that table's other counts are rounded, so \
             that nobody can subtract.",
            "Un nombre inférieur à 5 dans une table de résultats sensibles, ou dont des personnes restent, s’écrit « < 5 », et les autres nombres de \
             cette table sont arrondis, pour que personne ne puisse soustraire.",
        ).to_owned()));
    }
    let filters = filters(from);
    if filters.is_empty() { part } else { part.with(Block::List(filters)) }
}

/// Available = not ordered + asked; asked = left out + of persons who stay + refused + moved.
fn grid(from: &Sources<'_>, tables: &[Counted]) -> Grid {
    let lang = from.lang;
    let left = from.figures.tables.iter().any(|t| t.left_out > 0);
    let mut names = vec![
        "Table",
        lang.of("#available", "#disponibles"),
        lang.of("#not ordered", "#non ordonnées"),
        lang.of("#asked", "#demandées"),
    ];
    if left {
        names.push(lang.of("#left out", "#laissées"));
    }
    let excluding = from.figures.excluded.is_some();
    if excluding {
        names.push(lang.of("#persons who stay", "#personnes qui restent"));
    }
    names.extend([
        lang.of("#refused", "#refusées"),
        lang.of("#moved", "#passées"),
        lang.of("#columns", "#colonnes"),
    ]);
    let row = |table: &Counted| {
        let figure = |figure| Cell::figure(figure, lang);
        let rows = &table.rows;
        let mut cells = vec![
            Cell { name: place(table), ..Cell::words(&table.label) },
            figure(rows.available),
            figure(rows.withheld),
            figure(rows.asked),
        ];
        if left {
            cells.push(figure(rows.left_out));
        }
        if excluding {
            cells.push(figure(rows.excluded));
        }
        let (moved, available) = (lang.count(table.columns.moved), lang.count(table.columns.available));
        let columns = lang.of(format!("{moved} of {available}"), format!("{moved} sur {available}"));
        cells.extend([figure(rows.refused), figure(rows.moved), Cell::words(columns)]);
        cells
    };
    Grid { heads: heads(&names), rows: tables.iter().map(row).collect() }
}

/// The technical names, said once each.
fn place(table: &Counted) -> String {
    if table.source != table.destination {
        format!("{} → {}", table.source, table.destination)
    } else if table.label != table.source {
        table.source.clone()
    } else {
        String::new()
    }
}

/// Which rows were ordered: told from the signed order, whatever lies in the run folder.
fn filters(from: &Sources<'_>) -> Vec<Said> {
    let lang = from.lang;
    let order = from.labels.order(from.chain.instruction.order());
    let dictionary = from.labels.dictionary(&from.chain.dictionary);
    let told = rows_told(&order, &dictionary, lang);
    let told = order.tables.iter().zip(told);
    let line = |table| format!("{}{}", label(table, &dictionary), lang.of(":", " :"));
    let told = told.filter_map(|(table, rows)| Some(Said::from(format!("{} {}.", line(table), rows?))));
    let list = order.excluded.as_ref().map(|list| {
        let digest: String = list.value.trim_start_matches("sha256:").chars().take(8).collect();
        Said::from(lang.of(
            format!("Persons of a sealed list ({digest}…) stay, and whatever hangs on them."),
            format!("Les personnes d’une liste scellée ({digest}…) restent, et tout ce qui s’y rattache."),
        ))
    });
    told.chain(list).collect()
}
