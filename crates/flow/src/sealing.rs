//! The sealing half: each chunk as parts of the archive, sealed here before anything of it is written.

use data_encoding::HEXLOWER;
use ecluse_batch::pieces::{self, Piece};
use ecluse_batch::{Batch, Scope, Tally, TallyKey};
use ecluse_core::fault::{Code, Result};
use ecluse_core::manifest::{MOST_PARTS, Part};
use ecluse_core::plan::{Laden, Plan, TablePlan, laden};
use ecluse_seal::RunState;
use ecluse_seal::archive::{
    ChunkNote, FileNote, FilePart, Files as Carried, Index, IndexColumn, IndexRelation, IndexTable, Sealer,
    commitment,
};
use jiff::Timestamp;

use crate::carried::{Digest, Found};
use crate::encodings;
use crate::event::{Act, Outcome};
use crate::figures::Figures;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Archive, Files};
use crate::reader::{Chunk, Message};
use crate::rejected;
use crate::run::Progress;
use crate::state;
use crate::world::World;

static UNKNOWN: Code = Code::refused("ECL-ARC-022", "a chunk of no planned table");
static TOO_MANY: Code = Code::refused("ECL-ARC-024", "the order makes more parts than an archive has");

/// Bytes of rows, as they lie in memory, at which a part ends: well below 32 MiB once packed.
const PART: usize = 24 << 20;
/// Bytes of a piece of a file at most.
const PIECE: usize = 1 << 20;
/// Whole pieces of a part with files, and pieces at most where they are small.
const PIECES: usize = 16;
const MOST_PIECES: usize = 4096;

/// What the sealing half holds.
pub(crate) struct Sealing<'a, 'j> {
    orders: Orders<'a>,
    sealer: &'a mut Sealer,
    archive: &'a mut dyn Archive,
    journal: &'a mut Journal<'j>,
    state: &'a mut RunState,
    figures: &'a mut Figures,
    progress: &'a mut dyn FnMut(Progress<'_>),
    index: Index,
    parts: Vec<Part>,
    /// Where the files lie that rows name, and which of them sealed rows do, in their order.
    found: &'a Found,
    named: Vec<Digest>,
    /// Pieces of files that wait for their part.
    pieces: Vec<(String, u64, Vec<u8>)>,
    /// Per table: its tally, and how many parts it has.
    tallies: Vec<(Tally, u64)>,
    key: TallyKey,
    began: Option<Timestamp>,
    world: World<'a>,
}

impl<'a, 'j> Sealing<'a, 'j> {
    pub(crate) fn new(
        orders: Orders<'a>,
        sealer: &'a mut Sealer,
        archive: &'a mut dyn Archive,
        (journal, state, figures): (&'a mut Journal<'j>, &'a mut RunState, &'a mut Figures),
        progress: &'a mut dyn FnMut(Progress<'_>),
        (mut index, found): (Index, &'a Found),
        world: World<'a>,
    ) -> Result<Self> {
        for table in orders.plan.tables() {
            index.tables.push(described(orders.plan, table, &world.random()?));
        }
        let tallies = vec![(Tally::new(), 0); index.tables.len()];
        let key = state::tally_key(state);
        let (parts, began) = (Vec::new(), None);
        Ok(Self {
            orders,
            sealer,
            archive,
            journal,
            state,
            figures,
            progress,
            index,
            parts,
            found,
            named: Vec::new(),
            pieces: Vec::new(),
            tallies,
            key,
            began,
            world,
        })
    }

