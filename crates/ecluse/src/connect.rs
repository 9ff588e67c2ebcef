//! From a URL to a connection: the one place that knows which engines there are.

use ecluse_adapters::sqlite;
use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Engine;
use ecluse_flow::ports::{Destination, Source};

/// Until the servers' adapters land.
#[derive(Clone, Debug)]
pub(crate) enum Url { Sqlite(std::path::PathBuf) }
impl Url {
    fn parse(t: &str) -> Result<Self> {
        t.strip_prefix("sqlite:").map(|p| Self::Sqlite(p.into())).ok_or_else(|| NOT_YET.fault(""))
    }
    pub(crate) const fn engine(&self) -> Engine { Engine::Sqlite }
}
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Sqlite(p) = self; write!(f, "sqlite:{}", p.display())
    }
}

static NOT_YET: Code = Code::usage("ECL-CLI-019", "écluse does not write to this engine");

/// Reads a URL.
///
/// # Errors
///
/// As [`Url::parse`].
pub(crate) fn parse(url: &str) -> Result<Url> {
    Url::parse(url)
}

/// The database's name, as papers write it: SQLite's is always `main`.
pub(crate) fn database(url: &Url) -> String {
    match url {
        Url::Sqlite(_) => "main".to_owned(),
    }
}

/// How a person calls it: the engine, and the database or the file's name; never a path or a host.
pub(crate) fn name(url: &Url) -> String {
    match url {
        Url::Sqlite(path) => format!("{} (SQLite)", path.file_stem().unwrap_or_default().to_string_lossy()),
    }
}

/// Connects to a source.
///
/// # Errors
///
/// The adapter's.
pub(crate) fn source(url: &Url) -> Result<Box<dyn Source>> {
    match url {
        Url::Sqlite(path) => Ok(Box::new(sqlite::Source::open(path)?)),
    }
}

/// Connects to a destination. An SQLite file that is not there is made, empty.
///
/// # Errors
///
/// The adapter's; [`NOT_YET`] for an engine that is a source only.
pub(crate) fn destination(url: &Url) -> Result<Box<dyn Destination>> {
    match url {
        Url::Sqlite(path) if !path.exists() => Ok(Box::new(sqlite::Destination::create(path)?)),
        Url::Sqlite(path) => Ok(Box::new(sqlite::Destination::open(path)?)),
    }
}

/// The pin of the server's public key that the URL gives, as papers write it.
pub(crate) fn pin(_url: &Url) -> Option<String> {
    None
}
