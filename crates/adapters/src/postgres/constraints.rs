//! What is dropped before a load and put back after it.
//!
//! | on a table that was empty | during the load | why |
//! |---|---|---|
//! | foreign keys from and to it | dropped | parents are checked once at the end; a chunk can be replaced without its children |
//! | indexes that are not unique | dropped | built once at the end, sorted |
//! | the primary key, where the plan copies the source's key into it unchanged | dropped | rows come from the source in this very order, each key once; a chunk that must be deleted puts it back first |
//! | any other primary key, unique index, CHECK, NOT NULL, trigger | kept | they refuse rows, which the bisection must find one by one |
//!
//! Should a primary key that was dropped find duplicates when it is put back, the run ends
//! with [`super::putback::DUPLICATES`], which names the table; nothing is deleted to make it fit.
//!
//! The statement that puts a thing back is written to the ledger in the transaction that
//! drops it, so that no kill can lose it.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Expression, Plan, TablePlan};
use ecluse_flow::failpoint;
use tokio_postgres::Error;

use super::connect::Link;
use super::ledger::{Ledger, is_empty};
use super::text::relation;

/// A foreign key that would delete or change rows of another table.
pub(crate) static CASCADE: Code =
    Code::refused("ECL-DST-532", "a foreign key would change other rows when a chunk is replaced");

/// Foreign keys that touch a table.
const FOREIGN_KEYS: &str = "\
    SELECT 'fk', k.conname::text, k.conrelid::regclass::text, \
           'ALTER TABLE ' || k.conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' \
               || pg_get_constraintdef(k.oid), \
           'ALTER TABLE ' || k.conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(k.conname) \
    FROM pg_constraint k \
    WHERE k.contype = 'f' AND k.conparentid = 0 AND to_regclass($1) IN (k.conrelid, k.confrelid)";

/// Indexes that refuse nothing; one that carries a comment, options, a tablespace, the
/// clustering or the replica identity would not come back whole, and stays.
const INDEXES: &str = "\
    SELECT 'index', i.indexrelid::regclass::text, i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid), \
           'DROP INDEX ' || i.indexrelid::regclass \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
    WHERE i.indrelid = to_regclass($1) AND t.relkind = 'r' AND NOT i.indisunique AND NOT i.indisexclusion \
      AND NOT i.indisclustered AND NOT i.indisreplident AND c.reltablespace = 0 \
      AND NOT EXISTS (SELECT 1 FROM pg_description d WHERE d.objoid = i.indexrelid) \
      AND NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)";

/// The primary key, under the same conditions, where its columns are exactly `$2` and
/// nothing but foreign keys depends on it (a view grouped by it would).
const KEY: &str = "\
    SELECT 'key', k.conname::text, k.conrelid::regclass::text, \
           'ALTER TABLE ' || k.conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' \
               || pg_get_constraintdef(k.oid), \
           'ALTER TABLE ' || k.conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(k.conname) \
    FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid \
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
    WHERE k.conrelid = to_regclass($1) AND k.contype = 'p' AND t.relkind = 'r' AND NOT t.relispartition \
      AND NOT k.condeferrable AND NOT i.indisclustered AND NOT i.indisreplident \
      AND c.reltablespace = 0 AND c.reloptions IS NULL AND i.indnatts = i.indnkeyatts \
      AND NOT EXISTS (SELECT 1 FROM pg_description d WHERE d.objoid IN (k.oid, i.indexrelid)) \
      AND NOT EXISTS (SELECT 1 FROM pg_depend p WHERE p.refobjid IN (k.oid, i.indexrelid) AND p.deptype = 'n' \
                      AND p.classid <> 'pg_constraint'::regclass) \
      AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_attribute a \
           WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) = $2::text[]";

/// Refuses a table that held rows and whose foreign keys would change rows elsewhere; known before
/// anything is written.
pub(super) fn may_be_written(link: &Link, plan: &Plan, ledger: &Ledger) -> Result<()> {
    let held_rows = |table: &&TablePlan| !ledger.empty_at_first.contains(table.destination());
    plan.tables().iter().filter(held_rows).try_for_each(|table| refuse_cascades(link, table.destination()))
}

