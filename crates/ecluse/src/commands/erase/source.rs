//! `ecluse erase --source`: what moved, taken away at the source, after acceptance only.

use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{count, plural};
use ecluse_core::document::EXPIRED;
use ecluse_core::erasure::{Beyond, Erased, Erasure, Side};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::instruction::{Fate, Order, fates, kept_with_rows, referring};
use ecluse_core::receipt;
use ecluse_flow::arrived::Accepted;
use ecluse_flow::erase::{Beside, Eraser, Erasing, Going, Gone, erase, tables};
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::failpoint;
use ecluse_flow::figures::Figures;
use ecluse_flow::moved::{Moved, Opened};
use ecluse_flow::parting::Parted;
use ecluse_flow::ports::{Destination, Source};
use ecluse_flow::residue::{drawn_at_source, keep};
use ecluse_flow::rights::told as told_rights;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use zeroize::Zeroizing;

use super::due::{self, Who};
use super::parted;
use super::places::{self, Place};
use super::residue::VALUES;
use crate::cli::{EraseArgs, PaperArgs};
use crate::commands::Here;
use crate::commands::{begun, reconciled};
use crate::output;
use crate::papers::chain::Chain;
use crate::papers::receipt::{Received, verified};
use crate::papers::{quietly, refusal, returned};
use crate::progress::Teller;
use crate::ready::{self, Ends, Missing, Ready, STOP};
use crate::{connect, copies};

static NOT_ORDERED: Code = Code::refused("ECL-ERA-016", "the order does not have the source erased");
static TRIAL: Code = Code::refused("ECL-ERA-024", "a trial erases nothing at the source");
static COUNTS: Code = Code::refused("ECL-ERA-018", "the source would lose another number of rows than moved");
static NO_OWNER: Code = Code::refused("ECL-ERA-019", "a place beyond reach has no owner and no day");

/// The reason that the journal and the figures give for the administrator's rights.
const REASON: &str = "the source is erased by its administrator";

pub(super) fn run(here: &Here, args: &EraseArgs) -> Result<()> {
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    begun::begun(&run)?;
    let figures = begun::figures(&run)?;
    let before = due::kept(&run)?.unwrap_or_default();
    let began = before.done.iter().any(|one| one.side == Side::Source);
    let then = began.then(|| begun::then(&figures, here.now));
    let (ready, ends, ended) = Connected::of(here, &papers(args), then)?;
    ordered(&ready, here)?;
    // of what was announced, the one that it was announced under
    let acceptance = if ended { before.acceptance.clone() } else { super::accepted(here, &run)? };
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    let covers = |t: &ecluse_flow::figures::TableFigures| before.covers_source(&t.source);
    if !before.ended.is_empty() && figures.tables.iter().all(covers) {
        parted::forgotten(&ready, &mut RunFolder::existing(&run, &here.journal())?)?;
        output::line(format!("Erased at the source already, by {}.", before.ended));
        return Ok(());
    }
    // they stand in the certificate, and what goes is gone by then
    copies::nameable(here.folder.root())?;
    let today = here.now.to_zoned(TimeZone::UTC).date();
    let beyond = places::read(&here.folder, today)?;
    let announced = began && before.ended.is_empty();
    let mut record = RunFolder::existing(&run, &here.journal())?;
    // read by the eraser's own connection from here on
    let frozen = args.begun.papers().still.frozen;
    let (mut moved, sought) = ends.read(here, &run, &ready, &mut record, (frozen, args.dry_run))?;
    let mut eraser = connect::eraser(&ready.source)?;
    let beside = beside(ready.chain.instruction.order(), today);
    let places = named(eraser.as_mut(), &ready, &beside, &beyond, args.dry_run)?;
    let mut teller = Teller::new();
    let accepted = moved.differing(&run, &figures)?;
    let referring = referring(ready.chain.instruction.order(), &ready.chain.dictionary);
    let how = Erasing {
        options: ready.options(),
        dry: args.dry_run,
        announced,
        ended,
        accepted: Some(&accepted),
        referring: &referring,
        beside: &beside,
        wider: args.begun.wider_role(),
        remover: ready.remover(),
    };
    let mut going = ready.with_orders(|orders| {
        erase(orders, how, eraser.as_mut(), moved.held(), &mut record, ready::world(), &mut |p| {
            teller.tell(p);
        })
    })?;
    if args.dry_run {
        return told(&going, &[], &places, true, "");
    }
    even(&figures, &going.gone)
        .or_else(|fault| if going.open { eraser.rollback().and(Err(fault)) } else { Err(fault) })?;
    if !going.open {
        // they went with an earlier start, which said how many
        going.beside = went(&before, &going.gone);
    }
    let place = connect::name(&ready.source, ecluse_core::language::Language::English);
    let mut erasure = Erasure {
        format: Erasure::FORMAT.to_owned(),
        run: figures.run,
        instruction: figures.instruction,
        acceptance,
        wider_role: if going.excess.is_empty() { before.wider_role } else { reason(args) },
        excess: if going.excess.is_empty() { before.excess } else { told_rights(&going.excess) },
        began: if before.began.is_empty() { here.now.to_string() } else { before.began },
        ended: String::new(),
        done: before.done.into_iter().filter(|one| one.side == Side::Copy).collect(),
        held: before.held,
        out_of_reach: places.clone(),
    };
    let erased = |method: &str| -> Vec<Erased> {
        let at = ready::world().now().to_string();
        going.gone.iter().chain(&going.beside).map(|one| of_source(one, &place, method, &at)).collect()
    };
    if going.open {
        // nobody here can draw them again once the rows are gone
        let files = going.files.clone();
        let kept = ready.with_orders(|orders| keep(&orders, &mut record, ready::world(), sought, files));
        kept.or_else(|fault| eraser.rollback().and(Err(fault)))?;
    }
    // on disk before the rows go: a start that finds none of them knows that this one went through
    let copies = erasure.done.clone();
    erasure.done.extend(erased("announced"));
    let (world, session) = (ready::world(), due::session(here, Who::Person));
    let announced = Leaf::new(&world, &session, Act::Erase, &world.id()?, &Outcome::Begun)?;
    record.save_erasure(&erasure, announced)?;
    if going.open {
        failpoint::hit("erase.source.commit.before");
        eraser.commit()?;
        failpoint::hit("erase.source.commit.after");
    }
    let method = eraser.settle(&tables(&ready.compiled.plan, &beside))?;
    // once no row that names them can come back
    let missing = args.files_missing.as_deref();
    let moved = (moved.held(), !going.open);
    let parted = parted::erased(&ready, eraser.as_mut(), moved, &mut record, missing)?;
    erasure.done = copies;
    erasure.done.extend(erased(&method));
    erasure.done.extend(parted::lines(&parted, missing));
    erasure.ended = ready::world().now().to_string();
    due::saved(&mut record, &session, &erasure)?;
    failpoint::hit("erase.source.forget.before");
    parted::forgotten(&ready, &mut record)?;
    failpoint::hit("erase.source.forget.after");
    told(&going, &parted, &places, false, &method)
}

