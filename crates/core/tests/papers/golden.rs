//! Papers as they were signed when their format was fixed: a later version must still open them.
//!
//! The files were written once by this test's ignored twin and are never regenerated: a
//! format that changes gets a new name and a golden folder of its own.

use std::path::{Path, PathBuf};

use ecluse_core::contract::Contract;
use ecluse_core::instruction::Instruction;
use ecluse_core::mandate::Mandate;
use ecluse_core::session::Session;
use ecluse_core::signatures::SignatureFile;
use ecluse_core::status::Standing;
use ecluse_testkit::papers::signatures_of;
use jiff::SignedDuration;

use crate::support::{now, papers};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/papers/golden")
}

fn paper(name: &str) -> (Vec<u8>, Vec<SignatureFile>) {
    let path = folder().join(name);
    let mut files: Vec<SignatureFile> = std::fs::read_dir(signatures_of(&path))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            SignatureFile { name, armoured: std::fs::read(entry.path()).unwrap(), paper: None }
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    (std::fs::read(path).unwrap(), files)
}

#[test]
fn papers_of_format_1_still_open() {
    let (bytes, files) = paper("contract.toml");
    let contract = Contract::in_force(&bytes, &files, now()).unwrap();
    let (bytes, files) = paper("mandate.toml");
    Mandate::in_force(&bytes, &files, &contract, now()).unwrap();
    let (bytes, files) = paper("instruction.toml");
    let instruction = Instruction::in_force(&bytes, &files, &contract, now()).unwrap();
    let (bytes, files) = paper("status.toml");
    let day = SignedDuration::from_hours(24);
    Standing::ask(&bytes, &files, &contract, instruction.digest(), day, now()).unwrap();
    let (bytes, files) = paper("session.toml");
    Session::in_force(&bytes, &files, &contract, now()).unwrap();
}

#[test]
#[ignore = "writes the golden folder; run once per format"]
fn write_the_golden_folder() {
    papers().write(&folder());
    for unneeded in ["keys", "codes"] {
        std::fs::remove_dir_all(folder().join(unneeded)).unwrap();
    }
    for unneeded in ["mapping.toml", "dictionary.toml"] {
        std::fs::remove_file(folder().join(unneeded)).unwrap();
    }
}
