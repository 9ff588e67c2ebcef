//! Files that rows name: they go with their row, and what a row's value says at the destination is the
//! digest of its file. The tallies cover the value, and so the file: what sees that a row changed sees
//! that its file did.
//!
//! A run's folder at the destination holds what its rows name and nothing else: [`settle`] takes away what no
//! row names, whatever left it there (a killed run, a row that changed or went, an undo).

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use ecluse_batch::{Batch, Keys, Mask, Token, TokenKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::files::{FileColumn, Relative, Says, arrives_as, missing_as, says};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::value::KeyRange;
use ecluse_seal::TableState;
use sha2::{Digest as _, Sha256};

use crate::figures::{Figures, FileCounts, FolderFigures};
use crate::orders::Orders;
use crate::ports::{Destination, Files, Stands, Taken, Want};
use crate::readback;
use crate::reconcile::{Difference, Kind};
use crate::step::POISONED;

static NO_FILES: Code = Code::usage("ECL-FIL-020", "rows name files, and it is not said where these are");
static FOREIGN: Code = Code::refused("ECL-FIL-016", "a row of an archive names a file as its run names none");
static MISSING: Code = Code::refused("ECL-FIL-011", "a file that a row names is missing");

/// Rows of one table whose file differs, named one by one at most; beyond, they are counted.
const NAMED: usize = 1_000;

/// A name, kept to be found again: the first 16 bytes of its SHA-256.
type Mark = [u8; 16];

/// What becomes of the files of rows that go.
pub(crate) enum How {
    /// They are looked at: a dry run.
    Look,
    /// Their names are those that a run gave them: the source is compared with the destination.
    Digest {
        /// The run's opaque id.
        run: String,
    },
    /// They are brought to the destination.
    Copy {
        /// The run's opaque id.
        run: String,
        /// Copies that are there already are looked into.
        repair: bool,
    },
    /// They come out of an archive, whose rows say under which name each arrives.
    Sealed {
        /// The run's opaque id.
        run: String,
        /// They are brought to the destination; else they are compared.
        bring: bool,
    },
}

impl How {
    /// To the destination, with the rows of this run.
    pub(crate) fn copy(orders: &Orders<'_>, run: &str, repair: bool) -> Self {
        match orders.begun {
            Some(_) => Self::Sealed { run: run.to_owned(), bring: true },
            None => Self::Copy { run: run.to_owned(), repair },
        }
    }

    /// Compared with what this run brought.
    pub(crate) fn digest(orders: &Orders<'_>, run: &str) -> Self {
        match orders.begun {
            Some(_) => Self::Sealed { run: run.to_owned(), bring: false },
            None => Self::Digest { run: run.to_owned() },
        }
    }
}

/// Where files come from and go to, in one step of the path.
pub(crate) struct Attaching<'a> {
    files: &'a dyn Files,
    how: How,
    token: TokenKey,
    notes: Option<&'a dyn Notes>,
}

/// Learns under which name the bytes of each digest were read.
pub(crate) trait Notes: Sync {
    /// `place`: the table's number, and the column's place among those of it that name files; `holds`: SHA-256 of the
    /// file's bytes, hexadecimal, and their number.
    fn note(&self, place: (usize, usize), name: &Relative, holds: (&str, u64)) -> Result<()>;
}

/// Rows whose files went along.
pub(crate) struct Attached {
    /// The written rows, their columns naming files as they arrive; refused rows left out.
    pub(crate) batch: Batch,
    /// Refused rows: index in the batch before, why, index into the read columns.
    pub(crate) refused: Vec<(usize, &'static Code, usize)>,
    /// Per column that names files.
    pub(crate) counts: Vec<FileCounts>,
}

impl<'a> Attaching<'a> {
    /// Nothing where no column of the plan names files.
    ///
    /// # Errors
    ///
    /// [`NO_FILES`].
    pub(crate) fn new(
        plan: &Plan,
        files: Option<&'a dyn Files>,
        how: How,
        token: TokenKey,
    ) -> Result<Option<Self>> {
        Ok(demanded(plan, files)?.map(|files| Self { files, how, token, notes: None }))
    }

