//! Columns whose texts look as though they were UTF-8 kept as `latin1`, in words.

use ecluse_core::count::count;
use ecluse_core::plan::{Expression, TablePlan};
use ecluse_flow::figures::{Figures, TableFigures};

/// A column's figures, and where it stands.
pub(crate) struct Found<'a> {
    pub(crate) table: &'a TableFigures,
    pub(crate) column: &'a str,
    pub(crate) beyond_ascii: u64,
    pub(crate) utf8: u64,
    /// After the mapping had them read as UTF-8.
    pub(crate) again: bool,
}

/// Every column of which at least one value looks so.
pub(crate) fn found(figures: &Figures) -> impl Iterator<Item = Found<'_>> {
    figures.tables.iter().flat_map(|table| {
        let columns = table.encodings.iter().filter(|(_, counted)| counted.utf8 > 0);
        columns.map(move |(column, counted)| Found {
            table,
            column,
            beyond_ascii: counted.beyond_ascii,
            utf8: counted.utf8,
            again: counted.again,
        })
    })
}

impl Found<'_> {
    /// `patient.nom: 1,204 of 1,204 values beyond ASCII …`.
    pub(crate) fn line(&self, becomes: &str) -> String {
        let how = if self.again { "twice: read as UTF-8 once, they" } else { "as latin1: they" };
        let so = if self.again { "with é as Ã© still" } else { "as they read, é as Ã©" };
        let kept = if self.again { "encoded wrongly" } else { "UTF-8 that was kept" };
        format!(
            "{}.{}: {} of {} values beyond ASCII are {kept} {how} {becomes} {so}",
            self.table.source,
            self.column,
            count(self.utf8),
            count(self.beyond_ascii),
        )
    }

    /// What to write in the mapping, where the column has one of its own at the destination.
    pub(crate) fn way(&self, plan: &[TablePlan]) -> String {
        if self.again {
            return "nothing reads a text twice: correct these at the source, or accept them as they arrive"
                .to_owned();
        }
        let table = plan.iter().find(|t| t.source() == self.table.source);
        let at = table.and_then(|t| t.read().iter().position(|c| c.name == self.column));
        if table.zip(at).is_some_and(|(table, at)| table.key().contains(&at)) {
            return "a key arrives as it is: correct it at the source, or move it as it reads".to_owned();
        }
        let to = table.zip(at).and_then(|(table, at)| {
            let plain = |from: &Expression| *from == Expression::Column(at) || *from == Expression::Cast(at);
            table.write().iter().find(|c| plain(&c.from))
        });
        let to = to.map_or(self.column, |column| &column.name);
        format!("mapping.toml: {to} = {{ column = \"{}\", bytes = \"utf-8\" }}", self.column)
    }
}
