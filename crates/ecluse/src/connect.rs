//! From a URL to a connection: the one place that knows which engines there are.

use ecluse_adapters::residue::{Search, Seen};
use ecluse_adapters::url::{Trust, Url};
use ecluse_adapters::{csv, dump, mariadb, postgres, secret, sqlite};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::types::Engine;
use ecluse_flow::erase::Eraser;
use ecluse_flow::ports::{Destination, Source};
use ecluse_flow::room::Aside;

use crate::{chance, hardening};

static NO_ERASER: Code = Code::refused("ECL-ERA-021", "a source of files is not erased row by row");
static NOT_YET: Code = Code::usage("ECL-CLI-019", "écluse does not write to this engine");

/// Reads a URL.
///
/// # Errors
///
/// As [`Url::parse`].
pub(crate) fn parse(url: &str) -> Result<Url> {
    Url::parse(url)
}

/// Looks whether the password's file can be used, before anything needs it.
///
/// # Errors
///
/// As [`secret::password`].
pub(crate) fn password(url: &Url) -> Result<()> {
    match url {
        Url::Sqlite(_) | Url::Dump(_) | Url::Csv(_) => Ok(()),
        Url::Server(server) => secret::password(server).map(|_held_for_nobody| ()),
    }
}

/// The database's name, as papers write it: SQLite's is always `main`.
pub(crate) fn database(url: &Url) -> String {
    match url {
        Url::Sqlite(_) => "main".to_owned(),
        Url::Server(server) => server.database.clone(),
        Url::Dump(dump) => dump.database.clone(),
        Url::Csv(folder) => folder.database.clone(),
    }
}

/// How a person calls it: the engine, and the database or the file's name; never a path or a host.
pub(crate) fn name(url: &Url, lang: Language) -> String {
    match url {
        Url::Sqlite(path) => format!("{} (SQLite)", path.file_stem().unwrap_or_default().to_string_lossy()),
        Url::Server(server) => {
            format!("{} ({})", server.database, engine(server.engine))
        }
        Url::Dump(dump) => {
            format!("{} ({}, {})", dump.database, lang.of("a dump", "un export"), engine(dump.engine))
        }
        Url::Csv(folder) => format!("{} ({})", folder.database, lang.of("CSV files", "fichiers CSV")),
    }
}

const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "PostgreSQL",
        Engine::Mariadb => "MariaDB",
        Engine::Sqlite => "SQLite",
        Engine::Csv => "CSV",
    }
}

/// The pin of the server's public key that the URL gives, as papers write it.
pub(crate) fn pin(url: &Url) -> Option<String> {
    match url {
        Url::Server(server) => match &server.trust {
            Trust::Pinned(digest) => Some(format!("sha256:{}", data_encoding::HEXLOWER.encode(digest))),
            Trust::Native | Trust::Roots(_) => None,
        },
        Url::Sqlite(_) | Url::Dump(_) | Url::Csv(_) => None,
    }
}

/// Connects to a source.
///
/// # Errors
///
/// The adapter's.
pub(crate) fn source(url: &Url) -> Result<Box<dyn Source>> {
    hardening::keep_in_memory();
    match url {
        Url::Sqlite(path) => Ok(Box::new(sqlite::Source::open(path)?)),
        Url::Server(server) => match server.engine {
            Engine::Postgresql => Ok(Box::new(postgres::Source::connect(server)?)),
            Engine::Mariadb => Ok(Box::new(mariadb::Source::connect(server)?)),
            Engine::Sqlite | Engine::Csv => Err(NOT_YET.fault(server.engine.name())),
        },
        Url::Dump(dump) => Ok(Box::new(dump::Source::new(dump.clone(), key()?)?)),
        Url::Csv(folder) => Ok(Box::new(csv::Source::new(folder.clone(), key()?)?)),
    }
}

/// Connects to a source as its administrator, so that rows may go.
///
/// # Errors
///
/// The adapter's; [`NO_ERASER`] for files, which their owner deletes.
pub(crate) fn eraser(url: &Url) -> Result<Box<dyn Eraser>> {
    hardening::keep_in_memory();
    match url {
        Url::Sqlite(path) => Ok(Box::new(sqlite::Eraser::open(path)?)),
        Url::Server(server) => match server.engine {
            Engine::Postgresql => Ok(Box::new(postgres::Eraser::connect(server)?)),
            Engine::Mariadb => Ok(Box::new(mariadb::Eraser::connect(server)?)),
            Engine::Sqlite | Engine::Csv => Err(NO_ERASER.fault(server.engine.name())),
        },
        Url::Dump(_) | Url::Csv(_) => Err(NO_ERASER.fault("files").help(
            "whoever exported them deletes them; the old system behind them is erased over a connection",
        )),
    }
}

/// Seeks in every column of a server's tables that `wanted` names (table, column); a file is none.
///
/// # Errors
///
/// The adapter's, where it cannot be connected to.
pub(crate) fn look(
    url: &Url,
    search: &Search,
    wanted: &dyn Fn(&str, &str) -> bool,
    seen: &mut Seen,
) -> Result<()> {
    match url {
        Url::Server(server) if server.engine == Engine::Postgresql => {
            postgres::look(server, search, wanted, seen)
        }
        Url::Server(server) => mariadb::look(server, search, wanted, seen),
        Url::Sqlite(_) | Url::Dump(_) | Url::Csv(_) => Ok(()),
    }
}

/// A key of this process, for the sets of chosen values.
fn key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    chance::fill(&mut key)?;
    Ok(key)
}

/// Connects to a destination, which may hold other laboratories. An SQLite file that is not there
/// is made, empty.
///
/// # Errors
///
/// The adapter's; [`NOT_YET`] for an engine that is a source only.
pub(crate) fn destination(url: &Url) -> Result<Box<dyn Destination>> {
    hardening::keep_in_memory();
    Ok(Box::new(Aside::of(adapter(url)?)))
}

fn adapter(url: &Url) -> Result<Box<dyn Destination>> {
    match url {
        Url::Sqlite(path) if !path.exists() => Ok(Box::new(sqlite::Destination::create(path)?)),
        Url::Sqlite(path) => Ok(Box::new(sqlite::Destination::open(path)?)),
        Url::Server(server) => match server.engine {
            Engine::Postgresql => Ok(Box::new(postgres::Destination::connect(server)?)),
            Engine::Mariadb => Ok(Box::new(mariadb::Destination::connect(server)?)),
            Engine::Sqlite | Engine::Csv => Err(NOT_YET.fault(server.engine.name())),
        },
        Url::Dump(_) | Url::Csv(_) => Err(NOT_YET.fault("files").help("dumps and CSV files are sources")),
    }
}
