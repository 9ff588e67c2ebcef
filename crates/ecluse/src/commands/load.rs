//! `ecluse load`: a sealed archive into the recipient's own database, and the receipt.
//!
//! | done | durable then | a start that died goes on with |
//! |---|---|---|
//! | the run, as the direct path's | its ledger, its sealed state | the run |
//! | read back, compared | `reconciliation.json` | the run, which replaces nothing |
//! | the receipt is written | `receipt.toml` | destroying the identity |
//! | the identity is destroyed | the journal's line | signing |

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecluse_adapters::archive::{Archive, Received, Source};
use ecluse_adapters::folder::{EVENTS, RunFolder, events, figures};
use ecluse_adapters::sql;
use ecluse_adapters::url::Url;
use ecluse_core::copies::Store;
use ecluse_core::count::plural;
use ecluse_core::digest;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::language::Language;
use ecluse_core::receipt::{self, Stated, Table};
use ecluse_core::recipient::Recipient;
use ecluse_flow::event::Act;
use ecluse_flow::figures::Figures;
use ecluse_flow::load::{
    ELSEWHERE, OTHER_RECEIPT, destroys, goes_on, has_destroyed, is_destroyed, not_loaded_yet, unseals,
    was_destroyed,
};
use ecluse_flow::orders::{Orders, is_stated};
use ecluse_flow::ports::{Destination, Files, Record as _};
use ecluse_flow::reconcile::{Kind, Reconciliation, conclude, reconcile};
use ecluse_flow::reference::standing;
use ecluse_flow::rights;
use ecluse_flow::run::{Options, makes, may_begin, run as flow_run};
use ecluse_flow::start::Start;
use ecluse_seal::Identity;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::json;

use super::migrate::{STOPPED, counters};
use super::{Here, loads, reconcile as reconciled, runs, session, sign};
use crate::cli::{LoadArgs, SignArgs};
use crate::connections::{self, End};
use crate::copies::{self, Born};
use crate::folder::Folder;
use crate::loading::{Laid, Sealed, of_a_part, opened};
use crate::papers::{Paper, draft, reference, signatures_of};
use crate::progress::Teller;
use crate::ready::{self, Missing, STOP};
use crate::{connect, folder, output, overwrite};

static DIFFERS: Code = Code::refused("ECL-LOA-016", "what was read back differs from the archive");
static KEPT: Code = Code::outside("ECL-LOA-017", "the identity could not be destroyed");
static NOT_THROUGH: Code =
    Code::refused("ECL-LOA-026", "a receipt lies there, and the load that it tells of is not through");
static LINKED: Code = Code::refused("ECL-LOA-027", "the identity is a link, or has a second name");
static NO_FOLDER: Code =
    Code::usage("ECL-LOA-036", "rows of the archive name files, and it is not said where these go");
pub(super) static UNASKED: Code =
    Code::refused("ECL-LOA-037", "the archive holds files, and its order names none");
const TELL: &str = "load nothing of it, keep it as it is, and tell the controller";
static REFUSED: Code = Code::refused("ECL-LOA-028", "the destination refused rows of the archive");
static ANOTHER: Code =
    Code::refused("ECL-LOA-019", "this migration has its receipt already, of another archive");

/// How long a receipt can be shown: the years for which evidence is kept.
pub(super) const LASTS: SignedDuration = SignedDuration::from_hours(24 * 3_653);

