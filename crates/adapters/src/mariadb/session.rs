//! One connection, its settings, and how it is asked.

use std::time::Duration;

use ecluse_core::fault::{Code, Fault, Result};
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, DriverError, Error, IoError, Opts, OptsBuilder, Params, Row, Value};
use tokio::runtime::Runtime;

use crate::url::Server;
use crate::{secret, tls};

static UNREACHABLE: Code = Code::outside("ECL-SRC-201", "the MariaDB server cannot be reached");
static UNPROVEN: Code =
    Code::refused("ECL-SRC-216", "the MariaDB server is not proven to be the one that was named");
static NO_DATABASE: Code = Code::refused("ECL-SRC-217", "there is no such database");
static DENIED: Code = Code::refused("ECL-SRC-202", "the MariaDB server refused the account");
static LOST: Code = Code::outside("ECL-SRC-203", "the connection to the MariaDB server was lost");
static FAILED: Code = Code::outside("ECL-SRC-204", "MariaDB refused a statement");
static FORBIDDEN: Code = Code::refused("ECL-SRC-205", "the account may not do what the plan needs");
static CHANGED: Code = Code::refused("ECL-SRC-206", "a table or column of the plan is not there any more");

/// Settings every statement depends on. Everything that could change a value's text, cut a
/// result short or hide a bad value is said here and not left to the server's configuration.
const SETTINGS: [&str; 4] = [
    "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin",
    // text comes as it is stored, in its column's own character set: a conversion by the
    // server would put '?' in the place of what it cannot convert, in silence
    "SET character_set_results = NULL",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', sql_select_limit = 18446744073709551615, sql_big_selects = 1, \
     max_statement_time = 0, max_sort_length = 8192, lock_wait_timeout = 30, \
     net_write_timeout = 86400, wait_timeout = 86400",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
];

/// How long a connection may take to stand.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection with its own runtime: the ports are synchronous.
pub(super) struct Session {
    runtime: Runtime,
    connection: Conn,
    opts: Opts,
    latin1: Vec<u16>,
}

impl Session {
    /// Connects and sets everything that statements depend on.
    pub(super) fn open(opts: OptsBuilder, server: &Server) -> Result<Self> {
        let place = &server.to_string();
        let opts: Opts = opts
            // a second connection over the server's socket, or compressed, is never made unasked
            .prefer_socket(false)
            .stmt_cache_size(0)
            .tcp_nodelay(true)
            .max_allowed_packet(Some(1 << 30))
            .wait_timeout(Some(86_400))
            .into();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_os_text| UNREACHABLE.fault("no event loop"))?;
        let connection = runtime.block_on(connect(opts.clone(), place)).map_err(|refused| {
            let advice = || format!("{}, and its host", secret::advice(server));
            if *refused.code() == DENIED { refused.help(advice()) } else { refused }
        })?;
        let mut session = Self { runtime, connection, opts, latin1: Vec::new() };
        for setting in SETTINGS {
            session.run(setting, "session settings")?;
        }
        let ids = "SELECT id FROM information_schema.collations WHERE character_set_name = 'latin1'";
        for row in session.rows(ids, Vec::new(), "collations")? {
            session.latin1.extend(number(&row, 0).and_then(|id| u16::try_from(id).ok()));
        }
        Ok(session)
    }

    /// Runs a statement that answers nothing.
    pub(super) fn run(&mut self, sql: &str, place: &str) -> Result<()> {
        self.runtime.block_on(self.connection.query_drop(sql)).map_err(|e| fault(&e, place))
    }

    /// A small answer, whole.
    pub(super) fn rows(&mut self, sql: &str, parameters: Vec<Value>, place: &str) -> Result<Vec<Row>> {
        let answer = self.connection.exec(sql, bound(parameters));
        self.runtime.block_on(answer).map_err(|e| fault(&e, place))
    }

    /// A large answer, row by row as it arrives: one packet of the server is held at a time.
    /// `each(row, latin1)`: which columns' text is in `latin1`.
    ///
    /// An error of `each` ends the statement at the server too, so that the connection is free.
    pub(super) fn stream(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        place: &str,
        each: &mut dyn FnMut(&Row, &[bool]) -> Result<()>,
    ) -> Result<()> {
        let Self { runtime, connection, opts, latin1 } = self;
        let id = connection.id();
        runtime.block_on(async {
            let mut answer =
                connection.exec_iter(sql, bound(parameters)).await.map_err(|e| fault(&e, place))?;
            let in_latin1: Vec<bool> = answer
                .columns_ref()
                .iter()
                .map(|column: &Column| latin1.contains(&column.character_set()))
                .collect();
            while let Some(row) = answer.next().await.map_err(|e| fault(&e, place))? {
                if let Err(stop) = each(&row, &in_latin1) {
                    // without this the rest of a large table would be read to be thrown away
                    if let Ok(mut second) = connect(opts.clone(), place).await {
                        let _ = second.query_drop(format!("KILL QUERY {id}")).await;
                        let _ = second.disconnect().await;
                    }
                    let _ = answer.drop_result().await;
                    return Err(stop);
                }
            }
            Ok(())
        })
    }
}

