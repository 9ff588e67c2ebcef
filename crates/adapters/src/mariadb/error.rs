//! The engine's errors as coded faults: errno, SQLSTATE and place, never a text: it quotes values.

use ecluse_core::fault::{Code, Fault};
use ecluse_flow::ports::Refusal;
use mysql_async::{DriverError, Error, IoError};

use crate::tls;

/// The errors the server can give, by the end at which it stands.
struct Codes {
    unreached: Code,
    login: Code,
    lost: Code,
    failed: Code,
    denied: Code,
    changed: Code,
    unproven: Code,
    no_database: Code,
}

static SOURCE: Codes = Codes {
    unreached: Code::outside("ECL-SRC-201", "the MariaDB server cannot be reached"),
    login: Code::refused("ECL-SRC-202", "the MariaDB server refused the account"),
    lost: Code::outside("ECL-SRC-203", "the connection to the MariaDB server was lost"),
    failed: Code::outside("ECL-SRC-204", "MariaDB refused a statement"),
    denied: Code::refused("ECL-SRC-205", "the account may not do what the plan needs"),
    changed: Code::refused("ECL-SRC-206", "a table or column of the plan is not there any more"),
    unproven: Code::refused("ECL-SRC-216", "the MariaDB server is not proven to be the one that was named"),
    no_database: Code::refused("ECL-SRC-217", "there is no such database"),
};

static DESTINATION: Codes = Codes {
    unreached: Code::outside("ECL-DST-201", "the MariaDB destination cannot be reached"),
    login: Code::refused("ECL-DST-202", "the MariaDB destination refused the account"),
    lost: Code::outside("ECL-DST-203", "the connection to the MariaDB destination was lost"),
    failed: Code::refused("ECL-DST-204", "the MariaDB destination refused a statement"),
    denied: Code::refused("ECL-DST-205", "the account may not do what the load needs"),
    changed: Code::refused("ECL-DST-206", "a table or column of the plan is not at the destination any more"),
    unproven: Code::refused(
        "ECL-DST-216",
        "the MariaDB destination is not proven to be the one that was named",
    ),
    no_database: Code::refused("ECL-DST-217", "the MariaDB destination has no such database"),
};

/// The destination waited for a lock of somebody else.
static BUSY: Code = Code::outside("ECL-DST-208", "the MariaDB destination would not wait for a lock");
/// The destination lacks room or memory.
static SHORT: Code = Code::outside("ECL-DST-209", "the MariaDB destination is short of a resource");

/// Which end of the migration a connection is: its faults have codes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Side {
    const fn codes(self) -> &'static Codes {
        match self {
            Self::Source => &SOURCE,
            Self::Destination => &DESTINATION,
        }
    }

    /// A statement's error. `place` names a table or a step.
    pub(super) fn fault(self, error: &Error, place: &str) -> Fault {
        let codes = self.codes();
        let lost = |detail: String| {
            codes.lost.fault(detail).help("Run the same command again: it goes on where it stopped.")
        };
        let server = match error {
            Error::Server(server) => server,
            Error::Io(IoError::Io(_) | IoError::Tls(_)) | Error::Driver(DriverError::ConnectionClosed) => {
                return lost(place.to_owned());
            }
            _ => return codes.failed.fault(format!("{place} (driver)")),
        };
        let detail = format!("{place} (errno {}, SQLSTATE {})", server.code, server.state);
        match server.code {
            // access denied: wrong password, no right on the database, socket account
            1044 | 1045 | 1698 => {
                codes.login.fault(detail).help("Check the account, its host and its password file.")
            }
            1049 => codes.no_database.fault(detail).help("Check the database's name at the end of the URL."),
            // command, column, routine or view denied; the view's definer is gone or lost its rights
            1142 | 1143 | 1227 | 1345 | 1356 | 1370 | 1449 => codes.denied.fault(detail).help(match self {
                Self::Source => "Let the administrator run the script that `ecluse grants` prints.",
                Self::Destination => {
                    "Let the administrator grant the account all rights on the destination's database."
                }
            }),
            // no such table or column; table definition changed
            1054 | 1109 | 1146 | 1412 => codes.changed.fault(detail).help(match self {
                Self::Source => "Survey again, and let the instruction be signed anew.",
                Self::Destination => "Put the table back as it was when the instruction was signed.",
            }),
            // too many connections, shutdown, lost connection, killed
            1040 | 1053 | 1077 | 1152 | 1158 | 1159 | 1160 | 1161 | 1317 | 1927 | 2006 | 2013 => lost(detail),
            // lock wait timeout, deadlock
            1205 | 1213 if self == Self::Destination => BUSY
                .fault(detail)
                .help("See who holds the lock (SHOW PROCESSLIST), then run the same command again."),
            // disk full, memory, sort memory, table full, too many locks
            1021 | 1037 | 1038 | 1041 | 1114 | 1206 if self == Self::Destination => {
                SHORT.fault(detail).help("Make room at the server, then run the same command again.")
            }
            _ => codes.failed.fault(detail),
        }
    }

    /// An error while connecting.
    pub(super) fn unreached(self, error: &Error, place: &str) -> Fault {
        match error {
            Error::Server(_) => self.fault(error, place),
            _ if tls::is_unproven(error) => self.codes().unproven.fault(place).help(tls::PROVE),
            _ => self.silent(place).help(
                "Check the address, and that the server runs and speaks TLS where it is not on this machine.",
            ),
        }
    }

    /// Nobody answers there.
    pub(super) fn silent(self, place: &str) -> Fault {
        self.codes().unreached.fault(place)
    }

    /// Whether a fault says that the account was refused.
    pub(super) fn is_login(self, fault: &Fault) -> bool {
        *fault.code() == self.codes().login
    }
}

/// Why a row was refused, where the error is one row's fault and not the statement's.
pub(super) fn refusal(error: &Error) -> Option<Refusal> {
    let Error::Server(server) = error else { return None };
    match server.code {
        // duplicate key; the same, its value not shown
        1022 | 1062 | 1586 | 1859 => Some(Refusal::Unique),
        // NULL where none may be; no value and no default
        1048 | 1263 | 1364 => Some(Refusal::NotNull),
        4025 => Some(Refusal::Check),
        1216 | 1452 => Some(Refusal::ForeignKey),
        // out of range, truncated, wrong date or number, undecodable text, too long, no partition for it,
        // a row wider than a page
        1118 | 1264 | 1265 | 1292 | 1300 | 1366 | 1367 | 1406 | 1411 | 1441 | 1526 | 1690 => {
            Some(Refusal::Value)
        }
        // raised by a trigger; WITH CHECK OPTION; a trigger's own statement
        1369 | 1423 | 1644 => Some(Refusal::Other),
        _ if server.state == "45000" => Some(Refusal::Other),
        _ => None,
    }
}