/// What the order says of rows beside it, as far as it still holds: what was kept until a day that is past has no fate.
fn beside(order: &Order, today: Date) -> Vec<Beside> {
    let holds = order.beside.iter().filter(|one| one.goes() || one.stays_on(today));
    let of = |one: &ecluse_core::instruction::Beside| Beside { along: one.along(), goes: one.goes() };
    holds.map(of).collect()
}

/// Rows beside the order that an earlier start announced.
fn went(before: &Erasure, gone: &[Gone]) -> Vec<Gone> {
    let others = before.done.iter().filter(|one| one.side == Side::Source && one.rows.is_some());
    let others = others.filter(|one| gone.iter().all(|gone| gone.table != one.what));
    others.map(|one| Gone { table: one.what.clone(), rows: one.rows.unwrap_or_default() }).collect()
}

fn reason(args: &EraseArgs) -> String {
    args.begun.wider_role().unwrap_or_default().to_owned()
}

/// What the papers of the order lead to, before the eraser has its own connection.
enum Connected {
    Direct(Ends),
    Sealed(Box<dyn Source>),
}

/// Against what the source is held.
enum Against {
    Destination(Box<dyn Destination>),
    Receipt(Vec<Opened>),
}

impl Connected {
    /// The two databases of the order; of one to a recipient the source alone. Where an erasure began under papers that
    /// have ended since, they count as they did `then`, and true is given: it may end, and no row goes on them
    /// ([`Erasing::ended`]). Papers that hold no more for any other reason are refused.
    fn of(here: &Here, papers: &PaperArgs, then: Option<Timestamp>) -> Result<(Ready, Self, bool)> {
        let is_over = |fault: &Fault| fault.code().id == EXPIRED.id;
        let ended = match then {
            Some(then)
                if quietly(|| Chain::read(&here.folder, papers, here.now)).is_err_and(|f| is_over(&f)) =>
            {
                quietly(|| Chain::read(&here.folder, papers, then)).ok()
            }
            _ => None,
        };
        if let Some(chain) = ended {
            if chain.instruction.order().recipient().is_some() {
                let (ready, source) = Ready::ending_at_recipient(here, papers, chain)?;
                return Ok((ready, Self::Sealed(source), true));
            }
            let (ready, ends) = Ready::ending(here, papers, chain)?;
            return Ok((ready, Self::Direct(ends), true));
        }
        let chain = Chain::read(&here.folder, papers, here.now)?;
        if chain.instruction.order().recipient().is_some() {
            let (ready, source) = Ready::to_recipient(here, papers, chain)?;
            return Ok((ready, Self::Sealed(source), false));
        }
        let (ready, ends) = Ready::under(here, papers, Missing::Refuse, chain)?;
        Ok((ready, Self::Direct(ends), false))
    }

