//! The writing half: each chunk compared with the ledger, and replaced where they differ.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ecluse_batch::{Batch, Keys, Mask, Scope, Tally, TallyKey};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange};
use ecluse_seal::{Caught, RunState};
use jiff::Timestamp;

use crate::caught::{self, Row, Standing};
use crate::encodings;
use crate::event::{Act, Outcome};
use crate::family::{self, Kin, PARENT_REFUSED};
use crate::figures::Figures;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, LedgerEntry, Refusal, RefusedRow, Since};
use crate::reader::{Chunk, Message};
use crate::run::{Options, Progress};
use crate::step::{Worked, count, lock};
use crate::world::World;
use crate::{readback, reference, rejected, sample, state};

static CHANGED: Code =
    Code::refused("ECL-RUN-011", "rows at the destination were changed since they were moved");
static UNIQUE: Code = Code::refused("ECL-RUN-102", "the destination holds that key or unique value already");
static NOT_NULL: Code = Code::refused("ECL-RUN-103", "the destination demands a value");
static CHECK: Code = Code::refused("ECL-RUN-104", "a CHECK constraint of the destination is not met");
static FOREIGN_KEY: Code = Code::refused("ECL-RUN-105", "the destination does not hold the row's parent");
static VALUE: Code = Code::refused("ECL-RUN-106", "the destination cannot hold a value");
static OTHER: Code = Code::refused("ECL-RUN-107", "a trigger or rule of the destination refused the row");
static UNKNOWN: Code =
    Code::refused("ECL-RUN-016", "the destination speaks of a row or table that was not sent");

/// What the writing half holds.
pub(crate) struct Writing<'a, 'j> {
    pub(crate) orders: Orders<'a>,
    pub(crate) options: Options<'a>,
    pub(crate) destination: &'a mut dyn Destination,
    pub(crate) journal: &'a mut Journal<'j>,
    pub(crate) state: &'a mut RunState,
    pub(crate) figures: &'a mut Figures,
    pub(crate) progress: &'a mut dyn FnMut(Progress<'_>),
    pub(crate) ledger: BTreeMap<(usize, u64), LedgerEntry>,
    /// Tables that had been read to their end before this start of the run.
    pub(crate) closed: Vec<bool>,
    pub(crate) key: TallyKey,
    pub(crate) refused: &'a Mutex<Kin>,
    /// Tables of which the destination refused rows.
    pub(crate) hit: Vec<bool>,
    /// Whether reference data were accepted, and nothing but them moved before.
    pub(crate) accepted: bool,
    /// The catch-up under way: then rows are counted against what stands at the destination.
    pub(crate) catch_up: Option<u64>,
    /// Rows that stood beyond a chunk's new end, until the chunk comes that they belong to.
    pub(crate) beyond: Vec<Row>,
    /// When the table under way began.
    pub(crate) began: Option<Timestamp>,
    pub(crate) world: World<'a>,
}

/// What is known of a chunk's place before it is written.
enum Found {
    /// The chunk stands there as the source has it.
    Stands,
    /// Other rows stand there, or none.
    Differs(Standing),
}

