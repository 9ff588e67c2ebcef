//! The script for the controller's administrator: one view per instructed table, a role
//! that can read these views and nothing else, and their removal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;
use ecluse_core::types::Engine;

use super::connect::Link;
use super::text::{ident, list, relation};
use crate::sql;

/// No table of the plan is read through a view.
pub(crate) static NO_VIEWS: Code = Code::refused("ECL-SRC-525", "the plan reads no table through a view");

/// The script that makes the views and the role, and, after it, the one that removes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// To be run once, as an administrator who may read the instructed tables.
    pub give: String,
    /// To be run when the migration is closed.
    pub take: String,
}

/// The grants for a plan's views, for `role` in `database`.
///
/// The views are `security_barrier`: the planner may not run a caller's function on rows that
/// the view leaves out (PostgreSQL manual, "Rules and Privileges"). A row filter's literals
/// stand in the view's text; they are the instruction's own, typed and quoted by
/// [`crate::sql::literal`].
///
/// # Errors
///
/// [`NO_VIEWS`](self), and whatever [`crate::sql::view_body`] refuses.
pub fn grants(plan: &Plan, role: &str, database: &str) -> Result<Grants> {
    let schemas: BTreeSet<&str> = plan
        .tables()
        .iter()
        .filter_map(|t| t.view())
        .filter_map(|v| v.split_once('.'))
        .map(|(s, _)| s)
        .collect();
    if schemas.is_empty() {
        return Err(NO_VIEWS.fault("").help("plan without the override that reads tables directly"));
    }
    let beneath: BTreeSet<&str> =
        plan.tables().iter().map(|t| t.source().split_once('.').map_or("public", |(s, _)| s)).collect();
    let (who, place) = (ident(role), ident(database));
    let mut give = String::new();
    let mut line = |text: String| {
        give.push_str(&text);
        give.push('\n');
    };
    line("-- Made by `ecluse grants`. Run it with psql, connected to the source database,".into());
    line("-- as an administrator who may read the instructed tables and create roles.".into());
    line("\\set ON_ERROR_STOP on".into());
    line("BEGIN;".into());
    line(format!(
        "CREATE ROLE {who} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 6;"
    ));
    line(format!("ALTER ROLE {who} SET default_transaction_read_only = on;"));
    line("-- TEMPORARY, and USAGE on the tables' schemas, let it have the server print the script's".into());
    line("-- own text, with which the views' is compared; no table can be read with them.".into());
    line(format!("GRANT CONNECT, TEMPORARY ON DATABASE {place} TO {who};"));
    for schema in &beneath {
        line(format!("GRANT USAGE ON SCHEMA {} TO {who};", ident(schema)));
    }
    for schema in &schemas {
        line(format!("CREATE SCHEMA {};", ident(schema)));
        line(format!("REVOKE ALL ON SCHEMA {} FROM PUBLIC;", ident(schema)));
        line(format!("GRANT USAGE ON SCHEMA {} TO {who};", ident(schema)));
    }
    for table in plan.tables() {
        let Some(view) = table.view() else { continue };
        let body = sql::view_body(Engine::Postgresql, table, plan, None)?;
        let columns = list(table.read().iter().map(|c| c.name.as_str()));
        line(format!(
            "CREATE VIEW {} ({columns}) WITH (security_barrier = true) AS\n  {body};",
            relation(view)
        ));
        line(format!("REVOKE ALL ON {} FROM PUBLIC;", relation(view)));
        line(format!("GRANT SELECT ON {} TO {who};", relation(view)));
    }
    // no failpoint: a script that is printed, for the administrator to run
    line("COMMIT;".into());
    line(format!("-- Its password, typed twice and never shown:  \\password {who}"));

    let mut take =
        String::from("-- Removes what the script of `ecluse grants` made.\n\\set ON_ERROR_STOP on\nBEGIN;\n");
    for schema in &schemas {
        for table in plan.tables().iter().rev() {
            if let Some(view) = table.view().filter(|v| v.split_once('.').is_some_and(|(s, _)| s == *schema))
            {
                let _ = writeln!(take, "DROP VIEW IF EXISTS {};", relation(view));
            }
        }
        // without CASCADE: what somebody else put there is not ours to drop
        let _ = writeln!(take, "DROP SCHEMA IF EXISTS {};", ident(schema));
    }
    let mut of_role = String::new();
    for schema in &beneath {
        let _ = writeln!(of_role, "REVOKE USAGE ON SCHEMA {} FROM {who};", ident(schema));
    }
    let _ = writeln!(of_role, "REVOKE CONNECT, TEMPORARY ON DATABASE {place} FROM {who};\nDROP ROLE {who};");
    let _ = writeln!(take, "{}COMMIT;", where_role(role, &of_role));
    Ok(Grants { give, take })
}

/// Lines of a script for psql that are run where the role is there: one that somebody dropped already stops nothing.
pub(super) fn where_role(role: &str, lines: &str) -> String {
    let text = role.replace('\'', "''");
    format!(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = '{text}') AS ecluse_role_stands \\gset\n\
         \\if :ecluse_role_stands\n{lines}\\else\n\\echo The role is not there any more.\n\\endif\n"
    )
}

/// The schemas of earlier scripts' views that the role may use; `None` where there is no such role.
pub(super) fn granted(link: &Link, role: &str) -> Result<Option<Vec<String>>> {
    let place = "the role's rights";
    let stands = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1)";
    if !link.one::<bool>(stands, &[&role], place)? {
        return Ok(None);
    }
    let schemas = "SELECT nspname::text FROM pg_catalog.pg_namespace \
                   WHERE nspname ~ '^ecluse_[0-9a-f]{8}$' AND has_schema_privilege($1::name, oid, 'USAGE') ORDER BY 1";
    let rows = link.query(schemas, &[&role], place)?;
    let name = |row: &tokio_postgres::Row| row.try_get(0).map_err(|e| link.side().fault(&e, place));
    rows.iter().map(name).collect::<Result<_>>().map(Some)
}
