//! Several starts of one run: what the last one may not cover up, and what it takes back.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use crate::common::lab::Lab;
use ecluse_adapters::folder::{self, RECONCILIATION, REPORT};
use ecluse_flow::event::Act;
use ecluse_flow::run::Options;
use ecluse_seal::What;

/// A lab whose run went through, was read back and reported.
fn reported() -> Lab {
    let lab = Lab::new(100, 70_000);
    lab.migrate().unwrap();
    assert!(lab.reconcile().unwrap().holds());
    for name in [RECONCILIATION, REPORT] {
        std::fs::write(lab.path("run").join(name), "as it was").unwrap();
    }
    lab
}

fn said(lab: &Lab) -> [bool; 2] {
    [RECONCILIATION, REPORT].map(|name| lab.path("run").join(name).exists())
}

// fails with the guard off: the page would go on saying that every row was found again
#[test]
fn what_was_said_of_the_destination_is_taken_back_before_it_changes() {
    let lab = reported();
    lab.old("UPDATE result SET value = 'since' WHERE id = 10");
    // the instruction does not stand at the start: nothing changes, and nothing is taken back
    lab.stands.store(0, Ordering::Relaxed);
    let before = lab.figures();
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    assert_eq!(said(&lab), [true, true]);
    assert_eq!(lab.figures(), before, "a start that changed nothing has no figures");
    // it stands at the start, and no more at the first chunk: the destination was taken
    lab.stands.store(1, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    assert_eq!(said(&lab), [false, false]);
    assert!(!lab.figures().whole);
    // nor does an older comparison outlive the begin of a new one
    lab.stands.store(u64::MAX, Ordering::Relaxed);
    lab.migrate().unwrap();
    std::fs::write(lab.path("run").join(RECONCILIATION), "as it was").unwrap();
    lab.reconcile().unwrap();
    assert_eq!(said(&lab), [false, false]);
}

// fails with the guard off: every chunk is in the ledger, and half a run would be called reconciled
#[test]
fn a_run_whose_last_step_was_not_reached_is_not_compared() {
    let lab = reported();
    // every chunk stands as it is; the instruction is asked for once more at the end, and refuses
    let chunks: u64 = lab.figures().tables.iter().map(|t| t.chunks).sum();
    lab.stands.store(chunks + 1, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate()), "ECL-TST-001");
    lab.stands.store(u64::MAX, Ordering::Relaxed);
    let fault = lab.reconcile().unwrap_err();
    assert_eq!(fault.code().id, "ECL-REC-011");
    assert!(fault.advice().contains("ecluse migrate"), "{fault}");
    lab.migrate().unwrap();
    assert!(lab.reconcile().unwrap().holds());
}

// fails with the guard off: the good copy is what is read back
#[test]
fn a_view_in_the_place_of_a_table_is_not_read_back() {
    let lab = reported();
    lab.new_(
        "CREATE TABLE copy AS SELECT * FROM result; ALTER TABLE result RENAME TO hidden; \
              UPDATE hidden SET value = 'changed'; CREATE VIEW result AS SELECT * FROM copy",
    );
    assert_eq!(lab.reconcile().unwrap_err().code().id, "ECL-RUN-019");
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-019");
}

#[test]
fn a_run_that_refused_too_many_rows_came_to_its_end() {
    let lab = Lab::new(10, 100);
    lab.old(&format!("UPDATE result SET value = '{}' WHERE id = 10", "x".repeat(41)));
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-012");
    assert!(lab.figures().whole && lab.reconcile().unwrap().holds());
}

