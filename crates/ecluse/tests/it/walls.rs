//! A trial behind the wall that `ecluse grants` prints: before the destination has a table, the
//! script; once the administrator ran it, its views are read and nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;

use crate::{ecluse, succeed};

const TABLES: &str = "
create table patient (id int primary key, nom varchar(60) not null, secret varchar(60));
create table examen (id int primary key, patient_id int not null references patient(id), valeur varchar(20));
insert into patient values (1, 'Fontenelle', 'CANARY'), (2, 'Sauvageot', 'CANARY');
insert into examen values (10, 1, '5,1'), (11, 2, '6'), (12, 2, '7');";

const PASSWORD: &str = "only-for-this-test-51e";

fn secret(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// A trial as far as its signed order; its folder.
fn ordered(here: &Path, from: &str) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"]);
    // `secret` was not proposed; one patient stays behind too
    let path = lab.join("instruction.toml");
    let order = std::fs::read_to_string(&path).unwrap();
    let (before, table) = order.split_once("\"patient\"").unwrap();
    let table = table.replacen("'true'", "'id > 1'", 1);
    std::fs::write(&path, format!("{before}\"patient\"{table}")).unwrap();
    std::fs::remove_file(lab.join("mapping.toml")).unwrap();
    succeed(&lab, &["mapping", "new"]);
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// The same, read as the server's administrator.
fn ordered_by_administrator(here: &Path, url: &str, password: &str) -> PathBuf {
    let password = secret(&here.join("admin"), password);
    ordered(here, &format!("{url}?password-file={password}"))
}

/// The role that the script names.
fn role(lab: &Path) -> String {
    let said: serde_json::Value = serde_json::from_str(&succeed(lab, &["grants", "--json"])).unwrap();
    said["role"].as_str().unwrap().to_owned()
}

/// The trial moves through the views, with an account that reads nothing else.
fn moves(lab: &Path, from: &str, barrier: &str) {
    let plan = succeed(lab, &["plan", "--ddl", "--from", from]);
    Connection::open(lab.parent().unwrap().join("new.db")).unwrap().execute_batch(&plan).unwrap();
    let said = succeed(lab, &["plan", "--from", from]);
    assert!(said.contains(barrier) && said.contains("Ready:"), "{said}");
    let statements = succeed(lab, &["plan", "--statements", "--from", from]);
    assert!(statements.contains("ecluse_") && !statements.contains("secret"), "{statements}");
    succeed(lab, &["migrate", "--from", from]);
    succeed(lab, &["reconcile", "--from", from]);
    let new = Connection::open(lab.parent().unwrap().join("new.db")).unwrap();
    let patients: i64 = new.query_row("select count(*) from patient", [], |r| r.get(0)).unwrap();
    assert_eq!(patients, 1);
}

#[test]
fn a_trial_reads_the_views_once_the_administrator_made_them_on_postgresql() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("trialwall");
    database.sql(TABLES);
    let here = tempfile::tempdir().unwrap();
    let lab = ordered_by_administrator(here.path(), &database.url(), &server.password());
    // without the views the tables themselves are read, and said to be
    let (script, removal) = (succeed(&lab, &["grants"]), succeed(&lab, &["grants", "--remove"]));
    let role = role(&lab);
    database.sql(&format!("{script}\nalter role {role} password '{PASSWORD}'"));
    let password = secret(&here.path().join("role"), PASSWORD);
    let url = database.url().replace("postgres@", &format!("{role}@"));
    moves(&lab, &format!("{url}?password-file={password}"), "security_barrier view");
    // somebody dropped the role already: what else the script made goes all the same
    database.sql(&format!("drop owned by {role}; drop role {role}"));
    let schemas = "select count(*) from pg_namespace where nspname like 'ecluse_%'";
    assert_eq!(database.sql(schemas).trim(), "1");
    database.sql(&removal);
    assert_eq!(database.sql(schemas).trim(), "0");
}

