//! One rule for small counts on everything that others than the operator read: the report, the board of a
//! campaign, the sheet of a migration.
//!
//! A table hides its small counts where a column that moves holds sensitive results, or persons of a sealed
//! list stay: few of either point at somebody. What is counted over all tables is rounded as soon as one of
//! them hides a count, or that one could be had by subtraction. The operator's terminal says what a run
//! counted, exactly, and so do the files of its folder.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_flow::figures::{Figures, TableFigures};

use super::counts::rows;
use super::facts::{self, Facts, TableFacts};
use super::figure::{Figure, blurred, is_small};
use crate::folder;

/// Which tables of a run hide their small counts, and whether one has any.
#[derive(Clone, Debug)]
pub(crate) struct Discreet {
    tables: BTreeMap<String, bool>,
    hidden: bool,
}

impl Discreet {
    /// Of a run's figures and facts, table by table.
    pub(crate) fn of(figures: &Figures, facts: &Facts) -> Self {
        let pairs = || figures.tables.iter().zip(&facts.tables);
        let tables = pairs().map(|(table, facts)| (table.source.clone(), hides(table, facts))).collect();
        // whoever lacks a table's facts hides it
        let hidden = figures.tables.len() > facts.tables.len()
            || pairs().any(|(table, facts)| hides(table, facts) && has_hidden(table));
        Self { tables, hidden }
    }

    /// Of a run's folder; every table hides where it does not say what the run knew.
    pub(crate) fn read(run: &Path, figures: &Figures) -> Self {
        let facts = folder::read(&run.join(facts::FILE), "").ok();
        let facts = facts.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self::of(figures, &facts)
    }

    /// Whether a table hides its small counts.
    pub(crate) fn hides(&self, source: &str) -> bool {
        self.tables.get(source).copied().unwrap_or(true)
    }

    /// A count over all tables.
    pub(crate) const fn total(&self, n: u64) -> Figure {
        if self.hidden { blurred(n) } else { Figure::Exact(n) }
    }

    /// Counts over all tables that tell what changed since: small ones of a run that has a table to hide.
    pub(crate) fn changes<const N: usize>(&self, counts: [u64; N]) -> [Figure; N] {
        let hide =
            self.hidden || (self.tables.values().any(|hides| *hides) && counts.into_iter().any(is_small));
        counts.map(|n| if hide { blurred(n) } else { Figure::Exact(n) })
    }
}

/// Whether a table hides its small counts.
pub(crate) const fn hides(figures: &TableFigures, facts: &TableFacts) -> bool {
    facts.sensitive || figures.excluded > 0
}

fn has_hidden(table: &TableFigures) -> bool {
    let rows = rows(table, true);
    let of_rows =
        [rows.available, rows.asked, rows.withheld, rows.left_out, rows.excluded, rows.refused, rows.moved];
    let of_files =
        table.files.iter().flat_map(|f| [f.counts.named, f.counts.moved, f.counts.missing, f.counts.refused]);
    of_rows.iter().any(|figure| figure.is_hidden()) || of_files.into_iter().any(is_small)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(moved: u64, excluded: u64, sensitive: bool) -> Discreet {
        let table = |source: &str, moved, excluded| TableFigures {
            source: source.into(),
            asked: moved + excluded,
            moved,
            excluded,
            ..TableFigures::default()
        };
        let tables = vec![table("patient", 100, 0), table("result", moved, excluded)];
        let facts = |sensitive| TableFacts { sensitive, ..TableFacts::default() };
        let facts = Facts { tables: vec![facts(false), facts(sensitive)], ..Facts::default() };
        Discreet::of(&Figures { tables, ..Figures::default() }, &facts)
    }

    #[test]
    fn a_count_over_all_tables_is_rounded_where_one_of_them_hides_its_own() {
        // 103 - 100 would be what the table hides
        assert_eq!(run(3, 0, true).total(103).to_string(), "≈\u{a0}100");
        assert_eq!(run(8, 2, false).total(108).to_string(), "≈\u{a0}110");
        assert_eq!(run(3, 0, false).total(103).to_string(), "103");
        assert_eq!(run(30, 0, true).total(130).to_string(), "130");
        assert!(run(3, 0, true).hides("result") && !run(3, 0, true).hides("patient"));
        assert!(run(3, 0, true).hides("a table that nobody knows"));
    }

    #[test]
    fn few_changes_of_a_run_with_a_table_to_hide_are_not_counted_out() {
        let told = |run: Discreet| run.changes([0, 2, 40]).map(|figure| figure.to_string());
        assert_eq!(told(run(30, 0, true)), ["0", "<5", "≈\u{a0}40"]);
        assert_eq!(told(run(30, 0, false)), ["0", "2", "40"]);
    }
}
