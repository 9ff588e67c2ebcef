//! The journal of a migration: what is noted is taken in once, and what was changed since is found, by its index.

use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_flow::event::{self, Act, Head, Leaf};
use ecluse_journal::bundle;
use rusqlite::Connection;

use crate::{ecluse, succeed};

/// A trial whose plan was made: its events are in the journal.
fn planned(here: &Path) -> PathBuf {
    let lab = ordered(here);
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["plan"]);
    lab
}

/// A trial whose order is signed: nothing was noted yet.
pub(crate) fn ordered(here: &Path) -> PathBuf {
    let old = "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60)); INSERT INTO patient VALUES (1, 'Nom1')";
    Connection::open(here.join("old.db")).unwrap().execute_batch(old).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// Entries before a run's first: the ledger of copies announced it.
const BEFORE: usize = 2;

fn json(lab: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(lab, &[arguments, &["--json"]].concat())).unwrap()
}

/// Entries of the journal, once everything is taken in.
fn size(lab: &Path) -> u64 {
    json(lab, &["journal", "checkpoint"])["size"].as_u64().unwrap()
}

/// Lines of the run folder, of the readings and of the ledger of copies.
fn noted(lab: &Path) -> u64 {
    let of = |name: &str| if lab.join(name).exists() { lines(&lab.join(name)).len() } else { 0 };
    (of("run") + of("acts") + of("copies")) as u64
}

pub(crate) fn lines(run: &Path) -> Vec<Leaf> {
    event::verify(&std::fs::read(run.join("events.jsonl")).unwrap()).unwrap().leaves
}

/// A line that is older than any retention.
pub(crate) fn of_2024(at: usize) -> Leaf {
    Leaf {
        v: 1,
        salt: format!("{at:032x}"),
        time: "2024-01-01T10:00:00Z".to_owned(),
        session: "0a".repeat(16),
        act: Act::Standing,
        object: "0b".repeat(16),
        outcome: "done".to_owned(),
        paper: None,
    }
}

/// Writes a run folder's events anew, with a chain that holds.
pub(crate) fn write_lines(run: &Path, leaves: Vec<Leaf>) {
    let (mut head, mut journal) = (Head::default(), Vec::new());
    for leaf in leaves {
        let (line, next) = head.next(leaf).unwrap();
        journal.extend(line);
        head = next;
    }
    std::fs::create_dir_all(run).unwrap();
    std::fs::write(run.join("events.jsonl"), journal).unwrap();
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], exit: i32, code: &str, words: &str) {
    let Output { status, stdout, stderr } = ecluse(lab, arguments);
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert_eq!(status.code(), Some(exit), "{arguments:?}: {said}");
    assert!(said.contains(code) && said.contains(words), "{code}, {words}: {said}");
}

/// The bundle that holds the first entries, by its whole path.
fn first_bundle(lab: &Path) -> PathBuf {
    let folder = lab.join("journal/tile/entries/000.p");
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

fn entries(bundle: &[u8], number: u64) -> Vec<Vec<u8>> {
    bundle::entries(bundle, number).unwrap().into_iter().map(<[u8]>::to_vec).collect()
}

fn bundled(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(entries.iter().all(|entry| bundle::push(&mut bytes, entry)));
    bytes
}

pub(crate) fn copied(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn what_is_noted_is_in_the_journal_once_and_it_grows_out_of_what_was_kept() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    assert_eq!(size(&lab), noted(&lab));
    let said = succeed(&lab, &["journal", "verify"]);
    assert!(said.contains("No other party holds a checkpoint of it"), "{said}");
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    let kept = size(&lab);
    // the reading was noted, under the session
    assert_eq!((kept, lines(&lab.join("acts"))[0].act), (noted(&lab), Act::JournalRead));
    succeed(&lab, &["migrate", "--ddl"]);
    assert!(noted(&lab) > kept);
    assert_eq!(size(&lab), noted(&lab));
    let said = succeed(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
    assert!(said.contains(&format!("nothing of the first {kept} entries was changed")), "{said}");
    // a folder that was moved, or copied, is the same folder
    std::fs::rename(lab.join("run"), lab.join("run.moved")).unwrap();
    copied(&lab.join("run.moved"), &lab.join("run.copy"));
    let before = size(&lab);
    succeed(&lab, &["journal", "checkpoint"]);
    assert_eq!(size(&lab), before);
    // the key is its owner's alone
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |name: &str| std::fs::metadata(lab.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("journal.key"), mode("journal"), mode("journal/checkpoint")), (0o600, 0o700, 0o600));
}

/// Alters the first bundle, and tells what verify says.
#[track_caller]
fn bent(lab: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>), code: &str, words: &str) {
    let number = size(lab);
    let path = first_bundle(lab);
    let bytes = std::fs::read(&path).unwrap();
    let mut all = entries(&bytes, number);
    change(&mut all);
    std::fs::write(&path, bundled(&all)).unwrap();
    refused(lab, &["journal", "verify"], 1, code, words);
    std::fs::write(&path, bytes).unwrap();
    succeed(lab, &["journal", "verify"]);
}

