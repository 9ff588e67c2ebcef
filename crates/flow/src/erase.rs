//! What moved, taken away at the source: in one transaction, and only while it still is what moved.
//!
//! Every chunk that moved is read again at the source, under a lock that keeps writers out, and tallied; the tally
//! is compared with the ledger's, or, of an archive, its table's with what the recipient's receipt opens: one that
//! differs, and nothing goes. Then the rows go, children before their parents. A row that did not move, of any table,
//! is neither deleted nor changed with them, nor left without its parent: what refers to each table, by the database's
//! foreign keys or by the papers' relations, is counted around its deletion.
//!
//! The transaction is left open ([`Going`]): whoever called compares the counts and writes down what goes before
//! it is committed ([`Eraser::commit`]).

use ecluse_batch::Tally;
use ecluse_core::catalog::{Catalog, ForeignKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Referring;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::value::{Key, KeyRange};
use ecluse_seal::Parting;

use crate::arrived::{Accepted, Arrived};
use crate::attached::{Attaching, How};
use crate::checks::{self, When};
use crate::diff::{Rows, Without};
use crate::event::{Act, Outcome};
use crate::excluded::Staying;
use crate::journal::Journal;
use crate::moved::{Line, Moved};
use crate::orders::Orders;
use crate::parting::{self, Names, Remover};
use crate::ports::{Destination, Excess, LedgerEntry, Record, Scope, Source};
use crate::run::{Options, Progress};
use crate::shadow::{self, Shadow};
use crate::ties::{self, Left, Tie};
use crate::world::World;
use crate::{sample, standing, state, undo};

static CHANGED: Code = Code::refused("ECL-ERA-010", "rows at the source are not what moved");
static UNEVEN: Code = Code::refused("ECL-ERA-011", "the source would delete other rows than it shows");
static NOT_WHOLE: Code =
    Code::refused("ECL-ERA-013", "a run that is not through is not erased at the source");
static UNKEYED: Code = Code::refused("ECL-ERA-014", "rows of a table without a key cannot be told apart");
static ENDED: Code =
    Code::refused("ECL-ERA-043", "rows still stand, and the order under which they would go has ended");
static STOPPED: Code = Code::outside("ECL-ERA-015", "the erasure was stopped at the operator's wish");

/// A source, opened by its administrator so that rows may go.
pub trait Eraser: Send {
    /// What would go is read through this, within the transaction that deletes.
    fn source(&mut self) -> &mut dyn Source;

    /// What this account could do beyond the script of `ecluse grants --erasing`, as [`Source::excess`] tells it.
    fn excess(&mut self, needs: &Needs<'_>) -> Result<Vec<Excess>>;

    /// What of the source's own writes elsewhere when rows of these tables are written.
    fn shadows(&mut self, tables: &[&str]) -> Result<Vec<Shadow>>;

    /// Opens the transaction: nobody else writes to these tables, the plan's and those beside it, until it ends; no
    /// trigger fires, and no foreign key changes a row by itself, where the engine lets the role say so.
    fn begin(&mut self, plan: &Plan, tables: &[&str]) -> Result<()>;

    /// Deletes rows of the table; how many went.
    fn delete(&mut self, table: &TablePlan, plan: &Plan, which: Which<'_>) -> Result<u64>;

    /// Deletes rows of a table beside the order that name these rows of the plan's table, before they go themselves;
    /// texts are compared by bytes. How many went.
    fn delete_beside(
        &mut self,
        along: &Referring,
        table: &TablePlan,
        plan: &Plan,
        which: Which<'_>,
    ) -> Result<u64>;

    /// The rows of a child that name a parent, and those whose parent is not there; `as_text`: both sides are
    /// compared as texts.
    fn tied(&mut self, child: &str, key: &ForeignKey, as_text: bool) -> Result<Tied>;

    /// Whether the catalogue shows this account every table and column that is there.
    fn sees_all(&mut self) -> Result<bool>;

    /// Makes it durable.
    fn commit(&mut self) -> Result<()>;

    /// Takes it back.
    fn rollback(&mut self) -> Result<()>;

    /// What the engine needs so that the deleted rows leave the files of these tables, as far as SQL reaches; how, in
    /// words.
    fn settle(&mut self, tables: &[&str]) -> Result<String>;

    /// Where this engine may keep them still, as it says of itself: in words, one place each.
    fn beyond(&mut self, tables: &[&str]) -> Result<Vec<String>>;
}

/// What an erasure needs to see and to delete.
#[derive(Clone, Copy)]
pub struct Needs<'a> {
    /// What moved.
    pub plan: &'a Plan,
    /// Every table of which rows go.
    pub tables: &'a [&'a str],
    /// The source's catalogue, with its foreign keys.
    pub catalog: &'a Catalog,
    /// Columns that name ordered rows, by the papers.
    pub referring: &'a [Referring],
}

/// Which rows of a table.
#[derive(Clone, Copy)]
pub enum Which<'a> {
    /// Those that the order chose, within this range.
    Range(&'a KeyRange),
    /// Those of these keys.
    Keys(&'a [Key]),
}

/// How many rows of a child name a parent, and how many of them one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tied {
    /// Rows with a value in each of the foreign key's columns.
    pub named: u64,
    /// Of these, without a parent.
    pub orphans: u64,
}

/// Rows of one table of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The source table's name.
    pub table: String,
    /// How many.
    pub rows: u64,
}

