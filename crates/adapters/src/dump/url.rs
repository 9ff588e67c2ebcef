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
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{Dump, Origin};
use crate::url::{INCOMPLETE, NOT_A_URL, OPTION};

/// What a dump's URL begins with.
pub(crate) const SCHEME: &str = "dump+";
/// Bytes that are held at most where the URL does not say.
const MEMORY: usize = 1 << 30;
/// Bytes that mean something in a URL's options.
const OPTIONS: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'&').add(b'+').add(b'#').add(b'=').add(b'"');

/// Reads what follows [`SCHEME`].
///
/// # Errors
///
/// [`NOT_A_URL`], [`INCOMPLETE`], [`OPTION`].
pub(crate) fn parse(rest: &str) -> Result<Dump> {
    let (engine, rest) = rest.split_once(':').unwrap_or((rest, ""));
    let engine = match engine {
        "postgresql" | "postgres" => Engine::Postgresql,
        "mariadb" | "mysql" => Engine::Mariadb,
        _ => return Err(NOT_A_URL.fault("a dump").help("write dump+postgresql:- or dump+mariadb:-")),
    };
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let path = decoded(path)?;
    let (mut database, mut schema, mut memory, mut command) = (None, None, None, None);
    for (name, value) in options.split('&').filter(|o| !o.is_empty()).filter_map(|o| o.split_once('=')) {
        let slot = match name {
            "database" => &mut database,
            "schema" => &mut schema,
            "memory" => &mut memory,
            "command" => &mut command,
            _ => return Err(OPTION.fault("dump").help("known options: database, schema, memory, command")),
        };
        if value.is_empty() || slot.replace(decoded(value)?).is_some() {
            return Err(OPTION.fault(format!("{name} is empty or stands twice")));
        }
    }
    let missing = |what: &str| {
        INCOMPLETE
            .fault(format!("{what} is missing"))
            .help("write dump+postgresql:-?database=NAME&schema=FILE, FILE being a dump of the schema alone")
    };
    let origin = match (command, path.as_str()) {
        (Some(command), "-") => Origin::Program(words(&command)?),
        (Some(_), _) => return Err(OPTION.fault("command beside a path").help("write - for the path")),
        (None, "-") => Origin::Input,
        (None, "") => return Err(missing("the path")),
        (None, path) => Origin::Path(PathBuf::from(path)),
    };
    Ok(Dump {
        engine,
        origin,
        database: database.ok_or_else(|| missing("database"))?,
        schema: PathBuf::from(schema.ok_or_else(|| missing("schema"))?),
        memory: memory.map_or(Ok(MEMORY), |m| size(&m))?,
    })
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
    let rest = url.strip_prefix(SCHEME)?;
    let at = |path: &str| {
        let relative = path != "-" && !path.is_empty() && Path::new(path).is_relative();
        if relative { root.join(path).display().to_string() } else { path.to_owned() }
    };
    let (engine, rest) = rest.split_once(':')?;
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let options = options.split('&').map(|option| match option.split_once('=') {
        Some(("schema", path)) => format!("schema={}", at(path)),
        _ => option.to_owned(),
    });
    Some(format!("{SCHEME}{engine}:{}?{}", at(path), options.collect::<Vec<_>>().join("&")))
}

fn words(command: &str) -> Result<Vec<String>> {
    let words = shlex::split(command).filter(|words| !words.is_empty());
    words.ok_or_else(|| OPTION.fault("command").help("a quote in it is not closed, or it names no program"))
}

/// `512M`, `4G`.
fn size(text: &str) -> Result<usize> {
    let units = [("M", 20), ("G", 30)];
    let parsed = units.iter().find_map(|(unit, bits)| {
        let number: usize = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(1 << bits).filter(|n| *n > 0)
    });
    parsed.ok_or_else(|| OPTION.fault("memory").help("write memory=512M or memory=4G"))
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_may_quote| NOT_A_URL.fault("a dump"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