// proves: AUD-02
#[test]
fn what_was_altered_deleted_moved_or_cut_is_found_with_its_index() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let number = size(&lab);
    assert!(number > 4, "{number} entries");
    bent(&lab, |all| all[3][20] ^= 1, "ECL-LOG-010", "entry 3");
    bent(&lab, |all| all.swap(1, 2), "ECL-LOG-010", "entry 1");
    bent(&lab, |all| drop(all.remove(2)), "ECL-LOG-010", "taken out");
    bent(&lab, |all| all.insert(2, all[2].clone()), "ECL-LOG-010", "put in");
    let tile = std::fs::read_dir(lab.join("journal/tile/0/000.p")).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&tile).unwrap();
    let mut flipped = bytes.clone();
    flipped[32 * 4 + 1] ^= 1;
    std::fs::write(&tile, flipped).unwrap();
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-010", "entry 4");
    // whoever would go on with it does not
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-022", "");
    std::fs::remove_file(&tile).unwrap();
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-012", "tile/0/000.p");
    std::fs::write(&tile, bytes).unwrap();
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    succeed(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
}

/// Without the journal that was begun, a row that is new at the source stays where it is, and nobody hears that all is
/// well.
#[track_caller]
fn nothing_goes_on(here: &Path, lab: &Path) {
    let old = Connection::open(here.join("old.db")).unwrap();
    old.execute("INSERT INTO patient VALUES (2, 'Nom2')", []).unwrap();
    let moved = || -> i64 {
        let new = Connection::open(here.join("new.db")).unwrap();
        new.query_row("SELECT count(*) FROM patient", [], |row| row.get(0)).unwrap()
    };
    let before = (moved(), lines(&lab.join("run")).len());
    let commands = [
        &["migrate", "--ddl"][..],
        &["migrate", "--catch-up"],
        &["plan"],
        &["reconcile"],
        &["undo"],
        &["erase", "--source"],
        &["close"],
        &["next"],
        &["status"],
        &["copies"],
    ];
    for command in commands {
        refused(lab, command, 1, "ECL-LOG-046", "");
        assert_eq!((moved(), lines(&lab.join("run")).len()), before, "{command:?} went on");
    }
    old.execute("DELETE FROM patient WHERE id = 2", []).unwrap();
}

// fails with the guard off: a journal whose key is gone is found out when every row has moved
#[test]
fn without_the_key_that_signs_the_journal_no_row_moves() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    std::fs::rename(lab.join("journal.key"), here.path().join("kept.key")).unwrap();
    let before = lines(&lab.join("run")).len();
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-031", "");
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let tables: i64 = new.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0, "a table was made");
    assert_eq!(lines(&lab.join("run")).len(), before);
    // it is told how things stand all the same
    succeed(&lab, &["next"]);
    std::fs::rename(here.path().join("kept.key"), lab.join("journal.key")).unwrap();
    succeed(&lab, &["migrate", "--ddl"]);
}

