//! The figures add up, against counts that another client makes.

use std::path::Path;

use ecluse_flow::figures::Figures;
use rusqlite::Connection;

use crate::{ecluse, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
INSERT INTO patient SELECT i, 'Nom' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO examen SELECT i, CASE WHEN i > 2 AND i % 1500 = 2 THEN 1 ELSE 1 + i % 1500 END, '5,1' FROM n;
UPDATE patient SET nom = printf('%061d', 0) WHERE id = 3;
";

fn count(database: &Path, sql: &str) -> u64 {
    let open = Connection::open(database).unwrap();
    open.query_row(&format!("SELECT count(*) FROM {sql}"), [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs()
}

// proves: EXT-02
// fails with the guard off: rows that were never read, because the trial had enough, are nowhere
#[test]
fn every_row_is_moved_refused_withheld_or_left_out_and_the_report_says_which() {
    let here = tempfile::tempdir().unwrap();
    let (old, new) = (here.path().join("old.db"), here.path().join("new.db"));
    Connection::open(&old).unwrap().execute_batch(OLD).unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "examen", "--grant-proposed"]);
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let order = order.replacen("rows = 'true'", "rows = 'id <= 1400'", 1).replacen(
        "rows = 'true'",
        "rows = 'id <= 50000 && patient_id in chosen.patient'",
        1,
    );
    std::fs::write(lab.join("instruction.toml"), order).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    let output = ecluse(&lab, &["migrate", "--ddl"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ECL-RUN-012"), "a name too long is refused: {said}");

    let patients = "patient WHERE id <= 1400";
    let exams = "examen WHERE id <= 50000 AND patient_id <= 1400";
    // table, the order's filter in SQL of this test's own, and what of it can only be refused
    let expected = [
        ("patient", patients, format!("{patients} AND length(nom) > 60")),
        (
            "examen",
            exams,
            format!("{exams} AND patient_id IN (SELECT id FROM patient WHERE length(nom) > 60)"),
        ),
    ];
    let figures: Figures =
        serde_json::from_slice(&std::fs::read(lab.join("run/figures.json")).unwrap()).unwrap();
    let planned: serde_json::Value =
        serde_json::from_slice(&crate::ecluse(&lab, &["plan", "--json"]).stdout).unwrap();
    succeed(&lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    for (t, (table, asked, refused)) in figures.tables.iter().zip(expected) {
        let (available, asked) = (count(&old, table), count(&old, asked));
        let (moved, refused) = (count(&new, table), count(&old, &refused));
        assert!(moved > 900 && refused == 1, "{moved} moved, {refused} refused");
        assert_eq!(
            (t.available, t.asked, t.moved, t.refused_rows()),
            (Some(available), asked, moved, refused)
        );
        let withheld = available - asked;
        assert_eq!(t.left_out, available - moved - refused - withheld, "{table}");
        let planned = planned["figures"]["tables"].as_array().unwrap();
        let planned = planned.iter().find(|p| p["source"] == table).unwrap();
        let same = [("available", available), ("asked", asked), ("moved", moved), ("left_out", t.left_out)];
        same.iter().for_each(|(figure, rows)| assert_eq!(planned[figure], *rows, "{table}: {figure}"));
        // the page: every figure again, and that they add up to what is available
        let columns = format!("{} of {}", columns(&new, table), columns(&old, table));
        assert_eq!(available, withheld + t.left_out + refused + moved, "{table}");
        let row = [
            ("available", thousands(available)),
            ("not ordered", thousands(withheld)),
            ("asked", thousands(asked)),
            ("left out", thousands(t.left_out)),
            ("refused", thousands(refused)),
            ("moved", thousands(moved)),
            ("columns", columns.clone()),
        ];
        let cells = row.map(|(head, figure)| format!("<td class=\"n\" data-is=\"{head}\">{figure}</td>"));
        let row = format!("<tr><td class=\"name\">{table}</td>{}</tr>", cells.concat());
        assert!(t.left_out > 300 && page.contains(&row), "{row} is not in {page}");
        let [moved_said, available_said, withheld_said] = [moved, available, withheld].map(thousands);
        let bar = format!("{moved_said} rows moved of {available_said}; {withheld_said} not ordered");
        let rest = format!("; {} left out; 1 refused", thousands(t.left_out));
        assert!(page.contains(&(bar + &rest)), "{table}: the words beside the bar");
        let stay = format!("{} stay", thousands(available - moved - refused));
        assert!(page.contains(&stay), "{table}: {stay} is not in {page}");
    }
}

fn columns(database: &Path, table: &str) -> u64 {
    count(database, &format!("pragma_table_info('{table}')"))
}

fn thousands(n: u64) -> String {
    if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
}
