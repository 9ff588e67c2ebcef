//! The line to a database cut: at the start, on the way, at the last commit.

use ecluse_testkit::migration::Migration;
use ecluse_testkit::proxy::{Cut, Proxy};

use crate::base::Base;
use crate::pair::{Pair, goes_on, migrated, reconciled};

/// Places on the way at which the line is cut, the start and the end included.
const CUTS: u64 = 6;

fn received(proxy: &Proxy) -> u64 {
    proxy.traffic().iter().map(|session| session.received.len() as u64).sum()
}

/// Cuts after each of so many parts of what the server says in a whole run.
fn cut_anywhere(pair: &Pair, made: &Migration, proxy: &Proxy) {
    let before = received(proxy);
    migrated(made, &pair.run("whole"), &[]).holds();
    let whole = received(proxy) - before;
    let mut ended = 0;
    for place in 0..CUTS {
        let run = pair.run(&format!("run-{place}"));
        pair.empty();
        proxy.cut_after(whole * place / CUTS);
        let answer = migrated(made, &run, &[]);
        assert_eq!(answer.code, Some(3), "cut {place}: {answer:?}");
        assert!(answer.last().starts_with("ECL-"), "cut {place}: {answer:?}");
        ended += 1;
        proxy.mend();
        goes_on(made, &run);
        pair.arrived();
        reconciled(made, &run).holds();
    }
    assert_eq!(ended, CUTS);
}

#[test]
fn a_postgresql_source_cut_anywhere_loses_nothing() {
    let (Some(from), Some(to)) = (Base::postgres("cut"), Base::postgres("cut")) else { return };
    let pair = Pair::new(from, to, 1_000);
    let (proxy, from) = pair.from.through_a_proxy();
    let made = pair.migration(&from, &pair.to.as_destination());
    cut_anywhere(&pair, &made, &proxy);
}

#[test]
fn a_mariadb_source_cut_anywhere_loses_nothing() {
    let (Some(from), Some(to)) = (Base::mariadb("cut"), Base::postgres("cut")) else { return };
    let pair = Pair::new(from, to, 1_000);
    let (proxy, from) = pair.from.through_a_proxy();
    let made = pair.migration(&from, &pair.to.as_destination());
    cut_anywhere(&pair, &made, &proxy);
}

#[test]
fn a_destination_cut_anywhere_loses_nothing() {
    let (Some(from), Some(to)) = (Base::postgres("cut"), Base::postgres("cut")) else { return };
    let pair = Pair::new(from, to, 1_000);
    let (proxy, to) = pair.to.through_a_proxy();
    let made = pair.migration(&pair.from.as_source(), &to);
    cut_anywhere(&pair, &made, &proxy);
}

#[test]
fn a_mariadb_destination_cut_anywhere_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("cut") else { return };
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), to, 1_000);
    let (proxy, to) = pair.to.through_a_proxy();
    let made = pair.migration(&pair.from.as_source(), &to);
    cut_anywhere(&pair, &made, &proxy);
}

/// The line is lost at a commit: the server never got it, or did and its answer was lost. The
/// program cannot know which, and need not.
#[test]
fn a_commit_whose_answer_is_lost_is_neither_lost_nor_doubled() {
    let (Some(from), Some(to)) = (Base::postgres("cut"), Base::postgres("cut")) else { return };
    let pair = Pair::new(from, to, 1_000);
    pair.to.sql("create index on resultat (patient_id)");
    let (proxy, to) = pair.to.through_a_proxy();
    let made = pair.migration(&pair.from.as_source(), &to);
    let chunks = "select count(*) from ecluse_ledger.chunk";
    let finished = "select finished from ecluse_ledger.run";
    // what stands at the destination where the commit arrived, and where it did not
    for (after, nth, asked, arrived, lost) in [
        ("INSERT INTO ecluse_ledger.chunk", 1, chunks, "1", "0"),
        ("INSERT INTO ecluse_ledger.chunk", 2, chunks, "2", "1"),
        ("SET dropped = false", 1, "select count(*) from ecluse_ledger.ddl where not dropped", "1", "0"),
        ("SET finished = true", 1, finished, "t", "f"),
    ] {
        for delivered in [true, false] {
            pair.empty();
            let run = pair.run(&format!("run-{nth}-{}-{delivered}", after.replace([' ', '.'], "-")));
            proxy.cut_at(Cut { after, nth, at: "COMMIT\0", delivered });
            let answer = migrated(&made, &run, &[]);
            answer.is(3, "ECL-DST-501");
            assert!(proxy.is_cut());
            let stands = if delivered { arrived } else { lost };
            assert_eq!(pair.to.sql(asked), stands, "{after} {nth} {delivered}");
            proxy.mend();
            goes_on(&made, &run);
            pair.arrived();
            assert_eq!(pair.to.sql(finished), "t");
            reconciled(&made, &run).holds();
        }
    }
}