// fails with the guard off: rows are sealed and an archive signed over a journal that is gone
#[test]
fn without_the_journal_that_was_begun_no_archive_is_made() {
    let here = tempfile::tempdir().unwrap();
    let old = "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60)); INSERT INTO patient VALUES (1, 'Nom1')";
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(old).unwrap();
    let lab = crate::sealed::cited(here.path(), "sqlite:old.db", "sqlite:new.db", &["patient"]);
    succeed(&lab, &["plan"]);
    std::fs::rename(lab.join("journal"), here.path().join("journal")).unwrap();
    refused(&lab, &["extract", "-o", "../archive"], 1, "ECL-LOG-046", "");
    for made in ["archive", "archive.part", "lab/manifest.toml", "lab/run/sealed.json"] {
        assert!(!here.path().join(made).exists(), "{made}");
    }
    std::fs::rename(here.path().join("journal"), lab.join("journal")).unwrap();
    succeed(&lab, &["extract", "-o", "../archive"]);
}

// proves: AUD-02
#[test]
fn a_journal_put_back_rewritten_or_exchanged_is_not_the_one_that_was_seen() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let before = size(&lab);
    copied(&lab.join("journal"), &here.path().join("before"));
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    let against = ["journal", "verify", "--against", "kept.checkpoint"];
    copied(&lab.join("journal"), &here.path().join("after"));
    // an older state with its own, validly signed checkpoint
    copied(&here.path().join("before"), &lab.join("journal"));
    refused(&lab, &against, 1, "ECL-LOG-014", &format!("entry {before} and all after it"));
    // one written anew with the right key, from events of which one was taken out
    copied(&here.path().join("after"), &lab.join("journal"));
    copied(&lab, &here.path().join("whole"));
    std::fs::remove_dir_all(lab.join("journal")).unwrap();
    refused(&lab, &["journal", "checkpoint"], 1, "ECL-LOG-046", "the ledger of copies knows it as ecluse/");
    nothing_goes_on(here.path(), &lab);
    // by whoever takes away the ledger that knows it, too
    ["copies", "acts"].iter().for_each(|name| std::fs::remove_dir_all(lab.join(name)).unwrap());
    std::fs::remove_file(lab.join("copies.json")).unwrap();
    let mut less = lines(&lab.join("run"));
    less.remove(1);
    let last = less[less.len() - 1].clone();
    // no shorter than what was seen: what it lacks is one event, and not its end
    less.extend((0..4).map(|at| Leaf { salt: format!("{at:032x}"), ..last.clone() }));
    write_lines(&lab.join("run"), less);
    succeed(&lab, &["journal", "checkpoint"]);
    succeed(&lab, &["journal", "verify"]);
    refused(&lab, &against, 1, "ECL-LOG-013", "was changed, moved or taken away");
    copied(&here.path().join("whole"), &lab);
    succeed(&lab, &against);
    // another migration's
    let there = tempfile::tempdir().unwrap();
    let other = planned(there.path());
    let stranger = there.path().join("stranger");
    succeed(&other, &["journal", "checkpoint", "-o", stranger.to_str().unwrap()]);
    refused(
        &lab,
        &["journal", "verify", "--against", stranger.to_str().unwrap()],
        1,
        "ECL-LOG-015",
        "ecluse/",
    );
    std::fs::write(lab.join("no.checkpoint"), "a note").unwrap();
    refused(&lab, &["journal", "verify", "--against", "no.checkpoint"], 2, "ECL-LOG-032", "no.checkpoint");
    let key = std::fs::read_to_string(other.join("journal/log.pub")).unwrap();
    refused(&lab, &["journal", "verify", "--log-key", key.trim()], 1, "ECL-LOG-033", "");
    let key = std::fs::read_to_string(lab.join("journal/log.pub")).unwrap();
    succeed(&lab, &["journal", "verify", "--log-key", key.trim()]);
}

