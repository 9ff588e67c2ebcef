//! One dossier as lines: each value old beside new, what differs marked by a sign and not by colour.

use ecluse_core::count::number;
use ecluse_flow::compare::{Cell, Dossier, Pair, Sheet, State};

use super::terminal::Line;
use super::words::Words;
use super::{harmless, width, wrapped};

/// What the laboratory calls a dossier's tables and columns; by the tables' numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) tables: Vec<TableNames>,
}

/// One table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableNames {
    /// Its label, then both names.
    pub(crate) title: String,
    /// One per written column.
    pub(crate) columns: Vec<ColumnNames>,
}

/// One written column.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnNames {
    /// The label, or the name.
    pub(crate) label: String,
    /// The code table that it goes through; empty where it goes through none.
    pub(crate) codes: String,
}

/// What is NULL.
const NULL: &str = "∅";
/// What stands between the columns.
const BAR: &str = " │ ";

/// The dossier's lines for a screen of so many columns.
pub(crate) fn lines(dossier: &Dossier, names: &Names, words: Words, columns: usize) -> Vec<Line> {
    let shape = Shape::of(columns);
    let [old, new] = words.sides();
    let mut lines = vec![Line::plain(shape.joined(" ", "", old, new))];
    for sheet in &dossier.sheets {
        let named = names.tables.get(sheet.table).cloned().unwrap_or_default();
        lines.push(Line::default());
        let title = wrapped(&harmless(&named.title), columns);
        lines.extend(title.into_iter().map(Line::strong));
        rows(sheet, &named, words, &shape, &mut lines);
    }
    lines
}

/// How many places are marked.
pub(crate) fn marked(dossier: &Dossier) -> u64 {
    let of = |row: &Pair| match row.state {
        State::Missing | State::Surplus => 1,
        State::Refused => 0,
        State::Both => number(row.cells.iter().filter(|cell| cell.differs).count()),
    };
    dossier.sheets.iter().flat_map(|sheet| &sheet.rows).map(of).sum()
}

fn rows(sheet: &Sheet, names: &TableNames, words: Words, shape: &Shape, lines: &mut Vec<Line>) {
    let of = sheet.rows.len();
    for (place, row) in sheet.rows.iter().enumerate() {
        let state = words.state(row.state);
        if of > 1 || !state.is_empty() {
            let rule = format!("{} ── {} / {of}  {state}", Words::sign(row.state), place + 1);
            let text = wrapped(&rule, shape.columns);
            lines.extend(text.into_iter().map(|text| Line { text, strong: !state.is_empty() }));
        }
        for (index, cell) in row.cells.iter().enumerate() {
            let column = names.columns.get(index).cloned().unwrap_or_default();
            value(row, cell, &column, words, shape, lines);
        }
    }
}

fn value(row: &Pair, cell: &Cell, names: &ColumnNames, words: Words, shape: &Shape, lines: &mut Vec<Line>) {
    let label = match names.codes.as_str() {
        "" => harmless(&names.label),
        codes => format!("{} ({})", harmless(&names.label), words.code_table(&harmless(codes))),
    };
    let text = |shown: &ecluse_flow::compare::Shown| match shown.expose() {
        None => NULL.to_owned(),
        Some(text) if text.is_empty() => "\"\"".to_owned(),
        Some(text) => harmless(text),
    };
    let old = match (row.state, cell.old.as_slice()) {
        (State::Surplus, _) => String::new(),
        (_, []) => words.constant().to_owned(),
        (_, values) => values.iter().map(text).collect::<Vec<_>>().join(" ; "),
    };
    let new = cell.new.as_ref().map(text).unwrap_or_default();
    let sign = if cell.differs { "≠" } else { Words::sign(row.state) };
    let strong = cell.differs || matches!(row.state, State::Missing | State::Surplus);
    let (label, old, new) =
        (wrapped(&label, shape.label), wrapped(&old, shape.value), wrapped(&new, shape.value));
    for place in 0..label.len().max(old.len()).max(new.len()) {
        let part = |lines: &[String]| lines.get(place).cloned().unwrap_or_default();
        let text = shape.joined(sign, &part(&label), &part(&old), &part(&new));
        lines.push(Line { text, strong });
    }
}

/// How a screen's columns are shared out.
struct Shape {
    columns: usize,
    label: usize,
    value: usize,
}

impl Shape {
    fn of(columns: usize) -> Self {
        let label = (columns / 4).clamp(8, 28);
        let value = columns.saturating_sub(label + 2 + 2 * width(BAR)) / 2;
        Self { columns, label, value: value.max(4) }
    }

    fn joined(&self, sign: &str, label: &str, old: &str, new: &str) -> String {
        let padded =
            |text: &str, most: usize| format!("{text}{}", " ".repeat(most.saturating_sub(width(text))));
        format!("{sign} {}{BAR}{}{BAR}{new}", padded(label, self.label), padded(old, self.value))
    }
}
