//! What the path asks of the outside: a source, a destination, a run folder. `adapters` answers.
//!
//! All are synchronous and used from one thread at a time each; an instance is one
//! connection (or a small fixed set of them) to one database.
//!
//! Errors of a driver never pass a port: an adapter gives a coded fault with the
//! engine's own code (SQLSTATE, errno), the table and, where there is one, the column.

use std::collections::BTreeMap;

use ecluse_batch::Batch;
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::{FileColumn, Relative};
use ecluse_core::plan::{KnownPlan, Plan, TablePlan};
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};

use crate::event::{Act, Head, Leaf};
use crate::figures::Figures;
use crate::undo::Undone;

/// Receives batches; an error stops the read and comes back out of it.
pub type Sink<'a> = &'a mut dyn FnMut(Batch) -> Result<()>;

/// Which tables of a catalogue are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Every table and view outside the engine's own schemas.
    Everything,
    /// These, by catalogue name; an absent one is simply absent from the answer.
    Tables(&'a [String]),
}

/// Where rows come from: one consistent, read-only snapshot.
pub trait Source: Send {
    /// The engine.
    fn engine(&self) -> Engine;

    /// The instance's identity, as `docs/formats.md` defines it per engine.
    fn identity(&mut self) -> Result<String>;

    /// The catalogue: names and types, no row of any table is read.
    ///
    /// With a least-privilege role some parts stay invisible; which, is written per
    /// engine in `docs/formats.md`. Invisible parts are left empty, never guessed.
    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog>;

    /// What this connection's role could do beyond reading the plan's views (or, without
    /// views, the plan's columns): each excess in words, without quoting a value.
    /// Empty is what the instruction demands.
    fn excess(&mut self, plan: &Plan) -> Result<Vec<Excess>>;

    /// Whether the administrator has made any of the plan's views, as far as this role sees.
    fn has_views(&mut self, plan: &Plan) -> Result<bool>;

    /// Opens the snapshot and locks the planned relations against structure changes.
    /// Called once, before the first `count` or `read`; held until `close`.
    ///
    /// `frozen`: the operator states that nobody writes; without it, tables that have
    /// no transactions are refused.
    fn open(&mut self, plan: &Plan, frozen: bool) -> Result<Opened>;

    /// Rows of the table available (`None` where only the view can be read) and asked for.
    fn count(&mut self, table: &TablePlan) -> Result<Count>;

    /// Says that the plan's first `upto` tables will be counted by [`Self::counted`], each before it is read: a
    /// source that can, counts them in this order while others are read, in the same snapshot.
    fn count_ahead(&mut self, _upto: usize) -> Result<()> {
        Ok(())
    }

    /// As [`Self::count`], once [`Self::count_ahead`] has said so.
    fn counted(&mut self, table: &TablePlan) -> Result<Count> {
        self.count(table)
    }

