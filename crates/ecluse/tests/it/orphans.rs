//! Rows that name a parent nobody has: the plan tells them before anybody moves them.

use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{ecluse, succeed};

/// A trial's folder over three tables, with the relations of the order given; signed.
fn folder(here: &Path, from: &str, to: &str, tables: &[&str], relations: &[(&str, &str)]) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let mut wish = vec!["instruction", "new", "--grant-proposed"];
    tables.iter().for_each(|table| wish.extend(["--table", table]));
    succeed(&lab, &wish);
    let path = lab.join("instruction.toml");
    let mut order = std::fs::read_to_string(&path).unwrap();
    for (table, relation) in relations {
        let (before, after) = order.split_once(&format!("name = \"{table}\"\n")).unwrap();
        order = format!("{before}name = \"{table}\"\nrelations = [{relation}]\n{after}");
    }
    std::fs::write(&path, order).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// What the plan says of rows without a parent, and whether it calls itself ready.
fn planned(lab: &Path) -> (Value, bool, i32) {
    let output = ecluse(lab, &["plan", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let plan: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    (plan["orphans"].clone(), plan["ready"] == true, output.status.code().unwrap())
}

/// Six specimens of nobody; a test hangs on another before it, one on another after it, two on none.
const ORPHANS: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(20));
CREATE TABLE prelevement (id INTEGER PRIMARY KEY, patient_id INTEGER);
CREATE TABLE analyse (id INTEGER PRIMARY KEY, prelevement_id INTEGER, parente INTEGER);
INSERT INTO patient VALUES (1, 'Un'), (2, 'Deux'), (3, 'Trois');
INSERT INTO prelevement VALUES (1, 1), (2, 2), (3, NULL), (4, 3), (5, 9), (6, 9), (7, 9), (8, 9), (9, 0), (10, -1);
INSERT INTO analyse VALUES (1, 1, 2), (2, 1, 1), (3, 5, 77), (4, 4, NULL), (5, 5, 78), (6, 11, 5);
";

const RELATIONS: [(&str, &str); 2] = [
    ("prelevement", r#"{ column = "patient_id", table = "patient", to = "id" }"#),
    (
        "analyse",
        r#"{ column = "prelevement_id", table = "prelevement", to = "id" }, { column = "parente", table = "analyse", to = "id" }"#,
    ),
];

// fails with the guard off: only a reconciliation, after the move, says that sixty rows have no patient
#[test]
fn rows_without_their_parent_are_counted_by_the_plan_relation_by_relation() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(ORPHANS).unwrap();
    let tables = ["patient", "prelevement", "analyse"];
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db", &tables, &RELATIONS);
    let (found, ready, code) = planned(&lab);
    let told: Vec<Value> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["table"], one["column"], one["parent"], one["rows"], one["refused"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["prelevement", "patient_id", "patient", 6, false]),
            json!(["analyse", "prelevement_id", "prelevement", 1, false]),
            json!(["analyse", "parente", "analyse", 2, false]),
        ]
    );
    assert!(ready && code == 0, "nothing at the destination looks for them");
    let said = succeed(&lab, &["plan"]);
    assert!(
        said.contains("orphans      6 rows of prelevement.patient_id name no row of patient that moves\n"),
        "{said}"
    );
    succeed(&lab, &["migrate", "--ddl"]);
    let read_back = succeed(&lab, &["reconcile"]);
    assert!(read_back.contains("6 rows"), "the plan said what is found afterwards: {read_back}");
    let clean =
        "UPDATE prelevement SET patient_id = 1; UPDATE analyse SET prelevement_id = 1, parente = NULL";
    old.execute_batch(clean).unwrap();
    assert_eq!(planned(&lab).0, json!([]));
}

// fails with the guard off: "Ready", and after every row was written ECL-DST-531
#[test]
fn what_the_destinations_own_foreign_keys_would_refuse_stands_in_the_plan() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("orphans_old"), postgres.database("orphans_new"));
    let tables = "CREATE TABLE party (id int PRIMARY KEY, internal_user int);
        CREATE TABLE visit (id int PRIMARY KEY, party int, twin int);";
    old.sql(&format!(
        "{tables} INSERT INTO party VALUES (1, NULL), (2, 5), (3, 6), (4, 6);
         INSERT INTO visit VALUES (1, 1, NULL), (2, 2, 3), (3, 8, 3)"
    ));
    new.sql(&format!(
        "CREATE TABLE res_user (id bigint PRIMARY KEY, pair int, UNIQUE (id, pair)); INSERT INTO res_user VALUES (5, 1); {tables}
         ALTER TABLE party ADD CONSTRAINT party_user FOREIGN KEY (internal_user) REFERENCES res_user (id);
         ALTER TABLE visit ADD CONSTRAINT visit_party FOREIGN KEY (party) REFERENCES party (id);
         ALTER TABLE visit ADD CONSTRAINT visit_twin FOREIGN KEY (twin) REFERENCES visit (id)"
    ));
    let here = tempfile::tempdir().unwrap();
    let url = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let lab = folder(here.path(), &url(old.url()), &url(new.url()), &["party", "visit"], &[]);
    let (found, ready, code) = planned(&lab);
    let told: Vec<Value> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["table"], one["column"], one["parent"], one["rows"], one["foreign_key"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["party", "internal_user", "res_user", 2, "party_user"]),
            json!(["visit", "party", "party", 1, "visit_party"]),
        ]
    );
    assert_eq!((ready, code), (false, 1));
    let output = ecluse(&lab, &["plan"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(
            "2 rows of party.internal_user name no row of res_user that stands at the destination, as its foreign key party_user demands"
        ) && said.contains("Not ready: 3 rows name no parent"),
        "{said}"
    );
    // it is right: the move ends there
    let moved = ecluse(&lab, &["migrate"]);
    assert!(String::from_utf8_lossy(&moved.stderr).contains("ECL-DST-531"));
    succeed(&lab, &["undo"]);
    new.sql("INSERT INTO res_user VALUES (6, 2)");
    old.sql("UPDATE visit SET party = 4 WHERE id = 3");
    std::fs::rename(lab.join("run"), lab.join("run.undone")).unwrap();
    let (found, ready, code) = planned(&lab);
    assert_eq!((found, ready, code), (json!([]), true, 0));
}

