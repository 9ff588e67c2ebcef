//! The end of the chain: certified, then closed, and no way round a step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_adapters::folder::{RunFolder, figures};
use ecluse_core::copies::{Birth, Copy, Ended, Ledger, Store};
use ecluse_core::digest::of_bytes;
use ecluse_core::document::{self, Kind};
use ecluse_core::erasure::{Erased, Erasure, Looked, Residue, Side, Survivor};
use ecluse_flow::event::{Act, Leaf};
use ecluse_flow::ports::Record as _;
use rusqlite::Connection;

use crate::accept::{moved, ordered, refused};
use crate::evidence::fingerprint;
use crate::{ecluse, now, program, succeed};

fn leaf(lab: &Path, act: Act, paper: Option<String>) -> Leaf {
    let (salt, object) = ("5a".repeat(16), "0b".repeat(16));
    let text = fs::read_to_string(lab.join("session.toml")).unwrap();
    let session = document::header(&text, Kind::Session).unwrap().id;
    let (time, outcome) = (now().to_string(), "done".to_owned());
    Leaf { v: 1, salt, time, session, act, object, outcome, paper }
}

/// An erasure and a look, as the run folder keeps them.
pub(crate) fn erase(lab: &Path, source: &[&str]) {
    let run = lab.join("run");
    let figures = figures(&run).unwrap().unwrap();
    let mut record = RunFolder::existing(&run, &lab.join("journal")).unwrap();
    let at = "2026-11-22T09:00:00Z".to_owned();
    let gone = |what: &&str| Erased {
        side: Side::Source,
        place: "sqlite old.db".to_owned(),
        what: (*what).to_owned(),
        method: "deleted, then counted: none left".to_owned(),
        rows: Some(40),
        files: None,
        at: at.clone(),
    };
    let erasure = Erasure {
        format: Erasure::FORMAT.to_owned(),
        run: figures.run.clone(),
        instruction: figures.instruction.clone(),
        acceptance: of_bytes(&fs::read(lab.join("acceptance.toml")).unwrap()),
        began: at.clone(),
        ended: at.clone(),
        done: source.iter().map(gone).collect(),
        ..Erasure::default()
    };
    let begun = Leaf { outcome: "begun".to_owned(), ..leaf(lab, Act::Erase, None) };
    let digest = record.save_erasure(&erasure, begun).unwrap();
    record.append(leaf(lab, Act::Erase, Some(digest))).unwrap();
    drop(record);
    look(lab, Vec::new());
}

fn look(lab: &Path, survivors: Vec<Survivor>) {
    look_for(lab, 2, survivors);
}

fn look_for(lab: &Path, sought: u64, survivors: Vec<Survivor>) {
    let run = lab.join("run");
    let figures = figures(&run).unwrap().unwrap();
    let mut record = RunFolder::existing(&run, &lab.join("journal")).unwrap();
    let at = "2026-11-22T09:00:00Z".to_owned();
    let residue = Residue {
        format: Residue::FORMAT.to_owned(),
        run: figures.run,
        instruction: figures.instruction,
        erasure: of_bytes(&fs::read(run.join("erasure.json")).unwrap()),
        began: at.clone(),
        ended: at,
        sought,
        values: 0,
        closed: 0,
        looked: vec![Looked {
            place: "run folder".to_owned(),
            sought: "markers of 2 artefacts".to_owned(),
            files: 7,
            bytes: 0,
            unread: Vec::new(),
        }],
        survivors,
    };
    let digest = record.save_residue(&residue).unwrap();
    record.append(leaf(lab, Act::Look, Some(digest))).unwrap();
}

pub(crate) fn accept(lab: &Path) {
    for step in [&["reconcile"][..], &["accept", "propose"], &["accept", "sign"]] {
        succeed(lab, step);
    }
}

pub(crate) fn certify(lab: &Path) {
    succeed(lab, &["certify", "propose"]);
    succeed(lab, &["certify", "sign"]);
}

/// What is taken away from a folder, until it is put back.
pub(crate) struct Away(PathBuf, PathBuf);

impl Away {
    pub(crate) fn of(path: PathBuf) -> Self {
        let aside = PathBuf::from(format!("{}.away", path.display()));
        fs::rename(&path, &aside).unwrap();
        Self(path, aside)
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        fs::rename(&self.1, &self.0).unwrap();
    }
}