// proves: AUD-02
#[test]
fn events_that_were_changed_after_they_were_taken_in_are_found_and_nothing_goes_on() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let (run, noted) = (lab.join("run"), lines(&lab.join("run")));
    let last = noted.len() - 1;
    type Change = (fn(&mut Vec<Leaf>), usize);
    let changes: [Change; 5] = [
        (|all| all[2].outcome = "done!".to_owned(), 2),
        (|all| all[0].session = "another".to_owned(), 0),
        (|all| drop(all.remove(3)), 3),
        (|all| drop(all.pop()), last),
        (|all| all.last_mut().unwrap().object = "another".to_owned(), last),
    ];
    for (at, (change, index)) in changes.into_iter().enumerate() {
        let mut changed = noted.clone();
        change(&mut changed);
        write_lines(&run, changed);
        refused(
            &lab,
            &["journal", "verify"],
            1,
            "ECL-LOG-035",
            &format!("entry {} of the journal is in no run folder", index + BEFORE),
        );
        if (1..=3).contains(&at) || at == 0 {
            refused(&lab, &["journal", "checkpoint"], 1, "ECL-LOG-021", "run");
        }
    }
    write_lines(&run, noted);
    succeed(&lab, &["journal", "verify"]);
}

#[test]
fn a_clock_that_was_set_back_is_told_with_the_entry() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let begun = size(&lab);
    let model = lines(&lab.join("run"))[0].clone();
    let leaf = |at: usize, time: &str| Leaf {
        salt: format!("{at:032x}"),
        time: time.to_owned(),
        act: Act::Standing,
        ..model.clone()
    };
    let times =
        ["2999-01-01T10:00:00Z", "2999-01-01T10:00:09Z", "2999-01-01T10:00:08.5Z", "2999-01-01T09:59:59Z"];
    write_lines(&lab.join("later"), times.iter().enumerate().map(|(at, time)| leaf(at, time)).collect());
    succeed(&lab, &["journal", "checkpoint"]);
    refused(
        &lab,
        &["journal", "verify"],
        1,
        "ECL-LOG-034",
        &format!("entry {} of 2999-01-01T09:59:59Z", begun + 3),
    );
}

#[test]
fn one_process_writes_the_journal_at_a_time_and_what_waited_is_taken_in_later() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let lock = std::fs::File::open(lab.join("journal/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    refused(&lab, &["migrate", "--ddl"], 3, "ECL-LOG-003", "another process writes the journal");
    drop(lock);
    let late = json(&lab, &["journal", "verify"])["late"].as_u64().unwrap();
    assert!(late > 0);
    assert_eq!(size(&lab), noted(&lab));
}

#[test]
fn a_proof_holds_for_its_entry_and_an_export_says_what_each_entry_says() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    succeed(&lab, &["journal", "prove", "3", "-o", "three.tlog-proof"]);
    let key = std::fs::read_to_string(lab.join("journal/log.pub")).unwrap();
    let key = ecluse_journal::VerifierKey::parse(key.trim()).unwrap();
    let entry = std::fs::read(lab.join("three.json")).unwrap();
    let proof = ecluse_journal::Proof::parse(&std::fs::read(lab.join("three.tlog-proof")).unwrap()).unwrap();
    assert_eq!(entry, lines(&lab.join("run"))[3 - BEFORE].bytes().unwrap());
    assert!(proof.verify(&entry, &key).is_ok());
    assert!(proof.verify(&lines(&lab.join("run"))[4].bytes().unwrap(), &key).is_err());
    refused(&lab, &["journal", "prove", "900000"], 2, "ECL-LOG-017", "900000");
    let number = size(&lab);
    succeed(&lab, &["journal", "export", "-o", "audit.ndjson"]);
    let exported = std::fs::read_to_string(lab.join("audit.ndjson")).unwrap();
    let events: Vec<serde_json::Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len() as u64, number);
    assert_eq!(events[0]["resourceType"], "AuditEvent");
    // the session's own person, by the statement that was signed
    assert_eq!(events[0]["agent"][0]["who"]["display"], "Dorothée Essai-Reprise");
    assert!(!exported.contains("Nom1"), "{exported}");
    succeed(&lab, &["journal", "export", "--bundle", "--from", "2", "-o", "audit.json"]);
    let bundle: serde_json::Value =
        serde_json::from_slice(&std::fs::read(lab.join("audit.json")).unwrap()).unwrap();
    assert_eq!(bundle["resourceType"], "Bundle");
    let said = succeed(&lab, &["journal", "tail", "-n", "3"]);
    assert!(said.lines().count() == 3 && said.contains("journal-read"), "{said}");
    // a new session: the entries of the earlier one still name their person
    succeed(&lab, &["session", "new"]);
    succeed(&lab, &["plan"]);
    let said = succeed(&lab, &["journal", "tail", "-n", "999"]);
    assert!(said.lines().all(|line| line.contains("Dorothée Essai-Reprise")), "{said}");
}

