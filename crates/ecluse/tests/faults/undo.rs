//! What a run wrote, taken away again: all of it and nothing else, and what was changed since is kept.

use std::os::unix::process::ExitStatusExt as _;

use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::Migration;
use ecluse_testkit::papers::Paper;

use crate::base::Base;
use crate::pair::{Answer, Pair, migrate, reconciled};

pub(crate) fn moved(made: &Migration, pair: &Pair, run: &str, more: &[&str]) -> Answer {
    let mut command = migrate(made, &pair.run(run), more);
    Answer::of(&command.env(CHUNK_ROWS, "250").output().unwrap())
}

pub(crate) fn undone(made: &Migration, pair: &Pair, run: &str, more: &[&str]) -> Answer {
    let run = pair.run(run).display().to_string();
    let mut command = made.command(&["undo", &run, "--without-views", "a test"]);
    Answer::of(&command.args(["--accept-wider-role", "a test"]).args(more).output().unwrap())
}

/// Schema and rows of the destination, as its own client tells them.
fn stands(pair: &Pair, rows: &str) -> String {
    let schema = match &pair.to {
        Base::Sqlite(_) => "select name, sql from sqlite_schema order by name",
        Base::Mariadb(_) => {
            "select table_name, column_name, column_type, column_key from information_schema.columns
             where table_schema = database() order by table_name, ordinal_position"
        }
        Base::Postgres(_) => {
            "select nspname from pg_namespace where nspname like 'ecluse%';
             select relname, relkind from pg_class where relnamespace = 'public'::regnamespace order by 1;
             select conname, pg_get_constraintdef(oid), convalidated from pg_constraint
                 where connamespace = 'public'::regnamespace order by 1"
        }
    };
    pair.to.sql(schema) + &pair.to.sql(rows)
}

const ROWS: &str = "select * from patient order by id; select * from resultat order by id";

pub(crate) fn rows(pair: &Pair) -> String {
    pair.to.sql(ROWS)
}