    /// Where each digest was read is told there.
    pub(crate) fn noting(self, notes: &'a dyn Notes) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// Lets the files of these written rows go along.
    pub(crate) fn attach(&self, table: &TablePlan, written: &Batch) -> Result<Attached> {
        let mut out = Attached {
            batch: written.clone(),
            refused: Vec::new(),
            counts: vec![FileCounts::default(); table.files().len()],
        };
        let mut fates: Vec<Option<(&'static Code, usize)>> = vec![None; written.rows()];
        let types = readback::types(table);
        for (at, (column, counts)) in table.files().iter().zip(&mut out.counts).enumerate() {
            let keys = Keys::new(written, &types, table.write_key())?;
            let mut arrive = Vec::with_capacity(written.rows());
            for ((row, value), fate) in written.texts(column.write)?.into_iter().enumerate().zip(&mut fates) {
                // no value, no file; and a row that is refused brings none along
                let Some(value) = value.filter(|value| !value.is_empty() && fate.is_none()) else {
                    arrive.push(value.map(str::to_owned));
                    continue;
                };
                let token =
                    keys.get(row).map(|key| Token::new(&self.token, table.source(), &key).to_string());
                let place = (table.number(), at);
                match self.one((column, place), value, &token.unwrap_or_default(), counts)? {
                    Ok(name) => arrive.push(Some(name)),
                    Err(code) => {
                        *fate = Some((code, column.read));
                        arrive.push(None);
                    }
                }
            }
            out.batch = out.batch.with_texts(column.write, &arrive)?;
        }
        let refused = fates.iter().enumerate();
        out.refused = refused.filter_map(|(row, fate)| fate.map(|(code, at)| (row, code, at))).collect();
        if !out.refused.is_empty() {
            out.batch =
                out.batch.keep(&Mask::from_fn(written.rows(), |row| fates.get(row) == Some(&None)))?;
        }
        Ok(out)
    }

    /// The name under which a row's file arrives, or why the row does not.
    fn one(
        &self,
        (column, place): (&FileColumn, (usize, usize)),
        value: &str,
        row: &str,
        counts: &mut FileCounts,
    ) -> Result<Result<String, &'static Code>> {
        counts.named += 1;
        let (want, run) = match &self.how {
            How::Sealed { run, bring } => return self.sealed(column, value, (run, *bring), counts),
            How::Look => (Want::Look, None),
            How::Digest { run } => (Want::Digest, Some(run)),
            How::Copy { run, repair } => (Want::Copy { run, row, verify: *repair }, Some(run)),
        };
        let (name, taken) = match column.relative(value) {
            Err(code) => (None, Taken::Refused(code)),
            Ok(name) => {
                let taken = self.files.take(column, &name, want)?;
                (Some(name), taken)
            }
        };
        let as_it_is = || value.to_owned();
        Ok(match taken {
            Taken::There { digest, bytes } => {
                counts.moved += 1;
                counts.bytes += bytes;
                if let (Some(notes), Some(name)) = (self.notes, &name) {
                    notes.note(place, name, (&digest, bytes))?;
                }
                let arrives = |(run, name): (&String, &Relative)| arrives_as(run, &digest, row, name);
                Ok(run.zip(name.as_ref()).map_or_else(as_it_is, arrives))
            }
            Taken::Missing if !column.missing_refuses => {
                counts.missing += 1;
                Ok(run.map_or_else(as_it_is, |run| missing_as(run, row)))
            }
            Taken::Missing => {
                counts.refused += 1;
                Err(&MISSING)
            }
            Taken::Refused(code) => {
                counts.refused += 1;
                Err(code)
            }
        })
    }
}

impl Attaching<'_> {
    /// The value as it is: it says under which name its file arrives, or that there was none.
    fn sealed(
        &self,
        column: &FileColumn,
        value: &str,
        (run, bring): (&str, bool),
        counts: &mut FileCounts,
    ) -> Result<Result<String, &'static Code>> {
        let as_it_is = Ok(Ok(value.to_owned()));
        match says(run, value) {
            Some(Says::Holds(_)) => {}
            Some(Says::Missing) => {
                counts.missing += 1;
                return as_it_is;
            }
            None => {
                counts.refused += 1;
                return Ok(Err(&FOREIGN));
            }
        }
        let name = match column.relative(value) {
            Ok(name) => name,
            Err(code) => {
                counts.refused += 1;
                return Ok(Err(code));
            }
        };
        let want = if bring { Want::Copy { run, row: "", verify: true } } else { Want::Digest };
        match self.files.take(column, &name, want)? {
            Taken::There { bytes, .. } => {
                counts.moved += 1;
                counts.bytes += bytes;
                as_it_is
            }
            Taken::Missing => {
                counts.refused += 1;
                Ok(Err(&MISSING))
            }
            Taken::Refused(code) => {
                counts.refused += 1;
                Ok(Err(code))
            }
        }
    }
}

