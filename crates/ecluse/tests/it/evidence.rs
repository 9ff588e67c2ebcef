//! An evidence file made of what the demonstration leaves, checked by the program.

use std::path::Path;

use std::process::{Command, Output};

use ecluse_evidence::{Files, pack};
use ecluse_sign::PublicKey;

use crate::accept::refused;
use crate::closed::{accept, certified, certify, erase};
use crate::{ecluse, journal, succeed};

/// What a finished migration folder holds of its evidence: papers with their signatures, what the run left in
/// clear, its events.
fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).unwrap().chain(std::fs::read_dir(folder.join("codes")).unwrap()) {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let is_paper = name.ends_with(".toml") && name != "connections.toml";
        if is_paper || name.ends_with(".toml.sigs") {
            taken(&mut files, &path, &name);
        }
    }
    for name in ["figures.json", "reconciliation.json"] {
        taken(&mut files, &folder.join("run").join(name), &format!("run/{name}"));
    }
    taken(&mut files, &folder.join("run/events.jsonl"), "journal/events.jsonl");
    files
}

fn taken(files: &mut Files, place: &Path, path: &str) {
    if place.is_file() {
        files.insert(path.to_owned(), std::fs::read(place).unwrap());
        return;
    }
    for entry in std::fs::read_dir(place).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        taken(files, &place.join(&name), &format!("{path}/{name}"));
    }
}

/// The controller's fingerprint, as the demonstration's paper contract has it.
pub(crate) fn fingerprint(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("fingerprints.txt")).unwrap();
    text.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap().to_owned()
}

/// The fingerprint of a trial's controller, from the key itself.
pub(crate) fn fingerprint_of(lab: &Path) -> String {
    let key = std::fs::read_to_string(lab.join("keys/controller-signatory.pub")).unwrap();
    PublicKey::from_openssh(&key).unwrap().fingerprint()
}

#[test]
fn what_the_demonstration_leaves_holds_together() {
    let here = tempfile::tempdir().unwrap();
    succeed(here.path(), &["demo", "lab", "--leave-open", "--patients", "60"]);
    let lab = here.path().join("lab");
    let evidence = here.path().join("evidence.tar");
    std::fs::write(&evidence, pack(&files(&lab)).unwrap()).unwrap();
    let trust = fingerprint(&lab);
    // from another folder, with no migration in it
    let verify = |arguments: &[&str]| {
        let output = ecluse(here.path(), &[&["verify", "evidence.tar", "--json"], arguments].concat());
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), said)
    };
    let (_, said) = verify(&["--trust", &trust]);
    let lines = said["lines"].as_array().unwrap();
    let fails: Vec<_> = lines.iter().filter(|line| line["state"] == "fails").collect();
    assert!(fails.is_empty(), "{fails:#?}");
    // nothing closes it yet
    assert_eq!((&said["outcome"], &said["code"]), (&"not-certified".into(), &"ECL-EVI-008".into()));
    for name in
        ["contract.toml", "instruction.toml", "status.toml", "run/figures.json", "run/reconciliation.json"]
    {
        assert!(lines.iter().any(|line| line["of"] == name && line["state"] == "holds"), "{name}: {said:#}");
    }
    // half a fingerprint is compared with nothing
    let (code, said) = verify(&["--trust", "SHA256:abc"]);
    assert_eq!((code, &said["code"]), (Some(2), &"ECL-EVI-006".into()));
    // one byte of the order
    let mut spoilt = std::fs::read(&evidence).unwrap();
    let at = spoilt.windows(10).position(|part| part == b"Continuity").unwrap();
    spoilt[at + 1] ^= 1;
    std::fs::write(&evidence, spoilt).unwrap();
    let (code, said) = verify(&["--trust", &trust]);
    assert_eq!((code, &said["code"]), (Some(1), &"ECL-EVI-001".into()));
    assert!(said.to_string().contains("ECL-SGN-021"), "{said:#}");
}

// proves: REC-04, AUD-08
#[test]
fn a_certified_migration_is_verified_by_whoever_has_its_file_and_a_fingerprint() {
    let here = tempfile::tempdir().unwrap();
    let lab = certified(here.path());
    let trust = fingerprint_of(&lab);
    // a stranger's folder, and nothing else in it
    let stranger = tempfile::tempdir().unwrap();
    let file = stranger.path().join("evidence.tar");
    std::fs::copy(lab.join("evidence.tar"), &file).unwrap();
    let said = succeed(stranger.path(), &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("The evidence holds.") && !said.contains('✗'), "{said}");
    let french = succeed(stranger.path(), &["verify", "evidence.tar", "--trust", &trust, "--lang", "fr"]);
    assert!(french.contains("La preuve tient."), "{french}");
    let other = format!("SHA256:{}", "A".repeat(43));
    for trust in [&[][..], &["--trust", &other]] {
        let output = ecluse(stranger.path(), &[&["verify", "evidence.tar"], trust].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("ECL-EVI-002"), "{said}");
    }
    assert_eq!(ecluse(stranger.path(), &["verify", "nothing.tar"]).status.code(), Some(3));
}

