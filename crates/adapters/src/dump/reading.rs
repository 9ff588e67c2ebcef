//! What a dump's reader has found so far: the catalogue, and the planned rows.

use std::collections::BTreeSet;

use ecluse_core::fault::{Code, Result};
use ecluse_core::types::{Engine, Type};

use super::cell::{self, Encoding, Raw, Shape};
use super::ddl::{Schema, TWICE};
use super::script::{Script, Text};
use crate::gathered::Gathering;

/// A setting that would change how the rest reads.
pub(super) static SETTING: Code =
    Code::refused("ECL-SRC-618", "the dump sets something that changes what its rows mean");
static ENCODING: Code =
    Code::refused("ECL-SRC-604", "the dump's encoding is not UTF-8 or latin1, or not said");
static ROWS: Code = Code::refused("ECL-SRC-605", "the schema's file holds rows");
static ABSENT: Code = Code::refused("ECL-SRC-607", "the dump does not hold an ordered table's rows");
static NO_COLUMN: Code = Code::refused("ECL-SRC-608", "the dump does not hold an ordered column");
static UNFINISHED: Code = Code::refused("ECL-SRC-621", "the dump does not say that it is complete");

/// How a dump of PostgreSQL brings its rows; one dump has one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    Copy,
    Insert,
}

/// What is known of a dump while it passes.
pub(super) struct Reading<'g> {
    pub(super) engine: Engine,
    pub(super) database: String,
    pub(super) schema: Schema,
    /// Where planned rows go; `None` while only the schema is read.
    gathering: Option<&'g mut Gathering>,
    encoding: Option<Encoding>,
    /// Tables whose rows have begun.
    begun: BTreeSet<String>,
    /// PostgreSQL: tables whose rows a comment announced, the last of them, and how rows come.
    named: BTreeSet<String>,
    section: Option<String>,
    form: Option<Lines>,
    complete: bool,
    /// Times are in UTC, it says (MariaDB).
    pub(super) utc: bool,
}

impl<'g> Reading<'g> {
    pub(super) fn new(engine: Engine, database: &str, gathering: Option<&'g mut Gathering>) -> Self {
        Self {
            engine,
            database: database.to_owned(),
            schema: Schema::new(engine),
            gathering,
            encoding: None,
            begun: BTreeSet::new(),
            named: BTreeSet::new(),
            section: None,
            form: None,
            complete: false,
            utc: false,
        }
    }

    /// The line that ends a whole dump was met.
    pub(super) const fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether it was, and every planned table's rows with it.
    ///
    /// # Errors
    ///
    /// [`UNFINISHED`], [`ABSENT`].
    pub(super) fn end(self, script: &Script) -> Result<Schema> {
        if !self.complete {
            return Err(UNFINISHED.fault(script.input.place()).help(
                "dump it again, whole, with its comments (no --compact, no --skip-comments); nothing was written",
            ));
        }
        if self.gathering.is_some() {
            self.schema.understood()?;
        }
        for table in self.gathering.iter().flat_map(|gathering| gathering.tables()) {
            self.whole(table)?;
        }
        Ok(self.schema)
    }

    /// Whether all that holds a table's rows has passed.
    fn whole(&self, table: &str) -> Result<()> {
        if self.schema.has_heirs(table) {
            return Err(super::NO_ROWS
                .fault(format!("tables that inherit of {table}"))
                .help("order the tables that hold its rows, or read this database over a connection"));
        }
        let partitioned = self.schema.table(table).is_some_and(|t| t.kind == "partitioned");
        let holding = if partitioned { self.schema.holding(table)? } else { Vec::new() };
        if let Some((name, _)) = holding.iter().find(|(_, kind)| *kind != "table") {
            return Err(super::NO_ROWS
                .fault(format!("{name}, a partition of {table} that is no table of this database"))
                .help("order the tables that hold its rows, or read this database over a connection"));
        }
        // a table without rows has its COPY too, but no INSERT: there the comment alone tells of it
        let passed = |name: &str| {
            self.begun.contains(name) || (self.form != Some(Lines::Copy) && self.named.contains(name))
        };
        let absent = match partitioned {
            true => holding.iter().map(|(name, _)| *name).find(|name| !passed(name)),
            false => Some(table).filter(|name| !passed(name)),
        };
        match absent {
            None => Ok(()),
            Some(absent) => Err(ABSENT.fault(format!("table {absent}")).help(
                "dump it with its rows, or take the table out of the order; an empty table is in a dump too",
            )),
        }
    }

    /// PostgreSQL: a comment says that a table's rows follow, perhaps none.
    ///
    /// # Errors
    ///
    /// [`TWICE`].
    pub(super) fn section(&mut self, table: String, place: &str) -> Result<()> {
        self.going_on(place)?;
        if !self.named.insert(table.clone()) {
            return Err(TWICE
                .fault(format!("{place}: rows of table {table}"))
                .help("dump one database, once"));
        }
        self.section = Some(table);
        Ok(())
    }

    /// PostgreSQL: rows of a table follow in this form, the section's own or, through the root of its
    /// partitions, another's.
    ///
    /// # Errors
    ///
    /// [`TWICE`]; `None` where they were not announced, or another form was used before.
    pub(super) fn follows(&mut self, table: &str, form: Lines, place: &str) -> Result<Option<()>> {
        if self.form.replace(form).is_some_and(|before| before != form) {
            return Ok(None);
        }
        let section = self.section.clone().filter(|s| self.schema.lineage(s).any(|above| above == table));
        match (form, section) {
            (Lines::Copy, section) => {
                self.announce(&section.unwrap_or_else(|| table.to_owned()), place).map(Some)
            }
            // rows come in as many statements as there are rows
            (Lines::Insert, Some(section)) => {
                self.going_on(place)?;
                self.begun.insert(section);
                Ok(Some(()))
            }
            (Lines::Insert, None) => Ok(None),
        }
    }