fn ledger_tables(here: &Path) -> i64 {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ecluse_ledger%'";
    Connection::open(here.join("new.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A migration that was accepted, erased and certified: its evidence lies in its folder.
pub(crate) fn certified(here: &Path) -> PathBuf {
    let lab = moved(here);
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    lab
}

/// Every set of the end's artefacts but the whole one, and every other artefact of the chain alone.
// proves: EXT-07
#[test]
fn no_path_reaches_closed_without_every_step_before_it() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    refused(&lab, &["close"], "ECL-CLO-001");
    accept(&lab);
    refused(&lab, &["certify", "propose"], "ECL-CRT-010");
    erase(&lab, &[]);
    refused(&lab, &["close"], "ECL-CRT-015");
    certify(&lab);
    let steps = [
        "acceptance.toml.sigs",
        "run/erasure.json",
        "run/residue.json",
        "certificate.toml.sigs",
        "evidence.tar",
    ];
    for set in 1_u32..(1 << steps.len()) {
        let without: Vec<&str> = (0..steps.len()).filter(|i| set & (1 << i) != 0).map(|i| steps[i]).collect();
        let away: Vec<Away> = without.iter().map(|name| Away::of(lab.join(name))).collect();
        let output = ecluse(&lab, &["close"]);
        assert_eq!(output.status.code(), Some(1), "without {without:?}");
        drop(away);
    }
    for name in [
        "contract.toml",
        "contract.toml.sigs",
        "instruction.toml",
        "instruction.toml.sigs",
        "dictionary.toml",
        "mapping.toml",
        "run/figures.json",
        "run/reconciliation.json",
        "acceptance.toml",
        "certificate.toml",
    ] {
        let _away = Away::of(lab.join(name));
        let output = ecluse(&lab, &["close"]);
        assert_eq!(output.status.code(), Some(1), "without {name}");
    }
    assert!(lab.join("run/state.age").exists() && ledger_tables(here.path()) == 3);
    assert!(succeed(&lab, &["close"]).contains("the run's keys are destroyed"));
    assert!(!lab.join("run/state.age").exists() && ledger_tables(here.path()) == 0);
    let rows: i64 = Connection::open(here.path().join("new.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM patient", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 40, "what moved stays");
    assert!(succeed(&lab, &["close"]).contains("closed before"));
    for command in ["migrate", "reconcile", "freeze"] {
        refused(&lab, &[command], "ECL-CLO-002");
    }
    // nothing is left to erase: what was signed for is not older than that
    succeed(&lab, &["erase"]);
    succeed(&lab, &["certify", "verify"]);
    succeed(&lab, &["report"]);
    let page = fs::read_to_string(lab.join("run/report.html")).unwrap();
    for link in ["procès-verbal de recette", "recherche des restes", "attestation d’effacement", "clôture"]
    {
        assert!(page.contains(link), "{link}");
    }
    assert!(!page.contains("à venir"), "every link of the chain is there");
    // and a stranger follows it from contract to certificate
    let trust = fingerprint(&lab);
    let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("acceptance.toml") && said.contains("certificate.toml"), "{said}");
}

// proves: EXT-07
#[test]
fn no_path_reaches_the_transfer_without_contract_order_and_mapping() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path(), |order| order);
    let steps = ["contract.toml.sigs", "instruction.toml.sigs", "dictionary.toml", "mapping.toml"];
    for set in 1_u32..(1 << steps.len()) {
        let without: Vec<&str> = (0..steps.len()).filter(|i| set & (1 << i) != 0).map(|i| steps[i]).collect();
        let away: Vec<Away> = without.iter().map(|name| Away::of(lab.join(name))).collect();
        assert_eq!(ecluse(&lab, &["migrate", "--ddl"]).status.code(), Some(1), "without {without:?}");
        assert!(!lab.join("run/state.age").exists(), "without {without:?}");
        drop(away);
    }
    succeed(&lab, &["migrate", "--ddl"]);
}

// proves: ERA-09
#[test]
fn an_order_to_erase_the_source_is_open_until_each_table_is_erased_after_the_acceptance() {
    let here = tempfile::tempdir().unwrap();
    let lab = ordered(here.path(), |order| order.replacen("\ncopies ", "\nsource = 2030-01-31\ncopies ", 1));
    succeed(&lab, &["migrate", "--ddl"]);
    accept(&lab);
    erase(&lab, &[]);
    let said = refused(&lab, &["certify", "propose"], "ECL-CRT-010");
    assert!(said.contains("patient is not"), "{said}");
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("ECL-CRT-010"));
    erase(&lab, &["patient"]);
    certify(&lab);
    // after another acceptance it would be another's erasure
    succeed(&lab, &["reconcile"]);
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("ECL-ACC-005"));
    for name in ["acceptance.toml", "acceptance.toml.sigs"] {
        fs::rename(lab.join(name), lab.join(format!("{name}.old"))).unwrap();
    }
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("after another acceptance"));
}

