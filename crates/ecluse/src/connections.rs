//! `connections.toml`: where the two databases are. Never a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_core::fault::{Code, Result};
use serde::Deserialize;

use crate::folder::{self, Folder};

static MALFORMED: Code = Code::usage("ECL-CLI-010", "connections.toml cannot be understood");
static NO_URL: Code = Code::usage("ECL-CLI-011", "it is not said where the database is");

/// The file's name in the migration folder.
pub(crate) const FILE: &str = "connections.toml";

/// Marks a template's line that somebody still has to fill in.
pub(crate) const TO_FILL: &str = "FILL-IN";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connections {
    source: Option<Side>,
    destination: Option<Side>,
    /// Folders of files, by the name the instruction gives them.
    #[serde(default)]
    folders: BTreeMap<String, PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    url: String,
}

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Source,
    Destination,
}

impl End {
    const fn flag(self) -> &'static str {
        match self {
            Self::Source => "--from",
            Self::Destination => "--to",
        }
    }

    const fn section(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

/// The URL of one side: the flag's, else `connections.toml`'s. A relative SQLite path in the
/// file is the migration folder's, whatever the current directory is.
///
/// # Errors
///
/// [`MALFORMED`], [`NO_URL`].
pub(crate) fn url(folder: &Folder, end: End, flag: Option<&str>) -> Result<String> {
    if let Some(url) = flag {
        return Ok(url.to_owned());
    }
    written(folder, end)?.ok_or_else(|| {
        NO_URL
            .fault(format!("[{}] in {}", end.section(), folder.path(None, FILE).display()))
            .help(format!("write its url there, or give {} URL", end.flag()))
    })
}

/// What `connections.toml` says of one side; `None` where it says nothing yet.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn written(folder: &Folder, end: End) -> Result<Option<String>> {
    let connections = read(folder)?;
    let side = match end {
        End::Source => connections.source,
        End::Destination => connections.destination,
    };
    Ok(side.map(|s| s.url).filter(|url| !url.contains(TO_FILL)).map(|url| rooted(folder.root(), &url)))
}

/// Where this machine sees a folder of files that the instruction names: there, unless `[folders]` says
/// otherwise; a relative path starts at the migration folder.
///
/// # Errors
///
/// [`MALFORMED`].
pub(crate) fn seen(folder: &Folder, named: &str) -> Result<PathBuf> {
    let other = read(folder)?.folders.remove(named);
    Ok(other.map_or_else(|| PathBuf::from(named), |path| folder.root().join(path)))
}

fn read(folder: &Folder) -> Result<Connections> {
    let path = folder.path(None, FILE);
    if !path.exists() {
        return Ok(Connections::default());
    }
    let text = String::from_utf8(folder::read(&path, "ecluse new DIR")?)
        .map_err(|_| MALFORMED.fault(path.display().to_string()).help("save the file as UTF-8"))?;
    toml::from_str(&text).map_err(|error| {
        let line =
            error.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
        MALFORMED
            .fault(format!("{}:{line}", path.display()))
            .help("write [source] and [destination], each with one line: url = \"…\"")
    })
}

fn rooted(root: &Path, url: &str) -> String {
    if root != Path::new(".")
        && let Some(url) = ecluse_adapters::dump::url::rooted(url, root)
            .or_else(|| ecluse_adapters::csv::url::rooted(url, root))
    {
        return url;
    }
    match url.strip_prefix("sqlite:") {
        Some(path) if Path::new(path).is_relative() && root != Path::new(".") => {
            format!("sqlite:{}", root.join(path).display())
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_sqlite_path_is_the_folders() {
        assert_eq!(rooted(Path::new("/m"), "sqlite:a.db"), "sqlite:/m/a.db");
        assert_eq!(rooted(Path::new("/m"), "sqlite:/b/a.db"), "sqlite:/b/a.db");
        assert_eq!(rooted(Path::new("."), "sqlite:a.db"), "sqlite:a.db");
        assert_eq!(rooted(Path::new("/m"), "mariadb://u@h/d"), "mariadb://u@h/d");
    }
}