pub(super) fn run(here: &Here, args: &LoadArgs) -> Result<()> {
    // a second Ctrl-C would be a crash, which a load survives as well
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    let sealed = Sealed::read(here, &args.open.inspect.archive)?;
    sealed.is_no_return()?;
    let key = sealed.identity(here, args.open.identity.as_deref())?;
    let run = here.folder.path(args.run.as_deref(), "load");
    let path = here.folder.path(None, receipt::FILE);
    let (archive, session) = (sealed.manifest.header().id.clone(), sealed.recipient.header().id.clone());
    let recipient = sealed.recipient.clone();
    let ends = Ends { key: &key, run: &run, here: &here.folder };
    let paper = match announced(&path, &sealed, &ends)? {
        Lies::Announced(paper) => {
            let into = is_its_database(here, args, &run, &paper)?;
            may_go(&ends, &recipient, (&archive, Some(&paper)))?;
            output::line(format!("Loaded before{into}; nothing was written."));
            paper
        }
        Lies::Unsaid(seen) => {
            one_file(&key)?;
            let Loaded::Whole(written) = loaded(here, args, sealed, &ends, (&path, seen.as_deref()))? else {
                // the identity is needed for the rest
                return Ok(());
            };
            may_go(&ends, &recipient, (&archive, None))?;
            Paper::read(&path, "").and_then(|paper| is_still(paper, &written))?
        }
    };
    // no other load puts aside what is announced here
    let alone = loads::alone(&path)?;
    let paper = is_still(Paper::read(&path, "")?, &paper.digest())?;
    let is_said = is_destroyed(&events(&run)?, &archive, &paper.digest()).is_ok();
    if !is_said || is_there(&key) {
        let kept = |kind| {
            KEPT.fault(format!("{}: {kind}", key.display()))
                .help("make the file writable and give the same command again")
        };
        let mut record = RunFolder::existing(&run, &here.journal())?;
        destroys(&mut record, ready::world(), (&session, &archive), &paper.digest(), || {
            overwrite::emptied(&key).map(drop).map_err(kept)
        })?;
        if overwrite::removed(&key).map_err(kept)? {
            output::line(format!(
                "{}: overwritten and taken away. What a file system, a disk or a backup keeps of it is out of reach.",
                key.display()
            ));
        }
    }
    drop(alone);
    signed(here, args, &run, &paper)
}

/// A receipt, where it is the one of this digest: another load may have ended meanwhile.
fn is_still(paper: Paper, digest: &str) -> Result<Paper> {
    if paper.digest() == digest {
        return Ok(paper);
    }
    Err(OTHER_RECEIPT.fault(paper.path.display().to_string()).help("give the same command again"))
}

/// What a load ends with: the identity that goes, the run folder, and the migration's, in which others may lie.
#[derive(Clone, Copy)]
struct Ends<'a> {
    key: &'a Path,
    run: &'a Path,
    here: &'a Folder,
}

impl Ends<'_> {
    /// The run folders of other loads, as they stand there now: one may have begun meanwhile.
    fn others(&self) -> Result<Vec<PathBuf>> {
        loads::others(self.here, self.run)
    }
}

/// What lies there as the receipt.
enum Lies {
    /// The one over which this load's journal announced that the identity goes.
    Announced(Paper),
    /// Nothing, or one of this digest that nobody announced.
    Unsaid(Option<String>),
}

/// That what `--to` names is the database of a load that is through, and how a person calls it. The identity that would
/// say it is gone: what stands there says it, the ledger of the run. A load that was closed, and one of no row, leave
/// none; and where nothing is named, nothing is asked.
///
/// # Errors
///
/// [`ELSEWHERE`]; the destination's.
fn is_its_database(here: &Here, args: &LoadArgs, run: &Path, receipt: &Paper) -> Result<String> {
    let named = match args.to.url() {
        Some(url) => Some(url),
        None => connections::written(&here.folder, End::Destination)?,
    };
    let stated = receipt.judge(receipt::parse(receipt.text()))?;
    let is_empty = stated.tables.iter().all(|table| table.rows == 0);
    let Some(named) = named.filter(|_| !is_empty && !is_closed(run)) else { return Ok(String::new()) };
    let url = connect::parse(&named)?;
    // a file that is not there would be made
    let is_none = matches!(&url, Url::Sqlite(path) if !path.exists());
    if is_none || connect::destination(&url)?.ledger(&stated.run)?.is_empty() {
        return Err(ELSEWHERE.fault("").help(
            "it is through, and nothing was written now: name the database into which it was loaded, or none",
        ));
    }
    Ok(format!(", into {}", connect::name(&url, Language::English)))
}

/// Whether a load's sealed state is gone: its closing took it, and the ledger with it.
fn is_closed(run: &Path) -> bool {
    RunFolder::sealed_state(run).is_ok_and(|state| state.is_none())
}

