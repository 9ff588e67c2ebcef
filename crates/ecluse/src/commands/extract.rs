//! `ecluse extract`: reads what an order to a recipient grants, and seals it to that recipient.

pub(super) mod carried;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ecluse_adapters::archive::{MARK, Writer};
use ecluse_adapters::folder::{EVENTS, RunFolder, events, figures};
use ecluse_core::acceptance;
use ecluse_core::count::{count, plural};
use ecluse_core::digest;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::manifest::{self, Manifest, Part};
use ecluse_core::person::Role;
use ecluse_core::receipt;
use ecluse_core::signatures::SignatureFile;
use ecluse_core::template::Head;
use ecluse_flow::extract::{Consignment, Extracted, Signed, extract};
use ecluse_flow::extracted::{ends, is_unended};
use ecluse_flow::ports::Archive;
use ecluse_flow::rights;
use ecluse_flow::run::{Options, is_ours};
use ecluse_seal::archive::{Index, Label};
use jiff::civil::Date;
use serde_json::json;

use super::{Here, begun, encodings, files, identifiers, migrate, runs, sign, stayed};
use crate::cli::ExtractArgs;
use crate::papers::chain::Chain;
use crate::papers::sealed::{self, Kept};
use crate::papers::{Paper, compared, draft, hand, objections, refusal};
use crate::progress::Teller;
use crate::ready::{self, Ready, STOP};
use crate::report::facts::{self, Facts};
use crate::{clock, copies, folder, output, trial};

static TO_A_DATABASE: Code =
    Code::usage("ECL-ARC-010", "the order goes to a database, and nothing is sealed");
static INSIDE: Code =
    Code::usage("ECL-ARC-013", "an archive would lie inside another thing of the migration's");
static RECEIVED: Code = Code::refused("ECL-ARC-012", "an archive of this run was received already");

/// What a stranger who has the recipient's key does with the archive.
const README: &str = concat!(include_str!("extract/readme.txt"), include_str!("extract/steps.txt"));
/// The same of what is returned to the controller, who keeps it.
pub(super) const RETURNED: &str =
    concat!(include_str!("extract/readme-returned.txt"), include_str!("extract/steps.txt"));
/// The manifest's signature: its signer's name stands in the contract, not in clear.
const SIGNATURE: &str = "sender.sig";

pub(super) fn run(here: &Here, args: &ExtractArgs) -> Result<()> {
    // a second Ctrl-C would be a crash, which leaves no archive either
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&STOP));
    // the last line of JSON, whether it ends well or not
    output::document(&json!({ "event": "end" }));
    objections::answered(&here.folder, args.papers.instruction.as_deref(), here.now)?;
    let chain = Chain::read(&here.folder, &args.papers, here.now)?;
    if chain.instruction.order().recipient().is_none() {
        return Err(TO_A_DATABASE.fault("it names a [destination]").help("ecluse migrate"));
    }
    placed(here, &args.output)?;
    let key = key(here, args.key.as_deref(), &chain)?;
    let sender = hand::signer(Kind::Manifest, &key, &chain.contract.terms().keys)?.fingerprint();
    let path = here.folder.path(args.papers.run.as_deref(), "run");
    copies::nameable(&path)?;
    runs::not_closed(&here.folder, chain.instruction.digest(), &path)?;
    if let Some(manifest) = unended(&args.output, &path) {
        let (ready, _) = Ready::to_recipient(here, &args.papers, chain)?;
        runs::may_open(here, &path, &ready)?;
        copies::sealing(&here.folder, here.now, &path, ready.chain.instruction.order())?;
        copies::archive(&here.folder, here.now, &args.output, copies_until(&ready))?;
        beside(here, manifest::FILE, &of_archive(&args.output)?)?;
        return told(&ended(here, &ready, (&args.output, &path), &manifest)?, &args.output);
    }
    not_received(here, &path, &chain)?;
    // before the ledger of copies knows the name: what somebody else put there is no copy of ours
    let writer = Writer::new(&args.output)?;
    let (ready, mut source) = Ready::to_recipient(here, &args.papers, chain)?;
    runs::may_open(here, &path, &ready)?;
    let mut record = taken(here, &path, &ready)?;
    let (path_of, until) = (args.output.as_path(), copies_until(&ready));
    let mut archive = Named { writer, here, path: path_of, until, name: manifest::FILE };
    ready.swept(&mut record)?;
    let facts = serde_json::to_vec_pretty(&Facts::of(&ready)).unwrap_or_default();
    folder::replace(&path.join(facts::FILE), &facts)?;

    let head = head(here, &ready.chain)?;
    let cited = ready.chain.instruction.order().sealed()?;
    let label = label(&ready.chain, &head, sender, &cited.statement.value);
    let begins = || runs::opened(here, &path, &ready);
    let options = Options { begins: Some(&begins), ..ready.options() };
    let sign = |parts: &[Part]| signed(&ready.chain, &key, (&head, &label), README, parts);
    let keep = |signed: &Signed, index: &Index| {
        // a receipt that lies here is of the archive before, whose manifest counts until this one has its name; without
        // one, a recipient may sign for an archive whose sender died as it took its name
        if !here.folder.has(receipt::FILE) {
            beside(here, manifest::FILE, &signed.files)?;
        }
        sealed::keep(&path, Kept::new(&signed.manifest, index))
    };
    let to = Consignment {
        label: label.clone(),
        recipient: cited.age.value.parse()?,
        contract: ready.chain.contract.digest(),
        papers: carried::papers(&here.folder, args.papers.mapping.as_deref(), &ready.chain)?,
        sign: &sign,
        keep: &keep,
    };
    let mut teller = Teller::with_events();
    let made = ready.with_orders(|orders| {
        extract(orders, options, to, source.as_mut(), &mut archive, &mut record, ready::world(), &mut |p| {
            teller.tell(p);
        })
    })?;
    told(&made, &args.output)
}