pub(crate) fn pairs(patients: u64) -> Vec<(Pair, tempfile::TempDir)> {
    let home = tempfile::tempdir().unwrap();
    let files = (Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"));
    let servers = Base::postgres("undone").zip(Base::postgres("undone"));
    let others = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [other, third] = others;
    let across = Base::mariadb("undone").map(|to| (Base::sqlite(third.path(), "old.db"), to));
    [(Some(files), home), (servers, other), (across, third)]
        .into_iter()
        .filter_map(|(ends, home)| ends.map(|(from, to)| (Pair::new(from, to, patients), home)))
        .collect()
}

const DECLARED: &str = "create index resultat_patient on resultat (patient_id)";

// proves: EXT-08
#[test]
fn an_undo_leaves_the_destination_as_it_was_and_the_run_is_used_up() {
    for (pair, _home) in pairs(60) {
        pair.to.sql(DECLARED);
        if !matches!(pair.to, Base::Sqlite(_)) {
            pair.to.sql("alter table resultat add foreign key (patient_id) references patient (id)");
        }
        let mut made = pair.direct();
        made.papers().edit(Paper::Instruction, "max_runs = 1000", "max_runs = 2");
        let folder = made.folder().to_owned();
        made.papers().write(&folder);
        let before = stands(&pair, ROWS);
        moved(&made, &pair, "run", &[]).holds();
        let dry = undone(&made, &pair, "run", &["--dry-run"]);
        dry.holds();
        assert!(dry.out.contains("600 of 600 rows would be taken away"), "{dry:?}");
        reconciled(&made, &pair.run("run")).holds();

        let done = undone(&made, &pair, "run", &[]);
        done.holds();
        assert!(done.out.contains("660 rows taken away; nothing of the run is left"), "{done:?}");
        assert_eq!(stands(&pair, ROWS), before);
        // once more: nothing is left to do, and nothing is harmed
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(stands(&pair, ROWS), before);

        // it is over, and counts
        moved(&made, &pair, "run", &[]).is(1, "ECL-UND-002");
        reconciled(&made, &pair.run("run")).is(1, "ECL-UND-002");
        let status = Answer::of(&made.run(&["status", &pair.run("run").display().to_string()]));
        assert!(status.out.contains("660 rows taken away"), "{status:?}");
        std::fs::rename(pair.run("run"), pair.run("aside")).unwrap();
        moved(&made, &pair, "run", &[]).holds();
        pair.arrived();
        undone(&made, &pair, "run", &[]).holds();
        std::fs::rename(pair.run("run"), pair.run("aside-too")).unwrap();
        moved(&made, &pair, "run", &[]).is(1, "ECL-RUN-031");
        std::fs::write(folder.join("acceptance.toml"), "").unwrap();
        undone(&made, &pair, "aside", &[]).is(1, "ECL-UND-003");
    }
}

// proves: EXT-08
#[test]
fn what_was_changed_since_is_kept_with_its_patients_and_named_and_the_rest_goes() {
    for (pair, _home) in pairs(60) {
        let made = pair.direct();
        moved(&made, &pair, "run", &[]).holds();
        pair.to.sql("update resultat set valeur = 'corrige' where id = 7");
        let dry = undone(&made, &pair, "run", &["--dry-run"]);
        dry.is(1, "ECL-UND-010");
        let answer = undone(&made, &pair, "run", &["--json"]);
        answer.is(1, "ECL-UND-010");
        let told: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
        assert_eq!(told["tables"][1]["gone"], 350, "{told}");
        assert_eq!(told["kept"][0]["rows"], 250);
        let row = told["kept"][0]["differ"][0]["row"].as_str().unwrap();
        assert_eq!((row.len(), &told["kept"][0]["differ"][0]["column"]), (32, &"valeur".into()), "{told}");
        // no foreign key declares it, and the patients of the kept results stay all the same
        assert_eq!(told["kept"][1]["code"], "ECL-UND-011");
        assert_eq!(told["kept"][1]["by"], "resultat");
        assert_eq!(pair.to.sql("select count(*), max(id) from resultat"), "250|250");
        assert_eq!(pair.to.sql("select count(*) from patient"), "60");

        // a row that somebody added where the open chunk reaches to is nobody's to delete
        pair.to.sql(
            "update resultat set valeur = 'Valeur-7' where id = 7; insert into patient values (99, 'Autrui')",
        );
        undone(&made, &pair, "run", &[]).is(1, "ECL-UND-010");
        assert_eq!(pair.to.sql("select count(*) from resultat"), "0");
        assert_eq!(pair.to.sql("select count(*), max(id) from patient"), "61|99");
        pair.to.sql("delete from patient where id = 99");
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(rows(&pair), "");
    }
}

// proves: EXT-08
#[test]
fn an_undo_needs_no_source_that_answers_or_is_as_it_was() {
    for (pair, _home) in pairs(60) {
        let made = pair.direct();
        moved(&made, &pair, "run", &[]).holds();
        pair.to.sql("update resultat set valeur = 'corrige' where id = 7");
        let silent = pair.from.silent();
        let answer = undone(&made, &pair, "run", &["--json", "--from", &silent]);
        answer.is(1, "ECL-UND-010");
        // the chunk is named, and why its rows are not; all others are gone
        let told: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
        assert_eq!((&told["kept"][0]["chunk"], &told["kept"][0]["rows"]), (&0.into(), &250.into()), "{told}");
        assert_eq!(told["kept"][0]["differ"], serde_json::json!([]), "{told}");
        assert!(told["unnamed"].as_str().unwrap().starts_with("ECL-"), "{told}");
        assert_eq!(pair.to.sql("select count(*), max(id) from resultat"), "250|250");

        // put back, and a source that answers as another one than was signed for
        pair.to.sql("update resultat set valeur = 'Valeur-7' where id = 7");
        pair.from.sql("alter table resultat add column vu integer");
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(rows(&pair), "");
    }
}

#[test]
fn rows_of_others_that_refer_to_what_moved_keep_it_whatever_their_foreign_key_would_do() {
    for (pair, _home) in pairs(60) {
        pair.to.sql(
            "create table rendez_vous (id integer primary key, patient_id bigint,
                 foreign key (patient_id) references patient (id) on delete cascade)",
        );
        let made = pair.direct();
        moved(&made, &pair, "run", &[]).holds();
        pair.to.sql("insert into rendez_vous values (1, 5)");
        let answer = undone(&made, &pair, "run", &[]);
        answer.is(1, "ECL-UND-011");
        assert!(answer.out.contains("60 rows kept") && answer.out.contains("rendez_vous"), "{answer:?}");
        assert_eq!(pair.to.sql("select count(*) from resultat"), "0");
        assert_eq!(pair.to.sql("select * from rendez_vous"), "1|5");
        assert_eq!(pair.to.sql("select count(*) from patient"), "60");
        pair.to.sql("delete from rendez_vous");
        undone(&made, &pair, "run", &[]).holds();
        assert_eq!(rows(&pair), "");
    }
}