fn is_there(key: &Path) -> bool {
    !std::fs::symlink_metadata(key).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Signs the receipt; without a key it waits for `ecluse receipt sign`.
///
/// What is signed is what was read back: the receipt of that digest, over which the identity went.
fn signed(here: &Here, args: &LoadArgs, run: &Path, paper: &Paper) -> Result<()> {
    let path = paper.path.as_path();
    let stated = paper.judge(receipt::parse(paper.text()))?;
    is_destroyed(&events(run)?, &stated.archive, &Paper::read(path, "")?.digest())?;
    let contract = Paper::read(&here.folder.path(None, "contract.toml"), "")?;
    let (header, _) = contract.judge(ecluse_core::contract::open(&contract.bytes))?;
    let already = !folder::list(&signatures_of(path))?.is_empty();
    if already || (args.key.is_none() && !header.trial) {
        if !already {
            output::line(format!(
                "{} waits for its signature:  ecluse receipt sign --key FILE",
                path.display()
            ));
        }
        output::document(&json!({ "receipt": path, "signed": already }));
        return Ok(());
    }
    let sign = SignArgs { key: args.key.clone(), signer: args.signer.clone(), ..SignArgs::default() };
    let signatures = sign::document_with(here, ecluse_core::document::Kind::Receipt, path, &sign)?;
    output::line(format!("{}: signed. Send it to the publisher, with its signatures.", path.display()));
    output::document(&json!({ "receipt": path, "signed": true, "signatures": signatures }));
    Ok(())
}

/// The receipt that lies there, where it is the one over which this load's journal announced that the identity goes.
/// One that nobody announced or signed says nothing: a start died before it, or somebody laid it there; the load says
/// anew what it found, and puts it aside then. Nothing is changed here.
fn announced(path: &Path, sealed: &Sealed, ends: &Ends<'_>) -> Result<Lies> {
    if !path.exists() {
        return Ok(Lies::Unsaid(None));
    }
    let paper = Paper::read(path, "")?;
    let stated = paper.judge(receipt::parse(paper.text()))?;
    let another = || {
        ANOTHER
            .fault(format!("archive {}", stated.archive))
            .help("load in a folder of its own: ecluse -C DIR load ARCHIVE")
    };
    if stated.archive != sealed.manifest.header().id || stated.manifest != sealed.manifest.digest() {
        return Err(another());
    }
    let digest = paper.digest();
    let mut is_over = false;
    let others = ends.others()?;
    for run in std::iter::once(ends.run).chain(others.iter().map(PathBuf::as_path)) {
        let Some(journal) = loads::journal(run)? else { continue };
        let Some((last, _)) = journal.paper(Act::Destroy) else { continue };
        if last == digest && run == ends.run {
            return Ok(Lies::Announced(paper));
        }
        if last == digest {
            return Err(loads::anothers(run));
        }
        is_over = is_over || has_destroyed(&journal, &stated.archive) || over(ends.key)?;
    }
    if !paper.signatures.is_empty() {
        return Err(another());
    }
    // nothing could be found out anew: what was changed is put back, not taken away
    if is_over {
        return Err(OTHER_RECEIPT
            .fault(path.display().to_string())
            .help("put it back as ecluse load wrote it"));
    }
    Ok(Lies::Unsaid(Some(digest)))
}

/// That what is about to be destroyed is the stated identity, and that it ended this load: it opens the load's
/// sealed state, which nobody else can have written, and the state says that the load is through; and that no other
/// load needs it. Where an earlier start announced it over this receipt, and overwrote it or took it away, nothing is
/// left to look at.
fn may_go(ends: &Ends<'_>, recipient: &Recipient, (archive, receipt): (&str, Option<&Paper>)) -> Result<()> {
    let Ends { key, run, .. } = *ends;
    if let Some(receipt) = receipt {
        if !is_there(key) && was_destroyed(&events(run)?, archive, &receipt.digest()) {
            return Ok(());
        }
        // the name goes last: while the journal does not say that it is gone, another name was given
        if is_there(key) && over(key)? {
            return Ok(());
        }
    }
    one_file(key)?;
    let identity = session::recipients(key)?;
    is_stated(&identity, recipient)?;
    let state = RunFolder::sealed_state(run)?.ok_or_else(|| NOT_THROUGH.fault("no sealed state"))?;
    let own = ecluse_seal::open(&state, &identity)?;
    if !own.whole {
        return Err(NOT_THROUGH
            .fault("")
            .help("move receipt.toml away; the same command then goes on with the load"));
    }
    loads::none_is_half_way(&ends.others()?, (&identity, &own), archive)
}

fn over(key: &Path) -> Result<bool> {
    overwrite::is_over(key).map_err(|kind| folder::unwritable(key, &kind.into()))
}

/// That the identity is one plain file with one name: of any other, a copy would outlive its destruction.
fn one_file(key: &Path) -> Result<()> {
    if std::fs::symlink_metadata(key).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        // said as of every identity that is not there
        return session::recipients(key).map(drop);
    }
    let found = std::fs::symlink_metadata(key).map_err(|error| folder::unwritable(key, &error))?;
    if found.is_file() && found.nlink() == 1 {
        return Ok(());
    }
    Err(LINKED.fault(key.display().to_string()).help("name the file itself, and take its other names away"))
}