impl<'a> Writing<'a, '_> {
    /// Deals with one message of the reading half.
    pub(crate) fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Begin(number, count) => {
                if self.accepted && number >= self.orders.plan.reference() {
                    reference::unchanged(self.orders.plan, self.figures)?;
                }
                let sealed = state::table_mut(self.state, number)?;
                sealed.kept.clear();
                rejected::clear(sealed);
                self.beyond.clear();
                self.began = Some(self.world.now());
                let object = sealed.object.clone();
                self.journal.note(Act::Table, &object, &Outcome::Begun)?;
                if let Some(figures) = self.figures.tables.get_mut(number) {
                    figures.available = count.available;
                    figures.asked = count.asked;
                }
                let name = self.table(number)?.source();
                (self.progress)(Progress::Table(number, name, count.asked));
                Ok(())
            }
            Message::Chunk(chunk) => self.chunk(*chunk),
            Message::Through(number, unread) => {
                let took = self.began.take().map(|began| self.world.now().duration_since(began).as_millis());
                if let Some(figures) = self.figures.tables.get_mut(number) {
                    figures.left_out += unread;
                    figures.millis += took.and_then(|took| u64::try_from(took).ok()).unwrap_or_default();
                }
                let object = state::table(self.state, number)?.object.clone();
                self.journal.note(Act::Table, &object, &Outcome::Done)?;
                (self.progress)(Progress::Through(number));
                Ok(())
            }
        }
    }

    fn table(&self, number: usize) -> Result<&'a TablePlan> {
        self.orders.plan.tables().get(number).ok_or_else(|| UNKNOWN.fault(format!("table {number}")))
    }

    /// Compares one chunk with the ledger and replaces it where they differ.
    fn chunk(&mut self, mut chunk: Chunk) -> Result<()> {
        // before anything else, whether or not there will be something to write
        self.orders.standing()?;
        let table = self.table(chunk.table)?;
        self.drop_children(table, &mut chunk)?;
        let mut tally = Tally::new();
        chunk.pieces.iter().for_each(|piece| tally.extend(&piece.hashes));

        let number = u64::try_from(chunk.number).unwrap_or(u64::MAX);
        let sampled = sample::leaves_out(self.state, self.orders.plan, table);
        let sealed = state::table_mut(self.state, chunk.table)?;
        let closes = chunk.last && !sealed.closed;
        let trial = self.orders.plan.row_limit().is_some();
        if trial || sampled {
            let types = readback::types(table);
            for piece in &chunk.pieces {
                let keys = Keys::new(&piece.written, &types, table.write_key())?;
                sealed.kept.extend((0..piece.written.rows()).filter_map(|row| keys.get(row)));
            }
        }
        let open_line = open_line(sealed.open_line, number, chunk.last);
        let cut_anew = chunk.end.is_some() || closes || trial || open_line != sealed.open_line;
        sealed.open_line = open_line;
        sealed.ends.extend(chunk.end.take());
        sealed.closed |= chunk.last;
        let (range, line_range) = (sealed.range(chunk.number), sealed.line_range(chunk.number));
        let object = sealed.object.clone();
        if cut_anew {
            // before the chunk is committed: a boundary that is not known cannot be replaced
            state::save(self.state, &self.orders, self.journal)?;
        }

        let known = self.ledger.get(&(chunk.table, number)).cloned();
        let upto = range.upto.clone();
        // what the line speaks of goes as a whole: no row of ours stays beyond a new end
        let range = if known.is_some() { line_range } else { range };
        let place = Place { table, number, range };
        let before = match self.find(&place, &tally, known.as_ref())? {
            Found::Stands => {
                self.figure(&chunk, tally.count(), false);
                return self.remember(&mut chunk);
            }
            Found::Differs(standing) => standing,
        };
        let clear = known.is_none() && !before.rows.is_empty();
        let before = self.belonging(before, upto.as_ref());
        self.journal.note(Act::Chunk, &object, &Outcome::Begun)?;
        let moved = self.replace(&place, clear, &mut chunk, &tally, Before { rows: before, known })?;
        self.figure(&chunk, moved, true);
        self.remember(&mut chunk)
    }

    /// The rows that stood where the chunk comes to lie: what lies beyond its new end belongs to
    /// chunks that come, and these take over what was left for them.
    fn belonging(&mut self, mut before: Standing, upto: Option<&Key>) -> Vec<Row> {
        if self.catch_up.is_none() {
            return Vec::new();
        }
        let left = before.beyond(upto);
        let mut waiting = Standing { rows: std::mem::replace(&mut self.beyond, left) };
        self.beyond.extend(waiting.beyond(upto));
        before.rows.append(&mut waiting.rows);
        before.rows
    }

    /// Refused rows, for the laboratory and for whoever reads the destination back. Chunks come in the
    /// order of their keys; the state is saved with them at the latest when the run comes to its end.
    fn remember(&mut self, chunk: &mut Chunk) -> Result<()> {
        let sealed = state::table_mut(self.state, chunk.table)?;
        rejected::keep(sealed, std::mem::take(&mut chunk.gone), std::mem::take(&mut chunk.flaws));
        Ok(())
    }

    /// Whether the chunk stands at the destination as the source has it now. The ledger's
    /// word is enough to leave a chunk alone; before it is replaced (and, in a repair, always)
    /// the destination's rows themselves are read back: what somebody changed there is not
    /// overwritten unless a repair was ordered.
    fn find(&mut self, place: &Place<'_>, tally: &Tally, known: Option<&LedgerEntry>) -> Result<Found> {
        let Some(known) = known else { return self.unclaimed(place).map(Found::Differs) };
        let scope = place.scope();
        let same = known.tally == tally.publish(&self.key, scope) && known.rows == tally.count();
        if same && !self.options.start.repairs() {
            return Ok(Found::Stands);
        }
        let there = readback::rows(self.destination, place.table, &place.range, &self.key)?;
        let intact = there.tally().publish(&self.key, scope) == known.tally;
        if !intact && !self.options.start.repairs() {
            return Err(changed(place));
        }
        Ok(if same && intact { Found::Stands } else { Found::Differs(there) })
    }

    /// What stands where a chunk without a ledger line comes to lie. None of it is ours: whatever is
    /// there was written by somebody else, and only a repair takes it away. A table that was not
    /// yet read to its end was empty when the run began.
    fn unclaimed(&mut self, place: &Place<'_>) -> Result<Standing> {
        if !self.closed.get(place.table.number()).copied().unwrap_or(false) {
            return Ok(Standing::default());
        }
        let there = readback::rows(self.destination, place.table, &place.range, &self.key)?;
        if !there.rows.is_empty() && !self.options.start.repairs() {
            return Err(changed(place));
        }
        Ok(there)
    }

    fn replace(
        &mut self,
        place: &Place<'_>,
        clear: bool,
        chunk: &mut Chunk,
        tally: &Tally,
        before: Before,
    ) -> Result<u64> {
        let rows: Vec<Batch> = chunk.pieces.iter().map(|piece| piece.written.clone()).collect();
        let refused_here: u64 = chunk.refused.values().sum();
        let mut moved = 0;
        let (key, pieces) = (&self.key, &chunk.pieces);
        let mut counted = match self.catch_up {
            Some(number) => Some((number, before.rows, caught::written(place.table, pieces)?)),
            None => None,
        };
        // a chunk that this very catch-up replaced before: its counts come on top
        let earlier = before.known.map(|line| line.since).filter(|s| Some(s.catch_up) == self.catch_up);
        let (mut here, mut since) = (Since::default(), Since::default());
        let mut entry = |refused: &[RefusedRow]| {
            let mut left = *tally;
            for one in refused {
                let hash = place_of(pieces, one.row).and_then(|(piece, row)| piece.hashes.get(row));
                left.subtract(hash.ok_or_else(|| UNKNOWN.fault("a refused row"))?);
            }
            moved = left.count();
            if let Some((number, before, mut after)) = counted.take() {
                refused.iter().rev().for_each(|one| drop_row(&mut after, one.row));
                here = caught::differ(before, after, number);
                since = together(here, earlier);
            }
            Ok(LedgerEntry {
                table: chunk.table,
                chunk: place.number,
                rows: left.count(),
                refused: refused_here + u64::try_from(refused.len()).unwrap_or(u64::MAX),
                tally: left.publish(key, place.scope()),
                since,
            })
        };
        let began = self.world.now();
        let refused =
            self.destination.replace(place.table, place.number, &place.range, clear, &rows, &mut entry)?;
        let took = self.world.now().duration_since(began).as_micros();
        if let Some(figures) = self.figures.tables.get_mut(chunk.table) {
            figures.written += moved;
            figures.write_micros += u64::try_from(took).unwrap_or_default();
        }
        for one in &refused {
            let why = count(&mut chunk.refused, code(one.reason), place.table.destination(), "");
            let Some((piece, row)) = place_of(&chunk.pieces, one.row) else { continue };
            if let Some(read) = &piece.read {
                let only = Mask::from_fn(read.rows(), |r| r == row);
                lock(self.refused)?.add(chunk.table, read, &read_types(place.table), &only)?;
            }
            let types = readback::types(place.table);
            let key = Keys::new(&piece.written, &types, place.table.write_key())?.get(row);
            chunk.gone.extend(key.map(|key| (key, why)));
        }
        if !refused.is_empty() {
            self.hit(chunk.table);
        }
        if let Some(caught) = self.caught(chunk.table) {
            caught::add(caught, &here, earlier.is_some());
        }
        Ok(moved)
    }

    /// The figures of the catch-up under way.
    fn caught(&mut self, table: usize) -> Option<&mut Caught> {
        self.catch_up?;
        self.figures.catch_ups.last_mut()?.tables.get_mut(table)
    }

    /// Rows whose parent the destination refused after the reader had passed them.
    fn drop_children(&mut self, table: &TablePlan, chunk: &mut Chunk) -> Result<()> {
        let hit = |parent: usize| self.hit.get(parent).copied().unwrap_or(false);
        // kin of one table are followed when it is read again: a chunk's own rows are still on their way
        let outside = |tie: &family::Tie| tie.parent != table.number();
        let ties: Vec<_> =
            family::ties(table).into_iter().filter(|tie| outside(tie) && hit(tie.parent)).collect();
        if ties.is_empty() {
            return Ok(());
        }
        let types = read_types(table);
        let mut any = false;
        for piece in &mut chunk.pieces {
            let mut kin = lock(self.refused)?;
            for tie in &ties {
                let Some(read) = &piece.read else { break };
                let out = kin.names(*tie, read, &types)?;
                if out.count() == 0 {
                    continue;
                }
                any = true;
                let column = table.read().get(tie.column).map_or("", |c| c.name.as_str());
                let mut why = String::new();
                for _ in 0..out.count() {
                    why = count(&mut chunk.refused, &PARENT_REFUSED, table.source(), column);
                }
                kin.add(table.number(), read, &types, &out)?;
                let keys = Keys::new(read, &types, table.key())?;
                let gone = (0..read.rows()).filter(|row| out.get(*row)).filter_map(|row| keys.get(row));
                chunk.gone.extend(gone.map(|key| (key, why.clone())));
                let stay = Mask::from_fn(read.rows(), |row| !out.get(row));
                piece.written = piece.written.keep(&stay)?;
                let mut row = 0;
                piece.hashes.retain(|_| {
                    row += 1;
                    stay.get(row - 1)
                });
                piece.read = Some(read.keep(&stay)?);
            }
        }
        if any {
            self.hit(table.number());
        }
        Ok(())
    }

    fn hit(&mut self, table: usize) {
        if let Some(hit) = self.hit.get_mut(table) {
            *hit = true;
        }
    }

    fn figure(&mut self, chunk: &Chunk, moved: u64, replaced: bool) {
        let Some(figures) = self.figures.tables.get_mut(chunk.table) else { return };
        figures.moved += moved;
        figures.left_out += chunk.left_out;
        figures.excluded += chunk.excluded;
        figures.listed += chunk.listed;
        figures.add_files(&chunk.files);
        encodings::add(&mut figures.encodings, &chunk.encodings);
        figures.chunks += 1;
        figures.replaced += u64::from(replaced);
        for (code, rows) in &chunk.refused {
            *figures.refused.entry(code.clone()).or_default() += rows;
        }
        for (code, rows) in &chunk.flawed {
            *figures.identifiers.entry(code.clone()).or_default() += rows;
        }
        (self.progress)(Progress::Rows(chunk.table, figures.moved, figures.refused_rows()));
        if let Some(caught) = self.caught(chunk.table) {
            caught.chunks += 1;
        }
    }
}

