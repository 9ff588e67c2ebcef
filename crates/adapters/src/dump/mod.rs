//! A dump as a source: pg_dump's or mariadb-dump's text, read once as it comes.
//!
//! ```text
//! schema's file (no rows)   the catalogue that the instruction was signed over
//! the dump                  its own statements → the catalogue again, compared by digest
//!                           its rows → filtered in memory (`gathered`), served by key range
//! ```
//!
//! Nothing of a dump is executed, nothing of it touches a disk unless the instruction names a staging. What is not known is refused, and a
//! dump that does not say that it is complete is refused before a row is written. The source could
//! not deny anything, and the report says so.
//!
//! | file | holds |
//! |---|---|
//! | `url.rs` | how an operator writes it |
//! | `origin.rs` | standard input, a pipe, a program; files in clear |
//! | `input.rs` | bytes, bounded |
//! | `script.rs` | where a statement ends |
//! | `names.rs` | identifiers at the head of a statement |
//! | `ddl.rs`, `types.rs` | the catalogue, by `sqlparser` |
//! | `postgres.rs`, `mariadb.rs` | which statements a dump may hold; rows |
//! | `inserts.rs` | rows that pg_dump writes as `INSERT` |
//! | `reading.rs`, `cell.rs` | from a row's text to typed columns |

mod cell;
mod ddl;
mod input;
mod inserts;
mod mariadb;
mod names;
mod origin;
mod postgres;
mod reading;
mod script;
#[cfg(test)]
mod tests_of_forms;
mod types;
pub mod url;

use std::io::Read;
use std::path::{Path, PathBuf};

use ecluse_core::catalog::Catalog;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Count, Excess, Opened, Scope, Sink};

use crate::columns::NOT_OPEN;
use crate::gathered::{Gathered, Gathering};
use crate::staging;
use ddl::Schema;
use input::Input;
pub use origin::{Clear, Origin};
use reading::Reading;
use script::Script;

static NO_SCHEMA: Code = Code::outside("ECL-SRC-615", "the file with the dump's schema cannot be read");
static ONCE: Code = Code::refused("ECL-SRC-616", "a dump is read once");
static NO_ROWS: Code = Code::refused("ECL-SRC-619", "an ordered table's rows stand elsewhere in a dump");

/// What a schema's file may take: names and types only.
const SCHEMA: usize = 64 << 20;

/// A dump, as its URL tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// PostgreSQL or MariaDB.
    pub engine: Engine,
    /// Where it comes from.
    pub origin: Origin,
    /// The database it is of, as the controller writes it.
    pub database: String,
    /// A dump of the schema alone.
    pub schema: PathBuf,
    /// Bytes of ordered rows that may be held.
    pub memory: usize,
    /// Where more may stand sealed, as the instruction says.
    pub staging: Option<PathBuf>,
}

/// A dump that rows are taken from.
pub struct Source {
    dump: Dump,
    key: [u8; 32],
    schema: Schema,
    gathered: Option<Gathered>,
    /// The name under which rows may be staged.
    staged: Option<String>,
    read: bool,
}

impl Source {
    /// Reads the schema's file; the dump itself is opened by
    /// [`open`](ecluse_flow::ports::Source::open). `key`: 32 random bytes of this process.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-615`; what is wrong with the schema.
    pub fn new(dump: Dump, key: [u8; 32]) -> Result<Self> {
        let shown = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = std::fs::File::open(&dump.schema).map_err(|e| {
            NO_SCHEMA
                .fault(format!("{}: {}", shown(&dump.schema), e.kind()))
                .help("make it once: pg_dump --schema-only, mariadb-dump --no-data; it holds no row")
        })?;
        Self::over(dump, Box::new(file), key)
    }