/// The port, where it is needed.
pub(crate) fn demanded<'a, P: ?Sized>(plan: &Plan, files: Option<&'a P>) -> Result<Option<&'a P>> {
    if plan.tables().iter().all(|table| table.files().is_empty()) {
        return Ok(None);
    }
    files.map(Some).ok_or_else(|| NO_FILES.fault("").help("see [destination] files in the instruction"))
}

/// Adds counts of the same columns.
pub(crate) fn add(all: &mut Vec<FileCounts>, more: &[FileCounts]) {
    all.resize(all.len().max(more.len()), FileCounts::default());
    all.iter_mut().zip(more).for_each(|(all, more)| all.add(more));
}

/// Names of files that ordered rows name, moved or not, also of persons who stay: whatever else lies in
/// their folder is an orphan.
#[derive(Default)]
pub(crate) struct Named(Mutex<BTreeSet<Mark>>);

impl Named {
    /// Keeps what these read rows name.
    pub(crate) fn note(&self, table: &TablePlan, read: &Batch) -> Result<()> {
        for column in table.files() {
            let mut named = self.lock()?;
            for value in read.texts(column.read)?.into_iter().flatten() {
                if let Ok(name) = column.relative(value) {
                    named.insert(mark(&column.folder, name.joined()));
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<MutexGuard<'_, BTreeSet<Mark>>> {
        self.0.lock().map_err(|_| POISONED.fault("names of files"))
    }
}

fn mark(folder: &str, name: &str) -> Mark {
    let digest = Sha256::new().chain_update(folder).chain_update([0]).chain_update(name).finalize();
    digest.first_chunk().copied().unwrap_or_default()
}

/// What lies in each folder that the plan names, and how much of it no ordered row names. Nothing where
/// a trial has not read every row.
pub(crate) fn folders(plan: &Plan, files: Option<&dyn Files>, named: &Named) -> Result<Vec<FolderFigures>> {
    let Some(files) = demanded(plan, files)?.filter(|_| plan.row_limit().is_none()) else {
        return Ok(Vec::new());
    };
    let named = named.lock()?;
    let folders: BTreeSet<&str> =
        plan.tables().iter().flat_map(TablePlan::files).map(|column| column.folder.as_str()).collect();
    let count = |folder: &str| {
        let mut figures = FolderFigures { folder: folder.to_owned(), ..FolderFigures::default() };
        files.lie(folder, &mut |name| {
            figures.files += 1;
            figures.orphans += u64::from(!named.contains(&mark(folder, name)));
        })?;
        Ok(figures)
    };
    folders.into_iter().map(count).collect()
}

/// Takes away what lies in the run's folder at the destination and no row there names; gives their number. The
/// figures then say what stands there.
pub(crate) fn settle(
    plan: &Plan,
    files: Option<&dyn Files>,
    run: &str,
    destination: &mut dyn Destination,
    mut figures: Option<&mut Figures>,
) -> Result<u64> {
    let Some(files) = demanded(plan, files)? else { return Ok(0) };
    let mut named = BTreeSet::new();
    for table in plan.tables().iter().filter(|table| !table.files().is_empty()) {
        let mut counts = vec![[0u64; 2]; table.files().len()];
        destination.read(table, &KeyRange::default(), false, &mut |batch| {
            for (column, [there, missing]) in table.files().iter().zip(&mut counts) {
                for value in batch.texts(column.write)?.into_iter().flatten() {
                    match says(run, value) {
                        Some(Says::Holds(_)) => {
                            *there += 1;
                            named.insert(mark("", value));
                        }
                        Some(Says::Missing) => *missing += 1,
                        None => {}
                    }
                }
            }
            Ok(())
        })?;
        let figures = figures.as_mut().and_then(|figures| figures.tables.get_mut(table.number()));
        // what this start did not read, its figures do not speak of
        let figures = figures.filter(|figures| figures.chunks > 0);
        for (file, [there, missing]) in figures.into_iter().flat_map(|table| &mut table.files).zip(counts) {
            file.counts.moved = there;
            file.counts.missing = missing;
            file.counts.refused = file.counts.named.saturating_sub(there).saturating_sub(missing);
        }
    }
    let mut gone = 0;
    for name in files.kept(run)? {
        if !named.contains(&mark("", &name)) {
            files.remove(run, &name)?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// The files at the destination, read back.
pub(crate) struct Reading<'a> {
    files: &'a dyn Files,
    run: &'a str,
    token: TokenKey,
    named: BTreeSet<Mark>,
}

impl<'a> Reading<'a> {
    /// Nothing where no column of the plan names files.
    pub(crate) fn new(
        plan: &Plan,
        files: Option<&'a dyn Files>,
        run: &'a str,
        token: TokenKey,
    ) -> Result<Option<Self>> {
        Ok(demanded(plan, files)?.map(|files| Self { files, run, token, named: BTreeSet::new() }))
    }

    /// Reads the file of every row of a table; gives how many were read, and what differs.
    pub(crate) fn table(
        &mut self,
        table: &TablePlan,
        sealed: &TableState,
        destination: &mut dyn Destination,
    ) -> Result<(u64, Vec<Difference>)> {
        let (mut read, mut found) = (0, Vec::new());
        if table.files().is_empty() {
            return Ok((read, found));
        }
        let types = readback::types(table);
        destination.read(table, &KeyRange::default(), false, &mut |batch| {
            let keys = Keys::new(&batch, &types, table.write_key())?;
            for column in table.files() {
                for (row, value) in batch.texts(column.write)?.into_iter().enumerate() {
                    // a value that the run did not write is the row's difference, found by its tally
                    let Some((value, Says::Holds(digest))) =
                        value.and_then(|v| says(self.run, v).map(|s| (v, s)))
                    else {
                        continue;
                    };
                    read += 1;
                    self.named.insert(mark("", value));
                    let kind = match self.files.stands(value, &digest)? {
                        Stands::Whole => continue,
                        Stands::Missing => Kind::FileMissing,
                        Stands::Altered => Kind::FileAltered,
                    };
                    let key = keys.get(row);
                    let chunk = key.as_ref().map_or(0, |key| sealed.chunk_of(key));
                    let token = key.map(|key| Token::new(&self.token, table.source(), &key).to_string());
                    let name = table.write().get(column.write).map(|c| c.name.clone());
                    found.push(difference(
                        table,
                        kind,
                        u64::try_from(chunk).unwrap_or(u64::MAX),
                        token,
                        name,
                        1,
                    ));
                }
            }
            Ok(())
        })?;
        if found.len() > NAMED {
            let of =
                |kind| u64::try_from(found.iter().filter(|d| d.kind == kind).count()).unwrap_or(u64::MAX);
            let counted = [Kind::FileMissing, Kind::FileAltered].map(|kind| (kind, of(kind)));
            found = counted
                .into_iter()
                .filter(|(_, rows)| *rows > 0)
                .map(|(kind, rows)| difference(table, kind, 0, None, None, rows))
                .collect();
        }
        Ok((read, found))
    }

    /// What lies in the run's folder and no row that was read names.
    pub(crate) fn strays(&self, plan: &Plan) -> Result<Option<Difference>> {
        let kept = self.files.kept(self.run)?;
        let strays = kept.iter().filter(|name| !self.named.contains(&mark("", name))).count();
        let table = plan.tables().iter().find(|table| !table.files().is_empty());
        let stray = |table| {
            difference(table, Kind::FileStray, 0, None, None, u64::try_from(strays).unwrap_or(u64::MAX))
        };
        Ok(table.filter(|_| strays > 0).map(stray))
    }
}

fn difference(
    table: &TablePlan,
    kind: Kind,
    chunk: u64,
    row: Option<String>,
    column: Option<String>,
    rows: u64,
) -> Difference {
    Difference { table: table.destination().to_owned(), chunk, kind, row, column, rows, there: None }
}
