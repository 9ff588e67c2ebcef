//! What was kept of the fuzzers' runs, once through each target: what was found stays mended, and a file that no
//! longer reads as it did is seen.
//!
//! Run from outside this folder (`cargo test --manifest-path fuzz/Cargo.toml`): its configuration asks for a
//! fuzzer's coverage, which a test has no use for.

use std::path::Path;

/// Every target, by the name of its folder under `corpus/`.
const TARGETS: [(&str, fn(&[u8])); 12] = [
    ("canonical", ecluse_fuzz::canonical::run),
    ("dump", ecluse_fuzz::dump::run),
    ("envelope", ecluse_fuzz::envelope::run),
    ("evidence", ecluse_fuzz::evidence::run),
    ("filter", ecluse_fuzz::filter::run),
    ("journal", ecluse_fuzz::journal::run),
    ("keys", ecluse_fuzz::keys::run),
    ("log", ecluse_fuzz::log::run),
    ("manifest", ecluse_fuzz::manifest::run),
    ("papers", ecluse_fuzz::papers::run),
    ("signature", ecluse_fuzz::signature::run),
    ("state", ecluse_fuzz::state::run),
];

#[test]
fn what_was_kept_holds_its_promises() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut unknown: Vec<String> = Vec::new();
    for folder in std::fs::read_dir(&corpora).expect("corpus/") {
        let name = folder.expect("an entry").file_name().into_string().expect("a name");
        if TARGETS.iter().all(|(target, _)| *target != name) {
            unknown.push(name);
        }
    }
    assert!(unknown.is_empty(), "a corpus of no target: {unknown:?}");
    for (target, run) in TARGETS {
        let Ok(files) = std::fs::read_dir(corpora.join(target)) else { continue };
        for file in files {
            let path = file.expect("an entry").path();
            println!("{}", path.display());
            run(&std::fs::read(&path).expect("a kept file"));
        }
    }
}

/// `cargo test --manifest-path fuzz/Cargo.toml -- --ignored` writes what the target `envelope` begins from: packed
/// rows are no text that somebody could write by hand.
#[test]
#[ignore = "it writes to corpus/envelope"]
fn parts_to_begin_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/envelope");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, bytes) in ecluse_fuzz::envelope::seeds() {
        std::fs::write(folder.join(name), bytes).expect("a seed");
    }
}