/// A trial whose order wants a witness, as an order that is no trial's does from its draft on.
fn witnessed(here: &Path, witnesses: &str) -> PathBuf {
    let lab = planned(here);
    let path = lab.join("instruction.toml");
    let order = std::fs::read_to_string(&path).unwrap();
    let order = order.replacen("max_runs ", &format!("witnessed = true\n{witnesses}max_runs "), 1);
    std::fs::write(&path, order).unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    lab
}

#[test]
fn no_row_moves_before_the_controller_has_seen_the_plan_in_the_journal() {
    let here = tempfile::tempdir().unwrap();
    let lab = witnessed(here.path(), "");
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-043", "ecluse plan");
    succeed(&lab, &["plan"]);
    // the status was given before the plan: it saw less
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-044", "ecluse instruction status --key");
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let tables: i64 = new.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
    succeed(&lab, &["instruction", "status"]);
    let status = std::fs::read_to_string(lab.join("status.toml")).unwrap();
    assert!(status.contains("seen       = { origin = \"ecluse/"), "{status}");
    // what the processor writes into it is not the controller's word
    let forged = status.replace("size = ", "size = 9");
    std::fs::write(lab.join("status.toml"), forged).unwrap();
    assert_eq!(ecluse(&lab, &["migrate", "--ddl"]).status.code(), Some(1));
    std::fs::write(lab.join("status.toml"), status).unwrap();
    copied(&lab.join("journal"), &here.path().join("kept"));
    succeed(&lab, &["migrate", "--ddl"]);
    let told = json(&lab, &["journal", "verify"]);
    assert_eq!(told["witnesses"][0]["place"], "status.toml");
    // a journal that is another one than the controller saw moves nothing more
    std::fs::remove_dir_all(lab.join("journal")).unwrap();
    std::fs::remove_dir_all(lab.join("acts")).unwrap();
    let mut less = lines(&lab.join("run"));
    less.remove(0);
    write_lines(&lab.join("run"), less);
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-005", "");
    refused(&lab, &["migrate"], 1, "ECL-LOG-046", "the ledger of copies knows it as ecluse/");
    std::fs::remove_dir_all(lab.join("copies")).unwrap();
    std::fs::remove_file(lab.join("copies.json")).unwrap();
    refused(&lab, &["migrate"], 1, "ECL-LOG-046", "status.toml was signed over it");
    // begun by whoever takes that paper away for as long
    let (status, aside) = (lab.join("status.toml"), here.path().join("status.toml"));
    std::fs::rename(&status, &aside).unwrap();
    succeed(&lab, &["journal", "checkpoint"]);
    std::fs::rename(&aside, &status).unwrap();
    refused(&lab, &["migrate"], 1, "ECL-LOG-013", "was changed, moved or taken away");
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-013", "status.toml");
}

