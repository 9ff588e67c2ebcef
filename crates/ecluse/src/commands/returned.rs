//! `ecluse return`: the classes whose fate is `return`, sealed to the controller's own key by the code of an extraction.

use std::path::Path;
use std::sync::Arc;

use ecluse_adapters::archive::Writer;
use ecluse_adapters::folder::erasing;
use ecluse_core::count::{number, plural};
use ecluse_core::document::Kind;
use ecluse_core::erasure::Side;
use ecluse_core::fault::{Code, Result};
use ecluse_core::manifest::Part;
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::receipt::RETURN_FILE;
use ecluse_flow::extract::{Consignment, Signed, extract};
use ecluse_flow::run::Options;
use ecluse_seal::archive::Index;
use serde_json::json;

use super::extract::{
    Named, RETURNED, beside, carried, copies_until, ended, head, key, label, of_archive, placed, signed,
    taken, told, unended,
};
use super::{Here, runs};
use crate::cli::ReturnArgs;
use crate::journal;
use crate::papers::chain::Chain;
use crate::papers::sealed::{self, Kept};
use crate::papers::{hand, objections, returned};
use crate::progress::Teller;
use crate::ready::{self, Ready, STOP};
use crate::{copies, output};

static NOT_SAID: Code = Code::usage("ECL-RET-012", "it is not said where the archive goes");
static OWN_RUN: Code = Code::usage("ECL-RET-013", "a return has a run folder of its own");
static RECEIVED: Code = Code::refused("ECL-RET-014", "the laboratory has received its return already");
static GONE: Code = Code::refused("ECL-RET-015", "the source is erased, and nothing more can be returned");

pub(super) fn run(here: &Here, args: &ReturnArgs) -> Result<()> {
    let papers = args.papers.papers();
    objections::answered(&here.folder, papers.instruction.as_deref(), here.now)?;
    let chain = Chain::read(&here.folder, &papers, here.now)?;
    if args.dry_run {
        let (ready, _) = Ready::to_return(here, &papers, chain)?;
        return would(&ready.compiled.plan);
    }
    let archive = args.output.as_deref().ok_or_else(|| NOT_SAID.fault("").help("-o ARCHIVE"))?;
    placed(here, archive)?;
    // a second Ctrl-C would be a crash, which leaves no archive either
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    // the last line of JSON, whether it ends well or not
    output::document(&json!({ "event": "end" }));
    let run = here.folder.path(None, returned::RUN);
    own(here, &run)?;
    runs::not_closed(&here.folder, chain.instruction.digest(), &run)?;
    let unended = unended(archive, &run);
    if unended.is_none() {
        not_received(here)?;
        there_still(here)?;
    }
    let key = key(here, args.key.as_deref(), &chain)?;
    let sender = hand::signer(Kind::Manifest, &key, &chain.contract.terms().keys)?.fingerprint();
    // what cannot be returned is said before anything is noted
    let (ready, mut source) = Ready::to_return(here, &papers, chain)?;
    journal::gate::passed(&here.folder, &ready.chain.instruction, here.now)?;
    let until = copies_until(&ready);
    if let Some(manifest) = unended {
        copies::sealing(&here.folder, here.now, &run, ready.chain.instruction.order())?;
        copies::archive(&here.folder, here.now, archive, until)?;
        beside(here, returned::MANIFEST, &of_archive(archive)?)?;
        return told(&ended(here, &ready, (archive, &run), &manifest)?, archive);
    }
    // before the ledger of copies knows the name: what somebody else put there is no copy of ours
    let writer = Writer::new(archive)?;
    let mut record = taken(here, &run, &ready)?;
    let mut writer = Named { writer, here, path: archive, until, name: returned::MANIFEST };
    ready.swept(&mut record)?;
    let head = head(here, &ready.chain)?;
    let back = ready.chain.instruction.order().back.as_ref();
    let to =
        back.map(|back| back.to.clone()).ok_or_else(|| ecluse_core::instruction::NO_RECIPIENT.fault(""))?;
    let label = label(&ready.chain, &head, sender, &to.statement.value);
    let sign = |parts: &[Part]| signed(&ready.chain, &key, (&head, &label), RETURNED, parts);
    let keep = |signed: &Signed, index: &Index| sealed::keep(&run, Kept::new(&signed.manifest, index));
    let consignment = Consignment {
        label: label.clone(),
        recipient: to.age.value.parse()?,
        contract: ready.chain.contract.digest(),
        papers: carried::of_return(&here.folder, &ready.chain)?,
        sign: &sign,
        keep: &keep,
    };
    let options = Options { begins: None, ..ready.options() };
    let mut teller = Teller::with_events();
    let made = ready.with_orders(|orders| {
        let (world, record) = (ready::world(), &mut record);
        extract(orders, options, consignment, source.as_mut(), &mut writer, record, world, &mut |p| {
            teller.tell(p);
        })
    })?;
    told(&made, archive)?;
    output::line(format!("The laboratory opens it and signs its receipt:  {}", returned::RECEIVED_BY));
    Ok(())
}

/// That the run folder is not one of the order's runs: a return is none, and gives none back.
fn own(here: &Here, run: &Path) -> Result<()> {
    let name = runs::name(&here.folder, run);
    if runs::folders(&here.folder)?.iter().any(|known| runs::name(&here.folder, known) == name) {
        return Err(OWN_RUN
            .fault(run.display().to_string())
            .help("the order's run was given this name; have the laboratory sign a new version of the order, whose run has another"));
    }
    Ok(())
}

/// That no receipt of the laboratory lies here: over another archive than its own it proves nothing any more, and
/// whoever makes one says so first.
fn not_received(here: &Here) -> Result<()> {
    if !here.folder.has(RETURN_FILE) {
        return Ok(());
    }
    Err(RECEIVED.fault(RETURN_FILE).help(format!(
        "nothing is left to do; where more is to be returned all the same, move {RETURN_FILE} and {RETURN_FILE}.sigs away first: the laboratory opens the new archive too and signs a receipt of that one"
    )))
}

/// That nothing of what moved was erased at the source, and that nobody announced it: a return would lack it.
fn there_still(here: &Here) -> Result<()> {
    for run in runs::folders(&here.folder)? {
        let gone =
            erasing(&run)?.is_some_and(|erasing| erasing.done.iter().any(|one| one.side == Side::Source));
        if gone {
            return Err(GONE.fault(run.display().to_string()).help(
                "what the laboratory has is what was returned before: ecluse receipt verify --return; keep its archive",
            ));
        }
    }
    Ok(())
}

/// Tables, columns and rows of a return; no row is read.
fn would(plan: &Plan) -> Result<()> {
    for table in plan.tables() {
        let columns: Vec<&str> = moved(table).collect();
        output::line(format!("{}   {}", table.source(), columns.join(", ")));
    }
    let columns: usize = plan.tables().iter().map(|table| moved(table).count()).sum();
    output::line(format!(
        "{} of {} would be sealed to the laboratory, keys among them. No row was read.",
        plural(number(columns), "column", "columns"),
        plural(number(plan.tables().len()), "table", "tables"),
    ));
    let tables: Vec<_> = plan
        .tables()
        .iter()
        .map(|table| json!({ "table": table.source(), "columns": moved(table).collect::<Vec<_>>() }))
        .collect();
    output::document(&json!({ "tables": tables }));
    Ok(())
}

fn moved(table: &TablePlan) -> impl Iterator<Item = &str> {
    table.read().iter().filter(|column| column.moved).map(|column| column.name.as_str())
}