    /// Reads the planned columns of the rows asked for, in the order of the table's key
    /// (byte order for text; any order where it has no key), in batches bounded in bytes.
    /// Every batch has one column per `table.read()`, in that order. A row with a value that
    /// the source cannot give as its type (a zero date, text that lies about its encoding) is
    /// delivered with that cell NULL and marked ([`Batch::unreadable`]): it is refused by code,
    /// and the filter is not asked about it. Where the value is the key's, the read stops.
    fn read(&mut self, table: &TablePlan, plan: &Plan, range: &KeyRange, sink: Sink<'_>) -> Result<()>;

    /// Within the snapshot: the planned columns of the rows of these keys, whatever the filter says of them, in any
    /// order and in batches as of [`Self::read`]. False where the source is not asked by key: it gives nothing then.
    fn at_keys(&mut self, _table: &TablePlan, _keys: &[Key], _sink: Sink<'_>) -> Result<bool> {
        Ok(false)
    }

    /// The exact statement that `read` sends, for the plan; `?` or `$n` stand for bound parameters.
    fn statement(&self, table: &TablePlan, plan: &Plan) -> String;

    /// What the engine can tell of writes to the planned tables without reading a row of them, as of
    /// now and not of the snapshot. An engine that cannot tell leaves it at that.
    fn marks(&mut self, plan: &Plan) -> Result<Marks> {
        Ok(Marks { tables: vec![String::new(); plan.tables().len()], ..Marks::default() })
    }

    /// Before a script gives rights to this role (MariaDB: from that host): the schemas of scripts' views
    /// (`ecluse_` and 8 hexadecimal digits of their order) that it may read already. `None` where there is no
    /// such role, or the account cannot know. Asked of the server's own tables; nothing is changed.
    fn granted(&mut self, _role: &str, _host: &str) -> Result<Option<Vec<String>>> {
        Ok(None)
    }

    /// Whether a schema of a script's views is there already, as far as the account sees.
    fn has_schema(&mut self, _schema: &str) -> Result<bool> {
        Ok(false)
    }

    /// Ends the snapshot and its locks; what was staged is destroyed, durably.
    fn close(&mut self) -> Result<()>;

    /// Before [`Self::open`]: rows that do not fit in memory may stand sealed under this name in the
    /// staging folder that the instruction names. An empty mark of that name is durable there when this
    /// returns. False where it names none, or nothing is ever staged.
    fn stage(&mut self, _name: &str) -> Result<bool> {
        Ok(false)
    }

    /// Takes the mark of [`Self::stage`] away: the journal says that nothing stands under the name any more.
    fn unstage(&mut self, _name: &str) -> Result<()> {
        Ok(())
    }
}

/// The folder in which the instruction lets sealed rows stand for the time of a process.
pub trait Staging {
    /// Destroys what stands there under these names, durably. Refuses, before anything goes, where a name's
    /// mark is not there: it is another folder then, as under the place where a disk is not mounted.
    fn sweep(&self, ours: &[String]) -> Result<Swept>;

    /// Takes marks away behind which nothing stands: the journal says how each ended, or knows none.
    fn clear(&self) -> Result<()>;

    /// Refuses a folder in which anything stands.
    fn alone(&self) -> Result<()>;
}

/// Sealed parts in a staging folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files.
    pub parts: u64,
    /// Their bytes, sealed.
    pub bytes: u64,
}

/// Marks that move with writes: two looks with equal marks, and nobody wrote in between, as far as
/// the engine tells. Counters and positions; no value and no name of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Moves with every write to the whole instance; empty where the engine has no such mark, or
    /// where writes under way could go on without moving it.
    pub instance: String,
    /// Per planned table, in the plan's order: moves when the table is written to; empty where that
    /// cannot be told.
    pub tables: Vec<String>,
    /// What stands against writing, in words.
    pub guards: Vec<String>,
    /// Planned tables to which another session is writing now.
    pub writing: Vec<String>,
}

/// What a role can do beyond its orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What, in words: `can read table sigl_user_data`, `has REPLICATION`.
    pub what: String,
    /// The statement the administrator types to take it away; may be empty.
    pub remedy: String,
}

/// What stands once a snapshot is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The barrier that stands between us and what was not instructed, in words for the report.
    pub barrier: String,
    /// What could not be locked or seen with this role, in words; empty is best.
    pub limits: Vec<String>,
}

/// Rows of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Rows in the table, where the role can count them.
    pub available: Option<u64>,
    /// Rows the filter chooses.
    pub asked: u64,
}

/// One line of the ledger: a chunk that is in the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// [`TablePlan::number`].
    pub table: usize,
    /// The chunk's opaque number within the table, from 0.
    pub chunk: u64,
    /// Rows written.
    pub rows: u64,
    /// Rows refused.
    pub refused: u64,
    /// The published tally (`out` in `docs/formats.md`): 32 bytes.
    pub tally: [u8; 32],
    /// What became of the chunk's rows in the last catch-up that replaced it.
    pub since: Since,
}

/// What one catch-up changed in a chunk: counts against what stood there before it. In the ledger, so
/// that it comes with the rows or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// The catch-up's number, from 1; 0 where no catch-up has replaced the chunk.
    pub catch_up: u64,
    /// Rows that did not stand there.
    pub added: u64,
    /// Rows that stood there with other values; none in a table without a key.
    pub changed: u64,
    /// Rows that stood there and do not any more.
    pub deleted: u64,
}