// proves: ERA-03
#[test]
fn a_certificate_is_refused_while_a_survivor_is_found_or_more_was_erased_since() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    refused(&lab, &["certify", "propose"], "ECL-ACC-011");
    accept(&lab);
    erase(&lab, &[]);
    let survivor = |what: &str| Survivor {
        place: "spool".to_owned(),
        what: what.to_owned(),
        of: "run/state.age".to_owned(),
    };
    look(&lab, vec![survivor("spool/x")]);
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-012").contains("spool/x"));
    erase(&lab, &["patient"]);
    look_for(&lab, 0, Vec::new());
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-011").contains("nothing to look for"));
    look(&lab, Vec::new());
    RunFolder::existing(&lab.join("run"), &lab.join("journal"))
        .unwrap()
        .append(leaf(&lab, Act::Erase, None))
        .unwrap();
    refused(&lab, &["certify", "propose"], "ECL-CRT-010");
    erase(&lab, &[]);
    // a look that somebody wrote by hand
    let file = lab.join("run/residue.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"files\": 7", "\"files\": 8", 1)).unwrap();
    refused(&lab, &["certify", "propose"], "ECL-RUN-207");
    fs::write(&file, &text).unwrap();
    succeed(&lab, &["certify", "propose"]);
    refused(&lab, &["certify", "sign", "--key", "keys/controller-signatory"], "ECL-CLI-016");
    // a file of the evidence that is another one than was named
    let figures = lab.join("evidence.files/run/figures.json");
    let before = fs::read(&figures).unwrap();
    fs::write(&figures, b"{}").unwrap();
    assert!(refused(&lab, &["certify", "sign"], "ECL-CRT-005").contains("run/figures.json"));
    fs::write(&figures, before).unwrap();
    assert!(succeed(&lab, &["certify", "sign"]).contains("evidence.tar"));
    assert!(!lab.join("evidence.files").exists());
    succeed(&lab, &["certify", "verify"]);
}

/// Changes the ledger of copies, as whoever makes, takes or destroys one does.
pub(crate) fn copies(lab: &Path, change: impl FnOnce(&mut Ledger)) {
    let file = lab.join("copies.json");
    let mut ledger = Ledger::read(&fs::read(&file).unwrap()).unwrap();
    change(&mut ledger);
    let bytes = ledger.bytes().unwrap();
    let told = leaf(lab, Act::Copies, Some(of_bytes(&bytes)));
    RunFolder::existing(&lab.join("copies"), &lab.join("journal")).unwrap().append(told).unwrap();
    fs::write(&file, bytes).unwrap();
}

// proves: ERA-05
#[test]
fn a_copy_that_stands_keeps_the_migration_open() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    accept(&lab);
    erase(&lab, &[]);
    let (id, at) = ("4f".repeat(16), now());
    let born = |erase_by: &str| Birth {
        id: id.clone(),
        store: Store::Archive,
        place: "out.archive".to_owned(),
        erase_by: erase_by.parse().unwrap(),
        marker: String::new(),
    };
    copies(&lab, |ledger| ledger.born(born("2026-01-31"), at));
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-013").contains("out.archive"));
    // its day is far: nothing is certified over it all the same
    copies(&lab, |ledger| ledger.born(born("2999-01-31"), at));
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-018").contains("out.archive"));
    let gone = |ledger: &mut Ledger| {
        let how = Ended { how: "removed".to_owned(), at, statement: None };
        ledger.ended(&id, how).unwrap();
    };
    copies(&lab, gone);
    certify(&lab);
    // made after the certificate
    let again = "5e".repeat(16);
    copies(&lab, |ledger| ledger.born(Birth { id: again.clone(), ..born("2999-01-31") }, at));
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("out.archive"));
    let gone = |ledger: &mut Ledger| {
        let how = Ended { how: "removed".to_owned(), at, statement: None };
        ledger.ended(&again, how).unwrap();
    };
    copies(&lab, gone);
    succeed(&lab, &["close"]);
    copies(&lab, |ledger| {
        let stands = |copy: &&Copy| copy.ended.is_none();
        let left: Vec<Store> = ledger.copies.iter().filter(stands).map(|copy| copy.store).collect();
        assert!(!left.contains(&Store::State) && !left.contains(&Store::Ledger), "{left:?}");
        assert!(left.contains(&Store::Evidence) && left.contains(&Store::Record), "{left:?}");
    });
}

