//! Rows deleted at a SQLite source, and what SQLite needs so that they leave its file.

use std::path::{Path, PathBuf};

use ecluse_core::catalog::ForeignKey;
use ecluse_core::fault::Result;
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_flow::erase::{Needs, Tied, Which};
use ecluse_flow::failpoint;
use ecluse_flow::ports::{self, Source as _};
use ecluse_flow::shadow::Shadow;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::source::Source;
use super::statement::{self, Statement};
use super::{SOURCE, connect, existing, fault};
use crate::shadows::{Trigger, Written};

/// A SQLite file, opened so that rows may go.
pub struct Eraser {
    source: Source,
    path: PathBuf,
}

impl Eraser {
    /// Opens the file for writing; one that is not there is never created.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub fn open(path: &Path) -> Result<Self> {
        let path = existing(&SOURCE, path)?;
        let connection = connect(&SOURCE, &path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // deleted bytes are overwritten with zeroes, in the pages that stay too; a foreign key of a row that
        // did not move must neither delete nor change it: what refers is counted instead
        connection
            .execute_batch("PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF")
            .map_err(|e| fault(&SOURCE, &e, "session settings"))?;
        Ok(Self { source: Source::over(connection, path.clone())?, path })
    }

    fn connection(&self) -> &Connection {
        self.source.connection()
    }

    /// The file's triggers; none fires in a connection of ours.
    fn code(&self) -> Result<Written> {
        let place = "the schema";
        let schema =
            "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE type IN ('table', 'trigger')";
        let mut written = Written::default();
        let bad = |e: rusqlite::Error| fault(&SOURCE, &e, place);
        let mut statement = self.connection().prepare(schema).map_err(bad)?;
        let mut rows = statement.query([]).map_err(bad)?;
        while let Some(row) = rows.next().map_err(bad)? {
            let kind: String = row.get(0).map_err(bad)?;
            let name = row.get(1).map_err(bad)?;
            if kind == "table" {
                written.tables.push(name);
            } else {
                let (of, text) = (row.get(2).map_err(bad)?, row.get(3).map_err(bad)?);
                written.triggers.push(Trigger { of, name, text, fires: false });
            }
        }
        Ok(written)
    }

    fn run(&self, sql: &str, place: &str) -> Result<()> {
        self.connection().execute_batch(sql).map_err(|e| fault(&SOURCE, &e, place))
    }

    fn changed(&self, statement: &Statement, place: &str) -> Result<u64> {
        let mut prepared =
            self.connection().prepare_cached(&statement.sql).map_err(|e| fault(&SOURCE, &e, place))?;
        let changed = prepared.execute(params_from_iter(&statement.parameters));
        Ok(u64::try_from(changed.map_err(|e| fault(&SOURCE, &e, place))?).unwrap_or(u64::MAX))
    }

    fn count(&self, sql: &str, place: &str) -> Result<u64> {
        let count: i64 =
            self.connection().query_row(sql, [], |row| row.get(0)).map_err(|e| fault(&SOURCE, &e, place))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl ecluse_flow::erase::Eraser for Eraser {
    fn source(&mut self) -> &mut dyn ports::Source {
        &mut self.source
    }

    /// As [`ports::Source::excess`] of the same file.
    fn excess(&mut self, _needs: &Needs<'_>) -> Result<Vec<ports::Excess>> {
        Ok(Vec::new())
    }

    fn shadows(&mut self, tables: &[&str]) -> Result<Vec<Shadow>> {
        Ok(self.code()?.shadows(tables))
    }

    fn begin(&mut self, plan: &Plan, _tables: &[&str]) -> Result<()> {
        // nobody else writes from here on, and the snapshot is of this moment
        self.source.free()?;
        self.run("BEGIN IMMEDIATE", "erasure")?;
        self.source.begun(plan)
    }

    fn delete(&mut self, table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<u64> {
        self.source.free()?;
        let mut gone = 0;
        for rows in rows(table, plan, which)? {
            gone += self.changed(&statement::delete_at_source(table, rows), table.source())?;
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
        self.source.free()?;
        let mut gone = 0;
        for rows in rows(table, plan, which)? {
            gone += self.changed(&statement::delete_beside(along, table, rows), &along.table)?;
        }
        Ok(gone)
    }

    fn tied(&mut self, child: &str, key: &ForeignKey, as_text: bool) -> Result<Tied> {
        self.source.free()?;
        let (named, orphans) = crate::sql::tied(ecluse_core::types::Engine::Sqlite, child, key, as_text);
        Ok(Tied { named: self.count(&named, child)?, orphans: self.count(&orphans, child)? })
    }

    fn sees_all(&mut self) -> Result<bool> {
        Ok(true)
    }

    fn commit(&mut self) -> Result<()> {
        self.source.free()?;
        failpoint::hit("sqlite_erase.commit.before");
        self.run("COMMIT", "erasure")?;
        failpoint::hit("sqlite_erase.commit.after");
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.source.close()
    }

    fn settle(&mut self, _tables: &[&str]) -> Result<String> {
        self.source.free()?;
        // the log first: VACUUM writes the whole file anew through it, and the second one empties it
        self.run("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM")?;
        Ok("DELETE under PRAGMA secure_delete, VACUUM, wal_checkpoint(TRUNCATE)".to_owned())
    }

    fn beyond(&mut self, _tables: &[&str]) -> Result<Vec<String>> {
        let name = self.path.display();
        Ok(vec![
            format!(
                "the disk under {name}: blocks that the file gave back, snapshots of its file system, flash"
            ),
            format!("backups of {name}"),
        ])
    }
}

/// ` WHERE …` of a range, or of each key.
fn rows(table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<Vec<Statement>> {
    match which {
        Which::Range(range) => Ok(vec![statement::at_source(table, plan, range)?]),
        Which::Keys(keys) => keys.iter().map(|key| statement::at_key(table, key)).collect(),
    }
}
