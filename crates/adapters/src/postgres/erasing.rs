//! The script for whoever erases at a PostgreSQL source: a role that deletes ordered rows, and sees what refers to
//! them.

use std::collections::BTreeSet;

use ecluse_flow::erase::Needs;

use super::grants::where_role;
use super::text::{ident, list, relation};
use crate::sql;

/// The script that makes the role, and the one that removes it. Per table of which rows go: SELECT on what moved and on
/// what is compared of it, DELETE. Per table that refers to one: SELECT on the columns that do. Writing a table anew
/// (VACUUM FULL) is its owner's before PostgreSQL 17.
#[must_use]
pub fn erasing(needs: &Needs<'_>, role: &str, database: &str) -> (String, String) {
    let (who, place) = (ident(role), ident(database));
    let sides = sql::sides(needs);
    let schemas: BTreeSet<&str> =
        sides.keys().map(|table| table.split_once('.').map_or("public", |(schema, _)| schema)).collect();
    let mut give = format!(
        "-- Made by `ecluse grants --erasing`, for the administrator, before `ecluse erase --source`.\n\
         \\set ON_ERROR_STOP on\nBEGIN;\n\
         CREATE ROLE {who} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 6;\n\
         GRANT CONNECT ON DATABASE {place} TO {who};\n"
    );
    let mut take = String::new();
    for (table, columns) in &sides {
        let delete = if needs.tables.contains(&table.as_str()) { ", DELETE" } else { "" };
        let (on, columns) = (relation(table), list(columns.iter().map(String::as_str)));
        give.push_str(&format!("GRANT SELECT ({columns}){delete} ON {on} TO {who};\n"));
        take.push_str(&format!(
            "REVOKE ALL ON {on} FROM {who};\nREVOKE SELECT ({columns}) ON {on} FROM {who};\n"
        ));
    }
    for schema in schemas {
        give.push_str(&format!("GRANT USAGE ON SCHEMA {} TO {who};\n", ident(schema)));
        take.push_str(&format!("REVOKE USAGE ON SCHEMA {} FROM {who};\n", ident(schema)));
    }
    // no failpoint: a script that is printed, for the administrator to run
    give.push_str("COMMIT;\n");
    give.push_str(&format!(
        "-- From PostgreSQL 15 on, so that no trigger of the tables fires for its DELETE, and no CASCADE:\n\
         --   GRANT SET ON PARAMETER session_replication_role TO {who};\n\
         -- Its password, typed twice and never shown:  \\password {who}\n"
    ));
    take.push_str(&format!(
        "REVOKE CONNECT ON DATABASE {place} FROM {who};\n\
         -- where it was granted: REVOKE SET ON PARAMETER session_replication_role FROM {who};\n\
         DROP ROLE {who};\n"
    ));
    let take = format!(
        "-- Removes what the script of `ecluse grants --erasing` made.\n\\set ON_ERROR_STOP on\nBEGIN;\n{}COMMIT;\n",
        where_role(role, &take)
    );
    (give, take)
}
