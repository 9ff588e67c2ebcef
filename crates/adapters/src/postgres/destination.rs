//! PostgreSQL as a destination.
//!
//! Durability: a chunk's transaction commits with `synchronous_commit = off`. Rows and
//! ledger line are in one transaction, and the log of the server is sequential: should the
//! server lose power, the last chunks are lost *with* their lines, and the next run sends
//! them again. [`Destination::finish`] ends with a synchronous commit, which makes every
//! commit before it durable; no run is called complete before that.

use std::collections::BTreeMap;

use ecluse_batch::Batch;
use ecluse_core::catalog::{Catalog, Column, Table};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::failpoint;
use ecluse_flow::ports::{self, LedgerEntry, MakeEntry, Referrer, RefusedRow, Removal, Scope, Sink};

use super::connect::Link;
use super::error::Side;
use super::ledger::{self, Ledger};
use super::load::{self, Chunk, Target};
use super::source::{Select, decoder, run};
use super::text::{ident, relation};
use super::types::Wire;
use super::{catalog, constraints, putback, undo, unfilled};
use crate::sql;
use crate::url::Server;

/// `open` was not called.
pub(crate) static ORDER: Code = Code::usage("ECL-DST-540", "the destination is not open");
/// A relation whose columns are not written.
pub(crate) static RELATION: Code =
    Code::refused("ECL-DST-541", "a relation's column is not written to the destination");

/// A PostgreSQL destination: one connection writes, one reads back.
pub struct Destination {
    server: Server,
    write: Link,
    back: Option<Link>,
    ledger: Option<Ledger>,
    /// The plan under which the destination was opened.
    plan: Option<Plan>,
    targets: BTreeMap<usize, Target>,
    /// The run that is being undone, and the table that it is at.
    held: Option<String>,
    removing: Option<String>,
}

impl Destination {
    /// Connects; changes nothing yet.
    ///
    /// # Errors
    ///
    /// A coded fault where the server cannot be reached, does not prove itself or refuses the login.
    pub fn connect(server: &Server) -> Result<Self> {
        let write = writer(server)?;
        Ok(Self {
            server: server.clone(),
            write,
            back: None,
            ledger: None,
            plan: None,
            targets: BTreeMap::new(),
            held: None,
            removing: None,
        })
    }

    fn back(&mut self) -> Result<&Link> {
        if self.back.is_none() {
            let link = Link::connect(&self.server, Side::Destination)?;
            link.batch("SET default_transaction_read_only = on", "the session's settings")?;
            self.back = Some(link);
        }
        self.back.as_ref().ok_or_else(|| ORDER.fault("the connection to read back"))
    }
}

impl ports::Destination for Destination {
    fn engine(&self) -> Engine {
        Engine::Postgresql
    }