    /// Closes the reader's connection, and gives what moved; of an order to a recipient, with the values by which what
    /// goes is sought afterwards.
    fn read(
        self,
        here: &Here,
        run: &Path,
        ready: &Ready,
        record: &mut RunFolder,
        (frozen, dry): (bool, bool),
    ) -> Result<(Against, Vec<Zeroizing<String>>)> {
        match self {
            Self::Direct(Ends { mut source, destination }) => {
                source.close()?;
                Ok((Against::Destination(destination), Vec::new()))
            }
            Self::Sealed(mut source) => {
                let opened = received(here, run)?;
                // a dry run takes nothing away that would be sought
                if dry {
                    source.close()?;
                    return Ok((Against::Receipt(opened), Vec::new()));
                }
                let sought = ready.with_orders(|orders| {
                    drawn_at_source(&orders, source.as_mut(), record, frozen, VALUES, ready::world())
                })?;
                Ok((Against::Receipt(opened), sought))
            }
        }
    }
}

impl Against {
    /// Chunks that differ at the destination as the acceptance has them; a receipt tells of none.
    fn differing(&self, run: &Path, figures: &Figures) -> Result<Accepted> {
        match self {
            Self::Destination(_) => differing(run, figures),
            Self::Receipt(_) => Ok(Accepted::new()),
        }
    }

    fn held(&mut self) -> Moved<'_> {
        match self {
            Self::Destination(destination) => Moved::Ledger(destination.as_mut()),
            Self::Receipt(opened) => Moved::Received(opened),
        }
    }
}

/// What the recipient's receipt opens: the acceptance, which was asked for before, is over it.
fn received(here: &Here, run: &Path) -> Result<Vec<Opened>> {
    let Received { receipt, .. } = verified(&here.folder, None, run, here.now)?;
    let opened = |table: &receipt::Table| {
        let out = HEXLOWER.decode(table.out.as_bytes()).ok().and_then(|out| <[u8; 32]>::try_from(out).ok());
        out.map(|out| Opened { rows: table.rows, out })
    };
    let all: Option<Vec<Opened>> = receipt.stated().tables.iter().map(opened).collect();
    all.ok_or_else(|| receipt::NOT_WHAT_WAS_SEALED.fault("").help("ecluse receipt verify"))
}

/// The administrator's connection in the place of the reader's; the tables themselves, not the views.
pub(super) fn papers(args: &EraseArgs) -> PaperArgs {
    let mut papers = args.begun.papers();
    papers.still.without_views.get_or_insert_with(|| REASON.to_owned());
    papers.still.accept_wider_role.get_or_insert_with(|| REASON.to_owned());
    papers
}

/// That the order has the source erased, that every class which stays behind has its fate, and that nothing is
/// kept in the rows that would go.
///
/// # Errors
///
/// [`NOT_ORDERED`], `ECL-PLN-009`, `ECL-ERA-017`; `ECL-RET-010` where something is still to be returned.
fn ordered(ready: &Ready, here: &Here) -> Result<()> {
    let (order, chain) = (ready.chain.instruction.order(), &ready.chain);
    if chain.instruction.header().trial {
        return Err(TRIAL
            .fault("instruction.toml")
            .help("a trial moves a little to learn; the source stays as it is"));
    }
    // what is to be returned goes to the laboratory first
    returned::settled(&here.folder, chain, here.now)?;
    let today = here.now.to_zoned(TimeZone::UTC).date();
    let mut findings = fates(order, chain.instruction.header(), &chain.dictionary);
    findings.extend(kept_with_rows(order, &chain.dictionary, today, true));
    if !findings.is_empty() {
        return Err(refusal(&chain.path, &String::from_utf8_lossy(&chain.bytes), &findings));
    }
    match &order.erasure.source {
        Some(_) => Ok(()),
        None => Err(NOT_ORDERED.fault("instruction.toml").help(
            "the laboratory erases its old system itself; or it signs an order that says so: source = DATE under [erasure]",
        )),
    }
}

