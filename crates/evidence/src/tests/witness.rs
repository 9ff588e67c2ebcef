//! An order that wants its plan seen by somebody else: what shows that it was, and a publisher who did not wait.

use ecluse_journal::{Checkpoint, FULL, KeyKind, Log, NoteSigner, audit};
use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::closed::{closed_but, fails, judged};
use super::made::{self, now};
use crate::{Files, Outcome, State, Verdict};

const ORDER: &str = "instruction.toml";
/// The log's own key.
fn writer() -> NoteSigner {
    NoteSigner::new("ecluse/00", KeyKind::Log, &[7; 32]).unwrap()
}

/// Papers whose order wants its plan witnessed.
fn papers() -> Papers {
    naming("")
}

/// The same, and names these witnesses.
fn naming(witnesses: &str) -> Papers {
    let mut papers = made::papers();
    let with = format!("max_runs = 1\nwitnessed = true{witnesses}");
    papers.edits.push((Paper::Instruction, "max_runs = 1".to_owned(), with));
    papers
}

/// The controller's status, signed over a log of these entries.
fn seen(papers: &mut Papers, entries: &[Value]) {
    with_seen(papers, Paper::Status, entries);
}

fn with_seen(papers: &mut Papers, paper: Paper, entries: &[Value]) {
    let Checkpoint { origin, size, root } = log(entries).checkpoint();
    let line = format!("\nseen = {{ origin = \"{origin}\", size = {size}, root = \"{root}\" }}\nissued ");
    papers.edits.push((paper, "\nissued ".to_owned(), line));
}

/// A migration under these papers, whose first event is that a dry run under the order came to its end.
fn files(papers: &Papers) -> Files {
    planned(papers, &papers.digest(Paper::Instruction))
}

/// The same, whose dry run was one of this order.
fn planned(papers: &Papers, of: &str) -> Files {
    let mut files = made::files(papers);
    let counts = json!([{ "run": "dry", "instruction": of }]);
    files.insert("run/rehearsals.json".to_owned(), serde_json::to_vec(&counts).unwrap());
    made::run(&mut files, &papers.digest(Paper::Instruction));
    files
}

/// The entries that a log takes of these events: the plan's is the first, the third from there on reads rows.
fn entries(files: &Files) -> Vec<Value> {
    let text = std::str::from_utf8(&files["journal/events.jsonl"]).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["leaf"].clone()).collect()
}

fn log(entries: &[Value]) -> Log {
    let mut log = Log::new("ecluse/00");
    for entry in entries {
        log.append(&serde_json_canonicalizer::to_vec(entry).unwrap()).unwrap();
    }
    log
}

/// Puts the log of these entries into the file, without those before `first`.
fn put(files: &mut Files, entries: &[Value], first: u64) {
    let mut log = log(entries);
    files.retain(|path, _| !path.starts_with("journal/tile/"));
    for (tile, bytes) in log.stage() {
        files.insert(format!("journal/{}", tile.path()), bytes);
    }
    let checkpoint = log.checkpoint();
    for tile in audit::prunable(first, checkpoint.size) {
        files.remove(&format!("journal/{}", tile.path()));
    }
    files.insert("journal/checkpoint".to_owned(), checkpoint.sign(&writer()).unwrap().into_bytes());
}

/// What is said of the order, closed by whoever holds the processor's keys over what `change` makes of the entries.
fn said(papers: &Papers, files: Files, change: impl FnOnce(&mut Vec<Value>)) -> Verdict {
    let closed = closed_but(papers, files, |files| {
        let mut entries = entries(files);
        change(&mut entries);
        put(files, &entries, 0);
    });
    judged(&closed, papers)
}

#[track_caller]
fn is_told(verdict: &Verdict, why: &str) {
    assert_eq!(verdict.outcome, Outcome::Refused, "{why}: {verdict:#?}");
    let found = fails(verdict);
    assert!(found.iter().any(|(of, finding)| *of == ORDER && finding.contains(why)), "{why}: {found:#?}");
}

// proves: AUD-02
#[test]
fn a_witnessed_order_holds_where_the_controller_saw_the_plan_and_no_row() {
    let mut papers = papers();
    let entries = entries(&files(&papers));
    // its plan alone, and up to the entry before the first by which rows move
    assert_eq!((&entries[0]["act"], &entries[3]["act"]), (&"plan".into(), &"snapshot".into()));
    let bare = papers.edits.clone();
    for size in [1, 3] {
        papers.edits.clone_from(&bare);
        seen(&mut papers, &entries[..size]);
        let verdict = said(&papers, files(&papers), |_| ());
        assert_eq!(fails(&verdict), []);
        assert_eq!(verdict.outcome, Outcome::Holds);
        let told = format!("status.toml was signed over {size} entries, among them the plan (entry 0)");
        let is_said = |line: &&crate::Line| line.of == ORDER && line.words.en.contains(&told);
        assert_eq!(verdict.lines.iter().find(is_said).unwrap().state, State::Holds);
    }
}

