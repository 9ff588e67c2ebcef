//! Slips of a newcomer's hand: each is told once, with what to write instead.

use std::path::{Path, PathBuf};

use ecluse_testkit::server;
use rusqlite::Connection;

use crate::{ecluse, succeed};

/// A trial of a laboratory with patients, requests and results, surveyed.
fn surveyed(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60), prenom VARCHAR(60), naissance DATE);
             CREATE TABLE demande (id INTEGER PRIMARY KEY, patient_id INTEGER, date_demande DATE);
             CREATE TABLE resultat (id INTEGER PRIMARY KEY, demande_id INTEGER, valeur VARCHAR(20))",
        )
        .unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    lab
}

fn failed(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn edit(lab: &Path, was: &str, is: &str) {
    let path = lab.join("instruction.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(was), "{was}");
    std::fs::write(&path, text.replacen(was, is, 1)).unwrap();
}

#[test]
fn an_order_without_results_says_so_and_next_proposes_them() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("--table patient") && next.contains("--table resultat"), "{next}");
    assert!(
        next.contains("one that is not named stays") && next.contains("2 more columns lead to another table"),
        "{next}"
    );
    let dictionary = std::fs::read_to_string(lab.join("dictionary.toml")).unwrap();
    let proposed = "  # { column = \"demande_id\", table = \"demande\", to = \"id\", given = \"engineer\" },   # by its name";
    assert!(dictionary.contains(proposed), "{dictionary}");
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    for command in [&["next"][..], &["plan"], &["instruction", "check"]] {
        let said = succeed(&lab, command);
        assert!(said.contains("this order moves no results"), "{command:?}: {said}");
    }
    std::fs::remove_file(lab.join("mapping.toml")).unwrap();
    std::fs::rename(lab.join("instruction.toml"), lab.join("before.toml")).unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    succeed(&lab, &["instruction", "new", "--table", "patient", "--table", "resultat", "--grant-proposed"]);
    assert!(!succeed(&lab, &["instruction", "check"]).contains("no results"));
}

// fails where the mapping is compared with a name that is nobody's: it would be proposed
#[test]
fn a_slip_in_a_name_is_one_error_with_the_right_name() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    let said = failed(&lab, &["instruction", "new", "--table", "patien"], 2);
    assert!(said.contains("did you mean `patient`?"), "{said}");
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    edit(&lab, "    \"nom\",", "    \"nomm\",");
    let said = failed(&lab, &["instruction", "check"], 1);
    assert!(said.contains("did you mean `nom`?") && !said.contains("mean `nomm`"), "{said}");
    assert_eq!(said.matches("error[").count(), 1, "{said}");
    let said = failed(&lab, &["instruction", "diff", "nowhere.toml"], 1);
    assert!(said.contains("ecluse instruction diff OLD NEW"), "{said}");
}

#[test]
fn a_filter_written_as_in_sql_and_a_text_without_quotes_are_told_what_to_write() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    for (filter, wanted) in
        [("nom = \"A\"", "=="), ("nom == \"A\" or nom == \"B\"", "||"), ("nom like \"A%\"", "startsWith")]
    {
        edit(&lab, "rows = 'true'", &format!("rows = '{filter}'"));
        let said = failed(&lab, &["instruction", "check"], 1);
        let help = said.lines().find(|line| line.contains("= help:")).unwrap_or_default();
        assert!(help.contains(wanted), "{filter}: {said}");
        edit(&lab, &format!("rows = '{filter}'"), "rows = 'true'");
    }
    edit(&lab, "    \"nom\",", "    nom,");
    assert!(failed(&lab, &["instruction", "check"], 1).contains("between quotes"));
}