/// Keeps the manifest and its signature with the papers under this name, for the receipt and the evidence: the archive
/// leaves.
pub(super) fn beside(here: &Here, name: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let of = [format!("{}.sigs/{SIGNATURE}", manifest::FILE), manifest::FILE.to_owned()];
    for (of, name) in of.into_iter().zip([format!("{name}.sigs/{SIGNATURE}"), name.to_owned()]) {
        let bytes = files.get(&of).map_or(&[][..], Vec::as_slice);
        folder::replace(&here.folder.path(None, &name), bytes)?;
    }
    Ok(())
}

/// Takes the run's folder, and enters what sealing leaves in it. A start that is refused here, because another process
/// has the folder, or it is another order's, or was closed meanwhile, has entered nothing that is not there: the record
/// alone stands in the ledger before its folder is made, the state once the folder is held, and the archive as its first
/// byte is written ([`Named`]).
///
/// # Errors
///
/// `ECL-CPY-009`; `ECL-RUN-203`, `ECL-CLO-002`; as [`is_ours`].
pub(super) fn taken(here: &Here, run: &Path, ready: &Ready) -> Result<RunFolder> {
    let order = ready.chain.instruction.order();
    copies::run(&here.folder, here.now, run, order, None)?;
    let mut record = RunFolder::open(run, &here.journal())?;
    ready.with_orders(|orders| is_ours(&orders, &mut record))?;
    copies::sealing(&here.folder, here.now, run, order)?;
    Ok(record)
}

/// That an archive may lie there: its name can be written down, and no folder above it is one that is erased, checked or
/// handed over as a whole.
///
/// # Errors
///
/// `ECL-CPY-030`; [`INSIDE`].
pub(super) fn placed(here: &Here, archive: &Path) -> Result<()> {
    copies::nameable(archive)?;
    let journal = runs::resolved(&here.journal());
    let is_whole = |above: &&Path| {
        let has = |name: &str| above.join(name).exists();
        let is_archive = has(&manifest::part_name(0)) || has(MARK);
        is_archive || has(EVENTS) || *above == journal
    };
    match runs::resolved(archive).ancestors().skip(1).find(is_whole) {
        None => Ok(()),
        Some(above) => {
            Err(INSIDE.fault(above.display().to_string()).help("name a place beside it: -o ../ARCHIVE"))
        }
    }
}

/// The day by which the order has every copy erased.
pub(super) fn copies_until(ready: &Ready) -> Date {
    ready.chain.instruction.order().erasure.copies.value
}

