//! A small migration as files: papers that invented persons signed, and what a run leaves.

use std::path::Path;

use ecluse_core::document::{self, Kind};
use ecluse_core::{dictionary, digest};
use ecluse_journal::{KeyKind as LogKey, Log, NoteSigner};
use ecluse_testkit::papers::{Paper, Papers};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Files;

/// The frozen moment; today is later.
pub(super) fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

const INSTRUCTION: &str = r#"[instruction]
kind = "bulk"
purpose = "Reprise du dossier patient"
dictionary = "{dictionary}"
mapping = "{mapping}"
max_runs = 1
suite = "ecluse-1"
status_max_age = "24h"
tolerance = 1

[source]
engine = "sqlite"
database = "main"
identity = "sqlite:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"
schema = "{schema}"

[destination]
engine = "sqlite"
database = "main"
identity = "sqlite:1f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"

[erasure]
copies = 2026-06-30

[stays]
"technical" = { fate = "keep", until = 2026-06-30 }

[[table]]
name = "PATIENT"
columns = ["ID", "NOM"]
rows = 'true'
"#;

const DICTIONARY: &str = r#"[dictionary]
format = "ecluse-dictionary/1"
engine = "sqlite"
database = "main"
identity = "sqlite:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"

[[table]]
name = "PATIENT"
digest = "sha256:2f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62"
key = ["ID"]
columns = [
  { name = "ID", type = "INTEGER", class = "technical" },
  { name = "NOM", type = "VARCHAR(60)", class = "identity" },
]
"#;

const MAPPING: &str = r#"[mapping]
format = "ecluse-mapping/1"

[[code_table]]
name = "sex"
file = "codes/sex.toml"
digest = "{codes/sex.toml}"

[[table]]
from = "PATIENT"
to = "patient"
[table.columns]
id = "ID"
name = { cast = "NOM" }
"#;

const SEX: &str = r#"[codes]
format = "ecluse-codes/1"
title = "Sexe"
accepted_by = "Bruno Aubry"
changes_result = true

[[code]]
from = "F"
to = "female"
"#;

/// The papers, before they are written.
pub(super) fn papers() -> Papers {
    let mut papers = Papers::new(now());
    let surveyed = dictionary::parse(DICTIONARY).unwrap();
    let tables: Vec<_> = surveyed.tables.iter().map(|t| (t.name.value.clone(), t.digest.clone())).collect();
    papers.instruction = INSTRUCTION.replace("{schema}", &digest::of_tables(&tables));
    papers.dictionary = DICTIONARY.to_owned();
    papers.mapping = MAPPING.to_owned();
    papers.codes = vec![("sex.toml".to_owned(), SEX.to_owned())];
    papers
}

/// The controller's fingerprint, as the paper contract has it.
pub(super) fn trust(papers: &Papers) -> Vec<String> {
    vec![papers.signatory.key().public().unwrap().fingerprint()]
}

/// The files of a migration under these papers, whose run moved 3 of 4 rows.
pub(super) fn files(papers: &Papers) -> Files {
    let folder = tempfile::tempdir().unwrap();
    papers.write(folder.path());
    let mut files = Files::new();
    for name in
        ["contract", "mandate", "instruction", "mapping", "dictionary", "status", "session", "recipient"]
    {
        taken(&mut files, folder.path(), &format!("{name}.toml"));
    }
    taken(&mut files, folder.path(), "codes");
    run(&mut files, &papers.digest(Paper::Instruction));
    files
}

/// What lies under a path of a folder, a paper's signatures with it.
fn taken(files: &mut Files, folder: &Path, path: &str) {
    let place = folder.join(path);
    if place.is_file() {
        files.insert(path.to_owned(), std::fs::read(&place).unwrap());
        taken(files, folder, &format!("{path}.sigs"));
    } else if place.is_dir() {
        for entry in std::fs::read_dir(&place).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !path.ends_with(".sigs") && name.ends_with(".sigs") {
                continue;
            }
            taken(files, folder, &format!("{path}/{name}"));
        }
    }
}

/// What the run left: figures, the reading back, and the events that vouch for both.
pub(super) fn run(files: &mut Files, instruction: &str) {
    let at = |minutes: i64| (now() + SignedDuration::from_mins(minutes)).to_string();
    let figures = json!({
        "format": "ecluse-figures/1", "run": "r1", "instruction": instruction, "began": at(1), "ended": at(2),
        "whole": true, "barrier": "none", "limits": [], "excess": [], "override_reason": "", "tolerated": 1,
        "tables": [{
            "source": "PATIENT", "destination": "patient", "available": 5, "asked": 4, "moved": 3,
            "refused": { "ECL-MAP-021 PATIENT.NOM": 1 }, "left_out": 0, "chunks": 1, "replaced": 1,
        }],
    });
    run_with(files, instruction, &serde_json::to_string_pretty(&figures).unwrap());
}

