//! What a run must remember between two processes, and nobody else may read.

use std::fmt;

use ecluse_core::catalog::Catalog;
use ecluse_core::value::{Key, KeyRange};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::known::KnownList;

/// A 256-bit secret key; wiped when dropped, silent when printed.
#[derive(Clone)]
pub struct Seal(Zeroizing<[u8; 32]>);

impl Seal {
    /// Takes 256 random bits.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one function that keys a hash with them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

/// The state of one run, its resumes and catch-ups included.
#[derive(Clone, Debug)]
pub struct RunState {
    /// The run's opaque id: 128 random bits, hexadecimal. Also the ledger's name for it.
    pub run: String,
    /// The digest of the instruction that opened the run: `sha256:…`. No other may go on with it.
    pub instruction: String,
    /// Of a load, the identity of the database into which it was begun; empty where the order itself names the
    /// destination, and in a state of an older day.
    pub destination: String,
    /// Of a load whose rows name files, the path of the folder that receives them, resolved; else empty.
    pub files: String,
    /// The key of the tallies (`docs/formats.md`, "Tallies").
    pub tally: Seal,
    /// The key of the row tokens.
    pub token: Seal,
    /// The journal's random id for the run as a whole.
    pub object: String,
    /// Lines of the journal when this was sealed, and the digest of the last of them:
    /// cutting the journal's tail is seen.
    pub journal: (u64, String),
    /// Whether the run's last step was reached and nothing changed the destination since: taken
    /// back before it changes, given after constraints are put back and the end was looked at.
    pub whole: bool,
    /// What every start of the run so far had to be told of, each once, in the order in which it came.
    pub noted: Vec<Noted>,
    /// Starts that found the run through and went over it again, in their order.
    pub catch_ups: Vec<CatchUp>,
    /// At which hour the source was frozen, if it was.
    pub frozen: Option<Frozen>,
    /// Where a sample was moved and nothing else since: how many dossiers were asked for.
    pub sample: Option<u64>,
    /// What the plan was compiled from at the source: saved before the destination changes. None
    /// in a state of an older day.
    pub seen: Option<Seen>,
    /// Destination tables that the run was about to make: saved before each is made.
    pub made: Vec<String>,
    /// Where the run is being undone, or was: it is not gone on with.
    pub undo: Option<Undo>,
    /// Persons who exist at the destination already, where the order has them compared and nothing changed
    /// the destination since.
    pub known: Option<KnownList>,
    /// Where the sender of an archive erased its source, the values by which what went is sought from then on: nobody
    /// there can draw them again.
    pub sought: Sought,
    /// Files at the source that rows named which are erased, or were about to be: until these files are erased too.
    pub parting: Parting,
    /// One per table of the plan, in its order.
    pub tables: Vec<TableState>,
}

/// Values of patients; wiped when dropped, silent when printed.
#[derive(Clone, Default)]
pub struct Sought(Vec<Zeroizing<String>>);

impl Sought {
    /// Takes them.
    #[must_use]
    pub const fn new(values: Vec<Zeroizing<String>>) -> Self {
        Self(values)
    }

    /// Each, for the one function that looks for them.
    pub fn expose(&self) -> impl Iterator<Item = &Zeroizing<String>> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Sought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sought({})", self.0.len())
    }
}

/// A file at the source that goes once its rows went. Silent when printed: such names hold patients' names.
#[derive(Clone, PartialEq, Eq)]
pub struct PartingFile {
    /// The number of the table whose rows named it.
    pub table: usize,
    /// The place of the column among those of the table that name files.
    pub column: usize,
    /// Its name below the column's folder.
    pub name: Zeroizing<String>,
    /// SHA-256 of its bytes, hexadecimal: what moved. Nothing else is erased under that name.
    pub sha256: String,
    /// Whether a row that stays named it too when the rows went: it stays.
    pub stays: bool,
}

impl fmt::Debug for PartingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartingFile({}.{})", self.table, self.column)
    }
}

/// Files that part with their rows.
pub type Parting = Vec<PartingFile>;

/// A source frozen: the operator's statement, with what the engine told. Not personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// When it was stated, UTC, RFC 3339.
    pub at: String,
    /// The mark of the whole instance; empty where there is none.
    pub instance: String,
    /// The mark of each planned table, in the plan's order; empty where there is none.
    pub tables: Vec<String>,
}

/// The source as the run's last start saw it, so that an undo needs none that answers. No value of
/// any row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The instructed tables; without comments and estimates.
    pub catalog: Catalog,
    /// Whether they were read through the administrator's views.
    pub views: bool,
}

/// An undo, saved before the first row goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// When it was first begun, UTC, RFC 3339.
    pub began: String,
    /// Rows in the ledger then, per table of the plan.
    pub rows: Vec<u64>,
}

