//! Which acts each command notes, and why the others note none: a table of every command there is, and two walks
//! that hold it to what the commands do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use ecluse_flow::event::{self, Leaf};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

use crate::commands::every;
use crate::{ecluse, program, sealed};

/// What a command leaves in the events.
enum Notes {
    /// These acts, whenever it came to its end; more only where `extra` names them.
    Acts { always: &'static [&'static str], extra: &'static [&'static str] },
    /// As above, held to it by a test of its own: a person at a terminal, a list of persons, another process.
    Elsewhere(&'static [&'static str], &'static str),
    /// Nothing, and why.
    None(&'static str),
}

use Notes::{Acts, Elsewhere, None};

/// A paper names who made or signed it, when, and what it is about; nothing is read or moved by making it.
const PAPER: &str = "the paper that it makes, shows, checks or signs is its own record, with author and hour";
const LOOKS: &str = "it shows what the migration folder holds: counts, codes, tokens, no row";
const SHAPE: &str = "it reads a database's shape, no row; what it finds stands in a paper under a mandate";
const SHELL: &str = "it is of no migration";
const RUNS: &str = "it gives the other commands, which note their own";
const SELF: &str = "it shows or passes on the state of the journal itself, no entry";

const SEAL: &[&str] = &["seal", "recover", "copies", "override"];

const TABLE: &[(&str, Notes)] = &[
    ("accept propose", None(PAPER)),
    ("accept show", None(PAPER)),
    ("accept sign", None(PAPER)),
    ("accept verify", None(PAPER)),
    ("campaign", None(LOOKS)),
    ("campaign diff", None(PAPER)),
    ("campaign each", None(RUNS)),
    ("campaign inherit", None(PAPER)),
    ("campaign new", None(PAPER)),
    ("certify propose", Acts { always: &["certify"], extra: SEAL }),
    ("certify sign", Acts { always: &["certify"], extra: SEAL }),
    ("certify verify", None(PAPER)),
    ("close", Acts { always: &["conclude", "copies"], extra: SEAL }),
    ("codes print", None(PAPER)),
    ("codes sign", None(PAPER)),
    ("compare", Elsewhere(&["compare"], "compare.rs: fn two_results_swapped_are_seen")),
    ("compare sign", None(PAPER)),
    ("compare verify", None(PAPER)),
    ("completions", None(SHELL)),
    ("contract check", None(PAPER)),
    ("contract new", None(PAPER)),
    ("contract sign", None(PAPER)),
    ("contract verify", None(PAPER)),
    ("copies", None(LOOKS)),
    (
        "copies sign",
        Elsewhere(&["copies"], "taken.rs: fn a_copy_that_somebody_took_is_open_until_it_is_stated"),
    ),
    ("copies state", None(PAPER)),
    (
        "copies taken",
        Elsewhere(&["taken", "copies"], "taken.rs: fn a_copy_that_somebody_took_is_open_until_it_is_stated"),
    ),
    ("copies verify", None(PAPER)),
    ("demo", None(RUNS)),
    ("dictionary list", None(SHELL)),
    ("dictionary new", None(PAPER)),
    ("dictionary show", None(SHELL)),
    ("dictionary use", None(PAPER)),
    ("differences propose", None(PAPER)),
    ("differences sign", None(PAPER)),
    ("differences verify", None(PAPER)),
    ("erase", Acts { always: &["erase"], extra: &["seal", "recover", "copies", "beat"] }),
    ("explain", None(SHELL)),
    (
        "extract",
        Acts {
            always: &[
                "open",
                "standing",
                "probe",
                "snapshot",
                "extract",
                "table",
                "seal-part",
                "close",
                "copies",
            ],
            extra: SEAL,
        },
    ),
    ("freeze", Acts { always: &["freeze"], extra: SEAL }),
    ("grants", None(PAPER)),
    ("help", None(SHELL)),
    ("hold", Acts { always: &["copies"], extra: SEAL }),
    ("inspect", None("it shows what everybody sees of an archive; nothing is opened")),
    ("instruction answer", None(PAPER)),
    ("instruction check", None(SHAPE)),
    ("instruction diff", None(PAPER)),
    ("instruction exclude", None(PAPER)),
    ("instruction new", None(PAPER)),
    ("instruction object", None(PAPER)),
    ("instruction revoke", None(PAPER)),
    ("instruction sign", None(PAPER)),
    ("instruction status", None(PAPER)),
    ("instruction suspend", None(PAPER)),
    ("instruction verify", None(PAPER)),
    ("journal checkpoint", None(SELF)),
    ("journal cosign", None(SELF)),
    ("journal export", Acts { always: &["journal-read"], extra: &[] }),
    ("journal join", None(SELF)),
    ("journal prove", Acts { always: &["journal-read"], extra: &[] }),
    ("journal prune", Elsewhere(&["journal-erased"], "journal.rs: fn what_is_older_than_the_retention")),
    (
        "journal serve",
        Elsewhere(&["alert", "journal-erased"], "attempts.rs: fn the_writer_erases_what_is_older"),
    ),
    ("journal tail", Acts { always: &["journal-read"], extra: &[] }),
    ("journal verify", Acts { always: &["journal-read"], extra: &[] }),
    ("known", None("it lists by token; with --reveal the keys are shown on a terminal, and noted")),
    (
        "load",
        Acts {
            always: &[
                "unseal",
                "open",
                "standing",
                "probe",
                "snapshot",
                "destination",
                "table",
                "chunk",
                "finish",
                "close",
                "reconcile",
                "destroy",
                "copies",
            ],
            extra: SEAL,
        },
    ),
    ("locate", Acts { always: &["locate"], extra: SEAL }),
    ("man", None(SHELL)),
    ("mandate new", None(PAPER)),
    ("mandate sign", None(PAPER)),
    ("mandate verify", None(PAPER)),
    ("mapping check", None(SHAPE)),
    ("mapping new", None(SHAPE)),
    ("mapping print", None(PAPER)),
    ("mapping sign", None(PAPER)),
    (
        "migrate",
        Acts {
            always: &[
                "open",
                "standing",
                "probe",
                "snapshot",
                "destination",
                "table",
                "chunk",
                "finish",
                "close",
            ],
            extra: SEAL,
        },
    ),
    ("new", None(PAPER)),
    ("next", None(LOOKS)),
    (
        "open",
        None(
            "it opens the index of an archive; with --receipt, at the laboratory, its own rows: the receipt says so",
        ),
    ),
    ("order", None(PAPER)),
    ("patients", None(PAPER)),
    ("plan", Acts { always: &["plan", "standing", "probe", "snapshot"], extra: SEAL }),
    ("procedure", None(LOOKS)),
    ("receipt sign", None(PAPER)),
    ("receipt verify", None(PAPER)),
    ("recipient new", None(PAPER)),
    ("recipient show", None(PAPER)),
    ("recipient sign", None(PAPER)),
    ("recipient verify", None(PAPER)),
    ("reconcile", Acts { always: &["standing", "reconcile"], extra: SEAL }),
    ("reference print", Acts { always: &["plan", "standing", "probe", "snapshot"], extra: SEAL }),
    ("reference propose", None(PAPER)),
    ("reference sign", None(PAPER)),
    ("reference verify", None(PAPER)),
    ("rejected", None("it lists by token; with --reveal the keys are shown on a terminal, and noted")),
    ("report", None(LOOKS)),
    (
        "return",
        Elsewhere(
            &["extract", "seal-part", "close"],
            "returned.rs: fn what_is_returned_opens_with_the_laboratorys_key",
        ),
    ),
    ("session new", None(PAPER)),
    ("status", None(LOOKS)),
    ("survey", None(SHAPE)),
    (
        "undo",
        Acts { always: &["undo", "remove"], extra: &["seal", "recover", "copies", "standing", "probe"] },
    ),
    ("verify", None("it reads a file that somebody was given, in no migration's folder")),
];

