//! The reading half: each table once, in the plan's order, cut into chunks.

use std::collections::BTreeMap;

use ecluse_batch::{Batch, TallyKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Engine;
use ecluse_core::value::{Key, KeyRange};

use crate::chunk::{Cutter, End, LIMIT};
use crate::encodings::{self, Encodings};
use crate::figures::FileCounts;
use crate::ports::{Count, Source};
use crate::step::{Context, Step, Why, Worked};
use crate::{ahead, attached};

static LOST: Code = Code::refused(
    "ECL-RUN-009",
    "the source delivered another number of rows than it counted in the same snapshot",
);
static OUTGROWN: Code = Code::refused("ECL-RUN-010", "a chunk that cannot be cut is too large");

/// What the reading half says.
pub(crate) enum Message {
    /// A table begins.
    Begin(usize, Count),
    /// A chunk is complete.
    Chunk(Box<Chunk>),
    /// The table is through; so many rows asked for were not read, because a trial had enough.
    Through(usize, u64),
}

/// A chunk, ready to be compared with the ledger.
pub(crate) struct Chunk {
    pub(crate) table: usize,
    pub(crate) number: usize,
    /// The last key, where this boundary is new.
    pub(crate) end: Option<Key>,
    /// Whether it reaches to the end of the key space.
    pub(crate) last: bool,
    pub(crate) pieces: Vec<Worked>,
    pub(crate) refused: BTreeMap<String, u64>,
    /// Written rows whose national identifier does not hold.
    pub(crate) flawed: BTreeMap<String, u64>,
    /// Values that look as though their column lied about its encoding.
    pub(crate) encodings: Encodings,
    pub(crate) left_out: u64,
    /// Rows of persons who stay, and how many of them are on the list themselves.
    pub(crate) excluded: u64,
    pub(crate) listed: u64,
    /// Files, per column of the table that names some.
    pub(crate) files: Vec<FileCounts>,
    /// The refused rows, and why; rows whose national identifier does not hold, and why.
    pub(crate) gone: Vec<Why>,
    pub(crate) flaws: Vec<Why>,
}

impl Chunk {
    fn new(table: usize, number: usize) -> Box<Self> {
        Box::new(Self {
            table,
            number,
            end: None,
            last: false,
            pieces: Vec::new(),
            refused: BTreeMap::new(),
            flawed: BTreeMap::new(),
            encodings: Encodings::new(),
            left_out: 0,
            excluded: 0,
            listed: 0,
            files: Vec::new(),
            gone: Vec::new(),
            flaws: Vec::new(),
        })
    }

    fn push(&mut self, mut piece: Worked) {
        for (code, rows) in std::mem::take(&mut piece.refused) {
            *self.refused.entry(code).or_default() += rows;
        }
        for (code, rows) in std::mem::take(&mut piece.flawed) {
            *self.flawed.entry(code).or_default() += rows;
        }
        encodings::add(&mut self.encodings, &piece.encodings);
        self.left_out += piece.left_out;
        attached::add(&mut self.files, &piece.files);
        self.gone.append(&mut piece.gone);
        self.flaws.append(&mut piece.flaws);
        if piece.written.rows() > 0 {
            self.pieces.push(piece);
        }
    }
}

/// Where messages go; an error stops the read.
pub(crate) type Emit<'a> = &'a mut dyn FnMut(Message) -> Result<()>;

/// Reads every table of the plan; `ends` are the chunk boundaries known so far.
///
/// # Errors
///
/// The source's, the emitter's; [`LOST`] where rows went missing on the way; [`OUTGROWN`].
pub(crate) fn read(
    source: &mut dyn Source,
    destination: Engine,
    mut context: Context<'_>,
    key: &TallyKey,
    ends: &[Vec<Key>],
    emit: Emit<'_>,
) -> Result<()> {
    let plan = context.plan;
    source.count_ahead(context.upto)?;
    for table in plan.tables().iter().take(context.upto) {
        let count = source.counted(table)?;
        emit(Message::Begin(table.number(), count))?;
        let mut step = Step::new(plan, table, destination, key)?;
        let known = ends.get(table.number()).cloned().unwrap_or_default();
        let mut cut = Cut::new(table, known);
        let everything = KeyRange::default();
        let whole = ahead::read(
            |sink| source.read(table, plan, &everything, sink),
            |batch| {
                cut.batch(&batch, &mut step, &mut context, emit)?;
                Ok(!step.full(plan))
            },
        )?;
        let delivered = cut.delivered;
        cut.finish(whole, emit)?;
        if whole && delivered != count.asked {
            return Err(LOST.fault(format!("table {}: {delivered} of {}", table.source(), count.asked)));
        }
        let unread = if whole { 0 } else { count.asked.saturating_sub(delivered) };
        emit(Message::Through(table.number(), unread))?;
    }
    Ok(())
}

/// One table being cut.
struct Cut<'p> {
    table: &'p TablePlan,
    cutter: Cutter,
    chunk: Box<Chunk>,
    /// The last row's key, to check the order, and that of the last row which is not left to stay: a
    /// chunk ends at no other.
    before: Option<Key>,
    last: Option<Key>,
    delivered: u64,
    /// Bytes of a table without a key so far.
    bytes: usize,
}

