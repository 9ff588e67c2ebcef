//! Which rows are not finished: what `[pending]` decides about.

use super::dossier::ordered;
use super::read::literal;
use super::{Order, granted};
use crate::catalog::Table;
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned, as_text};

/// The rows of one ordered table that are not finished: requests under way, results not validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The ordered table.
    pub table: Spanned<String>,
    /// The filter, in the language of `rows` without `chosen`, over granted columns.
    pub filter: Spanned<String>,
}

/// Reads `[pending.where]`: a filter under each table's name.
pub(super) fn read(r: &mut Reader<'_>, pending: &mut Fields<'_, '_>) -> Vec<Unfinished> {
    let entries = pending.maybe_table(r, "where").map(|tables| tables.entries()).unwrap_or_default();
    let one = |(table, value): (Spanned<String>, &toml::Spanned<toml::de::DeValue<'_>>)| {
        let filter = as_text(r, "where", value).and_then(|text| literal(r, text))?;
        Some(Unfinished { table, filter })
    };
    entries.into_iter().filter_map(one).collect()
}

/// What is wrong with it, judged by the dictionary.
pub(super) fn check<'a>(order: &Order, catalog: &dyn Fn(&str) -> Option<&'a Table>) -> Vec<Finding> {
    let wrong = |one: &Unfinished| match ordered(order, &one.table) {
        Ok(table) => granted(table, &one.filter, catalog).err().unwrap_or_default(),
        Err(finding) => vec![finding],
    };
    order.unfinished.iter().flat_map(wrong).collect()
}