/// Rows beside the order that name ordered ones, as the order has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Which.
    pub along: Referring,
    /// Whether they go with what they name; else they stay without it.
    pub goes: bool,
}

/// Every table of which rows go: the plan's, then those beside it, each once.
#[must_use]
pub fn tables<'a>(plan: &'a Plan, beside: &'a [Beside]) -> Vec<&'a str> {
    let mut all: Vec<&str> = plan.tables().iter().map(TablePlan::source).collect();
    for one in beside.iter().filter(|one| one.goes) {
        if !all.contains(&one.along.table.as_str()) {
            all.push(&one.along.table);
        }
    }
    all
}

/// What goes, and whether the transaction that deletes it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Going {
    /// Rows per table of the plan, in its order.
    pub gone: Vec<Gone>,
    /// Rows per table beside the order; none in a dry run, which does not count them.
    pub beside: Vec<Gone>,
    /// Rows that stay by the order without what they name.
    pub left: Vec<Left>,
    /// Files that rows named which go: those that no row names that stays go after them ([`parting::erase`]).
    pub files: Parting,
    /// What the account could do beyond its need, where a reason was given.
    pub excess: Vec<String>,
    /// Nothing is deleted before [`Eraser::commit`]; false in a dry run, and where they went before.
    pub open: bool,
}

/// How it may go about it.
#[derive(Clone, Copy, Default)]
pub struct Erasing<'a> {
    /// How the source is read.
    pub options: Options<'a>,
    /// Nothing is deleted: what would go is counted.
    pub dry: bool,
    /// An earlier start announced that these rows go, and did not say that they went: where none of them is
    /// there any more, they went.
    pub announced: bool,
    /// The papers count as they did when the run began, since they have ended: nothing is deleted on them, and only what
    /// was announced may come to its end.
    pub ended: bool,
    /// Chunks that differ at the destination as the acceptance has them.
    pub accepted: Option<&'a Accepted>,
    /// Columns that name ordered rows, as dictionary and order know them.
    pub referring: &'a [Referring],
    /// What the order has done with rows of them.
    pub beside: &'a [Beside],
    /// Why an account may erase that could do more than it needs.
    pub wider: Option<&'a str>,
    /// Where files lie that go with the rows which name them; demanded where a column names files.
    pub remover: Option<&'a dyn Remover>,
}

/// A chunk that was compared.
struct Compared<'a> {
    table: &'a TablePlan,
    range: KeyRange,
    rows: u64,
    /// The rows one by one, where the range holds others too.
    keys: Option<Vec<Key>>,
}

