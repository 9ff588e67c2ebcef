//! Any bytes as an evidence file, and as the files of one whose form is right.
#![no_main]

use ecluse_evidence::{Files, Outcome, pack, verify};
use libfuzzer_sys::fuzz_target;

/// Files that are read by their own rules.
const READ: [&str; 6] = [
    "contract.toml",
    "objections.jsonl",
    "journal/events.jsonl",
    "journal/checkpoint",
    "journal/tile/0/000",
    "run/figures.json",
];

fuzz_target!(|bytes: &[u8]| {
    // nobody brought a fingerprint: whatever it is, nobody is established
    assert_ne!(verify(bytes, &[]).outcome, Outcome::Holds);
    let parts = bytes.split(|b| *b == 0xff).map(<[u8]>::to_vec);
    let files: Files = READ.iter().map(|name| (*name).to_owned()).zip(parts).collect();
    let Ok(packed) = pack(&files) else { return };
    let verdict = verify(&packed, &[]);
    assert_ne!(verdict.outcome, Outcome::Holds);
    // the form is right: what is told is about what is in it
    assert!(files.is_empty() || verdict.lines.iter().all(|line| line.of != ecluse_evidence::FILE));
});
