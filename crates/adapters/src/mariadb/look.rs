//! The search for what should be gone, in the tables of a MariaDB database.

use std::collections::BTreeMap;

use ecluse_core::fault::Result;
use mysql_async::Value;

use super::connect;
use super::error::Side;
use super::session::{Session, text};
use super::statement::quoted;
use crate::residue::{Search, Seen};
use crate::url::Server;

/// Texts and bytes of tables, and of what a system-versioned one keeps of deleted rows.
const COLUMNS: &str = "SELECT c.table_name, c.column_name, c.character_set_name IS NOT NULL, t.table_type \
     FROM information_schema.columns c JOIN information_schema.tables t \
     ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
     WHERE c.table_schema = DATABASE() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') \
     AND (c.character_set_name IS NOT NULL OR c.data_type LIKE '%blob' OR c.data_type LIKE '%binary') \
     ORDER BY c.table_name, c.ordinal_position";

/// Seeks in every column of texts or bytes that `wanted` names, table by table; one that this account may not
/// read is told as unread.
///
/// # Errors
///
/// What connecting and the catalogue refuse.
pub fn look(
    server: &Server,
    search: &Search,
    wanted: &dyn Fn(&str, &str) -> bool,
    seen: &mut Seen,
) -> Result<()> {
    let mut session = Session::open(connect::options(server)?, server, Side::Source)?;
    let mut tables: BTreeMap<String, (bool, Vec<String>)> = BTreeMap::new();
    for row in session.rows(COLUMNS, Vec::new(), "the columns")? {
        let (table, column) = (text(&row, 0), text(&row, 1));
        if wanted(&table, &column) {
            let is_text = super::session::number(&row, 2) == Some(1);
            let name = quoted(&column);
            // whatever character set it stands in, it is sought in one
            let read = if is_text { format!("CONVERT({name} USING utf8mb4)") } else { name };
            let history = text(&row, 3) == "SYSTEM VERSIONED";
            tables.entry(table).or_insert_with(|| (history, Vec::new())).1.push(read);
        }
    }
    for (table, (history, columns)) in tables {
        let all = if history { " FOR SYSTEM_TIME ALL" } else { "" };
        let sql = format!("SELECT {} FROM {}{all}", columns.join(", "), quoted(&table));
        let mut pieces = search.begun();
        let read = session.stream(&sql, Vec::new(), &table, &mut |row, _latin1| {
            for column in 0..row.len() {
                if let Some(Value::Bytes(bytes)) = row.as_ref(column) {
                    pieces.take(bytes);
                    pieces.take(b"\n");
                }
            }
            Ok(())
        });
        match read {
            Ok(()) => pieces.end(&table, seen),
            Err(fault) => seen.elsewhere.push(format!("table {table}: {}", fault.code().id)),
        }
    }
    Ok(())
}
