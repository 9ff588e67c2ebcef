//! One piece of a table: checked again in process, transformed, tallied. Every row is
//! accounted for: it goes, it is refused with a code, or a trial or a sample leaves it out.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ecluse_batch::{
    Batch, ChosenSets, Keys, Mask, Reason, Refused, RowHash, RowHasher, TallyKey, Writer, evaluate,
};
use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Key;

use crate::attached::{Attaching, Named};
use crate::dossier::Selection;
use crate::encodings::{self, Encodings};
use crate::excluded::Staying;
use crate::families::Families;
use crate::family::{self, Kin, PARENT_REFUSED, Tie};
use crate::figures::FileCounts;
use crate::orphans::Looking;
use crate::unmapped::Unmapped;

static DISAGREES: Code =
    Code::refused("ECL-RUN-008", "the database returned a row that the instruction does not grant");
pub(crate) static POISONED: Code = Code::outside("ECL-RUN-014", "a thread of the run ended early");

/// What all tables share while they are read.
pub(crate) struct Context<'p> {
    pub(crate) plan: &'p Plan,
    chosen: ChosenSets,
    /// Rows that a trial keeps, where it leaves others out.
    kept: Option<Kin>,
    /// Tables of which a trial left rows out.
    cut: Vec<bool>,
    /// The dossiers of a sample: rows that belong to none of them are left out.
    sample: Option<&'p Selection<'p>>,
    /// Refused rows, by the reader or by the destination.
    refused: &'p Mutex<Kin>,
    /// Rows of persons who stay.
    staying: Option<&'p Staying<'p>>,
    /// Where a dry run counts unmapped codes; a run counts rows only.
    unmapped: Option<Unmapped<'p>>,
    /// Where a dry run counts rows that name a parent nobody has.
    orphans: Option<&'p Mutex<Looking>>,
    /// What becomes of files that rows name; none where no column names any.
    attaching: Option<Attaching<'p>>,
    /// Where the names of files are kept that rows name.
    named: Option<&'p Named>,
    /// So many of the first tables are read.
    pub(crate) upto: usize,
}

impl<'p> Context<'p> {
    pub(crate) fn new(plan: &'p Plan, families: &'p Families<'_>) -> Result<Self> {
        let key = families.key;
        Ok(Self {
            plan,
            chosen: ChosenSets::for_plan(key, plan)?,
            kept: plan.row_limit().map(|_| Kin::new(key, plan)).transpose()?,
            cut: vec![false; plan.tables().len()],
            sample: None,
            refused: &families.refused,
            staying: families.staying.as_ref(),
            unmapped: None,
            orphans: None,
            attaching: None,
            named: None,
            upto: plan.tables().len(),
        })
    }

    /// Leaves out what belongs to none of these dossiers.
    pub(crate) const fn sampling(mut self, sample: Option<&'p Selection<'p>>) -> Self {
        self.sample = sample;
        self
    }

    /// Reads the reference data and no table behind them.
    pub(crate) const fn reference_alone(mut self) -> Self {
        self.upto = self.plan.reference();
        self
    }

    /// Counts unmapped codes there.
    pub(crate) const fn counting(mut self, unmapped: Unmapped<'p>) -> Self {
        self.unmapped = Some(unmapped);
        self
    }

    /// Looks for the parents of what would be written, there.
    pub(crate) const fn finding(mut self, orphans: &'p Mutex<Looking>) -> Self {
        self.orphans = Some(orphans);
        self
    }

    /// Files go along, so; their names are kept there.
    pub(crate) fn attaching(mut self, how: Option<Attaching<'p>>, named: Option<&'p Named>) -> Self {
        self.attaching = how;
        self.named = named;
        self
    }

    fn is_cut(&self, table: usize) -> bool {
        self.cut.get(table).copied().unwrap_or(false)
    }

    fn cut(&mut self, table: usize) {
        if let Some(cut) = self.cut.get_mut(table) {
            *cut = true;
        }
    }
}

/// The refused rows' set; a thread that died with it in hand ends the run.
pub(crate) fn lock(kin: &Mutex<Kin>) -> Result<std::sync::MutexGuard<'_, Kin>> {
    kin.lock().map_err(|_| POISONED.fault("refused rows"))
}

