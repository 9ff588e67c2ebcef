//! The destination read back by a fresh process and connection, and compared.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::{Batch, Keys, RowHasher, Scope, Tally, TallyKey};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::{Plan, Relation, TablePlan};
use ecluse_core::value::{Key, KeyRange};
use ecluse_seal::{RunState, TableState};
use serde::Serialize;

use crate::attached::{Attaching, How, Reading};
use crate::checks;
use crate::diff::{self, Looking, Rows, Without};
use crate::event::{Act, Outcome};
use crate::excluded::Staying;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, LedgerEntry, Record, Source};
use crate::run::{Options, Progress};
use crate::world::World;
use crate::{ahead, readback, sample, staged, state, undo};

static UNFINISHED: Code = Code::refused("ECL-REC-011", "the run has not come to its end");
static DIED: Code = Code::outside("ECL-REC-012", "a thread of the reconciliation died");

/// One thing that differs. Names places and tokens, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The destination table's name.
    pub table: String,
    /// The chunk's opaque number within the table.
    pub chunk: u64,
    /// What differs.
    pub kind: Kind,
    /// The row's token; absent where rows are only counted.
    pub row: Option<String>,
    /// The destination column; absent where the whole row is meant.
    pub column: Option<String>,
    /// How many rows, where they are only counted; else 1.
    pub rows: u64,
    /// The published tally of the chunk as it was read back: what the difference was found in.
    pub there: Option<String>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The row is not at the destination.
    Missing,
    /// A row that was never moved.
    Extra,
    /// The same key twice at the destination.
    Duplicate,
    /// A value differs.
    Altered,
    /// The row hangs on another patient (or other parent) than it should.
    Reattached,
    /// Rows have no parent at the destination, and a table that they concern differs.
    Orphan,
    /// Rows of a table without a key differ; only counts can be given.
    Count,
    /// The chunk's rows and the ledger differ, yet both sides hold the same rows.
    Ledger,
    /// Both sides differ and the tally cannot tell which one changed.
    Undecided,
    /// Changed, added or removed at the source since the run's snapshot (or refused by the
    /// run): the destination holds what was moved.
    Since,
    /// Rows have no parent at the destination, as they had none at the source.
    Parentless,
    /// The file that the row names is not at the destination.
    FileMissing,
    /// The file that the row names holds something else than what was moved.
    FileAltered,
    /// Files in the run's folder at the destination that no row names.
    FileStray,
}

impl Kind {
    /// Whether this is damage (or may be).
    #[must_use]
    pub const fn is_damage(self) -> bool {
        !matches!(self, Self::Since | Self::Parentless)
    }

    /// In a word or two, after a number of rows.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "never moved",
            Self::Duplicate => "twice there",
            Self::Altered => "altered",
            Self::Reattached => "with another patient",
            Self::Orphan | Self::Parentless => "without a parent",
            Self::Count => "different in a table without a key",
            Self::Ledger => "not as the ledger says",
            Self::Undecided => "changed on one side or the other",
            Self::Since => "changed at the source since",
            Self::FileMissing => "without their file",
            Self::FileAltered => "with another file than was moved",
            Self::FileStray => "files that no row names",
        }
    }

    /// The code under which it is reported.
    #[must_use]
    pub const fn code(self) -> &'static Code {
        match self {
            Self::Missing => &MISSING,
            Self::Extra => &EXTRA,
            Self::Duplicate => &DUPLICATE,
            Self::Altered => &ALTERED,
            Self::Reattached => &REATTACHED,
            Self::Orphan | Self::Parentless => &ORPHAN,
            Self::Count => &COUNT,
            Self::Ledger => &LEDGER,
            Self::Undecided => &UNDECIDED,
            Self::Since => &SINCE,
            Self::FileMissing => &FILE_MISSING,
            Self::FileAltered => &FILE_ALTERED,
            Self::FileStray => &FILE_STRAY,
        }
    }
}

static MISSING: Code = Code::refused("ECL-REC-001", "rows are missing at the destination");
static EXTRA: Code = Code::refused("ECL-REC-002", "rows at the destination were never moved");
static REATTACHED: Code = Code::refused("ECL-REC-003", "rows changed patient");
static ALTERED: Code = Code::refused("ECL-REC-004", "values were altered");
static DUPLICATE: Code = Code::refused("ECL-REC-005", "rows stand twice at the destination");
static ORPHAN: Code = Code::refused("ECL-REC-006", "rows have no parent at the destination");
static COUNT: Code = Code::refused("ECL-REC-007", "rows of a table without a key differ");
static LEDGER: Code = Code::refused("ECL-REC-008", "the ledger says otherwise than both sides");
static UNDECIDED: Code =
    Code::refused("ECL-REC-009", "rows differ, and it cannot be told on which side they changed");