/// Every place in which the engine may keep what goes, with its owner and its day.
///
/// # Errors
///
/// [`NO_OWNER`]: nothing goes before somebody answers for each.
fn named(
    eraser: &mut dyn Eraser,
    ready: &Ready,
    beside: &[Beside],
    known: &[Place],
    dry: bool,
) -> Result<Vec<Beyond>> {
    let order = ready.chain.instruction.order();
    let kept = order.beside.iter().filter_map(|one| {
        let Fate::Keep { until } = one.fate else { return None };
        let holds = beside.iter().any(|held| !held.goes && held.along == one.along());
        holds.then(|| {
            let (table, column, of) = (&one.table.value, &one.column.value, &one.of.value);
            format!("rows of {table} whose {column} names rows of {of}: the order keeps them until {until}")
        })
    });
    let tables = tables(&ready.compiled.plan, beside);
    let wanted: Vec<String> =
        eraser.beyond(&tables)?.into_iter().chain(parted::beyond(order)).chain(kept).collect();
    let place = connect::name(&ready.source, ecluse_core::language::Language::English);
    let beyond = places::matched(&place, &wanted, known);
    if let Some(open) = beyond.iter().find(|one| one.owner.is_empty()).filter(|_| !dry) {
        return Err(NO_OWNER.fault(open.what.clone()).help(format!(
            "write who answers for it, and the day by which it is gone, into {}: ecluse erase --source --dry-run prints the lines",
            places::FILE
        )));
    }
    Ok(beyond)
}

/// The chunks that differ at the destination as the acceptance has them: it cites this reconciliation.
fn differing(run: &Path, figures: &Figures) -> Result<Accepted> {
    let reconciled = reconciled::of(run, figures)?;
    let list = reconciled.found().map(|found| found.list.as_slice()).unwrap_or_default();
    Ok(list.iter().filter_map(|one| Some((one.table.clone(), one.chunk, one.there.clone()?))).collect())
}

/// The counts agree with the run's own.
fn even(figures: &Figures, gone: &[Gone]) -> Result<()> {
    let moved = |table: &str| figures.tables.iter().find(|t| t.source == table).map(|t| t.moved);
    match gone.iter().find(|one| moved(&one.table) != Some(one.rows)) {
        None => Ok(()),
        Some(one) => Err(COUNTS
            .fault(format!("table {}: {} rows; figures.json counts others", one.table, count(one.rows)))
            .help("nothing went; catch up (ecluse migrate), reconcile, have it accepted; then: ecluse erase --source")),
    }
}

fn of_source(gone: &Gone, place: &str, method: &str, at: &str) -> Erased {
    Erased {
        side: Side::Source,
        place: place.to_owned(),
        what: gone.table.clone(),
        method: method.to_owned(),
        rows: Some(gone.rows),
        files: None,
        at: at.to_owned(),
    }
}

fn told(going: &Going, parted: &[Parted], beyond: &[Beyond], dry: bool, method: &str) -> Result<()> {
    let Going { gone, beside, left, excess, .. } = going;
    let verb = if dry { "would be erased" } else { "erased" };
    for one in gone {
        output::line(format!("{}   {} {verb} at the source", one.table, plural(one.rows, "row", "rows")));
    }
    for one in beside {
        let rows = plural(one.rows, "row", "rows");
        output::line(format!("{}   {rows} beside the order {verb} with what they name", one.table));
    }
    parted::told(going, parted, dry);
    for one in left {
        output::line(format!("{one} stay without what they name, as the order says"));
    }
    if !excess.is_empty() {
        output::warning(format!("The account could do more: {}.", told_rights(excess).join("; ")));
    }
    if !dry {
        output::line(format!("How: {method}"));
    }
    output::line("Beyond the reach of SQL, with who answers for it and until when:");
    for one in beyond {
        if one.owner.is_empty() {
            output::line(format!("  {}   NOBODY YET", one.what));
        } else {
            output::line(format!("  {}   {}, by {}", one.what, one.owner, one.until));
        }
    }
    if dry && beyond.iter().any(|one| one.owner.is_empty()) {
        output::line(format!("Into {}, before anything goes:", places::FILE));
        for one in beyond.iter().filter(|one| one.owner.is_empty()) {
            output::line(places::draft(&one.what));
        }
    }
    output::document(&json!({
        "source": rows(gone), "beside": rows(beside), "excess": told_rights(excess),
        "left": left.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "files": parted::document(going, parted, dry), "method": method, "beyond": beyond, "dry": dry,
    }));
    Ok(())
}

fn rows(gone: &[Gone]) -> Vec<serde_json::Value> {
    gone.iter().map(|one| json!({ "table": one.table, "rows": one.rows })).collect()
}
