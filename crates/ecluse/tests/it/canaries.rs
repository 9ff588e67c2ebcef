//! The demonstration's laboratory with a canary in every text that was not ordered, moved
//! under the demonstration's own papers: found nowhere.

use std::path::Path;

use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

use crate::{ecluse, succeed};

/// The order's filters again, in SQL that this test wrote itself.
const CHOSEN: [(&str, &str); 3] = [
    ("PATIENT", "ACTIF"),
    ("DEMANDE", "DATE_DEM >= '2023-01-01' AND ETAT = 'V' AND PAT_ID IN (SELECT ID FROM PATIENT WHERE ACTIF)"),
    (
        "RESULTAT",
        "ETAT = 'V' AND DEM_ID IN (SELECT ID FROM DEMANDE WHERE DATE_DEM >= '2023-01-01' AND ETAT = 'V' \
         AND PAT_ID IN (SELECT ID FROM PATIENT WHERE ACTIF))",
    ),
];

fn strings(connection: &Connection, sql: &str) -> Vec<(String, String)> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Plants in every text column wide enough: where it was not ordered in every row, else in the
/// rows that stay. Gives how many columns got one.
fn plant(lab: &Path, stem: &str) -> usize {
    let paper: toml::Table = std::fs::read_to_string(lab.join("instruction.toml")).unwrap().parse().unwrap();
    let ordered = |table: &str, column: &str| {
        let tables = paper["table"].as_array().unwrap();
        tables.iter().filter(|t| t["name"].as_str() == Some(table)).any(|t| {
            let named = |c: &toml::Value| {
                c.as_str() == Some(column) || c.get("name").and_then(|n| n.as_str()) == Some(column)
            };
            t["columns"].as_array().unwrap().iter().any(named)
        })
    };
    let old = Connection::open(lab.join("old-laboratory.db")).unwrap();
    let columns = strings(
        &old,
        "SELECT t.name || '.' || c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
    );
    let mut planted = 0;
    for (name, kind) in columns {
        let width =
            kind.strip_prefix("VARCHAR(").and_then(|rest| rest.trim_end_matches(')').parse::<usize>().ok());
        if kind != "TEXT" && width.is_none_or(|width| width < stem.len()) {
            continue;
        }
        let (table, column) = name.split_once('.').unwrap();
        let chosen = CHOSEN.iter().find(|(t, _)| *t == table).map(|(_, condition)| *condition);
        let rows = match chosen {
            Some(condition) if ordered(table, column) => format!("NOT coalesce(({condition}), FALSE)"),
            _ => "TRUE".to_owned(),
        };
        let written =
            old.execute(&format!("UPDATE {table} SET {column} = '{stem}' WHERE {rows}"), []).unwrap();
        assert!(written > 0, "no row for {name}");
        planted += 1;
    }
    planted
}

/// The new system as it was before the demonstration, and no run.
fn anew(lab: &Path) {
    std::fs::remove_dir_all(lab.join("run")).unwrap();
    let new = Connection::open(lab.join("new-system.db")).unwrap();
    new.execute_batch("DELETE FROM result; DELETE FROM request; DELETE FROM patient;").unwrap();
    let ledger = strings(
        &new,
        "SELECT name, '' FROM sqlite_schema WHERE type = 'table' AND name LIKE 'ecluse_ledger_%'",
    );
    assert!(!ledger.is_empty());
    for (table, _) in ledger {
        new.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
}

// proves: EXT-03, AUD-04
#[test]
fn nothing_that_was_not_ordered_leaves_the_demonstrations_laboratory() {
    let here = tempfile::tempdir().unwrap();
    succeed(here.path(), &["demo", "lab", "--leave-open", "--patients", "200"]);
    let lab = here.path().join("lab");
    let canaries = Canaries::new();
    assert!(plant(&lab, canaries.stem(Side::Outside)) >= 15, "every text that can carry one");
    anew(&lab);
    let search = Search::new(&[canaries.stem(Side::Outside)]);
    for step in ["migrate", "reconcile", "report"] {
        let output = ecluse(&lab, &[step]);
        assert!(output.status.success(), "{step}: {output:?}");
        assert_eq!(search.bytes(step, &[output.stdout, output.stderr].concat()), []);
    }
    let found: Vec<_> =
        search.folder(&lab).into_iter().filter(|f| !f.place.ends_with("old-laboratory.db")).collect();
    assert_eq!(found, []);
    assert_ne!(search.folder(&lab), [], "the source holds them");
    let new = Connection::open(lab.join("new-system.db")).unwrap();
    let moved: i64 = new.query_row("SELECT count(*) FROM result", [], |row| row.get(0)).unwrap();
    assert!(moved > 0);
}
