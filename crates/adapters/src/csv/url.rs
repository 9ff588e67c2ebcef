//! Where a folder of CSV files is, as an operator writes it: `csv:FOLDER?database=NAME&schema=FILE`.

use std::path::{Path, PathBuf};

use ecluse_core::fault::Result;

use crate::gathered::url::{self as gathered, Place};

/// What such a URL begins with.
pub(crate) const SCHEME: &str = "csv:";

/// A folder, as its URL tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// What it is called in the papers.
    pub database: String,
    /// The description (`ecluse-csv/1`).
    pub schema: PathBuf,
    /// Bytes of ordered rows that may be held.
    pub memory: usize,
    /// Where more may stand sealed, as the instruction says.
    pub staging: Option<PathBuf>,
}

/// Reads what follows [`SCHEME`].
///
/// # Errors
///
/// As [`crate::url::Url::parse`].
pub(crate) fn parse(rest: &str) -> Result<Folder> {
    let form = "write csv:FOLDER?database=NAME&schema=FILE, FILE being the folder's description";
    let mut place = Place::read(rest, &["database", "schema", "memory"], form)?;
    if place.path.is_empty() || place.path == "-" {
        return Err(place.missing("the folder"));
    }
    let (database, schema) = (place.demand("database")?, PathBuf::from(place.demand("schema")?));
    let (path, memory) = (PathBuf::from(&place.path), place.memory()?);
    Ok(Folder { path, database, schema, memory, staging: None })
}

/// The URL with relative paths made `root`'s; `None` for other URLs.
#[must_use]
pub fn rooted(url: &str, root: &Path) -> Option<String> {
    Some(format!("{SCHEME}{}", gathered::rooted(url.strip_prefix(SCHEME)?, root)))
}
