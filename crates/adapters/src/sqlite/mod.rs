//! SQLite as a source and as a destination.
//!
//! SQLite has no roles: the barrier between écluse and what was not instructed is this
//! module's own, an authorizer inside the engine that refuses every other column when
//! a statement is prepared ([`guard`]). The report says so.
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | the snapshot and the reads |
//! | `destination.rs`, `ledger.rs`, `rebuild.rs` | chunks and their ledger in one transaction; indexes taken away and put back |
//! | `ddl.rs` | `CREATE TABLE` |
//! | `guard.rs` | the authorizer |
//! | `catalog.rs`, `types.rs` | what the database says of itself, and which declarations are understood |
//! | `decode.rs`, `encode.rs` | stored values to columns and back |
//! | `honest.rs` | refuses columns that do not hold what they declare, where rows are chosen by them |
//! | `script.rs` | a database made from a script, for the demonstration |
//! | `statement.rs` | every SQL text over planned tables |

mod catalog;
mod ddl;
mod decode;
mod destination;
mod encode;
mod erase;
mod guard;
mod honest;
mod ledger;
mod marks;
mod rebuild;
mod script;
mod source;
mod statement;
#[cfg(test)]
mod tests;
mod types;
mod undo;
mod unfilled;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ecluse_core::fault::{Code, Fault, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use destination::Destination;
pub use erase::Eraser;
pub use script::{create_from, execute};
pub use source::Source;

/// The errors SQLite itself can give, by the side on which the database stands.
struct Codes {
    absent: Code,
    busy: Code,
    storage: Code,
    full: Code,
    corrupt: Code,
    forbidden: Code,
    encoding: Code,
    failed: Code,
}

static SOURCE: Codes = Codes {
    absent: Code::outside("ECL-SRC-301", "the SQLite source cannot be opened"),
    busy: Code::outside("ECL-SRC-302", "the SQLite source is locked by another process"),
    storage: Code::outside("ECL-SRC-303", "the disk under the SQLite source failed"),
    full: Code::outside("ECL-SRC-304", "there is no room or memory to read the SQLite source"),
    corrupt: Code::refused("ECL-SRC-305", "the SQLite source is not a sound database"),
    forbidden: Code::refused("ECL-SRC-306", "a statement asked for more than the plan allows"),
    encoding: Code::refused("ECL-SRC-307", "the SQLite source does not hold its text in UTF-8"),
    failed: Code::outside("ECL-SRC-308", "SQLite refused a statement at the source"),
};

static DESTINATION: Codes = Codes {
    absent: Code::outside("ECL-DST-321", "the SQLite destination cannot be opened"),
    busy: Code::outside("ECL-DST-322", "the SQLite destination is open in another program"),
    storage: Code::outside("ECL-DST-323", "the disk under the SQLite destination failed"),
    full: Code::outside("ECL-DST-324", "the disk under the SQLite destination is full"),
    corrupt: Code::refused("ECL-DST-325", "the SQLite destination is not a sound database"),
    forbidden: Code::refused("ECL-DST-326", "a statement asked for more than the destination may do"),
    encoding: Code::refused("ECL-DST-327", "the SQLite destination does not hold its text in UTF-8"),
    failed: Code::outside("ECL-DST-328", "SQLite refused a statement at the destination"),
};

/// How long a lock of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The one path of a database file, by which the controller named it: absolute, links
/// followed. A file that is not there is never created.
fn existing(codes: &'static Codes, path: &Path) -> Result<PathBuf> {
    let found = path.canonicalize().ok().filter(|p| p.is_file());
    found.ok_or_else(|| {
        codes
            .absent
            .fault(path.display().to_string())
            .help("Check the path: a database that is not there is not made.")
    })
}

/// Opens a database that is there, with every setting that both sides share.
fn connect(codes: &'static Codes, path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|e| fault(codes, &e, &path.display().to_string()))?;
    let harden = || -> rusqlite::Result<String> {
        connection.busy_timeout(PATIENCE)?;
        // a misspelt column must be an error, not the text of its name
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // nothing written in the schema runs on our behalf
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        // a sort would otherwise spill rows in clear to an unlinked file
        connection.execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;",
        )?;
        connection.query_row("PRAGMA encoding", [], |row| row.get(0))
    };
    let encoding = harden().map_err(|e| fault(codes, &e, &path.display().to_string()))?;
    if encoding == "UTF-8" {
        Ok(connection)
    } else {
        Err(codes
            .encoding
            .fault(encoding)
            .help("Copy the database into one made with PRAGMA encoding = 'UTF-8' and sign for the copy."))
    }
}

/// A driver's error as a coded fault: the engine's number and the place, never its text.
fn fault(codes: &'static Codes, error: &rusqlite::Error, place: &str) -> Fault {
    let Some(failure) = error.sqlite_error() else {
        return codes.failed.fault(place);
    };
    let detail = format!("{place} (SQLite {})", failure.extended_code);
    match failure.code {
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => codes.absent
            .fault(detail)
            .help("Check that the file is there and that this user may open it; a database in WAL mode, or one left in the middle of a transaction, also needs a folder this user may write in."),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            codes.busy.fault(detail).help("Close the other program, then run the same command again.")
        }
        ErrorCode::DiskFull | ErrorCode::OutOfMemory => codes.full.fault(detail).help("Make room, then run the same command again: it goes on."),
        ErrorCode::SystemIoFailure => codes.storage.fault(detail).help("Check the disk, then run the same command again."),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            codes.corrupt.fault(detail).help("Check the file with: sqlite3 FILE 'PRAGMA integrity_check'")
        }
        ErrorCode::AuthorizationForStatementDenied => {
            codes.forbidden.fault(detail).help("This is a fault of écluse itself, caught before a row was read: report it.")
        }
        _ => codes.failed.fault(detail),
    }
}

/// An identifier as SQL.
fn quoted(name: &str) -> String {
    crate::sql::identifier(ecluse_core::types::Engine::Sqlite, name)
}
