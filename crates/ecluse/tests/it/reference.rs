//! Reference data: what the code tables do, with the rows of each code, before a biologist signs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{ecluse, succeed};

/// Every engine here reads this.
const SCHEMA: &str = "
CREATE TABLE unite (id INTEGER PRIMARY KEY, nom VARCHAR(20) NOT NULL);
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL);
CREATE TABLE resultat (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), lecture VARCHAR(30), analyse INTEGER, note VARCHAR(40));
";

/// Words of result rows, and how many rows have each; the last two are in no code table.
const READINGS: [(&str, u64); 6] = [
    ("Négatif", 40),
    ("Positif", 12),
    ("douteux", 7),
    ("g/L", 3),
    ("illisible", 9),
    ("à revoir avec Zerbinette", 2),
];

fn rows() -> String {
    let mut sql = String::from("INSERT INTO unite VALUES (1, 'g/L');INSERT INTO unite VALUES (2, 'mmol/L');");
    for i in 1..=5 {
        let _ = write!(sql, "INSERT INTO patient VALUES ({i}, 'Canari{i}');");
    }
    let mut id = 0;
    for (word, rows) in READINGS {
        for _ in 0..rows {
            id += 1;
            let _ = write!(
                sql,
                "INSERT INTO resultat VALUES ({id}, {}, '{word}', {}, 'Zerbinette');",
                1 + id % 5,
                7 + id % 2
            );
        }
    }
    sql
}

/// `lecture` through this table; `analyse` through one that changes nothing.
const READING: [(&str, &str); 5] = [
    ("Négatif", "Positif"),
    ("Positif", "Négatif"),
    ("douteux", "Négatif"),
    ("g/L", "mmol/L"),
    ("jamais", "never"),
];

