//! The journal's writer under another account: who tries to change the journal is told of, what is older than it
//! keeps goes by itself, and it keeps one migration's journal.

use std::io::{Read as _, Write as _};
use std::path::Path;

use ecluse_flow::event::{self, Act, Head, Leaf};

use crate::served::{Writer, joined, noted, refused};
use crate::{ecluse, journal, succeed};

/// Asks the writer as another program of the application's account could.
fn asked(writer: &Writer, of: &str, pieces: &serde_json::Value) -> serde_json::Value {
    let mut stream = std::os::unix::net::UnixStream::connect(writer.socket()).unwrap();
    let request = serde_json::json!({ "v": 1, "of": of, "pieces": pieces });
    stream.write_all(format!("{request}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Some of the last lines of a folder's events, and the digest by which the writer knows the folder.
fn tail(run: &Path, from: usize) -> (String, String) {
    let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let lines: String = text.lines().skip(from).map(|line| format!("{line}\n")).collect();
    (event::verify(text.as_bytes()).unwrap().digests[0].clone(), lines)
}

// proves: AUD-02
#[test]
fn who_tries_to_change_the_journal_is_told_of_in_it_and_by_status() {
    let Some(writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["status"]);
    let of = std::fs::read_to_string(lab.join("journal/migration")).unwrap();
    let of = of.trim();
    let kept = writer.entries();
    let mut attempts = 0;
    let mut told = |code: &str, object: Option<&str>| {
        attempts += 1;
        let own = writer.own();
        assert_eq!(own.len(), attempts, "{code}: {own:?}");
        let last = own.last().unwrap();
        assert_eq!((last.act, last.outcome.as_str()), (Act::Alert, code));
        assert!(object.is_none_or(|object| object == last.object), "{last:?}");
        // nothing else was taken
        assert_eq!(writer.entries()[..kept.len()], kept);
        assert_eq!(writer.size(), (kept.len() + attempts) as u64);
    };
    let refused_there = |of: &str, pieces: serde_json::Value, code: &str| {
        assert_eq!(asked(&writer, of, &pieces)["refused"], code);
    };
    // another account that may connect
    let stranger = writer.account.neighbour();
    let mut asking = stranger.command_beside(writer.account, "./ecluse");
    asking.current_dir(writer.here.path()).args(["journal", "join", "of-the-writer/socket"]);
    assert!(!asking.output().unwrap().status.success());
    told("ECL-LOG-065", Some(&format!("account-{}", stranger.uid())));
    // another migration's lines, and none's
    let (first, lines) = tail(&lab.join("copies"), 1);
    let piece = |name: &str, first: &str, lines: &str| serde_json::json!([{ "name": name, "first": first, "lines": lines }]);
    refused_there(&"0".repeat(32), piece("run", &first, &lines), "ECL-LOG-027");
    told("ECL-LOG-027", None);
    // lines that are no chain; said twice it is told once
    for _ in 0..2 {
        refused_there(of, piece("new", "sha256:00", "{\"before\":1}\n"), "ECL-LOG-026");
    }
    told("ECL-LOG-026", None);
    // the last line of a folder in other words, behind the one before it
    let events = std::fs::read_to_string(lab.join("copies/events.jsonl")).unwrap();
    let all = event::verify(events.as_bytes()).unwrap();
    let at = all.leaves.len() - 1;
    let before = Head { lines: at as u64, digest: all.digests[at - 1].clone() };
    let other = Leaf { outcome: "nothing happened".to_owned(), ..all.leaves[at].clone() };
    let (line, _) = before.next(other).unwrap();
    refused_there(of, piece("copies", &first, &String::from_utf8(line).unwrap()), "ECL-LOG-026");
    told("ECL-LOG-026", Some(&first));
    // what it has already is no attempt, nor is asking
    let has = asked(&writer, of, &piece("copies", &first, &lines));
    assert_eq!(
        (&has["refused"], &has["heads"][&first]["lines"]),
        (&serde_json::Value::Null, &(at + 1).into())
    );
    // a line in the writer's own name
    let own = Leaf { session: "writer".to_owned(), act: Act::Alert, ..all.leaves[at].clone() };
    let (line, _) = Head::default().next(own).unwrap();
    let digest = event::verify(&line).unwrap().digests[0].clone();
    let said = asked(&writer, of, &piece("mine", &digest, &String::from_utf8(line).unwrap()));
    assert_eq!(said["refused"], "ECL-LOG-026", "told already within the hour: {said}");
    // a run folder that was written anew: the application refuses it, and the writer is shown it
    let run = lab.join("run");
    let honest = std::fs::read(run.join("events.jsonl")).unwrap();
    let lines = journal::lines(&run);
    let bent: Vec<_> = lines.iter().map(|leaf| Leaf { salt: "0".repeat(32), ..leaf.clone() }).collect();
    journal::write_lines(&run, [&lines[..1], &bent[1..]].concat());
    refused(&ecluse(&lab, &["journal", "checkpoint"]), "ECL-LOG-025");
    let (first, _) = tail(&run, 0);
    told("ECL-LOG-026", Some(&first));
    // cut short
    journal::write_lines(&run, lines[..4].to_vec());
    refused(&ecluse(&lab, &["journal", "checkpoint"]), "ECL-LOG-025");
    std::fs::write(run.join("events.jsonl"), honest).unwrap();
    // it is an alarm until the laboratory has signed over it; the journal itself holds
    for command in ["status", "copies"] {
        refused(&ecluse(&lab, &[command]), "ECL-LOG-055");
    }
    succeed(&lab, &["journal", "verify"]);
    let signed = ecluse(&lab, &["instruction", "status", "--key", "keys/controller-signatory"]);
    let said = String::from_utf8_lossy(&signed.stderr).into_owned();
    assert!(signed.status.success() && said.contains("5 attempts to change it"), "{said}");
    succeed(&lab, &["status"]);
    // what is exported says it as auditors' programs read it
    succeed(&lab, &["journal", "export", "-o", "audit.ndjson"]);
    assert!(std::fs::read_to_string(lab.join("audit.ndjson")).unwrap().contains("Security Alert"));
}

// proves: AUD-05
#[test]
fn the_writer_erases_what_is_older_than_it_keeps_and_a_look_that_is_late_is_told() {
    let Some(mut writer) = Writer::start_with(&["--held", "a dispute"]) else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    journal::write_lines(&lab.join("old"), (0..600).map(journal::of_2024).collect());
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    // held: nothing goes, whatever its age
    writer.killed();
    writer.again_with(&["--held", "a dispute"]);
    assert!(writer.store().join("tile/entries/000").exists());
    assert!(succeed(&lab, &["erase"]).contains("held: a dispute"));
    writer.killed();
    writer.again();
    let bundles = writer.store().join("tile/entries");
    assert!(!bundles.join("000").exists() && !bundles.join("001").exists() && bundles.join("002.p").exists());
    let said = succeed(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
    assert!(said.contains("from entry 512 on"), "{said}");
    let gone: Vec<Leaf> = writer
        .entries_from(2)
        .iter()
        .filter_map(|entry| Leaf::parse(entry))
        .filter(|leaf| leaf.session == "writer")
        .collect();
    assert_eq!(
        gone.iter().map(|leaf| (leaf.act, leaf.object.as_str())).collect::<Vec<_>>(),
        [(Act::JournalErased, "512")]
    );
    // the application's account can neither begin it nor stop it
    refused(&ecluse(&lab, &["journal", "prune"]), "ECL-LOG-052");
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["status"]);
    // a writer that does not look any more
    writer.killed();
    let file = writer.store().join("looked.json");
    let looked = std::fs::read_to_string(&file).unwrap();
    let read: serde_json::Value = serde_json::from_str(&looked).unwrap();
    let next: jiff::Timestamp = read["next"].as_str().unwrap().parse().unwrap();
    let long_ago = next.checked_sub(jiff::SignedDuration::from_hours(49)).unwrap().to_string();
    std::fs::write(&file, looked.replace(read["next"].as_str().unwrap(), &long_ago)).unwrap();
    refused(&ecluse(&lab, &["status"]), "ECL-LOG-056");
    // periods are the law's
    for wrong in ["5", "13"] {
        let mut serve = writer.account.command("./ecluse");
        serve.current_dir(writer.here.path()).args(["journal", "serve", "of-the-writer/other", "--socket"]);
        let output =
            serve.args(["of-the-writer/socket2", "--from", "0"]).args(["--months", wrong]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        refused(&output, "ECL-LOG-050");
    }
    writer.again();
    succeed(&lab, &["status"]);
}

/// The journal of a second migration is never in the first one's, nor is it asked for there.
// proves: AUD-08
#[test]
fn a_writer_keeps_one_migrations_journal() {
    let Some(writer) = Writer::start() else { return };
    let (here, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lab = joined(here.path(), &writer);
    let other = journal::ordered(beside.path());
    let socket = writer.socket();
    let join = ["journal", "join", socket.to_str().unwrap()];
    refused(&ecluse(&other, &join), "ECL-LOG-027");
    assert!(!other.join("journal/checkpoint").exists());
    // nor after the writer was started anew
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["plan"]);
    assert_eq!(writer.own().len(), 1);
    refused(&ecluse(&other, &join), "ECL-LOG-027");
    succeed(&other, &["plan"]);
    assert_eq!(writer.size(), noted(&lab) + 1);
}