/// That nobody has received an archive of this run: the recipient's identity went with the receipt, so that a later
/// archive could not be opened, and the last archive is the one that is accepted. A receipt that cannot be read is not
/// taken for none where the run has sealed something.
///
/// # Errors
///
/// [`RECEIVED`]; what is wrong with the papers that lie here.
fn not_received(here: &Here, run: &Path, chain: &Chain) -> Result<()> {
    if here.folder.has(acceptance::FILE) && sealed::is_any(run) {
        let paper = Paper::read(&here.folder.path(None, acceptance::FILE), "ecluse accept propose")?;
        let accepted = paper.judge(acceptance::parse(paper.text()))?;
        if figures(run)?.is_some_and(|figures| figures.run == accepted.run) {
            return Err(received(acceptance::FILE));
        }
    }
    if !here.folder.has(receipt::FILE) {
        return Ok(());
    }
    let paper = Paper::read(&here.folder.path(None, receipt::FILE), "ecluse receipt verify")?;
    let stated = match receipt::parse(paper.text()) {
        Err(findings) if sealed::is_any(run) => return paper.judge(Err(findings)),
        Err(_) => return Ok(()),
        Ok(stated) => stated,
    };
    if sealed::is_among(run, &stated.archive)? {
        return Err(received(receipt::FILE));
    }
    // another run of the same order: it is the controller's word that there may be one
    if stated.recipient == chain.instruction.order().sealed()?.statement.value {
        output::warning(format!(
            "{} says that its recipient destroyed the identity to which this order seals: nobody may be able to open the new archive. A later one wants a new statement of the recipient (ecluse recipient new) and a new version of the order",
            receipt::FILE
        ));
    }
    Ok(())
}

fn received(paper: &str) -> Fault {
    RECEIVED.fault(paper).help(
        "nothing is left to seal: ecluse next. For other rows, a new statement of the recipient (ecluse recipient new), a new version of the order that cites it, and a new run: ecluse extract --run NAME. An archive that a start left unended is ended under its own name: -o ARCHIVE",
    )
}

/// An archive whose manifest is kept beside the papers once it has its name: until then the one before counts, and
/// the receipt over it. The ledger of copies knows it before its first byte stands, and not before it is begun.
pub(super) struct Named<'a> {
    pub(super) writer: Writer,
    pub(super) here: &'a Here,
    pub(super) path: &'a Path,
    /// The order's day for copies.
    pub(super) until: Date,
    /// The manifest's, beside the papers.
    pub(super) name: &'static str,
}

impl Archive for Named<'_> {
    fn begin(&mut self) -> Result<()> {
        copies::archive(&self.here.folder, self.here.now, self.path, self.until)?;
        self.writer.begin()
    }

    fn put(&mut self, index: u64, sealed: &[u8]) -> Result<()> {
        self.writer.put(index, sealed)
    }

    fn finish(&mut self, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        self.writer.finish(files)?;
        beside(self.here, self.name, files)?;
        copies::saw(&self.here.folder)
    }
}

/// Manifest and signature of an archive that has its name already.
pub(super) fn of_archive(archive: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let read = |name: String| Ok((name.clone(), folder::read(&archive.join(&name), "")?));
    [manifest::FILE.to_owned(), format!("{}.sigs/{SIGNATURE}", manifest::FILE)]
        .into_iter()
        .map(read)
        .collect()
}

/// The manifest of an archive that stands there already and is this run's own: the start that made it died before it
/// could say so. `None` of everything else, which is never touched.
pub(super) fn unended(archive: &Path, run: &Path) -> Option<Paper> {
    let paper = archive
        .join(manifest::FILE)
        .exists()
        .then(|| Paper::read(&archive.join(manifest::FILE), "").ok())??;
    let header = document::header(paper.text(), Kind::Manifest).ok()?;
    let kept = sealed::kept(run, &header.id).ok()??;
    let open = is_unended(&events(run).ok()?, &kept.digest());
    (open && kept.manifest == paper.digest()).then_some(paper)
}

