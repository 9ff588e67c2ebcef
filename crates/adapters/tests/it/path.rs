//! The path end to end, SQLite to SQLite: run, resume, catch-up, repair, reconcile, locate.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::common::lab::{Lab, STRICTER};
use ecluse_adapters::folder::{self, RunFolder};
use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::value::Value;
use ecluse_flow::event::Act;
use ecluse_flow::orders::{
    Bound,
    assertion::{self as asserted, Fields},
};
use ecluse_flow::reconcile::{Kind, reconcile};
use ecluse_flow::run::{Options, run};
use ecluse_seal::Identity;
use rusqlite::Connection;

// proves: REC-01
#[test]
fn a_run_moves_every_row_once_and_reconciles_clean() {
    let lab = Lab::new(1_000, 200_000);
    let moved = lab.migrate().unwrap();
    assert!(moved.figures.whole && !moved.stopped);
    let counts: Vec<_> = moved.figures.tables.iter().map(|t| (t.asked, t.moved, t.refused_rows())).collect();
    assert_eq!(counts, [(1_000, 1_000, 0), (200_000, 200_000, 0)]);
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 200_000);
    assert!(moved.figures.tables[1].chunks >= 4, "65,536 rows a chunk at most");
    let found = lab.reconcile().unwrap();
    assert!(found.holds() && found.differences.is_empty(), "{found:?}");
    assert_eq!(found.tables[1].rows, 200_000);
    assert_eq!(found.tables[1].agree, found.tables[1].chunks);
}

