//! A rehearsal on whole dossiers: every one whole, nothing of another's, never taken for the whole run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE};
use ecluse_testkit::migration::{End, Migration, Ordered};
use rusqlite::Connection;
use serde_json::Value;

use crate::{now, program};

const SCHEMA: &str = "
create table patient (id integer primary key, nom varchar(40));
create table adresse (id integer primary key, patient_id integer not null references patient(id), ville varchar(40));
create table demande (id integer primary key, patient_id integer not null references patient(id),
    corrige integer references demande(id), rem varchar(40));
create table prelevement (id integer primary key, demande_id integer not null references demande(id),
    nature varchar(40));
create table resultat (id integer primary key, demande_id integer not null references demande(id),
    prelevement_id integer references prelevement(id), valeur varchar(40));
create table unite (id integer primary key, code varchar(40));
";

/// 60 patients with an address each, 200 requests, two specimens and three results each; every text is a
/// canary of its row. Only request 150 has a culture, and only 77 corrects another (76).
fn rows() -> String {
    let n = |limit: u32| {
        format!("with recursive n(i) as (select 1 union all select i + 1 from n where i < {limit})")
    };
    [
        format!("{} insert into patient select i, 'temoin-p-' || i || '-' from n;", n(60)),
        format!("{} insert into adresse select i, i, 'temoin-c-' || i || '-' from n;", n(60)),
        format!(
            "{} insert into demande select i, 1 + (i * 7) % 60, case i when 77 then 76 end, 'temoin-d-' || i || '-' from n;",
            n(200)
        ),
        format!(
            "{} insert into prelevement select i, 1 + (i - 1) / 2, case i when 300 then 'culture' else 'temoin-s-' || i || '-' end from n;",
            n(400)
        ),
        format!(
            "{} insert into resultat select i, 1 + (i - 1) / 3, case i % 3 when 0 then null else 2 * ((i - 1) / 3) + i % 3 end, 'temoin-r-' || i || '-' from n;",
            n(600)
        ),
        "insert into unite values (1, 'g/L'), (2, 'mmol/L');".to_owned(),
    ]
    .concat()
}

const DOSSIER: &str = "
[dossier]
table = \"demande\"