    /// As [`Self::new`], the schema from anywhere.
    ///
    /// # Errors
    ///
    /// What is wrong with the schema.
    pub fn over(dump: Dump, schema: Box<dyn Read + Send>, key: [u8; 32]) -> Result<Self> {
        let (schema, _, _) = read(&dump, Input::new(schema, SCHEMA, false), None)?;
        Ok(Self { dump, key, schema, gathered: None, staged: None, read: false })
    }

    /// Reads the dump itself, from anywhere, to its end; gives how many bytes came and, where
    /// `digest` wants it, their digest.
    ///
    /// # Errors
    ///
    /// What is wrong with the dump; the ordered rows do not fit in memory.
    pub fn gather(
        &mut self,
        plan: &Plan,
        rows: Box<dyn Read + Send>,
        digest: bool,
    ) -> Result<(u64, Option<String>)> {
        let mut gathering = Gathering::new(plan, self.dump.memory, self.key, self.staging());
        let input = Input::new(rows, self.dump.memory, digest);
        let (schema, bytes, digest) = read(&self.dump, input, Some(&mut gathering))?;
        self.schema = schema;
        self.gathered = Some(gathering.finish()?);
        Ok((bytes, digest))
    }

    fn staging(&mut self) -> Option<(PathBuf, String)> {
        self.dump.staging.clone().zip(self.staged.take())
    }

    fn gathered(&self, table: &TablePlan) -> Result<&Gathered> {
        self.gathered.as_ref().ok_or_else(|| NOT_OPEN.fault(table.source()))
    }
}

/// Reads a dump to its end: the schema, how many bytes came, their digest where it is a file.
fn read(dump: &Dump, input: Input, into: Option<&mut Gathering>) -> Result<(Schema, u64, Option<String>)> {
    let mut script = Script::new(input, dump.engine);
    let mut reading = Reading::new(dump.engine, &dump.database, into);
    match dump.engine {
        Engine::Mariadb => mariadb::read(&mut script, &mut reading)?,
        _ => postgres::read(&mut script, &mut reading)?,
    }
    let schema = reading.end(&script)?;
    let (bytes, digest) = script.input.passed();
    Ok((schema, bytes, digest))
}

impl ecluse_flow::ports::Source for Source {
    fn engine(&self) -> Engine {
        self.dump.engine
    }

    /// What the controller wrote: a dump does not prove which instance it is of. Its shape is
    /// compared with the signed digest.
    fn identity(&mut self) -> Result<String> {
        Ok(format!("dump/{}", self.dump.database))
    }

    /// Before the dump was read that of the schema's file, afterwards the dump's own.
    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog> {
        let identity = ecluse_flow::ports::Source::identity(self)?;
        self.schema.catalog(&identity, &self.dump.database, scope)
    }

    /// Whoever dumps everything has no role that could do less.
    fn excess(&mut self, _plan: &Plan) -> Result<Vec<Excess>> {
        Ok(Vec::new())
    }

    fn has_views(&mut self, _plan: &Plan) -> Result<bool> {
        Ok(false)
    }

    fn open(&mut self, plan: &Plan, _frozen: bool) -> Result<Opened> {
        if std::mem::replace(&mut self.read, true) {
            return Err(ONCE.fault("").help("give the same command a new dump"));
        }
        for table in plan.tables() {
            let elsewhere = |kind: &str| !matches!(kind, "table" | "partitioned");
            if let Some(other) = self.schema.table(table.source()).filter(|t| elsewhere(&t.kind)) {
                return Err(NO_ROWS
                    .fault(format!("{} ({})", other.name, other.kind))
                    .help("order the tables that hold its rows, or read this database over a connection"));
            }
        }
        for table in plan.tables() {
            let mut above = self.schema.lineage(table.source()).skip(1);
            if let Some(twice) = above.find(|name| plan.tables().iter().any(|t| t.source() == *name)) {
                return Err(NO_ROWS
                    .fault(format!("{}, a partition of {twice}, and both are ordered", table.source()))
                    .help("order one of the two"));
            }
        }
        let clear = self.dump.origin.file();
        let (rows, running) = self.dump.origin.open()?.split();
        let (bytes, digest) = self.gather(plan, rows, clear.is_some())?;
        running.succeeded()?;
        let mut limits = vec![format!(
            "{bytes} bytes were dumped; that they are one moment of database {}, and all of it, is the word of whoever dumped it",
            self.dump.database
        )];
        if let (Some(clear), Some(digest)) = (clear, digest) {
            limits.push(format!(
                "the dump lay in clear in a file ({bytes} bytes, {digest}, path {}): it is erased by the day of [erasure] copies",
                clear.path
            ));
        }
        limits.extend(self.gathered.as_ref().and_then(Gathered::told));
        Ok(Opened { barrier: BARRIER.to_owned(), limits })
    }

