//! The search for what should be gone, in the tables of a PostgreSQL database.

use std::collections::BTreeMap;
use std::pin::pin;

use ecluse_core::fault::Result;
use futures_util::StreamExt as _;

use super::connect::Link;
use super::error::Side;
use super::text::relation;
use crate::residue::{Pieces, Search, Seen};
use crate::sql;
use crate::url::Server;

/// Columns of every table that has rows of its own, large objects apart.
const COLUMNS: &str = "\
    SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END, \
           a.attname::text \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped \
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
    ORDER BY c.oid, a.attnum";

const OBJECTS: &str = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";

/// Seeks in every column that `wanted` names, table by table, in the text of each value (bytes in hexadecimal, a
/// form that is sought); one that this role may not read is told as unread, and so are large objects.
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
    let link = Link::connect(server, Side::Source)?;
    link.batch("SET bytea_output = 'hex'", "the session's settings")?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in link.query(COLUMNS, &[], "the columns")? {
        let bad = |e| link.side().fault(&e, "the columns");
        let (table, column): (String, String) = (row.try_get(0).map_err(bad)?, row.try_get(1).map_err(bad)?);
        if wanted(&table, &column) {
            let name = sql::identifier(ecluse_core::types::Engine::Postgresql, &column);
            tables.entry(table).or_default().push(name);
        }
    }
    for (table, columns) in tables {
        let mut pieces = search.begun();
        match read(&link, &table, &columns, &mut pieces) {
            Ok(()) => pieces.end(&table, seen),
            Err(fault) => seen.elsewhere.push(format!("table {table}: {}", fault.code().id)),
        }
    }
    let objects: i64 = link.one(OBJECTS, &[], "large objects")?;
    if objects > 0 {
        seen.elsewhere.push(format!("{objects} large objects"));
    }
    Ok(())
}

fn read(link: &Link, table: &str, columns: &[String], pieces: &mut Pieces<'_>) -> Result<()> {
    let fault = |e: tokio_postgres::Error| link.side().fault(&e, table);
    let sql = format!("COPY (SELECT {} FROM ONLY {}) TO STDOUT", columns.join(", "), relation(table));
    link.run(async {
        let mut stream = pin!(link.client().copy_out(sql.as_str()).await.map_err(fault)?);
        while let Some(message) = stream.next().await {
            pieces.take(&message.map_err(fault)?);
        }
        Ok(())
    })
}
