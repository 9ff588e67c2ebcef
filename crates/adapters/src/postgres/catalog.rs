//! What a PostgreSQL database says of itself: `pg_catalog` only, no row of any table.
//!
//! Every part is visible to any role that can connect (measured with a role that has
//! no grant at all; see `docs/formats.md`).

use std::collections::BTreeMap;

use ecluse_core::catalog::{Catalog, Column, ForeignKey, Table};
use ecluse_core::fault::Result;
use ecluse_core::types::Engine;
use ecluse_flow::ports::Scope;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type as Pg;

use super::connect::Link;
use super::error::Side;
use super::ledger::SCHEMA as LEDGER;
use super::types::{Kind, Wire, bounds, carried, wire_of, writable};
use crate::choices;

/// `system_identifier:database oid`: the instance, its physical clones included.
pub(super) fn identity(link: &Link) -> Result<String> {
    link.one(
        "SELECT (SELECT system_identifier FROM pg_control_system())::text || ':' || oid::text \
         FROM pg_database WHERE datname = current_database()",
        &[],
        "the identity",
    )
}

/// The catalogue of a scope, ordered by name; the ledger and écluse's own views are left out.
pub(super) fn read(link: &Link, scope: Scope<'_>) -> Result<Catalog> {
    let place = "the catalogue";
    // what the server prints must not depend on the account's path: everything qualified.
    // Only for the time of the reading: the destination's triggers may rely on that path.
    link.batch("SET search_path = pg_catalog", place)?;
    let read = read_in(link, scope);
    link.batch("RESET search_path", place)?;
    read
}

const RELATIONS: &str = "\
    SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, pg_get_userbyid(c.relowner)::text, \
           CASE WHEN c.relkind IN ('v','m') THEN pg_get_viewdef(c.oid) ELSE '' END, \
           CASE WHEN c.relrowsecurity THEN CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'enabled' END \
                ELSE '' END, \
           CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r','v','m','p','f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1) \
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname !~ '^ecluse_[0-9a-f]{8}$' \
      AND ($2::text[] IS NULL OR CASE WHEN n.nspname = 'public' THEN c.relname::text \
           ELSE n.nspname || '.' || c.relname END = ANY ($2))";

const COLUMNS: &str = "\
    SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), b.oid, \
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, \
           NOT (a.attnotnull OR t.typnotnull), a.atthasdef OR a.attidentity <> '', \
           a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false), \
           CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) ELSE '' END, \
           coalesce(l.collname::text, ''), coalesce(col_description(a.attrelid, a.attnum), ''), \
           b.typtype::text, e.oid, e.typtype::text, \
           (SELECT array_agg(v.enumlabel::text ORDER BY v.enumsortorder) FROM pg_enum v WHERE v.enumtypid = b.oid) \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
    LEFT JOIN pg_type e ON e.typarray = b.oid \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    LEFT JOIN pg_collation l ON l.oid = a.attcollation \
    WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped \
    ORDER BY a.attrelid, a.attnum";

const KEYS: &str = "\
    SELECT i.indrelid, i.indisprimary, \
           (SELECT array_agg(a.attname::text ORDER BY k.n) \
            FROM unnest(i.indkey) WITH ORDINALITY k(att, n) \
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att WHERE k.n <= i.indnkeyatts) \
    FROM pg_index i \
    WHERE i.indrelid = ANY ($1) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL \
    ORDER BY i.indrelid, i.indexrelid";

const FOREIGN_KEYS: &str = "\
    SELECT k.conrelid, k.conname::text, \
           (SELECT array_agg(a.attname::text ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY u(att, n) \
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.att), \
           CASE WHEN n.nspname = 'public' THEN r.relname::text ELSE n.nspname || '.' || r.relname END, \
           (SELECT array_agg(a.attname::text ORDER BY u.n) FROM unnest(k.confkey) WITH ORDINALITY u(att, n) \
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.att) \
    FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace \
    WHERE k.contype = 'f' AND k.conrelid = ANY ($1) ORDER BY k.conrelid, k.conname";

/// Those that hold of every row.
const CHECKS: &str = "\
    SELECT k.conrelid, pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k \
    WHERE k.contype = 'c' AND k.convalidated AND k.conrelid = ANY ($1)";

const TRIGGERS: &str = "\
    SELECT t.tgrelid, t.tgname::text, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text \
    FROM pg_trigger t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal ORDER BY t.tgrelid, t.tgname";