#[test]
fn reading_without_views_is_in_the_journal_before_the_source_is_opened() {
    let lab = Lab::new(10, 10);
    lab.migrate_with(Options { without_views: Some("a test"), ..Options::default() }).unwrap();
    let journal = std::fs::read_to_string(lab.path("run").join("events.jsonl")).unwrap();
    let place = |act: &str| journal.find(&format!(r#""act":"{act}""#));
    assert!(place("override").unwrap() < place("snapshot").unwrap(), "{journal}");
}

#[test]
fn the_same_command_again_replaces_nothing() {
    let lab = Lab::new(100, 100_000);
    lab.migrate().unwrap();
    let again = lab.migrate().unwrap();
    assert_eq!(again.figures.tables.iter().map(|t| t.replaced).sum::<u64>(), 0);
    assert_eq!(again.figures.tables[1].moved, 100_000);
}

#[test]
fn stopped_after_a_chunk_it_goes_on_where_it_was() {
    let lab = Lab::new(100, 200_000);
    let stopped = lab.migrate_watched(Options::default(), &Cell::new(2)).unwrap();
    assert!(stopped.stopped && !stopped.figures.whole);
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 65_536);
    assert_eq!(lab.reconcile().unwrap_err().code().id, "ECL-REC-011");
    lab.stop.store(false, Ordering::Relaxed);
    let whole = lab.migrate().unwrap();
    assert_eq!(whole.figures.tables[1].replaced, whole.figures.tables[1].chunks - 1);
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn a_revocation_during_the_run_ends_it_at_the_next_chunk() {
    let lab = Lab::new(100, 200_000);
    // asked at the start, for the patients' chunk and for the first chunk of results
    lab.stands.store(3, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 65_536);
    let journal = folder::events(&lab.path("run")).unwrap();
    assert_eq!(journal.leaves.last().unwrap().outcome, "ECL-TST-001", "a refusal is an event too");
    // nor is it passed over where the chunk already stands: start, patients, then refused
    lab.stands.store(2, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 65_536);
    let chunks = folder::figures(&lab.path("run")).unwrap().unwrap().tables[1].chunks;
    assert_eq!(chunks, 0, "a chunk in place asks too");
    // not standing at the start: nothing is read
    lab.stands.store(0, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    assert!(
        !folder::events(&lab.path("run"))
            .unwrap()
            .leaves
            .iter()
            .rev()
            .take(3)
            .any(|l| l.act == Act::Snapshot)
    );
}

// proves: EXT-09
#[test]
fn a_source_that_lived_on_is_caught_up_with() {
    let lab = Lab::new(100, 200_000);
    lab.migrate().unwrap();
    lab.old(
        "UPDATE result SET value = 'corrected' WHERE id = 20;
         DELETE FROM result WHERE id = 200000;
         INSERT INTO result VALUES (7, 3, 'between', NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO result SELECT 400001 + i, 1, 'tail', NULL FROM n;",
    );
    let caught = lab.migrate().unwrap();
    assert_eq!(caught.figures.tables[1].moved, 300_000);
    assert_eq!(caught.figures.tables[0].replaced, 0);
    let sides = |table: &str| {
        let sql = format!(
            "SELECT group_concat(id || patient || value, ',') FROM {table} WHERE id < 1000 OR id > 399000"
        );
        let old: String =
            Connection::open(lab.path("old.db")).unwrap().query_row(&sql, [], |r| r.get(0)).unwrap();
        (old, lab.ask::<String>(&sql))
    };
    let (old, new) = sides("result");
    assert!(old == new, "both sides hold the same rows");
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn an_open_chunk_that_is_cut_later_leaves_no_row_behind() {
    let lab = Lab::new(10, 70_000);
    lab.migrate().unwrap();
    // the open chunk held 4,464 rows; 70,000 now come before them, so they move to a new chunk
    lab.old(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
         INSERT INTO result SELECT 131073 + 2 * i, 1, 'new', NULL FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)
         INSERT INTO result SELECT 140001 + i, 1, 'tail', NULL FROM n;
         DELETE FROM result WHERE id = 140000;",
    );
    lab.migrate().unwrap();
    let old: i64 = Connection::open(lab.path("old.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM result", [], |r| r.get(0))
        .unwrap();
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), old);
    assert!(lab.reconcile().unwrap().holds());
}

/// A lab whose open chunk held 10,000 rows and, since it was moved, grew past one chunk:
/// rows came before its rows, between them and after them.
fn overflowing() -> Lab {
    let lab = Lab::new(10, 65_536);
    lab.old(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO result SELECT 200000 + 20 * i, 1, 'old', NULL FROM n;",
    );
    lab.migrate().unwrap();
    lab.old(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
         INSERT INTO result SELECT 150000 + i, 1, 'lower', NULL FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO result SELECT 200001 + 8 * i, 1, 'between', NULL FROM n;",
    );
    lab
}

const FOREIGN: &str = "INSERT INTO result VALUES (999999, 1, 'theirs', NULL)";
const FOREIGN_ROWS: &str = "SELECT count(*) FROM result WHERE id = 999999";

// proves: EXT-09
#[test]
fn an_open_chunk_that_overflows_is_caught_up_with_and_is_no_tampering() {
    let lab = overflowing();
    let caught = lab.migrate().unwrap();
    assert_eq!((caught.figures.tables[1].moved, caught.figures.tables[1].replaced), (150_536, 2));
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 150_536);
    assert!(lab.reconcile().unwrap().holds());
    assert_eq!(lab.migrate().unwrap().figures.tables[1].replaced, 0);
    // the chunk that got an end is held to it from then on
    lab.old("UPDATE result SET value = 'corrected' WHERE id IN (150001, 400000)");
    assert_eq!(lab.migrate().unwrap().figures.tables[1].replaced, 2);
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn an_overflow_stopped_halfway_goes_on_though_the_source_lived_on() {
    let lab = overflowing();
    // the patients, the first chunk, and the one that got an end
    assert!(lab.migrate_watched(Options::default(), &Cell::new(3)).unwrap().stopped);
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 2 * 65_536);
    lab.stop.store(false, Ordering::Relaxed);
    lab.old("UPDATE result SET value = 'corrected' WHERE id IN (150001, 400000)");
    lab.migrate().unwrap();
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 150_536);
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn a_row_of_others_beyond_the_end_is_not_swept_away_by_an_overflow() {
    let lab = overflowing();
    lab.new_(FOREIGN);
    for _again in 0..2 {
        assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-011");
        assert_eq!(lab.ask::<i64>(FOREIGN_ROWS), 1);
        assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 65_536 + 10_000 + 1);
    }
    lab.repair().unwrap();
    assert_eq!(lab.ask::<i64>(FOREIGN_ROWS), 0);
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn a_row_of_others_where_a_new_chunk_comes_to_lie_is_not_swept_away() {
    let lab = overflowing();
    assert!(lab.migrate_watched(Options::default(), &Cell::new(3)).unwrap().stopped);
    lab.stop.store(false, Ordering::Relaxed);
    lab.new_(FOREIGN);
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-011");
    assert_eq!(lab.ask::<i64>(FOREIGN_ROWS), 1);
    lab.new_("DELETE FROM result WHERE id = 999999");
    lab.migrate().unwrap();
    assert!(lab.reconcile().unwrap().holds());
    // and one that a repair finds there goes: what was ordered stands, nothing else
    let lab = overflowing();
    assert!(lab.migrate_watched(Options::default(), &Cell::new(3)).unwrap().stopped);
    lab.stop.store(false, Ordering::Relaxed);
    lab.new_(FOREIGN);
    lab.repair().unwrap();
    assert_eq!(lab.ask::<i64>(FOREIGN_ROWS), 0);
    assert!(lab.reconcile().unwrap().holds());
}

// proves: REC-02
#[test]
fn two_patients_results_swapped_are_found_and_named() {
    let lab = Lab::new(100, 100_000);
    lab.migrate().unwrap();
    lab.new_("UPDATE result SET patient = CASE id WHEN 1000 THEN 8 ELSE 7 END WHERE id IN (1000, 120000);");
    let found = lab.reconcile().unwrap();
    assert!(!found.holds());
    assert_eq!(found.differences.len(), 2, "{:?}", found.differences);
    for (difference, id) in found.differences.iter().zip([1000, 120_000]) {
        assert_eq!(difference.kind, Kind::Reattached);
        assert_eq!(difference.kind.code().id, "ECL-REC-003");
        assert_eq!((difference.table.as_str(), difference.column.as_deref()), ("result", Some("patient")));
        let token = difference.row.as_deref().unwrap();
        // the beginning that a screen shows is enough
        let beginning: String = token.chars().take(if id == 1000 { 32 } else { 9 }).collect();
        let row = lab.locate(&beginning).unwrap();
        assert_eq!((row.table.as_str(), row.columns[0].as_str()), ("result", "id"));
        assert!(row.key.expose().0 == [Value::Int(id)]);
    }
    let journal = folder::events(&lab.path("run")).unwrap();
    assert_eq!(journal.leaves.iter().filter(|l| l.act == Act::Locate).count(), 4);
}

// proves: REC-01
#[test]
fn loss_extra_alteration_reencoding_and_truncation_are_told_apart() {
    let damages: [(&str, &[(Kind, u64)]); 7] = [
        ("DELETE FROM result WHERE id = 4000", &[(Kind::Missing, 1)]),
        ("DELETE FROM result WHERE id > 150000", &[(Kind::Missing, 25_000)]),
        ("INSERT INTO result VALUES (4001, 1, 'x', NULL)", &[(Kind::Extra, 1)]),
        ("UPDATE result SET value = '2000 G/L' WHERE id = 4000", &[(Kind::Altered, 1)]),
        ("UPDATE result SET value = NULL WHERE id = 4000", &[(Kind::Altered, 1)]),
        ("UPDATE patient SET name = 'PATIENT 3' WHERE id = 3", &[(Kind::Altered, 1)]),
        (
            "UPDATE result SET value = 'a' WHERE id = 10; DELETE FROM result WHERE id IN (12, 150000);",
            &[(Kind::Missing, 2), (Kind::Altered, 1)],
        ),
    ];
    for (damage, kinds) in damages {
        let lab = Lab::new(100, 100_000);
        lab.migrate().unwrap();
        lab.new_(damage);
        assert_eq!(lab.found(), kinds, "{damage}");
    }
}

#[test]
fn a_duplicate_is_found_where_the_destination_has_no_key_of_its_own() {
    let lab = Lab::new(100, 1_000);
    lab.migrate().unwrap();
    lab.new_(
        "CREATE TABLE copy (id INTEGER NOT NULL, patient BIGINT NOT NULL, value VARCHAR(40), at TIMESTAMP);
         INSERT INTO copy SELECT * FROM result; INSERT INTO copy SELECT * FROM result WHERE id = 40;
         ALTER TABLE result RENAME TO gone; ALTER TABLE copy RENAME TO result;",
    );
    let plan = {
        // the plan was compiled over the keyed table
        let before = Lab::new(1, 1);
        before.plan()
    };
    let found = lab
        .go_with(|fields, world| {
            let orders = asserted::orders(Fields { plan: &plan, ..fields });
            let mut destination = Destination::open(&lab.path("new.db"))?;
            let mut record = RunFolder::existing(&lab.path("run"), &lab.path("journal"))?;
            let mut connect = || {
                let source: Box<dyn ecluse_flow::ports::Source> =
                    Box::new(Source::open(&lab.path("old.db"))?);
                Ok(source)
            };
            let options = Options::default();
            reconcile(orders, options, &mut connect, &mut destination, &mut record, world, &mut |_| {})
        })
        .unwrap();
    assert_eq!(found.differences.len(), 1);
    assert_eq!(found.differences[0].kind, Kind::Duplicate);
}

#[test]
fn what_changed_at_the_source_since_is_told_from_damage() {
    let lab = Lab::new(100, 100_000);
    lab.migrate().unwrap();
    lab.old(
        "UPDATE result SET value = 'since' WHERE id IN (10, 12);
         DELETE FROM result WHERE id = 14; INSERT INTO result VALUES (15, 1, 'since', NULL);",
    );
    // the destination holds what was moved: its chunks agree with the ledger
    assert_eq!(lab.found(), []);
    // damage in the same chunk: rows changed on either side are told apart
    lab.new_("UPDATE result SET value = 'damage' WHERE id = 20; DELETE FROM result WHERE id = 22;");
    assert_eq!(lab.found(), [(Kind::Missing, 1), (Kind::Altered, 1), (Kind::Since, 4)]);
    // the same row on both sides: nobody can tell, and it says so
    lab.new_("UPDATE result SET value = 'both' WHERE id = 10;");
    assert!(lab.found().iter().all(|(kind, _)| *kind == Kind::Undecided));
}

#[test]
fn a_damaged_destination_is_not_overwritten_unless_repair_was_ordered() {
    let lab = Lab::new(100, 100_000);
    lab.migrate().unwrap();
    lab.new_("DELETE FROM result WHERE id = 20");
    lab.old("UPDATE result SET value = 'since' WHERE id = 10");
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-011");
    let repaired = lab.repair().unwrap();
    assert_eq!(repaired.figures.tables[1].replaced, 1);
    assert!(lab.reconcile().unwrap().holds());
    // where the source did not change, the ledger's word is enough for a run, not for a repair
    lab.new_("DELETE FROM result WHERE id = 20");
    assert_eq!(lab.migrate().unwrap().figures.tables[1].replaced, 0);
    assert!(!lab.reconcile().unwrap().holds());
    assert_eq!(lab.repair().unwrap().figures.tables[1].replaced, 1);
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn a_refused_row_takes_its_children_with_it_and_the_rest_moves() {
    let lab = Lab::with(100, 10_000, STRICTER);
    // one refused by the destination's CHECK, one for its length before it is sent
    lab.old(&format!(
        "UPDATE patient SET name = 'Refus' WHERE id = 7; UPDATE patient SET name = '{}' WHERE id = 9;",
        "x".repeat(41)
    ));
    let fault = lab.migrate().unwrap_err();
    assert_eq!(fault.code().id, "ECL-RUN-012", "{fault}");
    let figures = folder::figures(&lab.path("run")).unwrap().unwrap();
    let refused: Vec<_> = figures.tables.iter().flat_map(|t| t.refused.clone()).collect();
    let expected =
        [("ECL-BAT-103 patient.name", 1), ("ECL-RUN-104 patient", 1), ("ECL-RUN-101 result.patient", 200)];
    assert_eq!(refused, expected.map(|(code, n)| (code.to_owned(), n)));
    // each is found again at the source by its token
    let named: Vec<usize> = figures.tables.iter().map(|t| t.tokens.len()).collect();
    assert_eq!(named, [2, 200]);
    let at_source = |token: &String| lab.locate(token).unwrap().key.expose().0.clone();
    assert_eq!(
        figures.tables[0].tokens.iter().map(at_source).collect::<Vec<_>>(),
        [[Value::Int(7)], [Value::Int(9)]]
    );
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result WHERE patient IN (7, 9)"), 0);
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 9_800);
    assert!(lab.reconcile().unwrap().holds());
    let rehearsed = lab.rehearse().unwrap();
    assert_eq!(rehearsed.tables[0].moved, 99, "the destination's CHECK is its own");
}

// proves: REC-01
// fails with the guard off: two hundred refused rows and one lost one cannot be told apart
#[test]
fn a_refused_row_is_not_missed_at_the_destination() {
    let lab = Lab::with(100, 10_000, STRICTER);
    lab.old(&format!(
        "UPDATE patient SET name = 'Refus' WHERE id = 7; UPDATE patient SET name = '{}' WHERE id = 9;",
        "x".repeat(41)
    ));
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-012");
    assert_eq!(lab.found(), []);
    lab.new_("DELETE FROM result WHERE id = 4000; DELETE FROM patient WHERE id = 20;");
    let found = lab.found();
    assert!(found.contains(&(Kind::Missing, 2)), "{found:?}");
    assert!(found.iter().all(|(kind, _)| matches!(kind, Kind::Missing | Kind::Orphan)), "{found:?}");
    // a repair puts the lost ones back, and the refused ones are refused again
    assert_eq!(Lab::code(lab.repair()), "ECL-RUN-012");
    assert_eq!(lab.found(), []);
}

// proves: REC-01
// fails with the guard off: the child was read, and moved, before its parent was refused
#[test]
fn a_row_read_before_the_refused_row_that_it_descends_from_is_refused_too() {
    let mut lab = Lab::new(10, 100_000);
    lab.kin = true;
    lab.old(&format!(
        "UPDATE result SET value = '{}' WHERE id = 190000;
         UPDATE result SET patient = 190000 WHERE id = 150000; UPDATE result SET patient = 150000 WHERE id = 20;",
        "x".repeat(41)
    ));
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-012");
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result WHERE id IN (20, 150000, 190000)"), 0);
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM result"), 99_997);
    assert_eq!(lab.figures().tables[1].refused["ECL-RUN-101 result.patient"], 2);
    assert!(lab.reconcile().unwrap().holds());
    assert_eq!(lab.rehearse().unwrap().tables[1].moved, 99_997);
}

#[test]
fn a_trial_moves_few_rows_and_leaves_no_orphan() {
    let mut lab = Lab::new(3_000, 60_000);
    lab.limit = Some(1_000);
    let moved = lab.migrate().unwrap();
    assert_eq!(moved.figures.tables.iter().map(|t| t.moved).collect::<Vec<_>>(), [1_000, 1_000]);
    let orphans = "SELECT count(*) FROM result WHERE patient NOT IN (SELECT id FROM patient)";
    assert_eq!(lab.ask::<i64>(orphans), 0);
    assert!(lab.reconcile().unwrap().holds());
    lab.new_("DELETE FROM result WHERE id = (SELECT max(id) FROM result)");
    assert_eq!(lab.found(), [(Kind::Missing, 1)]);
}

#[test]
fn results_follow_the_patients_that_were_chosen() {
    let mut lab = Lab::new(1_000, 20_000);
    lab.filter = Filter::Compare { column: 0, op: Comparison::Le, value: Value::Int(10) };
    let moved = lab.migrate().unwrap();
    assert_eq!(moved.figures.tables.iter().map(|t| t.moved).collect::<Vec<_>>(), [10, 200]);
    assert_eq!(moved.figures.tables[1].available, Some(20_000));
    assert!(lab.reconcile().unwrap().holds());
    let rehearsed = lab.rehearse().unwrap();
    assert_eq!(rehearsed.tables.iter().map(|t| t.moved).collect::<Vec<_>>(), [10, 200]);
}

#[test]
fn rows_of_others_are_never_mixed_with_ours() {
    let lab = Lab::new(10, 10);
    lab.new_("INSERT INTO patient VALUES (99, 'Theirs', NULL)");
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-006");
    assert_eq!(lab.ask::<i64>("SELECT count(*) FROM patient"), 1);
}

#[test]
fn drift_is_seen_before_the_first_read() {
    let lab = Lab::new(10, 10);
    let result = lab.go_with(|fields, world| {
        let source = Bound { schema: "sha256:11", ..fields.source };
        let orders = asserted::orders(Fields { source, ..fields });
        let mut source = Source::open(&lab.path("old.db"))?;
        let mut destination = Destination::open(&lab.path("new.db"))?;
        let mut record = RunFolder::open(&lab.path("run"), &lab.path("journal"))?;
        run(orders, Options::default(), &mut source, &mut destination, &mut record, world, &mut |_| {})
    });
    assert_eq!(Lab::code(result), "ECL-RUN-003");
    let acts: Vec<Act> = folder::events(&lab.path("run")).unwrap().leaves.iter().map(|l| l.act).collect();
    assert!(!acts.contains(&Act::Snapshot));
}

#[test]
fn another_operator_cannot_go_on_without_the_identity() {
    let mut lab = Lab::new(10, 10);
    lab.migrate().unwrap();
    lab.identity = Identity::generate();
    assert_eq!(Lab::code(lab.migrate()), "ECL-SEA-002");
}

#[test]
fn a_journal_that_was_changed_or_cut_stops_the_run() {
    let lab = Lab::new(10, 10);
    lab.migrate().unwrap();
    let file = lab.path("run").join("events.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();

    std::fs::write(&file, text.replacen("\"probe\"", "\"table\"", 1)).unwrap();
    let fault = RunFolder::open(&lab.path("run"), &lab.path("journal")).unwrap_err();
    let at = lines.iter().position(|l| l.contains("\"probe\"")).unwrap() + 2;
    assert!(fault.detail().contains(&format!("line {at}")), "{fault}");

    std::fs::write(&file, lines[1..].concat()).unwrap();
    assert!(RunFolder::open(&lab.path("run"), &lab.path("journal")).unwrap_err().detail().contains("line 1"));

    std::fs::write(&file, lines[..3].concat()).unwrap();
    assert_eq!(
        Lab::code(lab.migrate()),
        "ECL-RUN-020",
        "a tail that was cut off is seen by the sealed state"
    );

    std::fs::write(&file, text).unwrap();
    lab.migrate().unwrap();
}

#[test]
fn a_line_torn_by_a_crash_is_set_aside_not_lost() {
    let lab = Lab::new(10, 10);
    lab.migrate().unwrap();
    let file = lab.path("run").join("events.jsonl");
    let mut bytes = std::fs::read(&file).unwrap();
    let whole = bytes.len();
    bytes.extend_from_slice(b"{\"before\":\"sha256:12");
    std::fs::write(&file, &bytes).unwrap();
    lab.migrate().unwrap();
    assert_eq!(std::fs::read(lab.path("run").join("events.torn-1")).unwrap(), b"{\"before\":\"sha256:12");
    assert_eq!(std::fs::read(&file).unwrap()[..whole], bytes[..whole]);
    assert!(folder::events(&lab.path("run")).unwrap().leaves.iter().any(|l| l.act == Act::Recover));
}

#[test]
fn one_run_at_a_time_in_a_folder_that_others_cannot_read() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new(10, 10);
    let held = RunFolder::open(&lab.path("run"), &lab.path("journal")).unwrap();
    assert_eq!(RunFolder::open(&lab.path("run"), &lab.path("journal")).unwrap_err().code().id, "ECL-RUN-203");
    drop(held);
    lab.migrate().unwrap();
    for entry in std::fs::read_dir(lab.path("run")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::set_permissions(lab.path("run"), std::fs::Permissions::from_mode(0o750)).unwrap();
    assert_eq!(RunFolder::open(&lab.path("run"), &lab.path("journal")).unwrap_err().code().id, "ECL-RUN-202");
}

#[test]
fn the_run_folder_holds_no_value_and_no_row_key() {
    let lab = Lab::new(10, 10);
    lab.old("INSERT INTO patient VALUES (777555333, 'CANARI-77', NULL)");
    lab.rehearse().unwrap();
    lab.migrate().unwrap();
    lab.reconcile().unwrap();
    let mut looked = 0;
    for entry in std::fs::read_dir(lab.path("run")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("777555333") && !text.contains("CANARI-77"));
        looked += 1;
    }
    assert!(looked >= 3);
}
