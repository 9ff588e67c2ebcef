//! Files that part with their rows: what moved is erased at the source with the files that it named.
//!
//! Their names are known while their rows stand, and are needed once these are gone for good: they are sealed with
//! the run's state before the rows go, and taken out of it once none of the files stands (decision 0090). A file that
//! a row which stays names too stays with it, under whatever name that row has for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use ecluse_core::count::{number, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::{FileColumn, Relative};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::value::KeyRange;
use ecluse_seal::{Parting, PartingFile, RunState};
use zeroize::Zeroizing;

use crate::attached::{self, Notes, Reading};
use crate::conclude;
use crate::event::Act;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Files, Record, Source};
use crate::run::Progress;
use crate::state;
use crate::step::POISONED;
use crate::world::World;

static NOT_OURS: Code =
    Code::refused("ECL-ERA-035", "files that rows name could not be erased by this account");
static ELSEWHERE: Code = Code::refused("ECL-ERA-036", "files at the destination are not what moved");
static STANDS: Code = Code::refused("ECL-ERA-037", "files whose rows are erased stand at the source still");
static STOPPED: Code =
    Code::outside("ECL-ERA-038", "the erasure of files was stopped at the operator's wish");

/// Where files lie at the source, for whoever erases them: opened by handle, step by step, through no link. No fault
/// of this port holds a name.
pub trait Remover: Sync {
    /// Why this account could not erase the file; nothing where it could.
    fn lacks(&self, from: &FileColumn, name: &Relative) -> Result<Option<&'static Code>>;

    /// Which file stands under this name, as its file system tells files apart; nothing where none does, or where
    /// the way leads through a link.
    fn which(&self, from: &FileColumn, name: &Relative) -> Result<Option<Which>>;

    /// Erases the file if it holds what this digest (SHA-256, hexadecimal) says: overwritten, then its name taken
    /// away, and folders below the column's that are empty then; durable when it returns. Killed in between, the same
    /// call ends it.
    fn erase(&self, from: &FileColumn, name: &Relative, sha256: &str) -> Result<Removed>;
}

/// A file system's number, and the file's in it.
pub type Which = [u64; 2];

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was there, and is gone.
    Gone,
    /// It was not there any more.
    Absent,
    /// It stands: it is not what moved, or may not be touched.
    Stands(&'static Code),
}

/// What became of the files of one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// The table and its column.
    pub column: String,
    /// The folder, as the order names it.
    pub folder: String,
    /// Files that are gone: those that went now, and those that were gone when this start came to them.
    pub gone: u64,
    /// Of `gone`, those that were not there any more.
    pub absent: u64,
    /// Files that stay, since rows that stay name them.
    pub stay: u64,
}

/// Files that rows named which were compared, each once.
#[derive(Default)]
pub(crate) struct Names(Mutex<BTreeMap<(usize, usize, String), String>>);

impl Notes for Names {
    fn note(&self, (table, column): (usize, usize), name: &Relative, (digest, _): (&str, u64)) -> Result<()> {
        let mut names = self.0.lock().map_err(|_| POISONED.fault("names of files"))?;
        names.insert((table, column, name.joined().to_owned()), digest.to_owned());
        Ok(())
    }
}

impl Names {
    /// What was noted so far.
    pub(crate) fn files(&self) -> Result<Parting> {
        let names = self.0.lock().map_err(|_| POISONED.fault("names of files"))?;
        let file = |((table, column, name), sha256): (&(usize, usize, String), &String)| PartingFile {
            table: *table,
            column: *column,
            name: Zeroizing::new(name.clone()),
            sha256: sha256.clone(),
        };
        Ok(names.iter().map(file).collect())
    }
}

/// A parting file, as the plan knows its column.
struct File<'a> {
    table: &'a TablePlan,
    from: &'a FileColumn,
    name: Relative,
    sha256: &'a str,
}

fn resolved<'a>(plan: &'a Plan, parting: &'a [PartingFile]) -> Result<Vec<File<'a>>> {
    let file = |one: &'a PartingFile| {
        let table = plan.tables().get(one.table)?;
        let from = table.files().get(one.column)?;
        Some(File { table, from, name: Relative::again(&one.name)?, sha256: &one.sha256 })
    };
    parting.iter().map(|one| file(one).ok_or_else(state::other)).collect()
}

/// That this account could erase each of them: asked before any row goes.
///
/// # Errors
///
/// [`NOT_OURS`]; `ECL-FIL-020`; where a folder cannot be read.
pub(crate) fn may(plan: &Plan, remover: Option<&dyn Remover>, parting: &[PartingFile]) -> Result<()> {
    let Some(remover) = attached::demanded(plan, remover)? else { return Ok(()) };
    let mut lacking = Standing::default();
    for file in resolved(plan, parting)? {
        if let Some(code) = remover.lacks(file.from, &file.name)? {
            lacking.add(&file, code);
        }
    }
    lacking.told().map_or(Ok(()), |told| {
        Err(NOT_OURS.fault(told).help(
            "nothing went; have the folder writable for this account, its files and the folders below it (mounted so, too); then: ecluse erase --source",
        ))
    })
}

