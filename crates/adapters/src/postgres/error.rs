//! The engine's errors as coded faults: SQLSTATE and place, never the server's text,
//! which quotes keys and whole rows (`DETAIL: Key (nir)=(…) already exists`).

use ecluse_core::fault::{Code, Fault};
use ecluse_flow::ports::Refusal;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::url::Server;
use crate::{secret, tls};

/// The source or its connection is gone.
pub(crate) static SOURCE_GONE: Code =
    Code::outside("ECL-SRC-501", "the connection to the PostgreSQL source was lost");
/// The source lacks room or memory.
pub(crate) static SOURCE_SHORT: Code =
    Code::outside("ECL-SRC-502", "the PostgreSQL source is short of a resource");
/// The source waited for a lock or was cancelled.
pub(crate) static SOURCE_BUSY: Code =
    Code::outside("ECL-SRC-503", "the PostgreSQL source would not wait for a lock");
/// The role may not do this.
pub(crate) static SOURCE_DENIED: Code =
    Code::refused("ECL-SRC-504", "the PostgreSQL source denies this to the role");
/// Any other error of the source.
pub(crate) static SOURCE_ERROR: Code =
    Code::refused("ECL-SRC-505", "the PostgreSQL source refused a statement");
/// The login was refused.
pub(crate) static SOURCE_LOGIN: Code =
    Code::refused("ECL-SRC-506", "the PostgreSQL source refused the login");
/// The server cannot be reached, or not under TLS.
pub(crate) static SOURCE_UNREACHED: Code =
    Code::outside("ECL-SRC-507", "the PostgreSQL source cannot be reached");

/// The server does not prove who it is.
pub(crate) static SOURCE_UNPROVEN: Code =
    Code::refused("ECL-SRC-508", "the PostgreSQL source is not proven to be the server that was named");

/// The destination or its connection is gone.
pub(crate) static DESTINATION_GONE: Code =
    Code::outside("ECL-DST-501", "the connection to the PostgreSQL destination was lost");
/// The destination lacks room or memory.
pub(crate) static DESTINATION_SHORT: Code =
    Code::outside("ECL-DST-502", "the PostgreSQL destination is short of a resource");
/// The destination waited for a lock or was cancelled.
pub(crate) static DESTINATION_BUSY: Code =
    Code::outside("ECL-DST-503", "the PostgreSQL destination would not wait for a lock");
/// The role may not do this.
pub(crate) static DESTINATION_DENIED: Code =
    Code::refused("ECL-DST-504", "the PostgreSQL destination denies this to the role");
/// Any other error of the destination.
pub(crate) static DESTINATION_ERROR: Code =
    Code::refused("ECL-DST-505", "the PostgreSQL destination refused a statement");
/// The login was refused.
pub(crate) static DESTINATION_LOGIN: Code =
    Code::refused("ECL-DST-506", "the PostgreSQL destination refused the login");
/// The server cannot be reached, or not under TLS.
pub(crate) static DESTINATION_UNREACHED: Code =
    Code::outside("ECL-DST-507", "the PostgreSQL destination cannot be reached");
/// A table has more columns than the engine holds.
pub(crate) static DESTINATION_COLUMNS: Code =
    Code::refused("ECL-DST-509", "the table has more columns than PostgreSQL can hold");
/// The server does not prove who it is.
pub(crate) static DESTINATION_UNPROVEN: Code =
    Code::refused("ECL-DST-508", "the PostgreSQL destination is not proven to be the server that was named");

