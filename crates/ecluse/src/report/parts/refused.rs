//! Rows that were refused, by code.

use std::collections::BTreeMap;

use ecluse_flow::figures::TableFigures;

use crate::commands::explain;
use crate::pages::words;
use crate::report::counts::Counted;
use crate::report::figure::{Figure, blurred, is_small};
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Kind, Part, heads};

pub(crate) fn part(from: &Sources<'_>, tables: &[Counted]) -> Part {
    let lang = from.lang;
    let part = Part::new(lang.of("Refused rows", "Lignes refusées"));
    let pairs = from.figures.tables.iter().zip(tables);
    let rows: Vec<Vec<Cell>> = pairs.flat_map(|(figures, table)| of_table(from, figures, table)).collect();
    if rows.is_empty() {
        let none = if from.chain.instruction.header().trial {
            lang.of(
                "None; of each table at most 1,000 rows were moved, and the rest was left out.",
                "Aucune ; au plus 1 000 lignes par table sont passées, et le reste a été laissé de côté.",
            )
        } else {
            lang.of("None.", "Aucune.")
        };
        return part.with(Block::Text(none.to_owned()));
    }
    let names = [lang.of("Why", "Pourquoi"), "Table", lang.of("#rows", "#lignes"), "Code"];
    part.with(Block::Table(Grid { heads: heads(&names), rows }))
}

fn of_table(from: &Sources<'_>, figures: &TableFigures, table: &Counted) -> Vec<Vec<Cell>> {
    by_code(from, &figures.refused, table)
}

/// A table's lines, one per code; where it hides a small one, the others would tell it.
pub(super) fn by_code(from: &Sources<'_>, codes: &BTreeMap<String, u64>, table: &Counted) -> Vec<Vec<Cell>> {
    let blur = table.sensitive && codes.values().copied().any(is_small);
    let figure = |rows| if blur { blurred(rows) } else { Figure::Exact(rows) };
    codes.iter().map(|(code, rows)| counted(from, code, figure(*rows), table)).collect()
}

/// One code's line: `ECL-BAT-102 results.unit`, in words, with its rows.
fn counted(from: &Sources<'_>, code: &str, rows: Figure, table: &Counted) -> Vec<Cell> {
    let (id, place) = code.split_once(' ').unwrap_or((code, ""));
    let mut why = words::code(id, explain::title(id).unwrap_or(id), from.lang);
    if !place.is_empty() {
        why.words = format!("{} ({place})", why.words);
    }
    vec![Cell::said(why), Cell::words(&table.label), Cell::figure(rows, from.lang), Cell::of(Kind::Code, id)]
}
