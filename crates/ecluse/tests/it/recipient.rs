//! `ecluse recipient`: on the recipient's machine, with what the recipient has and nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_testkit::kill::{VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use ecluse_testkit::papers::Papers;

use crate::{ecluse, now, succeed};

/// The folder that travels, and beside it the place where the recipient's account keeps its own.
struct Machine {
    all: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let this = Self { all };
        let mut papers = Papers::new(now());
        papers.receive();
        papers.write(&this.folder());
        // the recipient begins with the contract
        this.forget();
        this
    }

    fn forget(&self) {
        let _ = std::fs::remove_dir_all(self.folder().join("recipient.toml.sigs"));
        let _ = std::fs::remove_file(self.folder().join("recipient.toml"));
        let _ = std::fs::remove_dir_all(self.own());
        std::fs::create_dir(self.own()).unwrap();
    }

    fn folder(&self) -> PathBuf {
        self.all.path().join("lab")
    }

    fn own(&self) -> PathBuf {
        self.all.path().join("own")
    }

    fn identity(&self) -> PathBuf {
        self.own().join("lab.age")
    }

    fn new_with<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&["recipient", "new", "--identity", "../own/lab.age"], more].concat()
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].concat().iter().map(|byte| char::from(*byte)).collect()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(folder, arguments);
    let said = said(&output);
    assert!(!output.status.success() && said.contains(code), "{arguments:?} is not {code}: {said}");
}

