//! `ecluse migrate`: moves, resumes, catches up, repairs.

use std::path::Path;
use std::sync::Arc;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{count, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_flow::figures::Figures;
use ecluse_flow::reference::standing;
use ecluse_flow::rights;
use ecluse_flow::run::{Options, is_ours, makes, may_begin, run as flow_run};
use ecluse_flow::start::Start;
use ecluse_seal::CatchUp;
use serde_json::json;

use super::begun::begun;
use super::{Here, encodings, files, identifiers, known, runs, sampled, stayed, withdrawn};
use crate::cli::MigrateArgs;
use crate::output;
use crate::papers::{acceptance, objections, quietly, reference};
use crate::progress::Teller;
use crate::ready::{self, Ends, Missing, Ready, STOP};
use crate::report::facts::{self, Facts};
use crate::{connect, copies, folder};

pub(super) static STOPPED: Code = Code::outside("ECL-RUN-030", "the run was stopped at the operator's wish");

pub(super) fn run(here: &Here, args: &MigrateArgs) -> Result<()> {
    // a second Ctrl-C would be a crash, which a run survives as well
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    // the last line of JSON, whether the run ends well or not
    output::document(&json!({ "event": "end" }));
    let figures = moved(here, args)?;
    told(&figures, &Facts::read(&here.folder.path(args.papers.run.as_deref(), "run"))?.next_keys);
    withdrawn::told(&here.folder.path(args.papers.run.as_deref(), "run"))?;
    if args.start.kind().repairs() {
        let chunks = figures.tables.iter().map(|table| table.replaced).sum();
        output::line(format!("{} put right from the source.", plural(chunks, "chunk", "chunks")));
    }
    Ok(())
}

/// Moves; a stop is a fault whose help is the command that goes on.
///
/// # Errors
///
/// Every fault of the papers, the databases and the run.
fn moved(here: &Here, args: &MigrateArgs) -> Result<Figures> {
    let start = args.start.kind();
    let path = here.folder.path(args.papers.run.as_deref(), "run");
    // what goes over a run again says so before it asks for anything that a first run needs
    if matches!(start, Start::Repair | Start::CatchUp) {
        begun(&path)?;
    }
    if path.is_dir() && quietly(|| acceptance::verified(&here.folder, &path, here.now)).is_ok() {
        output::warning(
            "The run is accepted as it stands: after this start it has to be read back and accepted anew.",
        );
    }
    let tables = if args.ddl { Missing::Suppose } else { Missing::Refuse };
    objections::answered(&here.folder, args.papers.instruction.as_deref(), here.now)?;
    let (mut ready, mut ends) = Ready::prepare(here, &args.papers, tables)?;
    let kept = if start.is_of_all() { demanded(here, &ready, &mut ends, &path)? } else { None };
    runs::may_open(here, &path, &ready)?;
    let to = ready.destination.as_ref().map(|url| connect::name(url, Language::English));
    copies::run(&here.folder, here.now, &path, ready.chain.instruction.order(), to.as_deref())?;
    let mut record = kept.map_or_else(|| RunFolder::open(&path, &here.journal()), Ok)?;
    ready.swept(&mut record)?;
    if ready.missing.is_empty() {
        ready.with_orders(|orders| is_ours(&orders, &mut record))?;
    } else {
        let Ends { source, destination } = &mut ends;
        ready.with_orders(|orders| {
            may_begin(&orders, ready.options(), source.as_mut(), destination.as_mut(), &mut record)
        })?;
        // known before they are made: an undo drops these, and no table that somebody else made
        ready.with_orders(|orders| makes(&orders, &ready.missing, &mut record, ready::world()))?;
        ready.make(&mut ends)?;
    }
    let facts = serde_json::to_vec_pretty(&Facts::of(&ready)).unwrap_or_default();
    folder::replace(&path.join(facts::FILE), &facts)?;
    // a start that is refused uses up no run
    let begins = || runs::opened(here, &path, &ready);
    let options = Options { start, begins: Some(&begins), ..ready.options() };
    let mut teller = Teller::with_events();
    let Ends { source, destination } = &mut ends;
    let moved = ready.with_orders(|orders| {
        flow_run(
            orders,
            options,
            source.as_mut(),
            destination.as_mut(),
            &mut record,
            ready::world(),
            &mut |p| teller.tell(p),
        )
    })?;
    if moved.stopped && !moved.figures.reference {
        return Err(STOPPED
            .fault(format!(
                "this start dealt with {}; what earlier ones moved stands",
                plural(moved.figures.moved_rows(), "row", "rows")
            ))
            .help(args.start.command()));
    }
    Ok(moved.figures)
}

/// Has the acceptance of the reference data shown, where the order marks some, by a run that moves nothing else
/// yet, and compared with what stands at the destination; gives the run's folder, where it was looked into. One
/// that was lost or expired since holds nothing up: it was shown when the rest began to move, and nobody accepts
/// twice.
fn demanded(here: &Here, ready: &Ready, ends: &mut Ends, path: &Path) -> Result<Option<RunFolder>> {
    if ready.compiled.plan.reference() == 0 {
        return Ok(None);
    }
    let mut kept = if path.exists() { Some(RunFolder::existing(path, &here.journal())?) } else { None };
    let stands = match &mut kept {
        Some(record) => ready.with_orders(|orders| standing(&orders, ends.destination.as_mut(), record))?,
        None => Some(Vec::new()),
    };
    if let Some(stands) = stands {
        let under = (&ready.chain.contract, ready.chain.instruction.digest());
        reference::demanded(&here.folder, under, path, (&stands, reference::MOVES), here.now)?;
    }
    Ok(kept)
}

fn told(figures: &Figures, next_keys: &[String]) {
    counters(next_keys);
    if let Some(sample) = &figures.sample {
        sampled::told(sample, figures);
        identifiers::lines(figures).into_iter().for_each(output::line);
        return output::document(
            &json!({ "figures": rights::brief(figures), "excess": figures.excess.len(), "next_keys": next_keys }),
        );
    }
    if let Some(catch_up) = figures.catch_ups.last() {
        caught(catch_up);
    }
    let read = if figures.reference { "ecluse reconcile --reference" } else { "ecluse reconcile" };
    // what a start over a run that was through has done is said above: these rows are all that stand there
    let how = if figures.catch_ups.is_empty() { "moved" } else { "of the run stand there" };
    output::line(format!(
        "{} {how}, {} refused. Read them back:  {read}",
        plural(figures.moved_rows(), "row", "rows"),
        count(figures.refused_rows()),
    ));
    if figures.reference {
        output::line(
            "These are the reference data. Nothing else moves until a biologist accepts them:  ecluse reference propose",
        );
    }
    for table in figures.tables.iter().filter(|t| t.left_out > 0) {
        let left = plural(table.left_out, "row", "rows");
        output::line(format!("TRIAL: {left} of {} were left out", table.source));
    }
    unfinished(figures).into_iter().for_each(output::line);
    let told = [identifiers::lines(figures), stayed::lines(figures), known::lines(figures)];
    told.into_iter().flatten().for_each(output::line);
    encodings::found(figures).for_each(|found| output::line(found.line("moved")));
    files::lines(figures, "moved").into_iter().for_each(output::line);
    let excess = figures.excess.len();
    output::document(&json!({ "figures": rights::brief(figures), "excess": excess, "next_keys": next_keys }));
}

/// What the destination's administrator types where the engine counts keys beside this laboratory's room.
pub(super) fn counters(next_keys: &[String]) {
    if next_keys.is_empty() {
        return;
    }
    output::line(
        "New rows must not get keys of this laboratory's room. Before the application writes there, its administrator types:",
    );
    next_keys.iter().for_each(|statement| output::line(format!("  {statement}")));
}

/// Rows that are not finished and what becomes of them, a line for each table of which the order says it.
pub(crate) fn unfinished(figures: &Figures) -> Vec<String> {
    let told = |table: &ecluse_flow::figures::TableFigures| {
        if table.pending == "stay" && table.unfinished.is_none() {
            return Some(format!(
                "{}: pending rows are left; how many is not known: a view, a dump or a folder shows none of them",
                table.source
            ));
        }
        // none is left: nothing waits, and nothing is told
        let rows = table.unfinished.filter(|rows| *rows > 0)?;
        let what = match table.pending.as_str() {
            "stay" => "left: pending",
            "move" => "pending, moved as they are",
            "wait" => "pending, moved; the cut-over waits for them",
            _ => return None,
        };
        Some(format!("{}: {} {what}", table.source, plural(rows, "row", "rows")))
    };
    figures.tables.iter().filter_map(told).collect()
}

/// What the catch-up did, table by table where anything differed.
pub(crate) fn caught(catch_up: &CatchUp) {
    let name = if catch_up.repair { "Repair" } else { "Catch-up" };
    if catch_up.ended.is_empty() {
        let began = Language::English.hour_of(&catch_up.began);
        return output::line(format!("{name} {}: begun on {began}, not through", catch_up.number));
    }
    let words = |[added, changed, deleted]: [u64; 3]| {
        format!("{} added, {} changed, {} deleted", count(added), count(changed), count(deleted))
    };
    let (compared, replaced) =
        catch_up.tables.iter().fold((0, 0), |(c, r), table| (c + table.chunks, r + table.replaced));
    output::line(format!(
        "{name} {}: {}; {} of {} replaced.",
        catch_up.number,
        words(catch_up.rows()),
        count(replaced),
        plural(compared, "chunk", "chunks"),
    ));
    if !catch_up.frozen.is_empty() {
        output::line(format!(
            "  source frozen since {}: {}",
            Language::English.hour_of(&catch_up.frozen),
            stood(catch_up, Language::English)
        ));
    }
    for table in catch_up.tables.iter().filter(|table| table.replaced > 0) {
        output::line(format!("  {}   {}", table.table, words([table.added, table.changed, table.deleted])));
    }
}

/// Whether the frozen source stood still, in words.
pub(crate) fn stood(catch_up: &CatchUp, lang: Language) -> &'static str {
    let (english, french) = match catch_up.held.as_str() {
        "instance unmoved" => (
            "nothing was written to the whole instance since",
            "rien n’a été écrit depuis dans toute l’instance",
        ),
        "tables unmoved" => (
            "the engine's marks of these tables did not move since; the same command once more must find 0 differences",
            "les repères que le moteur tient de ces tables n’ont pas bougé depuis ; la même commande doit trouver encore 0 différence",
        ),
        "moved" => {
            ("it was WRITTEN TO since: nothing is cut over", "on y a ÉCRIT depuis : rien n’est basculé")
        }
        _ => (
            "the engine cannot tell whether it was written to since: the same command once more must find 0 differences",
            "le moteur ne peut dire si l’on y a écrit depuis : la même commande doit trouver encore 0 différence",
        ),
    };
    lang.of(english, french)
}
