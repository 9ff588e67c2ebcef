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
    assert!(signatures >= 7 && words.contains("instruction.toml: OK"), "{words}");
    let mut spoilt = sound;
    let at = spoilt.windows(10).position(|part| part == b"[[table]]\n").unwrap();
    spoilt[at + 2] ^= 1;
    let words = self::words(&typed_by_a_stranger(&spoilt));
    assert!(words.contains("BAD") || words.contains("FAILED"), "{words}");
}

/// The files of an evidence file, as `tar` gives them back.
fn unpacked(evidence: &[u8]) -> Files {
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("evidence.tar"), evidence).unwrap();
    std::fs::create_dir(here.path().join("out")).unwrap();
    let tar =
        Command::new("tar").args(["-xf", "evidence.tar", "-C", "out"]).current_dir(here.path()).status();
    assert!(tar.unwrap().success());
    let mut files = Files::new();
    for entry in std::fs::read_dir(here.path().join("out")).unwrap() {
        let path = entry.unwrap().path();
        taken(&mut files, &path, path.file_name().unwrap().to_str().unwrap());
    }
    files
}

/// Evidence that somebody changed, and whom that takes.
struct Forger<'a> {
    lab: &'a Path,
    files: Files,
}

impl Forger<'_> {
    /// Signs these bytes with one of the trial's keys, with OpenSSH alone.
    fn signature(&self, key: &str, namespace: &str, bytes: &[u8]) -> Vec<u8> {
        let here = tempfile::tempdir().unwrap();
        let paper = here.path().join("paper");
        std::fs::write(&paper, bytes).unwrap();
        let key = self.lab.join("keys").join(key);
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key).arg(&paper);
        let signed = sign.output().unwrap();
        assert!(signed.status.success(), "{signed:?}");
        std::fs::read(here.path().join("paper.sig")).unwrap()
    }

    /// Writes the certificate's list anew over what is there; its signature is then none of these bytes.
    fn listed(&mut self) {
        let text = String::from_utf8(self.files["certificate.toml"].clone()).unwrap();
        let (head, _) = text.split_once("[[artefact]]").unwrap();
        let others = self.files.iter().filter(|(path, _)| !path.starts_with("certificate.toml"));
        let line = |(path, bytes): (&String, &Vec<u8>)| {
            let sha256 = ecluse_core::digest::of_bytes(bytes).replace("sha256:", "");
            format!("[[artefact]]\npath = \"{path}\"\nsha256 = \"{sha256}\"\n")
        };
        let text = format!("{head}{}", others.map(line).collect::<String>());
        self.files.insert("certificate.toml".to_owned(), text.into_bytes());
    }

    /// The same, signed anew by whoever holds the publisher's key.
    fn closed(&mut self) {
        self.listed();
        self.unsigned("certificate.toml");
        let by =
            self.signature("processor-signatory", "ecluse-certificate-v1", &self.files["certificate.toml"]);
        self.files.insert("certificate.toml.sigs/forger.sig".to_owned(), by);
    }

    fn unsigned(&mut self, paper: &str) {
        self.files.retain(|path, _| !path.starts_with(&format!("{paper}.sigs/")));
    }

    /// What the ten lines say of it, and whether they end well.
    fn typed(&self) -> (bool, String) {
        let output = typed_by_a_stranger(&pack(&self.files).unwrap());
        (output.status.success(), words(&output))
    }
}