async fn connect(opts: Opts, place: &str) -> Result<Conn> {
    match tokio::time::timeout(PATIENCE, Conn::new(opts)).await {
        Ok(connected) => connected.map_err(|e| match &e {
            Error::Server(_) => fault(&e, place),
            _ if tls::is_unproven(&e) => UNPROVEN.fault(place).help(tls::PROVE),
            _ => UNREACHABLE.fault(place).help(
                "Check the address, and that the server runs and speaks TLS where it is not on this machine.",
            ),
        }),
        Err(_elapsed) => Err(UNREACHABLE.fault(format!("{place}: no answer"))),
    }
}

fn bound(parameters: Vec<Value>) -> Params {
    if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) }
}

/// A driver's error as a coded fault: errno, SQLSTATE and the place, never a text: it quotes values.
fn fault(error: &Error, place: &str) -> Fault {
    let server = match error {
        Error::Server(server) => server,
        Error::Io(IoError::Io(_) | IoError::Tls(_)) | Error::Driver(DriverError::ConnectionClosed) => {
            return LOST.fault(place).help("Run the same command again: it goes on where it stopped.");
        }
        _ => return FAILED.fault(format!("{place} (driver)")),
    };
    let detail = format!("{place} (errno {}, SQLSTATE {})", server.code, server.state);
    match server.code {
        // access denied: wrong password, no right on the database, socket account
        1044 | 1045 | 1698 => DENIED.fault(detail).help("Check the account, its host and its password file."),
        1049 => NO_DATABASE.fault(detail).help("Check the database's name at the end of the URL."),
        // command, column, routine or view denied; the view's definer is gone or lost its rights
        1142 | 1143 | 1227 | 1345 | 1356 | 1370 | 1449 => {
            FORBIDDEN.fault(detail).help("Let the administrator run the script that `ecluse grants` prints.")
        }
        // no such table or column; table definition changed
        1054 | 1109 | 1146 | 1412 => {
            CHANGED.fault(detail).help("Survey again, and let the instruction be signed anew.")
        }
        // too many connections, shutdown, lost connection, killed
        1040 | 1053 | 1077 | 1152 | 1158 | 1159 | 1160 | 1161 | 1927 | 2006 | 2013 => {
            LOST.fault(detail).help("Run the same command again: it goes on where it stopped.")
        }
        _ => FAILED.fault(detail),
    }
}

/// A text column of a small answer; empty where it is NULL.
pub(super) fn text(row: &Row, column: usize) -> String {
    match row.as_ref(column) {
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

/// A number of a small answer.
pub(super) fn number(row: &Row, column: usize) -> Option<u64> {
    match row.as_ref(column) {
        Some(Value::UInt(n)) => Some(*n),
        Some(Value::Int(n)) => u64::try_from(*n).ok(),
        Some(Value::Bytes(bytes)) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}