/// Records and drops what stands in the way of writing this table, at its first chunk and not
/// before: a catch-up that finds nothing to write leaves every constraint in place, and has none to
/// validate. Idempotent.
pub(super) fn drop_for_load(link: &Link, plan: &Plan, table: &TablePlan, ledger: &Ledger) -> Result<()> {
    let name = table.destination();
    if !ledger.empty_at_first.contains(name) {
        return Ok(());
    }
    link.batch("BEGIN; SET LOCAL search_path = pg_catalog", name)?;
    let dropped = drop_one(link, plan, table, ledger, &relation(name));
    if dropped.is_err() {
        let _ = link.batch("ROLLBACK", name);
        return dropped;
    }
    failpoint::hit("postgres.drop.commit.before");
    link.batch("COMMIT", name)?;
    failpoint::hit("postgres.drop.commit.after");
    Ok(())
}

fn drop_one(link: &Link, plan: &Plan, table: &TablePlan, ledger: &Ledger, qualified: &str) -> Result<()> {
    let name = table.destination();
    let fault = |e: Error| link.side().fault(&e, name);
    let mut rows = link.query(FOREIGN_KEYS, &[&qualified], name)?;
    let writers: Vec<usize> =
        plan.tables().iter().filter(|t| t.destination() == name).map(TablePlan::number).collect();
    let untouched = !ledger.present.iter().any(|(t, _)| writers.contains(t)) && is_empty(link, name)?;
    if untouched {
        rows.extend(link.query(INDEXES, &[&qualified], name)?);
        if writers.len() == 1 && copies_its_key(table) {
            let mut key: Vec<&str> = key_names(table).collect();
            key.sort_unstable();
            rows.extend(link.query(KEY, &[&qualified, &key], name)?);
        }
    }
    // a foreign key that a kill left declared but not validated is known to the ledger as it was
    for row in rows {
        let get = |i: usize| row.try_get::<_, String>(i).map_err(fault);
        link.execute(
            "INSERT INTO ecluse_ledger.ddl (run, tab, kind, name, statement, dropped) \
             VALUES ($1, $2, $3, $4, $5, true) ON CONFLICT (run, tab, kind, name) \
             DO UPDATE SET statement = CASE WHEN ecluse_ledger.ddl.dropped THEN ecluse_ledger.ddl.statement ELSE $5 END, \
             dropped = true",
            &[&ledger.run(), &get(2)?, &get(0)?, &get(1)?, &get(3)?],
            name,
        )?;
        link.batch(&get(4)?, name)?;
    }
    Ok(())
}

/// Whether the destination's key is the source's, unchanged: then every key comes once.
fn copies_its_key(table: &TablePlan) -> bool {
    !table.key().is_empty()
        && table.key().len() == table.write_key().len()
        && table.key().iter().zip(table.write_key()).all(|(read, write)| {
            matches!((table.read().get(*read), table.write().get(*write)), (Some(from), Some(to))
                if to.from == Expression::Column(*read) && from.ty == to.ty)
        })
}

fn key_names(table: &TablePlan) -> impl Iterator<Item = &str> {
    table.write_key().iter().filter_map(|i| table.write().get(*i)).map(|c| c.name.as_str())
}

/// On a table that held rows, foreign keys stay: none may turn a replaced chunk into a change elsewhere.
fn refuse_cascades(link: &Link, name: &str) -> Result<()> {
    let found: i64 = link.one(
        "SELECT count(*) FROM pg_catalog.pg_constraint \
         WHERE contype = 'f' AND confrelid = to_regclass($1) AND confdeltype IN ('c', 'n', 'd')",
        &[&relation(name)],
        name,
    )?;
    if found == 0 {
        return Ok(());
    }
    Err(CASCADE
        .fault(format!("{name}: {found} foreign key(s) with ON DELETE CASCADE, SET NULL or SET DEFAULT"))
        .help("load into an empty table, or make the foreign key NO ACTION for the migration"))
}
