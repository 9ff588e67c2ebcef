//! What a controller is given of the journal: its own migration's events and no other's, verifiable with a public key
//! alone, in a form that auditors' programs read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_flow::event::Leaf;
use ecluse_journal::{Log, Proof, Signed, VerifierKey};
use ecluse_testkit::leak::Search;
use serde_json::Value;

use crate::evidence::fingerprint_of;
use crate::{ecluse, journal, succeed};

/// Two laboratories of one processor, their folders side by side, each moved, certified and extracted.
struct Extract {
    lab: PathBuf,
    /// The events as FHIR has them.
    events: Vec<Value>,
}

impl Extract {
    fn of(lab: PathBuf) -> Self {
        succeed(&lab, &["journal", "checkpoint"]);
        succeed(&lab, &["journal", "export", "-o", "audit.ndjson"]);
        let text = fs::read_to_string(lab.join("audit.ndjson")).unwrap();
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        succeed(&lab, &["journal", "prove", "5", "-o", "five.tlog-proof"]);
        Self { lab, events }
    }

    fn key(&self) -> VerifierKey {
        let text = fs::read_to_string(self.lab.join("journal/log.pub")).unwrap();
        VerifierKey::parse(text.trim()).unwrap()
    }

    /// The entries, made again from the export alone.
    fn leaves(&self) -> Vec<Leaf> {
        self.events.iter().map(|event| back(event).unwrap()).collect()
    }

    /// What is in no other journal: each event's salt, the sessions, the objects.
    fn own(&self) -> BTreeSet<String> {
        let each = |leaf: Leaf| [leaf.salt, leaf.session, leaf.object];
        self.leaves().into_iter().flat_map(each).filter(|word| word.len() >= 32).collect()
    }

    /// Every byte of what a controller takes away.
    fn bytes(&self) -> Vec<u8> {
        let files = ["audit.ndjson", "five.tlog-proof", "five.json", "evidence.tar"];
        files.iter().flat_map(|name| fs::read(self.lab.join(name)).unwrap()).collect()
    }
}

/// The event behind an AuditEvent, as `docs/formats.md` says.
fn back(event: &Value) -> Option<Leaf> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let details = event.pointer("/entity/0/detail")?.as_array()?;
    let detail = |name: &str| {
        let one = details.iter().find(|one| one["type"] == name)?;
        one["valueString"].as_str().map(str::to_owned)
    };
    Some(Leaf {
        v: 1,
        salt: detail("salt")?,
        time: text("/recorded")?,
        session: text("/agent/0/who/identifier/value")?,
        act: serde_json::from_value(event.pointer("/subtype/0/code")?.clone()).ok()?,
        object: text("/entity/0/what/identifier/value")?,
        outcome: text("/outcomeDesc")?,
        paper: detail("paper"),
    })
}

/// A migration from its order to the certificate, by the commands that a person types.
fn certified(here: &Path) -> PathBuf {
    let lab = journal::ordered(here);
    let steps: [&[&str]; 11] = [
        &["plan", "--ddl"],
        &["plan"],
        &["migrate", "--ddl"],
        &["reconcile"],
        &["report"],
        &["accept", "propose"],
        &["accept", "sign"],
        &["erase"],
        &["erase", "--look"],
        &["certify", "propose"],
        &["certify", "sign"],
    ];
    steps.iter().for_each(|step| drop(succeed(&lab, step)));
    lab
}

// proves: AUD-08
#[test]
fn a_controllers_extract_verifies_with_the_public_key_and_holds_no_other_tenants_events() {
    let (here, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = certified(here.path());
    // its neighbour's folder, as a processor has them: side by side
    let other = here.path().join("neighbour");
    fs::rename(certified(beside.path()), &other).unwrap();
    let tenants = [Extract::of(first), Extract::of(other)];
    for (mine, theirs) in [(&tenants[0], &tenants[1]), (&tenants[1], &tenants[0])] {
        // the export's events, made bytes again, give the root that the key signed
        let key = mine.key();
        let read = |name: &str| fs::read(mine.lab.join(name)).unwrap();
        let signed = Signed::open(&read("journal/checkpoint"), &key).unwrap();
        let mut log = Log::new(&signed.checkpoint().origin);
        for leaf in mine.leaves() {
            log.append(&leaf.bytes().unwrap()).unwrap();
        }
        assert_eq!(log.checkpoint(), *signed.checkpoint());
        let proof = Proof::parse(&read("five.tlog-proof")).unwrap();
        assert!(proof.verify(&read("five.json"), &key).is_ok());
        assert!(proof.verify(&read("five.json"), &theirs.key()).is_err());
        // by a stranger, offline
        let stranger = tempfile::tempdir().unwrap();
        fs::write(stranger.path().join("evidence.tar"), read("evidence.tar")).unwrap();
        let verify = |trust: &str| ecluse(stranger.path(), &["verify", "evidence.tar", "--trust", trust]);
        assert!(verify(&fingerprint_of(&mine.lab)).status.success());
        assert_eq!(verify(&fingerprint_of(&theirs.lab)).status.code(), Some(1));
        // nothing of the neighbour's, in any form; and the search finds what is there
        let needles: Vec<String> = theirs.own().into_iter().collect();
        assert!(needles.len() > 40);
        assert_eq!(Search::new(&needles).bytes("extract", &mine.bytes()), []);
        assert!(!Search::new(&needles).bytes("extract", &theirs.bytes()).is_empty());
        assert!(mine.own().is_disjoint(&theirs.own()));
    }
}

/// A Python that has somebody else's FHIR models, where they could be had.
#[expect(clippy::disallowed_methods, reason = "the tests' own tools are named by the environment")]
fn python() -> String {
    std::env::var("ECLUSE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// R4B has the AuditEvent of R4. These models refuse an element that FHIR does not have, one of another type, and the
/// lack of a demanded one; bound codes and what France's profile adds are asked by the export's own test.
const MODELS: &str = "
import json, sys
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
events = [json.loads(line) for line in open(sys.argv[1])]
for event in events:
    AuditEvent.model_validate(event)
    assert event['period']['start'] and all(agent['who'] for agent in event['agent'])
whole = Bundle.model_validate_json(open(sys.argv[2]).read())
assert len(whole.entry) == len(events)
for wrong in ({'agent': None}, {'agent': [{}]}, {'recorded': 'yesterday'}, {'patient': 'x'}, {'source': {}}):
    try:
        AuditEvent.model_validate({**events[0], **wrong})
    except ValueError:
        continue
    sys.exit('not refused: %s' % wrong)
print(len(events))
";

#[test]
fn the_export_is_fhir_by_somebody_elses_models() {
    let python = python();
    let has = Command::new(&python).args(["-c", "import fhir.resources.R4B"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        ecluse_testkit::not_checked(
            "fhir.resources is not installed (ECLUSE_TEST_PYTHON): no AuditEvent was read with it",
        );
        return;
    }
    let here = tempfile::tempdir().unwrap();
    let lab = journal::ordered(here.path());
    for step in [
        &["plan", "--ddl"][..],
        &["migrate", "--ddl"],
        &["journal", "export", "-o", "audit.ndjson"],
        &["journal", "export", "--bundle", "-o", "audit.json"],
    ] {
        succeed(&lab, step);
    }
    let run = |arguments: [&Path; 2]| {
        Command::new(&python).args(["-c", MODELS]).args(arguments).current_dir(&lab).output().unwrap()
    };
    let files = [Path::new("audit.ndjson"), Path::new("audit.json")];
    let output = run(files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let events = fs::read_to_string(lab.join("audit.ndjson")).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), events.lines().count().to_string());
}