#[test]
fn a_witness_that_the_order_names_counts_and_signs_for_one_history_alone() {
    let here = tempfile::tempdir().unwrap();
    let key = here.path().join("witness.key");
    let (key_path, name) = (key.to_str().unwrap(), "laboratoire.example/temoin");
    let first = tempfile::tempdir().unwrap();
    let told = json(&planned(first.path()), &["journal", "cosign", "--key", key_path, "--name", name]);
    let verifier = told["witness"].as_str().unwrap().to_owned();
    let lab = witnessed(here.path(), &format!("witnesses = [\"{verifier}\"]\n"));
    succeed(&lab, &["plan"]);
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-044", "");
    // another witness's word is not the one that was ordered
    let other = here.path().join("other.key");
    succeed(&lab, &["journal", "cosign", "--key", other.to_str().unwrap(), "--name", name]);
    refused(&lab, &["migrate", "--ddl"], 1, "ECL-LOG-044", "");
    copied(&lab.join("journal"), &here.path().join("before"));
    succeed(&lab, &["journal", "cosign", "--key", key_path]);
    succeed(&lab, &["migrate", "--ddl"]);
    let said = succeed(&lab, &["journal", "verify"]);
    assert!(said.contains(&format!("it grew out of what {name} saw")), "{said}");
    refused(&lab, &["journal", "verify", "--witness", "no key"], 2, "ECL-LOG-041", "");
    // it does not sign for an older state, nor for another history
    succeed(&lab, &["journal", "cosign", "--key", key_path]);
    copied(&here.path().join("before"), &lab.join("journal"));
    refused(&lab, &["journal", "cosign", "--key", key_path], 1, "ECL-LOG-014", "");
}

/// The program of `docs/journal.md`, word for word, over a journal of several bundles.
#[test]
fn an_auditors_own_program_tells_what_the_page_says_it_tells() {
    let here = tempfile::tempdir().unwrap();
    let lab = planned(here.path());
    let model = lines(&lab.join("run"))[0].clone();
    let leaf = |at: usize| Leaf {
        salt: format!("{at:032x}"),
        time: "2999-01-01T10:00:00Z".to_owned(),
        ..model.clone()
    };
    write_lines(&lab.join("later"), (0..600).map(leaf).collect());
    let kept = json(&lab, &["journal", "checkpoint"]);
    let (size, root) = (kept["size"].as_u64().unwrap(), kept["root"].as_str().unwrap().to_owned());
    assert!(size > 512 + 8, "{size}");
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/journal.md")).unwrap();
    let program = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let check = |size: u64| {
        let mut python = std::process::Command::new("python3");
        let told = python
            .args(["-c", program, "journal", &size.to_string(), &root])
            .current_dir(&lab)
            .output()
            .unwrap();
        (told.status.code(), String::from_utf8_lossy(&told.stdout).trim().to_owned())
    };
    assert_eq!(check(size), (Some(0), "holds".to_owned()));
    assert_eq!(check(size - 1), (Some(1), "DIFFERENT".to_owned()));
    let path = lab.join("journal/tile/entries/001");
    let bytes = std::fs::read(&path).unwrap();
    let mut all = entries(&bytes, 256);
    all[7][30] ^= 1;
    std::fs::write(&path, bundled(&all)).unwrap();
    assert_eq!(check(size), (Some(1), "DIFFERENT".to_owned()));
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-010", "entry 263");
    std::fs::write(&path, bytes).unwrap();
    // it grows, and what was kept before still holds
    succeed(&lab, &["plan"]);
    succeed(&lab, &["journal", "checkpoint"]);
    assert_eq!(check(size), (Some(0), "holds".to_owned()));
}