#[test]
fn tables_that_the_run_made_are_dropped_where_they_are_empty_and_no_other() {
    for (pair, _home) in pairs(60) {
        pair.to.sql("drop table resultat");
        let before = pair.to.sql("select count(*) from patient");
        let made = pair.direct();
        moved(&made, &pair, "run", &["--ddl"]).holds();
        let answer = undone(&made, &pair, "run", &[]);
        answer.holds();
        assert!(answer.out.contains("resultat   dropped: the run had made it"), "{answer:?}");
        // the table that stood before stands
        assert_eq!(pair.to.sql("select count(*) from patient"), before);
        assert!(!stands_table(&pair, "resultat"));
        undone(&made, &pair, "run", &[]).holds();
    }
}

fn stands_table(pair: &Pair, table: &str) -> bool {
    let sql = match &pair.to {
        Base::Sqlite(_) => format!("select count(*) from sqlite_schema where name = '{table}'"),
        Base::Postgres(_) => format!("select count(to_regclass('{table}'))"),
        Base::Mariadb(_) => format!(
            "select count(*) from information_schema.tables where table_schema = database() and table_name = '{table}'"
        ),
    };
    pair.to.sql(&sql) == "1"
}

/// In PostgreSQL and MariaDB; the way in SQLite is in `steps.rs`.
// proves: EXT-08
#[test]
fn killed_anywhere_an_undo_goes_on_and_nothing_leaks() {
    let home = tempfile::tempdir().unwrap();
    let (Some(from), Some(to)) = (Base::postgres("undone"), Base::postgres("undone")) else { return };
    let Some(across) = Base::mariadb("undone") else { return };
    killed_and_undone(&Pair::new(from, to, 30), "postgres.");
    killed_and_undone(&Pair::new(Base::sqlite(home.path(), "old.db"), across, 30), "mariadb.");
}

fn killed_and_undone(pair: &Pair, engine: &str) {
    pair.to.sql("drop table resultat");
    let made = pair.direct();
    let before = stands(pair, "select * from patient");
    let search = Search::new(&["Nom-invente"]);
    let mut deaths = 0;
    for (act, passings) in [("remove", 2), ("forget", 1), ("drop_made", 1)] {
        let name = format!("{engine}{act}.commit.");
        for name in failpoints().into_iter().filter(|failpoint| failpoint.starts_with(&name)) {
            for nth in 1..=passings {
                let run = format!("{name}-{nth}");
                moved(&made, pair, &run, &["--ddl"]).holds();
                let folder = pair.run(&run).display().to_string();
                let mut command = made.command(&["undo", &folder]);
                let output = command.env(VARIABLE, format!("{name}:{nth}")).output().unwrap();
                assert_eq!(search.folder(&pair.run(&run)), [], "{run}");
                assert_eq!(search.bytes("said", &[output.stdout, output.stderr].concat()), [], "{run}");
                deaths += u32::from(output.status.signal() == Some(9));
                let again = undone(&made, pair, &run, &[]);
                again.holds();
                assert!(again.out.contains("330 rows taken away"), "{run}: {again:?}");
                assert_eq!(stands(pair, "select * from patient"), before, "{run}");
            }
        }
    }
    assert_eq!(deaths, 8, "{engine}");
}
