//! A log whose front was erased when its time was over: the evidence has its own copy of every event, and says until when.

use ecluse_core::copies::{Birth, Ledger, Store};
use ecluse_journal::{FULL, KeyKind, Log, NoteSigner, audit};
use serde_json::{Value, json};

use super::closed::{closed_but, fails, judged};
use super::made;
use crate::{Files, Outcome, State};

const EVENTS: &str = "journal/events.jsonl";

/// The log of these events, so many of which lie in its first bundle behind other entries; that bundle is erased.
fn pruned(files: &mut Files, front: usize) {
    let signer = NoteSigner::new("ecluse/00", KeyKind::Log, &[7; 32]).unwrap();
    let mut log = Log::new("ecluse/00");
    let text = String::from_utf8(files[EVENTS].clone()).unwrap();
    let leaves: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["leaf"].clone()).collect();
    let others = (front as u64..FULL).map(|at| {
        json!({
            "v": 1, "salt": format!("{at:032x}"), "time": "2025-01-01T10:00:00Z", "session": "0a".repeat(16),
            "act": "standing", "object": "0b".repeat(16), "outcome": "done",
        })
    });
    let entries: Vec<Value> = others.chain(leaves).collect();
    for entry in &entries {
        log.append(&serde_json_canonicalizer::to_vec(entry).unwrap()).unwrap();
    }
    files.retain(|path, _| !path.starts_with("journal/tile/"));
    for (tile, bytes) in log.stage() {
        files.insert(format!("journal/{}", tile.path()), bytes);
    }
    let checkpoint = log.checkpoint();
    for tile in audit::prunable(FULL, checkpoint.size) {
        assert!(files.remove(&format!("journal/{}", tile.path())).is_some(), "{}", tile.path());
    }
    assert!(!files.contains_key("journal/tile/entries/000"));
    files.insert("journal/checkpoint".to_owned(), checkpoint.sign(&signer).unwrap().into_bytes());
    files.insert("journal/log.pub".to_owned(), format!("{}\n", signer.verifier()).into_bytes());
}

/// The ledger, in which the evidence has its day.
fn ledger(files: &mut Files) {
    let mut ledger = Ledger::default();
    let (id, place, marker) = ("0c".repeat(16), "evidence.tar".to_owned(), String::new());
    let erase_by = "2027-06-30".parse().unwrap();
    ledger.born(Birth { id, store: Store::Evidence, place, erase_by, marker }, made::now());
    files.insert("copies.json".to_owned(), ledger.bytes().unwrap());
}

// proves: AUD-09
#[test]
fn over_a_journal_that_was_pruned_the_evidence_holds_by_its_own_copy_of_the_events_and_says_until_when_it_is_kept()
 {
    let papers = made::papers();
    let whole = |change: &dyn Fn(&mut Files)| {
        let mut files = made::files(&papers);
        ledger(&mut files);
        closed_but(&papers, files, |files| change(files))
    };
    for front in [1, 4] {
        let files = whole(&|files| pruned(files, front));
        let verdict = judged(&files, &papers);
        assert_eq!((verdict.outcome, fails(&verdict)), (Outcome::Holds, Vec::new()), "{verdict:#?}");
        let told = |of: &str, state: State, words: &str| {
            verdict
                .lines
                .iter()
                .any(|line| line.of == of && line.state == state && line.words.en.contains(words))
        };
        let lost =
            format!("The run’s first {front} events were erased from the log when their time was over");
        assert!(told(EVENTS, State::Lost, &lost), "{verdict:#?}");
        assert!(
            told("copies.json", State::Holds, "is to be erased at the processor’s by 2027-06-30"),
            "{verdict:#?}"
        );
        // the log still holds the others, in their order
        let count = String::from_utf8(files[EVENTS].clone()).unwrap().lines().count() - front;
        assert!(
            told(EVENTS, State::Holds, &format!("The log holds the run’s {count} events")),
            "{verdict:#?}"
        );
    }
    // an event of the evidence's own copy that is another one, of those that the log no longer has and of the others
    for line in [0, 2, 6] {
        let files = whole(&|files| {
            pruned(files, 4);
            let text = String::from_utf8(files[EVENTS].clone()).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let other = lines[line].replacen("\"outcome\":\"", "\"outcome\":\"not ", 1);
            assert_ne!(other, lines[line]);
            lines[line] = other;
            files.insert(EVENTS.to_owned(), (lines.join("\n") + "\n").into_bytes());
        });
        let verdict = judged(&files, &papers);
        assert_eq!(verdict.outcome, Outcome::Refused, "line {line}: {verdict:#?}");
        assert!(fails(&verdict).iter().any(|(of, _)| *of == EVENTS), "line {line}: {verdict:#?}");
    }
    // one that the log still has, left out of it: an erasure takes from the front, and nowhere else
    let files = whole(&|files| {
        let kept = files[EVENTS].clone();
        let text = String::from_utf8(kept.clone()).unwrap();
        let fewer: Vec<&str> =
            text.lines().enumerate().filter(|(at, _)| *at != 6).map(|(_, line)| line).collect();
        files.insert(EVENTS.to_owned(), (fewer.join("\n") + "\n").into_bytes());
        pruned(files, 4);
        files.insert(EVENTS.to_owned(), kept);
    });
    let verdict = judged(&files, &papers);
    assert!(fails(&verdict).iter().any(|(of, _)| *of == EVENTS), "{verdict:#?}");
}
