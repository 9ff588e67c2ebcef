//! What a role could do beyond its orders.
//!
//! Orders: connect, and read one view per instructed table (without views: the planned columns
//! of the tables). The engine itself is asked, through its `has_…_privilege` functions, so that
//! rights by PUBLIC, by membership and by ownership count as much as direct grants.
//!
//! Not counted: UPDATE on `pg_settings`, another spelling of SET; TEMPORARY on the database, which PUBLIC has everywhere and which reaches
//! nobody's rows (the session is read-only); and other databases of the instance, which one
//! connection cannot look into ([`elsewhere`] counts them for the report).

use std::collections::{BTreeMap, BTreeSet};

use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_flow::erase::Needs;
use ecluse_flow::ports::Excess;
use tokio_postgres::types::ToSql;

use super::connect::Link;
use super::text::{ident, relation};
use crate::sql;

/// The question that knows of tables from which rows may be deleted: `$1`, by their quoted names.
const WRITTEN: &str = "written tables";

/// Each line: what, in words; the statement that takes it away, empty where none is to be advised.
const QUESTIONS: &[(&str, &str)] = &[
    (
        "attributes",
        // no statement: of the only superuser it would lock everybody out of the server
        "SELECT 'has ' || w, '' FROM pg_roles, \
         LATERAL (VALUES ('SUPERUSER', rolsuper), ('BYPASSRLS', rolbypassrls), ('CREATEDB', rolcreatedb), \
                         ('CREATEROLE', rolcreaterole), ('REPLICATION', rolreplication)) v(w, has) \
         WHERE rolname = current_user AND has",
    ),
    (
        "memberships",
        "SELECT 'is a member of role ' || rolname, format('REVOKE %I FROM %I', rolname, current_user) \
         FROM pg_roles WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER') ORDER BY rolname",
    ),
    (
        WRITTEN,
        "SELECT 'can write ' || c.oid::regclass::text || ' (' || string_agg(p, ', ') || ')', \
                format('REVOKE %s ON %s FROM %I, PUBLIC', string_agg(p, ', '), c.oid::regclass, current_user) \
         FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p \
         WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND c.relowner <> current_user::regrole \
           AND c.oid <> 'pg_settings'::regclass AND has_schema_privilege(c.relnamespace, 'USAGE') \
           AND CASE WHEN p IN ('INSERT', 'UPDATE', 'REFERENCES') THEN has_any_column_privilege(c.oid, p) \
                    ELSE has_table_privilege(c.oid, p) END \
           AND NOT (p = 'DELETE' AND c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS may(name))) \
         GROUP BY c.oid ORDER BY 1",
    ),
    (
        "sequences",
        "SELECT 'can advance sequence ' || c.oid::regclass::text, \
                format('REVOKE ALL ON SEQUENCE %s FROM %I, PUBLIC', c.oid::regclass, current_user) \
         FROM pg_class c WHERE c.relkind = 'S' AND has_schema_privilege(c.relnamespace, 'USAGE') \
           AND c.relowner <> current_user::regrole AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE') END ORDER BY 1",
    ),
    (
        "ownership",
        "SELECT 'owns ' || w, '' FROM ( \
           SELECT 'relation ' || oid::regclass::text, relowner FROM pg_class WHERE relkind IN ('r','v','m','p','f','S') \
           UNION ALL SELECT 'schema ' || nspname, nspowner FROM pg_namespace \
           UNION ALL SELECT 'function ' || oid::regprocedure::text, proowner FROM pg_proc \
           UNION ALL SELECT 'type ' || oid::regtype::text, typowner FROM pg_type WHERE typtype <> 'b' AND typrelid = 0 \
           UNION ALL SELECT 'database ' || datname, datdba FROM pg_database) o(w, owner) \
         WHERE owner = current_user::regrole ORDER BY 1",
    ),
    (
        "create",
        "SELECT 'can create schemas in this database', \
                format('REVOKE CREATE ON DATABASE %I FROM %I, PUBLIC', current_database(), current_user) \
         WHERE has_database_privilege(current_database(), 'CREATE') \
         UNION ALL \
         SELECT 'can create objects in schema ' || nspname, \
                format('REVOKE CREATE ON SCHEMA %I FROM %I, PUBLIC', nspname, current_user) \
         FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspowner <> current_user::regrole \
           AND has_schema_privilege(oid, 'CREATE')",
    ),
    (
        "routines",
        "SELECT 'can execute ' || oid::regprocedure::text || ' with its owner''s rights (SECURITY DEFINER)', \
                format('REVOKE EXECUTE ON ROUTINE %s FROM %I, PUBLIC', oid::regprocedure, current_user) \
         FROM pg_proc WHERE prosecdef AND proowner <> current_user::regrole \
           AND has_function_privilege(oid, 'EXECUTE') AND has_schema_privilege(pronamespace, 'USAGE') \
         UNION ALL \
         SELECT 'can execute ' || oid::regprocedure::text || ', which reads or writes the server''s files', \
                format('REVOKE EXECUTE ON FUNCTION %s FROM %I, PUBLIC', oid::regprocedure, current_user) \
         FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(oid, 'EXECUTE') \
           AND proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', \
                           'lo_export', 'pg_file_write', 'pg_ls_logdir', 'pg_ls_waldir')",
    ),
    (
        "foreign servers",
        "SELECT 'can use foreign server ' || srvname, format('REVOKE USAGE ON FOREIGN SERVER %I FROM %I, PUBLIC', srvname, current_user) \
         FROM pg_foreign_server WHERE has_server_privilege(oid, 'USAGE') \
         UNION ALL \
         SELECT 'can use foreign-data wrapper ' || fdwname, \
                format('REVOKE USAGE ON FOREIGN DATA WRAPPER %I FROM %I, PUBLIC', fdwname, current_user) \
         FROM pg_foreign_data_wrapper WHERE has_foreign_data_wrapper_privilege(oid, 'USAGE')",
    ),
    (
        "large objects",
        "SELECT 'can read or write ' || count(*) || ' large objects', \
                format('REVOKE ALL ON LARGE OBJECT … FROM %I, PUBLIC', current_user) \
         FROM pg_largeobject_metadata m WHERE lomowner = current_user::regrole \
            OR EXISTS (SELECT 1 FROM aclexplode(lomacl) a WHERE a.grantee = 0 \
                       OR pg_has_role(current_user, a.grantee, 'USAGE')) HAVING count(*) > 0 \
         UNION ALL \
         SELECT 'can read every large object (lo_compat_privileges is on)', 'ALTER SYSTEM SET lo_compat_privileges = off' \
         WHERE current_setting('lo_compat_privileges') = 'on'",
    ),
    (
        "default privileges",
        "SELECT 'will be able to reach objects that are made later', \
                format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE %s ON TABLES FROM %s', pg_get_userbyid(d.defaclrole), \
                       a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) \
         FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE d.defaclobjtype = 'r' \
           AND d.defaclrole <> current_user::regrole \
           AND (a.grantee = 0 OR pg_has_role(current_user, a.grantee, 'USAGE'))",
    ),
];

