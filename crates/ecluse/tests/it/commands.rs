//! Names, exit codes and last lines, as scripts rely on them.

use std::path::Path;

use crate::{ecluse, succeed};

/// The names that a help page lists under "Commands:".
fn listed(help: &str) -> Vec<String> {
    let commands = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| line.starts_with("  "));
    lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Every command there is, asked of the program itself, those above others included.
fn commands(here: &Path, above: &[String], into: &mut Vec<Vec<String>>) {
    let arguments: Vec<&str> = above.iter().map(String::as_str).chain(["--help"]).collect();
    for name in listed(&succeed(here, &arguments)) {
        let command = [above, &[name]].concat();
        into.push(command.clone());
        commands(here, &command, into);
    }
}

/// Every command there is.
pub(crate) fn every(here: &Path) -> Vec<Vec<String>> {
    let mut every = Vec::new();
    commands(here, &[], &mut every);
    every
}

#[test]
fn every_command_has_help_with_an_example_and_json() {
    let here = tempfile::tempdir().unwrap();
    let every = every(here.path());
    // those that scripts rely on
    for wanted in [
        "demo",
        "new",
        "next",
        "contract new",
        "contract check",
        "contract sign",
        "contract verify",
        "survey",
        "session new",
        "instruction new",
        "instruction check",
        "instruction diff",
        "instruction sign",
        "instruction verify",
        "instruction revoke",
        "instruction suspend",
        "instruction status",
        "grants",
        "plan",
        "migrate",
        "reconcile",
        "report",
        "status",
        "rejected",
        "known",
        "locate",
    ] {
        assert!(every.iter().any(|command| command.join(" ") == wanted), "{wanted} is not there");
    }
    for command in &every {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = succeed(here.path(), &arguments);
        assert!(help.contains("--json"), "{command:?}");
        let example = help.split("Example:").nth(1);
        let words = format!("ecluse {}", command.join(" "));
        assert!(example.is_some_and(|e| e.contains(&words)), "{command:?} has no example of itself:\n{help}");
        // a command broken in two cannot be copied
        let lines = example.unwrap_or_default().lines().filter(|line| !line.is_empty());
        let whole = |line: &str| line.starts_with("  ecluse ") || line.starts_with("  cd ");
        assert!(lines.take(1).all(whole), "{command:?}:\n{help}");
    }
    // each has a manual page, and the completions know it
    succeed(here.path(), &["man", "pages"]);
    let completions = succeed(here.path(), &["completions", "bash"]);
    for command in &every {
        let page = here.path().join(format!("pages/ecluse-{}.1", command.join("-")));
        assert!(page.is_file(), "{}", page.display());
        assert!(completions.contains(command.last().unwrap().as_str()), "{command:?}");
    }
}

#[test]
fn whatever_reads_rows_of_the_source_accepts_that_nobody_writes_to_it() {
    let here = tempfile::tempdir().unwrap();
    for command in ["plan", "migrate", "reconcile", "locate"] {
        assert!(succeed(here.path(), &[command, "--help"]).contains("--frozen"), "{command}");
    }
}

#[test]
fn exit_codes_say_who_has_to_act_and_the_last_line_what_to_type() {
    let here = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32, &str); 9] = [
        (&["next"], 2, "ECL-CLI-002: ecluse new DIR"),
        (&["plan"], 2, "ECL-CLI-002: ecluse new DIR"),
        (&["report"], 2, "ECL-CLI-002: ecluse new DIR"),
        (&["instruction", "check"], 2, "ECL-CLI-002: ecluse new DIR"),
        (&["migrate", "--nonsense"], 2, "ECL-CLI-001: ecluse --help"),
        (&["migrate", "--accept-wider-role", " "], 2, "ECL-CLI-001: ecluse --help"),
        (&["explain", "ECL-XXX-000"], 2, "ECL-CLI-005: copy the code"),
        (&["status"], 2, "ECL-CLI-002: ecluse new DIR"),
        (&["new", "lab", "--from", "postgresql://a:b@h/d"], 2, "ECL-URL-002: take it out"),
    ];
    for (arguments, code, last) in cases {
        let output = ecluse(here.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let err = String::from_utf8(output.stderr).unwrap();
        let line = err.trim_end().lines().last().unwrap_or_default();
        assert!(line.starts_with(last), "{arguments:?}: {line}");
    }
    assert!(!here.path().join("lab").exists(), "nothing was made for a URL with a password");
}