    fn count(&mut self, table: &TablePlan) -> Result<Count> {
        self.gathered(table)?.count(table.number())
    }

    fn read(&mut self, table: &TablePlan, _plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()> {
        self.gathered(table)?.read(table.number(), range, sink)
    }

    fn statement(&self, table: &TablePlan, _plan: &Plan) -> String {
        let columns: Vec<&str> = table.read().iter().map(|c| c.name.as_str()).collect();
        format!(
            "-- no statement: {} ({}), filtered out of the dump as it passes",
            table.source(),
            columns.join(", ")
        )
    }

    fn close(&mut self) -> Result<()> {
        self.gathered.take().map_or(Ok(()), Gathered::end)
    }

    fn stage(&mut self, name: &str) -> Result<bool> {
        self.staged = Some(name.to_owned());
        let Some(staging) = &self.dump.staging else { return Ok(false) };
        staging::Folder::open(staging)?.mark(name)?;
        Ok(true)
    }

    fn unstage(&mut self, name: &str) -> Result<()> {
        let Some(staging) = &self.dump.staging else { return Ok(()) };
        staging::Folder::open(staging)?.unmark(name)
    }
}

const BARRIER: &str = "none but écluse: a dump can deny nothing; all that was dumped passed through écluse's memory, \
    and what was not ordered was let go there";

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use ecluse_core::types::Type;
    use ecluse_flow::ports::Source as _;

    use super::*;

    fn schema(engine: Engine, text: &str) -> Result<Catalog> {
        let dump = Dump {
            engine,
            origin: Origin::Input,
            database: "lab".to_owned(),
            schema: PathBuf::new(),
            memory: 1 << 20,
            staging: None,
        };
        let text = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        Source::over(dump, text, [0; 32])?.catalog(Scope::Everything)
    }

    #[test]
    fn ten_thousand_tables_are_a_catalogue_like_any_other() {
        let mut text = String::new();
        for table in 0..10_000 {
            write!(text, "CREATE TABLE public.t{table} (\n    id bigint NOT NULL,\n    x text\n);\n")
                .unwrap();
        }
        text.push_str("-- PostgreSQL database dump complete\n");
        let catalog = schema(Engine::Postgresql, &text).unwrap();
        assert_eq!(catalog.tables.len(), 10_000);
        assert!(catalog.tables.iter().all(|t| t.columns.len() == 2));
    }