fn notes(command: &str) -> &'static Notes {
    &TABLE
        .iter()
        .find(|(name, _)| *name == command)
        .unwrap_or_else(|| panic!("{command} is not in the table"))
        .1
}

/// A command without its line fails here, and so does a line without its command.
#[test]
fn every_command_says_what_it_notes_or_why_it_notes_nothing() {
    let here = tempfile::tempdir().unwrap();
    let all = every(here.path());
    let is_above =
        |command: &&Vec<String>| all.iter().any(|c| c.len() > command.len() && c.starts_with(command));
    // what only holds other commands does nothing by itself; these three do
    let both = ["campaign", "compare", "copies"];
    let there: BTreeSet<String> = all
        .iter()
        .filter(|command| !is_above(command) || both.contains(&command.join(" ").as_str()))
        .map(|command| command.join(" "))
        .collect();
    let listed: BTreeSet<String> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, listed);
    assert_eq!(TABLE.len(), listed.len(), "one line each");
    for (name, notes) in TABLE {
        match notes {
            Acts { always, .. } => assert!(!always.is_empty(), "{name}"),
            None(why) => assert!(why.len() > 15, "{name}"),
            Elsewhere(acts, place) => {
                let (file, test) = place.split_once(": ").unwrap();
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
                let text = std::fs::read_to_string(path).unwrap();
                assert!(text.contains(test), "{name}: {place}");
                for act in *acts {
                    let words = serde_json::from_str::<event::Act>(&format!("\"{act}\""));
                    let variant = format!("{:?}", words.unwrap());
                    let is_named =
                        text.contains(&format!("Act::{variant}")) || text.contains(&format!("\\\"{act}\\\""));
                    assert!(is_named, "{name}: {file} says nothing of {act}");
                }
            }
        }
    }
}