// proves: AUD-05
#[test]
fn what_is_older_than_the_retention_goes_by_whole_bundles_and_the_rest_verifies() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    write_lines(&lab.join("old"), (0..600).map(of_2024).collect());
    succeed(&lab, &["plan"]);
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    refused(&lab, &["journal", "prune", "--months", "5"], 2, "ECL-LOG-050", "5 months");
    refused(&lab, &["journal", "prune", "--months", "13"], 2, "ECL-LOG-050", "no reason");
    let told = json(&lab, &["journal", "prune", "--months", "36", "--reason", "a dispute"]);
    assert_eq!(told["erased"], 0, "three years are not over");
    let ledger = std::fs::read(lab.join("copies.json")).unwrap();
    let ledger = ecluse_core::copies::Ledger::read(&ledger).unwrap();
    let log = ledger.copies.iter().find(|copy| copy.place == "journal").unwrap();
    let until = ["--approved-by", "Claire Fontaine", "--until", "2999-01-31"];
    succeed(&lab, &[&["hold", &log.id, "--reason", "a dispute"][..], &until].concat());
    refused(&lab, &["journal", "prune"], 1, "ECL-LOG-047", "until 2999-01-31: a dispute");
    succeed(&lab, &["hold", &log.id, "--release"]);
    let told = json(&lab, &["journal", "prune"]);
    assert_eq!((&told["first"], &told["erased"]), (&512.into(), &512.into()));
    assert!(
        lines(&lab.join("acts")).iter().any(|leaf| leaf.act == Act::JournalErased && leaf.object == "512")
    );
    let bundles = lab.join("journal/tile/entries");
    assert!(!bundles.join("000").exists() && !bundles.join("001").exists() && bundles.join("002.p").exists());
    let said = succeed(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
    assert!(said.contains("from entry 512 on"), "{said}");
    assert_eq!(json(&lab, &["journal", "prune"])["erased"], 0);
    // more is missing than an entry says was erased
    let kept = lab.join("journal/kept.json");
    let honest = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, honest.replacen("512", "1099511627776", 1)).unwrap();
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-018", "before entry");
    std::fs::write(&kept, honest).unwrap();
    refused(&lab, &["journal", "prove", "511"], 2, "ECL-LOG-017", "erased");
    succeed(&lab, &["journal", "prove", "512"]);
    // what is kept is still compared, and it goes on
    succeed(&lab, &["plan"]);
    let number = size(&lab) - 512;
    let path = std::fs::read_dir(bundles.join("002.p")).unwrap().next().unwrap().unwrap().path();
    let mut all = entries(&std::fs::read(&path).unwrap(), number);
    all[1][30] ^= 1;
    std::fs::write(&path, bundled(&all)).unwrap();
    refused(&lab, &["journal", "verify"], 1, "ECL-LOG-010", "entry 513");
}

// fails with the guard off: once nobody types any more, what is older than it may be kept stays
// proves: AUD-05
#[test]
fn a_look_at_what_is_due_erases_what_is_older_than_a_year_by_itself() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path());
    write_lines(&lab.join("old"), (0..600).map(of_2024).collect());
    succeed(&lab, &["plan"]);
    succeed(&lab, &["journal", "checkpoint", "-o", "kept.checkpoint"]);
    let log = size(&lab);
    let bundles = lab.join("journal/tile/entries");
    succeed(&lab, &["erase", "--dry-run"]);
    assert!(bundles.join("000").exists());
    // held, it stays
    let ledger = std::fs::read(lab.join("copies.json")).unwrap();
    let ledger = ecluse_core::copies::Ledger::read(&ledger).unwrap();
    let id = &ledger.copies.iter().find(|copy| copy.place == "journal").unwrap().id;
    let hold = ["hold", id, "--reason", "a dispute", "--approved-by", "Claire Fontaine"];
    succeed(&lab, &[&hold[..], &["--until", "2999-01-31"]].concat());
    assert_eq!(json(&lab, &["erase"])["journal_entries"], 0);
    succeed(&lab, &["hold", id, "--release"]);
    // by the timer, whoever is there
    for name in ["session.toml", "session.toml.sigs"] {
        std::fs::rename(lab.join(name), here.path().join(name)).unwrap();
    }
    let said = succeed(&lab, &["erase", "--timer"]);
    assert!(said.contains("512 entries from the front"), "{said}");
    assert!(!bundles.join("000").exists() && !bundles.join("001").exists() && bundles.join("002.p").exists());
    assert!(size(&lab) > log);
    let said = succeed(&lab, &["journal", "verify", "--against", "kept.checkpoint"]);
    assert!(said.contains("from entry 512 on"), "{said}");
    assert_eq!(json(&lab, &["erase"])["journal_entries"], 0);
}
