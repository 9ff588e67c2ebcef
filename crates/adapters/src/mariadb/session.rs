//! One connection, its settings, and how it is asked.

use std::time::Duration;

use ecluse_core::fault::Result;
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, Error, Opts, OptsBuilder, Params, Row, Statement, Value};
use tokio::runtime::Runtime;

use super::error::Side;
use crate::secret;
use crate::url::Server;

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

/// A connection with its own runtime: the ports are synchronous.
pub(super) struct Session {
    runtime: Runtime,
    connection: Conn,
    opts: Opts,
    patience: Duration,
    side: Side,
    latin1: Vec<u16>,
}

/// What the server says of a statement that changed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// Rows it wrote.
    pub(super) rows: u64,
    /// Warnings and notes: none is harmless where rows must arrive as they were sent.
    pub(super) warnings: u16,
}

impl Session {
    /// Connects and sets everything that statements depend on.
    pub(super) fn open(opts: OptsBuilder, server: &Server, side: Side) -> Result<Self> {
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
        let runtime = runtime.map_err(|_os_text| side.silent("no event loop"))?;
        let connection =
            runtime.block_on(connect(opts.clone(), server.patience, side, place)).map_err(|refused| {
                let advice = || format!("{}, and its host", secret::advice(server));
                if side.is_login(&refused) { refused.help(advice()) } else { refused }
            })?;
        let patience = server.patience;
        let mut session = Self { runtime, connection, opts, patience, side, latin1: Vec::new() };
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
        self.runtime.block_on(self.connection.query_drop(sql)).map_err(|e| self.side.fault(&e, place))
    }

    /// A small answer, whole.
    pub(super) fn rows(&mut self, sql: &str, parameters: Vec<Value>, place: &str) -> Result<Vec<Row>> {
        let answer = self.connection.exec(sql, bound(parameters));
        self.runtime.block_on(answer).map_err(|e| self.side.fault(&e, place))
    }

    /// Makes a statement that is sent many times.
    pub(super) fn prepare(&mut self, sql: &str, place: &str) -> Result<Statement> {
        self.runtime.block_on(self.connection.prep(sql)).map_err(|e| self.side.fault(&e, place))
    }

    /// Forgets it, here and at the server.
    pub(super) fn forget(&mut self, statement: Statement, place: &str) -> Result<()> {
        self.runtime.block_on(self.connection.close(statement)).map_err(|e| self.side.fault(&e, place))
    }

    /// Sends a prepared statement with its values; the engine's error as it is, for whoever asks
    /// whether it is a row's.
    pub(super) fn change(&mut self, statement: &Statement, values: Vec<Value>) -> Result<Changed, Error> {
        self.runtime.block_on(async {
            let answer = self.connection.exec_iter(statement, bound(values)).await?;
            let changed = Changed { rows: answer.affected_rows(), warnings: answer.warnings() };
            answer.drop_result().await?;
            Ok(changed)
        })
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
        let Self { runtime, connection, opts, patience, side, latin1 } = self;
        let fault = |e: &Error, place: &str| side.fault(e, place);
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
                    if let Ok(mut second) = connect(opts.clone(), *patience, *side, place).await {
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

async fn connect(opts: Opts, patience: Duration, side: Side, place: &str) -> Result<Conn> {
    match tokio::time::timeout(patience, Conn::new(opts)).await {
        Ok(connected) => connected.map_err(|e| side.unreached(&e, place)),
        Err(_elapsed) => Err(side.silent(&format!("{place}: no answer"))),
    }
}

fn bound(parameters: Vec<Value>) -> Params {
    if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) }
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