    fn identity(&mut self) -> Result<String> {
        catalog::identity(&self.write)
    }

    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        catalog::read(&self.write, scope)
    }

    fn is_empty(&mut self, table: &TablePlan) -> Result<bool> {
        ledger::is_free(&self.write, table)
    }

    fn create(&mut self, table: &str, statement: &str) -> Result<()> {
        failpoint::hit("postgres.create.commit.before");
        self.write.batch(statement, &format!("the new table {table}"))?;
        failpoint::hit("postgres.create.commit.after");
        Ok(())
    }

    fn ddl(&self, table: &Table) -> String {
        create_table(table)
    }

    fn supposed(&self, table: &Table) -> Table {
        supposed(table)
    }

    fn open(&mut self, plan: &Plan, run: &str) -> Result<()> {
        ledger::lock(&self.write)?;
        let ledger = Ledger::open(&self.write, plan, run)?;
        constraints::may_be_written(&self.write, plan, &ledger)?;
        self.ledger = Some(ledger);
        self.plan = Some(plan.clone());
        self.targets.clear();
        Ok(())
    }

    fn ledger(&mut self, run: &str) -> Result<Vec<LedgerEntry>> {
        ledger::entries(&self.write, run)
    }

    fn replace(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        clear: bool,
        rows: &[Batch],
        entry: MakeEntry<'_>,
    ) -> Result<Vec<RefusedRow>> {
        let ledger = self.ledger.as_mut().ok_or_else(|| ORDER.fault(table.destination()))?;
        if !self.targets.contains_key(&table.number()) {
            let plan = self.plan.as_ref().ok_or_else(|| ORDER.fault(table.destination()))?;
            constraints::drop_for_load(&self.write, plan, table, ledger)?;
            self.targets.insert(table.number(), Target::prepare(&self.write, table)?);
        }
        let clear = clear || ledger.present.contains(&(table.number(), chunk));
        if clear {
            putback::put_back_key(&self.write, ledger.run(), table.destination())?;
        }
        let target = self.targets.get(&table.number()).ok_or_else(|| ORDER.fault(table.destination()))?;
        let work = Chunk { run: ledger.run(), table, range, clear, rows };
        let refused = load::replace(&self.write, target, &work, entry)?;
        ledger.present.insert((table.number(), chunk));
        Ok(refused)
    }

    fn read(&mut self, table: &TablePlan, range: &KeyRange, ordered: bool, sink: Sink<'_>) -> Result<()> {
        let link = self.back()?;
        let name = table.destination();
        link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", name)?;
        let columns = table.write().iter().map(|c| (c.name.as_str(), c.ty));
        let decoder = decoder(link, name, name, columns, table.write_key())?;
        let done = run(link, read_back(table, ordered)?, range, decoder, sink);
        link.batch("ROLLBACK", name)?;
        done
    }

    fn beside(&mut self, known: &KnownPlan, sink: Sink<'_>) -> Result<()> {
        let link = self.back()?;
        let table = known.table();
        let name = table.destination();
        link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", name)?;
        let columns = table.write().iter().map(|c| (c.name.as_str(), c.ty));
        // no key: others' rows stop nothing, whatever stands in them
        let decoder = decoder(link, name, name, columns, &[])?;
        let conditions = vec![sql::beside(Engine::Postgresql, known)?];
        let select = Select { conditions, ..read_back(table, false)? };
        let done = run(link, select, &KeyRange::default(), decoder, sink);
        link.batch("ROLLBACK", name)?;
        done
    }

    fn orphans(&mut self, child: &TablePlan, relation_number: usize, parent: &TablePlan) -> Result<u64> {
        let missing = || RELATION.fault(format!("{} to {}", child.destination(), parent.destination()));
        let link = child.relations().get(relation_number).ok_or_else(missing)?;
        let column = written(child, link.column).ok_or_else(missing)?;
        let referenced = written(parent, link.parent_column).ok_or_else(missing)?;
        let room = |table, alias| {
            let room = sql::room(Engine::Postgresql, table, Some(alias))?;
            Result::Ok(room.map_or_else(String::new, |room| format!(" AND {room}")))
        };
        let sql = format!(
            "SELECT count(*) FROM {} c WHERE c.{column} IS NOT NULL{} \
             AND NOT EXISTS (SELECT 1 FROM {} p WHERE p.{referenced} = c.{column}{})",
            relation(child.destination()),
            room(child, "c")?,
            relation(parent.destination()),
            room(parent, "p")?,
        );
        let rows: i64 = self.back()?.one(&sql, &[], child.destination())?;
        Ok(u64::try_from(rows).unwrap_or_default())
    }

    fn finish(&mut self, plan: &Plan) -> Result<()> {
        let ledger = self.ledger.as_ref().ok_or_else(|| ORDER.fault("the end of the load"))?;
        let link = &self.write;
        let analyze = |table: &TablePlan| !ledger.was_finished || self.targets.contains_key(&table.number());
        putback::put_back(link, || writer(&self.server), ledger.run(), plan, &analyze)?;
        // what counts keys below a room goes on below it: past the room it would give every row a key from there
        for table in plan.tables().iter().filter(|table| table.room().is_empty()) {
            putback::advance_sequences(link, table)?;
        }
        // synchronous: it makes every commit before it durable
        link.batch("BEGIN; SET LOCAL synchronous_commit = on", "the end of the load")?;
        let run = ledger.run();
        link.execute("UPDATE ecluse_ledger.run SET finished = true WHERE run = $1", &[&run], "the ledger")?;
        failpoint::hit("postgres.finish.commit.before");
        link.batch("COMMIT", "the end of the load")?;
        failpoint::hit("postgres.finish.commit.after");
        Ok(())
    }

    fn hold(&mut self, run: &str) -> Result<()> {
        ledger::lock(&self.write)?;
        self.held = Some(run.to_owned());
        Ok(())
    }

    fn remove(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        children: &[Referrer<'_>],
        sink: Sink<'_>,
        ours: &mut dyn FnMut() -> bool,
    ) -> Result<Removal> {
        let name = table.destination();
        if self.removing.as_deref() != Some(name)
            && let Some(through) = self.removing.replace(name.to_owned())
        {
            undo::sweep(&self.write, &through)?;
        }
        let run = undo::held(self.held.as_ref())?;
        putback::put_back_key(&self.write, run, name)?;
        let chunk = undo::Chunk { run, table, number: chunk, range, children };
        undo::remove(&self.write, &chunk, sink, ours)
    }

    fn unseen(&mut self, table: &TablePlan) -> Result<Vec<String>> {
        Ok(unfilled::of(self.back()?, table)?.unseen)
    }

    fn worked(
        &mut self,
        table: &TablePlan,
        range: &KeyRange,
        sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
    ) -> Result<()> {
        let (link, name) = (self.back()?, table.destination());
        link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", name)?;
        let done = unfilled::worked(link, table, range, sink);
        link.batch("ROLLBACK", name)?;
        done
    }

    fn forget(&mut self, plan: &Plan, made: &[String]) -> Result<Vec<String>> {
        let run = undo::held(self.held.as_ref())?;
        if putback::is_due(&self.write, run)? {
            putback::put_back(&self.write, || writer(&self.server), run, plan, &|_| true)?;
        }
        if let Some(through) = self.removing.take() {
            undo::sweep(&self.write, &through)?;
        }
        undo::forget(&self.write, run, made)
    }

    fn conclude(&mut self, run: &str) -> Result<()> {
        undo::conclude(&self.write, run)
    }
}