/// What a start was for.
enum Loaded {
    /// Everything that was sealed; the digest of the receipt that it wrote.
    Whole(String),
    /// The reference data alone: nothing was received yet.
    Reference,
}

/// Opens, loads, reads back, and writes the receipt; of the reference data alone it loads, and no more.
fn loaded(
    here: &Here,
    args: &LoadArgs,
    sealed: Sealed,
    ends: &Ends<'_>,
    (receipt, seen): (&Path, Option<&str>),
) -> Result<Loaded> {
    let Ends { key, run, .. } = *ends;
    let identity = session::recipients(key)?;
    let ids = (sealed.recipient.header().id.clone(), sealed.manifest.header().id.clone());
    let manifest = sealed.manifest.digest();
    if run.exists() {
        // before a line is written there, or the ledger of copies knows it
        copies::begun_here(&here.folder, run)?;
        let order = sealed.manifest.stated().instruction.value.as_str();
        // a start may have died before its first line
        let journal = if run.join(EVENTS).exists() { Some(events(run)?) } else { None };
        goes_on(RunFolder::sealed_state(run)?.as_deref(), journal.as_ref(), (&identity, order))?;
    }
    if RunFolder::sealed_state(run)?.is_none() {
        loads::none_has_begun(&ends.others()?, &identity, &ids.1)?;
    }
    if !run.exists() {
        // until the order is unsealed, the day is the one of what has none
        listed(here, args, run, None)?;
    }
    let mut record = RunFolder::open(run, &here.journal())?;
    let (mut laid, archive) = unseals(&mut record, ready::world(), (&ids.0, &ids.1), &manifest, || {
        sealed.open(here, args.open.status.as_deref(), &identity)
    })?;
    let received = received(args, &laid, &archive)?;
    if let Some(to) = args.files.as_deref().filter(|_| received.is_some()) {
        laid.files = runs::resolved(to).display().to_string();
    }
    let url = connect::parse(&connections::url(&here.folder, End::Destination, args.to.url().as_deref())?)?;
    let order = laid.instruction.order();
    listed(here, args, run, Some(order.erasure.copies.value))?;
    let state = copies::state_of(&here.folder, run);
    let by = Some(order.erasure.copies.value);
    let one = |store, place| Born { store, place, copies: by, marker: "" };
    copies::run(&here.folder, here.now, run, order, None)?;
    copies::born(&here.folder, here.now, &[one(Store::State, &state)])?;
    let mut destination = connect::destination(&url)?;
    let files = received.as_ref();
    // a load that is refused leaves no line of a ledger that nobody made
    let there = connect::name(&url, Language::English);
    let begins = || copies::born(&here.folder, here.now, &[one(Store::Ledger, &there)]);
    let load = Load { laid: &laid, archive: &archive, identity: &identity, files, begins: &begins };
    let mut source = Source::new(&archive);
    let start = if args.reference { Start::Reference } else { Start::Whole };
    let place = (here, run);
    let figures = load
        .moved(place, (args.ddl, start), &mut source, destination.as_mut(), &mut record)
        .map_err(|fault| if of_a_part(fault.code().id) { left_standing(fault, run) } else { fault })?;
    // before the identity goes: over a receipt with refused rows nobody accepts, and nobody could load again
    let refused = figures.refused_rows();
    if refused > 0 {
        return Err(REFUSED.fault(plural(refused, "row", "rows")).help(
            "see them by code in load/figures.json; put the destination right, and give the same command again",
        ));
    }
    if args.reference {
        told_of_reference(&figures);
        return Ok(Loaded::Reference);
    }
    let outs = opened(archive.index(), &source.laid()).map_err(|fault| left_standing(fault, run))?;
    files.map_or(Ok(()), Received::all_named).map_err(|fault| left_standing(fault, run))?;
    // a connection of its own, as whoever reads back later has one
    drop(destination);
    let found = load.read_back(here, connect::destination(&url)?.as_mut(), &mut record)?;
    let stated = load.stated(&figures, &found, outs);
    let contract = laid.sealed.contract.digest().to_owned();
    let head = draft::head(Some(contract), here.now, LASTS, laid.sealed.contract.header().trial)?;
    let text = receipt::draft(&head, &stated);
    let alone = loads::alone(receipt)?;
    loads::makes_room(receipt, seen, &[ends.others()?, vec![run.to_owned()]].concat())?;
    folder::create_durably(receipt, text.as_bytes(), 0o666)?;
    drop(alone);
    let rows = stated.tables.iter().map(|t| t.rows).sum();
    output::line(format!(
        "{} loaded and read back; every one is as it was sealed.",
        plural(rows, "row", "rows")
    ));
    Ok(Loaded::Whole(digest::of_bytes(text.as_bytes())))
}

