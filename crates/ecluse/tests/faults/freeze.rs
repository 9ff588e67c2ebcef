//! The cut-over: the source frozen at a journaled hour, the last catch-up, and a source that was not
//! frozen after all.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::Migration;
use serde_json::Value;

use crate::base::Base;
use crate::pair::{Answer, Pair, migrated, reconciled};

fn frozen(made: &Migration, pair: &Pair) -> Answer {
    Answer::of(&made.run(&["freeze", &pair.run("run").display().to_string()]))
}

/// What the last catch-up says of the source: since when frozen, and what its marks said.
fn last(pair: &Pair) -> (bool, String) {
    let text = std::fs::read(pair.run("run").join("figures.json")).unwrap();
    let figures: Value = serde_json::from_slice(&text).unwrap();
    let last = figures["catch_ups"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    (last["frozen"] != "", last["held"].as_str().unwrap_or_default().to_owned())
}

fn cut_over(pair: &Pair, held: &[&str]) {
    let made = pair.direct();
    let run = pair.run("run");
    migrated(&made, &run, &["--catch-up"]).is(1, "ECL-CLI-025");
    migrated(&made, &run, &[]).holds();
    migrated(&made, &run, &["--catch-up"]).is(1, "ECL-RUN-051");
    // a catch-up with a source that lives on is no cut-over
    pair.from.sql("update patient set nom = 'Nom-de-mariage' where id = 2");
    migrated(&made, &run, &[]).holds();
    assert_eq!(last(pair), (false, String::new()));

    pair.from.sql("update patient set nom = 'Nom-de-veuvage' where id = 2");
    frozen(&made, pair).holds();
    let answer = migrated(&made, &run, &["--catch-up"]);
    answer.holds();
    assert!(answer.out.contains("0 added, 1 changed, 0 deleted"), "{answer:?}");
    let (since, said) = last(pair);
    assert!(since && held.contains(&said.as_str()), "{said}");
    // the strong check: once more, and nothing differs
    let again = migrated(&made, &run, &["--catch-up"]);
    again.holds();
    assert!(again.out.contains("0 added, 0 changed, 0 deleted"), "{again:?}");
    pair.arrived();
    reconciled(&made, &run).holds();

    // not frozen after all; a mark of MariaDB's moves with the second
    std::thread::sleep(Duration::from_millis(1_100));
    pair.from.sql("update patient set nom = 'Nom-en-retard' where id = 3");
    let late = migrated(&made, &run, &["--catch-up"]);
    late.is(1, "ECL-RUN-054");
    assert!(late.errors.contains("patient"), "{late:?}");
    frozen(&made, pair).holds();
    migrated(&made, &run, &["--catch-up"]).holds();
    pair.arrived();
    let folder = run.display().to_string();
    let page = run.join("report.html");
    made.succeed(&["report", &folder, "--lang", "en"]);
    assert!(std::fs::read_to_string(page).unwrap().contains("The source was frozen since"));
    let acts = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    assert_eq!(acts.matches("\"act\":\"freeze\"").count(), 4);
}

/// An hour that was not sealed is none; one that was is the cut-over's, though the command died on it.
#[test]
fn killed_while_it_freezes_the_hour_is_kept_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 30);
    let made = pair.direct();
    let run = pair.run("run");
    migrated(&made, &run, &[]).holds();
    let dies = |failpoint: &str| {
        let mut command = made.command(&["freeze", &run.display().to_string()]);
        let output = command.env(VARIABLE, failpoint).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{failpoint}: {output:?}");
    };
    dies("freeze.marks.before");
    migrated(&made, &run, &["--catch-up"]).is(1, "ECL-RUN-051");
    dies("freeze.marks.after");
    migrated(&made, &run, &["--catch-up"]).holds();
    assert!(last(&pair).0);
    frozen(&made, &pair).holds();
    migrated(&made, &run, &["--catch-up"]).holds();
    reconciled(&made, &run).holds();
}

#[test]
fn a_postgresql_source_is_frozen_and_cut_over_and_one_that_was_not_is_told() {
    let (Some(from), Some(to)) = (Base::postgres("frozen"), Base::postgres("cut")) else { return };
    // other tests write to the same instance meanwhile
    cut_over(&Pair::new(from, to, 30), &["instance unmoved", "tables unmoved"]);
}

#[test]
fn a_mariadb_source_is_frozen_and_cut_over_and_one_that_was_not_is_told() {
    let home = tempfile::tempdir().unwrap();
    let Some(from) = Base::mariadb("frozen") else { return };
    cut_over(&Pair::new(from, Base::sqlite(home.path(), "new.db"), 30), &["tables unmoved"]);
}

#[test]
fn a_sqlite_source_is_frozen_and_cut_over_and_one_that_was_not_is_told() {
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 30);
    cut_over(&pair, &["instance unmoved"]);
}

#[test]
fn a_source_to_which_somebody_is_writing_is_not_frozen() {
    let (Some(from), Some(to)) = (Base::postgres("written"), Base::postgres("cut")) else { return };
    let pair = Pair::new(from, to, 30);
    let Base::Postgres(database) = &pair.from else { return };
    let made = pair.direct();
    migrated(&made, &pair.run("run"), &[]).holds();
    let mut somebody = database.server().psql(database.name(), "postgres");
    let mut somebody =
        somebody.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut orders = somebody.stdin.take().unwrap();
    std::io::Write::write_all(&mut orders, b"begin; update resultat set valeur = 'x' where id = 1;\n")
        .unwrap();
    let start = std::time::Instant::now();
    let writes =
        "select count(*) from pg_locks where relation = 'resultat'::regclass and mode = 'RowExclusiveLock'";
    while database.sql(writes) == "0" {
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    let answer = frozen(&made, &pair);
    answer.is(1, "ECL-RUN-050");
    assert!(answer.errors.contains("resultat"), "{answer:?}");
    std::io::Write::write_all(&mut orders, b"rollback;\n").unwrap();
    drop(orders);
    somebody.wait().unwrap();
    frozen(&made, &pair).holds();
}