/// That the destination's files are what moved: each is read, since those at the source are about to go.
///
/// # Errors
///
/// [`ELSEWHERE`]; `ECL-FIL-020`; the destination's.
pub(crate) fn arrived(
    plan: &Plan,
    files: Option<&dyn Files>,
    run: &RunState,
    destination: &mut dyn Destination,
) -> Result<()> {
    let Some(mut reading) = Reading::new(plan, files, &run.run, state::token_key(run))? else {
        return Ok(());
    };
    for table in plan.tables() {
        let (_, found) = reading.table(table, state::table(run, table.number())?, destination)?;
        if !found.is_empty() {
            let files = found.iter().map(|one| one.rows).sum();
            return Err(ELSEWHERE
                .fault(format!("table {}: {}", table.source(), plural(files, "file", "files")))
                .help("nothing went; put them right (ecluse migrate --repair), reconcile, have it accepted anew; then: ecluse erase --source"));
        }
    }
    Ok(())
}

/// Erases the files that parted with rows which are gone for good, but those that rows which stay name; per column,
/// what became of them. Nothing where the run's state holds no names.
///
/// # Errors
///
/// [`STANDS`]: those that could be erased are gone, and the same command goes on with the others; [`STOPPED`]; the
/// source's, the folders'.
pub fn erase(
    orders: &Orders<'_>,
    remover: Option<&dyn Remover>,
    source: &mut dyn Source,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Parted>> {
    let Some(state) = state::load(orders, record)?.filter(|state| !state.parting.is_empty()) else {
        return Ok(Vec::new());
    };
    let Some(remover) = attached::demanded(orders.plan, remover)? else { return Ok(Vec::new()) };
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    journal.act(Act::Erase, &object, |_| gone(orders.plan, remover, source, &state, &world, progress))
}

fn gone(
    plan: &Plan,
    remover: &dyn Remover,
    source: &mut dyn Source,
    state: &RunState,
    world: &World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Parted>> {
    let files = resolved(plan, &state.parting)?;
    let stay = staying(plan, remover, source, &files)?;
    let (mut parted, mut standing): (Vec<Parted>, _) = (Vec::new(), Standing::default());
    for (at, file) in files.iter().enumerate() {
        let column = column(file);
        if parted.last().is_none_or(|last| last.column != column) {
            let all = files.iter().filter(|other| self::column(other) == column).count();
            progress(Progress::Table(parted.len(), &column, number(all)));
            let folder = file.from.folder.clone();
            parted.push(Parted { column, folder, ..Parted::default() });
        }
        let of = parted.len().saturating_sub(1);
        let Some(counts) = parted.last_mut() else { continue };
        if stay.contains(&at) {
            counts.stay += 1;
            continue;
        }
        if world.stopped() {
            return Err(STOPPED
                .fault("")
                .help("the rows are gone; the same command goes on: ecluse erase --source"));
        }
        match remover.erase(file.from, &file.name, file.sha256)? {
            Removed::Gone => counts.gone += 1,
            Removed::Absent => (counts.gone, counts.absent) = (counts.gone + 1, counts.absent + 1),
            Removed::Stands(code) => standing.add(file, code),
        }
        progress(Progress::Rows(of, counts.gone, 0));
    }
    match standing.told() {
        None => Ok(parted),
        Some(told) => Err(STANDS.fault(told).help(
            "the rows are gone, and every other file of theirs; give the account its right, or have the laboratory look at each and move it away; then: ecluse erase --source",
        )),
    }
}

/// Which of the files rows name that stand at the source now.
fn staying(
    plan: &Plan,
    remover: &dyn Remover,
    source: &mut dyn Source,
    files: &[File<'_>],
) -> Result<BTreeSet<usize>> {
    let mut stands: HashMap<Which, Vec<usize>> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        if let Some(which) = remover.which(file.from, &file.name)? {
            stands.entry(which).or_default().push(at);
        }
    }
    let mut stay = BTreeSet::new();
    // the rows are gone: no marks are asked of a table that nobody wrote
    source.open(plan, true)?;
    let named = plan.tables().iter().filter(|table| !table.files().is_empty()).try_for_each(|table| {
        let rows = table.naming();
        source.read(&rows, plan, &KeyRange::default(), &mut |batch| {
            for column in rows.files() {
                for value in batch.texts(column.read)?.into_iter().flatten() {
                    let Ok(name) = column.relative(value) else { continue };
                    if let Some(named) = remover.which(column, &name)?.and_then(|which| stands.get(&which)) {
                        stay.extend(named.iter().copied());
                    }
                }
            }
            Ok(())
        })
    });
    let closed = source.close();
    named.and(closed).map(|()| stay)
}

/// Takes the names out of the run's state: none of their files stands any more, or by right.
///
/// # Errors
///
/// Those of the run's sealed state.
pub fn forget(orders: &Orders<'_>, record: &mut dyn Record, world: World<'_>) -> Result<()> {
    // once it was closed nobody has its state
    let state = if conclude::is_closed(record) { None } else { state::load(orders, record)? };
    let Some(mut state) = state.filter(|state| !state.parting.is_empty()) else { return Ok(()) };
    state.parting = Vec::new();
    let mut journal = Journal::new(record, world, orders.session);
    state::save(&mut state, orders, &mut journal)
}

fn column(file: &File<'_>) -> String {
    let name = file.table.read().get(file.from.read).map_or("", |column| column.name.as_str());
    format!("{}.{name}", file.table.source())
}

/// Files that stand, by column and code.
#[derive(Default)]
struct Standing(BTreeMap<(String, &'static str), u64>);

impl Standing {
    fn add(&mut self, file: &File<'_>, code: &'static Code) {
        *self.0.entry((column(file), code.id)).or_default() += 1;
    }

    fn told(&self) -> Option<String> {
        let one = |((column, code), files): (&(String, &str), &u64)| {
            format!("{column}: {} ({code})", plural(*files, "file", "files"))
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(one).collect::<Vec<_>>().join(", "))
    }
}
