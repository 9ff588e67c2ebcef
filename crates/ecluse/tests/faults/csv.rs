//! A folder of CSV files: moved where the order knows what it is, refused where it lies.

use std::path::{Path, PathBuf};

use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::{End, Migration, Ordered};
use tempfile::TempDir;

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::Answer;

const DESCRIPTION: &str = r#"
format    = "ecluse-csv/1"
delimiter = ";"
encoding  = "utf-8"
null      = "\\N"
decimal   = ","

[[table]]
name = "patient"
key  = ["id"]
columns = [
    { name = "id", type = "int" },
    { name = "nom", type = "text" },
    { name = "ne", type = "date" },
    { name = "secret", type = "text" },
]

[[table]]
name = "resultat"
file = "RES 2024.csv"
key  = ["id"]
columns = [
    { name = "id", type = "int" },
    { name = "patient_id", type = "int" },
    { name = "valeur", type = "decimal(10,3)" },
    { name = "texte", type = "text" },
]
"#;

// keys out of order, a quote doubled, a line's end inside a field, a formula, NULL and the empty text
const PATIENTS: &str = "id;nom;ne;secret\n\
    30;\"Nom; \"\"invente\"\"\";1960-02-29;never-moves-1\n\
    2;\"Deux\nlignes\";1950-01-01;never-moves-2\n\
    10;=1+1;1980-12-31;\n\
    4;\\N;1700-01-01;never-moves-3\n";
const RESULTS: &str = "id;patient_id;valeur;texte\n7;30;1,5;\n8;2;-0,125;\\N\n9;4;3;Parti\n";

struct Lab {
    folder: TempDir,
    to: Base,
    made: Migration,
}

fn order() -> Vec<Ordered> {
    vec![
        Ordered {
            table: "patient",
            rows: "ne >= date(\"1900-01-01\")",
            columns: vec!["id", "nom", "ne"],
            reasoned: vec!["nom"],
        },
        Ordered {
            table: "resultat",
            rows: "patient_id in chosen.patient",
            columns: vec!["id", "patient_id", "valeur", "texte"],
            reasoned: vec!["texte"],
        },
    ]
}

impl Lab {
    fn new() -> Self {
        Self::to(|folder| Base::sqlite(folder, "new.db"))
    }

    fn to(destination: impl FnOnce(&Path) -> Base) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("csv");
        std::fs::create_dir(&files).unwrap();
        std::fs::write(files.join("patient.csv"), PATIENTS).unwrap();
        std::fs::write(files.join("RES 2024.csv"), RESULTS).unwrap();
        let description = folder.path().join("csv.toml");
        std::fs::write(&description, DESCRIPTION).unwrap();
        let to = destination(folder.path());
        let whole = if matches!(to, Base::Sqlite(_)) { "integer" } else { "bigint" };
        to.sql(&format!(
            "create table patient (id {whole} not null primary key, nom text, ne date);
             create table resultat (id {whole} not null primary key, patient_id {whole}, valeur decimal(10,3), texte text)",
        ));
        let lab = folder.path().join("lab");
        std::fs::create_dir(&lab).unwrap();
        let from = End::csv("labo", &files, &description);
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let made = Migration::new(program, &lab, now(), &from, &to.as_destination(), &order());
        Self { folder, to, made }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("csv").join(name)
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn does(&self, step: &str) -> Answer {
        let run = self.run().display().to_string();
        let arguments: &[&str] = if step == "migrate" { &["migrate", "--run", &run] } else { &[step, &run] };
        Answer::of(&self.made.run(arguments))
    }

    fn rows(&self) -> String {
        self.to.sql("select count(*) from patient; select count(*) from resultat").replace('\n', " ")
    }
}

// proves: EXT-01, EXT-03
#[test]
fn a_csv_folder_arrives_as_it_was_described() {
    let lab = Lab::new();
    lab.does("migrate").holds();
    let patients = lab.to.sql("select id, nom, ne from patient order by id");
    assert_eq!(patients, "2|Deux\nlignes|1950-01-01\n10|=1+1|1980-12-31\n30|Nom; \"invente\"|1960-02-29");
    let results =
        "select id, patient_id, printf('%.3f', valeur), texte is null, texte from resultat order by id";
    assert_eq!(lab.to.sql(results), "7|30|1.500|0|\n8|2|-0.125|1|");
    lab.does("reconcile").holds();
    let figures = std::fs::read_to_string(lab.run().join("figures.json")).unwrap();
    assert!(figures.contains(&ecluse_core::digest::of_bytes(PATIENTS.as_bytes())), "{figures}");
    assert!(figures.contains("1 ordered texts begin as a spreadsheet's formula does"), "{figures}");
    assert!(figures.contains("2 files in clear"), "{figures}");
    let search = Search::new(&["never-moves-"]);
    assert_eq!(search.folder(&lab.run()), []);
    assert_eq!(search.folder(&lab.folder.path().join("new.db")), []);
    assert_ne!(search.folder(&lab.folder.path().join("csv")), [], "the source holds them");
    // another row at the source is caught up with
    std::fs::write(lab.file("patient.csv"), format!("{PATIENTS}11;Onze;1999-09-09;x\n")).unwrap();
    lab.does("migrate").holds();
    assert_eq!(lab.rows(), "4 2");
}

