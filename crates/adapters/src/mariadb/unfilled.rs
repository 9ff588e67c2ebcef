//! Columns that no run fills, as the catalogue tells of them.

use ecluse_batch::Batch;
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;
use mysql_async::Value;

use super::session::{Session, number, text};
use super::source;
use super::statement::quoted;
use super::written::Written;
use crate::columns::Columns;
use crate::unfilled::{Unfilled, is_constant};

/// Per column: its default as an expression, whether it has one or may be NULL, whether the engine numbers or
/// computes it, whether the account may read it, whether a trigger on INSERT stands on its table.
const COLUMNS: &str = "SELECT c.column_name, coalesce(c.column_default, 'NULL'), \
     c.column_default IS NOT NULL OR c.is_nullable = 'YES', c.extra LIKE '%auto_increment%', \
     c.extra LIKE '%GENERATED%', c.privileges LIKE '%select%', \
     EXISTS (SELECT 1 FROM information_schema.triggers t WHERE t.event_object_schema = DATABASE() \
             AND t.event_object_table = c.table_name AND t.event_manipulation = 'INSERT') \
     FROM information_schema.columns c WHERE c.table_schema = DATABASE() AND c.table_name = ? \
     ORDER BY c.ordinal_position";

/// The columns of one table.
pub(super) fn of(session: &mut Session, table: &TablePlan) -> Result<Unfilled> {
    let place = table.destination();
    let mut found = Unfilled::default();
    for row in session.rows(COLUMNS, vec![Value::from(place)], place)? {
        let name = text(&row, 0);
        let is = |column: usize| number(&row, column) == Some(1);
        if is(4) || table.write().iter().any(|column| column.name == name) {
            continue;
        }
        if is_constant(&text(&row, 1)) && is(2) && !is(3) && is(5) && !is(6) {
            // by bytes: a collation takes `n` for `N`
            let column = quoted(&name);
            let worked = format!("NOT (CAST({column} AS BINARY) <=> CAST(DEFAULT({column}) AS BINARY))");
            found.known.push((name, worked));
        } else {
            found.unseen.push(name);
        }
    }
    Ok(found)
}

/// Rows of a range on which somebody worked, column by column; see the port.
pub(super) fn worked(
    session: &mut Session,
    written: &Written,
    table: &TablePlan,
    range: &KeyRange,
    sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
) -> Result<()> {
    let place = table.destination();
    for (column, worked) in of(session, table)?.known {
        let names = table.write().iter().map(|c| c.name.as_str());
        let read = written.read_back_where(range, &worked)?;
        let batch = Columns::written(table);
        source::deliver(session, place, names, batch, read, &mut |batch| sink(&column, batch))?;
    }
    Ok(())
}
