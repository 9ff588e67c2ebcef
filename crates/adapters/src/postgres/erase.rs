//! Rows deleted at a PostgreSQL source by its administrator, and what reaches its files afterwards.

use ecluse_core::catalog::ForeignKey;
use ecluse_core::fault::Result;
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::erase::{Needs, Tied, Which};
use ecluse_flow::failpoint;
use ecluse_flow::ports;
use ecluse_flow::shadow::Shadow;
use tokio_postgres::types::ToSql;

use super::bound::Bound;
use super::code;
use super::connect::Link;
use super::probe;
use super::source::{Source, key_sides};
use super::text::{key as compared, relation};
use crate::sql;
use crate::url::Server;

/// Whether VACUUM writes the table `$1` anew for this role: its owner's, the database's, and from PostgreSQL 17 on
/// whoever has MAINTAIN.
const OWNS: &str = "\
    SELECT pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE') \
        OR CASE WHEN current_setting('server_version_num')::int >= 170000 \
                THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END \
    FROM pg_catalog.pg_class c, pg_catalog.pg_database d \
    WHERE c.oid = to_regclass($1::text) AND d.datname = current_database()";

/// A PostgreSQL database, opened so that rows may go.
pub struct Eraser {
    source: Source,
    /// Whether the session is a replica's: ordinary triggers, rules and foreign keys sleep.
    replica: bool,
}

impl Eraser {
    /// Connects; deletes nothing yet.
    ///
    /// # Errors
    ///
    /// As [`Source::connect`].
    pub fn connect(server: &Server) -> Result<Self> {
        let source = Source::connect(server)?;
        source.writes()?;
        // a superuser may, and whom one granted it to: no trigger copies what goes, and no foreign key of a row
        // that did not move deletes or changes it; what refers is counted in any case
        let replica =
            source.link().batch("SET session_replication_role = replica", "session settings").is_ok();
        Ok(Self { source, replica })
    }

    fn link(&self) -> &Link {
        self.source.link()
    }

    /// Runs a DELETE; how many rows went.
    fn changed(&self, sql: &str, values: &[Value], place: &str) -> Result<u64> {
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let done = self.link().run(self.link().client().execute(sql, &parameters));
        done.map_err(|e| self.link().side().fault(&e, place))
    }

    /// Tables that are another's to write anew: to this role the server would only warn, and leave them.
    fn others<'t>(&self, tables: &[&'t str]) -> Result<Vec<&'t str>> {
        let mut left = Vec::new();
        for table in tables.iter().copied() {
            if !self.link().one::<bool>(OWNS, &[&relation(table)], table)? {
                left.push(table);
            }
        }
        Ok(left)
    }

    fn count(&self, sql: &str, place: &str) -> Result<u64> {
        let count: i64 = self.link().one(sql, &[], place)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn texts(&self, sql: &str, place: &str) -> Result<Vec<String>> {
        let rows = self.link().query(sql, &[], place)?;
        Ok(rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok()).collect())
    }
}

impl ecluse_flow::erase::Eraser for Eraser {
    fn source(&mut self) -> &mut dyn ports::Source {
        &mut self.source
    }

    fn excess(&mut self, needs: &Needs<'_>) -> Result<Vec<ports::Excess>> {
        probe::of_eraser(self.link(), needs)
    }

    fn shadows(&mut self, tables: &[&str]) -> Result<Vec<Shadow>> {
        Ok(code::written(self.link(), self.replica)?.shadows(tables))
    }

    fn begin(&mut self, plan: &Plan, tables: &[&str]) -> Result<()> {
        // the locks before the snapshot, which the first query takes: what is compared is what is deleted
        self.link().batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE", "erasure")?;
        for table in tables {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", relation(table));
            self.link().batch(&lock, table)?;
        }
        self.source.begun(plan);
        Ok(())
    }

