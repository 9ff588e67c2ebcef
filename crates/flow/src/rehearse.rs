//! The dry run: every row read, checked and transformed, none written.

use std::sync::{Mutex, PoisonError};

use ecluse_batch::TallyKey;
use ecluse_core::fault::Result;
use ecluse_core::types::Engine;

use crate::checks::{self, When};
use crate::families::{AGAIN, Families};
use crate::figures::{Figures, begin_tables};
use crate::orders::Orders;
use crate::ports::{Destination, Source};
use crate::reader::{self, Message};
use crate::run::{Options, Progress};
use crate::state;
use crate::step::Context;
use crate::unmapped::{Codes, Tellable, Unmapped};
use crate::world::World;

/// What a dry run found.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// As a run would count them.
    pub figures: Figures,
    /// Codes without a line in their code table, by source column. For the person who asked only:
    /// this is never written.
    pub unmapped: Vec<Codes>,
}

/// Counts what would move to a destination of this engine, and what would be refused, by
/// code. What only the destination itself can refuse (a CHECK, a unique value) is not known here.
///
/// `moved` of the figures says what would move. `tellable` names the columns whose unmapped codes
/// are told one by one.
///
/// # Errors
///
/// Coded, as a run's up to its first write.
pub fn rehearse(
    orders: Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    destination: Engine,
    tellable: Tellable<'_>,
    world: World<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Rehearsed> {
    let plan = orders.plan;
    checks::keys(plan)?;
    orders.standing()?;
    checks::source_identity(source, orders.source)?;
    checks::source_schema(source, plan, orders.source, When::Start)?;
    let mut figures = Figures {
        format: "ecluse-figures/1".to_owned(),
        instruction: orders.instruction.to_owned(),
        began: world.now().to_string(),
        excess: checks::rights(source, plan, options.override_reason)?,
        override_reason: options.override_reason.unwrap_or_default().to_owned(),
        ..Figures::default()
    };
    let opened = source.open(plan, options.frozen)?;
    figures.barrier = opened.barrier;
    figures.limits = opened.limits;
    let read = readings(&orders, source, destination, tellable, &world, &mut figures, progress);
    source.close()?;
    let unmapped = read?;
    figures.ended = world.now().to_string();
    figures.whole = true;
    Ok(Rehearsed { figures, unmapped })
}

/// Every row, once or as often as a run would read it; what the last reading found unmapped.
fn readings(
    orders: &Orders<'_>,
    source: &mut dyn Source,
    destination: Engine,
    tellable: Tellable<'_>,
    world: &World<'_>,
    figures: &mut Figures,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Codes>> {
    let plan = orders.plan;
    let mut families = Families::new(plan, world.random()?)?;
    // nothing is published: any key will do
    let key = TallyKey::new(world.random()?);
    loop {
        figures.tables = begin_tables(plan);
        let unmapped = Mutex::default();
        let context = Context::new(plan, &families.refused, families.key)?
            .counting(Unmapped { tellable, found: &unmapped });
        reader::read(source, destination, context, &key, &[], &mut |message| {
            if let Message::Chunk(_) = &message {
                orders.standing()?;
            }
            count(figures, message, progress);
            Ok(())
        })?;
        if !families.again()? {
            // nobody died with it in hand: the reading is over
            return Ok(unmapped.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        progress(Progress::Note(AGAIN));
    }
}

/// Whether the destination's tables are free for this run: empty, `missing`, or filled by the run
/// whose sealed state this is. Nothing of the run folder is taken or written.
///
/// # Errors
///
/// `ECL-RUN-006`, as a run would end with; `ECL-RUN-013` where the state is another instruction's.
pub fn room(
    orders: &Orders<'_>,
    sealed: Option<&[u8]>,
    missing: &[String],
    destination: &mut dyn Destination,
) -> Result<()> {
    let ledger = match sealed {
        Some(sealed) => destination.ledger(&state::unsealed(orders, sealed)?.run)?,
        None => Vec::new(),
    };
    checks::empty_but(destination, orders.plan, &ledger, missing)
}

fn count(figures: &mut Figures, message: Message, progress: &mut dyn FnMut(Progress<'_>)) {
    match message {
        Message::Begin(number, count) => {
            if let Some(table) = figures.tables.get_mut(number) {
                table.available = count.available;
                table.asked = count.asked;
                progress(Progress::Table(number, &table.source, count.asked));
            }
        }
        Message::Chunk(chunk) => {
            let Some(table) = figures.tables.get_mut(chunk.table) else { return };
            let rows = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            table.moved += chunk.pieces.iter().map(|piece| rows(piece.written.rows())).sum::<u64>();
            table.left_out += chunk.left_out;
            table.chunks += 1;
            for (code, rows) in chunk.refused {
                *table.refused.entry(code).or_default() += rows;
            }
            progress(Progress::Rows(chunk.table, table.moved, table.refused_rows()));
        }
        Message::Through(number, unread) => {
            if let Some(table) = figures.tables.get_mut(number) {
                table.left_out += unread;
            }
            progress(Progress::Through(number));
        }
    }
}