/// A walk: after each command what was noted anew.
struct Walk<'a> {
    root: &'a Path,
    known: BTreeSet<String>,
    /// Statements of sessions that were made on the way, by their ids.
    walked: BTreeMap<&'static str, usize>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, known: BTreeSet::new(), walked: BTreeMap::new() }
    }

    fn leaves(&self) -> Vec<Leaf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() && !path.ends_with("evidence.files") {
                    folders.push(path);
                } else if path.ends_with("events.jsonl") {
                    found.extend(event::verify(&std::fs::read(path).unwrap()).unwrap().leaves);
                }
            }
        }
        found
    }

    /// What was noted since the last time, by its acts; each with the four that make an event one: who, when, what was
    /// done, on what.
    #[track_caller]
    fn new_acts(&mut self, command: &str) -> BTreeSet<String> {
        let leaves = self.leaves();
        let new: Vec<&Leaf> = leaves.iter().filter(|leaf| !self.known.contains(&leaf.salt)).collect();
        for leaf in &new {
            let hex = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
            // the ledger of copies alone is written by somebody without a session too, and says so
            let is_ledger = leaf.act == event::Act::Copies && leaf.session == "no session";
            assert!(hex(&leaf.session) || is_ledger, "{command}: in whose name? {leaf:?}");
            assert!(leaf.time.ends_with('Z') && leaf.time.parse::<jiff::Timestamp>().is_ok(), "{leaf:?}");
            assert!(!leaf.object.is_empty() && !leaf.outcome.is_empty(), "{leaf:?}");
        }
        let acts =
            new.iter().map(|leaf| serde_json::to_value(leaf.act).unwrap().as_str().unwrap().to_owned());
        let acts = acts.collect();
        self.known.extend(leaves.into_iter().map(|leaf| leaf.salt));
        acts
    }

    /// Gives a command, which has to end well, and holds what it noted to its line of the table.
    #[track_caller]
    fn gives(&mut self, folder: &Path, arguments: &[&str]) -> String {
        let name = self.named(arguments);
        let output = ecluse(folder, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        self.holds(name);
        said
    }

    fn named(&mut self, arguments: &[&str]) -> &'static str {
        let two = arguments.get(..2).map(|two| two.join(" ")).unwrap_or_default();
        let found = TABLE.iter().map(|(name, _)| *name).find(|name| *name == two);
        let one = || TABLE.iter().map(|(name, _)| *name).find(|name| *name == arguments[0]);
        let name = found.or_else(one).unwrap_or_else(|| panic!("{arguments:?} is not in the table"));
        *self.walked.entry(name).or_default() += 1;
        name
    }

    #[track_caller]
    fn holds(&mut self, name: &'static str) {
        let acts = self.new_acts(name);
        match notes(name) {
            None(why) => assert!(acts.is_empty(), "{name} notes {acts:?}, though {why}"),
            Acts { always, extra } => {
                for act in *always {
                    assert!(acts.contains(*act), "{name} did not note {act}: {acts:?}");
                }
                let more =
                    acts.iter().find(|act| !always.contains(&act.as_str()) && !extra.contains(&act.as_str()));
                assert_eq!(more, Option::None, "{name} notes more than it says: {acts:?}");
            }
            Elsewhere(..) => {}
        }
    }
}

const OLD: &str =
    "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, ville VARCHAR(40));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
    INSERT INTO patient SELECT i, 'QyJcanariNom' || i, 'QyJcanariVille' FROM n";

