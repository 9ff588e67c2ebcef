//! Requests that are not finished: they stay, move or hold the cut-over up, as the order says.

use ecluse_testkit::migration::{Migration, Ordered};
use serde_json::Value;

use crate::base::Base;
use crate::pair::Answer;

const SCHEMA: &str = "
create table patient (id bigint primary key not null, nom varchar(40) not null);
create table demande (id bigint primary key not null, patient_id bigint not null, etat varchar(1));
create table resultat (id bigint primary key not null, demande_id bigint not null, valeur varchar(40));
";

/// Requests 1 and 4 are finished; 2 is of a patient who has no other, 3 says nothing of its state.
const ROWS: &str = "
insert into patient values (1, 'Inventee-un'), (2, 'Inventee-deux'), (3, 'Inventee-trois');
insert into demande values (1, 1, 'V'), (2, 2, 'E'), (3, 1, null), (4, 3, 'V');
insert into resultat values (10, 1, 'a'), (20, 2, 'b'), (21, 2, 'c'), (30, 3, 'd'), (40, 4, 'e');
";

/// The migration, its folder, and both ends; results choose their rows as `results` says.
struct Case {
    made: Migration,
    from: Base,
    to: Base,
    _folder: tempfile::TempDir,
}

impl Case {
    fn new(from: Base, to: Base, rule: &str, results: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        from.sql(&format!("{SCHEMA}{ROWS}"));
        to.sql(SCHEMA);
        let table = |table, rows, columns: &[&'static str]| Ordered {
            table,
            rows,
            columns: columns.to_vec(),
            reasoned: Vec::new(),
        };
        let order = [
            table("demande", "true", &["id", "patient_id", "etat"]),
            table("patient", "id in chosen.demande.patient_id", &["id", "nom"]),
            table("resultat", results, &["id", "demande_id", "valeur"]),
        ];
        let papers = folder.path().canonicalize().unwrap().join("papers");
        let (source, destination) = (from.as_source(), to.as_destination());
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let now = crate::laboratory::now();
        let mut made = Migration::new(program, &papers, now, &source, &destination, &order);
        let text = made.papers();
        let rule = format!("rule = \"{rule}\"\n\n[pending.where]\ndemande = '!(etat == \"V\")'\n");
        text.instruction = text.instruction.replacen("rule = \"stay\"\n", &rule, 1);
        let relation = "relations = [{ column = \"demande_id\", table = \"demande\", to = \"id\" }]\ncolumns = [\n    \"id\",\n    \"demande_id\"";
        text.instruction =
            text.instruction.replacen("columns = [\n    \"id\",\n    \"demande_id\"", relation, 1);
        text.write(&papers);
        Self { made, from, to, _folder: folder }
    }

    fn ecluse(&self, arguments: &[&str]) -> Answer {
        let wide = ["--without-views", "a test", "--accept-wider-role", "a test"];
        Answer::of(&self.made.run(&[arguments, &wide].concat()))
    }

    fn there(&self) -> [String; 3] {
        ["patient", "demande", "resultat"].map(|table| {
            self.to.sql(&format!("select id from {table} order by id")).trim().replace('\n', " ")
        })
    }

    fn figures(&self) -> Value {
        let text = std::fs::read(self.made.folder().join("run/figures.json")).unwrap();
        let figures: Value = serde_json::from_slice(&text).unwrap();
        figures["tables"].as_array().unwrap().iter().find(|t| t["source"] == "demande").unwrap().clone()
    }
}

const THROUGH: &str = "demande_id in chosen.demande";

