//! Papers that do not hold.

use ecluse_core::status::State;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;

use crate::migration::{Answer, Legacy, Migration, now};

#[test]
fn papers_in_force_move_every_row_and_the_log_shows_the_reads() {
    if let Some(migration) = Migration::new("inforce") {
        in_force(&migration);
    }
    if let Some(migration) = Migration::mariadb("inforce") {
        in_force(&migration);
    }
}

fn in_force<D: Legacy>(migration: &Migration<D>) {
    let answer = migration.migrate();
    assert_eq!(answer.code, Some(0), "{}", answer.text);
    assert!(answer.text.contains("7 rows moved"), "{}", answer.text);
    assert!(
        migration.reads().len() >= 2,
        "the search of the log sees reads: {:?}",
        migration.source.logged()
    );
}

// proves: INS-01
#[test]
fn an_unsigned_altered_expired_or_revoked_instruction_or_a_wrong_signer_reads_nothing() {
    if let Some(migration) = Migration::new("ins01") {
        wrong_instructions(migration);
    }
    if let Some(migration) = Migration::mariadb("ins01") {
        wrong_instructions(migration);
    }
}

fn wrong_instructions<D: Legacy>(mut migration: Migration<D>) {
    let folder = migration.path("");
    let instruction = Paper::Instruction;

    migration.papers.unsign(&folder, instruction);
    migration.is_refused("unsigned", "SGN-020");
    migration.write();

    migration.papers.alter(&folder, instruction);
    migration.is_refused("altered", "SGN-021");
    migration.write();

    for person in [&migration.papers.operator, &migration.papers.processor, &migration.papers.biologist] {
        migration.papers.sign_wrongly(&folder, instruction, person, "ecluse-instruction-v1");
        migration.is_refused(person.name, if person.short == "serrano" { "SGN-020" } else { "SGN-023" });
    }
    let mut stranger = Papers::new(now()).signatory;
    stranger.seed = [77; 32];
    migration.papers.sign_wrongly(&folder, instruction, &stranger, "ecluse-instruction-v1");
    migration.is_refused("a stranger's key", "SGN-022");
    let signatory = &migration.papers.signatory;
    migration.papers.sign_wrongly(&folder, instruction, signatory, "ecluse-status-v1");
    migration.is_refused("another namespace", "SGN-024");
    migration.write();

    for state in [State::Suspended, State::Revoked] {
        migration.papers.give_status(&folder, state, now());
        migration.is_refused(state.name(), if state == State::Revoked { "STA-011" } else { "STA-010" });
    }
    migration.papers.state = State::InForce;
    migration.papers.expire(instruction);
    migration.write();
    migration.is_refused("expired", "SGN-007");
}

#[test]
fn a_status_that_is_old_absent_or_of_another_instruction_reads_nothing() {
    if let Some(migration) = Migration::new("status") {
        wrong_statuses(migration);
    }
    if let Some(migration) = Migration::mariadb("status") {
        wrong_statuses(migration);
    }
}

fn wrong_statuses<D: Legacy>(mut migration: Migration<D>) {
    let folder = migration.path("");
    migration.papers.period(
        Paper::Status,
        now() - SignedDuration::from_hours(72),
        now() + SignedDuration::from_hours(72),
    );
    migration.papers.give_status(&folder, State::InForce, now() - SignedDuration::from_hours(25));
    migration.is_refused("too old", "STA-012");
    std::fs::remove_file(migration.path("status.toml")).unwrap();
    migration.is_refused("absent", "CLI-003");
    let digest = migration.papers.digest(Paper::Instruction);
    let other = migration.papers.digest(Paper::Contract);
    migration.papers.edit(Paper::Status, &digest, &other);
    migration.papers.status_at = now();
    migration.write();
    migration.is_refused("another instruction's", "STA-013");
}

#[test]
fn a_contract_or_a_session_that_does_not_hold_reads_nothing() {
    if let Some(migration) = Migration::new("contract") {
        wrong_contracts_and_sessions(migration);
    }
    if let Some(migration) = Migration::mariadb("contract") {
        wrong_contracts_and_sessions(migration);
    }
}

fn wrong_contracts_and_sessions<D: Legacy>(mut migration: Migration<D>) {
    let folder = migration.path("");
    migration.papers.unsign(&folder, Paper::Contract);
    migration.is_refused("unsigned contract", "SGN-020");
    migration.write();
    std::fs::remove_file(migration.path("fingerprints.txt")).unwrap();
    migration.is_refused("a controller nobody knows", "CTR-060");
    migration.write();
    migration.papers.alter(&folder, Paper::Session);
    migration.is_refused("altered session", "SGN-021");
    migration.papers.edit(Paper::Session, "Nadia Petit", "admin");
    migration.write();
    migration.is_refused("a session of nobody's", "CTR-040");
    migration.papers.edits.clear();
    migration.papers.expire(Paper::Session);
    migration.write();
    migration.is_refused("an expired session", "SGN-007");
    migration.papers.expire(Paper::Contract);
    migration.write();
    migration.is_refused("an expired contract", "SGN-007");
}

// With the status asked at the start only, all rows would arrive.
// proves: INS-11
#[test]
fn an_instruction_revoked_during_the_run_stops_it_and_a_status_too_old_never_starts_it() {
    let Some(mut migration) = Migration::new("during") else { return };
    const ROWS: u64 = 1_500_000;
    migration.source.sql(&format!(
        "insert into resultat select n, 1 + n % 3, 'v' || n from generate_series(100, {}) n",
        ROWS + 99
    ));
    let folder = migration.path("");
    let running = migration.start();
    let events = migration.path("run/events.jsonl");
    let written = || std::fs::read_to_string(&events).unwrap_or_default().matches("chunk").count();
    let begun = std::time::Instant::now();
    while written() < 3 {
        assert!(begun.elapsed().as_secs() < 120, "no chunk arrived");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    migration.papers.give_status(&folder, State::Revoked, now());
    let answer = Answer::of(running.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(1), "{}", answer.text);
    assert!(answer.text.contains("ECL-STA-011"), "{}", answer.text);
    let moved = migration.moved("resultat");
    assert!(moved > 0 && moved < ROWS, "{moved} of {ROWS} rows moved");

    let before = migration.reads().len();
    let answer = migration.migrate();
    assert!(answer.text.contains("ECL-STA-011"), "{}", answer.text);
    assert_eq!((answer.code, migration.reads().len()), (Some(1), before), "revoked before the run");

    migration.papers.give_status(&folder, State::InForce, now() - SignedDuration::from_hours(25));
    let answer = migration.migrate();
    assert!(answer.text.contains("ECL-STA-012"), "{}", answer.text);
    assert_eq!((answer.code, migration.reads().len()), (Some(1), before), "too old");
}
