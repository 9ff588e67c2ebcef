//! The evidence of a sealed migration, as the demonstration leaves it: the manifest, the recipient's receipt and what
//! went back to the laboratory are held as fast as what every migration has.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_evidence::{Files, Outcome, State, pack, verify};

use crate::evidence::fingerprint;
use crate::{closed, sealed, succeed};

/// The evidence of the demonstration's sealed way, its files, whom a stranger trusts, and the folder.
struct Demo {
    _here: tempfile::TempDir,
    lab: PathBuf,
    tar: Vec<u8>,
    trust: Vec<String>,
}

impl Demo {
    fn new() -> Self {
        let here = tempfile::tempdir().unwrap();
        succeed(here.path(), &["demo", "lab", "--patients", "40"]);
        let lab = here.path().join("lab");
        let tar = std::fs::read(lab.join("evidence-sealed.tar")).unwrap();
        let trust = vec![fingerprint(&lab)];
        Self { _here: here, lab, tar, trust }
    }

    fn files(&self) -> Files {
        let unpacked = tempfile::tempdir().unwrap();
        let tar = self.lab.join("evidence-sealed.tar");
        let done = Command::new("tar").arg("xf").arg(tar).current_dir(unpacked.path()).status().unwrap();
        assert!(done.success());
        let mut files = Files::new();
        taken(&mut files, unpacked.path(), unpacked.path());
        assert_eq!(pack(&files).unwrap(), self.tar, "what was unpacked is what was packed");
        files
    }

    /// The certificate over what is left, signed by the processor's own signatory.
    fn certified_anew(&self, files: &mut Files) {
        let text = String::from_utf8(files["certificate.toml"].clone()).unwrap();
        let (head, named) = text.split_once("\n[[artefact]]\n").unwrap();
        let of = |block: &str| files.contains_key(block.split('"').nth(1).unwrap());
        let named = named.split("\n[[artefact]]\n").filter(|block| of(block));
        let text = named.fold(head.to_owned(), |text, block| format!("{text}\n[[artefact]]\n{block}"));
        let folder = tempfile::tempdir().unwrap();
        let paper = folder.path().join("certificate.toml");
        std::fs::write(&paper, &text).unwrap();
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-Y", "sign", "-q", "-n", "ecluse-certificate-v1", "-f"]);
        let key = self.lab.join("keys/processor-signatory");
        let signed = sign.arg(key).arg(&paper).output().unwrap();
        assert!(signed.status.success(), "{signed:?}");
        let names: Vec<String> =
            files.keys().filter(|name| name.starts_with("certificate.toml.sigs/")).cloned().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        files.insert(names[0].clone(), std::fs::read(folder.path().join("certificate.toml.sig")).unwrap());
        files.insert("certificate.toml".to_owned(), text.into_bytes());
    }
}