    /// PostgreSQL: a partition, which must be known as one before its rows come.
    pub(super) fn attach(&mut self, text: &Text, script: &Script) -> Result<()> {
        match self.schema.attach(text, &script.input.place())? {
            Some(partition) if self.begun.contains(&partition) => {
                Err(script.hostile("a partition whose rows came before"))
            }
            Some(_) => Ok(()),
            None => {
                self.schema.alter(text);
                Ok(())
            }
        }
    }

    /// The encoding the dump declares.
    ///
    /// # Errors
    ///
    /// [`ENCODING`]; [`SETTING`] where it is another one than before.
    pub(super) fn encoded(&mut self, encoding: Option<Encoding>, place: &str) -> Result<()> {
        let Some(encoding) = encoding else {
            return Err(ENCODING
                .fault(place)
                .help("dump it in UTF-8: pg_dump -E UTF8, mariadb-dump --default-character-set=utf8mb4"));
        };
        if self.encoding.replace(encoding).is_some_and(|before| before != encoding) {
            return Err(SETTING.fault(format!("{place}: the encoding, in the middle")));
        }
        Ok(())
    }

    /// A `CREATE TABLE`.
    pub(super) fn create(&mut self, text: &Text, script: &Script) -> Result<()> {
        self.going_on(&script.input.place())?;
        self.schema.create(text, &script.input.place())
    }

    fn going_on(&self, place: &str) -> Result<()> {
        if self.complete {
            return Err(TWICE.fault(place).help("one dump of one database at a time"));
        }
        Ok(())
    }

    /// The rows of a table are announced, perhaps none.
    pub(super) fn announce(&mut self, table: &str, place: &str) -> Result<()> {
        self.going_on(place)?;
        if !self.begun.insert(table.to_owned()) {
            return Err(TWICE
                .fault(format!("{place}: rows of table {table}"))
                .help("dump one database, once"));
        }
        Ok(())
    }

    /// Whether rows of the table were announced.
    pub(super) fn was_announced(&self, table: &str) -> bool {
        self.begun.contains(table)
    }

    /// Rows of a table: `columns` are those that each row has, in order. Rows of a partition are those of
    /// the ordered table to which it belongs.
    ///
    /// # Errors
    ///
    /// [`ROWS`] in a schema's file; [`ENCODING`] before one was declared; [`NO_COLUMN`].
    pub(super) fn columns(&mut self, table: &str, columns: &[String], place: &str) -> Result<Rows> {
        self.going_on(place)?;
        let Some(gathering) = &self.gathering else {
            return Err(ROWS
                .fault(format!("{place}: table {table}"))
                .help("make it without: pg_dump --schema-only, mariadb-dump --no-data"));
        };
        let Some(encoding) = self.encoding else {
            return Err(ENCODING
                .fault(place)
                .help("the dump must declare it before the first row: leave SET NAMES in"));
        };
        let planned = self.schema.lineage(table).find_map(|name| gathering.table(name));
        let Some(planned) = planned else {
            return Ok(Rows { number: None, slots: Vec::new(), shapes: Vec::new(), cells: Vec::new() });
        };
        let mut slots = vec![None; columns.len()];
        let mut shapes = Vec::new();
        for (slot, column) in planned.read().iter().enumerate() {
            let Some(at) = columns.iter().position(|c| *c == column.name) else {
                let detail = format!("{table}.{}", column.name);
                return Err(NO_COLUMN
                    .fault(detail)
                    .help("a generated column is not in a dump; order the others"));
            };
            if column.ty == Type::Instant && self.engine == Engine::Mariadb && !self.utc {
                return Err(SETTING
                    .fault(format!("{place}: {table}.{}, a point in time without its zone", column.name))
                    .help("dump it with --tz-utc, which is the default"));
            }
            if let Some(here) = slots.get_mut(at) {
                *here = Some(slot);
            }
            shapes.push(Shape::of(self.engine, encoding, self.schema.written_as(&column.sql_type)));
        }
        let cells = shapes.iter().map(|_| Raw::default()).collect();
        Ok(Rows { number: Some(planned.number()), slots, shapes, cells })
    }
}

/// The rows of one table as they pass.
pub(super) struct Rows {
    number: Option<usize>,
    /// For each column of the dump: which planned column it is.
    slots: Vec<Option<usize>>,
    shapes: Vec<Shape>,
    cells: Vec<Raw>,
}

impl Rows {
    /// Where the value of the dump's column goes; `None` where it was not ordered.
    pub(super) fn wanted(&mut self, column: usize) -> Option<&mut Raw> {
        let slot = self.slots.get(column).copied().flatten()?;
        self.cells.get_mut(slot)
    }

    /// The row is through.
    pub(super) fn row(&mut self, into: &mut Reading<'_>) -> Result<()> {
        let (Some(number), Some(gathering)) = (self.number, &mut into.gathering) else { return Ok(()) };
        gathering.row(
            number,
            &mut |column, builder| match (self.shapes.get(column), self.cells.get(column)) {
                (Some(shape), Some(raw)) => cell::decode(*shape, builder, raw),
                _ => Err(&crate::columns::WRONG_KIND),
            },
        )
    }
}