/// A hold is an answer to whoever asks why a copy stands: the erasure's record has it, and so the certificate and the
/// evidence, or nothing is certified.
// proves: ERA-05
#[test]
fn what_is_held_stands_in_the_certificate_and_in_plain_words_that_name_no_patient() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    accept(&lab);
    succeed(&lab, &["erase"]);
    erase(&lab, &[]);
    let (id, at) = ("4f".repeat(16), now());
    copies(&lab, |ledger| {
        let (place, erase_by) = ("out.archive".to_owned(), "2026-12-31".parse().unwrap());
        ledger.born(
            Birth { id: id.clone(), store: Store::Archive, place, erase_by, marker: String::new() },
            at,
        );
    });
    let hold = |reason: &str, approver: &str| -> Vec<String> {
        let words = ["hold", &id, "--reason", reason, "--approved-by", approver, "--until", "2999-01-31"];
        words.map(str::to_owned).to_vec()
    };
    for (reason, approver) in [
        ("letter of Durand Paul, 2 79 03 51 215 189 89", "Claire Fontaine"),
        ("a complaint\u{1b}[2J", "Claire Fontaine"),
        ("a complaint\nheld: nothing", "Claire Fontaine"),
        (" ", "Claire Fontaine"),
        ("a complaint", "x"),
        ("a complaint", "Claire\nFontaine"),
        ("a complaint", "Service Juridique 2"),
    ] {
        let command = hold(reason, approver);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = ecluse(&lab, &command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{reason}: {said}");
        assert!(said.contains("ECL-CPY-004") && !said.contains("2 79 03"), "{said}");
    }
    let command = hold("a complaint is pending", "Claire Fontaine");
    succeed(&lab, &command.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-010").contains("held"));
    succeed(&lab, &["erase"]);
    look(&lab, Vec::new());
    certify(&lab);
    let certificate = fs::read_to_string(lab.join("certificate.toml")).unwrap();
    assert!(certificate.contains("a complaint is pending") && certificate.contains("Claire Fontaine"));
    let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &fingerprint(&lab)]);
    assert!(said.contains("a complaint is pending") && said.contains("out.archive"), "{said}");
}

/// A file, or a folder with everything in it and the rights on it.
pub(crate) fn copied(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copied(&entry.path(), &to.join(entry.file_name()));
    }
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
}

#[test]
fn a_closing_that_died_anywhere_is_ended_by_the_same_command() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    let (kept, before) = (here.path().join("kept"), [lab.clone(), here.path().join("new.db")]);
    before.iter().for_each(|path| copied(path, &kept.join(path.file_name().unwrap())));
    for failpoint in [
        "folder.event.fsync.after",
        "sqlite_conclude.commit.before",
        "sqlite_conclude.commit.after",
        "folder.destroy.rename.before",
        "folder.destroy.rename.after",
        "folder.destroy.fsync.before",
        "folder.destroy.fsync.after",
        "folder.destroy.entry.fsync.before",
        "folder.destroy.entry.fsync.after",
        "folder.event.before:2",
    ] {
        let died = Command::new(program())
            .current_dir(&lab)
            .arg("close")
            .env("ECLUSE_FAILPOINT", failpoint)
            .output()
            .unwrap();
        assert_eq!(died.status.code(), None, "{failpoint}: it did not die");
        refused(&lab, &["migrate"], "ECL-CLO-002");
        succeed(&lab, &["close"]);
        assert!(!lab.join("run/state.age").exists() && ledger_tables(here.path()) == 0, "{failpoint}");
        fs::remove_dir_all(&lab).unwrap();
        before.iter().for_each(|path| copied(&kept.join(path.file_name().unwrap()), path));
    }
}

#[test]
fn a_proposal_that_is_refused_leaves_the_one_before_as_it_was() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    accept(&lab);
    erase(&lab, &[]);
    succeed(&lab, &["certify", "propose"]);
    let state = || {
        ["journal/checkpoint", "run/events.jsonl", "copies.json", "certificate.toml"]
            .map(|name| fs::read(lab.join(name)).unwrap())
    };
    let before = state();
    let again = ecluse(&lab, &["certify", "propose"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("ECL-CLI-028"), "{again:?}");
    assert!(state() == before, "nothing was noted");
    succeed(&lab, &["certify", "sign"]);
    succeed(&lab, &["certify", "verify"]);
}

/// The evidence takes its name in one step: a stranger finds it whole, or not at all.
#[test]
fn killed_as_the_evidence_takes_its_name_the_same_command_makes_it() {
    for place in ["evidence.rename.before", "evidence.rename.after"] {
        let here = tempfile::tempdir().unwrap();
        let lab = moved(here.path());
        accept(&lab);
        erase(&lab, &[]);
        succeed(&lab, &["certify", "propose"]);
        let mut sign = Command::new(program());
        sign.current_dir(&lab).args(["certify", "sign"]).env("ECLUSE_FAILPOINT", place);
        assert_eq!(sign.output().unwrap().status.code(), None, "{place}: it did not die");
        assert_eq!(lab.join("evidence.tar").exists(), place.ends_with("after"), "{place}");
        // the journal does not tell of it yet
        refused(&lab, &["close"], "ECL-C");
        assert!(lab.join("run/state.age").exists(), "{place}");
        succeed(&lab, &["certify", "sign"]);
        let trust = fingerprint(&lab);
        let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &trust]);
        assert!(said.contains("The evidence holds."), "{place}: {said}");
        succeed(&lab, &["close"]);
    }
}
