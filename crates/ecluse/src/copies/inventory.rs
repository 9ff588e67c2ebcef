//! Every file of the code that writes, and what it writes. A new place that writes fails the test until it is
//! named here; what it stores of the databases names its [`Store`], and every store has its eraser.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_core::copies::Store;

/// What a file of the code writes.
enum Writes {
    /// These stores.
    Stores(&'static [Store]),
    /// Papers, pages of papers, keys, notes of the migration folder: of persons of the two sides, of no patient.
    Papers,
    /// What the order itself has moved: the destination's.
    Destination,
    /// The means by which others write.
    Means,
    /// It overwrites what is there, or opens without making.
    Nothing,
}

use Store::{Archive, Evidence, Excluded, Journal, Record, Report, Staging, State};
use Writes::{Destination, Means, Nothing, Papers, Stores};

const WRITERS: &[(&str, Writes)] = &[
    ("adapters/src/archive/write.rs", Stores(&[Archive])),
    ("adapters/src/attached/kept.rs", Destination),
    ("adapters/src/folder/mod.rs", Stores(&[State, Record])),
    ("adapters/src/folder/replace.rs", Means),
    ("adapters/src/log/files.rs", Stores(&[Journal])),
    ("adapters/src/log/write.rs", Stores(&[Journal])),
    ("adapters/src/regular.rs", Nothing),
    ("adapters/src/secret.rs", Nothing),
    ("adapters/src/sqlite/destination.rs", Destination),
    ("adapters/src/staging/mod.rs", Stores(&[Staging])),
    ("adapters/src/staging/store.rs", Stores(&[Staging])),
    ("ecluse/src/campaign/inherit.rs", Papers),
    ("ecluse/src/campaign/lay_out.rs", Papers),
    ("ecluse/src/campaign/product.rs", Papers),
    ("ecluse/src/commands/accept.rs", Papers),
    ("ecluse/src/commands/campaign.rs", Papers),
    ("ecluse/src/commands/certify.rs", Papers),
    ("ecluse/src/commands/compare/record.rs", Papers),
    ("ecluse/src/commands/contract.rs", Papers),
    ("ecluse/src/commands/copies/state.rs", Papers),
    ("ecluse/src/commands/dictionary.rs", Papers),
    ("ecluse/src/commands/differences.rs", Papers),
    ("ecluse/src/commands/erasing.rs", Stores(&[Excluded])),
    ("ecluse/src/commands/exclude.rs", Stores(&[Excluded])),
    ("ecluse/src/commands/extract.rs", Stores(&[Record])),
    ("ecluse/src/commands/inspect.rs", Papers),
    ("ecluse/src/commands/instruction.rs", Papers),
    ("ecluse/src/commands/journal/cosign.rs", Papers),
    ("ecluse/src/commands/journal/export.rs", Stores(&[Journal])),
    ("ecluse/src/commands/journal/join.rs", Papers),
    ("ecluse/src/commands/journal/mod.rs", Papers),
    ("ecluse/src/commands/journal/prove.rs", Stores(&[Journal])),
    ("ecluse/src/commands/journal/serve.rs", Means),
    ("ecluse/src/commands/load.rs", Papers),
    ("ecluse/src/commands/loads.rs", Papers),
    ("ecluse/src/commands/mandate.rs", Papers),
    ("ecluse/src/commands/mapping.rs", Papers),
    ("ecluse/src/commands/migrate.rs", Stores(&[Record])),
    ("ecluse/src/commands/new.rs", Papers),
    ("ecluse/src/commands/objections.rs", Papers),
    ("ecluse/src/commands/order.rs", Papers),
    ("ecluse/src/commands/patients.rs", Papers),
    ("ecluse/src/commands/procedure.rs", Papers),
    ("ecluse/src/commands/recipient.rs", Papers),
    ("ecluse/src/commands/reference.rs", Papers),
    ("ecluse/src/commands/report.rs", Stores(&[Record, Report])),
    ("ecluse/src/commands/runs.rs", Papers),
    ("ecluse/src/commands/session.rs", Papers),
    ("ecluse/src/commands/shell.rs", Papers),
    ("ecluse/src/commands/survey.rs", Papers),
    ("ecluse/src/copies/mod.rs", Papers),
    ("ecluse/src/demo/direct.rs", Papers),
    ("ecluse/src/demo/returned.rs", Stores(&[Archive])),
    ("ecluse/src/demo/sealed.rs", Papers),
    ("ecluse/src/evidence.rs", Stores(&[Evidence])),
    ("ecluse/src/folder.rs", Means),
    ("ecluse/src/journal/key.rs", Papers),
    ("ecluse/src/journal/sessions.rs", Papers),
    ("ecluse/src/journal/statuses.rs", Papers),
    ("ecluse/src/overwrite.rs", Nothing),
    ("ecluse/src/papers/by_hand.rs", Papers),
    ("ecluse/src/papers/hand.rs", Papers),
    ("ecluse/src/papers/sealed.rs", Stores(&[Record])),
    ("ecluse/src/screen/terminal.rs", Nothing),
    ("ecluse/src/trial.rs", Papers),
];

/// By what code that writes is known.
const MARKS: &[&str] = &[
    "folder::create(",
    "folder::create_with(",
    "folder::create_durably(",
    "folder::replace(",
    "replace::replace(",
    "write_private(",
    "fs::write(",
    "fs::copy(",
    "OpenOptions::new(",
    "File::create",
    "create_dir",
    "DirBuilder::new(",
    "mkdirat(",
    "OFlags::CREATE",
    "NamedTempFile",
    "tempfile()",
];

fn writers(folder: &Path, crates: &Path, found: &mut BTreeMap<String, Vec<&'static str>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            writers(&path, crates, found);
        } else if name.ends_with(".rs") && !name.starts_with("tests") && name != "inventory.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let marks: Vec<_> =
                MARKS.iter().copied().filter(|mark| code.iter().any(|line| line.contains(mark))).collect();
            if !marks.is_empty() {
                found.insert(path.strip_prefix(crates).unwrap().display().to_string(), marks);
            }
        }
    }
}

// proves: ERA-02
#[test]
fn whatever_writes_is_named_with_its_store() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let one = entry.unwrap().path();
        // what tests share is no part of the binary
        if one.join("src").is_dir() && !one.ends_with("testkit") {
            writers(&one.join("src"), crates, &mut found);
        }
    }
    let known: BTreeMap<_, _> = WRITERS.iter().map(|(path, writes)| (*path, writes)).collect();
    let new: Vec<_> = found.iter().filter(|(path, _)| !known.contains_key(path.as_str())).collect();
    assert!(new.is_empty(), "these write, and nobody says what: {new:?}");
    let gone: Vec<_> = known.keys().filter(|path| !found.contains_key(**path)).collect();
    assert!(gone.is_empty(), "these write nothing any more: {gone:?}");
}

#[test]
fn every_store_of_a_file_is_written_by_named_code_or_comes_later() {
    let named: Vec<Store> = WRITERS
        .iter()
        .filter_map(
            |(_, writes)| if let Stores(stores) = writes { Some(stores.iter().copied()) } else { None },
        )
        .flatten()
        .collect();
    for store in Store::ALL {
        // the ledger lies in a database
        let elsewhere = store == Store::Ledger;
        assert!(elsewhere || named.contains(&store), "{store:?} is written nowhere");
    }
}
