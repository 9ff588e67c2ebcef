//! Rows deleted at a MariaDB source by its administrator, and what reaches its files afterwards.
//!
//! In the row format, the DELETE itself writes every deleted row into a new file of the binary log. Where the
//! role may keep its session out of that log and no replica hangs on it, it does; else the log is a place that
//! somebody answers for.

use ecluse_core::catalog::ForeignKey;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_flow::erase::{Needs, Tied, Which};
use ecluse_flow::failpoint;
use ecluse_flow::ports;
use ecluse_flow::shadow::Shadow;

use super::code;
use super::error::Side;
use super::probe;
use super::session::{Session, number, text};
use super::source::Source;
use super::statement::{self, Statement, quoted};
use crate::sql;
use crate::url::Server;

static LEFT: Code = Code::outside("ECL-ERA-031", "a table was not made anew after its rows went");

/// A MariaDB database, opened so that rows may go.
pub struct Eraser {
    source: Source,
    /// Whether the server writes a binary log, and whether this session is kept out of it.
    log: Log,
}

/// What of the deletion the binary log gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    /// There is none.
    None,
    /// This session writes nothing into it.
    Out,
    /// It gets every deleted row.
    In,
}

impl Eraser {
    /// Connects; deletes nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Source::connect`].
    pub fn connect(server: &Server) -> Result<Self> {
        let mut this = Self { source: Source::connect(server)?, log: Log::None };
        // a foreign key of a row that did not move must neither delete nor change it: what refers is counted
        this.session().run("SET SESSION foreign_key_checks = 0", "session settings")?;
        let logged = this.session().rows("SELECT @@log_bin", Vec::new(), "binary log")?;
        if logged.first().and_then(|row| number(row, 0)) == Some(1) {
            let replicas = this.replicas();
            let out = replicas == Some(0)
                && this.session().run("SET SESSION sql_log_bin = 0", "binary log").is_ok();
            this.log = if out { Log::Out } else { Log::In };
        }
        Ok(this)
    }

    fn session(&mut self) -> &mut Session {
        self.source.session()
    }

    /// Replicas that hang on the server now; `None` where this account may not know.
    fn replicas(&mut self) -> Option<usize> {
        let threads = "SELECT count(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
        // without PROCESS the list holds the own threads alone, and would say nobody is there
        let sees = "SELECT count(*) FROM information_schema.user_privileges WHERE privilege_type = 'PROCESS' \
                    AND grantee = concat(quote(substring_index(current_user(), '@', 1)), '@', \
                    quote(substring_index(current_user(), '@', -1)))";
        let mut ask = |sql: &str| {
            let rows = self.source.session().rows(sql, Vec::new(), "replicas").ok()?;
            rows.first().and_then(|row| number(row, 0))
        };
        if ask(sees)? == 0 {
            return None;
        }
        usize::try_from(ask(threads)?).ok()
    }

    fn changed(&mut self, statement: Statement, place: &str) -> Result<u64> {
        let Statement { sql, parameters } = statement;
        let prepared = self.session().prepare(&sql, place)?;
        let changed = self.session().change(&prepared, parameters).map_err(|e| Side::Source.fault(&e, place));
        self.session().forget(prepared, place)?;
        Ok(changed?.rows)
    }

    fn count(&mut self, sql: &str, place: &str) -> Result<u64> {
        let rows = self.session().rows(sql, Vec::new(), place)?;
        Ok(rows.first().and_then(|row| number(row, 0)).unwrap_or(0))
    }
}

impl ecluse_flow::erase::Eraser for Eraser {
    fn source(&mut self) -> &mut dyn ports::Source {
        &mut self.source
    }

    fn excess(&mut self, needs: &Needs<'_>) -> Result<Vec<ports::Excess>> {
        let database = self.source.database().to_owned();
        probe::of_eraser(self.session(), needs, &database)
    }

    fn shadows(&mut self, tables: &[&str]) -> Result<Vec<Shadow>> {
        Ok(code::written(self.session(), tables)?.shadows(tables))
    }

