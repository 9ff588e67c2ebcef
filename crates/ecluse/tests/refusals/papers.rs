//! Papers that do not hold.

use ecluse_core::status::State;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;

use crate::migration::{Migration, now};

#[test]
fn papers_in_force_move_every_row_and_the_log_shows_the_reads() {
    let Some(migration) = Migration::new("inforce") else { return };
    let answer = migration.migrate();
    assert_eq!(answer.code, Some(0), "{}", answer.text);
    assert!(answer.text.contains("7 rows moved"), "{}", answer.text);
    assert!(
        migration.reads().len() >= 2,
        "the search of the log sees reads: {:?}",
        migration.source.statements()
    );
}

// proves: INS-01
#[test]
fn an_unsigned_altered_expired_or_revoked_instruction_or_a_wrong_signer_reads_nothing() {
    let Some(mut migration) = Migration::new("ins01") else { return };
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
    let Some(mut migration) = Migration::new("status") else { return };
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
    let Some(mut migration) = Migration::new("contract") else { return };
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
