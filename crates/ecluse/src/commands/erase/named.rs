//! How a file is named that was found, or could not be read: by its name where that is écluse's own, else so that
//! whoever may look finds it, and a reader of the record learns nothing. A file's name can be a person's.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use ecluse_core::copies::{Copy, Ledger};

use crate::copies::erasers;

/// Names that écluse gives in a migration folder, beside those of a run folder.
const OWN: [&str; 31] = [
    "acceptance.toml",
    "acts",
    "certificate.toml",
    "comparison.toml",
    "connections.toml",
    "contract.toml",
    "copies",
    "copies.json",
    "destroyed",
    "differences.toml",
    "dictionary.toml",
    "evidence.files",
    "evidence.tar",
    "excluded.age",
    "fingerprints.txt",
    "instruction.toml",
    "journal",
    "journal.key",
    "keys",
    "load",
    "mandate.toml",
    "manifest.toml",
    "mapping.toml",
    "places.toml",
    "receipt.toml",
    "recipient.toml",
    "reference.toml",
    "run",
    "runs.json",
    "session.toml",
    "status.toml",
];

/// What names are told by.
pub(super) struct Names<'a> {
    pub(super) root: &'a Path,
    pub(super) ledger: &'a Ledger,
}

impl Names<'_> {
    /// The file of this path.
    pub(super) fn of(&self, path: &Path) -> String {
        // a process and the number of its file, a table of a database: nobody chose these for a patient
        if path.starts_with("/proc") || path.is_relative() {
            return path.display().to_string();
        }
        let inside = path.strip_prefix(self.root).ok();
        if let Some(inside) = inside.filter(|inside| inside.components().all(|part| is_own(&part))) {
            return if inside == Path::new("") {
                "the migration folder".to_owned()
            } else {
                inside.display().to_string()
            };
        }
        let number = match std::fs::symlink_metadata(path) {
            Ok(found) => format!("inode {}", found.ino()),
            Err(_) => "no longer there".to_owned(),
        };
        let own = |copy: &&Copy| path.starts_with(self.root.join(&copy.place));
        match self.ledger.copies.iter().rfind(own) {
            Some(copy) => format!("{}: {number}", self.copy(copy)),
            None if inside.is_some() => format!("a file of the migration folder: {number}"),
            None => format!("a file: {number}"),
        }
    }

    /// A copy, by its id.
    pub(super) fn copy(&self, copy: &Copy) -> String {
        format!("{}, copy {}", copy.store.words(), short(&copy.id))
    }
}

/// The first characters of a copy's id, by which the ledger and every command know it.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn is_own(part: &Component<'_>) -> bool {
    let Component::Normal(name) = part else { return false };
    name.to_str()
        .is_some_and(|name| OWN.contains(&name) || name == erasers::STATE || erasers::is_of_record(name))
}

#[cfg(test)]
mod tests {
    use ecluse_core::copies::{Birth, Store};

    use super::*;

    #[test]
    fn a_name_that_is_not_ours_is_not_repeated() {
        let here = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::default();
        let (id, place, marker) = ("3f9c0000".repeat(4), "Helene.archive".to_owned(), String::new());
        let erase_by = "2026-12-01".parse().unwrap();
        ledger.born(Birth { id, store: Store::Archive, place, erase_by, marker }, jiff::Timestamp::MIN);
        let names = Names { root: here.path(), ledger: &ledger };
        for folder in ["run", "Helene.archive", "Helene"] {
            std::fs::create_dir(here.path().join(folder)).unwrap();
        }
        let of = |name: &str| names.of(&here.path().join(name));
        assert_eq!(of("run/state.age"), "run/state.age");
        assert_eq!(of("contract.toml"), "contract.toml");
        for name in ["Helene.archive", "Helene", "Helene/run", "run/Helene.csv", "Helene Dupont.txt"] {
            std::fs::write(here.path().join(name), b"x").unwrap_or_default();
            assert!(!of(name).contains("Helene"), "{}", of(name));
        }
        assert!(of("Helene.archive").starts_with("sealed archive, copy 3f9c0000: inode "));
        assert!(names.of(Path::new("/nowhere/Helene")).starts_with("a file: "));
    }
}
