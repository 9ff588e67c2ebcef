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
use crate::event::{Act, Outcome};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, Files, Record, Source};
use crate::run::Progress;
use crate::state;
use crate::step::POISONED;
use crate::world::World;

/// Files that stand of one column and one reason whose inodes are shown at most.
const SHOWN: u64 = 5;

static NOT_OURS: Code =
    Code::refused("ECL-ERA-035", "files that rows name could not be erased by this account");
static ELSEWHERE: Code = Code::refused("ECL-ERA-036", "files at the destination are not what moved");
static STANDS: Code = Code::refused("ECL-ERA-037", "files whose rows are erased stand at the source still");
static UNREAD: Code = Code::refused("ECL-ERA-039", "rows that stay name files in values that cannot be read");
static MISSED: Code = Code::refused("ECL-FIL-018", "a file at the source is not there, and was not erased");
static STOPPED: Code =
    Code::outside("ECL-ERA-038", "the erasure of files was stopped at the operator's wish");

/// Where files lie at the source, for whoever erases them: opened by handle, step by step, through no link. No fault
/// of this port holds a name.
pub trait Remover: Sync {
    /// Why this account could not erase the file; nothing where it could.
    fn lacks(&self, from: &FileColumn, name: &Relative) -> Result<Option<&'static Code>>;

    /// Which file stands under this name, or, `through` links, to which one it leads: nothing is opened. Nothing where
    /// there is none.
    fn which(&self, from: &FileColumn, name: &Relative, through: bool) -> Result<Option<Which>>;

    /// Ends what a start that died had begun with the file; why it could not.
    fn settle(&self, from: &FileColumn, name: &Relative, sha256: &str) -> Result<Option<&'static Code>>;

    /// Erases the file if it holds what this digest (SHA-256, hexadecimal) says: overwritten, durably, and an empty file
    /// under a name of our own left to stand for it.
    fn erase(&self, from: &FileColumn, name: &Relative, sha256: &str) -> Result<Removed>;

    /// Takes away what stands for an erased file, and folders below the column's that hold nothing any more; durable
    /// when it returns. Idempotent.
    fn sweep(&self, from: &FileColumn, name: &Relative) -> Result<()>;
}

/// A file system's number, and the file's in it.
pub type Which = [u64; 2];

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was there, and is gone: by this start, or by an earlier one.
    Gone,
    /// It is not there, and nothing stands for it: nobody of ours erased it.
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
    /// Files that were erased.
    pub gone: u64,
    /// Files that were not there, which nobody of ours erased.
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
            stays: false,
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
    stays: bool,
}