/// A row the destination refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Index of the row over all batches of the chunk, in order.
    pub row: usize,
    /// Why.
    pub reason: Refusal,
}

/// Why a destination refused a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A unique constraint.
    Unique,
    /// A NOT NULL constraint.
    NotNull,
    /// A CHECK constraint.
    Check,
    /// A foreign key.
    ForeignKey,
    /// The value does not fit its column (length, range, encoding).
    Value,
    /// A trigger or something else raised an error.
    Other,
}

/// Makes the ledger's line once it is known which rows (by index) the destination refused.
pub type MakeEntry<'a> = &'a mut dyn FnMut(&[RefusedRow]) -> Result<LedgerEntry>;

/// Where rows go.
///
/// A table may hold other laboratories' rows: whatever reads, counts or deletes rows here keeps
/// to [`TablePlan::room`], whatever range it was asked for.
pub trait Destination: Send {
    /// The engine.
    fn engine(&self) -> Engine;

    /// The instance's identity, as `docs/formats.md` defines it per engine.
    fn identity(&mut self) -> Result<String>;

    /// The catalogue; the ledger's own tables are left out.
    fn catalog(&mut self, scope: Scope<'_>) -> Result<Catalog>;

    /// Whether the table holds no row; of a table that others use, whether its room
    /// ([`TablePlan::room`]) holds none.
    fn is_empty(&mut self, table: &TablePlan) -> Result<bool>;

    /// Executes one `CREATE TABLE` that `ddl` printed for the table of that name.
    fn create(&mut self, table: &str, statement: &str) -> Result<()>;

    /// The `CREATE TABLE` in this engine's words for a table that is missing.
    fn ddl(&self, table: &Table) -> String;

    /// The table as [`Self::catalog`] would tell it once [`Self::ddl`]'s statement was executed, as far
    /// as a plan looks at it: names, types, lengths, bounds, NULL, the key.
    fn supposed(&self, table: &Table) -> Table;

    /// Takes the destination for one run: the lock that keeps a second run out, the ledger
    /// (made where absent), and, for tables that were empty when the run first began,
    /// foreign keys, indexes and triggers' state recorded *in the ledger's transaction*, then dropped.
    /// Idempotent: a resumed run finds what an earlier one recorded.
    ///
    /// `run` is the run's opaque id; a ledger of another run over these tables is refused.
    fn open(&mut self, plan: &Plan, run: &str) -> Result<()>;

    /// The ledger of that run; nothing where there is none. Needs no [`Self::open`]: a
    /// reconciliation reads the ledger and changes nothing.
    fn ledger(&mut self, run: &str) -> Result<Vec<LedgerEntry>>;

    /// Replaces one chunk: deletes the rows of `range` where the ledger has the chunk already
    /// or `clear` says so, writes `rows` (one column per `table.write()`), and writes the
    /// ledger's line, all in one transaction. `range` may reach further than the rows: what a
    /// chunk held before it got an end goes with it. A row that a constraint refuses is found by
    /// bisection and left out; `entry` is asked for the line once the refused rows are known.
    fn replace(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        clear: bool,
        rows: &[Batch],
        entry: MakeEntry<'_>,
    ) -> Result<Vec<RefusedRow>>;

    /// Reads back the written columns of the rows in `range`: one column per `table.write()`.
    /// With `ordered` in the order of the key, else in any order (faster). Uses a
    /// connection of its own read-only transaction. A dry run reads so, too, the one column of a table
    /// outside the order that a foreign key of an ordered one refers to.
    fn read(&mut self, table: &TablePlan, range: &KeyRange, ordered: bool, sink: Sink<'_>) -> Result<()>;

    /// Reads the columns of `known.table()`, and no other, of rows that are *not* in its room and that the
    /// order allows to read ([`KnownPlan::only`]), in any order, once. A value that cannot be read is
    /// NULL, in the key too. The one place where anything of others' rows is asked for.
    fn beside(&mut self, known: &KnownPlan, sink: Sink<'_>) -> Result<()>;

    /// Rows of the child whose relation finds no parent.
    fn orphans(&mut self, child: &TablePlan, relation: usize, parent: &TablePlan) -> Result<u64>;

    /// Puts back and validates what `open` recorded and dropped, sets sequences past the
    /// largest key. Idempotent.
    fn finish(&mut self, plan: &Plan) -> Result<()>;

    /// Takes the destination to undo a run: the lock that keeps every run out, the ledger as it
    /// stands. Nothing is made, dropped or changed.
    fn hold(&mut self, run: &str) -> Result<()>;

    /// Takes one chunk away, in one transaction in which nobody else writes to the table: hands the
    /// rows of `range` to `sink` in any order, asks `ours`, and only then deletes these rows and the
    /// ledger's line. Neither a row of another table nor one beyond `range` is deleted or changed with
    /// them, whatever a foreign key says (CASCADE, SET NULL): where one refers to the chunk, it stays; so
    /// does one on whose rows somebody worked ([`Self::worked`]), looked at in the same transaction.
    /// `children` count as foreign keys too.
    fn remove(
        &mut self,
        table: &TablePlan,
        chunk: u64,
        range: &KeyRange,
        children: &[Referrer<'_>],
        sink: Sink<'_>,
        ours: &mut dyn FnMut() -> bool,
    ) -> Result<Removal>;

    /// Columns of the table that no run fills and of which nobody can tell whether somebody worked on them:
    /// the engine gives each row a value of its own (a clock, a sequence, a trigger), or the role may not look.
    fn unseen(&mut self, table: &TablePlan) -> Result<Vec<String>>;

    /// The rows of `range` on which somebody worked in a column that no run fills: those where it is neither
    /// NULL nor its constant default, as the catalogue has it now. Per such column and its name, the written
    /// columns of its rows. The values themselves stay at the engine.
    fn worked(
        &mut self,
        table: &TablePlan,
        range: &KeyRange,
        sink: &mut dyn FnMut(&str, Batch) -> Result<()>,
    ) -> Result<()>;

    /// Ends an undo: puts back what [`Self::open`] dropped and nobody put back. Where the ledger holds
    /// no chunk of the run any more, drops those tables of `made` that are empty and that nothing
    /// refers to, takes the run out of the ledger, and the ledger away with its last run. Durable when
    /// it returns; gives the dropped tables' names. Idempotent. Sequences stay as they are.
    fn forget(&mut self, plan: &Plan, made: &[String]) -> Result<Vec<String>>;

    /// Ends a migration, after [`Self::hold`]: takes the run and every line of its chunks out of the ledger, and
    /// the ledger away with its last run. The rows that were moved stay. Durable when it returns; idempotent.
    fn conclude(&mut self, run: &str) -> Result<()>;
}

/// A table whose rows refer to another's, whether or not a foreign key says so.
#[derive(Clone, Copy, Debug)]
pub struct Referrer<'a> {
    /// The table that refers.
    pub child: &'a TablePlan,
    /// Index into its read columns.
    pub column: usize,
    /// Index into the read columns of the table referred to.
    pub parent_column: usize,
}

/// What became of a chunk that was to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// So many rows were deleted, and the ledger's line with them.
    Gone(u64),
    /// They are not what the run wrote: nothing was changed.
    NotOurs,
    /// Somebody worked in a column that no run fills: nothing was changed.
    Worked,
    /// Rows of this table refer to rows of the chunk: nothing was changed.
    Referred(String),
    /// The engine deleted another number of rows than it had shown: nothing was changed.
    Uneven,
}

/// Files that rows name: folders at the source, one folder at the destination. Each is opened by handle,
/// step by step, through no link; a file is read once, from one handle.
///
/// Names are personal: no fault of this port holds one.
pub trait Files: Sync {
    /// The file that a row names: looked at, read to its digest, or brought to the destination. Where it was
    /// brought, it is durable there when this returns, under [`ecluse_core::plan::files::arrives_as`].
    fn take(&self, from: &FileColumn, name: &Relative, want: Want<'_>) -> Result<Taken>;

    /// The bytes of a file that a row names, from one reading, block by block as they come. What was given counts
    /// only where [`Taken::There`] comes back.
    fn carry(
        &self,
        from: &FileColumn,
        name: &Relative,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Taken>;

    /// The name of every regular file in a source folder and below, from the folder on.
    fn lie(&self, folder: &str, each: &mut dyn FnMut(&str)) -> Result<()>;

    /// Whether the file of this name at the destination holds what this digest (SHA-256, hexadecimal) says.
    fn stands(&self, name: &str, digest: &str) -> Result<Stands>;

    /// The name of everything in the run's folder at the destination, from the destination's folder on.
    fn kept(&self, run: &str) -> Result<Vec<String>>;

    /// Takes one file of the run's folder away, and folders that are empty then; durable when it returns.
    fn remove(&self, run: &str, name: &str) -> Result<()>;
}

/// What is wanted of a file at the source.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// Whether it is there, and a file that may be read.
    Look,
    /// Its digest.
    Digest,
    /// A copy at the destination.
    Copy {
        /// The run's opaque id.
        run: &'a str,
        /// The row's token; empty in a table without a key.
        row: &'a str,
        /// A copy that is there already is read too, and replaced where it holds something else.
        verify: bool,
    },
}

/// A file at the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There is none.
    Missing,
    /// It is nothing that may be read: a link, a device, too large, changed meanwhile.
    Refused(&'static Code),
    /// It is there: its digest (SHA-256, hexadecimal; empty where it was only looked at), its bytes.
    There {
        /// See [`Taken::There`].
        digest: String,
        /// See [`Taken::There`].
        bytes: u64,
    },
}

/// A file at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// As it was brought.
    Whole,
    /// It is not there.
    Missing,
    /// It holds something else, or is no file.
    Altered,
}

/// Where a sealed archive is written. It has its name once it is whole, and not before.
pub trait Archive {
    /// Begins: takes away what an earlier start left of an archive that never got its name.
    fn begin(&mut self) -> Result<()>;

    /// Writes one sealed part under its number; durable when [`Self::finish`] begins to write.
    fn put(&mut self, index: u64, sealed: &[u8]) -> Result<()>;

    /// Once every part is durable, writes these files, by their path in the archive, and gives it its name; durable when
    /// it returns.
    fn finish(&mut self, files: &BTreeMap<String, Vec<u8>>) -> Result<()>;
}

/// The run folder: what one run leaves between two processes. Nothing personal in clear.
pub trait Record: Send {
    /// Appends one event; durable when it returns.
    fn append(&mut self, leaf: Leaf) -> Result<()>;

    /// Where the journal stands.
    fn head(&self) -> Head;

    /// What was done since the journal stood at this head; `None` where it never did, or its
    /// tail was cut off.
    fn since(&self, head: &Head) -> Option<Vec<Act>>;

    /// The objects on which this act was begun, and of which the journal does not say how it ended.
    fn unended(&self, act: Act) -> Vec<String>;

    /// When the journal's last line was written, as it says.
    fn last_time(&self) -> Option<String>;

    /// Whether a line torn by a crash was set aside when the folder was taken.
    fn was_torn(&self) -> bool;

    /// Replaces the sealed state by this one, atomically; durable when it returns.
    fn save_state(&mut self, sealed: &[u8]) -> Result<()>;

    /// Destroys the sealed state: overwritten, its name taken away; durable when it returns. Idempotent.
    fn destroy_state(&mut self) -> Result<()>;

    /// The sealed state last saved, if any.
    fn load_state(&mut self) -> Result<Option<Vec<u8>>>;

    /// Replaces `figures.json`, atomically; durable when it returns. The file's digest.
    fn save_figures(&mut self, figures: &Figures) -> Result<String>;

    /// Replaces `reconciliation.json`, as [`Self::save_figures`] does its own file.
    fn save_reconciliation(&mut self, json: &[u8]) -> Result<String>;

    /// Replaces `undone.json`, as [`Self::save_figures`] does its own file.
    fn save_undone(&mut self, undone: &Undone) -> Result<String>;

    /// Keeps a dry run's figures beside those of earlier ones, in the place of its own earlier
    /// ones (the same `run`); durable when it returns. `announced` is the line that stands before, with the file's
    /// digest in it. That digest.
    fn save_rehearsal(&mut self, figures: &Figures, announced: Leaf) -> Result<String>;

    /// Takes away what was said of the destination as it was: the reconciliation and the report.
    /// Durable when it returns.
    fn withdraw(&mut self) -> Result<()>;
}