// fails with the guard off: an identity that stands in an output, or in a file beside its own
#[test]
fn the_identity_stands_in_its_own_file_alone() {
    let machine = Machine::new();
    let folder = machine.folder();
    let mut outputs = Vec::new();
    for arguments in [
        machine.new_with(&["--json"]),
        vec!["recipient", "sign", "--key", "keys/martin"],
        vec!["recipient", "verify"],
        vec!["recipient", "show"],
        vec!["recipient", "show", "--json"],
        // said once more in every refusal, and in none of them
        machine.new_with(&[]),
        vec!["recipient", "new", "--identity", "inside.age"],
        vec!["recipient", "verify", "../own/lab.age"],
        vec!["recipient", "show", "../own/lab.age"],
        vec!["recipient", "sign", "../own/lab.age", "--key", "../own/lab.age"],
        vec!["next"],
    ] {
        outputs.push(said(&ecluse(&folder, &arguments)));
    }
    let identity = std::fs::read_to_string(machine.identity()).unwrap();
    let line = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap();
    let secret = line.trim_start_matches("AGE-SECRET-KEY-1");
    // the whole, in either case, and any half of it
    let halves = secret.split_at(secret.len() / 2);
    let needles = [line, &line.to_lowercase(), secret, halves.0, halves.1];
    let search = Search::new(&needles);
    // the search sees what is there
    assert!(!search.folder(&machine.own()).is_empty());
    assert_eq!(std::fs::metadata(machine.identity()).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(machine.identity()).unwrap();
    assert!(search.folder(machine.all.path()).is_empty());
    assert!(search.bytes("outputs", outputs.concat().as_bytes()).is_empty(), "{outputs:#?}");
}

#[test]
fn a_statement_is_made_signed_verified_and_shown_and_nothing_is_written_over() {
    let machine = Machine::new();
    let folder = machine.folder();
    let made: serde_json::Value =
        serde_json::from_str(&succeed(&folder, &machine.new_with(&["--days", "40", "--json"]))).unwrap();
    let age = made["age"].as_str().unwrap();
    assert!(age.starts_with("age1") && made["entity"] == "Logilab Éditions", "{made}");
    let statement = std::fs::read(folder.join("recipient.toml")).unwrap();
    let identity = std::fs::read(machine.identity()).unwrap();

    refused(&folder, &["recipient", "verify"], "ECL-SGN-020");
    for person in ["petit", "serrano", "fontaine", "aubry"] {
        refused(&folder, &["recipient", "sign", "--key", &format!("keys/{person}")], "ECL-CLI-016");
    }
    succeed(&folder, &["recipient", "sign", "--key", "keys/martin"]);
    assert!(succeed(&folder, &["recipient", "verify"]).contains("Julie Martin"));
    let shown: serde_json::Value =
        serde_json::from_str(&succeed(&folder, &["recipient", "show", "--json"])).unwrap();
    assert_eq!((&shown["age"], &shown["signatures"]), (&made["age"], &1.into()));
    let cited = succeed(&folder, &["recipient", "show"]);
    assert!(cited.contains(&format!("statement = \"{}\"", shown["digest"].as_str().unwrap())), "{cited}");

    refused(&folder, &machine.new_with(&[]), "ECL-CLI-028");
    refused(&folder, &["recipient", "new", "--identity", "../own/other.age"], "ECL-CLI-028");
    assert!(!machine.own().join("other.age").exists() && !machine.own().join("other.age.part").exists());
    std::fs::rename(folder.join("recipient.toml"), folder.join("before.toml")).unwrap();
    refused(&folder, &machine.new_with(&[]), "ECL-CLI-028");
    assert!(!folder.join("recipient.toml").exists());
    assert_eq!(std::fs::read(folder.join("before.toml")).unwrap(), statement);
    assert_eq!(std::fs::read(machine.identity()).unwrap(), identity);
}

#[test]
fn an_identity_does_not_travel_and_nobody_unlisted_receives() {
    let machine = Machine::new();
    let folder = machine.folder();
    refused(&folder, &["recipient", "new"], "ECL-CLI-044");
    std::os::unix::fs::symlink(folder.join("keys"), machine.own().join("keys")).unwrap();
    for inside in ["lab.age", "keys/lab.age", "../lab/lab.age", "../own/keys/lab.age", "new/lab.age"] {
        refused(&folder, &["recipient", "new", "--identity", inside], "ECL-RCP-015");
        assert!(!folder.join("recipient.toml").exists() && !folder.join("lab.age").exists(), "{inside}");
        assert!(!folder.join("lab.age.part").exists() && !folder.join("keys/lab.age").exists(), "{inside}");
    }
    refused(&folder, &machine.new_with(&["--entity", "Autre Société"]), "ECL-RCP-016");
    refused(&folder, &machine.new_with(&["--days", "367"]), "--days");
    Papers::new(now()).write(&folder);
    refused(&folder, &machine.new_with(&[]), "ECL-RCP-016");
    assert_eq!(std::fs::read_dir(machine.own()).unwrap().count(), 1);
}

// A death at any step leaves no statement whose identity nobody has, and the same command goes on.
#[test]
fn killed_at_any_step_the_same_command_ends_with_a_statement_and_its_identity() {
    let machine = Machine::new();
    let folder = machine.folder();
    let own = ["papers.create.", "recipient."];
    let places: Vec<String> =
        failpoints().into_iter().filter(|name| own.iter().any(|own| name.starts_with(own))).collect();
    assert_eq!(places.len(), 4, "{places:?}");
    let deaths = places.iter().flat_map(|place| {
        // the identity first, then the statement
        let passings = if place.starts_with("papers.") { 1..=2 } else { 1..=1 };
        passings.map(move |passing| format!("{place}:{passing}"))
    });
    for death in deaths {
        machine.forget();
        let died = std::process::Command::new(crate::program())
            .current_dir(&folder)
            .args(machine.new_with(&[]))
            .env(VARIABLE, &death)
            .output()
            .unwrap();
        assert!(died.status.code().is_none(), "{death}: {}", said(&died));
        if machine.identity().exists() {
            // dead after the last step: nothing is left to do, and nothing is written over
            refused(&folder, &machine.new_with(&[]), "ECL-CLI-028");
        } else {
            succeed(&folder, &machine.new_with(&[]));
        }
        let identity = std::fs::read_to_string(machine.identity()).unwrap();
        let public = identity.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
        let statement = std::fs::read_to_string(folder.join("recipient.toml")).unwrap();
        assert!(statement.contains(&format!("\"{public}\"")), "{death}");
        assert_eq!(std::fs::read_dir(machine.own()).unwrap().count(), 1, "{death}");
        succeed(&folder, &["recipient", "sign", "--key", "keys/martin"]);
        succeed(&folder, &["recipient", "verify"]);
    }
}

#[test]
fn in_a_trial_one_person_receives_too() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["new", "lab", "--trial"]);
    let lab = folder.path().join("lab");
    succeed(&lab, &["recipient", "new"]);
    succeed(&lab, &["recipient", "sign"]);
    let verified = succeed(&lab, &["recipient", "verify"]);
    assert!(verified.contains("TRIAL") && verified.contains("recipient"), "{verified}");
}