    #[test]
    fn tables_are_told_as_the_engines_write_them() {
        let text = "CREATE TABLE \"Ge\"\"heim\".\"T 1\" (\n id integer NOT NULL,\n n numeric(10,2) DEFAULT 0,\n\
            v character varying(40) COLLATE \"C\",\n w timestamp(6) with time zone,\n e public.mood,\n\
            g integer GENERATED ALWAYS AS ((id * 2)) STORED\n)\nPARTITION BY RANGE (id);\n\
            ALTER TABLE ONLY \"Ge\"\"heim\".\"T 1\"\n    ADD CONSTRAINT k PRIMARY KEY (id);\n\
            CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $_$ SELECT 1; $_$;\n-- PostgreSQL database dump complete\n";
        let catalog = schema(Engine::Postgresql, text).unwrap();
        let table = catalog.table("Ge\"heim.T 1").unwrap();
        assert_eq!((table.kind.as_str(), table.key.as_slice()), ("partitioned", &["id".to_owned()][..]));
        let types: Vec<Option<Type>> = table.columns.iter().map(|c| c.ty).collect();
        let decimal = Type::Decimal { precision: 10, scale: 2 };
        let expected =
            [Some(Type::Int), Some(decimal), Some(Type::Text), Some(Type::Instant), None, Some(Type::Int)];
        assert_eq!(types, expected);
        assert_eq!((table.columns[2].max_length, table.columns[5].generated.is_empty()), (Some(40), false));
        let text = "CREATE TABLE `t` (\n `id` int(10) unsigned NOT NULL AUTO_INCREMENT COMMENT 'a;b)',\n\
            `s` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,\n `u` varchar(9) DEFAULT '(',\n\
            `z` datetime(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),\n\
            PRIMARY KEY (`id`),\n UNIQUE KEY `k` (`s`(3)),\n KEY `w` (`u`) USING BTREE\n\
            ) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci\n\
            /*!50100 PARTITION BY HASH (`id`) PARTITIONS 4 */;\n-- Dump completed on 2026-11-22 10:00:00\n";
        let catalog = schema(Engine::Mariadb, text).unwrap();
        let table = catalog.table("t").unwrap();
        assert_eq!((table.kind.as_str(), table.storage.as_str()), ("table", "InnoDB"));
        let types: Vec<Option<Type>> = table.columns.iter().map(|c| c.ty).collect();
        assert_eq!(types, [Some(Type::Int), Some(Type::Text), Some(Type::Text), Some(Type::Timestamp)]);
        assert_eq!(table.columns[0].int_bounds, Some((0, 4_294_967_295)));
        assert!(table.columns[0].identity && table.uniques.is_empty());
        assert_eq!(table.columns[1].collation, "latin1_bin");
        assert_eq!(table.columns[2].collation, "utf8mb4_unicode_ci");
    }

    #[test]
    fn no_table_is_missing_from_a_survey_without_a_word() {
        let end = "-- Dump completed on 2026-11-22 10:00:00\n";
        let known = "SET time_zone = \"+00:00\";\nCREATE TABLE `demande` (\n `no` int(8) unsigned zerofill NOT NULL AUTO_INCREMENT,\n\
            `nom` national varchar(20) DEFAULT 'zerofill',\n PRIMARY KEY (`no`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n";
        let catalog = schema(Engine::Mariadb, &format!("{known}{end}")).unwrap();
        let table = catalog.table("demande").unwrap();
        assert_eq!(table.columns[0].int_bounds, Some((0, 4_294_967_295)));
        assert_eq!((table.columns[1].ty, table.columns[1].max_length), (Some(Type::Text), Some(20)));
        let strange = format!("{known}CREATE TABLE `autre` (\n `x` int beyond words\n);\n{end}");
        assert_eq!(schema(Engine::Mariadb, &strange).unwrap_err().code().id, "ECL-SRC-612");
    }

    #[test]
    fn a_schema_with_rows_or_cut_off_is_refused() {
        let rows = "SET client_encoding = 'UTF8';\nCREATE TABLE public.t (\n id bigint\n);\n\
            COPY public.t (id) FROM stdin;\n1\n\\.\n-- PostgreSQL database dump complete\n";
        assert_eq!(schema(Engine::Postgresql, rows).unwrap_err().code().id, "ECL-SRC-605");
        let cut = "CREATE TABLE public.t (\n id bigint\n);\n";
        assert_eq!(schema(Engine::Postgresql, cut).unwrap_err().code().id, "ECL-SRC-621");
        let twice = format!("{cut}{cut}");
        assert_eq!(schema(Engine::Postgresql, &twice).unwrap_err().code().id, "ECL-SRC-617");
    }
}