fn resolved<'a>(plan: &'a Plan, parting: &'a [PartingFile]) -> Result<Vec<File<'a>>> {
    let file = |one: &'a PartingFile| {
        let table = plan.tables().get(one.table)?;
        let from = table.files().get(one.column)?;
        let name = Relative::again(&one.name)?;
        Some(File { table, from, name, sha256: &one.sha256, stays: one.stays })
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
            lacking.add(&file, code, None);
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

/// Says of each of these files whether a row names it that stays: asked in the transaction that deletes the others.
///
/// # Errors
///
/// [`UNREAD`]; `ECL-FIL-020`; the source's, the folders'.
pub(crate) fn leaving(
    plan: &Plan,
    remover: Option<&dyn Remover>,
    source: &mut dyn Source,
    mut parting: Parting,
) -> Result<Parting> {
    let Some(remover) = attached::demanded(plan, remover)? else { return Ok(parting) };
    let stay = Named::new(remover, &resolved(plan, &parting)?)?.staying(plan, source)?;
    for at in stay {
        parting.get_mut(at).into_iter().for_each(|file| file.stays = true);
    }
    Ok(parting)
}

/// How the erasure of files may go about it.
pub struct Erasing<'a, 'd> {
    /// Where they lie; demanded where a column names files.
    pub remover: Option<&'a dyn Remover>,
    /// On a later start, the destination and its files: they are read once more.
    pub again: Option<(Option<&'a dyn Files>, &'d mut dyn Destination)>,
    /// Why files that are not there, and that nobody of ours erased, are taken for gone.
    pub missing: Option<&'a str>,
}

/// Erases the files that parted with rows which are gone for good, but those that rows which stay name, then or now;
/// of each column that names files, what became of them.
///
/// # Errors
///
/// [`STANDS`]: those that could be erased are gone, and the same command goes on with the others; [`ELSEWHERE`],
/// [`UNREAD`], [`STOPPED`]; the source's, the folders'.
pub fn erase(
    orders: &Orders<'_>,
    how: Erasing<'_, '_>,
    source: &mut dyn Source,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Parted>> {
    let Some(remover) = attached::demanded(orders.plan, how.remover)? else { return Ok(Vec::new()) };
    let state = state::load(orders, record)?.ok_or_else(state::other)?;
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    if how.missing.is_some() {
        journal.note(Act::Override, &object, &Outcome::Done)?;
    }
    journal.act(Act::Erase, &object, |_| {
        if let Some((files, destination)) = how.again {
            arrived(orders.plan, files, &state, destination)?;
        }
        gone(orders.plan, (remover, how.missing.is_some()), source, &state, &world, progress)
    })
}

fn gone(
    plan: &Plan,
    (remover, missing): (&dyn Remover, bool),
    source: &mut dyn Source,
    state: &RunState,
    world: &World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Parted>> {
    let files = resolved(plan, &state.parting)?;
    let mut standing = Standing::default();
    for file in &files {
        if let Some(code) = remover.settle(file.from, &file.name, file.sha256)? {
            standing.add(file, code, None);
        }
    }
    let named = Named::new(remover, &files)?;
    // the rows are gone: no marks are asked of a table that nobody wrote
    source.open(plan, true)?;
    let stay = named.staying(plan, source);
    let stay = source.close().and(stay)?;
    let mut parted = columns(plan);
    for (at, file) in files.iter().enumerate() {
        let column = column(file);
        let Some(of) = parted.iter().position(|one| one.column == column) else { continue };
        let Some(counts) = parted.get_mut(of) else { continue };
        if *counts == (Parted { column: column.clone(), folder: counts.folder.clone(), ..Parted::default() })
        {
            let all = files.iter().filter(|other| self::column(other) == column).count();
            progress(Progress::Table(of, &column, number(all)));
        }
        if file.stays || stay.contains(&at) {
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
            Removed::Absent if missing => counts.absent += 1,
            Removed::Absent => standing.add(file, &MISSED, None),
            Removed::Stands(code) => standing.add(file, code, remover.which(file.from, &file.name, false)?),
        }
        progress(Progress::Rows(of, counts.gone, 0));
    }
    match standing.told() {
        None => Ok(parted),
        Some(told) => Err(STANDS.fault(told).help(
            "the rows are gone, and every other file of theirs. See that the folder is mounted; give the account its right; have the laboratory look at what stands (find DIR -xdev -inum NUMBER) and move it away; then: ecluse erase --source. Files that are not there, for a reason: --files-missing REASON",
        )),
    }
}

/// Every column of the plan that names files, and nothing counted.
fn columns(plan: &Plan) -> Vec<Parted> {
    let all = plan.tables().iter().flat_map(|table| table.files().iter().map(move |from| (table, from)));
    all.map(|(table, from)| Parted {
        column: named_column(table, from),
        folder: from.folder.clone(),
        ..Parted::default()
    })
    .collect()
}

/// Takes the names out of the run's state, once it is written down that none of the files stands any more, or by right;
/// what stood for them goes first. How many traces of them could not be taken away.
///
/// # Errors
///
/// Those of the run's sealed state.
pub fn forget(
    orders: &Orders<'_>,
    remover: Option<&dyn Remover>,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<u64> {
    // once it was closed nobody has its state
    let state = if conclude::is_closed(record) { None } else { state::load(orders, record)? };
    let Some(mut state) = state.filter(|state| !state.parting.is_empty()) else { return Ok(0) };
    let mut left = 0;
    if let Some(remover) = attached::demanded(orders.plan, remover)? {
        for file in resolved(orders.plan, &state.parting)? {
            // an empty file of ours, or an empty folder: nothing is kept open for it
            left += u64::from(remover.sweep(file.from, &file.name).is_err());
        }
    }
    state.parting = Vec::new();
    let mut journal = Journal::new(record, world, orders.session);
    state::save(&mut state, orders, &mut journal)?;
    Ok(left)
}

/// Parting files, found again by what a row that stays has for a name.
struct Named<'a> {
    remover: &'a dyn Remover,
    which: HashMap<Which, Vec<usize>>,
    name: HashMap<(String, String), Vec<usize>>,
    /// The last step of each name, without case: what a value that leads nowhere, as écluse reads it, may still mean.
    last: HashMap<String, Vec<usize>>,
}

impl<'a> Named<'a> {
    fn new(remover: &'a dyn Remover, files: &[File<'_>]) -> Result<Self> {
        let mut this = Self { remover, which: HashMap::new(), name: HashMap::new(), last: HashMap::new() };
        for (at, file) in files.iter().enumerate() {
            if let Some(which) = remover.which(file.from, &file.name, false)? {
                this.which.entry(which).or_default().push(at);
            }
            let name = (file.from.folder.clone(), file.name.joined().to_owned());
            this.name.entry(name).or_default().push(at);
            this.last.entry(last(file.name.joined())).or_default().push(at);
        }
        Ok(this)
    }

    /// Which of the files rows name that stand at the source now; an open source, within its transaction.
    fn staying(&self, plan: &Plan, source: &mut dyn Source) -> Result<BTreeSet<usize>> {
        let (mut stay, mut unread) = (BTreeSet::new(), 0u64);
        for table in plan.tables().iter().filter(|table| !table.files().is_empty()) {
            let rows = table.naming();
            source.read(&rows, plan, &KeyRange::default(), &mut |batch| {
                unread += number(batch.unreadable().len());
                for column in rows.files() {
                    for value in batch.texts(column.read)?.into_iter().flatten().filter(|v| !v.is_empty()) {
                        self.named_by(column, value, &mut stay)?;
                    }
                }
                Ok(())
            })?;
        }
        if unread > 0 {
            return Err(UNREAD.fault(plural(unread, "value", "values")).help(
                "whose files these are cannot be told; have the laboratory put the values right or take them away, then: ecluse erase --source",
            ));
        }
        Ok(stay)
    }

    fn named_by(&self, column: &FileColumn, value: &str, stay: &mut BTreeSet<usize>) -> Result<()> {
        let mut add = |found: Option<&Vec<usize>>| stay.extend(found.into_iter().flatten().copied());
        if let Ok(name) = column.relative(value) {
            add(self.name.get(&(column.folder.clone(), name.joined().to_owned())));
            add(self.remover.which(column, &name, true)?.and_then(|which| self.which.get(&which)));
        } else {
            // rather one file too many stays
            for meant in [value, &format!("{value}{}", column.suffix)] {
                add(self.last.get(&last(meant)));
            }
        }
        Ok(())
    }
}

fn last(name: &str) -> String {
    name.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase()
}

fn column(file: &File<'_>) -> String {
    named_column(file.table, file.from)
}

fn named_column(table: &TablePlan, from: &FileColumn) -> String {
    let name = table.read().get(from.read).map_or("", |column| column.name.as_str());
    format!("{}.{name}", table.source())
}

/// Files that stand, by column and code: how many, and the numbers by which the first few are found.
#[derive(Default)]
struct Standing(BTreeMap<(String, &'static str), (u64, Vec<u64>)>);

impl Standing {
    fn add(&mut self, file: &File<'_>, code: &'static Code, which: Option<Which>) {
        let (files, found) = self.0.entry((column(file), code.id)).or_default();
        *files += 1;
        found.extend(which.map(|[_, file]| file).filter(|_| *files <= SHOWN));
    }

    fn told(&self) -> Option<String> {
        let one = |((column, code), (files, found)): (&(String, &str), &(u64, Vec<u64>))| {
            let found: Vec<String> = found.iter().map(u64::to_string).collect();
            let found =
                if found.is_empty() { String::new() } else { format!(", inode {}", found.join(", ")) };
            format!("{column}: {} ({code}{found})", plural(*files, "file", "files"))
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(one).collect::<Vec<_>>().join("; "))
    }
}