fn taken(files: &mut Files, root: &Path, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            taken(files, root, &path);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// A sample that reaches into each file of the tar, headers and padding included; and every set of the papers that
/// only a sealed migration has, taken away while the processor certifies the rest.
// proves: EXT-07
#[test]
fn no_byte_of_a_sealed_migrations_evidence_can_be_another_one_and_none_of_its_papers_can_be_missing() {
    let demo = Demo::new();
    let whole = verify(&demo.tar, &demo.trust);
    assert_eq!(whole.outcome, Outcome::Holds, "{whole:#?}");
    let files = demo.files();
    let steps =
        ["manifest.toml", "receipt.toml", "recipient.toml", "return-manifest.toml", "return-receipt.toml"];
    for step in steps {
        assert!(files.contains_key(step), "{step}: {:?}", files.keys());
    }
    // signed anew over everything it holds as before: what follows is not refused for its signature
    let mut same = files.clone();
    demo.certified_anew(&mut same);
    let verdict = verify(&pack(&same).unwrap(), &demo.trust);
    assert_eq!(verdict.outcome, Outcome::Holds, "{verdict:#?}");
    for set in 1_u32..(1 << steps.len()) {
        let without: Vec<&str> = (0..steps.len()).filter(|i| set & (1 << i) != 0).map(|i| steps[i]).collect();
        let mut left = files.clone();
        left.retain(|name, _| {
            !without.iter().any(|gone| name == gone || name.starts_with(&format!("{gone}.sigs/")))
        });
        demo.certified_anew(&mut left);
        let verdict = verify(&pack(&left).unwrap(), &demo.trust);
        assert_eq!(verdict.outcome, Outcome::Refused, "without {without:?}: {verdict:#?}");
        // whatever else fails without it, it is named as what was made and is not there
        for step in without.iter().filter(|step| steps[..3].contains(*step)) {
            let is_asked = |line: &ecluse_evidence::Line| {
                line.of == **step && line.words.en.contains("every certified migration has made it")
            };
            assert!(verdict.lines.iter().any(is_asked), "{step}: {verdict:#?}");
        }
    }
    // each file's first byte, its last, one in between; and bytes of headers and padding
    let mut places: Vec<usize> = (0..demo.tar.len()).step_by((demo.tar.len() / 150) | 1).collect();
    for bytes in files.values().filter(|bytes| bytes.len() > 40) {
        let at = memchr::memmem::find(&demo.tar, &bytes[..40]).unwrap();
        places.extend([at, at + bytes.len() / 2, at + bytes.len() - 1]);
    }
    assert!(places.len() > 250, "{}", places.len());
    for at in places {
        let mut spoilt = demo.tar.clone();
        spoilt[at] ^= 1 << (at % 8);
        let verdict = verify(&spoilt, &demo.trust);
        assert_eq!(verdict.outcome, Outcome::Refused, "byte {at}");
        assert!(verdict.lines.iter().any(|line| line.state == State::Fails), "byte {at}");
    }
}

/// At the sender: every set of what only a sealed migration has, and no step goes on without it.
// proves: EXT-07
#[test]
fn a_sealed_migration_is_accepted_certified_and_closed_over_every_paper_of_its_way() {
    let (here, lab) = sealed::received_at_the_sender();
    let refused = |command: &[&str], steps: &[&str]| {
        for set in 1_u32..(1 << steps.len()) {
            let without: Vec<&str> =
                (0..steps.len()).filter(|i| set & (1 << i) != 0).map(|i| steps[i]).collect();
            let away: Vec<closed::Away> =
                without.iter().map(|name| closed::Away::of(lab.join(name))).collect();
            let output = crate::ecluse(&lab, command);
            drop(away);
            assert_eq!(output.status.code(), Some(1), "{command:?} without {without:?}: {output:?}");
        }
    };
    let received = ["receipt.toml", "receipt.toml.sigs", "run/sealed.json"];
    let all = [&received[..], &["manifest.toml", "recipient.toml"]].concat();
    refused(&["accept", "propose"], &received);
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    let copies: serde_json::Value = serde_json::from_str(&succeed(&lab, &["copies", "--json"])).unwrap();
    let copies = copies["copies"].as_array().unwrap();
    let archive = copies.iter().find(|copy| copy["store"] == "archive").unwrap();
    succeed(&lab, &["erase", "--copy", archive["id"].as_str().unwrap()]);
    succeed(&lab, &["erase"]);
    succeed(&lab, &["erase", "--look"]);
    refused(&["certify", "propose"], &all);
    assert!(!lab.join("certificate.toml").exists());
    closed::certify(&lab);
    // what the evidence holds of the manifest was asked when it was certified
    refused(&["close"], &[&received[..], &["recipient.toml"]].concat());
    assert!(lab.join("run/state.age").exists(), "nothing was closed");
    let would = succeed(&lab, &["close", "--dry-run"]);
    assert!(would.contains("run/state.age   would go") && lab.join("run/state.age").exists(), "{would}");
    let closed = succeed(&lab, &["close"]);
    assert!(closed.contains("the run's keys are destroyed"), "{closed}");
    // an order to a recipient has no destination of which anything could be said
    assert!(!closed.contains("destination") && closed.contains("in their folder"), "{closed}");
    assert!(succeed(&lab, &["close", "--dry-run"]).contains("Nothing is left to do"));
    drop(here);
}