/// Whoever has the file alone takes signatures away; whoever has the publisher's key too closes it anew.
// proves: AUD-08
#[test]
fn the_ten_lines_for_strangers_demand_the_signatures_that_have_to_be_there() {
    let here = tempfile::tempdir().unwrap();
    let lab = certified(here.path());
    let sound = unpacked(&std::fs::read(lab.join("evidence.tar")).unwrap());
    let forger = || Forger { lab: &lab, files: sound.clone() };
    let told = |forger: &Forger<'_>, bad: &str| {
        let (ends_well, said) = forger.typed();
        assert!(!ends_well && said.contains(&format!("BAD {bad}")), "{bad}: {said}");
    };
    // another erasure, listed as such, by somebody who can sign nothing
    let mut erased = forger();
    let erasure = String::from_utf8(erased.files["run/erasure.json"].clone()).unwrap();
    erased.files.insert("run/erasure.json".to_owned(), erasure.replace("2026", "2025").into_bytes());
    erased.listed();
    told(&erased, "certificate.toml.sigs/");
    erased.unsigned("certificate.toml");
    let (_, said) = erased.typed();
    assert!(said.contains("run/erasure.json: OK") && !said.contains("FAILED"), "{said}");
    told(&erased, "certificate.toml.sigs/*.sig");
    // the folder is there, and nothing is in it
    let stranger = tempfile::tempdir().unwrap();
    for (path, bytes) in &erased.files {
        let place = stranger.path().join("in").join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    std::fs::create_dir(stranger.path().join("in/certificate.toml.sigs")).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["-cf", "emptied.tar", "-C", "in", "."]).current_dir(stranger.path());
    assert!(tar.status().unwrap().success());
    let emptied = typed_by_a_stranger(&std::fs::read(stranger.path().join("emptied.tar")).unwrap());
    assert!(!emptied.status.success() && words(&emptied).contains("BAD certificate.toml.sigs/*.sig"));
    // closed anew it ends well: these keys are the publisher's, and the contract says so
    let mut again = forger();
    again.closed();
    assert!(matches!(again.typed(), (true, said) if !said.contains("BAD")));
    for paper in ["contract", "instruction", "acceptance", "status", "session", "mandate"] {
        let mut less = forger();
        less.unsigned(&format!("{paper}.toml"));
        less.closed();
        let place = if ["contract", "instruction", "acceptance"].contains(&paper) { "" } else { "./" };
        told(&less, &format!("{place}{paper}.toml.sigs/*.sig"));
        less.files.remove(&format!("{paper}.toml"));
        less.closed();
        if place.is_empty() {
            told(&less, &format!("{paper}.toml.sigs/*.sig"));
        }
    }
    // another signed paper in its place
    let mut other = forger();
    other.unsigned("certificate.toml");
    for (path, bytes) in &sound {
        if let Some(rest) = path.strip_prefix("acceptance.toml") {
            other.files.insert(format!("certificate.toml{rest}"), bytes.clone());
        }
    }
    told(&other, "certificate.toml.sigs/");
    // whose contract it is shows in the fingerprints
    let said = forger().typed().1;
    for kind in ["contract", "instruction", "acceptance"] {
        let by = |line: &str| {
            line.contains(&format!("\"ecluse-{kind}-v1\"")) && line.contains(&fingerprint_of(&lab))
        };
        assert!(said.lines().any(by), "{kind}: {said}");
    }
}

/// A page signed by hand stands for a signature where its checker signed that it is of this very paper.
#[test]
fn the_ten_lines_for_strangers_take_a_page_signed_by_hand_and_look_at_its_checkers_signature() {
    let here = tempfile::tempdir().unwrap();
    let lab = certified(here.path());
    let sound = unpacked(&std::fs::read(lab.join("evidence.tar")).unwrap());
    let by_hand = |paper: &str, checker: Option<&str>| {
        let mut forger = Forger { lab: &lab, files: sound.clone() };
        forger.unsigned("instruction.toml");
        let of = ecluse_core::digest::of_bytes(&sound[paper]);
        let record =
            format!("[paper]\nformat      = \"ecluse-paper/1\"\ndocument    = \"{of}\"\n").into_bytes();
        let place = "instruction.toml.sigs/claire.paper.toml";
        if let Some(checker) = checker {
            let signature = forger.signature(checker, "ecluse-paper-v1", &record);
            forger.files.insert(format!("{place}.sigs/checker.sig"), signature);
        }
        forger.files.insert(place.to_owned(), record);
        forger.closed();
        forger.typed()
    };
    let (ends_well, said) = by_hand("instruction.toml", Some("controller-biologist"));
    assert!(ends_well && !said.contains("BAD") && said.contains("Good \"ecluse-paper-v1\""), "{said}");
    let (ends_well, said) = by_hand("contract.toml", Some("controller-biologist"));
    assert!(!ends_well && said.contains("BAD instruction.toml.sigs/*.sig"), "{said}");
    let (ends_well, said) = by_hand("instruction.toml", None);
    assert!(
        !ends_well && said.contains("BAD ./instruction.toml.sigs/claire.paper.toml.sigs/*.sig"),
        "{said}"
    );
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

/// An order that wants its plan seen first, kept to and not.
// proves: AUD-02
#[test]
fn the_evidence_of_a_witnessed_order_shows_who_saw_the_plan_before_a_row_moved() {
    let here = tempfile::tempdir().unwrap();
    let wanted = |order: String| order.replacen("max_runs ", "witnessed = true\nmax_runs ", 1);
    let lab = crate::accept::ordered(here.path(), wanted);
    // noted in another folder than the run's, of which the evidence takes the counts along
    succeed(&lab, &["plan", "--run", "looked"]);
    succeed(&lab, &["instruction", "status"]);
    succeed(&lab, &["migrate", "--ddl"]);
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    let trust = fingerprint_of(&lab);
    let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("The evidence holds.") && said.contains("among them the plan (entry "), "{said}");
    let files = unpacked(&std::fs::read(lab.join("evidence.tar")).unwrap());
    assert!(files.keys().any(|path| path.starts_with("journal/rehearsals/")), "{:?}", files.keys());
}