/// A refusal that also says what of the archive stands at the destination, received by nobody.
fn left_standing(fault: Fault, run: &Path) -> Fault {
    let rows = figures(run).ok().flatten().map_or(0, |figures| figures.moved_rows());
    if rows == 0 {
        return fault;
    }
    let advice = format!(
        "{}; {} of it stand at the destination, and nobody has received them: with the archive as it was sealed the same command compares them and goes on; without it, whoever keeps that database takes them away",
        fault.advice(),
        plural(rows, "row", "rows")
    );
    fault.help(advice)
}

/// The files of the archive and the folder that receives them, where its rows name files.
fn received<'a>(args: &LoadArgs, laid: &Laid, archive: &'a Archive<'a>) -> Result<Option<Received<'a>>> {
    if !laid.name_files() {
        return if archive.index().files.is_empty() { Ok(None) } else { Err(UNASKED.fault("").help(TELL)) };
    }
    let to = args
        .files
        .clone()
        .ok_or_else(|| NO_FOLDER.fault("").help("--files DIR, a folder that only the new system reads"))?;
    Received::new(archive, to).map(Some)
}

fn told_of_reference(figures: &Figures) {
    output::line(format!("{} loaded: the reference data.", plural(figures.moved_rows(), "row", "rows")));
    output::line(
        "Nothing else is loaded until a biologist of the laboratory accepts them:  ecluse reference propose",
    );
    output::document(&json!({ "figures": rights::brief(figures), "reference": true }));
}

/// Enters the archive and the load's run folder into the ledger of copies, with the day on which they go.
fn listed(here: &Here, args: &LoadArgs, run: &Path, copies: Option<Date>) -> Result<()> {
    let archive = runs::name(&here.folder, &args.open.inspect.archive);
    let record = runs::name(&here.folder, run);
    let one = |store, place| Born { store, place, copies, marker: "" };
    let all = [one(Store::Archive, archive.as_str()), one(Store::Record, record.as_str())];
    copies::born(&here.folder, here.now, &all)
}

/// An opened archive on its way into a database.
struct Load<'a> {
    laid: &'a Laid,
    archive: &'a Archive<'a>,
    identity: &'a Identity,
    files: Option<&'a Received<'a>>,
    /// Asked before the destination changes.
    begins: &'a (dyn Fn() -> Result<()> + Sync),
}

