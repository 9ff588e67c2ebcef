//! What a run wrote, taken away again: exactly what the ledger says, chunk by chunk.
//!
//! A chunk whose rows still are what the ledger's tally says is deleted by its sealed key range, its
//! line with it, in one transaction. Any other is kept, and its rows are named by token where the source
//! still answers. Children go before their parents; a chunk that rows elsewhere refer to is kept too.
//! Killed anywhere, the same call goes on.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_batch::{RowHasher, Scope, Tally, TallyKey};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::TablePlan;
use ecluse_seal::{RunState, Undo};
use serde::{Deserialize, Serialize};

use crate::attached::{self, Attaching, How};
use crate::checks;
use crate::diff::{self, Looking, Rows, Without};
use crate::event::{Act, Outcome};
use crate::excluded::Staying;
use crate::family::{self, Tie};
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Destination, LedgerEntry, Record, Referrer, Removal, Source};
use crate::reconcile::Connect;
use crate::run::{Options, Progress};
use crate::worked::{self, WORKED};
use crate::world::World;
use crate::{readback, sample, staged, state};

static UNDONE: Code = Code::refused("ECL-UND-002", "the run was undone, or is being undone");
static CHANGED: Code =
    Code::refused("ECL-UND-010", "rows were changed at the destination since they were moved");
static REFERRED: Code =
    Code::refused("ECL-UND-011", "rows at the destination refer to rows that the run moved");
static UNEVEN: Code = Code::refused("ECL-UND-012", "the destination would delete other rows than it shows");
static STOPPED: Code = Code::outside("ECL-UND-013", "the undo was stopped at the operator's wish");

/// What an undo did: counts and tokens only. Written in clear, as `undone.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// `ecluse-undo/1`.
    pub format: String,
    /// The run's opaque id, and its instruction's digest.
    pub run: String,
    /// See `run`.
    pub instruction: String,
    /// When the first start of the undo began and this one ended, UTC.
    pub began: String,
    /// See `began`.
    pub ended: String,
    /// Whether nothing was deleted, only looked at.
    pub dry: bool,
    /// Per table, in the plan's order, over all starts of the undo.
    pub tables: Vec<UndoneTable>,
    /// What stands there still, and why.
    pub kept: Vec<Kept>,
    /// Columns (`table.column`) that no run fills and in which nobody can tell work from what the engine gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// Files taken away by this start: no row names them any more.
    #[serde(default, skip_serializing_if = "crate::figures::none")]
    pub files: u64,
    /// Tables that the run had made, and that were dropped.
    pub dropped: Vec<String>,
    /// Why the rows that differ are not named: the code under which the source did not answer.
    pub unnamed: String,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoneTable {
    /// The destination table's name.
    pub table: String,
    /// Rows that the ledger had when the undo began.
    pub moved: u64,
    /// Of these, taken away (in a dry run: that would be).
    pub gone: u64,
}

/// A chunk that was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The destination table's name.
    pub table: String,
    /// The chunk's opaque number.
    pub chunk: u64,
    /// Its rows in the ledger.
    pub rows: u64,
    /// Why: a code, and its words.
    pub code: String,
    /// See `code`.
    pub words: String,
    /// The table whose rows refer to it; empty where that is not why.
    pub by: String,
    /// The rows that differ, where they could be named.
    pub differ: Vec<Differs>,
}

/// One row that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differs {
    /// What differs, in words.
    pub words: String,
    /// The row's token; none where rows are only counted.
    pub row: Option<String>,
    /// The destination column; none where the whole row is meant.
    pub column: Option<String>,
    /// How many rows, where they are only counted; else 1.
    pub rows: u64,
}

impl Undone {
    /// Whether nothing of the run stands at the destination any more.
    #[must_use]
    pub fn whole(&self) -> bool {
        self.kept.is_empty() && !self.dry
    }

    /// Rows taken away over all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.gone).sum()
    }

    /// The gravest reason for which something was kept: rows that somebody changed first.
    #[must_use]
    pub fn gravest(&self) -> Option<&'static Code> {
        let has = |code: &Code| self.kept.iter().any(|kept| kept.code == code.id);
        [&CHANGED, &WORKED, &UNEVEN, &REFERRED].into_iter().find(|code| has(code))
    }
}

/// Refuses to go on with a run that is being undone.
///
/// # Errors
///
/// [`UNDONE`].
pub(crate) fn none(state: &RunState) -> Result<()> {
    match &state.undo {
        None => Ok(()),
        Some(undo) => Err(UNDONE
            .fault(format!("since {}", undo.began))
            .help("what it left: ecluse status; go on undoing: ecluse undo; begin another run: --run DIR")),
    }
}