/// Beyond the memory allowed: sealed, sorted, merged, gone; into each engine.
// proves: EXT-01
#[test]
fn a_csv_folder_beyond_memory_is_staged_and_arrives() {
    let home = tempfile::tempdir().unwrap();
    let ends = [Some(Base::sqlite(home.path(), "new.db")), Base::postgres("csv"), Base::mariadb("csv")];
    for to in ends.into_iter().flatten() {
        let mut lab = Lab::to(|_| to);
        // keys against their order, a third of patients excluded
        let patients: String = (1..=600)
            .rev()
            .map(|n| format!("{n};Nom-{n};{}-01-01;never-moves\n", if n % 3 == 0 { 1800 } else { 1950 }))
            .collect();
        let results: String = (1..=30_000)
            .rev()
            .map(|n| format!("{n};{};{},5;Texte-de-ce-resultat-{n}\n", 1 + n % 600, n % 90))
            .collect();
        std::fs::write(lab.file("patient.csv"), format!("id;nom;ne;secret\n{patients}")).unwrap();
        std::fs::write(lab.file("RES 2024.csv"), format!("id;patient_id;valeur;texte\n{results}")).unwrap();
        let staging = lab.folder.path().join("staging");
        let known = "cannot_deny = true";
        let said = format!("{known}\nstaging = \"{}\"", staging.display());
        let folder = lab.made.folder().to_owned();
        let papers = lab.made.papers();
        papers.edits.clear();
        papers.instruction = papers.instruction.replace(known, &said);
        papers.write(&folder);
        let connections = folder.join("connections.toml");
        let text = std::fs::read_to_string(&connections).unwrap();
        std::fs::write(&connections, text.replacen("?database", "?memory=1M&database", 1)).unwrap();
        lab.does("migrate").holds();
        lab.does("reconcile").holds();
        let count = "select count(*), sum(id) from resultat";
        let (rows, sum) =
            (1..=30_000u64).filter(|n| (1 + n % 600) % 3 != 0).fold((0, 0), |(r, s), n| (r + 1, s + n));
        assert_eq!(lab.to.sql(count), format!("{rows}|{sum}"));
        let first = "select texte from resultat order by id desc limit 1";
        assert_eq!(lab.to.sql(first), "Texte-de-ce-resultat-30000");
        assert_eq!(std::fs::read_dir(&staging).unwrap().count(), 0);
        let figures = std::fs::read_to_string(lab.run().join("figures.json")).unwrap();
        assert!(figures.contains("parts in the staging folder"), "{figures}");
        let search = Search::new(&["never-moves", "Texte-de-ce"]);
        assert_eq!(search.folder(&lab.run()), []);
    }
}

#[test]
fn a_csv_folder_that_lies_is_refused_before_a_row_is_written() {
    let lab = Lab::new();
    let refused = |what: &str, text: &[u8], code: &str| {
        std::fs::write(lab.file("patient.csv"), text).unwrap();
        let answer = lab.does("migrate");
        assert_eq!((answer.code, answer.last()), (Some(1), code), "{what}: {answer:?}");
        assert_eq!(lab.rows(), "0 0", "{what}");
        assert!(!answer.said().contains("never-moves-"), "{what}");
    };
    let with = |line: &str| format!("{PATIENTS}{line}\n").into_bytes();
    refused("a field more", &with("5;a;1970-01-01;never-moves-9;more"), "ECL-SRC-652");
    refused("a field less", &with("5;a;1970-01-01"), "ECL-SRC-652");
    refused("a quote never closed", &with("5;a;1970-01-01;\"never-moves-9"), "ECL-SRC-656");
    refused("a NUL", &with("5;a\0;1970-01-01;x"), "ECL-SRC-656");
    refused("a key twice", &with("2;a;1970-01-01;x"), "ECL-SRC-613");
    refused("a key that is no number", &with("zwei;a;1970-01-01;x"), "ECL-SRC-001");
    refused("UTF-16", b"\xff\xfei\0d\0", "ECL-SRC-654");
    refused("another separator", PATIENTS.replace(';', ",").as_bytes(), "ECL-SRC-654");
    refused("columns in another order", PATIENTS.replacen("id;nom", "nom;id", 1).as_bytes(), "ECL-SRC-654");
    // a value of another encoding refuses its row, and the order tolerates none
    let latin1 = [PATIENTS.as_bytes(), b"5;Ren\xe9;1970-01-01;x\n"].concat();
    std::fs::write(lab.file("patient.csv"), latin1).unwrap();
    lab.does("migrate").is(1, "ECL-RUN-012");
    assert_eq!(lab.rows(), "3 2");
}

#[test]
fn a_way_out_of_the_folder_and_another_description_are_refused() {
    let lab = Lab::new();
    let outside = lab.folder.path().join("outside.csv");
    std::fs::rename(lab.file("patient.csv"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, lab.file("patient.csv")).unwrap();
    lab.does("migrate").is(1, "ECL-SRC-655");
    std::fs::remove_file(lab.file("patient.csv")).unwrap();
    lab.does("migrate").is(3, "ECL-SRC-650");
    std::fs::rename(&outside, lab.file("patient.csv")).unwrap();
    let describe = |text: String| std::fs::write(lab.folder.path().join("csv.toml"), text).unwrap();
    // how NULL is written is under the signature
    describe(DESCRIPTION.replacen("null      = \"\\\\N\"", "null      = \"\"", 1));
    assert_eq!(lab.does("migrate").code, Some(1));
    assert_eq!(lab.rows(), "0 0");
    describe(DESCRIPTION.replacen("\"RES 2024.csv\"", "\"../outside.csv\"", 1));
    lab.does("migrate").is(1, "ECL-SRC-651");
    describe(DESCRIPTION.to_owned());
    lab.does("migrate").holds();
}
