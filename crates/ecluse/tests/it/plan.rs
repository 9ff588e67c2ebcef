//! `ecluse plan` before the destination has a table: every figure against an independent count.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{ecluse, succeed};

/// Both engines read this. Of 900 acts 640 have a known state, 40 a state nobody mapped, 3 a text
/// in its place, 7 none at all; the rest is not asked for.
const SCHEMA: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, sexe VARCHAR(1));
CREATE TABLE acte (id INTEGER PRIMARY KEY, numero INTEGER NOT NULL, statut VARCHAR(40), jour DATE);
";

fn rows() -> String {
    let mut sql = String::new();
    for i in 1..=50 {
        let sex = if i % 10 == 0 { "'X'" } else { "'F'" };
        let _ = write!(sql, "INSERT INTO patient VALUES ({i}, 'Nom{i}', {sex});");
    }
    for i in 1..=900 {
        let (day, state) = match i {
            1..=640 => ("2024-05-01", "'V'"),
            641..=678 => ("2024-05-02", "'Q'"),
            679..=680 => ("2024-05-02", "'R'"),
            681..=683 => ("2024-05-02", "'à revoir avec Madame Zerbinette'"),
            684..=690 => ("2024-05-03", "NULL"),
            _ => ("2019-01-01", "'V'"),
        };
        let _ = write!(sql, "INSERT INTO acte VALUES ({i}, {i}, {state}, '{day}');");
    }
    sql
}

/// A trial's folder in which states and sexes go through code tables, and two rules of the mapping
/// refuse rows; signed.
fn folder(here: &Path, from: &str, to: &str) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "acte", "--grant-proposed"]);
    std::fs::create_dir(lab.join("codes")).unwrap();
    let mut mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    for (name, lines) in [("state", "V"), ("sex", "F")] {
        let table = format!(
            "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"{name}\"\naccepted_by = \"Bérénice Essai-Biologie\"\n\n\
             [[code]]\nfrom = \"{lines}\"\nto = \"known\"\n"
        );
        let path = lab.join(format!("codes/{name}.toml"));
        std::fs::write(&path, &table).unwrap();
        succeed(&lab, &["codes", "sign", path.to_str().unwrap()]);
        let digest = ecluse_core::digest::of_bytes(table.as_bytes());
        let cited = format!(
            "[[code_table]]\nname = \"{name}\"\nfile = \"codes/{name}.toml\"\ndigest = \"{digest}\"\n\n"
        );
        mapping = mapping.replacen("[[table]]", &format!("{cited}[[table]]"), 1);
    }
    for (column, table) in [("statut", "state"), ("sexe", "sex")] {
        let plain = mapping.lines().find(|l| l.trim_start().starts_with(column)).unwrap().to_owned();
        let coded = format!("{column} = {{ code = \"{column}\", table = \"{table}\", required = true }}");
        mapping = mapping.replace(&plain, &coded);
    }
    std::fs::write(lab.join("mapping.toml"), mapping).unwrap();
    let order = lab.join("instruction.toml");
    let text = std::fs::read_to_string(&order).unwrap();
    let (before, after) = text.split_once("name = \"acte\"\nrows = 'true'").unwrap();
    std::fs::write(&order, format!("{before}name = \"acte\"\nrows = 'jour >= date(\"2024-01-01\")'{after}"))
        .unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// Compares the plan, its exit code aside, with counts of the source; `count` asks the source.