// fails with the guard off: the last start read through views, and nobody learns of the first
#[test]
fn an_override_of_an_earlier_start_stays_with_the_run() {
    let lab = Lab::new(10, 100);
    let first = Options { without_views: Some("the administrator is away"), ..Options::default() };
    lab.stands.store(1, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.migrate_with(first)), "ECL-TST-001");
    lab.stands.store(u64::MAX, Ordering::Relaxed);
    lab.hour.store(9, Ordering::Relaxed);
    for _again in 0..2 {
        lab.migrate().unwrap();
        let noted = lab.figures().noted;
        let of = |what| noted.iter().filter(|n| n.what == what).collect::<Vec<_>>();
        assert_eq!(of(What::WithoutViews).len(), 1, "{noted:?}");
        let reason = of(What::WithoutViews)[0];
        assert_eq!(reason.words, "the administrator is away");
        assert_eq!(reason.at, "2026-11-22T05:00:00Z", "when it was given, not when it was last printed");
        assert_eq!(of(What::Barrier).len(), 1, "the same barrier is one: {noted:?}");
    }
    // a refused start gives its reason too, and a second reason does not replace the first
    lab.stands.store(1, Ordering::Relaxed);
    let second = Options { without_views: Some("still away"), ..Options::default() };
    assert_eq!(Lab::code(lab.migrate_with(second)), "ECL-TST-001");
    let noted = lab.figures().noted;
    let reasons: Vec<_> =
        noted.iter().filter(|n| n.what == What::WithoutViews).map(|n| n.words.as_str()).collect();
    assert_eq!(reasons, ["the administrator is away", "still away"]);
}

// fails with the guard off: a run would go on with boundaries that the ledger has outgrown
#[test]
fn an_older_state_that_is_put_back_is_known_as_such() {
    let lab = Lab::new(100, 200_000);
    let state = lab.path("run").join("state.age");
    assert!(lab.migrate_watched(Options::default(), &Cell::new(2)).unwrap().stopped);
    lab.stop.store(false, Ordering::Relaxed);
    let older = std::fs::read(&state).unwrap();
    lab.migrate().unwrap();
    let newest = std::fs::read(&state).unwrap();
    std::fs::write(&state, older).unwrap();
    assert_eq!(Lab::code(lab.migrate()), "ECL-RUN-021");
    assert_eq!(Lab::code(lab.reconcile()), "ECL-RUN-021");
    std::fs::write(&state, newest).unwrap();
    assert!(lab.reconcile().unwrap().holds());
}

#[test]
fn a_death_between_the_state_and_its_line_in_the_journal_is_no_older_state() {
    let lab = Lab::new(100, 100_000);
    lab.migrate().unwrap();
    let file = lab.path("run").join("events.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last = lines.iter().rposition(|line| line.contains(r#""act":"seal""#)).unwrap();
    std::fs::write(&file, lines[..last].concat()).unwrap();
    assert!(lab.reconcile().unwrap().holds());
    // nor later, when further states were sealed after it
    lab.migrate().unwrap();
    assert!(lab.reconcile().unwrap().holds());
}

// fails with the guard off: every ordered row is read, and nobody can say when and by whom
#[test]
fn a_dry_run_is_in_the_journal_before_a_row_is_read() {
    let lab = Lab::new(10, 100);
    let counted = lab.rehearse().unwrap();
    let journal = folder::events(&lab.path("run")).unwrap();
    let acts: Vec<_> = journal.leaves.iter().map(|l| (l.act, l.outcome.as_str())).collect();
    assert_eq!(acts.first(), Some(&(Act::Plan, "begun")));
    assert_eq!(acts.last(), Some(&(Act::Plan, "done")));
    for act in [Act::Standing, Act::Probe, Act::Snapshot] {
        assert!(acts.contains(&(act, "begun")), "{act:?} is not in {acts:?}");
    }
    assert!(journal.leaves.iter().all(|leaf| leaf.session == "session-1" && leaf.object == counted.run));
    // refused: a line with its code, and figures that say that it is not whole
    lab.stands.store(1, Ordering::Relaxed);
    assert_eq!(Lab::code(lab.rehearse()), "ECL-TST-001");
    let journal = folder::events(&lab.path("run")).unwrap();
    assert_eq!(journal.leaves.last().unwrap().outcome, "ECL-TST-001");
    let kept = folder::rehearsals(&lab.path("run")).unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept[0].whole && !kept[1].whole && kept[0] == counted);
    for (kept, object) in kept.iter().zip([&counted.run, &journal.leaves.last().unwrap().object]) {
        assert_eq!((&kept.run, kept.instruction.as_str()), (object, "sha256:00"));
        assert!(kept.noted.iter().any(|n| n.what == What::Barrier));
    }
    // it binds the folder to nothing, and takes back nothing
    lab.stands.store(u64::MAX, Ordering::Relaxed);
    assert!(!lab.path("run").join("state.age").exists());
    lab.migrate().unwrap();
    assert!(lab.reconcile().unwrap().holds());
    lab.rehearse().unwrap();
    assert!(lab.reconcile().unwrap().holds());
}