static SINCE: Code = Code::refused("ECL-REC-010", "rows changed at the source since the run");
static FILE_MISSING: Code =
    Code::refused("ECL-FIL-040", "files that rows name are missing at the destination");
static FILE_ALTERED: Code =
    Code::refused("ECL-FIL-041", "files at the destination were changed or exchanged");
static FILE_STRAY: Code =
    Code::refused("ECL-FIL-042", "files of the run lie at the destination and no row names them");

/// What a reconciliation found.
#[derive(Clone, Debug, Serialize)]
pub struct Reconciliation {
    /// The opaque id of the run that was compared.
    pub run: String,
    /// Per table: rows read back, chunks compared, chunks that agree.
    pub tables: Vec<Compared>,
    /// All that differs, by table, chunk and row.
    pub differences: Vec<Difference>,
    /// What the journal calls the run.
    #[serde(skip)]
    object: String,
}

/// One table, read back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The destination table's name.
    pub table: String,
    /// Rows at the destination.
    pub rows: u64,
    /// Rows the ledger says.
    pub ledger_rows: u64,
    /// Chunks compared.
    pub chunks: u64,
    /// Chunks whose tally is the ledger's.
    pub agree: u64,
    /// Files read back that its rows name.
    #[serde(skip_serializing_if = "crate::figures::none")]
    pub files: u64,
}

impl Reconciliation {
    /// Whether nothing is lost, doubled, altered or attached to another patient.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.differences.iter().any(|d| d.kind.is_damage())
    }

    /// Rows that are damage, by kind: a row counts once in each, however many of its columns differ.
    #[must_use]
    pub fn damaged(&self) -> BTreeMap<Kind, u64> {
        let kinds: BTreeSet<Kind> =
            self.differences.iter().map(|d| d.kind).filter(|k| k.is_damage()).collect();
        kinds.into_iter().map(|kind| (kind, self.rows(|other| other == kind))).collect()
    }

    /// Rows that differ in one of these ways, each once.
    #[must_use]
    pub fn rows(&self, which: impl Fn(Kind) -> bool) -> u64 {
        let mut named = BTreeSet::new();
        let chosen = self.differences.iter().filter(|one| which(one.kind));
        let once = chosen.filter(|one| {
            one.row.as_ref().is_none_or(|row| named.insert((one.table.as_str(), row.as_str())))
        });
        once.map(|one| one.rows.max(1)).sum()
    }

    /// The gravest kind of damage: a changed patient first.
    #[must_use]
    pub fn gravest(&self) -> Option<&'static Code> {
        let damage = self.differences.iter().map(|d| d.kind).filter(|k| k.is_damage());
        damage.min_by_key(|k| (*k != Kind::Reattached, *k)).map(Kind::code)
    }
}

/// Opens the source when it is asked for.
pub type Connect<'a, 's> = &'a mut dyn FnMut() -> Result<Box<dyn Source + 's>>;

/// Reads the destination back, every row of it, and compares each chunk with the ledger;
/// looks into each chunk that differs, row by row, with the source; into every chunk where
/// `options.full` says so, for what changed at the source since.
///
/// Finds accidents and outsiders: whoever holds the tally key can forge a tally.
/// `connect` opens the source, and is called only where a chunk is looked into.
///
/// It is the last word on the destination once [`conclude`] has kept what was found.
///
/// # Errors
///
/// Coded, where the comparison could not be made; `ECL-REC-011` where the run's last step was not
/// reached since the destination was last changed. A difference is no error here: see
/// [`Reconciliation::holds`].
pub fn reconcile<'s>(
    orders: Orders<'_>,
    options: Options<'_>,
    connect: Connect<'_, 's>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Reconciliation> {
    let state = state::load(&orders, record)?
        .ok_or_else(|| state::NONE.fault("").help("run `ecluse migrate` first"))?;
    undo::none(&state)?;
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    journal.act(Act::Standing, &object, |_| orders.standing())?;
    journal.note(Act::Reconcile, &object, &Outcome::Begun)?;
    let staying = Staying::of(&orders, world.random()?)?;
    let staying = staying.as_ref();
    let mut compare = || {
        if !state.whole && !options.start.is_of_reference() {
            return Err(unfinished("constraints were not put back, nor the end looked at"));
        }
        // until this one is through, no earlier comparison is the last word
        journal.record.withdraw()?;
        checks::destination(destination, orders.plan, orders.destination)?;
        let ledger = destination.ledger(&state.run)?;
        let journal = &mut journal;
        let mut look = Look {
            orders,
            options,
            state: &state,
            destination,
            connect,
            source: None,
            staying,
            journal,
            progress,
        };
        let found = look.tables(&ledger);
        let Look { source, journal, .. } = look;
        match source {
            Some(mut source) => staged::close(source.as_mut(), journal).and(found),
            None => found,
        }
    };
    let found = compare();
    if let Err(fault) = &found {
        journal.failed(Act::Reconcile, &object, fault);
    }
    found
}