/// Readable relations, with each readable column. Of the engine's own only those are asked for
/// that hold rows' values, password hashes or foreign passwords.
const READABLE: &str = "\
    SELECT n.nspname::text, c.relname::text, array_agg(a.attname::text ORDER BY a.attnum) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND c.relowner <> current_user::regrole \
      AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') \
      AND (n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
           OR c.relname IN ('pg_authid', 'pg_shadow', 'pg_largeobject', 'pg_statistic', 'pg_statistic_ext_data', \
                            'pg_user_mapping', 'pg_subscription') AND n.nspname = 'pg_catalog' \
              AND has_table_privilege(c.oid, 'SELECT')) \
    GROUP BY 1, 2 ORDER BY 1, 2";

/// Everything the role could do beyond the plan; empty is what the instruction demands.
pub(super) fn excess(link: &Link, plan: &Plan) -> Result<Vec<Excess>> {
    let columns = |table: &TablePlan| table.read().iter().map(|c| c.name.clone()).collect::<BTreeSet<_>>();
    let mut may = May::default();
    for table in plan.tables() {
        let name = relation(table.view().unwrap_or(table.source()));
        may.read.entry(name).or_default().extend(columns(table));
    }
    let mut found = beyond(link, &may)?;
    if !found.1 {
        found.0.extend(weak_views(link, plan)?);
    }
    Ok(found.0)
}

