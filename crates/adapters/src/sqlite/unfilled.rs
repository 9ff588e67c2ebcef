//! Columns that no run fills, as the schema tells of them.

use ecluse_batch::Batch;
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;
use rusqlite::Connection;

use super::{DESTINATION, fault, quoted, source, statement};
use crate::columns::Columns;
use crate::unfilled::{Unfilled, is_constant};

/// Per column: its default as it was written, whether it is of the key, which the engine may number. Generated
/// and hidden ones are left out.
const COLUMNS: &str = "SELECT name, coalesce(dflt_value, 'NULL'), pk <> 0 FROM pragma_table_xinfo(?1) \
                       WHERE hidden = 0 ORDER BY cid";
/// A trigger whose head speaks of INSERT.
const TRIGGERS: &str = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' \
                        AND tbl_name = ?1 COLLATE NOCASE AND substr(upper(sql), 1, instr(upper(sql) || 'BEGIN', 'BEGIN')) LIKE '%INSERT%')";

/// The columns of one table.
pub(super) fn of(connection: &Connection, table: &TablePlan) -> Result<Unfilled> {
    let place = table.destination();
    let work = || -> rusqlite::Result<Unfilled> {
        let mut found = Unfilled::default();
        let triggered: bool = connection.query_row(TRIGGERS, [place], |row| row.get(0))?;
        let mut columns = connection.prepare(COLUMNS)?;
        let columns = columns.query_map([place], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for column in columns {
            let (name, default, key): (String, String, bool) = column?;
            if table.write().iter().any(|column| column.name == name) {
                continue;
            }
            if is_constant(&default) && !key && !triggered {
                let worked = format!("{} COLLATE BINARY IS NOT ({default})", quoted(&name));
                found.known.push((name, worked));
            } else {
                found.unseen.push(name);
            }
        }
        Ok(found)
    };
    work().map_err(|e| fault(&DESTINATION, &e, place))
}

/// Rows of a range on which somebody worked, column by column; see the port.
pub(super) fn worked(
    connection: &Connection,
    table: &TablePlan,
    range: &KeyRange,
    sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
) -> Result<()> {
    let place = table.destination();
    for (column, worked) in of(connection, table)?.known {
        let columns = table.write().iter().map(|c| (c.name.as_str(), c.sql_type.as_str(), c.ty));
        let read = statement::read_back_where(table, range, &worked)?;
        let batch = Columns::written(table);
        source::deliver(&DESTINATION, connection, place, columns, batch, &read, &mut |batch| {
            sink(&column, batch)
        })?;
    }
    Ok(())
}