/// How an undo may go about it.
#[derive(Clone, Copy, Default)]
pub struct Undoing<'a> {
    /// How the source is read, should rows have to be named.
    pub options: Options<'a>,
    /// Nothing is deleted; what would be kept is told, as far as the rows themselves show it.
    pub dry: bool,
}

/// Takes away what the run of this folder wrote.
///
/// `connect` opens the source, and is called only where rows have to be named: where it does not answer
/// their chunk is told, and not their tokens. `begins` of the options is called before the first row goes.
///
/// # Errors
///
/// Coded, where the undo could not be made. That something was kept is no error here: see
/// [`Undone::gravest`]. A stop is [`STOPPED`].
pub fn undo<'s>(
    orders: Orders<'_>,
    how: Undoing<'_>,
    connect: Connect<'_, 's>,
    destination: &mut dyn Destination,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Undone> {
    let mut state = state::load(&orders, record)?
        .ok_or_else(|| state::NONE.fault("").help("there is nothing to undo; name the run's folder"))?;
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    if journal.record.was_torn() {
        journal.note(Act::Recover, &object, &Outcome::Done)?;
    }
    journal.act(Act::Standing, &object, |_| orders.standing())?;
    journal.note(Act::Undo, &object, &Outcome::Begun)?;
    let done = begin(&orders, how, destination, &mut journal, &mut state, world).and_then(|ledger| {
        let staying = Staying::of(&orders, world.random()?)?;
        let found = Found { source: None, connect, failed: None, staying: staying.as_ref() };
        let undone = begun(&orders, &state, &ledger, how.dry);
        let mut taking = Taking {
            orders,
            how,
            destination,
            state: &state,
            journal: &mut journal,
            world,
            progress,
            undone,
            found,
        };
        taking.tell(ledger)?;
        Ok(taking.undone)
    });
    let written = done.and_then(|mut undone| {
        undone.ended = world.now().to_string();
        let paper = if how.dry { None } else { Some(journal.record.save_undone(&undone)?) };
        let outcome = undone.gravest().map_or(Outcome::Done, |code| Outcome::Code(code.id));
        journal.note_paper(Act::Undo, &object, &outcome, paper)?;
        Ok(undone)
    });
    if let Err(fault) = &written {
        journal.failed(Act::Undo, &object, fault);
    }
    written
}

/// Looks at the destination, and seals that the run is being undone before anything goes.
fn begin(
    orders: &Orders<'_>,
    how: Undoing<'_>,
    destination: &mut dyn Destination,
    journal: &mut Journal<'_>,
    state: &mut RunState,
    world: World<'_>,
) -> Result<Vec<LedgerEntry>> {
    checks::destination_identity(destination, orders.destination)?;
    destination.hold(&state.run)?;
    let ledger = destination.ledger(&state.run)?;
    if how.dry {
        return Ok(ledger);
    }
    how.options.begins.map_or(Ok(()), |begins| begins())?;
    if state.undo.is_none() {
        let rows = orders.plan.tables().iter().map(|t| rows_of(&ledger, t.number())).collect();
        state.undo = Some(Undo { began: world.now().to_string(), rows });
        state.whole = false;
        // who agrees with a row that goes is nobody's to know any more
        state.known = None;
        state::save(state, orders, journal)?;
    }
    journal.note(Act::Remove, &state.object, &Outcome::Begun)?;
    // what was said of the destination holds no more
    journal.record.withdraw()?;
    Ok(ledger)
}

fn rows_of(ledger: &[LedgerEntry], table: usize) -> u64 {
    ledger.iter().filter(|line| line.table == table).map(|line| line.rows).sum()
}

fn begun(orders: &Orders<'_>, state: &RunState, ledger: &[LedgerEntry], dry: bool) -> Undone {
    let moved = |table: &TablePlan| {
        let sealed = state.undo.as_ref().and_then(|undo| undo.rows.get(table.number()));
        sealed.copied().unwrap_or_else(|| rows_of(ledger, table.number()))
    };
    let table = |t: &TablePlan| UndoneTable { table: t.destination().to_owned(), moved: moved(t), gone: 0 };
    Undone {
        format: "ecluse-undo/1".to_owned(),
        run: state.run.clone(),
        instruction: orders.instruction.to_owned(),
        began: state.undo.as_ref().map(|undo| undo.began.clone()).unwrap_or_default(),
        dry,
        tables: orders.plan.tables().iter().map(table).collect(),
        ..Undone::default()
    }
}

/// The source, opened when rows have to be named; where it does not answer, it is asked once.
struct Found<'c, 's> {
    source: Option<Box<dyn Source + 's>>,
    connect: Connect<'c, 's>,
    failed: Option<Fault>,
    staying: Option<&'c Staying<'c>>,
}