    fn begin(&mut self, plan: &Plan, tables: &[&str]) -> Result<()> {
        code::engines(self.session(), tables)?;
        // reads lock what they read and the gaps between: what is compared stands until it is deleted
        self.session().run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "erasure")?;
        self.session().run("START TRANSACTION", "erasure")?;
        self.source.begun(plan);
        Ok(())
    }

    fn delete(&mut self, table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<u64> {
        let mut gone = 0;
        for rows in rows(table, plan, which)? {
            gone += self.changed(statement::delete_at_source(table, rows), table.source())?;
        }
        Ok(gone)
    }

    fn delete_beside(
        &mut self,
        along: &Referring,
        table: &TablePlan,
        plan: &Plan,
        which: Which<'_>,
    ) -> Result<u64> {
        let mut gone = 0;
        for rows in rows(table, plan, which)? {
            gone += self.changed(statement::delete_beside(along, table, rows), &along.table)?;
        }
        Ok(gone)
    }

    fn tied(&mut self, child: &str, key: &ForeignKey, as_text: bool) -> Result<Tied> {
        let (named, orphans) = sql::tied(Engine::Mariadb, child, key, as_text);
        Ok(Tied { named: self.count(&named, child)?, orphans: self.count(&orphans, child)? })
    }

    fn sees_all(&mut self) -> Result<bool> {
        code::sees_all(self.session())
    }

    fn commit(&mut self) -> Result<()> {
        failpoint::hit("mariadb.erase.commit.before");
        self.session().run("COMMIT", "erasure")?;
        failpoint::hit("mariadb.erase.commit.after");
        self.source.ended();
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.source.ended();
        self.session().run("ROLLBACK", "erasure")
    }

    fn settle(&mut self, tables: &[&str]) -> Result<String> {
        for table in tables {
            // InnoDB makes the table anew; its answer is a row of words
            let optimize = format!("OPTIMIZE NO_WRITE_TO_BINLOG TABLE {}", quoted(table));
            let said = self.session().rows(&optimize, Vec::new(), table);
            // refused, or an answer that says so: either way the bytes may stand there
            let error = match said {
                Ok(said) => said.iter().any(|row| text(row, 2).eq_ignore_ascii_case("error")),
                Err(_) => true,
            };
            if error {
                return Err(LEFT.fault(format!("table {table}")).help(
                    "its rows are gone, and their bytes may stand in its file: give the account INSERT on it, or make room on the disk; then: ecluse erase --source",
                ));
            }
        }
        Ok(match self.log {
            Log::None => "DELETE, OPTIMIZE TABLE; the server keeps no binary log".to_owned(),
            Log::Out => "DELETE with sql_log_bin = 0, OPTIMIZE TABLE".to_owned(),
            Log::In => "DELETE, OPTIMIZE TABLE; the binary log holds the deleted rows".to_owned(),
        })
    }

    fn beyond(&mut self, _tables: &[&str]) -> Result<Vec<String>> {
        let mut places = vec![
            "undo and redo log of InnoDB, until they are written over".to_owned(),
            "the disk under the data directory: blocks given back, snapshots of its file system, flash"
                .to_owned(),
            "backups of the server, and dumps that somebody made".to_owned(),
            "the server's own logs, where they hold statements".to_owned(),
        ];
        let own = self.session().rows("SELECT @@innodb_file_per_table", Vec::new(), "files")?;
        if own.first().and_then(|row| number(row, 0)) != Some(1) {
            places.push(
                "freed pages of the shared tablespace (ibdata1): innodb_file_per_table is off".to_owned(),
            );
        }
        match self.log {
            Log::None => {}
            Log::Out => places.push(
                "the binary log of the time before: its administrator purges it (PURGE BINARY LOGS)".to_owned(),
            ),
            Log::In => places.push(
                "the binary log, which gets every row that is deleted: its administrator purges it AFTER the erasure (FLUSH BINARY LOGS; PURGE BINARY LOGS), on replicas too".to_owned(),
            ),
        }
        let hosts = self.session().rows("SHOW REPLICA HOSTS", Vec::new(), "replicas").unwrap_or_default();
        places.extend(hosts.iter().map(|row| format!("the replica {}", text(row, 1))));
        if self.log == Log::In {
            places.push("replicas that hang on the server, if any does: this account cannot tell".to_owned());
        }
        Ok(places)
    }
}

/// ` WHERE …` of a range, or of each key.
fn rows(table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<Vec<Statement>> {
    match which {
        Which::Range(range) => Ok(vec![statement::at_source(table, plan, range)?]),
        Which::Keys(keys) => keys.iter().map(|key| statement::at_key(table, key)).collect(),
    }
}
