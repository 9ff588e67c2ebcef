//! A national identifier's columns: what holds moves, what does not goes where the controller said.
//!
//! The patient is never lost by a wrong number, and the number is never repaired
//! ([`ecluse_core::ins`]). No number, or an empty text, is no flaw.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::StringBuilder;
use ecluse_core::fault::Result;
use ecluse_core::ins::{Flaw, checked};
use ecluse_core::instruction::Invalid;
use ecluse_core::plan::{Identifier, Part};
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;

/// One written column, row by row. Each flaw is told once: by the number's own column.
pub(crate) fn column(
    of: &Identifier,
    read: &Batch,
    types: &[Type],
    tell: &mut dyn FnMut(usize, Flaw),
) -> Result<ArrayRef> {
    let columns = Columns::new(of, read, types)?;
    let mut out = StringBuilder::with_capacity(read.rows(), 16 * read.rows());
    for row in 0..read.rows() {
        let number = text(&columns.number, row).filter(|n| !n.is_empty());
        let whole = number.map(|number| columns.check(of, row, number));
        if let (Some(Err(flaw)), Part::Number) = (&whole, of.part) {
            tell(row, *flaw);
        }
        let status = || columns.status.as_ref().and_then(|s| text(s, row)).map(Cow::Borrowed);
        let value = match (of.part, whole) {
            (Part::Number, Some(Ok(whole))) => Some(Cow::Owned(whole)),
            (Part::Authority, Some(Ok(_))) => text(&columns.authority, row).map(Cow::Borrowed),
            (Part::Local, Some(Err(_))) if of.invalid == Invalid::Local => number.map(Cow::Borrowed),
            (Part::Status, Some(Err(_))) => Some(Cow::Borrowed(of.provisional.as_str())),
            (Part::Status, _) => status(),
            (Part::Number | Part::Authority | Part::Local, _) => None,
        };
        out.append_option(value);
    }
    Ok(Arc::new(out.finish()))
}

struct Columns<'a> {
    number: Column<'a>,
    key: Option<Column<'a>>,
    authority: Column<'a>,
    traits: Vec<Column<'a>>,
    status: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn new(of: &Identifier, read: &'a Batch, types: &[Type]) -> Result<Self> {
        let column = |index: usize| match (read.columns().get(index), types.get(index)) {
            (Some(array), Some(ty)) => Column::new(array, *ty),
            _ => Err(MALFORMED.fault(format!("no read column {index}"))),
        };
        Ok(Self {
            number: column(of.number)?,
            key: of.key.map(column).transpose()?,
            authority: column(of.authority)?,
            traits: of.traits.iter().map(|i| column(*i)).collect::<Result<_>>()?,
            status: of.status.map(column).transpose()?,
        })
    }

    fn check(&self, of: &Identifier, row: usize, number: &str) -> std::result::Result<String, Flaw> {
        // an absent key is not an empty one: the number would bear it
        let key = self.key.as_ref().map(|key| digits(key, row).unwrap_or_default());
        let whole = checked(number, key.as_deref(), text(&self.authority, row), of.numbers)?;
        let blank = |c: &Column<'_>| c.is_null(row) || text(c, row).is_some_and(|t| t.trim().is_empty());
        if self.traits.iter().any(blank) { Err(Flaw::Traits) } else { Ok(whole) }
    }
}

fn text<'a>(column: &Column<'a>, row: usize) -> Option<&'a str> {
    match column {
        Column::Text(a) if !column.is_null(row) => Some(a.value(row)),
        _ => None,
    }
}

/// A key as its two digits; a column of numbers holds no leading zero.
fn digits<'a>(column: &Column<'a>, row: usize) -> Option<Cow<'a, str>> {
    match column {
        Column::Int(a) if !column.is_null(row) => Some(Cow::Owned(format!("{:02}", a.value(row)))),
        _ => text(column, row).map(Cow::Borrowed),
    }
}