/// One table's step.
pub(crate) struct Step<'p> {
    table: &'p TablePlan,
    types: Vec<Type>,
    writer: Writer,
    hasher: RowHasher,
    ties: Vec<Tie>,
    /// The read rows go along, where the destination's refusals matter to relatives.
    carries: bool,
    /// The read columns whose texts are looked at for another encoding.
    texts: Vec<(usize, bool)>,
    kept: u64,
}

/// A piece that was worked on.
pub(crate) struct Worked {
    /// The rows to write.
    pub(crate) written: Batch,
    /// One hash per written row.
    pub(crate) hashes: Vec<RowHash>,
    /// The read rows behind the written ones, where relatives need them.
    pub(crate) read: Option<Batch>,
    /// Refused rows by code and column.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Written rows whose national identifier does not hold, by code and column.
    pub(crate) flawed: BTreeMap<String, u64>,
    /// Values that look as though their column lied about its encoding.
    pub(crate) encodings: Encodings,
    /// Rows left out.
    pub(crate) left_out: u64,
    /// Files, per column of the table that names some.
    pub(crate) files: Vec<FileCounts>,
    /// The refused rows, and why; none in a table without a key.
    pub(crate) gone: Vec<Why>,
    /// The rows of `flawed`, and why; none in a table without a key.
    pub(crate) flaws: Vec<Why>,
}

/// A row's key, and a code with its column.
pub(crate) type Why = (Key, String);

/// What is left of a batch once the rows of persons who stay are out of it.
pub(crate) struct Left {
    pub(crate) batch: Batch,
    /// Rows that stay.
    pub(crate) excluded: u64,
    /// Those of them that are on the list themselves.
    pub(crate) listed: u64,
}

/// What becomes of the rows of a piece; nothing is allocated while all of them go.
#[derive(Default)]
struct Fates {
    refused: Vec<bool>,
    left_out: Vec<bool>,
    /// Why each of the refused is.
    reasons: BTreeMap<usize, String>,
    /// Of no dossier of the sample. Other tables' rows are chosen through them all the same.
    apart: Vec<bool>,
}

impl Fates {
    fn mark(marks: &mut Vec<bool>, rows: usize, row: usize) {
        marks.resize(rows, false);
        if let Some(mark) = marks.get_mut(row) {
            *mark = true;
        }
    }

    fn refuse(&mut self, rows: usize, row: usize, reason: String) {
        Self::mark(&mut self.refused, rows, row);
        self.reasons.entry(row).or_insert(reason);
    }

    fn is(marks: &[bool], row: usize) -> bool {
        marks.get(row).copied().unwrap_or(false)
    }

    fn goes(&self, row: usize) -> bool {
        ![&self.refused, &self.left_out, &self.apart].iter().any(|marks| Self::is(marks, row))
    }

    fn untouched(&self) -> bool {
        self.refused.is_empty() && self.left_out.is_empty() && self.apart.is_empty()
    }
}

impl<'p> Step<'p> {
    pub(crate) fn new(plan: &'p Plan, table: &'p TablePlan, engine: Engine, key: &TallyKey) -> Result<Self> {
        let writer = Writer::new(table, engine)?;
        let hasher = RowHasher::new(key, table.destination(), writer.types());
        let ties = family::ties(table);
        let parent = plan.tables().iter().flat_map(family::ties).any(|tie| tie.parent == table.number());
        Ok(Self {
            table,
            types: writer.read_types().to_vec(),
            writer,
            hasher,
            carries: parent || !ties.is_empty(),
            ties,
            texts: encodings::columns(table),
            kept: 0,
        })
    }