/// Says what the start before could not say of its archive; nothing is extracted.
pub(super) fn ended(
    here: &Here,
    ready: &Ready,
    (archive, run): (&Path, &Path),
    manifest: &Paper,
) -> Result<Extracted> {
    let mut record = RunFolder::open(run, &here.journal())?;
    let figures = compared::figures(run)?;
    Writer::end(archive)?;
    let said = (manifest.digest(), figures);
    ready.with_orders(|orders| ends(&orders, &mut record, ready::world(), (&said.0, &said.1)))?;
    drop(record);
    let stated = manifest.judge(manifest::parse(manifest.text()))?;
    let figures = begun::figures(run)?;
    output::line("The start before died once the archive was whole: nothing was extracted anew.");
    Ok(Extracted { figures, tables: Vec::new(), parts: stated.parts.len(), manifest: manifest.digest() })
}

/// The key that signs: the one given, or in a trial the operator's.
pub(super) fn key(here: &Here, given: Option<&Path>, chain: &Chain) -> Result<PathBuf> {
    match given {
        Some(key) => Ok(key.to_owned()),
        None if chain.contract.header().trial => Ok(trial::key(&here.folder, Role::Operator)),
        None => Err(sign::NO_KEY.fault(manifest::FILE).help("give your private key: --key FILE")),
    }
}

/// The manifest's header: its id is the archive's; it holds no longer than the order.
pub(super) fn head(here: &Here, chain: &Chain) -> Result<Head> {
    let order = chain.instruction.header();
    let lasts = order.not_after.duration_since(here.now);
    draft::head(Some(chain.contract.digest().to_owned()), here.now, lasts, order.trial)
}

pub(super) fn label(chain: &Chain, head: &Head, sender: String, statement: &str) -> Label {
    Label {
        archive: HEXLOWER.encode(&head.id),
        instruction: chain.instruction.digest().to_owned(),
        sender,
        recipient: statement.to_owned(),
    }
}

/// The manifest over these parts, signed, and looked at as its recipient will.
pub(super) fn signed(
    chain: &Chain,
    key: &Path,
    (head, label): (&Head, &Label),
    readme: &str,
    parts: &[Part],
) -> Result<Signed> {
    let now = clock::now();
    let head = Head { issued: now, not_before: now, ..head.clone() };
    let text = manifest::draft(&head, &label.instruction, &label.sender, &label.recipient, parts);
    let (armoured, _) = hand::armour(Kind::Manifest, key, text.as_bytes())?;
    let signature =
        SignatureFile { name: SIGNATURE.to_owned(), armoured: armoured.clone().into_bytes(), paper: None };
    Manifest::in_force(text.as_bytes(), &[signature], &chain.contract, now)
        .map_err(|findings| refusal(Path::new(manifest::FILE), &text, &findings))?;
    let manifest = digest::of_bytes(text.as_bytes());
    let files = BTreeMap::from([
        (manifest::FILE.to_owned(), text.into_bytes()),
        (format!("{}.sigs/{SIGNATURE}", manifest::FILE), armoured.into_bytes()),
        ("README.txt".to_owned(), readme.as_bytes().to_vec()),
    ]);
    Ok(Signed { files, manifest })
}

pub(super) fn told(made: &Extracted, archive: &Path) -> Result<()> {
    let figures = &made.figures;
    for table in figures.tables.iter().filter(|t| t.left_out > 0) {
        let left = plural(table.left_out, "row", "rows");
        output::line(format!("TRIAL: {left} of {} were left out", table.source));
    }
    migrate::unfinished(figures).into_iter().for_each(output::line);
    let told = [identifiers::lines(figures), stayed::lines(figures)];
    told.into_iter().flatten().for_each(output::line);
    encodings::found(figures).for_each(|found| output::line(found.line("sealed")));
    files::lines(figures, "sealed").into_iter().for_each(output::line);
    output::line(format!(
        "{} sealed in {}, {} refused.",
        plural(figures.moved_rows(), "row", "rows"),
        plural(ecluse_core::count::number(made.parts), "part", "parts"),
        count(figures.refused_rows()),
    ));
    output::line(format!(
        "{}: its recipient alone can open it. Its manifest's fingerprint, to be read aloud: {}",
        archive.display(),
        sign::short(&made.manifest),
    ));
    output::document(&json!({
        "archive": archive, "manifest": made.manifest, "parts": made.parts, "figures": rights::brief(figures),
    }));
    Ok(())
}