[dossier.kinds]
microbiologie = { table = \"prelevement\", where = 'nature == \"culture\"' }
corrigee      = 'corrige != null'
genetique     = { table = \"prelevement\", where = 'nature == \"adn\"' }

[pending]
";

struct Lab {
    migration: Migration,
    from: PathBuf,
    to: PathBuf,
    _folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        let (from, to) = (here.join("old.db"), here.join("new.db"));
        create_from(&from, &format!("{SCHEMA}{}", rows())).unwrap();
        create_from(&to, SCHEMA).unwrap();
        let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
        let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
        let table = |table, columns: &[&'static str]| Ordered {
            table,
            rows: "true",
            columns: columns.to_vec(),
            reasoned: columns.iter().copied().filter(|c| ["rem", "ville"].contains(c)).collect(),
        };
        let order = [
            table("patient", &["id", "nom"]),
            table("adresse", &["id", "patient_id", "ville"]),
            table("demande", &["id", "patient_id", "corrige", "rem"]),
            table("prelevement", &["id", "demande_id", "nature"]),
            table("resultat", &["id", "demande_id", "prelevement_id", "valeur"]),
            table("unite", &["id", "code"]),
        ];
        let papers = here.join("papers");
        let mut migration = Migration::new(program(), &papers, now(), &source, &destination, &order);
        let text = migration.papers();
        text.instruction = text.instruction.replacen("\n[pending]\n", DOSSIER, 1);
        text.write(&papers);
        Self { migration, from, to, _folder: folder }
    }

    /// `ecluse migrate` in chunks of a few rows; dying where `death` says so.
    fn migrate(&self, more: &[&str], death: &str) -> (Option<i32>, String) {
        let mut command = self.migration.command(&["migrate", "--without-views", "a test"]);
        command.args(["--accept-wider-role", "a test"]).args(more).env(CHUNK_ROWS, "64");
        if !death.is_empty() {
            command.env(VARIABLE, death);
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), said.concat())
    }

    fn moves(&self, more: &[&str]) -> String {
        let (code, said) = self.migrate(more, "");
        assert_eq!(code, Some(0), "{said}");
        said
    }

    fn figures(&self) -> Value {
        let text = std::fs::read(self.migration.folder().join("run/figures.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

fn ids(path: &Path, sql: &str) -> BTreeSet<i64> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

const TABLES: [&str; 6] = ["patient", "adresse", "demande", "prelevement", "resultat", "unite"];

fn everything(path: &Path) -> Vec<BTreeSet<i64>> {
    TABLES.iter().map(|table| ids(path, &format!("select id from {table}"))).collect()
}

/// Every dossier there is whole, and nothing else is there: recomputed from the source by its own SQL.
fn whole_dossiers(lab: &Lab) -> BTreeSet<i64> {
    let there = everything(&lab.to);
    let drawn: Vec<String> = there[2].iter().map(i64::to_string).collect();
    let drawn = drawn.join(", ");
    let wanted = [
        format!("select distinct patient_id from demande where id in ({drawn})"),
        format!(
            "select id from adresse where patient_id in (select patient_id from demande where id in ({drawn}))"
        ),
        format!(
            "select id from demande where id in ({drawn}) or id in (select corrige from demande where id in ({drawn}))"
        ),
        format!("select id from prelevement where demande_id in ({drawn})"),
        format!("select id from resultat where demande_id in ({drawn})"),
        "select id from unite".to_owned(),
    ];
    for ((table, there), sql) in TABLES.iter().zip(&there).zip(&wanted) {
        assert_eq!(*there, ids(&lab.from, sql), "{table}");
    }
    there[2].clone()
}

/// No text of a row outside the sample is in these files.
fn nothing_of_others(lab: &Lab, files: &[PathBuf]) {
    let there = everything(&lab.to);
    let outside = |letter: &str, all: i64, there: &BTreeSet<i64>| -> Vec<String> {
        (1..=all).filter(|id| !there.contains(id)).map(|id| format!("temoin-{letter}-{id}-")).collect()
    };
    let canaries: Vec<String> = [
        outside("p", 60, &there[0]),
        outside("c", 60, &there[1]),
        outside("d", 200, &there[2]),
        outside("s", 400, &there[3]),
        outside("r", 600, &there[4]),
    ]
    .concat();
    assert!(canaries.len() > 1_000);
    let canaries: BTreeSet<&[u8]> = canaries.iter().map(|c| c.as_bytes()).collect();
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let starts = bytes.windows(7).enumerate().filter(|(_, w)| *w == b"temoin-").map(|(at, _)| at);
        for start in starts {
            let rest = &bytes[start..bytes.len().min(start + 16)];
            let end = rest.iter().skip(9).position(|b| *b == b'-').map_or(rest.len(), |n| n + 10);
            assert!(!canaries.contains(&rest[..end]), "{}", file.display());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).filter(|p| p.is_file()).collect()
}

// proves: EXT-09
#[test]
fn a_sample_is_of_whole_dossiers_and_the_whole_run_takes_its_place() {
    let lab = Lab::new();
    let said = lab.moves(&["--sample", "8"]);
    for told in [
        "Sample of 8 dossiers of 200",
        "microbiologie   1 of 1",
        "corrigee   1 of 1",
        "genetique   not found",
        "This is not the whole run",
        "The whole would take about",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    let drawn = whole_dossiers(&lab);
    // 77 leads to 76, unless that was drawn too
    let many = drawn.len() as u64;
    assert!(many == if said.contains("with 1 that they lead to") { 9 } else { 8 }, "{said}");
    assert!([150, 77, 76].iter().all(|id| drawn.contains(id)), "{drawn:?}");
    let run = lab.migration.folder().join("run");
    nothing_of_others(&lab, &[files(&run), vec![lab.to.clone()]].concat());

    // nobody takes it for the whole run
    let figures = lab.figures();
    assert_eq!((&figures["whole"], &figures["sample"]["through"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(figures["sample"]["dossiers"], many);
    let results = &figures["tables"].as_array().unwrap().iter().find(|t| t["source"] == "resultat").unwrap();
    let counted = ["asked", "moved", "left_out"].map(|name| results[name].as_u64().unwrap());
    assert_eq!(counted, [600, 3 * many, 600 - 3 * many]);
    let told = lab.migration.succeed(&["reconcile"]);
    assert!(told.contains("Sample of 8 dossiers"), "{told}");
    let next = lab.migration.run(&["next"]);
    let next = String::from_utf8_lossy(&next.stdout).into_owned();
    assert!(next.contains(&format!("only a sample of {many} dossiers was moved")), "{next}");
    lab.migration.succeed(&["report"]);
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    let told = format!("Seul un échantillon de {many} dossiers sur 200 est passé");
    assert!(page.contains(&told), "{page}");
    let frozen = lab.migration.run(&["freeze"]);
    assert!(String::from_utf8_lossy(&frozen.stderr).contains("ECL-RUN-053"), "a sample is not cut over");

    // the same order once more, the whole: in its place, and no catch-up
    let said = lab.moves(&[]);
    assert!(!said.contains("Catch-up"), "{said}");
    assert_eq!(everything(&lab.to), everything(&lab.from));
    assert_eq!((&lab.figures()["whole"], lab.figures().get("sample")), (&Value::Bool(true), None));
    lab.migration.succeed(&["reconcile"]);
    let (code, said) = lab.migrate(&["--sample", "8"], "");
    assert!(code == Some(1) && said.contains("ECL-RUN-063"), "{said}");
    assert_eq!(everything(&lab.to), everything(&lab.from));
}

#[test]
fn a_sample_that_was_killed_goes_on_with_the_same_dossiers() {
    let lab = Lab::new();
    // after the requests of the first chunk, and somewhere among the results
    let (code, _) = lab.migrate(&["--sample", "8"], "sqlite_chunk.commit.after:4");
    assert_ne!(code, Some(0));
    let (code, _) = lab.migrate(&["--sample", "8"], "sqlite_chunk.commit.before:6");
    assert_ne!(code, Some(0));
    let some = ids(&lab.to, "select id from demande");
    assert!(!some.is_empty(), "rows stood there before it died");
    lab.moves(&["--sample", "8"]);
    let drawn = whole_dossiers(&lab);
    assert!(some.is_subset(&drawn), "{some:?} {drawn:?}");
    // a larger sample of the same run holds the smaller one
    lab.moves(&["--sample", "20"]);
    assert!(drawn.is_subset(&whole_dossiers(&lab)));
    lab.moves(&["--sample", "8"]);
    assert_eq!(whole_dossiers(&lab), drawn);
    lab.migration.succeed(&["reconcile"]);
}

#[test]
fn what_differs_at_the_destination_of_a_sample_is_found_and_an_undo_takes_it_away() {
    let lab = Lab::new();
    lab.moves(&["--sample", "8"]);
    let sql = |sql: &str| Connection::open(&lab.to).unwrap().execute_batch(sql).unwrap();
    let gone = *everything(&lab.to)[4].first().unwrap();
    sql(&format!("delete from resultat where id = {gone}"));
    let output =
        lab.migration.run(&["reconcile", "--without-views", "a test", "--accept-wider-role", "a test"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("1 of ") && said.contains("rows differ"),
        "one row, and not those left out: {said}"
    );
    sql(&format!(
        "attach '{}' as old; insert into resultat select * from old.resultat where id = {gone}",
        lab.from.display()
    ));
    lab.migration.succeed(&["undo", "--without-views", "a test", "--accept-wider-role", "a test"]);
    assert!(everything(&lab.to).iter().all(BTreeSet::is_empty));
    // and the run is spent, as any other
    let (code, said) = lab.migrate(&["--sample", "8"], "");
    assert!(code != Some(0), "{said}");
}

#[test]
fn without_a_word_on_dossiers_none_is_drawn() {
    let mut lab = Lab::new();
    let folder = lab.migration.folder().to_owned();
    let text = lab.migration.papers();
    let start = text.instruction.find("[dossier]").unwrap();
    let end = text.instruction.find("[pending]").unwrap();
    text.instruction.replace_range(start..end, "");
    text.write(&folder);
    let (code, said) = lab.migrate(&["--sample", "8"], "");
    assert!(code == Some(1) && said.contains("ECL-RUN-060"), "{said}");
    assert!(!said.contains("made "), "tables for nobody: {said}");
    assert!(everything(&lab.to).iter().all(BTreeSet::is_empty));
}
