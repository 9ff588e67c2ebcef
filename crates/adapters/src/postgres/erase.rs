//! Rows deleted at a PostgreSQL source by its administrator, and what reaches its files afterwards.

use ecluse_core::catalog::ForeignKey;
use ecluse_core::fault::Result;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::erase::{Tied, Which};
use ecluse_flow::failpoint;
use ecluse_flow::ports;
use ecluse_flow::shadow::Shadow;
use tokio_postgres::types::ToSql;

use super::bound::Bound;
use super::code;
use super::connect::Link;
use super::source::{Source, key_sides};
use super::text::relation;
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

    fn delete(&self, table: &TablePlan, (condition, values): &(String, Vec<Value>)) -> Result<u64> {
        let place = table.source();
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let sql = format!("DELETE FROM {}{condition}", relation(place));
        let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|b| b as _).collect();
        let done = self.link().run(self.link().client().execute(sql.as_str(), &parameters));
        done.map_err(|e| self.link().side().fault(&e, place))
    }

    /// Tables that are another's to write anew: to this role the server would only warn, and leave them.
    fn others<'p>(&self, plan: &'p Plan) -> Result<Vec<&'p str>> {
        let mut left = Vec::new();
        for table in plan.tables().iter().map(TablePlan::source) {
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

    fn shadows(&mut self, plan: &Plan) -> Result<Vec<Shadow>> {
        let ordered: Vec<&str> = plan.tables().iter().map(TablePlan::source).collect();
        Ok(code::written(self.link(), self.replica)?.shadows(&ordered))
    }

    fn begin(&mut self, plan: &Plan) -> Result<()> {
        // the locks before the snapshot, which the first query takes: what is compared is what is deleted
        self.link().batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE", "erasure")?;
        for table in plan.tables() {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", relation(table.source()));
            self.link().batch(&lock, table.source())?;
        }
        self.source.begun(plan);
        Ok(())
    }

    fn delete(&mut self, table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<u64> {
        match which {
            Which::Range(range) => Self::delete(self, table, &within(table, plan, range)?),
            Which::Keys(keys) => {
                let mut gone = 0;
                for key in keys {
                    gone += Self::delete(self, table, &at(table, key))?;
                }
                Ok(gone)
            }
        }
    }

    fn tied(&mut self, child: &str, key: &ForeignKey) -> Result<Tied> {
        let (named, orphans) = sql::tied(Engine::Postgresql, child, key);
        Ok(Tied { named: self.count(&named, child)?, orphans: self.count(&orphans, child)? })
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

    fn settle(&mut self, plan: &Plan) -> Result<String> {
        let left = self.others(plan)?;
        for table in plan.tables().iter().filter(|table| !left.contains(&table.source())) {
            // writes the table and its indexes anew: a plain VACUUM leaves the deleted bytes in their pages
            self.link().batch(&format!("VACUUM (FULL) {}", relation(table.source())), table.source())?;
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

    fn beyond(&mut self, plan: &Plan) -> Result<Vec<String>> {
        let left = self.others(plan)?;
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
