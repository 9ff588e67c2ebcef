//! Reference data: what the code tables do, with the rows of each code, before a biologist signs; and
//! their acceptance before anything else moves.

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
CREATE TABLE resultat (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), lecture VARCHAR(30), examen INTEGER, note VARCHAR(40));
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

fn rows(readings: &[(&str, u64)]) -> String {
    let mut sql = String::from("INSERT INTO unite VALUES (1, 'g/L');INSERT INTO unite VALUES (2, 'mmol/L');");
    for i in 1..=5 {
        let _ = write!(sql, "INSERT INTO patient VALUES ({i}, 'Canari{i}');");
    }
    let mut id = 0;
    for (word, rows) in readings {
        for _ in 0..*rows {
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

/// `lecture` through this table; `examen` through one that says nothing of results.
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

/// A trial's folder, its order and the table of the tests signed, the table of the readings not.
pub(crate) fn folder(here: &Path, from: &str, to: &str) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let tables = ["--table", "unite", "--table", "patient", "--table", "resultat", "--grant-proposed"];
    succeed(&lab, &[&["instruction", "new"], &tables[..]].concat());
    std::fs::create_dir(lab.join("codes")).unwrap();
    let mut mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    let tables = [
        ("lecture", code_table("Readings", true, &READING)),
        ("examen", code_table("Tests", false, &[("7", "GLY"), ("08", "UREE")])),
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
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let first = "[[table]]\nname = \"unite\"\n";
    assert!(order.contains(first), "{order}");
    std::fs::write(lab.join("instruction.toml"), order.replace(first, &format!("{first}reference = true\n")))
        .unwrap();
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["codes", "sign", "codes/examen.toml"]);
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
        |code: u64| count(&format!("SELECT count(*) FROM resultat WHERE examen = {code}")).to_string();
    let codes = &of("examen")["codes"];
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
    old.execute_batch(&format!("BEGIN; {SCHEMA} {} COMMIT;", rows(&READINGS))).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    printed(&lab, &|sql| old.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs());
}

#[test]
fn the_code_tables_page_counts_what_postgresql_counts() {
    let Some(postgres) = server::postgres() else { return };
    let (old, new) = (postgres.database("reference_old"), postgres.database("reference_new"));
    old.sql(&format!("{SCHEMA} {}", rows(&READINGS)));
    let here = tempfile::tempdir().unwrap();
    let url = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let lab = folder(here.path(), &url(old.url()), &url(new.url()));
    printed(&lab, &|sql| old.sql(sql).trim().parse().unwrap());
}

#[test]
fn the_code_tables_page_counts_what_mariadb_counts() {
    let Some(mariadb) = server::mariadb() else { return };
    let old = mariadb.database("reference_old");
    old.sql(&format!("{SCHEMA} {}", rows(&READINGS)));
    let here = tempfile::tempdir().unwrap();
    let from = format!("{}?password-file={}", old.url(), mariadb.password_file().display());
    let lab = folder(here.path(), &from, "sqlite:new.db");
    printed(&lab, &|sql| old.sql(sql).trim().parse().unwrap());
}

/// The code with which a command is refused, and what it says.
#[track_caller]
pub(crate) fn refused(lab: &Path, arguments: &[&str], code: &str) -> String {
    let output = ecluse(lab, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains(code), "{arguments:?}: {said}");
    said
}

/// Whether the command died where it was told to.
pub(crate) fn killed(lab: &Path, arguments: &[&str], at: &str) -> bool {
    let mut command = std::process::Command::new(crate::program());
    let command = command.current_dir(lab).args(arguments).env("ECLUSE_FAILPOINT", at);
    command.output().unwrap().status.code().is_none()
}

/// A file to a file, the reference data moved and accepted.
pub(crate) fn accepted(here: &Path) -> (Connection, PathBuf) {
    let old = Connection::open(here.join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {} COMMIT;", mapped())).unwrap();
    let lab = folder(here, "sqlite:old.db", "sqlite:new.db");
    succeed(&lab, &["codes", "sign", "codes/lecture.toml"]);
    succeed(&lab, &["migrate", "--reference", "--ddl"]);
    succeed(&lab, &["reference", "propose"]);
    succeed(&lab, &["reference", "sign", "--key", "keys/controller-biologist"]);
    (old, lab)
}

/// Rows of patients that stand at the destination.
pub(crate) fn patients(here: &Path) -> i64 {
    let new = Connection::open(here.join("new.db")).unwrap();
    new.query_row("SELECT count(*) FROM patient", [], |row| row.get(0)).unwrap()
}

/// Kills `ecluse migrate` ever later, until patients stand at the destination and it is not through.
fn killed_midway(here: &Path, lab: &Path, stands: i64) {
    let midway = |event: &u32| {
        assert!(killed(lab, &["migrate"], &format!("folder.event.after:{event}")), "{event}");
        patients(here) == stands
    };
    assert!((10..40).find(midway).is_some());
}

/// From the order to its end, the reference data first; `old` and `new` ask the two databases.
#[track_caller]
fn accepted_first(lab: &Path, old: &dyn Fn(&str) -> u64, new: &dyn Fn(&str) -> u64, deaths: &[u32]) {
    let count = |table: &str| format!("SELECT count(*) FROM {table}");
    let biologist = ["reference", "sign", "--key", "keys/controller-biologist"];
    succeed(lab, &["codes", "sign", "codes/lecture.toml"]);
    assert!(succeed(lab, &["next"]).contains("ecluse migrate --reference"));
    // nothing else moves, and no table is made for it
    assert!(refused(lab, &["migrate", "--ddl"], "ECL-REF-008").contains("ecluse migrate --reference"));
    refused(lab, &["reference", "propose"], "ECL-RE");
    // killed here and there, the same command goes on
    let killed = |event: &&u32| {
        killed(lab, &["migrate", "--reference", "--ddl"], &format!("folder.event.after:{event}"))
    };
    assert_eq!(deaths.iter().filter(killed).count(), deaths.len());
    let said = succeed(lab, &["migrate", "--reference", "--ddl"]);
    assert!(said.contains("2 rows moved") && said.contains("ecluse reference propose"), "{said}");
    let stand = || ["unite", "patient", "resultat"].map(|table| new(&count(table)));
    assert_eq!(stand(), [old(&count("unite")), 0, 0]);
    for command in [&["migrate"][..], &["migrate", "--repair"]] {
        assert!(refused(lab, command, "ECL-REF-008").contains("ecluse reference propose"));
    }
    assert_eq!(stand(), [2, 0, 0]);
    refused(lab, &["reconcile"], "ECL-REC-011");
    assert!(succeed(lab, &["reconcile", "--reference"]).contains("2 rows read back"));
    assert!(succeed(lab, &["next"]).contains("ecluse reference propose"));
    // a biologist's word, of this run's figures, and nobody else's
    succeed(lab, &["reference", "propose"]);
    let paper = lab.join("reference.toml");
    let stated = std::fs::read_to_string(&paper).unwrap();
    assert!(stated.contains("name  = \"unite\"\nrows  = 2\ntally = \""), "{stated}");
    refused(lab, &["migrate"], "ECL-REF-008");
    std::fs::write(&paper, stated.replace("rows  = 2", "rows  = 3")).unwrap();
    refused(lab, &biologist, "ECL-REF-005");
    std::fs::write(&paper, &stated).unwrap();
    let operator = ecluse(lab, &["reference", "sign", "--key", "keys/operator"]);
    assert!(!operator.status.success(), "an operator accepts nothing");
    succeed(lab, &biologist);
    succeed(lab, &["reference", "verify"]);
    std::fs::write(&paper, format!("{stated}# altered\n")).unwrap();
    refused(lab, &["migrate"], "ECL-SGN-021");
    assert_eq!(stand(), [2, 0, 0]);
    std::fs::write(&paper, &stated).unwrap();
    // accepted, the rest moves; the reference data stand as they did
    succeed(lab, &["migrate"]);
    assert_eq!(stand(), ["unite", "patient", "resultat"].map(|table| old(&count(table))));
    succeed(lab, &["reconcile"]);
    succeed(lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(page.contains("accepted reference data") && page.contains("every row was found again"), "{page}");
    refused(lab, &["migrate", "--reference"], "ECL-REF-007");
    succeed(lab, &["migrate"]);
}

/// Rows that the code tables map, every one.
pub(crate) fn mapped() -> String {
    format!("{SCHEMA} {}", rows(&READINGS[..4]))
}

// fails with the guard off: patients move before anybody has looked at the units they are measured in
#[test]
fn nothing_moves_before_a_biologist_accepted_the_reference_data() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {} COMMIT;", mapped())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    let count =
        |db: &Connection, sql: &str| db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap().unsigned_abs();
    let new = |sql: &str| count(&Connection::open(here.path().join("new.db")).unwrap(), sql);
    accepted_first(&lab, &|sql| count(&old, sql), &new, &[2, 7, 12, 16, 18]);
}

// fails with the guard off: a start that ends in a refusal leaves figures that a biologist could sign
#[test]
fn reference_data_of_a_refused_start_are_not_there_to_be_accepted() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {} COMMIT;", mapped())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    succeed(&lab, &["codes", "sign", "codes/lecture.toml"]);
    old.execute_batch("INSERT INTO unite VALUES (3, 'a name of more than twenty letters')").unwrap();
    refused(&lab, &["migrate", "--reference", "--ddl"], "ECL-RUN-012");
    refused(&lab, &["reference", "propose"], "ECL-REF-009");
    assert!(!lab.join("reference.toml").exists());
    old.execute_batch("DELETE FROM unite WHERE id = 3").unwrap();
    succeed(&lab, &["migrate", "--reference"]);
    succeed(&lab, &["reference", "propose"]);
}

// fails with the guard off: patients stand there, and the figures say that none does
#[test]
fn reference_data_alone_do_not_move_once_a_patient_has() {
    let here = tempfile::tempdir().unwrap();
    let (old, lab) = accepted(here.path());
    killed_midway(here.path(), &lab, 5);
    let figures = || std::fs::read(lab.join("run/figures.json")).unwrap();
    let before = figures();
    refused(&lab, &["migrate", "--reference"], "ECL-REF-007");
    assert_eq!(figures(), before);
    succeed(&lab, &["migrate"]);
    // a catch-up that was killed is gone on with as one
    old.execute_batch("INSERT INTO patient VALUES (6, 'Canari6')").unwrap();
    killed_midway(here.path(), &lab, 6);
    refused(&lab, &["migrate", "--reference"], "ECL-REF-007");
    succeed(&lab, &["migrate"]);
}

// fails with the guard off: a paper that was lost keeps the last catch-up from ever ending
#[test]
fn an_acceptance_that_was_lost_holds_nothing_up_once_the_rest_has_begun() {
    let here = tempfile::tempdir().unwrap();
    let (old, lab) = accepted(here.path());
    let paper = lab.join("reference.toml");
    let kept = lab.join("kept.toml");
    std::fs::rename(&paper, &kept).unwrap();
    refused(&lab, &["migrate"], "ECL-REF-008");
    assert_eq!(patients(here.path()), 0);
    std::fs::rename(&kept, &paper).unwrap();
    killed_midway(here.path(), &lab, 5);
    std::fs::remove_file(&paper).unwrap();
    succeed(&lab, &["migrate"]);
    old.execute_batch("INSERT INTO patient VALUES (6, 'Canari6')").unwrap();
    killed_midway(here.path(), &lab, 6);
    succeed(&lab, &["migrate"]);
    succeed(&lab, &["reconcile"]);
}

// fails with the guard off: rows of a table that nobody read are said to have moved
#[test]
fn reference_data_alone_say_nothing_of_rows_that_are_pending_elsewhere() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(&format!("BEGIN; {} COMMIT;", mapped())).unwrap();
    let lab = folder(here.path(), "sqlite:old.db", "sqlite:new.db");
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let rule = "rule = \"move\"\n\n[pending.where]\nresultat = 'patient_id == 1'\n";
    std::fs::write(lab.join("instruction.toml"), order.replace("rule = \"stay\"\n", rule)).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["codes", "sign", "codes/lecture.toml"]);
    let said = succeed(&lab, &["migrate", "--reference", "--ddl"]);
    assert!(!said.contains("pending"), "{said}");
    succeed(&lab, &["reference", "propose"]);
    succeed(&lab, &["reference", "sign", "--key", "keys/controller-biologist"]);
    let said = succeed(&lab, &["migrate"]);
    assert!(said.contains("resultat: 12 rows pending, moved as they are"), "{said}");
}

#[test]
fn reference_data_come_first_from_postgresql_to_mariadb_and_back() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let (elephant, elephants) = (postgres.database("first_old"), postgres.database("first_new"));
    let (seal, seals) = (mariadb.database("first_old"), mariadb.database("first_new"));
    let of_postgres = |url: String| format!("{url}?password-file={}", postgres.password_file().display());
    let of_mariadb = |url: String| format!("{url}?password-file={}", mariadb.password_file().display());
    elephant.sql(&mapped());
    seal.sql(&mapped());
    let here = tempfile::tempdir().unwrap();
    let lab = folder(here.path(), &of_postgres(elephant.url()), &of_mariadb(seals.url()));
    accepted_first(
        &lab,
        &|sql| elephant.sql(sql).trim().parse().unwrap(),
        &|sql| seals.sql(sql).trim().parse().unwrap(),
        &[16],
    );
    let here = tempfile::tempdir().unwrap();
    let lab = folder(here.path(), &of_mariadb(seal.url()), &of_postgres(elephants.url()));
    accepted_first(
        &lab,
        &|sql| seal.sql(sql).trim().parse().unwrap(),
        &|sql| elephants.sql(sql).trim().parse().unwrap(),
        &[16],
    );
}