/// Keeps what was found, in the caller's words, as `reconciliation.json`; then the journal says how
/// the comparison went, with that file's digest. A process that dies before this ends has compared
/// nothing: the journal's last word is `begun`.
///
/// # Errors
///
/// The record's.
pub fn conclude(
    found: &Reconciliation,
    json: &[u8],
    orders: Orders<'_>,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<()> {
    let mut journal = Journal::new(record, world, orders.session);
    let paper = journal.record.save_reconciliation(json)?;
    let outcome = found.gravest().map_or(Outcome::Done, |code| Outcome::Code(code.id));
    journal.note_paper(Act::Reconcile, &found.object, &outcome, Some(paper))
}

struct Look<'a, 'c, 's, 'j> {
    orders: Orders<'a>,
    options: Options<'a>,
    state: &'a RunState,
    destination: &'a mut dyn Destination,
    connect: Connect<'c, 's>,
    source: Option<Box<dyn Source + 's>>,
    staying: Option<&'a Staying<'a>>,
    journal: &'a mut Journal<'j>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Look<'_, '_, '_, '_> {
    fn tables(&mut self, ledger: &[LedgerEntry]) -> Result<Reconciliation> {
        let plan = self.orders.plan;
        let run = self.state.run.clone();
        let mut found = Reconciliation {
            run,
            tables: Vec::new(),
            differences: Vec::new(),
            object: self.state.object.clone(),
        };
        let token = state::token_key(self.state);
        let mut files = Reading::new(plan, self.options.files, &self.state.run, token)?;
        let upto = if self.options.start.is_of_reference() { plan.reference() } else { plan.tables().len() };
        for table in plan.tables().iter().take(upto) {
            let lines: BTreeMap<u64, &LedgerEntry> =
                ledger.iter().filter(|l| l.table == table.number()).map(|l| (l.chunk, l)).collect();
            let sealed = state::table(self.state, table.number())?;
            if !sealed.closed || lines.len() != sealed.chunks() {
                return Err(unfinished(&format!("table {}", table.destination())));
            }
            self.table(table, sealed, &lines, &mut found)?;
            if let Some(files) = &mut files {
                let (read, differ) = files.table(table, sealed, self.destination)?;
                found.differences.extend(differ);
                if let Some(compared) = found.tables.last_mut() {
                    compared.files = read;
                }
            }
        }
        // files that no row names are looked for once every row was read
        if let Some(files) = files.as_ref().filter(|_| upto == plan.tables().len()) {
            found.differences.extend(files.strays(plan)?);
        }
        self.orphans(plan, upto, &mut found)?;
        Ok(found)
    }

    fn table(
        &mut self,
        table: &TablePlan,
        sealed: &TableState,
        lines: &BTreeMap<u64, &LedgerEntry>,
        found: &mut Reconciliation,
    ) -> Result<()> {
        let key = state::tally_key(self.state);
        let expected = lines.values().map(|l| l.rows).sum();
        (self.progress)(Progress::Table(table.number(), table.destination(), expected));
        let tallies = read_back(self.destination, table, sealed, &key, self.progress)?;
        let mut compared = Compared {
            table: table.destination().to_owned(),
            rows: tallies.iter().map(Tally::count).sum(),
            ledger_rows: expected,
            ..Compared::default()
        };
        for ((chunk, line), tally) in lines.iter().zip(&tallies) {
            compared.chunks += 1;
            let scope = Scope::Chunk { table: table.number(), chunk: *chunk };
            let published = tally.publish(&key, scope);
            let agrees = line.tally == published && line.rows == tally.count();
            compared.agree += u64::from(agrees);
            if agrees && !self.options.full {
                continue;
            }
            let range = sealed.range(usize::try_from(*chunk).unwrap_or(usize::MAX));
            let there = Rows::of_destination(self.destination, table, &range, &key)?;
            let engine = self.destination.engine();
            let plan = self.orders.plan;
            let kept = sample::kept(self.state, plan, table, sealed);
            let gone = &sealed.refused;
            let token = state::token_key(self.state);
            let how = How::digest(&self.orders, &self.state.run);
            let files = Attaching::new(plan, self.options.files, how, state::token_key(self.state))?;
            let without = Without { kept, refused: gone, staying: self.staying, files: files.as_ref() };
            let here = Rows::of_source(self.source()?, plan, table, &range, engine, &key, &without)?;
            let look = Looking { table, entry: line, tally: &key, token: &token };
            let differ =
                if agrees { diff::since(&look, &here, &there) } else { diff::chunk(&look, &here, &there)? };
            let there = Some(data_encoding::HEXLOWER.encode(&published));
            let differ = differ.into_iter().map(|one| Difference { there: there.clone(), ..one });
            found.differences.extend(differ);
        }
        found.tables.push(compared);
        (self.progress)(Progress::Through(table.number()));
        Ok(())
    }

    /// The source, opened and checked when it is first needed.
    fn source(&mut self) -> Result<&mut dyn Source> {
        if self.source.is_none() {
            (self.progress)(Progress::Note("reading the source too"));
            let source = (self.connect)()?;
            let object = &self.state.object;
            let mut source = checks::reopen(source, &self.orders, self.options, self.journal, object)?;
            // who hangs on whom is nowhere kept
            self.staying.map_or(Ok(()), |staying| staying.learn(source.as_mut(), &self.orders))?;
            self.source = Some(source);
        }
        match &mut self.source {
            Some(source) => Ok(source.as_mut()),
            None => Err(DIED.fault("source")),
        }
    }

    /// Rows without a parent. A relation that the destination itself declares is kept by it;
    /// where both tables agree with the ledger, an orphan was one at the source already.
    fn orphans(&mut self, plan: &Plan, upto: usize, found: &mut Reconciliation) -> Result<()> {
        for child in plan.tables().iter().take(upto) {
            let within = |r: &Relation| !r.declared && r.parent < upto;
            for (index, relation) in child.relations().iter().enumerate().filter(|(_, r)| within(r)) {
                let Some(parent) = plan.tables().get(relation.parent) else { continue };
                let rows = self.destination.orphans(child, index, parent)?;
                if rows == 0 {
                    continue;
                }
                let whole =
                    |table: &TablePlan| found.tables.get(table.number()).is_some_and(|c| c.agree == c.chunks);
                let kind = if whole(child) && whole(parent) { Kind::Parentless } else { Kind::Orphan };
                let column = child.read().get(relation.column).map(|c| c.name.clone());
                let table = child.destination().to_owned();
                found.differences.push(Difference {
                    table,
                    chunk: 0,
                    kind,
                    row: None,
                    column,
                    rows,
                    there: None,
                });
            }
        }
        Ok(())
    }
}

fn unfinished(what: &str) -> Fault {
    UNFINISHED.fault(what).help("let it go on, the same command again: ecluse migrate")
}

/// The tally of each chunk as it stands at the destination: one pass over the table in
/// whatever order the engine likes best, one thread reading, one tallying.
pub(crate) fn read_back(
    destination: &mut dyn Destination,
    table: &TablePlan,
    sealed: &TableState,
    key: &TallyKey,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Tally>> {
    let mut spread = Spread::new(table, &sealed.ends, key);
    let (everything, mut rows) = (KeyRange::default(), 0u64);
    ahead::read(
        |sink| destination.read(table, &everything, false, sink),
        |batch| {
            spread.take(&batch)?;
            rows += u64::try_from(batch.rows()).unwrap_or(0);
            progress(Progress::Rows(table.number(), rows, 0));
            Ok(true)
        },
    )?;
    Ok(spread.tallies)
}

/// Rows in any order, tallied by the chunk whose key range holds them.
struct Spread<'a> {
    table: &'a TablePlan,
    ends: &'a [Key],
    types: Vec<ecluse_core::types::Type>,
    hasher: RowHasher,
    hashes: Vec<ecluse_batch::RowHash>,
    tallies: Vec<Tally>,
    current: usize,
}

impl<'a> Spread<'a> {
    fn new(table: &'a TablePlan, ends: &'a [Key], key: &TallyKey) -> Self {
        let types = readback::types(table);
        let hasher = RowHasher::new(key, table.destination(), &types);
        let tallies = vec![Tally::new(); ends.len() + 1];
        Self { table, ends, types, hasher, hashes: Vec::new(), tallies, current: 0 }
    }

    fn take(&mut self, batch: &Batch) -> Result<()> {
        self.hashes.clear();
        self.hasher.hash_rows(batch, &mut self.hashes)?;
        let keys = Keys::new(batch, &self.types, self.table.write_key())?;
        for (row, hash) in self.hashes.iter().enumerate() {
            // rows mostly lie where their neighbours lie
            let above = |end: &Key| keys.compare(row, end).is_gt();
            let before = self.current.checked_sub(1).and_then(|i| self.ends.get(i));
            if before.is_some_and(|end| !above(end)) || self.ends.get(self.current).is_some_and(above) {
                self.current = self.ends.partition_point(above);
            }
            if let Some(tally) = self.tallies.get_mut(self.current) {
                tally.add(hash);
            }
        }
        Ok(())
    }
}