/// Whoever runs a program that does not wait has the processor's keys, and closes the file with them.
// proves: AUD-02
#[test]
fn a_publisher_who_did_not_wait_for_the_witness_is_told() {
    let mut papers = papers();
    let unseen = "neither the controller nor a witness that it names signed over the plan (entry 0) and before rows move at entry 3";
    is_told(&said(&papers, files(&papers), |_| ()), unseen);
    let all = entries(&files(&papers));
    let bare = papers.edits.clone();
    // a log that did not hold the plan yet, and one by which rows had moved
    for size in [0, 4, 9] {
        papers.edits.clone_from(&bare);
        seen(&mut papers, &all[..size]);
        is_told(&said(&papers, files(&papers), |_| ()), unseen);
    }
    // what the processor's own people signed over is no witness
    papers.edits.clone_from(&bare);
    with_seen(&mut papers, Paper::Session, &all[..1]);
    is_told(&said(&papers, files(&papers), |_| ()), unseen);
    // an old state of the log, shown to the controller when rows had moved, before the file was closed
    papers.edits.clone_from(&bare);
    papers.status_at = now() + SignedDuration::from_mins(8);
    seen(&mut papers, &all[..1]);
    is_told(&said(&papers, files(&papers), |_| ()), unseen);
    papers.status_at = now();
    // rows that moved under another object, in a folder of which the file has the entries alone
    papers.edits.clone_from(&bare);
    let mut earlier = all[5].clone();
    earlier["object"] = "other".into();
    earlier["time"] = all[0]["time"].clone();
    let before = [&[earlier.clone()], &all[..1]].concat();
    seen(&mut papers, &before);
    let verdict = said(&papers, files(&papers), |entries| entries.insert(0, earlier));
    is_told(&verdict, "signed over the plan (entry 1) and before rows move at entry 0");
}

/// The plan is the dry run that came to its end under this very order, by counts of which the journal tells.
#[test]
fn without_a_plan_of_its_own_in_the_journal_a_witnessed_order_does_not_hold() {
    let mut papers = papers();
    let none = "no dry run under this order";
    let mut other = files(&papers);
    seen(&mut papers, &entries(&other)[..3]);
    let digest = papers.digest(Paper::Instruction);
    is_told(&said(&papers, planned(&papers, &digest.replace('a', "b")), |_| ()), none);
    // counts that the journal does not know
    other = files(&papers);
    other.insert(
        "run/rehearsals.json".to_owned(),
        format!("[{{\"run\":\"dry\",\"instruction\":\"{digest}\"}}, {{\"run\":\"x\",\"instruction\":\"\"}}]")
            .into_bytes(),
    );
    is_told(&said(&papers, other, |_| ()), none);
    // one that did not come to its end
    let verdict = said(&papers, files(&papers), |entries| entries[0]["outcome"] = "ECL-SRC-001".into());
    is_told(&verdict, none);
    // and without the log nothing shows it
    let closed = closed_but(&papers, files(&papers), |files| {
        files.retain(|path, _| !path.starts_with("journal/tile/"));
    });
    is_told(&judged(&closed, &papers), "no log is in the file that shows it");
}

#[test]
fn a_cosignature_counts_where_the_order_names_its_witness_and_the_log_grew_out_of_it() {
    let witness = NoteSigner::new("temoin.example/1", KeyKind::Witness, &[9; 32]).unwrap();
    let other = NoteSigner::new("temoin.example/2", KeyKind::Witness, &[8; 32]).unwrap();
    let papers = naming(&format!("\nwitnesses = [\"{}\"]", witness.verifier()));
    let all = entries(&files(&papers));
    let cosigned = |by: &NoteSigner, entries: &[Value], minutes: i64| {
        let hour = (now() + SignedDuration::from_mins(minutes)).as_second();
        let signed = log(entries).checkpoint().sign(&writer()).unwrap();
        let signed = ecluse_journal::Signed::open(signed.as_bytes(), writer().verifier()).unwrap();
        let signed = signed.cosign(by, u64::try_from(hour).unwrap()).unwrap();
        let mut files = files(&papers);
        files.insert("journal/cosigned/1-00.checkpoint".to_owned(), signed.note().as_bytes().to_vec());
        said(&papers, files, |_| ())
    };
    let verdict = cosigned(&witness, &all[..1], 0);
    assert_eq!(fails(&verdict), []);
    assert_eq!(verdict.outcome, Outcome::Holds);
    is_told(&cosigned(&other, &all[..1], 0), "neither the controller");
    is_told(&cosigned(&witness, &all[..1], 30), "neither the controller");
    is_told(&cosigned(&witness, &all[..4], 0), "neither the controller");
    let forked = cosigned(&witness, &all[1..2], 0);
    is_told(&forked, "neither the controller");
    assert!(fails(&forked).contains(&("journal/cosigned/1-00.checkpoint", "Fork")), "{forked:#?}");
}

/// Retention erased the plan's entry: the evidence's own copy of the events and the witness's hour are what is left.
#[test]
fn over_a_journal_whose_front_was_erased_it_is_told_by_hours_and_not_as_shown() {
    let mut papers = papers();
    let other = |at: u64| {
        json!({
            "v": 1, "salt": format!("{at:032x}"), "time": "2025-01-01T10:00:00Z", "session": "0a".repeat(16),
            "act": "standing", "object": "0b".repeat(16), "outcome": "done",
        })
    };
    let old = |entries: &[Value]| {
        let others = (6..FULL).map(other);
        entries[..6].iter().cloned().chain(others).chain(entries[6..].iter().cloned()).collect::<Vec<_>>()
    };
    let pruned = |papers: &Papers| {
        let closed = closed_but(papers, files(papers), |files| {
            let entries = old(&entries(files));
            put(files, &entries, FULL);
        });
        judged(&closed, papers)
    };
    is_told(&pruned(&papers), "signed between the plan and the first row");
    let all = entries(&files(&papers));
    seen(&mut papers, &all[..1]);
    let verdict = pruned(&papers);
    let said = verdict.lines.iter().find(|line| line.words.en.contains("by the hours it was status.toml"));
    assert_eq!(said.map(|line| (line.of.as_str(), line.state)), Some((ORDER, State::Lost)), "{verdict:#?}");
    papers.status_at = now() + SignedDuration::from_mins(8);
    is_told(&pruned(&papers), "signed between the plan and the first row");
}