/// The read of the written columns, within the room.
pub(super) fn read_back(table: &TablePlan, ordered: bool) -> Result<Select<'_>> {
    Ok(Select {
        columns: table.write().iter().map(|c| c.name.as_str()).collect(),
        printed: Vec::new(),
        from: table.destination(),
        conditions: sql::room(Engine::Postgresql, table, None)?.into_iter().collect(),
        parameters: Vec::new(),
        key: table
            .write_key()
            .iter()
            .filter_map(|i| table.write().get(*i))
            .map(|c| (c.name.as_str(), c.ty))
            .collect(),
        ordered,
    })
}

/// A connection whose commits do not wait for the disk; see the top of this file.
fn writer(server: &Server) -> Result<Link> {
    let link = Link::connect(server, Side::Destination)?;
    link.batch("SET synchronous_commit = off", "the session's settings")?;
    Ok(link)
}

/// The destination column that carries a read column, quoted.
pub(super) fn written(table: &TablePlan, read: usize) -> Option<String> {
    table.write().iter().find(|c| c.from.carries(read)).map(|c| ident(&c.name))
}

/// `CREATE TABLE` for a table of any engine; relations are left to the destination's own schema.
fn create_table(table: &Table) -> String {
    let mut lines: Vec<String> = table
        .columns
        .iter()
        .filter(|c| c.ty.is_some())
        .map(|c| {
            let null = if c.nullable && !table.key.contains(&c.name) { "" } else { " NOT NULL" };
            format!("    {} {}{null}", ident(&c.name), type_name(c))
        })
        .collect();
    if !table.key.is_empty() {
        lines.push(format!("    PRIMARY KEY ({})", super::text::list(table.key.iter().map(String::as_str))));
    }
    let made = format!("CREATE TABLE {} (\n{}\n)", relation(&table.name), lines.join(",\n"));
    match table.name.split_once('.') {
        Some((schema, _)) => format!("{};\n{made}", create_schema(schema)),
        None => made,
    }
}

/// Makes a schema where there is none; whoever may make tables in one that is there needs no more rights.
fn create_schema(schema: &str) -> String {
    let (name, text) = (ident(schema), ident(schema).replace('\'', "''"));
    let body = format!("BEGIN IF to_regnamespace('{text}') IS NULL THEN CREATE SCHEMA {name}; END IF; END");
    format!("DO '{}'", body.replace('\'', "''"))
}

/// What the catalogue says of a table that [`create_table`] made.
fn supposed(table: &Table) -> Table {
    let column = |column: &Column| {
        let sql_type = type_name(column);
        let int_bounds = match sql_type.as_str() {
            "smallint" => super::types::bounds(Wire::Int2),
            "integer" => super::types::bounds(Wire::Int4),
            "bigint" => super::types::bounds(Wire::Int8),
            _ => None,
        };
        Column {
            max_length: column.max_length.filter(|_| sql_type.starts_with("character varying")),
            nullable: column.nullable && !table.key.contains(&column.name),
            int_bounds,
            sql_type,
            ..column.clone()
        }
    };
    let columns = table.columns.iter().filter(|c| c.ty.is_some()).map(column).collect();
    Table { columns, ..table.clone() }
}

fn type_name(column: &Column) -> String {
    match column.ty {
        Some(Type::Bool) => "boolean".into(),
        Some(Type::Int) => match column.int_bounds {
            Some((low, high)) if low >= i64::from(i16::MIN) && high <= i64::from(i16::MAX) => {
                "smallint".into()
            }
            Some((low, high)) if low >= i64::from(i32::MIN) && high <= i64::from(i32::MAX) => {
                "integer".into()
            }
            _ => "bigint".into(),
        },
        Some(Type::Decimal { precision, scale }) => format!("numeric({precision},{scale})"),
        Some(Type::Float) => "double precision".into(),
        Some(Type::Single) => "real".into(),
        Some(Type::Text) | None => match column.max_length {
            // the engine's own limit of a declared length
            Some(n) if (1..=10_485_760).contains(&n) => format!("character varying({n})"),
            _ => "text".into(),
        },
        Some(Type::Bytes) => "bytea".into(),
        Some(Type::Date) => "date".into(),
        Some(Type::Timestamp) => "timestamp without time zone".into(),
        Some(Type::Instant) => "timestamp with time zone".into(),
        Some(Type::Time) => "time without time zone".into(),
        Some(Type::Uuid) => "uuid".into(),
        // json keeps the exact bytes; jsonb would not
        Some(Type::Json) => "json".into(),
    }
}
