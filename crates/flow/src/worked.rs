//! Rows that moved, and on which somebody worked since in a column that no run fills.

use ecluse_batch::{Keys, Token, TokenKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;

use crate::ports::Destination;
use crate::readback;
use crate::undo::Differs;

/// Work of the laboratory in a column that the run did not fill.
pub(crate) static WORKED: Code = Code::refused(
    "ECL-UND-014",
    "somebody worked on rows that the run moved, in a column that it did not fill",
);

/// Rows of one chunk and column named one by one at most; beyond, they are counted.
const NAMED: u64 = 1_000;

/// Whether there are any in the range.
pub(crate) fn stands(destination: &mut dyn Destination, table: &TablePlan, range: &KeyRange) -> Result<bool> {
    let mut any = false;
    destination.worked(table, range, &mut |_, batch| {
        any |= batch.rows() > 0;
        Ok(())
    })?;
    Ok(any)
}

/// Each by column and token; counted in a table without a key.
pub(crate) fn named(
    destination: &mut dyn Destination,
    table: &TablePlan,
    range: &KeyRange,
    token: &TokenKey,
) -> Result<Vec<Differs>> {
    let types = readback::types(table);
    let differs = |column: &str, row: Option<String>, rows: u64| Differs {
        words: WORKED.title.to_owned(),
        row,
        column: Some(column.to_owned()),
        rows,
    };
    let mut found: Vec<Differs> = Vec::new();
    let (mut of, mut named, mut counted) = (String::new(), 0, 0);
    destination.worked(table, range, &mut |column, batch| {
        if column != of {
            found.extend(Some(counted).filter(|rows| *rows > 0).map(|rows| differs(&of, None, rows)));
            (of, named, counted) = (column.to_owned(), 0, 0);
        }
        let keys = Keys::new(&batch, &types, table.write_key())?;
        for row in 0..batch.rows() {
            match keys.get(row).filter(|_| named < NAMED) {
                Some(key) => {
                    let token = Token::new(token, table.source(), &key).to_string();
                    found.push(differs(column, Some(token), 1));
                    named += 1;
                }
                None => counted += 1,
            }
        }
        Ok(())
    })?;
    found.extend(Some(counted).filter(|rows| *rows > 0).map(|rows| differs(&of, None, rows)));
    Ok(found)
}
