//! `ecluse close` at a recipient: the load's ledger leaves the recipient's database, and what the load remembered is
//! destroyed. A recipient has no order and no acceptance of its own: the signed receipt is what everything rests on.
//!
//! | done | durable then | a start that died goes on with |
//! |---|---|---|
//! | the ledger was found at the destination | a line beside the ledger of copies, with run and database | taking it away |
//! | the ledger is gone, the sealed state too | the destination's commit, the folder | ending the lines of copies |
//! | the lines of copies are ended | `copies.json` | the last line, with the receipt |
//!
//! The lines lie beside the ledger of copies: the load's run folder may be gone by then, on its day.

use std::path::Path;

use ecluse_adapters::folder::{RunFolder, events};
use ecluse_adapters::url::Url;
use ecluse_core::closing::Open;
use ecluse_core::copies::{Copy, Ledger, Standing, Store};
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::language::Language;
use ecluse_core::receipt::{FILE, Receipt, parse};
use ecluse_core::recipient;
use ecluse_flow::conclude::{Leaving, elsewhere};
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::load::is_destroyed;
use ecluse_flow::ports::Record;
use serde_json::json;

use super::{CLOSED, told, would};
use crate::cli::CloseArgs;
use crate::commands::{Here, begun};
use crate::connections::{self, End};
use crate::copies::{self, Copies};
use crate::papers::receipt::{MADE_BY, verified};
use crate::papers::{Paper, quietly};
use crate::{connect, output, ready, steps};

/// The load's run folder, where no other is named.
const LOAD: &str = "load";

/// Whether it is a load that is to be closed: this is a recipient's folder, or the folder that is named began with the
/// opening of an archive.
pub(super) fn is_load(here: &Here, dir: Option<&Path>) -> bool {
    steps::is_recipients(&here.folder) || dir.is_some_and(opened)
}

/// Whether a run folder began with the opening of an archive.
fn opened(run: &Path) -> bool {
    events(run).is_ok_and(|told| told.leaves.first().is_some_and(|leaf| leaf.act == Act::Unseal))
}

pub(super) fn run(here: &Here, args: &CloseArgs) -> Result<()> {
    begun::named(&here.folder, args.run.dir.as_deref())?;
    let run = here.folder.path(args.run.dir.as_deref(), LOAD);
    let receipt = received(here, &run)?;
    if copies::is_concluded(&here.folder, &Outcome::Done, &receipt.digest()) {
        output::line("The load was closed before; nothing was left to do.");
        output::document(&json!({ "closed": true, "before": true }));
        return Ok(());
    }
    // held before anything is looked at: no load goes on meanwhile
    let mut record = if run.is_dir() { Some(RunFolder::existing(&run, &here.journal())?) } else { None };
    let url = connect::parse(&connections::url(&here.folder, End::Destination, args.to.url().as_deref())?)?;
    let own =
        Own { state: copies::state_of(&here.folder, &run), ledger: connect::name(&url, Language::English) };
    let ledger = copies::look(&here.folder)?;
    let held = own.known(&ledger, here)?;
    if !held.is_empty() {
        return Err(told(&held));
    }
    // a path that is mistyped makes no database
    if matches!(&url, Url::Sqlite(path) if !path.exists()) {
        return Err(elsewhere("there is no such file"));
    }
    let mut destination = connect::destination(&url)?;
    let announced = |place: &str| copies::is_concluded(&here.folder, &Outcome::Begun, place);
    let leaving = Leaving::of(&receipt, announced, destination.as_mut())?;
    if args.dry_run {
        would(own.of(&ledger));
        return Ok(());
    }
    concluded(here, (&own, &receipt), leaving, record.as_mut().map(|record| record as &mut dyn Record))?;
    output::line(
        "The load is closed: its ledger is gone from the database, and what it remembered is destroyed. The rows stay.",
    );
    output::line("What is left in this folder goes on its day:  ecluse copies");
    output::document(&json!({ "closed": true, "before": false }));
    Ok(())
}