/// One catch-up: its figures stand apart from the run's. Counts only; `figures.json` has them too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchUp {
    /// From 1.
    pub number: u64,
    /// When it was begun, UTC, RFC 3339.
    pub began: String,
    /// When it came to its end; empty until then: the same command goes on with it.
    pub ended: String,
    /// Whether rows that were changed at the destination were put right too.
    pub repair: bool,
    /// The hour at which the source had been frozen; empty where it lived on.
    #[serde(default)]
    pub frozen: String,
    /// What the engine's marks said at the end: `instance unmoved`, `tables unmoved`, `untold` or
    /// `moved`; empty where the source lived on.
    #[serde(default)]
    pub held: String,
    /// One per table of the plan, in its order.
    pub tables: Vec<Caught>,
}

/// What a catch-up did to one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caught {
    /// The source table's name.
    pub table: String,
    /// Rows that were not at the destination, and are.
    pub added: u64,
    /// Rows that stood there with other values; none in a table without a key.
    pub changed: u64,
    /// Rows that stood there, and do not any more.
    pub deleted: u64,
    /// Chunks compared.
    pub chunks: u64,
    /// Chunks that differed and were replaced.
    pub replaced: u64,
}

impl CatchUp {
    /// Rows over all tables: added, changed, deleted.
    #[must_use]
    pub fn rows(&self) -> [u64; 3] {
        self.tables.iter().fold([0; 3], |[a, c, d], t| [a + t.added, c + t.changed, d + t.deleted])
    }
}

/// One thing that a later start of the run must not cover up. Not personal: it stands in
/// `figures.json` too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// When it was first met, UTC, RFC 3339.
    pub at: String,
    /// What it is.
    pub what: What,
    /// The reason given, or what was found, in words.
    pub words: String,
}

/// What can be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The barrier that stood between the run and what was not instructed.
    Barrier,
    /// What could not be locked or seen.
    Limit,
    /// What the source's role could do beyond its orders.
    Excess,
    /// The reason for which a wider role was accepted.
    WiderRole,
    /// The reason for which the tables themselves were read, not views.
    WithoutViews,
}

/// How one table's key space is cut.
#[derive(Clone, Debug)]
pub struct TableState {
    /// The journal's random id for the table.
    pub object: String,
    /// The last key of each chunk but the open one, ascending.
    pub ends: Vec<Key>,
    /// Whether the table was once read to its end: then the chunk after the last of `ends`
    /// exists and reaches to the end of the key space.
    pub closed: bool,
    /// The chunk whose ledger line was made when no boundary lay behind it. Where one does now,
    /// the line still speaks of all that lay beyond the chunk's first key.
    pub open_line: Option<u64>,
    /// Where a trial left rows out: the keys of those it moved, ascending; else empty.
    pub kept: Vec<Key>,
    /// The keys of rows that the run refused, ascending: they stand at the source, and are not
    /// missed at the destination. Not all of them where there are very many.
    pub refused: Vec<Key>,
    /// Why, one for each of them.
    pub reasons: Reasons,
    /// The keys of rows that moved although their national identifier does not hold, ascending; not
    /// all of them where there are very many.
    pub flawed: Vec<Key>,
    /// What is wrong, one for each of them.
    pub flaws: Reasons,
}

/// A code and its column per row (`ECL-BAT-102 result.unit`), each text kept once. Not personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    texts: Vec<String>,
    rows: Vec<usize>,
}

impl Reasons {
    /// The next row's.
    pub fn push(&mut self, text: &str) {
        let known = self.texts.iter().position(|known| known == text);
        self.rows.push(known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        }));
    }

    /// A row's; `None` where a state of an earlier day did not keep it.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.rows.get(row).and_then(|text| self.texts.get(*text)).map(String::as_str)
    }
}

impl TableState {
    /// The key range of a chunk: ranges of consecutive chunks partition the key space.
    #[must_use]
    pub fn range(&self, chunk: usize) -> KeyRange {
        KeyRange {
            after: chunk.checked_sub(1).and_then(|before| self.ends.get(before)).cloned(),
            upto: self.ends.get(chunk).cloned(),
        }
    }

    /// The key range of which a chunk's ledger line speaks: [`Self::range`], but without an end
    /// where the line was made before the chunk got one.
    #[must_use]
    pub fn line_range(&self, chunk: usize) -> KeyRange {
        let range = self.range(chunk);
        if self.open_line.is_some() && self.open_line == u64::try_from(chunk).ok() {
            return KeyRange { upto: None, ..range };
        }
        range
    }

    /// How many chunks are known, the open one included once the table was read to its end.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.ends.len() + usize::from(self.closed)
    }

    /// The chunk that holds this key.
    #[must_use]
    pub fn chunk_of(&self, key: &Key) -> usize {
        self.ends.partition_point(|end| end < key)
    }
}