#[test]
fn on_the_direct_way_each_command_notes_what_its_line_of_the_table_says() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    Connection::open(root.join("old.db")).unwrap().execute_batch(OLD).unwrap();
    let mut walk = Walk::new(root);
    walk.gives(root, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = root.join("lab");
    let papers: &[&[&str]] = &[
        &["contract", "check"],
        &["contract", "verify"],
        &["survey"],
        &["dictionary", "list"],
        &["instruction", "new", "--table", "patient", "--grant-proposed"],
        &["instruction", "check"],
        &["instruction", "sign"],
        &["instruction", "verify"],
        &["instruction", "diff", "instruction.toml", "instruction.toml"],
        &["order"],
        &["patients"],
        &["mapping", "check"],
        &["mapping", "print"],
        &["procedure"],
        &["next"],
        &["session", "new"],
        &["plan"],
        &["reference", "print"],
        &["migrate", "--ddl"],
        &["status"],
        &["rejected"],
        &["freeze"],
        &["reconcile"],
        &["instruction", "suspend", "--reason", "a question"],
        &["instruction", "status", "--key", "keys/controller-signatory"],
        &["instruction", "status"],
        &["journal", "checkpoint"],
        &["journal", "verify"],
        &["journal", "tail"],
        &["journal", "prove", "0"],
        &["journal", "export", "-o", "audit.ndjson"],
        &["journal", "cosign", "--key", "../witness.key", "--name", "lab.example/w"],
        &["copies"],
    ];
    for command in papers {
        // the dry run makes the tables' script first, and reads no row for that
        if *command == ["plan"] {
            assert!(ecluse(&lab, &["plan", "--ddl"]).status.success());
            assert!(walk.new_acts("plan --ddl").is_empty());
        }
        walk.gives(&lab, command);
    }
    // a row's key is shown on a terminal alone
    let figures = std::fs::read_to_string(lab.join("run/figures.json")).unwrap();
    assert!(!figures.contains("QyJ"));
    let copies: serde_json::Value = serde_json::from_str(&walk.gives(&lab, &["copies", "--json"])).unwrap();
    let id = copies["copies"][0]["id"].as_str().unwrap().to_owned();
    let hold = ["hold", &id, "--reason", "why", "--approved-by", "Claire Fontaine", "--until", "2999-01-31"];
    walk.gives(&lab, &hold);
    walk.gives(&lab, &["hold", &id, "--release"]);
    let end: &[&[&str]] = &[
        &["report"],
        &["accept", "propose"],
        &["accept", "show"],
        &["accept", "sign"],
        &["accept", "verify"],
        &["erase"],
    ];
    end.iter().for_each(|command| drop(walk.gives(&lab, command)));
    // of the erasure's three ways one looks: it notes another act
    assert!(ecluse(&lab, &["erase", "--look"]).status.success());
    assert_eq!(walk.new_acts("erase --look"), BTreeSet::from(["look".to_owned()]));
    for command in [
        &["certify", "propose"][..],
        &["certify", "sign"],
        &["certify", "verify"],
        &["close"],
        &["explain", "ECL-LOG-001"],
    ] {
        walk.gives(&lab, command);
    }
    // and no event names what was moved
    let events: Vec<u8> = walk.leaves().iter().flat_map(|leaf| leaf.bytes().unwrap()).collect();
    assert_eq!(Search::new(&["QyJcanariNom", "QyJcanariVille"]).bytes("events", &events), []);
    assert!(walk.walked.len() > 40, "{:?}", walk.walked);
}

#[test]
fn on_the_sealed_way_and_back_each_command_notes_what_its_line_of_the_table_says() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    Connection::open(root.join("old.db")).unwrap().execute_batch(OLD).unwrap();
    let lab = sealed::cited(root, "sqlite:old.db", "sqlite:new.db", &["patient"]);
    let mut walk = Walk::new(root);
    assert!(walk.new_acts("papers").is_empty());
    for command in [
        &["recipient", "verify"][..],
        &["recipient", "show"],
        &["extract", "-o", "../archive"],
        &["inspect", "../archive"],
    ] {
        walk.gives(&lab, command);
    }
    let theirs = root.join("theirs");
    sealed::recipients(&lab, &theirs);
    walk.gives(&theirs, &["open", "../archive"]);
    walk.gives(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
    walk.gives(&theirs, &["receipt", "verify"]);

    // moved, looked up, and taken back
    let here = tempfile::tempdir().unwrap();
    let lab = crate::accept::moved(here.path());
    let mut walk = Walk::new(here.path());
    walk.new_acts("before");
    let token = refused_token(here.path(), &lab, &mut walk);
    let command = format!("'{}' -C '{}' locate {token}", program().display(), lab.display());
    let shown = Command::new("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stdout));
    walk.named(&["locate"]);
    walk.holds("locate");
    walk.gives(&lab, &["migrate", "--repair"]);
    walk.gives(&lab, &["undo"]);
}

/// A row that differs at the destination, told by its token.
fn refused_token(here: &Path, lab: &Path, walk: &mut Walk<'_>) -> String {
    let new = Connection::open(here.join("new.db")).unwrap();
    new.execute_batch("UPDATE patient SET nom = 'QyJautre' WHERE id = 3").unwrap();
    let output = ecluse(lab, &["reconcile", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    // damage is an outcome: the reconciliation is noted with the difference's code
    walk.named(&["reconcile"]);
    walk.holds("reconcile");
    let told = walk.leaves().into_iter().rfind(|leaf| leaf.act == event::Act::Reconcile).unwrap();
    assert!(told.outcome.starts_with("ECL-REC-"), "{told:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = said.to_string();
    let token = found.split("\"row\":\"").nth(1).unwrap_or_else(|| panic!("{found}"));
    token.split('"').next().unwrap().to_owned()
}
