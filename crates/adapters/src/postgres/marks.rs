//! What PostgreSQL tells of writes to the planned tables, to any role and without reading a row.
//!
//! | mark | moves with |
//! |---|---|
//! | the next transaction number, while no transaction that writes is open | every write to any database of the instance |
//! | a table's counters of rows inserted, updated and deleted, and its file | every write to it; a session tells them a second or more after its transaction |

use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_flow::ports::Marks;

use super::connect::Link;
use super::text::relation;

const TABLE: &str = "\
    SELECT concat_ws('/', pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), \
                     pg_stat_get_tuples_deleted(c.oid), c.relfilenode), \
           EXISTS (SELECT 1 FROM pg_catalog.pg_locks l WHERE l.relation = c.oid AND l.pid <> pg_backend_pid() \
                   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
                   AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE '\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"' = $1 \
      AND c.relkind = 'r'";

const INSTANCE: &str = "\
    SELECT CASE WHEN pg_snapshot_xmin(s) = pg_snapshot_xmax(s) THEN pg_snapshot_xmax(s)::text ELSE '' END \
    FROM pg_current_snapshot() s";

const GUARDS: &str = "\
    SELECT 'the server is a standby: nobody can write to it' WHERE pg_is_in_recovery() \
    UNION ALL SELECT 'default_transaction_read_only = on for the whole database (a session can turn it off)' \
    WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_db_role_setting r JOIN pg_catalog.pg_database d ON d.oid = r.setdatabase \
                  WHERE d.datname = current_database() AND r.setrole = 0 \
                  AND 'default_transaction_read_only=on' = ANY (r.setconfig))";

/// See the port.
pub(super) fn marks(link: &Link, plan: &Plan) -> Result<Marks> {
    let place = "the marks of writes";
    let fault = |e: tokio_postgres::Error| link.side().fault(&e, place);
    let mut marks = Marks { instance: link.one(INSTANCE, &[], place)?, ..Marks::default() };
    for row in link.query(GUARDS, &[], place)? {
        marks.guards.push(row.try_get(0).map_err(fault)?);
    }
    for table in plan.tables() {
        let rows = link.query(TABLE, &[&relation(table.source())], place)?;
        // a partitioned table's rows are counted elsewhere
        let (mark, writing) = match rows.first() {
            Some(row) => (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?),
            None => (String::new(), false),
        };
        marks.tables.push(mark);
        if writing {
            marks.writing.push(table.source().to_owned());
        }
    }
    Ok(marks)
}
