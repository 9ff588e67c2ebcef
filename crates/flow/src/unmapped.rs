//! Codes that no line of their code table maps, and on demand those that one does, counted while a dry run reads.
//!
//! A code stands in a person's row, and somebody may have typed anything into it. Therefore:
//! only of columns that the caller names (those of no person's class), only what is short enough
//! for a code, and only into the dry run's own answer; a run counts such rows and keeps no code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;

use ecluse_batch::{Batch, cell};
use ecluse_core::fault::Result;
use ecluse_core::plan::{Expression, TablePlan};
use ecluse_core::types::Type;
use ecluse_core::value::Value;

use crate::step::POISONED;

/// Characters of a code at most; what is longer is a text.
const LONGEST: usize = 16;
/// Different codes of a column at most; the rest is counted together.
const MOST: usize = 200;

/// Whether a source column's codes may be told: (table, column), by name.
pub type Tellable<'a> = &'a (dyn Fn(&str, &str) -> bool + Sync);

/// The unmapped codes of one source column.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Codes {
    /// The source table.
    pub table: String,
    /// The source column.
    pub column: String,
    /// Rows by code.
    pub codes: BTreeMap<String, u64>,
    /// Rows whose code is not told: too long, too many, or a person's column.
    pub untold: u64,
    /// Rows by code of its code table, where these were asked for: the words are the signed table's,
    /// not the rows'.
    pub mapped: BTreeMap<String, u64>,
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Codes({}.{}, {} codes)", self.table, self.column, self.codes.len())
    }
}

/// Where a dry run counts them, in the order in which they are met.
#[derive(Clone, Copy)]
pub(crate) struct Unmapped<'a> {
    pub(crate) tellable: Tellable<'a>,
    pub(crate) found: &'a Mutex<Vec<Codes>>,
    /// Whether rows are counted by the codes that are mapped, too.
    pub(crate) mapped: bool,
}

impl Unmapped<'_> {
    /// Counts the row's code of a written column that is made through a code table.
    pub(crate) fn count(
        self,
        table: &TablePlan,
        written: Option<usize>,
        batch: &Batch,
        types: &[Type],
        row: usize,
    ) -> Result<()> {
        let from = written.and_then(|column| table.write().get(column)).map(|column| &column.from);
        let Some(Expression::Code { column, .. }) = from else { return Ok(()) };
        let Some(read) = table.read().get(*column) else { return Ok(()) };
        let mut found = self.found.lock().map_err(|_| POISONED.fault("unmapped codes"))?;
        let told = (self.tellable)(table.source(), &read.name);
        let Some(codes) = of_column(&mut found, table.source(), &read.name) else { return Ok(()) };
        let code = if told { short(&cell(batch, types, *column, row)?) } else { None };
        match code {
            Some(code) if codes.codes.contains_key(&code) || codes.codes.len() < MOST => {
                *codes.codes.entry(code).or_default() += 1;
            }
            _ => codes.untold += 1,
        }
        Ok(())
    }
}

impl Unmapped<'_> {
    /// Counts the rows of a piece by the codes that their code tables map; nothing where that was not
    /// asked for.
    pub(crate) fn count_mapped(self, table: &TablePlan, batch: &Batch, types: &[Type]) -> Result<()> {
        if !self.mapped {
            return Ok(());
        }
        // two columns may be made of one, each through a code table of its own: a row counts once
        let mut seen = BTreeSet::new();
        for target in table.write() {
            let Expression::Code { column, table: lines } = &target.from else { continue };
            let Some(read) = table.read().get(*column) else { continue };
            let new = lines.iter().map(|(code, _)| code).filter(|code| seen.insert((*column, *code)));
            let mut rows: BTreeMap<&Value, u64> = new.map(|code| (code, 0)).collect();
            for row in 0..batch.rows() {
                if let Some(known) = rows.get_mut(&cell(batch, types, *column, row)?) {
                    *known += 1;
                }
            }
            let mut found = self.found.lock().map_err(|_| POISONED.fault("mapped codes"))?;
            let Some(codes) = of_column(&mut found, table.source(), &read.name) else { continue };
            for (code, rows) in rows {
                *codes.mapped.entry(written(code).unwrap_or_default()).or_default() += rows;
            }
        }
        Ok(())
    }
}

/// A code as its table has it.
fn written(code: &Value) -> Option<String> {
    match code {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null
        | Value::Decimal { .. }
        | Value::Bytes(_)
        | Value::Date(_)
        | Value::Timestamp(_)
        | Value::Instant(_)
        | Value::Time(_)
        | Value::Uuid(_) => None,
    }
}

/// The counts of a column, made where there are none yet.
fn of_column<'f>(found: &'f mut Vec<Codes>, table: &str, column: &str) -> Option<&'f mut Codes> {
    let place = found.iter().position(|c| c.table == table && c.column == column);
    let place = place.unwrap_or_else(|| {
        found.push(Codes { table: table.to_owned(), column: column.to_owned(), ..Codes::default() });
        found.len() - 1
    });
    found.get_mut(place)
}

fn short(value: &Value) -> Option<String> {
    let text = written(value)?;
    (text.chars().count() <= LONGEST).then(|| text.escape_debug().to_string())
}