// fails with the guard off: where `Url::parse` lets a password pass, the folder is made and the word stands in it
#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let here = tempfile::tempdir().unwrap();
    let output = ecluse(here.path(), &["new", "lab", "--from", "mariadb://root:Tr0ub4dor@localhost/SIGL"]);
    assert_eq!(output.status.code(), Some(2));
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("Tr0ub4dor"));
}

/// What a command prints with `--json`, which must be one document.
#[track_caller]
fn one_document(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = ecluse(folder, &[arguments, &["--json"]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_failure_is_one_json_document_with_code_message_and_fix() {
    let here = tempfile::tempdir().unwrap();
    let folder = here.path();
    let failed = one_document(folder, &["plan"]);
    assert_eq!((&failed["code"], &failed["exit"]), (&"ECL-CLI-002".into(), &2.into()));
    assert_eq!(failed["fix"], "ecluse new DIR, or ecluse -C DIR …");
    let misused = one_document(folder, &["migrate", "--from", "postgresql://u:Tr0ub4dor@h/d", "--nonsense"]);
    assert_eq!((&misused["code"], &misused["fix"]), (&"ECL-CLI-001".into(), &"ecluse --help".into()));
    assert_eq!(misused["message"], "the command line is not understood: unexpected argument found");
    succeed(folder, &["new", "lab"]);
    let missing = one_document(&folder.join("lab"), &["instruction", "check"]);
    assert_eq!((&missing["code"], &missing["exit"]), (&"ECL-CLI-003".into(), &1.into()));
    let there = one_document(&folder.join("lab"), &["contract", "new"]);
    assert_eq!((&there["code"], &there["exit"]), (&"ECL-CLI-028".into(), &2.into()));
    let found = one_document(&folder.join("lab"), &["contract", "check"]);
    assert!(
        found["findings"].as_array().is_some_and(|f| !f.is_empty()) && found["code"].is_string(),
        "{found}"
    );
}

#[test]
fn completions_and_manual_pages_come_from_the_command_tree() {
    let here = tempfile::tempdir().unwrap();
    assert!(succeed(here.path(), &["completions", "bash"]).contains("reconcile"));
    succeed(here.path(), &["man", "pages"]);
    let page = std::fs::read_to_string(here.path().join("pages/ecluse-migrate.1")).unwrap();
    assert!(page.contains("repair"));
}

#[test]
fn a_folder_is_laid_out_with_a_mandate_that_is_filled_in_later() {
    let here = tempfile::tempdir().unwrap();
    succeed(here.path(), &["new", "lab"]);
    let template = std::fs::read_to_string(here.path().join("lab/mandate.toml")).unwrap();
    for name in ["contract.toml", "connections.toml", "fingerprints.txt"] {
        assert!(here.path().join("lab").join(name).is_file(), "{name}");
    }
    assert!(succeed(&here.path().join("lab"), &["next"]).contains("the source is not named yet"));
    // where both sides have signed, it is filled in, and what was written into it stays
    succeed(here.path(), &["demo", "signed", "--leave-open", "--patients", "20"]);
    let signed = here.path().join("signed");
    std::fs::remove_dir_all(signed.join("mandate.toml.sigs")).unwrap();
    let written = template.replace("purpose  = \"…\"", "purpose  = \"to know what there is\"");
    assert_ne!(written, template);
    std::fs::write(signed.join("mandate.toml"), written).unwrap();
    succeed(&signed, &["mandate", "new"]);
    succeed(&signed, &["mandate", "sign", "--key", "keys/controller-signatory"]);
    succeed(&signed, &["mandate", "verify"]);
    let filled = std::fs::read_to_string(signed.join("mandate.toml")).unwrap();
    assert!(filled.contains("to know what there is") && filled.contains("\"sqlite\""), "{filled}");
    // a signed one is never written over
    let output = ecluse(&signed, &["mandate", "new"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("ECL-CLI-028"));
}