impl Load<'_> {
    fn options(&self) -> Options<'_> {
        Options { files: self.files.map(|files| files as &dyn Files), ..Options::default() }
    }

    /// Moves every row, by the run of the direct path.
    fn moved(
        &self,
        (here, run): (&Here, &Path),
        (ddl, start): (bool, Start),
        source: &mut Source<'_>,
        destination: &mut dyn Destination,
        record: &mut RunFolder,
    ) -> Result<Figures> {
        let tables = if ddl { Missing::Suppose } else { Missing::Refuse };
        let (mut compiled, missing) = self.laid.plan(destination, tables)?;
        let there = destination.identity()?;
        let ends = (self.archive, there.as_str());
        self.laid.with_orders((&compiled, self.identity), ends, |orders| {
            not_loaded_yet(&orders, destination, record)?;
            if start.is_of_all() && compiled.plan.reference() > 0 {
                self.accepted((here, run), &orders, destination, record)?;
            }
            if missing.is_empty() {
                return Ok(());
            }
            may_begin(&orders, self.options(), source, destination, record)?;
            // known before they are made: an undo drops these, and no table that somebody else made
            let names: Vec<String> = missing.iter().map(|table| table.name.clone()).collect();
            makes(&orders, &names, record, ready::world())
        })?;
        if !missing.is_empty() {
            for table in &missing {
                let statement = destination.ddl(table);
                destination.create(&table.name, &statement)?;
                output::remark(format!("made {} at the destination", table.name));
            }
            compiled = self.laid.plan(destination, Missing::Refuse)?.0;
        }
        let mut teller = Teller::with_events();
        let moved = self.laid.with_orders((&compiled, self.identity), ends, |orders| {
            let options = Options { start, begins: Some(self.begins), ..self.options() };
            flow_run(orders, options, source, destination, record, ready::world(), &mut |p| {
                teller.tell(p);
            })
        })?;
        if moved.stopped && !moved.figures.reference {
            let rows = plural(moved.figures.moved_rows(), "row", "rows");
            return Err(STOPPED
                .fault(format!("this start dealt with {rows}; what earlier ones loaded stands"))
                .help("give the same command again"));
        }
        let engine = destination.engine();
        let next =
            compiled.counters.iter().filter_map(|c| sql::next_key(engine, &c.table, &c.column, c.next));
        counters(&next.collect::<Vec<_>>());
        Ok(moved.figures)
    }

    /// Has the acceptance of the reference data shown, as the direct path does: by a load that has begun with nothing
    /// else yet, over what stands at the destination.
    fn accepted(
        &self,
        (here, run): (&Here, &Path),
        orders: &Orders<'_>,
        destination: &mut dyn Destination,
        record: &mut RunFolder,
    ) -> Result<()> {
        let Some(stands) = standing(orders, destination, record)? else { return Ok(()) };
        let under = (&self.laid.sealed.contract, self.laid.instruction.digest());
        reference::demanded(&here.folder, under, run, (&stands, reference::LOADS), here.now)
    }

    /// Reads everything back and compares it.
    fn read_back(
        &self,
        here: &Here,
        destination: &mut dyn Destination,
        record: &mut RunFolder,
    ) -> Result<Reconciliation> {
        let (compiled, _) = self.laid.plan(destination, Missing::Refuse)?;
        let there = destination.identity()?;
        let mut teller = Teller::new();
        let found = self.laid.with_orders((&compiled, self.identity), (self.archive, &there), |orders| {
            let mut open =
                || Ok(Box::new(Source::new(self.archive)) as Box<dyn ecluse_flow::ports::Source + '_>);
            let world = ready::world();
            let options = self.options();
            let found =
                reconcile(orders, options, &mut open, destination, record, world, &mut |p| teller.tell(p))?;
            let recorded = reconciled::summary(&found, here, self.laid.instruction.digest(), record.head());
            let json = serde_json::to_vec_pretty(&recorded).unwrap_or_default();
            conclude(&found, &json, orders, record, world)?;
            Ok(found)
        })?;
        if found.holds() {
            return Ok(found);
        }
        let kinds: Vec<String> =
            found.damaged().iter().map(|(kind, rows)| format!("{rows} {}", kind.words())).collect();
        Err(DIFFERS.fault(kinds.join(", ")).help(
            "look at load/reconciliation.json; give the same command again once nobody else writes there",
        ))
    }

    fn stated(&self, figures: &Figures, found: &Reconciliation, outs: Vec<[u8; 32]>) -> Stated {
        let Sealed { manifest, .. } = &self.laid.sealed;
        let counted = figures.tables.iter().zip(&found.tables).zip(outs);
        let tables =
            counted.zip(&self.archive.index().tables).map(|(((moved, there), out), indexed)| Table {
                name: indexed.destination.clone(),
                rows: there.rows,
                refused: moved.refused_rows(),
                salt: indexed.salt.clone(),
                out: data_encoding::HEXLOWER.encode(&out),
            });
        Stated {
            archive: manifest.header().id.clone(),
            manifest: manifest.digest(),
            instruction: manifest.stated().instruction.value.clone(),
            recipient: manifest.stated().recipient.value.clone(),
            run: self.archive.index().run.clone(),
            differences: found.rows(Kind::is_damage),
            tables: tables.collect(),
        }
    }
}