struct Taking<'a, 'c, 's, 'j> {
    orders: Orders<'a>,
    how: Undoing<'a>,
    destination: &'a mut dyn Destination,
    state: &'a RunState,
    journal: &'a mut Journal<'j>,
    world: World<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
    undone: Undone,
    found: Found<'c, 's>,
}

/// A chunk that was tried, and stands still.
struct Left<'a> {
    table: &'a TablePlan,
    line: LedgerEntry,
    why: Removal,
}

impl<'a> Taking<'a, '_, '_, '_> {
    /// Children before parents, over and over as long as one goes: rows of one table may refer to
    /// each other, and tables in a circle.
    fn tell(&mut self, ledger: Vec<LedgerEntry>) -> Result<()> {
        for table in self.orders.plan.tables().iter().filter(|t| rows_of(&ledger, t.number()) > 0) {
            let unseen = self.destination.unseen(table)?;
            let named = unseen.iter().map(|column| format!("{}.{column}", table.destination()));
            self.undone.unseen.extend(named);
        }
        let mut lines = ledger;
        let mut left = Vec::new();
        loop {
            let before = lines.len();
            left.clear();
            for table in self.orders.plan.tables().iter().rev() {
                self.table(table, &lines, &mut left)?;
            }
            let referred = left.iter().any(|one| matches!(one.why, Removal::Referred(_)));
            if self.how.dry || !referred || left.len() == before {
                break;
            }
            lines = left.iter().map(|one| one.line.clone()).collect();
        }
        self.count(&left);
        for one in &left {
            let kept = self.name(one)?;
            self.undone.kept.push(kept);
        }
        if let Some(mut source) = self.found.source.take() {
            staged::close(source.as_mut(), self.journal)?;
        }
        if !self.how.dry {
            let (plan, files) = (self.orders.plan, self.how.options.files);
            self.undone.files = attached::settle(plan, files, &self.state.run, self.destination, None)?;
            self.undone.dropped = self.destination.forget(self.orders.plan, &self.state.made)?;
        }
        Ok(())
    }

    /// The chunks of one table, the last first.
    fn table(&mut self, table: &'a TablePlan, lines: &[LedgerEntry], left: &mut Vec<Left<'a>>) -> Result<()> {
        let mut here: Vec<&LedgerEntry> = lines.iter().filter(|line| line.table == table.number()).collect();
        if here.is_empty() {
            return Ok(());
        }
        here.sort_by_key(|line| std::cmp::Reverse(line.chunk));
        let asked = here.iter().map(|line| line.rows).sum();
        (self.progress)(Progress::Table(table.number(), table.destination(), asked));
        // what ties a child to the table binds without a foreign key too, where the child was kept
        let kept: BTreeSet<usize> = left.iter().map(|one| one.table.number()).collect();
        let tables = self.orders.plan.tables().iter();
        let others = tables.filter(|t| kept.contains(&t.number()) && t.number() != table.number());
        let children: Vec<Referrer<'_>> = others
            .flat_map(|child| family::ties(child).into_iter().map(move |tie| (child, tie)))
            .filter(|(_, tie)| tie.parent == table.number())
            .map(|(child, Tie { column, parent_column, .. })| Referrer { child, column, parent_column })
            .collect();
        let mut gone = 0;
        for line in here {
            self.orders.standing()?;
            if self.world.stopped() {
                return Err(STOPPED.fault("what went is gone, the rest stands").help("ecluse undo"));
            }
            let why = self.chunk(table, line, &children)?;
            match why {
                Removal::Gone(rows) => gone += rows,
                why => left.push(Left { table, line: line.clone(), why }),
            }
            (self.progress)(Progress::Rows(table.number(), gone, 0));
        }
        (self.progress)(Progress::Through(table.number()));
        Ok(())
    }

    /// Takes one chunk away if it is what the ledger says.
    fn chunk(&mut self, table: &TablePlan, line: &LedgerEntry, children: &[Referrer<'_>]) -> Result<Removal> {
        let sealed = state::table(self.state, table.number())?;
        let range = sealed.line_range(usize::try_from(line.chunk).unwrap_or(usize::MAX));
        let key = state::tally_key(self.state);
        if self.how.dry {
            let there = readback::rows(self.destination, table, &range, &key)?.tally();
            return Ok(match is_ours(&there, line, &key) {
                false => Removal::NotOurs,
                true if worked::stands(self.destination, table, &range)? => Removal::Worked,
                true => Removal::Gone(line.rows),
            });
        }
        self.journal.note(Act::Remove, &sealed.object, &Outcome::Begun)?;
        let mut hasher = RowHasher::new(&key, table.destination(), &readback::types(table));
        let mut hashes = Vec::new();
        let there = std::cell::RefCell::new(Tally::new());
        self.destination.remove(
            table,
            line.chunk,
            &range,
            children,
            &mut |batch| {
                hashes.clear();
                hasher.hash_rows(&batch, &mut hashes)?;
                there.borrow_mut().extend(&hashes);
                Ok(())
            },
            &mut || is_ours(&there.borrow(), line, &key),
        )
    }

    /// What went, over all starts: what the ledger had, less what it has.
    fn count(&mut self, left: &[Left<'_>]) {
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        left.iter().for_each(|one| *rows.entry(one.table.number()).or_default() += one.line.rows);
        for (number, table) in self.undone.tables.iter_mut().enumerate() {
            table.gone = table.moved.saturating_sub(rows.get(&number).copied().unwrap_or_default());
        }
    }

    /// A chunk that stands still: why, and which of its rows differ.
    fn name(&mut self, one: &Left<'_>) -> Result<Kept> {
        let (code, by) = match &one.why {
            Removal::Referred(by) => (&REFERRED, by.clone()),
            Removal::Worked => (&WORKED, String::new()),
            Removal::Uneven => (&UNEVEN, String::new()),
            Removal::NotOurs | Removal::Gone(_) => (&CHANGED, String::new()),
        };
        let differ = match one.why {
            Removal::NotOurs => self.differing(one)?,
            Removal::Worked => self.worked_on(one)?,
            _ => Vec::new(),
        };
        Ok(Kept {
            table: one.table.destination().to_owned(),
            chunk: one.line.chunk,
            rows: one.line.rows,
            code: code.id.to_owned(),
            words: code.title.to_owned(),
            by,
            differ,
        })
    }

    /// The rows on which somebody worked; the destination alone is asked.
    fn worked_on(&mut self, one: &Left<'_>) -> Result<Vec<Differs>> {
        let sealed = state::table(self.state, one.table.number())?;
        let range = sealed.line_range(usize::try_from(one.line.chunk).unwrap_or(usize::MAX));
        worked::named(self.destination, one.table, &range, &state::token_key(self.state))
    }

    /// As a reconciliation names them; none where the source does not answer.
    fn differing(&mut self, one: &Left<'_>) -> Result<Vec<Differs>> {
        let Left { table, line, .. } = one;
        let sealed = state::table(self.state, table.number())?;
        let range = sealed.line_range(usize::try_from(line.chunk).unwrap_or(usize::MAX));
        let (key, token) = (state::tally_key(self.state), state::token_key(self.state));
        let there = Rows::of_destination(self.destination, table, &range, &key)?;
        let (plan, engine) = (self.orders.plan, self.destination.engine());
        let kept = sample::kept(self.state, plan, table, sealed);
        let how = How::digest(&self.orders, &self.state.run);
        let files = Attaching::new(plan, self.how.options.files, how, state::token_key(self.state))?;
        let without =
            Without { kept, refused: &sealed.refused, staying: self.found.staying, files: files.as_ref() };
        let here = self
            .source()
            .and_then(|source| Rows::of_source(source, plan, table, &range, engine, &key, &without));
        let here = match here {
            Ok(here) => here,
            Err(fault) => {
                self.undone.unnamed = fault.code().id.to_owned();
                self.found.failed = Some(fault);
                return Ok(Vec::new());
            }
        };
        let look = Looking { table, entry: line, tally: &key, token: &token };
        let damage = diff::chunk(&look, &here, &there)?.into_iter().filter(|d| d.kind.is_damage());
        Ok(damage
            .map(|d| Differs {
                words: d.kind.code().title.to_owned(),
                row: d.row,
                column: d.column,
                rows: d.rows,
            })
            .collect())
    }

    fn source(&mut self) -> Result<&mut dyn Source> {
        if let Some(failed) = self.found.failed.take() {
            return Err(failed);
        }
        if self.found.source.is_none() {
            let source = (self.found.connect)()?;
            let object = &self.state.object;
            let mut source = checks::reopen(source, &self.orders, self.how.options, self.journal, object)?;
            let staying = self.found.staying;
            staying.map_or(Ok(()), |staying| staying.learn(source.as_mut(), &self.orders))?;
            self.found.source = Some(source);
        }
        match &mut self.found.source {
            Some(source) => Ok(source.as_mut()),
            None => Err(UNEVEN.fault("source")),
        }
    }
}

fn is_ours(there: &Tally, line: &LedgerEntry, key: &TallyKey) -> bool {
    let scope = Scope::Chunk { table: line.table, chunk: line.chunk };
    there.count() == line.rows && there.publish(key, scope) == line.tally
}