/// What is packed is the migration's own, would hold, and is what `close` takes.
#[test]
fn the_evidence_is_judged_before_it_is_signed_and_bound_when_it_is_written() {
    let here = tempfile::tempdir().unwrap();
    let lab = certified(here.path());
    for name in ["certificate.toml", "certificate.toml.sigs"] {
        std::fs::rename(lab.join(name), lab.join(format!("{name}.old"))).unwrap();
    }
    let link = lab.join("codes/more.toml");
    std::fs::create_dir_all(lab.join("codes")).unwrap();
    std::os::unix::fs::symlink(lab.join("connections.toml"), &link).unwrap();
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-016").contains("codes/more.toml"));
    std::fs::remove_file(&link).unwrap();
    // another day, and the statement of the day of the run is gone
    succeed(&lab, &["session", "new"]);
    let kept = lab.join("journal/sessions");
    std::fs::rename(&kept, here.path().join("sessions")).unwrap();
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-017").contains("journal/events.jsonl"));
    std::fs::remove_dir_all(&kept).unwrap();
    std::fs::rename(here.path().join("sessions"), &kept).unwrap();
    succeed(&lab, &["certify", "propose"]);
    succeed(&lab, &["certify", "sign"]);
    let (file, other) = (lab.join("evidence.tar"), here.path().join("evidence.tar"));
    std::fs::rename(&file, &other).unwrap();
    std::fs::write(&file, pack(&files(&lab)).unwrap()).unwrap();
    assert!(refused(&lab, &["close"], "ECL-CLO-001").contains("not the one that was written"));
    std::fs::rename(&other, &file).unwrap();
    succeed(&lab, &["close"]);
}

/// The lines of `docs/verify.md`, as they stand there, typed where nothing but the evidence lies.
pub(crate) fn typed_by_a_stranger(evidence: &[u8]) -> Output {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify.md"));
    let page = page.unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (lines, _) = rest.split_once("```").unwrap();
    assert!(lines.lines().count() <= 10, "{lines}");
    let stranger = tempfile::tempdir().unwrap();
    std::fs::write(stranger.path().join("evidence.tar"), evidence).unwrap();
    Command::new("sh").args(["-c", lines]).current_dir(stranger.path()).output().unwrap()
}

/// Everything that was printed.
pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_ten_lines_for_strangers_say_good_of_a_sound_file_and_bad_of_a_changed_one() {
    let here = tempfile::tempdir().unwrap();
    let lab = certified(here.path());
    let sound = std::fs::read(lab.join("evidence.tar")).unwrap();
    let output = typed_by_a_stranger(&sound);
    let words = words(&output);
    assert!(output.status.success() && !words.contains("BAD") && !words.contains("FAILED"), "{words}");
    let signatures = words.matches("Good \"ecluse-").count();
    assert!(
        signatures >= 7 && words.contains("./instruction.toml") || words.contains("instruction.toml: OK"),
        "{words}"
    );
    let mut spoilt = sound;
    let at = spoilt.windows(10).position(|part| part == b"[[table]]\n").unwrap();
    spoilt[at + 2] ^= 1;
    let words = self::words(&typed_by_a_stranger(&spoilt));
    assert!(words.contains("BAD") || words.contains("FAILED"), "{words}");
}

/// The journal's front is erased before the certificate; the operator was told of what is noted.
// proves: AUD-09
#[test]
fn the_evidence_of_a_migration_whose_journal_was_pruned_verifies_and_says_until_when_it_is_kept() {
    let here = tempfile::tempdir().unwrap();
    let lab = crate::accept::ordered(here.path(), |order| order);
    let told = succeed(&lab, &["session", "new"]);
    assert!(told.contains("noted with the hour and this session, which names you"), "{told}");
    assert!(
        told.contains("in the journal for 6 to 12 months") && told.contains("in the evidence until"),
        "{told}"
    );
    journal::write_lines(&lab.join("old"), (0..600).map(journal::of_2024).collect());
    succeed(&lab, &["migrate", "--ddl"]);
    let pruned = succeed(&lab, &["journal", "prune"]);
    assert!(pruned.contains("the journal goes on at entry 512"), "{pruned}");
    std::fs::remove_dir_all(lab.join("old")).unwrap();
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    let stranger = tempfile::tempdir().unwrap();
    std::fs::copy(lab.join("evidence.tar"), stranger.path().join("evidence.tar")).unwrap();
    let trust = fingerprint_of(&lab);
    let said = succeed(stranger.path(), &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("The evidence holds.") && !said.contains('✗'), "{said}");
    assert!(
        said.contains("with its own copy of the run’s events, is to be erased at the processor’s by"),
        "{said}"
    );
    let unpacked = Command::new("tar").args(["xf", "evidence.tar"]).current_dir(stranger.path()).status();
    assert!(unpacked.unwrap().success());
    let tiles = stranger.path().join("journal/tile/entries");
    assert!(!tiles.join("000").exists() && tiles.join("002.p").exists(), "the front is in no file");
    let ledger = std::fs::read(stranger.path().join("copies.json")).unwrap();
    let ledger = ecluse_core::copies::Ledger::read(&ledger).unwrap();
    let own = ledger.copies.iter().find(|copy| copy.place == "evidence.tar").unwrap();
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let copies = order.lines().find_map(|line| line.strip_prefix("copies")).unwrap();
    let copies: jiff::civil::Date = copies.trim_start_matches([' ', '=']).get(..10).unwrap().parse().unwrap();
    assert!(own.erase_by > copies, "longer than what is of patients, and not for ever: {}", own.erase_by);
    // the evidence's own copy of the events, one of them another one
    let mut spoilt = std::fs::read(stranger.path().join("evidence.tar")).unwrap();
    let at = memchr::memmem::find(&spoilt, b"\"act\":\"snapshot\"").unwrap();
    spoilt[at + 8] ^= 1;
    std::fs::write(stranger.path().join("evidence.tar"), spoilt).unwrap();
    let output = ecluse(stranger.path(), &["verify", "evidence.tar", "--trust", &trust]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("journal/events.jsonl"), "{output:?}");
}
