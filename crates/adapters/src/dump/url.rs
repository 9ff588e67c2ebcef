//! Where a dump comes from, as an operator writes it.
//!
//! | URL | is |
//! |---|---|
//! | `dump+postgresql:-?database=NAME&schema=FILE` | standard input: `pg_dump … \| ecluse migrate` |
//! | `dump+mariadb:PATH?database=NAME&schema=FILE` | a named pipe; or a file, which is a copy in clear |
//! | `…&command=PROGRAM%20ARGUMENT…` | a program's output (`-` stands for the path); no shell reads it |
//! | `…&memory=4G` | how much of the order may be held, 1G where absent |

use std::path::{Path, PathBuf};

use ecluse_core::fault::Result;
use ecluse_core::types::Engine;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Dump, Origin};
use crate::gathered::url::{self as gathered, Place};
use crate::url::{NOT_A_URL, OPTION};

/// What a dump's URL begins with.
pub(crate) const SCHEME: &str = "dump+";
/// Bytes that mean something in a URL's options.
const OPTIONS: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'&').add(b'+').add(b'#').add(b'=').add(b'"');

/// Reads what follows [`SCHEME`].
///
/// # Errors
///
/// [`NOT_A_URL`], [`OPTION`]; an incomplete one.
pub(crate) fn parse(rest: &str) -> Result<Dump> {
    let (engine, rest) = rest.split_once(':').unwrap_or((rest, ""));
    let engine = match engine {
        "postgresql" | "postgres" => Engine::Postgresql,
        "mariadb" | "mysql" => Engine::Mariadb,
        _ => return Err(NOT_A_URL.fault("a dump").help("write dump+postgresql:- or dump+mariadb:-")),
    };
    let mut place = Place::read(
        rest,
        &["database", "schema", "memory", "command"],
        "write dump+postgresql:-?database=NAME&schema=FILE, FILE being a dump of the schema alone",
    )?;
    let origin = match (place.take("command"), place.path.as_str()) {
        (Some(command), "-") => Origin::Program(words(&command)?),
        (Some(_), _) => return Err(OPTION.fault("command beside a path").help("write - for the path")),
        (None, "-") => Origin::Input,
        (None, "") => return Err(place.missing("the path")),
        (None, path) => Origin::Path(PathBuf::from(path)),
    };
    let (database, schema) = (place.demand("database")?, PathBuf::from(place.demand("schema")?));
    Ok(Dump { engine, origin, database, schema, memory: place.memory()?, staging: None })
}

/// The URL with a program's output for its origin.
#[must_use]
pub fn with_command(url: &str, command: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}command={}", utf8_percent_encode(command, OPTIONS))
}

/// The URL with relative paths made `root`'s; other URLs as they are.
#[must_use]
pub fn rooted(url: &str, root: &Path) -> Option<String> {
    let (engine, rest) = url.strip_prefix(SCHEME)?.split_once(':')?;
    Some(format!("{SCHEME}{engine}:{}", gathered::rooted(rest, root)))
}

fn words(command: &str) -> Result<Vec<String>> {
    let words = shlex::split(command).filter(|words| !words.is_empty());
    words.ok_or_else(|| OPTION.fault("command").help("a quote in it is not closed, or it names no program"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::INCOMPLETE;

    #[test]
    fn the_three_origins_are_read() {
        let dump = parse("postgresql:-?database=lab&schema=s.sql").unwrap();
        assert_eq!((dump.engine, dump.origin, dump.memory), (Engine::Postgresql, Origin::Input, 1 << 30));
        let dump = parse("mariadb:/run/p?database=SIGL&schema=s.sql&memory=512M").unwrap();
        assert_eq!((dump.origin, dump.memory), (Origin::Path("/run/p".into()), 512 << 20));
        let url =
            with_command("mariadb:-?database=SIGL&schema=s.sql", "mariadb-dump --where='a = 1 & b' SIGL");
        let Origin::Program(words) = parse(&url).unwrap().origin else { panic!("a program") };
        assert_eq!(words, ["mariadb-dump", "--where=a = 1 & b", "SIGL"]);
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for (text, code) in [
            ("oracle:-?database=a&schema=b", &NOT_A_URL),
            ("postgresql:-?schema=b", &INCOMPLETE),
            ("postgresql:-?database=a", &INCOMPLETE),
            ("postgresql:?database=a&schema=b", &INCOMPLETE),
            ("postgresql:x?database=a&schema=b&command=c", &OPTION),
            ("postgresql:-?database=a&schema=b&command='c", &OPTION),
            ("postgresql:-?database=a&schema=b&memory=4", &OPTION),
            ("postgresql:-?database=a&schema=b&schema=c", &OPTION),
            ("postgresql:-?database=a&schema=b&password=c", &OPTION),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn relative_paths_are_the_folders() {
        let root = Path::new("/m");
        let is = |url: &str| rooted(url, root).unwrap();
        assert_eq!(is("dump+mariadb:-?database=a&schema=s.sql"), "dump+mariadb:-?database=a&schema=/m/s.sql");
        assert_eq!(is("dump+mariadb:p?schema=/s.sql"), "dump+mariadb:/m/p?schema=/s.sql");
        assert_eq!(rooted("sqlite:a.db", root), None);
    }
}