#[test]
fn what_a_connection_lacks_is_found_when_the_folder_is_made() {
    let here = tempfile::tempdir().unwrap();
    let from = "postgresql://anne@localhost/lab?password-file=nowhere.txt";
    let said = failed(here.path(), &["new", "lab", "--trial", "--from", from], 1);
    assert!(said.contains("ECL-SEC-001") && !here.path().join("lab").exists(), "{said}");
    let said = failed(here.path(), &["contract", "new"], 2);
    assert!(said.contains("ECL-CLI-002") && !here.path().join("contract.toml").exists(), "{said}");
}

#[test]
fn a_database_that_is_not_there_is_no_outage() {
    let Some(mariadb) = server::mariadb() else { return };
    let here = tempfile::tempdir().unwrap();
    let from = format!("mariadb://root@/nope?socket={}", mariadb.socket().display());
    succeed(here.path(), &["new", "lab", "--trial", "--from", &from, "--to", "sqlite:new.db"]);
    let said = failed(&here.path().join("lab"), &["survey"], 1);
    assert!(said.contains("ECL-SRC-217: ") && said.contains("nope"), "{said}");
}

/// What speaks of a run, before there is one.
const OF_A_RUN: [&[&str]; 11] = [
    &["reconcile"],
    &["migrate", "--repair"],
    &["migrate", "--catch-up"],
    &["freeze"],
    &["undo"],
    &["compare"],
    &["report"],
    &["status"],
    &["locate", "7Q4M-KD2E"],
    &["rejected"],
    &["rejected", "--reveal"],
];

#[test]
fn what_speaks_of_a_run_says_that_there_is_none_and_how_one_begins() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    for command in OF_A_RUN {
        let said = failed(&lab, command, 1);
        let (first, rest) = said.trim_end().split_once('\n').unwrap();
        assert_eq!(first, "error[ECL-CLI-025]: there is no run in this folder yet: run", "{command:?}");
        assert!(rest.contains("ecluse migrate") && !rest.contains('\n'), "{command:?}: {said}");
    }
    assert!(!lab.join("run").exists());
}

#[test]
fn the_public_half_of_a_key_is_told_from_a_private_one_that_others_can_read() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    let key = "keys/controller-signatory";
    let public = format!("{key}.pub");
    let said = failed(&lab, &["instruction", "sign", "--key", &public], 2);
    assert!(
        said.contains("ECL-CLI-014") && said.contains("public half") && !said.contains("chmod"),
        "{said}"
    );
    assert!(said.trim_end().ends_with(&format!("give the private half: --key {key}")), "{said}");
    std::fs::copy(lab.join(&public), lab.join("keys/mine")).unwrap();
    let said = failed(&lab, &["instruction", "sign", "--key", "keys/mine"], 2);
    assert!(said.contains("public half"), "{said}");
    succeed(&lab, &["instruction", "sign", "--key", key]);
}

#[test]
fn a_missing_signature_is_told_once_without_empty_lines() {
    let here = tempfile::tempdir().unwrap();
    let lab = surveyed(here.path());
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    let said = failed(&lab, &["plan"], 1);
    let help = said.trim_end().lines().last().unwrap().strip_prefix("ECL-SGN-020: ").unwrap();
    assert!(help.contains("ecluse instruction sign") && said.matches(help).count() == 1, "{said}");
    assert!(!said.starts_with('\n') && !said.contains("\n\n\n"), "{said}");
    // a key that may not sign names the paper rightly
    let said = failed(&lab, &["instruction", "sign", "--key", "keys/operator"], 1);
    assert!(said.contains("for an instruction"), "{said}");
}

#[test]
fn help_of_a_command_is_the_commands_own_and_a_report_elsewhere_is_a_report() {
    let here = tempfile::tempdir().unwrap();
    assert!(succeed(here.path(), &["help", "migrate"]).contains("ecluse migrate --ddl"));
    assert!(failed(here.path(), &["help", "migrat"], 2).contains("ECL-CLI-034"));
    let lab = surveyed(here.path());
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["report", "-o", "elsewhere.html"]);
    assert!(lab.join("elsewhere.html").is_file());
    assert!(succeed(&lab, &["next"]).contains("Nothing is missing."));
}