/// Compares what moved with what stands at the source, and deletes it. The transaction stays open, but where
/// nothing was deleted: in a dry run, or since an announced erasure had gone through.
///
/// # Errors
///
/// [`CHANGED`], [`UNEVEN`], [`NOT_WHOLE`], [`UNKEYED`], [`STOPPED`], `ECL-ERA-012` and `ECL-ERA-050` (what refers to
/// rows that would go), `ECL-ERA-051` (what the account may), those of [`shadow::refuse`]: nothing went.
pub fn erase(
    orders: Orders<'_>,
    how: Erasing<'_>,
    eraser: &mut dyn Eraser,
    mut moved: Moved<'_>,
    record: &mut dyn Record,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Going> {
    let state =
        state::load(&orders, record)?.ok_or_else(|| state::NONE.fault("").help("name the run's folder"))?;
    undo::none(&state)?;
    if !state.whole || state.sample.is_some() {
        return Err(NOT_WHOLE.fault("").help("ecluse migrate, ecluse reconcile; then it is accepted"));
    }
    let object = state.object.clone();
    let mut journal = Journal::new(record, world, orders.session);
    // what an order that has ended began may end: rows that still stand are refused below
    if !how.ended {
        journal.act(Act::Standing, &object, |_| orders.standing())?;
    }
    let ledger = moved.ledger(&orders, &state)?;
    let lines = moved.lines(&orders, &state, &ledger)?;
    let source = eraser.source();
    checks::source_identity(source, orders.source)?;
    checks::source_schema(source, orders.plan, orders.source, When::Start)?;
    let catalog = source.catalog(Scope::Everything)?;
    let staying = Staying::of(&orders, world.random()?)?;
    let all = tables(orders.plan, how.beside);
    let needs = Needs { plan: orders.plan, tables: &all, catalog: &catalog, referring: how.referring };
    let excess = checks::of_eraser(eraser.excess(&needs)?, how.wider)?;
    if !excess.is_empty() {
        journal.note(Act::Override, &object, &Outcome::Done)?;
    }
    let named: Vec<(&str, &str)> =
        how.beside.iter().map(|one| (one.along.of.as_str(), one.along.table.as_str())).collect();
    shadow::refuse(&eraser.shadows(&all)?, &all, &named)?;
    let ties = ties::all(orders.plan, &catalog, how, eraser)?;
    eraser.begin(orders.plan, &all)?;
    let names = Names::default();
    let mut work = Work {
        orders,
        how,
        eraser,
        state: &state,
        staying: staying.as_ref(),
        names: &names,
        world,
        progress,
    };
    let done = work.compare(&lines, &ledger, &mut moved).and_then(|chunks| {
        let files = names.files()?;
        let Some(chunks) = chunks else {
            return Ok(Going { gone: counted(orders.plan, &lines, &moved), ..Going::default() });
        };
        if how.ended {
            return Err(ENDED.fault("nothing went").help(
                "a new version of the order, signed again; its run, accepted; then: ecluse erase --source",
            ));
        }
        parting::may(orders.plan, how.remover, &files)?;
        let going = match how.dry {
            true => Going { gone: counted(orders.plan, &lines, &moved), ..Going::default() },
            false => work.delete(&chunks, &ties)?,
        };
        let files = match going.open {
            true => parting::leaving(orders.plan, how.remover, work.eraser.source(), files)?,
            false => files,
        };
        Ok(Going { files, ..going })
    });
    match done {
        Ok(going) if going.open => {
            journal.note(Act::Erase, &object, &Outcome::Begun).or_else(|fault| {
                eraser.rollback()?;
                Err(fault)
            })?;
            Ok(Going { excess, ..going })
        }
        Ok(going) => eraser.rollback().map(|()| Going { excess, ..going }),
        Err(fault) => {
            // the fault on its way out says more than one about the transaction's end would
            let _already_failing = eraser.rollback();
            journal.failed(Act::Erase, &object, &fault);
            Err(fault)
        }
    }
}

/// As they moved.
fn counted(plan: &Plan, lines: &[Line], moved: &Moved<'_>) -> Vec<Gone> {
    let gone = |t: &TablePlan| Gone { table: t.source().to_owned(), rows: moved.rows(t, lines) };
    plan.tables().iter().map(gone).collect()
}

struct Work<'a, 'e> {
    orders: Orders<'a>,
    how: Erasing<'a>,
    eraser: &'e mut dyn Eraser,
    state: &'e ecluse_seal::RunState,
    staying: Option<&'e Staying<'a>>,
    names: &'e Names,
    world: World<'a>,
    progress: &'e mut dyn FnMut(Progress<'_>),
}