/// The same of an account that erases; it needs what the script of `ecluse grants --erasing` gives.
pub(super) fn of_eraser(link: &Link, needs: &Needs<'_>) -> Result<Vec<Excess>> {
    let read = sql::sides(needs).into_iter().map(|(table, columns)| (relation(&table), columns)).collect();
    let delete = needs.tables.iter().map(|table| relation(table)).collect();
    beyond(link, &May { read, delete }).map(|(found, _)| found)
}

/// What a role needs, by quoted names.
#[derive(Default)]
struct May {
    read: BTreeMap<String, BTreeSet<String>>,
    delete: Vec<String>,
}

/// Everything beyond that, and whether the role is a superuser.
fn beyond(link: &Link, may: &May) -> Result<(Vec<Excess>, bool)> {
    let place = "the role's rights";
    link.batch("SET search_path = pg_catalog", place)?;
    let superuser: bool =
        link.one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", &[], place)?;
    let mut found = Vec::new();
    for (subject, question) in QUESTIONS {
        let written: [&(dyn ToSql + Sync); 1] = [&may.delete];
        for row in link.query(question, if *subject == WRITTEN { &written } else { &[] }, place)? {
            let get = |i: usize| row.try_get::<_, String>(i).map_err(|e| link.side().fault(&e, place));
            found.push(Excess { what: get(0)?, remedy: get(1)? });
        }
        // a superuser can do everything: the list of everything would say no more
        if superuser && *subject == "attributes" {
            return Ok((found, true));
        }
    }
    found.extend(readable(link, &may.read)?);
    Ok((found, false))
}

/// Other databases of the instance that the role may connect to, and that nobody probed.
pub(super) fn elsewhere(link: &Link) -> Result<i64> {
    link.one(
        "SELECT count(*) FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate \
         AND datname <> current_database() AND has_database_privilege(oid, 'CONNECT')",
        &[],
        "the role's rights",
    )
}

fn readable(link: &Link, allowed: &BTreeMap<String, BTreeSet<String>>) -> Result<Vec<Excess>> {
    let place = "the role's rights";
    let mut found = Vec::new();
    for row in link.query(READABLE, &[], place)? {
        let fault = |e: tokio_postgres::Error| link.side().fault(&e, place);
        let (schema, name): (String, String) =
            (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
        let columns: Vec<String> = row.try_get(2).map_err(fault)?;
        let qualified = format!("{}.{}", ident(&schema), ident(&name));
        let shown = format!("{schema}.{name}");
        let Some(planned) = allowed.get(&qualified) else {
            found.push(Excess {
                what: format!("can read {shown}"),
                remedy: format!("REVOKE SELECT ON {qualified} FROM CURRENT_ROLE_OF_ECLUSE, PUBLIC"),
            });
            continue;
        };
        let beyond: Vec<&str> =
            columns.iter().map(String::as_str).filter(|c| !planned.contains(*c)).collect();
        if !beyond.is_empty() {
            found.push(Excess {
                what: format!("can read columns of {shown} that are not planned: {}", beyond.join(", ")),
                remedy: "have the administrator run the script of `ecluse grants` again".into(),
            });
        }
    }
    let role: String = link.one("SELECT quote_ident(current_user)", &[], place)?;
    for excess in &mut found {
        excess.remedy = excess.remedy.replace("CURRENT_ROLE_OF_ECLUSE", &role);
    }
    Ok(found)
}

/// Views without `security_barrier`: a function in a query could see rows that the view leaves out.
fn weak_views(link: &Link, plan: &Plan) -> Result<Vec<Excess>> {
    let views: Vec<String> = plan.tables().iter().filter_map(|t| t.view()).map(relation).collect();
    let rows = link.query(
        "SELECT c.oid::regclass::text FROM unnest($1::text[]) v(name) JOIN pg_class c ON c.oid = to_regclass(v.name) \
         WHERE c.relkind <> 'v' OR NOT coalesce(c.reloptions && ARRAY['security_barrier=true', 'security_barrier=on', \
               'security_barrier=1', 'security_barrier'], false)",
        &[&views],
        "the role's rights",
    )?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0).map_err(|e| link.side().fault(&e, "the role's rights"))?;
            Ok(Excess {
                what: format!("reads {name}, which is not a security_barrier view"),
                remedy: format!("ALTER VIEW {name} SET (security_barrier = true)"),
            })
        })
        .collect()
}