/// They stay with all that hangs on them, and arrive at the catch-up once they are finished.
fn stay(from: Base, to: Base) {
    let case = Case::new(from, to, "stay", THROUGH);
    let moved = case.ecluse(&["migrate"]);
    moved.holds();
    assert_eq!(case.there(), ["1 3", "1 4", "10 40"].map(str::to_owned));
    assert!(moved.out.contains("demande: 2 rows left: pending"), "{moved:?}");
    let figures = case.figures();
    assert_eq!((&figures["unfinished"], &figures["pending"]), (&Value::from(2), &Value::from("stay")));
    case.ecluse(&["reconcile", "--full"]).holds();
    let status = Answer::of(&case.made.run(&["status"]));
    assert!(status.out.contains("pending      demande: 2 rows left: pending"), "{status:?}");
    for (language, told) in [
        ("en", "They stayed in the old system, with whatever hangs on them"),
        ("fr", "Elles sont restées dans l’ancien système, avec ce qui s’y rattache"),
    ] {
        case.made.succeed(&["report", "--lang", language]);
        let page = std::fs::read_to_string(case.made.folder().join("run/report.html")).unwrap();
        assert!(page.contains(told) && page.contains("demande"), "{page}");
    }

    case.from.sql("update demande set etat = 'V' where id = 2");
    case.ecluse(&["freeze"]).holds();
    let caught = case.ecluse(&["migrate", "--catch-up"]);
    caught.holds();
    assert!(caught.out.contains("4 added, 0 changed, 0 deleted"), "{caught:?}");
    assert!(caught.out.contains("demande: 1 row left: pending"), "{caught:?}");
    assert_eq!(case.there(), ["1 2 3", "1 2 4", "10 20 21 40"].map(str::to_owned));
    case.ecluse(&["reconcile", "--full"]).holds();
}

#[test]
fn what_is_not_finished_stays_and_arrives_once_it_is_from_postgresql() {
    let (Some(from), Some(to)) = (Base::postgres("stay"), Base::postgres("stayed")) else { return };
    stay(from, to);
}

#[test]
fn what_is_not_finished_stays_and_arrives_once_it_is_from_mariadb_into_sqlite() {
    let home = tempfile::tempdir().unwrap();
    let Some(from) = Base::mariadb("stay") else { return };
    stay(from, Base::sqlite(home.path(), "new.db"));
}

fn files(home: &tempfile::TempDir, rule: &str, results: &'static str) -> Case {
    Case::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), rule, results)
}

#[test]
fn a_cut_over_waits_until_nothing_is_unfinished() {
    let home = tempfile::tempdir().unwrap();
    let case = files(&home, "wait", THROUGH);
    case.ecluse(&["migrate"]).holds();
    assert_eq!(case.there()[1], "1 2 3 4", "until the cut-over they move like all others");
    let frozen = case.ecluse(&["freeze"]);
    assert!(frozen.code == Some(1) && frozen.errors.contains("ECL-RUN-064"), "{frozen:?}");
    assert!(frozen.errors.contains("2 of demande"), "{frozen:?}");
    case.from.sql("update demande set etat = 'V'");
    case.ecluse(&["freeze"]).holds();
    // one that is taken back after the hour holds it up again, before anything moves
    case.from.sql("update demande set etat = 'E' where id = 4");
    let caught = case.ecluse(&["migrate", "--catch-up"]);
    assert_eq!(caught.code, Some(1), "{caught:?}");
    case.from.sql("update demande set etat = 'V' where id = 4");
    case.ecluse(&["freeze"]).holds();
    case.ecluse(&["migrate", "--catch-up"]).holds();
}

#[test]
fn what_moves_unfinished_is_counted_and_a_child_never_moves_alone() {
    let home = tempfile::tempdir().unwrap();
    let case = files(&home, "move", "true");
    let moved = case.ecluse(&["migrate"]);
    moved.holds();
    assert!(moved.out.contains("demande: 2 rows pending, moved as they are"), "{moved:?}");
    assert_eq!(case.there()[2], "10 20 21 30 40");

    let home = tempfile::tempdir().unwrap();
    let refused = files(&home, "stay", "true").ecluse(&["migrate"]);
    assert!(refused.code == Some(1) && refused.errors.contains("ECL-PLN-063"), "{refused:?}");
}