#[test]
fn a_trial_reads_the_views_once_the_administrator_made_them_on_mariadb() {
    let Some(server) = server::mariadb() else { return };
    let database = server.database("trialwall");
    database.sql(TABLES);
    let here = tempfile::tempdir().unwrap();
    let lab = ordered_by_administrator(here.path(), &database.url(), &server.password());
    let (script, removal) = (
        succeed(&lab, &["grants", "--host", "127.0.0.1"]),
        succeed(&lab, &["grants", "--host", "127.0.0.1", "--remove"]),
    );
    let role = role(&lab);
    server.sql("", &script);
    server.sql("", &format!("alter user `{role}`@`127.0.0.1` identified by '{PASSWORD}' account unlock"));
    let password = secret(&here.path().join("role"), PASSWORD);
    let from = format!("{}?password-file={password}", database.url_as(&role));
    moves(&lab, &from, "one view per instructed table");
    // a view that somebody narrowed since: not a row more
    let space: String = script
        .lines()
        .find_map(|l| l.strip_prefix("CREATE DATABASE ")?.split(' ').next())
        .unwrap()
        .to_owned();
    server.sql(
        "",
        &format!(
            "create or replace view {space}.patient as select id, nom from {}.patient where id > 2",
            database.name()
        ),
    );
    let output = ecluse(&lab, &["migrate", "--from", &from]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ECL-SRC-209") && said.contains("patient"), "{said}");
    server.sql("", &removal);
}

/// An order that was changed, under the role of the one before: the script says what comes first, and run all
/// the same it leaves nothing half made.
#[test]
fn a_script_for_a_role_that_exists_says_so_and_leaves_nothing_behind() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let (old, other) = (postgres.database("samerole"), mariadb.database("samerole"));
    let run = |on_mariadb: bool, script: &str| match on_mariadb {
        true => mariadb.try_sql("", script).map(drop),
        false => old.try_sql(script).map(drop),
    };
    for on_mariadb in [false, true] {
        let (url, password) = match on_mariadb {
            true => (other.url(), mariadb.password()),
            false => (old.url(), postgres.password()),
        };
        match on_mariadb {
            true => other.sql(TABLES),
            false => old.sql(TABLES),
        };
        let here = tempfile::tempdir().unwrap();
        let lab = ordered_by_administrator(here.path(), &url, &password);
        let name = format!("shared_{}", if on_mariadb { other.name() } else { old.name() });
        let grants = |more: &[&str]| {
            let common = ["grants", "--host", "127.0.0.1", "--role", &name];
            let output = ecluse(&lab, &[&common, more].concat());
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let space = |script: &str| {
            let line = script.lines().find_map(|l| l.split("VIEW ").nth(1)).unwrap();
            line.split('.').next().unwrap().trim_matches(['"', '`']).to_owned()
        };
        let (first, said) = grants(&[]);
        assert!(!first.contains("exists at this server") && !said.contains("exists"), "{first}{said}");
        let removal = grants(&["--remove"]).0;
        run(on_mariadb, &first).unwrap();
        assert!(grants(&[]).0.contains("-- It reads the views of this very order"));

        // one column more: another order, another digest
        let path = lab.join("instruction.toml");
        let order = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, order.replacen("'id > 1'", "'id > 0'", 1)).unwrap();
        succeed(&lab, &["instruction", "sign"]);
        let (second, said) = grants(&[]);
        let digest = space(&first).trim_start_matches("ecluse_").to_owned();
        for told in [&second, &said] {
            assert!(told.contains(&format!("sha256:{digest}")) && told.contains("grants --remove"), "{told}");
        }
        assert_ne!(space(&first), space(&second));
        run(on_mariadb, &second).unwrap_err();
        let made = match on_mariadb {
            true => mariadb.sql(
                "",
                &format!(
                    "select count(*) from information_schema.schemata where schema_name = '{}'",
                    space(&second)
                ),
            ),
            false => {
                old.sql(&format!("select count(*) from pg_namespace where nspname = '{}'", space(&second)))
            }
        };
        assert_eq!(made.trim(), "0");
        run(on_mariadb, &removal).unwrap();
        assert!(!grants(&[]).0.contains("exists at this server"));
        run(on_mariadb, &second).unwrap();
        run(on_mariadb, &grants(&["--remove"]).0).unwrap();
    }
}

/// What a script left that ended half-way, or stands for another role: said, with what comes first.
#[test]
fn a_script_whose_views_exist_without_its_role_says_so_and_what_comes_first() {
    let Some(server) = server::mariadb() else { return };
    let database = server.database("halfmade");
    database.sql(TABLES);
    let here = tempfile::tempdir().unwrap();
    let lab = ordered_by_administrator(here.path(), &database.url(), &server.password());
    let grants = |more: &[&str]| succeed(&lab, &[&["grants", "--host", "127.0.0.1"], more].concat());
    let (script, removal) = (grants(&[]), grants(&["--remove"]));
    assert!(script.contains("by `mariadb < FILE`") && !script.contains("already, without"), "{script}");
    let made = script.lines().find(|line| line.starts_with("CREATE DATABASE")).unwrap();
    server.sql("", made);
    let told = grants(&[]);
    assert!(told.contains("already, without this role") && told.contains("grants --remove"), "{told}");
    // run all the same: the account is there, and reads nothing
    server.try_sql("", &script).unwrap_err();
    let told = grants(&[]);
    assert!(told.contains("was run in part") && !told.contains("name another"), "{told}");
    server.sql("", &removal);
    assert_eq!(grants(&[]), script);
    server.sql("", &script);
    server.sql("", &removal);
}
