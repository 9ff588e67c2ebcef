//! Which test dies at which failpoint: every one of the sources is some test's, and that test fails where no run dies
//! there.

use std::collections::BTreeSet;
use std::path::Path;

use ecluse_testkit::kill::failpoints;

use crate::{consigned, given_back, kill, steps};

/// What other tests die at: the beginning of the names, the file, the test, and how the test says it.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    (
        "attached.",
        "it/attached.rs",
        "killed_while_files_are_brought_it_goes_on_and_leaves_nothing_beside",
        "assert_eq!(driven(&attached, 1).never(), BTreeSet::new());",
    ),
    (
        "compare.aside.rename.",
        "it/compare.rs",
        "killed_while_a_signed_record_is_set_aside_the_next_call_goes_on",
        "{VARIABLE}=compare.aside.rename.{place}:1",
    ),
    (
        "erase.record.event.before",
        "it/ledger.rs",
        "a_runs_lines_are_in_the_journal_before_they_go_with_its_record",
        "dies(&lab, &[\"erase\"], \"erase.record.event.before\");",
    ),
    (
        "erase.record.event.after",
        "it/ledger.rs",
        "a_runs_lines_are_in_the_journal_before_they_go_with_its_record",
        "dies(&lab, &[\"erase\"], \"erase.record.event.after\");",
    ),
    (
        "evidence.rename.",
        "it/closed.rs",
        "killed_as_the_evidence_takes_its_name_the_same_command_makes_it",
        "for place in [\"evidence.rename.before\", \"evidence.rename.after\"]",
    ),
    (
        "exclude.noting.before",
        "it/excluded.rs",
        "killed_while_a_list_is_sealed_and_erased_the_same_command_goes_on_and_no_key_is_left",
        "\"exclude.noting.before:1\"",
    ),
    (
        "exclude.noting.after",
        "it/excluded.rs",
        "killed_while_a_list_is_sealed_and_erased_the_same_command_goes_on_and_no_key_is_left",
        "\"exclude.noting.after:1\"",
    ),
    (
        "exclude.named.rename.before",
        "it/excluded.rs",
        "killed_while_a_list_is_sealed_and_erased_the_same_command_goes_on_and_no_key_is_left",
        "\"exclude.named.rename.before:1\"",
    ),
    (
        "exclude.named.rename.after",
        "it/excluded.rs",
        "killed_while_a_list_is_sealed_and_erased_the_same_command_goes_on_and_no_key_is_left",
        "\"exclude.named.rename.after:1\"",
    ),
    (
        "folder.destroy.rename.",
        "it/closed.rs",
        "a_closing_that_died_anywhere_is_ended_by_the_same_command",
        "\"folder.destroy.rename.after\"",
    ),
    (
        "folder.destroy.fsync.",
        "it/closed.rs",
        "a_closing_that_died_anywhere_is_ended_by_the_same_command",
        "\"folder.destroy.fsync.after\"",
    ),
    (
        "folder.destroy.entry.fsync.",
        "it/closed.rs",
        "a_closing_that_died_anywhere_is_ended_by_the_same_command",
        "\"folder.destroy.entry.fsync.after\"",
    ),
    (
        "freeze.marks.",
        "faults/freeze.rs",
        "killed_while_it_freezes_the_hour_is_kept_whole_or_not_at_all",
        "dies(\"freeze.marks.after\");",
    ),
    (
        "known.",
        "faults/known.rs",
        "killed_around_the_list_the_same_command_makes_it_anew",
        "name.starts_with(\"known.\")",
    ),
    (
        "log.erase.",
        "faults/journal.rs",
        "killed_while_it_erases_what_is_older_than_it_is_kept_the_same_command_ends_it",
        "[\"log.erase.event.after\", \"log.erase.event.before\"]",
    ),
    (
        "log.",
        "faults/journal.rs",
        "killed_anywhere_while_it_takes_events_in_the_journal_doubles_none_and_loses_none",
        "assert_eq!(never, Vec::<&String>::new(), \"failpoints that nothing passes\");",
    ),
    (
        "mariadb.conclude.commit.",
        "it/erased_servers.rs",
        "fn closed(case: &Case)",
        "format!(\"{engine}.conclude.commit.{step}\")",
    ),
    (
        "mariadb.erase.commit.",
        "it/erased_servers.rs",
        "at_a_mariadb_source_only_what_moved_goes",
        "[\"mariadb.erase.commit.before\", \"mariadb.erase.commit.after\"]",
    ),
    (
        "postgres.conclude.commit.",
        "it/erased_servers.rs",
        "fn closed(case: &Case)",
        "format!(\"{engine}.conclude.commit.{step}\")",
    ),
    (
        "postgres.erase.commit.",
        "it/erased_servers.rs",
        "at_a_postgresql_source_only_what_moved_goes",
        "[\"postgres.erase.commit.before\", \"postgres.erase.commit.after\"]",
    ),
    (
        "sqlite_conclude.commit.",
        "it/closed.rs",
        "a_closing_that_died_anywhere_is_ended_by_the_same_command",
        "\"sqlite_conclude.commit.after\"",
    ),
    (
        "recipient.identity.rename.",
        "it/recipient.rs",
        "killed_at_any_step_the_same_command_ends_with_a_statement_and_its_identity",
        "let own = [\"papers.create.\", \"recipient.\"];",
    ),
    (
        "staging.",
        "faults/staging.rs",
        "killed_anywhere_in_a_staging_the_same_command_destroys_it_and_goes_on",
        "assert_eq!(drive.never(), BTreeSet::new(), \"failpoints that no staging passes\");",
    ),
];

/// What an undo passes on servers.
const UNDONE: [&str; 3] = ["drop_made.commit.", "forget.commit.", "remove.commit."];

#[test]
fn every_failpoint_of_the_sources_is_one_at_which_a_test_dies() {
    let all = failpoints();
    assert!(all.len() > 150, "{}", all.len());
    let mut died: BTreeSet<String> = kill::migrations().collect();
    let stems = [&consigned::EXTRACT, &consigned::OPENED, &consigned::LOAD, &consigned::ERASE];
    let stems = stems.into_iter().chain([&given_back::RETURN, &given_back::RECEIVED]);
    let stems = stems.flat_map(|step| step.dies.iter().copied()).chain(steps::OWN);
    died.extend(stems.flat_map(|stem| ["before", "after"].map(|side| format!("{stem}.{side}"))));
    for name in &all {
        let of_server = name.split_once('.').filter(|(engine, _)| ["postgres", "mariadb"].contains(engine));
        // `undo.rs` counts its deaths
        if of_server.is_some_and(|(_, act)| UNDONE.iter().any(|own| act.starts_with(own))) {
            died.insert(name.clone());
        }
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (begins, file, test, says) in ELSEWHERE {
        let of_it: Vec<&String> = all.iter().filter(|name| name.starts_with(begins)).collect();
        assert!(!of_it.is_empty(), "{begins}: there is none");
        let text = std::fs::read_to_string(tests.join(file)).unwrap();
        let from = text.find(test).unwrap_or_else(|| panic!("{file} has no {test}"));
        assert!(
            text.get(from..).is_some_and(|text| text.contains(says)),
            "{begins}: {test} does not say {says}"
        );
        died.extend(of_it.into_iter().cloned());
    }
    let never: Vec<&String> = all.difference(&died).collect();
    assert_eq!(never, Vec::<&String>::new(), "failpoints at which no test dies");
    let gone: Vec<&String> = died.difference(&all).collect();
    assert_eq!(gone, Vec::<&String>::new(), "failpoints that are in no source any more");
}
