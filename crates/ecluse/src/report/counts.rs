//! One table's counts as the page may print them, made once for all its parts.

use ecluse_core::count::number;
use ecluse_flow::figures::TableFigures;

use super::discreet::hides;
use super::facts::TableFacts;
use super::figure::{Figure, together};
use super::fill::Sources;

/// One table of the run.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// What the laboratory calls it; else its name.
    pub(crate) label: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    /// Whether its small counts are hidden.
    pub(crate) sensitive: bool,
    pub(crate) rows: Rows,
    pub(crate) columns: Columns,
}

/// Rows. `available = withheld + left_out + excluded + refused + moved`, where what is available is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) available: Figure,
    /// Chosen by the order's filter.
    pub(crate) asked: Figure,
    /// Left where they are by the order's filter.
    pub(crate) withheld: Figure,
    /// Left out because a trial moves few.
    pub(crate) left_out: Figure,
    /// Of persons of the sealed list, and what hangs on them.
    pub(crate) excluded: Figure,
    pub(crate) refused: Figure,
    pub(crate) moved: Figure,
    /// Withheld, left out and excluded together.
    pub(crate) stays: Figure,
}

/// Columns: names, never values, hence always exact. `available = moved + stay`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Columns {
    /// In the surveyed table.
    pub(crate) available: u64,
    pub(crate) moved: u64,
    /// Of those that stay: read to choose rows, and let go.
    pub(crate) looked_at: u64,
}

impl Columns {
    /// Those that do not move.
    pub(crate) const fn stay(&self) -> u64 {
        self.available.saturating_sub(self.moved)
    }
}

/// Every table, in the plan's order.
pub(crate) fn counted(from: &Sources<'_>) -> Vec<Counted> {
    let pairs = from.figures.tables.iter().zip(&from.facts.tables);
    pairs.map(|(figures, facts)| one(from, figures, facts)).collect()
}

fn one(from: &Sources<'_>, f: &TableFigures, t: &TableFacts) -> Counted {
    let surveyed = from.chain.dictionary.table(&f.source).map_or(t.granted, |table| table.columns.len());
    Counted {
        label: t.label.clone(),
        source: f.source.clone(),
        destination: f.destination.clone(),
        sensitive: hides(f, t),
        rows: rows(f, hides(f, t)),
        columns: Columns {
            available: number(surveyed.max(t.granted)),
            moved: number(t.granted),
            looked_at: number(t.looked_at),
        },
    }
}

/// The rows of a table; where one count must be hidden, those it could be had from are rounded.
pub(crate) fn rows(f: &TableFigures, sensitive: bool) -> Rows {
    let withheld = f.available.map(|available| available.saturating_sub(f.asked));
    let kept = f.left_out + f.excluded;
    let stays = withheld.map(|withheld| withheld + kept);
    let [available, asked, withheld, left_out, excluded, refused, moved, stays] = together(
        [
            f.available,
            Some(f.asked),
            withheld,
            Some(f.left_out),
            Some(f.excluded),
            Some(f.refused_rows()),
            Some(f.moved),
            stays.or(Some(kept)),
        ],
        sensitive,
    );
    Rows { available, asked, withheld, left_out, excluded, refused, moved, stays }
}