    /// The keys of a batch, checked to rise strictly from `before` on.
    pub(crate) fn keys<'b>(&self, batch: &'b Batch, before: Option<&Key>) -> Result<Keys<'b>> {
        let keys = Keys::new(batch, &self.types, self.table.key())?;
        keys.check_order(before)?;
        Ok(keys)
    }

    /// Keeps which files a batch names, whatever becomes of its rows: a file that belongs to a row which
    /// stays is nobody's orphan, and would tell by its number how many stay.
    pub(crate) fn name_files(&self, batch: &Batch, context: &Context<'_>) -> Result<()> {
        context.named.map_or(Ok(()), |named| named.note(self.table, batch))
    }

    /// Takes out the rows of persons who stay; `None` where the batch has none. What the database
    /// chooses by them it still chooses: those rows come, and are taken out here as well.
    pub(crate) fn without_excluded(&self, batch: &Batch, context: &mut Context<'_>) -> Result<Option<Left>> {
        let Some(staying) = context.staying else { return Ok(None) };
        let (out, listed) = staying.rows(self.table, &self.ties, batch, &self.types)?;
        if out.count() == 0 {
            return Ok(None);
        }
        context.chosen.collect(self.table.number(), batch, &self.types, Some(&out))?;
        let left = batch.only(&Mask::from_fn(batch.rows(), |row| !out.get(row)))?;
        let excluded = u64::try_from(out.count()).unwrap_or(u64::MAX);
        Ok(Some(Left { batch: left, excluded, listed }))
    }

    /// Whether a trial has as many rows of this table as it moves.
    pub(crate) fn full(&self, plan: &Plan) -> bool {
        plan.row_limit().is_some_and(|limit| self.kept >= limit)
    }

    /// Checks, transforms and tallies one piece.
    ///
    /// # Errors
    ///
    /// [`DISAGREES`] where the in-process filter refuses a row that the database chose.
    pub(crate) fn work(&mut self, piece: &Batch, context: &mut Context<'_>) -> Result<Worked> {
        let mut fates = Fates::default();
        let mut refused = BTreeMap::new();
        // of rows that a sample leaves out, only this is asked: whether the order grants them at all
        self.check_filter(piece, &mut fates, context)?;
        self.leave_apart(piece, &mut fates, context)?;
        self.unreadable(piece, &mut fates, &mut refused);
        self.follow_parents(piece, &mut fates, &mut refused, context)?;
        self.follow_kin(piece, &mut fates, &mut refused, context)?;
        let apart = fates.apart.iter().fold(0, |n, out| n + u64::from(*out));
        let left_out = apart + self.limit(piece, &mut fates, context);
        let number = self.table.number();

        let chosen = Mask::from_fn(piece.rows(), |row| !Fates::is(&fates.left_out, row));
        context.chosen.collect(
            number,
            piece,
            &self.types,
            (!fates.left_out.is_empty()).then_some(&chosen),
        )?;
        if !fates.refused.is_empty() {
            let out = Mask::from_fn(piece.rows(), |row| Fates::is(&fates.refused, row));
            lock(context.refused)?.add(number, piece, &self.types, &out)?;
        }
        let goes = if fates.untouched() {
            piece.clone()
        } else {
            piece.keep(&Mask::from_fn(piece.rows(), |row| fates.goes(row)))?
        };
        let gone = self.keys_of(piece, fates.reasons)?;
        let mut worked = self.write(&goes, refused, left_out, context)?;
        worked.gone.extend(gone);
        if let Some(orphans) = context.orphans {
            let mut orphans = orphans.lock().map_err(|_| POISONED.fault("orphans"))?;
            let read = worked.read.as_ref().map(|batch| (batch, self.types.as_slice()));
            orphans.look(
                context.plan,
                self.table,
                read,
                (&worked.written, self.writer.types()),
                &context.chosen,
            )?;
        }
        Ok(worked)
    }

    fn write(
        &mut self,
        goes: &Batch,
        mut refused: BTreeMap<String, u64>,
        left_out: u64,
        context: &mut Context<'_>,
    ) -> Result<Worked> {
        let number = self.table.number();
        let mut written = self.writer.write(goes)?;
        let written_columns = self.table.write();
        let column =
            |one: &Refused| one.column.and_then(|c| written_columns.get(c)).map_or("", |c| c.name.as_str());
        let (mut out, mut reasons) = (vec![], BTreeMap::new());
        for one in &written.refused {
            let why = count(&mut refused, one.reason.code(), self.table.destination(), column(one));
            reasons.entry(one.row).or_insert(why);
            if let (Some(unmapped), Reason::Unmapped) = (context.unmapped, one.reason) {
                unmapped.count(self.table, one.column, goes, &self.types, one.row)?;
            }
            Fates::mark(&mut out, goes.rows(), one.row);
        }
        if let Some(counted) = context.unmapped {
            counted.count_mapped(self.table, goes, &self.types)?;
        }
        let mut files = Vec::new();
        if let Some(attaching) = context.attaching.as_ref().filter(|_| !self.table.files().is_empty()) {
            let attached = attaching.attach(self.table, &written.batch)?;
            for (row, code, at) in attached.refused {
                let name = self.table.read().get(at).map_or("", |c| c.name.as_str());
                let why = count(&mut refused, code, self.table.source(), name);
                let row = written.origin(row);
                Fates::mark(&mut out, goes.rows(), row);
                reasons.entry(row).or_insert(why);
            }
            written.batch = attached.batch;
            files = attached.counts;
        }
        let (mut flawed, mut flaws) = (BTreeMap::new(), BTreeMap::new());
        for one in written.flawed.iter().filter(|one| !Fates::is(&out, one.row)) {
            let why = count(&mut flawed, one.reason.code(), self.table.destination(), column(one));
            flaws.entry(one.row).or_insert(why);
        }
        let stays = Mask::from_fn(goes.rows(), |row| !Fates::is(&out, row));
        if !out.is_empty() {
            let out = Mask::from_fn(goes.rows(), |row| Fates::is(&out, row));
            lock(context.refused)?.add(number, goes, &self.types, &out)?;
        }
        if let Some(kept) = &mut context.kept {
            kept.add(number, goes, &self.types, &stays)?;
        }
        let mut hashes = Vec::new();
        self.hasher.hash_rows(&written.batch, &mut hashes)?;
        let read = match (self.carries, stays.all()) {
            (false, _) => None,
            (true, true) => Some(goes.clone()),
            (true, false) => Some(goes.keep(&stays)?),
        };
        let (gone, flaws) = (self.keys_of(goes, reasons)?, self.keys_of(goes, flaws)?);
        let encodings = encodings::count(self.table, &self.texts, goes)?;
        let written = written.batch;
        Ok(Worked { written, hashes, read, refused, flawed, encodings, left_out, files, gone, flaws })
    }

    /// The keys of some rows, with what is said of each; nothing is looked at while there is none.
    fn keys_of(&self, batch: &Batch, said: BTreeMap<usize, String>) -> Result<Vec<Why>> {
        if said.is_empty() || self.table.key().is_empty() {
            return Ok(Vec::new());
        }
        let keys = Keys::new(batch, &self.types, self.table.key())?;
        Ok(said.into_iter().filter_map(|(row, why)| Some((keys.get(row)?, why))).collect())
    }

    /// Values the source could not read refuse their row.
    fn unreadable(&self, piece: &Batch, fates: &mut Fates, refused: &mut BTreeMap<String, u64>) {
        for value in piece.unreadable() {
            if fates.goes(value.row) {
                let column = self.table.read().get(value.column).map_or("", |c| c.name.as_str());
                let why = count(refused, value.code, self.table.source(), column);
                fates.refuse(piece.rows(), value.row, why);
            }
        }
    }

    /// Every row is checked again: a disagreement with the database stops the run. In a
    /// trial, a row chosen through a parent that was left out is left out with it.
    fn check_filter(&self, piece: &Batch, fates: &mut Fates, context: &Context<'_>) -> Result<()> {
        let granted = evaluate(self.table.filter(), piece, &self.types, &context.chosen)?;
        if granted.all() {
            return Ok(());
        }
        let mut parents = Vec::new();
        family::looked_up(self.table.filter(), &mut parents);
        let excused = parents.iter().any(|p| context.is_cut(*p));
        for row in 0..piece.rows() {
            if granted.get(row) || !fates.goes(row) {
                continue;
            }
            if !excused {
                return Err(DISAGREES.fault(format!("table {}", self.table.source())).help(
                    "check the view against the script that `ecluse grants` prints; nothing of this chunk was written",
                ));
            }
            Fates::mark(&mut fates.left_out, piece.rows(), row);
        }
        Ok(())
    }

    /// A sample moves whole dossiers, and nothing of another; what the order marks as reference data it
    /// moves whole.
    fn leave_apart(&self, piece: &Batch, fates: &mut Fates, context: &Context<'_>) -> Result<()> {
        let Some(sample) = context.sample.filter(|_| !context.plan.is_reference(self.table)) else {
            return Ok(());
        };
        let belongs = sample.rows(self.table, piece)?;
        for row in (0..piece.rows()).filter(|row| !belongs.get(*row)) {
            Fates::mark(&mut fates.apart, piece.rows(), row);
        }
        Ok(())
    }

    /// Children go the way of their parents.
    fn follow_parents(
        &self,
        piece: &Batch,
        fates: &mut Fates,
        refused: &mut BTreeMap<String, u64>,
        context: &Context<'_>,
    ) -> Result<()> {
        for tie in &self.ties {
            let orphaned = {
                let kin = lock(context.refused)?;
                if kin.any(tie.parent) { Some(kin.names(*tie, piece, &self.types)?) } else { None }
            };
            for row in orphaned.iter().flat_map(|mask| (0..piece.rows()).filter(|row| mask.get(*row))) {
                if fates.goes(row) {
                    let column = self.table.read().get(tie.column).map_or("", |c| c.name.as_str());
                    let why = count(refused, &PARENT_REFUSED, self.table.source(), column);
                    fates.refuse(piece.rows(), row, why);
                }
            }
            if let Some(kept) = context.kept.as_ref().filter(|_| context.is_cut(tie.parent)) {
                let has = kept.names(*tie, piece, &self.types)?;
                let nobody =
                    evaluate(&Filter::IsNull { column: tie.column }, piece, &self.types, &context.chosen)?;
                for row in (0..piece.rows()).filter(|row| !has.get(*row) && !nobody.get(*row)) {
                    if fates.goes(row) {
                        Fates::mark(&mut fates.left_out, piece.rows(), row);
                    }
                }
            }
        }
        Ok(())
    }

    /// Where rows of one table refer to each other, children's children too, down to the last.
    fn follow_kin(
        &self,
        piece: &Batch,
        fates: &mut Fates,
        refused: &mut BTreeMap<String, u64>,
        context: &Context<'_>,
    ) -> Result<()> {
        let number = self.table.number();
        if !self.ties.iter().any(|tie| tie.parent == number) {
            return Ok(());
        }
        let mut known = 0;
        loop {
            let out = Mask::from_fn(piece.rows(), |row| Fates::is(&fates.refused, row));
            if out.count() == known {
                return Ok(());
            }
            known = out.count();
            lock(context.refused)?.add(number, piece, &self.types, &out)?;
            self.follow_parents(piece, fates, refused, context)?;
        }
    }

    /// A trial moves few rows. Gives how many rows of the piece it leaves out in all.
    fn limit(&mut self, piece: &Batch, fates: &mut Fates, context: &mut Context<'_>) -> u64 {
        let Some(limit) = context.plan.row_limit() else { return 0 };
        for row in 0..piece.rows() {
            if !fates.goes(row) {
                continue;
            }
            if self.kept < limit {
                self.kept += 1;
            } else {
                Fates::mark(&mut fates.left_out, piece.rows(), row);
            }
        }
        if self.kept >= limit || !fates.left_out.is_empty() {
            context.cut(self.table.number());
        }
        fates.left_out.iter().fold(0, |n, out| n + u64::from(*out))
    }
}

/// Counts one refused row under `CODE table.column`, and gives that text.
pub(crate) fn count(refused: &mut BTreeMap<String, u64>, code: &Code, table: &str, column: &str) -> String {
    let place = if column.is_empty() { table.to_owned() } else { format!("{table}.{column}") };
    let why = format!("{} {place}", code.id);
    *refused.entry(why.clone()).or_default() += 1;
    why
}