#[track_caller]
fn holds(lab: &Path, count: &dyn Fn(&str) -> u64) {
    let output = ecluse(lab, &["plan", "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let plan: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(plan["missing"], json!(["patient", "acte"]), "{plan}");
    let tables = plan["figures"]["tables"].as_array().unwrap();
    let of = |name: &str| tables.iter().find(|t| t["source"] == name).unwrap();
    for (table, asked, right) in
        [("patient", "true", "sexe = 'F'"), ("acte", "jour >= '2024-01-01'", "statut = 'V'")]
    {
        let rows = |rule: &str| count(&format!("SELECT count(*) FROM {table} WHERE {rule}"));
        let found = of(table);
        assert_eq!(found["available"], rows("true"), "{table}");
        assert_eq!(found["asked"], rows(asked), "{table}");
        assert_eq!(found["moved"], rows(&format!("{asked} AND {right}")), "{table}");
    }
    let (asked, known) = ("jour >= '2024-01-01'", "statut = 'V'");
    let unmapped = count(&format!("SELECT count(*) FROM acte WHERE {asked} AND NOT ({known})"));
    let empty = count(&format!("SELECT count(*) FROM acte WHERE {asked} AND statut IS NULL"));
    assert_eq!(
        of("acte")["refused"],
        json!({ "ECL-BAT-102 acte.statut": unmapped, "ECL-BAT-105 acte.statut": empty })
    );
    // each code by its count; what is longer than a code, and a person's column, is not repeated
    let q = count(&format!("SELECT count(*) FROM acte WHERE {asked} AND statut = 'Q'"));
    let list = plan["unmapped"].as_array().unwrap();
    let unmapped = |column: &str| list.iter().find(|u| u["column"] == column).unwrap();
    assert_eq!(unmapped("statut")["codes"], json!({ "Q": q.to_string(), "R": "<5" }));
    assert_eq!(unmapped("statut")["untold"], "<5");
    let sexes = count("SELECT count(*) FROM patient WHERE sexe <> 'F'");
    assert_eq!(
        (&unmapped("sexe")["codes"], &unmapped("sexe")["untold"]),
        (&json!({}), &json!(sexes.to_string()))
    );
    assert!(!said.contains("Zerbinette"), "{said}");
    // on the screen each problem stands with its fix
    let output = ecluse(lab, &["plan"]);
    let said = String::from_utf8(output.stdout).unwrap();
    for wanted in
        ["codes/state.toml", "ecluse migrate --ddl", "Not ready: 55 rows would be refused", "Q (38), R (<5)"]
    {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let mut left: Vec<_> =
        std::fs::read_dir(lab.join("run")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["events.jsonl", "lock", "rehearsals.json"], "its word in the journal, and its counts");
}

// fails with the guard off: where every column may be told, the sexes of two patients stand there
#[test]
fn figures_before_the_tables_are_made_are_those_that_sqlite_counts() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {SCHEMA} {} COMMIT;", rows())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    holds(&lab, &|sql| old.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap());
}

#[test]
fn figures_before_the_tables_are_made_are_those_that_postgresql_counts() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("plan_old"), postgres.database("plan_new"));
    old.sql(&format!("{SCHEMA} {}", rows()));
    let here = tempfile::tempdir().unwrap();
    let url = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let lab = folder(here.path(), &url(old.url()), &url(new.url()));
    holds(&lab, &|sql| old.sql(sql).trim().parse().unwrap());
    let made = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(new.sql(made).trim(), "0", "a dry run makes no table");
}

// fails where the driver's own limit of a packet stands (4 MiB), or a packet of 16 MiB is taken for the last
#[test]
fn a_value_larger_than_a_packet_is_planned_and_moved_whole() {
    let Some(mariadb) = server::mariadb() else { return };
    let old = mariadb.database("plan_packet");
    old.sql(
        "CREATE TABLE document (id INT PRIMARY KEY, titre VARCHAR(20), image LONGBLOB); \
         INSERT INTO document VALUES (1, 'short', 'x'), (2, 'long', repeat('é', 10000000))",
    );
    let here = tempfile::tempdir().unwrap();
    let from = format!("{}?password-file={}", old.url(), mariadb.password_file().display());
    succeed(here.path(), &["new", "lab", "--trial", "--from", &from, "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "document", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    let plan: Value = serde_json::from_str(&succeed(&lab, &["plan", "--json"])).unwrap();
    assert_eq!(plan["figures"]["tables"][0]["moved"], 2, "{plan}");
    succeed(&lab, &["migrate", "--ddl"]);
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let bytes = "SELECT max(length(image)) FROM document";
    let moved: i64 = new.query_row(bytes, [], |row| row.get(0)).unwrap();
    let there: i64 = old.sql("SELECT max(octet_length(image)) FROM document").trim().parse().unwrap();
    assert_eq!((moved, there), (20_000_000, 20_000_000));
}
