//! What a PostgreSQL source does by itself when rows go: triggers, rules and routines. Their texts are open to
//! every role.

use ecluse_core::fault::Result;

use super::connect::Link;
use crate::shadows::{Trigger, Written};

/// Of each trigger and rule: its table, its name, its text (none of a function in a language of the machine),
/// whether it fires for a DELETE of this session. `$1`: whether the session is a replica's, in which what is
/// ENABLE REPLICA or ENABLE ALWAYS fires and nothing else. `tgtype` 8, `ev_type` 4: DELETE.
const CODE: &str = "\
    SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END, \
           t.tgname::text, \
           CASE WHEN l.lanname IN ('plpgsql', 'sql') THEN coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) END, \
           (t.tgtype & 8) <> 0 AND (t.tgenabled = 'A' OR t.tgenabled = CASE WHEN $1 THEN 'R' ELSE 'O' END) \
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal \
    UNION ALL \
    SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END, \
           r.rulename::text, pg_catalog.pg_get_ruledef(r.oid), \
           r.ev_type = '4' AND (r.ev_enabled = 'A' OR r.ev_enabled = CASE WHEN $1 THEN 'R' ELSE 'O' END) \
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE r.rulename <> '_RETURN' AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// Routines outside the engine's own, by their bare name.
const ROUTINES: &str = "\
    SELECT lower(p.proname::text), \
           CASE WHEN l.lanname IN ('plpgsql', 'sql') THEN coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) END \
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')";

const TABLES: &str = "\
    SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";

/// The database's triggers, rules and routines; `replica`: the session's `session_replication_role`.
pub(super) fn written(link: &Link, replica: bool) -> Result<Written> {
    let place = "triggers and rules";
    let bad = |e: tokio_postgres::Error| link.side().fault(&e, place);
    let mut written = Written::default();
    for row in link.query(CODE, &[&replica], place)? {
        written.triggers.push(Trigger {
            of: row.try_get(0).map_err(bad)?,
            name: row.try_get(1).map_err(bad)?,
            text: row.try_get(2).map_err(bad)?,
            fires: row.try_get(3).map_err(bad)?,
        });
    }
    for row in link.query(ROUTINES, &[], place)? {
        let name: String = row.try_get(0).map_err(bad)?;
        written.routines.entry(name).or_default().push(row.try_get(1).map_err(bad)?);
    }
    for row in link.query(TABLES, &[], place)? {
        written.tables.push(row.try_get(0).map_err(bad)?);
    }
    Ok(written)
}
