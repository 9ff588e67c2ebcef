//! `ecluse order`: the instruction as one page that the laboratory reads and signs.

use askama::Template as _;
use ecluse_adapters::url::Url;
use ecluse_core::contract::{self, Terms};
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::document::{self, EXPIRED, FUTURE, Header, Kind, NOT_YET};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::{self, Instruction, Order};
use ecluse_core::mapping::{self, Mapping};
use ecluse_core::recipient::Recipient;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Here, sign, survey};
use crate::cli::OrderArgs;
use crate::connect;
use crate::connections::{self, End};
use crate::pages::labels::Labels;
use crate::pages::order::{Sources, Standing, page};
use crate::pages::words::spaced;
use crate::papers::recipient::cited as cited_recipient;
use crate::papers::stopped::stopped;
use crate::papers::{Paper, quietly, refusal, standing};
use crate::{folder, output};

static UNFILLED: Code = Code::refused("ECL-ORD-001", "the draft does not cite its papers yet");
pub(super) static PAGE: Code = Code::refused("ECL-ORD-002", "the order's page could not be made");

pub(super) fn run(here: &Here, args: &OrderArgs) -> Result<()> {
    let lang = args.lang.into();
    let read = Read::of(here, args.instruction.as_deref())?;
    let labels = Labels::of(lang);
    let mapping = cited(here, &read.order);
    let recipient = recipient(here, &read)?;
    let page = page(&Sources {
        language: lang,
        terms: &read.terms,
        header: &read.header,
        order: &labels.order(&read.order),
        dictionary: &labels.dictionary(&read.dictionary),
        recipient: recipient.as_ref(),
        mapping: mapping.as_ref(),
        digest: &read.paper.digest(),
        standing: &read.standing,
        source_file: file(here, End::Source),
        destination_file: file(here, End::Destination),
    });
    let html = page.render().map_err(|_| PAGE.fault(""))?;
    let path = here.folder.path(args.output.as_deref(), "order.html");
    folder::replace(&path, spaced(&html, lang).as_bytes())?;
    output::line(format!(
        "{}: {}, fingerprint {}",
        path.display(),
        read.standing.name(),
        sign::short(&read.paper.digest())
    ));
    if let Standing::Draft(why) = &read.standing {
        output::line(format!("It says DRAFT until the order is verified: {}.", why.title));
    }
    output::document(
        &json!({ "made": path, "digest": read.paper.digest(), "standing": read.standing.name() }),
    );
    Ok(())
}

/// The recipient, of an order that seals to one: without a statement that holds there is nobody to name.
fn recipient(here: &Here, read: &Read) -> Result<Option<Recipient>> {
    if read.order.recipient().is_none() {
        return Ok(None);
    }
    let when = moment(here, &read.header);
    let (contract, _) = standing::contract(&here.folder, None, when)?;
    let (drawn, order) = ((read.paper.path.as_path(), read.paper.text()), (&read.order, &read.header));
    Ok(cited_recipient(&here.folder, drawn, order, &contract, when)?.map(|(recipient, _)| recipient))
}

/// As of when an order is judged: now, or, before or after its time, as of its period.
fn moment(here: &Here, header: &Header) -> Timestamp {
    match header.objection(here.now) {
        Some(finding) if finding.code.id == NOT_YET.id => header.not_before,
        Some(finding) if finding.code.id == EXPIRED.id => last(header),
        _ => here.now,
    }
}

/// The mapping that the order cites; `None` where another one lies there, or none.
fn cited(here: &Here, order: &Order) -> Option<Mapping> {
    let paper = Paper::read(&here.folder.path(None, mapping::FILE), "").ok()?;
    let mapping = quietly(|| paper.judge(mapping::parse(paper.text()))).ok()?;
    (mapping.digest == order.mapping.value).then_some(mapping)
}

/// What the folder calls a database that is a file of SQLite's.
fn file(here: &Here, end: End) -> Option<String> {
    match connect::parse(&connections::written(&here.folder, end).ok()??).ok()? {
        Url::Sqlite(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
        _ => None,
    }
}

/// An order as far as it can be verified.
pub(super) struct Read {
    pub(super) paper: Paper,
    pub(super) terms: Terms,
    pub(super) header: Header,
    pub(super) order: Order,
    pub(super) dictionary: Dictionary,
    pub(super) standing: Standing,
}

impl Read {
    /// Reads an order, the dictionary it cites and the contract; a text that no signature could
    /// ever make good is refused.
    ///
    /// # Errors
    ///
    /// Every fault of form; [`UNFILLED`].
    pub(super) fn of(here: &Here, flag: Option<&std::path::Path>) -> Result<Self> {
        let paper = Paper::read(&here.folder.path(flag, super::instruction::FILE), "ecluse instruction new")?;
        if super::instruction::is_unfilled(paper.text()) {
            return Err(UNFILLED
                .fault(paper.path.display().to_string())
                .help("ecluse instruction check --fill"));
        }
        let header = paper.judge(document::header(paper.text(), Kind::Instruction))?;
        let order = paper.judge(instruction::parse(paper.text()))?;
        let surveyed = Paper::read(&here.folder.path(None, survey::FILE), "ecluse survey")?;
        let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
        let mut findings = instruction::check(&order, &dictionary);
        findings.extend(instruction::fates(&order, &header, &dictionary));
        if !findings.is_empty() {
            return Err(refusal(&paper.path, paper.text(), &findings));
        }
        let contract = Paper::read(&here.folder.path(None, "contract.toml"), "ecluse contract new")?;
        let (_, terms) = contract.judge(contract::open(&contract.bytes))?;
        let standing = quietly(|| judged(here, &paper, &header));
        Ok(Self { paper, terms, header, order, dictionary, standing })
    }
}

/// Whether contract and order are verified. An order before or after its time is judged as of its
/// period: its signatures are none the worse for it, and the page says that it is not in force.
fn judged(here: &Here, paper: &Paper, header: &Header) -> Standing {
    let objection = header.objection(here.now);
    if let Some(finding) = objection.as_ref().filter(|finding| finding.code.id == FUTURE.id) {
        return Standing::Draft(finding.code);
    }
    let when = moment(here, header);
    let verified = standing::contract(&here.folder, None, when).and_then(|(contract, _)| {
        let order = paper.judge(Instruction::in_force(&paper.bytes, &paper.signatures, &contract, when))?;
        Ok((stopped(&here.folder, &contract, &order, here.now)?, order.signers().to_vec()))
    });
    match (verified, objection) {
        (Err(fault), _) => Standing::Draft(fault.code()),
        (Ok((Some(stop), signers)), _) => Standing::Stopped(signers, stop.code()),
        (Ok((None, signers)), Some(finding)) => Standing::Stopped(signers, finding.code),
        (Ok((None, signers)), None) => Standing::Signed(signers),
    }
}

fn last(header: &Header) -> Timestamp {
    header.not_after.checked_sub(SignedDuration::from_secs(1)).unwrap_or(header.not_before)
}