impl<'p> Cut<'p> {
    fn new(table: &'p TablePlan, ends: Vec<Key>) -> Self {
        let cutter = Cutter::new(ends);
        let chunk = Chunk::new(table.number(), 0);
        Self { table, cutter, chunk, before: None, last: None, delivered: 0, bytes: 0 }
    }

    fn batch(
        &mut self,
        batch: &Batch,
        step: &mut Step<'_>,
        context: &mut Context<'_>,
        emit: Emit<'_>,
    ) -> Result<()> {
        self.delivered += u64::try_from(batch.rows()).unwrap_or(u64::MAX);
        if !self.table.key().is_empty() {
            let last = step.keys(batch, self.before.as_ref())?.last();
            self.before = last.or(self.before.take());
        }
        step.name_files(batch, context)?;
        let Some(left) = step.without_excluded(batch, context)? else {
            return self.rest(batch, step, context, emit);
        };
        self.chunk.excluded += left.excluded;
        self.chunk.listed += left.listed;
        if left.batch.rows() == 0 { Ok(()) } else { self.rest(&left.batch, step, context, emit) }
    }

    /// Cuts rows that nobody's exclusion keeps back.
    fn rest(
        &mut self,
        batch: &Batch,
        step: &mut Step<'_>,
        context: &mut Context<'_>,
        emit: Emit<'_>,
    ) -> Result<()> {
        let rows = batch.rows();
        if self.table.key().is_empty() {
            self.bytes = self.bytes.saturating_add(batch.bytes());
            self.bounded(self.bytes, "it has no key")?;
            self.chunk.push(step.work(batch, context)?);
            return Ok(());
        }
        let keys = step.keys(batch, None)?;
        let row_bytes = batch.bytes() / rows.max(1);
        let mut from = 0;
        loop {
            let cut = self.cutter.cut(&keys, from, rows, row_bytes);
            if cut.rows == rows {
                self.chunk.push(step.work(batch, context)?);
            } else if cut.rows > 0 {
                self.chunk.push(step.work(&batch.slice(from, cut.rows), context)?);
            }
            from += cut.rows;
            self.bounded(self.cutter.bytes(), "its key range has grown")?;
            let Some(end) = cut.ends else {
                if from >= rows {
                    break;
                }
                continue;
            };
            if let End::New(key) = end {
                self.chunk.end = Some(key);
            }
            self.send(emit)?;
            if from >= rows {
                break;
            }
        }
        self.last = keys.last().or(self.last.take());
        Ok(())
    }

    /// The chunk is complete; the next one begins.
    fn send(&mut self, emit: Emit<'_>) -> Result<()> {
        let next = Chunk::new(self.table.number(), self.cutter.chunk());
        emit(Message::Chunk(std::mem::replace(&mut self.chunk, next)))
    }

    /// Known chunks that the source has no rows of any more, then the open one. Where a trial
    /// stopped, the chunk it was in ends there: what lies beyond was never read.
    fn finish(mut self, whole: bool, emit: Emit<'_>) -> Result<()> {
        if let (false, Some(last)) = (whole, self.last.take())
            && self.cutter.end_at(&last)
        {
            self.chunk.end = Some(last);
            self.send(emit)?;
        }
        while self.cutter.end() {
            self.send(emit)?;
        }
        self.chunk.last = true;
        emit(Message::Chunk(self.chunk))
    }

    fn bounded(&self, bytes: usize, why: &str) -> Result<()> {
        if bytes <= LIMIT {
            return Ok(());
        }
        Err(OUTGROWN
            .fault(format!(
                "table {}: {why}, and it takes more than {} MiB",
                self.table.source(),
                LIMIT >> 20
            ))
            .help("give the table a key in the dictionary, or begin a new run"))
    }
}