    /// Deals with one message of the reading half.
    pub(crate) fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Begin(number, count) => {
                let sealed = state::table_mut(self.state, number)?;
                sealed.kept.clear();
                // read anew: an erasure at the source will go by these chunks
                sealed.ends.clear();
                sealed.closed = false;
                rejected::clear(sealed);
                self.began = Some(self.world.now());
                let object = sealed.object.clone();
                self.journal.note(Act::Table, &object, &Outcome::Begun)?;
                if let Some(figures) = self.figures.tables.get_mut(number) {
                    figures.available = count.available;
                    figures.asked = count.asked;
                }
                let table = self.orders.plan.tables().get(number).ok_or_else(|| UNKNOWN.fault(""))?;
                (self.progress)(Progress::Table(number, table.source(), count.asked));
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

    /// The index as far as the rows tell it, and the parts behind it.
    pub(crate) fn finish(mut self) -> Result<(Index, Vec<Part>)> {
        for (number, (table, (tally, _))) in self.index.tables.iter_mut().zip(&self.tallies).enumerate() {
            let salt =
                HEXLOWER.decode(table.salt.as_bytes()).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
            let salt = salt.ok_or_else(|| UNKNOWN.fault("a salt"))?;
            table.commitment = commitment(&salt, &tally.publish(&self.key, Scope::Table(number)));
            if let Some(figures) = self.figures.tables.get(number) {
                table.rows = figures.moved;
                table.refused.clone_from(&figures.refused);
                table.excluded = figures.excluded;
            }
        }
        Ok((self.index, self.parts))
    }

    fn chunk(&mut self, mut chunk: Chunk) -> Result<()> {
        // before anything else, whether or not there will be something to write
        self.orders.standing()?;
        let object = state::table(self.state, chunk.table)?.object.clone();
        let mut moved = 0;
        let (mut batches, mut bytes) = (Vec::new(), 0_usize);
        let planned = self.orders.plan.tables().get(chunk.table).ok_or_else(|| UNKNOWN.fault(""))?;
        for piece in std::mem::take(&mut chunk.pieces) {
            self.found.sealed(planned, &self.index.run, &piece.written, &mut self.named)?;
            let (tally, _) = self.tallies.get_mut(chunk.table).ok_or_else(|| UNKNOWN.fault(""))?;
            tally.extend(&piece.hashes);
            moved += u64::try_from(piece.written.rows()).unwrap_or(u64::MAX);
            let more = piece.written.bytes();
            if !batches.is_empty() && bytes.saturating_add(more) > PART {
                self.seal(chunk.table, &object, &std::mem::take(&mut batches))?;
                bytes = 0;
            }
            bytes = bytes.saturating_add(more);
            batches.push(piece.written);
        }
        if !batches.is_empty() {
            self.seal(chunk.table, &object, &batches)?;
        }
        self.figure(&chunk, moved);
        let sealed = state::table_mut(self.state, chunk.table)?;
        sealed.ends.extend(chunk.end.take());
        sealed.closed |= chunk.last;
        rejected::keep(sealed, std::mem::take(&mut chunk.gone), std::mem::take(&mut chunk.flaws));
        Ok(())
    }

    /// Seals the files that sealed rows name, each once, behind the rows: in the order in which rows name them first, so
    /// that whoever loads the rows opens each part about once.
    pub(crate) fn carry(&mut self, files: &dyn Files) -> Result<()> {
        let (plan, found) = (self.orders.plan, self.found);
        let mut held = Carried::default();
        for digest in std::mem::take(&mut self.named) {
            let sha256 = HEXLOWER.encode(&digest);
            let part = held.parts.len();
            let (mut place, mut piece) = (0, Vec::with_capacity(PIECE));
            let bytes = found.read(plan, files, &digest, &mut |mut block| {
                while !block.is_empty() {
                    let (now, later) = block.split_at(block.len().min(PIECE - piece.len()));
                    piece.extend_from_slice(now);
                    block = later;
                    if piece.len() == PIECE {
                        self.pieces.push((
                            sha256.clone(),
                            place,
                            std::mem::replace(&mut piece, Vec::with_capacity(PIECE)),
                        ));
                        place += 1;
                        if self.pieces.len() >= PIECES {
                            self.seal_files(&mut held)?;
                        }
                    }
                }
                Ok(())
            })?;
            // a file without a byte is a piece all the same
            if !piece.is_empty() || place == 0 {
                piece.shrink_to_fit();
                self.pieces.push((sha256.clone(), place, piece));
            }
            held.files.push(FileNote { sha256, bytes, part });
            let waiting: usize = self.pieces.iter().map(|(_, _, bytes)| bytes.len()).sum();
            if waiting >= PIECE * PIECES || self.pieces.len() >= MOST_PIECES {
                self.seal_files(&mut held)?;
            }
        }
        if !self.pieces.is_empty() {
            self.seal_files(&mut held)?;
        }
        self.index.hold(held);
        Ok(())
    }

    /// Seals the pieces that wait, as one part.
    fn seal_files(&mut self, held: &mut Carried) -> Result<()> {
        self.orders.standing()?;
        let index = self.next()?;
        let waiting = std::mem::take(&mut self.pieces);
        let pieces: Vec<Piece<'_>> =
            waiting.iter().map(|(sha256, place, bytes)| Piece { sha256, place: *place, bytes }).collect();
        let object = self.state.object.clone();
        self.journal.note(Act::SealPart, &object, &Outcome::Begun)?;
        let part = self.sealer.files(index, &[pieces::rows(&pieces)?])?;
        self.archive.put(index, &part.bytes)?;
        held.parts.push(FilePart {
            index,
            rows: part.rows,
            sha256: part.plain_sha256,
            unpacked: part.unpacked,
        });
        let size = u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
        self.parts.push(Part { size, sha256: part.sha256 });
        Ok(())
    }

    /// The next part's place; refused as soon as there are more than a manifest lists.
    fn next(&self) -> Result<u64> {
        let next = self.parts.len().saturating_add(1);
        if next >= MOST_PARTS {
            return Err(TOO_MANY
                .fault(format!("{MOST_PARTS} are the most"))
                .help("split the order into several, each its own archive"));
        }
        u64::try_from(next).map_err(|_| UNKNOWN.fault("a part"))
    }

    /// The one step between rows in clear and the disk.
    fn seal(&mut self, table: usize, object: &str, rows: &[Batch]) -> Result<()> {
        let index = self.next()?;
        let described = self.index.tables.get(table).ok_or_else(|| UNKNOWN.fault(""))?;
        self.journal.note(Act::SealPart, object, &Outcome::Begun)?;
        let part = self.sealer.chunk(index, described, rows)?;
        self.archive.put(index, &part.bytes)?;
        let (_, number) = self.tallies.get_mut(table).ok_or_else(|| UNKNOWN.fault(""))?;
        self.index.chunks.push(ChunkNote {
            index,
            table,
            number: *number,
            rows: part.rows,
            sha256: part.plain_sha256,
            unpacked: part.unpacked,
        });
        *number += 1;
        let size = u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
        self.parts.push(Part { size, sha256: part.sha256 });
        Ok(())
    }

    fn figure(&mut self, chunk: &Chunk, moved: u64) {
        let Some(figures) = self.figures.tables.get_mut(chunk.table) else { return };
        figures.moved += moved;
        figures.left_out += chunk.left_out;
        figures.excluded += chunk.excluded;
        figures.listed += chunk.listed;
        figures.add_files(&chunk.files);
        encodings::add(&mut figures.encodings, &chunk.encodings);
        figures.chunks += 1;
        figures.replaced += 1;
        for (code, rows) in &chunk.refused {
            *figures.refused.entry(code.clone()).or_default() += rows;
        }
        for (code, rows) in &chunk.flawed {
            *figures.identifiers.entry(code.clone()).or_default() += rows;
        }
        (self.progress)(Progress::Rows(chunk.table, figures.moved, figures.refused_rows()));
    }
}

/// A planned table as the index tells it; nothing is counted yet.
fn described(plan: &Plan, table: &TablePlan, salt: &[u8; 32]) -> IndexTable {
    let Laden { source, table: made, relations, ordered } = laden(plan, table);
    let columns = made.columns.into_iter().filter_map(|c| {
        Some(IndexColumn {
            name: c.name,
            ty: c.ty?,
            nullable: c.nullable,
            max_length: c.max_length,
            int_bounds: c.int_bounds,
            labels: c.labels,
        })
    });
    let relation = |(column, parent, parent_column)| IndexRelation { column, parent, parent_column };
    IndexTable {
        source,
        destination: made.name,
        columns: columns.collect(),
        key: made.key,
        relations: relations.into_iter().map(relation).collect(),
        ordered,
        rows: 0,
        refused: std::collections::BTreeMap::new(),
        excluded: 0,
        salt: HEXLOWER.encode(salt),
        commitment: String::new(),
    }
}