/// Which end of the migration a connection is: its faults have codes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Side {
    fn pick(self, source: &'static Code, destination: &'static Code) -> &'static Code {
        match self {
            Self::Source => source,
            Self::Destination => destination,
        }
    }

    /// A statement's error. `place` names a table or a step.
    pub(super) fn fault(self, error: &Error, place: &str) -> Fault {
        let Some(state) = error.code() else {
            return self.gone(place);
        };
        let detail = format!("{place}: SQLSTATE {}", state.code());
        match class(state) {
            "08" | "57" if *state != SqlState::QUERY_CANCELED => {
                self.pick(&SOURCE_GONE, &DESTINATION_GONE).fault(detail).help(
                    "see that the server runs, then give the same command again: it goes on where it stopped",
                )
            }
            "53" if *state == SqlState::DISK_FULL => self
                .pick(&SOURCE_SHORT, &DESTINATION_SHORT)
                .fault(detail)
                .help("make room on the server's disk, then give the same command again"),
            // not a shortage: no retry and no room makes such a table
            "54" if *state == SqlState::TOO_MANY_COLUMNS => self
                .pick(&SOURCE_ERROR, &DESTINATION_COLUMNS)
                .fault(detail)
                .help("PostgreSQL holds 1,600 columns in a table at most: order fewer columns of it"),
            "53" | "54" | "58" => self.pick(&SOURCE_SHORT, &DESTINATION_SHORT).fault(detail),
            "55" | "40" | "57" => self
                .pick(&SOURCE_BUSY, &DESTINATION_BUSY)
                .fault(detail)
                .help("see who holds the lock (pg_locks), then give the same command again"),
            "42" if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
                self.pick(&SOURCE_DENIED, &DESTINATION_DENIED).fault(detail)
            }
            "28" => self.login(detail),
            _ => self.pick(&SOURCE_ERROR, &DESTINATION_ERROR).fault(detail),
        }
    }

    /// An error while connecting.
    pub(super) fn unreached(self, error: &Error, server: &Server) -> Fault {
        let place = server.to_string();
        match error.code() {
            Some(state) if class(state) == "28" || class(state) == "3D" => {
                let detail = format!("{place}: SQLSTATE {}", state.code());
                let help = format!("{}; pg_hba.conf too may keep it out", secret::advice(server));
                self.pick(&SOURCE_LOGIN, &DESTINATION_LOGIN).fault(detail).help(help)
            }
            Some(state) => self
                .pick(&SOURCE_UNREACHED, &DESTINATION_UNREACHED)
                .fault(format!("{place}: SQLSTATE {}", state.code())),
            // the driver's own word, without the server's: it was asked for a password and has none
            None if server.password.is_none() && !is_io(error) => {
                self.pick(&SOURCE_LOGIN, &DESTINATION_LOGIN).fault(place).help(secret::advice(server))
            }
            None if tls::is_unproven(error) => {
                self.pick(&SOURCE_UNPROVEN, &DESTINATION_UNPROVEN).fault(place).help(tls::PROVE)
            }
            None => self.pick(&SOURCE_UNREACHED, &DESTINATION_UNREACHED).fault(place).help(
                "see that the server runs there, and beyond loopback speaks TLS with a certificate we can verify (?ca=PATH, ?spki=sha256:…)",
            ),
        }
    }

    /// Whoever listens there did not get as far as a session in time.
    pub(super) fn silent(self, server: &Server) -> Fault {
        self.pick(&SOURCE_UNREACHED, &DESTINATION_UNREACHED)
            .fault(format!("{server}: no answer"))
            .help("see that it is PostgreSQL that listens there, and that it is not held up")
    }

    /// The connection ended without a word from the server.
    pub(super) fn gone(self, place: &str) -> Fault {
        self.pick(&SOURCE_GONE, &DESTINATION_GONE)
            .fault(place)
            .help("see that the server runs, then give the same command again: it goes on where it stopped")
    }

    fn login(self, detail: String) -> Fault {
        self.pick(&SOURCE_LOGIN, &DESTINATION_LOGIN)
            .fault(detail)
            .help("check the account, its password file, the database's name and pg_hba.conf")
    }
}

/// Whether the network or the handshake is the reason.
fn is_io(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

/// Why a row was refused, where the error is one row's fault and not the statement's.
pub(super) fn refusal(error: &Error) -> Option<Refusal> {
    let state = error.code()?;
    if *state == SqlState::UNIQUE_VIOLATION || *state == SqlState::EXCLUSION_VIOLATION {
        return Some(Refusal::Unique);
    }
    if *state == SqlState::NOT_NULL_VIOLATION {
        return Some(Refusal::NotNull);
    }
    if *state == SqlState::CHECK_VIOLATION {
        return Some(Refusal::Check);
    }
    if *state == SqlState::FOREIGN_KEY_VIOLATION {
        return Some(Refusal::ForeignKey);
    }
    match class(state) {
        // data exceptions: too long, out of range, bad encoding
        "22" => Some(Refusal::Value),
        // other integrity, raised by a trigger, WITH CHECK OPTION
        "23" | "P0" | "44" => Some(Refusal::Other),
        _ => None,
    }
}

fn class(state: &SqlState) -> &str {
    state.code().get(..2).unwrap_or_default()
}
