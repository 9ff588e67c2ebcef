//! What a role can do: each excess found, the script that gives none, the view as a barrier.

use ecluse_adapters::postgres::{Source, grants};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::Plan;
use ecluse_core::value::Value;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::{self, PostgresDatabase};

use super::help::{at, at_as};
use crate::common::{Wanted, planned, read_all, rows};

const SCHEMA: &str = "ecluse_0a1b2c3d";

/// A laboratory in small with something outside the instruction in every direction.
fn laboratory(database: &PostgresDatabase) {
    database.sql(
        "revoke create on schema public from public; \
         create table patient (id int8 primary key, nom text, secret text); \
         create table result (id int8 primary key, patient_id int8 references patient, value text, secret text); \
         create table staff (id int8 primary key, hash text); \
         insert into patient values (1, 'ALPHA', 'CANARY-COLUMN'), (2, 'CANARY-ROW', 'CANARY-COLUMN'); \
         insert into result values (1, 1, '5.1', 'CANARY-COLUMN'), (2, 2, 'CANARY-ROW', 'CANARY-COLUMN'); \
         insert into staff values (1, 'CANARY-TABLE')",
    );
}

fn plan_of(source: &mut Source, views: bool) -> Plan {
    let catalog = source.catalog(Scope::Everything).unwrap();
    let view = |name: &str| views.then(|| format!("{SCHEMA}.{name}"));
    planned(
        &catalog,
        &[
            Wanted {
                table: "patient",
                columns: &["id", "nom"],
                filter: Filter::Compare { column: 0, op: Comparison::Lt, value: Value::Int(2) },
                view: view("patient"),
            },
            Wanted {
                table: "result",
                columns: &["id", "patient_id", "value"],
                filter: Filter::Chosen { column: 1, table: 0, other: 0 },
                view: view("result"),
            },
        ],
    )
}

fn unique_role(database: &PostgresDatabase) -> String {
    format!("r_{}", database.name())
}

/// A role made by our script; its views in place.
fn granted(database: &PostgresDatabase) -> (String, Plan) {
    laboratory(database);
    let role = unique_role(database);
    let mut admin = Source::connect(&at(database)).unwrap();
    let plan = plan_of(&mut admin, true);
    let script = grants(&plan, &role, database.name()).unwrap();
    database.sql(&script.give);
    (role, plan)
}

fn remove(database: &PostgresDatabase, plan: &Plan, role: &str) {
    database.sql(&grants(plan, role, database.name()).unwrap().take);
    assert_eq!(database.sql(&format!("select count(*) from pg_roles where rolname = '{role}'")).trim(), "0");
    assert_eq!(
        database.sql(&format!("select count(*) from pg_namespace where nspname = '{SCHEMA}'")).trim(),
        "0"
    );
}

/// Fails with the guard off: without the views (the role reading the tables themselves) every
/// canary below is read.
#[test]
fn the_script_gives_a_role_that_reads_its_views_and_nothing_else() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("grants");
    let (role, plan) = granted(&database);
    let mut source = Source::connect(&at_as(&database, &role)).unwrap();
    assert_eq!(source.excess(&plan).unwrap(), []);
    let opened = source.open(&plan, false).unwrap();
    assert!(opened.barrier.contains("security_barrier"));
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 1);
    assert_eq!(rows(&read_all(&mut source, &plan, 1)), 1);
    assert_eq!(source.count(&plan.tables()[0]).unwrap().asked, 1);
    // the tables beneath the views are locked with them
    let altered = database.try_sql("set lock_timeout = '100ms'; alter table result add column x int");
    assert!(altered.unwrap_err().contains("lock timeout"));
    source.close().unwrap();

    // what the role reads of everything it can name, in its own words: no canary
    let readable = server
        .sql_as(
            &role,
            database.name(),
            &format!("select * from {SCHEMA}.patient; select * from {SCHEMA}.result"),
        )
        .unwrap();
    assert!(readable.contains("ALPHA") && !readable.contains("CANARY"), "{readable}");
    // a function with a low cost in the query sees no row that the view leaves out
    let leaky = format!(
        "create function pg_temp.leak(text) returns bool language plpgsql cost 0.0000001 \
         as $$ begin raise notice 'saw %', $1; return true; end $$; \
         select nom from {SCHEMA}.patient where pg_temp.leak(nom)"
    );
    // the session is read-only for the role by default; it may change that, the barrier stays
    let out =
        server.sql_as(&role, database.name(), &format!("set default_transaction_read_only = off; {leaky}"));
    assert!(!format!("{out:?}").contains("CANARY"), "{out:?}");
    for forbidden in [
        "select * from patient",
        "select secret from patient",
        "select * from staff",
        "select secret from ecluse_0a1b2c3d.patient",
        "insert into ecluse_0a1b2c3d.patient values (9, 'x')",
        "update ecluse_0a1b2c3d.patient set nom = 'x'",
        "delete from ecluse_0a1b2c3d.result",
        "create table public.mine (id int)",
        "create view ecluse_0a1b2c3d.mine as select 1",
        "select pg_read_file('/etc/hostname')",
        "copy staff to stdout",
        "select * from pg_authid",
    ] {
        let script = format!("set default_transaction_read_only = off; {forbidden}");
        assert!(server.sql_as(&role, database.name(), &script).is_err(), "{forbidden}");
    }
    drop(source);
    remove(&database, &plan, &role);
}