/// What stood where a chunk comes to lie: its rows, counted in a catch-up only, and its line.
struct Before {
    rows: Vec<Row>,
    known: Option<LedgerEntry>,
}

/// Refused rows come in ascending order, and are taken out from the last.
fn drop_row(rows: &mut Vec<Row>, row: usize) {
    if row < rows.len() {
        rows.remove(row);
    }
}

fn together(here: Since, earlier: Option<Since>) -> Since {
    let before = earlier.unwrap_or_default();
    Since {
        catch_up: here.catch_up,
        added: here.added + before.added,
        changed: here.changed + before.changed,
        deleted: here.deleted + before.deleted,
    }
}

/// The chunk whose ledger line was made under the open end, once this chunk is written. It is
/// saved before the chunk's transaction. What a process that dies in between leaves behind
/// reads the same under both: beyond a line made anew nothing stands until the next chunk is
/// written, and by then the word has moved on.
fn open_line(before: Option<u64>, chunk: u64, last: bool) -> Option<u64> {
    if last { Some(chunk) } else { before.filter(|line| *line >= chunk) }
}

fn changed(place: &Place<'_>) -> Fault {
    CHANGED.fault(format!("table {}, chunk {}", place.table.destination(), place.number)).help(
        "see what changed: ecluse reconcile; put the source's rows in their place: ecluse migrate --repair",
    )
}

/// One chunk's place.
struct Place<'a> {
    table: &'a TablePlan,
    number: u64,
    /// What is read back, and what goes when the chunk is replaced.
    range: KeyRange,
}

impl Place<'_> {
    fn scope(&self) -> Scope {
        Scope::Chunk { table: self.table.number(), chunk: self.number }
    }
}

/// The piece, and the row within it, of a chunk's row.
fn place_of(pieces: &[Worked], row: usize) -> Option<(&Worked, usize)> {
    let mut row = row;
    for piece in pieces {
        match row.checked_sub(piece.written.rows()) {
            None => return Some((piece, row)),
            Some(left) => row = left,
        }
    }
    None
}

fn read_types(table: &TablePlan) -> Vec<Type> {
    table.read().iter().map(|c| c.ty).collect()
}

const fn code(reason: Refusal) -> &'static Code {
    match reason {
        Refusal::Unique => &UNIQUE,
        Refusal::NotNull => &NOT_NULL,
        Refusal::Check => &CHECK,
        Refusal::ForeignKey => &FOREIGN_KEY,
        Refusal::Value => &VALUE,
        Refusal::Other => &OTHER,
    }
}