fn read_in(link: &Link, scope: Scope<'_>) -> Result<Catalog> {
    let place = "the catalogue";
    let wanted: Option<Vec<String>> = match scope {
        Scope::Everything => None,
        Scope::Tables(names) => Some(names.to_vec()),
    };
    let bad = |e: tokio_postgres::Error| link.side().fault(&e, place);
    let mut tables: BTreeMap<u32, Table> = BTreeMap::new();
    for row in link.query(RELATIONS, &[&LEDGER, &wanted], place)? {
        let (oid, table) = relation(&row).map_err(bad)?;
        tables.insert(oid, table);
    }
    let oids: Vec<u32> = tables.keys().copied().collect();
    for row in link.query(COLUMNS, &[&oids], place)? {
        let column = column(&row, link.side()).map_err(bad)?;
        if let Some(table) = row.try_get(0).ok().and_then(|oid: u32| tables.get_mut(&oid)) {
            table.columns.push(column);
        }
    }
    for row in link.query(KEYS, &[&oids], place)? {
        let columns: Vec<String> = row.try_get::<_, Option<_>>(2).map_err(bad)?.unwrap_or_default();
        if let Some(table) = row.try_get(0).ok().and_then(|oid: u32| tables.get_mut(&oid)) {
            if row.try_get(1).map_err(bad)? {
                table.key.clone_from(&columns);
            } else {
                table.uniques.push(columns);
            }
        }
    }
    for row in link.query(FOREIGN_KEYS, &[&oids], place)? {
        let key = ForeignKey {
            name: row.try_get(1).map_err(bad)?,
            columns: row.try_get(2).map_err(bad)?,
            references: row.try_get(3).map_err(bad)?,
            referenced: row.try_get(4).map_err(bad)?,
        };
        if let Some(table) = row.try_get(0).ok().and_then(|oid: u32| tables.get_mut(&oid)) {
            table.foreign_keys.push(key);
        }
    }
    for row in link.query(CHECKS, &[&oids], place)? {
        let check: Option<String> = row.try_get(1).map_err(bad)?;
        if let Some(table) = row.try_get(0).ok().and_then(|oid: u32| tables.get_mut(&oid)) {
            choices::of_postgres(table, &check.unwrap_or_default());
        }
    }
    for row in link.query(TRIGGERS, &[&oids], place)? {
        let (name, definition): (String, String) =
            (row.try_get(1).map_err(bad)?, row.try_get(2).map_err(bad)?);
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(definition.as_bytes()));
        if let Some(table) = row.try_get(0).ok().and_then(|oid: u32| tables.get_mut(&oid)) {
            table.triggers.push(format!("{name} sha256:{digest}"));
        }
    }
    let mut tables: Vec<Table> = tables.into_values().collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let database = link.one("SELECT current_database()::text", &[], place)?;
    Ok(Catalog { engine: Engine::Postgresql, database, identity: identity(link)?, tables })
}

fn relation(row: &Row) -> Result<(u32, Table), tokio_postgres::Error> {
    let (schema, name): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let kind: String = row.try_get(3)?;
    let estimated: Option<i64> = row.try_get(7)?;
    let oid: u32 = row.try_get(0)?;
    let table = Table {
        oid: Some(oid),
        name: if schema == "public" { name } else { format!("{schema}.{name}") },
        kind: match kind.as_str() {
            "v" => "view",
            "m" => "materialized",
            "p" => "partitioned",
            "f" => "foreign",
            _ => "table",
        }
        .to_owned(),
        storage: row.try_get(4)?,
        columns: Vec::new(),
        key: Vec::new(),
        uniques: Vec::new(),
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        row_security: row.try_get(6)?,
        definition: row.try_get::<_, Option<String>>(5)?.unwrap_or_default(),
        estimated_rows: estimated.and_then(|n| u64::try_from(n).ok()),
    };
    Ok((oid, table))
}

/// The kind of a type, from its oid, its `typtype`, and those of its element.
fn kind(row: &Row, oid: usize, rest: usize) -> Result<Kind, tokio_postgres::Error> {
    let letter = |text: String| text.chars().next().unwrap_or_default();
    let (element, its): (Option<u32>, Option<String>) = (row.try_get(rest + 1)?, row.try_get(rest + 2)?);
    Ok(Kind {
        oid: row.try_get(oid)?,
        typtype: letter(row.try_get(rest)?),
        element: element.zip(its.map(letter)),
    })
}

fn column(row: &Row, side: Side) -> Result<Column, tokio_postgres::Error> {
    let (oid, modifier): (u32, i32) = (row.try_get(3)?, row.try_get(4)?);
    let kind = kind(row, 3, 11)?;
    let wire = wire_of(kind);
    let wire = wire.filter(|w| matches!(side, Side::Source) || writable(*w, modifier));
    let max_length = match Pg::from_oid(oid) {
        Some(Pg::VARCHAR | Pg::BPCHAR) => modifier.checked_sub(4).and_then(|n| u32::try_from(n).ok()),
        _ => None,
    };
    Ok(Column {
        name: row.try_get(1)?,
        sql_type: row.try_get(2)?,
        ty: wire.map(|w| carried(w, modifier)),
        max_length,
        int_bounds: wire.and_then(bounds),
        nullable: row.try_get(5)?,
        has_default: row.try_get(6)?,
        identity: row.try_get(7)?,
        generated: row.try_get::<_, Option<String>>(8)?.unwrap_or_default(),
        collation: row.try_get(9)?,
        choice: kind.typtype == 'e' && kind.element.is_none(),
        labels: row.try_get::<_, Option<_>>(14)?.unwrap_or_default(),
        comment: row.try_get(10)?,
    })
}

/// The wire formats of a table's columns, in the order of `names`; `None` where there is no
/// such column or écluse refuses its type.
pub(super) fn wires<'a>(
    link: &Link,
    relation: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<Wire>>> {
    let rows = link.query(
        "SELECT a.attname::text, b.oid, b.typtype::text, e.oid, e.typtype::text \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
         LEFT JOIN pg_type e ON e.typarray = b.oid \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
        &[&relation],
        relation,
    )?;
    let mut found: BTreeMap<String, Kind> = BTreeMap::new();
    for row in rows {
        let get =
            || -> Result<(String, Kind), tokio_postgres::Error> { Ok((row.try_get(0)?, kind(&row, 1, 2)?)) };
        let (name, kind) = get().map_err(|e| link.side().fault(&e, relation))?;
        found.insert(name, kind);
    }
    Ok(names.map(|n| found.get(n).copied().and_then(wire_of)).collect())
}