/// The same with these figures: the events vouch for them.
pub(super) fn run_with(files: &mut Files, instruction: &str, figures: &str) {
    let session = session(files);
    let at = |minutes: i64| (now() + SignedDuration::from_mins(minutes)).to_string();
    let figures = figures.as_bytes().to_vec();
    let mut events = Events { session, ..Events::default() };
    // a dry run of which these are the counts
    if let Some(counts) = files.get("run/rehearsals.json") {
        events.about("dry", ("plan", "done"), &at(-10), Some(counts));
    }
    events.add(("open", "begun"), &at(1), None);
    for (act, outcome) in [
        ("standing", "done"),
        ("snapshot", "begun"),
        ("table", "begun"),
        ("chunk", "begun"),
        ("chunk", "done"),
    ] {
        events.add((act, outcome), &at(1), None);
    }
    events.add(("close", "done"), &at(2), Some(&figures));
    let (lines, head) = (events.lines, events.before.clone());
    let reconciliation = json!({
        "at": at(3), "run": "r1", "instruction": instruction, "lines": lines, "journal": head, "holds": true,
        "rows": 3, "differences": 0, "kinds": {}, "since": 0, "overrides": [], "list": [],
    });
    let reconciliation = serde_json::to_vec_pretty(&reconciliation).unwrap();
    events.add(("reconcile", "done"), &at(3), Some(&reconciliation));
    files.insert("run/figures.json".to_owned(), figures);
    files.insert("run/reconciliation.json".to_owned(), reconciliation);
    files.insert("journal/events.jsonl".to_owned(), events.bytes);
}

/// Adds a file that écluse wrote, and the event that vouches for it; the file's digest.
pub(super) fn note(
    files: &mut Files,
    path: &str,
    act: &str,
    time: &str,
    said: &impl serde::Serialize,
) -> String {
    let bytes = serde_json::to_vec_pretty(said).unwrap();
    append(files, (act, "done"), time, Some(&bytes));
    let cited = digest::of_bytes(&bytes);
    files.insert(path.to_owned(), bytes);
    cited
}

/// Adds an event, under the session of the statement there.
pub(super) fn append(files: &mut Files, act: (&str, &str), time: &str, paper: Option<&[u8]>) {
    let session = session(files);
    append_under(files, &session, act, time, paper);
}

/// Adds an event about this object, under the session of the statement there.
pub(super) fn append_about(files: &mut Files, object: &str, act: (&str, &str), time: &str) {
    let journal = files.remove("journal/events.jsonl").unwrap();
    let last = journal.split(|b| *b == b'\n').rev().nth(1).unwrap();
    let lines = journal.iter().filter(|b| **b == b'\n').count() as u64;
    let (before, session) = (digest::of_bytes(last), session(files));
    let mut events = Events { before, lines, bytes: journal.clone(), session };
    events.about(object, act, time, None);
    files.insert("journal/events.jsonl".to_owned(), events.bytes);
}

/// Adds an event under this session.
pub(super) fn append_under(
    files: &mut Files,
    session: &str,
    act: (&str, &str),
    time: &str,
    paper: Option<&[u8]>,
) {
    let journal = files.remove("journal/events.jsonl").unwrap();
    let last = journal.split(|b| *b == b'\n').rev().nth(1).unwrap();
    let lines = journal.iter().filter(|b| **b == b'\n').count() as u64;
    let session = session.to_owned();
    let mut events = Events { before: digest::of_bytes(last), lines, bytes: journal.clone(), session };
    events.add(act, time, paper);
    files.insert("journal/events.jsonl".to_owned(), events.bytes);
}

/// When the last event was noted.
pub(super) fn last(files: &Files) -> Timestamp {
    let text = std::str::from_utf8(&files["journal/events.jsonl"]).unwrap();
    let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    line["leaf"]["time"].as_str().unwrap().parse().unwrap()
}

/// The id of the session statement among the files.
pub(super) fn session(files: &Files) -> String {
    let text = std::str::from_utf8(&files["session.toml"]).unwrap();
    document::header(text, Kind::Session).unwrap().id
}

/// The log of these events, as its writer leaves it.
pub(super) fn log(files: &mut Files) {
    let signer = NoteSigner::new("ecluse/00", LogKey::Log, &[7; 32]).unwrap();
    let mut log = Log::new("ecluse/00");
    for line in files["journal/events.jsonl"].split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        log.append(&serde_json_canonicalizer::to_vec(&line["leaf"]).unwrap()).unwrap();
    }
    files.retain(|path, _| !path.starts_with("journal/tile/"));
    for (tile, bytes) in log.stage() {
        files.insert(format!("journal/{}", tile.path()), bytes);
    }
    let checkpoint = log.checkpoint().sign(&signer).unwrap();
    files.insert("journal/checkpoint".to_owned(), checkpoint.into_bytes());
    files.insert("journal/log.pub".to_owned(), format!("{}\n", signer.verifier()).into_bytes());
}

/// Journal lines as a run writes them.
struct Events {
    bytes: Vec<u8>,
    before: String,
    lines: u64,
    session: String,
}

impl Default for Events {
    fn default() -> Self {
        Self { bytes: Vec::new(), before: digest::of_bytes(b""), lines: 0, session: String::new() }
    }
}

impl Events {
    fn add(&mut self, act: (&str, &str), time: &str, paper: Option<&[u8]>) {
        self.about("o", act, time, paper);
    }

    fn about(&mut self, object: &str, (act, outcome): (&str, &str), time: &str, paper: Option<&[u8]>) {
        let mut leaf = json!({
            "v": 1, "salt": format!("{:032x}", self.lines + 7), "time": time, "session": self.session,
            "act": act, "object": object, "outcome": outcome,
        });
        if let Some(paper) = paper {
            leaf["paper"] = Value::String(digest::of_bytes(paper));
        }
        let line = serde_json_canonicalizer::to_vec(&json!({ "before": self.before, "leaf": leaf })).unwrap();
        self.before = digest::of_bytes(&line);
        self.bytes.extend_from_slice(&line);
        self.bytes.push(b'\n');
        self.lines += 1;
    }
}
