//! A log in memory, and where the outside data lie.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ecluse_journal::{Hash, KeyKind, Log, NoteSigner, Objects, Tile, tree};

/// The folder of outside data `name`, or `None` (said loudly) where it is absent.
#[expect(clippy::disallowed_methods, reason = "where a test finds the outside data is the runner's to say")]
pub(crate) fn outside_data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ECLUSE_TEST_DATA").map(|root| Path::new(&root).join(name));
    match folder {
        Some(folder) if folder.is_dir() => Some(folder),
        _ => {
            skipped(&format!("no {name}/ under ECLUSE_TEST_DATA"));
            None
        }
    }
}

/// Says past the harness's capture that the running test is skipped: `cargo xtask trace` then counts it as no proof.
fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED (run cargo xtask test): {name}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

pub(crate) const ORIGIN: &str = "laboratory.example/migration";

pub(crate) fn log_key() -> NoteSigner {
    NoteSigner::new(ORIGIN, KeyKind::Log, &[7; 32]).unwrap()
}

/// Objects by their paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Objects for &Memory {
    type Error = Infallible;

    fn read(&mut self, tile: &Tile) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(&tile.path()).cloned())
    }
}

impl Memory {
    /// Writes what a round staged.
    pub(crate) fn round(&mut self, log: &mut Log) {
        self.0.extend(log.stage().into_iter().map(|(tile, bytes)| (tile.path(), bytes)));
    }
}

/// The hashes of leaves, for a tree small enough to hash over and over.
pub(crate) struct Leaves(pub Vec<Hash>);

impl tree::Subtrees for Leaves {
    type Error = Infallible;

    fn subtree(&mut self, height: u32, n: u64) -> Result<Hash, Infallible> {
        if height == 0 {
            return Ok(self.0[usize::try_from(n).unwrap()]);
        }
        let (left, right) = (self.subtree(height - 1, 2 * n)?, self.subtree(height - 1, 2 * n + 1)?);
        Ok(Hash::node(&left, &right))
    }
}

/// An entry that tells its index, of a length that differs.
pub(crate) fn entry(index: u64) -> Vec<u8> {
    let text = format!("entry {index} ");
    text.repeat(1 + usize::try_from(index % 5).unwrap()).into_bytes()
}

/// A log of so many entries, written in rounds of `round`.
pub(crate) fn written(entries: u64, round: u64) -> (Log, Memory) {
    let (mut log, mut objects) = (Log::new(ORIGIN), Memory::default());
    for index in 0..entries {
        assert_eq!(log.append(&entry(index)), Some(index));
        if (index + 1) % round == 0 {
            objects.round(&mut log);
        }
    }
    objects.round(&mut log);
    (log, objects)
}
