//! A source that lived on after its rows were moved: what a catch-up adds, changes and deletes stands
//! apart from what the run moved.

use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE, failpoints};
use ecluse_testkit::migration::Migration;
use serde_json::Value;

use crate::base::Base;
use crate::pair::{Answer, Pair, migrate, reconciled};

/// Rows of a chunk: of 60 patients one, of their 600 results several, and the last one open.
const ROWS: &str = "250";

/// `ecluse migrate` in chunks that small.
fn moved(made: &Migration, pair: &Pair, more: &[&str]) -> Answer {
    let mut command = migrate(made, &pair.run("run"), more);
    Answer::of(&command.env(CHUNK_ROWS, ROWS).output().unwrap())
}

/// What the last catch-up did: per table added, changed, deleted, chunks compared and replaced.
fn caught(pair: &Pair) -> Vec<[u64; 5]> {
    let text = std::fs::read(pair.run("run").join("figures.json")).unwrap();
    let figures: Value = serde_json::from_slice(&text).unwrap();
    let last = figures["catch_ups"].as_array().and_then(|all| all.last()).expect("a catch-up");
    let names = ["added", "changed", "deleted", "chunks", "replaced"];
    let of = |table: &Value| names.map(|name| table[name].as_u64().unwrap());
    last["tables"].as_array().unwrap().iter().map(of).collect()
}

/// Planted at the source: one patient new, one renamed, one gone with all ten results; results
/// added before, between and after those that were moved, so that the open chunk gets an end.
fn lives_on(pair: &Pair) {
    pair.from.sql(
        "insert into patient values (61, 'Nom-invente-61');
         update patient set nom = 'Nom-de-mariage' where id = 2;
         delete from resultat where patient_id = 3;
         delete from patient where id = 3;
         update resultat set valeur = 'corrige' where id = 555;
         insert into resultat values (0, 1, 'avant'), (601, 61, 'apres'), (602, 61, 'apres');",
    );
    let many: Vec<String> = (1000..1200).map(|id| format!("({id}, 61, 'en masse')")).collect();
    pair.from.sql(&format!("insert into resultat values {}", many.join(", ")));
}

const LIVED: [[u64; 5]; 2] = [[1, 1, 1, 1, 1], [203, 1, 10, 4, 3]];

fn arrives_and_nothing_else(pair: &Pair) {
    let made = pair.direct();
    moved(&made, pair, &[]).holds();
    lives_on(pair);
    let answer = moved(&made, pair, &[]);
    answer.holds();
    pair.arrived();
    assert_eq!(caught(pair), LIVED);
    assert!(answer.out.contains("204 added, 2 changed, 11 deleted"), "{answer:?}");
    reconciled(&made, &pair.run("run")).holds();

    // once more: nothing differs, and the figures of the first catch-up still stand
    moved(&made, pair, &[]).holds();
    assert_eq!(caught(pair), [[0, 0, 0, 1, 0], [0, 0, 0, 4, 0]]);
    let status = Answer::of(&made.run(&["status", &pair.run("run").display().to_string(), "--json"]));
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["figures"]["catch_ups"].as_array().map(Vec::len), Some(2));
    assert_eq!(status["figures"]["catch_ups"][0]["tables"][1]["added"], 203);

    // what somebody changed at the destination and a repair puts right is counted as such
    pair.to.sql("delete from resultat where id = 602; update patient set nom = 'faux' where id = 1");
    moved(&made, pair, &["--repair"]).holds();
    assert_eq!(caught(pair), [[0, 1, 0, 1, 1], [1, 0, 0, 4, 1]]);
}

// proves: EXT-09
#[test]
fn what_was_added_changed_or_deleted_since_arrives_in_postgresql_with_its_figures_apart() {
    let (Some(from), Some(to)) = (Base::postgres("live"), Base::postgres("caught")) else { return };
    arrives_and_nothing_else(&Pair::new(from, to, 60));
}

#[test]
fn what_was_added_changed_or_deleted_since_arrives_in_sqlite_with_its_figures_apart() {
    let home = tempfile::tempdir().unwrap();
    let Some(from) = Base::mariadb("live") else { return };
    arrives_and_nothing_else(&Pair::new(from, Base::sqlite(home.path(), "new.db"), 60));
}

/// Killed wherever a chunk is replaced, and given again: each row counts once.
#[test]
fn a_catch_up_that_was_killed_counts_every_row_once() {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    let pair = Pair::new(Base::sqlite(&work, "old.db"), Base::sqlite(&work, "new.db"), 60);
    let made = pair.direct();
    moved(&made, &pair, &[]).holds();
    lives_on(&pair);
    let (before, run) = (home.path().join("before"), pair.run("run"));
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _absent = std::fs::remove_dir_all(to);
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    copy(&work, &before);
    copy(&run, &home.path().join("run-before"));
    // the journal too: a run folder that is older than what was taken in of it is refused
    let log = made.folder().join("journal");
    copy(&log, &home.path().join("journal-before"));
    // three chunks of results and the patients' one
    let mut deaths = 0;
    for name in failpoints().into_iter().filter(|name| name.starts_with("sqlite_chunk.")) {
        for nth in 1.. {
            let mut command = migrate(&made, &run, &[]);
            command.env(CHUNK_ROWS, ROWS).env(VARIABLE, format!("{name}:{nth}"));
            let first = Answer::of(&command.output().unwrap());
            if first.code != Some(0) {
                moved(&made, &pair, &[]).holds();
                deaths += 1;
            }
            // the last start compared all, and replaced what the first had not
            assert_eq!(caught(&pair), LIVED, "{name}:{nth}");
            pair.arrived();
            copy(&before, &work);
            copy(&home.path().join("run-before"), &run);
            copy(&home.path().join("journal-before"), &log);
            if first.code == Some(0) {
                break;
            }
        }
    }
    assert_eq!(deaths, 8, "{deaths} deaths");
}
