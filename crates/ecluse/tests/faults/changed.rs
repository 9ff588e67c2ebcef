//! A destination changed behind our back: a chunk that no longer is what its ledger says is
//! not written over, unless that was ordered.

use crate::base::Base;
use crate::pair::{Pair, plainly, reconciled};

fn refused_unless_repair(pair: &Pair) {
    let made = pair.granted();
    let run = pair.run("run");
    plainly(&made, &run, &[]).holds();
    let stands = "select id, nom from patient where id <= 3 order by id";
    let tampered = "1|Nom-invente-2\n2|Nom-invente-1\n3|Nom-invente-3";

    // changed there, while the source stayed: left alone, and found by whoever looks
    pair.to.sql("update patient set nom = 'Nom-invente-' || (3 - id) where id <= 2");
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
