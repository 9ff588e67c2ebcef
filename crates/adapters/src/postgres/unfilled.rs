//! Columns that no run fills, as the catalogue tells of them.

use ecluse_batch::Batch;
use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::value::KeyRange;

use super::connect::Link;
use super::destination::read_back;
use super::source::{Select, decoder, run};
use super::text::{ident, relation};
use crate::unfilled::Unfilled;

/// Per column: its type, its default, and whether the engine may give each row another value: an identity, a
/// domain's own default, a default that calls anything but immutable functions (`now()`, `nextval`), a trigger
/// on INSERT, the table's own or a partition's; or whether the account may not read it. Nodes of an expression are told by their names, which
/// `pg_node_tree` prints; a function that is not known counts as one that changes.
const COLUMNS: &str = r"
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid),
           a.attidentity <> '' OR (d.adbin IS NULL AND t.typdefault IS NOT NULL)
           OR coalesce(d.adbin::text ~ 'SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCEVIAIO', false)
           OR EXISTS (SELECT 1 FROM regexp_matches(d.adbin::text, ':(?:opfuncid|funcid) (\d+)', 'g') AS f(id)
                      LEFT JOIN pg_catalog.pg_proc p ON p.oid = f.id[1]::oid
                      WHERE p.provolatile IS DISTINCT FROM 'i')
           OR EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g
                      WHERE (g.tgrelid = a.attrelid OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(a.attrelid)))
                        AND NOT g.tgisinternal AND g.tgtype & 4 <> 0)
           OR NOT has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY a.attnum";

/// The columns of one table.
pub(super) fn of(link: &Link, table: &TablePlan) -> Result<Unfilled> {
    let place = table.destination();
    let mut found = Unfilled::default();
    for row in link.query(COLUMNS, &[&relation(place)], place)? {
        let fault = |e: tokio_postgres::Error| link.side().fault(&e, place);
        let (name, sql_type): (String, String) =
            (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
        let default: Option<String> = row.try_get(2).map_err(fault)?;
        let changes: bool = row.try_get(3).map_err(fault)?;
        if table.write().iter().any(|column| column.name == name) {
            continue;
        }
        if changes {
            found.unseen.push(name);
            continue;
        }
        // as texts: not every type has an equality
        let stood =
            default.map_or("NULL".to_owned(), |default| format!("CAST(({default}) AS {sql_type})::text"));
        let worked = format!("{}::text IS DISTINCT FROM {stood}", ident(&name));
        found.known.push((name, worked));
    }
    Ok(found)
}

/// Rows of a range on which somebody worked, column by column; see the port.
pub(super) fn worked(
    link: &Link,
    table: &TablePlan,
    range: &KeyRange,
    sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
) -> Result<()> {
    let place = table.destination();
    for (column, worked) in of(link, table)?.known {
        run_where(link, table, range, worked, &mut |batch| sink(&column, batch), place)?;
    }
    Ok(())
}

fn run_where(
    link: &Link,
    table: &TablePlan,
    range: &KeyRange,
    condition: String,
    sink: &mut dyn FnMut(Batch) -> Result<()>,
    place: &str,
) -> Result<()> {
    let columns = table.write().iter().map(|c| (c.name.as_str(), c.ty));
    let decoder = decoder(link, place, place, columns, table.write_key())?;
    let back = read_back(table, true)?;
    let conditions = back.conditions.iter().cloned().chain([condition]).collect();
    run(link, Select { conditions, ..back }, range, decoder, sink)
}