/// Each way to give a role more than its orders, as an administrator types it; the probe names
/// it, and is silent again once it is taken back. PostgreSQL's half of the requirement;
/// MariaDB's stands beside it.
// proves: EXT-04
#[test]
fn every_excess_is_found() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("excess");
    let (role, plan) = granted(&database);
    database.sql(
        "create table loose (id int8); create sequence counter; create view peek as select * from staff; \
         create function definer() returns text language sql security definer as 'select hash from staff'; \
         revoke execute on function definer() from public; \
         create foreign data wrapper wrapper; create server elsewhere foreign data wrapper wrapper; \
         create schema other; create table other.t (id int); select lo_create(4711)",
    );
    let name = database.name();
    let other = format!("other_{role}");
    server.sql("postgres", &format!("create role {other}"));
    let cases: Vec<(String, String, &str)> = vec![
        (format!("alter role {role} superuser"), format!("alter role {role} nosuperuser"), "SUPERUSER"),
        (format!("alter role {role} bypassrls"), format!("alter role {role} nobypassrls"), "BYPASSRLS"),
        (format!("alter role {role} createdb"), format!("alter role {role} nocreatedb"), "CREATEDB"),
        (format!("alter role {role} createrole"), format!("alter role {role} nocreaterole"), "CREATEROLE"),
        (format!("alter role {role} replication"), format!("alter role {role} noreplication"), "REPLICATION"),
        (
            format!("grant pg_read_all_data to {role}"),
            format!("revoke pg_read_all_data from {role}"),
            "pg_read_all_data",
        ),
        (format!("grant pg_monitor to {role}"), format!("revoke pg_monitor from {role}"), "pg_monitor"),
        (format!("grant {other} to {role}"), format!("revoke {other} from {role}"), "member of role"),
        (
            format!("grant select on staff to {role}"),
            format!("revoke select on staff from {role}"),
            "can read public.staff",
        ),
        (
            "grant select on staff to public".into(),
            "revoke select on staff from public".into(),
            "can read public.staff",
        ),
        (
            "grant select on peek to public".into(),
            "revoke select on peek from public".into(),
            "can read public.peek",
        ),
        (
            format!("grant select (secret) on patient to {role}"),
            format!("revoke select (secret) on patient from {role}"),
            "can read public.patient",
        ),
        (
            format!("grant usage on schema other to {role}; grant select on other.t to {role}"),
            format!("revoke all on schema other from {role}; revoke all on other.t from {role}"),
            "can read other.t",
        ),
        (
            format!("grant update (secret) on patient to {role}"),
            format!("revoke update (secret) on patient from {role}"),
            "can write public.patient (UPDATE)",
        ),
        (
            "grant insert on loose to public".into(),
            "revoke insert on loose from public".into(),
            "can write public.loose",
        ),
        (
            format!("grant truncate on loose to {role}"),
            format!("revoke truncate on loose from {role}"),
            "TRUNCATE",
        ),
        (
            format!("grant usage on sequence counter to {role}"),
            format!("revoke all on sequence counter from {role}"),
            "sequence public.counter",
        ),
        (
            format!("alter table loose owner to {role}"),
            "alter table loose owner to postgres".into(),
            "owns relation public.loose",
        ),
        (
            format!("grant create on database {name} to {role}"),
            format!("revoke create on database {name} from {role}"),
            "can create schemas",
        ),
        (
            "grant create on schema public to public".into(),
            "revoke create on schema public from public".into(),
            "schema public",
        ),
        (
            "grant execute on function definer() to public".into(),
            "revoke execute on function definer() from public".into(),
            "SECURITY DEFINER",
        ),
        (
            format!("grant execute on function pg_read_file(text) to {role}"),
            format!("revoke execute on function pg_read_file(text) from {role}"),
            "server's files",
        ),
        (
            format!("grant usage on foreign server elsewhere to {role}"),
            format!("revoke all on foreign server elsewhere from {role}"),
            "foreign server",
        ),
        (
            format!("grant usage on foreign data wrapper wrapper to {role}"),
            format!("revoke all on foreign data wrapper wrapper from {role}"),
            "foreign-data wrapper",
        ),
        (
            "grant select on large object 4711 to public".into(),
            "revoke all on large object 4711 from public".into(),
            "large objects",
        ),
        (
            format!("alter default privileges grant select on tables to {role}"),
            format!("alter default privileges revoke select on tables from {role}"),
            "made later",
        ),
        (
            format!("alter view {SCHEMA}.patient reset (security_barrier)"),
            format!("alter view {SCHEMA}.patient set (security_barrier = true)"),
            "not a security_barrier view",
        ),
        (
            format!("grant select on pg_authid to {role}"),
            format!("revoke select on pg_authid from {role}"),
            "pg_authid",
        ),
    ];
    for (give, take, expected) in cases {
        database.sql(&give);
        let mut source = Source::connect(&at_as(&database, &role)).unwrap();
        let found = source.excess(&plan).unwrap();
        assert!(found.iter().any(|e| e.what.contains(expected)), "{give}: {found:?}");
        assert!(found.iter().all(|e| !format!("{e:?}").contains("CANARY")), "{found:?}");
        database.sql(&take);
        assert_eq!(source.excess(&plan).unwrap(), [], "{take}");
    }
    server.sql("postgres", &format!("drop role {other}"));
    remove(&database, &plan, &role);
}