fn code_table(title: &str, changes: bool, pairs: &[(&str, &str)]) -> String {
    let mut text =
        format!("[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"{title}\"\nchanges_result = {changes}\n");
    for (from, to) in pairs {
        let _ = write!(text, "\n[[code]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    }
    text
}

/// A trial's folder, its order signed and its code tables not.
fn folder(here: &Path, from: &str, to: &str) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let tables = ["--table", "unite", "--table", "patient", "--table", "resultat", "--grant-proposed"];
    succeed(&lab, &[&["instruction", "new"], &tables[..]].concat());
    std::fs::create_dir(lab.join("codes")).unwrap();
    let mut mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    let tables = [
        ("lecture", code_table("Readings", true, &READING)),
        ("analyse", code_table("Tests", false, &[("7", "GLY"), ("08", "UREE")])),
    ];
    for (name, text) in &tables {
        std::fs::write(lab.join(format!("codes/{name}.toml")), text).unwrap();
        let digest = ecluse_core::digest::of_bytes(text.as_bytes());
        let cited = format!(
            "[[code_table]]\nname = \"{name}\"\nfile = \"codes/{name}.toml\"\ndigest = \"{digest}\"\n\n"
        );
        mapping = mapping.replacen("[[table]]", &format!("{cited}[[table]]"), 1);
        let plain = mapping.lines().find(|l| l.trim_start().starts_with(name)).unwrap().to_owned();
        mapping = mapping.replace(&plain, &format!("{name} = {{ code = \"{name}\", table = \"{name}\" }}"));
    }
    std::fs::write(lab.join("mapping.toml"), mapping).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// The page's figures against counts that another client makes, before and after the signature.
#[track_caller]
fn printed(lab: &Path, count: &dyn Fn(&str) -> u64) {
    let planned = String::from_utf8(ecluse(lab, &["plan"]).stderr).unwrap();
    assert!(
        planned.contains("ECL-SGN-020"),
        "nothing is planned under a table that nobody signed: {planned}"
    );
    let answer: Value =
        serde_json::from_str(&succeed(lab, &["--json", "reference", "print", "--lang", "en"])).unwrap();
    let tables = answer["code_tables"].as_array().unwrap();
    let of = |name: &str| tables.iter().find(|t| t["name"] == name).unwrap();
    let rows = |word: &str| match count(&format!("SELECT count(*) FROM resultat WHERE lecture = '{word}'")) {
        0 => "0".to_owned(),
        1..5 => "<5".to_owned(),
        n => n.to_string(),
    };
    let does: [&[&str]; 5] = [
        &["turns Négatif into Positif", "takes the word Positif, which was another code"],
        &[
            "turns Positif into Négatif",
            "takes the word Négatif, which was another code",
            "cannot be told from 1 other code afterwards",
        ],
        &["takes the word Négatif, which was another code", "cannot be told from 1 other code afterwards"],
        &["changes the unit g/L → mmol/L; no number is converted"],
        &[],
    ];
    let lines: Vec<Value> = READING
        .iter()
        .zip(does)
        .map(|((from, to), does)| json!({ "from": from, "to": to, "rows": rows(from), "does": does }))
        .collect();
    assert_eq!(of("lecture")["codes"], json!(lines));
    assert_eq!(
        of("lecture")["unmapped"],
        json!([{ "code": "illisible", "rows": rows("illisible") }, { "code": "…", "rows": "<5" }])
    );
    let tests =
        |code: u64| count(&format!("SELECT count(*) FROM resultat WHERE analyse = {code}")).to_string();
    let codes = &of("analyse")["codes"];
    assert_eq!((&codes[0]["rows"], &codes[1]["rows"]), (&json!(tests(7)), &json!(tests(8))));
    let page = std::fs::read_to_string(lab.join("reference.html")).unwrap();
    let line = "<td class=\"name\">Négatif</td><td data-is=\"becomes\">Positif</td><td class=\"n\" data-is=\"rows\">40</td>";
    assert!(page.contains(line) && page.contains("<strong>turns Négatif into Positif"), "{page}");
    assert!(
        !page.contains("Zerbinette")
            && !page.contains("Canari")
            && !answer.to_string().contains("Zerbinette")
    );
    let unsigned = "a biologist accepts it by signing";
    assert!(page.contains(unsigned));
    // signed, the page says so; French is its language
    succeed(lab, &["codes", "sign", "codes/lecture.toml"]);
    succeed(lab, &["reference", "print"]);
    let page = std::fs::read_to_string(lab.join("reference.html")).unwrap();
    assert!(
        page.contains("change Négatif en Positif") && page.contains("un biologiste l’a signée"),
        "{page}"
    );
    let said = succeed(lab, &["codes", "print", "codes/lecture.toml"]);
    assert!(said.contains("changes the unit g/L → mmol/L; no number is converted"), "{said}");
    // what was counted is kept nowhere
    for file in std::fs::read_dir(lab.join("run")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("illisible"));
    }
}

// fails with the guard off: codes of a mapped column are not counted, or nobody is told that a reading is reversed
#[test]
fn the_code_tables_page_counts_what_sqlite_counts_and_says_what_each_line_does() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {SCHEMA} {} COMMIT;", rows())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    printed(&lab, &|sql| old.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs());
}

#[test]
fn the_code_tables_page_counts_what_postgresql_counts() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("reference_old"), postgres.database("reference_new"));
    old.sql(&format!("{SCHEMA} {}", rows()));
    let here = tempfile::tempdir().unwrap();
    let url = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let lab = folder(here.path(), &url(old.url()), &url(new.url()));
    printed(&lab, &|sql| old.sql(sql).trim().parse().unwrap());
}

#[test]
fn the_code_tables_page_counts_what_mariadb_counts() {
    let Some(mariadb) = server::mariadb() else { return };
    let old = mariadb.database("reference_old");
    old.sql(&format!("{SCHEMA} {}", rows()));
    let here = tempfile::tempdir().unwrap();
    let from = format!("{}?password-file={}", old.url(), mariadb.password_file().display());
    let lab = folder(here.path(), &from, "sqlite:new.db");
    printed(&lab, &|sql| old.sql(sql).trim().parse().unwrap());
}