/// Takes ledger and state away, between the two lines that say so, and ends their lines of copies.
fn concluded(
    here: &Here,
    (own, receipt): (&Own, &Receipt),
    leaving: Leaving<'_>,
    load: Option<&mut dyn Record>,
) -> Result<()> {
    let statement = Paper::read(&here.folder.path(None, recipient::FILE), "")?;
    let session = statement.judge(document::header(statement.text(), Kind::Recipient))?.id;
    let mut copies = Copies::open(&here.folder)?;
    copies.in_the_name_of(&session);
    let (world, place) = (ready::world(), leaving.place().to_owned());
    let object = world.id()?;
    let line = |outcome, paper| {
        let leaf = Leaf::new(&world, &session, Act::Conclude, &object, &outcome)?;
        Ok::<_, Fault>(Leaf { paper, ..leaf })
    };
    copies.append(line(Outcome::Begun, Some(place))?)?;
    if let Err(fault) = leaving.conclude(load) {
        // the fault on its way out says more than one about the journal would
        let _already_failing =
            line(Outcome::Code(fault.code().id), None).and_then(|line| copies.append(line));
        return Err(fault);
    }
    let before = copies.ledger.clone();
    copies.end(here.now, Store::State, &own.state, CLOSED)?;
    copies.end(here.now, Store::Ledger, &own.ledger, CLOSED)?;
    if copies.ledger != before {
        copies.save()?;
    }
    copies.append(line(Outcome::Done, Some(receipt.digest()))?)
}

/// What closing takes away here, each by its place in the ledger of copies.
struct Own {
    state: String,
    ledger: String,
}

impl Own {
    /// What keeps the load open: a hold on what would go.
    ///
    /// # Errors
    ///
    /// `ECL-CLO-004` where no load of this folder went into a database of that name.
    fn known(&self, ledger: &Ledger, here: &Here) -> Result<Vec<Open>> {
        if !ledger.copies.iter().any(|copy| copy.store == Store::Ledger && copy.place == self.ledger) {
            return Err(elsewhere(&self.ledger));
        }
        let held = self.of(ledger).filter(|copy| matches!(copy.standing(here.now), Standing::Held(_)));
        let open = held.map(|copy| Open {
            what: copy.told(),
            command: format!("it goes when its hold ends, or: ecluse hold {} --release", copy.short()),
        });
        Ok(open.collect())
    }

    /// The lines of what stands and would go.
    fn of<'a>(&'a self, ledger: &'a Ledger) -> impl Iterator<Item = &'a Copy> {
        let is = |copy: &&Copy| match copy.store {
            Store::Ledger => copy.place == self.ledger,
            Store::State => copy.place == self.state,
            _ => false,
        };
        ledger.copies.iter().filter(|copy| copy.ended.is_none()).filter(is)
    }
}

/// The receipt of the load that is through, signed. Of a load whose folder went on its day the signature says so: nobody
/// signs here before the identity is destroyed.
fn received(here: &Here, run: &Path) -> Result<Receipt> {
    let path = here.folder.path(None, FILE);
    let stands = |copy: &&Copy| copy.store == Store::Record && copy.ended.is_none();
    let is_load = |copy: &Copy| opened(&here.folder.root().join(&copy.place));
    // a load that was given a folder of its own is named: its state would outlive it
    let elsewhere = || Ok::<_, Fault>(copies::look(&here.folder)?.copies.iter().filter(stands).any(is_load));
    if !run.exists() && (!path.exists() || elsewhere()?) {
        return Err(begun::not_loaded(run));
    }
    let paper = Paper::read(&path, MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    if run.exists() {
        is_destroyed(&events(run)?, &stated.archive, &paper.digest())?;
    }
    // a contract that has ended since takes nothing back of what was received under it
    let issued = paper.judge(document::header(paper.text(), Kind::Receipt))?.issued;
    let read = |at| verified(&here.folder, None, run, at).map(|received| received.receipt);
    let then = issued.min(here.now);
    quietly(|| read(here.now)).or_else(|_| quietly(|| read(then))).or_else(|_| read(here.now))
}