/// Without views (an override), columns beyond the plan are an excess too.
#[test]
fn without_views_the_columns_are_held_against_the_plan() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("bare");
    laboratory(&database);
    let role = unique_role(&database);
    database.sql(&format!(
        "create role {role} login; grant select on patient to {role}; \
         grant select (id, patient_id, value) on result to {role}"
    ));
    let mut source = Source::connect(&at_as(&database, &role)).unwrap();
    let plan = plan_of(&mut source, false);
    let found = source.excess(&plan).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("public.patient") && found[0].what.ends_with("secret"));
    let opened = source.open(&plan, false).unwrap();
    assert!(!opened.barrier.contains("security_barrier"));
    assert!(
        opened.limits.iter().any(|l| l.contains("result"))
            && !opened.limits.iter().any(|l| l.contains("patient"))
    );
    let altered = database.try_sql("set lock_timeout = '100ms'; alter table result add column x int");
    assert!(altered.unwrap_err().contains("lock timeout"));
    drop(source);
    database.sql(&format!("drop owned by {role}; drop role {role}"));
}

/// Measured for `docs/formats.md`: every part of the schema digest is visible to a role that
/// can connect and has no grant at all.
#[test]
fn the_catalogue_looks_the_same_to_a_role_without_any_grant() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("blind");
    laboratory(&database);
    database.sql(
        "alter table patient enable row level security; create view v as select id from staff; \
         alter table staff add column g int generated always as (1 + 1) stored; \
         create function f() returns trigger language plpgsql as 'begin return new; end'; \
         create trigger t before insert on result for each row execute function f(); \
         create table lower_case (c text collate \"C\" default 'x', n serial); comment on column staff.hash is 'label'",
    );
    let role = unique_role(&database);
    database.sql(&format!("create role {role} login"));
    let mut blind = Source::connect(&at_as(&database, &role)).unwrap();
    let mut admin = Source::connect(&at(&database)).unwrap();
    assert_eq!(blind.identity().unwrap(), admin.identity().unwrap());
    let (seen, whole) =
        (blind.catalog(Scope::Everything).unwrap(), admin.catalog(Scope::Everything).unwrap());
    assert_eq!(seen, whole);
    let table = |name: &str| whole.table(name).unwrap();
    assert_eq!(table("patient").row_security, "enabled");
    assert!(table("v").definition.contains("staff"));
    assert_eq!(table("staff").column("g").unwrap().generated, "(1 + 1)");
    assert!(table("result").triggers[0].starts_with("t sha256:"));
    assert_eq!(table("result").foreign_keys[0].references, "patient");
    assert_eq!(table("lower_case").column("c").unwrap().collation, "C");
    assert!(table("lower_case").column("n").unwrap().identity);
    assert_eq!(table("staff").column("hash").unwrap().comment, "label");
    drop((blind, admin));
    database.sql(&format!("drop role {role}"));
}

#[test]
fn a_view_that_nobody_made_is_said_so() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("noview");
    laboratory(&database);
    let mut source = Source::connect(&at(&database)).unwrap();
    let plan = plan_of(&mut source, true);
    let fault = source.open(&plan, false).unwrap_err();
    assert_eq!(fault.code().id, "ECL-SRC-521");
    assert!(fault.advice().contains("ecluse grants"));
}