impl<'a> Work<'a, '_> {
    /// Every chunk, compared with what moved; `None` where all of them went before.
    fn compare(
        &mut self,
        moved_lines: &[Line],
        ledger: &[LedgerEntry],
        moved: &mut Moved<'_>,
    ) -> Result<Option<Vec<Compared<'a>>>> {
        let plan = self.orders.plan;
        self.staying.map_or(Ok(()), |staying| staying.learn(self.eraser.source(), &self.orders))?;
        let (key, token) = (state::tally_key(self.state), state::token_key(self.state));
        let how = How::digest(&self.orders, &self.state.run);
        let names = self.names;
        let files =
            Attaching::new(plan, self.how.options.files, how, token)?.map(|files| files.noting(names));
        let (mut chunks, mut differ, mut there) = (Vec::new(), Vec::new(), 0u64);
        for table in plan.tables() {
            let sealed = state::table(self.state, table.number())?;
            let rows = moved.rows(table, moved_lines);
            (self.progress)(Progress::Table(table.number(), table.source(), rows));
            let (mut compared, mut others, mut whole) = (0, 0u64, Tally::new());
            for line in moved_lines.iter().filter(|line| line.table == table.number()) {
                if !self.how.ended {
                    self.orders.standing()?;
                }
                if self.world.stopped() {
                    return Err(STOPPED.fault("nothing went").help("ecluse erase --source"));
                }
                let range = sealed.line_range(usize::try_from(line.chunk).unwrap_or(usize::MAX));
                let kept = sample::kept(self.state, plan, table, sealed);
                let without =
                    Without { kept, refused: &sealed.refused, staying: self.staying, files: files.as_ref() };
                let source = self.eraser.source();
                let rows = Rows::of_source(source, plan, table, &range, moved.engine(), &key, &without)?;
                let tally = rows.tally();
                there += tally.count();
                if !line.is(&tally, &key) {
                    others += 1;
                }
                whole.merge(&tally);
                let keys = if rows.is_all() { None } else { Some(rows.keys()) };
                if keys.as_ref().is_some_and(|keys| ecluse_core::count::number(keys.len()) != tally.count()) {
                    return Err(UNKEYED.fault(format!("table {}", table.source())).help(
                        "some of its rows did not move; have them moved or destroyed by whoever keeps the old system",
                    ));
                }
                compared += tally.count();
                chunks.push(Compared { table, range, rows: tally.count(), keys });
                (self.progress)(Progress::Rows(table.number(), compared, 0));
            }
            if others > 0 {
                differ.push(format!("table {}: {others} chunks", table.source()));
            } else if !moved.is(table, &whole, &key) {
                differ.push(format!("table {}", table.source()));
            }
            (self.progress)(Progress::Through(table.number()));
        }
        if differ.is_empty() {
            if let Moved::Ledger(destination) = moved {
                self.arrived(ledger, *destination, files.as_ref())?;
                parting::arrived(plan, self.how.options.files, self.state, *destination)?;
            }
            return Ok(Some(chunks));
        }
        if self.how.announced && there == 0 {
            if let Moved::Ledger(destination) = moved {
                self.none_stands(*destination)?;
            }
            return Ok(None);
        }
        Err(CHANGED.fault(differ.join(", ")).help(match moved {
            _ if self.how.announced => {
                "an earlier start announced that they go, and what moved may be gone: find who wrote there since, or put a backup back, and have that taken away; then: ecluse erase --source"
            }
            Moved::Ledger(_) => {
                "nothing went; find who wrote there, catch up (ecluse migrate --catch-up), have it accepted anew; then: ecluse erase --source"
            }
            // an archive is not caught up: its recipient's identity is gone
            Moved::Received(_) => {
                "nothing went; find who wrote there. What was written since is in no archive: put it back as it was; or a new statement of the recipient (ecluse recipient new), a new version of the order that cites it, and its archive (ecluse extract --run NAME), received and accepted; then: ecluse erase --source"
            }
        }))
    }

    /// That no row stands under a key of one that moved: what was changed there since is one that the order does not
    /// choose any more, and did not go.
    fn none_stands(&mut self, destination: &mut dyn Destination) -> Result<()> {
        let found = standing::asked(&self.orders, destination, self.eraser.source(), &self.world)?;
        match found.iter().find(|one| one.rows + one.unlike > 0) {
            None => Ok(()),
            Some(one) => Err(CHANGED.fault(format!("table {}", one.table)).help(
                "rows stand there under the keys of what moved, changed since an earlier start announced that they go: have them taken away by whoever keeps the old system; then: ecluse erase --source",
            )),
        }
    }

    /// The destination, read once more.
    fn arrived(
        &mut self,
        ledger: &[LedgerEntry],
        destination: &mut dyn Destination,
        files: Option<&Attaching<'_>>,
    ) -> Result<()> {
        let (plan, key, none) = (self.orders.plan, state::tally_key(self.state), Accepted::new());
        let (accepted, engine) = (self.how.accepted.unwrap_or(&none), destination.engine());
        for table in plan.tables() {
            let sealed = state::table(self.state, table.number())?;
            let lines: Vec<&LedgerEntry> = ledger.iter().filter(|l| l.table == table.number()).collect();
            let kept = sample::kept(self.state, plan, table, sealed);
            let without = Without { kept, refused: &sealed.refused, staying: self.staying, files };
            let destination = &mut *destination;
            let there = Arrived { table, sealed, lines: &lines, key: &key, accepted, destination };
            let eraser = &mut *self.eraser;
            there.stands(self.progress, |line| {
                let range = sealed.line_range(usize::try_from(line.chunk).unwrap_or(usize::MAX));
                Rows::of_source(eraser.source(), plan, table, &range, engine, &key, &without)
            })?;
        }
        Ok(())
    }

    /// Children before parents; what refers is told of all tables at once.
    fn delete(&mut self, chunks: &[Compared<'a>], ties: &[Tie]) -> Result<Going> {
        let (plan, own) = (self.orders.plan, self.how.beside);
        let number = |name: &str| plan.tables().iter().find(|t| t.source() == name).map(TablePlan::number);
        let goes = |child: &str, of: &str| {
            own.iter().any(|one| one.goes && one.along.table == child && one.along.of == of)
        };
        let mut going = Going { open: true, ..Going::default() };
        let mut left: Vec<(&Tie, Left)> = Vec::new();
        // what names rows beside the order, and, in a circle of tables, rows that have still to go: at the end
        let mut later: Vec<(&Tie, Tied)> = Vec::new();
        for tie in ties.iter().filter(|tie| number(&tie.key.references).is_none()) {
            later.push((tie, self.tied(tie)?));
        }
        for table in plan.tables().iter().rev() {
            let of_table: Vec<&Tie> =
                ties.iter().filter(|tie| tie.key.references == table.source()).collect();
            let before = of_table.iter().map(|tie| self.tied(tie)).collect::<Result<Vec<Tied>>>()?;
            let chunks = chunks.iter().filter(|chunk| chunk.table.number() == table.number());
            let rows = self.table(table, chunks, &mut going.beside)?;
            for (tie, before) in of_table.into_iter().zip(before) {
                if number(&tie.child).is_some_and(|child| child < table.number()) {
                    later.push((tie, before));
                } else {
                    let went = tie.child == table.source() || goes(&tie.child, table.source());
                    left.extend(tie.left(before, self.tied(tie)?, went).map(|left| (tie, left)));
                }
            }
            going.gone.push(Gone { table: table.source().to_owned(), rows });
        }
        for (tie, before) in later {
            left.extend(tie.left(before, self.tied(tie)?, true).map(|left| (tie, left)));
        }
        let (kept, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(tie, _)| tie.is_kept(own));
        if !others.is_empty() {
            return Err(ties::referred(&others.into_iter().map(|(_, left)| left).collect::<Vec<_>>()));
        }
        going.left = kept.into_iter().map(|(_, left)| left).collect();
        going.gone.reverse();
        Ok(going)
    }

    /// The chunks of one table, each after what beside the order names its rows; how many rows of it went.
    fn table<'c>(
        &mut self,
        table: &TablePlan,
        chunks: impl Iterator<Item = &'c Compared<'a>>,
        beside: &mut Vec<Gone>,
    ) -> Result<u64>
    where
        'a: 'c,
    {
        let (plan, mut rows) = (self.orders.plan, 0);
        for chunk in chunks {
            let which = chunk.keys.as_deref().map_or(Which::Range(&chunk.range), Which::Keys);
            for one in self.how.beside.iter().filter(|one| one.goes && one.along.of == table.source()) {
                let went = self.eraser.delete_beside(&one.along, table, plan, which)?;
                match beside.iter_mut().find(|gone| gone.table == one.along.table) {
                    Some(gone) => gone.rows += went,
                    None => beside.push(Gone { table: one.along.table.clone(), rows: went }),
                }
            }
            let went = self.eraser.delete(table, plan, which)?;
            if went != chunk.rows {
                return Err(UNEVEN
                    .fault(format!("table {}: {went} of {} rows", table.source(), chunk.rows))
                    .help("nothing went; look whether a trigger or a rule of the table deletes by itself"));
            }
            rows += went;
        }
        Ok(rows)
    }

    fn tied(&mut self, tie: &Tie) -> Result<Tied> {
        self.eraser.tied(&tie.child, &tie.key, tie.as_text)
    }
}