// proves: AUD-02
#[test]
fn the_evidence_takes_along_what_the_witness_that_the_order_names_signed() {
    let (here, first) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = crate::accept::ordered(first.path(), |order| order);
    succeed(&other, &["plan"]);
    let key = here.path().join("witness.key");
    let key = key.to_str().unwrap();
    let made = ["journal", "cosign", "--key", key, "--name", "laboratoire.example/temoin", "--json"];
    let made: serde_json::Value = serde_json::from_str(&succeed(&other, &made)).unwrap();
    let wanted = |order: String| {
        order.replacen(
            "max_runs ",
            &format!("witnessed = true\nwitnesses = [{}]\nmax_runs ", made["witness"]),
            1,
        )
    };
    let lab = crate::accept::ordered(here.path(), wanted);
    succeed(&lab, &["plan"]);
    succeed(&lab, &["journal", "cosign", "--key", key]);
    succeed(&lab, &["migrate", "--ddl"]);
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    let said = succeed(&lab, &["verify", "evidence.tar", "--trust", &fingerprint_of(&lab)]);
    assert!(said.contains("The evidence holds."), "{said}");
    assert!(said.contains(".checkpoint was signed over"), "{said}");
}

/// A publisher whose program did not ask: it is told before anybody signs, and by whoever checks what was signed.
// proves: AUD-02
#[test]
fn rows_that_moved_before_anybody_saw_the_plan_are_told_by_the_evidence() {
    let here = tempfile::tempdir().unwrap();
    let wanted = |order: String| order.replacen("max_runs ", "witnessed = true\nmax_runs ", 1);
    let lab = crate::accept::ordered(here.path(), wanted);
    succeed(&lab, &["plan"]);
    succeed(&lab, &["instruction", "status"]);
    succeed(&lab, &["migrate", "--ddl"]);
    accept(&lab);
    erase(&lab, &[]);
    certify(&lab);
    // the counts by which the plan is known, taken away before the publisher closes the file anew
    let mut forger = Forger { lab: &lab, files: unpacked(&std::fs::read(lab.join("evidence.tar")).unwrap()) };
    forger.files.remove("run/rehearsals.json").unwrap();
    forger.closed();
    let stranger = tempfile::tempdir().unwrap();
    std::fs::write(stranger.path().join("evidence.tar"), pack(&forger.files).unwrap()).unwrap();
    let output = ecluse(stranger.path(), &["verify", "evidence.tar", "--trust", &fingerprint_of(&lab)]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no dry run under this order"), "{said}");
    // and the program that certifies says it before anybody signs
    for name in ["certificate.toml", "certificate.toml.sigs"] {
        std::fs::rename(lab.join(name), lab.join(format!("{name}.old"))).unwrap();
    }
    std::fs::remove_file(lab.join("run/rehearsals.json")).unwrap();
    assert!(refused(&lab, &["certify", "propose"], "ECL-CRT-017").contains("no dry run under this order"));
}
