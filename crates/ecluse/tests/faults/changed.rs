//! A destination changed behind our back: a chunk that no longer is what its ledger says is
//! not written over, unless that was ordered.

use crate::base::Base;
use crate::pair::{Answer, Pair, migrated, plainly, reconciled};

fn refused_unless_repair(pair: &Pair) {
    let made = pair.granted();
    let run = pair.run("run");
    plainly(&made, &run, &[]).holds();
    let stands = "select id, nom from patient where id <= 3 order by id";
    let tampered = "1|Nom-invente-2\n2|Nom-invente-1\n3|Nom-invente-3";

    // changed there, while the source stayed: left alone, and found by whoever looks
    pair.to.sql(
        "update patient set nom = case id when 1 then 'Nom-invente-2' else 'Nom-invente-1' end where id <= 2",
    );
    plainly(&made, &run, &[]).holds();
    assert_eq!(pair.to.sql(stands), tampered);
    reconciled(&made, &run).is(1, "ECL-REC-004");

    // the source lived on: the chunk would be replaced, and somebody's change with it
    pair.from.sql("update patient set nom = 'Nom-invente-40' where id = 4");
    plainly(&made, &run, &[]).is(1, "ECL-RUN-011");
    assert_eq!(pair.to.sql(stands), tampered, "nothing was written over");
    assert_eq!(pair.to.sql("select nom from patient where id = 4"), "Nom-invente-4");

    plainly(&made, &run, &["--repair"]).holds();
    pair.arrived();
    assert_eq!(pair.to.sql(stands), pair.from.sql(stands));
    reconciled(&made, &run).holds();

    // a row that nobody moved, and one that is gone
    pair.to.sql("insert into patient values (0, 'Nom-d-autrui'); delete from resultat where id = 7");
    reconciled(&made, &run).is(1, "ECL-REC-001");
    pair.from.sql("update patient set nom = 'Nom-invente-5' where id = 4; update resultat set valeur = 'Valeur-80' where id = 8");
    plainly(&made, &run, &[]).is(1, "ECL-RUN-011");
    assert_eq!(pair.to.sql("select nom from patient where id = 0"), "Nom-d-autrui");
    plainly(&made, &run, &["--repair"]).holds();
    pair.arrived();
    reconciled(&made, &run).holds();
}

#[test]
fn a_postgresql_destination_that_was_changed_is_not_written_over_unless_repair_was_ordered() {
    let (Some(from), Some(to)) = (Base::postgres("changed"), Base::postgres("changed")) else { return };
    refused_unless_repair(&Pair::new(from, to, 50));
}

#[test]
fn a_sqlite_destination_that_was_changed_is_not_written_over_unless_repair_was_ordered() {
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 50);
    refused_unless_repair(&pair);
}

#[test]
fn a_mariadb_destination_that_was_changed_is_not_written_over_unless_repair_was_ordered() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("changed") else { return };
    refused_unless_repair(&Pair::new(Base::sqlite(home.path(), "old.db"), to, 50));
}

/// Whoever had to migrate without views and with a wider role reads the source in the same
/// way to name a difference, and says why again: it is journaled and stands in the report.
#[test]
fn a_difference_is_named_without_views_where_the_reason_is_given_again() {
    let (Some(from), Some(to)) = (Base::postgres("wider"), Base::postgres("wider")) else { return };
    let pair = Pair::new(from, to, 50);
    let made = pair.direct();
    let run = pair.run("run");
    migrated(&made, &run, &[]).holds();
    pair.to.sql("update patient set nom = 'Nom-invente-2' where id = 1");
    let overrides = || {
        let events = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
        events.lines().filter(|line| line.contains("\"override\"")).count()
    };
    let before = overrides();
    reconciled(&made, &run).is(1, "ECL-RUN-005");
    assert_eq!(overrides(), before);
    let folder = run.display().to_string();
    let why = ["reconcile", &folder, "--without-views", "no view yet", "--accept-wider-role", "no role yet"];
    Answer::of(&made.run(&why)).is(1, "ECL-REC-004");
    assert_eq!(overrides(), before + 1);
    let page = run.join("report.html");
    made.succeed(&["report", &folder, "-o", &page.display().to_string()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("no view yet") && page.contains("no role yet"), "{page}");
}