// fails with the guard off: no figures at all for a role that may write, and "Ready" where a default names nobody
#[test]
fn what_may_not_be_read_there_or_stands_by_default_is_told_as_not_looked_up() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("unread_old"), postgres.database("unread_new"));
    old.sql(
        "CREATE TABLE visit (id int PRIMARY KEY, centre int, ward int, bed int);
         INSERT INTO visit VALUES (1, 1, 1, NULL), (2, 9, 1, 2), (3, NULL, NULL, 2)",
    );
    let role = format!("{}_writer", new.name());
    new.sql(&format!(
        "CREATE TABLE centre (id int PRIMARY KEY); CREATE TABLE bed (ward int, bed int, PRIMARY KEY (ward, bed));
         CREATE TABLE state (id int PRIMARY KEY);
         CREATE TABLE visit (id int PRIMARY KEY, centre int CONSTRAINT c REFERENCES centre, ward int, bed int,
             state int NOT NULL DEFAULT 5 CONSTRAINT s REFERENCES state,
             later int CONSTRAINT l REFERENCES state, CONSTRAINT b FOREIGN KEY (ward, bed) REFERENCES bed);
         CREATE ROLE {role} LOGIN PASSWORD 'once';
         GRANT CREATE ON DATABASE {} TO {role}; GRANT REFERENCES ON centre, bed, state TO {role};
         ALTER TABLE visit OWNER TO {role}",
        new.name()
    ));
    let here = tempfile::tempdir().unwrap();
    let password = here.path().join("password");
    std::fs::write(&password, "once").unwrap();
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let from = format!("{}?password-file={}", old.url(), postgres.password_file().display());
    let to = format!("{}?password-file={}", new.url_as(&role), password.display());
    let lab = folder(here.path(), &from, &to, &["visit"], &[]);
    let (found, ready, code) = planned(&lab);
    let told: Vec<Value> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["column"], one["rows"], one["unknown"], one["foreign_key"]]))
        .collect();
    // a bed without its ward names nobody, and neither does a column that nothing fills
    assert_eq!(
        told,
        [json!(["ward", 0, 1, "b"]), json!(["centre", 0, 2, "c"]), json!(["state", 0, 3, "s"])],
        "{found}"
    );
    assert_eq!((ready, code), (true, 0));
    new.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

// fails with the guard off: "Ready", and after every row was written ECL-DST-303
#[test]
fn sqlite_knows_a_table_by_its_name_in_any_case() {
    let here = tempfile::tempdir().unwrap();
    let tables = |name: &str| {
        format!(
            "CREATE TABLE Patient (id INTEGER PRIMARY KEY, nom VARCHAR(20)); CREATE TABLE visite (id INTEGER PRIMARY KEY, Patient INTEGER{name});"
        )
    };
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&tables("")).unwrap();
    old.execute_batch("INSERT INTO Patient VALUES (1, 'Un'); INSERT INTO visite VALUES (1, 1), (2, 7)")
        .unwrap();
    let new = Connection::open(here.path().join("new.db")).unwrap();
    new.execute_batch(&tables(" REFERENCES PATIENT (ID)")).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db", &["Patient", "visite"], &[]);
    let (found, ready, code) = planned(&lab);
    assert_eq!(
        (&found[0]["rows"], &found[0]["unknown"], ready, code),
        (&json!(1), &json!(0), false, 1),
        "{found}"
    );
    let said = String::from_utf8(ecluse(&lab, &["plan"]).stdout).unwrap();
    assert!(said.contains("the move would end with ECL-DST-303"), "{said}");
    let moved = ecluse(&lab, &["migrate"]);
    assert!(String::from_utf8_lossy(&moved.stderr).contains("ECL-DST-303"));
}

// fails with the guard off: a declared relation of two types is not spoken of
#[test]
fn a_relation_over_columns_of_two_types_is_told_as_not_looked_up() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    let tables = |reference: &str| {
        format!(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY); CREATE TABLE visite (id INTEGER PRIMARY KEY, patient VARCHAR(9){reference});"
        )
    };
    old.execute_batch(&tables(" REFERENCES patient (id)")).unwrap();
    old.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO patient VALUES (1); INSERT INTO visite VALUES (1, '1'), (2, '7'), (3, NULL)",
    )
    .unwrap();
    Connection::open(here.path().join("new.db")).unwrap().execute_batch(&tables("")).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db", &["patient", "visite"], &[]);
    let (found, ready, code) = planned(&lab);
    let one = &found[0];
    assert_eq!(
        (&one["column"], &one["unknown"], &one["refused"]),
        (&json!("patient"), &json!(2), &json!(false))
    );
    assert_eq!((ready, code), (true, 0));
}