    fn delete(&mut self, table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<u64> {
        let mut gone = 0;
        for (condition, values) in rows(table, plan, which)? {
            let sql = format!("DELETE FROM {}{condition}", relation(table.source()));
            gone += self.changed(&sql, &values, table.source())?;
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
        let ty = table.read().iter().find(|column| column.name == along.to).map_or(Type::Text, |c| c.ty);
        let mut gone = 0;
        for (condition, values) in rows(table, plan, which)? {
            let sql = format!(
                "DELETE FROM {} WHERE {} IN (SELECT {} FROM {}{condition})",
                relation(&along.table),
                compared(&along.column, ty),
                compared(&along.to, ty),
                relation(table.source())
            );
            gone += self.changed(&sql, &values, &along.table)?;
        }
        Ok(gone)
    }

    fn tied(&mut self, child: &str, key: &ForeignKey, as_text: bool) -> Result<Tied> {
        let (named, orphans) = sql::tied(Engine::Postgresql, child, key, as_text);
        Ok(Tied { named: self.count(&named, child)?, orphans: self.count(&orphans, child)? })
    }

    fn sees_all(&mut self) -> Result<bool> {
        // the catalogue is open to every role
        Ok(true)
    }

    fn commit(&mut self) -> Result<()> {
        failpoint::hit("postgres.erase.commit.before");
        self.link().batch("COMMIT", "erasure")?;
        failpoint::hit("postgres.erase.commit.after");
        self.source.ended();
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.source.ended();
        self.link().batch("ROLLBACK", "erasure")
    }

    fn settle(&mut self, tables: &[&str]) -> Result<String> {
        let left = self.others(tables)?;
        for table in tables.iter().filter(|table| !left.contains(table)) {
            // writes the table and its indexes anew: a plain VACUUM leaves the deleted bytes in their pages
            self.link().batch(&format!("VACUUM (FULL) {}", relation(table)), table)?;
        }
        let checkpoint = self.link().run(self.link().client().batch_execute("CHECKPOINT"));
        let mut method = match left.len() {
            0 => "DELETE, VACUUM FULL".to_owned(),
            _ => format!("DELETE; VACUUM FULL is left to the owner of {}", left.join(", ")),
        };
        method.push_str(if checkpoint.is_ok() {
            ", CHECKPOINT"
        } else {
            "; the role may give no CHECKPOINT"
        });
        Ok(method)
    }

    fn beyond(&mut self, tables: &[&str]) -> Result<Vec<String>> {
        let left = self.others(tables)?;
        let dead = (!left.is_empty()).then(|| {
            format!(
                "dead rows in the files of {}, until their owner runs VACUUM (FULL): this role may not",
                left.join(", ")
            )
        });
        let mut places = vec![
            "the write-ahead log (pg_wal) of the server, until it is recycled".to_owned(),
            "the disk under the data directory: blocks given back, snapshots of its file system, flash"
                .to_owned(),
            "backups of the server, and dumps that somebody made".to_owned(),
            "the server's own logs, where they hold statements".to_owned(),
        ];
        if self.texts("SELECT current_setting('archive_mode')", "settings")?.iter().any(|mode| mode != "off")
        {
            places.push("archived write-ahead log (archive_mode is on)".to_owned());
        }
        let slots = "SELECT slot_name::text FROM pg_catalog.pg_replication_slots ORDER BY 1";
        for slot in self.texts(slots, "replication slots")? {
            places.push(format!("the replica behind the replication slot {slot}"));
        }
        places.extend(dead);
        Ok(places)
    }
}

/// ` WHERE …`, and what it binds, of a range, or of each key.
fn rows(table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<Vec<(String, Vec<Value>)>> {
    match which {
        Which::Range(range) => Ok(vec![within(table, plan, range)?]),
        Which::Keys(keys) => Ok(keys.iter().map(|key| at(table, key)).collect()),
    }
}

/// ` WHERE …`, and what it binds: the rows asked for of a range, at the source.
fn within(table: &TablePlan, plan: &Plan, range: &KeyRange) -> Result<(String, Vec<Value>)> {
    let condition = sql::condition(Engine::Postgresql, table, plan, 1)?;
    let (mut parts, mut values) = condition.map(|c| (vec![c.text], c.parameters)).unwrap_or_default();
    let columns = key(table);
    for (bound, sign) in [(&range.after, ">"), (&range.upto, "<=")] {
        if let Some(Key(bound)) = bound {
            let (left, right) = key_sides(&columns, values.len());
            parts.push(format!("({left}) {sign} ({right})"));
            values.extend(bound.iter().cloned());
        }
    }
    // each in brackets: a condition may hold OR
    let all: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
    let all = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
    Ok((all, values))
}

/// The same of the row of this key.
fn at(table: &TablePlan, Key(values): &Key) -> (String, Vec<Value>) {
    let (left, right) = key_sides(&key(table), 0);
    (format!(" WHERE ({left}) = ({right})"), values.clone())
}

fn key(table: &TablePlan) -> Vec<(&str, ecluse_core::types::Type)> {
    table.key().iter().filter_map(|i| table.read().get(*i)).map(|c| (c.name.as_str(), c.ty)).collect()
}
