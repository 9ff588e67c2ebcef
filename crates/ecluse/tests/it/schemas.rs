//! A PostgreSQL schema that is not there is made with the first of its tables.

use std::path::{Path, PathBuf};

use ecluse_testkit::migration::End;
use ecluse_testkit::server::{self, PostgresDatabase};
use rusqlite::Connection;

use crate::reference::{killed, refused};
use crate::succeed;

const OLD: &str = r#"
CREATE TABLE "auth.users" (id INTEGER PRIMARY KEY, code VARCHAR(9));
CREATE TABLE "l'été.Visite" (id INTEGER PRIMARY KEY, patient_id INTEGER);
INSERT INTO "auth.users" VALUES (1, 'Un'), (2, 'Deux');
INSERT INTO "l'été.Visite" VALUES (1, 2);
"#;

/// A signed trial from two tables with a point in their names to this database, as this role.
fn signed(here: &Path, name: &str, to: &PostgresDatabase, role: &str) -> PathBuf {
    let old = here.join("old.db");
    if !old.exists() {
        Connection::open(old).unwrap().execute_batch(OLD).unwrap();
    }
    let url = End::postgres(to, role).url().to_owned();
    succeed(here, &["new", name, "--trial", "--from", "sqlite:old.db", "--to", &url]);
    let lab = here.join(name);
    succeed(&lab, &["survey"]);
    let tables = ["--table", "auth.users", "--table", "l'été.Visite"];
    succeed(&lab, &[&["instruction", "new", "--grant-proposed"], &tables[..]].concat());
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// The schemas and the tables there that are the laboratory's.
fn stands(database: &PostgresDatabase) -> String {
    let schemas = "select string_agg(nspname, ',' order by nspname) from pg_namespace \
                   where nspname !~ '^pg_' and nspname not in ('information_schema', 'public', 'ecluse_ledger')";
    let tables = "select string_agg(schemaname || '.' || tablename, ',' order by 1) from pg_tables \
                  where schemaname in ('auth', 'l''été')";
    format!("{}|{}", database.sql(schemas).trim(), database.sql(tables).trim())
}

const WHOLE: &str = "auth,l'été|auth.users,l'été.Visite";

// fails with the guard off: SQLSTATE 3F000 at the first table of the schema
#[test]
fn a_missing_schema_is_made_and_a_kill_between_two_of_them_leaves_a_start_that_goes_on() {
    let Some(postgres) = server::postgres() else { return };
    let to = postgres.database("schemas");
    let here = tempfile::tempdir().unwrap();
    let lab = signed(here.path(), "lab", &to, "postgres");
    let said = succeed(&lab, &["plan", "--ddl"]);
    assert!(said.contains("CREATE SCHEMA \"auth\""), "{said}");
    // a schema and its table are one statement's: neither stands alone
    for (at, left) in [("before:1", "|"), ("after:1", "auth|auth.users"), ("before:1", "auth|auth.users")] {
        assert!(killed(&lab, &["migrate", "--ddl"], &format!("postgres.create.commit.{at}")), "{at}");
        assert_eq!(stands(&to), left, "{at}");
    }
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    assert_eq!(stands(&to), WHOLE);
    let moved = "select (select sum(id) from auth.users) || '/' || sum(patient_id) from \"l'été\".\"Visite\"";
    assert_eq!(to.sql(moved).trim(), "3/2");
    // an undo takes the rows and what its run made of tables; a schema may be another's by now
    succeed(&lab, &["undo"]);
    assert_eq!(stands(&to), "auth,l'été|");
}

// fails with the guard off: the database's own SQLSTATE, and no word of which table
#[test]
fn a_role_that_may_not_make_a_schema_is_told_so_and_leaves_nothing_behind() {
    let Some(postgres) = server::postgres() else { return };
    let to = postgres.database("schemas_role");
    let role = format!("maker_{}", to.name());
    to.sql(&format!("create role {role} login; grant create on schema public to {role}"));
    let here = tempfile::tempdir().unwrap();
    let lab = signed(here.path(), "lab", &to, &role);
    let said = refused(&lab, &["migrate", "--ddl"], "ECL-DST-504");
    assert!(said.contains("auth.users") && said.contains("42501"), "{said}");
    assert_eq!(stands(&to), "|");
    // the right that was missing, and the same command goes on
    to.sql(&format!("grant create on database {} to {role}", to.name()));
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(stands(&to), WHOLE);
    to.sql(&format!("drop owned by {role}; drop role {role}"));
}
